//! The canonical text of a tree: it is read as the same tree again.

use crate::lexer::reserved;
use crate::{Comparison, Constant, Observing, Op, Path, Pattern, Qualifier, Relation, Step, Test};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

/// How tightly an expression holds together.
fn rank(node: &Observing) -> u8 {
    match node {
        Observing::FollowedBy(_) => 0,
        Observing::Or(_) => 1,
        Observing::And(_) => 2,
        Observing::Qualified { .. } => 3,
        Observing::Test(..) => 4,
    }
}

impl Display for Observing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut Formatter<'_>, all: &[Observing], word: &str| {
            for (n, node) in all.iter().enumerate() {
                if n > 0 {
                    write!(f, " {word} ")?;
                }
                bracketed(f, node, rank(node) <= rank(self))?;
            }
            Ok(())
        };
        match self {
            Observing::Test(comparison, _) => write!(f, "[{comparison}]"),
            Observing::And(all) => joined(f, all, "AND"),
            Observing::Or(all) => joined(f, all, "OR"),
            Observing::FollowedBy(all) => joined(f, all, "FOLLOWEDBY"),
            Observing::Qualified { .. } => {
                let (base, qualifiers) = unfold(self);
                bracketed(f, base, rank(base) < 3 || repeated(&qualifiers))?;
                qualifiers.iter().rev().try_for_each(|qualifier| write!(f, " {qualifier}"))
            }
        }
    }
}

fn bracketed(f: &mut Formatter<'_>, node: &Observing, brackets: bool) -> fmt::Result {
    if brackets { write!(f, "({node})") } else { node.fmt(f) }
}

/// What is qualified, and by what, outermost first.
fn unfold(mut node: &Observing) -> (&Observing, Vec<&Qualifier>) {
    let mut qualifiers = Vec::new();
    while let Observing::Qualified { inner, qualifier, .. } = node {
        qualifiers.push(qualifier);
        node = inner;
    }
    (node, qualifiers)
}

/// The same kind twice needs parentheses around what they qualify.
fn repeated(qualifiers: &[&Qualifier]) -> bool {
    let kind = |q: &Qualifier| std::mem::discriminant(q);
    qualifiers.iter().enumerate().any(|(n, q)| qualifiers[..n].iter().any(|other| kind(other) == kind(q)))
}

impl Display for Qualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Qualifier::Repeats(n) => write!(f, "REPEATS {n} TIMES"),
            Qualifier::Within(seconds) if seconds.fract() == 0.0 && *seconds < 9e15 => {
                write!(f, "WITHIN {seconds:.0} SECONDS")
            }
            Qualifier::Within(seconds) => write!(f, "WITHIN {} SECONDS", Float(*seconds)),
            Qualifier::StartStop(from, to) => {
                write!(f, "START {} STOP {}", Constant::Time(*from), Constant::Time(*to))
            }
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut Formatter<'_>, all: &[Comparison], word: &str, both: bool| {
            for (n, part) in all.iter().enumerate() {
                if n > 0 {
                    write!(f, " {word} ")?;
                }
                match part {
                    Comparison::Test(test) => write!(f, "{test}")?,
                    Comparison::And(..) if !both => write!(f, "{part}")?,
                    _ => write!(f, "({part})")?,
                }
            }
            Ok(())
        };
        match self {
            Comparison::And(all, _) => joined(f, all, "AND", true),
            Comparison::Or(all, _) => joined(f, all, "OR", false),
            Comparison::Test(test) => test.fmt(f),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "NOT " } else { "" };
        let path = &self.path;
        match &self.op {
            Op::Exists => write!(f, "{not}EXISTS {path}"),
            Op::Compare(relation, constant) => write!(f, "{path} {not}{relation} {constant}"),
            Op::In(set) => {
                write!(f, "{path} {not}IN (")?;
                for (n, constant) in set.iter().enumerate() {
                    write!(f, "{}{constant}", if n > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            Op::Like(mask) => write!(f, "{path} {not}LIKE {}", Quoted(mask)),
            Op::Matches(expression) => write!(f, "{path} {not}MATCHES {}", Quoted(expression.text())),
            Op::IsSubset(network) => write!(f, "{path} {not}ISSUBSET '{network}'"),
            Op::IsSuperset(network) => write!(f, "{path} {not}ISSUPERSET '{network}'"),
        }
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Relation::Equal => "=",
            Relation::NotEqual => "!=",
            Relation::Less => "<",
            Relation::Greater => ">",
            Relation::LessOrEqual => "<=",
            Relation::GreaterOrEqual => ">=",
        })
    }
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Constant::Integer(n) => write!(f, "{n}"),
            Constant::Float(n) => Float(*n).fmt(f),
            Constant::Text(text) => Quoted(text).fmt(f),
            Constant::Boolean(value) => write!(f, "{value}"),
            Constant::Time(at) => write!(f, "t'{at}'"),
            Constant::Hex(bytes) => {
                f.write_str("h'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
            Constant::Binary(bytes) => {
                use base64::Engine;
                write!(f, "b'{}'", base64::engine::general_purpose::STANDARD.encode(bytes))
            }
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.object)?;
        write_steps(f, &self.steps)
    }
}

impl Path {
    /// The canonical text of what follows the colon: `hashes.'SHA-256'`.
    #[must_use]
    pub fn property(&self) -> String {
        struct Steps<'a>(&'a [Step]);
        impl Display for Steps<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write_steps(f, self.0)
            }
        }
        Steps(&self.steps).to_string()
    }
}

fn write_steps(f: &mut Formatter<'_>, steps: &[Step]) -> fmt::Result {
    for (n, step) in steps.iter().enumerate() {
        match step {
            Step::Key(key) => {
                if n > 0 {
                    f.write_char('.')?;
                }
                let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if plain && !reserved(key) { f.write_str(key)? } else { Quoted(key).fmt(f)? }
            }
            Step::Index(at) => write!(f, "[{at}]")?,
            Step::Any => f.write_str("[*]")?,
        }
    }
    Ok(())
}

/// A string in quotes, with its escapes.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('\'')?;
        for c in self.0.chars() {
            if matches!(c, '\'' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('\'')
    }
}

/// A number that is read as one with a fraction.
struct Float(f64);

impl Display for Float {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.fract() == 0.0 { write!(f, "{:.1}", self.0) } else { write!(f, "{}", self.0) }
    }
}
