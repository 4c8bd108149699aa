//! What bytes are to a scanner. One place, so that every path of the scanner agrees.

/// Part of a token: letters, digits, `-`, `_`, everything beyond ASCII. DEL counts too: it spares an
/// instruction, and no log has it.
#[inline(always)]
pub(crate) const fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | 0x7f..)
}

/// Part of a dotted token.
#[inline(always)]
pub(crate) const fn is_token(b: u8) -> bool {
    is_word(b) || b == b'.'
}

/// What an e-mail address may hold before its `@` without doubt about where it starts.
#[inline(always)]
pub(crate) fn is_local(b: u8) -> bool {
    is_word(b) || matches!(b, b'.' | b'+')
}

/// The value of a hexadecimal digit.
#[inline(always)]
pub(crate) fn digit(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).map(|d| d as u8)
}

/// The byte that `%XX` at the start of `text` spells.
pub(crate) fn percent(text: &[u8]) -> Option<u8> {
    match text {
        [b'%', high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// Undoes `%XX` and `\/`, byte by byte; ends where a URL ends in running text.
#[derive(Debug, Clone)]
pub(crate) struct Decoded<'a> {
    /// What is left.
    pub(crate) rest: &'a [u8],
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let (byte, length) = match *self.rest {
            [0..=b' ' | b'"' | b'<' | b'>' | b'`' | 0x7f, ..] | [] => return None,
            [b'\\', b'/', ..] => (b'/', 2),
            [b'\\', ..] => return None,
            [b'%', ..] => percent(self.rest).map_or((b'%', 1), |byte| (byte, 3)),
            [byte, ..] => (byte, 1),
        };
        self.rest = &self.rest[length..];
        Some(byte)
    }
}
