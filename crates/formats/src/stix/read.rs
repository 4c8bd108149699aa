//! Reads bundles: each object is a record of its own, under its own identifier, kept byte for byte.

use super::{marking, observables};
use crate::json::{self, Members};
use crate::{Input, InputError, ReadError};
use manara_model::Tlp;
use manara_model::observable::Privacy;
use manara_model::record::{Found, PartDraft, RecordDraft, Rejection, Sink, Slot, parse_time};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

pub(crate) fn read<S: Sink>(input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let text = input.text()?;
    let name = input.name().to_owned();
    json::check(&name, &text, input.limits().depth)?;
    let root = Members::parse(&text).map_err(|e| json::located(&name, &e))?;
    let objects = match root.list("objects") {
        Some(objects) => objects,
        None if root.get("objects").is_some() => {
            return Err(InputError::new(&name, "/objects", "is no list; a bundle's objects stand in a list").into());
        }
        // A bundle may be empty (STIX 2.1 §8), and an object may come alone.
        None if root.text("type").as_deref() == Some("bundle") => Vec::new(),
        None => vec![serde_json::from_str(&text).map_err(|e| json::located(&name, &e))?],
    };
    let defined = definitions(&objects);
    for (n, raw) in objects.iter().enumerate() {
        object(&name, &format!("/objects/{n}"), raw, &defined, sink)?;
    }
    Ok(())
}

/// TLP of the marking definitions that the bundle brings.
fn definitions(objects: &[&RawValue]) -> HashMap<String, Tlp> {
    let mut defined = HashMap::new();
    for raw in objects.iter().filter(|raw| raw.get().contains("marking-definition")) {
        let Ok(object) = serde_json::from_str::<Value>(raw.get()) else { continue };
        if object.get("type").and_then(Value::as_str) == Some("marking-definition")
            && let Some(id) = object.get("id").and_then(Value::as_str)
            && let Some(tlp) = object.as_object().and_then(marking::of_definition)
        {
            defined.insert(id.to_owned(), tlp);
        }
    }
    defined
}

/// Reads one object.
pub(crate) fn object<S: Sink>(
    file: &str,
    place: &str,
    raw: &RawValue,
    defined: &HashMap<String, Tlp>,
    sink: &mut S,
) -> Result<(), ReadError<S::Error>> {
    let refuse = |place: String, reason: &str| Rejection { file: file.into(), place, reason: reason.into() };
    let Ok(object) = serde_json::from_str::<Value>(raw.get()) else {
        sink.reject(refuse(
            place.into(),
            "can't be read as an object: a number is out of range, or a text is no Unicode",
        ));
        return Ok(());
    };
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let (Some(kind), Some(id)) = (text("type"), text("id")) else {
        sink.reject(refuse(place.into(), "a STIX object needs 'type' and 'id' (STIX 2.1 §3.2)"));
        return Ok(());
    };
    let Some(uuid) = id.strip_prefix(kind).and_then(|rest| rest.strip_prefix("--")).and_then(|uuid| uuid.parse().ok())
    else {
        let reason = format!(
            "'{}' is no STIX identifier: it is the type, two hyphens and a UUID",
            id.chars().take(80).collect::<String>()
        );
        sink.reject(refuse(format!("{place}/id"), &reason));
        return Ok(());
    };
    let references =
        object.get("object_marking_refs").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let own = (kind == "marking-definition").then(|| object.as_object().and_then(marking::of_definition)).flatten();
    let tlps: Vec<Tlp> = references
        .filter_map(|reference| defined.get(reference).copied().or_else(|| marking::of_reference(reference)))
        // A TLP definition itself is public knowledge.
        .chain(own.map(|_| Tlp::Clear))
        .collect();
    let labels = object.get("labels").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let tags: Vec<String> = labels.map(str::to_owned).collect();
    let tagged = manara_model::tag::read_marking(tags.iter().map(String::as_str));
    let (found, detect) = observables::of_object(&object);
    // A title is shown in lists: it must not spell what leaves as a pseudonym.
    let personal = found.iter().any(|observable| match observable.ty().row().privacy {
        Privacy::None => false,
        Privacy::Contact => !detect,
        Privacy::Person => true,
    });
    let title = [
        "name",
        "value",
        "pattern",
        "abstract",
        "opinion",
        "relationship_type",
        "path",
        "key",
        "user_id",
        "description",
    ]
    .iter()
    .find_map(|name| text(name))
    .filter(|_| !personal);
    let draft = RecordDraft {
        uuid,
        kind: kind.into(),
        format: "stix".into(),
        title: title.unwrap_or(id).into(),
        author: text("created_by_ref").map(str::to_owned),
        marking: marking::of_references(tlps.into_iter()).meet(&tagged.marking),
        tags,
        created: text("created").and_then(parse_time),
        modified: text("modified").and_then(parse_time),
        skeleton: String::new(),
        digest: json::digest_of(&object),
        text: text("description").filter(|_| !personal).unwrap_or_default().into(),
        source: file.into(),
    };
    if !sink.begin(draft).map_err(ReadError::Sink)? {
        return Ok(());
    }
    let mut part = PartDraft::new(Slot::Whole, raw.get());
    part.found = found.into_iter().map(|observable| Found { observable, detect }).collect();
    sink.part(part).map_err(ReadError::Sink)?;
    sink.end().map_err(ReadError::Sink)
}
