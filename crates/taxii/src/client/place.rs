//! What is asked of a collection, how far it was read, and who takes what comes.

use super::ClientError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// Only objects of these types; empty: all.
    pub types: Vec<String>,
    /// Objects a page; 0: [`super::LIMIT`].
    pub limit: usize,
    /// All versions of an object, not only the newest.
    pub all_versions: bool,
}

/// How far a collection was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Asked for is what was added after this.
    pub after: Option<String>,
    /// In the middle of a run: how the server wants to be asked for the rest of it.
    pub next: Option<String>,
    /// In the middle of a run: each page has a name of its own, so that one can be asked for again.
    pub named: bool,
    /// In the middle of a run: after this nothing was taken yet.
    pub sure: Option<String>,
    /// In the middle of a run: when it began, by the server's clock.
    pub began: Option<String>,
    /// In the middle of a run: so many objects a page, where more came at one moment than were asked for.
    pub limit: usize,
    /// In the middle of a run: what should be known of it, in words.
    pub notes: Vec<String>,
}

/// Who takes what is read.
pub trait Taker {
    /// Takes objects: when this returns, they are safe.
    ///
    /// # Errors
    /// The reading stops.
    fn take(&mut self, objects: &[Box<RawValue>]) -> Result<(), ClientError>;
    /// Keeps a place: all before it was taken.
    ///
    /// # Errors
    /// The reading stops.
    fn keep(&mut self, place: &Place) -> Result<(), ClientError>;
    /// Hears how many objects and pages came.
    fn tell(&mut self, objects: usize, pages: usize) {
        let _ = (objects, pages);
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Objects that came.
    pub objects: usize,
    /// Pages that they came in.
    pub pages: usize,
    /// What should be known, in words.
    pub notes: Vec<String>,
}
