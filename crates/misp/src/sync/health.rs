//! How it stands with each server that is exchanged with: for the operator's page and for `manara doctor`.

use super::SERVER;
use manara_model::OrgId;
use manara_model::record::{flag_of, text_of};
use manara_store::jobs::{Job, JobState};
use manara_store::{Store, StoreError};
use serde_json::Value;
use uuid::Uuid;

/// Jobs that are told of each server.
const NAMED: usize = 10;

/// How the last exchange in one direction went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// When it began, Unix seconds.
    pub at: i64,
    /// Everything that was given is held, and nothing went wrong.
    pub good: bool,
    /// Events that were new.
    pub added: i64,
    /// Events of which there was a newer version.
    pub updated: i64,
    /// Events that were given, and how many of them the side that took them holds.
    pub events: (i64, i64),
    /// Parts of the events that were carried over: given, held.
    pub parts: (i64, i64),
    /// Events that differ.
    pub differing: i64,
    /// Those that are named: which, and what is missing.
    pub differences: Vec<(String, String)>,
    /// What went wrong.
    pub errors: Vec<String>,
}

/// A server.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Number of its entry.
    pub id: i64,
    /// Its name here.
    pub name: String,
    /// Its address; there is no secret in it.
    pub url: String,
    /// Whose it is, where that was said.
    pub org: Option<String>,
    /// It is pulled from.
    pub pulls: bool,
    /// It is pushed to.
    pub pushes: bool,
    /// The last pull.
    pub pull: Option<Exchange>,
    /// The last push.
    pub push: Option<Exchange>,
    /// Jobs that wait or run, the first few.
    pub jobs: Vec<Job>,
    /// There are more.
    pub more: bool,
}

impl Peer {
    /// Did the last exchanges go well, and does nothing wait for another try?
    #[must_use]
    pub fn is_well(&self) -> bool {
        let well = |exchange: &Option<Exchange>| exchange.as_ref().is_none_or(|exchange| exchange.good);
        let again = |job: &Job| job.state == JobState::Waits && job.attempts > 0;
        well(&self.pull) && well(&self.push) && !self.jobs.iter().any(again)
    }
}

fn exchange(body: &Value, name: &str) -> Option<Exchange> {
    let last = body.get(name)?;
    let report = last.get("report")?;
    let number = |at: &str| report.pointer(at).and_then(Value::as_i64).unwrap_or(0);
    let sides = |name: &str| (number(&format!("/{name}/given/count")), number(&format!("/{name}/held/count")));
    let texts = |name: &str| report.get(name).and_then(Value::as_array).into_iter().flatten();
    let text = |value: &Value, name: &str| text_of(value.get(name)).unwrap_or_default().into_owned();
    let mut told = Exchange {
        at: last.get("at").and_then(Value::as_i64).unwrap_or(0),
        good: false,
        added: number("/added"),
        updated: number("/updated"),
        events: sides("events"),
        parts: sides("parts"),
        differing: number("/differing"),
        differences: texts("differences").map(|one| (text(one, "event"), text(one, "reason"))).collect(),
        errors: texts("errors").filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    told.good = told.errors.is_empty() && told.differing == 0 && told.events.0 == told.events.1;
    Some(told)
}

/// Every server that is set up.
///
/// # Errors
/// The store's.
pub fn peers(store: &Store) -> Result<Vec<Peer>, StoreError> {
    let facts = store.facts()?;
    let mut all = Vec::new();
    for entry in store.entries(SERVER)? {
        let text = |name: &str| text_of(entry.body.get(name)).unwrap_or_default().into_owned();
        let named = text("remote_org_id");
        let org = match named.parse::<Uuid>() {
            Ok(uuid) => Some(uuid),
            Err(_) => named.parse().ok().map(|number| store.numbered("org", number)).transpose()?.flatten(),
        };
        let mut jobs = store.jobs_open(entry.id)?;
        let more = jobs.len() > NAMED;
        jobs.truncate(NAMED);
        all.push(Peer {
            id: entry.id,
            name: text("name"),
            url: text("url"),
            org: org.map(|org| facts.name(OrgId(org))),
            pulls: flag_of(entry.body.get("pull")),
            pushes: flag_of(entry.body.get("push")),
            pull: exchange(&entry.body, "last_pull"),
            push: exchange(&entry.body, "last_push"),
            jobs,
            more,
        });
    }
    Ok(all)
}

/// Asks for an exchange with a server now, as its operator; `push`: to it, else from it. The job's number.
///
/// # Errors
/// [`StoreError::Unknown`] where there is no such server, or it is not set up for that.
pub fn ask_exchange(store: &Store, actor: &str, id: i64, push: bool) -> Result<i64, StoreError> {
    let unknown = || StoreError::Unknown { what: "server", name: id.to_string() };
    let entry = store.entry(SERVER, id)?.ok_or_else(unknown)?;
    let kind = if push { super::jobs::PUSH } else { super::jobs::PULL };
    if !flag_of(entry.body.get(kind)) {
        return Err(unknown());
    }
    let job = manara_store::jobs::NewJob { kind, subject: id, key: String::new(), org: entry.org };
    store.add_job(actor, job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_exchange_is_good_when_all_that_was_given_is_held() {
        let body = |held: i64, errors: Value| {
            json!({"last_pull": {"at": 5, "report": {"added": 2, "differing": 0, "errors": errors,
                "events": {"given": {"count": 3}, "held": {"count": held}}}}})
        };
        let told = exchange(&body(3, json!([])), "last_pull").unwrap();
        assert_eq!((told.at, told.good, told.added, told.events), (5, true, 2, (3, 3)));
        assert!(!exchange(&body(2, json!([])), "last_pull").unwrap().good);
        assert!(!exchange(&body(3, json!(["away"])), "last_pull").unwrap().good);
        assert_eq!(exchange(&body(3, json!([])), "last_push"), None);
    }
}
