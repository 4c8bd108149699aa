//! How the store is: what `/readyz` and `manara doctor` tell.

use crate::engine::params;
use crate::{Result, Store, schema};
use std::path::Path;

/// Below this there is no room to go on.
pub const LEAST_FREE: u64 = 64 << 20;

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
