//! The values a pattern asks for by equality, for whoever keeps an index of them.

use crate::{Constant, Op, Pattern, Relation, Test};

/// A comparison of a property with one value: `=`, `!=`, or a member of `IN`.
#[derive(Debug, Clone, PartialEq)]
pub struct Atom<'p> {
    /// The type of object.
    pub object: &'p str,
    /// The property's canonical path: `hashes.'SHA-256'`.
    pub property: String,
    /// The value.
    pub constant: &'p Constant,
    /// Is the value looked for (`=`, `IN`)? Not positive is `!=`, `NOT IN` and `NOT =`.
    pub positive: bool,
    /// The comparison it is of.
    pub test: &'p Test,
}

impl Pattern {
    /// All equality atoms, in the order they are written.
    pub fn atoms(&self) -> impl Iterator<Item = Atom<'_>> {
        self.leaves().into_iter().flat_map(crate::Comparison::tests).flat_map(|test| {
            let (constants, equal): (&[Constant], bool) = match &test.op {
                Op::Compare(Relation::Equal, constant) => (std::slice::from_ref(constant), true),
                Op::Compare(Relation::NotEqual, constant) => (std::slice::from_ref(constant), false),
                Op::In(set) => (set, true),
                _ => (&[], true),
            };
            constants.iter().map(move |constant| Atom {
                object: &test.path.object,
                property: test.path.property(),
                constant,
                positive: equal != test.negated,
                test,
            })
        })
    }
}
