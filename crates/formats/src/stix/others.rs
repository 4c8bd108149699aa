//! What others say around an attribute: clusters, sightings, notes and opinions, as MISP has them.

use super::back::{self, Body, text};
use super::bundle::{Bundle, ids_in};
use super::{around, table};
use manara_model::record::parse_time;
use serde_json::{Value, json};

/// The tag of the cluster that an object is.
pub(super) fn cluster_tag(object: &Body) -> Option<String> {
    let kind = text(object, "type");
    if back::label(object, "name").is_some() || back::label(object, "type").is_some() {
        return None;
    }
    let attack = object
        .get("external_references")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|reference| reference["source_name"].as_str().is_some_and(|name| name.starts_with("mitre-")));
    let number = attack.and_then(|reference| reference["external_id"].as_str());
    let name =
        Some(text(object, "name")).filter(|name| !name.is_empty()).or_else(|| Some(text(object, "x_misp_value")))?;
    let galaxy = match back::label(object, "galaxy-type") {
        Some(galaxy) => galaxy,
        None if kind == "x-misp-galaxy-cluster" => text(object, "x_misp_type"),
        // One that has a number of its own is an attribute.
        None if kind == "vulnerability" => return None,
        None => table::galaxy_of(kind, number.is_some())?,
    };
    let name = match number.filter(|_| around::attack_number(name).is_none()) {
        Some(number) => format!("{name} - {number}"),
        None => name.to_owned(),
    };
    (!galaxy.is_empty() && !name.is_empty()).then(|| format!("misp-galaxy:{galaxy}=\"{name}\""))
}

/// The tag of what a relation points to.
pub(super) fn cluster_tag_at(bundle: &Bundle, relation: &Body) -> Option<String> {
    cluster_tag(bundle.find(text(relation, "target_ref"))?)
}

pub(super) fn sighting(object: &Body, bundle: &Bundle) -> Option<Value> {
    let kind = match text(object, "type") {
        "sighting" => "0",
        "opinion" if text(object, "explanation") == "False positive Sighting" => "1",
        _ => return None,
    };
    let seen = ["last_seen", "first_seen", "modified"].iter().find_map(|name| parse_time(text(object, name)))?;
    let by = ids_in(object, "where_sighted_refs")
        .into_iter()
        .chain(ids_in(object, "x_misp_author_ref"))
        .find_map(|id| bundle.find(id));
    let mut made = json!({
        "uuid": back::uuid(text(object, "id")), "type": kind, "date_sighting": seen.div_euclid(1000).to_string(),
        "source": text(object, "description"),
    });
    if let Some(by) = by {
        made["Organisation"] = json!({"name": text(by, "name"), "uuid": back::uuid(text(by, "id"))});
    }
    Some(made)
}

/// A note or an opinion.
pub(super) fn words(object: &Body) -> Option<(&'static str, Value)> {
    let authors = ids_in(object, "authors").join(", ");
    let uuid = back::uuid(text(object, "id"));
    let time = |name: &str| parse_time(text(object, name)).map(manara_model::record::rfc3339);
    match text(object, "type") {
        "note" => {
            let content = match text(object, "abstract") {
                "" => text(object, "content").to_owned(),
                title => format!("{title}\n\n{}", text(object, "content")),
            };
            Some((
                "Note",
                json!({
                    "uuid": uuid, "note": content, "authors": authors, "language": text(object, "lang"),
                    "created": time("created"), "modified": time("modified"),
                }),
            ))
        }
        "opinion" => {
            let share = object.get("x_misp_opinion").and_then(Value::as_i64).or(match text(object, "opinion") {
                "strongly-disagree" => Some(0),
                "disagree" => Some(25),
                "neutral" => Some(50),
                "agree" => Some(75),
                "strongly-agree" => Some(100),
                _ => None,
            })?;
            Some((
                "Opinion",
                json!({
                    "uuid": uuid, "opinion": share.to_string(), "comment": text(object, "explanation"), "authors": authors,
                    "created": time("created"), "modified": time("modified"),
                }),
            ))
        }
        _ => None,
    }
}
