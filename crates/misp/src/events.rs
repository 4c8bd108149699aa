//! `/events`: the whole event at once.

use crate::answer::{Answer, Fault, saved};
use crate::body::{Given, LISTS};
use crate::call::{Method, page};
use crate::context::Context;
use crate::feeds::Correlator;
use crate::search::filter;
use crate::shape::{Deleted, Scribe, body_of, num, uuid_of};
use crate::sync::{INVENTORY, Tally};
use crate::writer::EventWriter;
use manara_formats::{misp_head, misp_part};
use manara_model::permission::Flag;
use manara_model::record::{PartDraft, Sink, Slot, flag_of, seconds_of, text_of};
use manara_model::role::Right;
use manara_model::{Marking, OrgId};
use manara_store::intake::{Intake, Terms};
use manara_store::view::{EventFilter, EventRow, Order, View};
use md5::{Digest, Md5};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Events whose correlations are looked up: as many values, as many other events each.
const RELATED_VALUES: usize = 1000;
const RELATED_EACH: u32 = 50;
/// Events in one list, where no limit is given.
const LISTED: u32 = 100_000;

/// What was not taken: for the answer.
#[derive(Default)]
pub(crate) struct Refused(pub(crate) Vec<Value>);

impl Refused {
    pub(crate) fn note(&mut self, list: &str, n: usize, errors: Value) {
        if self.0.len() < 100 {
            self.0.push(json!({"place": format!("/{list}/{n}"), "errors": errors}));
        }
    }
}

pub(crate) fn list_name(slot: Slot) -> &'static str {
    LISTS.iter().find(|(_, one)| *one == slot).map_or("Attribute", |(name, _)| name)
}

/// An attribute is the same as another with this.
pub(crate) fn likeness(body: &Map<String, Value>) -> Likeness {
    let mut hash = Md5::new();
    for name in ["type", "category", "value"] {
        let text = text_of(body.get(name)).unwrap_or_default();
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// A digest of type, category and value: an event may have half a million of them.
pub(crate) type Likeness = [u8; 16];

impl Context<'_> {
    /// A part's draft from a body that is kept.
    pub(crate) fn draft(slot: Slot, body: Map<String, Value>, object: Option<&str>) -> PartDraft {
        misp_part(slot, &Value::Object(body).to_string(), object)
    }

    fn proposal_body(&self, item: &Map<String, Value>) -> Result<Map<String, Value>, Value> {
        let mut body = self.attribute(item, None)?;
        for name in ["old_id", "Org", "proposal_to_delete", "event_uuid", "old_uuid"] {
            if let Some(value) = item.get(name) {
                body.insert(name.into(), value.clone());
            }
        }
        body.shift_remove("distribution");
        Ok(body)
    }

    /// The event in the body, as it is after its hop where it comes from another server.
    pub(crate) fn given_event(&self) -> Result<Given<'_>, Fault> {
        let mut given = self.call.body.event()?;
        if let Some(hop) = self.hop {
            hop.head(&mut given.head);
        }
        Ok(given)
    }

    /// A part of it; none where it is no object.
    pub(crate) fn given_part(&self, raw: &RawValue) -> Option<Map<String, Value>> {
        let mut item: Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
        if let Some(hop) = self.hop {
            hop.part(&mut item);
        }
        Some(item)
    }

    /// `events/add`
    pub fn events_add(&self) -> Result<Answer, Fault> {
        if self.call.method == Method::Get {
            return Ok(describe(
                "/events/add",
                "POST a MISP Event JSON to this API to create it. Contained objects can also be included (such as attributes, objects, tags, etc).",
                &["info"],
                &["threat_level_id", "analysis", "distribution", "date"],
            ));
        }
        let given = self.given_event()?;
        let (uuid, refused) = self.add_given(&given)?;
        self.stored(uuid, refused)
    }

    /// Writes an event that is new here; its identifier, and what was not taken of it.
    ///
    /// # Errors
    /// It is blocked, known already, or no event.
    pub(crate) fn add_given(&self, given: &Given<'_>) -> Result<(Uuid, Refused), Fault> {
        // What nobody here wants is not looked at any further.
        self.refuse_blocked(&given.head)?;
        let mut head = self.head(&given.head, None).map_err(|errors| Fault::unsaved("add", "Event", errors))?;
        let uuid: Uuid = text_of(head.get("uuid")).and_then(|uuid| uuid.parse().ok()).unwrap_or_default();
        {
            let view = self.view()?;
            if let Some(known) = view.event(manara_store::view::Which::Uuid(uuid))? {
                let text = "Event already exists, if you would like to edit it, use the url in the location header.";
                let location = Some(format!("/events/{}", known.head.number).into());
                return Err(Fault { location, ..Fault::new(404, text) });
            }
        }
        if !self.call.may(Right::Sync) {
            head.insert("locked".into(), false.into());
        }
        let (row, mut refused) = self.write_event(head, given)?;
        self.keep_notes(row, given, &mut refused)?;
        Ok((row, refused))
    }

    /// Writes a new event with its parts; its row, and what was not taken of it.
    pub(crate) fn write_event(&self, head: Map<String, Value>, given: &Given<'_>) -> Result<(Uuid, Refused), Fault> {
        let owner = self.holder_of(&head)?;
        let terms = Terms { owner, actor: self.actor().to_owned(), marking: Marking::default() };
        let draft = misp_head(&Value::Object(head).to_string(), "misp")
            .ok_or_else(|| Fault::unsaved("add", "Event", json!({"Event": {"info": ["valueNotEmpty"]}})))?;
        let uuid = draft.uuid;
        let (mut refused, mut seen) = (Refused::default(), HashSet::new());
        let mut intake = Intake::new(self.store, terms);
        intake.begin(draft)?;
        let mut ordinal = 0u32;
        given.each(|n, slot, raw| {
            for draft in self.drafts(slot, raw, n, &mut seen, &mut refused, &mut ordinal) {
                intake.part(draft)?;
            }
            Ok(())
        })?;
        intake.end()?;
        intake.finish()?;
        Ok((uuid, refused))
    }

    /// Notes and opinions that stand in an event become records of their own. Servers bring theirs apart.
    pub(crate) fn keep_notes(&self, event: Uuid, given: &Given<'_>, refused: &mut Refused) -> Result<(), Fault> {
        if self.is_partner() || !self.call.caller.has(Flag::AnalystData) {
            return Ok(());
        }
        self.keep_with(("Event", event), &given.head, &mut refused.0);
        given.each(|_, slot, raw| {
            let text = raw.get();
            let may = ["\"Note\"", "\"Opinion\"", "\"Relationship\""].iter().any(|name| text.contains(name));
            let Some(item) = may.then(|| self.given_part(raw)).flatten() else { return Ok(()) };
            let uuid = |item: &Map<String, Value>| text_of(item.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok());
            let of = if slot == Slot::Attribute { "Attribute" } else { list_name(slot) };
            if let Some(uuid) = uuid(&item) {
                self.keep_with((of, uuid), &item, &mut refused.0);
            }
            for attribute in item.get("Attribute").and_then(Value::as_array).into_iter().flatten() {
                if let Some((uuid, attribute)) = attribute.as_object().and_then(|one| Some((uuid(one)?, one))) {
                    self.keep_with(("Attribute", uuid), attribute, &mut refused.0);
                }
            }
            Ok(())
        })
    }

    /// Drafts of one part of a body: one, or an object with its attributes.
    pub(crate) fn drafts(
        &self,
        slot: Slot,
        raw: &RawValue,
        n: usize,
        seen: &mut HashSet<Likeness>,
        refused: &mut Refused,
        ordinal: &mut u32,
    ) -> Vec<PartDraft> {
        let Some(item) = self.given_part(raw) else {
            refused.note(list_name(slot), n, json!("an object is expected"));
            return Vec::new();
        };
        let made = match slot {
            Slot::Attribute => self.attribute(&item, None),
            Slot::Object => self.object(&item, None),
            Slot::EventReport => self.report(&item, None),
            _ => self.proposal_body(&item),
        };
        let body = match made {
            Ok(body) => body,
            Err(errors) => {
                refused.note(list_name(slot), n, errors);
                return Vec::new();
            }
        };
        if slot == Slot::Attribute && !flag_of(body.get("deleted")) && !seen.insert(likeness(&body)) {
            refused.note("Attribute", n, json!({"value": ["A similar attribute already exists for this event."]}));
            return Vec::new();
        }
        if slot != Slot::Object {
            *ordinal += 1;
            return vec![Self::draft(slot, body, None)];
        }
        let object = Value::Object(body).to_string();
        let place = *ordinal;
        let mut drafts = vec![misp_part(Slot::Object, &object, None)];
        for (m, attribute) in item.get("Attribute").and_then(Value::as_array).into_iter().flatten().enumerate() {
            match attribute.as_object().map(|attribute| self.attribute(attribute, None)) {
                Some(Ok(body)) => {
                    let mut draft = Self::draft(Slot::ObjectAttribute, body, Some(&object));
                    draft.parent = Some(place);
                    drafts.push(draft);
                }
                Some(Err(errors)) => refused.note(&format!("Object/{n}/Attribute"), m, errors),
                None => refused.note(&format!("Object/{n}/Attribute"), m, json!("an object is expected")),
            }
        }
        *ordinal += drafts.len() as u32;
        drafts
    }

    /// Who holds what this caller adds: his organisation; an administrator may write for another of the
    /// node, which then holds it.
    fn holder_of(&self, head: &Map<String, Value>) -> Result<OrgId, Fault> {
        let own = self.call.caller.account.org;
        let author = head.get("Orgc").and_then(|orgc| text_of(orgc.get("uuid"))?.parse::<Uuid>().ok());
        let local = self.store.facts()?.world.local.clone();
        Ok(match author.map(OrgId) {
            Some(author) if self.is_admin() && local.contains(&author) => author,
            _ => own,
        })
    }

    /// The answer after an event was saved: as it is stored now.
    pub(crate) fn stored(&self, uuid: Uuid, refused: Refused) -> Result<Answer, Fault> {
        let view = self.view()?;
        // An event that its own maker may not see: it was written for another organisation.
        let event = view.event(manara_store::view::Which::Uuid(uuid))?.ok_or_else(|| Fault::missing("event"))?;
        if event.published {
            self.pass_on(uuid)?;
        }
        let mut answer = Answer::new("application/json");
        let metadata = flag_of(self.call.named.get("metadata"));
        let plain = Scribe::new(&view, self.call.caller.account.org);
        let scribe = if metadata { plain } else { self.scribe(&view, &self.call.named)? };
        EventWriter::new(&mut answer, &scribe).event(&event, !metadata, Map::new(), |_, _| true)?;
        if metadata && self.call.may(Right::Sync) {
            // A server that pushes hears what arrived.
            let mut tally = Tally::default();
            Self::held(&view, &event, &mut |uuid, stamp, deleted| tally.add(uuid, stamp, deleted))?;
            answer = answer.with(INVENTORY, tally.text());
        }
        if !refused.0.is_empty() {
            return self.with_refused(answer, refused);
        }
        Ok(answer)
    }

    /// Puts what was not taken beside the event.
    fn with_refused(&self, answer: Answer, refused: Refused) -> Result<Answer, Fault> {
        let (status, headers) = (answer.status, answer.headers.clone());
        let (mut body, length) = answer.into_body()?;
        let mut out = Answer::new("application/json").with_status(status);
        out.headers = headers;
        // All of it but the last bracket.
        std::io::copy(&mut std::io::Read::take(&mut body, length.saturating_sub(1)), &mut out)?;
        std::io::Write::write_all(&mut out, format!(",\"warnings\":{}}}", Value::from(refused.0)).as_bytes())?;
        Ok(out)
    }

    /// `events/view`
    pub fn events_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let named = self.call.arg(0).or(Some(self.call.action_text.as_str()));
        let event = self.event(&view, named)?;
        if self.call.method == Method::Head {
            return Ok(Answer::new("text/html; charset=UTF-8"));
        }
        let options = self.call.filters()?;
        let scribe = self.scribe(&view, &options)?;
        let mut answer = Answer::new("application/json");
        let mut more = Map::new();
        if options.get("includeEventCorrelations").is_none_or(|flag| flag_of(Some(flag))) {
            more.extend(self.related(&view, &scribe, &event)?);
        }
        if flag_of(options.get("extended")) {
            let filter = EventFilter { extends: Some(event.head.uuid), ..EventFilter::default() };
            let ours = view.events(&filter, (Order::Number, false), 0, LISTED, true)?;
            let line = |one: &EventRow| {
                (
                    one.head.number.to_string(),
                    json!({"id": num(one.head.number), "info": one.head.title, "Orgc": scribe.event_head(one)["Orgc"]}),
                )
            };
            more.insert("extensionEvents".into(), Value::Object(ours.iter().map(line).collect()));
        }
        let feeds = flag_of(options.get("includeFeedCorrelations"));
        let feeds = if feeds { Some(Correlator::of(self)?.with_event(self.store, &view, &event)?) } else { None };
        let mut writer = EventWriter::new(&mut answer, &scribe);
        writer.deleted = Deleted::of(options.get("deleted"));
        more.extend(self.notes_about(&view, event.head.uuid)?);
        let parts = !flag_of(options.get("metadata"));
        if parts {
            writer.notes = self.notes_about_parts(&view, &event)?;
        }
        let sighted = !flag_of(options.get("noSightings")) && !self.is_partner();
        let sightings = if sighted { self.sightings_of_event(&view, &event)? } else { HashMap::new() };
        let hits = flag_of(options.get("includeWarninglistHits"));
        let lists = if hits { Some(self.warnings.get(self.store)?) } else { None };
        writer.event(&event, parts, more, |part, attribute| {
            if let Some(feeds) = &feeds {
                feeds.add(part, attribute);
            }
            if let Some(lists) = &lists {
                crate::search::warn(attribute, part, lists);
            }
            if let Some(seen) = sightings.get(&uuid_of(&event, part)) {
                attribute.insert("Sighting".into(), seen.clone().into());
            }
            true
        })?;
        Ok(answer)
    }

    /// Other events that have the same values; and the values that are in more records than are looked at.
    pub(crate) fn related(
        &self,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        event: &EventRow,
    ) -> Result<Map<String, Value>, Fault> {
        let (mut rows, mut cut): (Vec<i64>, Vec<Value>) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        let excluded = self.excluded()?;
        for correlation in view.correlations(&event.head, RELATED_VALUES, RELATED_EACH)? {
            if excluded
                .iter()
                .any(|pattern| crate::search::values::like(&correlation.observable.value().to_lowercase(), pattern))
            {
                continue;
            }
            if correlation.known.total > i64::from(RELATED_EACH) {
                cut.push(crate::crowded::cut(correlation.observable.value(), correlation.known.total));
            }
            for head in correlation.known.records {
                if head.kind == "event"
                    && head.row != event.head.row
                    && head.uuid != event.head.uuid
                    && seen.insert(head.row)
                {
                    rows.push(head.row);
                }
            }
        }
        let line = |one: EventRow| {
            let head = scribe.event_head(&one);
            let pick = |name: &str| head.get(name).cloned().unwrap_or_default();
            json!({"Event": {
                "id": pick("id"), "date": pick("date"), "threat_level_id": pick("threat_level_id"), "info": pick("info"),
                "published": pick("published"), "uuid": pick("uuid"), "analysis": pick("analysis"), "timestamp": pick("timestamp"),
                "distribution": pick("distribution"), "org_id": pick("org_id"), "orgc_id": pick("orgc_id"),
                "Org": pick("Org"), "Orgc": pick("Orgc"),
            }})
        };
        let related = view.events_at(&rows, &EventFilter::default())?.into_iter().map(line).collect();
        let mut more = Map::from_iter([("RelatedEvent".to_owned(), related)]);
        if !cut.is_empty() {
            more.insert("OverCorrelatingValue".into(), cut.into());
        }
        Ok(more)
    }

    /// `events/index`, also `events/restSearch` of heads
    pub fn events_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let view = self.view()?;
        let filter = filter::of_index(self, &view, &options)?;
        let minimal = flag_of(options.get("minimal"));
        // Without a limit: all of them. A server that pulls must not take the first so many for everything.
        let (skip, limit) = page(&options, usize::MAX, usize::MAX);
        let order = filter::order(&options);
        let total = view.count_events(&filter)?;
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        let mut answer = Answer::new("application/json");
        let mut tag = crate::search::Fingerprint::default();
        std::io::Write::write_all(&mut answer, b"[")?;
        let (mut skip, mut left, mut first, mut after) = (skip as u64, limit as u64, true, 0);
        // From the beginning in the order of numbers, each page goes on where the last one ended.
        let walk = skip == 0 && order == (Order::Number, false);
        while left > 0 {
            // A page at a time: a node may hold a million events.
            let some = left.min(1000) as u32;
            let rows = match walk {
                true => view.events_after(&filter, after, some, !minimal)?,
                false => view.events(&filter, order, skip, some, !minimal)?,
            };
            let Some(last) = rows.last() else { break };
            after = last.head.number;
            skip += rows.len() as u64;
            left -= rows.len() as u64;
            for row in rows {
                let line = if minimal { scribe.event_minimal(&row) } else { scribe.event_line(&row) };
                let text = line.to_string();
                tag.add(text.as_bytes());
                tag.add(&row.head.version.to_be_bytes());
                if !std::mem::replace(&mut first, false) {
                    std::io::Write::write_all(&mut answer, b",")?;
                }
                std::io::Write::write_all(&mut answer, text.as_bytes())?;
            }
        }
        std::io::Write::write_all(&mut answer, b"]")?;
        let tag = tag.text();
        if minimal && self.call.known.as_deref() == Some(tag.as_str()) {
            return Ok(Answer::new("application/json").with_status(304).with("etag", tag));
        }
        let answer = answer.with("x-result-count", total.to_string());
        Ok(if minimal { answer.with("etag", tag) } else { answer })
    }

    /// `events/delete`: withdrawn here, and not taken again from elsewhere.
    pub fn events_delete(&self) -> Result<Answer, Fault> {
        let mut gone = Vec::new();
        let view = self.view()?;
        let list = self.call.json()?.get("id").cloned();
        let named: Vec<String> = match (self.call.arg(0), list) {
            (Some(one), _) => vec![one.to_owned()],
            (None, Some(Value::Array(items))) => {
                items.iter().filter_map(|item| text_of(Some(item))).map(|id| id.into_owned()).collect()
            }
            (None, one) => text_of(one.as_ref()).map(|id| id.into_owned()).into_iter().collect(),
        };
        for named in &named {
            let event = self.event(&view, Some(named))?;
            self.may_change(&event)?;
            gone.push(event);
        }
        drop(view);
        if gone.is_empty() {
            return Err(Fault::missing("event"));
        }
        for event in &gone {
            self.store.withdraw(
                self.actor(),
                Some(event.head.label.owner),
                event.head.uuid,
                Some("event"),
                "deleted by the MISP door",
            )?;
            let entry = json!({
                "event_uuid": event.head.uuid, "event_info": event.head.title, "comment": "Automatically blocked by deleting event",
                "event_orgc": event.head.author.clone().unwrap_or_default(),
            });
            let whose = (Some(event.head.label.owner), None);
            match self.store.add_entry(self.actor(), "eventblocklist", &event.head.uuid.to_string(), whose, entry) {
                Ok(_) | Err(manara_store::StoreError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let id = gone.first().map(|event| event.head.number.to_string());
        Ok(Answer::json(&saved("Event deleted.", &self.call.url, id)))
    }

    /// A block list's events and organisations come in for nobody but an administrator.
    pub(crate) fn refuse_blocked(&self, head: &Map<String, Value>) -> Result<(), Fault> {
        let text = |value: Option<&Value>| text_of(value).unwrap_or_default().into_owned();
        let event = text(head.get("uuid"));
        let own = self.call.caller.account.org.to_string();
        let author = head.get("Orgc").and_then(|orgc| text_of(orgc.get("uuid"))).map_or(own, |uuid| uuid.into_owned());
        if self.store.entry_named("eventblocklist", &event)?.is_some() {
            return Err(Fault::forbidden("Event blocked by event blocklist."));
        }
        if self.store.entry_named("orgblocklist", &author)?.is_none() {
            return Ok(());
        }
        Err(Fault::forbidden("Event blocked by organisation blocklist."))
    }

    fn publish(&self, published: bool) -> Result<EventRow, Fault> {
        self.again(|| {
            let view = self.view()?;
            let event = self.event(&view, self.call.arg(0))?;
            self.may_touch(&event, || self.call.caller.has(Flag::Publish))?;
            let mut head = body_of(&event.head.skeleton);
            head.insert("published".into(), published.into());
            if published {
                head.insert("publish_timestamp".into(), self.now.max(event.published_at).to_string().into());
            }
            drop(view);
            self.amend(&event, head, false, Vec::new())?;
            if published {
                self.pass_on(event.head.uuid)?;
            }
            Ok(event)
        })
    }

    /// `events/publish`, `events/alert`
    pub fn events_publish(&self) -> Result<Answer, Fault> {
        let event = self.publish(true)?;
        let text = if self.call.action == "alert" {
            "Email sent to all participants."
        } else {
            "Event published without alerts"
        };
        Ok(Answer::json(&saved(text, &self.call.url, Some(event.head.number.to_string()))))
    }

    /// `events/unpublish`
    pub fn events_unpublish(&self) -> Result<Answer, Fault> {
        let event = self.publish(false)?;
        Ok(Answer::json(&saved("Event unpublished.", &self.call.url, Some(event.head.number.to_string()))))
    }

    /// `events/filterEventIdsForPush`: which of these are not here, or older here?
    pub fn events_filter_for_push(&self) -> Result<Answer, Fault> {
        let Value::Array(offered) = self.call.json()? else { return Err(Fault::bad_json()) };
        let view = self.view()?;
        let mut wanted = Vec::new();
        for offer in &offered {
            let offer = offer.get("Event").unwrap_or(offer);
            let Some(uuid) = text_of(offer.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok()) else { continue };
            let blocked = self.store.entry_named("eventblocklist", &uuid.to_string())?.is_some();
            let held = view.event(manara_store::view::Which::Uuid(uuid))?;
            let newer = held.is_none_or(|held| held.locked && seconds_of(offer.get("timestamp")) > held.touched);
            if newer && !blocked {
                wanted.push(Value::String(uuid.to_string()));
            }
        }
        Ok(Answer::json(&Value::Array(wanted)))
    }

    /// `events/pushEventToZMQ`, `events/enrichEvent`: what this node has nothing for.
    pub fn not_configured(&self) -> Result<Answer, Fault> {
        Err(Fault::new(
            405,
            format!(
                "/{}/{} is not configured on this node: no such service is connected to it.",
                self.call.controller, self.call.action_text
            ),
        ))
    }

    /// `events/contact`
    pub fn events_contact(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        self.event(&view, self.call.arg(0))?;
        Err(Fault::new(405, "This node sends no mail yet: contact the organisation that wrote the event directly."))
    }
}

/// What MISP answers to `GET` where `POST` is meant.
pub(crate) fn describe(url: &str, about: &str, mandatory: &[&str], optional: &[&str]) -> Answer {
    Answer::json(&json!({
        "name": format!("{url} API description"), "description": about, "mandatory_fields": mandatory,
        "optional_fields": optional, "url": url,
    }))
}
