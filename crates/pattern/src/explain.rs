//! A pattern in words: what it looks for, and by which values it can be found.

use crate::watch::Watch;
use crate::{Comparison, Constant, Counts, Observing, Op, Pattern, Qualifier, Relation, Test};
use std::fmt::Write;

/// What a pattern looks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// In words, a line for each piece, deeper ones indented by two blanks.
    pub words: Vec<String>,
    /// The values an index can hold: `domain-name:value = 'evil.example'`.
    pub indexable: Vec<String>,
    /// Comparisons that no value can be filed for.
    pub not_indexable: Vec<String>,
    /// How its brackets are found in a stream.
    pub counts: Counts,
}

/// Puts a pattern in words.
#[must_use]
pub fn explain(pattern: &Pattern) -> Explanation {
    let mut words = Vec::new();
    observing(pattern.root(), 0, "", &mut words);
    let indexable = pattern.atoms().filter(|atom| atom.positive);
    let indexable = indexable.map(|atom| format!("{}:{} = {}", atom.object, atom.property, atom.constant)).collect();
    let tests = pattern.leaves().into_iter().flat_map(Comparison::tests);
    let not_indexable = tests.filter(|test| !is_atom(test)).map(Test::to_string).collect();
    let counts = Watch::new(std::slice::from_ref(pattern)).counts();
    Explanation { words, indexable, not_indexable, counts }
}

fn is_atom(test: &Test) -> bool {
    let equal = matches!(test.op, Op::Compare(Relation::Equal, _) | Op::In(_));
    let unequal = matches!(test.op, Op::Compare(Relation::NotEqual, _));
    equal && !test.negated || unequal && test.negated
}

fn line(depth: usize, text: String, words: &mut Vec<String>) {
    words.push(format!("{}{text}", "  ".repeat(depth)));
}

fn observing(node: &Observing, depth: usize, limits: &str, words: &mut Vec<String>) {
    let mut list = |head: &str, all: &[Observing]| {
        line(depth, format!("{head}{limits}:"), words);
        all.iter().for_each(|node| observing(node, depth + 1, "", words));
    };
    match node {
        Observing::And(all) => list("all of these, by different observations", all),
        Observing::Or(all) => list("any of these", all),
        Observing::FollowedBy(all) => list("these one after the other, by different observations", all),
        Observing::Test(comparison, _) => {
            line(depth, format!("an observation{limits} of an object of which this is true:"), words);
            compared(comparison, depth + 1, words);
        }
        Observing::Qualified { inner, qualifier, .. } => {
            observing(inner, depth, &format!("{}{limits}", limit(qualifier)), words);
        }
    }
}

fn limit(qualifier: &Qualifier) -> String {
    match qualifier {
        Qualifier::Repeats(n) => format!(", {n} times"),
        Qualifier::Within(seconds) => format!(", within {seconds} seconds"),
        Qualifier::StartStop(from, to) => format!(", from {from} to before {to}"),
    }
}

fn compared(comparison: &Comparison, depth: usize, words: &mut Vec<String>) {
    let mut list = |head: &str, all: &[Comparison]| {
        line(depth, format!("{head}:"), words);
        all.iter().for_each(|part| compared(part, depth + 1, words));
    };
    match comparison {
        Comparison::And(all, _) => list("all of", all),
        Comparison::Or(all, _) => list("any of", all),
        Comparison::Test(test) => line(depth, in_words(test), words),
    }
}

fn in_words(test: &Test) -> String {
    let path = &test.path;
    let mut text = format!("{}, {}: ", path.object, path.property());
    let not = if test.negated { "not " } else { "" };
    // Writing to a string does not fail.
    let _ = match &test.op {
        Op::Exists if test.negated => write!(text, "is not there"),
        Op::Exists => write!(text, "is there, whatever it is"),
        Op::Compare(relation, constant) => write!(text, "{not}{} {}", relation_words(*relation), plain(constant)),
        Op::In(set) => {
            let set = set.iter().map(plain).collect::<Vec<_>>().join(", ");
            write!(text, "{not}one of {set}")
        }
        Op::Like(mask) => write!(text, "{not}of the form '{mask}' (% any characters, _ one)"),
        Op::Matches(expression) => write!(text, "{not}with the regular expression {} in it", expression.text()),
        Op::IsSubset(network) => write!(text, "{not}an address or network in {network}"),
        Op::IsSuperset(network) => write!(text, "{not}a network with {network} in it"),
    };
    text
}

fn relation_words(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "equal to",
        Relation::NotEqual => "other than",
        Relation::Less => "less than",
        Relation::Greater => "more than",
        Relation::LessOrEqual => "at most",
        Relation::GreaterOrEqual => "at least",
    }
}

fn plain(constant: &Constant) -> String {
    match constant {
        Constant::Text(text) => format!("'{text}'"),
        Constant::Time(at) => at.to_string(),
        Constant::Hex(_) | Constant::Binary(_) => format!("the bytes {constant}"),
        other => other.to_string(),
    }
}
