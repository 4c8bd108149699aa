//! What operators set up: feeds, servers, block lists, exclusions, settings. Each is a small JSON body
//! under a kind and a name; what a kind's body holds is known where it is used.

use crate::engine::{Row, params};
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit};
use manara_model::{OrgId, UserId};
use serde_json::{Map, Value};

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

/// Puts members into a body. Two who do it at the same time do it one after the other.
pub(crate) fn put(
    tx: &Tx<'_>,
    kind: &str,
    id: i64,
    more: &Map<String, Value>,
    modified: Option<i64>,
) -> Result<Option<Entry>> {
    // Written before it is read: on a server the row is nobody else's from here on.
    let sql =
        format!("UPDATE entry SET modified = coalesce(?3, modified) WHERE kind = ?1 AND id = ?2 RETURNING {COLUMNS}");
    let Some(mut entry) = tx.first(&sql, &params![kind, id, modified], read)? else { return Ok(None) };
    if let Some(body) = entry.body.as_object_mut() {
        body.extend(more.clone());
    }
    tx.execute("UPDATE entry SET body = ?2 WHERE id = ?1", &params![id, entry.body.to_string()])?;
    Ok(Some(entry))
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

    /// Puts members into an entry's body; the others stay as they are, whoever changes them meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn set_entry(&self, actor: &str, kind: &'static str, id: i64, more: Map<String, Value>) -> Result<Entry> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            let entry = put(tx, kind, id, &more, Some(jiff::Timestamp::now().as_millisecond()))?;
            let entry = entry.ok_or_else(|| StoreError::Unknown { what: kind, name: id.to_string() })?;
            audit::append(tx, &actor, &format!("{kind}.set"), &entry.name, "")?;
            Ok(entry)
        })
    }

    /// The same for what the node itself notes of how something went. It is no change by anybody, and not in the
    /// log; an entry that was taken away meanwhile is noted nowhere.
    ///
    /// # Errors
    /// The engine's.
    pub fn note_entry(&self, kind: &'static str, id: i64, more: Map<String, Value>) -> Result<()> {
        self.write(move |tx| put(tx, kind, id, &more, None).map(drop))
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
        let sql = format!("SELECT {COLUMNS} FROM entry WHERE kind = ?1 ORDER BY id");
        self.reader()?.all(&sql, &params![kind], read)
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
