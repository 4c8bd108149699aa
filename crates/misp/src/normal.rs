//! What comes in, brought to the form in which it is kept: MISP's defaults, checks and wordings.

use crate::context::Context;
use crate::shape::micros;
use base64::Engine;
use manara_model::observable::{misp_type, misp_value};
use manara_model::permission::Flag;
use manara_model::record::{flag_of, parse_micros, seconds_of, text_of};
use manara_model::{GroupId, OrgId};
use manara_store::Facts;
use manara_store::people::NewGroup;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// Numbers of another node, and what is worked out here.
const NOT_KEPT: &[&str] = &[
    "id",
    "event_id",
    "object_id",
    "sharing_group_id",
    "value1",
    "value2",
    "Event",
    "Galaxy",
    "RelatedAttribute",
    "Sighting",
    "warnings",
    "event_uuid",
    "old_id",
    "org_id",
    "event_org_id",
    "encrypt",
    "AttributeTag",
    "enforceWarninglist",
    "breakOnDuplicate",
    // Records of their own, with markings of their own: see `analyst.rs`.
    "Note",
    "Opinion",
    "Relationship",
];

fn text<'m>(map: &'m Map<String, Value>, name: &str) -> Option<Cow<'m, str>> {
    text_of(map.get(name)).filter(|text| !text.is_empty())
}

fn error(field: &str, reason: impl Into<String>) -> Value {
    json!({field: [reason.into()]})
}

/// What is wrong with a value, in MISP's words where it has some.
fn wrong_value(ty: &str, error: &manara_model::observable::NormaliseError) -> String {
    let or_other = "Please double check the value or select type \"other\".";
    match error.ty.name() {
        "ipv4" | "ipv6" | "network" => "IP address has an invalid format.".into(),
        "domain" => format!("Domain name has an invalid format. {or_other}"),
        "email" => format!("Email address has an invalid format. {or_other}"),
        "port" => "Port numbers have to be integers between 1 and 65535.".into(),
        name => match hash_length(name) {
            Some(length) => format!(
                "Checksum has an invalid length or format (expected: {length} hexadecimal characters). {or_other}"
            ),
            None => format!("{ty}: {}", error.reason),
        },
    }
}

fn hash_length(name: &str) -> Option<u32> {
    Some(match name {
        "md5" | "imphash" | "telfhash" => 32,
        "sha1" | "pehash" => 40,
        "sha224" | "sha512/224" | "sha3-224" => 56,
        "sha256" | "sha512/256" | "sha3-256" | "authentihash" => 64,
        "sha384" | "sha3-384" => 96,
        "sha512" | "sha3-512" => 128,
        _ => return None,
    })
}

/// Tags as they are kept: name, whether it is ours alone, how it relates; what else came with them.
/// A tag may be given as a text. The same one twice is one.
fn tags(map: &Map<String, Value>) -> Vec<Value> {
    let (mut kept, mut named) = (Vec::new(), HashSet::new());
    for tag in map.get("Tag").and_then(Value::as_array).into_iter().flatten() {
        let mut tag = match tag {
            Value::String(name) => Map::from_iter([("name".to_owned(), json!(name))]),
            Value::Object(tag) => tag.clone(),
            _ => continue,
        };
        let Some(name) = tag.get("name").and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty()) else {
            continue;
        };
        let name = name.to_owned();
        if !named.insert(name.to_ascii_lowercase()) {
            continue;
        }
        for number in ["id", "org_id", "user_id", "count", "attribute_count", "favourite", "inherited"] {
            tag.shift_remove(number);
        }
        tag.insert("name".into(), name.into());
        kept.push(Value::Object(tag));
    }
    kept
}

/// Adds `new` tags to `old` ones; those that say `deleted` are taken away.
pub(crate) fn merged_tags(old: &Map<String, Value>, new: &Map<String, Value>, replace: bool) -> Vec<Value> {
    let mut kept = tags(old);
    let given = tags(new);
    if replace {
        // What a server brings replaces what it brought; what is ours alone stays.
        kept.retain(|tag| flag_of(tag.get("local")));
    }
    // An event may come with a hundred thousand of them: none is looked for among all the others.
    let name = |tag: &Value| tag["name"].as_str().map(str::to_ascii_lowercase);
    let anew: HashSet<String> = given.iter().filter_map(name).collect();
    kept.retain(|held| name(held).is_none_or(|name| !anew.contains(&name)));
    for mut tag in given {
        let gone = tag.as_object_mut().and_then(|tag| tag.shift_remove("deleted"));
        if !flag_of(gone.as_ref()) {
            kept.push(tag);
        }
    }
    kept
}

impl Context<'_> {
    /// Sharing group and distribution: `sharing_group_id` is a number of this node, and becomes the
    /// group's identifier, which stays true elsewhere.
    ///
    /// # Errors
    /// MISP's validation errors.
    pub(crate) fn reach(
        &self,
        map: &Map<String, Value>,
        out: &mut Map<String, Value>,
        default: &str,
    ) -> Result<(), Value> {
        let level = text(map, "distribution").unwrap_or(default.into());
        let highest = if default == "5" { '5' } else { '4' };
        if level.len() != 1 || !('0'..=highest).contains(&level.chars().next().unwrap_or('x')) {
            return Err(error("distribution", format!("Options: 0 to {highest}; '{level}' is none of them.")));
        }
        out.insert("distribution".into(), Value::String(level.clone().into_owned()));
        out.shift_remove("sharing_group_id");
        if level != "4" {
            out.shift_remove("SharingGroup");
            return Ok(());
        }
        let given = map.get("SharingGroup").filter(|group| group.get("uuid").is_some());
        let named = text(map, "sharing_group_id").filter(|id| id != "0");
        let uuid = match (given, named) {
            (Some(group), _) => text_of(group.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok()),
            (None, Some(id)) => self.identify("group", &id).ok().flatten(),
            _ => None,
        };
        let refuse = || error("sharing_group_id", "Invalid sharing group, or not one that you may use.");
        let uuid = uuid.ok_or_else(refuse)?;
        let mut facts = self.store.facts().map_err(|_| refuse())?;
        if let (Some(group), true) = (given, self.is_partner() || self.is_admin())
            && self.tells_of_group(&facts, GroupId(uuid), group)
        {
            self.hear_of_group(&facts, GroupId(uuid), group).map_err(|_| refuse())?;
            facts = self.store.facts().map_err(|_| refuse())?;
        }
        if let Some(group) = facts.world.groups.get(&GroupId(uuid)) {
            let own = self.call.caller.account.org;
            if !self.is_admin() && !self.is_partner() && !group.orgs.contains(&own) && group.owner != Some(own) {
                return Err(refuse());
            }
            if given.is_none() {
                out.insert("SharingGroup".into(), json!({"uuid": uuid, "name": group.name}));
            }
        } else if given.is_none() || !self.is_partner() {
            // Whoever made a group of that identifier afterwards would read what is shared with it.
            return Err(refuse());
        }
        Ok(())
    }

    /// An attribute as it is kept: from what was given, over what is held already.
    ///
    /// # Errors
    /// MISP's validation errors: `{field: [texts]}`.
    pub fn attribute(
        &self,
        given: &Map<String, Value>,
        held: Option<&Map<String, Value>>,
    ) -> Result<Map<String, Value>, Value> {
        let mut out = held.cloned().unwrap_or_default();
        for (name, value) in given.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str())) {
            // An explicit null says nothing of what is held.
            if !(value.is_null() && held.is_some() && !matches!(name.as_str(), "first_seen" | "last_seen")) {
                out.insert(name.clone(), value.clone());
            }
        }
        let ty_name =
            text(&out, "type").ok_or_else(|| error("type", "Options depend on the selected category."))?.into_owned();
        let Some(ty) = misp_type(&ty_name) else {
            if self.is_partner() {
                return self.unknown_type(given, held, out);
            }
            return Err(error("type", "Options depend on the selected category."));
        };
        let category = text(&out, "category").map_or(ty.default_category.to_owned(), Cow::into_owned);
        if !ty.categories.contains(&category.as_str()) && !self.is_partner() {
            return Err(error("type", "Options depend on the selected category."));
        }
        out.insert("category".into(), category.into());
        self.sample(&ty_name, given, &mut out)?;
        let value = text(&out, "value").map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| error("value", "Value not set or empty."))?;
        // What is held already was taken as it was; only what is new is checked.
        let unchanged = held.is_some_and(|held| {
            text_of(held.get("value")).is_some_and(|old| old == value)
                && text_of(held.get("type")).is_some_and(|old| old == ty_name)
        });
        let value = match misp_value(ty, &value) {
            _ if unchanged => value,
            Ok(value) => value,
            // Kept as it came; it is not found by its value.
            Err(_) if self.is_partner() => value,
            Err(wrong) => return Err(error("value", wrong_value(&ty_name, &wrong))),
        };
        out.insert("value".into(), value.into());
        let detect = out.get("to_ids").filter(|flag| !flag.is_null()).map_or(ty.to_ids, |flag| flag_of(Some(flag)));
        out.insert("to_ids".into(), detect.into());
        for name in ["deleted", "disable_correlation"] {
            let flag = flag_of(out.get(name));
            out.insert(name.into(), flag.into());
        }
        let comment = text_of(out.get("comment")).unwrap_or_default().into_owned();
        out.insert("comment".into(), comment.into());
        let source = if given.contains_key("distribution") || held.is_none() { given } else { &out.clone() };
        self.reach(source, &mut out, "5")?;
        self.common(given, held, &mut out)?;
        Ok(out)
    }

    /// An attribute of a type that is not known here, as another server has it: kept, and given on.
    fn unknown_type(
        &self,
        given: &Map<String, Value>,
        held: Option<&Map<String, Value>>,
        mut out: Map<String, Value>,
    ) -> Result<Map<String, Value>, Value> {
        let source = if given.contains_key("distribution") || held.is_none() { given } else { &out.clone() };
        self.reach(source, &mut out, "5")?;
        self.common(given, held, &mut out)?;
        Ok(out)
    }

    /// Identifier, clock, first and last seen, tags: of attributes and objects.
    fn common(
        &self,
        given: &Map<String, Value>,
        held: Option<&Map<String, Value>>,
        out: &mut Map<String, Value>,
    ) -> Result<(), Value> {
        let uuid = match text(out, "uuid") {
            Some(uuid) => uuid.parse::<Uuid>().map_err(|_| error("uuid", "Invalid UUID."))?,
            None => Uuid::new_v4(),
        };
        out.insert("uuid".into(), uuid.to_string().into());
        let ours = held.map_or(0, |held| seconds_of(held.get("timestamp")));
        let stamp = Some(seconds_of(given.get("timestamp"))).filter(|stamp| *stamp > ours).unwrap_or(self.now);
        out.insert("timestamp".into(), stamp.to_string().into());
        let mut seen = [None, None];
        for (name, seen) in ["first_seen", "last_seen"].into_iter().zip(&mut seen) {
            let Some(said) = text(out, name) else {
                out.shift_remove(name);
                continue;
            };
            let time = parse_micros(&said).ok_or_else(|| error(name, "Invalid ISO 8601 format."))?;
            *seen = Some(time);
            out.insert(name.into(), micros(time).into());
        }
        if let [Some(first), Some(last)] = seen
            && last < first
        {
            return Err(error("last_seen", "Last seen datetime has to be after first seen datetime."));
        }
        if given.contains_key("Tag") || held.is_none() {
            let kept = self.tags_with(given, held);
            if kept.is_empty() {
                out.shift_remove("Tag");
            } else {
                out.insert("Tag".into(), kept.into());
            }
        }
        Ok(())
    }

    /// The tags of something, with those that are given; from who may not put tags on things, none are.
    fn tags_with(&self, given: &Map<String, Value>, held: Option<&Map<String, Value>>) -> Vec<Value> {
        let none = Map::new();
        let given = if self.call.caller.has(Flag::Tagger) { given } else { &none };
        merged_tags(held.unwrap_or(&none), given, self.brings(held) && !given.is_empty())
    }

    /// A server that brings its version of something: its tags are the tags.
    fn brings(&self, held: Option<&Map<String, Value>>) -> bool {
        held.is_some() && self.is_partner()
    }

    /// Is the caller a server that synchronises? What it brings was checked where it was written, is kept as
    /// it is, and refused to nobody but by policy.
    pub(crate) fn is_partner(&self) -> bool {
        self.call.may(manara_model::role::Right::Sync) && !self.is_admin()
    }

    /// Is what a server says of a group news? Of one that is not known it is; of one that is, if the server is
    /// its owner's and its members are others now (MISP#3468). Nobody else changes a group from elsewhere.
    fn tells_of_group(&self, facts: &Facts, id: GroupId, group: &Value) -> bool {
        let Some(known) = facts.world.groups.get(&id) else { return true };
        let members: BTreeSet<OrgId> = group
            .get("SharingGroupOrg")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|member| text_of(member.get("Organisation")?.get("uuid"))?.parse().ok().map(OrgId))
            .collect();
        let owners =
            known.owner.is_some_and(|owner| self.teller() == Some(owner) && !facts.world.local.contains(&owner));
        owners && !members.is_empty() && members != known.orgs
    }

    /// Who says what is given: the organisation that runs the server that brings it, or the caller's.
    fn teller(&self) -> Option<OrgId> {
        match &self.hop {
            Some(hop) => hop.from,
            None => Some(self.call.caller.account.org),
        }
    }

    /// A sharing group that comes with what is shared with it. One that is said to be an organisation's of this node is
    /// hers only where she says so herself: in another's words it is nobody's here, so that nobody makes groups in her
    /// name.
    fn hear_of_group(&self, facts: &Facts, id: GroupId, group: &Value) -> Result<(), manara_store::StoreError> {
        let uuid = |value: Option<&Value>| text_of(value).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let name = |value: &Value| text_of(value.get("name")).unwrap_or_default().into_owned();
        let mut members = Vec::new();
        for member in group.get("SharingGroupOrg").and_then(Value::as_array).into_iter().flatten() {
            let Some(org) = member.get("Organisation") else { continue };
            if let Some(uuid) = uuid(org.get("uuid")) {
                self.store.hear_of_org(uuid, &name(org))?;
                members.push(OrgId(uuid));
            }
        }
        let owner = group.get("Organisation");
        let owner_uuid = uuid(owner.and_then(|org| org.get("uuid")))
            .or_else(|| uuid(group.get("organisation_uuid")))
            .unwrap_or_default();
        if let Some(owner) = owner.filter(|_| !owner_uuid.is_nil()) {
            self.store.hear_of_org(owner_uuid, &name(owner))?;
        }
        let owner = OrgId(owner_uuid);
        let hers = !facts.world.local.contains(&owner) || self.is_admin() || self.teller() == Some(owner);
        let owner = if hers { owner } else { OrgId(Uuid::nil()) };
        let new = NewGroup { uuid: id, name: name(group), owner, members, shows_members: true };
        self.store.put_group(self.actor(), new)
    }

    /// Attachments and samples: what is not base64 is refused; a sample's hash is worked out here.
    fn sample(&self, ty: &str, given: &Map<String, Value>, out: &mut Map<String, Value>) -> Result<(), Value> {
        let Some(data) = text(given, "data") else { return Ok(()) };
        if !matches!(ty, "attachment" | "malware-sample") {
            out.shift_remove("data");
            return Ok(());
        }
        let engine = base64::engine::general_purpose::STANDARD;
        let bytes = engine.decode(data.trim().as_bytes()).map_err(|_| error("data", "Invalid base64."))?;
        if ty != "malware-sample" || !flag_of(given.get("encrypt")) {
            return Ok(());
        }
        let name = text(out, "value").unwrap_or("sample".into());
        let name = name.split('|').next().unwrap_or_default().to_owned();
        let (zipped, md5) =
            crate::sample::wrap(&name, &bytes).map_err(|_| error("data", "The sample could not be packed."))?;
        out.insert("value".into(), format!("{name}|{md5}").into());
        out.insert("data".into(), engine.encode(zipped).into());
        Ok(())
    }

    /// An object as it is kept, without its attributes.
    ///
    /// # Errors
    /// MISP's validation errors.
    pub fn object(
        &self,
        given: &Map<String, Value>,
        held: Option<&Map<String, Value>>,
    ) -> Result<Map<String, Value>, Value> {
        let mut out = held.cloned().unwrap_or_default();
        for (name, value) in given {
            if name != "Attribute" && !NOT_KEPT.contains(&name.as_str()) && !(value.is_null() && held.is_some()) {
                out.insert(name.clone(), value.clone());
            }
        }
        let name = text(&out, "name").map(Cow::into_owned).ok_or_else(|| error("name", "valueNotEmpty"))?;
        out.insert("name".into(), name.into());
        let deleted = flag_of(out.get("deleted"));
        out.insert("deleted".into(), deleted.into());
        let source = if given.contains_key("distribution") || held.is_none() { given } else { &out.clone() };
        self.reach(source, &mut out, "5")?;
        self.common(given, held, &mut out)?;
        for reference in out.get_mut("ObjectReference").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(reference) = reference.as_object_mut() {
                for name in ["id", "object_id", "event_id", "referenced_id"] {
                    reference.shift_remove(name);
                }
                if !reference.get("uuid").is_some_and(Value::is_string) {
                    reference.insert("uuid".into(), Uuid::new_v4().to_string().into());
                }
            }
        }
        Ok(out)
    }

    /// A report as it is kept.
    ///
    /// # Errors
    /// MISP's validation errors.
    pub fn report(
        &self,
        given: &Map<String, Value>,
        held: Option<&Map<String, Value>>,
    ) -> Result<Map<String, Value>, Value> {
        let mut out = held.cloned().unwrap_or_default();
        for (name, value) in given.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str())) {
            out.insert(name.clone(), value.clone());
        }
        let name = text(&out, "name").map(Cow::into_owned).ok_or_else(|| error("name", "valueNotEmpty"))?;
        out.insert("name".into(), name.into());
        let content = text_of(out.get("content")).unwrap_or_default().into_owned();
        out.insert("content".into(), content.into());
        let deleted = flag_of(out.get("deleted"));
        out.insert("deleted".into(), deleted.into());
        let source = if given.contains_key("distribution") || held.is_none() { given } else { &out.clone() };
        self.reach(source, &mut out, "5")?;
        self.common(given, held, &mut out)?;
        Ok(out)
    }

    /// An event's head as it is kept, without its parts.
    ///
    /// # Errors
    /// MISP's validation errors.
    pub fn head(
        &self,
        given: &Map<String, Value>,
        held: Option<&Map<String, Value>>,
    ) -> Result<Map<String, Value>, Value> {
        const PARTS: &[&str] = &[
            "Attribute",
            "Object",
            "EventReport",
            "ShadowAttribute",
            "attribute_count",
            "orgc_id",
            "Org",
            "user_id",
            "CryptographicKey",
            "RelatedEvent",
            "id",
            "org_id",
            "sharing_group_id",
            "Galaxy",
            "EventTag",
            "sighting_timestamp",
            "Note",
            "Opinion",
            "Relationship",
        ];
        let mut out = held.cloned().unwrap_or_default();
        for (name, value) in given.iter().filter(|(name, _)| !PARTS.contains(&name.as_str())) {
            if !(value.is_null() && held.is_some()) {
                out.insert(name.clone(), value.clone());
            }
        }
        let info = text(&out, "info").map(|info| info.trim().to_owned()).filter(|info| !info.is_empty());
        let info = info.ok_or_else(|| json!({"Event": {"info": ["valueNotEmpty"]}}))?;
        out.insert("info".into(), info.into());
        let today = crate::shape::datetime(self.now * 1000);
        let date = text(&out, "date").map_or(today, Cow::into_owned);
        let date: String = date.chars().take(10).collect();
        if date.parse::<jiff::civil::Date>().is_err() {
            return Err(json!({"Event": {"date": ["Expected date format: YYYY-MM-DD"]}}));
        }
        out.insert("date".into(), date.into());
        for (name, default, options) in [("threat_level_id", "4", "1234"), ("analysis", "0", "012")] {
            let value = text(&out, name).map_or(default.to_owned(), Cow::into_owned);
            if value.len() != 1 || !options.contains(&value) {
                let all: Vec<String> = options.chars().map(String::from).collect();
                return Err(json!({"Event": {name: [format!("Options: {}", all.join(", "))]}}));
            }
            out.insert(name.into(), value.into());
        }
        let source = if given.contains_key("distribution") || held.is_none() { given } else { &out.clone() };
        self.reach(source, &mut out, "0").map_err(|errors| json!({"Event": errors}))?;
        let uuid = match text(&out, "uuid") {
            Some(uuid) => uuid.parse::<Uuid>().map_err(|_| json!({"Event": {"uuid": ["Invalid UUID."]}}))?,
            None => Uuid::new_v4(),
        };
        out.insert("uuid".into(), uuid.to_string().into());
        let stamp = Some(seconds_of(given.get("timestamp"))).filter(|stamp| *stamp > 0).unwrap_or(self.now);
        out.insert("timestamp".into(), stamp.to_string().into());
        let published = flag_of(out.get("published")) && self.call.caller.has(Flag::Publish);
        out.insert("published".into(), published.into());
        let at = seconds_of(out.get("publish_timestamp"));
        let at = if published && at == 0 { self.now } else { at };
        out.insert("publish_timestamp".into(), at.to_string().into());
        if given.contains_key("Tag") || held.is_none() {
            let kept = self.tags_with(given, held);
            if kept.is_empty() {
                out.shift_remove("Tag");
            } else {
                out.insert("Tag".into(), kept.into());
            }
        }
        if held.is_none() {
            self.author(given, &mut out)?;
        }
        Ok(out)
    }

    /// Who wrote it: the caller's organisation; a server brings what others wrote.
    fn author(&self, given: &Map<String, Value>, out: &mut Map<String, Value>) -> Result<(), Value> {
        let named =
            given.get("Orgc").filter(|orgc| text_of(orgc.get("uuid")).is_some_and(|uuid| uuid.parse::<Uuid>().is_ok()));
        let brings = self.call.may(manara_model::role::Right::Sync);
        if let (Some(orgc), true) = (named, brings) {
            out.insert(
                "Orgc".into(),
                json!({"uuid": orgc["uuid"], "name": text_of(orgc.get("name")).unwrap_or_default()}),
            );
            return Ok(());
        }
        let own = self.call.caller.account.org;
        let facts = self.store.facts().map_err(|_| json!({"Event": {"orgc_id": ["unknown"]}}))?;
        // An administrator may write for another organisation of the node.
        let other =
            text(given, "orgc_id").filter(|_| self.is_admin()).and_then(|id| self.identify("org", &id).ok().flatten());
        let org = other.map_or(own, OrgId);
        out.insert("Orgc".into(), json!({"uuid": org, "name": facts.name(org)}));
        out.insert("event_creator_email".into(), self.actor().into());
        out.insert("locked".into(), false.into());
        Ok(())
    }
}
