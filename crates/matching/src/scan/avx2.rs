//! The masks by AVX2: two look-ups of 16 entries say the classes of 32 bytes.

#![allow(unsafe_code)]

use super::classes::{HEX, HIGH, LOW, SIGN, TOKEN};
use super::masks::{BEFORE, BLOCKS, Masks};
use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
    _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
};

#[target_feature(enable = "avx2")]
#[inline]
fn twice(table: [u8; 16]) -> __m256i {
    let t = table.map(|b| b as i8);
    _mm256_setr_epi8(
        t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15], //
        t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15],
    )
}

/// 64 bits out of the signs of two vectors.
#[target_feature(enable = "avx2")]
#[inline]
fn bits(a: __m256i, b: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(a) as u32) | u64::from(_mm256_movemask_epi8(b) as u32) << 32
}

/// Fills the masks from the block `start` on.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn fill(masks: &mut Masks, start: usize, blocks: &[[u8; 64]]) {
    let (low, high) = (twice(LOW), twice(HIGH));
    let nibble = _mm256_set1_epi8(0x0f);
    let none = _mm256_setzero_si256();
    let byte = |b: u8| _mm256_set1_epi8(b as i8);
    let (dot, colon, line) = (byte(b'.'), byte(b':'), byte(b'\n'));
    let (token, hex, sign) = (byte(TOKEN), byte(HEX), byte(SIGN));
    for (n, block) in blocks.iter().enumerate().take(BLOCKS.saturating_sub(start)) {
        let n = n + BEFORE + start;
        // SAFETY: a block has 64 bytes: 32 can be read at 0 and at 32; the load asks for no alignment.
        let (a, b) = unsafe {
            let first = block.as_ptr().cast::<__m256i>();
            (_mm256_loadu_si256(first), _mm256_loadu_si256(first.add(1)))
        };
        let class = |x: __m256i| {
            let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(x), nibble);
            _mm256_and_si256(_mm256_shuffle_epi8(low, x), _mm256_shuffle_epi8(high, upper))
        };
        let (ca, cb) = (class(a), class(b));
        let of = |set: __m256i| {
            let outside = |c| _mm256_cmpeq_epi8(_mm256_and_si256(c, set), none);
            !bits(outside(ca), outside(cb))
        };
        let is = |x: __m256i| bits(_mm256_cmpeq_epi8(a, x), _mm256_cmpeq_epi8(b, x));
        let beyond = bits(a, b);
        masks.token[n] = of(token) | beyond;
        masks.dot[n] = is(dot);
        masks.colon[n] = is(colon);
        masks.hex[n] = of(hex);
        masks.sign[n] = of(sign);
        masks.line[n] = is(line);
        masks.high[n] = beyond;
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::masks::{self, Masks};

    #[test]
    fn the_masks_are_those_of_the_plain_code() {
        if !is_x86_feature_detected!("avx2") {
            return;
        }
        let mut bytes = [0_u8; 512];
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = if n < 256 { n as u8 } else { (n * 37 % 256) as u8 };
        }
        let blocks = bytes.as_chunks::<64>().0;
        let (mut plain, mut fast) = (Masks::new(), Masks::new());
        masks::fill(&mut plain, 3, blocks);
        // SAFETY: the processor has AVX2.
        unsafe { super::fill(&mut fast, 3, blocks) };
        assert_eq!(format!("{plain:?}"), format!("{fast:?}"));
    }
}
