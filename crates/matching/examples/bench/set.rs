//! The usual way to look for indicators: cut into tokens, look each up in a set, and what follows each of its dots.

use std::collections::HashSet;

/// A fast hash, so that the comparison is fair: the standard one guards against attacks.
#[derive(Default, Clone, Copy)]
struct Mixer(u64);

impl std::hash::Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed = u128::from(self.0 ^ u64::from_le_bytes(word));
            let product = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C);
            self.0 = product as u64 ^ (product >> 64) as u64;
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Values to look for.
pub(crate) struct Set<'a>(HashSet<&'a str, std::hash::BuildHasherDefault<Mixer>>);

impl<'a> Set<'a> {
    pub(crate) fn of(lines: &[&'a str]) -> Set<'a> {
        Set(lines.iter().copied().collect())
    }

    /// Gives what is found of each token: the longest.
    pub(crate) fn scan(&self, log: &[u8], each: &mut dyn FnMut(&'a str)) {
        for token in log.split(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'-' | b'_')) {
            let Ok(mut rest) = str::from_utf8(token) else { continue };
            while rest.len() >= 4 {
                if let Some(value) = self.0.get(rest) {
                    each(value);
                    break;
                }
                match rest.split_once('.') {
                    Some((_, more)) => rest = more,
                    None => break,
                }
            }
        }
    }
}
