//! Small numbers for things that have a UUID: what MISP and its users know organisations, accounts and
//! groups by. Given once, never again to another.

use crate::engine::{Conn, params};
use crate::tx::Tx;
use crate::{Result, Store};
use uuid::Uuid;

/// The number of a thing, giving it one where it has none.
pub(crate) fn of(tx: &Tx<'_>, kind: &str, uuid: Uuid) -> Result<i64> {
    if let Some(number) = find(tx, kind, uuid)? {
        return Ok(number);
    }
    tx.dictionary(|tx| {
        tx.execute("INSERT INTO number (kind, uuid) VALUES (?1, ?2) ON CONFLICT DO NOTHING", &params![kind, uuid])?;
        tx.one("SELECT id FROM number WHERE kind = ?1 AND uuid = ?2", &params![kind, uuid], |row| row.get(0))
    })
}

/// The number of a thing that has one.
pub(crate) fn find(conn: &Conn, kind: &str, uuid: Uuid) -> Result<Option<i64>> {
    conn.first("SELECT id FROM number WHERE kind = ?1 AND uuid = ?2", &params![kind, uuid], |row| row.get(0))
}

impl Store {
    /// The thing that has this number.
    ///
    /// # Errors
    /// The engine's.
    pub fn numbered(&self, kind: &str, number: i64) -> Result<Option<Uuid>> {
        self.reader()?
            .first("SELECT uuid FROM number WHERE kind = ?1 AND id = ?2", &params![kind, number], |row| row.get(0))
    }

    /// The number of an account, a group or an organisation (`user`, `group`, `org`).
    ///
    /// # Errors
    /// The engine's.
    pub fn number(&self, kind: &'static str, uuid: Uuid) -> Result<i64> {
        if let Some(number) = find(&*self.reader()?, kind, uuid)? {
            return Ok(number);
        }
        self.write(move |tx| of(tx, kind, uuid))
    }
}
