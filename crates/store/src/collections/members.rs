//! Saved searches: which records a collection holds. A record that came or changed is noted with it (`fresh`); who
//! keeps the searches looks at it, and says which of them hold it and what it becomes. So a page of a search costs
//! what is on it, whatever the search has to look for.

use super::{CHANGING, FILLED, chance, tick};
use crate::engine::{Bulk, Kind, Row, params};
use crate::facts::Allowed;
use crate::tx::Tx;
use crate::view::View;
use crate::{Result, Store, entries};
use manara_model::{Cleared, Head, OrgId};
use std::collections::BTreeSet;
use uuid::Uuid;

const OBJECT: Bulk<'static> = Bulk {
    table: "member_object",
    columns: &[("collection", Kind::Int), ("id", Kind::Blob), ("added", Kind::Int), ("version", Kind::Int)],
};

/// Times of a record beyond one for each of its objects, at most: how many there are that somebody may not see is not
/// told by the dates of what comes after it.
const SPARE: u8 = 200;

/// Rows of those that may be seen that are looked at to say when an object came before: one that half the records
/// have (who wrote them) is not looked for in all of them.
const LOOKS: i64 = 64;

/// A record that a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The time of its first object, Unix microseconds.
    pub added: i64,
    /// Its times: that of object `n` is `added + min(n, span - 1)`.
    pub span: i64,
    /// The record.
    pub record: i64,
}

/// What becomes of a record in a collection.
#[derive(Debug, Clone)]
pub struct Joining {
    /// The collection's entry.
    pub collection: i64,
    /// The record.
    pub record: i64,
    /// What the search asked when it was looked at.
    pub asked: String,
    /// The version of it that was looked at.
    pub version: u32,
    /// The objects that it becomes: [`object_key`], version (Unix microseconds; 0: none); `None`: it is not found.
    pub objects: Option<Vec<([u8; 16], i64)>>,
}

/// How far a search is with what was there before it.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The collection's entry.
    pub collection: i64,
    /// What it asks.
    pub asked: String,
    /// The last record that was looked at; `None`: all were.
    pub up_to: Option<i64>,
}

/// The entry of a search that still asks this.
fn asks(tx: &Tx<'_>, collection: i64, asked: &str) -> Result<bool> {
    let held = super::open(tx, collection)?;
    Ok(held.is_some_and(|body| body["search"]["text"] == asked && body[FILLED] != CHANGING))
}

/// By what an object is known in a search.
#[must_use]
pub fn object_key(id: &str) -> [u8; 16] {
    use sha2::{Digest, Sha256};
    let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

/// Notes that a record came or changed.
pub(crate) fn note(tx: &Tx<'_>, record: i64) -> Result<()> {
    let seq = (Uuid::new_v4().as_u64_pair().1 >> 1) as i64;
    tx.execute("INSERT INTO fresh (seq, record) VALUES (?1, ?2)", &params![seq, record]).map(drop)
}

/// Takes a record that is no more out of all searches.
pub(crate) fn forget(tx: &Tx<'_>, record: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM member_object WHERE added IN (SELECT added FROM member WHERE record = ?1)",
        &params![record],
    )?;
    tx.execute("DELETE FROM member WHERE record = ?1", &params![record]).map(drop)
}

impl Store {
    /// Records that came or changed and were not looked at: numbers for [`Store::looked_at`], records.
    ///
    /// # Errors
    /// The engine's.
    pub fn fresh(&self, most: usize) -> Result<Vec<(i64, i64)>> {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.reader()?.all("SELECT seq, record FROM fresh ORDER BY seq LIMIT ?1", &params![most as i64], read)
    }

    /// Current records after one, in the order in which they first came.
    ///
    /// # Errors
    /// The engine's.
    pub fn records_after(&self, record: i64, most: usize) -> Result<Vec<i64>> {
        let sql = "SELECT id FROM record WHERE id > ?1 AND state = 1 ORDER BY id LIMIT ?2";
        self.reader()?.all(sql, &params![record, most as i64], |row| row.get(0))
    }

    /// Notes what became of records that were looked at. One that has changed since is left: it is fresh again.
    ///
    /// # Errors
    /// The engine's.
    pub fn looked_at(&self, joining: Vec<Joining>, seen: Vec<i64>, filled: Option<Filled>) -> Result<()> {
        self.write_large(move |tx| {
            let spare = chance(joining.len(), SPARE);
            let span = |objects: &Vec<_>, spare: i64| objects.len() as i64 + spare;
            let found = joining.iter().zip(&spare).filter_map(|(one, spare)| Some(span(one.objects.as_ref()?, *spare)));
            let all: i64 = found.sum();
            let mut added = if all > 0 { tick(tx, usize::try_from(all).unwrap_or(usize::MAX))? } else { 0 };
            for (one, spare) in joining.iter().zip(spare) {
                let here = params![one.record, one.collection];
                tx.execute(
                    "DELETE FROM member_object WHERE added =
                     (SELECT added FROM member WHERE record = ?1 AND collection = ?2)",
                    &here,
                )?;
                tx.execute("DELETE FROM member WHERE record = ?1 AND collection = ?2", &here)?;
                let Some(objects) = &one.objects else { continue };
                // One whose question was changed meanwhile is filled anew from the beginning.
                if !asks(tx, one.collection, &one.asked)? {
                    continue;
                }
                let sql = "INSERT INTO member (added, collection, record, span, label)
                           SELECT ?1, ?2, id, ?3, label FROM record WHERE id = ?4 AND version = ?5 AND state = 1";
                let given = params![added, one.collection, span(objects, spare), one.record, one.version];
                if tx.execute(sql, &given)? > 0 {
                    OBJECT.add(
                        tx,
                        objects.iter().map(|(id, version)| params![one.collection, id.as_slice(), added, *version]),
                    )?;
                }
                added += span(objects, spare);
            }
            if let Some(filled) = &filled
                && asks(tx, filled.collection, &filled.asked)?
            {
                let place = filled.up_to.map_or_else(|| "all".into(), serde_json::Value::from);
                let place = serde_json::Map::from_iter([(FILLED.to_owned(), place)]);
                entries::put(tx, "collection", filled.collection, &place, None)?;
            }
            for seen in seen.chunks(500) {
                let sql = format!("DELETE FROM fresh WHERE {}", tx.within("seq", 1));
                tx.execute(&sql, &[tx.list(seen)])?;
            }
            Ok(())
        })
    }

    /// Takes all records out of a search, a run a transaction.
    ///
    /// # Errors
    /// The engine's.
    pub fn empty_search(&self, collection: i64) -> Result<()> {
        loop {
            let gone = self.write_large(move |tx| {
                let some = "SELECT added FROM member WHERE collection = ?1 ORDER BY added LIMIT 500";
                let sql = format!("DELETE FROM member_object WHERE added IN ({some})");
                tx.execute(&sql, &params![collection])?;
                tx.execute(&format!("DELETE FROM member WHERE added IN ({some})"), &params![collection])
            })?;
            if gone == 0 {
                return Ok(());
            }
        }
    }
}

impl View<'_> {
    /// Records of a search, in the order of their times, from the one on that has the time `from`.
    ///
    /// # Errors
    /// The engine's.
    pub fn members(&self, collection: i64, from: i64, most: usize) -> Result<Vec<Member>> {
        let read = |row: &Row<'_>| Ok(Member { added: row.get(0)?, span: row.get(1)?, record: row.get(2)? });
        let columns = "SELECT m.added, m.span, m.record FROM member m JOIN record r ON r.id = m.record AND r.state = 1
                       WHERE m.collection = ?1";
        let visible = self.only("r.label", 3);
        // The one whose times `from` is among.
        let sql = format!(
            "{columns} AND m.added = (SELECT added FROM member WHERE collection = ?1 AND added <= ?2 ORDER BY added DESC LIMIT 1){visible}"
        );
        let before = self.conn.first(&sql, &self.and_labels(params![collection, from]), read)?;
        let mut members: Vec<Member> = before.into_iter().filter(|member| member.added + member.span > from).collect();
        let (labels, hidden) = self.labels_of("member", collection)?;
        let most = most.saturating_sub(members.len());
        if !hidden {
            let sql = format!("{columns} AND m.added > ?2 ORDER BY m.added LIMIT ?3");
            members.extend(self.conn.all(&sql, &params![collection, from, most as i64], read)?);
            return Ok(members);
        }
        // One walk a label down its index, merged.
        let mut found = BTreeSet::new();
        let sql = format!("{columns} AND m.label = ?4 AND r.label = ?4 AND m.added > ?2 ORDER BY m.added LIMIT ?3");
        for label in labels {
            let more = self.conn.all(&sql, &params![collection, from, most as i64, label], read)?;
            found.extend(more.into_iter().map(|member| (member.added, member.span, member.record)));
        }
        let found = found.into_iter().take(most);
        members.extend(found.map(|(added, span, record)| Member { added, span, record }));
        Ok(members)
    }

    /// Members of a search by the times of their first objects.
    ///
    /// # Errors
    /// The engine's.
    pub fn members_at(&self, collection: i64, added: &[i64]) -> Result<Vec<Member>> {
        let sql = format!(
            "SELECT m.added, m.span, m.record FROM member m JOIN record r ON r.id = m.record AND r.state = 1
             WHERE {} AND m.collection = ?1{} ORDER BY m.added",
            self.conn.within("m.added", 2),
            self.only("r.label", 3)
        );
        let values = self.and_labels([collection.into(), self.conn.list(added)]);
        self.conn.all(&sql, &values, |row| Ok(Member { added: row.get(0)?, span: row.get(1)?, record: row.get(2)? }))
    }

    /// Where an object is, for this audience, and in which versions: times of the first members that hold it, and
    /// the version there.
    ///
    /// # Errors
    /// The engine's.
    pub fn held_by(&self, collection: i64, object: [u8; 16]) -> Result<Vec<(i64, i64)>> {
        // In this order: an engine without counts of rows might begin with a label's records.
        let sql = format!(
            "SELECT o.added, o.version FROM member_object o CROSS JOIN member m CROSS JOIN record r
             WHERE o.collection = ?1 AND o.id = ?2 AND m.added = o.added AND r.id = m.record AND r.state = 1
             AND r.label = m.label{} ORDER BY o.added LIMIT {LOOKS}",
            self.only("r.label", 3)
        );
        let values = self.and_labels(params![collection, object.to_vec()]);
        self.conn.all(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// A current record by its number, with its body.
    ///
    /// # Errors
    /// The engine's. What is not there and what is not for this audience are both `None`.
    pub fn record_at(&self, record: i64) -> Result<Option<Cleared<Head>>> {
        Ok(self.heads_at(&[record])?.pop())
    }

    /// Is this identifier one of something that this owner has here, and not for this audience in anybody's copy? Of
    /// what is not here, nothing is hidden; nor does what others keep to themselves hide what this owner speaks of.
    ///
    /// # Errors
    /// The engine's.
    pub fn is_hidden(&self, uuid: Uuid, owner: OrgId) -> Result<bool> {
        if matches!(self.allowed, Allowed::Everything) {
            return Ok(false);
        }
        let sql = "SELECT label FROM record WHERE uuid = ?1 AND state = 1";
        let labels = self.conn.all(sql, &params![uuid], |row| row.get::<i64>(0))?;
        let mut hidden = false;
        for label in labels {
            if self.allowed.has(label) {
                return Ok(false);
            }
            hidden |= self.facts().label(label)?.owner == owner;
        }
        let of_parts = "FROM part_uuid p CROSS JOIN record r WHERE p.uuid = ?1 AND r.id = p.record AND r.state = 1";
        let sql = format!("SELECT 1 {of_parts} AND r.owner = ?2 LIMIT 1");
        if !hidden && !self.conn.exists(&sql, &params![uuid, owner.0])? {
            return Ok(false);
        }
        let sql = format!("SELECT p.record, p.ordinal {of_parts}{} LIMIT {LOOKS}", self.only("r.label", 2));
        let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<u32>(1)?));
        for (record, ordinal) in self.conn.all(&sql, &self.and_labels(params![uuid]), read)? {
            if let Some(head) = self.record_at(record)?
                && self.sees_part(&head, ordinal)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
