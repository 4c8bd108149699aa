//! Classes of bytes by two look-ups of 16 entries, as vector instructions have them: a byte belongs to a
//! class where the tables of its low and its high half agree.

/// Letters from `a` to `o`, of both cases.
const A_O: u8 = 1;
/// Letters from `p` to `z`, `_`, DEL.
const P_Z: u8 = 2;
const DIGIT: u8 = 4;
/// Letters from `a` to `f`.
const A_F: u8 = 8;
const DASH: u8 = 16;
const DOT: u8 = 128;

/// Classes of bytes in tokens, and of hexadecimal digits.
pub(super) const TOKEN: u8 = A_O | P_Z | DIGIT | DASH | DOT;
pub(super) const HEX: u8 = DIGIT | A_F;

/// Where a bit belongs: halves of bytes, low and high.
struct Class(u8, &'static [u8], &'static [u8]);

const fn tables<const N: usize>(classes: [Class; N]) -> [[u8; 16]; 2] {
    let mut tables = [[0; 16]; 2];
    let mut n = 0;
    while n < N {
        let Class(bit, low, high) = classes[n];
        let mut at = 0;
        while at < low.len() {
            tables[0][low[at] as usize] |= bit;
            at += 1;
        }
        at = 0;
        while at < high.len() {
            tables[1][high[at] as usize] |= bit;
            at += 1;
        }
        n += 1;
    }
    tables
}

/// By the low and by the high half of a byte.
pub(super) const WORDS: [[u8; 16]; 2] = tables([
    Class(A_O, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], &[4, 6]),
    Class(P_Z, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15], &[5, 7]),
    Class(DIGIT, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], &[3]),
    Class(A_F, &[1, 2, 3, 4, 5, 6], &[4, 6]),
    Class(DASH, &[13], &[2]),
    Class(DOT, &[14], &[2]),
]);

/// First bytes of hidden signs; each has a bit with its second bytes in [`SECOND`]. What is more than
/// meant (`|`, `P`…) is sorted out later.
pub(super) const FIRST: [[u8; 16]; 2] = tables([
    Class(1 | 2 | 4, &[8], &[2]),
    Class(1 | 2 | 4, &[11], &[5, 7]),
    Class(8, &[5], &[2]),
    Class(16, &[12], &[5]),
    Class(32, &[8], &[2]),
    Class(64, &[11], &[1]),
]);

/// `.` `/`, `:`, `@ a d`; `2` to `7`; `u x`; `1` to `9`; `[`.
pub(super) const SECOND: [[u8; 16]; 2] = tables([
    Class(1, &[14, 15], &[2]),
    Class(2, &[10], &[3]),
    Class(4, &[0, 1, 4], &[4, 6]),
    Class(8, &[2, 3, 4, 5, 6, 7], &[3]),
    Class(16, &[5, 8], &[7]),
    Class(32, &[1, 2, 3, 4, 5, 6, 7, 8, 9], &[3]),
    Class(64, &[11], &[5]),
]);
