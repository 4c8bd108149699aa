//! Finding: by neighbourhood, prefix and words; sightings; and a log that tells when it was changed.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::{Answer, IndexTerms, Indicators, Selection, WarningCache, ask, export, import};
use manara_formats::{Input, Limits, WriteOptions};
use manara_matching::{Builder, Index};
use manara_model::{Audience, Marking, Purpose};
use manara_store::Store;
use manara_store::intake::Terms;

fn node() -> (tempfile::TempDir, Store) {
    let folder = manara_testing::folder();
    let (store, _) = Store::init(manara_testing::place(&folder), "CERT Test", "MY", "admin@cert.example").unwrap();
    (folder, store)
}

fn take(store: &Store, name: &str, body: &str) {
    let mut input = Input::from_reader(name, body.as_bytes(), Limits::default()).unwrap();
    let terms = Terms { owner: store.node_org().unwrap(), actor: "test".into(), marking: Marking::default() };
    import(store, &mut input, None, terms, None).unwrap();
}

fn values(store: &Store, question: &str) -> Vec<String> {
    answers(store, question).into_iter().filter(|answer| answer.total > 0).map(|answer| answer.value).collect()
}

fn answers(store: &Store, question: &str) -> Vec<Answer> {
    let view = store.view(Audience::Node, Purpose::Read).unwrap();
    let lists = WarningCache::default().get(store).unwrap();
    ask(&view, &[question.to_owned()], &lists, 50).unwrap()
}

const LIST: &str = "evil.com\nwww.evil.com\nnotevil.com\nevil.com.my\nhttp://cdn.evil.com/x\n10.1.2.3\n10.1.3.4\n10.2.0.1\n10.1.0.0/16\n\
    10.1.2.0/24\n2001:db8::1\n2001:db8::/32\nd41d8cd98f00b204e9800998ecf8427e\n";

#[test]
fn what_is_below_a_domain() {
    let (_folder, store) = node();
    take(&store, "list.txt", LIST);
    let mut below = values(&store, "*.evil.com");
    below.sort();
    assert_eq!(below, ["evil.com", "http://cdn.evil.com/x", "www.evil.com"]);
    assert_eq!(answers(&store, "www.evil.com")[0].around, ["evil.com"]);
}

#[test]
fn networks_hold_addresses_both_ways() {
    let (_folder, store) = node();
    take(&store, "list.txt", LIST);
    assert_eq!(answers(&store, "10[.]1.2.3")[0].around, ["10.1.2.0/24", "10.1.0.0/16"]);
    assert_eq!(
        answers(&store, "10.1.2.77")[0].around,
        ["10.1.2.0/24", "10.1.0.0/16"],
        "also for an address nobody mentions"
    );
    assert_eq!(answers(&store, "2001:db8::1")[0].around, ["2001:db8::/32"]);
    let mut inside = values(&store, "10.1.0.0/16");
    inside.sort();
    assert_eq!(inside, ["10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "10.1.3.4"]);
    assert_eq!(values(&store, "2001:db8::/31"), ["2001:db8::1", "2001:db8::/32"].into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn what_begins_alike() {
    let (_folder, store) = node();
    take(&store, "list.txt", LIST);
    assert_eq!(values(&store, "evil*"), ["evil.com", "evil.com.my"]);
    assert_eq!(values(&store, "md5:d41d*"), ["d41d8cd98f00b204e9800998ecf8427e"]);
    assert!(values(&store, "zzz*").is_empty() && values(&store, "*").is_empty());
}

#[test]
fn words_in_titles_and_comments_in_every_script() {
    let (_folder, store) = node();
    take(
        &store,
        "a.json",
        r#"{"Event": {"info": "حملة تصيد على بنك", "Attribute": [{"type": "domain", "value": "a.com", "comment": "Erster Fund, Müller"}]}}"#,
    );
    take(&store, "b.json", r#"{"Event": {"info": "Phishing of a bank 😀", "Attribute": []}}"#);
    let view = store.view(Audience::Node, Purpose::Read).unwrap();
    let count = |words: &str| view.text(words, None, 10).unwrap().items.len();
    assert_eq!(
        (count("تصيد"), count("muller"), count("phish"), count("PHISHING bank"), count("fund bank")),
        (1, 1, 1, 1, 0)
    );
    // Nothing that a reader types is syntax.
    for words in ["\"", "a OR b", "NEAR(", "*", "bank\" OR \"a", "col:x", "^", "--"] {
        count(words);
    }
}

#[test]
fn sightings_that_came_with_an_event_are_counted_once_and_for_the_holder() {
    let (_folder, store) = node();
    let event = r#"{"Event": {"info": "seen", "distribution": "3", "Attribute": [{"type": "domain", "value": "seen.com", "Sighting": [
        {"type": "0", "date_sighting": "1700000000", "source": "sensor", "Organisation": {"name": "X", "uuid": "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219"}},
        {"type": "1", "date_sighting": "1700000001"}]}]}}"#;
    take(&store, "a.json", event);
    take(&store, "b.json", &event.replace("\"info\": \"seen\"", "\"info\": \"seen, again\""));
    let sightings = answers(&store, "seen.com")[0].sightings;
    assert_eq!((sightings.seen, sightings.false_positive), (1, 1));
    let view = store.view(Audience::Public, Purpose::Read).unwrap();
    let observable = manara_model::observable::guess("seen.com").unwrap();
    assert_eq!(view.lookup(&observable, 1).unwrap().sightings.seen, 0);
}

#[test]
fn a_feed_folder_comes_in_again() {
    use manara_corridor::{Selection, export, files};
    let (folder, store) = node();
    for path in files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/misp")).unwrap() {
        take(&store, "event.json", &std::fs::read_to_string(path).unwrap());
    }
    let feed = folder.path().join("feed");
    let all = |store: &Store, format: &str, folder: Option<&std::path::Path>| {
        let mut bytes = Vec::new();
        export(
            store,
            format,
            Audience::Node,
            &Selection::default(),
            manara_formats::WriteOptions::default(),
            Box::new(&mut bytes),
            folder,
        )
        .unwrap();
        let mut lines: Vec<String> = String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    all(&store, "misp-feed", Some(&feed));
    let (_other, second) = node();
    let paths = files(&feed).unwrap();
    assert_eq!(paths.len(), 26);
    for path in paths {
        take(&second, "event.json", &std::fs::read_to_string(path).unwrap());
    }
    assert_eq!(all(&store, "text", None), all(&second, "text", None));
}

#[test]
fn a_changed_log_or_index_is_told() {
    let (_folder, store) = node();
    take(&store, "list.txt", LIST);
    assert!(store.verify().unwrap().problems.is_empty());
    let place = store.place().clone();
    drop(store);
    manara_testing::tamper(&place, "UPDATE audit SET detail = 'nothing happened' WHERE seq = 2");
    let problems = Store::open(place.clone()).unwrap().verify().unwrap().problems;
    assert!(problems.iter().any(|p| p.contains("audit entry 2")), "{problems:?}");
    manara_testing::tamper(&place, "DELETE FROM occurrence WHERE observable = 1");
    let problems = Store::open(place).unwrap().verify().unwrap().problems;
    assert!(problems.iter().any(|p| p.contains("not in the index")), "{problems:?}");
}

/// A million tags are kept as they came; lists and filters have the first thousand.
#[test]
fn a_million_tags_are_kept_and_bounded() {
    let (_folder, store) = node();
    let tags: Vec<String> = (0..1_000_000).map(|n| format!("{{\"name\":\"t:{n}\"}}")).collect();
    let body = format!(
        "{{\"Event\":{{\"info\":\"x\",\"uuid\":\"{}\",\"Tag\":[{}]}}}}",
        uuid::Uuid::from_u128(1),
        tags.join(",")
    );
    take(&store, "event.json", &body);
    let view = store.view(Audience::Node, Purpose::Read).unwrap();
    let head = view.record(uuid::Uuid::from_u128(1)).unwrap().unwrap();
    assert_eq!(head.tags.len(), 1000);
    assert!(head.skeleton.contains("t:999999"));
    assert_eq!(store.tags().unwrap().len(), 1000);
}

#[test]
fn what_is_below_a_name_is_no_block_of_the_name() {
    let (_folder, store) = node();
    let event = r#"{"Event": {"info": "Below", "Attribute": [
        {"type": "domain", "value": "*.evil.com", "to_ids": true}, {"type": "domain", "value": "bad.com", "to_ids": true}]}}"#;
    take(&store, "a.json", event);
    assert_eq!(values(&store, "*.evil.com"), ["*.evil.com"]);
    assert_eq!(answers(&store, "www.evil.com")[0].around, ["*.evil.com"]);
    let mut indicators = Indicators::new(Builder::new(), IndexTerms::default());
    indicators.read_node(&store, Audience::Node, &Selection::default(), WriteOptions::default()).unwrap();
    let index = Index::from_bytes(indicators.finish().0.finish()).unwrap();
    let held: Vec<&str> = (0..index.len()).map(|n| index.text(n)).collect();
    assert_eq!(held, ["*.evil.com", "bad.com"]);
    let write = |format: &str| {
        let (mut out, options) = (Vec::new(), WriteOptions::default());
        let chosen = Selection::default();
        let report = export(&store, format, Audience::Node, &chosen, options, Box::new(&mut out), None).unwrap();
        (String::from_utf8(out).unwrap(), report.held_back)
    };
    let (zone, _) = write("rpz");
    let names: Vec<&str> = zone.lines().filter(|line| line.ends_with("CNAME .")).collect();
    assert_eq!(names, ["*.evil.com CNAME .", "bad.com CNAME .", "*.bad.com CNAME ."]);
    for format in ["hosts", "unbound", "squid", "snort", "zeek"] {
        let (list, held) = write(format);
        assert!(!list.contains("evil") && list.contains("bad"), "{format}: {list}");
        assert_eq!((held.unsaid, held.total()), (1, 1), "{format}");
        assert!(held.examples[0].starts_with("*.evil.com: "), "{:?}", held.examples);
    }
    let (rules, _) = write("suricata");
    let rule = |name: &str| rules.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(
        !rule("evil.com").contains("dotprefix") && rule("evil.com").contains("content:\".evil.com\"; nocase; endswith")
    );
    assert!(rule("bad.com").contains("dotprefix; content:\".bad.com\""));
    assert_eq!(write("text").0, "*.evil.com\nbad.com\n");
    for format in ["misp", "stix"] {
        assert!(write(format).0.contains("*.evil.com"), "{format}");
    }
}
