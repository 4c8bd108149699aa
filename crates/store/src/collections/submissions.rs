//! Envelopes that were taken, and what became of them (TAXII 2.1 §4.3): a large one is kept until it has been
//! read, and who sent it asks how far that is.

use super::put::put;
use super::{Arrival, Giver};
use crate::engine::params;
use crate::jobs::{self, NewJob};
use crate::tx::Tx;
use crate::{Result, Store, StoreError, chunk};
use manara_model::UserId;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// What became of an envelope.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its identifier.
    pub uuid: Uuid,
    /// The collection's entry.
    pub collection: i64,
    /// Who sent it.
    pub account: UserId,
    /// When it came, Unix microseconds.
    pub requested: i64,
    /// Nothing of it waits.
    pub done: bool,
    /// Counts and objects, as its reader gives them.
    pub report: Value,
}

fn add(tx: &Tx<'_>, made: &Submission, envelope: Option<&[u8]>) -> Result<()> {
    let report = chunk::pack(made.report.to_string().as_bytes())?;
    let sql = "INSERT INTO submission (uuid, collection, account, requested, done, report, envelope)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (requested, account) = (made.requested, made.account.0);
    let row = params![made.uuid, made.collection, account, requested, made.done, report.as_slice(), envelope];
    tx.execute(sql, &row).map(drop)
}

impl Store {
    /// Adds an envelope's objects to its collection, and keeps what is told of it: all in one transaction, so that
    /// one flush to the disk is waited for. `report`: what is told, given each object's version and whether it is
    /// new; `job`: what is to be done after a time if one is.
    ///
    /// # Errors
    /// The engine's.
    pub fn put_envelope(
        &self,
        giver: &Giver,
        arrivals: Vec<Arrival>,
        made: Submission,
        report: impl Fn(&[(i64, bool)]) -> Value + Send + 'static,
        (job, after): (NewJob, Duration),
    ) -> Result<Submission> {
        let giver = giver.clone();
        self.write_large(move |tx| {
            super::must_be_open(tx, made.collection)?;
            let put = put(tx, made.collection, &giver, &arrivals)?;
            let made = Submission { report: report(&put), ..made.clone() };
            add(tx, &made, None)?;
            if put.iter().any(|(_, new)| *new) {
                jobs::add(tx, "", &job, after)?;
            }
            Ok(made)
        })
    }

    /// Keeps an envelope that is to be read later, by this job.
    ///
    /// # Errors
    /// The engine's.
    pub fn keep_envelope(&self, made: Submission, text: &str, job: NewJob) -> Result<()> {
        let text = chunk::pack(text.as_bytes())?;
        self.write(move |tx| {
            super::must_be_open(tx, made.collection)?;
            add(tx, &made, Some(&text))?;
            jobs::add(tx, "", &job, Duration::ZERO).map(drop)
        })?;
        self.ring();
        Ok(())
    }

    /// What became of an envelope; `None`: nothing is known of it, or not any more.
    ///
    /// # Errors
    /// The engine's.
    pub fn submission(&self, uuid: Uuid) -> Result<Option<Submission>> {
        let sql = "SELECT collection, account, requested, done, report FROM submission WHERE uuid = ?1";
        self.reader()?.first(sql, &params![uuid], |row| {
            let report = chunk::unpack_text(&row.get::<Vec<u8>>(4)?)?;
            Ok(Submission {
                uuid,
                collection: row.get(0)?,
                account: UserId(row.get(1)?),
                requested: row.get(2)?,
                done: row.get(3)?,
                report: serde_json::from_str(&report).map_err(StoreError::damaged)?,
            })
        })
    }

    /// The text of an envelope that waits.
    ///
    /// # Errors
    /// The engine's.
    pub fn envelope(&self, uuid: Uuid) -> Result<Option<String>> {
        let sql = "SELECT envelope FROM submission WHERE uuid = ?1";
        let packed = self.reader()?.first(sql, &params![uuid], |row| row.get::<Option<Vec<u8>>>(0))?.flatten();
        packed.map(|packed| chunk::unpack_text(&packed)).transpose()
    }

    /// Envelopes of a collection that wait, oldest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn envelopes_waiting(&self, collection: i64) -> Result<Vec<Uuid>> {
        let sql = "SELECT uuid FROM submission WHERE done = 0 AND collection = ?1 ORDER BY requested";
        self.reader()?.all(sql, &params![collection], |row| row.get(0))
    }

    /// Notes how far an envelope is; `done`: all of it was read, and its text goes.
    ///
    /// # Errors
    /// The engine's.
    pub fn note_submission(&self, uuid: Uuid, report: &Value, done: bool) -> Result<()> {
        let report = chunk::pack(report.to_string().as_bytes())?;
        self.write(move |tx| {
            let envelope = if done { ", envelope = NULL" } else { "" };
            let sql = format!("UPDATE submission SET report = ?2, done = ?3{envelope} WHERE uuid = ?1");
            tx.execute(&sql, &params![uuid, report.as_slice(), done]).map(drop)
        })
    }

    /// Forgets what became of envelopes that came before a time, Unix microseconds.
    ///
    /// # Errors
    /// The engine's.
    pub fn forget_submissions(&self, before: i64) -> Result<()> {
        self.write(move |tx| {
            tx.execute("DELETE FROM submission WHERE requested < ?1 AND done = 1", &params![before]).map(drop)
        })
    }
}
