//! Push: what policy clears for the partner, as far as he wants it; then sightings and notes.

use super::remote::{Remote, RemoteError};
use super::tally::{Sides, sent};
use super::{GoesOut, INVENTORY, PATIENCE, Report, SERVER, Stopped, Tally, compare, remote_org};
use crate::answer::{Answer, Fault};
use crate::body::Body;
use crate::context::Context;
use crate::ids;
use crate::jobs::Pulse;
use crate::search::filter::Wanted;
use crate::shape::{Deleted, Scribe, body_of, tag_names};
use crate::sightings::each_of_event;
use crate::writer::EventWriter;
use manara_model::audience::Agreement;
use manara_model::record::{flag_of, text_of};
use manara_model::{Audience, NodeId, Purpose, Tlp};
use manara_store::entries::Entry;
use manara_store::sightings::Sighting;
use manara_store::view::{EventFilter, EventRow, View, Which};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// Events that are offered in one question.
const OFFERED: u32 = 1000;

/// A server that was asked who it is.
struct Peer<'p> {
    remote: Remote<'p>,
    audience: Audience,
    agreement: Arc<Agreement>,
    rules: Rules,
}

/// The rules of a server: which tags and authors go out.
struct Rules {
    tags: Wanted,
    orgs: Wanted,
}

impl Rules {
    fn of(entry: &Entry) -> Rules {
        let rules = match entry.body.get("push_rules") {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            value => value.cloned().unwrap_or_default(),
        };
        Rules { tags: Wanted::of(rules.get("tags")), orgs: Wanted::of(rules.get("orgs")) }
    }

    fn allow(&self, context: &Context<'_>, event: &EventRow, agreement: &Agreement) -> bool {
        let body = body_of(&event.head.skeleton);
        let tags: Vec<&str> = tag_names(&body).collect();
        let tagged = |wanted: &String| tags.iter().any(|tag| tag.eq_ignore_ascii_case(wanted));
        if agreement.blocked_tags.iter().any(tagged) || self.tags.none.iter().any(tagged) {
            return false;
        }
        if !self.tags.any.is_empty() && !self.tags.any.iter().any(tagged) {
            return false;
        }
        let author = event.author.map(|uuid| uuid.to_string()).unwrap_or_default();
        let name = event.head.author.clone().unwrap_or_default();
        let number = event.author.and_then(|uuid| context.store.number("org", uuid).ok()).unwrap_or(0).to_string();
        let named = |wanted: &String| *wanted == author || *wanted == name || *wanted == number;
        (self.orgs.any.is_empty() || self.orgs.any.iter().any(named)) && !self.orgs.none.iter().any(named)
    }
}

impl Context<'_> {
    /// Who the server is, for policy: the node that answers, run by the organisation that was named.
    fn peer(&self, entry: &Entry, node: Uuid) -> Result<(Audience, Arc<Agreement>), Stopped> {
        // Between nodes of one organisation persons keep their names: it is the same hands that hold them.
        let internal = flag_of(entry.body.get("internal"));
        let mut agreement = Agreement { internal, persons_in_clear: internal, ..Agreement::default() };
        if let Some(tlp) = text_of(entry.body.get("max_tlp")).and_then(|tlp| Tlp::parse(&tlp)) {
            agreement.max_tlp = tlp;
        }
        let agreement = Arc::new(agreement);
        let org = remote_org(self, entry)?;
        Ok((Audience::Peer { node: NodeId(node), org, agreement: Arc::clone(&agreement) }, agreement))
    }

    /// Notes which node a server is.
    pub(super) fn is_node(&self, entry: &Entry, node: Uuid) -> Result<(), Fault> {
        if text_of(entry.body.get("remote_node")).is_some_and(|noted| noted == node.to_string()) {
            return Ok(());
        }
        let more = Map::from_iter([("remote_node".to_owned(), json!(node))]);
        self.store.note_entry(SERVER, entry.id, more)?;
        self.groups_meet(entry.id, node)
    }

    /// Asks the server who it is and whether we may push, and notes its node.
    fn met<'p>(&self, entry: &Entry, pulse: &'p Pulse<'p>) -> Result<Peer<'p>, Stopped> {
        let remote = self.remote(entry, PATIENCE)?.for_job(Some(pulse));
        let version = remote.ask("GET", "/servers/getVersion", None, None)?.body;
        if !flag_of(version.get("perm_sync")) {
            return Err(Stopped::Setup(
                "our key there is none of a synchronising user (perm_sync): it may not push".into(),
            ));
        }
        let node = text_of(version.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok()).unwrap_or_default();
        self.is_node(entry, node)?;
        let (audience, agreement) = self.peer(entry, node)?;
        Ok(Peer { remote, audience, agreement, rules: Rules::of(entry) })
    }

    /// Pushes, and keeps with the server how it went. `one`: that event only, as it is named here.
    pub(super) fn push(&self, entry: &Entry, one: Option<&str>, pulse: &Pulse<'_>) -> Result<Report, Stopped> {
        let began = self.now;
        let done = self.push_all(entry, one, pulse);
        let shown = match &done {
            Ok(report) => serde_json::to_value(report).map_err(Fault::from)?,
            Err(stopped) => json!({"errors": [stopped.to_string()]}),
        };
        let more = Map::from_iter([("last_push".to_owned(), json!({"at": began, "report": shown}))]);
        self.store.note_entry(SERVER, entry.id, more)?;
        done
    }

    fn push_all(&self, entry: &Entry, one: Option<&str>, pulse: &Pulse<'_>) -> Result<Report, Stopped> {
        let peer = self.met(entry, pulse)?;
        let mut report = Report::default();
        self.push_knowledge(entry, &peer, &mut report)?;
        let mut after = 0;
        loop {
            let view = self.store.view(peer.audience.clone(), Purpose::Read)?;
            let page = match one {
                Some(event) => {
                    view.event(ids::which(event).ok_or_else(|| Fault::missing("event"))?)?.into_iter().collect()
                }
                None => {
                    let filter = EventFilter { published: Some(true), ..EventFilter::default() };
                    view.events_after(&filter, after, OFFERED, true)?
                }
            };
            let Some(last) = page.last() else { break };
            after = last.head.number;
            let cleared: Vec<EventRow> = page
                .into_iter()
                .filter(|event| event.published && peer.rules.allow(self, event, &peer.agreement))
                .collect();
            drop(view);
            self.push_page(entry, &peer, &cleared, pulse, &mut report)?;
            if one.is_some() {
                break;
            }
        }
        if flag_of(entry.body.get("push_analyst_data")) && one.is_none() {
            self.push_analyst(entry, &peer.remote, &peer.audience, &mut report)?;
        }
        Ok(report)
    }

    /// Pushes one event that was just published, if the server may have it. Where it may not, nobody is asked
    /// anything: what is not for a partner makes no noise on his side.
    pub(super) fn push_published(&self, entry: &Entry, uuid: Uuid, pulse: &Pulse<'_>) -> Result<Report, Stopped> {
        let mut report = Report::default();
        let node = text_of(entry.body.get("remote_node")).and_then(|uuid| uuid.parse().ok());
        if let Some(node) = node {
            let (audience, agreement) = self.peer(entry, node)?;
            let event = self.store.view(audience, Purpose::Read)?.event(Which::Uuid(uuid))?;
            let wanted = |event: &EventRow| event.published && Rules::of(entry).allow(self, event, &agreement);
            if !event.as_ref().is_some_and(wanted) {
                report.skip("not for this server");
                return Ok(report);
            }
        }
        let peer = self.met(entry, pulse)?;
        let event = self.store.view(peer.audience.clone(), Purpose::Read)?.event(Which::Uuid(uuid))?;
        let cleared: Vec<EventRow> = event
            .into_iter()
            .filter(|event| event.published && peer.rules.allow(self, event, &peer.agreement))
            .collect();
        if cleared.is_empty() {
            report.skip("not for this server");
            return Ok(report);
        }
        self.push_knowledge(entry, &peer, &mut report)?;
        self.push_page(entry, &peer, &cleared, pulse, &mut report)?;
        Ok(report)
    }

    /// Own clusters, where they are wanted: before the events that refer to them.
    fn push_knowledge(&self, entry: &Entry, peer: &Peer<'_>, report: &mut Report) -> Result<(), Stopped> {
        if flag_of(entry.body.get("push_galaxy_clusters")) {
            self.push_clusters(entry, &peer.remote, &peer.audience, report)?;
        }
        Ok(())
    }

    fn push_page(
        &self,
        entry: &Entry,
        peer: &Peer<'_>,
        events: &[EventRow],
        pulse: &Pulse<'_>,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        report.offered += events.len();
        if events.is_empty() {
            return Ok(());
        }
        let offer: Vec<Value> = events
            .iter()
            .map(|event| json!({"Event": {"uuid": event.head.uuid, "timestamp": event.touched.to_string()}}))
            .collect();
        let wanted = peer.remote.ask("POST", "/events/filterEventIdsForPush", Some(&Value::Array(offer)), None)?;
        let wanted: HashSet<Uuid> =
            wanted.body.as_array().into_iter().flatten().filter_map(|uuid| uuid.as_str()?.parse().ok()).collect();
        for event in events {
            let (uuid, stamp) = (event.head.uuid, event.touched);
            report.events.given.add(uuid, stamp, false);
            // It asks for what it was offered; anything else is not for it.
            if !wanted.contains(&uuid) {
                report.unchanged += 1;
                report.events.held.add(uuid, stamp, false);
                continue;
            }
            match self.push_event(entry, peer, uuid, report) {
                // The only one: there are no others to go on with, and it is tried again.
                Err(stopped) if events.len() == 1 && stopped.passes() => return Err(stopped),
                done => {
                    if report.of_one(format_args!("event {uuid}"), done)?.is_some() {
                        report.events.held.add(uuid, stamp, false);
                    }
                }
            }
            if !pulse.beat(report.offered, 0) {
                return Err(Stopped::Ended);
            }
        }
        if flag_of(entry.body.get("push_sightings")) {
            for event in events {
                self.push_sightings(&peer.remote, &peer.audience, event.head.uuid, report)?;
            }
        }
        Ok(())
    }

    /// The event as the partner may have it, in a file where it is large; how many attributes are alive in it.
    fn outgoing(&self, view: &View<'_>, event: &EventRow, internal: bool) -> Result<(Body, usize), Stopped> {
        let scribe = Scribe::new(view, self.call.caller.account.org);
        let mut written = Answer::new("application/json");
        let mut writer = EventWriter::new(&mut written, &scribe);
        writer.deleted = Deleted::With;
        writer.hop = Some(GoesOut { internal });
        let mut alive = 0;
        writer.event(event, true, Map::new(), |_, attribute| {
            alive += usize::from(!flag_of(attribute.get("deleted")));
            true
        })?;
        Ok((written.into_kept().map_err(Fault::from)?, alive))
    }

    fn push_event(&self, entry: &Entry, peer: &Peer<'_>, uuid: Uuid, report: &mut Report) -> Result<(), Stopped> {
        let view = self.store.view(peer.audience.clone(), Purpose::Read)?;
        let Some(event) = view.event(Which::Uuid(uuid))?.filter(|event| event.published) else { return Ok(()) };
        let (body, sent_alive) = self.outgoing(&view, &event, flag_of(entry.body.get("internal")))?;
        drop(view);
        let remote = &peer.remote;
        let known = match remote.ask("HEAD", &format!("/events/view/{uuid}"), None, None)?.status {
            200 => true,
            404 => false,
            status => return Err(RemoteError::Refused { status, message: "to HEAD /events/view".into() }.into()),
        };
        let path = if known { format!("/events/edit/{uuid}/metadata:1") } else { "/events/add/metadata:1".to_owned() };
        let reply = remote.fetch("POST", &path, Some(&body), None)?;
        if known {
            report.updated += 1
        } else {
            report.added += 1
        }
        // One that can says what it holds now. Else its count tells whether it is all there; if it is not, what it
        // holds is looked at part by part.
        let given = body.event()?;
        let mut ours = Tally::default();
        sent(&given, &mut |uuid, stamp, deleted| ours.add(uuid, stamp, deleted))?;
        let same = match reply.header(INVENTORY) {
            Some(theirs) => theirs == ours.text(),
            None => attribute_count(&reply.body).is_none_or(|held| held >= sent_alive),
        };
        if same {
            report.compared((Sides { given: ours, held: ours }, None));
            return Ok(());
        }
        let there = remote.fetch("GET", &format!("/events/view/{uuid}/deleted[]:0/deleted[]:1"), None, None)?.body;
        let there = there.event().map_err(|_| RemoteError::NoJson("something that is no event".into()))?;
        report.compared(compare(uuid, &|take| sent(&given, take), &|take| sent(&there, take))?);
        Ok(())
    }

    fn push_sightings(
        &self,
        remote: &Remote<'_>,
        audience: &Audience,
        uuid: Uuid,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let view = self.store.view(audience.clone(), Purpose::Read)?;
        each_of_event(&view, uuid, |ours| {
            let uuids: Vec<Uuid> = ours.iter().map(|sighting| sighting.uuid).collect();
            let path = format!("/sightings/filterSightingUuidsForPush/{uuid}");
            let known = remote.ask("POST", &path, Some(&json!(uuids)), None);
            let Some(known) = report.of_one(format_args!("sightings of {uuid}"), known)? else { return Ok(()) };
            let known: HashSet<Uuid> = named(&known.body).into_iter().collect();
            let line = |sighting: &Sighting| {
                json!({
                    "uuid": sighting.uuid, "attribute_uuid": sighting.attribute, "date_sighting": (sighting.seen / 1000).to_string(),
                    "source": sighting.source, "type": sighting.kind.to_string(),
                    "Organisation": {"uuid": sighting.org, "name": view.facts().name(sighting.org)},
                })
            };
            let new: Vec<Value> = ours.iter().filter(|sighting| !known.contains(&sighting.uuid)).map(line).collect();
            if new.is_empty() {
                return Ok(());
            }
            let (count, path) = (new.len(), format!("/sightings/bulkSaveSightings/{uuid}"));
            let done = remote.ask("POST", &path, Some(&Value::Array(new)), None);
            if report.of_one(format_args!("sightings of {uuid}"), done)?.is_some() {
                report.sightings += count;
            }
            Ok(())
        })
    }

    fn push_analyst(
        &self,
        entry: &Entry,
        remote: &Remote<'_>,
        audience: &Audience,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let view = self.store.view(audience.clone(), Purpose::Read)?;
        let offered = self.analyst_index_of(&view, &Wanted::default())?;
        if offered.is_empty() {
            return Ok(());
        }
        let wanted = remote.ask("POST", "/analyst_data/filterAnalystDataForPush", Some(&Value::Object(offered)), None);
        let Some(wanted) = report.of_one("notes", wanted)? else { return Ok(()) };
        let mut new = Vec::new();
        for (name, uuids) in wanted.body.as_object().into_iter().flatten() {
            for uuid in named(uuids) {
                let Some(head) = view.of_kind(&name.to_lowercase(), None, Some(uuid))? else { continue };
                let mut body = body_of(&head.skeleton);
                GoesOut { internal: flag_of(entry.body.get("internal")) }.head(&mut body);
                body.insert("uuid".into(), uuid.to_string().into());
                new.push(json!({name: body}));
            }
        }
        for one in new {
            let done = remote.ask("POST", "/analyst_data/pushAnalystData", Some(&one), None);
            report.analyst_data += usize::from(report.of_one("a note", done)?.is_some());
        }
        Ok(())
    }
}

/// Identifiers in a list, or as the names of an object's members.
pub(super) fn named(value: &Value) -> Vec<Uuid> {
    let list = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let names = value.as_object().into_iter().flatten().map(|(name, _)| name.clone());
    list.chain(names).filter_map(|uuid| uuid.parse().ok()).collect()
}

/// How many attributes an answer says that an event has.
fn attribute_count(answer: &Body) -> Option<usize> {
    let answer: Value = serde_json::from_slice(&answer.bytes().ok()?).ok()?;
    text_of(answer.get("Event")?.get("attribute_count"))?.parse().ok()
}
