//! The hashes of an index: of labels and words, of names, of files. They are part of the file format.
//!
//! Not keyed: whoever can choose both lists and logs can make collisions. They cost time, never a false
//! hit: every hit is compared with the indicator's text.

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
/// Folds the case of letters, byte by byte. Other bytes change too, but always to the same ones.
const FOLD: u128 = 0x2020_2020_2020_2020_2020_2020_2020_2020;

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// One step over at most 16 bytes that stand at the upper end of `bytes`.
#[inline(always)]
fn step16(bytes: u128, before: u64) -> u64 {
    fold(bytes as u64 ^ K0 ^ before, (bytes >> 64) as u64 ^ K1)
}

/// Hash of the last `length` (1 to 16) of 16 bytes, case folded: the same as [`word`] of those bytes.
#[inline(always)]
pub(crate) fn short(last16: &[u8; 16], length: usize) -> u64 {
    step16((u128::from_le_bytes(*last16) | FOLD) & KEEP[length.min(16)], 0)
}

/// Hash of a label or a word of any length, case folded.
pub(crate) fn word(text: &[u8]) -> u64 {
    let mut state = 0;
    let mut rest = text;
    while let Some((before, last)) = rest.split_last_chunk::<16>() {
        state = step16(u128::from_le_bytes(*last) | FOLD, state);
        rest = before;
    }
    if !rest.is_empty() || text.is_empty() {
        let mut last = [0; 16];
        last[16 - rest.len()..].copy_from_slice(rest);
        state = step16((u128::from_le_bytes(last) | FOLD) & KEEP[rest.len()], state);
    }
    state
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

/// The key of a whole name: labels from right to left.
#[cfg(test)]
fn name(text: &[u8]) -> u64 {
    key(text.rsplit(|b| *b == b'.').fold(START, |state, label| longer(state, word(label))))
}

/// The key of an address that is the host of URLs.
pub(crate) fn address(address: u128) -> u64 {
    let bytes = address.to_le_bytes();
    key(longer(!START, step16(u128::from_le_bytes(bytes), 0)))
}

/// Checksum of a file's content; four lanes, so that it runs at the speed of memory.
pub(crate) fn checksum(content: &[u8]) -> u64 {
    let mut lanes = [K0, K1, K2, START];
    let (blocks, rest) = content.as_chunks::<64>();
    for block in blocks {
        let (words, _) = block.as_chunks::<16>();
        for (lane, bytes) in lanes.iter_mut().zip(words) {
            *lane = step16(u128::from_le_bytes(*bytes), lane.rotate_left(17));
        }
    }
    for bytes in rest.chunks(16) {
        let mut padded = [0; 16];
        padded[..bytes.len()].copy_from_slice(bytes);
        lanes[0] = step16(u128::from_le_bytes(padded), lanes[0].rotate_left(17));
    }
    lanes.iter().fold(content.len() as u64, |sum, lane| fold(sum ^ K1, lane ^ K2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_label_has_one_hash_however_it_is_read() {
        let text = b"....Example-Label";
        for length in 1..=16 {
            let last: &[u8; 16] = text.last_chunk().unwrap();
            assert_eq!(short(last, length), word(&text[text.len() - length..]), "{length}");
        }
        assert_eq!(name(b"evil.EXAMPLE"), name(b"EVIL.example"));
        assert_ne!(name(b"evil.example"), name(b"example.evil"));
    }
}
