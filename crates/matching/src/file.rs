//! The file: a header, then sections. All numbers little-endian; sections start at multiples of 64.
//!
//! | offset | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | `MANARAIX` |
//! | 8 | 4 | version |
//! | 12 | 4 | number of sections |
//! | 16 | 8 | length of the file |
//! | 24 | 8 | checksum of everything after the header |
//! | 32 | 8 | number of indicators |
//! | 40 | 8 | key of the hashes |
//! | 48 | 8 | checksum of the index that this one adds to; 0: none |
//! | 56 | 16 × sections | offset and length of each |
//! | then | 8 | checksum of the header up to here |

use crate::error::OpenError;
use crate::hash::checksum;
use std::ops::Range;

/// Version of the format that this program writes and reads.
pub(crate) const VERSION: u32 = 3;
const MAGIC: &[u8; 8] = b"MANARAIX";
/// Where the places of the sections begin.
const PLACES: usize = 56;
const HEAD: usize = PLACES + 16 * SECTIONS + 8;

/// The sections, in the order of the file.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
pub(crate) enum Section {
    /// Texts of the indicators, then of aliases, one after the other.
    Text,
    /// `u32`: where each text starts, and the end of the last.
    Offsets,
    /// `u8` an indicator: its kind.
    Kinds,
    /// `u32` an alias: the indicator that it spells.
    Aliases,
    /// Table: names and the names above them.
    Names,
    /// Filter: the last two labels of all names.
    Filter,
    /// Bits: last labels; then last labels that are indicators themselves.
    Tops,
    /// 16 bytes a host with URLs: key, first and number of its URLs; sorted by key.
    Hosts,
    /// 16 bytes a URL: see `build::urls`.
    Urls,
    /// 16 bytes an IPv4 interval: first, last, entry, parent; sorted.
    V4,
    /// 40 bytes an IPv6 interval: the same with addresses of 16 bytes.
    V6,
    /// Table: hashes and everything else that is one word.
    Words,
    /// Free text of whoever built it.
    Note,
    /// `u32` an indicator: which set of sources says so, and the next sections; see `details`.
    DetailOf,
    DetailSets,
    DetailSources,
    DetailOffsets,
    DetailText,
}

impl Section {
    /// What is read for hits only.
    pub(crate) const DETAILS: [Section; 5] =
        [Section::DetailOf, Section::DetailSets, Section::DetailSources, Section::DetailOffsets, Section::DetailText];
}

/// Number of sections.
pub(crate) const SECTIONS: usize = 18;

/// Writes a file out of its sections.
pub(crate) fn write(count: u32, key: u64, base: u64, sections: &[Vec<u8>; SECTIONS]) -> Vec<u8> {
    let total: usize = sections.iter().map(|s| s.len().next_multiple_of(64)).sum();
    let start = HEAD.next_multiple_of(64);
    let mut out = Vec::with_capacity(start + total);
    out.resize(start, 0);
    let mut places = Vec::with_capacity(SECTIONS);
    for section in sections {
        places.push((out.len() as u64, section.len() as u64));
        out.extend_from_slice(section);
        out.resize(out.len().next_multiple_of(64), 0);
    }
    let mut head = Vec::with_capacity(start);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&VERSION.to_le_bytes());
    head.extend_from_slice(&(SECTIONS as u32).to_le_bytes());
    head.extend_from_slice(&(out.len() as u64).to_le_bytes());
    head.extend_from_slice(&checksum(&out[start..]).to_le_bytes());
    for number in [u64::from(count), key, base] {
        head.extend_from_slice(&number.to_le_bytes());
    }
    for (offset, length) in places {
        head.extend_from_slice(&offset.to_le_bytes());
        head.extend_from_slice(&length.to_le_bytes());
    }
    head.extend_from_slice(&checksum(&head).to_le_bytes());
    out[..head.len()].copy_from_slice(&head);
    out
}

/// What a header says, checked against the file's length.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) count: u32,
    /// Checksum of what follows the header.
    pub(crate) content: u64,
    /// Checksum of the header itself.
    pub(crate) checksum: u64,
    pub(crate) key: u64,
    pub(crate) base: u64,
    pub(crate) sections: [Range<usize>; SECTIONS],
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|b| u64::from_le_bytes(*b))
}

/// Reads and checks the header. The content is not touched: opening must not read the whole file.
pub(crate) fn read_header(file: &[u8]) -> Result<Header, OpenError> {
    const CUT: OpenError = OpenError::Broken("it is cut short");
    if !file.starts_with(MAGIC) {
        return Err(OpenError::Foreign);
    }
    let version = u32_at(file, 8).ok_or(CUT)?;
    if version != VERSION {
        return Err(OpenError::Version(version));
    }
    let sum = u64_at(file, HEAD - 8).ok_or(CUT)?;
    if checksum(&file[..HEAD - 8]) != sum {
        return Err(OpenError::Broken("the header's checksum is wrong"));
    }
    if u32_at(file, 12) != Some(SECTIONS as u32) {
        return Err(OpenError::Broken("it has another number of sections"));
    }
    let number = |at| u64_at(file, at).and_then(|n| usize::try_from(n).ok()).ok_or(CUT);
    if number(16)? != file.len() {
        return Err(OpenError::Broken("its length is not what its header says"));
    }
    let mut sections = [const { 0..0 }; SECTIONS];
    let mut before = HEAD;
    for (n, section) in sections.iter_mut().enumerate() {
        let (start, length) = (number(PLACES + 16 * n)?, number(PLACES + 8 + 16 * n)?);
        let end = start.checked_add(length).filter(|end| *end <= file.len() && start >= before);
        let end = end.ok_or(OpenError::Broken("a section lies outside the file"))?;
        *section = start..end;
        before = end;
    }
    let count = u32::try_from(number(32)?).map_err(|_| OpenError::Broken("too many indicators"))?;
    let word = |at| u64_at(file, at).ok_or(CUT);
    Ok(Header { count, content: word(24)?, checksum: sum, key: word(40)?, base: word(48)?, sections })
}

/// Whether the content has the checksum that the header promises.
pub(crate) fn content_is(file: &[u8], promised: u64) -> bool {
    file.get(HEAD.next_multiple_of(64)..).is_some_and(|content| checksum(content) == promised)
}
