//! What an index knows of an indicator beside its text.

use manara_matching::Index;
use serde::{Deserialize, Serialize};

/// Who spoke of an indicator, and what may be done with that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Identifiers of the records that hold it.
    pub records: Vec<String>,
    /// Their tags.
    pub tags: Vec<String>,
    /// The narrowest marking among them, like `TLP:AMBER`.
    pub marking: Option<String>,
}

/// What an index knows of one of its indicators; `None` where it was made of bare values.
#[must_use]
pub fn details(_index: &Index, _indicator: u32) -> Option<Details> {
    None
}
