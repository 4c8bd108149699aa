//! The masks by AVX-512: a comparison of 64 bytes is the mask itself.

#![allow(unsafe_code)]

use super::classes::{HEX, HIGH, LOW, SIGN, TOKEN};
use super::masks::{BEFORE, BLOCKS, Masks};
use std::arch::x86_64::{
    __m128i, __m512i, _mm_loadu_si128, _mm512_and_si512, _mm512_broadcast_i32x4, _mm512_cmpeq_epi8_mask,
    _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_set1_epi8, _mm512_shuffle_epi8, _mm512_srli_epi16,
    _mm512_test_epi8_mask,
};

/// Fills the masks from the block `start` on.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub(super) fn fill(masks: &mut Masks, start: usize, blocks: &[[u8; 64]]) {
    let table = |table: &[u8; 16]| {
        // SAFETY: the table has the 16 bytes that are read; the load asks for no alignment.
        _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(table.as_ptr().cast::<__m128i>()) })
    };
    let (low, high) = (table(&LOW), table(&HIGH));
    let byte = |b: u8| _mm512_set1_epi8(b as i8);
    let (nibble, dot, colon, line) = (byte(0x0f), byte(b'.'), byte(b':'), byte(b'\n'));
    let (token, hex, sign) = (byte(TOKEN), byte(HEX), byte(SIGN));
    for (n, block) in blocks.iter().enumerate().take(BLOCKS.saturating_sub(start)) {
        let n = n + BEFORE + start;
        // SAFETY: a block has the 64 bytes that are read; the load asks for no alignment.
        let x = unsafe { _mm512_loadu_si512(block.as_ptr().cast::<__m512i>()) };
        let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(x), nibble);
        // The first look-up gives nothing for bytes beyond ASCII.
        let class = _mm512_and_si512(_mm512_shuffle_epi8(low, x), _mm512_shuffle_epi8(high, upper));
        let beyond = _mm512_movepi8_mask(x);
        masks.token[n] = _mm512_test_epi8_mask(class, token) | beyond;
        masks.dot[n] = _mm512_cmpeq_epi8_mask(x, dot);
        masks.colon[n] = _mm512_cmpeq_epi8_mask(x, colon);
        masks.hex[n] = _mm512_test_epi8_mask(class, hex);
        masks.sign[n] = _mm512_test_epi8_mask(class, sign);
        masks.line[n] = _mm512_cmpeq_epi8_mask(x, line);
        masks.high[n] = beyond;
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::masks::{self, Masks};

    #[test]
    fn the_masks_are_those_of_the_plain_code() {
        if !is_x86_feature_detected!("avx512bw") {
            return;
        }
        let bytes: Vec<u8> = (0..512).map(|n| if n < 256 { n as u8 } else { (n * 37 % 256) as u8 }).collect();
        let blocks = bytes.as_chunks::<64>().0;
        let (mut plain, mut fast) = (Masks::new(), Masks::new());
        masks::fill(&mut plain, 3, blocks);
        // SAFETY: the processor has AVX-512 BW, and so F.
        unsafe { super::fill(&mut fast, 3, blocks) };
        assert_eq!(format!("{plain:?}"), format!("{fast:?}"));
    }
}
