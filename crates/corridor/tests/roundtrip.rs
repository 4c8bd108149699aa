//! Every real file comes in, and goes out again equal in JSON terms; lists equal to the byte.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::{Selection, export, files, import};
use manara_formats::{Input, Limits, WriteOptions};
use manara_model::{Audience, Marking};
use manara_store::Store;
use manara_store::intake::{Report, Terms};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn node() -> (tempfile::TempDir, Store) {
    let folder = manara_testing::folder();
    let (store, _) = Store::init(manara_testing::place(&folder), "CERT Test", "MY", "admin@cert.example").unwrap();
    (folder, store)
}

fn take(store: &Store, path: &Path) -> Report {
    let mut input = Input::open(path, Limits::default()).unwrap();
    let terms = Terms { owner: store.node_org().unwrap(), actor: "test".into(), marking: Marking::default() };
    import(store, &mut input, None, terms, None).unwrap_or_else(|error| panic!("{}: {error}", path.display())).report
}

fn out(store: &Store, format: &str, selection: &Selection) -> String {
    let mut bytes = Vec::new();
    export(store, format, Audience::Node, selection, WriteOptions::default(), Box::new(&mut bytes), None).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn text(path: &Path) -> String {
    use std::io::Read;
    let mut text = String::new();
    Input::open(path, Limits::default()).unwrap().reader().unwrap().read_to_string(&mut text).unwrap();
    text
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

#[test]
fn misp_events_come_out_as_they_came() {
    let (_folder, store) = node();
    let paths = files(&fixtures().join("misp")).unwrap();
    assert_eq!(paths.len(), 26);
    for path in &paths {
        assert_eq!(take(&store, path).rejected_total, 0, "{}", path.display());
    }
    let written: Value = serde_json::from_str(&out(&store, "misp", &Selection::default())).unwrap();
    let events = written["response"].as_array().unwrap();
    assert_eq!(events.len(), 26);
    for path in &paths {
        let came = json(path);
        let came = came
            .pointer("/response/0/Event")
            .or_else(|| came.pointer("/response/Event"))
            .or_else(|| came.get("Event"))
            .unwrap();
        let went = events.iter().find(|event| event["Event"]["uuid"] == came["uuid"]).unwrap();
        assert_eq!(&went["Event"], came, "{}", path.display());
    }
    assert!(store.verify().unwrap().problems.is_empty());
}

#[test]
fn stix_objects_come_out_as_they_came() {
    for name in [
        "amnesty-novispy.json",
        "amnesty-wintego_helios.json",
        "amnesty-cytrox.json.zst",
        "amnesty-pegasus.json.zst",
        "mitre-ics-attack.json.zst",
    ] {
        let (_folder, store) = node();
        let path = fixtures().join("stix").join(name);
        assert_eq!(take(&store, &path).rejected_total, 0);
        let came = json(&path);
        let written: Value = serde_json::from_str(&out(&store, "stix", &Selection::default())).unwrap();
        let went: HashMap<&str, &Value> =
            written["objects"].as_array().unwrap().iter().map(|o| (o["id"].as_str().unwrap(), o)).collect();
        let objects = came["objects"].as_array().unwrap();
        // Where an id stands more than once, the newest version is the current one.
        let mut newest: HashMap<&str, &Value> = HashMap::new();
        for object in objects {
            let held = newest.entry(object["id"].as_str().unwrap()).or_insert(object);
            if object["modified"].as_str() >= held["modified"].as_str() {
                *held = object;
            }
        }
        assert_eq!(went.len(), newest.len(), "{name}");
        for (id, object) in newest {
            assert_eq!(went[id], object, "{name}");
        }
    }
}

#[test]
fn single_stix_objects_come_out_as_they_came() {
    let lines = text(&fixtures().join("stix/objects.jsonl.zst"));
    let mut batches: Vec<HashMap<String, Value>> = Vec::new();
    for line in lines.lines() {
        let object = serde_json::from_str::<Value>(line).unwrap()["object"].clone();
        let id = object["id"].as_str().unwrap().to_owned();
        // Examples of different documents share ids: each goes where its id is not yet.
        let batch = batches.iter().position(|batch| !batch.contains_key(&id)).unwrap_or(batches.len());
        if batch == batches.len() {
            batches.push(HashMap::new());
        }
        batches[batch].insert(id, object);
    }
    assert_eq!(batches.iter().map(HashMap::len).sum::<usize>(), 693);
    for batch in batches {
        let (folder, store) = node();
        let path = folder.path().join("objects.jsonl");
        // A second line, so that one object is JSON Lines too.
        let body: String = batch.values().map(|object| format!("{object}\n")).collect();
        std::fs::write(&path, body).unwrap();
        assert_eq!(take(&store, &path).rejected_total, 0);
        let written: Value = serde_json::from_str(&out(&store, "stix", &Selection::default())).unwrap();
        let objects = written["objects"].as_array().unwrap();
        assert_eq!(objects.len(), batch.len());
        for object in objects {
            assert_eq!(object, &batch[object["id"].as_str().unwrap()]);
        }
    }
}

#[test]
fn documents_and_knowledge_come_out_as_they_came() {
    for folder in ["csaf", "oscal", "knowledge"] {
        let (_folder, store) = node();
        let paths: Vec<PathBuf> = files(&fixtures().join(folder))
            .unwrap()
            .into_iter()
            .filter(|p| !p.to_string_lossy().contains("definitions.jsonl"))
            .collect();
        for path in &paths {
            let report = take(&store, path);
            assert_eq!((report.rejected_total, report.added), (0, 1), "{}", path.display());
        }
        let native = out(&store, "native", &Selection::default());
        let bodies: Vec<(String, Value)> = native
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|mut line| (line["record"]["source"].as_str().unwrap().to_owned(), line["body"].take()))
            .collect();
        assert_eq!(bodies.len(), paths.len());
        for path in paths {
            let (_, body) = bodies.iter().find(|(source, _)| *source == path.display().to_string()).unwrap();
            assert_eq!(body, &json(&path), "{}", path.display());
        }
    }
}

#[test]
fn lists_and_texts_come_out_to_the_byte() {
    for name in [
        "indicators/ipsum.txt.zst",
        "indicators/emotet.txt.zst",
        "indicators/blackbook.csv.zst",
        "indicators/zeek-example.intel",
        "5g/fight.yaml.zst",
    ] {
        let (_folder, store) = node();
        let path = fixtures().join(name);
        take(&store, &path);
        let native: Value = serde_json::from_str(out(&store, "native", &Selection::default()).trim()).unwrap();
        let lines: Vec<&str> = native["parts"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        let end = if native["body"]["final_line_end"] == Value::Bool(true) { "\n" } else { "" };
        assert!(lines.join("\n") + end == text(&path), "{name}");
    }
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let (_folder, store) = node();
    for name in ["misp", "stix", "csaf", "knowledge/taxonomies"] {
        for path in files(&fixtures().join(name)).unwrap() {
            take(&store, &path);
        }
    }
    let before = out(&store, "native", &Selection::default());
    let audit = store.audit(None, 1).unwrap()[0].seq;
    for name in ["misp", "csaf", "knowledge/taxonomies", "stix/amnesty-novispy.json"] {
        for path in files(&fixtures().join(name)).unwrap() {
            let report = take(&store, &path);
            assert_eq!((report.added, report.updated), (0, 0), "{}", path.display());
        }
    }
    assert!(before == out(&store, "native", &Selection::default()));
    assert_eq!(audit, store.audit(None, 1).unwrap()[0].seq);
}
