//! Events that are changed at random through the door, against a plain list of what should be there: an
//! edit changes what it is about and nothing else, numbers stay, and the index agrees with the parts.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::WarningCache;
use manara_misp::{Call, Method, answer};
use manara_model::role::{Right, Role};
use manara_store::Store;
use manara_store::people::{Caller, NewAccount};
use manara_testing::Dice;
use serde_json::{Value, json};
use std::collections::BTreeMap;

struct Door {
    _folder: tempfile::TempDir,
    store: Store,
    warnings: WarningCache,
    caller: Caller,
}

impl Door {
    fn new() -> Self {
        let folder = manara_testing::folder();
        let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
        let new = NewAccount { org: made.org.uuid, email: "user@cert.example".into(), role: Role::User };
        let made = store.add_account("test", new).unwrap();
        let caller = Caller { account: store.account(&made.email).unwrap(), scope: Right::ALL.to_vec() };
        Door { _folder: folder, store, warnings: WarningCache::default(), caller }
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        let call = Call::new(Method::Post, path, "", body.to_string().into_bytes(), self.caller.clone());
        let answered = answer(&self.store, &self.warnings, &call);
        let status = answered.status;
        let text = answered.text().unwrap();
        assert_eq!(status, 200, "{path} {body}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }
}

/// What should be there: attributes by identifier (number, value, object), objects by identifier (number).
#[derive(Default)]
struct Model {
    attributes: BTreeMap<String, (String, String, Option<String>)>,
    objects: BTreeMap<String, String>,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn check(event: &Value, model: &Model, steps: &[String]) {
    let event = &event["Event"];
    let mut found = BTreeMap::new();
    let mut objects = BTreeMap::new();
    for attribute in event["Attribute"].as_array().unwrap() {
        found.insert(text(attribute, "uuid"), (text(attribute, "id"), text(attribute, "value"), None));
    }
    for object in event["Object"].as_array().unwrap() {
        objects.insert(text(object, "uuid"), text(object, "id"));
        for attribute in object["Attribute"].as_array().unwrap() {
            let of = (text(attribute, "id"), text(attribute, "value"), Some(text(object, "uuid")));
            found.insert(text(attribute, "uuid"), of);
        }
    }
    assert_eq!(found, model.attributes, "after {steps:#?}");
    assert_eq!(objects, model.objects, "after {steps:#?}");
    assert_eq!(text(event, "attribute_count"), found.len().to_string(), "after {steps:#?}");
}

#[test]
fn an_edit_changes_what_it_is_about() {
    let door = Door::new();
    let mut dice = Dice::of_now();
    for round in 0..4 {
        let event = door.ask("/events/add", &json!({"Event": {"info": format!("round {round}"), "distribution": "1"}}));
        let event = text(&event["Event"], "uuid");
        let (mut model, mut steps) = (Model::default(), Vec::new());
        for step in 0..60 {
            let value = format!("r{round}s{step}.example");
            let pick = |dice: &mut Dice, map: Vec<String>| {
                if map.is_empty() { None } else { Some(map[dice.roll(map.len())].clone()) }
            };
            let attribute = pick(&mut dice, model.attributes.keys().cloned().collect());
            let object = pick(&mut dice, model.objects.keys().cloned().collect());
            let what = dice.roll(8);
            steps.push(format!("{what} {attribute:?} {object:?}"));
            match (what, attribute, object) {
                (0 | 1, ..) => {
                    let added =
                        door.ask(&format!("/attributes/add/{event}"), &json!({"type": "domain", "value": value}));
                    let added = &added["Attribute"];
                    model.attributes.insert(text(added, "uuid"), (text(added, "id"), value, None));
                }
                (2, ..) => {
                    let body = json!({"Object": {"name": "file", "Attribute": [
                        {"type": "filename", "object_relation": "filename", "value": value}, {"type": "text", "object_relation": "note", "value": format!("note {value}")}]}});
                    let added = door.ask(&format!("/objects/add/{event}"), &body);
                    let object = text(&added["Object"], "uuid");
                    model.objects.insert(object.clone(), text(&added["Object"], "id"));
                    for one in added["Object"]["Attribute"].as_array().unwrap() {
                        model
                            .attributes
                            .insert(text(one, "uuid"), (text(one, "id"), text(one, "value"), Some(object.clone())));
                    }
                }
                (3, _, Some(object)) => {
                    let body = json!({"Object": {"Attribute": [{"type": "filename", "object_relation": "filename", "value": value}]}});
                    let changed = door.ask(&format!("/objects/edit/{object}"), &body);
                    assert_eq!(text(&changed["Object"], "id"), model.objects[&object], "an object keeps its number");
                    let all = changed["Object"]["Attribute"].as_array().unwrap();
                    let new = all.iter().find(|one| one["value"] == value.as_str()).unwrap();
                    model.attributes.insert(text(new, "uuid"), (text(new, "id"), value, Some(object)));
                }
                (4, Some(attribute), _) => {
                    // By number, as scripts do.
                    let held = model.attributes.get_mut(&attribute).unwrap();
                    let changed = door.ask(&format!("/attributes/edit/{}", held.0), &json!({"value": value}));
                    assert_eq!(text(&changed["Attribute"], "uuid"), attribute);
                    held.1 = value;
                }
                (5, Some(attribute), _) => {
                    let hard = dice.roll(2) == 1;
                    door.ask(&format!("/attributes/delete/{attribute}"), &json!({"hard": hard}));
                    model.attributes.remove(&attribute);
                }
                (6, _, Some(object)) => {
                    door.ask(&format!("/objects/delete/{object}"), &json!({"hard": dice.roll(2) == 1}));
                    model.objects.remove(&object);
                    model.attributes.retain(|_, (.., of)| of.as_ref() != Some(&object));
                }
                (7, ..) => {
                    // Every part gets another label, in place.
                    let level = dice.roll(4).to_string();
                    door.ask(&format!("/events/edit/{event}"), &json!({"Event": {"distribution": level}}));
                }
                _ => {}
            }
            check(&door.ask(&format!("/events/view/{event}"), &json!({"includeEventCorrelations": 0})), &model, &steps);
        }
        for (uuid, (number, value, _)) in &model.attributes {
            let one = door.ask(&format!("/attributes/view/{number}"), &Value::Null);
            assert_eq!(
                (text(&one["Attribute"], "uuid"), text(&one["Attribute"], "value")),
                (uuid.clone(), value.clone())
            );
            let found = door.ask("/attributes/restSearch", &json!({"value": value, "eventid": event}));
            assert_eq!(found["response"]["Attribute"].as_array().unwrap().len(), 1, "{value} is found by its value");
        }
    }
    let verdict = door.store.verify().unwrap();
    assert_eq!(verdict.problems, Vec::<String>::new());
}
