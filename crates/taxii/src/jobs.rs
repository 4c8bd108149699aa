//! What is done of a collection beside the requests: large envelopes are read, and what came is made into records,
//! so that it is searched, correlated and handed on like everything else.

use crate::add::{AT_ONCE, Report, job, objects_of, sort};
use crate::collections::{self, COLLECTION, Collection};
use crate::known;
use manara_formats::{Input, Limits};
use manara_model::{Audience, Label, Purpose};
use manara_store::collections::{Giver, Versions, Wanted};
use manara_store::intake::{Intake, Terms};
use manara_store::jobs::Job;
use manara_store::{Store, StoreError};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// Where the records that were made of a collection end; a member of its entry.
const POURED: &str = "poured";
/// Objects that are made into records in one go.
const RUN: usize = 500;
/// Records are made when nothing came for this long: who sends is not kept waiting by it…
pub(crate) const QUIET: Duration = Duration::from_secs(1);
/// …but not put off for longer than this.
const PUT_OFF: Duration = Duration::from_secs(20);

/// What became of an envelope is told for this long; at least a day (TAXII 2.1 §4.3).
const TOLD: Duration = Duration::from_secs(7 * 86_400);

/// Forgets what became of old envelopes.
///
/// # Errors
/// The store's.
pub fn sweep(store: &Store) -> Result<(), StoreError> {
    let before = jiff::Timestamp::now().as_microsecond() - i64::try_from(TOLD.as_micros()).unwrap_or(i64::MAX);
    store.forget_submissions(before)?;
    collections::tidy(store)
}

/// Says how far it is, `done` of `all` (0: nobody knows); false: it is to stop.
pub type Tell<'a> = &'a dyn Fn(usize, usize) -> bool;

/// Does a collection's job; in words, what was done.
///
/// # Errors
/// The store's, in words.
pub fn run(store: &Store, job: &Job, tell: Tell<'_>) -> Result<String, String> {
    let said = |error: StoreError| error.to_string();
    let Some(entry) = store.entry(COLLECTION, job.subject).map_err(said)? else {
        return Ok("the collection was taken away".into());
    };
    let poured = entry.body.get(POURED).and_then(Value::as_i64).unwrap_or(i64::MIN);
    let Some(collection) = Collection::of(entry) else { return Ok("the collection is being taken away".into()) };
    for envelope in store.envelopes_waiting(collection.row).map_err(said)? {
        if !read(store, &collection, envelope, tell).map_err(said)? {
            return Err("left at the end of the node; it goes on with the next".into());
        }
    }
    let made = pour(store, &collection, poured, tell).map_err(said)?;
    Ok(format!("{made} objects made into records"))
}

/// Reads an envelope that waits; false: it was left.
fn read(store: &Store, collection: &Collection, uuid: Uuid, tell: Tell<'_>) -> Result<bool, StoreError> {
    let (Some(text), Some(submission)) = (store.envelope(uuid)?, store.submission(uuid)?) else { return Ok(true) };
    let Some(account) = store.accounts()?.into_iter().find(|account| account.uuid == submission.account) else {
        let gone = json!({"total_count": 0, "success_count": 0, "failure_count": 0, "pending_count": 0});
        store.note_submission(uuid, &gone, true)?;
        return Ok(true);
    };
    let giver = Giver { org: account.org, actor: account.email };
    let mut report = Report::default();
    let objects = objects_of(&text).unwrap_or_default();
    if objects.is_empty() {
        // It was taken by a program that took more.
        store.note_submission(uuid, &report.shown(), true)?;
        return Ok(true);
    }
    let mut defined = known::of_envelope(store, collection, &objects)?;
    report.pending = objects.len();
    for run in objects.chunks(AT_ONCE) {
        // What was put in before a stop is there already, and counts as such.
        let mut sorted = sort(store, collection, &giver, run, &mut defined, submission.requested)?;
        let put = match store.put_in_box(collection.row, &giver, std::mem::take(&mut sorted.arrivals)) {
            // It was taken away meanwhile.
            Err(StoreError::Unknown { .. }) => return Ok(true),
            put => put?,
        };
        sorted.tell(&put, &mut report);
        report.pending -= run.len();
        let done = report.pending == 0;
        store.note_submission(uuid, &report.shown(), done)?;
        if !done && !tell(objects.len() - report.pending, objects.len()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes records of what came since the last time.
fn pour(store: &Store, collection: &Collection, from: i64, tell: Tell<'_>) -> Result<usize, StoreError> {
    let (mut after, mut made) = (from, 0);
    loop {
        let wanted = Wanted { after, versions: Versions::All, copies: true, ..Wanted::default() };
        // Nothing of this leaves: it goes from one place of the store to another.
        let page = store.view(Audience::Node, Purpose::Read)?.boxed(collection.row, &wanted, RUN, true)?;
        let Some(last) = page.last else { return Ok(made) };
        // However much waits: as long as more of it comes, its sender comes first. Nobody waits here meanwhile: other
        // collections have work too.
        let oldest = page.objects.first().map_or(last, |object| object.added);
        let newest = store.last_put(collection.row)?.unwrap_or(last);
        let now = jiff::Timestamp::now().as_microsecond();
        let within = |from: i64, time: Duration| now.saturating_sub(from) < time.as_micros() as i64;
        if within(newest, QUIET) && within(oldest, PUT_OFF) {
            store.add_job_later(job(collection), QUIET)?;
            return Ok(made);
        }
        let mut by_label: HashMap<Label, Vec<&str>> = HashMap::new();
        for object in &page.objects {
            by_label.entry(object.label.clone()).or_default().push(&object.raw);
        }
        // A record goes no further than the object.
        for (label, objects) in by_label {
            record(store, collection, &label, &objects)?;
        }
        (after, made) = (last, made + page.objects.len());
        let place = Map::from_iter([(POURED.to_owned(), json!(last))]);
        store.note_entry(COLLECTION, collection.row, place)?;
        if !page.more || !tell(made, 0) {
            return Ok(made);
        }
    }
}

/// Makes records of objects; where they can't be read together, of each half alone, so that one does not keep the
/// others out.
fn record(store: &Store, collection: &Collection, label: &Label, objects: &[&str]) -> Result<(), StoreError> {
    let bundle = format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(","));
    let terms = Terms { owner: label.owner, actor: "taxii".into(), marking: label.marking.clone() };
    let mut intake = Intake::new(store, terms);
    let input = Input::from_reader(&collection.is.title, bundle.as_bytes(), Limits::default());
    let (Ok(mut input), Some(format)) = (input, manara_formats::format("stix")) else { return Ok(()) };
    let read = manara_formats::read(format, &mut input, &mut intake);
    intake.finish()?;
    match read {
        Ok(()) => Ok(()),
        Err(manara_formats::ReadError::Sink(error)) => Err(error),
        Err(manara_formats::ReadError::Input(_)) if objects.len() > 1 => {
            let (one, other) = objects.split_at(objects.len() / 2);
            record(store, collection, label, one)?;
            record(store, collection, label, other)
        }
        Err(error) => {
            tracing::warn!(%error, collection = %collection.id, "an object that can't be made into a record");
            Ok(())
        }
    }
}
