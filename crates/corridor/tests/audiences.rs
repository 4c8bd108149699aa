//! Every export and every list, read as every audience: no forbidden value, title, count or correlation.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::{IndexTerms, Indicators, Selection, WarningCache, ask, export, import};
use manara_formats::{Input, Limits, WriteOptions, formats};
use manara_matching::{Builder, Index, Kind};
use manara_model::policy::decide;
use manara_model::{Audience, GroupId, Label, Level, Marking, OrgId, Pap, Purpose, Tlp};
use manara_store::Store;
use manara_store::intake::Terms;
use manara_store::people::{NewGroup, Organisation};
use manara_store::view::Filter;
use uuid::Uuid;

struct World {
    _folder: tempfile::TempDir,
    store: Store,
    orgs: Vec<OrgId>,
    /// (secret, its label, the label of its whole)
    secrets: Vec<(String, Label, Label)>,
}

/// A node with three organisations and two groups (one of them empty), where each marking carries a
/// value of its own, and one value is in all of them.
fn world() -> World {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT Test", "MY", "admin@cert.example").unwrap();
    let mut orgs = vec![made.org.uuid];
    for name in ["Bank", "Telecom"] {
        orgs.push(store.add_org("test", Organisation::new(name, "TR", true).unwrap()).unwrap().uuid);
    }
    store.add_client("test", orgs[0], orgs[2]).unwrap();
    let group = GroupId(Uuid::from_u128(1));
    let empty = GroupId(Uuid::from_u128(2));
    for (uuid, members) in [(group, vec![orgs[1]]), (empty, vec![])] {
        store
            .put_group(
                "test",
                NewGroup { uuid, name: format!("hidden-group-{uuid}"), owner: orgs[0], members, shows_members: false },
            )
            .unwrap();
    }
    let mut markings = vec![Marking::default()];
    for tlp in Tlp::ALL {
        markings.push(Marking::tlp(tlp));
        for level in [Level::Organisation, Level::Community, Level::Connected, Level::All] {
            markings.push(Marking::tlp(tlp).at(level));
        }
        markings.push(Marking::tlp(tlp).to_groups([group]));
        markings.push(Marking::tlp(tlp).to_groups([empty]));
        markings.push(Marking::tlp(tlp).to_groups([]));
    }
    markings.push(Marking { pap: Some(Pap::Red), ..Marking::tlp(Tlp::Clear) });
    markings.push(Marking { embargo: Some(i64::MAX / 2000), ..Marking::tlp(Tlp::Clear) });
    let mut world = World { _folder: folder, store, orgs, secrets: Vec::new() };
    for owner in [world.orgs[0], world.orgs[1]] {
        for marking in &markings {
            world.add(owner, marking);
        }
    }
    world
}

impl World {
    /// An event with a value of its own in each of two attributes: one inherits, one is for the organisation only.
    fn add(&mut self, owner: OrgId, marking: &Marking) {
        let n = self.secrets.len();
        let (open, closed, title) =
            (format!("wide{n}x.example.com"), format!("narrow{n}x.example.com"), format!("title{n}x"));
        let uuid = Uuid::from_u128(0x1000 + n as u128);
        let body = serde_json::json!({"Event": {"uuid": uuid, "info": title, "event_creator_email": format!("creator{n}x@cert.example"),
        "RelatedEvent": [{"Event": {"info": format!("related{n}x")}}],
        "Attribute": [
            {"type": "domain", "value": open, "to_ids": true, "comment": format!("comment{n}x")},
            {"type": "domain", "value": closed, "to_ids": true, "distribution": "0"},
            {"type": "domain", "value": "common.example.com", "to_ids": true},
            {"type": "phone-number", "value": format!("+6012345{n:04}"), "to_ids": false},
        ]}});
        let mut input = Input::from_reader("event.json", body.to_string().as_bytes(), Limits::default()).unwrap();
        let terms = Terms { owner, actor: "test".into(), marking: marking.clone() };
        let report = import(&self.store, &mut input, None, terms, None).unwrap().report;
        assert_eq!((report.added, report.rejected_total), (1, 0));
        let whole = Label::new(owner, marking.clone());
        let part = whole.narrowed(&Marking::default().at(Level::Organisation));
        self.secrets.push((open, whole.clone(), whole.clone()));
        self.secrets.push((closed, part, whole.clone()));
        for own in [title, format!("comment{n}x")] {
            self.secrets.push((own, whole.clone(), whole.clone()));
        }
        // What speaks of the holder never leaves with a cleared record.
        let holders = Label::new(owner, Marking::default());
        for own in [format!("creator{n}x"), format!("related{n}x"), format!("+6012345{n:04}")] {
            self.secrets.push((own, holders.clone(), whole.clone()));
        }
    }

    fn audiences(&self) -> Vec<Audience> {
        let user = manara_model::UserId(Uuid::from_u128(77));
        let mut all = vec![Audience::Public];
        for org in &self.orgs {
            all.push(Audience::Org(*org));
            all.push(Audience::User { user, org: *org });
        }
        all
    }

    fn allowed(&self, label: &Label, whole: &Label, audience: &Audience, purpose: Purpose) -> bool {
        let facts = self.store.facts().unwrap();
        decide(whole, audience, purpose, &facts.world).allowed()
            && decide(label, audience, purpose, &facts.world).allowed()
    }
}

/// Is this word in the text, not as the beginning of a longer one?
fn holds(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[at + word.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

#[test]
fn no_export_tells_an_audience_what_it_may_not_know() {
    let world = world();
    let mut told = 0;
    for audience in world.audiences() {
        for format in formats().iter().filter(|format| format.writes) {
            let (mut bytes, folder) = (Vec::new(), tempfile::tempdir().unwrap());
            let target = (format.name == "misp-feed").then(|| folder.path());
            let options = WriteOptions { undetected: true, ..WriteOptions::default() };
            export(
                &world.store,
                format.name,
                audience.clone(),
                &Selection::default(),
                options,
                Box::new(&mut bytes),
                target,
            )
            .unwrap();
            let mut text = String::from_utf8(bytes).unwrap();
            for file in manara_corridor::files(folder.path()).unwrap() {
                text.push_str(&std::fs::read_to_string(file).unwrap());
            }
            assert!(!text.contains("hidden-group"), "{audience} {}", format.name);
            for (secret, label, whole) in &world.secrets {
                if holds(&text, secret) {
                    told += 1;
                    assert!(
                        world.allowed(label, whole, &audience, format.purpose),
                        "{audience} reads {secret} in {}",
                        format.name
                    );
                }
            }
        }
    }
    assert!(told > 500, "the test must not pass by writing nothing: {told}");
}

#[test]
fn what_is_cleared_does_arrive() {
    let world = world();
    for audience in world.audiences() {
        let mut bytes = Vec::new();
        export(
            &world.store,
            "misp",
            audience.clone(),
            &Selection::default(),
            WriteOptions::default(),
            Box::new(&mut bytes),
            None,
        )
        .unwrap();
        let text = String::from_utf8(bytes).unwrap();
        for (secret, label, whole) in world.secrets.iter().filter(|(secret, ..)| secret.contains("example.com")) {
            assert_eq!(
                holds(&text, secret),
                world.allowed(label, whole, &audience, Purpose::Read),
                "{audience} {secret}"
            );
        }
    }
}

/// The index of what an audience may have, and all that it holds as text.
fn index(world: &World, audience: Audience, undetected: bool) -> (Index, String) {
    let mut indicators = Indicators::new(Builder::new(), IndexTerms { all: undetected, ..IndexTerms::default() });
    let options = WriteOptions { undetected, ..WriteOptions::default() };
    indicators.read_node(&world.store, audience, &Selection::default(), options).unwrap();
    let file = indicators.finish().0.finish();
    let text = String::from_utf8_lossy(&file).into_owned();
    (Index::from_bytes(file).unwrap(), text)
}

#[test]
fn an_index_holds_what_its_audience_may_look_for_and_no_more() {
    let world = world();
    let mut told = 0;
    for audience in world.audiences() {
        for undetected in [false, true] {
            let (index, text) = index(&world, audience.clone(), undetected);
            assert!(!text.contains("hidden-group"), "{audience}");
            let held: Vec<&str> = (0..index.len()).map(|n| index.text(n)).collect();
            let mut cleared = 0;
            for (secret, label, whole) in &world.secrets {
                let allowed = world.allowed(label, whole, &audience, Purpose::Detect);
                if secret.contains("example.com") {
                    assert_eq!(held.contains(&secret.as_str()), allowed, "{audience} {secret}");
                    cleared += usize::from(allowed);
                }
                // Nowhere in the file, in whatever section.
                assert!(allowed || !holds(&text, secret), "{audience} reads {secret}");
            }
            // The value that stands everywhere is said by all records that may be seen, and by no other.
            let titles = world.secrets.iter().filter(|(secret, ..)| secret.starts_with("title"));
            let may =
                titles.filter(|(_, label, whole)| world.allowed(label, whole, &audience, Purpose::Detect)).count();
            let common = index.find(Kind::Domain, "common.example.com");
            let said = common.and_then(|number| index.details(number)).map_or(0, |details| details.total() as usize);
            assert_eq!(said, may, "{audience}");
            // It, and nothing else.
            assert_eq!(held.len(), cleared + usize::from(cleared > 0), "{audience}");
            told += cleared;
        }
    }
    assert!(told > 100, "the test must not pass by writing nothing: {told}");
}

#[test]
fn an_index_leaves_out_what_blocks_and_detections_leave_out() {
    let world = world();
    let event = serde_json::json!({"Event": {"uuid": Uuid::from_u128(0x99), "info": "x", "Tag": [{"name": "tlp:clear"}], "Attribute": [
        {"type": "ip-dst", "value": "192.168.7.7", "to_ids": true},
        {"type": "ip-dst", "value": "198.51.100.77", "to_ids": true},
        {"type": "domain", "value": "unflagged.example.org", "to_ids": false},
        {"type": "mutex", "value": "Global\\x", "to_ids": true},
    ]}});
    let mut input = Input::from_reader("event.json", event.to_string().as_bytes(), Limits::default()).unwrap();
    let terms = Terms { owner: world.orgs[0], actor: "test".into(), marking: Marking::default() };
    import(&world.store, &mut input, None, terms, None).unwrap();
    let selection = Selection { record: Some(Uuid::from_u128(0x99)), ..Selection::default() };
    let mut indicators = Indicators::new(Builder::new(), IndexTerms::default());
    let report = indicators.read_node(&world.store, Audience::Node, &selection, WriteOptions::default()).unwrap();
    assert_eq!((report.held_back.reserved, report.held_back.examples.len()), (1, 1));
    let (builder, left) = indicators.finish();
    assert_eq!((builder.len(), left.undetected, left.unsearched), (1, 1, 1));
    world.store.withdraw("test", Some(world.orgs[0]), Uuid::from_u128(0x99), None, "wrong").unwrap();
    let (index, _) = index(&world, Audience::Node, true);
    assert!((0..index.len()).all(|n| index.text(n) != "198.51.100.77"), "withdrawn");
}

#[test]
fn an_index_names_no_tag_that_is_its_keepers_own() {
    let world = world();
    let event = serde_json::json!({"Event": {"uuid": Uuid::from_u128(0x99), "info": "x",
        "Tag": [{"name": "tlp:clear"}, {"name": "ours:whole"}, {"name": "told:whole"}],
        "Attribute": [{"type": "ip-dst", "value": "198.51.100.77", "to_ids": true,
            "Tag": [{"name": "ours:part"}, {"name": "told:part"}]}]}});
    let mut input = Input::from_reader("event.json", event.to_string().as_bytes(), Limits::default()).unwrap();
    let terms = Terms { owner: world.orgs[0], actor: "test".into(), marking: Marking::default() };
    import(&world.store, &mut input, None, terms, None).unwrap();
    for name in ["ours:whole", "ours:part"] {
        let tag = world.store.tag_by_name(name).unwrap().unwrap();
        let kept = serde_json::Map::from_iter([("exportable".to_owned(), false.into())]);
        world.store.set_tag("test", tag.id, "", &kept).unwrap();
    }
    for (audience, own) in [(Audience::Public, false), (Audience::Node, true)] {
        let (index, text) = index(&world, audience, false);
        let details = index.details(index.find(Kind::Ipv4, "198.51.100.77").unwrap()).unwrap();
        let tags: Vec<&str> = details.flat_map(|record| record.tags).collect();
        for (name, told) in [("told:whole", true), ("told:part", true), ("ours:whole", own), ("ours:part", own)] {
            assert_eq!((tags.contains(&name), text.contains(name)), (told, told), "{name}");
        }
    }
}

#[test]
fn lists_counts_searches_and_correlations_tell_no_more() {
    let world = world();
    let lists = WarningCache::default().get(&world.store).unwrap();
    for audience in world.audiences() {
        let view = world.store.view(audience.clone(), Purpose::Read).unwrap();
        let titles: Vec<_> = world.secrets.iter().filter(|(secret, ..)| secret.starts_with("title")).collect();
        let may: Vec<_> =
            titles.iter().filter(|(_, label, whole)| world.allowed(label, whole, &audience, Purpose::Read)).collect();
        // A page a time, to the end: as many as may be seen, and the cursor tells of no others.
        let (mut listed, mut cursor) = (0, None);
        loop {
            let page = view.heads(&Filter::default(), cursor, 7).unwrap();
            listed += page.items.len();
            assert!(page.next.is_none() || !page.items.is_empty());
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(listed, may.len(), "{audience}");
        // The value that stands everywhere is counted for what may be seen.
        let common = &ask(&view, &["common.example.com".into()], &lists, 100).unwrap()[0];
        assert_eq!(common.total as usize, may.len(), "{audience}");
        for (secret, label, whole) in &world.secrets {
            let allowed = world.allowed(label, whole, &audience, Purpose::Read);
            if secret.contains("example.com") {
                let answer = &ask(&view, std::slice::from_ref(secret), &lists, 10).unwrap()[0];
                assert_eq!(answer.total > 0, allowed, "{audience} {secret}");
                assert_eq!(answer.first_seen.is_some(), allowed);
            } else if secret.starts_with("title") || secret.starts_with("comment") {
                let found = view.text(secret, None, 500).unwrap();
                let exact =
                    found.items.iter().any(|head| secret == &head.title || head.uuid == Uuid::from_u128(0x1000));
                assert!(allowed || !exact || secret.starts_with("comment0"), "{audience} {secret}");
                if !allowed {
                    assert!(
                        !found.items.iter().any(|head| head.title == secret.replace("comment", "title")),
                        "{audience} {secret}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_was_withdrawn_is_gone_from_every_list() {
    let world = world();
    let uuid = Uuid::from_u128(0x1000);
    world.store.withdraw("test", Some(world.orgs[0]), uuid, None, "wrong").unwrap();
    let lists = WarningCache::default().get(&world.store).unwrap();
    for audience in world.audiences().into_iter().chain([Audience::Node]) {
        let view = world.store.view(audience.clone(), Purpose::Read).unwrap();
        assert!(view.record(uuid).unwrap().is_none());
        assert_eq!(ask(&view, &["wide0x.example.com".into()], &lists, 10).unwrap()[0].total, 0);
        assert!(view.heads(&Filter::default(), None, 1000).unwrap().items.iter().all(|head| head.uuid != uuid));
        let mut bytes = Vec::new();
        export(
            &world.store,
            "native",
            audience,
            &Selection::default(),
            WriteOptions::default(),
            Box::new(&mut bytes),
            None,
        )
        .unwrap();
        assert!(!holds(&String::from_utf8(bytes).unwrap(), "title0x"));
    }
    assert!(world.store.verify().unwrap().problems.is_empty());
}

#[test]
fn two_holders_of_one_identifier_do_not_learn_of_each_other() {
    let world = world();
    let body =
        serde_json::json!({"Event": {"uuid": Uuid::from_u128(0x1000), "info": "mine", "Attribute": []}}).to_string();
    let mut input = Input::from_reader("mine.json", body.as_bytes(), Limits::default()).unwrap();
    let terms = Terms { owner: world.orgs[2], actor: "test".into(), marking: Marking::default() };
    let report = import(&world.store, &mut input, None, terms, None).unwrap().report;
    assert_eq!(report.added, 1, "not an update, and no conflict that would tell that somebody has it");
    let view = world.store.view(Audience::Org(world.orgs[2]), Purpose::Read).unwrap();
    assert_eq!(view.record(Uuid::from_u128(0x1000)).unwrap().unwrap().title, "mine");
}
