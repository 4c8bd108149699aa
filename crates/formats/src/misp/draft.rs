//! Single pieces of an event as drafts: what a door hands in that changes an event in place.

use super::marking;
use super::read::Event;
use crate::ReadError;
use crate::json::Members;
use manara_model::Marking;
use manara_model::record::{PartDraft, RecordDraft, Rejection, Sink, Slot};
use serde_json::value::RawValue;
use std::convert::Infallible;

/// Keeps what a reader hands in.
#[derive(Default)]
struct Kept {
    head: Option<RecordDraft>,
    parts: Vec<PartDraft>,
    rejected: Vec<Rejection>,
}

impl Sink for Kept {
    type Error = Infallible;

    fn begin(&mut self, draft: RecordDraft) -> Result<bool, Infallible> {
        self.head = Some(draft);
        Ok(true)
    }

    fn part(&mut self, part: PartDraft) -> Result<(), Infallible> {
        self.parts.push(part);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn abandon(&mut self) {}

    fn reject(&mut self, rejection: Rejection) {
        self.rejected.push(rejection);
    }

    fn warn(&mut self, _warning: Rejection) {}
}

fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

/// The head of an event from its body without parts; `None`: it is no event (no object, no title, a
/// `uuid` that is none).
#[must_use]
pub fn misp_head(body: &str, source: &str) -> Option<RecordDraft> {
    let mut kept = Kept::default();
    let mut event = Event { file: source, pointer: String::new(), sink: &mut kept };
    // The sink can't fail.
    let _: Result<(), ReadError<Infallible>> = event.read(raw(body)?);
    kept.head
}

/// A part of an event. An object is given without its attributes, and an attribute of an object with the
/// object's own body, since it is never marked more widely.
#[must_use]
pub fn misp_part(slot: Slot, body: &str, object: Option<&str>) -> PartDraft {
    let mut kept = Kept::default();
    let mut event = Event { file: "", pointer: String::new(), sink: &mut kept };
    let reading = if slot == Slot::ObjectAttribute { Slot::Attribute } else { slot };
    if let Some(raw) = raw(body) {
        let _: Result<(), ReadError<Infallible>> = event.item(reading, "", raw, &mut 0);
    }
    let mut part = kept.parts.into_iter().next().unwrap_or_else(|| PartDraft::new(slot, body));
    part.slot = slot;
    if let Some(object) = object {
        part.marking = super::read::narrowed(&misp_marking(Slot::Object, object), &part.marking);
    }
    part
}

/// What a part says of its own marking.
#[must_use]
pub fn misp_marking(_slot: Slot, body: &str) -> Marking {
    let Ok(members) = Members::parse(body) else { return Marking::default() };
    let tags = marking::tags(&members);
    marking::read(&members, &tags).marking
}
