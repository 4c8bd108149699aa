//! Spellings that hide a sign or a letter: `[.]`, `(dot)`, `%2e`, `\u002e`, `\x2e`, `\xC3\xBC`, the `(4)evil(7)example(0)` of
//! Windows' DNS log; and colour codes of terminals, which are no part of what follows. Where one stands, its
//! piece (what no space or quotation mark divides) is rewritten and read again; the piece as it stands is
//! not, so `evil.example[.]org` is no hit of `evil.example`.

use crate::bytes::{digit, is_word, percent};
use std::ops::Range;

/// How far a piece goes at most to each side. Longer ones are cut there.
const REACH: usize = 8192;

/// Signs in brackets, and what they stand for. In lower case.
const BRACKETED: &[(&[u8], char)] =
    &[(b".", '.'), (b"dot", '.'), (b":", ':'), (b"://", ':'), (b"@", '@'), (b"at", '@'), (b"/", '/')];

/// What begins a code of a terminal.
pub(super) const ESC: u8 = 0x1b;
/// Bytes of such a code.
const CODE: usize = 24;

/// What the first two bytes of a hidden sign must be: they share a bit. Bits: brackets, percent, escapes, lengths of labels,
/// colours.
static FIRST: [u8; 256] = table([b"[({", b"%", b"\\", b"(", &[ESC]]);
static SECOND: [u8; 256] = table([b".:@/dDaA", b"234567", b"ux", b"123456789", b"["]);

const fn table(sets: [&[u8]; 5]) -> [u8; 256] {
    let mut table = [0; 256];
    let mut bit = 0;
    while bit < 5 {
        let mut n = 0;
        while n < sets[bit].len() {
            table[sets[bit][n] as usize] |= 1 << bit;
            n += 1;
        }
        bit += 1;
    }
    table
}

/// Whether a hidden sign may stand at a place.
#[inline(always)]
pub(crate) fn may_start(text: &[u8], at: usize) -> bool {
    match text.get(at..at + 2) {
        Some([first, second]) => FIRST[usize::from(*first)] & SECOND[usize::from(*second)] != 0,
        _ => false,
    }
}

/// The hidden sign at the start of a text: how long it is and what it stands for.
#[inline(never)]
pub(crate) fn sign(text: &[u8]) -> Option<(usize, char)> {
    match *text.first()? {
        b'%' => percent(text).filter(|b| b.is_ascii() && (is_word(*b) || *b == b'.')).map(|b| (3, char::from(b))),
        b'\\' => escape(text),
        b'[' => bracketed(text, b']'),
        b'(' => bracketed(text, b')').or_else(|| counted(text)),
        b'{' => bracketed(text, b'}'),
        _ => None,
    }
}

fn bracketed(text: &[u8], close: u8) -> Option<(usize, char)> {
    let closed = |inside: &[u8]| {
        text.get(1..=inside.len()).is_some_and(|t| t.eq_ignore_ascii_case(inside))
            && text.get(inside.len() + 1) == Some(&close)
    };
    BRACKETED.iter().find(|(inside, _)| closed(inside)).map(|(inside, sign)| (inside.len() + 2, *sign))
}

/// `(7)` before a label of seven bytes that another length follows, as Windows' DNS server logs names: a dot.
fn counted(text: &[u8]) -> Option<(usize, char)> {
    let digits = text.get(1..)?.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
    let length = text.get(1..=digits)?.iter().fold(0, |sum, b| sum * 10 + usize::from(b - b'0'));
    let label = text.get(digits + 2..digits + 2 + length)?;
    let sound = text[digits + 1] == b')' && (1..=63).contains(&length) && label.iter().all(|b| is_word(*b));
    let next = text.get(digits + 2 + length..digits + 4 + length)?;
    (sound && next[0] == b'(' && next[1].is_ascii_digit()).then_some((digits + 2, '.'))
}

/// The letter beyond ASCII whose bytes are written like `\xC3\xBC`, as nginx does.
fn letter(text: &[u8]) -> Option<(usize, char)> {
    let mut bytes = [0; 4];
    for n in 0..bytes.len() {
        let [b'\\', b'x', high, low] = text.get(4 * n..4 * n + 4)? else { return None };
        bytes[n] = digit(*high)? << 4 | digit(*low)?;
        if let Some(c) = str::from_utf8(&bytes[..=n]).ok().and_then(|letter| letter.chars().next()) {
            return Some((4 * (n + 1), c));
        }
    }
    None
}

/// Bytes of a colour code that stands behind an escape byte: `[31m`, or the `[K` that grep writes with it.
pub(super) fn colour(text: &[u8]) -> Option<usize> {
    let inside = text.strip_prefix(b"[")?.iter().take(CODE);
    let length = inside.take_while(|b| b.is_ascii_digit() || matches!(b, b';' | b':')).count();
    matches!(text.get(length + 1), Some(b'm' | b'K')).then_some(length + 2)
}

/// Bytes of a colour code at the start of a piece.
pub(super) fn coloured(text: &[u8], start: usize) -> usize {
    let escaped = start.checked_sub(1).is_some_and(|before| text[before] == ESC);
    if escaped { colour(&text[start..]).unwrap_or(0) } else { 0 }
}

/// `\u002e` of JSON, `\x2e` of nginx.
fn escape(text: &[u8]) -> Option<(usize, char)> {
    let digits = match text.get(1)? {
        b'u' => text.get(2..6)?,
        b'x' => text.get(2..4)?,
        _ => return None,
    };
    let value = digits.iter().try_fold(0, |sum, b| Some(sum << 4 | u32::from(digit(*b)?)))?;
    if text[1] == b'x' && value >= 0x80 {
        return letter(text);
    }
    let sign = char::from_u32(value)?;
    Some((digits.len() + 2, if sign < ' ' { ' ' } else { sign }))
}

#[inline]
fn divides(b: u8) -> bool {
    b <= b' ' || b == b'"'
}

/// The piece around a place.
pub(crate) fn piece(text: &[u8], at: usize) -> Range<usize> {
    let low = at.saturating_sub(REACH);
    let high = text.len().min(at + REACH);
    let start = text[low..at].iter().rposition(|b| divides(*b)).map_or(low, |n| low + n + 1);
    let end = text[at..high].iter().position(|b| divides(*b)).map_or(high, |n| at + n);
    start..end
}

/// Whether a piece is read in its rewritten form only.
pub(crate) fn hides(text: &[u8], piece: Range<usize>) -> bool {
    coloured(text, piece.start) > 0 || piece.into_iter().any(|at| may_start(text, at) && sign(&text[at..]).is_some())
}

/// A piece rewritten.
#[derive(Debug, Default)]
pub(crate) struct Rewritten {
    /// What it spells.
    pub(crate) text: Vec<u8>,
    /// For each byte of it, and for its end, where that stands in the piece.
    pub(crate) places: Vec<u32>,
}

impl Rewritten {
    /// Rewrites a piece into the same memory.
    pub(crate) fn read(&mut self, piece: &[u8]) {
        self.text.clear();
        self.places.clear();
        let mut at = 0;
        while at < piece.len() {
            let mut bytes = [piece[at]; 4];
            let (length, spelled): (usize, &[u8]) =
                match Some(at).filter(|at| may_start(piece, *at)).and_then(|at| sign(&piece[at..])) {
                    Some((length, sign)) => (length, sign.encode_utf8(&mut bytes).as_bytes()),
                    None => (1, &bytes[..1]),
                };
            self.text.extend_from_slice(spelled);
            self.places.resize(self.text.len(), at as u32);
            // `[://]` stands for three signs; a scheme without its slashes does no harm.
            at += length;
        }
        self.places.push(piece.len() as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_signs_are_seen() {
        let all = [
            ("hxxp[:]//evil[.]example", "hxxp://evil.example"),
            ("evil(dot)example{.}org", "evil.example.org"),
            ("user[at]evil[DOT]example", "user@evil.example"),
            ("evil%2eexample%2Fa%65", "evil.example%2Fae"),
            ("evil\\u002eexample\\x2eorg\\u00fc", "evil.example.orgü"),
            ("\\xC3\\xBCb.example \\xe4\\xBe\\x8b \\xF0\\x9f\\x98\\x80", "üb.example 例 😀"),
            ("(4)evil(7)example(0)", ".evil.example(0)"),
            (
                "(4)evi(7)example(0) (0)a(1) (64)x(1) \\xC3 \\xC3\\xC3\\xBCx \\xBC",
                "(4)evi.example(0) (0)a(1) (64)x(1) \\xC3 \\xC3üx \\xBC",
            ),
            ("[1.2.3.4] (a.b) {x} 100% \\d [.x]", "[1.2.3.4] (a.b) {x} 100% \\d [.x]"),
        ];
        let mut out = Rewritten::default();
        for (piece, plain) in all {
            out.read(piece.as_bytes());
            assert_eq!(str::from_utf8(&out.text).unwrap(), plain);
            assert_eq!(out.places.len(), out.text.len() + 1);
            assert_eq!(hides(piece.as_bytes(), 0..piece.len()), piece != plain, "{piece}");
        }
    }
}
