//! What the standard allows and nobody means.

use crate::{Comparison, Constant, Observing, Op, Qualifier, Relation, Span, Step};
use std::collections::BTreeSet;

/// Something that is allowed and hardly meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// What.
    pub what: String,
    /// Where.
    pub span: Span,
}

pub(crate) fn warnings(root: &Observing) -> Vec<Warning> {
    let mut found = Vec::new();
    walk(root, &mut found);
    found
}

fn walk(node: &Observing, found: &mut Vec<Warning>) {
    match node {
        Observing::Test(comparison, _) => {
            types(comparison, found);
            comparison.tests().iter().for_each(|test| hashes(test, found));
        }
        Observing::And(all) | Observing::Or(all) | Observing::FollowedBy(all) => {
            all.iter().for_each(|node| walk(node, found));
        }
        Observing::Qualified { inner, qualifier, span } => {
            walk(inner, found);
            if let Qualifier::StartStop(start, stop) = qualifier
                && start >= stop
            {
                let what = "STOP is not after START: this never matches".to_owned();
                found.push(Warning { what, span: *span });
            }
        }
    }
}

/// The types of object a comparison can be true of. An object has one type, so AND of comparisons
/// that have none in common is never true; the grammar allows it (§9.6).
fn types<'c>(comparison: &'c Comparison, found: &mut Vec<Warning>) -> BTreeSet<&'c str> {
    match comparison {
        Comparison::Test(test) => BTreeSet::from([test.path.object.as_str()]),
        Comparison::Or(all, _) => all.iter().flat_map(|part| types(part, found)).collect(),
        Comparison::And(all, span) => {
            let sets: Vec<BTreeSet<&str>> = all.iter().map(|part| types(part, found)).collect();
            let mut common = sets.first().cloned().unwrap_or_default();
            sets.iter().for_each(|set| common.retain(|ty| set.contains(ty)));
            if common.is_empty() && sets.iter().all(|set| !set.is_empty()) {
                let names: BTreeSet<&str> = sets.iter().flatten().copied().collect();
                let names = names.into_iter().collect::<Vec<_>>().join(", ");
                let what = format!(
                    "AND joins comparisons of different objects ({names}) in one bracket, which no object meets; \
                     write [… ] AND [… ] for several objects"
                );
                found.push(Warning { what, span: *span });
            }
            common
        }
    }
}

/// Digits of the hashes of the standard's vocabulary (§10.7).
const DIGITS: &[(&str, usize)] =
    &[("MD5", 32), ("SHA-1", 40), ("SHA-256", 64), ("SHA-512", 128), ("SHA3-256", 64), ("SHA3-512", 128)];

fn hashes(test: &crate::Test, found: &mut Vec<Warning>) {
    let [.., Step::Key(before), Step::Key(name)] = test.path.steps.as_slice() else { return };
    let Some((_, digits)) = DIGITS.iter().find(|(known, _)| before == "hashes" && name == known) else { return };
    let constants = match &test.op {
        Op::Compare(Relation::Equal | Relation::NotEqual, constant) => std::slice::from_ref(constant),
        Op::In(set) => set,
        _ => return,
    };
    for constant in constants {
        if let Constant::Text(text) = constant
            && !(text.len() == *digits && text.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            let what = format!("this is no {name}: it has {digits} hexadecimal digits");
            found.push(Warning { what, span: test.span });
            return;
        }
    }
}
