//! What STIX can't say of a MISP body travels beside it, in an extension (STIX 2.1 §7.3) on the object that says
//! the rest. It is found by reading what was written: whatever would not come back is kept, so nothing is lost
//! whatever the mapping does; and who changes the STIX object in between is heard, since only members that
//! still read as they did are put back.

use manara_model::observable::{misp_type, misp_value};
use manara_model::record::{parse_time, text_of};
use manara_model::{Tlp, ids};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::LazyLock;
use uuid::Uuid;

/// The identifier of the extension's definition.
pub(super) static EXTENSION: LazyLock<String> =
    LazyLock::new(|| format!("extension-definition--{}", ids::derived(&["stix", "extension", "misp"])));

/// Whoever defines it.
static AUTHOR: LazyLock<String> = LazyLock::new(|| format!("identity--{}", ids::derived(&["stix", "author"])));

const SINCE: &str = "2026-01-01T00:00:00.000Z";

/// The definition, and who wrote it: once in a bundle.
pub(super) fn definitions() -> [(String, Value); 2] {
    let identity = json!({
        "type": "identity", "spec_version": "2.1", "id": *AUTHOR, "created": SINCE, "modified": SINCE,
        "name": "Manara", "identity_class": "system",
    });
    let definition = json!({
        "type": "extension-definition", "spec_version": "2.1", "id": *EXTENSION, "created_by_ref": *AUTHOR,
        "created": SINCE, "modified": SINCE, "name": "MISP members",
        "description": "Members of a MISP event, object or attribute that the STIX object does not say.",
        "schema": "misp: members that STIX does not say. otherwise: members that it says in another way, as [in STIX, in MISP] or [in STIX] where MISP has none. tags, tlp: the tags as they were, and the TLP that was marked. attributes: the same for each attribute of an object, with the path and place of its value. companion: said in full by the object that it belongs to.",
        "version": "1.0.0", "extension_types": ["property-extension"],
    });
    [(AUTHOR.clone(), identity), (EXTENSION.clone(), definition)]
}

/// What a member of MISP's body is beyond what is read from STIX; empty: nothing.
pub(super) fn residue(
    back: &Map<String, Value>,
    original: &Map<String, Value>,
    tlp: Option<Tlp>,
) -> Map<String, Value> {
    let (mut misp, mut otherwise, mut out) = (Map::new(), Map::new(), Map::new());
    for (name, value) in original.iter().filter(|(name, _)| *name != "Tag") {
        match back.get(name) {
            None => {
                misp.insert(name.clone(), packed(value.clone()));
            }
            Some(said) if said != value => {
                otherwise.insert(name.clone(), json!([packed(said.clone()), packed(value.clone())]));
            }
            Some(_) => {}
        }
    }
    for (name, said) in back.iter().filter(|(name, _)| *name != "Tag" && !original.contains_key(*name)) {
        otherwise.insert(name.clone(), json!([packed(said.clone())]));
    }
    if !misp.is_empty() {
        out.insert("misp".into(), misp.into());
    }
    if !otherwise.is_empty() {
        out.insert("otherwise".into(), otherwise.into());
    }
    if back.get("Tag") != original.get("Tag") {
        out.insert("tags".into(), packed(original.get("Tag").cloned().unwrap_or(Value::Null)));
        if let Some(tlp) = tlp {
            out.insert("tlp".into(), tlp.name().into());
        }
    }
    out
}

/// The body again.
pub(super) fn restore(mut back: Map<String, Value>, residue: &Map<String, Value>) -> Map<String, Value> {
    for (name, pair) in residue.get("otherwise").and_then(Value::as_object).into_iter().flatten() {
        let Some(pair) = pair.as_array() else { continue };
        if pair.first().map(unpacked).as_ref() != back.get(name) {
            continue;
        }
        match pair.get(1) {
            Some(value) => {
                back.insert(name.clone(), unpacked(value));
            }
            None => {
                back.shift_remove(name);
            }
        }
    }
    for (name, value) in residue.get("misp").and_then(Value::as_object).into_iter().flatten() {
        back.entry(name.clone()).or_insert_with(|| unpacked(value));
    }
    if let Some(tags) = residue.get("tags").map(unpacked) {
        let said = residue.get("tlp").and_then(Value::as_str).and_then(Tlp::parse);
        let now = back.shift_remove("Tag");
        let names: HashSet<&str> =
            tags.as_array().into_iter().flatten().filter_map(|tag| tag["name"].as_str()).collect();
        // What was marked or labelled on the way is heard.
        let new = now.as_ref().and_then(Value::as_array).into_iter().flatten().filter(|tag| {
            let name = tag["name"].as_str().unwrap_or_default();
            if name.starts_with("tlp:") { Tlp::parse(name) != said } else { !names.contains(name) }
        });
        let new: Vec<Value> = new.cloned().collect();
        match (&tags, new.is_empty()) {
            (Value::Null, true) => {}
            (Value::Array(old), _) => {
                back.insert("Tag".into(), old.iter().cloned().chain(new).collect());
            }
            (other, true) => {
                back.insert("Tag".into(), other.clone());
            }
            (_, false) => {
                back.insert("Tag".into(), new.into());
            }
        }
    }
    back
}

/// For each attribute of an object: which of the values that are read is its own, and what it is beyond that.
/// Values that are read and are nobody's are named, so that they don't come back.
pub(super) fn listed(attributes: &[(Uuid, Map<String, Value>)], found: &[Map<String, Value>]) -> Vec<Value> {
    let mut free: Vec<Option<&Map<String, Value>>> = found.iter().map(Some).collect();
    // What may be an attribute's own: by its relation and one of its forms, or by its value alone.
    let mut places: HashMap<(String, String), VecDeque<usize>> = HashMap::new();
    for (at, read) in found.iter().enumerate() {
        for form in forms(read) {
            places.entry((relation(read), form)).or_default().push_back(at);
        }
        places.entry((String::new(), plain(read))).or_default().push_back(at);
    }
    let mut out = Vec::new();
    for (_, own) in attributes {
        let keys = forms(own).into_iter().map(|form| (relation(own), form)).chain([(String::new(), plain(own))]);
        let at = keys.filter_map(|key| next(places.get_mut(&key)?, &free)).next();
        let mut entry = Map::new();
        let read = at.and_then(|at| free[at].take());
        if let Some(read) = read {
            entry.insert("said".into(), key(read));
        }
        entry.extend(residue(read.unwrap_or(&Map::new()), own, None));
        out.push(entry.into());
    }
    out.extend(free.into_iter().flatten().map(|read| json!({"spare": key(read)})));
    out
}

/// The first place that nobody took yet.
fn next(places: &mut VecDeque<usize>, free: &[Option<&Map<String, Value>>]) -> Option<usize> {
    while let Some(at) = places.pop_front() {
        if free.get(at).is_some_and(Option::is_some) {
            return Some(at);
        }
    }
    None
}

fn relation(body: &Map<String, Value>) -> String {
    text_of(body.get("object_relation")).unwrap_or_default().into_owned()
}

/// The value as it is kept.
fn plain(body: &Map<String, Value>) -> String {
    let value = text_of(body.get("value")).unwrap_or_default();
    let ty = text_of(body.get("type")).and_then(|ty| misp_type(&ty));
    ty.and_then(|ty| misp_value(ty, &value).ok()).unwrap_or_else(|| value.into_owned())
}

/// The forms in which a value is the same: as it is kept, a time, bytes.
fn forms(body: &Map<String, Value>) -> Vec<String> {
    let time = text_of(body.get("value")).and_then(|text| parse_time(&text)).map(|time| format!("at {time}"));
    let bytes = body.get("data").and_then(Value::as_str).map(str::to_owned);
    [plain(body)].into_iter().chain(time).chain(bytes).collect()
}

fn key(attribute: &Map<String, Value>) -> Value {
    json!([attribute.get("object_relation"), attribute.get("value")])
}

/// The attributes again; `complete` is given those that are new, with their number.
pub(super) fn unlisted(
    listed: &[Value],
    found: Vec<Map<String, Value>>,
    complete: impl Fn(usize, Map<String, Value>) -> Value,
) -> Vec<Value> {
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (at, read) in found.iter().enumerate() {
        places.entry(key(read).to_string()).or_default().push_back(at);
    }
    let mut free: Vec<Option<Map<String, Value>>> = found.into_iter().map(Some).collect();
    let mut out = Vec::new();
    for entry in listed.iter().filter_map(Value::as_object) {
        let mut take = |wanted: &Value| free[places.get_mut(&wanted.to_string())?.pop_front()?].take();
        match (entry.get("said"), entry.get("spare")) {
            (_, Some(spare)) => {
                take(spare);
            }
            (Some(said), _) => out.extend(take(said).map(|read| restore(read, entry).into())),
            (None, None) => out.push(restore(Map::new(), entry).into()),
        }
    }
    out.extend(free.into_iter().flatten().enumerate().map(|(n, new)| complete(n, new)));
    out
}

/// The marking, if tags speak of it: of any other nobody would know once the tags are put back.
pub(super) fn spoken<'a>(tlp: Option<Tlp>, bodies: impl IntoIterator<Item = &'a Map<String, Value>>) -> Option<Tlp> {
    let tags = bodies.into_iter().filter_map(|body| body.get("Tag")?.as_array()).flatten();
    let levels =
        tags.filter_map(|tag| tag["name"].as_str().filter(|name| name.to_ascii_lowercase().starts_with("tlp:")));
    let strictest = levels.filter_map(Tlp::parse).max();
    tlp.filter(|tlp| strictest >= Some(*tlp))
}

/// STIX knows no null (STIX 2.1 §2), and MISP does: what has one somewhere goes as text.
fn packed(value: Value) -> Value {
    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(items) => items.iter().any(has_null),
            Value::Object(map) => map.values().any(has_null),
            _ => false,
        }
    }
    let is_packed = value.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("json"));
    if has_null(&value) || is_packed { json!({"json": value.to_string()}) } else { value }
}

/// The same unpacked.
fn unpacked(value: &Value) -> Value {
    let text = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get("json")?.as_str());
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

/// Puts the residue on an object.
pub(super) fn put(object: &mut Map<String, Value>, residue: Map<String, Value>) {
    for (name, value) in residue {
        add(object, &name, value);
    }
}

/// Puts one more member beside an object.
pub(super) fn add(object: &mut Map<String, Value>, name: &str, value: Value) {
    let all = object.entry("extensions").or_insert_with(|| json!({}));
    let own = all
        .as_object_mut()
        .map(|all| all.entry(EXTENSION.clone()).or_insert_with(|| json!({"extension_type": "property-extension"})));
    if let Some(own) = own.and_then(Value::as_object_mut) {
        own.insert(name.into(), value);
    }
}

/// The residue on an object.
pub(super) fn of(object: &Map<String, Value>) -> Option<&Map<String, Value>> {
    object.get("extensions")?.get(EXTENSION.as_str())?.as_object()
}

/// Marks an object that its owner says in full.
pub(super) fn companion(object: &mut Map<String, Value>) {
    add(object, "companion", true.into());
}

/// Was it marked so?
pub(super) fn is_companion(object: &Map<String, Value>) -> bool {
    of(object).is_some_and(|extension| extension.get("companion") == Some(&Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_body_comes_back_and_a_change_on_the_way_is_heard() {
        let back = map(json!({"value": "a", "type": "domain", "Tag": [{"name": "tlp:green"}], "x": 1}));
        let original = map(
            json!({"value": "A", "type": "domain", "comment": "c", "Tag": [{"name": "tlp:green", "colour": "#fff"}]}),
        );
        let residue = residue(&back, &original, Some(Tlp::Green));
        assert_eq!(restore(back, &residue), original);
        let changed = map(json!({"value": "b", "type": "domain", "Tag": [{"name": "tlp:red"}], "x": 2}));
        let restored = restore(changed, &residue);
        assert_eq!(restored["value"], "b");
        assert_eq!(restored["x"], 2);
        assert_eq!(restored["Tag"].as_array().unwrap().len(), 2);
    }
}
