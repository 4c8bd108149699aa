//! Events as reports and groupings, their reports as notes; and back.

use super::back::{self, Body, Find};
use super::graph::millis;
use super::say::{Setting, common, labels, mark, text, time_of};
use super::seal;
use manara_model::Tlp;
use manara_model::record::{flag_of, parse_time};
use serde_json::{Value, json};
use uuid::Uuid;

/// By this label misp-stix knows that the other labels say what is what in MISP.
const TOOL: &str = "misp:tool=\"MISP-STIX-Converter\"";

/// The kind of object that an event is.
pub(super) fn kind(body: &Body) -> &'static str {
    if flag_of(body.get("published")) { "report" } else { "grouping" }
}

/// The event itself, with what it holds.
pub(super) fn event(
    body: &Body,
    uuid: Uuid,
    tlp: Option<Tlp>,
    title: &str,
    refs: Vec<String>,
    author: &Body,
    setting: &Setting,
) -> Body {
    let kind = kind(body);
    let mut object = common(kind, uuid, &Body::new(), setting, &[]);
    let modified = time_of(body, "timestamp").unwrap_or(setting.time);
    let created = parse_time(&text(body, "date")).filter(|date| *date <= modified).unwrap_or(modified);
    object.insert("created".into(), millis(created).into());
    object.insert("modified".into(), millis(modified).into());
    let mut labels = labels(body);
    if setting.sealed {
        labels.insert(0, TOOL.to_owned());
    }
    if !labels.is_empty() {
        object.insert("labels".into(), json!(labels));
    }
    object.insert("name".into(), if title.is_empty() { "-" } else { title }.into());
    if kind == "report" {
        let published = time_of(body, "publish_timestamp").unwrap_or(modified);
        object.insert("report_types".into(), json!(["threat-report"]));
        object.insert("published".into(), millis(published).into());
    } else {
        object.insert("context".into(), "suspicious-activity".into());
    }
    object.insert("object_refs".into(), refs.into());
    mark(&mut object, tlp);
    if setting.sealed {
        let read = event_plain(&object, &|id| (author["id"] == id).then_some(author));
        seal::put(&mut object, seal::residue(&read, body, seal::spoken(tlp, [body])));
    }
    object
}

/// The event that a report or grouping is by itself, without its parts.
pub(super) fn event_plain<'a>(object: &'a Body, find: &Find<'_, 'a>) -> Body {
    let mut body = Body::new();
    body.insert("uuid".into(), back::uuid(back::text(object, "id")).into());
    body.insert("info".into(), object.get("name").cloned().unwrap_or_default());
    let stamp = |name: &str| parse_time(back::text(object, name)).map(|millis| millis.div_euclid(1000).to_string());
    if let Some(date) = back::text(object, "created").get(..10) {
        body.insert("date".into(), date.into());
    }
    if let Some(time) = stamp("modified") {
        body.insert("timestamp".into(), time.into());
    }
    if let Some(time) = stamp("published") {
        body.insert("publish_timestamp".into(), time.into());
    }
    body.insert("published".into(), (back::text(object, "type") == "report").into());
    if let Some(author) = find(back::text(object, "created_by_ref"))
        && let Some(name) = author.get("name")
    {
        body.insert("Orgc".into(), json!({"name": name, "uuid": back::uuid(back::text(author, "id"))}));
    }
    let tags = back::tags(object, find, None);
    if !tags.is_empty() {
        body.insert("Tag".into(), tags.into());
    }
    body
}

const REPORT: &str = "misp:data-layer=\"Event Report\"";

/// An event's report, as a note about it.
pub(super) fn report(body: &Body, uuid: Uuid, tlp: Option<Tlp>, about: &str, setting: &Setting) -> Body {
    let mut object = common("note", uuid, body, setting, &[REPORT.to_owned()]);
    let (name, content) = (text(body, "name"), text(body, "content"));
    if !name.is_empty() {
        object.insert("abstract".into(), name.into());
    }
    object.insert("content".into(), if content.is_empty() { "-".into() } else { content }.into());
    object.insert("object_refs".into(), json!([about]));
    if flag_of(body.get("deleted")) {
        object.insert("revoked".into(), true.into());
    }
    mark(&mut object, tlp);
    let read = report_plain(&object);
    seal::put(&mut object, seal::residue(&read, body, seal::spoken(tlp, [body])));
    object
}

/// Is this note a report of an event?
pub(super) fn is_report(object: &Body) -> bool {
    let labels = object.get("labels").and_then(Value::as_array);
    labels.is_some_and(|labels| labels.iter().any(|label| label == REPORT))
}

/// The report that a note is by itself.
pub(super) fn report_plain(object: &Body) -> Body {
    let mut body = Body::new();
    body.insert("uuid".into(), back::uuid(back::text(object, "id")).into());
    body.insert("name".into(), object.get("abstract").cloned().unwrap_or_else(|| "".into()));
    body.insert("content".into(), object.get("content").cloned().unwrap_or_default());
    if let Some(time) = parse_time(back::text(object, "modified")) {
        body.insert("timestamp".into(), time.div_euclid(1000).to_string().into());
    }
    if object.get("revoked") == Some(&Value::Bool(true)) {
        body.insert("deleted".into(), true.into());
    }
    body
}
