//! Clearing old versions, withdrawn records and a crash's leftovers out of the index. None of them
//! is visible at any time (every question asks for current records); this only gives the room back.

use crate::engine::params;
use crate::{Result, Store, index};

/// A half-written record that nobody has touched for this long has lost its writer.
const ABANDONED_MS: i64 = 10 * 60 * 1000;

impl Store {
    /// Is there something to clear away?
    ///
    /// # Errors
    /// The engine's.
    pub fn leftovers(&self) -> Result<bool> {
        let before = jiff::Timestamp::now().as_millisecond() - ABANDONED_MS;
        self.reader()?.exists(
            "SELECT 1 FROM record WHERE state <> 1 AND indexed = 1 AND (state <> 0 OR received < ?1) LIMIT 1",
            &params![before],
        )
    }

    /// Clears what is no longer current, a chunk a transaction, so that other writers get their turn.
    ///
    /// # Errors
    /// The engine's.
    pub fn sweep(&self) -> Result<()> {
        let before = jiff::Timestamp::now().as_millisecond() - ABANDONED_MS;
        let leftovers: Vec<i64> = self.reader()?.all(
            "SELECT id FROM record WHERE state <> 1 AND indexed = 1 AND (state <> 0 OR received < ?1) LIMIT 10000",
            &params![before],
            |row| row.get(0),
        )?;
        for record in leftovers {
            let mut after = Some(-1);
            while let Some(first) = after {
                after = self.write_large(move |tx| index::sweep_chunk(tx, record, first))?;
            }
        }
        Ok(())
    }
}
