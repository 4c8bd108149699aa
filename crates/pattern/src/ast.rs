//! The tree of a pattern (STIX 2.1 §9.2 to §9.7). Sub-expressions of the same operator stand in one
//! list, so depth is that of the brackets.

use crate::{Expression, Network, Note, Span, Warning};
use jiff::Timestamp;

/// A pattern that was read.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub(crate) root: Observing,
    pub(crate) notes: Vec<Note>,
    pub(crate) mode: crate::Mode,
    pub(crate) text: Box<str>,
}

/// Equal when their trees are, however they were written.
impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.root == other.root
    }
}

impl Pattern {
    /// The tree.
    #[must_use]
    pub fn root(&self) -> &Observing {
        &self.root
    }

    /// What was let pass in tolerant mode, in reading.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What is allowed and will hardly be what was meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        crate::warn::warnings(&self.root)
    }

    /// How it was read, and is matched.
    #[must_use]
    pub fn mode(&self) -> crate::Mode {
        self.mode
    }

    /// The text it was read from; places are offsets in it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The observation expressions in brackets, in the order they are written.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Comparison> {
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found
    }
}

fn collect<'a>(node: &'a Observing, found: &mut Vec<&'a Comparison>) {
    match node {
        Observing::Test(comparison, _) => found.push(comparison),
        Observing::And(all) | Observing::Or(all) | Observing::FollowedBy(all) => {
            all.iter().for_each(|node| collect(node, found));
        }
        Observing::Qualified { inner, .. } => collect(inner, found),
    }
}

/// What has to be observed (§9.5).
#[derive(Debug, Clone, PartialEq)]
pub enum Observing {
    /// `[…]`: one observation of which this is true.
    Test(Comparison, Span),
    /// All, by different observations.
    And(Vec<Observing>),
    /// Any of them.
    Or(Vec<Observing>),
    /// One after the other, by different observations; groups to the left.
    FollowedBy(Vec<Observing>),
    /// Within limits of number or time.
    Qualified {
        /// What is limited.
        inner: Box<Observing>,
        /// The limit.
        qualifier: Qualifier,
        /// Where the qualifier stands.
        span: Span,
    },
}

impl Observing {
    /// How many qualifiers stand on it.
    pub(crate) fn qualifiers(&self) -> usize {
        match self {
            Observing::Qualified { inner, .. } => 1 + inner.qualifiers(),
            _ => 0,
        }
    }
}

/// A limit (§9.5.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Qualifier {
    /// `REPEATS n TIMES`, n at least 1.
    Repeats(u32),
    /// `WITHIN n SECONDS`, more than 0.
    Within(f64),
    /// `START a STOP b`: at or after a, before b.
    StartStop(Timestamp, Timestamp),
}

/// What is true of one cyber-observable object (§9.6).
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// All of it, of the same object.
    And(Vec<Comparison>, Span),
    /// Any of it.
    Or(Vec<Comparison>, Span),
    /// One comparison.
    Test(Test),
}

impl Comparison {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Comparison::And(_, span) | Comparison::Or(_, span) => *span,
            Comparison::Test(test) => test.span,
        }
    }

    /// Every single comparison in it.
    #[must_use]
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Comparison::And(all, _) | Comparison::Or(all, _) => all.iter().flat_map(Comparison::tests).collect(),
            Comparison::Test(test) => vec![test],
        }
    }
}

/// One comparison (§9.6): true when a value at the path makes it true.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Where to look.
    pub path: Path,
    /// NOT stands before the operator.
    pub negated: bool,
    /// What is asked.
    pub op: Op,
    /// Where it stands.
    pub span: Span,
}

/// An operator with its right side.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `=`, `!=`, `<`, `>`, `<=`, `>=`.
    Compare(Relation, Constant),
    /// `IN (…)`.
    In(Vec<Constant>),
    /// `LIKE`: `%` is any run of characters, `_` one.
    Like(String),
    /// `MATCHES`: a regular expression, found anywhere.
    Matches(Expression),
    /// `ISSUBSET`: the value is in this network.
    IsSubset(Network),
    /// `ISSUPERSET`: the value is a network with this in it.
    IsSuperset(Network),
    /// `EXISTS`.
    Exists,
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    LessOrEqual,
    /// `>=`
    GreaterOrEqual,
}

/// A constant (§9.2).
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction; finite.
    Float(f64),
    /// `'…'`, its escapes undone.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// `t'…'`
    Time(Timestamp),
    /// `h'…'`
    Hex(Vec<u8>),
    /// `b'…'`
    Binary(Vec<u8>),
}

/// A path into objects of a type (§9.7).
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The type of object it begins at.
    pub object: String,
    /// From there on; the first is a key.
    pub steps: Vec<Step>,
    /// Where it stands.
    pub span: Span,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// A property, or a key of a dictionary.
    Key(String),
    /// A place in a list, from 0; a negative one is never there.
    Index(i64),
    /// `[*]`: any place in a list.
    Any,
}
