//! `events/edit`: what is given of an event, against what is held of it.

use crate::answer::{Answer, Fault};
use crate::context::Context;
use crate::events::{Given, Refused, given, likeness, list_name};
use crate::shape::{body_of, num};
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_model::role::Right;
use manara_store::Change;
use manara_store::view::{EventRow, View};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// Parts by their identifiers.
pub(crate) type Known = BTreeMap<Uuid, (u32, String, Option<u32>)>;

fn uuid_in(item: &Map<String, Value>) -> Option<Uuid> {
    text_of(item.get("uuid")).and_then(|uuid| uuid.parse().ok())
}

/// Is what is given newer than what is held? What has no clock was changed by whoever sends it.
fn newer(item: &Map<String, Value>, old: &Map<String, Value>) -> bool {
    let stamp = seconds_of(item.get("timestamp"));
    stamp == 0 || stamp > seconds_of(old.get("timestamp"))
}

impl Context<'_> {
    /// `events/edit`: what is given is changed, what is not stays. A version that is not newer is refused.
    pub fn events_edit(&self) -> Result<Answer, Fault> {
        let given = given(&self.call.body)?;
        let named = self
            .call
            .arg(0)
            .map(str::to_owned)
            .or_else(|| text_of(given.head.get("uuid")).map(|uuid| uuid.into_owned()));
        let (uuid, refused) = self.again(|| self.edit_once(named.as_deref(), &given))?;
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
        if given.lists.is_empty() {
            return Ok(());
        }
        let known = self.known(view, event)?;
        let objects: BTreeMap<u32, &String> = known.values().map(|(place, raw, _)| (*place, raw)).collect();
        let mut alike: HashSet<_> = known
            .values()
            .filter(|(.., parent)| parent.is_none())
            .map(|(_, raw, _)| body_of(raw))
            .filter(|body| !flag_of(body.get("deleted")))
            .map(|body| likeness(&body))
            .collect();
        for (n, (slot, raw)) in given.lists.iter().enumerate() {
            let Ok(item) = serde_json::from_str::<Map<String, Value>>(raw.get()) else {
                refused.note(list_name(*slot), n, json!("an object is expected"));
                continue;
            };
            let held = uuid_in(&item).and_then(|uuid| known.get(&uuid));
            match (held, slot) {
                (None, Slot::Object) => {
                    let mut drafts = self.drafts(*slot, raw, n, &mut alike, refused, &mut 0).into_iter();
                    if let Some(object) = drafts.next() {
                        changes.push(Change::AddObject(object, drafts.collect()));
                    }
                }
                (None, _) => {
                    changes
                        .extend(self.drafts(*slot, raw, n, &mut alike, refused, &mut 0).into_iter().map(Change::Add));
                }
                (Some((ordinal, held_raw, parent)), _) => {
                    let old = body_of(held_raw);
                    let object = parent.and_then(|parent| objects.get(&parent));
                    if newer(&item, &old) {
                        match self.changed(*slot, &item, &old) {
                            Ok(body) => {
                                let slot = if parent.is_some() { Slot::ObjectAttribute } else { *slot };
                                changes.push(Change::Replace(
                                    *ordinal,
                                    Self::draft(slot, body, object.map(|raw| raw.as_str())),
                                ));
                            }
                            Err(errors) => refused.note(list_name(*slot), n, errors),
                        }
                    }
                    if *slot == Slot::Object {
                        self.merge_object((*ordinal, held_raw), &item, &known, changes, refused);
                    }
                }
            }
        }
        Ok(())
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
            let held = uuid_in(attribute).and_then(|uuid| known.get(&uuid));
            let made = match held {
                None => self.attribute(attribute, None).map(|body| {
                    new.push(Self::draft(Slot::ObjectAttribute, body, Some(object)));
                }),
                Some((ordinal, raw, parent)) if *parent == Some(place) => {
                    let old = body_of(raw);
                    if !newer(attribute, &old) {
                        continue;
                    }
                    self.attribute(attribute, Some(&old)).map(|body| {
                        let draft = Self::draft(Slot::ObjectAttribute, body, Some(object));
                        changes.push(Change::Replace(*ordinal, draft));
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

    /// The parts of an event by their identifiers: places, bodies, and the places of their objects.
    pub(crate) fn known(&self, view: &View<'_>, event: &EventRow) -> Result<Known, Fault> {
        let mut known = Known::new();
        view.parts_in_order::<Fault>(&event.head, |part| {
            known.insert(crate::shape::uuid_of(event, &part), (part.ordinal, part.raw.clone(), part.parent));
            Ok(())
        })?;
        Ok(known)
    }
}
