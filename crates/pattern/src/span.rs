//! Where something stands in a pattern's text.

/// Bytes from `start` to before `end`.
#[derive(Debug, Clone, Copy, Eq)]
pub struct Span {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset behind its last byte.
    pub end: usize,
}

/// Two expressions are equal wherever they stand, so that trees can be compared: a place is equal to
/// every other. Who asks for the place compares `start` and `end`.
impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// From the start of this to the end of the other.
    pub(crate) fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end.max(self.start) }
    }

    /// Line and column in a text, both from 1; the column counts characters.
    #[must_use]
    pub fn line_column(self, text: &str) -> (usize, usize) {
        let before = text.get(..self.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}
