//! What events and their parts look like to MISP's users: numbers as texts, every member there.

use crate::answer::Fault;
use crate::clusters::{Shelf, named_by};
use crate::ids;
use manara_model::record::{flag_of, seconds_of, text_of};
use manara_model::{Cleared, OrgId, Part};
use manara_store::people::Tag;
use manara_store::view::{EventRow, View};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Members of an attribute that this door writes itself: what came under these names is another node's.
const OWN: &[&str] = &[
    "Note",
    "Opinion",
    "Relationship",
    "id",
    "event_id",
    "object_id",
    "value1",
    "value2",
    "sharing_group_id",
    "Event",
    "Sighting",
    "RelatedAttribute",
    "ShadowAttribute",
    "Galaxy",
    "warnings",
    "event_uuid",
    "org_id",
    "old_id",
    "event_org_id",
    "Attribute",
    "ObjectReference",
    "SharingGroup",
];
/// The same of an event.
const OWN_OF_EVENT: &[&str] = &[
    "Note",
    "Opinion",
    "Relationship",
    "id",
    "org_id",
    "orgc_id",
    "Org",
    "Orgc",
    "attribute_count",
    "RelatedEvent",
    "Galaxy",
    "sharing_group_id",
    "user_id",
    "event_creator_email",
    "Tag",
    "Attribute",
    "Object",
    "EventReport",
    "ShadowAttribute",
    "CryptographicKey",
    "SharingGroup",
    "sighting_timestamp",
    "Feed",
    "Server",
    "EventTag",
];

/// Which deleted parts are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// None: the default.
    #[default]
    Without,
    /// Both.
    With,
    /// Nothing else.
    Only,
}

impl Deleted {
    /// From a filter: `1`, `true`, `only`, `[0, 1]`, `[1]`.
    #[must_use]
    pub(crate) fn of(value: Option<&Value>) -> Deleted {
        match value {
            Some(Value::Array(items)) => {
                let has = |wanted: bool| items.iter().any(|item| flag_of(Some(item)) == wanted);
                match (has(false), has(true)) {
                    (_, false) => Deleted::Without,
                    (true, true) => Deleted::With,
                    (false, true) => Deleted::Only,
                }
            }
            Some(Value::String(text)) if text == "only" => Deleted::Only,
            Some(Value::String(text)) if text == "2" => Deleted::Only,
            value if flag_of(value) => Deleted::With,
            _ => Deleted::Without,
        }
    }

    /// Is a part wanted that is deleted, or is not?
    #[must_use]
    pub(crate) fn wants(self, deleted: bool) -> bool {
        match self {
            Deleted::Without => !deleted,
            Deleted::With => true,
            Deleted::Only => deleted,
        }
    }
}

/// Writes for one view, and remembers what it looked up.
pub(crate) struct Scribe<'v, 's> {
    /// What may be seen.
    pub view: &'v View<'s>,
    /// The caller's organisation.
    pub own: OrgId,
    /// Galaxies, where they are to be shown beside tags.
    shelf: Option<Shelf<'v, 's>>,
    tags: RefCell<HashMap<String, Option<Tag>>>,
    /// Sharing groups that were described in the event that is being written: once is enough.
    described: RefCell<HashSet<Uuid>>,
}

/// A number as MISP writes it.
#[must_use]
pub(crate) fn num(number: i64) -> Value {
    Value::String(number.to_string())
}

fn text(map: &Map<String, Value>, name: &str, default: &str) -> Value {
    Value::String(text_of(map.get(name)).unwrap_or(default.into()).into_owned())
}

fn time(map: &Map<String, Value>, name: &str) -> Value {
    let text = text_of(map.get(name)).filter(|text| !text.is_empty());
    match text.and_then(|text| manara_model::record::parse_micros(&text)) {
        Some(time) => Value::String(micros(time)),
        None => Value::Null,
    }
}

/// `2026-10-01T00:00:00.000000+00:00`.
#[must_use]
pub(crate) fn micros(micros: i64) -> String {
    let stamp = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// `2026-11-24 04:05:43`.
#[must_use]
pub(crate) fn datetime(millis: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A part's body as an object; empty where it is none.
#[must_use]
pub(crate) fn body_of(raw: &str) -> Map<String, Value> {
    serde_json::from_str(raw).unwrap_or_default()
}

/// Names of the tags in a body.
pub(crate) fn tag_names(map: &Map<String, Value>) -> impl Iterator<Item = &str> {
    map.get("Tag").and_then(Value::as_array).into_iter().flatten().filter_map(|tag| tag.get("name")?.as_str())
}

/// A composite value's two halves, as MISP keeps them.
#[must_use]
pub(crate) fn halves(ty: &str, value: &str) -> (String, String) {
    let composite = ty.contains('|') || ty == "malware-sample";
    match value.split_once('|').filter(|_| composite) {
        Some((one, two)) => (one.to_owned(), two.to_owned()),
        None => (value.to_owned(), String::new()),
    }
}

/// Adds a composite value's two halves.
pub(crate) fn split(attribute: &mut Map<String, Value>) {
    let ty = text_of(attribute.get("type")).unwrap_or_default().into_owned();
    let (one, two) = halves(&ty, &text_of(attribute.get("value")).unwrap_or_default());
    attribute.insert("value1".into(), one.into());
    attribute.insert("value2".into(), two.into());
}

impl<'v, 's> Scribe<'v, 's> {
    /// For a view and the caller's organisation.
    #[must_use]
    pub(crate) fn new(view: &'v View<'s>, own: OrgId) -> Self {
        Scribe { view, own, shelf: None, tags: RefCell::default(), described: RefCell::default() }
    }

    /// One that shows galaxies beside tags.
    #[must_use]
    pub(crate) fn with_galaxies(mut self, shelf: Shelf<'v, 's>) -> Self {
        self.shelf = Some(shelf);
        self
    }

    /// Galaxies, where they are to be shown.
    #[must_use]
    pub(crate) fn shelf(&self) -> Option<&Shelf<'v, 's>> {
        self.shelf.as_ref()
    }

    /// Galaxies of the tags on something; none where they are not to be shown. `number` tells the number of a
    /// tag's place there, which stands in `name`.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn galaxies(
        &self,
        tags: &[Value],
        name: &str,
        number: impl Fn(usize) -> i64,
    ) -> Result<Vec<Value>, Fault> {
        self.shelf.as_ref().map_or(Ok(Vec::new()), |shelf| shelf.blocks(tags, name, number))
    }

    /// Galaxies of the tags on an attribute.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn galaxies_of_attribute(&self, attribute: &Map<String, Value>) -> Result<Vec<Value>, Fault> {
        let tags = attribute.get("Tag").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let id = seconds_of(attribute.get("id"));
        self.galaxies(tags, "attribute_tag_id", |n| reference_id(id, n))
    }

    fn tag_info(&self, name: &str) -> Option<Tag> {
        if let Some(known) = self.tags.borrow().get(name) {
            return known.clone();
        }
        let found = self.view.tag(name).ok().flatten();
        self.tags.borrow_mut().insert(name.to_owned(), found.clone());
        found
    }

    /// Tags of a body, as they stand on an event or an attribute.
    #[must_use]
    pub(crate) fn tags(&self, map: &Map<String, Value>) -> Vec<Value> {
        let mut out = Vec::new();
        for tag in map.get("Tag").and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = tag.get("name").and_then(Value::as_str) else { continue };
            let info = self.tag_info(name);
            // One that is not for export is its keepers' own: no program is given it (MISP#1394).
            if info.as_ref().and_then(|info| info.detail.get("exportable")).is_some_and(|flag| !flag_of(Some(flag))) {
                continue;
            }
            let mut value = match &info {
                Some(info) => tag_value(info),
                None => tag_value(&Tag::unknown(name)),
            };
            value["local"] = flag_of(tag.get("local")).into();
            value["relationship_type"] = tag.get("relationship_type").cloned().unwrap_or_default();
            if let Some(object) = value.as_object_mut() {
                object.remove("org_id");
            }
            out.push(value);
        }
        out
    }

    /// An organisation in an event.
    #[must_use]
    pub(crate) fn org(&self, uuid: Option<Uuid>, name: &str) -> Value {
        org_value(self.view, uuid, name)
    }

    fn org_number(&self, uuid: Option<Uuid>) -> Value {
        num(uuid.and_then(|uuid| self.view.facts().numbers.get(&uuid).copied()).unwrap_or(0))
    }

    /// Distribution and number of the sharing group of a body.
    pub(crate) fn reach(&self, map: &Map<String, Value>, default: &str) -> (Value, Value) {
        let group = map.get("SharingGroup").and_then(|group| text_of(group.get("uuid"))?.parse::<Uuid>().ok());
        let number = group.and_then(|uuid| self.view.facts().numbers.get(&uuid).copied()).unwrap_or(0);
        (text(map, "distribution", default), num(number))
    }

    /// An event's own members, without its parts.
    #[must_use]
    pub(crate) fn event_head(&self, event: &EventRow) -> Map<String, Value> {
        self.described.borrow_mut().clear();
        let body = body_of(&event.head.skeleton);
        let owner = event.head.label.owner.0;
        let orgc_name = body.get("Orgc").and_then(|orgc| text_of(orgc.get("name"))).unwrap_or_default().into_owned();
        let (distribution, group) = self.reach(&body, "0");
        let mut out = Map::new();
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("id", num(event.head.number));
        put("orgc_id", self.org_number(event.author));
        put("org_id", self.org_number(Some(owner)));
        put("date", Value::String(event.day.clone()));
        put("threat_level_id", num(event.threat));
        put("info", text(&body, "info", ""));
        put("published", event.published.into());
        put("uuid", Value::String(event.head.uuid.to_string()));
        put("attribute_count", num(event.attributes));
        put("analysis", num(event.analysis));
        put("timestamp", num(event.touched));
        put("distribution", distribution);
        put("proposal_email_lock", flag_of(body.get("proposal_email_lock")).into());
        put("locked", event.locked.into());
        put("publish_timestamp", num(event.published_at));
        put("sharing_group_id", group);
        put("disable_correlation", flag_of(body.get("disable_correlation")).into());
        put("extends_uuid", Value::String(event.extends.map(|uuid| uuid.to_string()).unwrap_or_default()));
        put("protected", body.get("protected").cloned().unwrap_or_default());
        if let Some(email) = body.get("event_creator_email") {
            put("event_creator_email", email.clone());
        }
        put("Org", self.org(Some(owner), ""));
        put("Orgc", self.org(event.author, &orgc_name));
        if let Some(group) = body.get("SharingGroup") {
            put("SharingGroup", self.group(group));
        }
        for (name, value) in body {
            if !out.contains_key(&name) && !OWN_OF_EVENT.contains(&name.as_str()) {
                out.insert(name, value);
            }
        }
        out
    }

    /// A sharing group in an event: with its members where the reader may know them.
    pub(crate) fn group(&self, group: &Value) -> Value {
        let mut shown = group.clone();
        let facts = self.view.facts();
        let uuid = text_of(group.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let Some(uuid) = uuid else { return shown };
        if !self.described.borrow_mut().insert(uuid) {
            // Its members stood there before: in each of a hundred thousand attributes they would be a gigabyte
            // (MISP#7992).
            let name = facts.world.groups.get(&manara_model::GroupId(uuid)).map(|known| known.name.as_str());
            return json!({"id": num(facts.numbers.get(&uuid).copied().unwrap_or(0)), "uuid": uuid, "name": name.or(group["name"].as_str())});
        }
        let id = manara_model::GroupId(uuid);
        shown["id"] = num(facts.numbers.get(&uuid).copied().unwrap_or(0));
        let Some(known) = facts.world.groups.get(&id) else { return shown };
        shown["name"] = known.name.clone().into();
        shown["active"] = known.active.into();
        let notes = facts.group_notes.get(&id);
        for name in ["description", "releasability", "created", "modified", "roaming"] {
            let note = notes.and_then(|notes| notes.get(name)).cloned();
            shown[name] = note.unwrap_or(if name == "roaming" { false.into() } else { "".into() });
        }
        if let Some(owner) = known.owner {
            shown["organisation_uuid"] = json!(owner);
            shown["org_id"] = self.org_number(Some(owner.0));
            shown["Organisation"] = self.org(Some(owner.0), "");
        }
        let owns = known.owner == Some(self.own);
        if known.orgs.contains(&self.own) && known.shows_members || owns {
            let line = |org: &OrgId| json!({"org_id": self.org_number(Some(org.0)), "extend": false, "Organisation": self.org(Some(org.0), "")});
            shown["SharingGroupOrg"] = known.orgs.iter().map(line).collect();
        }
        shown
    }

    /// An event beside one of its objects.
    #[must_use]
    pub(crate) fn event_short(&self, event: &EventRow) -> Value {
        let head = self.event_head(event);
        json!({
            "id": num(event.head.number), "info": event.head.title, "uuid": event.head.uuid,
            "org_id": head["org_id"], "orgc_id": head["orgc_id"],
        })
    }

    /// An event in a list.
    #[must_use]
    pub(crate) fn event_line(&self, event: &EventRow) -> Value {
        let full = self.event_head(event);
        let body = body_of(&event.head.skeleton);
        let mut out = Map::new();
        for name in [
            "id",
            "org_id",
            "date",
            "info",
            "uuid",
            "published",
            "analysis",
            "attribute_count",
            "orgc_id",
            "timestamp",
            "distribution",
            "sharing_group_id",
            "proposal_email_lock",
            "locked",
            "threat_level_id",
            "publish_timestamp",
        ] {
            out.insert(name.into(), full.get(name).cloned().unwrap_or_default());
        }
        out.insert("sighting_timestamp".into(), num(event.sighted));
        for name in ["disable_correlation", "extends_uuid", "protected"] {
            out.insert(name.into(), full.get(name).cloned().unwrap_or_default());
        }
        for name in ["Org", "Orgc"] {
            let mut org = full.get(name).cloned().unwrap_or_default();
            if let Some(org) = org.as_object_mut() {
                org.remove("local");
            }
            out.insert(name.into(), org);
        }
        let tags = self.tags(&body).into_iter().enumerate().map(|(n, tag)| {
            json!({
                "id": num(ids::of_part(event.head.row, n as u32)), "event_id": num(event.head.number), "tag_id": tag["id"], "local": tag["local"],
                "relationship_type": tag["relationship_type"].as_str().unwrap_or_default(),
                "Tag": {"id": tag["id"], "name": tag["name"], "colour": tag["colour"], "is_galaxy": tag["is_galaxy"]},
            })
        });
        out.insert("EventTag".into(), tags.collect());
        Value::Object(out)
    }

    /// The few members by which a server that pulls decides what is new.
    #[must_use]
    pub(crate) fn event_minimal(&self, event: &EventRow) -> Value {
        json!({
            "id": num(event.head.number), "timestamp": num(event.touched), "sighting_timestamp": num(event.sighted),
            "published": event.published, "uuid": event.head.uuid, "orgc_uuid": event.author.map(|uuid| uuid.to_string()).unwrap_or_default(),
        })
    }

    /// An attribute. `object`: number of the object that it belongs to, 0: none.
    #[must_use]
    pub(crate) fn attribute(&self, event: &EventRow, part: &Cleared<Part>, object: i64) -> Map<String, Value> {
        let body = body_of(&part.raw);
        let (distribution, group) = self.reach(&body, "5");
        let mut out = Map::new();
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("id", num(ids::of_part(event.head.row, part.number)));
        put("event_id", num(event.head.number));
        put("object_id", num(object));
        put("object_relation", body.get("object_relation").cloned().unwrap_or_default());
        put("category", text(&body, "category", ""));
        put("type", text(&body, "type", ""));
        put("to_ids", flag_of(body.get("to_ids")).into());
        put("uuid", Value::String(uuid_of(event, part).to_string()));
        let stamp = seconds_of(body.get("timestamp"));
        put("timestamp", num(if stamp > 0 { stamp } else { event.touched }));
        put("distribution", distribution);
        put("sharing_group_id", group);
        put("comment", text(&body, "comment", ""));
        put("deleted", flag_of(body.get("deleted")).into());
        put("disable_correlation", flag_of(body.get("disable_correlation")).into());
        put("first_seen", time(&body, "first_seen"));
        put("last_seen", time(&body, "last_seen"));
        put("value", text(&body, "value", ""));
        if let Some(group) = body.get("SharingGroup") {
            put("SharingGroup", self.group(group));
        }
        let tags = self.tags(&body);
        if !tags.is_empty() {
            put("Tag", tags.into());
        }
        for (name, value) in body {
            // The sample itself goes out when it is asked for.
            if name != "data" && name != "Tag" && !out.contains_key(&name) && !OWN.contains(&name.as_str()) {
                out.insert(name, value);
            }
        }
        out
    }

    /// An object, without its attributes.
    #[must_use]
    pub(crate) fn object(&self, event: &EventRow, part: &Cleared<Part>) -> Map<String, Value> {
        let body = body_of(&part.raw);
        let (distribution, group) = self.reach(&body, "5");
        let id = ids::of_part(event.head.row, part.number);
        let mut out = Map::new();
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        put("id", num(id));
        for name in ["name", "meta-category", "description", "template_uuid", "template_version"] {
            put(name, text(&body, name, ""));
        }
        put("event_id", num(event.head.number));
        put("uuid", Value::String(uuid_of(event, part).to_string()));
        let stamp = seconds_of(body.get("timestamp"));
        put("timestamp", num(if stamp > 0 { stamp } else { event.touched }));
        put("distribution", distribution);
        put("sharing_group_id", group);
        put("comment", text(&body, "comment", ""));
        put("deleted", flag_of(body.get("deleted")).into());
        put("first_seen", time(&body, "first_seen"));
        put("last_seen", time(&body, "last_seen"));
        let references = body.get("ObjectReference").and_then(Value::as_array).cloned().unwrap_or_default();
        let source = uuid_of(event, part).to_string();
        let shown = references.into_iter().enumerate().map(|(n, mut reference)| {
            reference["id"] = num(reference_id(id, n));
            reference["object_id"] = num(id);
            reference["event_id"] = num(event.head.number);
            reference["source_uuid"] = source.clone().into();
            reference["object_uuid"] = source.clone().into();
            reference
        });
        put("ObjectReference", shown.filter(|reference| !flag_of(reference.get("deleted"))).collect());
        for (name, value) in body {
            if !out.contains_key(&name) && !OWN.contains(&name.as_str()) {
                out.insert(name, value);
            }
        }
        out
    }

    /// A report.
    #[must_use]
    pub(crate) fn report(&self, event: &EventRow, part: &Cleared<Part>) -> Value {
        let body = body_of(&part.raw);
        let (distribution, group) = self.reach(&body, "5");
        json!({
            "id": num(ids::of_part(event.head.row, part.number)), "uuid": uuid_of(event, part),
            "event_id": num(event.head.number), "name": text(&body, "name", ""), "content": text(&body, "content", ""),
            "distribution": distribution, "sharing_group_id": group,
            "timestamp": num(seconds_of(body.get("timestamp"))), "deleted": flag_of(body.get("deleted")),
        })
    }

    /// A proposal.
    #[must_use]
    pub(crate) fn proposal(&self, event: &EventRow, part: &Cleared<Part>) -> Value {
        let body = body_of(&part.raw);
        let org = body.get("Org").cloned().unwrap_or_default();
        let uuid = text_of(org.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let org = self.org(uuid, &text_of(org.get("name")).unwrap_or_default());
        json!({
            "id": num(ids::of_part(event.head.row, part.number)), "old_id": text(&body, "old_id", "0"),
            "event_id": num(event.head.number), "type": text(&body, "type", ""), "category": text(&body, "category", ""),
            "uuid": uuid_of(event, part), "to_ids": flag_of(body.get("to_ids")), "comment": text(&body, "comment", ""),
            "org_id": org["id"], "timestamp": num(seconds_of(body.get("timestamp"))),
            "first_seen": time(&body, "first_seen"), "last_seen": time(&body, "last_seen"),
            "deleted": flag_of(body.get("deleted")), "proposal_to_delete": flag_of(body.get("proposal_to_delete")),
            "disable_correlation": flag_of(body.get("disable_correlation")), "value": text(&body, "value", ""),
            "org_uuid": org["uuid"], "event_uuid": event.head.uuid,
            "Org": {"id": org["id"], "name": org["name"], "uuid": org["uuid"]},
        })
    }
}

/// The number of a reference: that of its object, and its place there.
#[must_use]
pub(crate) fn reference_id(object: i64, place: usize) -> i64 {
    object * 1000 + place as i64
}

/// A part's identifier; made of its event's and its place where it came without one.
#[must_use]
pub(crate) fn uuid_of(event: &EventRow, part: &Part) -> Uuid {
    part.uuid.unwrap_or_else(|| {
        manara_model::ids::derived(&["part", &event.head.uuid.to_string(), &part.number.to_string()])
    })
}

/// An organisation beside what it wrote or holds; `name` as it came with that.
#[must_use]
pub(crate) fn org_value(view: &View<'_>, uuid: Option<Uuid>, name: &str) -> Value {
    let facts = view.facts();
    let Some(uuid) = uuid else { return json!({"id": "0", "name": name, "uuid": "", "local": false}) };
    let org = OrgId(uuid);
    let known = facts.names.get(&org).map_or(name, String::as_str);
    let name = if name.is_empty() { known } else { name };
    json!({
        "id": num(facts.numbers.get(&uuid).copied().unwrap_or(0)), "name": name, "uuid": uuid,
        "local": facts.world.local.contains(&org),
    })
}

/// A tag.
#[must_use]
pub(crate) fn tag_value(tag: &Tag) -> Value {
    let detail = |name: &str| tag.detail.get(name).cloned();
    let flag = |name: &str, default: bool| tag.detail.get(name).map_or(default, |value| flag_of(Some(value)));
    json!({
        "id": num(tag.id), "name": tag.name, "colour": tag.colour(), "exportable": flag("exportable", true),
        "org_id": detail("org_id").unwrap_or("0".into()), "user_id": detail("user_id").unwrap_or("0".into()),
        "hide_tag": flag("hide_tag", false), "numerical_value": detail("numerical_value"),
        "is_galaxy": tag.name.starts_with("misp-galaxy:"), "is_custom_galaxy": named_by(&tag.name).is_some_and(|(_, name)| ids::which(name).is_some()), "local_only": flag("local_only", false),
    })
}

/// Adds an attachment's or a sample's bytes, where there are some.
pub(crate) fn attach(attribute: &mut Map<String, Value>, part: &Cleared<Part>) {
    if let Some(data) = body_of(&part.raw).remove("data") {
        attribute.insert("data".into(), data);
    }
}
