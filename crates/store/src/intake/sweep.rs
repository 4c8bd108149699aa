//! Clearing old versions, withdrawn records and a crash's leftovers out of the index. None of them
//! is visible at any time (every question asks for current records); this only gives the room back.

use crate::{Result, Store, index};

/// A half-written record that nobody has touched for this long has lost its writer.
const ABANDONED_MS: i64 = 10 * 60 * 1000;

impl Store {
    /// Clears what is no longer current, a chunk a transaction, so that other writers get their turn.
    ///
    /// # Errors
    /// The engine's.
    pub fn sweep(&self) -> Result<()> {
        let before = jiff::Timestamp::now().as_millisecond() - ABANDONED_MS;
        let leftovers: Vec<i64> = {
            let conn = self.reader()?;
            let mut statement = conn.prepare_cached(
                "SELECT id FROM record WHERE indexed = 1 AND (state = 2 OR state = 3 OR (state = 0 AND received < ?1))",
            )?;
            let rows = statement.query_map([before], |row| row.get(0))?;
            rows.collect::<std::result::Result<_, _>>()?
        };
        for record in leftovers {
            let mut after = Some(-1);
            while let Some(first) = after {
                after = self.write(move |conn| index::sweep_chunk(conn, record, first))?;
            }
        }
        Ok(())
    }
}
