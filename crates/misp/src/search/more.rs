//! What else is asked of each attribute: its event, its tags, sightings, scores, what is alike.

use super::values::like;
use crate::answer::Fault;
use crate::attributes::ATTRIBUTE;
use crate::context::Context;
use crate::shape::{Scribe, attach, body_of, num};
use manara_model::observable::Observable;
use manara_model::record::flag_of;
use manara_model::warninglist::WarningLists;
use manara_model::{Cleared, Part};
use manara_store::view::{EventFilter, EventRow, View};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::sync::Arc;

/// Places that are looked at for what is alike.
const RELATED: usize = 100;

/// What else is asked of each attribute.
pub(super) struct More {
    event_uuid: bool,
    event_tags: bool,
    context: bool,
    attachments: bool,
    correlations: bool,
    sightings: bool,
    decay: Option<crate::decay::Decay>,
    without_decayed: bool,
    lists: Option<Arc<WarningLists>>,
    last: RefCell<Option<OfEvent>>,
}

/// What is shown of an event with each of its attributes: its row, its members, its tags.
type OfEvent = (i64, Map<String, Value>, Vec<Value>);

impl More {
    pub(super) fn of(context: &Context<'_>, options: &Map<String, Value>) -> Result<More, Fault> {
        let flag = |name: &str| flag_of(options.get(name));
        let lists = if flag("includeWarninglistHits") { Some(context.warnings.get(context.store)?) } else { None };
        let scored = flag("includeDecayScore") || flag("excludeDecayed") || options.contains_key("decayingModel");
        Ok(More {
            event_uuid: flag("includeEventUuid"),
            event_tags: flag("includeEventTags") || flag("includeContext"),
            context: flag("includeContext"),
            attachments: flag("withAttachments"),
            correlations: flag("includeCorrelations"),
            sightings: flag("includeSightings"),
            decay: if scored { Some(context.decay(options)?) } else { None },
            without_decayed: flag("excludeDecayed"),
            lists,
            last: RefCell::default(),
        })
    }

    /// Is the attribute left out, because by every model that is for it nothing is left of its worth?
    pub(super) fn leaves_out(
        &self,
        context: &Context<'_>,
        view: &View<'_>,
        event: &EventRow,
        part: &Cleared<Part>,
    ) -> Result<bool, Fault> {
        let Some(decay) = self.decay.as_ref().filter(|_| self.without_decayed) else { return Ok(false) };
        let scores = context.scores(decay, view, event, part)?;
        Ok(!scores.is_empty() && scores.iter().all(|score| score["decayed"] == true))
    }

    fn of_event(&self, scribe: &Scribe<'_, '_>, event: &EventRow) -> OfEvent {
        let head = scribe.event_head(event);
        let short: &[&str] = &["org_id", "distribution", "publish_timestamp", "id", "info", "orgc_id", "uuid"];
        let long: &[&str] = &[
            "id",
            "orgc_id",
            "org_id",
            "date",
            "threat_level_id",
            "info",
            "published",
            "uuid",
            "analysis",
            "timestamp",
            "distribution",
            "publish_timestamp",
            "sharing_group_id",
            "extends_uuid",
            "Orgc",
        ];
        let mut shown = Map::new();
        for name in if self.context { long } else { short } {
            shown.insert((*name).into(), head.get(*name).cloned().unwrap_or_default());
        }
        let tags = scribe.tags(&body_of(&event.head.skeleton));
        if self.context {
            shown.insert("Tag".into(), tags.clone().into());
        }
        (event.head.row, shown, tags)
    }

    pub(super) fn attribute(
        &self,
        context: &Context<'_>,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        event: &EventRow,
        part: &Cleared<Part>,
        object: i64,
    ) -> Result<Map<String, Value>, Fault> {
        let mut attribute = scribe.attribute(event, part, object);
        let galaxies = scribe.galaxies_of_attribute(&attribute)?;
        if !galaxies.is_empty() {
            attribute.insert("Galaxy".into(), galaxies.into());
        }
        if self.attachments {
            attach(&mut attribute, part);
        }
        if self.event_uuid {
            attribute.insert("event_uuid".into(), event.head.uuid.to_string().into());
        }
        // One event after the other: what is shown of it is made once.
        let mut last = self.last.borrow_mut();
        let row = event.head.row;
        let (_, shown, tags) = match &mut *last {
            Some(last) if last.0 == row => last,
            last => last.insert(self.of_event(scribe, event)),
        };
        attribute.insert("Event".into(), Value::Object(shown.clone()));
        if self.event_tags && !tags.is_empty() {
            let own = attribute.entry("Tag").or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(own) = own {
                own.extend(tags.iter().cloned().map(|mut tag| {
                    tag["inherited"] = 1.into();
                    tag
                }));
            }
        }
        self.add(context, view, scribe, event, part, &mut attribute, true)?;
        Ok(attribute)
    }

    #[allow(clippy::too_many_arguments)] // everything that is known of one attribute
    pub(super) fn add(
        &self,
        context: &Context<'_>,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        event: &EventRow,
        part: &Cleared<Part>,
        attribute: &mut Map<String, Value>,
        correlate: bool,
    ) -> Result<(), Fault> {
        if let Some(lists) = &self.lists {
            warn(attribute, part, lists);
        }
        if self.sightings {
            attribute.insert("Sighting".into(), context.sightings_of_part(view, event, part)?.into());
        }
        if correlate && self.correlations {
            let (related, cut) = context.related_attributes(view, scribe, event, part)?;
            attribute.insert("RelatedAttribute".into(), related.into());
            if cut {
                crate::crowded::mark(attribute);
            }
        }
        if let Some(decay) = &self.decay {
            let scores = context.scores(decay, view, event, part)?;
            if !scores.is_empty() {
                attribute.insert("decay_score".into(), scores.into());
            }
        }
        Ok(())
    }
}

impl Context<'_> {
    /// Attributes of other events that have the same value; are there more than were looked at?
    fn related_attributes(
        &self,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        event: &EventRow,
        part: &Cleared<Part>,
    ) -> Result<(Vec<Value>, bool), Fault> {
        let excluded = self.excluded()?;
        let correlates = |observable: &&Observable| {
            observable.ty().row().correlates && !excluded.iter().any(|pattern| like(observable.value(), pattern))
        };
        let observables: Vec<Observable> =
            part.found.iter().map(|found| &found.observable).filter(correlates).cloned().collect();
        // A text ties nothing together by itself; asked for, the same text elsewhere is told.
        let observables = match observables.is_empty() {
            true => part.found.iter().map(|found| found.observable.clone()).take(1).collect(),
            false => observables,
        };
        let mut lines = Vec::new();
        let places = view.mentions(&observables, RELATED)?;
        let cut = places.values().map(Vec::len).sum::<usize>() >= RELATED;
        for (row, places) in places {
            if row == event.head.row {
                continue;
            }
            for other in view.events_at(&[row], &EventFilter::default())? {
                for found in view.parts_at(&other.head, &places)? {
                    if ATTRIBUTE.contains(&found.slot) {
                        let attribute = scribe.attribute(&other, &found, 0);
                        let pick = |name: &str| attribute.get(name).cloned().unwrap_or_default();
                        lines.push(json!({
                            "id": pick("id"), "value": pick("value"), "type": pick("type"), "category": pick("category"),
                            "event_id": num(other.head.number), "uuid": pick("uuid"),
                            "Event": {"id": num(other.head.number), "info": other.head.title, "uuid": other.head.uuid},
                        }));
                    }
                }
            }
        }
        Ok((lines, cut))
    }
}

/// Adds the warning lists that an attribute's values stand in.
pub(crate) fn warn(attribute: &mut Map<String, Value>, part: &Cleared<Part>, lists: &WarningLists) {
    let mut warnings = Vec::new();
    for found in &part.found {
        for name in lists.hits(&found.observable) {
            warnings.push(json!({"match": found.observable.value(), "value": found.observable.value(), "warninglist_name": name, "warninglist_category": "false_positive"}));
        }
    }
    if !warnings.is_empty() {
        attribute.insert("warnings".into(), warnings.into());
    }
}
