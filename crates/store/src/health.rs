//! How the store is: what `/readyz` and `manara doctor` tell.

use crate::engine::params;
use crate::{Result, Store, schema};
use std::path::Path;

/// Below this there is no room to go on.
pub const LEAST_FREE: u64 = 64 << 20;

/// With so many writes waiting, of the 32 requests that may wait in all, another process is the better one to ask.
pub const QUEUE: u64 = 28;

/// The store's state.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Health {
    /// `embedded` or `postgresql`.
    pub engine: &'static str,
    /// Number of the schema in the store, and the newest that this program knows.
    pub schema: (i64, i64),
    /// Writes that wait for their turn.
    pub queue: u64,
    /// The last write could not be made, for a reason that is the disk's or the server's; in words.
    pub failing: Option<String>,
    /// Bytes free where the data folder is.
    pub free: Option<u64>,
}

impl Health {
    /// What keeps the node from doing its work; empty: nothing.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.schema.0 != self.schema.1 {
            problems.push(format!("the schema is {}, {} is needed", self.schema.0, self.schema.1));
        }
        if let Some(free) = self.free.filter(|free| *free < LEAST_FREE) {
            problems.push(format!("the disk is full: {} MB are free", free >> 20));
        }
        if self.queue >= QUEUE {
            problems.push(format!("{} writes wait for their turn", self.queue));
        }
        problems.extend(self.failing.clone());
        problems
    }
}

impl Store {
    /// Asks the store itself, and the disk.
    ///
    /// # Errors
    /// Where the store does not answer at all.
    pub fn health(&self) -> Result<Health> {
        let conn = self.reader()?;
        let (queue, failing) = self.writes();
        Ok(Health {
            engine: if self.place().database.is_some() { "postgresql" } else { "embedded" },
            schema: (conn.schema_version()?, schema::KNOWN),
            queue,
            failing,
            free: free(self.folder()),
        })
    }

    /// Writes a little, to see whether it can be done.
    ///
    /// # Errors
    /// What keeps the store from writing.
    pub fn try_write(&self) -> Result<()> {
        self.write(|tx| {
            let now = jiff::Timestamp::now().as_millisecond().to_string();
            tx.execute(
                "INSERT INTO meta (key, value) VALUES ('tried', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                &params![&now],
            )
            .map(drop)
        })
    }
}

/// Bytes that may still be written where this folder is.
#[must_use]
pub fn free(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_not_to_be_ready_is_told() {
        let good = Health { engine: "embedded", schema: (2, 2), queue: 3, failing: None, free: Some(1 << 30) };
        assert!(good.problems().is_empty());
        let bad = Health { schema: (1, 2), queue: QUEUE, failing: Some("no".into()), free: Some(1 << 20), ..good };
        let problems = bad.problems();
        assert_eq!(problems.len(), 4, "{problems:?}");
        for word in ["schema", "disk", "wait", "no"] {
            assert!(problems.iter().any(|problem| problem.contains(word)), "{word}");
        }
    }
}
