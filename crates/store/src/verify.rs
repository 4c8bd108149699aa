//! `manara verify`: do store, index and audit log agree? And withdrawal, which they must all follow.

use crate::{Result, Store, StoreError, audit, chunk, engine, index};
use manara_model::OrgId;
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

/// What was checked, and what is wrong.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Verdict {
    /// Current records read.
    pub records: u64,
    /// Parts read.
    pub parts: u64,
    /// Mentions looked for in the index.
    pub occurrences: u64,
    /// Entries of the audit log.
    pub audit: i64,
    /// What is wrong, in words; empty: all agrees. At most a hundred.
    pub problems: Vec<String>,
}

impl Verdict {
    fn problem(&mut self, what: String) {
        if self.problems.len() < 100 {
            self.problems.push(what);
        }
    }
}

impl Store {
    /// Reads everything and compares.
    ///
    /// # Errors
    /// The engine's, where it can't even be read.
    pub fn verify(&self) -> Result<Verdict> {
        let conn = self.reader()?;
        conn.execute_batch("BEGIN")?;
        let mut verdict = Verdict::default();
        for line in engine::integrity(&conn)? {
            verdict.problem(format!("database: {line}"));
        }
        match audit::check(&conn)? {
            Ok(count) => verdict.audit = count,
            Err(problem) => verdict.problem(problem),
        }
        let mut statement = conn.prepare("SELECT id, uuid, parts, label FROM record WHERE state = 1 ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            verdict.records += 1;
            let (id, uuid, parts): (i64, Uuid, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match record(&conn, id, &mut verdict) {
                Ok(read) if read == parts => {}
                Ok(read) => verdict.problem(format!("record {uuid} has {read} parts, {parts} were written")),
                Err(error) => verdict.problem(format!("record {uuid}: {error}")),
            }
        }
        let indexed: i64 = conn.query_row(
            "SELECT count(*) FROM occurrence o JOIN record r ON r.id = o.record WHERE r.state = 1",
            [],
            |row| row.get(0),
        )?;
        if indexed != verdict.occurrences as i64 {
            verdict
                .problem(format!("the index has {indexed} occurrences, the records mention {}", verdict.occurrences));
        }
        Ok(verdict)
    }

    /// Withdraws a record that `owner` holds: gone from every list and answer at once; its content
    /// stays as history, and the audit log tells of it.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where `owner` holds no such record.
    pub fn withdraw(&self, actor: &str, owner: Option<OrgId>, uuid: Uuid, reason: &str) -> Result<()> {
        let (actor, reason) = (actor.to_owned(), reason.to_owned());
        self.write(move |conn| {
            let mut find = conn.prepare_cached("SELECT id, owner FROM record WHERE uuid = ?1 AND state = 1")?;
            let rows = find.query_map([uuid], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Uuid>(1)?)))?;
            let mut withdrawn = 0;
            for row in rows {
                let (id, holder) = row?;
                if owner.is_none_or(|owner| owner.0 == holder) {
                    withdrawn += conn.execute("UPDATE record SET state = 3 WHERE id = ?1", [id])?;
                }
            }
            if withdrawn == 0 {
                return Err(StoreError::Unknown { what: "record", name: uuid.to_string() });
            }
            audit::append(conn, &actor, "record.withdraw", &uuid.to_string(), &reason)
        })?;
        self.sweep()
    }
}

fn record(conn: &Connection, id: i64, verdict: &mut Verdict) -> Result<u32> {
    let mut chunks = conn.prepare_cached("SELECT first, parts, body FROM chunk WHERE record = ?1 ORDER BY first")?;
    let mut rows = chunks.query([id])?;
    let mut next = 0u32;
    while let Some(row) = rows.next()? {
        let (first, count): (u32, u32) = (row.get(0)?, row.get(1)?);
        if first != next {
            return Err(StoreError::Damaged(format!("parts {next} to {first} are missing")));
        }
        let parts = chunk::read(&row.get::<_, Vec<u8>>(2)?)?;
        if parts.len() != count as usize {
            return Err(StoreError::Damaged(format!("the chunk at {first} has {} parts of {count}", parts.len())));
        }
        for (ordinal, part) in (first..).zip(&parts) {
            let mut seen = std::collections::HashSet::new();
            for found in part.found.iter().filter(|found| found.observable.ty().row().correlates) {
                if !seen.insert(&found.observable) {
                    continue;
                }
                verdict.occurrences += 1;
                let Some(observable) = index::find(conn, &found.observable)? else {
                    verdict.problem(format!("a value in part {ordinal} of record {id} is not in the index"));
                    continue;
                };
                let known = conn
                    .prepare_cached(
                        "SELECT 1 FROM occurrence WHERE observable = ?1 AND label = ?2 AND record = ?3 AND ordinal = ?4",
                    )?
                    .query_row((observable, part.label, id, ordinal), |_| Ok(()))
                    .optional()?;
                if known.is_none() {
                    verdict.problem(format!("part {ordinal} of record {id} is not in the index"));
                }
            }
        }
        verdict.parts += u64::from(count);
        next = first + count;
    }
    Ok(next)
}
