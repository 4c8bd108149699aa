//! `/objects` and `/objectReferences`.

use crate::answer::{Answer, Fault, saved};
use crate::call::Method;
use crate::changes::{Named, name_into};
use crate::context::Context;
use crate::events::Refused;
use crate::ids;
use crate::shape::{Deleted, Scribe, body_of, num, reference_id, uuid_of};
use manara_formats::misp_part;
use manara_model::observable::{Type, normalise};
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_model::{Cleared, Part, PartDraft};
use manara_store::Change;
use manara_store::view::{EventFilter, EventRow, View, Which};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const OBJECT: &[Slot] = &[Slot::Object];

impl Context<'_> {
    fn object_shown(&self, row: i64, number: u32) -> Result<Value, Fault> {
        let view = self.view()?;
        let (event, part) = view.part_numbered(row, number)?.ok_or_else(|| Fault::missing("object"))?;
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        let mut object = scribe.object(&event, &part);
        let deleted = Deleted::of(self.call.filters().unwrap_or_default().get("deleted"));
        // A deleted object is shown with what it had.
        let deleted = if flag_of(object.get("deleted")) { Deleted::With } else { deleted };
        object.insert("Attribute".into(), Value::Array(self.attributes_in(&view, &scribe, &event, &part, deleted)?));
        object.insert("Event".into(), scribe.event_short(&event));
        object.extend(self.notes_about_part(&view, &event, &part)?);
        Ok(json!({"Object": object}))
    }

    /// `objects/add/EVENT` (`/TEMPLATE` after it is taken, and not needed)
    pub fn objects_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Object")?;
        let named = self.call.arg(0).map(str::to_owned);
        let once = flag_of(self.call.named.get("breakOnDuplicate"));
        let (row, number) = self.again(|| {
            let view = self.view()?;
            let event = self.event(&view, named.as_deref())?;
            self.may_change(&event)?;
            let unsaved = |errors| Fault::unsaved("add", "Object", errors);
            let body = self.object(&given, None).map_err(unsaved)?;
            let object = Value::Object(body).to_string();
            let mut attributes = Vec::new();
            for attribute in given.get("Attribute").and_then(Value::as_array).into_iter().flatten() {
                let attribute = attribute.as_object().ok_or_else(|| unsaved(json!("an attribute is an object")))?;
                let body = self.attribute(attribute, None).map_err(unsaved)?;
                attributes.push(Self::draft(Slot::ObjectAttribute, body, Some(&object)));
            }
            if attributes.is_empty() {
                return Err(unsaved(json!("Could not save the object as no attributes were set.")));
            }
            if once && self.same_object(&view, &event, &given, &attributes)? {
                return Err(unsaved(json!(
                    "Duplicate object found. Since breakOnDuplicate is set the object will not be added."
                )));
            }
            let head = self.touched(&event);
            drop(view);
            let change = Change::AddObject(misp_part(Slot::Object, &object, None), attributes);
            let done = self.amend(&event, head, false, vec![change])?;
            Ok((event.head.row, done.added.first().copied().unwrap_or_default()))
        })?;
        Ok(Answer::json(&self.object_shown(row, number)?))
    }

    /// Has the event an object of this name with just these values?
    fn same_object(
        &self,
        view: &View<'_>,
        event: &EventRow,
        given: &Map<String, Value>,
        attributes: &[PartDraft],
    ) -> Result<bool, Fault> {
        let key = |body: &Map<String, Value>| {
            let text = |name: &str| text_of(body.get(name)).unwrap_or_default().into_owned();
            (text("object_relation"), text("type"), text("value"))
        };
        let mut wanted: Vec<_> = attributes.iter().map(|draft| key(&body_of(&draft.raw))).collect();
        wanted.sort();
        let name = text_of(given.get("name")).unwrap_or_default();
        let mut objects: std::collections::BTreeMap<u32, (bool, Vec<_>)> = Default::default();
        view.parts_in_order::<Fault>(&event.head, |part| {
            let body = body_of(&part.raw);
            match (part.slot, part.parent) {
                (Slot::Object, _) => {
                    let alike = !flag_of(body.get("deleted")) && text_of(body.get("name")).unwrap_or_default() == name;
                    objects.insert(part.ordinal, (alike, Vec::new()));
                }
                (Slot::ObjectAttribute, Some(parent)) if !flag_of(body.get("deleted")) => {
                    if let Some((_, values)) = objects.get_mut(&parent) {
                        values.push(key(&body));
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(objects.into_values().any(|(alike, mut values)| {
            values.sort();
            alike && values == wanted
        }))
    }

    /// `objects/view`
    pub fn objects_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let named = self.call.arg(0).or(Some(self.call.action_text.as_str()));
        let (event, part) = self.part(&view, named, OBJECT, "object")?;
        if self.call.method == Method::Head {
            return Ok(Answer::new("text/html; charset=UTF-8"));
        }
        drop(view);
        Ok(Answer::json(&self.object_shown(event.head.row, part.number)?))
    }

    /// `objects/edit`: its own members, and its attributes by their identifiers; new ones are added.
    pub fn objects_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Object")?;
        let named =
            self.call.arg(0).map(str::to_owned).or_else(|| text_of(given.get("uuid")).map(|uuid| uuid.into_owned()));
        let (row, number) = self.again(|| {
            let view = self.view()?;
            let (event, part) = self.part(&view, named.as_deref(), OBJECT, "object")?;
            self.may_change(&event)?;
            let held = body_of(&part.raw);
            let stamp = seconds_of(given.get("timestamp"));
            let (mut changes, mut refused) = (Vec::new(), Refused::default());
            let mut object = part.raw.clone();
            if stamp == 0 || stamp > seconds_of(held.get("timestamp")) {
                let body =
                    self.object(&given, Some(&held)).map_err(|errors| Fault::unsaved("edit", "Object", errors))?;
                object = Value::Object(body).to_string();
                changes.push(Change::Replace(part.ordinal, misp_part(Slot::Object, &object, None)));
            }
            let mut named = Named::new();
            name_into(&mut named, &given);
            let known = self.known(&view, &event, &named)?;
            self.merge_object((part.ordinal, &object), &given, &known, &mut changes, &mut refused);
            if let Some(errors) = refused.0.into_iter().next() {
                return Err(Fault::unsaved("edit", "Object", errors["errors"].clone()));
            }
            let head = self.touched(&event);
            drop(view);
            if !changes.is_empty() {
                self.amend(&event, head, false, changes)?;
            }
            Ok((event.head.row, part.number))
        })?;
        Ok(Answer::json(&self.object_shown(row, number)?))
    }

    /// `objects/delete`: marked as deleted with its attributes, or (`hard`) taken out.
    pub fn objects_delete(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let named = self.call.arg(0).map(str::to_owned);
        let hard = flag_of(options.get("hard")) || self.call.arg(1).is_some_and(|hard| hard == "1" || hard == "true");
        self.again(|| {
            let view = self.view()?;
            let (event, part) = self.part(&view, named.as_deref(), OBJECT, "object")?;
            self.may_change(&event)?;
            let mut changes = Vec::new();
            for one in view.family(&event.head, part.ordinal)?.into_iter().chain([part]) {
                changes.push(match hard {
                    true => Change::Remove(one.ordinal),
                    false => {
                        let body = self.marked_deleted(&body_of(&one.raw), true);
                        Change::Replace(one.ordinal, Self::draft(one.slot, body, None))
                    }
                });
            }
            let head = self.touched(&event);
            drop(view);
            self.amend(&event, head, false, changes).map(drop)
        })?;
        Ok(Answer::json(&saved("Object deleted", &self.call.url, None)))
    }

    /// `objectReferences/add`
    pub fn references_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("ObjectReference")?;
        let text = |name: &str| text_of(given.get(name)).filter(|text| !text.is_empty()).map(|text| text.into_owned());
        let source = text("object_uuid")
            .or_else(|| text("source_uuid"))
            .or_else(|| text("object_id"))
            .or_else(|| self.call.arg(0).map(str::to_owned));
        let unsaved = |errors| Fault::unsaved("add", "Object reference", errors);
        let target = text("referenced_uuid")
            .or_else(|| text("referenced_id"))
            .ok_or_else(|| unsaved(json!({"referenced_uuid": ["Object reference needs a referenced_uuid."]})))?;
        let kind = text("relationship_type").ok_or_else(|| unsaved(json!({"relationship_type": ["valueNotEmpty"]})))?;
        let (row, number, place) = self.again(|| {
            let view = self.view()?;
            let (event, part) = self.part(&view, source.as_deref(), OBJECT, "object")?;
            self.may_change(&event)?;
            let (of, other) = self.part(&view, Some(&target), &[Slot::Attribute, Slot::ObjectAttribute, Slot::Object], "referenced element")?;
            if of.head.row != event.head.row {
                return Err(unsaved(json!({"referenced_uuid": ["The referenced element stands in another event."]})));
            }
            let mut body = body_of(&part.raw);
            let reference = json!({
                "uuid": text("uuid").unwrap_or_else(|| Uuid::new_v4().to_string()), "timestamp": self.now.to_string(),
                "referenced_uuid": uuid_of(&of, &other), "referenced_type": if other.slot == Slot::Object { "1" } else { "0" },
                "relationship_type": kind, "comment": text("comment").unwrap_or_default(), "deleted": false,
            });
            let list = body.entry("ObjectReference").or_insert_with(|| Value::Array(Vec::new()));
            if !list.is_array() {
                *list = Value::Array(Vec::new());
            }
            let mut place = 0;
            if let Value::Array(list) = list {
                place = list.len();
                list.push(reference);
            }
            body.insert("timestamp".into(), self.now.to_string().into());
            let head = self.touched(&event);
            drop(view);
            let draft = Self::draft(Slot::Object, body, None);
            self.amend(&event, head, false, vec![Change::Replace(part.ordinal, draft)])?;
            Ok((event.head.row, part.number, place))
        })?;
        let view = self.view()?;
        let (event, part) = view.part_numbered(row, number)?.ok_or_else(|| Fault::missing("object"))?;
        Ok(Answer::json(&json!({"ObjectReference": self.reference_shown(&view, &event, &part, place)})))
    }

    fn reference_shown(&self, view: &View<'_>, event: &EventRow, part: &Cleared<Part>, place: usize) -> Value {
        let object = ids::of_part(event.head.row, part.number);
        let body = body_of(&part.raw);
        let mut shown = body.get("ObjectReference").and_then(|list| list.get(place)).cloned().unwrap_or_default();
        let target = text_of(shown.get("referenced_uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let target = target.and_then(|uuid| view.part_of_event(uuid).ok().flatten());
        shown["id"] = num(reference_id(object, place));
        shown["object_id"] = num(object);
        shown["event_id"] = num(event.head.number);
        shown["source_uuid"] = uuid_of(event, part).to_string().into();
        shown["object_uuid"] = uuid_of(event, part).to_string().into();
        shown["referenced_id"] = num(target.map_or(0, |(of, other)| ids::of_part(of.head.row, other.number)));
        shown
    }

    /// The object that a reference stands in, by the reference's number or identifier, and its place there.
    fn reference_named(&self, view: &View<'_>, named: &str) -> Result<(EventRow, Cleared<Part>, usize), Fault> {
        let missing = || Fault::missing("object reference");
        match ids::which(named).ok_or_else(missing)? {
            Which::Number(number) => {
                let object = (number / 1000).to_string();
                let (event, part) = self.part(view, Some(&object), OBJECT, "object reference")?;
                Ok((event, part, (number % 1000) as usize))
            }
            Which::Uuid(uuid) => {
                let name =
                    Type::by_name("uuid").and_then(|ty| normalise(ty, &uuid.to_string()).ok()).ok_or_else(missing)?;
                for (row, places) in view.mentions(&[name], 100)? {
                    let Some(event) = view.events_at(&[row], &EventFilter::default())?.pop() else { continue };
                    for part in view.parts_at(&event.head, &places)? {
                        let body = body_of(&part.raw);
                        let list = body.get("ObjectReference").and_then(Value::as_array).into_iter().flatten();
                        let place = list
                            .into_iter()
                            .position(|one| text_of(one.get("uuid")).is_some_and(|one| one == uuid.to_string()));
                        if let (Some(place), Slot::Object) = (place, part.slot) {
                            return Ok((event, part, place));
                        }
                    }
                }
                Err(missing())
            }
        }
    }

    /// `objectReferences/delete/ID`
    pub fn references_delete(&self) -> Result<Answer, Fault> {
        let named = self.call.arg(0).map(str::to_owned).unwrap_or_default();
        self.again(|| {
            let view = self.view()?;
            let (event, part, place) = self.reference_named(&view, &named)?;
            self.may_change(&event)?;
            let mut body = body_of(&part.raw);
            let list = body.get_mut("ObjectReference").and_then(Value::as_array_mut);
            let list = list.filter(|list| place < list.len()).ok_or_else(|| Fault::missing("object reference"))?;
            // Its place stays: the numbers of the others count places.
            list[place]["deleted"] = true.into();
            list[place]["timestamp"] = self.now.to_string().into();
            body.insert("timestamp".into(), self.now.to_string().into());
            let head = self.touched(&event);
            drop(view);
            let draft = Self::draft(Slot::Object, body, None);
            self.amend(&event, head, false, vec![Change::Replace(part.ordinal, draft)]).map(drop)
        })?;
        Ok(Answer::json(&saved("ObjectReference deleted", &self.call.url, None)))
    }
}
