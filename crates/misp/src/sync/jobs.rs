//! Exchanges as jobs: asked for over HTTP, by a schedule, or because an event was published.

use super::pull::Wanted;
use super::report::Report;
use super::{SERVER, Stopped};
use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::jobs::{Ended, Pulse, Tell};
use crate::shape::num;
use manara_model::record::flag_of;
use manara_store::entries::Entry;
use manara_store::jobs::{Job, JobState, NewJob};
use std::time::Duration;
use uuid::Uuid;

/// Everything new and newer of a server.
pub(crate) const PULL: &str = "pull";
/// Everything that a server may have.
pub(crate) const PUSH: &str = "push";
/// One event that was published.
pub(crate) const EVENT: &str = "event";
/// How often an event is offered to a server that is away; the pushes on schedule have it after that.
const TRIES: i64 = 12;

/// After an attempt that failed for a while: 1, 2, 4 minutes, to 6 hours.
fn pause(attempts: i64) -> Duration {
    Duration::from_secs(60 << attempts.clamp(1, 10).saturating_sub(1)).min(Duration::from_secs(6 * 3600))
}

impl Context<'_> {
    /// Does a job about a server.
    pub(crate) fn exchange(&self, entry: &Entry, job: &Job, tell: Tell<'_>) -> Ended {
        let pulse = Pulse::new(tell);
        let done = match job.kind.as_str() {
            PULL => self.pull_and_pass_on(entry, &job.key, &pulse),
            PUSH => self.push(entry, Some(job.key.as_str()).filter(|key| !key.is_empty()), &pulse),
            _ => match job.key.parse() {
                Ok(uuid) => self.push_published(entry, uuid, &pulse),
                Err(_) => Err(Stopped::Setup("no event".into())),
            },
        };
        match done {
            Ok(report) => Ended {
                good: report.is_good(),
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
                Ended { again, ..Ended::failed(stopped) }
            }
        }
    }

    fn pull_and_pass_on(&self, entry: &Entry, key: &str, pulse: &Pulse<'_>) -> Result<Report, Stopped> {
        let report = self.pull(entry, &Wanted::named(key), pulse)?;
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
        let job = self.jobs_done(vec![(kind, &entry, key.to_owned())])?.pop().ok_or_else(|| Fault::missing("job"))?;
        let words = match job.state {
            // Some of it went wrong, and the rest is done: the report says what.
            JobState::Failed if job.report.get("offered").is_none() => {
                return Err(Fault::new(424, format!("{word} failed: {}", job.message)));
            }
            JobState::Done | JobState::Failed => format!("{word} completed. {}", job.message),
            _ => format!("{word} queued for background execution. Job ID: {}", job.id),
        };
        let mut body = saved(words, &self.call.url, None);
        body["job_id"] = num(job.id);
        body["report"] = job.report;
        Ok(Answer::json(&body))
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
