//! What stands around a part or an event: clusters of galaxies, sightings, notes, opinions. All of it is said in
//! full by what it stands around, and is there for those who don't read that.

use super::back::Body;
use super::graph::millis;
use super::say::{Setting, mark, text};
use super::{seal, table};
use manara_model::record::parse_time;
use manara_model::{Tlp, ids};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One object for all records that name it: a time that does not change with them.
pub(super) const ALWAYS: &str = "2015-12-21T00:00:00.000Z";

/// Is it there for those who don't read what it stands around?
pub(super) fn is_around(object: &Body) -> bool {
    object["type"] != "identity" || object.contains_key("labels")
}

fn list<'a>(body: &'a Body, name: &str) -> impl Iterator<Item = &'a Body> {
    body.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn made(value: Value) -> Body {
    if let Value::Object(map) = value { map } else { Body::new() }
}

/// An organisation.
pub(super) fn identity(name: &str, uuid: &str) -> Body {
    made(json!({
        "type": "identity", "spec_version": "2.1", "id": format!("identity--{uuid}"), "created": ALWAYS, "modified": ALWAYS,
        "name": name, "identity_class": "organization",
    }))
}

/// An organisation of a body, as its identity.
pub(super) fn organisation(body: &Body, member: &str) -> Option<Body> {
    let org = body.get(member)?.as_object()?;
    let name = text(org, "name");
    let uuid = text(org, "uuid").parse::<uuid::Uuid>().unwrap_or_else(|_| ids::derived(&["org", &name]));
    (!name.is_empty()).then(|| identity(&name, &uuid.to_string()))
}

/// The clusters that a body names, by galaxy and name: their bodies where they came along.
fn clusters(body: &Body) -> BTreeMap<(String, String), Body> {
    let mut found = BTreeMap::new();
    for tag in list(body, "Tag") {
        let name = text(tag, "name");
        let split = name.strip_prefix("misp-galaxy:").and_then(|rest| rest.split_once("=\""));
        if let Some((galaxy, value)) = split {
            found.entry((galaxy.to_owned(), value.trim_end_matches('"').to_owned())).or_insert_with(Body::new);
        }
    }
    for cluster in list(body, "Galaxy").flat_map(|galaxy| list(galaxy, "GalaxyCluster")) {
        let (galaxy, value) = (text(cluster, "type"), text(cluster, "value"));
        if !galaxy.is_empty() && !value.is_empty() {
            found.insert((galaxy, value), cluster.clone());
        }
    }
    found
}

/// `T1059` or `G0007` at the end of a cluster's name is its number in ATT&CK.
pub(super) fn attack_number(name: &str) -> Option<&str> {
    let (_, number) = name.rsplit_once(" - ")?;
    let digits = number.strip_prefix(['T', 'G', 'S', 'M', 'C', 'A'])?;
    let plain = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then_some(number)
}

fn cluster(galaxy: &str, name: &str, body: &Body) -> Body {
    let kind = table::galaxy_object(galaxy).filter(|kind| *kind != "location").unwrap_or("x-misp-galaxy-cluster");
    let given = text(body, "uuid").parse::<uuid::Uuid>();
    let uuid = given.unwrap_or_else(|_| ids::derived(&["galaxy", galaxy, name]));
    let mut object = made(json!({
        "type": kind, "spec_version": "2.1", "id": format!("{kind}--{uuid}"), "created": ALWAYS, "modified": ALWAYS, "name": name,
        "labels": [format!("misp:galaxy-type=\"{galaxy}\"")],
    }));
    let description = text(body, "description");
    if !description.is_empty() {
        object.insert("description".into(), description.into());
    }
    let meta = body.get("meta").and_then(Value::as_object);
    let synonyms = meta.and_then(|meta| meta.get("synonyms")).and_then(Value::as_array).filter(|list| !list.is_empty());
    match kind {
        "malware" => {
            object.insert("is_family".into(), true.into());
        }
        "identity" => {
            object.insert("identity_class".into(), "class".into());
        }
        "x-misp-galaxy-cluster" => {
            for (member, value) in [("x_misp_type", galaxy), ("x_misp_value", name)] {
                object.insert(member.into(), value.into());
            }
            object.shift_remove("name");
        }
        _ => {}
    }
    if let Some(synonyms) = synonyms
        && matches!(kind, "malware" | "threat-actor" | "intrusion-set" | "tool" | "campaign" | "attack-pattern")
        && synonyms.iter().all(Value::is_string)
    {
        object.insert("aliases".into(), synonyms.clone().into());
    }
    if let Some(number) = attack_number(name) {
        object.insert("external_references".into(), json!([{"source_name": "mitre-attack", "external_id": number}]));
    }
    object
}

/// A relation of two objects.
fn relationship(kind: &str, from: &str, to: &str, setting: &Setting) -> Body {
    let time = millis(setting.time);
    made(json!({
        "type": "relationship", "spec_version": "2.1",
        "id": format!("relationship--{}", ids::derived(&["stix", "relationship", kind, from, to])),
        "created_by_ref": setting.identity, "created": time, "modified": time,
        "relationship_type": kind, "source_ref": from, "target_ref": to,
    }))
}

fn sighting(sighting: &Body, id: &str) -> Option<Vec<Body>> {
    let uuid: uuid::Uuid = text(sighting, "uuid").parse().ok()?;
    let time = millis(parse_time(&text(sighting, "date_sighting"))?);
    let org = organisation(sighting, "Organisation");
    let mut object = match text(sighting, "type").as_str() {
        "0" | "" => made(json!({
            "type": "sighting", "spec_version": "2.1", "id": format!("sighting--{uuid}"), "created": time, "modified": time,
            "sighting_of_ref": id,
        })),
        "1" => made(json!({
            "type": "opinion", "spec_version": "2.1", "id": format!("opinion--{uuid}"), "created": time, "modified": time,
            "explanation": "False positive Sighting", "opinion": "strongly-disagree", "object_refs": [id],
        })),
        // That it expires is said where it stands.
        _ => return None,
    };
    let source = text(sighting, "source");
    if let Some(org) = &org {
        match object["type"] == "sighting" {
            true => object.insert("where_sighted_refs".into(), json!([org["id"]])),
            false => object.insert("authors".into(), json!([org["name"]])),
        };
    }
    if object["type"] == "sighting" && !source.is_empty() {
        object.insert("description".into(), source.into());
    }
    Some(org.into_iter().chain([object]).collect())
}

/// Words for a share of a hundred, as misp-stix has them.
fn level(opinion: i64) -> &'static str {
    match opinion {
        81.. => "strongly-agree",
        61.. => "agree",
        41.. => "neutral",
        21.. => "disagree",
        _ => "strongly-disagree",
    }
}

fn said_about(note: &Body, opinion: bool, id: &str, setting: &Setting) -> Option<Body> {
    let uuid: uuid::Uuid = text(note, "uuid").parse().ok()?;
    let time = |name: &str| parse_time(&text(note, name));
    let created = time("created").unwrap_or(setting.time);
    let modified = time("modified").unwrap_or(created).max(created);
    let kind = if opinion { "opinion" } else { "note" };
    let mut object = made(json!({
        "type": kind, "spec_version": "2.1", "id": format!("{kind}--{uuid}"), "created": millis(created),
        "modified": millis(modified), "object_refs": [id],
    }));
    if opinion {
        let value: i64 = text(note, "opinion").parse().ok()?;
        object.insert("labels".into(), json!(["misp:context-layer=\"Analyst Opinion\""]));
        object.insert("opinion".into(), level(value).into());
        object.insert("x_misp_opinion".into(), value.into());
        if !text(note, "comment").is_empty() {
            object.insert("explanation".into(), text(note, "comment").into());
        }
    } else {
        object.insert("labels".into(), json!(["misp:context-layer=\"Analyst Note\""]));
        object.insert("content".into(), Some(text(note, "note")).filter(|text| !text.is_empty())?.into());
    }
    if !text(note, "authors").is_empty() {
        object.insert("authors".into(), json!([text(note, "authors")]));
    }
    Some(object)
}

/// What an event that holds nothing holds: a report has to hold something.
pub(super) fn empty(id: &str, tlp: Option<Tlp>, setting: &Setting) -> Body {
    let time = millis(setting.time);
    let mut note = made(json!({
        "type": "note", "spec_version": "2.1", "id": format!("note--{}", ids::derived(&["stix", "empty", id])),
        "created_by_ref": setting.identity, "created": time, "modified": time, "object_refs": [id],
        "content": "This event holds nothing that may be passed on.",
    }));
    seal::companion(&mut note);
    mark(&mut note, tlp);
    note
}

/// All that stands around a body that is known as `id`, and organisations that it speaks of.
pub(super) fn of(body: &Body, id: &str, tlp: Option<Tlp>, setting: &Setting) -> Vec<Body> {
    let mut all = Vec::new();
    for ((galaxy, name), cluster_body) in clusters(body) {
        let made = cluster(&galaxy, &name, &cluster_body);
        let target = made["id"].as_str().unwrap_or_default().to_owned();
        all.push(made);
        if !id.starts_with("report--") && !id.starts_with("grouping--") {
            let kind =
                if id.starts_with("indicator--") && !target.starts_with("x-misp") { "indicates" } else { "related-to" };
            all.push(relationship(kind, id, &target, setting));
        }
    }
    all.extend(list(body, "Sighting").filter_map(|one| sighting(one, id)).flatten());
    for (name, opinion) in [("Note", false), ("Opinion", true)] {
        all.extend(list(body, name).filter_map(|note| said_about(note, opinion, id, setting)));
    }
    for object in &mut all {
        if is_around(object) {
            seal::companion(object);
            mark(object, tlp);
        }
    }
    all
}
