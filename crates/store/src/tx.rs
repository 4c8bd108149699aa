//! A write in progress: a connection in a transaction, and what is written at its very end.
//!
//! Entries of the audit log wait until then, so that with several processes on one database the log's
//! end is held for the last moment only. Dictionaries (values, labels, tags: rows that everyone shares
//! and nobody owns) are filled in transactions of their own there, in one order, so that two imports of
//! the same feed wait for each other briefly and never in a circle.

use crate::audit::{self, Entry};
use crate::engine::Conn;
use crate::{Result, facts};
use std::cell::{Cell, RefCell};
use std::ops::Deref;

/// See the module.
pub(crate) struct Tx<'c> {
    conn: &'c Conn,
    /// Where dictionaries are filled; `None`: here.
    side: Option<&'c Conn>,
    entries: RefCell<Vec<Entry>>,
    facts: Cell<bool>,
}

/// A point to come back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    entries: usize,
    facts: bool,
}

impl Deref for Tx<'_> {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        self.conn
    }
}

impl<'c> Tx<'c> {
    pub(crate) fn new(conn: &'c Conn, side: Option<&'c Conn>) -> Self {
        Tx { conn, side, entries: RefCell::default(), facts: Cell::new(false) }
    }

    /// Notes an entry for the audit log.
    pub(crate) fn note(&self, entry: Entry) {
        self.entries.borrow_mut().push(entry);
    }

    /// Organisations, groups or labels have changed: snapshots after this one read them anew.
    pub(crate) fn facts_changed(&self) {
        self.facts.set(true);
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { entries: self.entries.borrow().len(), facts: self.facts.get() }
    }

    /// Forgets what was noted since.
    pub(crate) fn back_to(&self, mark: Mark) {
        self.entries.borrow_mut().truncate(mark.entries);
        self.facts.set(mark.facts);
    }

    /// Adds to a dictionary, for good: what is added stays even where this write fails.
    pub(crate) fn dictionary<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let Some(side) = self.side else { return work(self) };
        side.begin_write()?;
        let inner = Tx::new(side, None);
        let done = work(&inner).and_then(|value| {
            inner.seal()?;
            Ok(value)
        });
        match done {
            Ok(value) => side.script("COMMIT").map(|()| value),
            Err(error) => {
                let _ = side.script("ROLLBACK");
                Err(error)
            }
        }
    }

    /// Writes what waited for the end. Nothing but COMMIT comes after.
    pub(crate) fn seal(&self) -> Result<()> {
        let entries = std::mem::take(&mut *self.entries.borrow_mut());
        audit::write(self, entries)?;
        if self.facts.replace(false) {
            facts::bump(self)?;
        }
        Ok(())
    }
}
