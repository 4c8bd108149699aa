//! What became of a feed, or why nothing of it came in.

use super::list::Rows;
use crate::answer::Fault;
use manara_model::record::{Rejection, telling};
use manara_store::StoreError;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// Errors that a report names.
const NAMED: usize = 50;

/// Why nothing of a feed came in.
#[derive(Debug)]
pub(crate) enum FeedError {
    /// It can't be as it is set up: what to mend.
    Setup(String),
    /// Not reached, or not to its end: it may be better later.
    Away(String),
    /// The same for several files in a row: nothing more is asked there.
    Gone(String),
    /// It is not wanted any more: the node ends, or another process does it.
    Ended,
    /// What came is not what the feed is said to be, or too much.
    Content(String),
    /// This side can't.
    Here(Fault),
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeedError::Away(why) | FeedError::Gone(why) => write!(f, "not reached: {why}"),
            FeedError::Ended => f.write_str("broken off here; it goes on where it stopped"),
            FeedError::Setup(why) | FeedError::Content(why) => f.write_str(why),
            FeedError::Here(fault) => match &fault.errors {
                Some(errors) => write!(f, "{} {}", fault.message, telling(&errors.to_string())),
                None => f.write_str(&fault.message),
            },
        }
    }
}

impl std::error::Error for FeedError {}

impl From<Fault> for FeedError {
    fn from(fault: Fault) -> Self {
        FeedError::Here(fault)
    }
}

impl From<StoreError> for FeedError {
    fn from(error: StoreError) -> Self {
        FeedError::Here(error.into())
    }
}

impl From<std::io::Error> for FeedError {
    fn from(error: std::io::Error) -> Self {
        FeedError::Here(error.into())
    }
}

/// What became of a feed.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct FeedReport {
    /// It holds what it held when it was read last.
    pub unmodified: bool,
    /// Events that it offers, or values.
    pub offered: usize,
    /// New ones.
    pub added: usize,
    /// Events of which there was a newer version.
    pub updated: usize,
    /// Those that were here already.
    pub unchanged: usize,
    /// Values that were here and are gone from the feed.
    pub removed: usize,
    /// Events and rows that the feed's rules leave out.
    pub filtered: usize,
    /// Events that are not taken, and why.
    pub skipped: BTreeMap<String, usize>,
    /// Rows in which nothing was found, and parts that were refused.
    pub rejected: usize,
    /// The first of them, with their places.
    pub rejections: Vec<Rejection>,
    /// What went wrong on the way.
    pub errors: Vec<String>,
    /// The event that holds a list's values.
    pub event: Option<Uuid>,
}

impl FeedReport {
    pub(super) fn fails(&mut self, what: impl fmt::Display) {
        if self.errors.len() < NAMED {
            self.errors.push(what.to_string());
        }
    }

    pub(super) fn skip(&mut self, why: &str) {
        *self.skipped.entry(why.to_owned()).or_default() += 1;
    }

    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.rejected += 1;
        if self.rejections.len() < NAMED {
            self.rejections.push(rejection.tidied());
        }
    }

    pub(super) fn rows(&mut self, rows: Rows) {
        (self.rejected, self.rejections, self.filtered) = (rows.rejected, rows.rejections, rows.excluded);
    }

    /// In one sentence.
    #[must_use]
    pub(crate) fn words(&self) -> String {
        if self.unmodified {
            return "Nothing has changed there since the last time.".into();
        }
        format!(
            "{} offered: {} new, {} updated, {} unchanged, {} gone, {} left out by rules, {} skipped, {} rejected, {} errors.",
            self.offered,
            self.added,
            self.updated,
            self.unchanged,
            self.removed,
            self.filtered,
            self.skipped.values().sum::<usize>(),
            self.rejected,
            self.errors.len()
        )
    }
}
