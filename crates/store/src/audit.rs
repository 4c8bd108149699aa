//! The audit log: who changed what, when. Each row's hash covers the row before, so that nothing
//! can be taken out or changed without every later hash being wrong.

use crate::engine::{Bulk, Conn, Kind, Row, params};
use crate::tx::Tx;
use crate::{Result, Store, StoreError};
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

const AUDIT: Bulk<'static> = Bulk {
    table: "audit",
    columns: &[
        ("seq", Kind::Int),
        ("at", Kind::Int),
        ("actor", Kind::Text),
        ("action", Kind::Text),
        ("subject", Kind::Text),
        ("detail", Kind::Text),
        ("hash", Kind::Blob),
    ],
};
/// Processes on one database write the log's end one after another.
const LOG: i64 = 0x6d61_6e61_7261_0002;
/// Entries read at a time where all are.
const PAGE: i64 = 1000;

/// Notes an entry, to be written with the change that it tells of.
pub(crate) fn append(tx: &Tx<'_>, actor: &str, action: &str, subject: &str, detail: &str) -> Result<()> {
    // A NUL would read differently in the two engines, and break the chain.
    let text = |text: &str| text.replace('\0', "\u{2400}");
    tx.note(Entry {
        seq: 0,
        at: jiff::Timestamp::now().as_millisecond(),
        actor: text(actor),
        action: action.into(),
        subject: text(subject),
        detail: text(detail),
    });
    Ok(())
}

/// Writes entries at the log's end.
pub(crate) fn write(tx: &Tx<'_>, entries: Vec<Entry>) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    tx.hold(LOG)?;
    let last = tx.first("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", &[], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?))
    })?;
    let (mut seq, mut hash) = last.unwrap_or((0, vec![0; 32]));
    let mut rows = Vec::with_capacity(entries.len());
    for mut entry in entries {
        seq += 1;
        entry.seq = seq;
        hash = chain(&hash, &entry).to_vec();
        let Entry { seq, at, actor, action, subject, detail } = entry;
        rows.push(params![seq, at, actor, action, subject, detail, hash.clone()]);
    }
    let (written, added) = (rows.len() as u64, AUDIT.add(tx, rows.into_iter())?);
    if written == added { Ok(()) } else { Err(StoreError::damaged("the audit log's end is not its end")) }
}

fn read(row: &Row<'_>) -> Result<(Entry, Vec<u8>)> {
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
pub(crate) fn check(conn: &Conn) -> Result<std::result::Result<i64, String>> {
    let sql = "SELECT seq, at, actor, action, subject, detail, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    let (mut previous, mut count) = (vec![0; 32], 0);
    loop {
        let page = conn.all(sql, &params![count, PAGE], read)?;
        if page.is_empty() {
            return Ok(Ok(count));
        }
        for (entry, hash) in page {
            count += 1;
            if entry.seq != count {
                return Ok(Err(format!("audit entry {count} is missing")));
            }
            if chain(&previous, &entry).as_slice() != hash {
                return Ok(Err(format!("audit entry {count} does not fit the one before it: it was changed")));
            }
            previous = hash;
        }
    }
}

impl Store {
    /// The newest entries, newest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<Entry>> {
        self.reader()?.all(
            "SELECT seq, at, actor, action, subject, detail, hash FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
            &params![before.unwrap_or(i64::MAX), limit],
            |row| read(row).map(|(entry, _)| entry),
        )
    }
}
