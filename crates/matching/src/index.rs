//! An index at use.

use crate::address::{Intervals, fold, map16, map24, starts};
use crate::bytes::Decoded;
use crate::details::{Details, Stored};
use crate::error::OpenError;
use crate::file::{self, Section, u32_at};
use crate::hash::{START, Salt, key, longer};
use crate::kind::Kind;
use crate::map::Bytes;
use crate::table::{Filter, Table};
use crate::urls::Urls;
use crate::value::{self, Value};
use std::fs::File;
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;

/// Where the bit of a last label stands in a bit set of [`crate::build::TOPS`] bytes.
#[inline(always)]
pub(crate) fn top_bit(hash: u64) -> (usize, u8) {
    ((hash >> 53) as usize, 1 << (hash >> 50 & 7))
}

/// The bit that says that some name ends in a digit: that of `0`, which is no name.
pub(crate) fn digit_tops(salt: Salt) -> (usize, u8) {
    top_bit(salt.word(b"0"))
}

/// An index file, open. Cheap to share between threads.
#[derive(Debug)]
pub struct Index {
    bytes: Bytes,
    header: file::Header,
    map24: Vec<u64>,
    map16of4: Vec<u64>,
    starts: Vec<u32>,
    map16: Vec<u64>,
    kinds: [u64; 256],
    salt: Salt,
}

impl Index {
    /// Maps a file. The header and the places of all sections are checked; the content is not read
    /// ([`Index::verify`] does that), but nothing in it is trusted either.
    ///
    /// # Errors
    /// The file cannot be read, is no index, or is broken.
    pub fn open(path: impl AsRef<Path>) -> Result<Index, OpenError> {
        let file = File::open(path)?;
        let data = file.metadata()?;
        if data.is_dir() {
            return Err(OpenError::Folder);
        }
        // An empty file cannot be mapped everywhere; it is no index anyway.
        if data.len() == 0 {
            return Err(OpenError::Foreign);
        }
        Index::new(Bytes::map(&file)?)
    }

    /// The same from memory, without a mapping.
    ///
    /// # Errors
    /// The bytes are no index, or a broken one.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Index, OpenError> {
        Index::new(Bytes::Read(bytes))
    }

    fn new(bytes: Bytes) -> Result<Index, OpenError> {
        let header = file::read_header(&bytes)?;
        let salt = Salt::new(header.key);
        let mut index = Index {
            salt,
            bytes,
            header,
            map24: Vec::new(),
            map16of4: Vec::new(),
            starts: Vec::new(),
            map16: Vec::new(),
            kinds: [0; 256],
        };
        let length = |section| index.section(section).len();
        let texts = index.header.count as usize + length(Section::Aliases) / 4;
        let sound = length(Section::Kinds) == index.header.count as usize
            && length(Section::Offsets) == 4 * (texts + 1)
            && length(Section::Tops) == 2 * crate::build::TOPS
            && length(Section::Text) < u32::MAX as usize
            && (length(Section::DetailOf) == 4 * index.header.count as usize || length(Section::DetailOf) == 0);
        if !sound {
            return Err(OpenError::Broken("a section has the wrong length"));
        }
        let mut kinds = [0; 256];
        for kind in index.section(Section::Kinds) {
            kinds[usize::from(*kind)] += 1;
        }
        index.kinds = kinds;
        index.map24 = map24(index.v4());
        index.starts = starts(index.v4());
        index.map16of4 = fold(&index.map24);
        index.map16 = map16(index.v6());
        Ok(index)
    }

    /// What identifies this very file: the checksum of its header, which holds that of its content.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        self.header.checksum
    }

    /// The [`Index::checksum`] of the index that this one adds to: it holds nothing of what that one holds.
    #[must_use]
    pub fn base(&self) -> Option<u64> {
        Some(self.header.base).filter(|base| *base != 0)
    }

    /// Which records say of an indicator that it is one, as far as the builder was told. Read for hits only.
    #[must_use]
    pub fn details(&self, number: u32) -> Option<Details<'_>> {
        self.stored().of(number)
    }

    /// Bytes that [`Index::details`] takes in the file.
    #[must_use]
    pub fn details_size(&self) -> usize {
        Section::DETAILS.iter().map(|section| self.section(*section).len()).sum()
    }

    fn stored(&self) -> Stored<'_> {
        Stored::new(Section::DETAILS.map(|section| self.section(section)))
    }

    /// The number of an indicator in whatever spelling [`crate::Builder::add`] takes. Only this very one: a name is not
    /// held because one above it is.
    #[must_use]
    pub fn find(&self, kind: Kind, text: &str) -> Option<u32> {
        let text = text.trim();
        let value = value::read(kind, text).ok()?;
        let normal = value.normal(kind, text);
        let is = |entry: &u32| {
            *entry < self.len() && self.kind(*entry) == Some(kind) && self.entry(*entry) == normal.as_bytes()
        };
        let numbers = crate::entry::number;
        match &value {
            Value::V4(first, _) => self.v4().holding(*first, self.rows(*first)).filter_map(numbers).find(is),
            Value::V6(first, _) => self.v6().holding(*first, 0..usize::MAX).filter_map(numbers).find(is),
            Value::Name { ascii, .. } => self.names().get(self.name_key(ascii)).filter_map(numbers).find(is),
            Value::File(name) => self.names().get(self.name_key(name)).filter_map(numbers).find(is),
            Value::Url { text, host, rest, address } => {
                let host = match address {
                    Some(IpAddr::V4(v4)) => self.salt.address(u128::from(v4.to_bits())),
                    Some(IpAddr::V6(v6)) => self.salt.address(v6.to_bits()),
                    None => self.name_key(&text[host.clone()]),
                };
                let rest: Vec<u8> = Decoded { rest: &text.as_bytes()[rest.clone()] }.collect();
                self.urls().find(host, &rest, normal.as_bytes(), |entry| self.entry(entry)).filter(is)
            }
            Value::Email { .. } | Value::Word(_) | Value::Asn(_) => {
                let key = self.salt.word(value.looked_up(&normal));
                self.words().get(key).filter_map(numbers).find(is)
            }
        }
    }

    /// Whether it holds this very indicator: see [`Index::find`].
    #[must_use]
    pub fn holds(&self, kind: Kind, text: &str) -> bool {
        self.find(kind, text).is_some()
    }

    fn name_key(&self, name: &str) -> u64 {
        let labels = name.as_bytes().rsplit(|b| *b == b'.');
        key(labels.fold(START, |state, label| longer(state, self.salt.word(label))))
    }

    pub(crate) fn salt(&self) -> Salt {
        self.salt
    }

    /// Reads the whole file and compares its checksum.
    ///
    /// # Errors
    /// Bytes have changed since it was written.
    pub fn verify(&self) -> Result<(), OpenError> {
        let whole = file::content_is(&self.bytes, self.header.content);
        if whole { Ok(()) } else { Err(OpenError::Broken("the checksum of its content is wrong")) }
    }

    /// Number of indicators.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.header.count
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.count == 0
    }

    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// How many indicators of a kind it holds.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize]
    }

    /// An indicator as it is shown.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        str::from_utf8(self.entry(number)).unwrap_or("")
    }

    /// An indicator's kind; `None` where the file is broken.
    #[must_use]
    pub fn kind(&self, number: u32) -> Option<Kind> {
        self.section(Section::Kinds).get(number as usize).and_then(|code| Kind::by_code(*code))
    }

    /// What its builder wrote about it.
    #[must_use]
    pub fn note(&self) -> &str {
        str::from_utf8(self.section(Section::Note)).unwrap_or("")
    }

    pub(crate) fn section(&self, section: Section) -> &[u8] {
        &self.bytes[self.header.sections[section as usize].clone()]
    }

    /// The text of an indicator or alias; empty where the file is broken.
    #[inline]
    pub(crate) fn entry(&self, number: u32) -> &[u8] {
        let offsets = self.section(Section::Offsets);
        let at = |n: usize| u32_at(offsets, 4 * n).unwrap_or(0) as usize;
        self.section(Section::Text).get(at(number as usize)..at(number as usize + 1)).unwrap_or_default()
    }

    /// The indicator that an entry is or spells.
    pub(crate) fn indicator(&self, entry: u32) -> Option<u32> {
        match entry.checked_sub(self.header.count) {
            None => Some(entry),
            Some(alias) => u32_at(self.section(Section::Aliases), 4 * alias as usize).filter(|n| *n < self.len()),
        }
    }

    pub(crate) fn names(&self) -> Table<'_> {
        Table::new(self.section(Section::Names))
    }

    pub(crate) fn words(&self) -> Table<'_> {
        Table::new(self.section(Section::Words))
    }

    pub(crate) fn filter(&self) -> Filter<'_> {
        Filter::new(self.section(Section::Filter))
    }

    /// Last labels; then those that are indicators.
    pub(crate) fn tops(&self) -> &[u8] {
        self.section(Section::Tops)
    }

    pub(crate) fn urls(&self) -> Urls<'_> {
        Urls::new(self.section(Section::Hosts), self.section(Section::Urls))
    }

    pub(crate) fn v4(&self) -> Intervals<'_> {
        Intervals::new(self.section(Section::V4))
    }

    pub(crate) fn v6(&self) -> Intervals<'_> {
        Intervals::new(self.section(Section::V6))
    }

    pub(crate) fn map24(&self) -> &[u64] {
        &self.map24
    }

    /// The rows of IPv4 intervals among which the last one that starts before an address is looked for.
    pub(crate) fn rows(&self, address: u32) -> Range<usize> {
        let at = |n: u32| self.starts.get(n as usize).map_or(0, |n| *n as usize);
        at(address >> 16)..at((address >> 16) + 1)
    }

    pub(crate) fn map16of4(&self) -> &[u64] {
        &self.map16of4
    }

    pub(crate) fn map16(&self) -> &[u64] {
        &self.map16
    }
}
