//! Reads bundles: each object is a record of its own, under its own identifier, kept byte for byte.

use super::facts::{self, StixDefinitions};
use super::observables;
use crate::json::{self, Members};
use crate::{Input, InputError, ReadError};
use manara_model::observable::Privacy;
use manara_model::record::{Found, PartDraft, RecordDraft, Rejection, Sink, Slot, parse_time};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashSet;

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
    let mut markings = Markings::of(&objects);
    for (n, raw) in objects.iter().enumerate() {
        object(&name, &format!("/objects/{n}"), raw, &mut markings, sink)?;
    }
    Ok(())
}

/// Unknown markings that are told of, in one file.
const TOLD: usize = 1000;

/// What a file says of markings.
#[derive(Default)]
pub(crate) struct Markings {
    defined: StixDefinitions,
    /// References that nobody knows and that were told of.
    told: HashSet<String>,
}

impl Markings {
    fn of(objects: &[&RawValue]) -> Self {
        Markings { defined: StixDefinitions::among(objects.iter().map(|raw| raw.get())), ..Markings::default() }
    }

    /// Is this to be told of? Each is, once.
    fn is_news(&mut self, reference: &str) -> bool {
        self.told.len() < TOLD && self.told.insert(reference.to_owned())
    }
}

/// Reads one object.
pub(crate) fn object<S: Sink>(
    file: &str,
    place: &str,
    raw: &RawValue,
    markings: &mut Markings,
    sink: &mut S,
) -> Result<(), ReadError<S::Error>> {
    let refuse = |place: String, reason: &str| Rejection { file: file.into(), place, reason: reason.into() };
    let Ok((object, twice)) = json::read(raw.get()) else {
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
    // Two readers would understand two things, of its marking as well.
    if let Some(twice) = twice {
        let twice: String = twice.chars().take(80).collect();
        sink.reject(refuse(place.into(), &format!("'{twice}' stands in it twice; leave one of them")));
        return Ok(());
    }
    let marked = match facts::marked(&object, &markings.defined) {
        Ok(marked) => marked,
        Err(why) => {
            sink.reject(refuse(place.into(), &why));
            return Ok(());
        }
    };
    for reference in marked.unknown.iter().filter(|reference| markings.is_news(reference)) {
        let reference: String = reference.chars().take(80).collect();
        let reason = format!(
            "the marking '{reference}' is not known here and counts as none; import its definition in the same file"
        );
        sink.warn(refuse(place.into(), &reason));
    }
    let labels = object.get("labels").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let tags: Vec<String> = labels.map(str::to_owned).collect();
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
        marking: marked.marking,
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
    if kind == "indicator"
        && sink.wants_unheld()
        && let Some(reason) = observables::unheld(&object)
    {
        sink.reject(refuse(format!("{place}/pattern"), &reason));
    }
    sink.end().map_err(ReadError::Sink)
}
