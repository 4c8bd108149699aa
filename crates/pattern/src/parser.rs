//! Words → tree. Observation expressions here, what stands in their brackets in `comparison`. Precedence (the standard's grammar): in brackets AND before OR; between them AND
//! before OR before FOLLOWEDBY; a qualifier belongs to what stands right before it.

mod comparison;

use crate::lexer::{Keyword, Token, Word, lex, time};
use crate::{Constant, Error, Leniency, Mode, Note, Observing, Pattern, Qualifier, Span};

/// Longest text that is read, in bytes.
pub const MAX_LENGTH: usize = 64 << 10;

/// Deepest nesting of brackets and qualifiers.
pub const MAX_DEPTH: usize = 64;

/// Qualifiers on one expression: more say nothing.
const MAX_QUALIFIERS: usize = 16;

/// Reads a pattern.
///
/// # Errors
/// For what is no pattern in this mode, with the place and how to mend it.
pub fn parse(text: &str, mode: Mode) -> Result<Pattern, Error> {
    if text.len() > MAX_LENGTH {
        let span = Span::new(MAX_LENGTH, text.len());
        let what = format!("the pattern has {} bytes; at most {MAX_LENGTH} are read", text.len());
        return Err(Error::new(text, span, what, "split it at an OR into several patterns"));
    }
    let lexed = lex(text, mode)?;
    let mut parser =
        Parser { text, mode, tokens: lexed.tokens, at: 0, notes: lexed.notes, depth: 0, room: crate::regexes::ALL };
    if parser.is_end() {
        return Err(
            parser.unexpected("the pattern is empty", "begin with [, as in [domain-name:value = 'evil.example']")
        );
    }
    let root = parser.followed_by()?;
    if !parser.is_end() {
        let mend = match parser.peek().word {
            Word::Sign(']') => "there is one ] too many",
            Word::Sign(')') => "there is one ) too many",
            _ => "join expressions in brackets with AND, OR or FOLLOWEDBY, or limit them with WITHIN, REPEATS or START",
        };
        return Err(parser.unexpected("the pattern should end here", mend));
    }
    let mut notes = parser.notes;
    notes.sort_by_key(|note| note.span.start);
    Ok(Pattern { root, notes, mode, text: text.into() })
}

struct Parser<'a> {
    text: &'a str,
    mode: Mode,
    tokens: Vec<Token>,
    at: usize,
    notes: Vec<Note>,
    depth: usize,
    /// Memory that is left for regular expressions, in bytes.
    room: usize,
}

impl Parser<'_> {
    /// The word that comes; the last is `End` and stays.
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn span(&self) -> Span {
        self.peek().span
    }

    fn before(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn is_end(&self) -> bool {
        self.peek().word == Word::End
    }

    fn source(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    fn error(&self, span: Span, what: impl Into<String>, mend: impl Into<String>) -> Error {
        Error::new(self.text, span, what, mend)
    }

    /// An error at the word that comes, which is named.
    fn unexpected(&self, what: &str, mend: &str) -> Error {
        let span = self.span();
        let found = match self.peek().word {
            Word::End => "the end".to_owned(),
            _ => format!("`{}`", self.source(span).chars().take(40).collect::<String>()),
        };
        self.error(
            span,
            if self.text.trim().is_empty() { what.to_owned() } else { format!("{what}, not {found}") },
            mend,
        )
    }

    fn note(&mut self, leniency: Leniency, span: Span) {
        self.notes.push(Note { leniency, span });
    }

    fn sign(&mut self, sign: char) -> bool {
        let is = self.peek().word == Word::Sign(sign);
        if is {
            self.advance();
        }
        is
    }

    /// Takes a keyword if it comes; in tolerant mode in any letter case.
    fn keyword(&mut self, keyword: Keyword) -> bool {
        let token = self.peek();
        let span = token.span;
        if token.word == Word::Keyword(keyword) {
            self.advance();
            return true;
        }
        let alike = token.word == Word::Name && self.source(span).eq_ignore_ascii_case(keyword.text());
        if alike && self.mode.tolerant() {
            self.note(Leniency::LetterCase, span);
            self.advance();
            return true;
        }
        false
    }

    /// As [`Parser::keyword`], or an error that says what is missing.
    fn expect_keyword(&mut self, keyword: Keyword, mend: &str) -> Result<(), Error> {
        if self.keyword(keyword) {
            return Ok(());
        }
        let text = keyword.text();
        let mend =
            if self.source(self.span()).eq_ignore_ascii_case(text) { "keywords are written in capitals" } else { mend };
        Err(self.unexpected(&format!("{text} should stand here"), mend))
    }

    /// One bracket deeper, with a bound, so that no text overflows the stack.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == MAX_DEPTH {
            let what = format!("brackets nest deeper than {MAX_DEPTH}");
            return Err(self.error(self.before(), what, "leave out brackets that change nothing"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn chain(
        &mut self,
        keyword: Keyword,
        part: fn(&mut Self) -> Result<Observing, Error>,
        join: fn(Vec<Observing>) -> Observing,
    ) -> Result<Observing, Error> {
        let first = part(self)?;
        let mut all = vec![first];
        while self.keyword(keyword) {
            all.push(part(self)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { join(all) })
    }

    fn followed_by(&mut self) -> Result<Observing, Error> {
        self.chain(Keyword::FollowedBy, Self::or, Observing::FollowedBy)
    }

    fn or(&mut self) -> Result<Observing, Error> {
        self.chain(Keyword::Or, Self::and, Observing::Or)
    }

    fn and(&mut self) -> Result<Observing, Error> {
        self.chain(Keyword::And, Self::qualified, Observing::And)
    }

    fn qualified(&mut self) -> Result<Observing, Error> {
        let start = self.span();
        // Qualifiers right on brackets may not repeat themselves; on parentheses they may, as the
        // reference validator has it.
        let (mut inner, bare) = if self.sign('[') {
            let comparison = self.deeper(Self::comparison)?;
            if !self.sign(']') {
                let mend = "close the bracket with ], or go on with AND or OR";
                return Err(self.unexpected("the comparison should end here", mend));
            }
            (Observing::Test(comparison, start.to(self.before())), true)
        } else if self.sign('(') {
            let inner = self.deeper(Self::followed_by)?;
            if !self.sign(')') {
                return Err(self.unexpected("the parenthesis should be closed here", "close it with )"));
            }
            (inner, false)
        } else {
            let mend = "comparisons stand in square brackets, as in [domain-name:value = 'evil.example']";
            return Err(self.unexpected("an expression in brackets should stand here", mend));
        };
        let mut kinds = Vec::new();
        while let Some((qualifier, span)) = self.qualifier()? {
            let kind = std::mem::discriminant(&qualifier);
            if bare && kinds.contains(&kind) {
                let mend = "give it once, or put parentheses around what it is for";
                return Err(self.error(span, "the qualifier is there twice", mend));
            }
            kinds.push(kind);
            // Those in parentheses count, so that a tree is no deeper than its brackets.
            if inner.qualifiers() == MAX_QUALIFIERS {
                let what = format!("more than {MAX_QUALIFIERS} qualifiers on one expression");
                return Err(self.error(span, what, "the narrowest of each kind is enough"));
            }
            inner = Observing::Qualified { inner: Box::new(inner), qualifier, span };
        }
        Ok(inner)
    }

    fn qualifier(&mut self) -> Result<Option<(Qualifier, Span)>, Error> {
        let start = self.span();
        let qualifier = if self.keyword(Keyword::Within) {
            let (seconds, span) = match self.peek().word {
                Word::Constant(Constant::Integer(n)) => (n as f64, self.span()),
                Word::Constant(Constant::Float(n)) => (n, self.span()),
                _ => return Err(self.unexpected("a number of seconds should stand here", "write WITHIN 300 SECONDS")),
            };
            if seconds <= 0.0 {
                return Err(self.error(span, "the time must be more than 0", "write WITHIN 300 SECONDS"));
            }
            self.advance();
            self.expect_keyword(Keyword::Seconds, "seconds are the only unit")?;
            Qualifier::Within(seconds)
        } else if self.keyword(Keyword::Repeats) {
            let times = match self.peek().word {
                Word::Constant(Constant::Integer(n)) => u32::try_from(n).ok().filter(|n| *n > 0),
                _ => None,
            };
            let Some(times) = times else {
                return Err(self.unexpected("a whole number of at least 1 should stand here", "write REPEATS 5 TIMES"));
            };
            self.advance();
            self.expect_keyword(Keyword::Times, "write REPEATS 5 TIMES")?;
            Qualifier::Repeats(times)
        } else if self.keyword(Keyword::Start) {
            let from = self.moment()?;
            self.expect_keyword(Keyword::Stop, "START t'…' is followed by STOP t'…'")?;
            Qualifier::StartStop(from, self.moment()?)
        } else {
            return Ok(None);
        };
        Ok(Some((qualifier, start.to(self.before()))))
    }

    fn moment(&mut self) -> Result<jiff::Timestamp, Error> {
        let token = self.peek().clone();
        match &token.word {
            Word::Constant(Constant::Time(at)) => {
                self.advance();
                Ok(*at)
            }
            Word::Constant(Constant::Text(text)) if self.mode.tolerant() => {
                let at = time(text).map_err(|why| {
                    self.error(token.span, format!("this is no time: {why}"), "write t'2026-01-31T12:00:00Z'")
                })?;
                self.note(Leniency::PlainTime, token.span);
                self.advance();
                Ok(at)
            }
            Word::Constant(Constant::Text(_)) => {
                let mend =
                    "times are t'2026-01-31T12:00:00Z'; put a t before the quote (tolerant mode takes STIX 2.0's)";
                Err(self.unexpected("a time should stand here", mend))
            }
            _ => Err(self.unexpected("a time should stand here", "write t'2026-01-31T12:00:00Z'")),
        }
    }
}
