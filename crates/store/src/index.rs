//! The observable index: which records mention a value? Rows are added in the order of the index,
//! so that a batch touches each page of it once.

use crate::chunk::{self, StoredPart};
use crate::engine::{Bulk, Conn, Kind, dialect, params, unnest};
use crate::tx::Tx;
use crate::{Result, StoreError, collections, event};
use manara_model::observable::{Observable, Reach};
use manara_model::record::Found;

const REACH: Bulk<'static> =
    Bulk { table: "reach", columns: &[("kind", Kind::Int), ("key", Kind::Blob), ("observable", Kind::Int)] };
const OCCURRENCE: Bulk<'static> = Bulk {
    table: "occurrence",
    columns: &[
        ("observable", Kind::Int),
        ("label", Kind::Int),
        ("record", Kind::Int),
        ("ordinal", Kind::Int),
        ("detect", Kind::Int),
    ],
};
const VALUE: [Kind; 2] = [Kind::Int, Kind::Text];

/// An observable in a part of a record.
/// Longer texts are found by their words, not by their value.
const TEXT_BYTES: usize = 1024;

/// Which of a part's observables stand in the index: those that correlate; and where none does, with
/// `texts`, whatever it holds, so that an attribute of an event is always found by its value.
pub(crate) fn indexed(found: &[Found], texts: bool) -> impl Iterator<Item = &Found> {
    let any = found.iter().any(|found| found.observable.ty().row().correlates);
    found.iter().filter(move |found| {
        found.observable.ty().row().correlates || texts && !any && found.observable.value().len() <= TEXT_BYTES
    })
}

pub(crate) struct Mention<'p> {
    pub(crate) observable: &'p Observable,
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
pub(crate) fn find(conn: &Conn, observable: &Observable) -> Result<Option<i64>> {
    let sql = format!("SELECT id FROM observable WHERE type = ?1 AND {}", conn.same_text("value", 2));
    conn.first(&sql, &params![observable.ty().code(), observable.value()], |row| row.get(0))
}

/// Numbers of these distinct, sorted observables, in their order; those that are new are added, with
/// their places among their neighbours.
fn numbers(tx: &Tx<'_>, observables: &[&Observable]) -> Result<Vec<i64>> {
    let mut reaches: Vec<((i64, Vec<u8>), i64)> = Vec::new();
    let mut new = |observable: &Observable, id: i64| {
        reaches.extend(observable.reach().map(|reach| (reach_key(&reach), id)));
    };
    let ids = match &**tx {
        Conn::Sqlite(_) => one_by_one(tx, observables, &mut new)?,
        Conn::Postgres(_) => all_at_once(tx, observables, &mut new)?,
    };
    // In the order of that table.
    reaches.sort_unstable();
    REACH.add(tx, reaches.into_iter().map(|((kind, key), id)| params![kind, key, id]))?;
    Ok(ids)
}

fn one_by_one(conn: &Conn, observables: &[&Observable], new: &mut dyn FnMut(&Observable, i64)) -> Result<Vec<i64>> {
    let insert =
        "INSERT INTO observable (type, value) VALUES (?1, ?2) ON CONFLICT (type, value) DO NOTHING RETURNING id";
    let mut ids = Vec::with_capacity(observables.len());
    for observable in observables {
        let added = conn.first(insert, &params![observable.ty().code(), observable.value()], |row| row.get(0))?;
        ids.push(match added {
            Some(id) => {
                new(observable, id);
                id
            }
            None => {
                find(conn, observable)?.ok_or_else(|| StoreError::damaged("an observable is neither new nor old"))?
            }
        });
    }
    Ok(ids)
}

/// Across a wire: those that are there, then those that are new, then those that another process added
/// in between.
fn all_at_once(conn: &Conn, observables: &[&Observable], new: &mut dyn FnMut(&Observable, i64)) -> Result<Vec<i64>> {
    let Conn::Postgres(link) = conn else { return Ok(Vec::new()) };
    let given = format!("{} WITH ORDINALITY AS u (type, value, n)", unnest(&VALUE));
    let same = dialect::same_text("o.value", "u.value");
    let find = format!("SELECT u.n, o.id FROM {given} JOIN observable o ON o.type = u.type AND {same}");
    let add = format!(
        "WITH u AS (SELECT * FROM {given}),
              o AS (INSERT INTO observable (type, value) SELECT type, value FROM u ORDER BY n
                    ON CONFLICT DO NOTHING RETURNING id, type, value)
         SELECT u.n, o.id FROM o JOIN u ON u.type = o.type AND u.value = o.value"
    );
    let mut ids = vec![0; observables.len()];
    for sql in [&find, &add, &find] {
        let missing: Vec<usize> = (0..ids.len()).filter(|at| ids[*at] == 0).collect();
        if missing.is_empty() {
            break;
        }
        let rows = missing.iter().map(|at| params![observables[*at].ty().code(), observables[*at].value()]);
        let found = link.query_arrays(sql, VALUE.len(), rows, |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
        for (n, id) in found {
            let at = missing[usize::try_from(n - 1).map_err(StoreError::damaged)?];
            ids[at] = id;
            if std::ptr::eq(sql, &add) {
                new(observables[at], id);
            }
        }
    }
    if ids.contains(&0) {
        return Err(StoreError::damaged("an observable is neither new nor old"));
    }
    Ok(ids)
}

/// The number of an observable that a sighting speaks of, whether or not a record mentions it.
pub(crate) fn intern(tx: &Tx<'_>, observable: &Observable) -> Result<i64> {
    match find(tx, observable)? {
        Some(id) => Ok(id),
        None => tx.dictionary(|tx| Ok(numbers(tx, &[observable])?[0])),
    }
}

/// Adds what a run of parts mentions.
pub(crate) fn add(tx: &Tx<'_>, record: i64, mut mentions: Vec<Mention<'_>>) -> Result<()> {
    mentions.sort_by(|a, b| (a.observable, a.label, a.ordinal).cmp(&(b.observable, b.label, b.ordinal)));
    let mut distinct: Vec<&Observable> = mentions.iter().map(|mention| mention.observable).collect();
    distinct.dedup();
    let ids = tx.dictionary(|tx| numbers(tx, &distinct))?;
    let (mut rows, mut at) = (Vec::with_capacity(mentions.len()), 0);
    for mention in &mentions {
        if distinct[at] != mention.observable {
            at += 1;
        }
        rows.push((ids[at], mention.label, mention.ordinal, mention.detect));
    }
    // New observables got rising numbers, old ones did not: sort again by what the table is sorted by.
    rows.sort_unstable();
    let rows = rows.into_iter().map(|(id, label, ordinal, detect)| params![id, label, record, ordinal, detect]);
    OCCURRENCE.add(tx, rows).map(drop)
}

/// Takes a chunk's mentions out of the index.
pub(crate) fn remove(tx: &Tx<'_>, record: i64, first: u32, parts: &[StoredPart]) -> Result<()> {
    for (ordinal, part) in (first..).zip(parts) {
        remove_part(tx, record, ordinal, part)?;
    }
    Ok(())
}

/// Takes one part out of the index.
pub(crate) fn remove_part(tx: &Tx<'_>, record: i64, ordinal: u32, part: &StoredPart) -> Result<()> {
    for found in &part.found {
        if let Some(id) = find(tx, &found.observable)? {
            tx.execute(
                "DELETE FROM occurrence WHERE observable = ?1 AND label = ?2 AND record = ?3 AND ordinal = ?4",
                &params![id, part.label, record, ordinal],
            )?;
        }
    }
    if let Some(uuid) = part.uuid {
        tx.execute(
            "DELETE FROM part_uuid WHERE uuid = ?1 AND record = ?2 AND ordinal = ?3",
            &params![uuid, record, ordinal],
        )?;
    }
    event::untag(tx, record, ordinal, part)
}

/// Clears one record that is no longer current (or never became it) out of the index, a chunk a
/// call; `None` when there is nothing left to clear.
pub(crate) fn sweep_chunk(tx: &Tx<'_>, record: i64, after: i64) -> Result<Option<i64>> {
    let next = tx.first(
        "SELECT first, body FROM chunk WHERE record = ?1 AND first > ?2 ORDER BY first LIMIT 1",
        &params![record, after],
        |row| Ok((row.get::<u32>(0)?, row.get::<Vec<u8>>(1)?)),
    )?;
    if let Some((first, body)) = next {
        remove(tx, record, first, &chunk::read(&body)?)?;
        return Ok(Some(i64::from(first)));
    }
    collections::forget(tx, record)?;
    let record = params![record];
    for table in ["event", "event_count", "moved"] {
        tx.execute(&format!("DELETE FROM {table} WHERE record = ?1"), &record)?;
    }
    tx.execute("DELETE FROM text_index WHERE rowid IN (SELECT id FROM text_doc WHERE record = ?1)", &record)?;
    tx.execute("DELETE FROM text_doc WHERE record = ?1", &record)?;
    tx.execute("DELETE FROM record_tag WHERE record = ?1", &record)?;
    tx.execute("UPDATE record SET indexed = 0 WHERE id = ?1", &record)?;
    Ok(None)
}
