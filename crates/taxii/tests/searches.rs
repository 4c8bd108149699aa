//! Collections that are saved searches: what they hold, in which order, and for whom.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::{Selection, export, import};
use manara_formats::{Input, Limits, WriteOptions};
use manara_model::policy::decide;
use manara_model::role::Role;
use manara_model::{Audience, Label, Level, Marking, OrgId, Pap, Purpose, Tlp};
use manara_store::Store;
use manara_store::intake::Terms;
use manara_store::people::{Caller, NewAccount, Organisation};
use manara_taxii::{Call, Collection, Kind, Method, Names, Shelf, TAXII, Wish, answer};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

struct Node {
    _folder: tempfile::TempDir,
    store: Store,
    shelf: Shelf,
    orgs: Vec<OrgId>,
    /// One of each organisation.
    callers: Vec<Caller>,
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
    Node { _folder: folder, store, shelf: Shelf::default(), orgs, callers }
}

struct Page {
    status: u16,
    body: Value,
    first: String,
    last: String,
}

impl Page {
    fn objects(&self) -> Vec<Value> {
        self.body["objects"].as_array().cloned().unwrap_or_default()
    }
}

impl Node {
    fn import(&self, owner: OrgId, format: &str, body: &Value, marking: Marking) {
        let text = body.to_string();
        let mut input = Input::from_reader("x.json", text.as_bytes(), Limits::default()).unwrap();
        let terms = Terms { owner, actor: "test".into(), marking };
        let report = import(&self.store, &mut input, Some(format), terms, None).unwrap().report;
        assert_eq!(report.rejected_total, 0, "{report:?}");
    }

    fn search(&self, query: &str) -> Collection {
        let wish = Wish {
            title: Some("T".into()),
            kind: Some(Kind::Search),
            query: Some(query.into()),
            can_read: Some(Names::One("all".into())),
            ..Wish::default()
        };
        let made = wish.made(&self.store, None).unwrap();
        Collection::add(&self.store, "test", self.orgs[0], made).unwrap()
    }

    fn get(&self, collection: &Collection, rest: &str, caller: &Caller) -> Page {
        let path = format!("{}collections/{}/{rest}", collection.api_root(), collection.id);
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let mut call = Call {
            method: Method::Get,
            path,
            query,
            accept: TAXII,
            content_type: "",
            most: 0,
            length: 0,
            shelf: &self.shelf,
            caller: caller.clone(),
            body: &mut std::io::empty(),
        };
        let answer = answer(&self.store, &mut call);
        let header = |name: &str| {
            let found = answer.headers.iter().find(|(header, _)| *header == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Page {
            status: answer.status,
            body: serde_json::from_slice(&answer.body).unwrap(),
            first: header("x-taxii-date-added-first"),
            last: header("x-taxii-date-added-last"),
        }
    }

    /// All objects, page by page: by `next`, or by the time of the last one.
    fn all(&self, collection: &Collection, caller: &Caller, filter: &str, limit: usize, by_time: bool) -> Vec<Value> {
        let (mut all, mut place, mut before) = (Vec::new(), String::new(), String::new());
        loop {
            let page = self.get(collection, &format!("objects/?limit={limit}{filter}{place}"), caller);
            assert_eq!(page.status, 200, "{}", page.body);
            let objects = page.objects();
            assert!(objects.len() <= limit);
            if !objects.is_empty() {
                assert!(page.first > before && page.last >= page.first, "{before} {} {}", page.first, page.last);
                before.clone_from(&page.last);
            }
            all.extend(objects);
            if page.body["more"] != json!(true) {
                return all;
            }
            place = match by_time {
                true => format!("&added_after={before}"),
                false => format!("&next={}", page.body["next"].as_str().unwrap()),
            };
        }
    }
}

fn event(n: u128, values: usize) -> Value {
    let attribute = |at: usize| {
        json!({"type": "domain", "value": format!("a{at}.e{n}.example.com"), "to_ids": at.is_multiple_of(2),
        "uuid": Uuid::from_u128(n << 32 | at as u128), "comment": "c"})
    };
    json!({"Event": {"uuid": Uuid::from_u128(n), "info": format!("event {n}"), "timestamp": "1700000000", "date": "2026-01-01",
        "Orgc": {"uuid": Uuid::from_u128(9), "name": "Author"}, "Tag": [{"name": format!("own:{}", n % 2)}],
        "Attribute": (0..values).map(attribute).collect::<Vec<_>>()}})
}

fn ids(objects: &[Value]) -> Vec<String> {
    objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_page_size_gives_the_same_objects_each_once() {
    let node = node();
    for n in 1..=6 {
        node.import(node.orgs[0], "misp", &event(n, 9), Marking::tlp(Tlp::Clear));
    }
    let search = node.search("");
    let me = &node.callers[1];
    let whole = ids(&node.all(&search, me, "", 10_000, false));
    assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), whole.len(), "each once: {whole:?}");
    let reports = whole.iter().filter(|id| id.starts_with("report--") || id.starts_with("grouping--"));
    assert_eq!(reports.count(), 6);
    for limit in [1, 2, 7, 50] {
        assert_eq!(ids(&node.all(&search, me, "", limit, false)), whole, "{limit}");
        assert_eq!(ids(&node.all(&search, me, "", limit, true)), whole, "{limit} by time");
    }
    // Another process, or one that was started again, has an empty shelf.
    let fresh = Node { shelf: Shelf::default(), ..node };
    let page = fresh.get(&search, "objects/?limit=11", &fresh.callers[1]);
    let next = page.body["next"].as_str().unwrap();
    let rest = fresh.get(&search, &format!("objects/?limit=10000&next={next}"), &fresh.callers[1]);
    assert_eq!([ids(&page.objects()), ids(&rest.objects())].concat(), whole);
    // The manifest tells of the same.
    let manifest = fresh.get(&search, "manifest/?limit=10000", &fresh.callers[1]).objects();
    assert_eq!(ids(&manifest), whole);
    let added: Vec<&str> = manifest.iter().map(|entry| entry["date_added"].as_str().unwrap()).collect();
    assert!(added.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn filters_choose_among_the_objects() {
    let node = node();
    for n in 1..=3 {
        node.import(node.orgs[0], "misp", &event(n, 4), Marking::tlp(Tlp::Clear));
    }
    let search = node.search("");
    let me = &node.callers[0];
    let whole = node.all(&search, me, "", 10_000, false);
    let indicators: Vec<Value> = whole.iter().filter(|object| object["type"] == "indicator").cloned().collect();
    assert_eq!(indicators.len(), 6);
    assert_eq!(node.all(&search, me, "&match[type]=indicator", 4, false), indicators);
    for object in &whole {
        let id = object["id"].as_str().unwrap();
        let page = node.get(&search, &format!("objects/{id}/"), me);
        assert_eq!((page.status, page.objects()), (200, vec![object.clone()]), "{id}");
        assert_eq!(node.get(&search, &format!("objects/{id}/versions/"), me).status, 200);
    }
    let two = format!("&match[id]={},{}", whole[3]["id"].as_str().unwrap(), whole[8]["id"].as_str().unwrap());
    assert_eq!(node.all(&search, me, &two, 1, false), [whole[3].clone(), whole[8].clone()]);
    assert_eq!(node.get(&search, "objects/?match[spec_version]=2.0", me).objects().len(), 0);
    let unknown = "objects/indicator--00000000-0000-4000-8000-000000000000/";
    assert_eq!(node.get(&search, unknown, me).status, 404);
}

#[test]
fn a_search_holds_what_it_asks_for() {
    let node = node();
    for n in 1..=4 {
        node.import(node.orgs[(n % 2) as usize], "misp", &event(n, 2), Marking::tlp(Tlp::Clear));
    }
    let bundle = json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [
        {"type": "malware", "spec_version": "2.1", "id": "malware--00000000-0000-4000-8000-000000000002",
         "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "m", "is_family": false}]});
    node.import(node.orgs[0], "stix", &bundle, Marking::tlp(Tlp::Clear));
    let wholes = |query: &str| {
        let found = node.all(&node.search(query), &node.callers[0], "", 1000, false);
        found.iter().filter(|object| matches!(object["type"].as_str(), Some("report" | "grouping" | "malware"))).count()
    };
    assert_eq!(wholes(""), 5);
    assert_eq!(wholes("kind:event"), 4);
    assert_eq!(wholes("kind:malware,note"), 1);
    assert_eq!(wholes("tag:own:1"), 2);
    assert_eq!(wholes("tag:own:1 tag:own:0"), 0);
    assert_eq!(wholes("org:Bank"), 2);
    assert_eq!(wholes("type:domain"), 4);
    assert_eq!(wholes("type:sha256"), 0);
    assert_eq!(wholes("since:2099-01-01"), 0);
    for (query, why) in [
        ("colour:red", "kind:, tag:"),
        ("type:ip", "ipv4"),
        ("x", "colon"),
        ("org:Nobody", "Nobody"),
        ("since:soon", "RFC 3339"),
    ] {
        let wish =
            Wish { title: Some("T".into()), kind: Some(Kind::Search), query: Some(query.into()), ..Wish::default() };
        let error = wish.made(&node.store, None).unwrap_err().to_string();
        assert!(error.contains(why), "{query}: {error}");
    }
}

#[test]
fn what_changes_comes_again_and_what_goes_is_gone() {
    let node = node();
    node.import(node.orgs[0], "misp", &event(1, 3), Marking::tlp(Tlp::Clear));
    node.import(node.orgs[0], "misp", &event(2, 3), Marking::tlp(Tlp::Clear));
    let search = node.search("");
    let me = &node.callers[0];
    let before = node.get(&search, "objects/?limit=10000", me);
    let mut changed = event(1, 4);
    changed["Event"]["timestamp"] = json!("1700000100");
    node.import(node.orgs[0], "misp", &changed, Marking::tlp(Tlp::Clear));
    let after = node.get(&search, &format!("objects/?limit=10000&added_after={}", before.last), me);
    let text = after.body.to_string();
    assert!(text.contains("a3.e1.example.com") && !text.contains("e2.example.com"), "{text}");
    let all = node.get(&search, "objects/?limit=10000", me);
    assert_eq!(all.body.to_string().matches(&format!("--{}\",\"created_by", Uuid::from_u128(1))).count(), 1);
    node.store.withdraw("test", Some(node.orgs[0]), Uuid::from_u128(1), None, "test").unwrap();
    let text = node.get(&search, "objects/?limit=10000", me).body.to_string();
    assert!(!text.contains("e1.example.com") && text.contains("e2.example.com"));
    // Another question: what it held is looked at anew.
    let wish = Wish { query: Some("tag:own:1".into()), ..Wish::default() };
    let changed = search.change(&node.store, "test", wish.made(&node.store, Some(&search.is)).unwrap()).unwrap();
    assert_eq!(node.all(&changed, me, "", 100, false).len(), 0);
    search.remove(&node.store, "test").unwrap();
    assert_eq!(node.get(&search, "objects/", me).status, 404);
}

#[test]
fn of_two_holders_copies_the_newest_is_told() {
    let node = node();
    let object = |minute: u32| {
        json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [
        {"type": "malware", "spec_version": "2.1", "id": "malware--00000000-0000-4000-8000-000000000002",
         "created": "2026-01-01T00:00:00.000Z", "modified": format!("2026-01-01T00:0{minute}:00.000Z"), "name": "m", "is_family": false}]})
    };
    node.import(node.orgs[0], "stix", &object(1), Marking::tlp(Tlp::Clear));
    node.import(node.orgs[1], "stix", &object(2), Marking::tlp(Tlp::Clear));
    node.import(node.orgs[2], "stix", &object(1), Marking::tlp(Tlp::Clear));
    node.import(node.orgs[1], "stix", &object(2), Marking::tlp(Tlp::Clear));
    let search = node.search("kind:malware");
    let of = |filter: &str, caller: usize| -> Vec<String> {
        let all = node.all(&search, &node.callers[caller], filter, 10, false);
        let all = all.into_iter().filter(|object| object["type"] == "malware");
        all.map(|object| object["modified"].as_str().unwrap()[14..16].to_owned()).collect()
    };
    assert_eq!(of("", 0), ["02"]);
    assert_eq!(of("&match[version]=first", 0), ["01"]);
    assert_eq!(of("&match[version]=all", 0), ["01", "02"]);
    assert_eq!(of("&match[version]=2026-01-01T00:01:00.000Z", 0), ["01"]);
    // To whom the newest is hidden, the one before it is the newest.
    node.import(node.orgs[1], "stix", &object(3), Marking::tlp(Tlp::Red));
    assert_eq!(of("", 1), ["03"]);
    assert_eq!(of("", 0), ["01"]);
    assert_eq!(of("&match[version]=all", 0), ["01"]);
}

/// A value of its own in each attribute of each marking: who may not know it finds it nowhere.
#[test]
fn no_search_tells_a_reader_what_it_may_not_know() {
    let node = node();
    node.store.add_client("test", node.orgs[0], node.orgs[2]).unwrap();
    let mut markings = vec![Marking::default()];
    for tlp in Tlp::ALL {
        markings.push(Marking::tlp(tlp));
        markings.extend([Level::Organisation, Level::Community, Level::All].map(|level| Marking::tlp(tlp).at(level)));
    }
    markings.push(Marking { pap: Some(Pap::Red), ..Marking::tlp(Tlp::Clear) });
    markings.push(Marking { embargo: Some(i64::MAX / 2000), ..Marking::tlp(Tlp::Clear) });
    let mut secrets: Vec<(String, Label, Label)> = Vec::new();
    for owner in [node.orgs[0], node.orgs[1]] {
        for marking in &markings {
            let n = secrets.len() as u128 + 1000;
            let (open, closed) = (Uuid::from_u128(n << 32 | 1), Uuid::from_u128(n << 32 | 2));
            // The open one speaks of the closed one.
            let body = json!({"Event": {"uuid": Uuid::from_u128(n), "info": format!("title{n}x"), "Attribute": [
                {"uuid": Uuid::from_u128(n << 32 | 3), "type": "text", "value": format!("common{n}x"), "distribution": "5"},
                {"uuid": closed, "type": "domain", "value": format!("closed{n}x.example.com"), "to_ids": true, "distribution": "0"}],
                "Object": [{"name": "file", "meta-category": "file", "uuid": open, "template_uuid": Uuid::from_u128(5), "template_version": "1",
                    "Attribute": [{"type": "filename", "object_relation": "filename", "value": format!("open{n}x"), "to_ids": true}],
                    "ObjectReference": [{"uuid": Uuid::from_u128(n << 32 | 4), "referenced_uuid": closed, "relationship_type": "drops", "referenced_type": "0"}]}]}});
            node.import(owner, "misp", &body, marking.clone());
            let whole = Label::new(owner, marking.clone());
            let part = whole.narrowed(&Marking::default().at(Level::Organisation));
            secrets.push((format!("title{n}x"), whole.clone(), whole.clone()));
            secrets.push((format!("open{n}x"), whole.clone(), whole.clone()));
            secrets.push((format!("closed{n}x"), part.clone(), whole.clone()));
            secrets.push((closed.to_string(), part, whole));
        }
    }
    let search = node.search("");
    let (mut told, facts) = (0, node.store.facts().unwrap());
    for caller in &node.callers {
        let audience = Audience::User { user: caller.account.uuid, org: caller.account.org };
        let objects = node.all(&search, caller, "", 13, false);
        let manifest = node.get(&search, "manifest/?limit=10000", caller);
        assert_eq!(ids(&manifest.objects()), ids(&objects));
        let text = Value::Array(objects).to_string();
        for (secret, label, whole) in &secrets {
            let may = |label: &Label| decide(label, &audience, Purpose::Read, &facts.world).allowed();
            let is_told = text.contains(secret.as_str());
            assert_eq!(is_told, may(label) && may(whole), "{audience} {secret} {label:?}");
            told += usize::from(is_told);
            // Asked for by its identifier it is as if it were not there.
            if secret.len() == 36 && !is_told {
                for kind in ["indicator", "observed-data"] {
                    assert_eq!(node.get(&search, &format!("objects/{kind}--{secret}/"), caller).status, 404);
                }
            }
        }
    }
    assert!(told > 100, "the test must not pass by telling nothing: {told}");
}

/// Another's relationship to something hidden is hidden, and a list that names it does not.
#[test]
fn no_relationship_hints_at_a_hidden_object() {
    let node = node();
    let common =
        json!({"spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"});
    let make = |kind: &str, n: u32, more: Value| {
        let mut object = common.clone();
        object["type"] = json!(kind);
        object["id"] = json!(format!("{kind}--00000000-0000-4000-8000-00000000000{n}"));
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-0000000000ff", "objects": [object]})
    };
    let (open, shut) =
        ("malware--00000000-0000-4000-8000-000000000001", "malware--00000000-0000-4000-8000-000000000002");
    let named = |name: &str| json!({"name": name, "is_family": false});
    node.import(node.orgs[0], "stix", &make("malware", 1, named("open")), Marking::tlp(Tlp::Clear));
    node.import(node.orgs[0], "stix", &make("malware", 2, named("shut")), Marking::tlp(Tlp::Red));
    let related = json!({"relationship_type": "related-to", "source_ref": open, "target_ref": shut});
    node.import(node.orgs[0], "stix", &make("relationship", 3, related), Marking::tlp(Tlp::Clear));
    let report = json!({"name": "r", "published": "2026-01-01T00:00:00Z", "object_refs": [open, shut]});
    node.import(node.orgs[0], "stix", &make("report", 4, report), Marking::tlp(Tlp::Clear));
    let search = node.search("");
    let others = Value::Array(node.all(&search, &node.callers[1], "", 100, false)).to_string();
    assert!(!others.contains(shut) && !others.contains("relationship--") && others.contains(open), "{others}");
    assert!(others.contains(&format!("\"object_refs\":[\"{open}\"]")), "{others}");
    let own = Value::Array(node.all(&search, &node.callers[0], "", 100, false)).to_string();
    assert_eq!(own.matches(shut).count(), 3, "{own}");
    // Nor does a bundle.
    let bundle = |audience: Audience| {
        let mut out = Vec::new();
        let (all, options) = (Selection::default(), WriteOptions::default());
        export(&node.store, "stix", audience, &all, options, Box::new(&mut out), None).unwrap();
        String::from_utf8(out).unwrap()
    };
    let others = bundle(Audience::Org(node.orgs[1]));
    assert!(!others.contains(shut) && !others.contains("relationship--"), "{others}");
    assert!(others.contains(&format!("\"object_refs\":[\"{open}\"]")), "{others}");
    assert!(serde_json::from_str::<Value>(&others).unwrap()["objects"].as_array().unwrap().len() >= 2, "{others}");
    assert_eq!(bundle(Audience::Org(node.orgs[0])).matches(shut).count(), 3);
    // What another keeps to himself hides nothing of what one speaks of; what anybody shows is not hidden.
    node.import(node.orgs[2], "stix", &make("malware", 1, named("taken")), Marking::tlp(Tlp::Red));
    node.import(node.orgs[2], "stix", &make("tool", 5, json!({"name": "of another"})), Marking::tlp(Tlp::Red));
    let another = "tool--00000000-0000-4000-8000-000000000005";
    let related = json!({"relationship_type": "uses", "source_ref": open, "target_ref": another});
    node.import(node.orgs[0], "stix", &make("relationship", 6, related), Marking::tlp(Tlp::Clear));
    let others = Value::Array(node.all(&search, &node.callers[1], "", 100, false)).to_string();
    assert!(others.contains(open) && others.contains(&format!("\"target_ref\":\"{another}\"")), "{others}");
    node.import(node.orgs[2], "stix", &make("malware", 2, named("shown")), Marking::tlp(Tlp::Clear));
    let others = Value::Array(node.all(&search, &node.callers[1], "", 100, false)).to_string();
    assert!(others.contains(&format!("\"target_ref\":\"{shut}\"")), "{others}");
}

/// What a crash left: a search whose question was changing, a collection that was going.
#[test]
fn what_was_broken_off_is_ended() {
    let node = node();
    for n in 1..=3 {
        node.import(node.orgs[0], "misp", &event(n, 3), Marking::tlp(Tlp::Clear));
    }
    let (search, gone) = (node.search("kind:event"), node.search("kind:event"));
    let me = &node.callers[0];
    let whole = node.all(&search, me, "", 100, false);
    assert_eq!(node.all(&gone, me, "", 100, false).len(), whole.len());
    let note = |collection: &Collection, name: &str, value: Value| {
        let members = serde_json::Map::from_iter([(name.to_owned(), value)]);
        node.store.note_entry("collection", collection.row, members).unwrap();
    };
    note(&search, "filled", json!("changing"));
    note(&gone, "going", json!(true));
    assert_eq!(node.get(&gone, "objects/", me).status, 404);
    manara_taxii::sweep(&node.store).unwrap();
    assert_eq!(ids(&node.all(&search, me, "", 100, false)), ids(&whole), "filled anew");
    assert_eq!(node.store.entries("collection").unwrap().len(), 1);
    // The number of what is gone may be given again; nothing of it is left.
    let other = node.search("kind:nothing");
    assert_eq!(node.all(&other, me, "", 100, false).len(), 0);
}

/// Whoever reads while a question changes finds records of the old or the new one, and all of them afterwards.
#[test]
fn a_question_that_changes_while_others_read_loses_nothing() {
    let node = node();
    for n in 1..=40 {
        node.import(node.orgs[0], "misp", &event(n, 1), Marking::tlp(Tlp::Clear));
    }
    let search = node.search("tag:own:1");
    let ended = std::sync::atomic::AtomicBool::new(false);
    let mut asked = search.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                node.get(&search, "objects/", &node.callers[0]);
            }
        });
        for query in ["", "tag:own:0", "kind:event", "tag:own:1", ""] {
            let wish = Wish { query: Some(query.into()), ..Wish::default() };
            asked = asked.change(&node.store, "test", wish.made(&node.store, Some(&asked.is)).unwrap()).unwrap();
        }
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let all = node.all(&asked, &node.callers[0], "", 1000, false);
    let wholes = all.iter().filter(|object| matches!(object["type"].as_str(), Some("report" | "grouping"))).count();
    assert_eq!(wholes, 40);
}
