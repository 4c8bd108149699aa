//! What a reader pours into. A reader calls [`Sink::begin`], then [`Sink::part`] for each part,
//! then [`Sink::end`]; rows that it can't read go to [`Sink::reject`] and stop nothing.

use super::{PartDraft, RecordDraft};
use serde::Serialize;

/// A row or document that was not taken in, where it is, why, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// File name, as given.
    pub file: String,
    /// Where in it: `line 7`, a JSON pointer (`/Event/Attribute/3`), or a byte offset.
    pub place: String,
    /// What is wrong, with the offending value cut short, and how to mend it.
    pub reason: String,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records seen.
    pub records: u64,
    /// Observables mentioned.
    pub observables: u64,
}

/// Takes records and parts one at a time; bounded memory is the sink's duty.
pub trait Sink {
    /// What may go wrong.
    type Error: std::error::Error + Send + Sync + 'static;

    /// A record begins. `Ok(false)`: it is known already, unchanged; its parts need not be read.
    ///
    /// # Errors
    /// The store's.
    fn begin(&mut self, draft: RecordDraft) -> Result<bool, Self::Error>;

    /// The next part of the record that began last.
    ///
    /// # Errors
    /// The store's.
    fn part(&mut self, part: PartDraft) -> Result<(), Self::Error>;

    /// The record is complete.
    ///
    /// # Errors
    /// The store's.
    fn end(&mut self) -> Result<(), Self::Error>;

    /// The record that began turned out to be broken: nothing of it is kept.
    fn abandon(&mut self);

    /// Something was not understood.
    fn reject(&mut self, rejection: Rejection);

    /// Something was understood, but its user should know (two TLP marks, say).
    fn warn(&mut self, warning: Rejection);
}
