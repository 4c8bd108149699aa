//! What stands in square brackets (§9.6, §9.7).

use super::Parser;
use crate::lexer::{Keyword, Word, source_offset};
use crate::{Comparison, Constant, Error, Expression, Leniency, Network, Op, Path, Relation, Span, Step, Test};

/// Longest path, in steps: no type of object nests as deep.
const MAX_STEPS: usize = 64;

const CONSTANTS: &str = "constants are 12, 1.5, 'text', true, false, t'2026-01-31T12:00:00Z', h'ffd8' and b'dGVzdA=='";

impl Parser<'_> {
    pub(super) fn comparison(&mut self) -> Result<Comparison, Error> {
        self.joined(Keyword::Or, |parser| parser.joined(Keyword::And, Self::single, Comparison::And), Comparison::Or)
    }

    fn joined(
        &mut self,
        keyword: Keyword,
        part: impl Fn(&mut Self) -> Result<Comparison, Error>,
        join: fn(Vec<Comparison>, Span) -> Comparison,
    ) -> Result<Comparison, Error> {
        let start = self.span();
        let mut all = vec![part(self)?];
        while self.keyword(keyword) {
            all.push(part(self)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { join(all, start.to(self.before())) })
    }

    fn single(&mut self) -> Result<Comparison, Error> {
        let start = self.span();
        if self.sign('(') {
            let inner = self.deeper(Self::comparison)?;
            if !self.sign(')') {
                return Err(self.unexpected("the parenthesis should be closed here", "close it with )"));
            }
            return Ok(inner);
        }
        let mut negated = false;
        if self.keyword(Keyword::Not) {
            negated = true;
            let exists = self.peek().word == Word::Keyword(Keyword::Exists)
                || self.mode.tolerant() && self.source(self.span()).eq_ignore_ascii_case("EXISTS");
            if !exists {
                if !self.mode.tolerant() || self.peek().word != Word::Name {
                    let mend = "NOT stands before the operator: [file:name NOT = 'x']; only EXISTS has it in front";
                    return Err(self.error(start, "NOT can't stand before a path", mend));
                }
                self.note(Leniency::LeadingNot, start);
            }
        }
        // A type may be called `exists` in other letter case.
        let operator = !matches!(self.tokens.get(self.at + 1).map(|t| &t.word), Some(Word::Sign(':')));
        if operator && self.keyword(Keyword::Exists) {
            let path = self.path()?;
            return Ok(Comparison::Test(Test { path, negated, op: Op::Exists, span: start.to(self.before()) }));
        }
        let path = self.path()?;
        if self.keyword(Keyword::Not) {
            negated = !negated;
        }
        let op = self.operation(&path)?;
        Ok(Comparison::Test(Test { path, negated, op, span: start.to(self.before()) }))
    }

    fn operation(&mut self, path: &Path) -> Result<Op, Error> {
        if let Word::Relation(relation) = self.peek().word {
            self.advance();
            let span = self.span();
            let constant = self.constant(relation)?;
            let ordered = !matches!(relation, Relation::Equal | Relation::NotEqual);
            if ordered && matches!(constant, Constant::Boolean(_)) {
                return Err(self.error(span, "true and false have no order", "compare them with = or !="));
            }
            return Ok(Op::Compare(relation, constant));
        }
        if self.keyword(Keyword::In) {
            return self.set().map(Op::In);
        }
        if self.keyword(Keyword::Like) {
            return Ok(Op::Like(self.text_after("LIKE")?.0));
        }
        if self.keyword(Keyword::Matches) {
            let (text, span) = self.text_after("MATCHES")?;
            return Expression::read(&text, &mut self.room).map(Op::Matches).map_err(|why| {
                let span = match why.at {
                    Some(at) => {
                        Span::new(source_offset(self.text, span, at), source_offset(self.text, span, at + why.length))
                    }
                    None => span,
                };
                self.error(span, why.what, why.mend)
            });
        }
        for (keyword, op) in [
            (Keyword::IsSubset, Op::IsSubset as fn(Network) -> Op),
            (Keyword::IsSuperset, Op::IsSuperset as fn(Network) -> Op),
        ] {
            if self.keyword(keyword) {
                let (text, span) = self.text_after(keyword.text())?;
                let network = Network::read(&text).ok_or_else(|| {
                    let mend = "write '198.51.100.0/24' or '2001:db8::/32', lengths up to 32 and 128";
                    self.error(span, "this is no address or network", mend)
                })?;
                return Ok(op(network));
            }
        }
        let lower = self.source(self.span()).to_ascii_uppercase();
        let known = ["AND", "OR", "NOT", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS"];
        let mend = if known.contains(&lower.as_str()) && self.peek().word == Word::Name {
            "keywords are written in capitals".to_owned()
        } else {
            format!(
                "write for example {path} = 'value'; operators are =, !=, <, >, <=, >=, IN, LIKE, MATCHES, ISSUBSET, ISSUPERSET"
            )
        };
        Err(self.unexpected("an operator should stand here", &mend))
    }

    fn text_after(&mut self, operator: &str) -> Result<(String, Span), Error> {
        let token = self.peek().clone();
        match token.word {
            Word::Constant(Constant::Text(text)) => {
                self.advance();
                Ok((text, token.span))
            }
            _ => {
                Err(self
                    .unexpected(&format!("a string should stand after {operator}"), "strings stand in single quotes"))
            }
        }
    }

    fn constant(&mut self, after: impl Into<Option<Relation>>) -> Result<Constant, Error> {
        let token = self.peek().clone();
        if let Word::Constant(constant) = token.word {
            self.advance();
            return Ok(constant);
        }
        let source = self.source(token.span).to_owned();
        let boolean = match source.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        if let (Word::Name, Some(value)) = (&token.word, boolean) {
            if self.mode.tolerant() {
                self.note(Leniency::LetterCase, token.span);
                self.advance();
                return Ok(Constant::Boolean(value));
            }
            return Err(self.unexpected("a constant should stand here", "true and false are written in small letters"));
        }
        let what = match after.into() {
            Some(relation) => format!("a constant should stand after {relation}"),
            None => "a constant should stand here".to_owned(),
        };
        let mend = if token.word == Word::Name { "text stands in single quotes: 'text'" } else { CONSTANTS };
        Err(self.unexpected(&what, mend))
    }

    fn set(&mut self) -> Result<Vec<Constant>, Error> {
        let start = self.span();
        if !self.sign('(') {
            return Err(self.unexpected("a set should stand after IN", "write IN ('a', 'b')"));
        }
        let mut set: Vec<Constant> = Vec::new();
        if self.sign(')') {
            return Ok(set);
        }
        loop {
            let span = self.span();
            let constant = self.constant(None)?;
            if let Some(first) = set.first()
                && family(first) != family(&constant)
            {
                if !self.mode.tolerant() {
                    let mend = "constants of a set are of one type; join several IN with OR (tolerant mode takes it)";
                    return Err(self.error(span, "the set has another type before", mend));
                }
                if !self.notes.iter().any(|n| n.leniency == Leniency::MixedSet && n.span.start == start.start) {
                    self.note(Leniency::MixedSet, start);
                }
            }
            set.push(constant);
            if self.sign(')') {
                return Ok(set);
            }
            if !self.sign(',') {
                return Err(self.unexpected("the set should go on here", "separate constants by commas, end with )"));
            }
        }
    }

    fn path(&mut self) -> Result<Path, Error> {
        let start = self.span();
        if self.peek().word != Word::Name {
            let mend = "a comparison begins with type and property: [domain-name:value = 'evil.example']";
            return Err(self.unexpected("a type of object should stand here", mend));
        }
        self.advance();
        let object = self.source(start).to_owned();
        if !self.sign(':') {
            let mend = format!("type and property are joined by a colon, as in {object}:value");
            return Err(self.unexpected("a colon should stand here", &mend));
        }
        let mut steps = vec![self.key()?];
        loop {
            if self.sign('.') {
                steps.push(self.key()?);
            } else if self.sign('[') {
                steps.push(self.index()?);
                if !self.sign(']') {
                    return Err(self.unexpected("the list step should be closed here", "write [0] or [*]"));
                }
            } else {
                break;
            }
            if steps.len() > MAX_STEPS {
                let what = format!("the path has more than {MAX_STEPS} steps");
                return Err(self.error(start.to(self.before()), what, "no cyber-observable nests as deep"));
            }
        }
        Ok(Path { object, steps, span: start.to(self.before()) })
    }

    fn key(&mut self) -> Result<Step, Error> {
        let token = self.peek().clone();
        let source = self.source(token.span).to_owned();
        match token.word {
            Word::Name if source.contains('-') => {
                if !self.mode.tolerant() {
                    let what = format!("a name with a hyphen needs quotes in a path: {source}");
                    let mend = format!("write '{source}' (tolerant mode takes it without)");
                    return Err(self.error(token.span, what, mend));
                }
                self.note(Leniency::UnquotedKey, token.span);
                self.advance();
                Ok(Step::Key(source))
            }
            Word::Name => {
                self.advance();
                Ok(Step::Key(source))
            }
            Word::Constant(Constant::Text(text)) => {
                self.advance();
                Ok(Step::Key(text))
            }
            Word::Keyword(_) | Word::Constant(Constant::Boolean(_)) => {
                let mend = format!("in a path, write it in quotes: '{source}'");
                Err(self.unexpected("a property should stand here; this word is reserved", &mend))
            }
            _ => Err(self.unexpected(
                "a property should stand here",
                "names with other signs stand in quotes: hashes.'SHA-256'",
            )),
        }
    }

    fn index(&mut self) -> Result<Step, Error> {
        let step = match self.peek().word {
            Word::Sign('*') => Step::Any,
            Word::Constant(Constant::Integer(n)) => Step::Index(n),
            _ => {
                return Err(
                    self.unexpected("a place in a list should stand here", "write [0] for the first, [*] for any")
                );
            }
        };
        self.advance();
        Ok(step)
    }
}

/// Types that may share a set: whole and broken numbers do.
fn family(constant: &Constant) -> u8 {
    match constant {
        Constant::Integer(_) | Constant::Float(_) => 0,
        Constant::Text(_) => 1,
        Constant::Boolean(_) => 2,
        Constant::Time(_) => 3,
        Constant::Hex(_) | Constant::Binary(_) => 4,
    }
}
