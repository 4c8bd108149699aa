//! Bundles as MISP events: each report and grouping is one; what no report holds belongs to the first.

use super::back::{self, Body, Find, text};
use super::bundle::{Bundle, ids_in};
use super::observables::OBSERVABLE_KINDS;
use super::others::{cluster_tag, cluster_tag_at, sighting, words};
use super::{identifiers, seal, whole};
use crate::{Input, InputError, json};
use manara_model::{Tlp, ids};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Reads a bundle as MISP events, without the wrapper: `{"uuid": …, "info": …, "Attribute": […], …}`.
///
/// # Errors
/// It is no bundle, or no JSON.
pub fn events_of_bundle(input: &mut Input) -> Result<Vec<Value>, InputError> {
    let name = input.name().to_owned();
    let bundle = {
        // The text goes once the objects stand beside it.
        let text_of = input.text()?;
        json::check(&name, &text_of, input.limits().depth)?;
        Bundle::read(&text_of, &name)?
    };
    let is_whole =
        |object: &&Body| matches!(text(object, "type"), "report" | "grouping") && back::label(object, "name").is_none();
    let wholes: Vec<&Body> = bundle.objects.iter().filter(is_whole).collect();
    let mut taken: HashSet<&str> = HashSet::new();
    let mut lists: Vec<Vec<&str>> = Vec::new();
    for whole in &wholes {
        let list = ids_in(whole, "object_refs");
        taken.extend(list.iter().copied());
        taken.insert(text(whole, "id"));
        lists.push(list);
    }
    let rest = bundle.objects.iter().map(|object| text(object, "id")).filter(|id| !taken.contains(id));
    match lists.first_mut() {
        Some(first) => first.extend(rest),
        None => lists.push(rest.collect()),
    }
    let mut used = HashSet::new();
    Ok(lists
        .into_iter()
        .enumerate()
        .map(|(n, list)| Making::new(&bundle, wholes.get(n).copied()).event(&list, &mut used))
        .collect())
}

/// An event in the making.
struct Making<'b> {
    bundle: &'b Bundle,
    whole: Option<&'b Body>,
    tlp: Option<Tlp>,
    head: Body,
    attributes: Vec<Value>,
    objects: Vec<Value>,
    reports: Vec<Value>,
    proposals: Vec<Value>,
    /// STIX objects that clusters are made of, for the event.
    tags: Vec<String>,
}

impl<'b> Making<'b> {
    fn new(bundle: &'b Bundle, whole: Option<&'b Body>) -> Making<'b> {
        let find = |id: &str| bundle.find(id);
        let tlp = whole.and_then(|whole| back::tlp(whole, &find));
        let head = match whole {
            Some(whole) => {
                let read = whole::event_plain(whole, &find);
                seal::of(whole).map_or(read.clone(), |residue| seal::restore(read, residue))
            }
            None => bundle.made_up(),
        };
        Making {
            bundle,
            whole,
            tlp,
            head,
            attributes: Vec::new(),
            objects: Vec::new(),
            reports: Vec::new(),
            proposals: Vec::new(),
            tags: Vec::new(),
        }
    }

    fn event(mut self, list: &[&'b str], used: &mut HashSet<String>) -> Value {
        let bundle = self.bundle;
        let find = |id: &str| bundle.find(id);
        let members: Vec<&'b Body> =
            list.iter().filter_map(|id| bundle.find(id)).filter(|object| !seal::is_companion(object)).collect();
        let loose: Vec<&str> = members
            .iter()
            .map(|object| text(object, "id"))
            .filter(|id| is_observable(id) && !bundle.held.contains(*id))
            .collect();
        let roots: HashSet<&str> = back::roots(&loose, &find).into_iter().map(|object| text(object, "id")).collect();
        for object in members {
            let id = text(object, "id");
            if is_observable(id) {
                if roots.contains(id) {
                    self.loose(object, &find, used);
                }
                continue;
            }
            self.member(object, &find, used);
        }
        self.described();
        self.closed()
    }

    /// An observable that stands by itself; its identifier is everybody's, so the attribute has its own.
    fn loose(&mut self, object: &'b Body, find: &Find<'_, 'b>, used: &mut HashSet<String>) {
        let id = text(object, "id");
        let own = if identifiers::identifier(object).as_deref() == Some(id) {
            ids::derived(&["stix", text(&self.head, "uuid"), id]).to_string()
        } else {
            back::uuid(id).to_owned()
        };
        let pairs = back::observable(object, find);
        if let Some((ty, value, data)) = back::attribute_of(&pairs, None) {
            let mut body = back::body(object, ty, value, data, find, self.tlp);
            body.insert("uuid".into(), own.into());
            return self.add_attribute(body, object, used);
        }
        if let Some(mut body) = back::full_object(object, find, self.tlp) {
            body.insert("uuid".into(), own.into());
            return self.add_object(body, object, used);
        }
        // What is known of it by itself.
        for (n, pair) in pairs.iter().enumerate() {
            let Some((ty, value, data)) = back::attribute_of(std::slice::from_ref(pair), None) else { continue };
            let mut body = back::body(object, ty, value, data, find, self.tlp);
            body.insert("uuid".into(), ids::derived(&["stix", &own, &n.to_string()]).to_string().into());
            self.add_attribute(body, object, used);
        }
    }

    fn member(&mut self, object: &'b Body, find: &Find<'_, 'b>, used: &mut HashSet<String>) {
        let kind = text(object, "type");
        if seal::of(object).and_then(|residue| residue.get("slot")).is_some_and(|slot| slot == "ShadowAttribute") {
            self.proposals.extend(back::full_attribute(object, find, self.tlp).map(Value::Object));
            return;
        }
        if whole::is_report(object) {
            let read = whole::report_plain(object);
            let body = seal::of(object).map_or(read.clone(), |residue| seal::restore(read, residue));
            self.reports.push(body.into());
            return;
        }
        match kind {
            "marking-definition"
            | "extension-definition"
            | "relationship"
            | "sighting"
            | "opinion"
            | "language-content"
            | "report"
            | "grouping" => {}
            "note" => self.note(object),
            // What it was made from is known by the same UUID.
            "observed-data" if self.is_looked_for(object, find) => {}
            "identity" if back::label(object, "name").is_none() && back::label(object, "galaxy-type").is_none() => {}
            _ => {
                let known = back::label(object, "name").is_none();
                if let Some(body) = known.then(|| back::full_attribute(object, find, self.tlp)).flatten() {
                    self.add_attribute(body, object, used);
                } else if back::label(object, "name").is_some()
                    || matches!(kind, "indicator" | "observed-data" | "x-misp-object")
                {
                    self.compound(object, find, used);
                } else if let Some(tag) = cluster_tag(object) {
                    self.tags.push(tag);
                } else if kind == "vulnerability" {
                    let body = back::body(object, "vulnerability", text(object, "name").into(), None, find, self.tlp);
                    self.add_attribute(body, object, used);
                } else {
                    self.compound(object, find, used);
                }
            }
        }
    }

    /// Is there an indicator of the same UUID for all that was observed?
    fn is_looked_for(&self, object: &'b Body, find: &Find<'_, 'b>) -> bool {
        let id = format!("indicator--{}", back::uuid(text(object, "id")));
        let Some(indicator) = self.bundle.find(&id) else { return false };
        let wanted = back::heard(indicator, find).pairs;
        back::heard(object, find)
            .pairs
            .iter()
            .all(|pair| back::is_idle(pair) || wanted.iter().any(|one| one.value == pair.value))
    }

    /// An object, or several attributes, or a pattern as it is.
    fn compound(&mut self, object: &'b Body, find: &Find<'_, 'b>, used: &mut HashSet<String>) {
        let kind = text(object, "type");
        if back::label(object, "name").is_none() && kind == "indicator" {
            let heard = back::heard(object, find);
            if heard.each && heard.alternatives {
                let single = |pair: &back::Pair| back::attribute_of(std::slice::from_ref(pair), None);
                let each: Vec<_> = heard.pairs.iter().map(single).collect();
                if each.iter().all(Option::is_some) {
                    for (n, (ty, value, _)) in each.into_iter().flatten().enumerate() {
                        let mut body = back::body(object, ty, value, None, find, self.tlp);
                        if n > 0 {
                            body.insert(
                                "uuid".into(),
                                ids::derived(&["stix", text(object, "id"), &n.to_string()]).to_string().into(),
                            );
                        }
                        self.add_attribute(body, object, used);
                    }
                    return;
                }
            }
            if !heard.whole {
                return self.as_pattern(object, find, used);
            }
        }
        match back::full_object(object, find, self.tlp) {
            Some(body) => self.add_object(body, object, used),
            None if kind == "indicator" => self.as_pattern(object, find, used),
            None if kind == "observed-data" => {
                let refs = ids_in(object, "object_refs");
                for root in back::roots(&refs, find) {
                    self.loose(root, find, used);
                }
            }
            None => {}
        }
    }

    fn as_pattern(&mut self, object: &'b Body, find: &Find<'_, 'b>, used: &mut HashSet<String>) {
        let body = back::body(object, "stix2-pattern", text(object, "pattern").into(), None, find, self.tlp);
        self.add_attribute(body, object, used);
    }

    fn add_attribute(&mut self, mut body: Body, object: &'b Body, used: &mut HashSet<String>) {
        self.own(&mut body, object, used);
        self.surroundings(&mut body, object);
        self.attributes.push(body.into());
    }

    fn add_object(&mut self, mut body: Body, object: &'b Body, used: &mut HashSet<String>) {
        self.own(&mut body, object, used);
        if seal::of(object).is_none() {
            let references: Vec<Value> = self.references(object);
            if !references.is_empty() {
                body.insert("ObjectReference".into(), references.into());
            }
        }
        self.objects.push(body.into());
    }

    /// An identifier is one part's.
    fn own(&self, body: &mut Body, object: &Body, used: &mut HashSet<String>) {
        let uuid = text(body, "uuid").to_owned();
        if !used.insert(uuid.clone()) && seal::of(object).is_none() {
            let other = ids::derived(&["stix", "again", text(&self.head, "uuid"), text(object, "id"), &uuid]);
            body.insert("uuid".into(), other.to_string().into());
        }
    }

    fn references(&self, object: &Body) -> Vec<Value> {
        let from = self.bundle.from.get(text(object, "id")).into_iter().flatten().map(|at| &self.bundle.objects[*at]);
        from.filter(|relation| !seal::is_companion(relation) && cluster_tag_at(self.bundle, relation).is_none())
            .map(|relation| {
                json!({
                    "uuid": back::uuid(text(relation, "id")), "relationship_type": text(relation, "relationship_type"),
                    "object_uuid": back::uuid(text(object, "id")), "referenced_uuid": back::uuid(text(relation, "target_ref")),
                    "comment": text(relation, "description"),
                })
            })
            .collect()
    }

    /// Clusters, sightings and words that others put around an attribute.
    fn surroundings(&self, body: &mut Body, object: &Body) {
        let id = text(object, "id");
        let relations = self.bundle.from.get(id).into_iter().flatten().map(|at| &self.bundle.objects[*at]);
        let tags = relations
            .filter(|relation| !seal::is_companion(relation))
            .filter_map(|relation| cluster_tag_at(self.bundle, relation));
        push_tags(body, tags.collect::<Vec<String>>());
        let about = self.bundle.about.get(id).into_iter().flatten().map(|at| &self.bundle.objects[*at]);
        for one in about.filter(|one| !seal::is_companion(one)) {
            if let Some(sighting) = sighting(one, self.bundle) {
                push(body, "Sighting", sighting);
            } else if let Some((name, said)) = words(one) {
                push(body, name, said);
            }
        }
    }

    /// A note about the report is said of the event.
    fn note(&mut self, object: &Body) {
        let about = ids_in(object, "object_refs");
        let whole = self.whole.map_or("", |whole| text(whole, "id"));
        let of_event = about.contains(&whole)
            || about.iter().all(|id| self.bundle.find(id).is_none_or(|object| !has_part(object)));
        if of_event && let Some((name, said)) = words(object) {
            push(&mut self.head, name, said);
        }
    }

    /// What a report says in words becomes a report of the event.
    fn described(&mut self) {
        let Some(whole) = self.whole.filter(|whole| seal::of(whole).is_none()) else { return };
        let description = text(whole, "description");
        if !description.is_empty() {
            self.reports.push(json!({
                "uuid": ids::derived(&["stix", "description", text(whole, "id")]), "name": text(whole, "name"), "content": description,
            }));
        }
    }

    fn closed(mut self) -> Value {
        push_tags(&mut self.head, std::mem::take(&mut self.tags));
        for (name, list) in [
            ("Attribute", self.attributes),
            ("Object", self.objects),
            ("EventReport", self.reports),
            ("ShadowAttribute", self.proposals),
        ] {
            if !list.is_empty() {
                self.head.insert(name.into(), list.into());
            }
        }
        self.head.into()
    }
}

fn push(body: &mut Body, name: &str, value: Value) {
    let list = body.entry(name.to_owned()).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}

/// Tags that are not there yet.
fn push_tags(body: &mut Body, names: impl IntoIterator<Item = String>) {
    let there = body.get("Tag").and_then(Value::as_array).into_iter().flatten();
    let mut known: HashSet<String> = there.filter_map(|tag| Some(tag["name"].as_str()?.to_owned())).collect();
    for name in names {
        if known.insert(name.clone()) {
            push(body, "Tag", json!({"name": name}));
        }
    }
}

fn is_observable(id: &str) -> bool {
    id.split_once("--").is_some_and(|(kind, _)| OBSERVABLE_KINDS.contains(&kind))
}

/// Does it become an attribute or object?
fn has_part(object: &Body) -> bool {
    matches!(
        text(object, "type"),
        "indicator" | "observed-data" | "x-misp-attribute" | "x-misp-object" | "vulnerability"
    )
}
