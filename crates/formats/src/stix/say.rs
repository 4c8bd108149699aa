//! MISP attributes and objects as STIX objects, by the table.

use super::graph::{Graph, Piece, millis};
use super::table::{self, Form, Template, Way};
use super::{back, pattern, seal};
use manara_model::observable::{misp_type, misp_value};
use manara_model::record::{flag_of, parse_time, text_of};
use manara_model::{Tlp, ids};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) use super::back::Body;

/// What holds for all objects of an event.
pub(super) struct Setting {
    pub(super) identity: String,
    /// The event's own TLP.
    pub(super) whole: Option<Tlp>,
    /// Its time, for what has none.
    pub(super) time: i64,
    /// What STIX can't say travels beside it.
    pub(super) sealed: bool,
}

/// Objects that say one thing; the last is the one that it is known by.
pub(super) struct Said(pub(super) Vec<Body>);

impl Said {
    pub(super) fn id(&self) -> String {
        self.0.last().and_then(|object| object["id"].as_str()).unwrap_or_default().to_owned()
    }
}

pub(super) fn text(body: &Body, name: &str) -> String {
    text_of(body.get(name)).unwrap_or_default().into_owned()
}

/// Tags that STIX objects have as labels; TLP are markings, galaxies are objects.
pub(super) fn labels(body: &Body) -> Vec<String> {
    let tags = body.get("Tag").and_then(Value::as_array).into_iter().flatten();
    let names = tags.filter_map(|tag| tag["name"].as_str());
    let mut labels: Vec<String> = names.filter(|name| back::is_label(name)).map(str::to_owned).collect();
    let mut seen = std::collections::HashSet::new();
    labels.retain(|label| seen.insert(label.clone()));
    labels
}

pub(super) fn time_of(body: &Body, name: &str) -> Option<i64> {
    parse_time(&text(body, name)).filter(|time| *time > 0)
}

/// Type, id, times, author and labels of an object that is known by a body.
pub(super) fn common(kind: &str, uuid: Uuid, body: &Body, setting: &Setting, own: &[String]) -> Body {
    let time = millis(time_of(body, "timestamp").unwrap_or(setting.time));
    let mut object = Body::new();
    object.insert("type".into(), kind.into());
    object.insert("spec_version".into(), "2.1".into());
    object.insert("id".into(), format!("{kind}--{uuid}").into());
    object.insert("created_by_ref".into(), setting.identity.clone().into());
    object.insert("created".into(), time.clone().into());
    object.insert("modified".into(), time.into());
    let labels: Vec<String> = own.iter().cloned().chain(labels(body)).collect();
    if !labels.is_empty() {
        object.insert("labels".into(), json!(labels));
    }
    object
}

fn put_text(object: &mut Body, name: &str, value: String) {
    if !value.is_empty() {
        object.insert(name.into(), value.into());
    }
}

/// The members of an indicator beside its pattern.
fn indicator(mut object: Body, pattern: String, language: &str, body: &Body, setting: &Setting) -> Body {
    let from = time_of(body, "first_seen").or_else(|| time_of(body, "timestamp")).unwrap_or(setting.time);
    object.insert("pattern".into(), pattern.into());
    object.insert("pattern_type".into(), language.into());
    if language == "stix" {
        object.insert("pattern_version".into(), "2.1".into());
    }
    object.insert("valid_from".into(), millis(from).into());
    if let Some(until) = time_of(body, "last_seen").filter(|until| *until > from) {
        object.insert("valid_until".into(), millis(until).into());
    }
    object
}

fn observed(mut object: Body, mut graph: Graph, body: &Body, setting: &Setting) -> Said {
    let time = time_of(body, "timestamp").unwrap_or(setting.time);
    let first = time_of(body, "first_seen").unwrap_or(time);
    let last = time_of(body, "last_seen").unwrap_or(first).max(first);
    graph.settle();
    let refs: Vec<Value> = graph.objects.iter().map(|object| object["id"].clone()).collect();
    object.insert("first_observed".into(), millis(first).into());
    object.insert("last_observed".into(), millis(last).into());
    object.insert("number_observed".into(), 1.into());
    object.insert("object_refs".into(), refs.into());
    let mut objects = graph.objects;
    objects.push(object);
    Said(objects)
}

/// The parts of a value, each in its place: as many as the type has components.
fn pieces(row: &table::AttributeRow, value: &str, data: &str, uuid: Uuid) -> Option<Vec<Piece>> {
    let own = row.places.iter().filter(|place| place.fixed.is_none() && !place.path.ends_with("payload_bin")).count();
    let mut parts = value.splitn(own, '|');
    let mut pieces = Vec::new();
    for place in &row.places {
        let (value, form) = match place.fixed {
            Some(fixed) => (fixed, place.form),
            None if place.path.ends_with("payload_bin") => (data, Form::Data),
            // A sample may be known by its name alone.
            None => match parts.next() {
                Some(part) => (part, place.form),
                None if row.ty == "malware-sample" => continue,
                None => return None,
            },
        };
        if !value.is_empty() || form != Form::Data {
            let mut piece = Piece::new(place, value, uuid);
            piece.form = form;
            pieces.push(piece);
        }
    }
    Some(pieces)
}

/// A proposal to change an attribute, as it is: nobody looks for its value yet.
pub(super) fn proposal(body: &Body, uuid: Uuid, tlp: Option<Tlp>, setting: &Setting) -> Said {
    let mut said = part(body, uuid, tlp, setting, true);
    if let Some(object) = said.0.last_mut() {
        seal::add(object, "slot", "ShadowAttribute".into());
    }
    said
}

/// An attribute.
pub(super) fn attribute(body: &Body, uuid: Uuid, tlp: Option<Tlp>, setting: &Setting) -> Said {
    part(body, uuid, tlp, setting, false)
}

fn part(body: &Body, uuid: Uuid, tlp: Option<Tlp>, setting: &Setting, as_it_is: bool) -> Said {
    let (ty, raw) = (text(body, "type"), text(body, "value"));
    let known = misp_type(&ty);
    let detect = body.get("to_ids").map_or(known.is_some_and(|ty| ty.to_ids), |flag| flag_of(Some(flag)));
    let value = known.and_then(|ty| misp_value(ty, &raw).ok());
    let own = [format!("misp:type=\"{ty}\""), format!("misp:category=\"{}\"", text(body, "category"))];
    let deleted = flag_of(body.get("deleted"));
    let build = |value: &str| -> Option<Said> {
        let row = table::attribute(&ty)?;
        match row.way {
            Way::Rule if detect && !value.is_empty() => {
                let language = row.places.first()?.path;
                let mut object = common("indicator", uuid, body, setting, &own);
                put_text(&mut object, "description", text(body, "comment"));
                Some(Said(vec![indicator(object, value.into(), language, body, setting)]))
            }
            Way::Domain => {
                let place = row.places.first()?;
                let mut object = common(place.object, uuid, body, setting, &own);
                put_text(&mut object, place.path, value.into());
                object.get(place.path)?;
                put_text(&mut object, "description", text(body, "comment"));
                if value.to_ascii_uppercase().starts_with("CVE-") {
                    object.insert("external_references".into(), json!([{"source_name": "cve", "external_id": value}]));
                }
                Some(Said(vec![object]))
            }
            Way::Observable | Way::Pattern => {
                let pieces = pieces(
                    row,
                    value,
                    if detect { "" } else { body.get("data").and_then(Value::as_str).unwrap_or("") },
                    uuid,
                )?;
                if detect {
                    let mut object = common("indicator", uuid, body, setting, &own);
                    put_text(&mut object, "description", text(body, "comment"));
                    return Some(Said(vec![indicator(object, pattern::of(&pieces)?, "stix", body, setting)]));
                }
                if row.way == Way::Pattern {
                    return None;
                }
                let mut graph = Graph::new(pieces.first()?.object.as_str(), uuid);
                let fits = pieces.iter().all(|piece| graph.put(piece)) && graph.complete();
                fits.then(|| observed(common("observed-data", uuid, body, setting, &own), graph, body, setting))
            }
            _ => None,
        }
    };
    let mut said = value
        .filter(|value| !value.is_empty() && !deleted && !as_it_is)
        .and_then(|value| build(&value))
        .unwrap_or_else(|| {
            let mut object = common("x-misp-attribute", uuid, body, setting, &own);
            if deleted {
                object.insert("revoked".into(), true.into());
            }
            object.insert("x_misp_type".into(), ty.clone().into());
            object.insert("x_misp_category".into(), text(body, "category").into());
            object.insert("x_misp_value".into(), raw.clone().into());
            put_text(&mut object, "x_misp_comment", text(body, "comment"));
            Said(vec![object])
        });
    close(&mut said, body, tlp, setting);
    said
}

/// Marks what was made, and puts beside it what would not come back.
fn close(said: &mut Said, body: &Body, tlp: Option<Tlp>, setting: &Setting) {
    said.0.iter_mut().for_each(|object| mark(object, tlp));
    let find = |id: &str| said.0.iter().find(|object| object["id"] == id);
    let read = said.0.last().and_then(|object| back::attribute(object, &find, setting.whole)).unwrap_or_default();
    let residue = seal::residue(&read, body, seal::spoken(tlp, [body]));
    if let Some(object) = said.0.last_mut().filter(|_| setting.sealed) {
        seal::put(object, residue);
    }
}

/// Marks an object.
pub(super) fn mark(object: &mut Body, tlp: Option<Tlp>) {
    if let Some(tlp) = tlp {
        object.insert("object_marking_refs".into(), json!([super::marking::reference(tlp)]));
    }
}

/// Objects with more attributes than this go as they are: no observable has so many properties.
const MOST: usize = 1000;

/// An object with its attributes; `tlp`: the strictest of all.
pub(super) fn object(
    body: &Body,
    attributes: &[(Uuid, Body)],
    uuid: Uuid,
    tlp: Option<Tlp>,
    setting: &Setting,
) -> Said {
    let (name, meta) = (text(body, "name"), text(body, "meta-category"));
    let own = [format!("misp:name=\"{name}\""), format!("misp:meta-category=\"{meta}\"")];
    let detect = attributes.iter().any(|(_, attribute)| flag_of(attribute.get("to_ids")));
    let deleted = flag_of(body.get("deleted"));
    let made = table::template(&name)
        .filter(|_| !deleted && attributes.len() <= MOST)
        .and_then(|template| said(template, body, attributes, uuid, detect, &own, setting));
    let mut said = made.unwrap_or_else(|| {
        let mut object = common("x-misp-object", uuid, body, setting, &own);
        if deleted {
            object.insert("revoked".into(), true.into());
        }
        object.insert("x_misp_name".into(), name.into());
        object.insert("x_misp_meta_category".into(), meta.into());
        put_text(&mut object, "x_misp_comment", text(body, "comment"));
        // Those members that misp-stix knows.
        let known = ["uuid", "type", "object_relation", "value", "category", "to_ids", "comment", "data"];
        let member = |attribute: &Body, name: &str| {
            Some((name.to_owned(), attribute.get(name).filter(|value| !value.is_null())?.clone()))
        };
        let plain = |attribute: &Body| Value::Object(known.iter().filter_map(|name| member(attribute, name)).collect());
        let all: Vec<Value> = attributes.iter().map(|(_, attribute)| plain(attribute)).collect();
        object.insert("x_misp_attributes".into(), all.into());
        Said(vec![object])
    });
    said.0.iter_mut().for_each(|object| mark(object, tlp));
    let find = |id: &str| said.0.iter().find(|object| object["id"] == id);
    let Some((read, found)) = said.0.last().and_then(|object| back::object_plain(object, &find, setting.whole)) else {
        return said;
    };
    let bodies = std::iter::once(body).chain(attributes.iter().map(|(_, attribute)| attribute));
    let mut residue = seal::residue(&read, body, seal::spoken(tlp, bodies));
    residue.insert("attributes".into(), seal::listed(attributes, &found).into());
    if let Some(object) = said.0.last_mut() {
        seal::put(object, residue);
    }
    said
}

/// An object by its template; `None`: it does not fit, and goes as it is.
fn said(
    template: &'static Template,
    body: &Body,
    attributes: &[(Uuid, Body)],
    uuid: Uuid,
    detect: bool,
    own: &[String],
    setting: &Setting,
) -> Option<Said> {
    let comment = text(body, "comment");
    if template.way == Way::Rule {
        let of = |path: &str| {
            let relation = template.relations.iter().find(|relation| relation.place.path == path)?;
            attributes
                .iter()
                .map(|(_, attribute)| attribute)
                .find(|attribute| text(attribute, "object_relation") == relation.name)
        };
        let pattern = of("pattern").map(|attribute| text(attribute, "value")).filter(|text| !text.is_empty())?;
        let mut object = common("indicator", uuid, body, setting, own);
        for path in ["name", "description"] {
            put_text(&mut object, path, of(path).map(|attribute| text(attribute, "value")).unwrap_or_default());
        }
        return Some(Said(vec![indicator(object, pattern, template.object, body, setting)]));
    }
    let mut pieces: Vec<Piece> =
        template.fixed.iter().filter_map(|place| Some(Piece::new(place, place.fixed?, uuid))).collect();
    let mut graph = Graph::new(template.object, uuid);
    pieces.iter().for_each(|piece| {
        graph.put(piece);
    });
    let mut placed = 0;
    let mut more: Vec<(String, String)> = Vec::new();
    for (own_uuid, attribute) in attributes.iter().filter(|(_, attribute)| !flag_of(attribute.get("deleted"))) {
        let (relation, raw) = (text(attribute, "object_relation"), text(attribute, "value"));
        let valid = misp_type(&text(attribute, "type")).and_then(|ty| misp_value(ty, &raw).ok());
        let row = template.relations.iter().find(|row| row.name == relation);
        if let (Some(row), Some(valid)) = (row, valid) {
            let data = text(attribute, "data");
            let value = if row.place.form == Form::Data { data } else { valid };
            let piece = Piece::new(&row.place, &value, *own_uuid);
            if detect && template.way != Way::Domain {
                if row.place.form != Form::Data && super::graph::typed(piece.form, &value).is_some() {
                    placed += 1;
                    pieces.push(piece);
                    continue;
                }
            } else if graph.put(&piece) {
                placed += 1;
                continue;
            }
        }
        more.push((relation, raw));
    }
    if placed == 0 {
        return None;
    }
    if detect && template.way != Way::Domain {
        let mut object = common("indicator", uuid, body, setting, own);
        put_text(&mut object, "description", comment);
        return Some(Said(vec![indicator(object, pattern::of(&pieces)?, "stix", body, setting)]));
    }
    graph.rootless();
    if !graph.complete() {
        return None;
    }
    // What has no place stands beside it, as misp-stix writes it.
    if let Some(first) = graph.objects.first_mut() {
        for (relation, value) in more {
            let name: String = relation
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
                .collect();
            if name.is_empty() || name.len() > 200 {
                continue;
            }
            let name = format!("x_misp_{name}");
            match first.get_mut(&name) {
                None => {
                    first.insert(name, value.into());
                }
                Some(Value::Array(list)) => list.push(value.into()),
                Some(one) => *one = json!([one.clone(), value]),
            }
        }
    }
    if template.way == Way::Domain {
        let mut object = common(template.object, uuid, body, setting, own);
        let made = graph.objects.into_iter().next()?;
        for (name, value) in made {
            object.entry(name).or_insert(value);
        }
        return Some(Said(vec![object]));
    }
    Some(observed(common("observed-data", uuid, body, setting, own), graph, body, setting))
}

/// The identifier that stands for a part without one.
pub(super) fn uuid_of(body: &Body, whole: &str, place: u32) -> Uuid {
    body.get("uuid")
        .and_then(Value::as_str)
        .and_then(|uuid| uuid.parse().ok())
        .unwrap_or_else(|| ids::derived(&["stix", whole, &place.to_string()]))
}
