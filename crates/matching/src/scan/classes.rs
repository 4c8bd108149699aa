//! Classes of bytes by two look-ups of 16 entries, as vector instructions have them.

/// Letters from `a` to `o`, `p` to `z` with `_` and DEL, digits, `a` to `f`, `-`, `%(`, `[\{|`, `.`: a byte
/// belongs where the tables of its low and its high half agree.
const A_O: u8 = 1;
const P_Z: u8 = 2;
const DIGIT: u8 = 4;
const A_F: u8 = 8;
const DASH: u8 = 16;
const PERCENT: u8 = 32;
const BRACKET: u8 = 64;
const DOT: u8 = 128;

const fn low() -> [u8; 16] {
    let mut table = [0; 16];
    let mut n = 0;
    while n < 16 {
        if n >= 1 {
            table[n] |= A_O;
        }
        if n <= 10 || n == 15 {
            table[n] |= P_Z;
        }
        if n <= 9 {
            table[n] |= DIGIT;
        }
        if n >= 1 && n <= 6 {
            table[n] |= A_F;
        }
        if n == 13 {
            table[n] |= DASH;
        }
        if n == 5 || n == 8 {
            table[n] |= PERCENT;
        }
        if n == 11 || n == 12 {
            table[n] |= BRACKET;
        }
        if n == 14 {
            table[n] |= DOT;
        }
        n += 1;
    }
    table
}

/// By the low half of a byte.
pub(super) const LOW: [u8; 16] = low();
/// By the high half of a byte.
pub(super) const HIGH: [u8; 16] =
    [0, 0, DASH | PERCENT | DOT, DIGIT, A_O | A_F, P_Z | BRACKET, A_O | A_F, P_Z | BRACKET, 0, 0, 0, 0, 0, 0, 0, 0];

/// Classes of bytes in tokens, of hexadecimal digits, of what may start a hidden sign.
pub(super) const TOKEN: u8 = A_O | P_Z | DIGIT | DASH | DOT;
pub(super) const HEX: u8 = DIGIT | A_F;
pub(super) const SIGN: u8 = PERCENT | BRACKET;
