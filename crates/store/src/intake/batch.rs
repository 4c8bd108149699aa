//! Writing records: small ones many a transaction, large ones in runs of parts that become visible
//! with the last.

use super::{Outcome, Terms};
use crate::engine::{Bulk, Conn, Kind, params};
use crate::event::EVENT;
use crate::index::{self, Mention};
use crate::tx::Tx;
use crate::{Result, StoreError, audit, chunk, collections, event, facts, people, words};
use manara_model::record::{EventFacts, PartDraft, RecordDraft};
use manara_model::{Label, Marking};
use std::collections::HashMap;

const BATCH_PARTS: usize = 8192;
const BATCH_RECORDS: usize = 512;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Further tags stay in the record's body, and are not shown in lists or filtered by.
const TAGS: usize = 1000;
/// Titles are one line of at most this many characters; the body keeps the whole.
const TITLE_CHARS: usize = 500;

const PART_UUID: Bulk<'static> =
    Bulk { table: "part_uuid", columns: &[("uuid", Kind::Blob), ("record", Kind::Int), ("ordinal", Kind::Int)] };

/// A record that was read to its end.
pub(super) struct Ready {
    pub(super) draft: RecordDraft,
    pub(super) label: Label,
    pub(super) parts: Vec<PartDraft>,
}

/// Records that wait for their transaction.
#[derive(Default)]
pub(super) struct Batch {
    records: Vec<Ready>,
    parts: usize,
    bytes: usize,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= BATCH_RECORDS || self.parts >= BATCH_PARTS || self.bytes >= BATCH_BYTES
    }

    pub(super) fn push(&mut self, ready: Ready) {
        self.parts += ready.parts.len();
        self.bytes += ready.draft.skeleton.len() + ready.parts.iter().map(|part| part.raw.len()).sum::<usize>();
        self.records.push(ready);
    }

    pub(super) fn write(&self, tx: &Tx<'_>, terms: &Terms) -> Result<Vec<(Outcome, u64)>> {
        self.records.iter().map(|ready| write_one(tx, terms, ready)).collect()
    }
}

fn write_one(tx: &Tx<'_>, terms: &Terms, ready: &Ready) -> Result<(Outcome, u64)> {
    // Asked again inside the transaction: the same record may stand in the file twice.
    if held_unchanged(tx, &ready.draft, &ready.label)? {
        return Ok((Outcome::Unchanged, 0));
    }
    let pending = Pending::create(tx, terms, &ready.draft, &ready.label)?;
    pending.parts(tx, &ready.label, &ready.parts)?.publish(tx, terms)
}

/// Titles for lists: one line, no control or direction characters that could disguise it.
pub(crate) fn tidy(draft: &mut RecordDraft) {
    let title = draft.title.split_whitespace().collect::<Vec<_>>().join(" ");
    draft.title = title.chars().filter(|c| !c.is_control()).take(TITLE_CHARS).collect();
    draft.tags.truncate(TAGS);
}

/// Does the owner hold exactly this already, under the same label?
pub(super) fn held_unchanged(conn: &Conn, draft: &RecordDraft, label: &Label) -> Result<bool> {
    let marking = serde_json::to_string(&label.marking).map_err(StoreError::damaged)?;
    // Few records have the same content; the rest is compared here, where no plan can go wrong.
    let same = conn.all(
        "SELECT r.uuid, r.kind, l.marking FROM record r JOIN label l ON l.id = r.label
         WHERE r.digest = ?1 AND r.owner = ?2 AND r.state = 1",
        &params![draft.digest.as_slice(), label.owner.0],
        |row| Ok((row.get::<uuid::Uuid>(0)?, row.get::<String>(1)?, row.get::<String>(2)?)),
    )?;
    let held = same
        .into_iter()
        .any(|(uuid, kind, held)| kind == draft.kind && held == marking && (uuid == draft.uuid || kind == "list"));
    if held {
        return Ok(true);
    }
    // A version that is history already, older by its author's clock than the current one.
    conn.exists(
        "SELECT 1 FROM record o JOIN record c ON c.uuid = o.uuid AND c.kind = o.kind AND c.owner = o.owner AND c.state = 1
         WHERE o.uuid = ?1 AND o.kind = ?2 AND o.owner = ?3 AND o.digest = ?4 AND o.state = 2 AND o.modified < c.modified",
        &params![draft.uuid, &draft.kind, label.owner.0, draft.digest.as_slice()],
    )
}

/// A record that is being written: it has a row, and is invisible.
#[derive(Clone)]
pub(super) struct Pending {
    id: i64,
    label: i64,
    labels: HashMap<Marking, i64>,
    tags: Vec<i64>,
    uuid: uuid::Uuid,
    kind: String,
    owner: uuid::Uuid,
    modified: Option<i64>,
    /// Ordinal of the next part.
    next: u32,
    observables: u64,
}

impl Pending {
    pub(super) fn create(tx: &Tx<'_>, terms: &Terms, draft: &RecordDraft, label: &Label) -> Result<Self> {
        let label_id = facts::intern(tx, label)?;
        let tags = serde_json::to_string(&draft.tags).map_err(StoreError::damaged)?;
        let id = tx.one(
            "INSERT INTO record (uuid, kind, owner, version, state, label, format, title, author, created, modified,
                                 received, received_by, source, digest, tags, skeleton, texts)
             VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) RETURNING id",
            &params![
                draft.uuid,
                &draft.kind,
                label.owner.0,
                label_id,
                &draft.format,
                &draft.title,
                draft.author.as_deref(),
                draft.created,
                draft.modified,
                now(),
                &terms.actor,
                &draft.source,
                draft.digest.as_slice(),
                tags,
                chunk::pack(draft.skeleton.as_bytes())?,
                draft.kind == EVENT,
            ],
            |row| row.get(0),
        )?;
        index_text(tx, id, None, label_id, &format!("{} {}", draft.title, draft.text))?;
        if draft.kind == EVENT {
            event::put(tx, id, &EventFacts::read(&draft.skeleton))?;
        }
        Ok(Pending {
            id,
            label: label_id,
            labels: HashMap::new(),
            tags: tag_numbers(tx, &draft.tags)?,
            uuid: draft.uuid,
            kind: draft.kind.clone(),
            owner: label.owner.0,
            modified: draft.modified,
            next: 0,
            observables: 0,
        })
    }

    /// Writes the next run of parts.
    pub(super) fn parts(&self, tx: &Tx<'_>, label: &Label, parts: &[PartDraft]) -> Result<Self> {
        let mut after = self.clone();
        let mut mentions = Vec::with_capacity(parts.len());
        let mut uuids = Vec::new();
        let mut comments: HashMap<(i64, &str), u32> = HashMap::new();
        let (mut open, mut first) = (Vec::new(), after.next);
        let (is_event, mut tally) = (self.kind == EVENT, event::Tally::default());
        for part in parts {
            let label_id = after.label_of(tx, label, &part.marking)?;
            let ordinal = after.next;
            for found in index::indexed(&part.found, is_event) {
                let observable = &found.observable;
                mentions.push(Mention { observable, label: label_id, ordinal, detect: found.detect });
                after.observables += 1;
            }
            if is_event {
                tally.add(part.slot, &part.raw, label_id, ordinal);
            }
            uuids.extend(part.uuid.map(|uuid| (uuid, ordinal)));
            if !part.comment.is_empty() {
                // The same comment on a thousand attributes is one text.
                comments.entry((label_id, &part.comment)).or_insert(ordinal);
            }
            chunk::push(&mut open, part, label_id);
            after.next =
                after.next.checked_add(1).ok_or_else(|| StoreError::Invalid("a record has too many parts".into()))?;
            if open.len() >= chunk::MAX_BYTES || after.next - first >= chunk::MAX_PARTS {
                after.close_chunk(tx, first, &open)?;
                open.clear();
                first = after.next;
            }
        }
        if after.next > first {
            after.close_chunk(tx, first, &open)?;
        }
        PART_UUID.add(tx, uuids.into_iter().map(|(uuid, ordinal)| params![uuid, self.id, ordinal]))?;
        index::add(tx, self.id, mentions)?;
        tally.write(tx, self.id)?;
        for ((label_id, comment), ordinal) in comments {
            index_text(tx, self.id, Some(ordinal), label_id, comment)?;
        }
        // A sign of life: see `sweep`.
        tx.execute("UPDATE record SET parts = ?2, received = ?3 WHERE id = ?1", &params![self.id, after.next, now()])?;
        Ok(after)
    }

    fn close_chunk(&self, tx: &Tx<'_>, first: u32, bytes: &[u8]) -> Result<()> {
        tx.execute(
            "INSERT INTO chunk (record, first, parts, body) VALUES (?1, ?2, ?3, ?4)",
            &params![self.id, first, self.next - first, chunk::pack(bytes)?],
        )
        .map(drop)
    }

    fn label_of(&mut self, tx: &Tx<'_>, whole: &Label, own: &Marking) -> Result<i64> {
        if *own == Marking::default() {
            return Ok(self.label);
        }
        if let Some(id) = self.labels.get(own) {
            return Ok(*id);
        }
        let id = facts::intern(tx, &whole.narrowed(own))?;
        self.labels.insert(own.clone(), id);
        Ok(id)
    }

    /// Makes it the current version, all at once.
    pub(super) fn publish(&self, tx: &Tx<'_>, terms: &Terms) -> Result<(Outcome, u64)> {
        let identity = params![self.uuid, &self.kind, self.owner];
        let held = tx.first(
            &format!(
                "SELECT id, modified, number FROM record WHERE uuid = ?1 AND kind = ?2 AND owner = ?3 AND state = 1{}",
                tx.for_update()
            ),
            &identity,
            |row| Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?, row.get::<i64>(2)?)),
        )?;
        let outcome = match held {
            None => Outcome::Added,
            // An older version by its author's own clock is kept as history, and changes nothing.
            Some((_, Some(newer), _)) if self.modified.is_some_and(|modified| modified < newer) => Outcome::Stale,
            Some(_) => Outcome::Updated,
        };
        let number = held.map_or(self.id, |(_, _, number)| number);
        if let (Some((old, ..)), Outcome::Updated) = (held, outcome) {
            tx.execute("UPDATE record SET state = 2 WHERE id = ?1", &params![old])?;
        }
        let version: i64 = tx.one(
            "SELECT coalesce(max(version), 0) + 1 FROM record WHERE uuid = ?1 AND kind = ?2 AND owner = ?3",
            &identity,
            |row| row.get(0),
        )?;
        let (state, received) = (if outcome == Outcome::Stale { 2u8 } else { 1 }, now());
        tx.execute(
            "UPDATE record SET state = ?2, version = ?3, received = ?4, number = ?5 WHERE id = ?1",
            &params![self.id, state, version, received, number],
        )?;
        for tag in &self.tags {
            tx.execute(
                "INSERT INTO record_tag (tag, label, received, record) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                &params![*tag, self.label, received, self.id],
            )?;
        }
        if state == 1 {
            collections::note(tx, self.id)?;
        }
        let action = match outcome {
            Outcome::Added => "record.add",
            Outcome::Updated => "record.update",
            Outcome::Unchanged | Outcome::Stale => "record.stale",
        };
        audit::append(tx, &terms.actor, action, &self.uuid.to_string(), &self.kind)?;
        Ok((outcome, self.observables))
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The numbers of tags, making those that are new.
pub(crate) fn tag_numbers(tx: &Tx<'_>, tags: &[String]) -> Result<Vec<i64>> {
    let mut names: Vec<&String> = tags.iter().take(TAGS).collect();
    names.sort_unstable();
    names.dedup();
    let mut numbers = Vec::with_capacity(names.len());
    for name in names {
        numbers.extend(people::tag_number(tx, name)?);
    }
    Ok(numbers)
}

pub(crate) fn index_text(tx: &Tx<'_>, record: i64, ordinal: Option<u32>, label: i64, text: &str) -> Result<()> {
    for entry in words::entries(text) {
        let id: i64 = tx.one(
            "INSERT INTO text_doc (record, ordinal, label) VALUES (?1, ?2, ?3) RETURNING id",
            &params![record, ordinal, label],
            |row| row.get(0),
        )?;
        let sql = format!("INSERT INTO text_index (rowid, body) VALUES (?1, {})", tx.words(2));
        tx.execute(&sql, &params![id, entry])?;
    }
    Ok(())
}
