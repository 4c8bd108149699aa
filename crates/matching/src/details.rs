//! Who says that something is an indicator: records, their markings and tags. A group of sections of its own, which is
//! read for hits only. What several indicators share stands there once.
//!
//! `DetailOf` has for each indicator a place in `DetailSets` (0: nothing is known). There stand, in `u32`: how many
//! sources there are, how many of them follow, their rows. A row of `DetailSources` is 32 bytes: the record, then
//! (`u32` each) title, TLP and PAP as texts, and where in `DetailSets` its tags stand: their number, their texts, then in
//! the same way what it says of the value.

use crate::file::u32_at;
use std::collections::HashMap;
use std::fmt;

/// Sources that are kept of one indicator, those with the strictest markings; the others are counted.
pub const SOURCES: usize = 64;
/// Tags that are kept of one source.
const TAGS: usize = 128;
/// Texts that are kept of what one source says.
const SAYS: usize = 16;
/// Bytes that all that sources say of values may take. What comes later and was not said before is left out: a comment
/// of its own for each of a million values is no detail any more.
const SAID: usize = 64 << 20;
/// What a new row and its set cost beside their texts, in bytes.
const SAID_ROW: usize = 160;
/// Bytes that are kept of a title, a tag, or what is said.
const LONGEST: usize = 512;
const ROW: usize = 32;

/// The identifier of a record; printed as UUIDs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RecordId(pub [u8; 16]);

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, byte) in self.0.iter().enumerate() {
            if matches!(n, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A record that says so, as a builder takes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'a> {
    /// Its identifier.
    pub record: RecordId,
    /// Its title, or the name of the list.
    pub title: &'a str,
    /// Traffic Light Protocol, `amber` say; empty: not marked.
    pub tlp: &'a str,
    /// Permissible Actions Protocol, `RED` say; empty: not marked.
    pub pap: &'a str,
    /// Its tags; the first 128 are kept.
    pub tags: &'a [&'a str],
    /// What it says of the value: a family, a comment. The first 16 are kept, up to 64 MB in all.
    pub says: &'a [&'a str],
}

/// A source that a builder knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceId(u32);

/// Sources while an index is built.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    text: Vec<u8>,
    offsets: Vec<u32>,
    texts: HashMap<String, u32>,
    sets: Vec<u32>,
    known_sets: HashMap<Vec<u32>, u32>,
    rows: Vec<u8>,
    known_rows: HashMap<[u8; ROW], u32>,
    /// Bytes of what is said of values.
    spoken: usize,
    /// Indicator and source.
    said: Vec<(u32, u32)>,
}

impl Sources {
    pub(crate) fn add(&mut self, source: &Source<'_>) -> SourceId {
        let set = self.words(source);
        let mut row = [0; ROW];
        row[..16].copy_from_slice(&source.record.0);
        let numbers = [self.text(source.title), self.text(source.tlp), self.text(source.pap), set];
        for (place, number) in row[16..].chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let next = (self.rows.len() / ROW) as u32;
        let number = *self.known_rows.entry(row).or_insert(next);
        if number == next {
            self.rows.extend_from_slice(&row);
        }
        SourceId(number)
    }

    /// Where the tags of a source and what it says stand.
    fn words(&mut self, source: &Source<'_>) -> u32 {
        let tags: Vec<u32> = source.tags.iter().take(TAGS).map(|tag| self.text(tag)).collect();
        let says = &source.says[..source.says.len().min(SAYS)];
        let set = |says: Vec<u32>| [&[tags.len() as u32], &tags[..], &[says.len() as u32], &says].concat();
        let known = says.iter().map(|text| self.texts.get(cut(text)).copied()).collect::<Option<Vec<u32>>>();
        if let Some(place) = known.and_then(|known| self.known_sets.get(&set(known))) {
            return *place;
        }
        let cost = says.iter().map(|text| cut(text).len()).sum::<usize>() + SAID_ROW;
        let fits = !says.is_empty() && self.spoken + cost <= SAID;
        self.spoken += if fits { cost } else { 0 };
        let says = if fits { says } else { &[] };
        let says = says.iter().map(|text| self.text(text)).collect();
        self.set(set(says))
    }

    pub(crate) fn say(&mut self, indicator: u32, source: SourceId) {
        let pair = (indicator, source.0);
        if self.said.last() != Some(&pair) {
            self.said.push(pair);
        }
    }

    /// The number of a text; what does not fit any more is cut, or nothing.
    fn text(&mut self, text: &str) -> u32 {
        let text = cut(text);
        if let Some(number) = self.texts.get(text) {
            return *number;
        }
        let fits = u32::try_from(self.text.len() + text.len()).is_ok();
        let text = if fits { text } else { "" };
        let next = self.offsets.len() as u32;
        let number = *self.texts.entry(text.to_owned()).or_insert(next);
        if number == next {
            self.offsets.push(self.text.len() as u32);
            self.text.extend_from_slice(text.as_bytes());
        }
        number
    }

    /// Where a run of numbers stands.
    fn set(&mut self, set: Vec<u32>) -> u32 {
        if self.sets.is_empty() {
            self.sets.push(0);
        }
        if let Some(place) = self.known_sets.get(&set) {
            return *place;
        }
        let Ok(place) = u32::try_from(self.sets.len()) else { return 0 };
        self.sets.extend_from_slice(&set);
        self.known_sets.insert(set, place);
        place
    }

    /// How strictly a source is marked; 0: most.
    fn strictness(&self, row: usize) -> u8 {
        const STRICT: [&str; 3] = ["red", "amber+strict", "amber"];
        let of = |place: usize| {
            let number = u32_at(&self.rows, ROW * row + place)? as usize;
            let start = *self.offsets.get(number)? as usize;
            let end = self.offsets.get(number + 1).map_or(self.text.len(), |end| *end as usize);
            let text = str::from_utf8(self.text.get(start..end)?).ok()?;
            STRICT.iter().position(|name| name.eq_ignore_ascii_case(text))
        };
        [of(20), of(24)].into_iter().flatten().min().unwrap_or(STRICT.len()) as u8
    }

    /// The sections, for so many indicators.
    pub(crate) fn build(mut self, count: u32) -> [Vec<u8>; 5] {
        if self.said.is_empty() {
            return Default::default();
        }
        let strict: Vec<u8> = (0..self.rows.len() / ROW).map(|row| self.strictness(row)).collect();
        let mut said = std::mem::take(&mut self.said);
        said.sort_unstable();
        said.dedup();
        let mut of = vec![0_u8; 4 * count as usize];
        let mut last: (Vec<u32>, u32) = (Vec::new(), 0);
        for group in said.chunk_by(|a, b| a.0 == b.0) {
            let mut set = vec![group.len() as u32, group.len().min(SOURCES) as u32];
            if group.len() <= SOURCES {
                set.extend(group.iter().map(|(_, source)| *source));
            } else {
                // Those with the strictest markings are kept, so that none is understated.
                let mut sources: Vec<u32> = group.iter().map(|(_, source)| *source).collect();
                sources.sort_by_key(|source| (strict[*source as usize], *source));
                sources.truncate(SOURCES);
                sources.sort_unstable();
                set.extend(sources);
            }
            // Neighbours come from one list mostly.
            if set != last.0 {
                last = (set.clone(), self.set(set));
            }
            let at = 4 * group[0].0 as usize;
            if let Some(place) = of.get_mut(at..at + 4) {
                place.copy_from_slice(&last.1.to_le_bytes());
            }
        }
        self.offsets.push(self.text.len() as u32);
        let bytes = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        [of, bytes(&self.sets), self.rows, bytes(&self.offsets), self.text]
    }
}

/// What is kept of a text.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// The sections at use: nothing in them is trusted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    of: &'a [u8],
    sets: &'a [u8],
    rows: &'a [u8],
    offsets: &'a [u8],
    text: &'a [u8],
}

impl<'a> Stored<'a> {
    pub(crate) fn new([of, sets, rows, offsets, text]: [&'a [u8]; 5]) -> Stored<'a> {
        Stored { of, sets, rows, offsets, text }
    }

    pub(crate) fn of(self, number: u32) -> Option<Details<'a>> {
        let place = u32_at(self.of, 4 * number as usize).filter(|place| *place != 0)?;
        let (total, kept) = (self.word(place)?, self.word(place.checked_add(1)?)?);
        Some(Details { stored: self, total, next: place.saturating_add(2), left: kept.min(SOURCES as u32) })
    }

    fn word(self, at: u32) -> Option<u32> {
        u32_at(self.sets, 4 * at as usize)
    }

    fn text(self, number: u32) -> &'a str {
        let at = |n: usize| u32_at(self.offsets, 4 * n).unwrap_or(0) as usize;
        let bytes = self.text.get(at(number as usize)..at(number as usize + 1)).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or("")
    }

    fn source(self, number: u32) -> Option<Record<'a>> {
        let row = self.rows.get(ROW * number as usize..ROW * (number as usize + 1))?;
        let word = |n: usize| u32_at(row, 16 + 4 * n);
        let tags = word(3)?;
        let count = self.word(tags).unwrap_or(0);
        let says = tags.saturating_add(1).saturating_add(count);
        Some(Record {
            id: RecordId(*row.first_chunk()?),
            title: self.text(word(0)?),
            tlp: self.text(word(1)?),
            pap: self.text(word(2)?),
            tags: Tags { stored: self, next: tags.saturating_add(1), left: count.min(TAGS as u32) },
            says: Tags {
                stored: self,
                next: says.saturating_add(1),
                left: self.word(says).unwrap_or(0).min(SAYS as u32),
            },
        })
    }
}

/// The records that say of an indicator that it is one, in the order in which they were read.
#[derive(Debug, Clone)]
pub struct Details<'a> {
    stored: Stored<'a>,
    total: u32,
    next: u32,
    left: u32,
}

impl Details<'_> {
    /// How many there are; only [`SOURCES`] of them are kept, the strictest.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.total
    }
}

impl<'a> Iterator for Details<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        self.left = self.left.checked_sub(1)?;
        let record = self.stored.source(self.stored.word(self.next)?);
        self.next = self.next.saturating_add(1);
        record
    }
}

/// A record that says of something that it is an indicator.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// Its identifier.
    pub id: RecordId,
    /// Its title, or the name of the list.
    pub title: &'a str,
    /// Traffic Light Protocol, `amber` say; empty: not marked.
    pub tlp: &'a str,
    /// Permissible Actions Protocol, `RED` say; empty: not marked.
    pub pap: &'a str,
    /// Its tags.
    pub tags: Tags<'a>,
    /// What it says of the value: a family, a comment.
    pub says: Tags<'a>,
}

/// Short texts of a record, one after the other.
#[derive(Debug, Clone)]
pub struct Tags<'a> {
    stored: Stored<'a>,
    next: u32,
    left: u32,
}

impl<'a> Iterator for Tags<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        let tag = self.stored.text(self.stored.word(self.next)?);
        self.next = self.next.saturating_add(1);
        Some(tag)
    }
}
