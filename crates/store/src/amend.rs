//! Changes to a record where it stands, a part at a time: to add one attribute to an event of half a
//! million costs what one attribute costs. What was there before is kept (`past`). Parts never change
//! places with one another: a new one stands at the end, one that is taken out leaves its place empty,
//! and an object that gets another attribute moves to the end with all of its own, still known by the
//! place where it stood first.

use crate::chunk::{self, StoredPart};
use crate::engine::{Bulk, Kind, params};
use crate::event::{self, EVENT, Tally};
use crate::index::{self, Mention};
use crate::intake::{Terms, batch};
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit, collections, facts};
use manara_model::observable::Observable;
use manara_model::record::{EventFacts, PartDraft, RecordDraft, Slot};
use manara_model::{Label, Marking, OrgId};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// A chunk that grows by single parts is closed at this many bytes: each of them writes it again.
const GROWING: usize = 32 * 1024;

const PART_UUID: Bulk<'static> =
    Bulk { table: "part_uuid", columns: &[("uuid", Kind::Blob), ("record", Kind::Int), ("ordinal", Kind::Int)] };

/// One change of a part. Places are ordinals of the version that is changed.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new part.
    Add(PartDraft),
    /// A new object with its attributes.
    AddObject(PartDraft, Vec<PartDraft>),
    /// New attributes of the object that stands there. What else is changed in it comes before.
    AddTo(u32, Vec<PartDraft>),
    /// Another body for the part that stands there; its slot and its object stay.
    Replace(u32, PartDraft),
    /// Nothing stands there any more.
    Remove(u32),
}

/// A change of a record.
#[derive(Debug, Clone)]
pub struct Amendment {
    /// The head as it is to be.
    pub head: RecordDraft,
    /// The old head is worth keeping: more changed in it than its clock.
    pub keep_head: bool,
    /// What becomes of the parts.
    pub parts: Vec<Change>,
    /// What a part says of its own marking, for all those that stay, should the head's change.
    pub own: fn(Slot, &str) -> Marking,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amended {
    /// The record's version now.
    pub version: u32,
    /// Numbers of new parts, in the order of the changes.
    pub added: Vec<u32>,
}

impl Store {
    /// Changes a current record, if it still is at `version`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody else was faster: read it again. The engine's.
    pub fn amend(&self, terms: &Terms, row: i64, version: u32, mut amendment: Amendment) -> Result<Amended> {
        batch::tidy(&mut amendment.head);
        let terms = terms.clone();
        self.write_large(move |tx| Work::run(tx, &terms, row, version, &amendment, false))
    }

    /// Hands a current record over to another organisation, `terms.owner`, which holds it from then on with the
    /// amendment's marking; it keeps its number and those of its parts. In one transaction: it never is both
    /// organisations', nor nobody's. Whose it was, and who brought it in, stands in the audit log and nowhere
    /// else.
    ///
    /// # Errors
    /// As [`Store::amend`]; [`StoreError::Exists`] where that organisation holds a copy of its own.
    pub fn hand_over(&self, terms: &Terms, row: i64, version: u32, mut amendment: Amendment) -> Result<Amended> {
        batch::tidy(&mut amendment.head);
        let terms = terms.clone();
        self.write_large(move |tx| Work::run(tx, &terms, row, version, &amendment, true))
    }
}

struct Work<'t, 'c> {
    tx: &'t Tx<'c>,
    record: i64,
    version: u32,
    actor: &'t str,
    /// The whole's label, and numbers of those made of it.
    label: Label,
    label_id: i64,
    labels: HashMap<Marking, i64>,
    texts: bool,
    /// Ordinal of the next new part.
    next: u32,
    /// Chunks that are changed, by their first ordinal.
    chunks: BTreeMap<u32, Vec<StoredPart>>,
    /// The last chunk grows; its first ordinal and bytes so far.
    tail: Option<(u32, usize)>,
    found: Vec<(Observable, i64, u32, bool)>,
    uuids: Vec<(Uuid, u32)>,
    comments: Vec<(u32, i64, String)>,
    tally: Tally,
    /// Places of parts that were noted for the index in this change.
    noted: HashSet<u32>,
}

impl<'t, 'c> Work<'t, 'c> {
    fn run(
        tx: &'t Tx<'c>,
        terms: &'t Terms,
        row: i64,
        version: u32,
        amendment: &Amendment,
        hand_over: bool,
    ) -> Result<Amended> {
        let sql = format!(
            "SELECT uuid, kind, owner, label, parts, texts, skeleton, received_by FROM record WHERE id = ?1 AND state = 1 AND version = ?2{}",
            tx.for_update()
        );
        let held = tx.first(&sql, &params![row, version], |row| {
            Ok((
                row.get::<Uuid>(0)?,
                row.get::<String>(1)?,
                row.get::<Uuid>(2)?,
                row.get::<i64>(3)?,
                row.get::<u32>(4)?,
                row.get::<bool>(5)?,
                row.get::<Vec<u8>>(6)?,
                row.get::<String>(7)?,
            ))
        })?;
        let Some((uuid, kind, mut owner, old_label, next, texts, skeleton, brought_by)) = held else {
            return Err(StoreError::Conflict);
        };
        if hand_over && owner != terms.owner.0 {
            hand(tx, terms, row, (uuid, &kind), (owner, &brought_by))?;
            owner = terms.owner.0;
        }
        let label = Label::new(OrgId(owner), amendment.head.marking.meet(&terms.marking));
        let label_id = facts::intern(tx, &label)?;
        let mut work = Work {
            tx,
            record: row,
            version,
            actor: &terms.actor,
            label,
            label_id,
            labels: HashMap::new(),
            texts,
            next,
            chunks: BTreeMap::new(),
            tail: None,
            found: Vec::new(),
            uuids: Vec::new(),
            comments: Vec::new(),
            tally: Tally::default(),
            noted: HashSet::new(),
        };
        if amendment.keep_head {
            work.keep(-1, skeleton)?;
        }
        if label_id != old_label {
            work.relabel(amendment.own)?;
        }
        let mut added = Vec::new();
        for change in &amendment.parts {
            work.change(change, &mut added)?;
        }
        let edited = work.next != next || amendment.parts.iter().any(|change| matches!(change, Change::Remove(_)));
        work.write()?;
        let head = &amendment.head;
        work.head(head, &kind, edited)?;
        collections::note(tx, row)?;
        audit::append(tx, &terms.actor, "record.update", &uuid.to_string(), &kind)?;
        Ok(Amended { version: version + 1, added })
    }

    /// Keeps what stood somewhere before the change.
    fn keep(&self, ordinal: i64, packed: Vec<u8>) -> Result<()> {
        self.tx
            .execute(
                "INSERT INTO past (record, version, ordinal, at, actor, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &params![self.record, self.version, ordinal, now(), self.actor, packed],
            )
            .map(drop)
    }

    fn label_of(&mut self, own: &Marking) -> Result<i64> {
        if *own == Marking::default() {
            return Ok(self.label_id);
        }
        if let Some(id) = self.labels.get(own) {
            return Ok(*id);
        }
        let id = facts::intern(self.tx, &self.label.narrowed(own))?;
        self.labels.insert(own.clone(), id);
        Ok(id)
    }

    /// Gives every part the label that follows from the whole's new one.
    fn relabel(&mut self, own: fn(Slot, &str) -> Marking) -> Result<()> {
        let (tx, record) = (self.tx, self.record);
        tx.execute("DELETE FROM event_count WHERE record = ?1", &params![record])?;
        let mut objects: HashMap<u32, Marking> = HashMap::new();
        let mut next = 0;
        while let Some((first, mut parts)) = event::chunk_at(tx, record, next)? {
            next = first + parts.len() as u32;
            let mut tally = Tally::default();
            for (ordinal, part) in (first..).zip(&mut parts) {
                index::remove_part(tx, record, ordinal, part)?;
                let mut marking = own(part.slot, &part.raw);
                if part.slot == Slot::Object && marking != Marking::default() {
                    objects.insert(ordinal, marking.clone());
                }
                if let Some(object) = part.parent.and_then(|parent| objects.get(&parent)) {
                    marking = object.meet(&marking);
                }
                part.label = self.label_of(&marking)?;
                tally.add(part.slot, &part.raw, part.label, ordinal);
            }
            let mentions = (first..).zip(&parts).flat_map(|(ordinal, part)| {
                index::indexed(&part.found, self.texts).map(move |found| Mention {
                    observable: &found.observable,
                    label: part.label,
                    ordinal,
                    detect: found.detect,
                })
            });
            index::add(tx, record, mentions.collect())?;
            let uuids = (first..).zip(&parts).filter_map(|(ordinal, part)| part.uuid.map(|uuid| (uuid, ordinal)));
            PART_UUID.add(tx, uuids.map(|(uuid, ordinal)| params![uuid, record, ordinal]))?;
            tally.write(tx, record)?;
            for (ordinal, part) in (first..).zip(&parts) {
                tx.execute(
                    "UPDATE text_doc SET label = ?3 WHERE record = ?1 AND ordinal = ?2",
                    &params![record, ordinal, part.label],
                )?;
            }
            self.store_chunk(first, &parts)?;
        }
        Ok(())
    }

    fn change(&mut self, change: &Change, added: &mut Vec<u32>) -> Result<()> {
        match change {
            Change::Add(draft) => added.push(self.append(draft, None)?),
            Change::AddObject(object, attributes) => {
                let place = self.append(object, None)?;
                added.push(place);
                for attribute in attributes {
                    added.push(self.append(attribute, Some(place))?);
                }
            }
            Change::AddTo(object, drafts) => self.add_to(*object, drafts, added)?,
            Change::Replace(ordinal, draft) => {
                let label = self.label_of(&draft.marking)?;
                let old = self.part_at(*ordinal)?.clone();
                self.forget(*ordinal, &old, true)?;
                let new = StoredPart { slot: old.slot, parent: old.parent, ..StoredPart::of(draft, label) };
                self.note(*ordinal, &new);
                if !draft.comment.is_empty() {
                    self.comments.push((*ordinal, label, draft.comment.clone()));
                }
                *self.part_at(*ordinal)? = new;
            }
            Change::Remove(ordinal) => {
                let old = self.part_at(*ordinal)?.clone();
                self.forget(*ordinal, &old, true)?;
                *self.part_at(*ordinal)? = StoredPart::gone(old.label);
            }
        }
        Ok(())
    }

    /// The part at a place, in its chunk, which will be written again.
    fn part_at(&mut self, ordinal: u32) -> Result<&mut StoredPart> {
        let missing = || StoreError::damaged(format!("no part stands at {ordinal}"));
        let near = self.chunks.range(..=ordinal).next_back();
        let held = near.filter(|(first, parts)| (ordinal - **first) < parts.len() as u32).map(|(first, _)| *first);
        let first = match held {
            Some(first) => first,
            None => {
                let (first, parts) = event::chunk_at(self.tx, self.record, ordinal)?.ok_or_else(missing)?;
                self.chunks.insert(first, parts);
                first
            }
        };
        self.chunks.get_mut(&first).and_then(|parts| parts.get_mut((ordinal - first) as usize)).ok_or_else(missing)
    }

    /// Takes a part out of the index; `keep`: as it was, for the record's past.
    fn forget(&mut self, ordinal: u32, old: &StoredPart, keep: bool) -> Result<()> {
        if old.slot == Slot::Gone {
            return Err(StoreError::damaged(format!("the part at {ordinal} was taken out before")));
        }
        index::remove_part(self.tx, self.record, ordinal, old)?;
        if self.noted.remove(&ordinal) {
            self.found.retain(|(_, _, at, _)| *at != ordinal);
            self.uuids.retain(|(_, at)| *at != ordinal);
            self.tally.forget(ordinal);
        }
        self.tally.remove(self.tx, self.record, ordinal, old)?;
        if keep {
            self.keep(i64::from(ordinal), chunk::pack(old.raw.as_bytes())?)?;
        }
        Ok(())
    }

    /// Notes what stands somewhere now, for the index.
    fn note(&mut self, ordinal: u32, part: &StoredPart) {
        for found in index::indexed(&part.found, self.texts) {
            self.found.push((found.observable.clone(), part.label, ordinal, found.detect));
        }
        self.uuids.extend(part.uuid.map(|uuid| (uuid, ordinal)));
        self.noted.insert(ordinal);
        self.tally.add(part.slot, &part.raw, part.label, ordinal);
    }

    fn append(&mut self, draft: &PartDraft, parent: Option<u32>) -> Result<u32> {
        let label = self.label_of(&draft.marking)?;
        let part = StoredPart { parent, ..StoredPart::of(draft, label) };
        if !draft.comment.is_empty() {
            self.comments.push((self.next, label, draft.comment.clone()));
        }
        self.append_stored(part)
    }

    fn append_stored(&mut self, part: StoredPart) -> Result<u32> {
        let ordinal = self.next;
        self.next = ordinal.checked_add(1).ok_or_else(|| StoreError::Invalid("a record has too many parts".into()))?;
        self.note(ordinal, &part);
        let size = part.raw.len() + 64;
        if self.tail.is_none() && ordinal > 0 {
            // The last chunk, where there is room in it.
            let last = self.tx.first(
                "SELECT first FROM chunk WHERE record = ?1 ORDER BY first DESC LIMIT 1",
                &params![self.record],
                |row| row.get::<u32>(0),
            )?;
            if let Some(first) = last {
                if !self.chunks.contains_key(&first)
                    && let Some((first, parts)) = event::chunk_at(self.tx, self.record, first)?
                {
                    self.chunks.insert(first, parts);
                }
                let bytes = self.chunks.get(&first).map_or(0, |parts| parts.iter().map(|p| p.raw.len() + 64).sum());
                self.tail = Some((first, bytes));
            }
        }
        match &mut self.tail {
            Some((first, bytes)) if *bytes + size <= GROWING => {
                *bytes += size;
                self.chunks.entry(*first).or_default().push(part);
            }
            tail => {
                *tail = Some((ordinal, size));
                self.chunks.insert(ordinal, vec![part]);
            }
        }
        Ok(ordinal)
    }

    /// Moves an object to the end, with its attributes and new ones.
    fn add_to(&mut self, object: u32, drafts: &[PartDraft], added: &mut Vec<u32>) -> Result<()> {
        let old = self.part_at(object)?.clone();
        if old.slot != Slot::Object {
            return Err(StoreError::damaged(format!("no object stands at {object}")));
        }
        let mut family = vec![(object, old)];
        let mut at = object + 1;
        while at < self.next {
            let part = self.part_at(at)?.clone();
            match part.slot {
                Slot::ObjectAttribute if part.parent == Some(object) => family.push((at, part)),
                Slot::Gone => {}
                _ => break,
            }
            at += 1;
        }
        let place = self.next;
        for (ordinal, part) in family {
            self.forget(ordinal, &part, false)?;
            *self.part_at(ordinal)? = StoredPart::gone(part.label);
            let parent = (part.slot == Slot::ObjectAttribute).then_some(place);
            let moved = self.append_stored(StoredPart { parent, ..part })?;
            let known: Option<u32> = self.tx.first(
                "DELETE FROM moved WHERE record = ?1 AND ordinal = ?2 RETURNING number",
                &params![self.record, ordinal],
                |row| row.get(0),
            )?;
            self.tx.execute(
                "INSERT INTO moved (record, ordinal, number) VALUES (?1, ?2, ?3)",
                &params![self.record, moved, known.unwrap_or(ordinal)],
            )?;
        }
        for draft in drafts {
            added.push(self.append(draft, Some(place))?);
        }
        Ok(())
    }

    fn store_chunk(&self, first: u32, parts: &[StoredPart]) -> Result<()> {
        let mut bytes = Vec::new();
        for part in parts {
            chunk::push_stored(&mut bytes, part);
        }
        self.tx
            .execute(
                "INSERT INTO chunk (record, first, parts, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (record, first) DO UPDATE SET parts = excluded.parts, body = excluded.body",
                &params![self.record, first, parts.len() as i64, chunk::pack(&bytes)?],
            )
            .map(drop)
    }

    fn write(&mut self) -> Result<()> {
        for (first, parts) in std::mem::take(&mut self.chunks) {
            self.store_chunk(first, &parts)?;
        }
        let mentions = self.found.iter().map(|(observable, label, ordinal, detect)| Mention {
            observable,
            label: *label,
            ordinal: *ordinal,
            detect: *detect,
        });
        index::add(self.tx, self.record, mentions.collect())?;
        PART_UUID.add(self.tx, self.uuids.iter().map(|(uuid, ordinal)| params![*uuid, self.record, *ordinal]))?;
        std::mem::take(&mut self.tally).write(self.tx, self.record)?;
        for (ordinal, label, comment) in &self.comments {
            batch::index_text(self.tx, self.record, Some(*ordinal), *label, comment)?;
        }
        Ok(())
    }

    fn head(&self, head: &RecordDraft, kind: &str, edited: bool) -> Result<()> {
        let (tx, record, received) = (self.tx, self.record, now());
        let tags = serde_json::to_string(&head.tags).map_err(StoreError::damaged)?;
        tx.execute(
            "UPDATE record SET version = version + 1, label = ?2, title = ?3, author = ?4, created = ?5, modified = ?6,
                 received = ?7, digest = ?8, tags = ?9, skeleton = ?10, parts = ?11,
                 edited = CASE WHEN ?12 = 1 THEN 1 ELSE edited END WHERE id = ?1",
            &params![
                record,
                self.label_id,
                &head.title,
                head.author.as_deref(),
                head.created,
                head.modified,
                received,
                head.digest.as_slice(),
                tags,
                chunk::pack(head.skeleton.as_bytes())?,
                self.next,
                edited,
            ],
        )?;
        tx.execute("DELETE FROM record_tag WHERE record = ?1", &params![record])?;
        for tag in batch::tag_numbers(tx, &head.tags)? {
            tx.execute(
                "INSERT INTO record_tag (tag, label, received, record) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                &params![tag, self.label_id, received, record],
            )?;
        }
        tx.execute(
            "DELETE FROM text_index WHERE rowid IN (SELECT id FROM text_doc WHERE record = ?1 AND ordinal IS NULL)",
            &params![record],
        )?;
        tx.execute("DELETE FROM text_doc WHERE record = ?1 AND ordinal IS NULL", &params![record])?;
        batch::index_text(tx, record, None, self.label_id, &format!("{} {}", head.title, head.text))?;
        if kind == EVENT {
            event::put(tx, record, &EventFacts::read(&head.skeleton))?;
        }
        Ok(())
    }
}

/// Makes a record another organisation's; its labels follow.
fn hand(
    tx: &Tx<'_>,
    terms: &Terms,
    record: i64,
    (uuid, kind): (Uuid, &str),
    (owner, brought_by): (Uuid, &str),
) -> Result<()> {
    let sql = "SELECT 1 FROM record WHERE uuid = ?1 AND kind = ?2 AND owner = ?3 AND state = 1";
    if tx.exists(sql, &params![uuid, kind, terms.owner.0])? {
        return Err(StoreError::Exists { what: "record", name: uuid.to_string() });
    }
    tx.execute(
        "UPDATE record SET owner = ?2, received_by = ?3, source = '' WHERE id = ?1",
        &params![record, terms.owner.0, &terms.actor],
    )?;
    let detail = format!("{kind} of {owner}, brought in by {brought_by}, to {}", terms.owner);
    audit::append(tx, &terms.actor, "record.handover", &uuid.to_string(), &detail)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
