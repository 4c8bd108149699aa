//! Pull: the index of what they released, then each event that is new or newer, then proposals, sightings
//! and notes.

use super::remote::{Remote, RemoteError};
use super::{Report, Stopped, compare, hop};
use crate::answer::Fault;
use crate::context::Context;
use crate::shape::body_of;
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_model::{Audience, OrgId, Purpose};
use manara_store::Change;
use manara_store::entries::Entry;
use manara_store::view::{View, Which};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What an event is asked with, as MISP's servers do.
pub(super) const ASKED: &str = "deleted[]:0/deleted[]:1/excludeGalaxy:1/includeEventCorrelations:0/includeFeedCorrelations:0/includeWarninglistHits:0/excludeLocalTags:1";
/// Proposals are asked for as far back as this, seconds; MISP's own span.
const PROPOSALS: i64 = 90 * 86_400;
/// Events whose sightings are asked for in one question.
const AT_ONCE: usize = 100;

/// The rules of a server as the index takes them.
fn rules(entry: &Entry) -> Map<String, Value> {
    let rules = match entry.body.get("pull_rules") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        value => value.cloned().unwrap_or_default(),
    };
    let list = |kind: &str| {
        let of = |name: &str| {
            rules.pointer(&format!("/{kind}/{name}")).and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let not = of("NOT").into_iter().filter_map(|name| text_of(Some(&name)).map(|name| format!("!{name}").into()));
        of("OR").into_iter().chain(not).collect::<Vec<Value>>()
    };
    let mut asked = json!({"minimal": 1, "published": 1}).as_object().cloned().unwrap_or_default();
    for (kind, name) in [("tags", "tag"), ("orgs", "org")] {
        let wanted = list(kind);
        if !wanted.is_empty() {
            asked.insert(name.into(), wanted.into());
        }
    }
    let more = match rules.get("url_params") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        value => value.cloned().unwrap_or_default(),
    };
    if let Value::Object(more) = more {
        asked.extend(more);
    }
    asked
}

impl Context<'_> {
    fn org_of_server(&self, entry: &Entry) -> OrgId {
        entry.org.unwrap_or(self.call.caller.account.org)
    }

    fn own_view(&self, entry: &Entry) -> Result<View<'_>, Fault> {
        Ok(self.store.view(Audience::Org(self.org_of_server(entry)), Purpose::Read)?)
    }

    /// Pulls; what was done, and the index's tag.
    pub(super) fn pull(&self, entry: &Entry) -> Result<(Report, Option<String>), Stopped> {
        let remote = self.remote(entry)?;
        let known = entry.body.get("pull_tag").and_then(Value::as_str);
        let asked = Value::Object(rules(entry));
        let index = remote.ask("POST", "/events/index", Some(&asked), known)?;
        let mut report = Report::default();
        if flag_of(entry.body.get("pull_galaxy_clusters")) {
            self.pull_clusters(entry, &remote, &mut report)?;
        }
        if index.status == 304 {
            return Ok((report, index.tag.or(known.map(str::to_owned))));
        }
        let Value::Array(lines) = &index.body else {
            return Err(RemoteError::NoJson("something that is no list of events".into()).into());
        };
        report.offered = lines.len();
        let mut taken = Vec::new();
        for line in lines {
            let Some(uuid) = text_of(line.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok()) else {
                report.fails("an event without identifier in their index");
                continue;
            };
            match self.pull_event(entry, &remote, uuid, line, &mut report) {
                Ok(true) => taken.push(uuid),
                Ok(false) => {}
                // It can't be taken: that is told, and the others go on. Away, or our own disk: it stops here, and goes
                // on later.
                Err(Stopped::Remote(RemoteError::Away(why))) => return Err(RemoteError::Away(why).into()),
                Err(stopped @ (Stopped::Remote(_) | Stopped::Here(Fault { status: 400..500, .. }))) => {
                    report.fails(format!("event {uuid}: {stopped}"));
                }
                Err(stopped) => return Err(stopped),
            }
        }
        self.pull_proposals(entry, &remote, &mut report)?;
        self.pull_sightings(entry, &remote, &taken, &mut report)?;
        if flag_of(entry.body.get("pull_analyst_data")) {
            self.pull_analyst(entry, &remote, &mut report)?;
        }
        Ok((report, index.tag))
    }

    /// One event of their index; was something taken?
    fn pull_event(
        &self,
        entry: &Entry,
        remote: &Remote,
        uuid: Uuid,
        line: &Value,
        report: &mut Report,
    ) -> Result<bool, Stopped> {
        let stamp = seconds_of(line.get("timestamp"));
        let held = self.own_view(entry)?.event(Which::Uuid(uuid))?;
        if let Some(held) = &held {
            if !held.locked {
                report.skip("ours: it was written here");
                return Ok(false);
            }
            if held.touched >= stamp {
                report.unchanged += 1;
                return Ok(false);
            }
        }
        let author = text_of(line.get("orgc_uuid")).unwrap_or_default();
        let blocked = self.store.entry_named("eventblocklist", &uuid.to_string())?.is_some()
            || self.store.entry_named("orgblocklist", &author)?.is_some();
        if blocked {
            report.skip("blocked here");
            return Ok(false);
        }
        let fetched = remote.ask("GET", &format!("/events/view/{uuid}/{ASKED}"), None, None)?;
        let event = fetched.body.get("Event").and_then(Value::as_object).cloned();
        let mut event = event.ok_or_else(|| RemoteError::NoJson("something that is no event".into()))?;
        if text_of(event.get("uuid")).and_then(|own| own.parse::<Uuid>().ok()) != Some(uuid) {
            return Err(RemoteError::NoJson("another event than was asked for".into()).into());
        }
        let there = hop::inventory(&event);
        hop::came_in(&mut event, flag_of(entry.body.get("internal")));
        if flag_of(entry.body.get("unpublish_event")) {
            event.insert("published".into(), false.into());
        }
        let body = json!({"Event": event});
        let known = held.is_some();
        let path = if known { format!("/events/edit/{uuid}/metadata:1") } else { "/events/add/metadata:1".into() };
        self.as_partner(
            entry,
            &path,
            &body,
            |context| if known { context.events_edit() } else { context.events_add() },
        )?;
        if known {
            report.updated += 1
        } else {
            report.added += 1
        }
        let view = self.own_view(entry)?;
        let now = view.event(Which::Uuid(uuid))?.ok_or_else(|| Fault::missing("event"))?;
        if let Some(difference) = compare(&uuid.to_string(), &there, &Self::held(&view, &now)?) {
            report.differs(difference);
        }
        Ok(true)
    }

    fn pull_proposals(&self, entry: &Entry, remote: &Remote, report: &mut Report) -> Result<(), Stopped> {
        let since = self.now - PROPOSALS;
        for page in 1.. {
            let path = format!(
                "/shadow_attributes/index/all:1/timestamp:{since}/limit:1000/page:{page}/deleted[]:0/deleted[]:1.json"
            );
            let reply = match remote.ask("GET", &path, None, None) {
                Ok(reply) => reply,
                // A server that gives none is no reason to lose the rest.
                Err(RemoteError::Refused { status, message }) => {
                    report.fails(format!("proposals: HTTP {status}: {message}"));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let lines = reply.body.as_array().cloned().unwrap_or_default();
            for line in &lines {
                let Some(proposal) = line.get("ShadowAttribute").and_then(Value::as_object) else { continue };
                match self.take_proposal(self.org_of_server(entry), proposal) {
                    Ok(true) => report.proposals += 1,
                    Ok(false) => {}
                    Err(fault) => report.fails(format!("a proposal: {}", fault.message)),
                }
            }
            if lines.len() < 1000 {
                break;
            }
        }
        Ok(())
    }

    /// A proposal of another's, once: it is known by its identifier, and changes only with a newer clock.
    pub(crate) fn take_proposal(&self, org: OrgId, proposal: &Map<String, Value>) -> Result<bool, Fault> {
        let uuid = |name: &str| text_of(proposal.get(name)).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let (Some(own), Some(event)) = (uuid("uuid"), uuid("event_uuid")) else { return Ok(false) };
        self.again(|| {
            let view = self.store.view(Audience::Org(org), Purpose::Read)?;
            let Some(event) = view.event(Which::Uuid(event))? else { return Ok(false) };
            let held = view
                .part_of_event(own)?
                .filter(|(of, part)| of.head.row == event.head.row && part.slot == Slot::Proposal);
            let mut body = proposal.clone();
            for name in ["id", "event_id", "org_id", "event_org_id", "email"] {
                body.shift_remove(name);
            }
            let change = match held {
                None => Change::Add(Self::draft(Slot::Proposal, body, None)),
                Some((_, part)) => {
                    let old = body_of(&part.raw);
                    if seconds_of(proposal.get("timestamp")) <= seconds_of(old.get("timestamp")) {
                        return Ok(false);
                    }
                    Change::Replace(part.ordinal, Self::draft(Slot::Proposal, body, None))
                }
            };
            drop(view);
            self.propose(&event, vec![change])?;
            Ok(true)
        })
    }

    fn pull_sightings(
        &self,
        entry: &Entry,
        remote: &Remote,
        events: &[Uuid],
        report: &mut Report,
    ) -> Result<(), Stopped> {
        for some in events.chunks(AT_ONCE) {
            let asked = json!({"returnFormat": "json", "last": 0, "includeUuid": true, "uuid": some});
            let reply = match remote.ask("POST", "/sightings/restSearch/event", Some(&asked), None) {
                Ok(reply) => reply,
                Err(RemoteError::Refused { status, message }) => {
                    report.fails(format!("sightings: HTTP {status}: {message}"));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let lines = reply.body.get("response").and_then(Value::as_array).cloned().unwrap_or_default();
            for event in some {
                let of = |line: &&Value| {
                    let line = line.get("Sighting").unwrap_or(line);
                    text_of(line.get("event_uuid")).is_some_and(|uuid| uuid == event.to_string())
                };
                let mine: Vec<Value> = lines.iter().filter(of).cloned().collect();
                if mine.is_empty() {
                    continue;
                }
                let path = format!("/sightings/bulkSaveSightings/{event}");
                let said = self.as_partner(entry, &path, &Value::Array(mine), |context| context.sightings_bulk())?;
                let count = said["message"].as_str().and_then(|text| text.split(' ').next()?.parse::<usize>().ok());
                report.sightings += count.unwrap_or(0);
            }
        }
        Ok(())
    }

    fn pull_analyst(&self, entry: &Entry, remote: &Remote, report: &mut Report) -> Result<(), Stopped> {
        let index = remote.ask("POST", "/analyst_data/indexMinimal", Some(&json!({"orgc_name": []})), None)?;
        let wanted = self.as_partner(entry, "/analyst_data/filterAnalystDataForPush", &index.body, |context| {
            context.analyst_filter()
        })?;
        let mut taken = Vec::new();
        for (name, uuids) in wanted.as_object().into_iter().flatten() {
            for uuid in super::push::named(uuids) {
                let Ok(reply) = remote.ask("GET", &format!("/analyst_data/view/{name}/{uuid}"), None, None) else {
                    report.fails(format!("{name} {uuid} was not given"));
                    continue;
                };
                let Some(mut body) = reply.body.get(name).and_then(Value::as_object).cloned() else { continue };
                hop::came_in(&mut body, flag_of(entry.body.get("internal")));
                taken.push(json!({name: body}));
            }
        }
        report.analyst_data += taken.len();
        if !taken.is_empty() {
            self.as_partner(entry, "/analyst_data/pushAnalystData", &Value::Array(taken), |context| {
                context.analyst_push()
            })?;
        }
        Ok(())
    }
}
