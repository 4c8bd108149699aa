//! `/users/statistics`: figures of what the caller may see, and of nothing else.

use crate::answer::{Answer, Fault};
use crate::context::Context;
use crate::search::{each_attribute, each_event};
use crate::shape::{body_of, num};
use manara_model::record::{flag_of, text_of};
use manara_store::sightings::SightingFilter;
use manara_store::view::{EventFilter, Sign, View};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Sightings that are counted.
const SIGHTINGS: u32 = 1_000_000;
/// Tags of techniques, for the matrix.
const TECHNIQUES: &str = "misp-galaxy:mitre-attack-pattern=";

impl Context<'_> {
    /// `users/statistics/CONTEXT`
    pub fn users_statistics(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let figures = match self.call.arg(0).unwrap_or("data") {
            "orgs" => self.figures_of_orgs(&view)?,
            "users" => self.figures_of_users(&view)?,
            "tags" => self.figures_of_tags(&view)?,
            "attributehistogram" => self.figures_of_attributes(&view)?,
            "sightings" => self.figures_of_sightings(&view)?,
            "galaxyMatrix" => self.figures_of_techniques(&view)?,
            _ => self.figures(&view)?,
        };
        Ok(Answer::json(&figures))
    }

    fn figures(&self, view: &View<'_>) -> Result<Value, Fault> {
        let events = view.count_events(&EventFilter::default())?;
        let orgs = self.orgs_known(view)?;
        let mut attributes = 0;
        each_event(view, &EventFilter::default(), false, |event| {
            attributes += event.attributes;
            Ok(true)
        })?;
        Ok(json!({"stats": {
            "event_count": events, "attribute_count": attributes, "user_count": self.accounts_seen()?.len(), "org_count": orgs.len(),
            "local_org_count": orgs.iter().filter(|org| org.local).count(),
            "attributes_per_event": if events > 0 { attributes / events } else { 0 },
            // Scripts read them; a figure would be a walk through every value and every part.
            "correlation_count": null, "proposal_count": null,
        }}))
    }

    fn figures_of_orgs(&self, view: &View<'_>) -> Result<Value, Fault> {
        let mut lines = Map::new();
        for org in self.orgs_known(view)? {
            let authors = Sign { any: Some(vec![org.uuid.0]), none: Vec::new() };
            let count = view.count_events(&EventFilter { authors, ..EventFilter::default() })?;
            let id = num(self.store.number("org", org.uuid.0)?);
            let line = json!({"id": id, "name": &org.name, "local": org.local, "eventCount": count});
            lines.insert(org.name, line);
        }
        Ok(Value::Object(lines))
    }

    fn figures_of_users(&self, view: &View<'_>) -> Result<Value, Fault> {
        let (accounts, orgs) = (self.accounts_seen()?, self.orgs_known(view)?);
        let local = orgs.iter().filter(|org| org.local).count();
        Ok(json!({"user": accounts.len(), "org_local": local, "org_external": orgs.len() - local}))
    }

    /// Tags with their use: all, and by namespace.
    fn figures_of_tags(&self, view: &View<'_>) -> Result<Value, Fault> {
        let (mut flat, mut spaces) = (Vec::new(), BTreeMap::<String, Vec<Value>>::new());
        for tag in self.store.vocabulary()? {
            let (events, attributes) = view.tag_use(tag.id)?;
            if events + attributes == 0 {
                continue;
            }
            let line = json!({"name": &tag.name, "size": events + attributes, "colour": tag.colour()});
            let space = tag.name.split_once(':').map_or("custom", |(space, _)| space).to_owned();
            spaces.entry(space).or_default().push(line.clone());
            flat.push(line);
        }
        let children = spaces.into_iter().map(|(name, children)| json!({"name": name, "children": children}));
        Ok(json!({"flatData": flat, "treemap": {"name": "tags", "children": children.collect::<Value>()}}))
    }

    /// Types of attributes by who wrote the event.
    fn figures_of_attributes(&self, view: &View<'_>) -> Result<Value, Fault> {
        let facts = self.store.facts()?;
        let mut counts: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        each_attribute(view, &EventFilter::default(), |event, part, _| {
            let body = body_of(&part.raw);
            if !flag_of(body.get("deleted")) {
                let org = event.author.map(manara_model::OrgId).unwrap_or(event.head.label.owner);
                let ty = text_of(body.get("type")).unwrap_or_default().into_owned();
                *counts.entry(facts.name(org)).or_default().entry(ty).or_default() += 1;
            }
            Ok(true)
        })?;
        Ok(counts.into_iter().map(|(name, data)| json!({"name": name, "data": data})).collect())
    }

    fn figures_of_sightings(&self, view: &View<'_>) -> Result<Value, Fault> {
        let (mut orgs, mut events) = (BTreeMap::<String, i64>::new(), BTreeMap::<String, i64>::new());
        let mut numbers = BTreeMap::new();
        for sighting in view.sightings(&SightingFilter::default(), SIGHTINGS)? {
            let Some(uuid) = sighting.event else { continue };
            let number = match numbers.get(&uuid) {
                Some(number) => *number,
                None => {
                    let event = view.event(manara_store::view::Which::Uuid(uuid))?;
                    *numbers.entry(uuid).or_insert(event.map(|event| event.head.number))
                }
            };
            let Some(number) = number else { continue };
            let org = view.facts().numbers.get(&sighting.org.0).copied().unwrap_or(0);
            *orgs.entry(org.to_string()).or_default() += 1;
            *events.entry(number.to_string()).or_default() += 1;
        }
        Ok(json!({"toplist": orgs, "eventids": events}))
    }

    fn figures_of_techniques(&self, view: &View<'_>) -> Result<Value, Fault> {
        let mut scores = BTreeMap::new();
        for number in view.tags_like(&format!("{TECHNIQUES}%"))? {
            let (events, attributes) = view.tag_use(number)?;
            if let Some(tag) = self.store.tag_by_number(number)?.filter(|_| events + attributes > 0) {
                scores.insert(tag.name, events + attributes);
            }
        }
        let most = scores.values().copied().max().unwrap_or(0);
        Ok(json!({"scores": scores, "maxScore": most}))
    }
}
