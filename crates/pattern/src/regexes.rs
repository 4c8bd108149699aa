//! Regular expressions of MATCHES (§9.6). The standard has PCRE; here they run in linear time, so what
//! only a backtracking engine can do is refused, with its place. Where both languages write the same
//! thing differently, it is translated. `.` is any character, a line feed too (the standard asks for DOTALL).

use regex::{Regex, RegexBuilder, bytes};
use std::sync::{Arc, OnceLock};
use unicode_normalization::UnicodeNormalization;

/// Memory of one compiled expression, in bytes: tried from the smallest on, so that it is known about how
/// much one takes. `a{1000}{1000}` would take gigabytes; `\w{64}`, a class of all the world's letters, 2 MB.
const SIZES: [usize; 3] = [64 << 10, 512 << 10, SIZE];
const SIZE: usize = 4 << 20;

/// Memory of all expressions of one pattern, in bytes: thousands fit into its text.
pub(crate) const ALL: usize = 16 << 20;

/// A regular expression that was read; compiled once, shared by copies.
#[derive(Debug, Clone)]
pub struct Expression(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    translated: String,
    dollar: bool,
    regex: Regex,
    bytes: OnceLock<Option<bytes::Regex>>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.0.text == other.0.text
    }
}

/// Why an expression can't be used; `at` and `length` are bytes in it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) at: Option<usize>,
    pub(crate) length: usize,
    pub(crate) what: String,
    pub(crate) mend: String,
}

impl Expression {
    /// Reads and compiles it; `room` is what it may take of memory, and becomes less by what it took.
    pub(crate) fn read(text: &str, room: &mut usize) -> Result<Expression, Refused> {
        let (translated, dollar) = translate(text)?;
        let translated: String = translated.nfc().collect();
        let mut built = Err(regex::Error::CompiledTooBig(0));
        for size in SIZES.into_iter().filter(|size| size <= room) {
            let mut builder = RegexBuilder::new(&translated);
            built = builder.dot_matches_new_line(true).size_limit(size).dfa_size_limit(1 << 20).nest_limit(50).build();
            match &built {
                Ok(_) => *room -= size,
                Err(regex::Error::CompiledTooBig(_)) => continue,
                Err(_) => {}
            }
            break;
        }
        let regex = built.map_err(|error| {
            let (what, mend) = match error {
                regex::Error::CompiledTooBig(_) if *room < SIZE => (
                    "the regular expressions of this pattern are too large together".to_owned(),
                    "split it at an OR into several patterns",
                ),
                regex::Error::CompiledTooBig(_) => (
                    "the regular expression is too large when compiled".to_owned(),
                    "make its repetition counts smaller",
                ),
                error => {
                    let message = error.to_string();
                    let last = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    (
                        format!("this is no regular expression that can be used: {last}"),
                        "mend it, or test it at regex101.com in the flavour Rust",
                    )
                }
            };
            Refused { at: None, length: 0, what, mend: mend.to_owned() }
        })?;
        Ok(Expression(Arc::new(Inner { text: text.to_owned(), translated, dollar, regex, bytes: OnceLock::new() })))
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// In the syntax of the `regex` crate.
    pub(crate) fn translated(&self) -> &str {
        &self.0.translated
    }

    /// Has it a `$`, which also stands before a last line feed?
    pub(crate) fn has_dollar(&self) -> bool {
        self.0.dollar
    }

    /// Is it found anywhere in the text (in NFC)?
    pub(crate) fn found_in(&self, text: &str) -> bool {
        let inner = &self.0;
        inner.regex.is_match(text)
            || inner.dollar && text.strip_suffix('\n').is_some_and(|text| inner.regex.is_match(text))
    }

    /// Is it found in bytes, each a character up to U+00FF? An expression with others never is.
    pub(crate) fn found_in_bytes(&self, content: &[u8]) -> bool {
        let compiled = self.0.bytes.get_or_init(|| {
            let mut text = String::new();
            for c in self.0.translated.chars() {
                match u32::from(c) {
                    0..=0x7f => text.push(c),
                    byte @ 0x80..=0xff => text.push_str(&format!("\\x{byte:02x}")),
                    _ => return None,
                }
            }
            let mut builder = bytes::RegexBuilder::new(&text);
            builder
                .unicode(false)
                .dot_matches_new_line(true)
                .size_limit(SIZE)
                .dfa_size_limit(1 << 20)
                .nest_limit(50)
                .build()
                .ok()
        });
        let Some(regex) = compiled else { return false };
        regex.is_match(content)
            || self.0.dollar && content.strip_suffix(b"\n").is_some_and(|content| regex.is_match(content))
    }
}

/// PCRE and Python → the `regex` crate: what is written differently, and what can't be.
fn translate(text: &str) -> Result<(String, bool), Refused> {
    let refuse = |at: usize, length: usize, what: &str, mend: &str| {
        Err(Refused { at: Some(at), length, what: what.to_owned(), mend: mend.to_owned() })
    };
    let mut out = String::with_capacity(text.len());
    let (mut dollar, mut repeated) = (false, false);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let was_repeated = std::mem::take(&mut repeated);
        match c {
            '\\' => {
                let Some(next) = rest[1..].chars().next() else {
                    return refuse(
                        at,
                        1,
                        "the expression ends in a backslash",
                        "write \\\\\\\\ in a pattern for one backslash",
                    );
                };
                match next {
                    '1'..='9' => return refuse(at, 2, "back-references can't be used", LINEAR),
                    'k' | 'g' => return refuse(at, 2, "back-references can't be used", LINEAR),
                    'G' | 'K' | 'R' | 'X' | 'C' | 'Q' | 'E' => {
                        return refuse(at, 2, "this escape of PCRE can't be used", LINEAR);
                    }
                    'Z' => out.push_str("\\z"),
                    // A word boundary in Rust, a plain character in PCRE.
                    '<' | '>' => out.push(next),
                    '0' => out.push_str("\\x00"),
                    'e' => out.push_str("\\x1b"),
                    'h' => out.push_str("[ \\t]"),
                    _ => {
                        out.push('\\');
                        out.push(next);
                    }
                }
                dollar |= next == 'Z';
                at += 1 + next.len_utf8();
            }
            '[' => at += class(rest, &mut out),
            '(' => {
                for (opening, what) in [
                    ("(?=", "look-ahead"),
                    ("(?!", "look-ahead"),
                    ("(?<=", "look-behind"),
                    ("(?<!", "look-behind"),
                    ("(?>", "an atomic group"),
                    ("(?(", "a condition"),
                    ("(?R", "recursion"),
                    ("(?|", "a branch reset"),
                    ("(?P=", "a back-reference"),
                    ("(?P>", "recursion"),
                    ("(?&", "recursion"),
                    ("(*", "a verb of PCRE"),
                ] {
                    if rest.starts_with(opening) {
                        return refuse(at, opening.len(), &format!("{what} can't be used"), LINEAR);
                    }
                }
                if let Some(comment) = rest.strip_prefix("(?#") {
                    at += 3 + comment.find(')').map_or(comment.len(), |end| end + 1);
                } else {
                    out.push(c);
                    at += 1;
                }
            }
            '*' | '+' | '?' => {
                if was_repeated && c == '+' {
                    return refuse(at, 1, "a possessive repetition can't be used", LINEAR);
                }
                // `a*?` is lazy: the same to the question whether it is found.
                repeated = !was_repeated;
                out.push(c);
                at += 1;
            }
            '{' => {
                let count = rest[1..].find('}').map(|end| &rest[1..=end]);
                let is_count = |text: &str| {
                    let (a, b) = text.split_once(',').unwrap_or((text, ""));
                    !a.is_empty() && a.bytes().chain(b.bytes()).all(|b| b.is_ascii_digit())
                };
                match count {
                    Some(text) if is_count(text) => {
                        repeated = true;
                        out.push_str(&rest[..text.len() + 2]);
                        at += text.len() + 2;
                    }
                    // A plain brace.
                    _ => {
                        out.push_str("\\{");
                        at += 1;
                    }
                }
            }
            c => {
                dollar |= c == '$';
                out.push(c);
                at += c.len_utf8();
            }
        }
    }
    Ok((out, dollar))
}

const LINEAR: &str =
    "expressions run in linear time, without looking around or back; say it with AND, NOT MATCHES or plain groups";

/// A class in square brackets; in Rust, `[`, `&&`, `--` and `~~` mean more in it than in PCRE.
fn class(text: &str, out: &mut String) -> usize {
    let mut chars = text.char_indices().peekable();
    chars.next();
    out.push('[');
    if chars.next_if(|(_, c)| *c == '^').is_some() {
        out.push('^');
    }
    // First in the class, `]` is a plain character.
    if chars.next_if(|(_, c)| *c == ']').is_some() {
        out.push_str("\\]");
    }
    while let Some((at, c)) = chars.next() {
        match c {
            ']' => {
                out.push(']');
                return at + 1;
            }
            '\\' => {
                if let Some((_, next)) = chars.next() {
                    match next {
                        '<' | '>' => out.push(next),
                        'b' => out.push_str("\\x08"),
                        '0' => out.push_str("\\x00"),
                        'e' => out.push_str("\\x1b"),
                        _ => out.extend(['\\', next]),
                    }
                }
            }
            '[' if text[at..].starts_with("[:") && text[at..].contains(":]") => {
                let length = text[at..].find(":]").map_or(1, |end| end + 2);
                out.push_str(&text[at..at + length]);
                while chars.next_if(|(next, _)| *next < at + length).is_some() {}
            }
            '[' | '&' | '~' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pcre_writes_differently() {
        for (expression, text, found) in [
            (r"^a$", "a\n", true),
            (r"^a$", "a\n\n", false),
            (r"^a\Z", "a", true),
            (r"a{,3}", "a{,3}", true),
            (r"x{", "x{", true),
            (r"[[]", "[", true),
            (r"[a&&b]", "&", true),
            (r"[]a]", "]", true),
            (r"[^]a]", "]", false),
            (r"[[:digit:]x]+$", "12x", true),
            (r"\<b\>", "<b>", true),
            (r"(?i)EVIL", "evil", true),
            (r"a(?#comment)b", "ab", true),
            (r"\/x\_\@", "/x_@", true),
            (r"a.b", "a\nb", true),
            (r"(?-s)a.b", "a\nb", false),
            (r"(?s)a.b", "a\nb", true),
            (r"^\d+\s\w$", "12 é", true),
            (r"é", "e\u{301}", false), // the caller brings text in NFC
        ] {
            let read =
                Expression::read(expression, &mut ALL.clone()).unwrap_or_else(|e| panic!("{expression}: {}", e.what));
            assert_eq!(read.found_in(text), found, "{expression} {text:?}");
        }
    }

    #[test]
    fn what_only_backtracking_can_do_is_refused_with_its_place() {
        for (expression, at, what) in [
            (r"a(?=b)", 1, "look-ahead"),
            (r"a(?!b)", 1, "look-ahead"),
            (r"(?<=a)b", 0, "look-behind"),
            (r"(?<!a)b", 0, "look-behind"),
            (r"(a)\1", 3, "back-references"),
            (r"a++", 2, "possessive"),
            (r"(?>a)", 0, "atomic"),
            (r"(?P<n>a)(?P=n)", 8, "back-reference"),
            (r"a\Kb", 1, "escape of PCRE"),
        ] {
            let refused = Expression::read(expression, &mut ALL.clone()).unwrap_err();
            assert_eq!(refused.at, Some(at), "{expression}");
            assert!(refused.what.contains(what), "{expression}: {}", refused.what);
        }
        assert!(
            Expression::read("(", &mut ALL.clone()).is_err()
                && Expression::read("a{1000}{1000}", &mut ALL.clone()).is_err()
        );
        assert!(
            Expression::read("[[:", &mut ALL.clone()).is_err() && Expression::read("\\", &mut ALL.clone()).is_err()
        );
    }

    #[test]
    fn bytes_are_found_by_their_numbers() {
        let magic = Expression::read(r"^\xd4\xc3\xb2\xa1\x02\x00\x04\x00", &mut ALL.clone()).unwrap();
        assert!(magic.found_in_bytes(b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00rest"));
        assert!(Expression::read("é", &mut ALL.clone()).unwrap().found_in_bytes(b"\xe9"));
        assert!(!Expression::read("€", &mut ALL.clone()).unwrap().found_in_bytes(b"\xac"));
    }
}
