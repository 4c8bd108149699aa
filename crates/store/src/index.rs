//! The observable index: which records mention a value? Rows are added in the order of the index,
//! so that a batch touches each page of it once.

use crate::chunk::{self, StoredPart};
use crate::{Result, StoreError};
use manara_model::observable::{Observable, Reach};
use rusqlite::{Connection, OptionalExtension};

/// An observable in a part of a record.
pub(crate) struct Mention {
    pub(crate) observable: Observable,
    pub(crate) label: i64,
    pub(crate) ordinal: u32,
    pub(crate) detect: bool,
}

/// The key of a [`Reach`]: names with their labels right to left and a dot at the end (so that a
/// prefix is a parent and never half a label); networks as 16 bytes and length.
pub(crate) fn reach_key(reach: &Reach) -> (i64, Vec<u8>) {
    match reach {
        Reach::Name(reversed) => {
            let mut key = reversed.clone().into_bytes();
            key.push(b'.');
            (0, key)
        }
        Reach::Net { addr, len } => {
            let mut key = addr.to_vec();
            key.push(*len);
            (1, key)
        }
    }
}

/// The number of an observable, if any record ever mentioned it.
pub(crate) fn find(conn: &Connection, observable: &Observable) -> Result<Option<i64>> {
    let mut statement = conn.prepare_cached("SELECT id FROM observable WHERE type = ?1 AND value = ?2")?;
    Ok(statement.query_row((observable.ty().code(), observable.value()), |row| row.get(0)).optional()?)
}

/// Places of new observables among their neighbours, to be added in the order of that table.
type Reaches = Vec<((i64, Vec<u8>), i64)>;

fn add_reaches(conn: &Connection, mut reaches: Reaches) -> Result<()> {
    reaches.sort_unstable();
    let mut insert =
        conn.prepare_cached("INSERT INTO reach (kind, key, observable) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
    for ((kind, key), id) in reaches {
        insert.execute((kind, key, id))?;
    }
    Ok(())
}

fn find_or_add(conn: &Connection, observable: &Observable, reaches: &mut Reaches) -> Result<i64> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO observable (type, value) VALUES (?1, ?2) ON CONFLICT (type, value) DO NOTHING RETURNING id",
    )?;
    let new = insert.query_row((observable.ty().code(), observable.value()), |row| row.get(0)).optional()?;
    let Some(id) = new else {
        return find(conn, observable)?.ok_or_else(|| StoreError::damaged("an observable is neither new nor old"));
    };
    reaches.extend(observable.reach().map(|reach| (reach_key(&reach), id)));
    Ok(id)
}

/// The number of an observable that a sighting speaks of, whether or not a record mentions it.
pub(crate) fn intern(conn: &Connection, observable: &Observable) -> Result<i64> {
    match find(conn, observable)? {
        Some(id) => Ok(id),
        None => {
            let mut reaches = Vec::new();
            let id = find_or_add(conn, observable, &mut reaches)?;
            add_reaches(conn, reaches)?;
            Ok(id)
        }
    }
}

/// Adds what a run of parts mentions.
pub(crate) fn add(conn: &Connection, record: i64, mut mentions: Vec<Mention>) -> Result<()> {
    mentions.sort_by(|a, b| (&a.observable, a.label, a.ordinal).cmp(&(&b.observable, b.label, b.ordinal)));
    let mut rows = Vec::with_capacity(mentions.len());
    let mut reaches = Vec::new();
    let mut last: Option<(&Observable, i64)> = None;
    for mention in &mentions {
        let id = match last {
            Some((observable, id)) if *observable == mention.observable => id,
            _ => find_or_add(conn, &mention.observable, &mut reaches)?,
        };
        last = Some((&mention.observable, id));
        rows.push((id, mention.label, mention.ordinal, mention.detect));
    }
    add_reaches(conn, reaches)?;
    // New observables got rising numbers, old ones did not: sort again by what the table is sorted by.
    rows.sort_unstable();
    let mut insert = conn.prepare_cached(
        "INSERT INTO occurrence (observable, label, record, ordinal, detect) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?;
    for (id, label, ordinal, detect) in rows {
        insert.execute((id, label, record, ordinal, detect))?;
    }
    Ok(())
}

/// Takes a chunk's mentions out of the index.
pub(crate) fn remove(conn: &Connection, record: i64, first: u32, parts: &[StoredPart]) -> Result<()> {
    let mut delete = conn.prepare_cached(
        "DELETE FROM occurrence WHERE observable = ?1 AND label = ?2 AND record = ?3 AND ordinal = ?4",
    )?;
    let mut delete_uuid =
        conn.prepare_cached("DELETE FROM part_uuid WHERE uuid = ?1 AND record = ?2 AND ordinal = ?3")?;
    for (ordinal, part) in (first..).zip(parts) {
        for found in &part.found {
            if let Some(id) = find(conn, &found.observable)? {
                delete.execute((id, part.label, record, ordinal))?;
            }
        }
        if let Some(uuid) = part.uuid {
            delete_uuid.execute((uuid, record, ordinal))?;
        }
    }
    Ok(())
}

/// Clears one record that is no longer current (or never became it) out of the index, a chunk a
/// call; true when there is nothing left to clear.
pub(crate) fn sweep_chunk(conn: &Connection, record: i64, after: i64) -> Result<Option<i64>> {
    let next: Option<(u32, Vec<u8>)> = conn
        .prepare_cached("SELECT first, body FROM chunk WHERE record = ?1 AND first > ?2 ORDER BY first LIMIT 1")?
        .query_row((record, after), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((first, body)) = next {
        remove(conn, record, first, &chunk::read(&body)?)?;
        return Ok(Some(i64::from(first)));
    }
    conn.prepare_cached("DELETE FROM text_index WHERE rowid IN (SELECT id FROM text_doc WHERE record = ?1)")?
        .execute([record])?;
    conn.prepare_cached("DELETE FROM text_doc WHERE record = ?1")?.execute([record])?;
    conn.prepare_cached("DELETE FROM record_tag WHERE record = ?1 AND tag IN (SELECT id FROM tag)")?
        .execute([record])?;
    conn.prepare_cached("UPDATE record SET indexed = 0 WHERE id = ?1")?.execute([record])?;
    Ok(None)
}
