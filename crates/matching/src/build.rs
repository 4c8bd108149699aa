//! Indicators into an index file.

use crate::address;
use crate::bytes::is_local;
use crate::entry::{BELOW, EMAILS, NONE, ON, URLS};
use crate::error::Refused;
use crate::file::{self, SECTIONS, Section};
use crate::hash::{self, START, key, longer, word};
use crate::index::{digit_tops, top_bit};
use crate::kind::Kind;
use crate::table;
use crate::urls::{self, Url};
use crate::value::{self, Value};
use std::net::IpAddr;

/// Bytes of one bit set of last labels.
pub(crate) const TOPS: usize = 2048;

/// Collects indicators, then writes the file. Takes about 100 bytes of memory an indicator.
#[derive(Debug, Default)]
pub struct Builder {
    text: Vec<u8>,
    offsets: Vec<u32>,
    kinds: Vec<u8>,
    /// Other spellings of names: the indicator and the spelling.
    aliases: Vec<(u32, String)>,
    names: Vec<(u64, u32)>,
    filter: Vec<u64>,
    tops: Vec<u8>,
    urls: Vec<Url>,
    v4: Vec<(u32, u32, u32)>,
    v6: Vec<(u128, u128, u32)>,
    words: Vec<(u64, u32)>,
    note: String,
}

impl Builder {
    /// With nothing in it.
    #[must_use]
    pub fn new() -> Builder {
        Builder { tops: vec![0; 2 * TOPS], ..Builder::default() }
    }

    /// A text that stays with the file: where the indicators come from, when.
    pub fn note(&mut self, note: &str) {
        note.clone_into(&mut self.note);
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

    /// Adds an indicator in its plain spelling (not defanged). Its number in hits is how many were added
    /// before it; of the same indicator added again only the first is found.
    ///
    /// # Errors
    /// A value that its kind cannot have; nothing was added.
    pub fn add(&mut self, kind: Kind, value: &str) -> Result<u32, Refused> {
        let value = value.trim();
        let number = u32::try_from(self.kinds.len()).unwrap_or(NONE);
        if number >= NONE / 2 || u32::try_from(self.text.len() + value.len()).is_err() {
            return Err(Refused::TooMany);
        }
        match value::read(kind, value)? {
            Value::V4(first, last) => {
                self.v4.push((first, last, number));
                self.push(kind, value);
            }
            Value::V6(first, last) => {
                self.v6.push((first, last, number));
                self.push(kind, value);
            }
            Value::Name { ascii, unicode, below } => {
                let flag = if below { BELOW } else { 0 };
                self.name(&ascii, number | flag);
                if let Some(unicode) = unicode {
                    // Numbers of aliases are known once all indicators are.
                    self.aliases.push((number | flag, unicode));
                }
                self.offsets.push(self.text.len() as u32);
                self.text.extend_from_slice(if below { b"*." } else { b"" });
                self.text.extend_from_slice(ascii.as_bytes());
                self.kinds.push(kind as u8);
            }
            Value::Url { text, host, rest, address } => {
                let name = &text[host.clone()];
                let host_key = match address {
                    Some(IpAddr::V4(v4)) => {
                        self.v4.push((v4.to_bits(), v4.to_bits(), NONE | URLS));
                        hash::address(u128::from(v4.to_bits()))
                    }
                    Some(IpAddr::V6(v6)) => {
                        self.v6.push((v6.to_bits(), v6.to_bits(), NONE | URLS));
                        hash::address(v6.to_bits())
                    }
                    None => self.name(name, NONE | URLS),
                };
                self.urls.push(Url::new(host_key, number, &text, host, rest));
                self.push(kind, &text);
            }
            Value::Email { text, host } => {
                self.name(&text[host..], NONE | EMAILS);
                let local = text[..host - 1].bytes().rev().take_while(|b| is_local(*b)).count();
                self.words.push((word(&text.as_bytes()[host - 1 - local..]), number));
                self.push(kind, &text);
            }
            Value::Word(part) => {
                self.words.push((word(&value.as_bytes()[part]), number));
                self.push(kind, value);
            }
        }
        Ok(number)
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
            let hash = word(label);
            state = longer(state, hash);
            let key = key(state);
            if depth == 0 {
                let (at, bit) = top_bit(hash);
                self.tops[at] |= bit;
                if label.last().is_some_and(u8::is_ascii_digit) {
                    let (at, bit) = digit_tops();
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
        let aliases = std::mem::take(&mut self.aliases);
        let mut targets = Vec::with_capacity(4 * aliases.len());
        for (n, (value, unicode)) in aliases.iter().enumerate() {
            targets.extend_from_slice(&(value & NONE).to_le_bytes());
            self.name(unicode, (count + n as u32) | value & BELOW);
            self.offsets.push(self.text.len() as u32);
            self.text.extend_from_slice(unicode.as_bytes());
        }
        self.offsets.push(self.text.len() as u32);
        let texts = Texts { text: &self.text, offsets: &self.offsets };
        let names = merge(self.names, texts);
        let words = merge(self.words, texts);
        self.filter.sort_unstable();
        self.filter.dedup();
        let (hosts, rows) = urls::build(self.urls, |entry| texts.get(entry));
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
        file::write(count, &sections)
    }
}

#[derive(Clone, Copy)]
struct Texts<'a> {
    text: &'a [u8],
    offsets: &'a [u32],
}

impl<'a> Texts<'a> {
    fn get(self, entry: u32) -> &'a [u8] {
        let n = entry as usize;
        &self.text[self.offsets[n] as usize..self.offsets[n + 1] as usize]
    }
}

/// Sorts by key, and brings what stands under one key together: all flags with the first entry, each
/// further text in a place of its own, the same text once.
fn merge(mut pairs: Vec<(u64, u32)>, texts: Texts<'_>) -> Vec<(u64, u32)> {
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
        let known = |n: u32| n & NONE != NONE;
        let same = |(_, other): &(u64, u32)| known(*other) && texts.get(other & NONE) == texts.get(value & NONE);
        if known(value) && !out[group..].iter().any(same) {
            out.push((key, value & !FLAGS));
        }
    }
    out
}
