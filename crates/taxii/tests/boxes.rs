//! Collections that others write into: how far what came goes, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::import;
use manara_formats::{Input, Limits};
use manara_model::role::Role;
use manara_model::{Marking, OrgId, Tlp};
use manara_store::Store;
use manara_store::intake::Terms;
use manara_store::people::{Caller, NewAccount, Organisation};
use manara_taxii::{Call, Collection, Kind, Method, Names, Shelf, TAXII, Wish, answer};
use serde_json::{Value, json};
use std::time::Duration;

const OWN: &str = "marking-definition--0a11c0de-0000-4000-8000-000000000001";

struct Node {
    _folder: tempfile::TempDir,
    store: Store,
    shelf: Shelf,
    orgs: Vec<OrgId>,
    /// One of each organisation.
    callers: Vec<Caller>,
    /// Everybody reads it, and adds to it.
    collection: Collection,
}

fn node() -> Node {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT Test", "MY", "admin@cert.example").unwrap();
    let mut orgs = vec![made.org.uuid];
    for name in ["Bank", "Telecom"] {
        orgs.push(store.add_org("test", Organisation::new(name, "TR", true).unwrap()).unwrap().uuid);
    }
    let mut callers = Vec::new();
    for (n, org) in orgs.iter().enumerate() {
        let account = NewAccount { org: *org, email: format!("u{n}@x.example"), role: Role::User };
        let key = store.add_account("test", account).unwrap().api_key;
        callers.push(store.caller(&key).unwrap().unwrap());
    }
    let all = || Some(Names::One("all".into()));
    let wish =
        Wish { title: Some("T".into()), kind: Some(Kind::Box), can_read: all(), can_write: all(), ..Wish::default() };
    let made = wish.made(&store, None).unwrap();
    let collection = Collection::add(&store, "test", orgs[0], made).unwrap();
    Node { _folder: folder, store, shelf: Shelf::default(), orgs, callers, collection }
}

impl Node {
    fn ask(&self, caller: usize, method: Method, body: &[u8]) -> (u16, Value) {
        let path = format!("{}collections/{}/objects/", self.collection.api_root(), self.collection.id);
        let mut call = Call {
            method,
            path: &path,
            query: if method == Method::Get { "limit=10000" } else { "" },
            accept: TAXII,
            content_type: TAXII,
            most: 16 << 20,
            length: 0,
            shelf: &self.shelf,
            caller: self.callers[caller].clone(),
            body: &mut &body[..],
        };
        let answer = answer(&self.store, &mut call);
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// The Bank adds objects; its status.
    fn add(&self, objects: &[Value]) -> Value {
        let (status, told) = self.ask(1, Method::Post, json!({"objects": objects}).to_string().as_bytes());
        assert_eq!(status, 202, "{told}");
        told
    }

    /// Which organisations see an object.
    fn seen_by(&self, id: &str) -> Vec<usize> {
        let sees = |caller: &usize| self.ask(*caller, Method::Get, b"").1.to_string().contains(&format!("\"{id}\""));
        (0..self.callers.len()).filter(sees).collect()
    }
}

fn malware(n: u32, more: Value) -> (String, Value) {
    let id = format!("malware--00000000-0000-4000-8000-00000000000{n}");
    let mut object = json!({"type": "malware", "id": id, "spec_version": "2.1", "is_family": false, "name": "m",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (id, object)
}

fn definition(tlp: &str) -> Value {
    json!({"type": "marking-definition", "id": OWN, "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
        "definition_type": "tlp", "definition": {"tlp": tlp}})
}

#[test]
fn a_definition_that_came_earlier_counts() {
    let node = node();
    node.add(&[definition("red")]);
    let (whole, object) = malware(1, json!({"object_marking_refs": [OWN]}));
    let told = node.add(&[object]);
    assert_eq!((&told["success_count"], &told["successes"][0]["message"]), (&json!(1), &Value::Null), "{told}");
    let (pieces, object) = malware(2, json!({"granular_markings": [{"marking_ref": OWN, "selectors": ["name"]}]}));
    node.add(&[object]);
    // Whatever an envelope says of it later.
    let (again, object) = malware(3, json!({"object_marking_refs": [OWN]}));
    let mut other = definition("white");
    other["created"] = json!("2026-01-02T00:00:00.000Z");
    node.add(&[other, object]);
    for id in [whole, pieces, again] {
        assert_eq!(node.seen_by(&id), [1], "{id}");
    }
    let (open, object) = malware(4, json!({}));
    node.add(&[object]);
    assert_eq!(node.seen_by(&open), [0, 1, 2]);
}

#[test]
fn a_definition_among_the_nodes_records_counts() {
    let node = node();
    let bundle = json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [definition("green")]});
    let mut input = Input::from_reader("x.json", bundle.to_string().as_bytes(), Limits::default()).unwrap();
    let terms = Terms { owner: node.orgs[0], actor: "test".into(), marking: Marking::tlp(Tlp::Clear) };
    import(&node.store, &mut input, Some("stix"), terms, None).unwrap();
    let (id, object) = malware(1, json!({"object_marking_refs": [OWN]}));
    let told = node.add(&[object]);
    assert_eq!(told["successes"][0]["message"], Value::Null, "{told}");
    assert_eq!(node.ask(1, Method::Get, b"").1["objects"][0]["id"], json!(id));
}

#[test]
fn what_is_marked_with_something_unknown_stays_with_its_giver() {
    let node = node();
    let (id, object) = malware(1, json!({"object_marking_refs": [OWN]}));
    let told = node.add(std::slice::from_ref(&object));
    let message = told["successes"][0]["message"].as_str().unwrap();
    assert!(message.starts_with(OWN) && message.contains("under a new version"), "{message}");
    assert_eq!(node.seen_by(&id), [1]);
    // A statement says nothing of how far it may go.
    let mut statement = definition("");
    statement["definition_type"] = json!("statement");
    statement["definition"] = json!({"statement": "Copyright"});
    node.add(&[statement]);
    let told = node.add(std::slice::from_ref(&object));
    assert_eq!(told["successes"][0]["message"], "this version was there already");
    let mut newer = object;
    newer["modified"] = json!("2026-01-02T00:00:00.000Z");
    let told = node.add(&[newer]);
    assert_eq!(told["successes"][0]["message"], Value::Null, "{told}");
    assert_eq!(node.seen_by(&id), [0, 1, 2]);
}

/// Large envelopes are read by a job, a piece at a time.
#[test]
fn a_large_envelope_is_read_by_the_same_rules() {
    let node = node();
    node.add(&[definition("red")]);
    let object = |n: u32, more: Value| {
        let mut object = malware(0, more).1;
        object["id"] = json!(format!("malware--00000000-0000-4000-8000-{n:012}"));
        object
    };
    let mut objects: Vec<Value> = (100..1200).map(|n| object(n, json!({}))).collect();
    let unknown = OWN.replace("0001", "0002");
    objects.push(object(1, json!({"object_marking_refs": [OWN]})));
    objects.push(object(2, json!({"object_marking_refs": [unknown]})));
    node.add(&objects);
    let last = "malware--00000000-0000-4000-8000-000000000002";
    // The job waits a moment for more to come.
    for _ in 0..200 {
        if let Some(job) = node.store.take_job("test", Duration::from_secs(60)).unwrap() {
            manara_taxii::run(&node.store, &job, &|_, _| true).unwrap();
            node.store.end_job(job.id, "test", true, "", &Value::Null, None).unwrap();
        }
        if !node.seen_by(last).is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    for n in [1, 2] {
        assert_eq!(node.seen_by(&format!("malware--00000000-0000-4000-8000-{n:012}")), [1], "{n}");
    }
    assert_eq!(node.seen_by("malware--00000000-0000-4000-8000-000000000100"), [0, 1, 2]);
}

#[test]
fn markings_that_nobody_understands_fail_alone() {
    let node = node();
    let (bad, refused) = malware(1, json!({"object_marking_refs": OWN}));
    let (good, taken) = malware(2, json!({}));
    let told = node.add(&[refused, taken]);
    assert_eq!((&told["failure_count"], &told["success_count"]), (&json!(1), &json!(1)), "{told}");
    assert_eq!(told["failures"][0]["id"], json!(bad));
    assert!(told["failures"][0]["message"].as_str().unwrap().contains("object_marking_refs"), "{told}");
    assert_eq!((node.seen_by(&bad).len(), node.seen_by(&good).len()), (0, 3));
}

#[test]
fn envelopes_and_objects_have_limits() {
    let node = node();
    let object = malware(1, json!({})).1.to_string();
    let twice = format!(r#"{{"objects":[{object}],"objects":[{object}]}}"#);
    let (status, told) = node.ask(1, Method::Post, twice.as_bytes());
    assert_eq!(status, 422, "{told}");
    assert!(told["description"].as_str().unwrap().contains("twice"), "{told}");
    let many = format!(r#"{{"objects":[{}{{}}]}}"#, "{},".repeat(20_000));
    let (status, told) = node.ask(1, Method::Post, many.as_bytes());
    assert_eq!(status, 422, "{told}");
    assert!(told["description"].as_str().unwrap().contains("at most 20,000 objects in an envelope"), "{told}");
    let told = node.add(&[malware(1, json!({"description": "x".repeat(1_000_000)})).1, malware(2, json!({})).1]);
    assert_eq!((&told["failure_count"], &told["success_count"]), (&json!(1), &json!(1)));
    assert!(told["failures"][0]["message"].as_str().unwrap().contains("at most 1000000"), "{told}");
}
