//! Text → words (the lexical part of the standard's grammar, §9 and its ANTLR appendix).

use crate::{Constant, Error, Leniency, Mode, Note, Span};

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Word {
    /// A name: letters, digits, `_`, and `-`.
    Name,
    /// A keyword in capitals.
    Keyword(Keyword),
    /// Any constant.
    Constant(Constant),
    /// `= == != <> < > <= >=`
    Relation(crate::Relation),
    /// One of `[ ] ( ) , . : *`
    Sign(char),
    /// Behind the last.
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) word: Word,
    pub(crate) span: Span,
}

macro_rules! keywords {
    ($($variant:ident $text:literal),* $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Keyword { $($variant),* }
        impl Keyword {
            const ALL: &[Keyword] = &[$(Keyword::$variant),*];
            pub(crate) fn text(self) -> &'static str {
                match self { $(Keyword::$variant => $text),* }
            }
        }
    };
}

keywords! {
    And "AND", Or "OR", Not "NOT", FollowedBy "FOLLOWEDBY", Like "LIKE", Matches "MATCHES",
    IsSuperset "ISSUPERSET", IsSubset "ISSUBSET", Exists "EXISTS", Last "LAST", In "IN", Start "START",
    Stop "STOP", Seconds "SECONDS", Within "WITHIN", Repeats "REPEATS", Times "TIMES",
}

/// Is it reserved, so that a path needs quotes for it?
pub(crate) fn reserved(name: &str) -> bool {
    matches!(name, "true" | "false") || Keyword::ALL.iter().any(|k| k.text() == name)
}

pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) notes: Vec<Note>,
}

pub(crate) fn lex(text: &str, mode: Mode) -> Result<Lexed, Error> {
    let mut lexer = Lexer { text, at: 0, mode, tokens: Vec::new(), notes: Vec::new() };
    while lexer.next()? {}
    Ok(Lexed { tokens: lexer.tokens, notes: lexer.notes })
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    mode: Mode,
    tokens: Vec<Token>,
    notes: Vec<Note>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, start: usize, end: usize, what: impl Into<String>, mend: impl Into<String>) -> Error {
        Error::new(self.text, Span::new(start, end), what, mend)
    }

    fn push(&mut self, word: Word, length: usize) {
        self.tokens.push(Token { word, span: Span::new(self.at, self.at + length) });
        self.at += length;
    }

    /// One word more; false at the end.
    fn next(&mut self) -> Result<bool, Error> {
        self.skip_blanks()?;
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            self.push(Word::End, 0);
            return Ok(false);
        };
        match c {
            '[' | ']' | '(' | ')' | ',' | ':' | '*' => self.push(Word::Sign(c), 1),
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.push(Word::Sign(c), 1),
            '=' | '!' | '<' | '>' => self.relation()?,
            '0'..='9' | '+' | '-' | '.' => self.number()?,
            '\'' => self.string(self.at, '\'')?,
            '"' | '\u{201c}' | '\u{2018}' => self.other_quotes(c)?,
            'a'..='z' | 'A'..='Z' | '_' => self.name()?,
            _ => {
                let end = self.at + c.len_utf8();
                let mend = "names have letters a to z, digits, _ and -; other text stands in single quotes";
                return Err(self.error(self.at, end, format!("{c:?} can't stand here"), mend));
            }
        }
        Ok(true)
    }

    /// Blanks and comments (`/* … */`, `// …`).
    fn skip_blanks(&mut self) -> Result<(), Error> {
        loop {
            let rest = self.rest();
            let blank = |c: char| c.is_whitespace() && !matches!(c, '\u{180e}');
            let trimmed = rest.trim_start_matches(blank);
            self.at += rest.len() - trimmed.len();
            if let Some(comment) = trimmed.strip_prefix("/*") {
                let Some(end) = comment.find("*/") else {
                    return Err(self.error(self.at, self.at + 2, "the comment has no end", "end it with */"));
                };
                self.at += end + 4;
            } else if trimmed.starts_with("//") {
                self.at += trimmed.find(['\n', '\r']).unwrap_or(trimmed.len());
            } else {
                return Ok(());
            }
        }
    }

    fn relation(&mut self) -> Result<(), Error> {
        use crate::Relation::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let rest = self.rest();
        for (text, relation) in [
            ("==", Equal),
            ("!=", NotEqual),
            ("<>", NotEqual),
            ("<=", LessOrEqual),
            (">=", GreaterOrEqual),
            ("=", Equal),
            ("<", Less),
            (">", Greater),
        ] {
            if rest.starts_with(text) {
                self.push(Word::Relation(relation), text.len());
                return Ok(());
            }
        }
        Err(self.error(self.at, self.at + 1, "`!` alone is no operator", "write !=, or NOT before the operator"))
    }

    fn number(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['+', '-']));
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(sign);
        let mut length = sign + whole;
        let fraction = match rest[length..].strip_prefix('.') {
            Some(_) => digits(length + 1),
            None => 0,
        };
        if fraction > 0 {
            length += 1 + fraction;
        }
        let end = self.at + length;
        if whole + fraction == 0 {
            let sign = &rest[..1];
            let mend = "a sign stands right before the digits of a number";
            return Err(self.error(self.at, self.at + 1, format!("`{sign}` can't stand here"), mend));
        }
        if rest[length..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            || rest[length..].starts_with('.')
        {
            let more = rest[length..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
            let end = more.map_or(self.text.len(), |more| self.at + length + more);
            let mend = "numbers are 12, -12, 1.5; without exponent; anything else is a string in single quotes";
            return Err(self.error(self.at, end, "this is no number", mend));
        }
        let text = rest[..length].trim_start_matches('+');
        let constant = if fraction > 0 {
            match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Constant::Float(value),
                _ => return Err(self.error(self.at, end, "the number is too large", "numbers are IEEE 754 doubles")),
            }
        } else {
            if whole > 1 && rest[sign..].starts_with('0') {
                let mend = "leave out the leading zeros, or put it in single quotes if it is a text";
                return Err(self.error(self.at, end, "a number begins with no zero", mend));
            }
            match text.parse::<i64>() {
                Ok(value) => Constant::Integer(value),
                Err(_) => {
                    let mend = "whole numbers have 64 bits; write it with a fraction, or as a string";
                    return Err(self.error(self.at, end, "the number is too large", mend));
                }
            }
        };
        self.push(Word::Constant(constant), length);
        Ok(())
    }

    fn name(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count();
        let name = &rest[..length];
        if matches!(name, "t" | "h" | "b") && rest[1..].starts_with('\'') {
            return self.typed(name);
        }
        let word = match name {
            "true" => Word::Constant(Constant::Boolean(true)),
            "false" => Word::Constant(Constant::Boolean(false)),
            _ => match Keyword::ALL.iter().find(|k| k.text() == name) {
                Some(keyword) => Word::Keyword(*keyword),
                None => Word::Name,
            },
        };
        self.push(word, length);
        Ok(())
    }

    /// `t'…'`, `h'…'`, `b'…'`.
    fn typed(&mut self, letter: &str) -> Result<(), Error> {
        let start = self.at;
        let content = &self.text[start + 2..];
        let Some(length) = content.find('\'') else {
            return Err(self.error(start, start + 2, "the constant has no end", "end it with a single quote"));
        };
        let end = start + 2 + length + 1;
        let content = &content[..length];
        let constant = match letter {
            "t" => time(content).map(Constant::Time).map_err(|why| {
                (
                    format!("this is no time: {why}"),
                    "times are t'2026-01-31T12:00:00Z', in UTC, with a fraction if need be",
                )
            }),
            "h" => hex(content)
                .map(Constant::Hex)
                .ok_or(("this is no hexadecimal constant".into(), "h'…' holds pairs of the digits 0-9 and a-f")),
            _ => base64(content).map(Constant::Binary).ok_or((
                "this is no base64".into(),
                "b'…' holds RFC 4648 base64 with its padding, such as b'dGVzdA=='",
            )),
        };
        match constant {
            Ok(constant) => {
                self.push(Word::Constant(constant), end - start);
                Ok(())
            }
            Err((what, mend)) => Err(self.error(start, end, what, mend)),
        }
    }

    fn other_quotes(&mut self, open: char) -> Result<(), Error> {
        let close = match open {
            '\u{201c}' => '\u{201d}',
            '\u{2018}' => '\u{2019}',
            other => other,
        };
        if !self.mode.tolerant() {
            let mend = "strings stand in single quotes: 'text' (tolerant mode takes these too)";
            return Err(self.error(self.at, self.at + open.len_utf8(), format!("{open} begins no string"), mend));
        }
        self.notes.push(Note { leniency: Leniency::Quotes, span: Span::new(self.at, self.at + open.len_utf8()) });
        self.string(self.at, close)
    }

    /// A string up to its closing quote; `\'` and `\\` are its only escapes.
    fn string(&mut self, start: usize, close: char) -> Result<(), Error> {
        let mut value = String::new();
        let first = self.rest().chars().next().map_or(0, char::len_utf8);
        let mut chars = self.text[start + first..].char_indices().map(|(at, c)| (start + first + at, c)).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == close => {
                    self.push(Word::Constant(Constant::Text(value)), at + c.len_utf8() - start);
                    return Ok(());
                }
                '\\' => match chars.peek() {
                    Some((_, next)) if *next == '\\' || *next == '\'' || *next == close => {
                        value.extend(chars.next().map(|(_, c)| c));
                    }
                    _ if self.mode.tolerant() => {
                        value.push('\\');
                        self.notes.push(Note { leniency: Leniency::LoneBackslash, span: Span::new(at, at + 1) });
                    }
                    _ => {
                        let mend = "write \\\\ for a backslash and \\' for a quote (tolerant mode takes it for itself)";
                        return Err(self.error(at, at + 1, "the backslash escapes nothing", mend));
                    }
                },
                c => value.push(c),
            }
        }
        let mend = "end it with a single quote; a quote inside a string is \\'";
        Err(self.error(start, start + first, "the string has no end", mend))
    }
}

/// The offset in the source at which a decoded offset of a string literal stands.
pub(crate) fn source_offset(text: &str, literal: Span, decoded: usize) -> usize {
    let content = text.get(literal.start..literal.end).unwrap_or_default();
    let mut chars = content.char_indices().skip(1).peekable();
    let mut length = 0;
    while let Some((at, c)) = chars.next() {
        if length >= decoded {
            return literal.start + at;
        }
        let c = match (c, chars.peek()) {
            ('\\', Some((_, next @ ('\\' | '\'')))) => {
                let next = *next;
                chars.next();
                next
            }
            _ => c,
        };
        length += c.len_utf8();
    }
    literal.end
}

/// A time of the standard's form (§2.16, RFC 3339 with `Z`); digits beyond nanoseconds are dropped.
pub(crate) fn time(text: &str) -> Result<jiff::Timestamp, String> {
    let shape = || "it is not YYYY-MM-DDThh:mm:ssZ".to_owned();
    let bytes = text.as_bytes();
    if bytes.len() < 20 || !text.is_ascii() || bytes[bytes.len() - 1] != b'Z' {
        return Err(shape());
    }
    for (at, c) in bytes[..19].iter().enumerate() {
        let right = match at {
            4 | 7 => *c == b'-',
            10 => *c == b'T',
            13 | 16 => *c == b':',
            _ => c.is_ascii_digit(),
        };
        if !right {
            return Err(shape());
        }
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i16>().map_err(|_| shape());
    let small = |from: usize, to: usize| text[from..to].parse::<i8>().map_err(|_| shape());
    let fraction = &text[19..text.len() - 1];
    let nanos = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => 0,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.bytes().chain(std::iter::repeat(b'0')).take(9).fold(0i32, |n, b| n * 10 + i32::from(b - b'0'))
        }
        _ => return Err(shape()),
    };
    // A leap second is the one before it, as RFC 3339 has it that clocks without them may do.
    let second = small(17, 19)?;
    let second = if second == 60 { 59 } else { second };
    let civil = jiff::civil::DateTime::new(
        number(0, 4)?,
        small(5, 7)?,
        small(8, 10)?,
        small(11, 13)?,
        small(14, 16)?,
        second,
        nanos,
    );
    let zoned = civil.and_then(|civil| jiff::tz::TimeZone::UTC.to_timestamp(civil));
    zoned.map_err(|_| "there is no such day or hour".to_owned())
}

pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let digit = |b: u8| (b as char).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    let engine = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        // Bits behind the last byte are what lenient writers leave there.
        base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    // Line feeds are ignored (§9.2).
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    engine.decode(text).ok().filter(|bytes| !bytes.is_empty())
}
