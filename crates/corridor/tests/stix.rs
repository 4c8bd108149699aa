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

fn event(more: Value) -> Value {
    let mut event = json!({
        "uuid": "5a3c2fcd-8328-42bb-a95e-4f4402de0b81", "info": "An event", "date": "2026-01-02", "timestamp": "1767312000",
        "published": true, "publish_timestamp": "1767312060", "threat_level_id": "1", "analysis": "2", "distribution": "3",
        "Orgc": {"id": "7", "name": "CERT Example", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f", "local": true},
        "Tag": [{"name": "tlp:green", "colour": "#00ff00"}, {"name": "misp-galaxy:mitre-attack-pattern=\"PowerShell - T1059.001\""}, {"name": "x:y=\"z\""}],
        "unknown": {"a": null, "json": "b"},
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn attribute(n: u32, ty: &str, value: &str, detect: bool) -> Value {
    json!({
        "uuid": format!("91ae0a21-c7ae-4c7f-b84b-{n:012x}"), "type": ty, "category": "External analysis", "value": value, "to_ids": detect,
        "timestamp": "1767300000", "comment": "why", "distribution": "5",
    })
}

/// A value of a type of MISP.
fn value(ty: &manara_model::observable::MispType) -> String {
    let simple = [
        "198.51.100.7",
        "evil.example",
        "http://evil.example/x?y=1",
        "443",
        "AS64500",
        "a@evil.example",
        "CVE-2026-1234",
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "HKLM\\Software\\Evil",
        "it's \"text\" \\ here",
        "aa:bb:cc:dd:ee:ff",
    ];
    let mut hashes: Vec<String> = [56, 96, 128].iter().map(|length| "ab".repeat(length / 2)).collect();
    hashes.extend(simple.iter().map(|text| (*text).to_owned()));
    let good = |value: &String| manara_model::observable::from_misp(ty, value).1.is_empty();
    let pairs = hashes.iter().flat_map(|a| hashes.iter().map(move |b| format!("{a}|{b}")));
    let composite = ty.name.contains('|') || ty.name == "malware-sample";
    let mut all: Box<dyn Iterator<Item = String>> =
        if composite { Box::new(pairs) } else { Box::new(hashes.clone().into_iter()) };
    all.find(good).unwrap_or_else(|| "x".into())
}

#[test]
fn every_type_comes_back_as_it_was() {
    let types = manara_model::observable::misp_types();
    let mut attributes = Vec::new();
    for (n, ty) in types.iter().enumerate() {
        for detect in [false, true] {
            attributes.push(attribute(2 * n as u32 + u32::from(detect), ty.name, &value(ty), detect));
        }
    }
    let (bundle, back) = round(&event(json!({"Attribute": attributes})));
    assert_same("types", &event(json!({"Attribute": attributes})), &back);
    // Without what travels beside it, type and value of what the published mapping has come back too.
    let mut plain = bundle.clone();
    for object in plain["objects"].as_array_mut().unwrap() {
        object.as_object_mut().unwrap().shift_remove("extensions");
    }
    let back = &events(&plain)[0];
    let known: Vec<&Value> = back["Attribute"].as_array().unwrap().iter().collect();
    for attribute in &attributes {
        let found =
            known.iter().find(|known| known["uuid"] == attribute["uuid"]).unwrap_or_else(|| panic!("{attribute}"));
        assert_eq!(found["type"], attribute["type"], "{found}");
        assert_eq!(found["category"], attribute["category"], "{found}");
    }
}

#[test]
fn all_that_an_event_may_have_comes_back() {
    let org = json!({"id": "7", "name": "CERT Example", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"});
    let mut seen = attribute(1, "ip-dst", "198.51.100.7", true);
    seen["Sighting"] = json!([
        {"uuid": "91ae0a21-c7ae-4c7f-b84b-b84a7ce53d10", "type": "0", "date_sighting": "1767312000", "source": "sensor", "Organisation": org},
        {"uuid": "91ae0a21-c7ae-4c7f-b84b-b84a7ce53d11", "type": "1", "date_sighting": "1767312001", "source": "", "Organisation": org},
    ]);
    seen["first_seen"] = "2026-01-01T00:00:00.123456+00:00".into();
    seen["Tag"] = json!([{"name": "tlp:red"}, {"name": "misp-galaxy:threat-actor=\"APT 1\""}]);
    seen["Galaxy"] = json!([{"type": "threat-actor", "name": "Threat Actor", "GalaxyCluster": [
        {"uuid": "7cdff317-a673-4474-84ec-4f1754947823", "type": "threat-actor", "value": "APT 1", "description": "d", "meta": {"synonyms": ["a"], "x": null}},
    ]}]);
    let mut gone = attribute(2, "domain", "gone.example", true);
    gone["deleted"] = true.into();
    let mut said = attribute(3, "domain", "said.example", false);
    said["Note"] = json!([{"uuid": "91ae0a21-c7ae-4c7f-b84b-b84a7ce53d12", "note": "n", "authors": "a@b.example", "created": "2026-01-01 00:00:00", "modified": "2026-01-01 00:00:00"}]);
    said["Opinion"] = json!([{"uuid": "91ae0a21-c7ae-4c7f-b84b-b84a7ce53d13", "opinion": "70", "comment": "c", "created": "2026-01-01 00:00:00", "modified": "2026-01-01 00:00:00"}]);
    let of = |n, relation: &str, ty, value, detect| {
        let mut attribute = attribute(n, ty, value, detect);
        attribute["object_relation"] = relation.into();
        attribute
    };
    let object = |n: u32, name: &str, attributes: Value| {
        json!({
            "uuid": format!("81ae0a21-c7ae-4c7f-b84b-{n:012x}"), "name": name, "meta-category": "misc", "template_version": "9",
            "timestamp": "1767300001", "comment": "object", "distribution": "5", "Attribute": attributes,
        })
    };
    let objects = json!([
        object(
            1,
            "file",
            json!([
                of(11, "filename", "filename", "a.exe", false),
                of(12, "md5", "md5", "d41d8cd98f00b204e9800998ecf8427e", true),
                of(13, "size-in-bytes", "size-in-bytes", "17", false),
                of(14, "entropy", "float", "7.5", false),
            ])
        ),
        object(
            2,
            "file",
            json!([
                of(15, "filename", "filename", "a.exe", false),
                of(16, "filename", "filename", "b.exe", false),
                of(17, "state", "text", "Malicious", false)
            ])
        ),
        object(
            3,
            "ip-port",
            json!([
                of(18, "ip", "ip-dst", "198.51.100.8", false),
                of(19, "dst-port", "port", "443", false),
                of(20, "first-seen", "datetime", "2026-01-01T00:00:00+00:00", false)
            ])
        ),
        object(
            4,
            "email",
            json!([
                of(21, "from", "email-src", "a@evil.example", true),
                of(22, "to", "email-dst", "b@cert.example", false),
                of(23, "to", "email-dst", "c@cert.example", false)
            ])
        ),
        object(
            5,
            "vulnerability",
            json!([of(24, "id", "vulnerability", "CVE-2026-1234", false), of(25, "summary", "text", "Bad", false)])
        ),
        object(6, "nobody-knows", json!([of(26, "x", "text", "y", false)])),
        object(7, "file", json!([])),
        object(8, "yara", json!([of(27, "yara", "yara", "rule a { condition: true }", true)])),
    ]);
    let whole = event(json!({
        "Attribute": [seen, gone, said, attribute(4, "domain", "said.example", false), attribute(4, "domain", "same-uuid.example", false)],
        "Object": objects,
        "EventReport": [{"uuid": "71ae0a21-c7ae-4c7f-b84b-b84a7ce53d10", "name": "R", "content": "# words", "timestamp": "1767300000", "distribution": "5"}],
        "ShadowAttribute": [attribute(30, "domain", "proposed.example", true)],
    }));
    let (bundle, back) = round(&whole);
    assert_same("whole", &whole, &back);
    let kinds: std::collections::BTreeSet<&str> =
        bundle["objects"].as_array().unwrap().iter().map(|object| object["type"].as_str().unwrap()).collect();
    for kind in [
        "report",
        "sighting",
        "opinion",
        "note",
        "threat-actor",
        "attack-pattern",
        "relationship",
        "vulnerability",
        "extension-definition",
    ] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    let objects = bundle["objects"].as_array().unwrap();
    let ids: std::collections::HashSet<&Value> = objects.iter().map(|object| &object["id"]).collect();
    assert_eq!(ids.len(), objects.len());
    for object in objects {
        for (name, value) in object.as_object().unwrap() {
            let refs = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            let named = name.ends_with("_ref") || name.ends_with("_refs");
            assert!(!named || refs.iter().all(|id| ids.contains(id)), "{name} of {object}");
            assert!(object["type"] != "indicator" || !object["pattern"].as_str().unwrap().contains("gone.example"));
        }
    }
    // Observables have the identifier that everybody gives them.
    assert!(ids.contains(&json!("domain-name--3d117786-8750-5adf-b6b8-9036cdc9a68c")), "{ids:?}");
}

#[test]
fn nothing_that_is_heard_on_the_way_is_undone() {
    let (mut bundle, _) = round(&event(json!({"Attribute": [attribute(1, "domain", "evil.example", true)]})));
    for object in bundle["objects"].as_array_mut().unwrap() {
        if object["type"] == "indicator" {
            object["pattern"] = "[domain-name:value = 'worse.example']".into();
            object["object_marking_refs"] = json!(["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]);
        }
    }
    let back = &events(&bundle)[0]["Attribute"][0];
    assert_eq!(back["value"], "worse.example");
    assert_eq!(back["comment"], "why");
    assert_eq!(back["Tag"], json!([{"name": "tlp:red"}]));
}

fn read(path: &Path) -> Vec<u8> {
    use std::io::Read;
    let mut bytes = Vec::new();
    Input::open(path, Limits::default()).unwrap().reader().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// All values in a store, whether to be looked for or not.
fn values(store: &Store) -> std::collections::BTreeSet<String> {
    let mut bytes = Vec::new();
    let options = WriteOptions { undetected: true, ..WriteOptions::default() };
    export(store, "text", Audience::Node, &Selection::default(), options, Box::new(&mut bytes), None).unwrap();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// As records of their own and as an event, STIX objects mention the same values.
fn assert_mentions(name: &str, bundle: &Value) {
    let ((_one, records), (_other, made)) = (node(), node());
    take(&records, Input::from_reader("bundle", bundle.to_string().as_bytes(), Limits::default()).unwrap());
    let events = events(bundle);
    assert!(!events.is_empty(), "{name}");
    let mut uuids = std::collections::HashSet::new();
    for event in &events {
        take(&made, give(event));
        let objects = event["Object"].as_array().into_iter().flatten();
        let attributes = objects.clone().flat_map(|object| object["Attribute"].as_array().into_iter().flatten());
        for part in event["Attribute"].as_array().into_iter().flatten().chain(objects).chain(attributes) {
            assert!(uuids.insert(part["uuid"].as_str().unwrap().to_owned()), "{name}: twice: {part}");
        }
    }
    let made = values(&made);
    // Campaigns are clusters of a galaxy; and so are vulnerabilities that misp-stix says are.
    let clusters = bundle["objects"].as_array().unwrap().iter().filter(|object| {
        object["type"] == "campaign"
            || object["type"] == "vulnerability" && object["labels"].to_string().contains("galaxy")
    });
    let names = clusters.flat_map(|object| [&object["name"], &object["external_references"][0]["external_id"]]);
    let clusters: Vec<String> = names.map(|name| name.as_str().unwrap_or_default().to_lowercase()).collect();
    let mut lost: Vec<String> = values(&records).into_iter().filter(|value| !made.contains(value)).collect();
    lost.retain(|value| !clusters.contains(&value.to_lowercase()));
    assert!(lost.is_empty(), "{name}: {} lost: {:?}", lost.len(), &lost[..lost.len().min(20)]);
}

#[test]
fn bundles_of_others_become_events_with_all_that_they_mention() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/stix");
    for path in files(&root).unwrap() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains("objects.jsonl") {
            continue;
        }
        assert_mentions(&name, &serde_json::from_slice(&read(&path)).unwrap());
    }
    let lines = String::from_utf8(read(&root.join("objects.jsonl.zst"))).unwrap();
    let mut batches: Vec<std::collections::BTreeMap<String, Value>> = Vec::new();
    for line in lines.lines() {
        let object = serde_json::from_str::<Value>(line).unwrap()["object"].clone();
        let id = object["id"].as_str().unwrap().to_owned();
        // Examples of different documents share ids: each goes where its id is not yet.
        let batch = batches.iter().position(|batch| !batch.contains_key(&id)).unwrap_or(batches.len());
        if batch == batches.len() {
            batches.push(std::collections::BTreeMap::new());
        }
        batches[batch].insert(id, object);
    }
    for (n, batch) in batches.into_iter().enumerate() {
        let objects: Vec<Value> = batch.into_values().collect();
        assert_mentions(
            &format!("objects {n}"),
            &json!({"type": "bundle", "id": format!("bundle--5a3c2fcd-8328-42bb-a95e-{n:012x}"), "objects": objects}),
        );
    }
}

/// As misp-stix writes it (2026.10.12): an attribute's UUID on its observables, TLP 1.0, both indicator and observation.
const MISP_STIX: &str = r#"{"type":"bundle","id":"bundle--5a3c2fcd-8328-42bb-a95e-4f4402de0b81","objects":[{"type":"identity","spec_version":"2.1","id":"identity--55f6ea5e-2c60-40e5-964f-47a8950d210f","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","name":"CIRCL","identity_class":"organization"},
{"type":"report","spec_version":"2.1","id":"report--5a3c2fcd-8328-42bb-a95e-4f4402de0b81","created_by_ref":"identity--55f6ea5e-2c60-40e5-964f-47a8950d210f","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","name":"x","published":"2020-09-13T12:26:41Z","object_refs":["threat-actor--7cdff317-a673-4474-84ec-4f1754947823","observed-data--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","network-traffic--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","ipv4-addr--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","sighting--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d10","opinion--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d11","observed-data--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f","domain-name--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f","indicator--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f","relationship--03c5afb9-0961-5905-a3ec-5b8212bce296","relationship--404fda6d-a68e-5ffb-afe2-2561646b4d06"],"labels":["Threat-Report","misp:tool=\"MISP-STIX-Converter\"","foo"],"object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]},
{"type":"threat-actor","spec_version":"2.1","id":"threat-actor--7cdff317-a673-4474-84ec-4f1754947823","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","name":"APT 1","description":"dd","aliases":["a"],"labels":["misp:galaxy-name=\"Threat Actor\"","misp:galaxy-type=\"threat-actor\""]},
{"type":"observed-data","spec_version":"2.1","id":"observed-data--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","created_by_ref":"identity--55f6ea5e-2c60-40e5-964f-47a8950d210f","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","first_observed":"2020-09-13T12:26:40Z","last_observed":"2020-09-13T12:26:40Z","number_observed":1,"object_refs":["network-traffic--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","ipv4-addr--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f"],"labels":["misp:type=\"ip-dst\"","misp:category=\"Network activity\""]},
{"type":"network-traffic","spec_version":"2.1","id":"network-traffic--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","dst_ref":"ipv4-addr--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","protocols":["tcp"]},
{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","value":"1.2.3.4"},
{"type":"sighting","spec_version":"2.1","id":"sighting--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d10","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","sighting_of_ref":"observed-data--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","where_sighted_refs":["identity--55f6ea5e-2c60-40e5-964f-47a8950d210f"]},
{"type":"opinion","spec_version":"2.1","id":"opinion--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d11","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","explanation":"False positive Sighting","authors":["CIRCL"],"opinion":"strongly-disagree","object_refs":["observed-data--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f"],"x_misp_author_ref":"identity--55f6ea5e-2c60-40e5-964f-47a8950d210f"},
{"type":"observed-data","spec_version":"2.1","id":"observed-data--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f","created_by_ref":"identity--55f6ea5e-2c60-40e5-964f-47a8950d210f","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","first_observed":"2020-09-13T12:26:40Z","last_observed":"2020-09-13T12:26:40Z","number_observed":1,"object_refs":["domain-name--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f"],"labels":["misp:type=\"domain\"","misp:category=\"Network activity\""]},
{"type":"domain-name","spec_version":"2.1","id":"domain-name--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f","value":"a.com"},
{"type":"indicator","spec_version":"2.1","id":"indicator--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f","created_by_ref":"identity--55f6ea5e-2c60-40e5-964f-47a8950d210f","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","pattern":"[domain-name:value = 'a.com']","pattern_type":"stix","pattern_version":"2.1","valid_from":"2020-09-13T12:26:40Z","kill_chain_phases":[{"kill_chain_name":"misp-category","phase_name":"Network activity"}],"labels":["misp:type=\"domain\"","misp:category=\"Network activity\""]},
{"type":"relationship","spec_version":"2.1","id":"relationship--03c5afb9-0961-5905-a3ec-5b8212bce296","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","relationship_type":"related-to","source_ref":"observed-data--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f","target_ref":"threat-actor--7cdff317-a673-4474-84ec-4f1754947823"},
{"type":"relationship","spec_version":"2.1","id":"relationship--404fda6d-a68e-5ffb-afe2-2561646b4d06","created":"2020-09-13T12:26:40.000Z","modified":"2020-09-13T12:26:40.000Z","relationship_type":"based-on","source_ref":"indicator--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f","target_ref":"observed-data--91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f"},
{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da","created":"2017-01-20T00:00:00.000Z","definition_type":"tlp","name":"TLP:GREEN","definition":{"tlp":"green"}}]}"#;

#[test]
fn what_misp_stix_writes_is_what_it_came_from() {
    let events = events(&serde_json::from_str(MISP_STIX).unwrap());
    let event = &events[0];
    assert_eq!(events.len(), 1);
    assert_eq!((&event["uuid"], &event["info"]), (&json!("5a3c2fcd-8328-42bb-a95e-4f4402de0b81"), &json!("x")));
    assert_eq!(event["Orgc"], json!({"name": "CIRCL", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"}));
    assert_eq!(
        event["Tag"],
        json!([{"name": "foo"}, {"name": "tlp:green"}, {"name": "misp-galaxy:threat-actor=\"APT 1\""}])
    );
    let attributes = event["Attribute"].as_array().unwrap();
    assert_eq!(attributes.len(), 2, "{attributes:?}");
    let (address, domain) = (&attributes[0], &attributes[1]);
    assert_eq!(
        (&address["type"], &address["value"], &address["to_ids"]),
        (&json!("ip-dst"), &json!("1.2.3.4"), &json!(false))
    );
    assert_eq!(
        (&domain["type"], &domain["value"], &domain["to_ids"]),
        (&json!("domain"), &json!("a.com"), &json!(true))
    );
    assert_eq!(address["uuid"], "91ae0a21-c7ae-4c7f-b84b-b84a7ce53d1f");
    assert_eq!(domain["uuid"], "91ae0a21-c7ae-4c7f-b84b-b84a7ce53d2f");
    assert_eq!(address["Tag"], json!([{"name": "misp-galaxy:threat-actor=\"APT 1\""}]));
    let kinds: Vec<&Value> = address["Sighting"].as_array().unwrap().iter().map(|sighting| &sighting["type"]).collect();
    assert_eq!(kinds, ["0", "1"]);
    assert_eq!(address["Sighting"][0]["Organisation"]["name"], "CIRCL");
    assert!(event.get("Object").is_none());
}
