//! `/sightings`: somebody saw it, took it for a false positive, or holds it for expired. A sighting tells
//! where its maker stands: it goes to the organisation that holds the event, and to nobody else.

use crate::answer::{Answer, Fault, saved};
use crate::attributes::ATTRIBUTE;
use crate::context::Context;
use crate::ids;
use crate::search::filter::{Wanted, span};
use crate::shape::{num, uuid_of};
use manara_model::marking::Recipient;
use manara_model::observable::{Observable, normalise};
use manara_model::record::{seconds_of, text_of};
use manara_model::{Cleared, Marking, OrgId, Part};
use manara_store::StoreError;
use manara_store::sightings::{AttributeSighting, Sighting, SightingFilter};
use manara_store::view::{EventFilter, EventRow, View, Which};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Sightings in one answer.
const LISTED: u32 = 100_000;
/// Sightings that are shown with an event, and of a run; `sightings/index` has all of them.
const IN_A_VIEW: u32 = 10_000;
/// Attributes that one sighting of a value may be about.
const ATTRIBUTES: usize = 1000;

/// For the holder of an event, beside the one who saw.
fn marking(holder: OrgId, own: OrgId) -> Marking {
    let mut marking = Marking::default();
    if holder != own {
        marking.recipients.insert([Recipient::Org(holder)].into_iter().collect());
    }
    marking
}

/// All sightings of an event, a run at a time.
///
/// # Errors
/// The store's, and what `take` returns.
pub(crate) fn each_of_event<E: From<StoreError>>(
    view: &View<'_>,
    event: Uuid,
    mut take: impl FnMut(&[Sighting]) -> Result<(), E>,
) -> Result<(), E> {
    let mut filter = SightingFilter { events: vec![event], ..SightingFilter::default() };
    loop {
        let some = view.sightings(&filter, IN_A_VIEW)?;
        let Some(last) = some.last() else { return Ok(()) };
        filter.after = Some(last.id);
        take(&some)?;
    }
}

/// What a sighting of a part is about: what correlates, else what it holds, else its text.
fn observable_of(part: &Cleared<Part>) -> Option<Observable> {
    let best = part.found.iter().max_by_key(|found| found.observable.ty().row().correlates);
    best.map(|found| found.observable.clone()).or_else(|| {
        let value = text_of(crate::shape::body_of(&part.raw).get("value"))?.into_owned();
        manara_model::observable::Type::by_name("text").and_then(|ty| normalise(ty, &value).ok())
    })
}

impl Context<'_> {
    fn sighting_shown(&self, view: &View<'_>, sighting: &Sighting, with_org: bool) -> Result<Value, Fault> {
        let mut attribute = Value::String("0".into());
        let mut event = Value::String("0".into());
        if let Some(uuid) = sighting.attribute
            && let Some((of, part)) = view.part_of_event(uuid)?
        {
            attribute = num(ids::of_part(of.head.row, part.number));
            event = num(of.head.number);
        }
        let facts = view.facts();
        let mut shown = json!({
            "id": num(sighting.id), "attribute_id": attribute, "event_id": event,
            "org_id": num(facts.numbers.get(&sighting.org.0).copied().unwrap_or(0)),
            "date_sighting": num(sighting.seen.div_euclid(1000)), "uuid": sighting.uuid, "source": sighting.source,
            "type": num(sighting.kind),
        });
        if let Some(uuid) = sighting.attribute {
            shown["attribute_uuid"] = uuid.to_string().into();
        }
        if with_org {
            shown["Organisation"] =
                json!({"id": shown["org_id"], "uuid": sighting.org, "name": facts.name(sighting.org)});
        }
        Ok(shown)
    }

    /// The sightings of one attribute.
    pub(crate) fn sightings_of_part(
        &self,
        view: &View<'_>,
        event: &EventRow,
        part: &Cleared<Part>,
    ) -> Result<Vec<Value>, Fault> {
        let filter = SightingFilter { attributes: vec![uuid_of(event, part)], ..SightingFilter::default() };
        view.sightings(&filter, LISTED)?.iter().map(|sighting| self.sighting_shown(view, sighting, true)).collect()
    }

    /// Sightings of an event's attributes, by attribute: as many of them as one answer holds.
    pub(crate) fn sightings_of_event(
        &self,
        view: &View<'_>,
        event: &EventRow,
    ) -> Result<HashMap<Uuid, Vec<Value>>, Fault> {
        let filter = SightingFilter { events: vec![event.head.uuid], ..SightingFilter::default() };
        let mut all: HashMap<Uuid, Vec<Value>> = HashMap::new();
        for sighting in view.sightings(&filter, IN_A_VIEW)? {
            if let Some(attribute) = sighting.attribute {
                all.entry(attribute).or_default().push(self.sighting_shown(view, &sighting, true)?);
            }
        }
        Ok(all)
    }

    /// When an attribute was last seen by somebody, Unix seconds.
    pub(crate) fn last_sighting(&self, view: &View<'_>, event: &EventRow, part: &Cleared<Part>) -> Result<i64, Fault> {
        let filter =
            SightingFilter { attributes: vec![uuid_of(event, part)], kind: Some(0), ..SightingFilter::default() };
        Ok(view.sightings(&filter, LISTED)?.iter().map(|sighting| sighting.seen.div_euclid(1000)).max().unwrap_or(0))
    }

    /// `sightings/add`: of an attribute in the path, or of all that have a value.
    pub fn sightings_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Sighting")?;
        let view = self.view()?;
        let mut places: Vec<(EventRow, Cleared<Part>)> = Vec::new();
        let named =
            self.call.arg(0).map(str::to_owned).or_else(|| {
                ["uuid", "id"].iter().find_map(|name| text_of(given.get(*name)).map(|text| text.into_owned()))
            });
        if let Some(named) = named {
            places.push(self.part(&view, Some(&named), ATTRIBUTE, "attribute")?);
        } else {
            let values = Wanted::of_values(given.get("values").or(given.get("value"))).any;
            if values.is_empty() {
                return Err(Fault::unsaved(
                    "add",
                    "Sighting",
                    json!("A sighting needs an attribute, a value or values."),
                ));
            }
            for value in &values {
                for row in crate::search::values::rows_with_value(&view, value)? {
                    let Some(event) = view.events_at(&[row], &EventFilter::default())?.pop() else { continue };
                    for part in crate::search::values::places_with_value(&view, &event, value)? {
                        if places.len() < ATTRIBUTES {
                            places.push((self.event_at(&view, row)?, part));
                        }
                    }
                }
            }
        }
        if places.is_empty() {
            return Err(Fault::unsaved("add", "Sighting", json!("No valid attributes found that match the criteria.")));
        }
        let kind: u8 = text_of(given.get("type")).and_then(|kind| kind.parse().ok()).unwrap_or(0);
        if kind > 2 {
            return Err(Fault::unsaved(
                "add",
                "Sighting",
                json!({"type": ["0: seen, 1: false positive, 2: expired."]}),
            ));
        }
        let at = [given.get("timestamp"), given.get("date_sighting")]
            .into_iter()
            .map(seconds_of)
            .find(|at| *at > 0)
            .unwrap_or(self.now);
        let source = text_of(given.get("source")).unwrap_or_default().into_owned();
        let own = self.call.caller.account.org;
        let mut first = None;
        for (n, (event, part)) in places.iter().enumerate() {
            let Some(observable) = observable_of(part) else { continue };
            let sighting = AttributeSighting {
                uuid: Uuid::new_v4(),
                observable,
                kind,
                seen: at.saturating_mul(1000),
                source: source.clone(),
                count: u32::from(n == 0),
                place: (event.head.row, event.head.uuid, uuid_of(event, part)),
            };
            first.get_or_insert(sighting.uuid);
            self.store.add_attribute_sightings(
                self.actor(),
                own,
                marking(event.head.label.owner, own),
                vec![sighting],
            )?;
        }
        drop(view);
        let view = self.view()?;
        let filter = SightingFilter { which: Some((0, first.unwrap_or_default())), ..SightingFilter::default() };
        let sighting = view.sightings(&filter, 1)?.pop().ok_or_else(|| Fault::missing("sighting"))?;
        Ok(Answer::json(&json!({"Sighting": self.sighting_shown(&view, &sighting, false)?})))
    }

    /// `sightings/delete`
    pub fn sightings_delete(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let sighting = self.sighting_named(&view, self.call.arg(0))?;
        drop(view);
        let org = (!self.is_admin()).then_some(self.call.caller.account.org);
        self.store.remove_sighting(self.actor(), org, sighting.id)?;
        Ok(Answer::json(&saved("Sighting successfully deleted.", &self.call.url, None)))
    }

    fn sighting_named(&self, view: &View<'_>, named: Option<&str>) -> Result<Sighting, Fault> {
        let which = match named.and_then(ids::which) {
            Some(Which::Number(number)) => (number, Uuid::nil()),
            Some(Which::Uuid(uuid)) => (0, uuid),
            None => return Err(Fault::missing("sighting")),
        };
        let filter = SightingFilter { which: Some(which), ..SightingFilter::default() };
        view.sightings(&filter, 1)?.pop().ok_or_else(|| Fault::missing("sighting"))
    }

    /// `sightings/index/EVENT`, `sightings/listSightings/ID/event|attribute`
    pub fn sightings_list(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let text = |name: &str| text_of(options.get(name)).map(|text| text.into_owned());
        let named = self.call.arg(0).map(str::to_owned).or_else(|| text("id"));
        let of_attribute = self
            .call
            .arg(1)
            .map(str::to_owned)
            .or_else(|| text("context"))
            .is_some_and(|context| context == "attribute");
        let view = self.view()?;
        let mut filter = SightingFilter::default();
        match named {
            None => {}
            Some(named) if of_attribute => {
                let (event, part) = self.part(&view, Some(&named), ATTRIBUTE, "attribute")?;
                filter.attributes = vec![uuid_of(&event, &part)];
            }
            Some(named) => filter.events = vec![self.event(&view, Some(&named))?.head.uuid],
        }
        if let Some(org) = text("org_id").and_then(|org| self.identify("org", &org).ok().flatten()) {
            filter.org = Some(OrgId(org));
        }
        let lines: Result<Vec<Value>, Fault> =
            view.sightings(&filter, LISTED)?.iter().map(|one| self.sighting_shown(&view, one, true)).collect();
        Ok(Answer::json(&Value::Array(lines?)))
    }

    /// `sightings/restSearch/event|attribute`
    pub fn sightings_search(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let format = text_of(options.get("returnFormat")).unwrap_or("json".into()).into_owned();
        if !matches!(format.as_str(), "json" | "csv" | "xml") {
            return Err(Fault::new(404, "Invalid output format."));
        }
        let filter = self.sighting_filter(&options)?;
        let view = self.view()?;
        let found = view.sightings(&filter, LISTED)?;
        let flag = |name: &str| manara_model::record::flag_of(options.get(name));
        let (mut lines, mut csv) =
            (Vec::new(), String::from("id,attribute_id,event_id,org_id,date_sighting,uuid,source,type\n"));
        for sighting in &found {
            let mut shown = self.sighting_shown(&view, sighting, true)?;
            if flag("includeEvent") || flag("includeAttribute") {
                let place = match sighting.attribute {
                    Some(uuid) => view.part_of_event(uuid)?,
                    None => None,
                };
                if let Some((event, part)) = place {
                    let scribe = crate::shape::Scribe::new(&view, self.call.caller.account.org);
                    if flag("includeEvent") {
                        shown["Event"] = scribe.event_line(&event);
                    }
                    if flag("includeAttribute") {
                        shown["Attribute"] = Value::Object(scribe.attribute(&event, &part, 0));
                    }
                }
            }
            if flag("includeUuid") {
                shown["event_uuid"] = sighting.event.map(|uuid| uuid.to_string()).unwrap_or_default().into();
            }
            let column = |name: &str| shown[name].as_str().unwrap_or_default().replace('"', "\"\"");
            let row: Vec<String> =
                ["id", "attribute_id", "event_id", "org_id", "date_sighting", "uuid", "source", "type"]
                    .iter()
                    .map(|name| format!("\"{}\"", column(name)))
                    .collect();
            csv.push_str(&row.join(","));
            csv.push('\n');
            lines.push(json!({"Sighting": shown}));
        }
        let count = lines.len().to_string();
        let answer = match format.as_str() {
            "csv" => {
                let mut answer = Answer::new("text/csv");
                std::io::Write::write_all(&mut answer, csv.as_bytes())?;
                answer
            }
            _ => Answer::json(&json!({"response": lines})),
        };
        Ok(answer.with("x-result-count", count).with("x-response-format", format))
    }

    fn sighting_filter(&self, options: &Map<String, Value>) -> Result<SightingFilter, Fault> {
        let view = self.view()?;
        let mut filter = SightingFilter::default();
        let ids = Wanted::of(options.get("id").or(options.get("uuid"))).any;
        let context = self
            .call
            .arg(0)
            .map(str::to_owned)
            .or_else(|| text_of(options.get("context")).map(|text| text.into_owned()));
        for named in &ids {
            match context.as_deref() {
                Some("attribute") => {
                    let (event, part) = self.part(&view, Some(named), ATTRIBUTE, "attribute")?;
                    filter.attributes.push(uuid_of(&event, &part));
                }
                Some("event") => filter.events.extend(match ids::which(named) {
                    Some(which) => view.event(which)?.map(|event| event.head.uuid),
                    None => return Err(Fault::new(400, format!("Invalid ID `{named}` provided."))),
                }),
                _ => {
                    filter.which = Some(match ids::which(named) {
                        Some(Which::Number(number)) => (number, Uuid::nil()),
                        Some(Which::Uuid(uuid)) => (0, uuid),
                        None => return Err(Fault::new(400, format!("Invalid ID `{named}` provided."))),
                    })
                }
            }
        }
        if !ids.is_empty() && filter.attributes.is_empty() && filter.events.is_empty() && filter.which.is_none() {
            // Events that are not the caller's have no sightings.
            filter.which = Some((0, Uuid::nil()));
        }
        filter.kind = text_of(options.get("type")).and_then(|kind| kind.parse().ok());
        filter.source =
            text_of(options.get("source")).filter(|source| !source.is_empty()).map(|source| source.into_owned());
        if let Some(org) = text_of(options.get("org_id")).and_then(|org| self.identify("org", &org).ok().flatten()) {
            filter.org = Some(OrgId(org));
        }
        let last = span(options.get("last"), self.now, "last")?;
        filter.from = last.from.map(|from| from.saturating_mul(1000));
        filter.until = last.until.map(|until| until.saturating_mul(1000));
        for (name, place) in [("from", &mut filter.from), ("to", &mut filter.until)] {
            if let Some(at) = span(options.get(name), self.now, name)?.from {
                *place = Some(at.saturating_mul(1000));
            }
        }
        Ok(filter)
    }

    /// `sightings/filterSightingUuidsForPush/EVENT`: which of these are here already?
    pub fn sightings_filter_for_push(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let event = self.event(&view, self.call.arg(0))?;
        let Value::Array(offered) = self.call.json()? else { return Err(Fault::bad_json()) };
        let mut known = HashSet::new();
        each_of_event(&view, event.head.uuid, |some| {
            known.extend(some.iter().map(|sighting| sighting.uuid));
            Ok::<(), Fault>(())
        })?;
        let here = offered.into_iter().filter(|uuid| {
            uuid.as_str().and_then(|uuid| uuid.parse::<Uuid>().ok()).is_some_and(|uuid| known.contains(&uuid))
        });
        Ok(Answer::json(&here.collect()))
    }

    /// `sightings/bulkSaveSightings/EVENT`: what another server brings.
    pub fn sightings_bulk(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let event = self.event(&view, self.call.arg(0))?;
        let Value::Array(offered) = self.call.json()? else { return Err(Fault::bad_json()) };
        let own = self.call.caller.account.org;
        let mut by_org: std::collections::BTreeMap<OrgId, Vec<AttributeSighting>> = std::collections::BTreeMap::new();
        for item in &offered {
            let item = item.get("Sighting").unwrap_or(item);
            let uuid = |name: &str| text_of(item.get(name)).and_then(|uuid| uuid.parse::<Uuid>().ok());
            let Some((of, part)) = uuid("attribute_uuid").map(|uuid| view.part_of_event(uuid)).transpose()?.flatten()
            else {
                continue;
            };
            if of.head.row != event.head.row {
                continue;
            }
            let Some(observable) = observable_of(&part) else { continue };
            let org = item
                .get("Organisation")
                .and_then(|org| text_of(org.get("uuid"))?.parse::<Uuid>().ok())
                .map_or(own, OrgId);
            // An organisation of this node says for itself what it saw.
            if org != own && !self.is_admin() && view.facts().world.local.contains(&org) {
                continue;
            }
            by_org.entry(org).or_default().push(AttributeSighting {
                uuid: uuid("uuid").unwrap_or_else(Uuid::new_v4),
                observable,
                kind: text_of(item.get("type")).and_then(|kind| kind.parse().ok()).unwrap_or(0),
                seen: seconds_of(item.get("date_sighting")).saturating_mul(1000),
                source: text_of(item.get("source")).unwrap_or_default().into_owned(),
                count: 1,
                place: (event.head.row, event.head.uuid, uuid_of(&event, &part)),
            });
        }
        let mut count = 0;
        for (org, sightings) in by_org {
            let marking = marking(event.head.label.owner, org);
            count += self.store.add_attribute_sightings(self.actor(), org, marking, sightings)?.len();
        }
        Ok(Answer::json(&saved(format!("{count} sightings added."), &self.call.url, None)))
    }
}
