//! Reads events. Every member stays as it came; attributes, objects, reports and proposals become
//! parts, since each may be marked more narrowly than its event.

use super::marking;
use crate::json::{self, Members};
use crate::{Input, InputError, ReadError};
use manara_model::observable::{Type, from_misp, misp_type, normalise};
use manara_model::record::{Found, PartDraft, RecordDraft, Rejection, SightingDraft, Sink, Slot, parse_time};
use manara_model::{Marking, ids};
use serde_json::value::RawValue;

/// Members of an event that become parts, in the order in which they are written.
const PARTS: &[(&str, Slot)] = &[
    ("Attribute", Slot::Attribute),
    ("Object", Slot::Object),
    ("EventReport", Slot::EventReport),
    ("ShadowAttribute", Slot::Proposal),
];

pub(crate) fn read<S: Sink>(input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let text = input.text()?;
    let name = input.name().to_owned();
    json::check(&name, &text, input.limits().depth)?;
    let root: &RawValue = serde_json::from_str(&text).map_err(|e| json::located(&name, &e))?;
    let mut events = Vec::new();
    unwrap(root, "", &mut events, 0);
    if events.is_empty() {
        let reason = "holds no MISP event; expected {\"Event\": {…}}, {\"response\": […]} or a list of them";
        return Err(InputError::new(&name, "", reason).into());
    }
    for (pointer, raw) in events {
        let mut event = Event { file: &name, pointer, sink };
        event.read(raw)?;
    }
    Ok(())
}

/// Finds the events in whatever wrapper they came.
fn unwrap<'a>(raw: &'a RawValue, pointer: &str, events: &mut Vec<(String, &'a RawValue)>, depth: usize) {
    if depth > 4 {
        return;
    }
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
        for (n, item) in items.into_iter().enumerate() {
            unwrap(item, &format!("{pointer}/{n}"), events, depth + 1);
        }
        return;
    }
    let Ok(members) = Members::parse(raw.get()) else {
        events.push((pointer.to_owned(), raw));
        return;
    };
    for wrapper in ["response", "Event"] {
        if let Some(inner) = members.get(wrapper) {
            let pointer = format!("{pointer}/{wrapper}");
            return if wrapper == "Event" {
                events.push((pointer, inner))
            } else {
                unwrap(inner, &pointer, events, depth + 1)
            };
        }
    }
    if members.get("info").is_some() || members.get("uuid").is_some() || depth > 0 {
        events.push((pointer.to_owned(), raw));
    }
}

pub(super) struct Event<'s, S> {
    pub(super) file: &'s str,
    pub(super) pointer: String,
    pub(super) sink: &'s mut S,
}

impl<S: Sink> Event<'_, S> {
    fn place(&self, place: &str, reason: impl Into<String>) -> Rejection {
        Rejection { file: self.file.into(), place: format!("{}{place}", self.pointer), reason: reason.into() }
    }

    pub(super) fn read(&mut self, raw: &RawValue) -> Result<(), ReadError<S::Error>> {
        let members = match Members::parse(raw.get()) {
            Ok(members) => members,
            Err(_) => {
                let rejection = self.place("", "an event is an object; this is something else");
                self.sink.reject(rejection);
                return Ok(());
            }
        };
        let Some(draft) = self.head(&members, raw) else { return Ok(()) };
        if !self.sink.begin(draft).map_err(ReadError::Sink)? {
            return Ok(());
        }
        let mut ordinal = 0;
        for (name, slot) in PARTS {
            for (n, item) in members.list(name).unwrap_or_default().into_iter().enumerate() {
                self.item(*slot, &format!("/{name}/{n}"), item, &mut ordinal)?;
            }
        }
        self.sink.end().map_err(ReadError::Sink)
    }

    fn head(&mut self, members: &Members<'_>, raw: &RawValue) -> Option<RecordDraft> {
        let Some(title) = members.text("info") else {
            let rejection = self.place("/info", "an event needs an 'info' text: its title");
            self.sink.reject(rejection);
            return None;
        };
        let uuid = match members.text("uuid").map(|uuid| uuid.parse()) {
            Some(Ok(uuid)) => uuid,
            Some(Err(_)) => {
                let rejection = self.place("/uuid", "is no UUID; remove it, or write it as 8-4-4-4-12 hex digits");
                self.sink.reject(rejection);
                return None;
            }
            None => ids::derived(&["misp", raw.get()]),
        };
        let tags = marking::tags(members);
        let marking = marking::read(members, &tags);
        for warning in marking.warnings {
            let warning = self.place("", warning);
            self.sink.warn(warning);
        }
        for (name, _) in PARTS {
            if members.get(name).is_some_and(|raw| raw.get() != "null") && members.list(name).is_none() {
                let warning = self.place(&format!("/{name}"), "is no list; kept as it is, but nothing in it is read");
                self.sink.warn(warning);
            }
        }
        let time = |name| members.text(name).as_deref().and_then(parse_time);
        let orgc = members.get("Orgc").and_then(|raw| Members::parse(raw.get()).ok()?.text("name"));
        // Lists that are empty stay in the body, so that it goes out as it came; full ones become parts.
        let is_part = |key: &str, value: &RawValue| {
            let list = PARTS.iter().any(|(name, _)| *name == key) && value.get().starts_with('[');
            list && !json::is_empty_list(value)
        };
        Some(RecordDraft {
            uuid,
            kind: "event".into(),
            format: "misp".into(),
            title,
            author: orgc,
            marking: marking.marking,
            tags,
            created: time("date"),
            modified: time("timestamp").filter(|time| *time > 0),
            skeleton: members.without(is_part),
            digest: json::digest(raw.get()),
            text: String::new(),
            source: self.file.into(),
        })
    }

    pub(super) fn item(
        &mut self,
        slot: Slot,
        place: &str,
        raw: &RawValue,
        ordinal: &mut u32,
    ) -> Result<(), ReadError<S::Error>> {
        let Ok(members) = Members::parse(raw.get()) else {
            // Kept as it is, so that nothing is lost; told, so that somebody can mend it.
            let rejection = self.place(place, "is no object; kept as it is, but not read");
            self.sink.reject(rejection);
            return self.part(PartDraft::new(slot, raw.get()), ordinal);
        };
        let mut part = self.draft(slot, place, &members);
        match slot {
            Slot::Attribute | Slot::Proposal => {
                self.value(place, &members, &mut part);
                part.raw = raw.get().into();
                self.part(part, ordinal)
            }
            Slot::Object => {
                let full = |key: &str, value: &RawValue| {
                    key == "Attribute" && value.get().starts_with('[') && !json::is_empty_list(value)
                };
                part.raw = members.without(full);
                part.found = references(&members);
                let (object, own) = (*ordinal, part.marking.clone());
                self.part(part, ordinal)?;
                for (n, raw) in members.list("Attribute").unwrap_or_default().into_iter().enumerate() {
                    let place = format!("{place}/Attribute/{n}");
                    let mut part = PartDraft::new(Slot::ObjectAttribute, raw.get());
                    match Members::parse(raw.get()) {
                        Ok(members) => {
                            part = self.draft(Slot::ObjectAttribute, &place, &members);
                            self.value(&place, &members, &mut part);
                            part.raw = raw.get().into();
                        }
                        Err(_) => {
                            let rejection = self.place(&place, "is no object; kept as it is, but not read");
                            self.sink.reject(rejection);
                        }
                    }
                    part.parent = Some(object);
                    part.marking = narrowed(&own, &part.marking);
                    self.part(part, ordinal)?;
                }
                Ok(())
            }
            _ => {
                part.raw = raw.get().into();
                part.comment = members.text("name").unwrap_or_default();
                self.part(part, ordinal)
            }
        }
    }

    fn draft(&mut self, slot: Slot, place: &str, members: &Members<'_>) -> PartDraft {
        let mut part = PartDraft::new(slot, String::new());
        part.uuid = members.text("uuid").and_then(|uuid| uuid.parse().ok());
        let tags = marking::tags(members);
        let marking = marking::read(members, &tags);
        for warning in marking.warnings {
            let warning = self.place(place, warning);
            self.sink.warn(warning);
        }
        part.marking = marking.marking;
        part.comment = members.text("comment").unwrap_or_default();
        part
    }

    /// What an attribute's value mentions. What was deleted is kept, and mentions nothing.
    fn value(&mut self, place: &str, members: &Members<'_>, part: &mut PartDraft) {
        let (Some(name), Some(value)) = (members.text("type"), members.text("value")) else {
            let rejection =
                self.place(place, "an attribute needs 'type' and 'value'; kept as it is, but not searchable");
            return self.sink.reject(rejection);
        };
        let Some(ty) = misp_type(&name) else {
            let warning = self
                .place(&format!("{place}/type"), format!("'{}' is no MISP type known here; kept as it is", cut(&name)));
            return self.sink.warn(warning);
        };
        if members.flag("deleted") {
            return;
        }
        let detect = members.get("to_ids").map_or(ty.to_ids, |_| members.flag("to_ids"));
        let (observables, errors) = from_misp(ty, &value);
        part.found = observables.into_iter().map(|observable| Found { observable, detect }).collect();
        self.sightings(members, part);
        for error in errors {
            let warning = self.place(&format!("{place}/value"), format!("{error}; kept as it is, but not searchable"));
            self.sink.warn(warning);
        }
    }

    /// Sightings stand inside their attribute; they are of its first observable.
    fn sightings(&mut self, members: &Members<'_>, part: &PartDraft) {
        let Some(found) = part.found.first() else { return };
        for raw in members.list("Sighting").unwrap_or_default() {
            let Ok(sighting) = Members::parse(raw.get()) else { continue };
            let org = sighting.get("Organisation").and_then(|raw| Members::parse(raw.get()).ok());
            let seen = sighting.text("date_sighting").as_deref().and_then(parse_time);
            self.sink.sighting(SightingDraft {
                uuid: sighting
                    .text("uuid")
                    .and_then(|uuid| uuid.parse().ok())
                    .unwrap_or_else(|| ids::derived(&["sighting", found.observable.value(), raw.get()])),
                observable: found.observable.clone(),
                kind: sighting.text("type").and_then(|kind| kind.parse().ok()).unwrap_or(0),
                seen: seen.unwrap_or(0),
                source: sighting.text("source").unwrap_or_default(),
                org: org.and_then(|org| org.text("uuid")?.parse().ok()),
            });
        }
    }

    fn part(&mut self, part: PartDraft, ordinal: &mut u32) -> Result<(), ReadError<S::Error>> {
        *ordinal = ordinal.saturating_add(1);
        self.sink.part(part).map_err(ReadError::Sink)
    }
}

/// An object's attribute inherits from its object, and that from the event.
pub(super) fn narrowed(object: &Marking, own: &Marking) -> Marking {
    if *object == Marking::default() { own.clone() } else { object.meet(own) }
}

/// An object's references are known by their identifiers.
fn references(members: &Members<'_>) -> Vec<Found> {
    let Some(ty) = Type::by_name("uuid") else { return Vec::new() };
    let list = members.list("ObjectReference").unwrap_or_default();
    let uuids = list.into_iter().filter_map(|raw| Members::parse(raw.get()).ok()?.text("uuid"));
    uuids.filter_map(|uuid| normalise(ty, &uuid).ok()).map(|observable| Found { observable, detect: false }).collect()
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
