//! Exchange with other servers as MISP does it: pull what they released, push what is cleared for them,
//! and say afterwards what each side holds. Every event is written for itself, so that what was broken off
//! goes on where it stopped; and what was fetched once is known by its clock, so that nothing new costs one
//! question.

mod clusters;
mod health;
mod hop;
mod jobs;
mod migrate;
mod pull;
mod push;
mod remote;
mod report;
mod tally;

pub use health::{Exchange, Peer, ask_exchange, peers};
pub(crate) use hop::{ComesIn, GoesOut, without_local_tags};
pub(crate) use jobs::{EVENT, PULL, PUSH};
pub use migrate::{Migration, migrate};

use crate::answer::{Answer, Fault};
use crate::body::Body;
use crate::call::{Call, Method};
use crate::context::Context;
use manara_model::record::{flag_of, text_of};
use manara_model::role::{Right, Role};
use manara_model::{OrgId, UserId};
use manara_store::entries::Entry;
use manara_store::people::{Account, Caller};
pub(crate) use remote::{Remote, RemoteError};
use report::Report;
use serde_json::{Value, json};
use std::time::Duration;
pub(crate) use tally::Tally;
use tally::compare;

/// The kind of entry that a server is.
pub(crate) const SERVER: &str = "server";
/// The header in which a node says what it holds of an event that was brought: count and digest.
pub(crate) const INVENTORY: &str = "x-inventory";
/// How long a server may think about a question.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
/// How long it may when it is only tested.
const TEST: Duration = Duration::from_secs(20);

impl<'a> Context<'a> {
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
        body: impl Into<Body>,
        hop: Option<ComesIn>,
        run: impl FnOnce(&Context<'_>) -> Result<Answer, Fault>,
    ) -> Result<Value, Fault> {
        self.in_name_of(self.partner(entry), path, body, hop, run)
    }

    /// Does something in the name of another.
    pub(crate) fn in_name_of(
        &self,
        caller: Caller,
        path: &str,
        body: impl Into<Body>,
        hop: Option<ComesIn>,
        run: impl FnOnce(&Context<'_>) -> Result<Answer, Fault>,
    ) -> Result<Value, Fault> {
        let call = Call::new(Method::Post, path, "", body, caller);
        let inner = Context { store: self.store, warnings: self.warnings, call: &call, now: self.now, hop };
        let text = run(&inner)?.text()?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    pub(crate) fn remote(&self, entry: &Entry, patience: Duration) -> Result<Remote<'static>, Fault> {
        let sealed = text_of(entry.body.get("sealed")).unwrap_or_default();
        let key = self.store.open_secret(&format!("{SERVER}/{}", entry.name), &sealed)?;
        let url = text_of(entry.body.get("url")).unwrap_or_default();
        let trusting = flag_of(entry.body.get("self_signed"));
        Remote::new(&url, &key, patience, trusting).map_err(|error| Fault::new(400, error.to_string()))
    }

    /// `servers/testConnection/ID`
    pub fn servers_test(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(SERVER, "server")?;
        let remote = self.remote(&entry, TEST)?;
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
        if let Some(node) = text_of(version.get("uuid")).and_then(|uuid| uuid.parse().ok()) {
            self.is_node(&entry, node)?;
        }
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
    /// Nobody wants it any more: the node ends, or another process does it.
    Ended,
}

impl Stopped {
    /// May the same be good a little later, with nobody's help?
    pub(crate) fn passes(&self) -> bool {
        match self {
            Stopped::Remote(RemoteError::Away(_) | RemoteError::Gone(_)) | Stopped::Ended => true,
            Stopped::Remote(RemoteError::Refused { status, .. }) => *status == 429 || *status >= 500,
            Stopped::Here(fault) => fault.status >= 500,
            _ => false,
        }
    }

    /// Is it about one event or cluster, so that the others can go on?
    fn is_of_one_thing(&self) -> bool {
        match self {
            Stopped::Remote(RemoteError::Gone(_)) | Stopped::Ended | Stopped::Setup(_) => false,
            Stopped::Remote(_) => true,
            Stopped::Here(fault) => (400..500).contains(&fault.status),
        }
    }
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
            Stopped::Ended => f.write_str("broken off here; it goes on where it stopped"),
        }
    }
}

impl From<RemoteError> for Stopped {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Ended => Stopped::Ended,
            error => Stopped::Remote(error),
        }
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
