//! Exchange with other servers as MISP does it: pull what they released, push what is cleared for them,
//! and say afterwards what each side holds. Every event is written for itself, so that what was broken off
//! goes on where it stopped; and what was fetched once is known by its clock, so that nothing new costs one
//! question.

mod hop;
mod migrate;
mod pull;
mod push;
mod remote;

pub use migrate::{Migration, migrate};

use crate::answer::{Answer, Fault};
use crate::call::{Call, Method};
use crate::context::Context;
use crate::shape::uuid_of;
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_model::role::{Right, Role};
use manara_model::{OrgId, UserId};
use manara_store::entries::Entry;
use manara_store::people::{Account, Caller};
use manara_store::view::{EventRow, View};
pub(crate) use remote::{Remote, RemoteError};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The kind of entry that a server is.
pub(crate) const SERVER: &str = "server";
/// Differences that a report names; beyond it they are counted.
const NAMED: usize = 50;

/// One event that is not the same on both sides.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Difference {
    /// Which.
    pub(crate) event: String,
    /// What is the matter.
    pub(crate) reason: String,
    /// Parts there, and here.
    pub(crate) there: usize,
    /// See `there`.
    pub(crate) here: usize,
    /// Digests of both.
    pub(crate) digests: [String; 2],
    /// Identifiers of parts that are missing, the first few.
    pub(crate) missing: Vec<String>,
}

/// What an exchange did.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Report {
    /// Events that the other side offered, or that we offered.
    pub(crate) offered: usize,
    /// Events that were new.
    pub(crate) added: usize,
    /// Events of which there was a newer version.
    pub(crate) updated: usize,
    /// Events that were there already.
    pub(crate) unchanged: usize,
    /// Events that are not taken, and why: ours, or blocked.
    pub(crate) skipped: BTreeMap<String, usize>,
    /// Proposals, sightings, notes that were new.
    pub(crate) proposals: usize,
    /// See `proposals`.
    pub(crate) sightings: usize,
    /// See `proposals`.
    pub(crate) analyst_data: usize,
    /// Events that differ afterwards.
    pub(crate) differences: Vec<Difference>,
    /// How many.
    pub(crate) differing: usize,
    /// What went wrong on the way.
    pub(crate) errors: Vec<String>,
}

impl Report {
    pub(crate) fn differs(&mut self, difference: Difference) {
        self.differing += 1;
        if self.differences.len() < NAMED {
            self.differences.push(difference);
        }
    }

    pub(crate) fn fails(&mut self, what: impl std::fmt::Display) {
        if self.errors.len() < NAMED {
            self.errors.push(what.to_string());
        }
    }

    pub(crate) fn skip(&mut self, why: &str) {
        *self.skipped.entry(why.to_owned()).or_default() += 1;
    }

    fn is_good(&self) -> bool {
        self.differing == 0 && self.errors.is_empty()
    }

    fn words(&self) -> String {
        let mut words = format!(
            "{} events offered: {} new, {} updated, {} unchanged, {} skipped",
            self.offered,
            self.added,
            self.updated,
            self.unchanged,
            self.skipped.values().sum::<usize>()
        );
        words.push_str(&format!(
            "; {} proposals, {} sightings, {} notes. ",
            self.proposals, self.sightings, self.analyst_data
        ));
        words.push_str(&match (self.differing, self.errors.len()) {
            (0, 0) => "Both sides hold the same.".to_owned(),
            (differing, errors) => format!("{differing} events differ, {errors} errors; see the report."),
        });
        words
    }
}

/// Compares what a server offered of an event with what is held.
pub(crate) fn compare(
    event: &str,
    there: &BTreeMap<String, (i64, bool)>,
    here: &BTreeMap<String, (i64, bool)>,
) -> Option<Difference> {
    // What we know besides (a proposal that was taken in, say) is no loss; what is older here is.
    let missing: Vec<String> = there
        .iter()
        .filter(|(uuid, (stamp, deleted))| {
            here.get(*uuid).is_none_or(|(ours, gone)| ours < stamp || ours == stamp && gone != deleted)
        })
        .map(|(uuid, _)| uuid.clone())
        .collect();
    (!missing.is_empty()).then(|| Difference {
        event: event.to_owned(),
        reason: format!("{} of {} parts are missing or older", missing.len(), there.len()),
        there: there.len(),
        here: here.len(),
        digests: [hop::digest(there), hop::digest(here)],
        missing: missing.into_iter().take(20).collect(),
    })
}

impl<'a> Context<'a> {
    /// What is held of an event, for reconciliation.
    pub(crate) fn held(view: &View<'_>, event: &EventRow) -> Result<BTreeMap<String, (i64, bool)>, Fault> {
        let mut all = BTreeMap::new();
        view.parts_in_order::<Fault>(&event.head, |part| {
            if part.slot != Slot::Proposal {
                let body = crate::shape::body_of(&part.raw);
                let stamp = seconds_of(body.get("timestamp"));
                all.insert(uuid_of(event, &part).to_string(), (stamp, flag_of(body.get("deleted"))));
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// The one in whose name a server's events are written: a synchronising account of the organisation that
    /// set the server up, with no rights beyond that.
    fn partner(&self, entry: &Entry) -> Caller {
        let name = text_of(entry.body.get("name")).unwrap_or_default();
        let account = Account {
            uuid: UserId(uuid::Uuid::nil()),
            org: entry.org.unwrap_or(self.call.caller.account.org),
            email: format!("sync: {name}"),
            role: Role::Sync,
            disabled: false,
            second_factor: false,
        };
        Caller { account, scope: vec![Right::Read, Right::Write, Right::Sync] }
    }

    /// Does something as that one.
    pub(crate) fn as_partner(
        &self,
        entry: &Entry,
        path: &str,
        body: &Value,
        run: impl FnOnce(&Context<'_>) -> Result<Answer, Fault>,
    ) -> Result<Value, Fault> {
        self.in_name_of(self.partner(entry), path, body, run)
    }

    /// Does something in the name of another.
    pub(crate) fn in_name_of(
        &self,
        caller: Caller,
        path: &str,
        body: &Value,
        run: impl FnOnce(&Context<'_>) -> Result<Answer, Fault>,
    ) -> Result<Value, Fault> {
        let call = Call::new(Method::Post, path, "", body.to_string().into_bytes(), caller);
        let inner = Context { store: self.store, warnings: self.warnings, call: &call, now: self.now };
        let text = run(&inner)?.text()?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    pub(crate) fn remote(&self, entry: &Entry) -> Result<Remote, Fault> {
        let sealed = text_of(entry.body.get("sealed")).unwrap_or_default();
        let key = self.store.open_secret(&format!("{SERVER}/{}", entry.name), &sealed)?;
        let url = text_of(entry.body.get("url")).unwrap_or_default();
        Remote::new(&url, &key, Duration::from_secs(120)).map_err(|error| Fault::new(400, error.to_string()))
    }

    /// `servers/testConnection/ID`
    pub fn servers_test(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(SERVER, "server")?;
        let remote = self.remote(&entry)?;
        let version = match remote.ask("GET", "/servers/getVersion", None, None) {
            Ok(reply) => reply.body,
            Err(error) => {
                let status = match &error {
                    RemoteError::Refused { status: 403, .. } => 4,
                    RemoteError::Refused { .. } => 3,
                    RemoteError::NoJson(_) => 2,
                    _ => 8,
                };
                return Ok(Answer::json(&json!({"status": status, "message": error.to_string()})));
            }
        };
        // A body of several lines and scripts: some partners have a proxy between that changes it.
        let probe =
            json!({"testString": "line one\nline two \"quoted\" \u{645}\u{646}\u{627}\u{631}\u{629} \u{1f5fc}"});
        let post = match remote.ask("POST", "/servers/postTest", Some(&probe), None) {
            Ok(reply) => i32::from(reply.body.get("body") == Some(&probe)),
            Err(_) => 0,
        };
        let flag = |name: &str| flag_of(version.get(name));
        Ok(Answer::json(&json!({
            "status": 1, "local_version": crate::node::VERSION, "version": version.get("version"), "mismatch": "", "newer": "",
            "post": if post == 1 { 1 } else { 8 }, "perm_sync": flag("perm_sync"), "perm_sighting": flag("perm_sighting"),
            "response_encoding": "", "request_encoding": version.get("request_encoding"), "uuid": version.get("uuid"),
            "message": "Local and remote version match.",
        })))
    }

    /// Keeps what an exchange said with its server.
    fn remember(&self, entry: &Entry, name: &str, report: &Value, more: Map<String, Value>) -> Result<(), Fault> {
        let mut body = entry.body.clone();
        body[name] = json!({"at": self.now, "report": report});
        if let Some(body) = body.as_object_mut() {
            body.extend(more);
        }
        self.store.set_entry(self.actor(), SERVER, entry.id, body)?;
        Ok(())
    }

    /// `servers/pull/ID`, `servers/pull/ID/update|full|EVENT`
    pub fn servers_pull(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(SERVER, "server")?;
        if !flag_of(entry.body.get("pull")) {
            return Err(Fault::new(405, "Pull setting not enabled for this server."));
        }
        let (report, tag) = match self.pull(&entry) {
            Ok(done) => done,
            Err(error) => {
                self.remember(&entry, "last_pull", &json!({"errors": [error.to_string()]}), Map::new())?;
                return Err(Fault::new(424, format!("Pull failed: {error}")));
            }
        };
        // A tag is kept of a pull that was good: after another, everything is asked again.
        let kept = if report.is_good() { json!(tag) } else { Value::Null };
        let shown = serde_json::to_value(&report)?;
        self.remember(&entry, "last_pull", &shown, Map::from_iter([("pull_tag".to_owned(), kept)]))?;
        let words = format!("Pull completed. {}", report.words());
        let mut body = crate::answer::saved(words, &self.call.url, None);
        body["report"] = shown;
        Ok(Answer::json(&body))
    }

    /// `servers/push/ID`
    pub fn servers_push(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(SERVER, "server")?;
        if !flag_of(entry.body.get("push")) {
            return Err(Fault::new(405, "Push setting not enabled for this server."));
        }
        let report = match self.push(&entry) {
            Ok(report) => report,
            Err(error) => {
                self.remember(&entry, "last_push", &json!({"errors": [error.to_string()]}), Map::new())?;
                return Err(Fault::new(424, format!("Push failed: {error}")));
            }
        };
        let shown = serde_json::to_value(&report)?;
        self.remember(&entry, "last_push", &shown, Map::new())?;
        let mut body = crate::answer::saved(format!("Push complete. {}", report.words()), &self.call.url, None);
        body["report"] = shown;
        Ok(Answer::json(&body))
    }
}

/// Why an exchange stopped.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The other side.
    Remote(RemoteError),
    /// This side.
    Here(Fault),
    /// It can't be done as it is set up.
    Setup(String),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stopped::Remote(error) => error.fmt(f),
            Stopped::Here(fault) => match &fault.errors {
                Some(errors) => write!(f, "{} {}", fault.message, manara_model::record::telling(&errors.to_string())),
                None => f.write_str(&fault.message),
            },
            Stopped::Setup(why) => f.write_str(why),
        }
    }
}

impl From<RemoteError> for Stopped {
    fn from(error: RemoteError) -> Self {
        Stopped::Remote(error)
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Stopped::Here(fault)
    }
}

impl From<manara_store::StoreError> for Stopped {
    fn from(error: manara_store::StoreError) -> Self {
        Stopped::Here(error.into())
    }
}

/// The organisation that runs a server, as it was set up.
pub(crate) fn remote_org(context: &Context<'_>, entry: &Entry) -> Result<OrgId, Stopped> {
    let named = text_of(entry.body.get("remote_org_id")).unwrap_or_default();
    let org = if named == "0" { None } else { context.identify("org", &named)? };
    org.map(OrgId).ok_or_else(|| {
        Stopped::Setup("set remote_org_id: which organisation runs this server decides what it may have".into())
    })
}
