//! What operators set up: feeds, servers, block lists, exclusions, settings. Each is a small JSON body
//! under a kind and a name; what a kind's body holds is known where it is used.

use crate::engine::{Row, params};
use crate::{Result, Store, StoreError, audit};
use manara_model::{OrgId, UserId};
use serde_json::Value;

/// An entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// What it is, e.g. `feed`.
    pub kind: String,
    /// Unique within its kind.
    pub name: String,
    /// Whose it is.
    pub org: Option<OrgId>,
    /// Whose it is, where it is one person's.
    pub account: Option<UserId>,
    /// An object.
    pub body: Value,
    /// Unix milliseconds.
    pub created: i64,
    /// Unix milliseconds.
    pub modified: i64,
}

/// Most entries that one answer holds.
const MOST: i64 = 10_000;
const COLUMNS: &str = "id, kind, name, org, account, body, created, modified";

fn read(row: &Row<'_>) -> Result<Entry> {
    let body: String = row.get(5)?;
    Ok(Entry {
        id: row.get(0)?,
        kind: row.get(1)?,
        name: row.get(2)?,
        org: row.get::<Option<uuid::Uuid>>(3)?.map(OrgId),
        account: row.get::<Option<uuid::Uuid>>(4)?.map(UserId),
        body: serde_json::from_str(&body).map_err(StoreError::damaged)?,
        created: row.get(6)?,
        modified: row.get(7)?,
    })
}

impl Store {
    /// Adds an entry.
    ///
    /// # Errors
    /// [`StoreError::Exists`] for a name that is taken within the kind.
    pub fn add_entry(
        &self,
        actor: &str,
        kind: &'static str,
        name: &str,
        whose: (Option<OrgId>, Option<UserId>),
        body: Value,
    ) -> Result<Entry> {
        let (actor, name) = (actor.to_owned(), name.to_owned());
        self.write(move |tx| {
            let now = jiff::Timestamp::now().as_millisecond();
            let sql = format!(
                "INSERT INTO entry (kind, name, org, account, body, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
                 ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
            );
            let values = params![
                kind,
                &name,
                whose.0.map(|org| org.0),
                whose.1.map(|user| user.0),
                body.to_string(),
                now
            ];
            let added = tx.first(&sql, &values, read)?;
            let added = added.ok_or_else(|| StoreError::Exists { what: kind, name: name.clone() })?;
            audit::append(tx, &actor, &format!("{kind}.add"), &name, "")?;
            Ok(added)
        })
    }

    /// Changes an entry's body.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn set_entry(&self, actor: &str, kind: &'static str, id: i64, body: Value) -> Result<Entry> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            let sql =
                format!("UPDATE entry SET body = ?3, modified = ?4 WHERE kind = ?1 AND id = ?2 RETURNING {COLUMNS}");
            let values = params![kind, id, body.to_string(), jiff::Timestamp::now().as_millisecond()];
            let entry = tx.first(&sql, &values, read)?;
            let entry = entry.ok_or_else(|| StoreError::Unknown { what: kind, name: id.to_string() })?;
            audit::append(tx, &actor, &format!("{kind}.set"), &entry.name, "")?;
            Ok(entry)
        })
    }

    /// Puts members into an entry's body, whoever else changes it meanwhile: what the node itself notes of how
    /// something went. It is no change by anybody, and not in the log.
    ///
    /// # Errors
    /// The engine's.
    pub fn note_entry(&self, kind: &'static str, id: i64, more: serde_json::Map<String, Value>) -> Result<()> {
        self.write(move |tx| {
            let sql = "SELECT body FROM entry WHERE kind = ?1 AND id = ?2";
            let Some(body) = tx.first(sql, &params![kind, id], |row| row.get::<String>(0))? else { return Ok(()) };
            let mut body: Value = serde_json::from_str(&body).map_err(StoreError::damaged)?;
            if let Some(body) = body.as_object_mut() {
                body.extend(more.clone());
            }
            tx.execute("UPDATE entry SET body = ?3 WHERE kind = ?1 AND id = ?2", &params![kind, id, body.to_string()])?;
            Ok(())
        })
    }

    /// Takes an entry away.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn remove_entry(&self, actor: &str, kind: &'static str, id: i64) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            let sql = "DELETE FROM entry WHERE kind = ?1 AND id = ?2 RETURNING name";
            let name = tx.first(sql, &params![kind, id], |row| row.get::<String>(0))?;
            let name = name.ok_or_else(|| StoreError::Unknown { what: kind, name: id.to_string() })?;
            audit::append(tx, &actor, &format!("{kind}.remove"), &name, "")
        })
    }

    /// All entries of a kind, by number.
    ///
    /// # Errors
    /// The engine's.
    pub fn entries(&self, kind: &str) -> Result<Vec<Entry>> {
        let sql = format!("SELECT {COLUMNS} FROM entry WHERE kind = ?1 ORDER BY id LIMIT ?2");
        self.reader()?.all(&sql, &params![kind, MOST], read)
    }

    /// One entry by number.
    ///
    /// # Errors
    /// The engine's.
    pub fn entry(&self, kind: &str, id: i64) -> Result<Option<Entry>> {
        let sql = format!("SELECT {COLUMNS} FROM entry WHERE kind = ?1 AND id = ?2");
        self.reader()?.first(&sql, &params![kind, id], read)
    }

    /// One entry by name.
    ///
    /// # Errors
    /// The engine's.
    pub fn entry_named(&self, kind: &str, name: &str) -> Result<Option<Entry>> {
        let sql = format!("SELECT {COLUMNS} FROM entry WHERE kind = ?1 AND name = ?2");
        self.reader()?.first(&sql, &params![kind, name], read)
    }

    /// Seals a secret that an entry has to keep; the name is bound to it.
    ///
    /// # Errors
    /// No random numbers from the system.
    pub fn seal_secret(&self, name: &str, secret: &str) -> Result<String> {
        self.seal.close(name, secret)
    }

    /// Opens what [`Store::seal_secret`] made.
    ///
    /// # Errors
    /// Another key, another name.
    pub fn open_secret(&self, name: &str, sealed: &str) -> Result<String> {
        self.seal.open(name, sealed)
    }
}
