//! `events/edit`: what is given of an event, against what is held of it.

use crate::answer::{Answer, Fault};
use crate::body::Given;
use crate::context::Context;
use crate::events::{Likeness, Refused, likeness, list_name};
use crate::shape::{body_of, num};
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_model::role::Right;
use manara_store::Change;
use manara_store::view::{EventRow, View};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Identifiers that a body names, with the clocks that it gives them.
pub(crate) type Named = HashMap<Uuid, i64>;

/// Parts of an event that a body names.
#[derive(Default)]
pub(crate) struct Known {
    parts: HashMap<Uuid, Held>,
    /// Bodies of objects that have such parts, by their places.
    objects: HashMap<u32, String>,
    /// What attributes outside of objects are like.
    alike: HashSet<Likeness>,
}

/// A part that is held.
struct Held {
    place: u32,
    parent: Option<u32>,
    stamp: i64,
    /// Its body, where the one that is given is newer.
    raw: String,
}

/// Notes what a part names: itself, and an object's attributes.
pub(crate) fn name_into(named: &mut Named, item: &Map<String, Value>) {
    named.extend(uuid_in(item).map(|uuid| (uuid, seconds_of(item.get("timestamp")))));
    for attribute in item.get("Attribute").and_then(Value::as_array).into_iter().flatten() {
        named.extend(attribute.as_object().and_then(|one| Some((uuid_in(one)?, seconds_of(one.get("timestamp"))))));
    }
}

fn uuid_in(item: &Map<String, Value>) -> Option<Uuid> {
    text_of(item.get("uuid")).and_then(|uuid| uuid.parse().ok())
}

/// Is what is given newer than what is held? What has no clock was changed by whoever sends it.
fn newer(given: i64, held: i64) -> bool {
    given == 0 || given > held
}

impl Context<'_> {
    /// `events/edit`: what is given is changed, what is not stays. A version that is not newer is refused.
    pub fn events_edit(&self) -> Result<Answer, Fault> {
        let given = self.given_event()?;
        let named = self
            .call
            .arg(0)
            .map(str::to_owned)
            .or_else(|| text_of(given.head.get("uuid")).map(|uuid| uuid.into_owned()));
        let (uuid, mut refused) = self.again(|| self.edit_once(named.as_deref(), &given))?;
        self.keep_notes(uuid, &given, &mut refused)?;
        self.stored(uuid, refused)
    }

    fn edit_once(&self, named: Option<&str>, given: &Given<'_>) -> Result<(Uuid, Refused), Fault> {
        let view = self.view()?;
        let event = self.event(&view, named)?;
        // Another organisation of this node has it from elsewhere: a server's newer version is its own copy,
        // and changes nobody's.
        let own_copy = self.is_partner() && event.locked && event.head.label.owner != self.call.caller.account.org;
        if !own_copy {
            self.may_change(&event)?;
        }
        let stamp = seconds_of(given.head.get("timestamp"));
        if stamp > 0 && stamp <= event.touched {
            let errors = json!("Event could not be saved: Event in the request not newer than the local copy.");
            let mut fault = Fault::unsaved("edit", "Event", errors);
            fault.more.push(("id", num(event.head.number)));
            return Err(fault);
        }
        if own_copy {
            let mut head = self.head(&given.head, None).map_err(|errors| Fault::unsaved("edit", "Event", errors))?;
            head.insert("uuid".into(), event.head.uuid.to_string().into());
            self.refuse_blocked(&head)?;
            drop(view);
            return self.write_event(head, given);
        }
        let held = body_of(&event.head.skeleton);
        let mut head = self.head(&given.head, Some(&held)).map_err(|errors| Fault::unsaved("edit", "Event", errors))?;
        // Its author and who holds it are not for changing.
        for name in ["Orgc", "event_creator_email", "locked", "uuid"] {
            match held.get(name) {
                Some(value) => drop(head.insert(name.into(), value.clone())),
                None if name == "uuid" => {}
                None => drop(head.shift_remove(name)),
            }
        }
        if !self.call.may(Right::Sync) && !given.head.contains_key("published") {
            head.insert("published".into(), false.into());
        }
        let (mut refused, mut changes) = (Refused::default(), Vec::new());
        self.merge(&view, &event, given, &mut changes, &mut refused)?;
        drop(view);
        self.amend(&event, head, true, changes)?;
        Ok((event.head.uuid, refused))
    }

    /// What becomes of the parts: those that are known by their identifier are changed where they are newer,
    /// the others are new.
    fn merge(
        &self,
        view: &View<'_>,
        event: &EventRow,
        given: &Given<'_>,
        changes: &mut Vec<Change>,
        refused: &mut Refused,
    ) -> Result<(), Fault> {
        if given.is_bare() {
            return Ok(());
        }
        let mut named = Named::new();
        given.each(|_, _, raw| {
            if let Ok(item) = serde_json::from_str(raw.get()) {
                name_into(&mut named, &item);
            }
            Ok(())
        })?;
        let mut known = self.known(view, event, &named)?;
        let mut alike = std::mem::take(&mut known.alike);
        given.each(|n, slot, raw| {
            let Some(item) = self.given_part(raw) else {
                refused.note(list_name(slot), n, json!("an object is expected"));
                return Ok(());
            };
            let held = uuid_in(&item).and_then(|uuid| known.parts.get(&uuid));
            match (held, slot) {
                (None, Slot::Object) => {
                    let mut drafts = self.drafts(slot, raw, n, &mut alike, refused, &mut 0).into_iter();
                    if let Some(object) = drafts.next() {
                        changes.push(Change::AddObject(object, drafts.collect()));
                    }
                }
                (None, _) => {
                    changes.extend(self.drafts(slot, raw, n, &mut alike, refused, &mut 0).into_iter().map(Change::Add));
                }
                (Some(held), _) => {
                    if newer(seconds_of(item.get("timestamp")), held.stamp) {
                        let object = held.parent.and_then(|parent| known.objects.get(&parent)).map(String::as_str);
                        match self.changed(slot, &item, &body_of(&held.raw)) {
                            Ok(body) => {
                                let slot = if held.parent.is_some() { Slot::ObjectAttribute } else { slot };
                                changes.push(Change::Replace(held.place, Self::draft(slot, body, object)));
                            }
                            Err(errors) => refused.note(list_name(slot), n, errors),
                        }
                    }
                    if slot == Slot::Object {
                        let object = known.objects.get(&held.place).map(String::as_str).unwrap_or_default();
                        self.merge_object((held.place, object), &item, &known, changes, refused);
                    }
                }
            }
            Ok(())
        })
    }

    fn changed(
        &self,
        slot: Slot,
        item: &Map<String, Value>,
        old: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Value> {
        match slot {
            Slot::Object => self.object(item, Some(old)),
            Slot::EventReport => self.report(item, Some(old)),
            _ => self.attribute(item, Some(old)),
        }
    }

    /// An object's attributes against those that it has.
    pub(crate) fn merge_object(
        &self,
        (place, object): (u32, &str),
        item: &Map<String, Value>,
        known: &Known,
        changes: &mut Vec<Change>,
        refused: &mut Refused,
    ) {
        let mut new = Vec::new();
        for (n, attribute) in item.get("Attribute").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let Some(attribute) = attribute.as_object() else {
                refused.note("Object/Attribute", n, json!("an object is expected"));
                continue;
            };
            let held = uuid_in(attribute).and_then(|uuid| known.parts.get(&uuid));
            let made = match held {
                None => self.attribute(attribute, None).map(|body| {
                    new.push(Self::draft(Slot::ObjectAttribute, body, Some(object)));
                }),
                Some(held) if held.parent == Some(place) => {
                    if !newer(seconds_of(attribute.get("timestamp")), held.stamp) {
                        continue;
                    }
                    self.attribute(attribute, Some(&body_of(&held.raw))).map(|body| {
                        let draft = Self::draft(Slot::ObjectAttribute, body, Some(object));
                        changes.push(Change::Replace(held.place, draft));
                    })
                }
                Some(_) => Err(json!({"uuid": ["An attribute with this UUID stands elsewhere in the event."]})),
            };
            if let Err(errors) = made {
                refused.note("Object/Attribute", n, errors);
            }
        }
        if !new.is_empty() {
            changes.push(Change::AddTo(place, new));
        }
    }

    /// What an event has of what a body names. One walk over its parts; of what the body does not name, or
    /// has no newer version of, no body is kept.
    pub(crate) fn known(&self, view: &View<'_>, event: &EventRow, named: &Named) -> Result<Known, Fault> {
        let mut known = Known::default();
        view.parts_in_order::<Fault>(&event.head, |part| {
            let uuid = crate::shape::uuid_of(event, &part);
            let given = named.get(&uuid);
            if given.is_none() && part.slot != Slot::Attribute {
                return Ok(());
            }
            let body = body_of(&part.raw);
            if part.slot == Slot::Attribute && !flag_of(body.get("deleted")) {
                known.alike.insert(likeness(&body));
            }
            let Some(given) = given else { return Ok(()) };
            let stamp = seconds_of(body.get("timestamp"));
            if part.slot == Slot::Object {
                known.objects.insert(part.ordinal, part.raw.clone());
            }
            let raw = if newer(*given, stamp) { part.raw.clone() } else { String::new() };
            known.parts.insert(uuid, Held { place: part.ordinal, parent: part.parent, stamp, raw });
            Ok(())
        })?;
        // An attribute is never marked more widely than its object, whether that is named or not.
        let places: Vec<u32> = known.parts.values().filter_map(|held| held.parent).collect();
        for place in places {
            if !known.objects.contains_key(&place)
                && let Some(object) = view.parts_at(&event.head, &[place])?.pop()
            {
                known.objects.insert(place, object.raw.clone());
            }
        }
        Ok(known)
    }
}
