//! What every writer is: it takes cleared heads and parts, and nothing else.

use manara_model::observable::Type;
use manara_model::warninglist::WarningLists;
use manara_model::{Cleared, Head, Part};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// What a writer is told.
#[derive(Clone, Default)]
pub struct WriteOptions {
    /// Only values of these types.
    pub types: Option<BTreeSet<Type>>,
    /// Also values that their authors don't want looked for; formats that block or detect leave them out.
    pub undetected: bool,
    /// Values on these lists are held back from formats that block or detect.
    pub warning_lists: Option<Arc<WarningLists>>,
    /// Now, Unix milliseconds: serial numbers, headers.
    pub now: i64,
    /// Tags that are their keepers' own (MISP: not exportable): STIX leaves them out.
    pub kept_tags: BTreeSet<String>,
    /// STIX objects that came say nothing of a TLP that holds here, or a wider one: it is written into them, for those
    /// who get them would not know. Otherwise they go as they came.
    pub state_marking: bool,
    /// Name of the node's organisation, for headers.
    pub origin: String,
}

/// What a writer kept back, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HeldBack {
    /// Values on a warning list.
    pub warning_listed: u64,
    /// Addresses that nobody may block: private, loopback, multicast.
    pub reserved: u64,
    /// Values that the format has no words for: what is below a name, without the name itself.
    pub unsaid: u64,
    /// The first of them, with the list.
    pub examples: Vec<String>,
}

impl HeldBack {
    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.warning_listed + self.reserved + self.unsaid
    }
}

/// Writes records in a format. For each record: `head`, its parts, `end`; at last `finish`.
pub trait Writer {
    /// A record begins.
    ///
    /// # Errors
    /// The output's.
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()>;

    /// A part of it.
    ///
    /// # Errors
    /// The output's.
    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()>;

    /// The record is complete.
    ///
    /// # Errors
    /// The output's.
    fn end(&mut self) -> io::Result<()>;

    /// There are no more records.
    ///
    /// # Errors
    /// The output's.
    fn finish(&mut self) -> io::Result<()>;

    /// What was kept back.
    fn held_back(&self) -> HeldBack;
}
