//! What a reader pours into. A reader calls [`Sink::begin`], then [`Sink::part`] for each part,
//! then [`Sink::end`]; rows that it can't read go to [`Sink::reject`] and stop nothing.

use super::{PartDraft, RecordDraft};
use crate::observable::Observable;
use serde::Serialize;
use uuid::Uuid;

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

/// What is told of an input holds pieces of it: on one line, without control or direction characters that
/// could rewrite a screen, and not longer than people read.
#[must_use]
pub fn telling(text: &str) -> String {
    const MOST: usize = 600;
    let safe = |c: char| match c {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    if text.chars().count() <= MOST {
        return text.chars().map(safe).collect();
    }
    // Where it is wrong stands at the end, what is wrong at the beginning.
    let tail: Vec<char> = text.chars().rev().take(MOST / 3).collect();
    text.chars().take(MOST * 2 / 3).chain(['…']).chain(tail.into_iter().rev()).map(safe).collect()
}

impl Rejection {
    /// The same, fit to be shown: see [`telling`].
    #[must_use]
    pub fn tidied(self) -> Self {
        Rejection { file: telling(&self.file), place: telling(&self.place), reason: telling(&self.reason) }
    }
}

/// A sighting that came with a record.
#[derive(Clone, Debug)]
pub struct SightingDraft {
    /// Its own identifier, or one derived from what it says: the same one twice is one.
    pub uuid: Uuid,
    /// Of what.
    pub observable: Observable,
    /// 0 seen, 1 false positive, 2 expired (MISP's numbers).
    pub kind: u8,
    /// When, Unix milliseconds.
    pub seen: i64,
    /// By what (a sensor's name).
    pub source: String,
    /// Who says so.
    pub org: Option<Uuid>,
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

    /// Somebody saw a value of the record that began last. What a sink does not want, it leaves.
    fn sighting(&mut self, _sighting: SightingDraft) {}

    /// Whether an indicator of which no value is found is a row that was not understood. To a node it is not: it
    /// keeps the pattern.
    fn wants_unheld(&self) -> bool {
        false
    }

    /// The record that began turned out to be broken: nothing of it is kept.
    fn abandon(&mut self);

    /// Something was not understood.
    fn reject(&mut self, rejection: Rejection);

    /// Something was understood, but its user should know (two TLP marks, say).
    fn warn(&mut self, warning: Rejection);
}
