//! `manara verify`: do store, index and audit log agree? And withdrawal, which they must all follow.

use crate::engine::{Conn, params};
use crate::{Result, Store, StoreError, audit, chunk, index};
use manara_model::OrgId;
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
        conn.begin_snapshot()?;
        let mut verdict = Verdict::default();
        for line in conn.integrity()? {
            verdict.problem(format!("database: {line}"));
        }
        match audit::check(&conn)? {
            Ok(count) => verdict.audit = count,
            Err(problem) => verdict.problem(problem),
        }
        let mut last = 0;
        loop {
            let page = conn.all(
                "SELECT id, uuid, parts, texts FROM record WHERE state = 1 AND id > ?1 ORDER BY id LIMIT 1000",
                &params![last],
                |row| Ok((row.get::<i64>(0)?, row.get::<Uuid>(1)?, row.get::<u32>(2)?, row.get::<bool>(3)?)),
            )?;
            let Some((id, ..)) = page.last() else { break };
            last = *id;
            for (id, uuid, parts, texts) in page {
                verdict.records += 1;
                match record(&conn, id, texts, &mut verdict) {
                    Ok(read) if read == parts => {}
                    Ok(read) => verdict.problem(format!("record {uuid} has {read} parts, {parts} were written")),
                    Err(error) => verdict.problem(format!("record {uuid}: {error}")),
                }
            }
        }
        let indexed: i64 = conn.one(
            "SELECT count(*) FROM occurrence o JOIN record r ON r.id = o.record WHERE r.state = 1",
            &[],
            |row| row.get(0),
        )?;
        if indexed != verdict.occurrences as i64 {
            verdict
                .problem(format!("the index has {indexed} occurrences, the records mention {}", verdict.occurrences));
        }
        Ok(verdict)
    }

    /// Withdraws a record that `owner` holds: gone from every list and answer at once; its content
    /// stays as history, and the audit log tells of it. `kind`: of that kind only, where things of several kinds
    /// have one identifier.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where `owner` holds no such record.
    pub fn withdraw(
        &self,
        actor: &str,
        owner: Option<OrgId>,
        uuid: Uuid,
        kind: Option<&str>,
        reason: &str,
    ) -> Result<()> {
        let (actor, reason, kind) = (actor.to_owned(), reason.to_owned(), kind.map(str::to_owned));
        self.write(move |tx| {
            let held = tx.all(
                &format!("SELECT id, owner, kind FROM record WHERE uuid = ?1 AND state = 1{}", tx.for_update()),
                &params![uuid],
                |row| Ok((row.get::<i64>(0)?, row.get::<Uuid>(1)?, row.get::<String>(2)?)),
            )?;
            let mut withdrawn = 0;
            for (id, holder, of) in held {
                if owner.is_none_or(|owner| owner.0 == holder) && kind.as_ref().is_none_or(|kind| *kind == of) {
                    withdrawn += tx.execute("UPDATE record SET state = 3 WHERE id = ?1", &params![id])?;
                }
            }
            if withdrawn == 0 {
                return Err(StoreError::Unknown { what: "record", name: uuid.to_string() });
            }
            audit::append(tx, &actor, "record.withdraw", &uuid.to_string(), &reason)
        })?;
        self.sweep()
    }
}

fn record(conn: &Conn, id: i64, texts: bool, verdict: &mut Verdict) -> Result<u32> {
    let mut next = 0u32;
    loop {
        let chunk = conn.first(
            "SELECT first, parts, body FROM chunk WHERE record = ?1 AND first >= ?2 ORDER BY first LIMIT 1",
            &params![id, next],
            |row| Ok((row.get::<u32>(0)?, row.get::<u32>(1)?, row.get::<Vec<u8>>(2)?)),
        )?;
        let Some((first, count, body)) = chunk else { return Ok(next) };
        if first != next {
            return Err(StoreError::Damaged(format!("parts {next} to {first} are missing")));
        }
        let parts = chunk::read(&body)?;
        if parts.len() != count as usize {
            return Err(StoreError::Damaged(format!("the chunk at {first} has {} parts of {count}", parts.len())));
        }
        for (ordinal, part) in (first..).zip(&parts) {
            let mut seen = std::collections::HashSet::new();
            for found in index::indexed(&part.found, texts) {
                if !seen.insert(&found.observable) {
                    continue;
                }
                verdict.occurrences += 1;
                let Some(observable) = index::find(conn, &found.observable)? else {
                    verdict.problem(format!("a value in part {ordinal} of record {id} is not in the index"));
                    continue;
                };
                let known = conn.exists(
                    "SELECT 1 FROM occurrence WHERE observable = ?1 AND label = ?2 AND record = ?3 AND ordinal = ?4",
                    &params![observable, part.label, id, ordinal],
                )?;
                if !known {
                    verdict.problem(format!("part {ordinal} of record {id} is not in the index"));
                }
            }
        }
        verdict.parts += u64::from(count);
        next = first + count;
    }
}
