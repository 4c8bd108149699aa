//! Adding objects to a collection, and taking them out.

use super::{Arrival, Giver, Key, chance, packed, tick};
use crate::engine::{Bulk, Kind, Row, params};
use crate::tx::Tx;
use crate::{Result, Store, audit, facts};
use manara_model::{Label, Marking, OrgId};
use std::collections::HashMap;
use uuid::Uuid;

const BOXED: Bulk<'static> = Bulk {
    table: "boxed",
    columns: &[
        ("added", Kind::Int),
        ("collection", Kind::Int),
        ("uuid", Kind::Blob),
        ("type", Kind::Text),
        ("giver", Kind::Blob),
        ("version", Kind::Int),
        ("stated", Kind::Text),
        ("spec", Kind::Int),
        ("oldest", Kind::Int),
        ("newest", Kind::Int),
        ("label", Kind::Int),
        ("personal", Kind::Text),
        ("body", Kind::Text),
    ],
};

/// What is known of a giver's versions of an object: (version, when it came) of the oldest and of the newest.
#[derive(Clone, Copy)]
struct Ends {
    oldest: (i64, i64),
    newest: (i64, i64),
}

/// Ends as they are, and the objects of this write whose ends have moved away from rows that were there.
#[derive(Default)]
struct Known {
    ends: HashMap<Key, Ends>,
    no_longer_oldest: Vec<i64>,
    no_longer_newest: Vec<i64>,
}

impl Known {
    /// What the collection has of these objects from this giver.
    fn read(tx: &Tx<'_>, collection: i64, giver: OrgId, uuids: impl Iterator<Item = Uuid>) -> Result<Self> {
        let mut known = Known::default();
        let mut uuids: Vec<[u8; 16]> = uuids.map(Uuid::into_bytes).collect();
        uuids.sort_unstable();
        uuids.dedup();
        let sql = format!(
            "SELECT uuid, type, version, added, oldest, newest FROM boxed
             WHERE collection = ?1 AND giver = ?2 AND {} AND (oldest = 1 OR newest = 1)",
            tx.within_bytes("uuid", 3)
        );
        tx.all(&sql, &[collection.into(), giver.0.into(), tx.bytes_list(&uuids)], |row| {
            let (key, place) = ((row.get::<Uuid>(0)?, row.get::<String>(1)?), (row.get(2)?, row.get(3)?));
            let ends = known.ends.entry(key).or_insert(Ends { oldest: place, newest: place });
            if row.get(4)? {
                ends.oldest = place;
            }
            if row.get(5)? {
                ends.newest = place;
            }
            Ok(())
        })?;
        Ok(known)
    }
}

impl Store {
    /// Adds objects to a collection: for each its version, Unix microseconds, and whether it is new; a version that
    /// is there from this giver stays as it is. What others gave does not count. All of them or none.
    ///
    /// # Errors
    /// The engine's.
    pub fn put_in_box(&self, collection: i64, giver: &Giver, arrivals: Vec<Arrival>) -> Result<Vec<(i64, bool)>> {
        let giver = giver.clone();
        self.write_large(move |tx| {
            super::must_be_open(tx, collection)?;
            put(tx, collection, &giver, &arrivals)
        })
    }

    /// Takes an object out of a collection: all of its versions, or those of these times (Unix microseconds);
    /// how many were there.
    ///
    /// # Errors
    /// The engine's.
    pub fn take_from_box(&self, actor: &str, collection: i64, rows: Vec<i64>) -> Result<u64> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            let mut gone = 0;
            for added in &rows {
                let sql = "DELETE FROM boxed WHERE added = ?1 AND collection = ?2 RETURNING uuid, type, giver";
                let read = |row: &Row<'_>| Ok((row.get::<Uuid>(0)?, row.get::<String>(1)?, row.get::<Uuid>(2)?));
                let Some((uuid, kind, giver)) = tx.first(sql, &params![*added, collection], read)? else { continue };
                gone += 1;
                settle(tx, collection, uuid, &kind, OrgId(giver))?;
                audit::append(tx, &actor, "collection.delete", &format!("{kind}--{uuid}"), &collection.to_string())?;
            }
            Ok(gone)
        })
    }

    /// When something last came to a collection, Unix microseconds.
    ///
    /// # Errors
    /// The engine's.
    pub fn last_put(&self, collection: i64) -> Result<Option<i64>> {
        let sql = "SELECT added FROM boxed WHERE collection = ?1 ORDER BY added DESC LIMIT 1";
        self.reader()?.first(sql, &params![collection], |row| row.get(0))
    }

    /// Takes everything out of a collection that is no more, a run a transaction, so that others get their turn.
    ///
    /// # Errors
    /// The engine's.
    pub fn empty_box(&self, collection: i64) -> Result<()> {
        loop {
            let gone = self.write_large(move |tx| {
                let sql = "DELETE FROM boxed WHERE added IN
                           (SELECT added FROM boxed WHERE collection = ?1 ORDER BY added LIMIT 5000)";
                tx.execute(sql, &params![collection])
            })?;
            if gone == 0 {
                return self.write(move |tx| {
                    tx.execute("DELETE FROM submission WHERE collection = ?1", &params![collection]).map(drop)
                });
            }
        }
    }
}

/// Between two objects lie so many microseconds at most, by chance: how many others lie between two that somebody
/// sees is not told by their dates.
const STEP: u8 = 16;

/// Adds objects; see [`Store::put_in_box`].
pub(super) fn put(tx: &Tx<'_>, collection: i64, giver: &Giver, arrivals: &[Arrival]) -> Result<Vec<(i64, bool)>> {
    let steps = chance(arrivals.len(), STEP);
    let first = tick(tx, steps.iter().sum::<i64>() as usize)?;
    let mut known = Known::read(tx, collection, giver.org, arrivals.iter().map(|arrival| arrival.uuid))?;
    let mut labels: HashMap<&Marking, i64> = HashMap::new();
    let (mut rows, mut new) = (Vec::with_capacity(arrivals.len()), Vec::with_capacity(arrivals.len()));
    // Places in `rows`, by when they came.
    let mut places: HashMap<i64, usize> = HashMap::new();
    let mut next = first;
    for (arrival, step) in arrivals.iter().zip(steps) {
        let added = next;
        next += step;
        let key = (arrival.uuid, arrival.kind.clone());
        let held = known.ends.get(&key).copied();
        // What has no version of its own can't have another.
        let version = arrival.version.or(held.map(|ends| ends.newest.0)).unwrap_or(added);
        let is_held = held.is_some_and(|ends| {
            version == ends.oldest.0 || version == ends.newest.0 || places_have(&rows, &key, version)
        });
        let between = held.is_some_and(|ends| ends.oldest.0 < version && version < ends.newest.0);
        if is_held || between && is_there(tx, collection, &key, giver.org, version)? {
            new.push((version, false));
            continue;
        }
        let label = match labels.get(&arrival.marking) {
            Some(label) => *label,
            None => {
                let label = facts::intern(tx, &Label::new(giver.org, arrival.marking.clone()))?;
                labels.insert(&arrival.marking, label);
                label
            }
        };
        let mut row = New { arrival, added, version, label, oldest: held.is_none(), newest: held.is_none() };
        let mut ends = held.unwrap_or(Ends { oldest: (version, added), newest: (version, added) });
        if version < ends.oldest.0 {
            match places.get(&ends.oldest.1).and_then(|at| rows.get_mut(*at)) {
                Some(before) => New::end_oldest(before),
                None => known.no_longer_oldest.push(ends.oldest.1),
            }
            (ends.oldest, row.oldest) = ((version, added), true);
        }
        if version > ends.newest.0 {
            match places.get(&ends.newest.1).and_then(|at| rows.get_mut(*at)) {
                Some(before) => New::end_newest(before),
                None => known.no_longer_newest.push(ends.newest.1),
            }
            (ends.newest, row.newest) = ((version, added), true);
        }
        known.ends.insert(key, ends);
        places.insert(added, rows.len());
        rows.push(row);
        new.push((version, true));
    }
    for (column, list) in [("oldest", &known.no_longer_oldest), ("newest", &known.no_longer_newest)] {
        if !list.is_empty() {
            let sql = format!("UPDATE boxed SET {column} = 0 WHERE {}", tx.within("added", 1));
            tx.execute(&sql, &[tx.list(list)])?;
        }
    }
    let count = rows.len();
    BOXED.add(tx, rows.into_iter().map(|row| row.values(collection, giver.org)))?;
    if count > 0 {
        audit::append(tx, &giver.actor, "collection.put", &collection.to_string(), &count.to_string())?;
    }
    Ok(new)
}

/// A row that is going to be added.
struct New<'a> {
    arrival: &'a Arrival,
    added: i64,
    version: i64,
    label: i64,
    oldest: bool,
    newest: bool,
}

impl<'a> New<'a> {
    fn end_oldest(row: &mut New<'_>) {
        row.oldest = false;
    }

    fn end_newest(row: &mut New<'_>) {
        row.newest = false;
    }

    fn values(self, collection: i64, giver: OrgId) -> [crate::engine::Value<'a>; 13] {
        let arrival = self.arrival;
        let stated = if arrival.stated.is_empty() { time(self.added) } else { arrival.stated.clone() };
        params![
            self.added,
            collection,
            arrival.uuid,
            &arrival.kind,
            giver.0,
            self.version,
            stated,
            if arrival.is_2_1 { 21u8 } else { 20 },
            self.oldest,
            self.newest,
            self.label,
            packed(&arrival.personal),
            &arrival.body,
        ]
    }
}

/// Does this write bring the version already?
fn places_have(rows: &[New<'_>], key: &Key, version: i64) -> bool {
    rows.iter().rev().any(|row| row.version == version && row.arrival.uuid == key.0 && row.arrival.kind == key.1)
}

fn is_there(tx: &Tx<'_>, collection: i64, key: &Key, giver: OrgId, version: i64) -> Result<bool> {
    tx.exists(
        "SELECT 1 FROM boxed WHERE collection = ?1 AND uuid = ?2 AND type = ?3 AND version = ?4 AND giver = ?5",
        &params![collection, key.0, &key.1, version, giver.0],
    )
}

/// Notes anew which of a giver's versions of an object is the oldest and which the newest.
fn settle(tx: &Tx<'_>, collection: i64, uuid: Uuid, kind: &str, giver: OrgId) -> Result<()> {
    for (column, order) in [("oldest", "ASC"), ("newest", "DESC")] {
        let sql = format!(
            "UPDATE boxed SET {column} = 1 WHERE added = (SELECT added FROM boxed
             WHERE collection = ?1 AND uuid = ?2 AND type = ?3 AND giver = ?4 ORDER BY version {order} LIMIT 1) AND {column} = 0"
        );
        tx.execute(&sql, &params![collection, uuid, kind, giver.0])?;
    }
    Ok(())
}

/// A time as TAXII writes it: UTC, six digits of the second (TAXII 2.1 §2).
fn time(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
