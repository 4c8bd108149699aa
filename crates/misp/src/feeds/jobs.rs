//! Feeds as jobs: asked for over HTTP or by a schedule; one at a time is done of each feed.

use super::preview::fault;
use super::{FEED, FeedError, FeedReport, cache_feed, cache_server, fetch_feed, format_of};
use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::jobs::{Ended, Pulse, Tell};
use crate::shape::num;
use crate::sync::SERVER;
use manara_corridor::WarningCache;
use manara_model::record::flag_of;
use manara_store::Store;
use manara_store::entries::Entry;
use manara_store::jobs::{Job, JobState};
use serde_json::{Map, json};
use std::time::Duration;

/// A feed into events.
pub(crate) const FETCH: &str = "fetch";
/// A feed into hashes.
pub(crate) const CACHE: &str = "cache";
/// What a server gives us into hashes.
pub(crate) const CACHE_SERVER: &str = "cache-server";

/// Does a job about a feed, or about what a server gives us.
pub(crate) fn work(store: &Store, warnings: &WarningCache, job: &Job, tell: Tell<'_>) -> Ended {
    let pulse = Pulse::new(tell);
    let done = match job.kind.as_str() {
        FETCH => fetch_feed(store, warnings, job.subject, &pulse),
        CACHE => cache_feed(store, job.subject, &pulse),
        _ => cache_server(store, job.subject, &pulse),
    };
    match done {
        Ok(report) => told(&report),
        Err(FeedError::Ended) => Ended { again: Some(Duration::ZERO), ..Ended::failed(FeedError::Ended) },
        Err(error) => {
            let text = error.to_string();
            // For who asked over HTTP.
            let fault = fault(error);
            let report = json!({"errors": [text], "status": fault.status, "said": fault.errors});
            Ended { report, ..Ended::failed(text) }
        }
    }
}

fn told(report: &FeedReport) -> Ended {
    Ended {
        good: report.errors.is_empty(),
        message: report.words(),
        report: serde_json::to_value(report).unwrap_or_default(),
        again: None,
    }
}

impl Context<'_> {
    /// One job, and the answer for it.
    fn one_job(&self, kind: &'static str, entry: &Entry, what: &str) -> Result<Answer, Fault> {
        let job = self.jobs_done(vec![(kind, entry, String::new())])?.pop().ok_or_else(|| Fault::missing("job"))?;
        let status = job.report.get("status").and_then(|status| u16::try_from(status.as_u64()?).ok());
        let words = match (job.state, status) {
            (JobState::Failed, Some(status)) => {
                let errors = job.report.get("said").filter(|said| !said.is_null()).cloned().map(Box::new);
                return Err(Fault { errors, ..Fault::new(status, job.message) });
            }
            (JobState::Failed, None) if job.report.get("offered").is_none() => {
                return Err(Fault::new(500, job.message));
            }
            (JobState::Done | JobState::Failed, _) => format!("{what} has successfully completed. {}", job.message),
            _ => format!("{what} queued for background execution. Job ID: {}", job.id),
        };
        let mut body = saved(words.clone(), &self.call.url, None);
        body["result"] = words.into();
        body["job_id"] = num(job.id);
        body["report"] = job.report;
        Ok(Answer::json(&body))
    }

    /// Jobs about several; what is wrong with one stops no other.
    fn many_jobs(
        &self,
        kind: &'static str,
        entries: &[Entry],
        what: &str,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<Answer, Fault> {
        let jobs = self.jobs_done(
            entries.iter().filter(|entry| wanted(entry)).map(|entry| (kind, entry, String::new())).collect(),
        )?;
        let count = |state: JobState| jobs.iter().filter(|job| job.state == state).count();
        let waiting = count(JobState::Waits) + count(JobState::Runs);
        let mut words = format!(
            "{what} has completed: {} done, {} not; see the report.",
            count(JobState::Done),
            count(JobState::Failed)
        );
        if waiting > 0 {
            words = format!("{what} goes on in the background for {waiting} of {}; see jobs/index.", jobs.len());
        }
        let reports: Map<_, _> = jobs.into_iter().map(|job| (job.subject.to_string(), job.report)).collect();
        let mut body = saved(words.clone(), &self.call.url, None);
        body["result"] = words.into();
        body["report"] = reports.into();
        Ok(Answer::json(&body))
    }

    /// `feeds/fetchFromFeed/ID`
    pub fn feeds_fetch(&self) -> Result<Answer, Fault> {
        self.one_job(FETCH, &self.named_entry(FEED, "feed")?, "Fetching the feed")
    }

    /// `feeds/fetchFromAllFeeds`: all that are enabled.
    pub fn feeds_fetch_all(&self) -> Result<Answer, Fault> {
        let enabled = |entry: &Entry| flag_of(entry.body.get("enabled"));
        self.many_jobs(FETCH, &self.store.entries(FEED)?, "Fetching", enabled)
    }

    /// `servers/cache/all|ID`
    pub fn servers_cache(&self) -> Result<Answer, Fault> {
        if self.call.arg(0).unwrap_or("all") != "all" {
            return self.one_job(CACHE_SERVER, &self.named_entry(SERVER, "server")?, "Caching the server");
        }
        let wanted = |entry: &Entry| flag_of(entry.body.get("caching_enabled"));
        self.many_jobs(CACHE_SERVER, &self.store.entries(SERVER)?, "Caching", wanted)
    }

    /// `feeds/cacheFeeds/all|misp|csv|freetext|ID`
    pub fn feeds_cache(&self) -> Result<Answer, Fault> {
        let scope = self.call.arg(0).unwrap_or("all").to_lowercase();
        if !matches!(scope.as_str(), "all" | "misp" | "csv" | "freetext") {
            return self.one_job(CACHE, &self.named_entry(FEED, "feed")?, "Caching the feed");
        }
        let wanted = |entry: &Entry| {
            flag_of(entry.body.get("caching_enabled"))
                && (scope == "all" || format_of(entry).is_ok_and(|format| format == scope))
        };
        self.many_jobs(CACHE, &self.store.entries(FEED)?, "Caching", wanted)
    }
}
