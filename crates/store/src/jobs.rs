//! Work beside the requests: what is asked for is a row before anybody is told that it will be done, and
//! whoever serves the node takes it up. What became of it is read from the row: a process that dies leaves
//! a job that another takes up again.

use crate::engine::{Row, params};
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit};
use manara_model::OrgId;
use serde_json::Value;
use std::time::Duration;

/// What a job says of itself: `SELECT` these.
const COLUMNS: &str =
    "id, kind, subject, key, actor, org, state, due, attempts, progress, message, report, created, modified";
/// A job may be taken up at `?1`: it is due, or its holder is silent; and nothing else is done of its subject.
const FREE: &str = "(state = 0 AND due <= ?1 OR state = 1 AND until < ?1) AND NOT EXISTS (
    SELECT 1 FROM job o WHERE o.subject = job.subject AND o.state = 1 AND o.until >= ?1)";
/// Two processes that take up jobs at the same time do it one after the other.
const TAKING: i64 = 0x6d61_6e61_7261_0003;
/// Jobs in one answer, at most.
const MOST: u32 = 1000;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits for its time, or for someone to do it.
    Waits,
    /// It is being done.
    Runs,
    /// It was done.
    Done,
    /// It was given up.
    Failed,
}

impl JobState {
    const ALL: [JobState; 4] = [JobState::Waits, JobState::Runs, JobState::Done, JobState::Failed];

    fn number(self) -> i64 {
        self as i64
    }

    fn from_number(number: i64) -> JobState {
        JobState::ALL.into_iter().find(|state| state.number() == number).unwrap_or(JobState::Failed)
    }
}

/// A job that is asked for.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What is to be done.
    pub kind: &'static str,
    /// Number of the entry that it is about: one job at a time is done of each.
    pub subject: i64,
    /// What of it; the same that waits already is not asked for twice.
    pub key: String,
    /// For whom.
    pub org: Option<OrgId>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// What is to be done.
    pub kind: String,
    /// Number of the entry that it is about.
    pub subject: i64,
    /// What of it.
    pub key: String,
    /// Who asked; empty: the node itself.
    pub actor: String,
    /// For whom.
    pub org: Option<OrgId>,
    /// How far it is.
    pub state: JobState,
    /// Unix milliseconds: not before.
    pub due: i64,
    /// How often it was begun.
    pub attempts: i64,
    /// Per cent.
    pub progress: i64,
    /// Where it is, or how it ended, in words.
    pub message: String,
    /// What it did.
    pub report: Value,
    /// Unix milliseconds.
    pub created: i64,
    /// Unix milliseconds.
    pub modified: i64,
}

fn read(row: &Row<'_>) -> Result<Job> {
    let report: String = row.get(11)?;
    Ok(Job {
        id: row.get(0)?,
        kind: row.get(1)?,
        subject: row.get(2)?,
        key: row.get(3)?,
        actor: row.get(4)?,
        org: row.get::<Option<uuid::Uuid>>(5)?.map(OrgId),
        state: JobState::from_number(row.get(6)?),
        due: row.get(7)?,
        attempts: row.get(8)?,
        progress: row.get(9)?,
        message: row.get(10)?,
        report: serde_json::from_str(&report).map_err(StoreError::damaged)?,
        created: row.get(12)?,
        modified: row.get(13)?,
    })
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn later(from: i64, time: Duration) -> i64 {
    from.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// Asks for a job, as [`Store::add_job`] does; who waits for jobs is woken after the transaction. `after`: not
/// before that time, and one that waits already stays as it is.
pub(crate) fn add(tx: &Tx<'_>, actor: &str, job: &NewJob, after: Duration) -> Result<i64> {
    let held = tx.first(
        "SELECT id FROM job WHERE subject = ?1 AND kind = ?2 AND state = 0 AND key = ?3",
        &params![job.subject, job.kind, &job.key],
        |row| row.get(0),
    )?;
    if let Some(id) = held {
        if !after.is_zero() {
            return Ok(id);
        }
        // One that waits for another try is wanted now.
        tx.execute("UPDATE job SET due = ?2 WHERE id = ?1 AND due > ?2", &params![id, now()])?;
        return Ok(id);
    }
    let sql = "INSERT INTO job (kind, subject, key, actor, org, state, due, created, modified)
               VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?7) RETURNING id";
    let (org, now) = (job.org.map(|org| org.0), now());
    let row = params![job.kind, job.subject, &job.key, actor, org, later(now, after), now];
    let id = tx.one(sql, &row, |row| row.get(0))?;
    if !actor.is_empty() {
        audit::append(tx, actor, "job.add", &format!("{}/{}", job.kind, job.subject), &job.key)?;
    }
    Ok(id)
}

impl Store {
    /// Asks for a job, to be done as soon as may be; its number, or that of the same one that waits already.
    ///
    /// # Errors
    /// The engine's.
    pub fn add_job(&self, actor: &str, job: NewJob) -> Result<i64> {
        let actor = actor.to_owned();
        let added = self.write(move |tx| add(tx, &actor, &job, Duration::ZERO));
        self.bell.ring();
        added
    }

    /// Asks for a job that is to be done after a time; where the same one waits already, it is done when that is.
    ///
    /// # Errors
    /// The engine's.
    pub fn add_job_later(&self, job: NewJob, after: Duration) -> Result<()> {
        self.write(move |tx| add(tx, "", &job, after).map(drop))
    }

    /// Somebody asked for a job in a transaction of their own.
    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    /// Waits until somebody in this process asks for a job, or for so long; `since`: what the last wait said, at
    /// first 0. Another process may have asked for one without a sound.
    #[must_use]
    pub fn wait_for_jobs(&self, since: u64, time: Duration) -> u64 {
        self.bell.wait(since, time)
    }

    /// Takes up a job that is due; or one whose process has been silent for too long. Nobody else gets it
    /// while its holder speaks up within `silence`.
    ///
    /// # Errors
    /// The engine's.
    pub fn take_job(&self, holder: &str, silence: Duration) -> Result<Option<Job>> {
        let at = now();
        // Read first: most of the time there is nothing to do, and nothing is written.
        let sql = format!("SELECT id FROM job WHERE {FREE} ORDER BY due, id LIMIT 1");
        let due = self.reader()?.first::<i64>(&sql, &params![at], |row| row.get(0))?;
        let Some(id) = due else { return Ok(None) };
        let holder = holder.to_owned();
        self.write(move |tx| {
            tx.hold(TAKING)?;
            let sql = format!(
                "UPDATE job SET state = 1, holder = ?3, until = ?4, attempts = attempts + 1, progress = 0, modified = ?1
                 WHERE id = ?2 AND {FREE} RETURNING {COLUMNS}"
            );
            tx.first(&sql, &params![at, id, &holder, later(at, silence)], read)
        })
    }

    /// Says where a job is. False: it was taken from this holder, who stops.
    ///
    /// # Errors
    /// The engine's.
    pub fn job_goes_on(&self, id: i64, holder: &str, silence: Duration, progress: i64, message: &str) -> Result<bool> {
        let (holder, message) = (holder.to_owned(), message.to_owned());
        self.write(move |tx| {
            let sql = "UPDATE job SET until = ?3, progress = ?4, message = ?5, modified = ?6
                       WHERE id = ?1 AND holder = ?2 AND state = 1";
            let rows =
                tx.execute(sql, &params![id, &holder, later(now(), silence), progress.clamp(0, 100), &message, now()])?;
            Ok(rows > 0)
        })
    }

    /// Ends a job; or puts it back to be tried again `after` a while.
    ///
    /// # Errors
    /// The engine's.
    pub fn end_job(
        &self,
        id: i64,
        holder: &str,
        good: bool,
        message: &str,
        report: &Value,
        after: Option<Duration>,
    ) -> Result<()> {
        let (holder, message, report) = (holder.to_owned(), message.to_owned(), report.to_string());
        self.write(move |tx| {
            let state = match (good, after) {
                (true, _) => JobState::Done,
                (false, Some(_)) => JobState::Waits,
                (false, None) => JobState::Failed,
            };
            let due = after.map(|after| later(now(), after));
            let progress = i64::from(good) * 100;
            let sql = "UPDATE job SET state = ?3, due = coalesce(?4, due), message = ?5, report = ?6, modified = ?7,
                       progress = ?8, holder = '', until = 0 WHERE id = ?1 AND holder = ?2 AND state = 1";
            tx.execute(sql, &params![id, &holder, state.number(), due, &message, &report, now(), progress])?;
            Ok(())
        })
    }

    /// Puts off the jobs of a kind about an entry that wait: what made one of them fail for a while is the same for
    /// all of them.
    ///
    /// # Errors
    /// The engine's.
    pub fn put_off(&self, kind: &str, subject: i64, after: Duration) -> Result<()> {
        let kind = kind.to_owned();
        self.write(move |tx| {
            let sql = "UPDATE job SET due = ?3 WHERE subject = ?1 AND kind = ?2 AND state = 0 AND due < ?3";
            tx.execute(sql, &params![subject, &kind, later(now(), after)]).map(drop)
        })
    }

    /// A job.
    ///
    /// # Errors
    /// The engine's.
    pub fn job(&self, id: i64) -> Result<Option<Job>> {
        self.reader()?.first(&format!("SELECT {COLUMNS} FROM job WHERE id = ?1"), &params![id], read)
    }

    /// Jobs before a number, newest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn jobs(&self, before: Option<i64>, limit: u32) -> Result<Vec<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
        self.reader()?.all(&sql, &params![before.unwrap_or(i64::MAX), i64::from(limit.min(MOST))], read)
    }

    /// Jobs about an entry that wait or run.
    ///
    /// # Errors
    /// The engine's.
    pub fn jobs_open(&self, subject: i64) -> Result<Vec<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE subject = ?1 AND state IN (0, 1) ORDER BY id LIMIT ?2");
        self.reader()?.all(&sql, &params![subject, i64::from(MOST)], read)
    }

    /// How many wait, run, were done, failed.
    ///
    /// # Errors
    /// The engine's.
    pub fn job_counts(&self) -> Result<[i64; 4]> {
        let sql = "SELECT state, count(*) FROM job WHERE state IN (0, 1) GROUP BY state";
        let mut counts = [0; 4];
        for (state, count) in self.reader()?.all(sql, &params![], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))? {
            counts[JobState::from_number(state) as usize] = count;
        }
        Ok(counts)
    }

    /// Jobs that a process had taken up which is no more: on a folder of its own there can be no other.
    ///
    /// # Errors
    /// The engine's.
    pub fn jobs_left_behind(&self) -> Result<()> {
        if self.place().database.is_some() {
            return Ok(());
        }
        self.write(|tx| tx.execute("UPDATE job SET until = 0 WHERE state = 1", &params![]).map(drop))
    }

    /// Forgets jobs that ended longer ago than this.
    ///
    /// # Errors
    /// The engine's.
    pub fn forget_jobs(&self, age: Duration) -> Result<()> {
        let before = now().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        self.write(move |tx| {
            tx.execute("DELETE FROM job WHERE modified < ?1 AND state IN (2, 3)", &params![before]).map(drop)
        })
    }
}
