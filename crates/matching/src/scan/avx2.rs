//! The masks by AVX2: two look-ups of 16 entries say the classes of 32 bytes.

#![allow(unsafe_code)]

use super::classes::{FIRST, HEX, SECOND, TOKEN, WORDS};
use super::masks::{BEFORE, BLOCKS, Masks};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi16,
};

/// A table in both halves of a vector.
#[target_feature(enable = "avx2")]
#[inline]
fn twice(table: &[u8; 16]) -> __m256i {
    // SAFETY: the table has the 16 bytes that are read; the load asks for no alignment.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast::<__m128i>()) })
}

/// 32 bytes from a place of a block.
#[target_feature(enable = "avx2")]
#[inline]
fn load<const AT: usize>(block: &[u8; 65]) -> __m256i {
    const { assert!(AT + 32 <= 65) };
    // SAFETY: 32 bytes from `AT` lie in the block, as was asserted; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(block.as_ptr().add(AT).cast::<__m256i>()) }
}

/// 64 bits out of the signs of two vectors.
#[target_feature(enable = "avx2")]
#[inline]
fn bits(a: __m256i, b: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(a) as u32) | u64::from(_mm256_movemask_epi8(b) as u32) << 32
}

/// Fills the masks from the block `start` on. `text` is whole blocks and one byte more.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn fill(masks: &mut Masks, start: usize, text: &[u8]) {
    let [words, first, second] = [&WORDS, &FIRST, &SECOND].map(|tables| [twice(&tables[0]), twice(&tables[1])]);
    let byte = |b: u8| _mm256_set1_epi8(b as i8);
    let (none, nibble) = (_mm256_setzero_si256(), byte(0x0f));
    let (dot, colon, line, token, hex) = (byte(b'.'), byte(b':'), byte(b'\n'), byte(TOKEN), byte(HEX));
    // The first look-up gives nothing for bytes beyond ASCII.
    let class = |[low, high]: [__m256i; 2], x: __m256i| {
        let upper = _mm256_and_si256(_mm256_srli_epi16::<4>(x), nibble);
        _mm256_and_si256(_mm256_shuffle_epi8(low, x), _mm256_shuffle_epi8(high, upper))
    };
    let outside = |c, set| _mm256_cmpeq_epi8(_mm256_and_si256(c, set), none);
    let count = (text.len() / 64).min(BLOCKS.saturating_sub(start));
    for n in 0..count {
        let Some(block) = text.get(n * 64..).and_then(|rest| rest.first_chunk::<65>()) else { break };
        let n = n + BEFORE + start;
        let (a, b) = (load::<0>(block), load::<32>(block));
        let (next_a, next_b) = (load::<1>(block), load::<33>(block));
        let (ca, cb) = (class(words, a), class(words, b));
        let is = |x: __m256i| bits(_mm256_cmpeq_epi8(a, x), _mm256_cmpeq_epi8(b, x));
        let beyond = bits(a, b);
        masks.token[n] = !bits(outside(ca, token), outside(cb, token)) | beyond;
        masks.dot[n] = is(dot);
        masks.colon[n] = is(colon);
        masks.hex[n] = !bits(outside(ca, hex), outside(cb, hex));
        masks.sign[n] =
            !bits(outside(class(first, a), class(second, next_a)), outside(class(first, b), class(second, next_b)));
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
        // Every byte before every other.
        let pairs: Vec<u8> = (0..=255_u8).flat_map(|a| (0..=255_u8).flat_map(move |b| [a, b])).collect();
        for text in pairs.windows(513).step_by(512) {
            let (mut plain, mut fast) = (Masks::new(), Masks::new());
            masks::fill(&mut plain, 3, text);
            // SAFETY: the processor has AVX2.
            unsafe { super::fill(&mut fast, 3, text) };
            // Signs are sorted out later: here only none may be missing.
            for (plain, fast) in plain.sign.iter().zip(&mut fast.sign) {
                assert_eq!(plain & !*fast, 0);
                *fast = *plain;
            }
            assert_eq!(format!("{plain:?}"), format!("{fast:?}"));
        }
    }
}
