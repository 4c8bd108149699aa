//! Exchanges as jobs: asked for over HTTP, by a schedule, or because an event was published; done beside the
//! requests by whoever serves the node; and told of.

use super::pull::Wanted;
use super::{Pulse, Report, SERVER, Stopped};
use crate::answer::{Answer, Fault, saved};
use crate::call::{Call, Method};
use crate::context::Context;
use crate::shape::{datetime, num};
use manara_corridor::WarningCache;
use manara_model::record::{flag_of, text_of};
use manara_model::role::{Right, Role};
use manara_model::{OrgId, UserId};
use manara_store::entries::Entry;
use manara_store::jobs::{Job, JobState, NewJob};
use manara_store::people::{Account, Caller};
use manara_store::{Store, StoreError};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Everything new and newer of a server.
pub(super) const PULL: &str = "pull";
/// Everything that a server may have.
pub(super) const PUSH: &str = "push";
/// One event that was published.
const EVENT: &str = "event";
/// A holder that says nothing for so long is taken for dead.
const SILENCE: Duration = Duration::from_secs(120);
/// It speaks up this often.
const BEAT: Duration = Duration::from_secs(15);
/// Who asks over HTTP hears how it ended if that takes no longer.
const WAIT: Duration = Duration::from_secs(25);
/// How often an event is offered to a server that is away; the pushes on schedule have it after that.
const TRIES: i64 = 12;
/// However it ends, nothing is begun more often than this.
const MOST: i64 = 100;
/// Jobs are told of for this long.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Jobs in one answer, where no limit is given.
const LISTED: u32 = 60;

/// After an attempt that failed for a while: 1, 2, 4 minutes, to 6 hours.
fn pause(attempts: i64) -> Duration {
    Duration::from_secs(60 << attempts.clamp(1, 10).saturating_sub(1)).min(Duration::from_secs(6 * 3600))
}

/// How a job ended.
struct Ended {
    good: bool,
    message: String,
    report: Value,
    again: Option<Duration>,
}

/// Does one job that is due, if there is one. `ending`: the node stops, and what can be left is left.
///
/// # Errors
/// The store's.
pub fn run_due(store: &Store, warnings: &WarningCache, holder: &str, ending: &AtomicBool) -> Result<bool, StoreError> {
    let Some(job) = store.take_job(holder, SILENCE)? else { return Ok(false) };
    if job.attempts > MOST {
        let message = format!("given up after {MOST} attempts: {}", job.message);
        store.end_job(job.id, holder, false, &message, &job.report, None)?;
        return Ok(true);
    }
    let taken = AtomicBool::new(false);
    let done = AtomicBool::new(false);
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
        let tell = |at: usize, all: usize| {
            let progress = (at * 100).checked_div(all).map_or(0, |part| part.min(99) as i64);
            let message = if all == 0 { format!("{at} events") } else { format!("{at} of {all} events") };
            *position.lock().unwrap_or_else(PoisonError::into_inner) = (progress, message);
            !ending.load(Ordering::Relaxed) && !taken.load(Ordering::Relaxed)
        };
        let ended = run(store, warnings, &job, &Pulse(&tell));
        done.store(true, Ordering::Relaxed);
        beats.thread().unpark();
        ended
    });
    store.end_job(job.id, holder, ended.good, &ended.message, &ended.report, ended.again)?;
    Ok(true)
}

fn run(store: &Store, warnings: &WarningCache, job: &Job, pulse: &Pulse<'_>) -> Ended {
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
    let done = match store.entry(SERVER, job.subject) {
        Ok(Some(entry)) => context.exchange(&entry, job, pulse),
        Ok(None) => Err(Stopped::Setup("the server was taken away".into())),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(report) => Ended {
            good: report.failing == 0,
            message: report.words(),
            report: serde_json::to_value(&report).unwrap_or_default(),
            again: None,
        },
        Err(stopped) => {
            let again = match (&stopped, job.kind.as_str()) {
                (Stopped::Ended, _) => Some(Duration::ZERO),
                (stopped, EVENT) if stopped.passes() && job.attempts < TRIES => Some(pause(job.attempts)),
                _ => None,
            };
            let message = stopped.to_string();
            Ended { good: false, report: json!({"errors": [message]}), message, again }
        }
    }
}

/// Asks for the exchanges whose time has come, for every server: `every` after the last.
///
/// # Errors
/// The store's.
pub fn schedule(store: &Store, every: Duration) -> Result<(), StoreError> {
    store.forget_jobs(KEPT)?;
    let now = jiff::Timestamp::now().as_second();
    for entry in store.entries(SERVER)? {
        for (kind, flag, last) in [(PULL, "pull", "last_pull"), (PUSH, "push", "last_push")] {
            if !flag_of(entry.body.get(flag)) {
                continue;
            }
            let last = entry.body.get(last).and_then(|last| last.get("at")?.as_i64()).unwrap_or(entry.created / 1000);
            let due = last.saturating_add(i64::try_from(every.as_secs()).unwrap_or(i64::MAX)) <= now;
            if due && !store.jobs_open(entry.id)?.iter().any(|job| job.kind == kind) {
                store.add_job("", NewJob { kind, subject: entry.id, key: String::new(), org: entry.org })?;
            }
        }
    }
    Ok(())
}

impl Context<'_> {
    fn exchange(&self, entry: &Entry, job: &Job, pulse: &Pulse<'_>) -> Result<Report, Stopped> {
        match job.kind.as_str() {
            PULL => {
                let report = self.pull(entry, &Wanted::named(&job.key), pulse)?;
                if report.moved() {
                    // What came from one server goes on to the others, as far as it may.
                    for other in self.store.entries(SERVER)? {
                        if other.id != entry.id && flag_of(other.body.get("push")) {
                            let job = NewJob { kind: PUSH, subject: other.id, key: String::new(), org: other.org };
                            self.store.add_job("", job)?;
                        }
                    }
                }
                Ok(report)
            }
            PUSH => self.push(entry, Some(job.key.as_str()).filter(|key| !key.is_empty()), pulse),
            EVENT => {
                let uuid = job.key.parse().map_err(|_| Stopped::Setup("no event".into()))?;
                self.push_published(entry, uuid, pulse)
            }
            kind => Err(Stopped::Setup(format!("nobody here knows what '{kind}' is"))),
        }
    }

    /// An event was published: it goes to every server that is pushed to, but to the one that brought it. Kept as
    /// jobs before the answer: a server that is away gets it later.
    pub(crate) fn pass_on(&self, event: Uuid) -> Result<(), Fault> {
        // What a pull brings goes on when the pull is done.
        if self.hop.is_some() {
            return Ok(());
        }
        for entry in self.store.entries(SERVER)? {
            let brought = self.is_partner()
                && super::remote_org(self, &entry).is_ok_and(|org| org == self.call.caller.account.org);
            if flag_of(entry.body.get("push")) && !brought {
                let job = NewJob { kind: EVENT, subject: entry.id, key: event.to_string(), org: entry.org };
                self.store.add_job("", job)?;
            }
        }
        Ok(())
    }

    /// `servers/pull/ID`, `servers/pull/ID/update|full|EVENT`
    pub fn servers_pull(&self) -> Result<Answer, Fault> {
        self.asked_for(PULL, "Pull")
    }

    /// `servers/push/ID`, `servers/push/ID/full|EVENT`
    pub fn servers_push(&self) -> Result<Answer, Fault> {
        self.asked_for(PUSH, "Push")
    }

    fn asked_for(&self, kind: &'static str, word: &str) -> Result<Answer, Fault> {
        let entry = self.named_entry(SERVER, "server")?;
        if !flag_of(entry.body.get(kind)) {
            return Err(Fault::new(405, format!("{word} setting not enabled for this server.")));
        }
        let key = match (kind, self.call.arg(1).unwrap_or_default()) {
            (PUSH, "full" | "incremental") => "",
            (_, key) => key,
        };
        let org = entry.org.or(Some(self.call.caller.account.org));
        let id = self.store.add_job(self.actor(), NewJob { kind, subject: entry.id, key: key.to_owned(), org })?;
        let began = Instant::now();
        loop {
            let job = self.store.job(id)?.ok_or_else(|| Fault::missing("job"))?;
            let mut body = match job.state {
                JobState::Done => saved(format!("{word} completed. {}", job.message), &self.call.url, None),
                // Some of it went wrong, and the rest is done: the report says what.
                JobState::Failed if job.report.get("offered").is_some() => {
                    saved(format!("{word} completed. {}", job.message), &self.call.url, None)
                }
                JobState::Failed => return Err(Fault::new(424, format!("{word} failed: {}", job.message))),
                _ if began.elapsed() > WAIT => {
                    let text = format!("{word} queued for background execution. Job ID: {id}");
                    saved(text, &self.call.url, None)
                }
                _ => {
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                }
            };
            body["job_id"] = num(id);
            body["report"] = job.report;
            return Ok(Answer::json(&body));
        }
    }

    /// `jobs/index`
    pub fn jobs_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let number = |name: &str| text_of(options.get(name)).and_then(|text| text.parse::<u32>().ok());
        let jobs = self.store.jobs(None, number("limit").unwrap_or(LISTED))?;
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
            "job_input": format!("{SERVER}: {} {}", job.subject, job.key).trim_end(), "status": num(status),
            "retries": num((job.attempts - 1).max(0)), "message": job.message, "progress": num(progress), "org_id": num(org),
            "process_id": num(job.id), "date_created": datetime(job.created), "date_modified": datetime(job.modified),
            "failed": job.state == JobState::Failed, "report": job.report,
        }}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_six_hours() {
        let minutes: Vec<u64> = [1, 2, 3, 9, 10, 99].map(|n| pause(n).as_secs() / 60).to_vec();
        assert_eq!(minutes, [1, 2, 4, 256, 360, 360]);
    }
}
