//! Free text (a mail, a report, a log) into observables, with the place of each.

use super::Observable;
use super::guess::{guess, is_file_name};

/// An observable in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// What.
    pub observable: Observable,
    /// Byte offset of its spelling.
    pub start: usize,
    /// Byte offset of its end.
    pub end: usize,
}

/// Signs that end a token wherever they stand.
fn separates(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`<>|,;،؛؟!«»“”‘’…*^~".contains(c) || is_direction(c)
}

/// Direction marks are put around addresses in right-to-left text; they belong to no value.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{200b}')
}

/// Every observable that the text spells, in order; the same value may come several times.
pub fn extract(text: &str) -> impl Iterator<Item = Extracted> + '_ {
    tokens(text).filter_map(|(start, token)| {
        let (start, token) = trim(start, token);
        let attempt = |start: usize, token: &str| {
            guess(token).filter(|found| !is_file_name(found.value())).map(|observable| Extracted {
                observable,
                start,
                end: start + token.len(),
            })
        };
        attempt(start, token).or_else(|| {
            // `key=value`, `label:value`, `(value)` and the like.
            let cut = token.find(['=', '(']).map(|at| at + 1)?;
            let (start, token) = trim(start + cut, &token[cut..]);
            attempt(start, token)
        })
    })
}

fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            if rest.is_empty() {
                return None;
            }
            let length = rest.find(separates).unwrap_or(rest.len());
            let (start, token) = (from, &rest[..length]);
            from += length + rest[length..].chars().next().map_or(0, char::len_utf8);
            if token.len() > 3 {
                return Some((start, token));
            }
        }
    })
}

/// Punctuation around a token belongs to the sentence, but for brackets that defang it.
fn trim(mut start: usize, mut token: &str) -> (usize, &str) {
    loop {
        let before = token.len();
        let cut = token.trim_start_matches(['.', ':', '-', '=', '/', '\\', '{']);
        start += token.len() - cut.len();
        token = cut;
        if let Some(rest) = token.strip_prefix('(').filter(|_| !token.starts_with("(.)") && !token.starts_with("(dot)"))
        {
            start += 1;
            token = rest;
        }
        if let Some(rest) = token
            .strip_prefix('[')
            .filter(|rest| !rest.contains(']') || rest.ends_with(']') && !rest.contains("[") && !rest.contains("::"))
        {
            start += 1;
            token = rest;
        }
        token = token.trim_end_matches(['.', ':', '?', '}', '-', '=', '\\']);
        for (open, close) in [('(', ')'), ('[', ']')] {
            if token.ends_with(close) && token.matches(close).count() > token.matches(open).count() {
                token = &token[..token.len() - 1];
            }
        }
        if token.len() == before {
            return (start, token);
        }
    }
}
