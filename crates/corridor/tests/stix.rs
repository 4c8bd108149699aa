//! MISP events through STIX and back: nothing is lost on the way.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::{Selection, export, files, import};
use manara_formats::{Input, Limits, WriteOptions, events_of_bundle};
use manara_model::{Audience, Marking};
use manara_store::Store;
use manara_store::intake::Terms;
use serde_json::{Value, json};
use std::path::Path;

fn node() -> (tempfile::TempDir, Store) {
    let folder = manara_testing::folder();
    let (store, _) = Store::init(manara_testing::place(&folder), "CERT Test", "MY", "admin@cert.example").unwrap();
    (folder, store)
}

fn take(store: &Store, mut input: Input) {
    let terms = Terms { owner: store.node_org().unwrap(), actor: "test".into(), marking: Marking::default() };
    let report = import(store, &mut input, None, terms, None).unwrap().report;
    assert_eq!(report.rejected_total, 0);
}

fn give(event: &Value) -> Input {
    Input::from_reader("event", json!({"Event": event}).to_string().as_bytes(), Limits::default()).unwrap()
}

fn bundle(store: &Store) -> Value {
    let mut bytes = Vec::new();
    let selection = Selection::default();
    export(store, "stix", Audience::Node, &selection, WriteOptions::default(), Box::new(&mut bytes), None).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn events(bundle: &Value) -> Vec<Value> {
    let text = bundle.to_string();
    events_of_bundle(&mut Input::from_reader("bundle", text.as_bytes(), Limits::default()).unwrap()).unwrap()
}

/// There and back.
fn round(event: &Value) -> (Value, Value) {
    let (_folder, store) = node();
    take(&store, give(event));
    let bundle = bundle(&store);
    let mut back = events(&bundle);
    assert_eq!(back.len(), 1);
    (bundle, back.remove(0))
}

fn differences(place: &str, a: &Value, b: &Value, out: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            for name in x.keys().chain(y.keys().filter(|name| !x.contains_key(*name))) {
                differences(
                    &format!("{place}/{name}"),
                    a.get(name).unwrap_or(&Value::Null),
                    b.get(name).unwrap_or(&Value::Null),
                    out,
                );
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().for_each(|(n, (x, y))| differences(&format!("{place}/{n}"), x, y, out));
        }
        _ if a == b => {}
        _ => out.push(format!("{place}: {} became {}", short(a), short(b))),
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

fn assert_same(name: &str, event: &Value, back: &Value) {
    let mut found = Vec::new();
    differences("", event, back, &mut found);
    assert!(found.is_empty(), "{name}: {} differences\n{}", found.len(), found[..found.len().min(12)].join("\n"));
}

fn events_in(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list.into_iter().flat_map(events_in).collect(),
        Value::Object(mut map) => match map.shift_remove("response").or_else(|| map.shift_remove("Event")) {
            Some(inner) => events_in(inner),
            None => vec![map.into()],
        },
        _ => Vec::new(),
    }
}

#[test]
fn real_events_come_back_as_they_were() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/misp");
    let paths = files(&root).unwrap();
    assert_eq!(paths.len(), 26);
    let (_folder, all) = node();
    let mut came = Vec::new();
    for path in paths {
        for event in events_in(serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()) {
            let (bundle, back) = round(&event);
            assert_same(&path.display().to_string(), &event, &back);
            for object in bundle["objects"].as_array().unwrap() {
                let name = object["x_misp_name"].as_str().unwrap_or_default();
                // For these there is no place in the published mapping.
                assert!(object["type"] != "x-misp-object" || ["av-signature", "macho"].contains(&name), "{object}");
            }
            take(&all, give(&event));
            came.push(event);
        }
    }
    // All of them in one bundle share observables, organisations and clusters.
    let back = events(&bundle(&all));
    assert_eq!(back.len(), came.len());
    for event in came {
        let back = back.iter().find(|back| back["uuid"] == event["uuid"]).unwrap();
        assert_same("all in one", &event, back);
    }
}
