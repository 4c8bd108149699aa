//! Documents that are kept whole: CSAF advisories, MISP's knowledge (taxonomies, galaxies, object
//! templates, warning lists), and any other JSON.

use crate::json::{self, Members};
use crate::stix;
use crate::{Input, InputError, ReadError};
use manara_model::observable::{Type, normalise};
use manara_model::record::{Found, PartDraft, RecordDraft, Rejection, Sink, Slot, parse_time};
use manara_model::{Marking, Tlp, ids};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::io::BufRead;

/// What kind of document this is: (kind, format).
pub(crate) fn classify(members: &Members<'_>) -> (&'static str, &'static str) {
    let has = |name: &str| members.get(name).is_some();
    let document = members.get("document").and_then(|raw| Members::parse(raw.get()).ok());
    if document.is_some_and(|document| document.get("csaf_version").is_some()) {
        ("advisory", "csaf")
    } else if has("namespace") && has("predicates") {
        ("taxonomy", "knowledge")
    } else if has("list") && has("version") && has("name") {
        ("warninglist", "knowledge")
    } else if has("meta-category") && has("attributes") {
        ("object-template", "knowledge")
    } else if has("values") && has("name") && (has("authors") || has("source")) {
        ("galaxy-clusters", "knowledge")
    } else if has("type") && has("uuid") && has("namespace") && has("version") {
        ("galaxy", "knowledge")
    } else {
        ("document", "json")
    }
}

/// Reads one JSON document.
pub(crate) fn document<S: Sink>(input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let text = input.text()?;
    let (name, base) = (input.name().to_owned(), input.base_name().to_owned());
    json::check(&name, &text, input.limits().depth)?;
    let raw: &RawValue = serde_json::from_str(&text).map_err(|e| json::located(&name, &e))?;
    one(&name, &base, raw, sink)
}

/// Reads JSON Lines: STIX objects (alone, or as `object` of a line), or other documents.
pub(crate) fn lines<S: Sink>(input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let (name, base, limits) = (input.name().to_owned(), input.base_name().to_owned(), input.limits());
    let mut reader = input.reader()?;
    let (mut line, mut number) = (Vec::new(), 0u64);
    let mut markings = stix::Markings::default();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut reader, limits.document).read_until(b'\n', &mut line);
        if read.map_err(|e| InputError::new(&name, format!("line {}", number + 1), e.to_string()))? == 0 {
            return Ok(());
        }
        number += 1;
        let place = format!("line {number}");
        let refuse = |reason: String| Rejection { file: name.clone(), place: place.clone(), reason };
        let Ok(text) = std::str::from_utf8(&line) else {
            sink.reject(refuse("is not UTF-8".into()));
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        if let Err(error) = json::check(&name, text, limits.depth) {
            sink.reject(refuse(error.reason));
            continue;
        }
        let raw: &RawValue = match serde_json::from_str(text) {
            Ok(raw) => raw,
            Err(error) => {
                sink.reject(refuse(format!("column {}: no valid JSON", error.column())));
                continue;
            }
        };
        let inner = Members::parse(raw.get()).ok().and_then(|members| members.get("object"));
        let raw = inner.unwrap_or(raw);
        let is_stix = Members::parse(raw.get()).is_ok_and(|members| {
            members.text("id").zip(members.text("type")).is_some_and(|(id, kind)| id.starts_with(&format!("{kind}--")))
        });
        if is_stix {
            stix::object(&name, &place, raw, &mut markings, sink)?;
        } else {
            one(&name, &format!("{base}#{number}"), raw, sink)?;
        }
    }
}

fn one<S: Sink>(file: &str, base: &str, raw: &RawValue, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let members = Members::parse(raw.get()).ok();
    let (kind, format) = members.as_ref().map_or(("document", "json"), classify);
    let text = |name: &str| members.as_ref().and_then(|members| members.text(name));
    let value: Value = if format == "csaf" { serde_json::from_str(raw.get()).unwrap_or_default() } else { Value::Null };
    let at = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let csaf_uuid = at("/document/tracking/id").map(|id| {
        ids::derived(&[
            "csaf",
            at("/document/publisher/namespace").unwrap_or_default(),
            id,
            at("/document/lang").unwrap_or_default(),
        ])
    });
    let own_uuid = text("uuid").and_then(|uuid| uuid.parse().ok()).filter(|_| format == "knowledge");
    let title = at("/document/title")
        .map(str::to_owned)
        .or_else(|| text("name").or_else(|| text("namespace")).or_else(|| text("title")));
    let tlp = at("/document/distribution/tlp/label").and_then(Tlp::parse);
    let draft = RecordDraft {
        // What two galaxies share as uuid differs by kind; what has none is known by its name.
        uuid: csaf_uuid.or(own_uuid).unwrap_or_else(|| ids::derived(&[kind, base])),
        kind: kind.into(),
        format: format.into(),
        title: title.unwrap_or_else(|| guessed_title(raw).unwrap_or_else(|| base.to_owned())),
        author: at("/document/publisher/name").map(str::to_owned),
        marking: Marking { tlp, ..Marking::default() },
        created: at("/document/tracking/initial_release_date").and_then(parse_time),
        modified: at("/document/tracking/current_release_date").and_then(parse_time),
        skeleton: raw.get().into(),
        digest: json::digest(raw.get()),
        text: text("description").unwrap_or_default(),
        source: file.into(),
        ..RecordDraft::default()
    };
    if !sink.begin(draft).map_err(ReadError::Sink)? {
        return Ok(());
    }
    let found = vulnerabilities(&value);
    if !found.is_empty() {
        let mut part = PartDraft::new(Slot::Whole, "");
        part.found = found;
        sink.part(part).map_err(ReadError::Sink)?;
    }
    sink.end().map_err(ReadError::Sink)
}

fn guessed_title(raw: &RawValue) -> Option<String> {
    let value: Value = serde_json::from_str(raw.get()).ok()?;
    let nested = value
        .as_object()?
        .values()
        .find_map(|inner| inner.pointer("/metadata/title").or_else(|| inner.get("title")))?;
    nested.as_str().map(str::to_owned)
}

/// The vulnerabilities that an advisory speaks of (CSAF 2.0 §3.2.3).
fn vulnerabilities(advisory: &Value) -> Vec<Found> {
    let Some(ty) = Type::by_name("cve") else { return Vec::new() };
    let all = advisory.get("vulnerabilities").and_then(Value::as_array).into_iter().flatten();
    let names: BTreeSet<&str> = all.filter_map(|v| v.get("cve").and_then(Value::as_str)).collect();
    let found = names.into_iter().filter_map(|name| normalise(ty, name).ok());
    found.map(|observable| Found { observable, detect: false }).collect()
}
