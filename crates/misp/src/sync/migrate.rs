//! A whole MISP, brought over: organisations, sharing groups, tags, accounts without their passwords,
//! feeds, servers without their keys, events as they are, sightings. It can be run again, and goes on
//! where it stopped: what is here and not older is left alone.

use super::clusters::versions;
use super::remote::Remote;
use super::tally::Difference;
use super::{Report, Stopped};
use crate::answer::Fault;
use crate::call::{Call, Method};
use crate::clusters::{Coming, KIND};
use crate::context::Context;
use crate::register::KINDS;
use crate::shape::body_of;
use manara_corridor::WarningCache;
use manara_model::record::{flag_of, seconds_of, text_of};
use manara_model::role::{Right, Role};
use manara_model::{Audience, GroupId, OrgId, Purpose, UserId};
use manara_store::people::{Account, Caller, NewAccount, NewGroup, Organisation};
use manara_store::view::Which;
use manara_store::{Store, StoreError};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::Duration;
use uuid::Uuid;

/// In the audit log.
const ACTOR: &str = "cli: from MISP";
/// Events whose sightings are asked for in one question.
const AT_ONCE: usize = 100;

/// What was brought.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Migration {
    /// New organisations.
    pub organisations: usize,
    /// New sharing groups.
    pub groups: usize,
    /// New or changed tags.
    pub tags: usize,
    /// New accounts; they need passwords and keys of their own.
    pub accounts: usize,
    /// New feeds.
    pub feeds: usize,
    /// New servers; they need keys.
    pub servers: usize,
    /// Events that are there.
    pub events: usize,
    /// Events that were new.
    pub added: usize,
    /// Events that were newer there.
    pub updated: usize,
    /// Events that were here already.
    pub unchanged: usize,
    /// New sightings.
    pub sightings: usize,
    /// Own clusters of galaxies that were new, or newer there.
    pub clusters: usize,
    /// Events that differ afterwards.
    pub differing: usize,
    /// Those that are named: which, and what is missing.
    pub differences: Vec<String>,
    /// What went wrong on the way.
    pub errors: Vec<String>,
}

struct Bringer<'a> {
    context: Context<'a>,
    remote: Remote<'static>,
    done: Migration,
    report: Report,
    tell: &'a mut dyn FnMut(&str),
}

/// Brings a whole MISP over. `tell` hears how far it is.
///
/// # Errors
/// It can't be reached, refuses the key, or the store can't go on; what was brought until then stays.
pub fn migrate(store: &Store, url: &str, key: &str, tell: &mut dyn FnMut(&str)) -> Result<Migration, String> {
    let org = store.node_org().map_err(|error| error.to_string())?;
    let account = Account {
        uuid: UserId(Uuid::nil()),
        org,
        email: ACTOR.into(),
        role: Role::Admin,
        disabled: false,
        second_factor: false,
    };
    let caller = Caller { account, scope: Right::ALL.to_vec() };
    let call = Call::new(Method::Post, "/", "", Vec::new(), caller);
    let warnings = WarningCache::default();
    let context =
        Context { store, warnings: &warnings, call: &call, now: jiff::Timestamp::now().as_second(), hop: None };
    let remote = Remote::new(url, key, Duration::from_secs(600), false).map_err(|error| error.to_string())?;
    let mut bringer = Bringer { context, remote, done: Migration::default(), report: Report::default(), tell };
    bringer.all().map_err(|stopped| stopped.to_string())?;
    let Bringer { mut done, report, .. } = bringer;
    done.differing = report.differing;
    done.differences =
        report.differences.iter().map(|Difference { event, reason, .. }| format!("{event}: {reason}")).collect();
    done.errors = report.errors;
    Ok(done)
}

fn uuid_of(value: &Value) -> Option<Uuid> {
    text_of(value.get("uuid")).and_then(|uuid| uuid.parse().ok())
}

fn name_of(value: &Value) -> String {
    text_of(value.get("name")).unwrap_or_default().into_owned()
}

/// Lines of an answer, whatever it is wrapped in.
fn lines(body: &Value, wrapper: &str) -> Vec<Value> {
    let list = [Some(body), body.get("response"), body.get(wrapper)].into_iter().flatten().find_map(Value::as_array);
    list.into_iter().flatten().map(|line| line.get(wrapper).cloned().unwrap_or_else(|| line.clone())).collect()
}

impl Bringer<'_> {
    fn ask(&self, path: &str) -> Result<Value, Stopped> {
        Ok(self.remote.ask("GET", path, None, None)?.body)
    }

    /// A list that this key may not have is told, and stops nothing.
    fn list(&mut self, path: &str, wrapper: &str) -> Vec<Value> {
        match self.ask(path) {
            Ok(body) => lines(&body, wrapper),
            Err(stopped) => {
                self.report.fails(format!("{path}: {stopped}"));
                Vec::new()
            }
        }
    }

    fn all(&mut self) -> Result<(), Stopped> {
        let version = self.ask("/servers/getVersion")?;
        (self.tell)(&format!("MISP {}", text_of(version.get("version")).unwrap_or_default()));
        self.organisations()?;
        self.groups()?;
        self.tags()?;
        self.accounts()?;
        self.entries()?;
        self.clusters()?;
        self.events()?;
        Ok(())
    }

    fn organisations(&mut self) -> Result<(), Stopped> {
        let store = self.context.store;
        for line in self.list("/organisations/index/scope:all", "Organisation") {
            let Some(uuid) = uuid_of(&line) else { continue };
            let local = flag_of(line.get("local"));
            let country =
                text_of(line.get("nationality")).filter(|text| text.len() == 2).unwrap_or_default().into_owned();
            let known = store.facts()?.names.contains_key(&OrgId(uuid));
            if !known {
                store.hear_of_org(uuid, &name_of(&line))?;
                self.done.organisations += 1;
            }
            let mut org = store.org(&uuid.to_string())?;
            if org.local != local && !known {
                let code = Organisation::new(&org.name, &country, local).map(|org| org.country).unwrap_or_default();
                (org.local, org.country) = (local, code);
                let mut notes = Map::new();
                for name in ["description", "sector", "type", "contacts"] {
                    if let Some(text) = text_of(line.get(name)).filter(|text| !text.is_empty()) {
                        notes.insert(name.into(), text.into());
                    }
                }
                store.set_org(ACTOR, org, &notes)?;
            }
        }
        Ok(())
    }

    fn groups(&mut self) -> Result<(), Stopped> {
        let store = self.context.store;
        let body = match self.ask("/sharing_groups/index.json") {
            Ok(body) => body,
            Err(stopped) => {
                self.report.fails(format!("sharing groups: {stopped}"));
                return Ok(());
            }
        };
        for line in body.get("response").or(Some(&body)).and_then(Value::as_array).into_iter().flatten() {
            let group = &line["SharingGroup"];
            let Some(uuid) = uuid_of(group) else { continue };
            if store.facts()?.world.groups.contains_key(&GroupId(uuid)) {
                continue;
            }
            let mut members = Vec::new();
            for member in line["SharingGroupOrg"].as_array().into_iter().flatten() {
                if let Some(org) = uuid_of(&member["Organisation"]) {
                    store.hear_of_org(org, &name_of(&member["Organisation"]))?;
                    members.push(OrgId(org));
                }
            }
            let owner = uuid_of(&line["Organisation"]).map_or(self.context.call.caller.account.org, OrgId);
            store.put_group(
                ACTOR,
                NewGroup { uuid: GroupId(uuid), name: name_of(group), owner, members, shows_members: true },
            )?;
            let mut notes = Map::new();
            for name in ["description", "releasability", "roaming"] {
                notes.extend(group.get(name).map(|value| (name.to_owned(), value.clone())));
            }
            store.set_group(ACTOR, GroupId(uuid), &name_of(group), flag_of(group.get("active")), &notes)?;
            self.done.groups += 1;
        }
        Ok(())
    }

    fn tags(&mut self) -> Result<(), Stopped> {
        let store = self.context.store;
        for line in self.list("/tags/index", "Tag") {
            let name = name_of(&line);
            match store.add_tag(ACTOR, &name) {
                Ok(()) | Err(StoreError::Exists { .. }) => {}
                Err(error) => {
                    self.report.fails(format!("tag '{}': {error}", manara_model::record::telling(&name)));
                    continue;
                }
            }
            let Some(tag) = store.tag_by_name(&name)? else { continue };
            let colour = text_of(line.get("colour")).unwrap_or_default().into_owned();
            let mut detail = tag.detail.clone();
            for name in ["exportable", "hide_tag", "numerical_value", "local_only"] {
                detail.extend(line.get(name).map(|value| (name.to_owned(), value.clone())));
            }
            if tag.set_colour != colour || tag.detail != detail {
                store.set_tag(ACTOR, tag.id, &colour, &detail)?;
                self.done.tags += 1;
            }
        }
        Ok(())
    }

    /// Accounts with the role that comes nearest. Nobody knows their passwords or keys: they get new ones.
    fn accounts(&mut self) -> Result<(), Stopped> {
        let store = self.context.store;
        let body = match self.ask("/admin/users") {
            Ok(body) => body,
            Err(stopped) => {
                self.report.fails(format!("users: {stopped}"));
                return Ok(());
            }
        };
        for line in body.as_array().into_iter().flatten() {
            let (user, role) = (&line["User"], &line["Role"]);
            let email = text_of(user.get("email")).unwrap_or_default().to_lowercase();
            let Some(org) = uuid_of(&line["Organisation"]) else { continue };
            if store.account(&email).is_ok() {
                continue;
            }
            let may = |name: &str| flag_of(role.get(name));
            let role = if may("perm_site_admin") {
                Role::Admin
            } else if may("perm_admin") {
                Role::OrgAdmin
            } else if may("perm_sync") {
                Role::Sync
            } else if may("perm_add") && may("perm_publish") {
                Role::User
            } else if may("perm_add") {
                Role::Contributor
            } else {
                Role::Reader
            };
            store.hear_of_org(org, &name_of(&line["Organisation"]))?;
            match store.add_account(ACTOR, NewAccount { org: OrgId(org), email: email.clone(), role }) {
                Ok(_) => {
                    if flag_of(user.get("disabled")) {
                        store.disable_account(ACTOR, &email, true)?;
                    }
                    self.done.accounts += 1;
                }
                Err(error) => self.report.fails(format!("an account: {error}")),
            }
        }
        Ok(())
    }

    /// Feeds and servers. A server's key is not given out; it is entered anew, and until then nothing is
    /// pulled or pushed.
    fn entries(&mut self) -> Result<(), Stopped> {
        let store = self.context.store;
        for (path, model, kind) in [("/feeds/index", "Feed", "feed"), ("/servers/index", "Server", "server")] {
            let fields = KINDS.iter().find(|one| one.kind == kind);
            let held = store.entries(kind)?;
            for line in self.list(path, model) {
                let same = |body: &Value| body["url"] == line["url"] && body["name"] == line["name"];
                if held.iter().any(|entry| same(&entry.body)) {
                    continue;
                }
                let Some(given) = line.as_object() else { continue };
                let mut body = fields.map(|fields| fields.body(given)).unwrap_or_default();
                let name = Uuid::new_v4().to_string();
                if kind == "server" {
                    let sealed = store.seal_secret(&format!("{kind}/{name}"), "")?;
                    // Its numbers there say nothing here; and nothing goes either way before somebody looked at it.
                    let rest: [(&str, Value); 4] = [
                        ("sealed", sealed.into()),
                        ("pull", false.into()),
                        ("push", false.into()),
                        ("remote_org_id", "0".into()),
                    ];
                    body.extend(rest.map(|(name, value)| (name.to_owned(), value)));
                    self.done.servers += 1;
                } else {
                    crate::feeds::without_numbers(&mut body);
                    self.done.feeds += 1;
                }
                store.add_entry(
                    ACTOR,
                    if kind == "feed" { "feed" } else { "server" },
                    &name,
                    (Some(self.context.call.caller.account.org), None),
                    body.into(),
                )?;
            }
        }
        Ok(())
    }

    fn events(&mut self) -> Result<(), Stopped> {
        let index = self.remote.ask("POST", "/events/index", Some(&json!({"minimal": 1})), None)?.body;
        let index = index.as_array().cloned().unwrap_or_default();
        self.done.events = index.len();
        let mut taken: Vec<Uuid> = Vec::new();
        for (n, line) in index.iter().enumerate() {
            let Some(uuid) = uuid_of(line) else { continue };
            match self.event(uuid, seconds_of(line.get("timestamp"))) {
                Ok(true) => taken.push(uuid),
                Ok(false) => {}
                Err(
                    stopped @ (Stopped::Remote(super::RemoteError::Refused { .. })
                    | Stopped::Here(Fault { status: 400..500, .. })),
                ) => {
                    self.report.fails(format!("event {uuid}: {stopped}"));
                }
                Err(stopped) => return Err(stopped),
            }
            if (n + 1) % 50 == 0 || n + 1 == index.len() {
                (self.tell)(&format!(
                    "{} of {} events, {} new, {} updated",
                    n + 1,
                    index.len(),
                    self.done.added,
                    self.done.updated
                ));
            }
            if taken.len() == AT_ONCE {
                self.sightings(&std::mem::take(&mut taken))?;
            }
        }
        self.sightings(&taken)
    }

    /// Own clusters, published or not: who holds one there holds it here, as with events.
    fn clusters(&mut self) -> Result<(), Stopped> {
        let asked = json!({"minimal": 1, "custom": 1});
        let index = match self.remote.ask("POST", "/galaxy_clusters/restSearch", Some(&asked), None) {
            Ok(reply) => versions(&reply.body),
            Err(error) => {
                self.report.fails(format!("clusters: {error}"));
                return Ok(());
            }
        };
        let store = self.context.store;
        for (uuid, version) in index {
            let held = store.view(Audience::Node, Purpose::Read)?.of_kind(KIND, None, Some(uuid))?;
            let clock = held.as_ref().map(|held| seconds_of(body_of(&held.skeleton).get("version")));
            if clock.is_some_and(|clock| clock >= version) {
                continue;
            }
            let cluster = match self.ask(&format!("/galaxy_clusters/view/{uuid}")) {
                Ok(body) => body.get("GalaxyCluster").cloned().unwrap_or_default(),
                Err(stopped @ Stopped::Remote(super::RemoteError::Refused { .. })) => {
                    self.report.fails(format!("cluster {uuid}: {stopped}"));
                    continue;
                }
                Err(stopped) => return Err(stopped),
            };
            let org = cluster.get("Org").and_then(uuid_of).map(OrgId);
            let local = &store.facts()?.world.local;
            let org = held.map(|held| held.label.owner).or(org.filter(|org| local.contains(org)));
            let own = &self.context.call.caller;
            let caller = Self::holder(own, org.unwrap_or(own.account.org));
            let mut why = Vec::new();
            self.context.in_name_of(caller, "/galaxies/pushCluster", &Value::Null, None, |context| {
                let tally = context.take_clusters(&[cluster], Coming::Moved)?;
                why = tally.errors;
                self.done.clusters += tally.imported;
                Ok(crate::answer::Answer::json(&Value::Null))
            })?;
            why.iter().for_each(|why| self.report.fails(format!("cluster {uuid}: {why}")));
        }
        Ok(())
    }

    /// One in whose name an organisation's events are written.
    fn holder(own: &Caller, org: OrgId) -> Caller {
        let account = Account { org, role: Role::Sync, ..own.account.clone() };
        Caller { account, scope: vec![Right::Read, Right::Write, Right::Sync] }
    }

    fn event(&mut self, uuid: Uuid, stamp: i64) -> Result<bool, Stopped> {
        let store = self.context.store;
        let held = store.view(Audience::Node, Purpose::Read)?.event(Which::Uuid(uuid))?;
        if held.as_ref().is_some_and(|held| held.touched >= stamp) {
            self.done.unchanged += 1;
            return Ok(false);
        }
        // Who holds it there holds it here, if it is one of this node's organisations.
        let facts = store.facts()?;
        let own = self.context.call.caller.clone();
        let who = |head: &Map<String, Value>| {
            let named = head.get("Org").and_then(uuid_of).map(OrgId).filter(|org| facts.world.local.contains(org));
            let holder = held.as_ref().map(|held| held.head.label.owner).or(named).unwrap_or(own.account.org);
            Self::holder(&own, holder)
        };
        self.context.take_event(&self.remote, who, uuid, None, held.is_some(), &mut self.report)?;
        (self.done.added, self.done.updated) = (self.report.added, self.report.updated);
        Ok(true)
    }

    fn sightings(&mut self, events: &[Uuid]) -> Result<(), Stopped> {
        if events.is_empty() {
            return Ok(());
        }
        let asked = json!({"returnFormat": "json", "last": 0, "includeUuid": true, "uuid": events});
        let body = match self.remote.ask("POST", "/sightings/restSearch/event", Some(&asked), None) {
            Ok(reply) => reply.body,
            Err(error) => {
                self.report.fails(format!("sightings: {error}"));
                return Ok(());
            }
        };
        for event in events {
            let of = |line: &Value| {
                text_of(line.get("Sighting").unwrap_or(line).get("event_uuid"))
                    .is_some_and(|uuid| uuid == event.to_string())
            };
            let mine: Vec<Value> = lines(&body, "response").into_iter().filter(of).collect();
            if mine.is_empty() {
                continue;
            }
            let view = self.context.store.view(Audience::Node, Purpose::Read)?;
            let Some(held) = view.event(Which::Uuid(*event))? else { continue };
            drop((held, view));
            // In the administrator's name: he brings what each of the node's organisations said.
            let caller = self.context.call.caller.clone();
            let path = format!("/sightings/bulkSaveSightings/{event}");
            let said = self
                .context
                .in_name_of(caller, &path, &Value::Array(mine), None, |context| context.sightings_bulk())?;
            let count = said["message"].as_str().and_then(|text| text.split(' ').next()?.parse::<usize>().ok());
            self.done.sightings += count.unwrap_or(0);
        }
        Ok(())
    }
}
