//! Writing records: small ones many a transaction, large ones in runs of parts that become visible
//! with the last.

use super::{Outcome, Terms};
use crate::chunk::{self, StoredPart};
use crate::index::{self, Mention};
use crate::{Result, StoreError, audit, facts};
use manara_model::record::{PartDraft, RecordDraft};
use manara_model::{Label, Marking};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

const BATCH_PARTS: usize = 8192;
const BATCH_RECORDS: usize = 512;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Titles are one line of at most this many characters; the body keeps the whole.
const TITLE_CHARS: usize = 500;

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

    pub(super) fn write(self, conn: &Connection, terms: &Terms) -> Result<Vec<(Outcome, u64)>> {
        let mut outcomes = Vec::with_capacity(self.records.len());
        for ready in self.records {
            outcomes.push(write_one(conn, terms, ready)?);
        }
        Ok(outcomes)
    }
}

fn write_one(conn: &Connection, terms: &Terms, ready: Ready) -> Result<(Outcome, u64)> {
    // Asked again inside the transaction: the same record may stand in the file twice.
    if held_unchanged(conn, &ready.draft, &ready.label)? {
        return Ok((Outcome::Unchanged, 0));
    }
    let pending = Pending::create(conn, terms, &ready.draft, &ready.label)?;
    pending.parts(conn, &ready.label, ready.parts)?.publish(conn, terms)
}

/// Titles for lists: one line, no control or direction characters that could disguise it.
pub(super) fn tidy(draft: &mut RecordDraft) {
    let title = draft.title.split_whitespace().collect::<Vec<_>>().join(" ");
    draft.title = title.chars().filter(|c| !c.is_control()).take(TITLE_CHARS).collect();
}

/// Does the owner hold exactly this already, under the same label?
pub(super) fn held_unchanged(conn: &Connection, draft: &RecordDraft, label: &Label) -> Result<bool> {
    let marking = serde_json::to_string(&label.marking).map_err(StoreError::damaged)?;
    let mut statement = conn.prepare_cached(
        "SELECT 1 FROM record r JOIN label l ON l.id = r.label
         WHERE r.digest = ?1 AND r.owner = ?2 AND r.state = 1 AND r.kind = ?3 AND l.marking = ?4
           AND (r.uuid = ?5 OR r.kind = 'list') LIMIT 1",
    )?;
    let key = (draft.digest.as_slice(), label.owner.0, &draft.kind, marking, draft.uuid);
    if statement.query_row(key, |_| Ok(())).optional()?.is_some() {
        return Ok(true);
    }
    // A version that is history already, older by its author's clock than the current one.
    let mut statement = conn.prepare_cached(
        "SELECT 1 FROM record o JOIN record c ON c.uuid = o.uuid AND c.kind = o.kind AND c.owner = o.owner AND c.state = 1
         WHERE o.uuid = ?1 AND o.kind = ?2 AND o.owner = ?3 AND o.digest = ?4 AND o.state = 2 AND o.modified < c.modified",
    )?;
    let key = (draft.uuid, &draft.kind, label.owner.0, draft.digest.as_slice());
    Ok(statement.query_row(key, |_| Ok(())).optional()?.is_some())
}

/// A record that is being written: it has a row, and is invisible.
pub(super) struct Pending {
    id: i64,
    label: i64,
    labels: HashMap<Marking, i64>,
    uuid: uuid::Uuid,
    kind: String,
    owner: uuid::Uuid,
    modified: Option<i64>,
    /// Ordinal of the next part.
    next: u32,
    observables: u64,
}

impl Pending {
    pub(super) fn create(conn: &Connection, terms: &Terms, draft: &RecordDraft, label: &Label) -> Result<Self> {
        let label_id = facts::intern(conn, label)?;
        let tags = serde_json::to_string(&draft.tags).map_err(StoreError::damaged)?;
        let version: i64 = conn
            .prepare_cached(
                "SELECT coalesce(max(version), 0) + 1 FROM record WHERE uuid = ?1 AND kind = ?2 AND owner = ?3",
            )?
            .query_row((draft.uuid, &draft.kind, label.owner.0), |row| row.get(0))?;
        let mut insert = conn.prepare_cached(
            "INSERT INTO record (uuid, kind, owner, version, state, label, format, title, author, created, modified,
                                 received, received_by, source, digest, tags, skeleton)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) RETURNING id",
        )?;
        let id = insert.query_row(
            rusqlite::params![
                draft.uuid,
                draft.kind,
                label.owner.0,
                version,
                label_id,
                draft.format,
                draft.title,
                draft.author,
                draft.created,
                draft.modified,
                jiff::Timestamp::now().as_millisecond(),
                terms.actor,
                draft.source,
                draft.digest.as_slice(),
                tags,
                chunk::pack(draft.skeleton.as_bytes())?,
            ],
            |row| row.get(0),
        )?;
        for tag in &draft.tags {
            link_tag(conn, id, tag)?;
        }
        index_text(conn, id, None, label_id, &format!("{} {}", draft.title, draft.text))?;
        Ok(Pending {
            id,
            label: label_id,
            labels: HashMap::new(),
            uuid: draft.uuid,
            kind: draft.kind.clone(),
            owner: label.owner.0,
            modified: draft.modified,
            next: 0,
            observables: 0,
        })
    }

    /// Writes the next run of parts.
    pub(super) fn parts(mut self, conn: &Connection, label: &Label, parts: Vec<PartDraft>) -> Result<Self> {
        let mut mentions = Vec::with_capacity(parts.len());
        let mut comments: HashMap<(i64, String), u32> = HashMap::new();
        let (mut open, mut first) = (Vec::new(), self.next);
        for part in parts {
            let label_id = self.label_of(conn, label, &part.marking)?;
            let ordinal = self.next;
            for found in &part.found {
                let observable = found.observable.clone();
                if observable.ty().row().correlates {
                    mentions.push(Mention { observable, label: label_id, ordinal, detect: found.detect });
                    self.observables += 1;
                }
            }
            if let Some(uuid) = part.uuid {
                conn.prepare_cached(
                    "INSERT INTO part_uuid (uuid, record, ordinal) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                )?
                .execute((uuid, self.id, ordinal))?;
            }
            if !part.comment.is_empty() {
                // The same comment on a thousand attributes is one text.
                comments.entry((label_id, part.comment)).or_insert(ordinal);
            }
            let stored = StoredPart {
                slot: part.slot,
                parent: part.parent,
                uuid: part.uuid,
                label: label_id,
                found: part.found,
                raw: part.raw,
            };
            chunk::push(&mut open, &stored);
            self.next =
                self.next.checked_add(1).ok_or_else(|| StoreError::Invalid("a record has too many parts".into()))?;
            if open.len() >= chunk::MAX_BYTES || self.next - first >= chunk::MAX_PARTS {
                self.close_chunk(conn, first, &open)?;
                open.clear();
                first = self.next;
            }
        }
        if self.next > first {
            self.close_chunk(conn, first, &open)?;
        }
        index::add(conn, self.id, mentions)?;
        for ((label_id, comment), ordinal) in comments {
            index_text(conn, self.id, Some(ordinal), label_id, &comment)?;
        }
        // A sign of life: see `sweep`.
        conn.prepare_cached("UPDATE record SET parts = ?2, received = ?3 WHERE id = ?1")?.execute((
            self.id,
            self.next,
            jiff::Timestamp::now().as_millisecond(),
        ))?;
        Ok(self)
    }

    fn close_chunk(&self, conn: &Connection, first: u32, bytes: &[u8]) -> Result<()> {
        conn.prepare_cached("INSERT INTO chunk (record, first, parts, body) VALUES (?1, ?2, ?3, ?4)")?.execute((
            self.id,
            first,
            self.next - first,
            chunk::pack(bytes)?,
        ))?;
        Ok(())
    }

    fn label_of(&mut self, conn: &Connection, whole: &Label, own: &Marking) -> Result<i64> {
        if *own == Marking::default() {
            return Ok(self.label);
        }
        if let Some(id) = self.labels.get(own) {
            return Ok(*id);
        }
        let id = facts::intern(conn, &whole.narrowed(own))?;
        self.labels.insert(own.clone(), id);
        Ok(id)
    }

    /// Makes it the current version, all at once.
    pub(super) fn publish(self, conn: &Connection, terms: &Terms) -> Result<(Outcome, u64)> {
        let held: Option<(i64, Option<i64>)> = conn
            .prepare_cached(
                "SELECT id, modified FROM record WHERE uuid = ?1 AND kind = ?2 AND owner = ?3 AND state = 1",
            )?
            .query_row((self.uuid, &self.kind, self.owner), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let outcome = match held {
            None => Outcome::Added,
            // An older version by its author's own clock is kept as history, and changes nothing.
            Some((_, Some(newer))) if self.modified.is_some_and(|modified| modified < newer) => Outcome::Stale,
            Some(_) => Outcome::Updated,
        };
        let mut set_state = conn.prepare_cached("UPDATE record SET state = ?2 WHERE id = ?1")?;
        if let (Some((old, _)), Outcome::Updated) = (held, outcome) {
            set_state.execute((old, 2))?;
        }
        set_state.execute((self.id, if outcome == Outcome::Stale { 2 } else { 1 }))?;
        let action = match outcome {
            Outcome::Added => "record.add",
            Outcome::Updated => "record.update",
            Outcome::Unchanged | Outcome::Stale => "record.stale",
        };
        audit::append(conn, &terms.actor, action, &self.uuid.to_string(), &self.kind)?;
        Ok((outcome, self.observables))
    }
}

fn link_tag(conn: &Connection, record: i64, tag: &str) -> Result<()> {
    let id: i64 = conn
        .prepare_cached(
            "INSERT INTO tag (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
        )?
        .query_row([tag], |row| row.get(0))?;
    conn.prepare_cached("INSERT INTO record_tag (tag, record) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((id, record))?;
    Ok(())
}

fn index_text(conn: &Connection, record: i64, ordinal: Option<u32>, label: i64, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Ok(());
    }
    let id: i64 = conn
        .prepare_cached("INSERT INTO text_doc (record, ordinal, label) VALUES (?1, ?2, ?3) RETURNING id")?
        .query_row((record, ordinal, label), |row| row.get(0))?;
    conn.prepare_cached("INSERT INTO text_index (rowid, body) VALUES (?1, ?2)")?.execute((id, text))?;
    Ok(())
}
