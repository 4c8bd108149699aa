//! Indicators into an index file.

use crate::address;
use crate::details::{Source, SourceId, Sources};
use crate::entry::{BELOW, EMAILS, NONE, ON, URLS};
use crate::error::Refused;
use crate::file::{self, SECTIONS, Section};
use crate::hash::{START, Salt, key, longer};
use crate::index::{digit_tops, top_bit};
use crate::kind::Kind;
use crate::known::Known;
use crate::table;
use crate::urls::{self, Url};
use crate::value::{self, Value};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;

/// Bytes of one bit set of last labels.
pub(crate) const TOPS: usize = 2048;

/// Indicators that may be looked up by one word: texts of which more than this many share it are refused, so that no
/// look-up takes long, and none is lost.
const ALIKE: u16 = 256;

/// Collects indicators, then writes the file. Takes about 120 bytes of memory an indicator.
#[derive(Debug)]
pub struct Builder {
    text: Vec<u8>,
    offsets: Vec<u32>,
    kinds: Vec<u8>,
    known: Known,
    /// Other spellings of names: the indicator and the spelling.
    aliases: Vec<(u32, String)>,
    names: Vec<(u64, u32)>,
    filter: Vec<u64>,
    tops: Vec<u8>,
    urls: Vec<Url>,
    v4: Vec<(u32, u32, u32)>,
    v6: Vec<(u128, u128, u32)>,
    words: Vec<(u64, u32)>,
    /// How many are looked up by a word, for kinds that tell apart what the word does not.
    alike: HashMap<u64, u16>,
    sources: Sources,
    note: String,
    key: u64,
    salt: Salt,
    base: u64,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

impl Builder {
    /// With nothing in it, and a key of its own for the hashes.
    #[must_use]
    pub fn new() -> Builder {
        // Each state of the standard library's hasher is keyed by the system's random numbers.
        Builder::with_key(RandomState::new().build_hasher().finish())
    }

    /// With a key that is chosen: the same indicators give the same file. Whoever knows the key before it is used can
    /// write a list that takes long to look through.
    #[must_use]
    pub fn with_key(key: u64) -> Builder {
        Builder {
            text: Vec::new(),
            offsets: Vec::new(),
            kinds: Vec::new(),
            known: Known::default(),
            aliases: Vec::new(),
            names: Vec::new(),
            filter: Vec::new(),
            tops: vec![0; 2 * TOPS],
            urls: Vec::new(),
            v4: Vec::new(),
            v6: Vec::new(),
            words: Vec::new(),
            alike: HashMap::new(),
            sources: Sources::default(),
            note: String::new(),
            key,
            salt: Salt::new(key),
            base: 0,
        }
    }

    /// A text that stays with the file: where the indicators come from, when.
    pub fn note(&mut self, note: &str) {
        note.clone_into(&mut self.note);
    }

    /// Says that this index adds to another one, known by its [`crate::Index::checksum`]. What to leave out is up to
    /// whoever adds indicators ([`crate::Index::holds`]).
    pub fn adds_to(&mut self, base: u64) {
        self.base = base;
    }

    /// How many indicators have been added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether none has been added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Makes a source known, to be named by [`Builder::describe`].
    pub fn source(&mut self, source: &Source<'_>) -> SourceId {
        self.sources.add(source)
    }

    /// Says that a source says of an indicator that it is one. Of one indicator the first [`crate::SOURCES`] are kept, in
    /// the order in which they became known, and the others counted.
    pub fn describe(&mut self, indicator: u32, source: SourceId) {
        if (indicator as usize) < self.kinds.len() {
            self.sources.say(indicator, source);
        }
    }

    /// Adds an indicator in its plain spelling (not defanged). Its number in hits is how many different ones were added
    /// before it; one that is there already keeps its number.
    ///
    /// # Errors
    /// A value that its kind cannot have; nothing was added.
    pub fn add(&mut self, kind: Kind, value: &str) -> Result<u32, Refused> {
        let value = value.trim();
        let number = u32::try_from(self.kinds.len()).unwrap_or(NONE);
        if number >= NONE / 2 || u32::try_from(self.text.len() + value.len()).is_err() {
            return Err(Refused::TooMany);
        }
        let read = value::read(kind, value)?;
        let normal = read.normal(kind, value);
        let hash = self.salt.exact(kind as u8, normal.as_bytes());
        let same = |n: u32| self.kinds[n as usize] == kind as u8 && self.added(n) == normal.as_bytes();
        if let Some(known) = self.known.find(hash, same) {
            return Ok(known);
        }
        match &read {
            Value::V4(first, last) => self.v4.push((*first, *last, number)),
            Value::V6(first, last) => self.v6.push((*first, *last, number)),
            Value::Name { ascii, unicode, below } => {
                let flag = if *below { BELOW } else { 0 };
                self.name(ascii, number | flag);
                if let Some(unicode) = unicode {
                    // Numbers of aliases are known once all indicators are.
                    self.aliases.push((number | flag, unicode.clone()));
                }
            }
            Value::File(name) => {
                self.name(name, number);
            }
            Value::Url { text, host, rest, address } => {
                let name = &text[host.clone()];
                let host_key = match address {
                    Some(IpAddr::V4(v4)) => {
                        self.v4.push((v4.to_bits(), v4.to_bits(), NONE | URLS));
                        self.salt.address(u128::from(v4.to_bits()))
                    }
                    Some(IpAddr::V6(v6)) => {
                        self.v6.push((v6.to_bits(), v6.to_bits(), NONE | URLS));
                        self.salt.address(v6.to_bits())
                    }
                    None => self.name(name, NONE | URLS),
                };
                self.urls.push(Url::new(host_key, number, text, host.clone(), rest.clone()));
            }
            Value::Email { .. } | Value::Word(_) | Value::Asn(_) => {
                let key = self.salt.word(read.looked_up(&normal));
                if matches!(kind, Kind::Email | Kind::Ssdeep | Kind::Btc | Kind::Xmr) {
                    let alike = self.alike.entry(key).or_insert(0);
                    if *alike >= ALIKE {
                        return Err(Refused::Alike);
                    }
                    *alike += 1;
                }
                self.words.push((key, number));
                if let Value::Email { text, host, unicode } = &read {
                    self.name(&text[*host..], NONE | EMAILS);
                    if let Some(unicode) = unicode {
                        // As many share this key as share the other.
                        let looked_up = read.looked_up(&normal);
                        let local = &looked_up[..looked_up.len() - (text.len() - host)];
                        self.words.push((self.salt.word(&[local, unicode.as_bytes()].concat()), number));
                        self.name(unicode, NONE | EMAILS);
                    }
                }
            }
        }
        self.known.insert(hash, number);
        self.push(kind, &normal);
        Ok(number)
    }

    /// The text of an indicator.
    fn added(&self, number: u32) -> &[u8] {
        let n = number as usize;
        let end = self.offsets.get(n + 1).map_or(self.text.len(), |end| *end as usize);
        &self.text[self.offsets[n] as usize..end]
    }

    fn push(&mut self, kind: Kind, text: &str) {
        self.offsets.push(self.text.len() as u32);
        self.text.extend_from_slice(text.as_bytes());
        self.kinds.push(kind as u8);
    }

    /// Puts a name into the table, with the way to it. Gives its key.
    fn name(&mut self, name: &str, value: u32) -> u64 {
        let mut state = START;
        let mut left = name.len();
        for (depth, label) in name.as_bytes().rsplit(|b| *b == b'.').enumerate() {
            left = left.saturating_sub(label.len() + usize::from(depth > 0));
            let hash = self.salt.word(label);
            state = longer(state, hash);
            let key = key(state);
            if depth == 0 {
                let (at, bit) = top_bit(hash);
                self.tops[at] |= bit;
                if label.last().is_some_and(u8::is_ascii_digit) {
                    let (at, bit) = digit_tops(self.salt);
                    self.tops[at] |= bit;
                }
                if left == 0 {
                    self.tops[TOPS + at] |= bit;
                }
            }
            if depth == 1 {
                self.filter.push(key);
            }
            if left == 0 {
                self.names.push((key, value));
            } else if depth > 0 {
                self.names.push((key, NONE | ON));
            }
        }
        key(state)
    }

    /// The file.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let count = self.kinds.len() as u32;
        let details = std::mem::take(&mut self.sources).build(count);
        // What was known is not needed any more, and the file is about to be made.
        (self.known, self.alike) = Default::default();
        let aliases = std::mem::take(&mut self.aliases);
        let mut targets = Vec::with_capacity(4 * aliases.len());
        for (n, (value, unicode)) in aliases.iter().enumerate() {
            targets.extend_from_slice(&(value & NONE).to_le_bytes());
            self.name(unicode, (count + n as u32) | value & BELOW);
            self.offsets.push(self.text.len() as u32);
            self.text.extend_from_slice(unicode.as_bytes());
        }
        self.offsets.push(self.text.len() as u32);
        let names = merge(self.names);
        let words = merge(self.words);
        self.filter.sort_unstable();
        self.filter.dedup();
        let (text, offsets) = (&self.text, &self.offsets);
        let of = |entry: u32| &text[offsets[entry as usize] as usize..offsets[entry as usize + 1] as usize];
        let (hosts, rows) = urls::build(self.urls, of);
        // A host of many URLs is one interval.
        self.v4.sort_unstable();
        self.v4.dedup();
        self.v6.sort_unstable();
        self.v6.dedup();
        let mut sections: [Vec<u8>; SECTIONS] = Default::default();
        sections[Section::Offsets as usize] = self.offsets.iter().flat_map(|n| n.to_le_bytes()).collect();
        sections[Section::Kinds as usize] = self.kinds;
        sections[Section::Aliases as usize] = targets;
        sections[Section::Names as usize] = table::build(&names);
        sections[Section::Filter as usize] = table::build_filter(self.filter.into_iter());
        sections[Section::Tops as usize] = self.tops;
        sections[Section::Hosts as usize] = hosts;
        sections[Section::Urls as usize] = rows;
        sections[Section::V4 as usize] = address::build(self.v4);
        sections[Section::V6 as usize] = address::build(self.v6);
        sections[Section::Words as usize] = table::build(&words);
        sections[Section::Note as usize] = self.note.into_bytes();
        sections[Section::Text as usize] = self.text;
        for (section, bytes) in Section::DETAILS.into_iter().zip(details) {
            sections[section as usize] = bytes;
        }
        file::write(count, self.key, self.base, &sections)
    }
}

/// Sorts by key, and brings what stands under one key together: all flags with the first entry, each further entry in
/// a place of its own.
fn merge(mut pairs: Vec<(u64, u32)>) -> Vec<(u64, u32)> {
    const FLAGS: u32 = ON | URLS | EMAILS;
    // Entries before bare ways, the earlier entry first.
    pairs.sort_unstable_by_key(|(key, value)| (*key, value & NONE));
    let mut out: Vec<(u64, u32)> = Vec::with_capacity(pairs.len());
    let mut group = 0;
    for (key, value) in pairs {
        if out.last().is_none_or(|(last, _)| *last != key) {
            group = out.len();
            out.push((key, value));
            continue;
        }
        out[group].1 |= value & FLAGS;
        if value & NONE != NONE {
            out.push((key, value & !FLAGS));
        }
    }
    out
}
