//! Push: what policy clears for the partner, as far as he wants it; then sightings and notes.

use super::remote::{Remote, RemoteError};
use super::{Report, Stopped, compare, hop, remote_org};
use crate::answer::Answer;
use crate::context::Context;
use crate::search::filter::Wanted;
use crate::shape::{Deleted, Scribe, body_of, tag_names};
use crate::writer::EventWriter;
use manara_model::audience::Agreement;
use manara_model::record::{flag_of, text_of};
use manara_model::{Audience, NodeId, Purpose, Tlp};
use manara_store::entries::Entry;
use manara_store::sightings::SightingFilter;
use manara_store::view::{EventFilter, EventRow, View, Which};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Events that are offered in one question.
const OFFERED: u32 = 1000;

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
    fn peer(&self, entry: &Entry, version: &Value) -> Result<(Audience, Arc<Agreement>), Stopped> {
        let node = text_of(version.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok()).unwrap_or_default();
        let mut agreement = Agreement::default();
        if let Some(tlp) = text_of(entry.body.get("max_tlp")).and_then(|tlp| Tlp::parse(&tlp)) {
            agreement.max_tlp = tlp;
        }
        let agreement = Arc::new(agreement);
        let org = remote_org(self, entry)?;
        Ok((Audience::Peer { node: NodeId(node), org, agreement: Arc::clone(&agreement) }, agreement))
    }

    /// Pushes everything that the server may have and wants.
    pub(super) fn push(&self, entry: &Entry) -> Result<Report, Stopped> {
        let remote = self.remote(entry)?;
        let version = remote.ask("GET", "/servers/getVersion", None, None)?.body;
        if !flag_of(version.get("perm_sync")) {
            return Err(Stopped::Setup(
                "our key there is none of a synchronising user (perm_sync): it may not push".into(),
            ));
        }
        let (audience, agreement) = self.peer(entry, &version)?;
        let rules = Rules::of(entry);
        let mut report = Report::default();
        if flag_of(entry.body.get("push_galaxy_clusters")) {
            self.push_clusters(entry, &remote, &audience, &mut report)?;
        }
        let mut after = 0;
        loop {
            let view = self.store.view(audience.clone(), Purpose::Read)?;
            let filter = EventFilter { published: Some(true), ..EventFilter::default() };
            let page = view.events_after(&filter, after, OFFERED, true)?;
            let Some(last) = page.last() else { break };
            after = last.head.number;
            let cleared: Vec<EventRow> =
                page.into_iter().filter(|event| rules.allow(self, event, &agreement)).collect();
            drop(view);
            self.push_page(entry, &remote, &audience, &cleared, &mut report)?;
        }
        if flag_of(entry.body.get("push_analyst_data")) {
            self.push_analyst(entry, &remote, &audience, &mut report)?;
        }
        Ok(report)
    }

    fn push_page(
        &self,
        entry: &Entry,
        remote: &Remote,
        audience: &Audience,
        events: &[EventRow],
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
        let wanted = remote.ask("POST", "/events/filterEventIdsForPush", Some(&Value::Array(offer)), None)?;
        let wanted: Vec<Uuid> =
            wanted.body.as_array().into_iter().flatten().filter_map(|uuid| uuid.as_str()?.parse().ok()).collect();
        report.unchanged += events.len() - wanted.len().min(events.len());
        for uuid in wanted {
            match self.push_event(entry, remote, audience, uuid, report) {
                Ok(()) => {}
                Err(Stopped::Remote(RemoteError::Away(why))) => return Err(RemoteError::Away(why).into()),
                Err(Stopped::Remote(error)) => report.fails(format!("event {uuid}: {error}")),
                Err(stopped) => return Err(stopped),
            }
        }
        if flag_of(entry.body.get("push_sightings")) {
            for event in events {
                self.push_sightings(remote, audience, event.head.uuid, report)?;
            }
        }
        Ok(())
    }

    /// The event as the partner may have it.
    fn outgoing(&self, view: &View<'_>, event: &EventRow, internal: bool) -> Result<Map<String, Value>, Stopped> {
        let scribe = Scribe::new(view, self.call.caller.account.org);
        let mut written = Answer::new("application/json");
        let mut writer = EventWriter::new(&mut written, &scribe);
        writer.deleted = Deleted::With;
        writer.event(event, true, Map::new(), |_, _| true)?;
        let text = written.text().map_err(|error| Stopped::Here(error.into()))?;
        let mut value: Value = serde_json::from_str(&text).map_err(|error| Stopped::Here(error.into()))?;
        let mut out = value["Event"].as_object_mut().map(std::mem::take).unwrap_or_default();
        hop::goes_out(&mut out, internal);
        Ok(out)
    }

    fn push_event(
        &self,
        entry: &Entry,
        remote: &Remote,
        audience: &Audience,
        uuid: Uuid,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let view = self.store.view(audience.clone(), Purpose::Read)?;
        // It asks for what it was offered; anything else is not for it.
        let Some(event) = view.event(Which::Uuid(uuid))?.filter(|event| event.published) else { return Ok(()) };
        let out = self.outgoing(&view, &event, flag_of(entry.body.get("internal")))?;
        drop(view);
        let ours = hop::inventory(&out);
        let known = match remote.ask("HEAD", &format!("/events/view/{uuid}"), None, None)?.status {
            200 => true,
            404 => false,
            status => return Err(RemoteError::Refused { status, message: "to HEAD /events/view".into() }.into()),
        };
        let path = if known { format!("/events/edit/{uuid}/metadata:1") } else { "/events/add/metadata:1".to_owned() };
        let body = json!({"Event": out}).to_string();
        let reply = remote.ask_text("POST", &path, Some(body.as_bytes()), None)?;
        if known {
            report.updated += 1
        } else {
            report.added += 1
        }
        // Their count tells whether it is all there; if it is not, what they hold tells what is missing.
        let held =
            reply.body.get("Event").and_then(|event| text_of(event.get("attribute_count"))?.parse::<usize>().ok());
        let sent = attributes(&json!({"Event": out}));
        if held.is_some_and(|held| held < sent) {
            let there = remote.ask("GET", &format!("/events/view/{uuid}/deleted[]:0/deleted[]:1"), None, None)?;
            let there = there.body.get("Event").and_then(Value::as_object).map(hop::inventory).unwrap_or_default();
            if let Some(difference) = compare(&uuid.to_string(), &ours, &there) {
                report.differs(difference);
            }
        }
        Ok(())
    }

    fn push_sightings(
        &self,
        remote: &Remote,
        audience: &Audience,
        uuid: Uuid,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let view = self.store.view(audience.clone(), Purpose::Read)?;
        let filter = SightingFilter { events: vec![uuid], ..SightingFilter::default() };
        let ours = view.sightings(&filter, 100_000)?;
        if ours.is_empty() {
            return Ok(());
        }
        let uuids: Vec<Value> = ours.iter().map(|sighting| json!(sighting.uuid)).collect();
        let known = match remote.ask(
            "POST",
            &format!("/sightings/filterSightingUuidsForPush/{uuid}"),
            Some(&Value::Array(uuids)),
            None,
        ) {
            Ok(reply) => reply.body,
            Err(RemoteError::Refused { status, message }) => {
                report.fails(format!("sightings of {uuid}: HTTP {status}: {message}"));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let known: Vec<&str> = known.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let facts = view.facts();
        let new: Vec<Value> = ours
            .iter()
            .filter(|sighting| !known.contains(&sighting.uuid.to_string().as_str()))
            .map(|sighting| {
                json!({
                    "uuid": sighting.uuid, "attribute_uuid": sighting.attribute, "date_sighting": (sighting.seen / 1000).to_string(),
                    "source": sighting.source, "type": sighting.kind.to_string(),
                    "Organisation": {"uuid": sighting.org, "name": facts.name(sighting.org)},
                })
            })
            .collect();
        if !new.is_empty() {
            remote.ask(
                "POST",
                &format!("/sightings/bulkSaveSightings/{uuid}"),
                Some(&Value::Array(new.clone())),
                None,
            )?;
            report.sightings += new.len();
        }
        Ok(())
    }

    fn push_analyst(
        &self,
        entry: &Entry,
        remote: &Remote,
        audience: &Audience,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let view = self.store.view(audience.clone(), Purpose::Read)?;
        let offered = self.analyst_index_of(&view, &Wanted::default())?;
        if offered.is_empty() {
            return Ok(());
        }
        let wanted =
            remote.ask("POST", "/analyst_data/filterAnalystDataForPush", Some(&Value::Object(offered)), None)?.body;
        let mut new = Vec::new();
        for (name, uuids) in wanted.as_object().into_iter().flatten() {
            for uuid in named(uuids) {
                let Some(head) = view.of_kind(&name.to_lowercase(), None, Some(uuid))? else { continue };
                let mut body = body_of(&head.skeleton);
                hop::goes_out(&mut body, flag_of(entry.body.get("internal")));
                body.insert("uuid".into(), uuid.to_string().into());
                new.push(json!({name: body}));
            }
        }
        for one in new {
            match remote.ask("POST", "/analyst_data/pushAnalystData", Some(&one), None) {
                Ok(_) => report.analyst_data += 1,
                Err(RemoteError::Refused { status, message }) => {
                    report.fails(format!("a note: HTTP {status}: {message}"))
                }
                Err(error) => return Err(error.into()),
            }
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

/// Attributes that are not deleted, in and out of objects.
fn attributes(body: &Value) -> usize {
    let event = &body["Event"];
    let alive = |list: &Value| list.as_array().into_iter().flatten().filter(|one| !flag_of(one.get("deleted"))).count();
    let objects =
        event["Object"].as_array().into_iter().flatten().map(|object| alive(&object["Attribute"])).sum::<usize>();
    alive(&event["Attribute"]) + objects
}
