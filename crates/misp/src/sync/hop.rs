//! One hop: what changes in an event on its way from one community to the next. Distribution is lowered
//! by one on the way in from a partner, and on the way out to one; between servers of one organisation
//! (`internal`) it stays.

use manara_model::record::{flag_of, seconds_of, text_of};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

fn each<'v>(
    value: &'v mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'v mut Map<String, Value>> + use<'v> {
    value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn lower(map: &mut Map<String, Value>, to: fn(&str) -> Option<&'static str>) {
    let level = text_of(map.get("distribution")).unwrap_or_default().into_owned();
    if let Some(next) = to(&level) {
        map.insert("distribution".into(), next.into());
    }
}

fn every(event: &mut Map<String, Value>, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    change(event);
    for list in ["Attribute", "EventReport"] {
        each(event, list).for_each(&mut *change);
    }
    for object in each(event, "Object") {
        change(object);
        each(object, "Attribute").for_each(&mut *change);
    }
}

/// An event that was fetched: "this community" there is only us here, "connected" there is our community.
pub(super) fn came_in(event: &mut Map<String, Value>, internal: bool) {
    if !internal {
        let to = |level: &str| match level {
            "1" => Some("0"),
            "2" => Some("1"),
            _ => None,
        };
        every(event, &mut |map| lower(map, to));
    }
    event.insert("locked".into(), true.into());
    // What is theirs alone is not ours.
    every(event, &mut |map| {
        if let Some(Value::Array(tags)) = map.get_mut("Tag") {
            tags.retain(|tag| !flag_of(tag.get("local")));
        }
    });
}

/// An event that goes out: those who get it pass it on to their own at most.
pub(super) fn goes_out(event: &mut Map<String, Value>, internal: bool) {
    if !internal {
        let to = |level: &str| (level == "2").then_some("1");
        every(event, &mut |map| lower(map, to));
    }
    event.insert("locked".into(), true.into());
    every(event, &mut |map| {
        if let Some(Value::Array(tags)) = map.get_mut("Tag") {
            tags.retain(|tag| !flag_of(tag.get("local")));
        }
        for name in ["id", "event_id", "object_id", "org_id", "orgc_id", "sharing_group_id", "user_id"] {
            map.shift_remove(name);
        }
    });
    for name in ["RelatedEvent", "event_creator_email", "ShadowAttribute", "Galaxy", "attribute_count"] {
        event.shift_remove(name);
    }
}

/// What an event holds, for reconciliation: each part's identifier with its clock and whether it is
/// deleted.
#[must_use]
pub(super) fn inventory(event: &Map<String, Value>) -> BTreeMap<String, (i64, bool)> {
    let mut all = BTreeMap::new();
    let mut note = |item: &Value| {
        let uuid = text_of(item.get("uuid")).unwrap_or_default().to_lowercase();
        all.insert(uuid, (seconds_of(item.get("timestamp")), flag_of(item.get("deleted"))));
    };
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let event = Value::Object(event.clone());
    list(&event, "Attribute").iter().for_each(&mut note);
    list(&event, "EventReport").iter().for_each(&mut note);
    for object in list(&event, "Object") {
        note(&object);
        list(&object, "Attribute").iter().for_each(&mut note);
    }
    all
}

/// A short digest of an inventory: two sides that hold the same have the same.
#[must_use]
pub(super) fn digest(inventory: &BTreeMap<String, (i64, bool)>) -> String {
    let mut hash = Sha256::new();
    for (uuid, (stamp, deleted)) in inventory {
        hash.update(json!([uuid, stamp, deleted]).to_string());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Map<String, Value> {
        let value = json!({
            "uuid": "u", "distribution": "2", "id": "5", "Tag": [{"name": "a"}, {"name": "b", "local": true}],
            "Attribute": [{"uuid": "A", "distribution": "1", "timestamp": "7", "id": "9"}, {"uuid": "b", "distribution": "5", "deleted": true}],
            "Object": [{"uuid": "o", "distribution": 2, "Attribute": [{"uuid": "c", "distribution": "3"}]}],
        });
        value.as_object().unwrap().clone()
    }

    fn levels(event: &Map<String, Value>) -> Vec<String> {
        let value = Value::Object(event.clone());
        [
            "/distribution",
            "/Attribute/0/distribution",
            "/Attribute/1/distribution",
            "/Object/0/distribution",
            "/Object/0/Attribute/0/distribution",
        ]
        .iter()
        .map(|at| text_of(value.pointer(at)).unwrap().into_owned())
        .collect()
    }

    #[test]
    fn distribution_is_lowered_once_a_hop() {
        let mut came = event();
        came_in(&mut came, false);
        assert_eq!(levels(&came), ["1", "0", "5", "1", "3"]);
        assert_eq!(came["locked"], true);
        assert_eq!(came["Tag"], json!([{"name": "a"}]));
        let mut inside = event();
        came_in(&mut inside, true);
        assert_eq!(levels(&inside), ["2", "1", "5", "2", "3"]);
        let mut out = event();
        goes_out(&mut out, false);
        assert_eq!(levels(&out), ["1", "1", "5", "1", "3"]);
        assert!(!out.contains_key("id") && out["Attribute"][0].get("id").is_none());
    }

    #[test]
    fn an_inventory_tells_two_apart() {
        let one = inventory(&event());
        assert_eq!(one.len(), 4);
        assert_eq!(one["b"], (0, true));
        let mut other = event();
        other["Attribute"][0]["timestamp"] = "8".into();
        assert_ne!(digest(&one), digest(&inventory(&other)));
        assert_eq!(digest(&one), digest(&inventory(&event())));
    }
}
