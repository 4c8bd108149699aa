//! What an object of an event refers to (MISP: ObjectReference), and the audience may not see, it does not speak of
//! either: neither its identifier nor what is repeated of it.

use super::View;
use crate::Result;
use crate::engine::params;
use manara_model::record::Slot;
use manara_model::{Cleared, Head, Part};
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// The member with which a reference says what it is to.
const TARGET: &str = "referenced_uuid";

/// What is known of a record's references while it is read.
#[derive(Default)]
pub(super) struct References {
    /// Is anything of the record hidden at all? `None`: nobody asked yet.
    hides: Option<bool>,
    hidden: HashMap<Uuid, bool>,
}

impl View<'_> {
    /// Takes the references out of a part that are to hidden parts of the same record. One that has none of these
    /// stays as it came.
    pub(super) fn without_hidden(&self, known: &mut References, head: &Cleared<Head>, part: &mut Part) -> Result<()> {
        if part.slot != Slot::Object || self.sees_everything() || !part.raw.contains(TARGET) {
            return Ok(());
        }
        let hides = match known.hides {
            Some(hides) => hides,
            None => *known.hides.insert(self.hides_of(head)?),
        };
        if !hides {
            return Ok(());
        }
        let Ok(Value::Object(mut body)) = serde_json::from_str::<Value>(&part.raw) else { return Ok(()) };
        let Some(Value::Array(references)) = body.get_mut("ObjectReference") else { return Ok(()) };
        let before = references.len();
        let mut kept = Vec::with_capacity(before);
        for reference in references.drain(..) {
            let target = reference.get(TARGET).and_then(Value::as_str).and_then(|uuid| uuid.parse::<Uuid>().ok());
            if match target {
                Some(target) => !self.is_hidden_in(known, head, target)?,
                None => true,
            } {
                kept.push(reference);
            }
        }
        if kept.len() < before {
            *references = kept;
            part.raw = Value::Object(body).to_string();
        }
        Ok(())
    }

    /// Has a record parts that the audience may not see?
    fn hides_of(&self, head: &Cleared<Head>) -> Result<bool> {
        let sql =
            format!("SELECT 1 FROM event_count WHERE record = ?1 AND NOT ({}) LIMIT 1", self.conn.within("label", 2));
        self.conn.exists(&sql, &self.and_labels(params![head.row]))
    }

    fn is_hidden_in(&self, known: &mut References, head: &Cleared<Head>, uuid: Uuid) -> Result<bool> {
        if let Some(hidden) = known.hidden.get(&uuid) {
            return Ok(*hidden);
        }
        let sql = "SELECT ordinal FROM part_uuid WHERE uuid = ?1 AND record = ?2";
        let places = self.conn.all(sql, &params![uuid, head.row], |row| row.get::<u32>(0))?;
        let mut hidden = !places.is_empty();
        for place in places {
            hidden &= !self.sees_part(head, place)?;
        }
        known.hidden.insert(uuid, hidden);
        Ok(hidden)
    }

    /// May the audience see the part at this place of a record that it sees?
    pub(crate) fn sees_part(&self, head: &Cleared<Head>, ordinal: u32) -> Result<bool> {
        let gate = self.gate();
        let mut place = Some(ordinal);
        // A part is seen with the object that it belongs to.
        while let Some(ordinal) = place {
            let Some(part) = self.part_at(head.row, ordinal)? else { return Ok(false) };
            place = part.parent.filter(|parent| *parent != ordinal);
            if part.slot == Slot::Gone || gate.clear_part(head, part).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
