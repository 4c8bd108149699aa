//! Work beside the requests: taken up from the store, done here, and told of. What a job is about (a server, a
//! feed) does it; here is what all of them have in common.

use crate::answer::{Answer, Fault};
use crate::call::{Call, Method, page};
use crate::context::Context;
use crate::shape::{datetime, num};
use crate::{feeds, sync};
use manara_corridor::WarningCache;
use manara_model::role::{Right, Role};
use manara_model::{OrgId, UserId};
use manara_store::entries::Entry;
use manara_store::jobs::{Job, JobState, NewJob};
use manara_store::people::{Account, Caller};
use manara_store::{Store, StoreError};
use serde_json::{Value, json};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A holder that says nothing for so long is taken for dead.
const SILENCE: Duration = Duration::from_secs(120);
/// It speaks up this often.
const BEAT: Duration = Duration::from_secs(15);
/// Who asks over HTTP hears how it ended if that takes no longer.
const WAIT: Duration = Duration::from_secs(25);
/// However it ends, nothing is begun more often than this.
const MOST: i64 = 100;
/// Jobs are told of for this long.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Jobs in one answer, where no limit is given.
const LISTED: usize = 60;
const LISTED_AT_MOST: usize = 1000;

/// How a job ended.
pub(crate) struct Ended {
    /// All of it was done.
    pub(crate) good: bool,
    /// In words.
    pub(crate) message: String,
    /// What it did.
    pub(crate) report: Value,
    /// It is tried again after this.
    pub(crate) again: Option<Duration>,
}

impl Ended {
    /// Nothing came of it.
    pub(crate) fn failed(message: impl std::fmt::Display) -> Ended {
        let message = message.to_string();
        Ended { good: false, report: json!({"errors": [message]}), message, again: None }
    }
}

/// Says how far a job is, and hears whether it is still wanted: `done` of `all` (0: nobody knows).
pub type Tell<'a> = &'a dyn Fn(usize, usize) -> bool;

/// Does a job of another kind, and tells in words how it went; `None`: it is of no kind that is known there.
pub type Others<'a> = &'a dyn Fn(&Job, Tell<'_>) -> Option<Result<String, String>>;

/// The same for what a job consists of, which may be asked on the way whether it is still wanted.
pub(crate) struct Pulse<'a> {
    tell: Tell<'a>,
    at: Cell<(usize, usize)>,
}

impl<'a> Pulse<'a> {
    /// Of a job.
    pub(crate) fn new(tell: Tell<'a>) -> Self {
        Pulse { tell, at: Cell::default() }
    }

    /// `done` of `all` (0: nobody knows); is it still wanted?
    #[must_use]
    pub(crate) fn beat(&self, done: usize, all: usize) -> bool {
        self.at.set((done, all));
        self.is_wanted()
    }

    /// Is it still wanted, where it is?
    #[must_use]
    pub(crate) fn is_wanted(&self) -> bool {
        let (done, all) = self.at.get();
        (self.tell)(done, all)
    }
}

/// Ends the beats, however the work ends.
struct Beats<'a>(&'a AtomicBool, Thread);

impl Drop for Beats<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.unpark();
    }
}

/// Does one job that is due, if there is one. `ending`: the node stops, and what can be left is left. `others`: jobs
/// that are of no concern here.
///
/// # Errors
/// The store's.
pub fn run_due(
    store: &Store,
    warnings: &WarningCache,
    holder: &str,
    ending: &AtomicBool,
    others: Others<'_>,
) -> Result<bool, StoreError> {
    let Some(job) = store.take_job(holder, SILENCE)? else { return Ok(false) };
    if job.attempts > MOST {
        let message = format!("given up after {MOST} attempts: {}", job.message);
        store.end_job(job.id, holder, false, &message, &job.report, None)?;
        return Ok(true);
    }
    let (taken, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let position = Mutex::new((0, String::new()));
    let ended = std::thread::scope(|scope| {
        // However long a line is silent, the job is known to be held.
        let beats = scope.spawn(|| {
            let mut last = Instant::now();
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(BEAT.saturating_sub(last.elapsed()));
                if last.elapsed() < BEAT {
                    continue;
                }
                last = Instant::now();
                let (progress, message) = position.lock().unwrap_or_else(PoisonError::into_inner).clone();
                match store.job_goes_on(job.id, holder, SILENCE, progress, &message) {
                    Ok(true) => {}
                    Ok(false) => taken.store(true, Ordering::Relaxed),
                    Err(error) => tracing::warn!(%error, job = job.id, "a job can't say where it is"),
                }
            }
        });
        let _beats = Beats(&done, beats.thread().clone());
        let tell = |at: usize, all: usize| {
            let progress = (at * 100).checked_div(all).map_or(0, |part| part.min(99) as i64);
            let message = if all == 0 { at.to_string() } else { format!("{at} of {all}") };
            *position.lock().unwrap_or_else(PoisonError::into_inner) = (progress, message);
            !ending.load(Ordering::Relaxed) && !taken.load(Ordering::Relaxed)
        };
        // Where a defect is stands in the log, by the program's hook.
        catch_unwind(AssertUnwindSafe(|| match others(&job, &tell) {
            Some(Ok(message)) => Ended { good: true, message, report: Value::Null, again: None },
            Some(Err(message)) => Ended::failed(message),
            None => run(store, warnings, &job, &tell),
        }))
        .unwrap_or_else(|_| Ended::failed("it failed inside; the log says where"))
    });
    store.end_job(job.id, holder, ended.good, &ended.message, &ended.report, ended.again)?;
    // A server that is away is so for everything that waits for it: nobody else waits behind a thousand attempts.
    if let Some(after) = ended.again.filter(|after| !after.is_zero()) {
        store.put_off(&job.kind, job.subject, after)?;
    }
    Ok(true)
}

fn run(store: &Store, warnings: &WarningCache, job: &Job, tell: Tell<'_>) -> Ended {
    let account = Account {
        uuid: UserId(Uuid::nil()),
        org: job.org.unwrap_or(OrgId(Uuid::nil())),
        email: if job.actor.is_empty() { "the node".into() } else { job.actor.clone() },
        role: Role::Sync,
        disabled: false,
        second_factor: false,
    };
    let caller = Caller { account, scope: vec![Right::Read, Right::Write, Right::Sync] };
    let call = Call::new(Method::Post, "/", "", Vec::new(), caller);
    let context = Context { store, warnings, call: &call, now: jiff::Timestamp::now().as_second(), hop: None };
    let of = |kind: &str| match store.entry(kind, job.subject) {
        Ok(Some(entry)) => Ok(entry),
        Ok(None) => Err(Ended::failed(format!("the {kind} was taken away"))),
        Err(error) => Err(Ended::failed(error)),
    };
    let done = match job.kind.as_str() {
        sync::PULL | sync::PUSH | sync::EVENT => of(sync::SERVER).map(|entry| context.exchange(&entry, job, tell)),
        feeds::FETCH | feeds::CACHE => of(feeds::FEED).map(|_| feeds::work(store, warnings, job, tell)),
        feeds::CACHE_SERVER => of(sync::SERVER).map(|_| feeds::work(store, warnings, job, tell)),
        kind => Err(Ended::failed(format!("nobody here knows what '{kind}' is"))),
    };
    done.unwrap_or_else(|ended| ended)
}

/// Asks for what is to be done by itself and whose time has come: `every` after the last.
///
/// # Errors
/// The store's.
pub fn schedule(store: &Store, every: Duration) -> Result<(), StoreError> {
    store.forget_jobs(KEPT)?;
    let due = |entry: &Entry, last: &str| {
        let last = entry.body.get(last).and_then(|last| last.get("at")?.as_i64()).unwrap_or(entry.created / 1000);
        last.saturating_add(i64::try_from(every.as_secs()).unwrap_or(i64::MAX)) <= jiff::Timestamp::now().as_second()
    };
    let work = [
        (sync::SERVER, sync::PULL, "pull", "last_pull"),
        (sync::SERVER, sync::PUSH, "push", "last_push"),
        (sync::SERVER, feeds::CACHE_SERVER, "caching_enabled", "last_cache"),
        (feeds::FEED, feeds::FETCH, "enabled", "last_fetch"),
        (feeds::FEED, feeds::CACHE, "caching_enabled", "last_cache"),
    ];
    for (what, kind, flag, last) in work {
        for entry in store.entries(what)? {
            let wanted = manara_model::record::flag_of(entry.body.get(flag)) && due(&entry, last);
            if wanted && !store.jobs_open(entry.id)?.iter().any(|job| job.kind == kind) {
                store.add_job("", NewJob { kind, subject: entry.id, key: String::new(), org: entry.org })?;
            }
        }
    }
    Ok(())
}

impl Context<'_> {
    /// Asks for jobs and waits for their ends, a while: those that take longer are told of as they are.
    pub(crate) fn jobs_done(&self, wanted: Vec<(&'static str, &Entry, String)>) -> Result<Vec<Job>, Fault> {
        let mut ids = Vec::new();
        for (kind, entry, key) in wanted {
            let org = entry.org.or(Some(self.call.caller.account.org));
            ids.push(self.store.add_job(self.actor(), NewJob { kind, subject: entry.id, key, org })?);
        }
        let began = Instant::now();
        let mut jobs = Vec::new();
        for id in ids {
            loop {
                let job = self.store.job(id)?.ok_or_else(|| Fault::missing("job"))?;
                let over = matches!(job.state, JobState::Done | JobState::Failed);
                if over || began.elapsed() > WAIT {
                    jobs.push(job);
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(jobs)
    }

    /// `jobs/index`
    pub fn jobs_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let (_, limit) = page(&options, LISTED, LISTED_AT_MOST);
        let jobs = self.store.jobs(None, limit as u32)?;
        Ok(Answer::json(&jobs.iter().map(|job| self.job_shown(job)).collect::<Result<Value, Fault>>()?))
    }

    /// `jobs/view/ID`, `jobs/getProgress/ID`
    pub fn jobs_view(&self) -> Result<Answer, Fault> {
        let id = self.call.arg(0).and_then(|id| id.parse().ok()).unwrap_or_default();
        let job = self.store.job(id)?.ok_or_else(|| Fault::missing("job"))?;
        Ok(Answer::json(&self.job_shown(&job)?))
    }

    fn job_shown(&self, job: &Job) -> Result<Value, Fault> {
        // MISP's numbers: 1 queued, 2 running, 3 failed, 4 completed.
        let (status, progress) = match job.state {
            JobState::Waits => (1, 0),
            JobState::Runs => (2, job.progress),
            JobState::Failed => (3, 100),
            JobState::Done => (4, 100),
        };
        let org = job.org.map_or(Ok(0), |org| self.store.number("org", org.0))?;
        Ok(json!({"Job": {
            "id": num(job.id), "worker": "default", "job_type": job.kind,
            "job_input": format!("{} {}", job.subject, job.key).trim_end(), "status": num(status),
            "retries": num((job.attempts - 1).max(0)), "message": job.message, "progress": num(progress), "org_id": num(org),
            "process_id": num(job.id), "date_created": datetime(job.created), "date_modified": datetime(job.modified),
            "failed": job.state == JobState::Failed, "report": job.report,
        }}))
    }
}
