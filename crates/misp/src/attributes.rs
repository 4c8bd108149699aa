//! `/attributes`: one at a time, or a list.

use crate::answer::{Answer, Fault, saved};
use crate::call::{Method, page};
use crate::context::Context;
use crate::events::{describe, likeness};
use crate::ids;
use crate::shape::{Scribe, attach, body_of, split};
use manara_model::observable::misp_types;
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_model::role::Right;
use manara_model::{Cleared, Part};
use manara_store::Change;
use manara_store::view::{EventFilter, EventRow, View};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Where attributes stand.
pub(crate) const ATTRIBUTE: &[Slot] = &[Slot::Attribute, Slot::ObjectAttribute];

/// An attribute, or the errors of a row: `{field: [texts]}`.
type Rows = (Vec<(usize, Map<String, Value>)>, BTreeMap<usize, Value>);

impl Context<'_> {
    /// The number of the object that a part belongs to.
    pub(crate) fn object_of(&self, view: &View<'_>, event: &EventRow, part: &Cleared<Part>) -> Result<i64, Fault> {
        let Some(place) = part.parent else { return Ok(0) };
        let object = view.parts_at(&event.head, &[place])?.pop();
        Ok(object.map_or(0, |object| ids::of_part(event.head.row, object.number)))
    }

    /// An attribute as it is shown alone.
    pub(crate) fn shown(
        &self,
        view: &View<'_>,
        (event, part): &(EventRow, Cleared<Part>),
        data: bool,
    ) -> Result<Map<String, Value>, Fault> {
        let scribe = Scribe::new(view, self.call.caller.account.org);
        let mut attribute = scribe.attribute(event, part, self.object_of(view, event, part)?);
        if data {
            attach(&mut attribute, part);
        }
        attribute.extend(self.notes_about_part(view, event, part)?);
        Ok(attribute)
    }

    /// `attributes/add`: one, or a list of them; a list's good rows are saved, the others are told apart.
    pub fn attributes_add(&self) -> Result<Answer, Fault> {
        if self.call.method == Method::Get {
            return Ok(describe(
                "/attributes/add",
                "POST a MISP Attribute JSON to this API to create an Attribute.",
                &["value", "type"],
                &[
                    "category",
                    "to_ids",
                    "uuid",
                    "distribution",
                    "sharing_group_id",
                    "timestamp",
                    "comment",
                    "data",
                    "encrypt",
                    "first_seen",
                    "last_seen",
                ],
            ));
        }
        let event = self.call.arg(0).ok_or_else(|| Fault::missing("event"))?;
        let body = match self.call.json()? {
            Value::Object(mut map) => match map.get_mut("Attribute").map(Value::take) {
                Some(inner) => inner,
                None => Value::Object(map),
            },
            other => other,
        };
        let (items, several) = match body {
            Value::Array(items) => (items, true),
            Value::Object(map) => {
                // A text with several lines is several attributes.
                let lines: Vec<String> = map
                    .get("batch_import")
                    .filter(|flag| flag_of(Some(flag)))
                    .and_then(|_| text_of(map.get("value")))
                    .map(|text| {
                        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
                    })
                    .unwrap_or_default();
                if lines.len() > 1 {
                    let each = lines.into_iter().map(|line| {
                        let mut one = map.clone();
                        one.insert("value".into(), line.into());
                        Value::Object(one)
                    });
                    (each.collect(), true)
                } else {
                    (vec![Value::Object(map)], false)
                }
            }
            _ => return Err(Fault::bad_json()),
        };
        let (added, errors) = self.add_attributes(event, &items)?;
        if added.is_empty() {
            let errors = match errors.into_iter().next() {
                Some((_, errors)) if !several => errors,
                Some((_, errors)) => json!({"attribute_0": errors}),
                None => json!("nothing to add"),
            };
            return Err(Fault::unsaved("add", "Attribute", errors));
        }
        let mut shown: Vec<Value> = Vec::with_capacity(added.len());
        let mut tags = Vec::new();
        for (_, mut attribute) in added {
            // Of several, each has its own.
            let of = if several { attribute.get("Tag").cloned() } else { attribute.remove("Tag") };
            if let Some(Value::Array(of)) = of {
                tags.extend(of);
            }
            split(&mut attribute);
            shown.push(Value::Object(attribute));
        }
        let errors: Map<String, Value> =
            errors.into_iter().map(|(n, errors)| (format!("attribute_{n}"), errors)).collect();
        let one = shown.len() == 1;
        let mut body =
            json!({"Attribute": if one { shown.remove(0) } else { Value::Array(shown) }, "AttributeTag": []});
        if !tags.is_empty() {
            body["AttributeTag"] = tags.into_iter().map(|tag| json!({"tag_id": tag["id"], "Tag": tag})).collect();
        }
        if !errors.is_empty() {
            body["errors"] = Value::Object(errors);
        }
        Ok(Answer::json(&body))
    }

    /// Adds attributes to an event; those that were added by their place in the list, and the errors.
    pub(crate) fn add_attributes(&self, named: &str, items: &[Value]) -> Result<Rows, Fault> {
        self.again(|| {
            let view = self.view()?;
            let event = self.event(&view, Some(named))?;
            self.may_change(&event)?;
            let (mut changes, mut places, mut errors) = (Vec::new(), Vec::new(), BTreeMap::new());
            let mut alike = HashSet::new();
            // With `breakOnDuplicate:0` one that is there already is seen again, and no error.
            let again = self.call.named.get("breakOnDuplicate").is_some_and(|flag| !flag_of(Some(flag)));
            for (n, item) in items.iter().enumerate() {
                let item = item.get("Attribute").unwrap_or(item);
                let made = match item.as_object() {
                    Some(item) => self.attribute(item, None),
                    None => Err(json!({"value": ["an attribute is an object with 'type' and 'value'"]})),
                };
                let body = match made {
                    Ok(body) => body,
                    Err(error) => {
                        errors.insert(n, error);
                        continue;
                    }
                };
                let twice = !alike.insert(likeness(&body));
                match self.alike(&view, &event, &body)? {
                    Some(held) if again && !twice => {
                        let mut body = body_of(&held.raw);
                        body.insert("timestamp".into(), self.now.to_string().into());
                        changes.push(Change::Replace(held.ordinal, Self::draft(Slot::Attribute, body, None)));
                        places.push((n, Some(held.ordinal)));
                    }
                    None if !twice => {
                        changes.push(Change::Add(Self::draft(Slot::Attribute, body, None)));
                        places.push((n, None));
                    }
                    _ => {
                        errors.insert(n, json!({"value": ["A similar attribute already exists for this event."]}));
                    }
                }
            }
            if changes.is_empty() {
                return Ok((Vec::new(), errors));
            }
            let head = self.touched(&event);
            drop(view);
            let done = self.amend(&event, head, false, changes)?;
            let view = self.view()?;
            let event = self.event_at(&view, event.head.row)?;
            let scribe = Scribe::new(&view, self.call.caller.account.org);
            let mut new = done.added.into_iter();
            let places: Vec<(usize, u32)> =
                places.into_iter().filter_map(|(n, place)| Some((n, place.or_else(|| new.next())?))).collect();
            // Read together: a chunk is unpacked once for all that stand in it.
            let ordinals: Vec<u32> = places.iter().map(|(_, place)| *place).collect();
            let parts = view.parts_at(&event.head, &ordinals)?;
            let by_place: HashMap<u32, &Cleared<Part>> = parts.iter().map(|part| (part.ordinal, part)).collect();
            let shown = |(n, place)| Some((n, scribe.attribute(&event, by_place.get(&place)?, 0)));
            Ok((places.into_iter().filter_map(shown).collect(), errors))
        })
    }

    /// The same attribute, where it is in the event already, outside of its objects.
    fn alike(
        &self,
        view: &View<'_>,
        event: &EventRow,
        body: &Map<String, Value>,
    ) -> Result<Option<Cleared<Part>>, Fault> {
        let draft = Self::draft(Slot::Attribute, body.clone(), None);
        let Some(found) = draft.found.iter().max_by_key(|found| found.observable.ty().row().correlates) else {
            return Ok(None);
        };
        let places = view.mentions_in(event.head.row, &found.observable)?;
        let wanted = likeness(body);
        let same = |part: &Cleared<Part>| {
            let held = body_of(&part.raw);
            part.slot == Slot::Attribute && likeness(&held) == wanted && !flag_of(held.get("deleted"))
        };
        Ok(view.parts_at(&event.head, &places)?.into_iter().find(same))
    }

    /// `attributes/view`, `attributes/N`
    pub fn attributes_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let named = self.call.arg(0).or(Some(self.call.action_text.as_str()));
        let found = self.part(&view, named, ATTRIBUTE, "attribute")?;
        if self.call.method == Method::Head {
            return Ok(Answer::new("text/html; charset=UTF-8"));
        }
        let mut attribute = self.shown(&view, &found, true)?;
        attribute.insert("event_uuid".into(), found.0.head.uuid.to_string().into());
        Ok(Answer::json(&json!({"Attribute": attribute})))
    }

    /// `attributes/index`: the newest, a page.
    pub fn attributes_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let (mut skip, limit) = page(&options, 60, 10_000);
        let view = self.view()?;
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        let mut lines = Vec::new();
        crate::search::each_attribute(&view, &EventFilter::default(), |event, part, object| {
            if flag_of(body_of(&part.raw).get("deleted")) {
                return Ok(true);
            }
            if skip > 0 {
                skip -= 1;
                return Ok(true);
            }
            lines.push(Value::Object(scribe.attribute(event, part, object)));
            Ok(lines.len() < limit)
        })?;
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `attributes/edit`
    pub fn attributes_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Attribute")?;
        let named =
            self.call.arg(0).map(str::to_owned).or_else(|| text_of(given.get("uuid")).map(|uuid| uuid.into_owned()));
        let (row, place) = self.change_attribute(named.as_deref(), |held| {
            // Somebody who changes the copy that he has sends its clock along; a server that brings the same
            // brings nothing new.
            let (stamp, ours) = (seconds_of(given.get("timestamp")), seconds_of(held.get("timestamp")));
            if stamp > 0 && (stamp < ours || stamp == ours && self.call.may(Right::Sync) && !self.is_admin()) {
                return Err(Fault::unsaved(
                    "edit",
                    "Attribute",
                    json!("Attribute could not be saved: Attribute in the request not newer than the local copy."),
                ));
            }
            self.attribute(&given, Some(held)).map_err(|errors| Fault::unsaved("edit", "Attribute", errors))
        })?;
        self.attribute_now(row, place)
    }

    /// The attribute as it is stored now.
    fn attribute_now(&self, row: i64, number: u32) -> Result<Answer, Fault> {
        let view = self.view()?;
        let found = view.part_numbered(row, number)?.ok_or_else(|| Fault::missing("attribute"))?;
        let attribute = self.shown(&view, &found, false)?;
        Ok(Answer::json(&json!({"Attribute": attribute})))
    }

    /// Changes one attribute; its event's row and its number.
    pub(crate) fn change_attribute(
        &self,
        named: Option<&str>,
        change: impl Fn(&Map<String, Value>) -> Result<Map<String, Value>, Fault>,
    ) -> Result<(i64, u32), Fault> {
        self.again(|| {
            let view = self.view()?;
            let (event, part) = self.part(&view, named, ATTRIBUTE, "attribute")?;
            self.may_change(&event)?;
            let body = change(&body_of(&part.raw))?;
            let object = match part.parent {
                Some(place) => view.parts_at(&event.head, &[place])?.pop().map(|object| object.raw.clone()),
                None => None,
            };
            let draft = Self::draft(part.slot, body, object.as_deref());
            let head = self.touched(&event);
            drop(view);
            self.amend(&event, head, false, vec![Change::Replace(part.ordinal, draft)])?;
            Ok((event.head.row, part.number))
        })
    }

    /// `attributes/delete`: marked as deleted, or (`hard`) taken out.
    pub fn attributes_delete(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let named = self.call.arg(0).map(str::to_owned);
        let hard = flag_of(options.get("hard")) || self.call.arg(1).is_some_and(|hard| hard == "1" || hard == "true");
        if hard {
            self.again(|| {
                let view = self.view()?;
                let (event, part) = self.part(&view, named.as_deref(), ATTRIBUTE, "attribute")?;
                self.may_change(&event)?;
                let head = self.touched(&event);
                drop(view);
                self.amend(&event, head, false, vec![Change::Remove(part.ordinal)]).map(drop)
            })?;
        } else {
            self.change_attribute(named.as_deref(), |held| Ok(self.marked_deleted(held, true)))?;
        }
        Ok(Answer::json(&json!({"message": "Attribute deleted."})))
    }

    /// A body that is deleted, or is again.
    pub(crate) fn marked_deleted(&self, held: &Map<String, Value>, deleted: bool) -> Map<String, Value> {
        let mut body = held.clone();
        body.insert("deleted".into(), deleted.into());
        body.insert("timestamp".into(), self.now.to_string().into());
        body
    }

    /// `attributes/restore`
    pub fn attributes_restore(&self) -> Result<Answer, Fault> {
        let named = self.call.arg(0).map(str::to_owned);
        let (row, number) = self.change_attribute(named.as_deref(), |held| Ok(self.marked_deleted(held, false)))?;
        self.attribute_now(row, number)
    }

    /// `attributes/describeTypes`: the table of types, categories and defaults.
    pub fn describe_types(&self) -> Result<Answer, Fault> {
        let (mut defaults, mut by_category) = (Map::new(), BTreeMap::<&str, Vec<&str>>::new());
        for ty in misp_types() {
            defaults.insert(
                ty.name.into(),
                json!({"default_category": ty.default_category, "to_ids": i32::from(ty.to_ids)}),
            );
            for category in &ty.categories {
                by_category.entry(category).or_default().push(ty.name);
            }
        }
        Ok(Answer::json(&json!({"result": {
            "sane_defaults": defaults, "types": misp_types().iter().map(|ty| ty.name).collect::<Vec<_>>(),
            "categories": by_category.keys().collect::<Vec<_>>(), "category_type_mappings": by_category,
        }})))
    }

    /// `attributes/attributeStatistics`: how many of each type or category the caller may see.
    pub fn attribute_statistics(&self) -> Result<Answer, Fault> {
        let member = match self.call.arg(0).unwrap_or("type") {
            "category" => "category",
            _ => "type",
        };
        let percent = self.call.arg(1).is_some_and(|text| text == "1" || text == "true");
        let view = self.view()?;
        let (mut counts, mut total) = (BTreeMap::<String, u64>::new(), 0u64);
        crate::search::each_attribute(&view, &EventFilter::default(), |_, part, _| {
            let body = body_of(&part.raw);
            if !flag_of(body.get("deleted")) {
                *counts.entry(text_of(body.get(member)).unwrap_or_default().into_owned()).or_default() += 1;
                total += 1;
            }
            Ok(true)
        })?;
        let line = |(name, count): (String, u64)| {
            let value = if percent {
                format!("{}%", (count as f64 / total as f64 * 100_000.0).round() / 1000.0)
            } else {
                count.to_string()
            };
            (name, Value::String(value))
        };
        Ok(Answer::json(&Value::Object(counts.into_iter().map(line).collect())))
    }

    /// `attributes/addTag`, `events/removeTag` and the like, by path.
    pub fn saved_at(&self, text: &str) -> Answer {
        Answer::json(&saved(text, &self.call.url, None))
    }
}
