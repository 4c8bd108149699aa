//! What each byte is, as bits: one word of 64 bits for 64 bytes, one array for each question.

use super::signs::may_start;
use crate::bytes::is_token;

/// Blocks of 64 bytes that are looked at in one go: 8 KB of text and 8 KB of masks stay in the first cache.
pub(super) const BLOCKS: usize = 128;
/// Words before the first block: the last blocks of what came before.
pub(super) const BEFORE: usize = 2;
/// Words of an array.
pub(super) const WORDS: usize = BEFORE + BLOCKS;

/// The masks of a chunk.
#[derive(Debug)]
pub(super) struct Masks {
    /// Word bytes and dots.
    pub(super) token: [u64; WORDS],
    pub(super) dot: [u64; WORDS],
    pub(super) colon: [u64; WORDS],
    pub(super) hex: [u64; WORDS],
    /// Where a hidden sign may start.
    pub(super) sign: [u64; WORDS],
    pub(super) line: [u64; WORDS],
    /// Bytes beyond ASCII.
    pub(super) high: [u64; WORDS],
}

impl Masks {
    pub(super) fn new() -> Masks {
        let none = [0; WORDS];
        Masks { token: none, dot: none, colon: none, hex: none, sign: none, line: none, high: none }
    }

    /// Nothing stands before the next chunk.
    pub(super) fn reset(&mut self) {
        let Masks { token, dot, colon, hex, sign, line, high } = self;
        for array in [token, dot, colon, hex, sign, line, high] {
            array[..BEFORE].fill(0);
        }
    }

    /// Ends of lines in the first bytes of the chunk.
    pub(super) fn lines(&self, bytes: usize) -> u64 {
        let (words, rest) = (bytes / 64, bytes % 64);
        let whole: u32 = self.line.iter().skip(BEFORE).take(words).map(|w| w.count_ones()).sum();
        let part = self.line.get(BEFORE + words).map_or(0, |w| (w & ((1 << rest) - 1)).count_ones());
        u64::from(whole + part)
    }

    /// Moves the last words of a full chunk before the next one.
    pub(super) fn turn(&mut self) {
        let Masks { token, dot, colon, hex, sign, line, high } = self;
        for array in [token, dot, colon, hex, sign, line, high] {
            array.copy_within(BLOCKS.., 0);
        }
    }
}

/// What a byte is, one bit a mask, in the order of [`Masks`]; the sign is the matter of two bytes.
static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let b = n as u8;
        table[n] = is_token(b) as u8
            | ((b == b'.') as u8) << 1
            | ((b == b':') as u8) << 2
            | (b.is_ascii_hexdigit() as u8) << 3
            | ((b == b'\n') as u8) << 5
            | ((b >= 0x80) as u8) << 6;
        n += 1;
    }
    table
};

/// Fills the masks from the block `first` on, with what every processor has: eight bytes by a table, then
/// their bits by a multiplication. `text` is whole blocks and one byte more.
#[inline(always)]
pub(super) fn fill(masks: &mut Masks, first: usize, text: &[u8]) {
    let count = (text.len() / 64).min(BLOCKS.saturating_sub(first));
    for n in 0..count {
        let mut bits = [0_u64; 7];
        for eight in 0..8 {
            let from = n * 64 + eight * 8;
            let Some(bytes) = text.get(from..).and_then(|rest| rest.first_chunk::<9>()) else { break };
            let mut classes = [0; 8];
            for (at, class) in classes.iter_mut().enumerate() {
                *class = CLASSES[usize::from(bytes[at])] | u8::from(may_start(bytes, at)) << 4;
            }
            let classes = u64::from_le_bytes(classes);
            for (bit, mask) in bits.iter_mut().enumerate() {
                let ones = classes >> bit & 0x0101_0101_0101_0101;
                *mask |= (ones.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (eight * 8);
            }
        }
        let n = n + BEFORE + first;
        let Masks { token, dot, colon, hex, sign, line, high } = &mut *masks;
        for (array, mask) in [token, dot, colon, hex, sign, line, high].into_iter().zip(bits) {
            array[n] = mask;
        }
    }
}
