//! Identifiers of persons leave as pseudonyms, in whatever format and spelling they came.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::{Selection, export, import};
use manara_formats::{Input, Limits, WriteOptions, formats};
use manara_model::{Audience, Level, Marking, OrgId, Purpose, Tlp};
use manara_store::Store;
use manara_store::intake::Terms;
use manara_store::people::Organisation;
use manara_store::view::Filter;

fn node() -> (tempfile::TempDir, Store, OrgId) {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT Test", "MY", "admin@cert.example").unwrap();
    store.add_org("test", Organisation::new("Bank", "TR", true).unwrap()).unwrap();
    let owner = made.org.uuid;
    (folder, store, owner)
}

fn take(store: &Store, owner: OrgId, name: &str, body: &str) {
    let mut input = Input::from_reader(name, body.as_bytes(), Limits::default()).unwrap();
    let terms = Terms { owner, actor: "test".into(), marking: Marking::tlp(Tlp::Clear).at(Level::All) };
    assert_eq!(import(store, &mut input, None, terms, None).unwrap().report.added, 1, "{name}");
}

#[test]
fn persons_leave_as_pseudonyms_in_every_format() {
    let (_folder, store, owner) = node();
    take(
        &store,
        owner,
        "event.json",
        r#"{"Event": {"info": "fraud", "Attribute": [
        {"type": "phone-number", "value": "+60 12-345 6789", "comment": "call +60123456789"},
        {"type": "target-email", "value": "Victim@Bank.example"},
        {"type": "email-src", "value": "phisher@evil.com", "to_ids": true},
        {"type": "email-dst", "value": "clerk@bank.example", "to_ids": false},
        {"type": "passport-number", "value": "a1234567"}]}}"#,
    );
    take(
        &store,
        owner,
        "bundle.json",
        r#"{"type": "bundle", "id": "bundle--ecb120bf-2694-4902-a737-62b74539a41b", "objects": [
        {"type": "email-addr", "spec_version": "2.1", "id": "email-addr--ecb120bf-2694-4902-a737-62b74539a41b", "value": "Teller@Bank.example"}]}"#,
    );
    take(
        &store,
        owner,
        "mail.txt",
        "Dear colleague,\nplease ask manager[at]bank.co.uk or +44 20 7946 0958 about it, and call +442079460000.\nThank you, and so on.\n",
    );
    let secrets = ["123456789", "12-345", "victim", "clerk@", "1234567", "teller", "manager", "7946"];
    for audience in [Audience::Public, Audience::Org(store.org("Bank").unwrap().uuid)] {
        for format in formats().iter().filter(|f| f.writes && f.name != "misp-feed") {
            let mut bytes = Vec::new();
            let options = WriteOptions { undetected: true, ..WriteOptions::default() };
            export(&store, format.name, audience.clone(), &Selection::default(), options, Box::new(&mut bytes), None)
                .unwrap();
            let text = String::from_utf8(bytes).unwrap().to_lowercase();
            for secret in secrets.iter().filter(|secret| !["12-345", "7946"].contains(secret)) {
                assert!(!text.contains(secret), "{} to {audience} tells {secret}: {text}", format.name);
            }
            if format.name == "native" {
                assert!(text.contains("px-"), "pseudonyms are told");
                assert!(text.contains("phisher@evil.com"), "the adversary's address is no person's");
            }
        }
        // Lists and walks through values don't tell them either.
        let view = store.view(audience.clone(), Purpose::Read).unwrap();
        let titles: String = view
            .heads(&Filter::default(), None, 100)
            .unwrap()
            .items
            .iter()
            .map(|head| head.title.to_lowercase() + "\n")
            .collect();
        assert!(!titles.contains("teller"), "{titles}");
        for name in ["msisdn", "email", "person-email"] {
            let ty = manara_model::observable::Type::by_name(name).unwrap();
            for prefix in ["+", "t", "v", "c", "m"] {
                assert!(view.beginning(ty, prefix, 100).unwrap().is_empty());
            }
        }
    }
    // The holder reads what it holds.
    let mut bytes = Vec::new();
    export(
        &store,
        "native",
        Audience::Org(owner),
        &Selection::default(),
        WriteOptions::default(),
        Box::new(&mut bytes),
        None,
    )
    .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for whole in ["+60 12-345 6789", "Victim@Bank.example", "Teller@Bank.example", "manager[at]bank.co.uk"] {
        assert!(text.contains(whole), "{whole}");
    }
}
