//! Polling: what is new at a source, taken into the node; when somebody asks, and by itself when its time has come.

use super::pages::{self, Place, Tally};
use super::source::{Source, Terms};
use super::take::{LEASE, Node, lease};
use super::{ClientError, Server, Wanted, offered};
use manara_store::intake::{self, Report};
use manara_store::jobs::{Job, NewJob};
use manara_store::{Store, StoreError};
use serde::Serialize;
use serde_json::json;
use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;
use uuid::Uuid;

/// The kind of a source's jobs.
pub const POLL: &str = "taxii-poll";
/// Jobs are told of for this long.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// After a failure it is tried again after two of these, then four, eight… up to this, or its own time if that is
/// longer, in milliseconds.
const FIRST: i64 = 60_000;
const LONGEST: i64 = 6 * 3_600_000;

/// What a poll came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Polled {
    /// What was read.
    #[serde(flatten)]
    pub tally: Tally,
    /// What the node took.
    #[serde(flatten)]
    pub report: Report,
}

impl Polled {
    fn words(&self) -> String {
        let (report, tally) = (&self.report, &self.tally);
        let mut words = format!(
            "{} objects in {} pages: {} new, {} updated, {} here already, {} rejected",
            tally.objects, tally.pages, report.added, report.updated, report.unchanged, report.rejected_total
        );
        for note in &tally.notes {
            words.push_str(&format!("; {note}"));
        }
        words
    }
}

/// How it is polled.
pub struct How<'h> {
    /// Who asked, for the audit log.
    pub actor: &'h str,
    /// From here instead of where it was left.
    pub from: Option<Place>,
    /// A server that wants more time than this is not waited for.
    pub patience: Duration,
    /// How long it waits for another process that reads the source.
    pub queue: Duration,
    /// Is it still wanted?
    pub wanted: Wanted<'h>,
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// When a source is tried again that failed so often in a row.
fn wait(failures: u32, every: Duration, asked: Option<Duration>) -> i64 {
    let most = LONGEST.max(millis(every));
    let doubled = FIRST.saturating_mul(1 << failures.min(20)).min(most);
    doubled.max(asked.map_or(0, millis))
}

/// Takes what is new at a source. What came stays, however it ends; and so does how far it was read.
///
/// # Errors
/// [`ClientError`]; it stands at the source too.
pub fn poll(
    store: &Store,
    source: &Source,
    terms: &Terms,
    how: How<'_>,
    tell: &mut dyn FnMut(&Report, usize, usize),
) -> Result<Polled, ClientError> {
    let holder = Uuid::new_v4().to_string();
    let held = || store.lease(&lease(source), &holder, LEASE).map_err(ClientError::here);
    // A process that was ended has it for a while yet.
    let mut waited = Duration::ZERO;
    while !held()? {
        if waited >= how.queue || !(how.wanted)() {
            return Err(ClientError::Here("another process reads this source now".into()));
        }
        std::thread::sleep(Duration::from_secs(1));
        waited += Duration::from_secs(1);
    }
    // What another process read meanwhile is not read again.
    let source = &Source::numbered(store, source.id)
        .map_err(ClientError::here)?
        .ok_or_else(|| ClientError::Here("the source was taken away".into()))?;
    let done = read(store, source, terms, how, &holder, tell);
    let failures = if done.is_ok() { 0 } else { source.is.failures.saturating_add(1) };
    let every = source.every().unwrap_or_default();
    let noted = match &done {
        Ok(polled) => {
            let (report, tally) = (&polled.report, &polled.tally);
            let came = json!({"objects": tally.objects, "added": report.added, "updated": report.updated,
                "unchanged": report.unchanged, "rejected": report.rejected_total, "notes": tally.notes,
                "rejections": report.rejected.iter().take(10).collect::<Vec<_>>()});
            json!({"polled": now(), "due": now().saturating_add(millis(every)), "failures": 0, "error": null, "came": came})
        }
        Err(ClientError::Ended) => json!({}),
        Err(error) => {
            let due = now().saturating_add(wait(failures, every, error.pause()));
            json!({"failures": failures, "error": error.to_string(), "due": due})
        }
    };
    let noted = source.note(store, noted).and_then(|()| store.release(&lease(source), &holder));
    let polled = done?;
    noted.map_err(ClientError::here)?;
    Ok(polled)
}

fn read(
    store: &Store,
    source: &Source,
    terms: &Terms,
    how: How<'_>,
    holder: &str,
    tell: &mut dyn FnMut(&Report, usize, usize),
) -> Result<Polled, ClientError> {
    let server =
        Server::new(&terms.url, &terms.credentials, terms.ca.as_deref())?.while_wanted(how.wanted, how.patience);
    let place = how.from.unwrap_or_else(|| source.is.place.clone());
    if place == Place::default() {
        readable(&server, terms)?;
    }
    let mut node = Node {
        store,
        source,
        server: &server,
        collection: &terms.url,
        terms: intake::Terms { owner: terms.org, actor: how.actor.to_owned(), marking: terms.marking.clone() },
        holder,
        definitions: source.is.definitions.clone(),
        asked: HashSet::new(),
        report: Report::default(),
        tell,
    };
    let tally = pages::read(&server, &terms.url, &terms.question, place, &mut node)?;
    Ok(Polled { tally, report: node.report })
}

/// Says so where a collection is one to write into only.
fn readable(server: &Server<'_>, terms: &Terms) -> Result<(), ClientError> {
    match offered(server, &terms.url) {
        Ok(there) if !there.can_read => Err(ClientError::Setup(
            "this collection may not be read by this account (can_read): it is one to push into".into(),
        )),
        // What it is matters less than what is in it.
        Ok(_) | Err(ClientError::Content(_) | ClientError::Refused { status: 403..=405, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Asks for polls of the sources whose time has come.
///
/// # Errors
/// The store's.
pub fn schedule(store: &Store) -> Result<(), StoreError> {
    let mut asked = false;
    for source in Source::all(store)?.into_iter().filter(|source| source.is.every.is_some()) {
        if source.is.due <= now() && store.jobs_open(source.id)?.is_empty() {
            store.add_job("", NewJob { kind: POLL, subject: source.id, key: String::new(), org: Some(source.org) })?;
            asked = true;
        }
    }
    if asked { store.forget_jobs(KEPT) } else { Ok(()) }
}

/// Does a source's job; in words, what came.
///
/// # Errors
/// In words; what went wrong stands at the source, with when it is tried again.
pub fn run(store: &Store, job: &Job, tell: crate::Tell<'_>) -> Result<String, String> {
    let said = |error: ClientError| error.to_string();
    let Some(source) = Source::numbered(store, job.subject).map_err(|error| error.to_string())? else {
        return Ok("the source was taken away".into());
    };
    let terms = match source.terms(store) {
        Ok(terms) => terms,
        Err(error) => {
            let failures = source.is.failures.saturating_add(1);
            let due = now().saturating_add(wait(failures, source.every().unwrap_or_default(), None));
            let noted = json!({"failures": failures, "error": error.to_string(), "due": due});
            source.note(store, noted).map_err(|error| error.to_string())?;
            return Err(error.to_string());
        }
    };
    let at = Cell::new(0);
    let wanted = || tell(at.get(), 0);
    let how =
        How { actor: "taxii", from: None, patience: Duration::from_secs(30), queue: Duration::ZERO, wanted: &wanted };
    poll(store, &source, &terms, how, &mut |_, objects, _| at.set(objects)).map(|polled| polled.words()).map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_fails_is_left_alone_for_longer_and_longer() {
        let hour = Duration::from_secs(3600);
        let minutes = |failures| wait(failures, hour, None) / 60_000;
        assert_eq!([minutes(1), minutes(2), minutes(5), minutes(9), minutes(u32::MAX)], [2, 4, 32, 360, 360]);
        assert_eq!(wait(30, 24 * hour, None) / 60_000, 24 * 60);
        assert_eq!(wait(1, hour, Some(2 * hour)) / 60_000, 120, "as long as it says itself");
    }
}
