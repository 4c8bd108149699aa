//! What is wrong with a pattern: where, and how to mend it.

use crate::Span;
use std::fmt;

/// This much of the line is shown before the place, and behind its start.
const SHOWN_BEFORE: usize = 60;
const SHOWN_AFTER: usize = 60;

/// Why a text is no pattern. `Display` is several lines: the message, the line with a caret under the
/// place, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    what: String,
    mend: String,
    span: Span,
    line: usize,
    column: usize,
    excerpt: String,
    caret: usize,
    width: usize,
}

impl Error {
    pub(crate) fn new(text: &str, span: Span, what: impl Into<String>, mend: impl Into<String>) -> Error {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let span = Span::new(start, span.end.max(start));
        let (line, column) = span.line_column(text);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let shown = |c: char| match c {
            // What could rewrite a terminal, or is not one column wide.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        };
        let mut before: Vec<char> = text[line_start..start].chars().rev().take(SHOWN_BEFORE + 1).map(shown).collect();
        let cut_before = before.len() > SHOWN_BEFORE;
        before.truncate(SHOWN_BEFORE);
        before.reverse();
        let mut after: String = text[start..line_end].chars().take(SHOWN_AFTER).map(shown).collect();
        if text[start..line_end].chars().nth(SHOWN_AFTER).is_some() {
            after.push('…');
        }
        let marked = text[start..line_end].char_indices().take_while(|(at, _)| start + at < span.end).count();
        let excerpt = format!("{}{}{after}", if cut_before { "…" } else { "" }, before.iter().collect::<String>());
        Error {
            what: what.into(),
            mend: mend.into(),
            span,
            line,
            column,
            caret: before.len() + usize::from(cut_before),
            width: marked.clamp(1, SHOWN_AFTER),
            excerpt,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// How to mend it.
    #[must_use]
    pub fn mend(&self) -> &str {
        &self.mend
    }

    /// Where, in bytes.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in that line, in characters from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "{} (line {}, column {}, byte {})", self.what, self.line, self.column, self.span.start)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", self.excerpt)?;
        writeln!(f, "{gutter} | {}{}", " ".repeat(self.caret), "^".repeat(self.width))?;
        write!(f, "{gutter} = {}", self.mend)
    }
}

impl std::error::Error for Error {}
