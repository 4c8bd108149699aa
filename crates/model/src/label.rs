//! A label is what policy judges: whose it is, and how it is marked. Rows with the same label
//! share one judgement, so an audience is worked out once for a handful of labels, not per row.

use crate::{Marking, OrgId};
use serde::{Deserialize, Serialize};

/// Owner and effective marking of a record or of a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// The organisation at this node that holds the record and decides who sees it.
    pub owner: OrgId,
    /// The marking that holds here: the part's own met with that of its whole.
    pub marking: Marking,
}

impl Label {
    /// A label for something that `owner` holds.
    #[must_use]
    pub fn new(owner: OrgId, marking: Marking) -> Self {
        Label { owner, marking }
    }

    /// The label of a part: inherits from the whole, never wider.
    #[must_use]
    pub fn narrowed(&self, part: &Marking) -> Self {
        if *part == Marking::default() {
            return self.clone();
        }
        Label { owner: self.owner, marking: self.marking.explicit().meet(part) }
    }
}
