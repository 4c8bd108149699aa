//! The hashes of an index: of labels and words, of names, of files. They are part of the file format.
//!
//! Keyed: each file has a key of its own, so that nobody can write a list whose labels collide in it. What is not
//! kept apart whatever the key is the case of ASCII letters. Every hit is compared with the indicator's text.

const K0: u64 = 0x9E37_79B9_7F4A_7C15;
const K1: u64 = 0xD6E8_FEB8_6659_FD93;
const K2: u64 = 0xA076_1D64_78BD_642F;

/// State of a name before its last label.
pub(crate) const START: u64 = 0xE703_7ED1_A0B4_28DB;

const fn masks() -> [u128; 17] {
    let mut masks = [0; 17];
    let mut n = 1;
    while n <= 16 {
        masks[n] = u128::MAX << (128 - 8 * n);
        n += 1;
    }
    masks
}

/// Keeps the last `n` of 16 bytes.
static KEEP: [u128; 17] = masks();
/// Folds the case of letters, byte by byte. Other ASCII bytes change too: no two that names or words hold to the same
/// one, but for DEL and `_`.
const FOLD: u128 = 0x2020_2020_2020_2020_2020_2020_2020_2020;
/// Bytes beyond ASCII.
const HIGH: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;

/// Folds the case of ASCII letters and leaves bytes beyond ASCII as they are: thousands of labels of other scripts
/// would be one otherwise.
fn fold_case(bytes: u128) -> u128 {
    bytes | FOLD & !((bytes & HIGH) >> 2)
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// What an index's hashes of labels and words are keyed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt {
    low: u64,
    high: u64,
}

impl Salt {
    /// Out of the key that a file says.
    pub(crate) fn new(key: u64) -> Salt {
        // Splitmix64: each half depends on all of the key.
        let mix = |n: u64| {
            let n = (n ^ n >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let n = (n ^ n >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            n ^ n >> 31
        };
        let (first, second) = (key.wrapping_add(K0), key.wrapping_add(K0.wrapping_mul(2)));
        Salt { low: K0 ^ mix(first), high: K1 ^ mix(second) }
    }

    /// One step over at most 16 bytes that stand at the upper end of `bytes`.
    #[inline(always)]
    fn step16(self, bytes: u128, before: u64) -> u64 {
        fold(bytes as u64 ^ self.low ^ before, (bytes >> 64) as u64 ^ self.high)
    }

    /// Hash of the last `length` (1 to 16) of 16 bytes, case folded: the same as [`Salt::word`] of those bytes, if they
    /// are ASCII.
    #[inline(always)]
    pub(crate) fn short(self, last16: &[u8; 16], length: usize) -> u64 {
        self.step16((u128::from_le_bytes(*last16) | FOLD) & KEEP[length.min(16)], 0)
    }

    /// Hash of a label or a word of any length, the case of ASCII letters folded.
    pub(crate) fn word(self, text: &[u8]) -> u64 {
        self.steps(text, 0, fold_case)
    }

    /// Hash of a text as it is, and of a number with it.
    pub(crate) fn exact(self, number: u8, text: &[u8]) -> u64 {
        self.steps(text, K2 ^ u64::from(number) ^ (text.len() as u64) << 8, |bytes| bytes)
    }

    #[inline(always)]
    fn steps(self, text: &[u8], first: u64, change: impl Fn(u128) -> u128) -> u64 {
        let mut state = first;
        let mut rest = text;
        while let Some((before, last)) = rest.split_last_chunk::<16>() {
            state = self.step16(change(u128::from_le_bytes(*last)), state);
            rest = before;
        }
        if !rest.is_empty() || text.is_empty() {
            let mut last = [0; 16];
            last[16 - rest.len()..].copy_from_slice(rest);
            state = self.step16(change(u128::from_le_bytes(last)) & KEEP[rest.len()], state);
        }
        state
    }

    /// The key of an address that is the host of URLs.
    pub(crate) fn address(self, address: u128) -> u64 {
        key(longer(!START, self.step16(address, 0)))
    }
}

/// A name's state with one more label to the left.
#[inline(always)]
pub(crate) fn longer(state: u64, label: u64) -> u64 {
    (state.rotate_left(29) ^ label).wrapping_mul(K2)
}

/// The key of a name in tables and filters.
#[inline(always)]
pub(crate) fn key(state: u64) -> u64 {
    state ^ (state >> 32)
}

/// Checksum of a file's content; four lanes, so that it runs at the speed of memory.
pub(crate) fn checksum(content: &[u8]) -> u64 {
    let plain = Salt { low: K0, high: K1 };
    let mut lanes = [K0, K1, K2, START];
    let (blocks, rest) = content.as_chunks::<64>();
    for block in blocks {
        let (words, _) = block.as_chunks::<16>();
        for (lane, bytes) in lanes.iter_mut().zip(words) {
            *lane = plain.step16(u128::from_le_bytes(*bytes), lane.rotate_left(17));
        }
    }
    for bytes in rest.chunks(16) {
        let mut padded = [0; 16];
        padded[..bytes.len()].copy_from_slice(bytes);
        lanes[0] = plain.step16(u128::from_le_bytes(padded), lanes[0].rotate_left(17));
    }
    lanes.iter().fold(content.len() as u64, |sum, lane| fold(sum ^ K1, lane ^ K2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_short_label_has_one_hash_however_it_is_read() {
        let salt = Salt::new(7);
        let text = b"....Example-Label";
        for length in 1..=16 {
            let last: &[u8; 16] = text.last_chunk().unwrap();
            assert_eq!(salt.short(last, length), salt.word(&text[text.len() - length..]), "{length}");
        }
        assert_eq!(salt.word(b"EXAMPLE-of-a-long-label"), salt.word(b"example-OF-a-long-LABEL"));
        assert_ne!(salt.word(b"example"), Salt::new(8).word(b"example"));
        assert_ne!(salt.exact(1, b"example"), salt.exact(1, b"Example"));
        assert_ne!(salt.exact(1, b"example"), salt.exact(2, b"example"));
    }

    #[test]
    fn no_letters_of_other_scripts_are_one() {
        let salt = Salt::new(1);
        // Each letter has a twin that differs in the bit which tells capitals in ASCII.
        let labels = (0..1 << 10).map(|n: u32| -> String {
            (0..10).map(|at| if n >> at & 1 == 0 { '\u{4e00}' } else { '\u{4e20}' }).collect()
        });
        let hashes: HashSet<u64> = labels.map(|label| salt.word(label.as_bytes())).collect();
        assert_eq!(hashes.len(), 1 << 10);
    }
}
