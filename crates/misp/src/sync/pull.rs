//! Pull: the index of what they released, then each event that is new or newer, then proposals, sightings
//! and notes.

use super::remote::{Remote, RemoteError};
use super::tally::sent;
use super::{ComesIn, PATIENCE, Report, SERVER, Stopped, compare};
use crate::answer::Fault;
use crate::body::Body;
use crate::context::Context;
use crate::jobs::Pulse;
use crate::shape::body_of;
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_model::{Audience, OrgId, Purpose};
use manara_store::Change;
use manara_store::entries::Entry;
use manara_store::people::Caller;
use manara_store::view::{View, Which};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What an event is asked with, as MISP's servers do.
pub(super) const ASKED: &str = "deleted[]:0/deleted[]:1/excludeGalaxy:1/includeEventCorrelations:0/includeFeedCorrelations:0/includeWarninglistHits:0/excludeLocalTags:1";
/// Proposals are asked for as far back as this, seconds; MISP's own span.
const PROPOSALS: i64 = 90 * 86_400;
/// Pages of proposals that are taken in one pull, a thousand each.
const PAGES: usize = 1000;
/// Events whose sightings are asked for in one question.
const AT_ONCE: usize = 100;
/// Sightings that are written at once.
const A_RUN: usize = 1000;
/// Where their index has nothing new, proposals and notes are asked for after this, seconds.
const TALK: i64 = 3600;
/// Their clock and ours may differ by this, seconds.
const SLACK: i64 = 3600;

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

/// Which of their events are asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    /// All that are new or newer.
    All,
    /// Of those that are here already, what is newer.
    Held,
    /// One, as they number or name it.
    One(String),
}

impl Wanted {
    /// As MISP writes it into the path: nothing, `full`, `update`, or an event.
    pub(super) fn named(text: &str) -> Wanted {
        match text {
            "" | "full" | "incremental" => Wanted::All,
            "update" => Wanted::Held,
            event => Wanted::One(event.to_owned()),
        }
    }
}

impl Context<'_> {
    fn org_of_server(&self, entry: &Entry) -> OrgId {
        entry.org.unwrap_or(self.call.caller.account.org)
    }

    fn own_view(&self, entry: &Entry) -> Result<View<'_>, Fault> {
        Ok(self.store.view(Audience::Org(self.org_of_server(entry)), Purpose::Read)?)
    }

    pub(super) fn came_in(&self, entry: &Entry) -> ComesIn {
        let flag = |name: &str| flag_of(entry.body.get(name));
        let from = super::remote_org(self, entry).ok();
        ComesIn { internal: flag("internal"), unpublish: flag("unpublish_event"), from }
    }

    /// Pulls, and keeps with the server how it went.
    pub(super) fn pull(&self, entry: &Entry, wanted: &Wanted, pulse: &Pulse<'_>) -> Result<Report, Stopped> {
        let began = self.now;
        let mut more = Map::new();
        let done = self.pull_all(entry, wanted, pulse, &mut more);
        let shown = match &done {
            Ok(report) => serde_json::to_value(report).map_err(Fault::from)?,
            Err(stopped) => json!({"errors": [stopped.to_string()]}),
        };
        more.insert("last_pull".into(), json!({"at": began, "report": shown}));
        // A tag is kept of a pull that was good and whole: after another, everything is asked again.
        let whole = done.as_ref().is_ok_and(Report::is_good) && *wanted == Wanted::All;
        if !whole {
            more.insert("pull_tag".into(), Value::Null);
        } else {
            more.insert("pulled".into(), began.into());
        }
        self.store.note_entry(SERVER, entry.id, more)?;
        done
    }

    fn pull_all(
        &self,
        entry: &Entry,
        wanted: &Wanted,
        pulse: &Pulse<'_>,
        more: &mut Map<String, Value>,
    ) -> Result<Report, Stopped> {
        let remote = self.remote(entry, PATIENCE)?.for_job(Some(pulse));
        let noted = |name: &str| entry.body.get(name).and_then(Value::as_i64).unwrap_or(0);
        let known = entry.body.get("pull_tag").and_then(Value::as_str).filter(|_| *wanted == Wanted::All);
        let mut asked = rules(entry);
        if let Wanted::One(event) = wanted {
            asked.insert("eventid".into(), event.clone().into());
        }
        let asked = Body::from(&Value::Object(asked));
        let index = remote.fetch("POST", "/events/index", Some(&asked), known)?;
        let mut report = Report::default();
        more.insert("pull_tag".into(), json!(index.header("etag").as_deref().or(known)));
        // What events refer to comes before them.
        self.pull_knowledge(entry, &remote, &mut report)?;
        if index.status == 304 {
            // What does not show in their index is asked for now and then.
            if self.now - noted("talked") >= TALK {
                self.talk(entry, &remote, Vec::new(), &mut report)?;
                more.insert("talked".into(), self.now.into());
            }
            return Ok(report);
        }
        let mut lines = 0;
        let no_list = |_| RemoteError::NoJson("something that is no list of events".into());
        index
            .body
            .each_item(|_| {
                lines += 1;
                Ok(())
            })
            .map_err(no_list)?;
        report.offered = lines;
        // Events of which they have sightings that are newer than the last pull, with some time for clocks that differ.
        let since = noted("pulled") - SLACK;
        let (mut sighted, mut at, mut stopped) = (Vec::new(), 0, None);
        let walked = index.body.each_item(|line| {
            let line = self.pull_line(entry, &remote, wanted, &line, since, &mut report, &mut sighted);
            at += 1;
            match line.and_then(|()| if pulse.beat(at, lines) { Ok(()) } else { Err(Stopped::Ended) }) {
                Ok(()) => Ok(()),
                Err(why) => {
                    stopped = Some(why);
                    Err(Fault::new(500, "stopped"))
                }
            }
        });
        if let Some(stopped) = stopped {
            return Err(stopped);
        }
        walked?;
        self.talk(entry, &remote, sighted, &mut report)?;
        more.insert("talked".into(), self.now.into());
        Ok(report)
    }

    /// Their own clusters, where they are wanted.
    fn pull_knowledge(&self, entry: &Entry, remote: &Remote<'_>, report: &mut Report) -> Result<(), Stopped> {
        if flag_of(entry.body.get("pull_galaxy_clusters")) {
            self.pull_clusters(entry, remote, report)?;
        }
        Ok(())
    }

    /// Proposals, sightings and notes.
    fn talk(&self, entry: &Entry, remote: &Remote<'_>, sighted: Vec<Uuid>, report: &mut Report) -> Result<(), Stopped> {
        self.pull_proposals(entry, remote, report)?;
        self.pull_sightings(entry, remote, &sighted, report)?;
        if flag_of(entry.body.get("pull_analyst_data")) {
            self.pull_analyst(entry, remote, report)?;
        }
        Ok(())
    }

    /// One line of their index.
    #[allow(clippy::too_many_arguments)] // what a pull is made of
    fn pull_line(
        &self,
        entry: &Entry,
        remote: &Remote<'_>,
        wanted: &Wanted,
        line: &Value,
        since: i64,
        report: &mut Report,
        sighted: &mut Vec<Uuid>,
    ) -> Result<(), Stopped> {
        let Some(uuid) = text_of(line.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok()) else {
            report.fails("an event without identifier in their index");
            return Ok(());
        };
        let done = self.pull_event(entry, remote, wanted, uuid, line, report);
        if let Some(taken) = report.of_one(format_args!("event {uuid}"), done)?
            && (taken || since > 0 && seconds_of(line.get("sighting_timestamp")) >= since)
        {
            sighted.push(uuid);
        }
        Ok(())
    }

    /// One event of their index; was something taken?
    fn pull_event(
        &self,
        entry: &Entry,
        remote: &Remote<'_>,
        wanted: &Wanted,
        uuid: Uuid,
        line: &Value,
        report: &mut Report,
    ) -> Result<bool, Stopped> {
        let stamp = seconds_of(line.get("timestamp"));
        let held = self.own_view(entry)?.event(Which::Uuid(uuid))?;
        match &held {
            Some(held) if !held.locked => {
                report.skip("ours: it was written here");
                return Ok(false);
            }
            Some(held) if held.touched >= stamp => {
                report.unchanged += 1;
                report.events.given.add(uuid, stamp, false);
                report.events.held.add(uuid, stamp, false);
                return Ok(false);
            }
            None if *wanted == Wanted::Held => {
                report.skip("not held here, and only what is was asked for");
                return Ok(false);
            }
            _ => {}
        }
        let author = text_of(line.get("orgc_uuid")).unwrap_or_default();
        let blocked = self.store.entry_named("eventblocklist", &uuid.to_string())?.is_some()
            || self.store.entry_named("orgblocklist", &author)?.is_some();
        if blocked {
            report.skip("blocked here");
            return Ok(false);
        }
        report.events.given.add(uuid, stamp, false);
        let now =
            self.take_event(remote, |_| self.partner(entry), uuid, Some(self.came_in(entry)), held.is_some(), report)?;
        // It may have been changed there since their index was written.
        report.events.held.add(uuid, if now >= stamp { stamp } else { now }, false);
        Ok(true)
    }

    /// Fetches an event and writes it in the name of whom its head tells; its clock as it is held then. Half a
    /// million attributes go through a file, one by one.
    pub(super) fn take_event(
        &self,
        remote: &Remote<'_>,
        who: impl FnOnce(&Map<String, Value>) -> Caller,
        uuid: Uuid,
        hop: Option<ComesIn>,
        known: bool,
        report: &mut Report,
    ) -> Result<i64, Stopped> {
        let body = remote.fetch("GET", &format!("/events/view/{uuid}/{ASKED}"), None, None)?.body;
        let no_event = |what: &str| Stopped::Remote(RemoteError::NoJson(what.into()));
        let given = body.event().map_err(|_| no_event("something that is no event"))?;
        if text_of(given.head.get("uuid")).and_then(|own| own.parse::<Uuid>().ok()) != Some(uuid) {
            return Err(no_event("another event than was asked for"));
        }
        let caller = who(&given.head);
        let owner = caller.account.org;
        let path = if known { format!("/events/edit/{uuid}/metadata:1") } else { "/events/add/metadata:1".into() };
        self.in_name_of(caller, &path, body.clone(), hop, |context| {
            if known { context.events_edit() } else { context.events_add() }
        })?;
        if known {
            report.updated += 1
        } else {
            report.added += 1
        }
        let view = self.store.view(Audience::Org(owner), Purpose::Read)?;
        let held = view.event(Which::Uuid(uuid))?.ok_or_else(|| Fault::missing("event"))?;
        report.compared(compare(uuid, &|take| sent(&given, take), &|take| Self::held(&view, &held, take))?);
        Ok(held.touched)
    }

    fn pull_proposals(&self, entry: &Entry, remote: &Remote<'_>, report: &mut Report) -> Result<(), Stopped> {
        let since = self.now - PROPOSALS;
        let mut seen: HashSet<Uuid> = HashSet::new();
        for page in 1..=PAGES {
            let path = format!(
                "/shadow_attributes/index/all:1/timestamp:{since}/limit:1000/page:{page}/deleted[]:0/deleted[]:1.json"
            );
            // A server that gives none is no reason to lose the rest.
            let Some(reply) = report.of_one("proposals", remote.ask("GET", &path, None, None))? else { return Ok(()) };
            let lines = reply.body.as_array().cloned().unwrap_or_default();
            for line in &lines {
                let Some(proposal) = line.get("ShadowAttribute").and_then(Value::as_object) else { continue };
                match self.take_proposal(self.org_of_server(entry), proposal) {
                    Ok(true) => report.proposals += 1,
                    Ok(false) => {}
                    Err(fault) => report.fails(format!("a proposal: {}", fault.message)),
                }
            }
            // A server that knows no pages says the same again, and one that makes them up never ends.
            let uuid = |line: &Value| text_of(line.get("ShadowAttribute")?.get("uuid"))?.parse::<Uuid>().ok();
            let before = seen.len();
            seen.extend(lines.iter().filter_map(uuid));
            if lines.len() < 1000 || seen.len() == before {
                return Ok(());
            }
        }
        report.fails(format!("proposals: more than {PAGES} pages; the rest is left"));
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
        remote: &Remote<'_>,
        events: &[Uuid],
        report: &mut Report,
    ) -> Result<(), Stopped> {
        for some in events.chunks(AT_ONCE) {
            let asked = json!({"returnFormat": "json", "last": 0, "includeUuid": true, "uuid": some});
            let reply = remote.fetch("POST", "/sightings/restSearch/event", Some(&Body::from(&asked)), None);
            let Some(reply) = report.of_one("sightings", reply)? else { return Ok(()) };
            // An event may have more of them than memory: they are written in runs.
            let mut run: HashMap<Uuid, Vec<Value>> = HashMap::new();
            reply.body.each_item(|line| {
                let of =
                    text_of(line.get("Sighting").unwrap_or(&line).get("event_uuid")).and_then(|uuid| uuid.parse().ok());
                if let Some(event) = of.filter(|event| some.contains(event)) {
                    let lines = run.entry(event).or_default();
                    lines.push(line);
                    if lines.len() >= A_RUN {
                        report.sightings += self.take_sightings(entry, event, std::mem::take(lines))?;
                    }
                }
                Ok(())
            })?;
            for (event, lines) in run {
                report.sightings += self.take_sightings(entry, event, lines)?;
            }
        }
        Ok(())
    }

    /// Writes sightings of an event; how many were new.
    fn take_sightings(&self, entry: &Entry, event: Uuid, lines: Vec<Value>) -> Result<usize, Fault> {
        if lines.is_empty() {
            return Ok(0);
        }
        let path = format!("/sightings/bulkSaveSightings/{event}");
        let said = self.as_partner(entry, &path, &Value::Array(lines), None, |context| context.sightings_bulk())?;
        let count = said["message"].as_str().and_then(|text| text.split(' ').next()?.parse().ok());
        Ok(count.unwrap_or(0))
    }

    fn pull_analyst(&self, entry: &Entry, remote: &Remote<'_>, report: &mut Report) -> Result<(), Stopped> {
        let index = remote.ask("POST", "/analyst_data/indexMinimal", Some(&json!({"orgc_name": []})), None);
        let Some(index) = report.of_one("notes", index)? else { return Ok(()) };
        let wanted =
            self.as_partner(entry, "/analyst_data/filterAnalystDataForPush", &index.body, None, |context| {
                context.analyst_filter()
            })?;
        let mut taken = Vec::new();
        for (name, uuids) in wanted.as_object().into_iter().flatten() {
            for uuid in super::push::named(uuids) {
                let reply = remote.ask("GET", &format!("/analyst_data/view/{name}/{uuid}"), None, None);
                let Some(reply) = report.of_one(format_args!("{name} {uuid}"), reply)? else { continue };
                let Some(mut body) = reply.body.get(name).and_then(Value::as_object).cloned() else { continue };
                self.came_in(entry).head(&mut body);
                taken.push(json!({name: body}));
            }
        }
        report.analyst_data += taken.len();
        if !taken.is_empty() {
            self.as_partner(entry, "/analyst_data/pushAnalystData", &Value::Array(taken), None, |context| {
                context.analyst_push()
            })?;
        }
        Ok(())
    }
}
