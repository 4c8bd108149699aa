//! The audit log: who changed what, when. Each row's hash covers the row before, so that nothing
//! can be taken out or changed without every later hash being wrong.

use crate::{Result, Store, StoreError};
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Counts from 1.
    pub seq: i64,
    /// Unix milliseconds.
    pub at: i64,
    /// Account, or `cli`.
    pub actor: String,
    /// What was done, e.g. `record.add`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// More, for people.
    pub detail: String,
}

fn chain(previous: &[u8], entry: &Entry) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(entry.seq.to_be_bytes());
    hash.update(entry.at.to_be_bytes());
    for text in [&entry.actor, &entry.action, &entry.subject, &entry.detail] {
        // Lengths keep "ab"+"c" apart from "a"+"bc".
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// Appends an entry, in the transaction of the change that it tells of.
pub(crate) fn append(conn: &Connection, actor: &str, action: &str, subject: &str, detail: &str) -> Result<()> {
    let mut last = conn.prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?;
    let (seq, previous): (i64, Vec<u8>) =
        last.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?.unwrap_or((0, vec![0; 32]));
    let entry = Entry {
        seq: seq + 1,
        at: jiff::Timestamp::now().as_millisecond(),
        actor: actor.into(),
        action: action.into(),
        subject: subject.into(),
        detail: detail.into(),
    };
    let hash = chain(&previous, &entry);
    conn.prepare_cached(
        "INSERT INTO audit (seq, at, actor, action, subject, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((entry.seq, entry.at, actor, action, subject, detail, hash.as_slice()))?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Entry, Vec<u8>)> {
    let entry = Entry {
        seq: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(5)?,
    };
    Ok((entry, row.get(6)?))
}

/// Walks the whole chain; the first break is told.
pub(crate) fn check(conn: &Connection) -> Result<std::result::Result<i64, String>> {
    let mut statement = conn.prepare("SELECT seq, at, actor, action, subject, detail, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let (mut previous, mut count) = (vec![0; 32], 0);
    while let Some(row) = rows.next()? {
        let (entry, hash) = read(row)?;
        count += 1;
        if entry.seq != count {
            return Ok(Err(format!("audit entry {count} is missing")));
        }
        if chain(&previous, &entry).as_slice() != hash {
            return Ok(Err(format!("audit entry {} does not fit the one before it: it was changed", entry.seq)));
        }
        previous = hash;
    }
    Ok(Ok(count))
}

impl Store {
    /// The newest entries, newest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<Entry>> {
        let conn = self.reader()?;
        let mut statement = conn.prepare_cached(
            "SELECT seq, at, actor, action, subject, detail, hash FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
        )?;
        let rows = statement.query_map((before.unwrap_or(i64::MAX), limit), |row| read(row).map(|(entry, _)| entry))?;
        rows.collect::<std::result::Result<_, _>>().map_err(StoreError::from)
    }
}
