//! A whole event, written as it is read: a part in memory at a time.

use crate::analyst::Notes;
use crate::answer::Fault;
use crate::ids;
use crate::shape::{Deleted, Scribe, attach, body_of, uuid_of};
use crate::sync::GoesOut;
use manara_model::record::Slot;
use manara_model::{Cleared, Part};
use manara_store::view::EventRow;
use serde_json::{Map, Value};
use std::io::Write;

/// Writes a whole event.
pub(crate) struct EventWriter<'w, 'v, 's, W> {
    out: &'w mut W,
    scribe: &'w Scribe<'v, 's>,
    /// Which deleted parts.
    pub deleted: Deleted,
    /// Attachments and samples too.
    pub data: bool,
    /// To another server: over a hop, and without proposals, which go their own way.
    pub hop: Option<GoesOut>,
    /// What is said about its parts.
    pub notes: Notes,
}

const SECTIONS: &[&str] = &["Attribute", "Object", "EventReport", "ShadowAttribute"];

fn section(slot: Slot) -> usize {
    match slot {
        Slot::Attribute => 0,
        Slot::Object | Slot::ObjectAttribute => 1,
        Slot::EventReport => 2,
        _ => 3,
    }
}

impl<'w, 'v, 's, W: Write> EventWriter<'w, 'v, 's, W> {
    /// Into `out`.
    pub(crate) fn new(out: &'w mut W, scribe: &'w Scribe<'v, 's>) -> Self {
        EventWriter { out, scribe, deleted: Deleted::Without, data: true, hop: None, notes: Notes::new() }
    }

    /// `{"Event": {…}}`. `wanted` says of each attribute whether it goes out, and may add to it.
    ///
    /// # Errors
    /// The store's, or the writer's.
    pub(crate) fn event(
        &mut self,
        event: &EventRow,
        parts: bool,
        more: Map<String, Value>,
        mut wanted: impl FnMut(&Cleared<Part>, &mut Map<String, Value>) -> bool,
    ) -> Result<(), Fault> {
        let mut head = self.scribe.event_head(event);
        let tags = self.scribe.tags(&body_of(&event.head.skeleton));
        head.insert("RelatedEvent".into(), Value::Array(Vec::new()));
        let place = |n: usize| ids::of_part(event.head.row, n as u32);
        head.insert("Galaxy".into(), self.scribe.galaxies(&tags, "event_tag_id", place)?.into());
        head.insert("CryptographicKey".into(), Value::Array(Vec::new()));
        if !tags.is_empty() {
            head.insert("Tag".into(), tags.into());
        }
        head.extend(more);
        if let Some(hop) = self.hop {
            hop.head(&mut head);
        }
        let mut text = serde_json::to_string(&head)?;
        text.pop();
        write!(self.out, "{{\"Event\":{text}")?;
        if parts {
            self.sections(event, &mut wanted)?;
        }
        self.out.write_all(b"}}")?;
        Ok(())
    }

    fn sections(
        &mut self,
        event: &EventRow,
        wanted: &mut impl FnMut(&Cleared<Part>, &mut Map<String, Value>) -> bool,
    ) -> Result<(), Fault> {
        let (mut open, mut first, mut object, mut in_object) = (0, true, None::<(u32, i64)>, false);
        write!(self.out, ",\"{}\":[", SECTIONS[0])?;
        let view = self.scribe.view;
        view.parts_in_order::<Fault>(&event.head, |part| {
            let slot = part.slot;
            let next = section(slot);
            if slot == Slot::ObjectAttribute {
                let Some((ordinal, id)) = object else { return Ok(()) };
                if part.parent != Some(ordinal) {
                    return Ok(());
                }
                let mut attribute = self.attribute(event, &part, id)?;
                if self.wants(&part) && wanted(&part, &mut attribute) {
                    self.passes(&mut attribute);
                    if in_object {
                        self.out.write_all(b",")?;
                    }
                    in_object = true;
                    serde_json::to_writer(&mut *self.out, &attribute)?;
                }
                return Ok(());
            }
            if object.take().is_some() {
                self.out.write_all(b"]}")?;
            }
            while open < next {
                open += 1;
                first = true;
                write!(self.out, "],\"{}\":[", SECTIONS[open])?;
            }
            if !self.wants(&part) {
                return Ok(());
            }
            let mut value = match slot {
                Slot::Attribute => {
                    let mut attribute = self.attribute(event, &part, 0)?;
                    if !wanted(&part, &mut attribute) {
                        return Ok(());
                    }
                    Value::Object(attribute)
                }
                Slot::Object => Value::Object(self.scribe.object(event, &part)),
                Slot::EventReport => self.scribe.report(event, &part),
                _ if self.hop.is_some() => return Ok(()),
                _ => self.scribe.proposal(event, &part),
            };
            if let Some(map) = value.as_object_mut() {
                if slot != Slot::Attribute {
                    map.extend(self.said(event, &part));
                }
                self.passes(map);
            }
            if !std::mem::replace(&mut first, false) {
                self.out.write_all(b",")?;
            }
            let mut text = value.to_string();
            if slot == Slot::Object {
                text.pop();
                text.push_str(",\"Attribute\":[");
                object = Some((part.ordinal, ids::of_part(event.head.row, part.number)));
                in_object = false;
            }
            self.out.write_all(text.as_bytes())?;
            Ok(())
        })?;
        if object.is_some() {
            self.out.write_all(b"]}")?;
        }
        while open + 1 < SECTIONS.len() {
            open += 1;
            write!(self.out, "],\"{}\":[", SECTIONS[open])?;
        }
        self.out.write_all(b"]")?;
        Ok(())
    }

    fn passes(&self, part: &mut Map<String, Value>) {
        if let Some(hop) = self.hop {
            hop.part(part);
        }
    }

    fn wants(&self, part: &Cleared<Part>) -> bool {
        // Asked for deleted ones only, what holds them is shown too.
        let deleted = manara_model::record::PartFacts::read(&part.raw).deleted;
        self.deleted.wants(deleted) || part.slot == Slot::Object && !deleted
    }

    fn attribute(&self, event: &EventRow, part: &Cleared<Part>, object: i64) -> Result<Map<String, Value>, Fault> {
        let mut attribute = self.scribe.attribute(event, part, object);
        attribute.insert("Galaxy".into(), self.scribe.galaxies_of_attribute(&attribute)?.into());
        attribute.insert("ShadowAttribute".into(), Value::Array(Vec::new()));
        if self.data {
            attach(&mut attribute, part);
        }
        attribute.extend(self.said(event, part));
        Ok(attribute)
    }

    /// What is said about a part.
    fn said(&self, event: &EventRow, part: &Part) -> Map<String, Value> {
        if self.notes.is_empty() {
            Map::new()
        } else {
            self.notes.get(&uuid_of(event, part)).cloned().unwrap_or_default()
        }
    }
}
