//! The tables that events are listed and counted by: what each says of itself, how many attributes it
//! has under each label, and which tags stand on them.

use crate::chunk::StoredPart;
use crate::engine::{Bulk, Conn, Kind, params};
use crate::tx::Tx;
use crate::{Result, Store, chunk, people};
use manara_model::record::{EventFacts, PartFacts, Slot};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The kind of record that these tables are about.
pub(crate) const EVENT: &str = "event";

const PART_TAG: Bulk<'static> = Bulk {
    table: "part_tag",
    columns: &[("tag", Kind::Int), ("label", Kind::Int), ("record", Kind::Int), ("ordinal", Kind::Int)],
};

/// Writes the row of an event, and makes its author known: organisations are known by number.
pub(crate) fn put(tx: &Tx<'_>, record: i64, facts: &EventFacts) -> Result<()> {
    if let Some(author) = facts.author {
        people::know_org(tx, author, &facts.author_name)?;
    }
    tx.execute(
        "INSERT INTO event (record, published, published_at, touched, day, author, threat, analysis, extends, locked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (record) DO UPDATE SET published = excluded.published, published_at = excluded.published_at,
             touched = excluded.touched, day = excluded.day, author = excluded.author, threat = excluded.threat,
             analysis = excluded.analysis, extends = excluded.extends, locked = excluded.locked",
        &params![
            record,
            facts.published,
            facts.published_at,
            facts.touched,
            &facts.day,
            facts.author,
            facts.threat,
            facts.analysis,
            facts.extends,
            facts.locked,
        ],
    )
    .map(drop)
}

/// What parts that come and go change in the tables.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<i64, i64>,
    /// Labels of what does not count: objects, deleted attributes.
    others: BTreeSet<i64>,
    tags: Vec<(String, i64, u32)>,
}

/// Does it count as an attribute, and which tags does it have?
fn facts_of(slot: Slot, raw: &str) -> Option<(bool, Vec<String>)> {
    let counts = matches!(slot, Slot::Attribute | Slot::ObjectAttribute);
    if !counts && slot != Slot::Object {
        return None;
    }
    let facts = PartFacts::read(raw);
    Some((counts && !facts.deleted, facts.tags))
}

impl Tally {
    /// A part that is there now.
    pub(crate) fn add(&mut self, slot: Slot, raw: &str, label: i64, ordinal: u32) {
        let Some((counts, tags)) = facts_of(slot, raw) else { return };
        if counts {
            *self.counts.entry(label).or_default() += 1;
        } else {
            self.others.insert(label);
        }
        self.tags.extend(tags.into_iter().map(|tag| (tag, label, ordinal)));
    }

    /// A part that is there no more.
    pub(crate) fn remove(&mut self, tx: &Tx<'_>, record: i64, ordinal: u32, part: &StoredPart) -> Result<()> {
        let Some((counts, _)) = facts_of(part.slot, &part.raw) else { return Ok(()) };
        if counts {
            *self.counts.entry(part.label).or_default() -= 1;
        }
        untag(tx, record, ordinal, part)
    }

    /// Forgets the tags of a part that was added in the same change.
    pub(crate) fn forget(&mut self, ordinal: u32) {
        self.tags.retain(|(.., at)| *at != ordinal);
    }

    /// Writes what was counted. Tags that are no text of a reasonable length are kept in the part alone.
    pub(crate) fn write(self, tx: &Tx<'_>, record: i64) -> Result<()> {
        for (label, change) in self.counts.into_iter().filter(|(_, change)| *change != 0) {
            tx.execute(
                "INSERT INTO event_count (record, label, attributes) VALUES (?1, ?2, ?3)
                 ON CONFLICT (record, label) DO UPDATE SET attributes = event_count.attributes + excluded.attributes",
                &params![record, label, change],
            )?;
        }
        for label in self.others {
            let sql = "INSERT INTO event_count (record, label, attributes) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING";
            tx.execute(sql, &params![record, label])?;
        }
        let mut known: HashMap<String, i64> = HashMap::new();
        let mut rows = Vec::with_capacity(self.tags.len());
        for (name, label, ordinal) in self.tags {
            let number = match known.get(&name) {
                Some(number) => Some(*number),
                None => {
                    let number = people::tag_number(tx, &name)?;
                    known.extend(number.map(|number| (name, number)));
                    number
                }
            };
            rows.extend(number.map(|number| (number, label, record, ordinal)));
        }
        rows.sort_unstable();
        PART_TAG
            .add(tx, rows.into_iter().map(|(tag, label, record, ordinal)| params![tag, label, record, ordinal]))
            .map(drop)
    }
}

/// Takes a part's tags out of the table.
pub(crate) fn untag(tx: &Tx<'_>, record: i64, ordinal: u32, part: &StoredPart) -> Result<()> {
    let Some((_, tags)) = facts_of(part.slot, &part.raw) else { return Ok(()) };
    for tag in tags {
        tx.execute(
            "DELETE FROM part_tag WHERE tag = (SELECT id FROM tag WHERE name = ?1) AND label = ?2 AND record = ?3 AND ordinal = ?4",
            &params![tag, part.label, record, ordinal],
        )?;
    }
    Ok(())
}

/// Fills the tables for one event that was written before there were such tables.
fn backfill(tx: &Tx<'_>, record: i64) -> Result<()> {
    let body: Vec<u8> = tx.one("SELECT skeleton FROM record WHERE id = ?1", &params![record], |row| row.get(0))?;
    put(tx, record, &EventFacts::read(&chunk::unpack_text(&body)?))?;
    let (mut tally, mut next) = (Tally::default(), 0u32);
    while let Some((first, parts)) = chunk_at(tx, record, next)? {
        for (ordinal, part) in (first..).zip(&parts) {
            tally.add(part.slot, &part.raw, part.label, ordinal);
        }
        next = first + parts.len() as u32;
    }
    tally.write(tx, record)
}

/// The chunk that holds this ordinal or begins after it, with its first ordinal.
pub(crate) fn chunk_at(conn: &Conn, record: i64, ordinal: u32) -> Result<Option<(u32, Vec<StoredPart>)>> {
    let found = conn.first(
        "SELECT first, body FROM chunk WHERE record = ?1 AND first + parts > ?2 ORDER BY first LIMIT 1",
        &params![record, ordinal],
        |row| Ok((row.get::<u32>(0)?, row.get::<Vec<u8>>(1)?)),
    )?;
    found.map(|(first, body)| Ok((first, chunk::read(&body)?))).transpose()
}

impl Store {
    /// Fills the tables for events of an older store.
    pub(crate) fn list_old_events(&self) -> Result<()> {
        if !self.reader()?.exists("SELECT 1 FROM meta WHERE key = 'list_events'", &[])? {
            return Ok(());
        }
        loop {
            let missing: Vec<i64> = self.reader()?.all(
                "SELECT r.id FROM record r WHERE r.kind = ?1 AND r.state = 1
                 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.record = r.id) LIMIT 100",
                &params![EVENT],
                |row| row.get(0),
            )?;
            if missing.is_empty() {
                return self.write(|tx| tx.execute("DELETE FROM meta WHERE key = 'list_events'", &[]).map(drop));
            }
            self.write_large(move |tx| missing.iter().try_for_each(|record| backfill(tx, *record)))?;
        }
    }
}
