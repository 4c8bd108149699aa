//! A table of 64-bit keys to 32-bit values in slots of 8 bytes, and a filter before it.
//!
//! A slot is a tag (the key's low half) and a value. A key's home is its high half scaled to the number
//! of slots; slots are filled in the order of the keys, so building writes memory from front to back. A
//! search ends at the first empty slot. Two keys may share a tag: what is found must be compared.

use crate::file::{u32_at, u64_at};
use crate::scan::ahead;

/// Up to here a search may go before a larger table is tried.
const NEAR: usize = 256;
/// Longest search, whatever a broken file says. What a builder writes needs no more: of keys that are drawn at random no
/// two are likely to be one, and of those that are one there are at most 256.
const MOST: usize = 1 << 16;
/// Bytes before the slots: number of homes, longest search.
const HEAD: usize = 16;
/// Value of an empty slot's tag.
const EMPTY: u32 = 0;

#[inline(always)]
fn home(key: u64, slots: usize) -> usize {
    (((key >> 32) * slots as u64) >> 32) as usize
}

#[inline(always)]
fn tag(key: u64) -> u32 {
    key as u32 | 1
}

/// Builds a table. `pairs` are sorted by key. The section starts with the number of homes and the longest search that
/// any key needs (8 bytes each): no key is lost, however they lie.
pub(crate) fn build(pairs: &[(u64, u32)]) -> Vec<u8> {
    let mut slots = pairs.len() + pairs.len() / 3 + 8;
    loop {
        if let Some(table) = fill(pairs, slots) {
            return table;
        }
        slots += slots / 2;
    }
}

fn fill(pairs: &[(u64, u32)], slots: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(8 * (slots + 65));
    out.resize(HEAD, 0);
    let (mut next, mut reach) = (0, 0);
    for (key, value) in pairs {
        let home = home(*key, slots);
        let at = home.max(next);
        // Equal keys lie side by side however large the table is.
        if at - home > NEAR && slots < 8 * pairs.len().max(512) {
            return None;
        }
        reach = reach.max(at - home + 1);
        out.resize(HEAD + 8 * at, 0);
        out.extend_from_slice(&tag(*key).to_le_bytes());
        out.extend_from_slice(&value.to_le_bytes());
        next = at + 1;
    }
    out.resize(HEAD + 8 * slots.max(next) + 8, 0);
    out[..8].copy_from_slice(&(slots as u64).to_le_bytes());
    out[8..HEAD].copy_from_slice(&(reach as u64).to_le_bytes());
    Some(out)
}

/// A table in a section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    slots: &'a [[u8; 8]],
    homes: usize,
    reach: usize,
}

impl<'a> Table<'a> {
    pub(crate) fn new(section: &'a [u8]) -> Table<'a> {
        let slots = section.get(HEAD..).unwrap_or_default().as_chunks().0;
        let homes = u64_at(section, 0).unwrap_or(0).min(slots.len() as u64) as usize;
        let reach = u64_at(section, 8).unwrap_or(0).min(MOST as u64) as usize;
        Table { slots, homes, reach }
    }

    /// The values under a key, and by chance under others with its tag.
    #[inline]
    pub(crate) fn get(self, key: u64) -> impl Iterator<Item = u32> + 'a {
        let tag = tag(key);
        let near = self.slots.get(home(key, self.homes)..).unwrap_or_default();
        near.iter()
            .take(self.reach)
            .map(|slot| (u32_at(slot, 0).unwrap_or(EMPTY), u32_at(slot, 4).unwrap_or(0)))
            .take_while(|(found, _)| *found != EMPTY)
            .filter(move |(found, _)| *found == tag)
            .map(|(_, value)| value)
    }
}

/// Bits a key in a filter: 3 of them set in one word of 64. Lets about 3 % of strangers pass.
const FILTER_BITS: usize = 12;

#[inline(always)]
fn pattern(key: u64) -> u64 {
    1 << (key & 63) | 1 << (key >> 6 & 63) | 1 << (key >> 12 & 63)
}

/// Builds a filter.
pub(crate) fn build_filter(keys: impl ExactSizeIterator<Item = u64>) -> Vec<u8> {
    let mut words = vec![0_u64; (keys.len() * FILTER_BITS).div_ceil(64).max(1)];
    let count = words.len();
    for key in keys {
        words[home(key, count)] |= pattern(key);
    }
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A filter in a section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter<'a> {
    words: &'a [[u8; 8]],
}

impl<'a> Filter<'a> {
    pub(crate) fn new(section: &'a [u8]) -> Filter<'a> {
        Filter { words: section.as_chunks().0 }
    }

    /// Asks for the word of a key, which will be looked at soon.
    #[inline(always)]
    pub(crate) fn ask(self, key: u64) {
        ahead::ask(self.words, home(key, self.words.len()));
    }

    /// Whether the key may be there.
    #[inline(always)]
    pub(crate) fn may_hold(self, key: u64) -> bool {
        let word = self.words.get(home(key, self.words.len())).map_or(0, |w| u64::from_le_bytes(*w));
        word & pattern(key) == pattern(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_strangers_hardly_ever() {
        let mix = |n: u64| (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (n << 7);
        let mut pairs: Vec<(u64, u32)> = (0..50_000).map(|n| (mix(n), n as u32)).collect();
        // Two values under one key, and keys that are all alike but for their last bits.
        pairs.push((mix(7), 60_000));
        pairs.extend((0..400).map(|n| (u64::MAX - 2 * n, n as u32)));
        // Under one key more than a table is made larger for.
        pairs.extend((0..3000).map(|n| (mix(8), 70_000 + n)));
        pairs.sort_unstable();
        let (table, filter) = (build(&pairs), build_filter(pairs.iter().map(|(key, _)| *key)));
        let (table, filter) = (Table::new(&table), Filter::new(&filter));
        for (key, value) in &pairs {
            assert!(table.get(*key).any(|found| found == *value));
            assert!(filter.may_hold(*key));
        }
        let strangers = (100_000..200_000).map(mix);
        assert!(strangers.clone().filter(|key| filter.may_hold(*key)).count() < 8_000);
        assert_eq!(strangers.filter(|key| table.get(*key).count() > 0).count(), 0);
    }

    #[test]
    fn an_empty_or_broken_section_holds_nothing() {
        assert_eq!(Table::new(&build(&[])).get(42).count(), 0);
        assert_eq!(Table::new(&[]).get(42).count(), 0);
        assert_eq!(Table::new(&[255; 21]).get(42).count(), 0);
        assert!(!Filter::new(&[]).may_hold(42));
    }
}
