//! Feeds of MISP's own format: a manifest that names the events with their clocks, and a file for each.

use super::list::no_page;
use super::source::{Got, Known, Source};
use super::{FeedError, FeedReport, Taker};
use crate::answer::Fault;
use crate::body::{Body, Given, LISTS};
use crate::search::filter::span;
use crate::search::values::like;
use crate::sync::without_local_tags;
use manara_formats::Input;
use manara_model::record::{Slot, seconds_of, telling, text_of};
use manara_store::view::{Span, Which};
use serde_json::{Map, Value};
use std::io::{Seek, SeekFrom, Write};
use uuid::Uuid;

/// Most bytes of one event.
const LARGEST: u64 = 1 << 30;
/// What is kept in memory of an event that is made ready.
const IN_MEMORY: usize = 8 << 20;

/// Which of a manifest's events are wanted.
pub(super) struct Rules {
    tags: [Vec<String>; 2],
    orgs: [Vec<String>; 2],
    touched: Span,
}

impl Rules {
    /// As the feed is set up: names of tags and organisations (`%` is anything), one of which must fit (OR)
    /// or none may (NOT); and how far back.
    pub(super) fn of(rules: Option<&Value>, now: i64) -> Result<Rules, FeedError> {
        let rules = object_of(rules, "rules")?;
        let names = |pointer: &str| -> Vec<String> {
            let list = rules.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|name| text_of(Some(name)).map(|name| name.trim().to_lowercase())).collect()
        };
        let params = object_of(rules.get("url_params"), "rules.url_params")?;
        let touched =
            span(params.get("timestamp"), now, "timestamp").map_err(|fault| FeedError::Setup(fault.message))?;
        Ok(Rules {
            tags: [names("/tags/OR"), names("/tags/NOT")],
            orgs: [names("/orgs/OR"), names("/orgs/NOT")],
            touched,
        })
    }

    /// Is an event wanted, by what the manifest says of it?
    pub(super) fn fits(&self, said: &Value) -> bool {
        let tags = said.get("Tag").and_then(Value::as_array).into_iter().flatten();
        let tags: Vec<String> =
            tags.filter_map(|tag| text_of(tag.get("name")).map(|name| name.to_lowercase())).collect();
        let org = |name: &str| said.get("Orgc").and_then(|org| text_of(org.get(name))).map(|text| text.to_lowercase());
        let orgs: Vec<String> = ["name", "uuid"].into_iter().filter_map(org).collect();
        let any = |have: &[String], patterns: &[String]| {
            have.iter().any(|one| patterns.iter().any(|pattern| like(one, pattern)))
        };
        let good = |have: &[String], [or, not]: &[Vec<String>; 2]| (or.is_empty() || any(have, or)) && !any(have, not);
        let stamp = seconds_of(said.get("timestamp"));
        good(&tags, &self.tags)
            && good(&orgs, &self.orgs)
            && self.touched.from.is_none_or(|from| stamp >= from)
            && self.touched.until.is_none_or(|until| stamp <= until)
    }
}

/// An object that may come as a text.
fn object_of(value: Option<&Value>, name: &str) -> Result<Value, FeedError> {
    match value {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            serde_json::from_str(text).map_err(|_| FeedError::Setup(format!("{name} can't be read: it is no JSON")))
        }
        Some(Value::String(_)) => Ok(Value::Null),
        value => Ok(value.cloned().unwrap_or_default()),
    }
}

/// The manifest: events by their identifiers, with what it says of each.
pub(super) fn manifest(input: &mut Input) -> Result<Map<String, Value>, FeedError> {
    no_page(input)?;
    let name = input.name().to_owned();
    let reader = input.reader().map_err(|error| FeedError::Content(error.to_string()))?;
    serde_json::from_reader(reader).map_err(|error| {
        FeedError::Content(format!("{name} is no manifest of a MISP feed: {}", telling(&error.to_string())))
    })
}

/// Does something with each event that a manifest names. What is wrong with one is told, and stops no other; where
/// the server is gone, the rest waits for the next time.
///
/// # Errors
/// This side's own.
pub(super) fn each_event(
    source: &Source<'_>,
    events: &Map<String, Value>,
    report: &mut FeedReport,
    mut work: impl FnMut(Uuid, &Value, &mut FeedReport) -> Result<(), FeedError>,
) -> Result<(), FeedError> {
    for (n, (name, said)) in events.iter().enumerate() {
        source.beat(n, events.len())?;
        let Ok(uuid) = name.parse::<Uuid>() else {
            report.fails(format!("'{}' in the manifest is no identifier", telling(name)));
            continue;
        };
        match work(uuid, said, report) {
            Ok(()) => {}
            Err(error @ FeedError::Gone(_)) => {
                report.fails(error);
                break;
            }
            Err(FeedError::Here(fault)) if fault.status >= 500 => return Err(fault.into()),
            Err(error) => report.fails(format!("event {uuid}: {error}")),
        }
    }
    Ok(())
}

/// The event in a file.
pub(super) fn event_in(input: &mut Input) -> Result<Body, FeedError> {
    no_page(input)?;
    let name = input.name().to_owned();
    let reader = input.reader().map_err(|error| FeedError::Content(error.to_string()))?;
    let body = Body::take(reader, LARGEST)?;
    body.ok_or_else(|| FeedError::Content(format!("{name} has more than {LARGEST} bytes")))
}

impl Taker<'_> {
    /// Fetches events that are new or newer; by what the manifest is known from now on.
    pub(super) fn fetch_events(
        &self,
        known: Option<&Known>,
        report: &mut FeedReport,
    ) -> Result<Option<Known>, FeedError> {
        let rules = Rules::of(self.entry.body.get("rules"), self.context.now)?;
        // Said before anything comes: an event is not to come in without its mark.
        self.tag()?;
        let Some(Got { mut input, known }) = self.source.get(&self.source.beside("manifest.json"), known)? else {
            report.unmodified = true;
            return Ok(None);
        };
        let events = manifest(&mut input)?;
        drop(input);
        report.offered = events.len();
        each_event(self.source, &events, report, |uuid, said, report| {
            if rules.fits(said) {
                return self.fetch_event(uuid, said, report);
            }
            report.filtered += 1;
            Ok(())
        })?;
        Ok(Some(known))
    }

    fn fetch_event(&self, uuid: Uuid, said: &Value, report: &mut FeedReport) -> Result<(), FeedError> {
        let held = self.own_view()?.event(Which::Uuid(uuid))?;
        if let Some(held) = &held {
            if !held.locked {
                report.skip("ours: it was written here");
                return Ok(());
            }
            if held.touched >= seconds_of(said.get("timestamp")) {
                report.unchanged += 1;
                return Ok(());
            }
        }
        let author = said.get("Orgc").and_then(|org| text_of(org.get("uuid"))).unwrap_or_default();
        let store = self.context.store;
        if store.entry_named("eventblocklist", &uuid.to_string())?.is_some()
            || store.entry_named("orgblocklist", &author)?.is_some()
        {
            report.skip("blocked here");
            return Ok(());
        }
        let name = format!("{uuid}.json");
        let Some(Got { mut input, .. }) = self.source.get(&self.source.beside(&name), None)? else { return Ok(()) };
        let body = event_in(&mut input)?;
        drop(input);
        let given = body.event().map_err(|_| FeedError::Content(format!("{name} is no event, or not all of it")))?;
        if text_of(given.head.get("uuid")).and_then(|own| own.parse::<Uuid>().ok()) != Some(uuid) {
            return Err(FeedError::Content(format!("{name} holds another event")));
        }
        let known = held.is_some();
        // What another organisation of the node holds is not ours: our own copy goes as far as the feed says.
        let ours = held.is_some_and(|held| held.head.label.owner == self.org());
        let ready = self.ready(&given, ours)?;
        self.write(known.then_some(uuid), ready, &name, report)?;
        if known {
            report.updated += 1;
        } else {
            report.added += 1;
        }
        Ok(())
    }

    /// The event as it is to be written: its head as the feed is set up, its parts one after the other.
    fn ready(&self, given: &Given<'_>, ours: bool) -> Result<Body, FeedError> {
        let mut head = given.head.clone();
        for name in [
            "id",
            "org_id",
            "orgc_id",
            "Org",
            "RelatedEvent",
            "attribute_count",
            "event_creator_email",
            "_manifest",
            "_hashes",
        ] {
            head.shift_remove(name);
        }
        if ours {
            // How far it goes is settled: perhaps somebody has narrowed it here.
            for name in ["distribution", "sharing_group_id", "SharingGroup"] {
                head.shift_remove(name);
            }
        } else {
            self.distribute(&mut head);
        }
        head.insert("locked".into(), true.into());
        without_local_tags(&mut head);
        self.mark(&mut head)?;
        if self.flag("publish") {
            head.insert("published".into(), true.into());
        }
        if head.get("Orgc").is_none_or(|org| text_of(org.get("uuid")).is_none_or(|uuid| uuid.parse::<Uuid>().is_err()))
        {
            return Err(FeedError::Content("says not who wrote it (Orgc with a uuid)".into()));
        }
        let mut text = serde_json::to_string(&head).map_err(Fault::from)?;
        text.pop();
        let mut file = tempfile::SpooledTempFile::new(IN_MEMORY);
        write!(file, "{{\"Event\":{text}")?;
        let mut open: Option<Slot> = None;
        let detect = self.detect();
        given.each(|_, slot, raw| {
            if open != Some(slot) {
                if open.is_some() {
                    file.write_all(b"]")?;
                }
                let list = LISTS.iter().find(|(_, one)| *one == slot).map_or("Attribute", |(name, _)| name);
                write!(file, ",\"{list}\":[")?;
                open = Some(slot);
            } else {
                file.write_all(b",")?;
            }
            match serde_json::from_str::<Map<String, Value>>(raw.get()) {
                Ok(mut part) => {
                    settle(&mut part, slot == Slot::Attribute, detect);
                    for attribute in part.get_mut("Attribute").and_then(Value::as_array_mut).into_iter().flatten() {
                        if let Some(attribute) = attribute.as_object_mut() {
                            settle(attribute, true, detect);
                        }
                    }
                    serde_json::to_writer(&mut file, &part)?;
                }
                // What is no part is told where parts are read.
                Err(_) => file.write_all(raw.get().as_bytes())?,
            }
            Ok(())
        })?;
        file.write_all(if open.is_some() { b"]}}" } else { b"}}" })?;
        file.seek(SeekFrom::Start(0))?;
        let body = Body::take(&mut file, u64::MAX - 1)?;
        body.ok_or_else(|| FeedError::Content("is too large".into()))
    }
}

/// A part as it is to be written.
fn settle(part: &mut Map<String, Value>, attribute: bool, detect: Option<bool>) {
    without_local_tags(part);
    // A sharing group that is not named can't be known here: the holder alone.
    if text_of(part.get("distribution")).is_some_and(|level| level == "4") && part.get("SharingGroup").is_none() {
        part.insert("distribution".into(), "0".into());
    }
    if let Some(detect) = detect.filter(|_| attribute) {
        part.insert("to_ids".into(), detect.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_choose_events() {
        let said = json!({"Tag": [{"name": "TLP:White"}, {"name": "osint:lifetime=\"perpetual\""}], "timestamp": "1000",
                          "Orgc": {"name": "CIRCL", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"}});
        for (rules, fits) in [
            (json!(null), true),
            (json!(""), true),
            (json!("{\"tags\":{\"OR\":[\"tlp:white\"],\"NOT\":[]}}"), true),
            (json!({"tags": {"OR": ["tlp:green"]}}), false),
            (json!({"tags": {"OR": ["tlp:%"], "NOT": ["osint:%"]}}), false),
            (json!({"orgs": {"OR": ["circl"]}}), true),
            (json!({"orgs": {"OR": ["55f6ea5e-2c60-40e5-964f-47a8950d210f"]}}), true),
            (json!({"orgs": {"NOT": ["CIRCL"]}}), false),
            (json!({"url_params": "{\"timestamp\": \"900\"}"}), true),
            (json!({"url_params": {"timestamp": 1001}}), false),
        ] {
            assert_eq!(Rules::of(Some(&rules), 2000).unwrap().fits(&said), fits, "{rules}");
        }
        assert!(Rules::of(Some(&json!("{")), 0).is_err() && Rules::of(Some(&json!({"url_params": "x"})), 0).is_err());
    }

    #[test]
    fn a_part_is_never_wider_than_it_says() {
        let mut part = json!({"distribution": "4", "to_ids": true, "Tag": [{"name": "a", "local": 1}, {"name": "b"}]});
        let part = part.as_object_mut().unwrap();
        settle(part, true, Some(false));
        assert_eq!(json!(part), json!({"distribution": "0", "to_ids": false, "Tag": [{"name": "b"}]}));
    }
}
