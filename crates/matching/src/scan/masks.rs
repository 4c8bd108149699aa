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

/// Fills the masks from the block `first` on, with what every processor has. `text` is whole blocks and one
/// byte more.
#[inline(always)]
pub(super) fn fill(masks: &mut Masks, first: usize, text: &[u8]) {
    let count = (text.len() / 64).min(BLOCKS.saturating_sub(first));
    for n in 0..count {
        let block = &text[n * 64..n * 64 + 65];
        let n = n + BEFORE + first;
        let mask = |is: &dyn Fn(usize) -> bool| (0..64).fold(0, |bits, at| bits | u64::from(is(at)) << at);
        masks.token[n] = mask(&|at| is_token(block[at]));
        masks.dot[n] = mask(&|at| block[at] == b'.');
        masks.colon[n] = mask(&|at| block[at] == b':');
        masks.hex[n] = mask(&|at| block[at].is_ascii_hexdigit());
        masks.sign[n] = mask(&|at| may_start(block, at));
        masks.line[n] = mask(&|at| block[at] == b'\n');
        masks.high[n] = mask(&|at| block[at] >= 0x80);
    }
}
