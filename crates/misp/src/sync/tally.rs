//! Reconciliation: what each side holds, as a count and a digest that do not depend on order, so that half a
//! million parts are compared without being held. Only where they differ are they looked at one by one.

use crate::answer::Fault;
use crate::body::Given;
use crate::context::Context;
use crate::shape::{body_of, uuid_of};
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_store::view::{EventRow, View};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use uuid::Uuid;

/// Identifiers of missing parts that a difference names.
const NAMED: usize = 20;

/// How many, and which.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many.
    pub(crate) count: usize,
    sum: u128,
}

impl Tally {
    /// Counts one thing in, with its clock.
    pub(crate) fn add(&mut self, uuid: Uuid, stamp: i64, deleted: bool) {
        let mut hash = Sha256::new();
        hash.update(uuid.as_bytes());
        hash.update(stamp.to_be_bytes());
        hash.update([u8::from(deleted)]);
        let hash = hash.finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&hash[..16]);
        self.count += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(first));
    }

    /// All of another.
    pub(crate) fn join(&mut self, other: Tally) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// As text: `COUNT DIGEST`.
    pub(crate) fn text(self) -> String {
        format!("{} {:032x}", self.count, self.sum)
    }
}

impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"count": self.count, "digest": format!("{:032x}", self.sum)}).serialize(serializer)
    }
}

/// Both sides of an exchange.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Sides {
    /// What was given.
    pub(crate) given: Tally,
    /// What is held of it by the side that took it.
    pub(crate) held: Tally,
}

/// One event that is not the same on both sides.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Difference {
    /// Which.
    pub(crate) event: String,
    /// What is the matter.
    pub(crate) reason: String,
    /// Parts of both sides.
    pub(crate) parts: Sides,
    /// Identifiers of parts that are missing or older, the first few.
    pub(crate) missing: Vec<String>,
}

/// Hands on each thing that one side has: identifier, clock, deleted.
pub(crate) type Walk<'a> = &'a dyn Fn(&mut dyn FnMut(Uuid, i64, bool)) -> Result<(), Fault>;

fn count(walk: Walk<'_>) -> Result<Tally, Fault> {
    let mut tally = Tally::default();
    walk(&mut |uuid, stamp, deleted| tally.add(uuid, stamp, deleted))?;
    Ok(tally)
}

/// Compares what was given of an event with what is held of it. What is held besides is no loss; what is
/// older there is.
pub(crate) fn compare(event: Uuid, given: Walk<'_>, held: Walk<'_>) -> Result<(Sides, Option<Difference>), Fault> {
    let parts = Sides { given: count(given)?, held: count(held)? };
    if parts.given == parts.held {
        return Ok((parts, None));
    }
    let mut known: HashMap<Uuid, (i64, bool)> = HashMap::with_capacity(parts.held.count);
    held(&mut |uuid, stamp, deleted| {
        known.insert(uuid, (stamp, deleted));
    })?;
    let (mut lost, mut missing, mut taken) = (0, Vec::new(), Tally::default());
    given(&mut |uuid, stamp, deleted| match known.get(&uuid) {
        Some((held, gone)) if *held > stamp || *held == stamp && *gone == deleted => taken.add(uuid, stamp, deleted),
        _ => {
            lost += 1;
            if missing.len() < NAMED {
                missing.push(uuid.to_string());
            }
        }
    })?;
    if lost == 0 {
        // All that was given is there, among other things.
        return Ok((Sides { held: taken, ..parts }, None));
    }
    let reason = format!("{lost} of {} parts are missing or older", parts.given.count);
    Ok((parts, Some(Difference { event: event.to_string(), reason, parts, missing })))
}

/// What a part says of itself that is compared.
#[derive(Deserialize, Default)]
struct Mark {
    #[serde(default)]
    uuid: Value,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    deleted: Value,
    #[serde(default, rename = "Attribute")]
    attributes: Vec<Mark>,
}

impl Mark {
    fn tell(&self, take: &mut dyn FnMut(Uuid, i64, bool)) {
        if let Some(uuid) = text_of(Some(&self.uuid)).and_then(|uuid| uuid.parse().ok()) {
            take(uuid, seconds_of(Some(&self.timestamp)), flag_of(Some(&self.deleted)));
        }
        self.attributes.iter().for_each(|attribute| attribute.tell(take));
    }
}

/// The parts of an event as it was sent, but for proposals, which go their own way.
pub(crate) fn sent(given: &Given<'_>, take: &mut dyn FnMut(Uuid, i64, bool)) -> Result<(), Fault> {
    given.each(|_, slot, raw: &RawValue| {
        if slot != Slot::Proposal {
            serde_json::from_str::<Mark>(raw.get()).unwrap_or_default().tell(take);
        }
        Ok(())
    })
}

impl Context<'_> {
    /// The parts of an event as it is held.
    pub(crate) fn held(view: &View<'_>, event: &EventRow, take: &mut dyn FnMut(Uuid, i64, bool)) -> Result<(), Fault> {
        view.parts_in_order::<Fault>(&event.head, |part| {
            if part.slot != Slot::Proposal {
                let body = body_of(&part.raw);
                take(uuid_of(event, &part), seconds_of(body.get("timestamp")), flag_of(body.get("deleted")));
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Part = (u128, i64, bool);

    fn both(given: &[Part], held: &[Part]) -> (Sides, Option<Difference>) {
        let walk = |parts: &[Part], take: &mut dyn FnMut(Uuid, i64, bool)| {
            parts.iter().for_each(|(uuid, stamp, deleted)| take(Uuid::from_u128(*uuid), *stamp, *deleted));
            Ok(())
        };
        compare(Uuid::nil(), &|take| walk(given, take), &|take| walk(held, take)).unwrap()
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        let parts = [(1, 5, false), (2, 6, true), (3, 7, false)];
        let (sides, none) = both(&parts, &[parts[2], parts[0], parts[1]]);
        assert!(none.is_none() && sides.given == sides.held && sides.given.count == 3);
        for held in
            [vec![parts[0], parts[1]], vec![(1, 4, false), parts[1], parts[2]], vec![(1, 5, true), parts[1], parts[2]]]
        {
            let difference = both(&parts, &held).1.unwrap();
            assert_eq!(difference.missing.len(), 1, "{held:?}");
        }
    }

    #[test]
    fn what_is_held_besides_or_newer_is_no_loss() {
        let (sides, none) = both(&[(1, 5, false)], &[(1, 9, true), (2, 1, false)]);
        assert!(none.is_none());
        assert_eq!(sides.given, sides.held, "what was given is held");
    }

    #[test]
    fn an_object_counts_with_its_attributes() {
        let body = crate::body::Body::from(
            br#"{"Event":{"info":"x","Attribute":[{"uuid":"00000000-0000-0000-0000-000000000001","timestamp":"7"},{"value":"without"}],
                "Object":[{"uuid":"00000000-0000-0000-0000-000000000002","Attribute":[{"uuid":"00000000-0000-0000-0000-000000000003","deleted":true}]}],
                "ShadowAttribute":[{"uuid":"00000000-0000-0000-0000-000000000004"}]}}"#
                .to_vec(),
        );
        let mut seen = Vec::new();
        sent(&body.event().unwrap(), &mut |uuid, stamp, deleted| seen.push((uuid.as_u128(), stamp, deleted))).unwrap();
        assert_eq!(seen, [(1, 7, false), (2, 0, false), (3, 0, true)]);
    }
}
