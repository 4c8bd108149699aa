//! What must not be lost: backups restore to the same, older stores are brought up to date with a copy
//! kept, the two engines hold the same, and what only one may do is done by one.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_model::record::{Found, PartDraft, RecordDraft, Sink, Slot};
use manara_model::role::Right;
use manara_model::{Audience, Marking, OrgId, Purpose, Tlp};
use manara_store::intake::{Intake, Terms};
use manara_store::jobs::NewJob;
use manara_store::people::{LogIn, NewAccount};
use manara_store::view::Filter;
use manara_store::{Place, Store, StoreError};
use serde_json::{Map, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

fn event(n: u128, values: &[String]) -> (RecordDraft, Vec<PartDraft>) {
    let draft = RecordDraft {
        uuid: Uuid::from_u128(n),
        kind: "event".into(),
        format: "misp".into(),
        title: format!("Café مُحَمَّد {n}"),
        text: "words of a text".into(),
        tags: vec!["tlp:green".into(), format!("case:{n}")],
        marking: Marking { tlp: Some(Tlp::Green), ..Marking::default() },
        skeleton: format!("{{\"n\":{n}}}"),
        digest: [n as u8 ^ values.len() as u8; 32],
        ..RecordDraft::default()
    };
    let part = |value: &String| {
        let mut part = PartDraft::new(Slot::Attribute, format!("{{\"value\":\"{value}\"}}"));
        part.uuid = Some(Uuid::new_v4());
        part.comment = format!("comment on {value}");
        part.found = vec![Found { observable: manara_model::observable::guess(value).unwrap(), detect: true }];
        part
    };
    (draft, values.iter().map(part).collect())
}

fn add(store: &Store, owner: OrgId, n: u128, values: &[String]) {
    let mut intake = Intake::new(store, Terms { owner, actor: "test".into(), marking: Marking::default() });
    let (draft, parts) = event(n, values);
    assert!(intake.begin(draft).unwrap());
    for part in parts {
        intake.part(part).unwrap();
    }
    intake.end().unwrap();
    intake.finish().unwrap();
}

fn names(n: u128) -> Vec<String> {
    // One value longer than any B-tree of PostgreSQL takes.
    let long = format!("http://long.example/{}", "x".repeat(5000));
    (0..50).map(|i| format!("host{i}.case{n}.example.com")).chain([long]).collect()
}

/// Everything that a store answers, as one text.
fn told(store: &Store) -> String {
    let view = store.view(Audience::Node, Purpose::Read).unwrap();
    let mut text = String::new();
    for head in view.heads_with_bodies(&Filter::default(), None, 1000).unwrap().items {
        text.push_str(&format!("{} {} {} {} {:?}\n", head.uuid, head.version, head.title, head.skeleton, head.tags));
        view.parts::<StoreError>(&head, 0, |part| {
            text.push_str(&format!("  {} {:?} {}\n", part.ordinal, part.uuid, part.raw));
            Ok(())
        })
        .unwrap();
    }
    for words in ["cafe", "محمد", "comment", "words text"] {
        let found = view.text(words, None, 1000).unwrap();
        text.push_str(&format!("{words}: {:?}\n", found.items.iter().map(|head| head.uuid).collect::<Vec<_>>()));
    }
    for value in names(1) {
        let known = view.lookup(&manara_model::observable::guess(&value).unwrap(), 5).unwrap();
        text.push_str(&format!("{} {}\n", known.total, known.detect));
    }
    text.push_str(&format!("{:?}\n", store.accounts().unwrap()));
    text.push_str(&format!("{:?}\n", store.audit(None, 1000).unwrap()));
    text
}

#[test]
fn a_backup_restores_to_the_same_node() {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    for n in 1..5 {
        add(&store, made.org.uuid, n, &names(n));
    }
    let factor = store.add_second_factor("test", "admin@cert.example").unwrap();
    assert!(factor.url.starts_with("otpauth://totp/Manara:"), "{}", factor.url);
    let file = folder.path().join("node.backup");
    let manifest = store.backup(&file).unwrap();
    assert_eq!(manifest.node, made.node);
    let before = told(&store);
    // What comes later is not in it.
    add(&store, made.org.uuid, 9, &names(9));
    assert!(store.backup(&file).unwrap_err().to_string().contains("nothing is overwritten"));

    let there = Place::from(&folder.path().join("restored"));
    let (restored, same) = Store::restore(std::fs::File::open(&file).unwrap(), &there).unwrap();
    assert_eq!(same, manifest);
    assert_eq!(told(&restored), before);
    assert_eq!(restored.verify().unwrap().problems, Vec::<String>::new());
    assert_eq!(
        store.facts().unwrap().world.pseudonym_key,
        restored.facts().unwrap().world.pseudonym_key,
        "the sealed key opens there too"
    );
    // Not over a node.
    let again = Store::restore(std::fs::File::open(&file).unwrap(), &there).err().unwrap();
    assert!(matches!(again, StoreError::NodeExists(_)), "{again}");
    // A backup is nobody else's business.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&there.folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn a_backup_is_of_one_moment_while_others_write() {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 1..60 {
                add(&store, made.org.uuid, n, &names(n));
            }
        });
        for round in 0..4 {
            let file = folder.path().join(format!("{round}.backup"));
            store.backup(&file).unwrap();
            let there = Place::from(&folder.path().join(format!("restored-{round}")));
            let (restored, _) = Store::restore(std::fs::File::open(&file).unwrap(), &there).unwrap();
            assert_eq!(restored.verify().unwrap().problems, Vec::<String>::new());
        }
        writing.join().unwrap();
    });
}

#[test]
fn a_damaged_backup_leaves_nothing_behind() {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    add(&store, made.org.uuid, 1, &names(1));
    let file = folder.path().join("node.backup");
    store.backup(&file).unwrap();
    let good = std::fs::read(&file).unwrap();
    let there = Place::from(&folder.path().join("restored"));
    for step in 1..20 {
        let (cut, at) = (good.len() * step / 20, good.len() * step / 20);
        let mut flipped = good.clone();
        flipped[at] ^= 0x40;
        for bad in [&good[..cut], &flipped[..], b"no backup at all", b""] {
            match Store::restore(bad, &there) {
                Err(error) => assert!(!error.to_string().is_empty()),
                // A bit that says nothing: what was restored is the same to the last byte.
                Ok((same, _)) => {
                    assert_eq!(told(&same), told(&store), "a damaged backup was taken at {at}");
                    drop(same);
                    std::fs::remove_dir_all(&there.folder).unwrap();
                    std::fs::create_dir(&there.folder).unwrap();
                }
            }
            let left: Vec<_> = std::fs::read_dir(&there.folder).unwrap().collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
    Store::restore(&good[..], &there).unwrap();
}

/// A store of each schema since the first, as the program of its time left it.
#[test]
fn older_stores_are_brought_up_to_date_and_a_copy_is_kept() {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/stores");
    let schemas = std::fs::read_dir(stores).unwrap().flatten().map(|entry| entry.path());
    let mut tried = 0;
    for packed in schemas.filter(|path| path.extension().is_some_and(|end| end == "zst")) {
        let folder = manara_testing::folder();
        let old = zstd::decode_all(std::fs::File::open(&packed).unwrap()).unwrap();
        std::fs::write(folder.path().join("manara.db"), &old).unwrap();
        std::fs::write(folder.path().join("node.key"), "5a".repeat(32)).unwrap();
        let store = Store::open(folder.path()).unwrap();
        let verdict = store.verify().unwrap();
        assert_eq!((verdict.records, verdict.problems), (31, Vec::new()), "{}", packed.display());
        let view = store.view(Audience::Node, Purpose::Read).unwrap();
        let tagged = Filter { tag: Some("ESET".into()), ..Filter::default() };
        let all = view.heads(&Filter::default(), None, 100).unwrap().items.len();
        let some = view.heads(&tagged, None, 100).unwrap().items.len();
        assert!(all == 31 && some > 0 && some < all, "{some} of {all}");
        assert!(!view.text("ghost paper", None, 10).unwrap().items.is_empty());
        assert!(!store.facts().unwrap().world.pseudonym_key.is_empty());
        // The copy is what was there, and opens in the same way.
        let number = packed.file_stem().unwrap().to_string_lossy().chars().find(char::is_ascii_digit).unwrap();
        let copy = folder.path().join(format!("manara.schema-{number}.db"));
        let again = manara_testing::folder();
        std::fs::copy(copy, again.path().join("manara.db")).unwrap();
        std::fs::copy(folder.path().join("node.key"), again.path().join("node.key")).unwrap();
        assert_eq!(Store::open(again.path()).unwrap().verify().unwrap().records, 31);
        // Opened again, nothing is migrated a second time.
        drop(view);
        drop(store);
        assert_eq!(Store::open(folder.path()).unwrap().verify().unwrap().records, 31);
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let folder = manara_testing::folder();
    let place = manara_testing::place(&folder);
    drop(Store::init(place.clone(), "CERT", "MY", "admin@cert.example").unwrap());
    let newer = if manara_testing::embedded() {
        "PRAGMA user_version = 999"
    } else {
        "INSERT INTO schema_version (number) VALUES (999)"
    };
    manara_testing::tamper(&place, newer);
    assert!(matches!(Store::open(place).err().unwrap(), StoreError::TooNew { found: 999, .. }));
}

#[test]
fn a_store_goes_to_the_other_engine_and_back() {
    let folder = manara_testing::folder();
    let place = manara_testing::place(&folder);
    let (store, made) = Store::init(place, "CERT", "MY", "admin@cert.example").unwrap();
    for n in 1..5 {
        add(&store, made.org.uuid, n, &names(n));
    }
    add(&store, made.org.uuid, 2, &["newer.example.com".into()]);
    let before = told(&store);
    // From whichever engine is tested to an embedded one, and back.
    let embedded = Place::from(&folder.path().join("embedded"));
    std::fs::create_dir_all(&embedded.folder).unwrap();
    std::fs::copy(store.folder().join("node.key"), embedded.folder.join("node.key")).unwrap();
    let there = store.copy_to(&embedded, &mut |_, _| {}).unwrap();
    let copy = Store::open(embedded).unwrap();
    assert_eq!(told(&copy), before);
    let other = manara_testing::folder();
    let back = Place { folder: other.path().to_path_buf(), ..manara_testing::place(&other) };
    std::fs::copy(store.folder().join("node.key"), other.path().join("node.key")).unwrap();
    let here = copy.copy_to(&back, &mut |_, _| {}).unwrap();
    assert_eq!((&there.hash, &there.rows), (&here.hash, &here.rows));
    let back = Store::open(back).unwrap();
    assert_eq!(told(&back), before);
    // It goes on counting where it was.
    add(&back, made.org.uuid, 7, &names(7));
    assert_eq!(back.verify().unwrap().problems, Vec::<String>::new());
    // Not over a store.
    assert!(copy.copy_to(back.place(), &mut |_, _| {}).is_err());
}

#[test]
fn a_lease_is_one_holder_s_until_it_ends() {
    let folder = manara_testing::folder();
    let (store, _) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    let lease = |holder: &str, ms| store.lease("backup", holder, Duration::from_millis(ms)).unwrap();
    assert!(lease("a", 60_000));
    assert!(!lease("b", 60_000));
    assert!(lease("a", 30), "prolonged by its holder");
    std::thread::sleep(Duration::from_millis(60));
    assert!(lease("b", 60_000), "ended with its time");
    store.release("backup", "a").unwrap();
    assert!(!lease("a", 60_000), "not given back by another");
    store.release("backup", "b").unwrap();
    assert!(lease("a", 60_000));
}

#[test]
fn of_each_subject_one_job_is_done_at_a_time() {
    let folder = manara_testing::folder();
    let place = manara_testing::place(&folder);
    let (store, _) = Store::init(place, "CERT", "MY", "admin@cert.example").unwrap();
    for n in 0..40 {
        let job = NewJob { kind: "push", subject: n % 4, key: n.to_string(), org: None };
        store.add_job("", job).unwrap();
    }
    let silence = Duration::from_secs(60);
    let taken: Vec<i64> = std::thread::scope(|scope| {
        let take = |n: usize| {
            let store = &store;
            scope.spawn(move || store.take_job(&format!("holder-{n}"), silence).unwrap())
        };
        let all: Vec<_> = (0..16).map(take).collect();
        all.into_iter().filter_map(|one| one.join().unwrap()).map(|job| job.subject).collect()
    });
    let each: BTreeSet<i64> = taken.iter().copied().collect();
    assert_eq!(each.len(), taken.len(), "{taken:?}");
    assert!(!taken.is_empty());
}

#[test]
fn who_changes_an_entry_loses_nobody_s_change() {
    let folder = manara_testing::folder();
    let place = manara_testing::place(&folder);
    let (store, _) = Store::init(place, "CERT", "MY", "admin@cert.example").unwrap();
    let entry = store.add_entry("a", "server", "s", (None, None), json!({"name": "s", "first": 1})).unwrap();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for round in 0..10 {
                    let more = Map::from_iter([(format!("m{n}-{round}"), json!(round))]);
                    if n % 2 == 0 {
                        store.set_entry("a", "server", entry.id, more).unwrap();
                    } else {
                        store.note_entry("server", entry.id, more).unwrap();
                    }
                }
            });
        }
    });
    let body = store.entry("server", entry.id).unwrap().unwrap().body;
    assert_eq!(body.as_object().unwrap().len(), 42);
    assert_eq!((&body["name"], &body["first"]), (&json!("s"), &json!(1)));
    store.note_entry("server", entry.id + 1, Map::new()).unwrap();
    assert!(matches!(store.set_entry("a", "server", entry.id + 1, Map::new()), Err(StoreError::Unknown { .. })));
}

#[test]
fn a_folder_has_one_node_and_a_server_may_have_several() {
    let folder = manara_testing::folder();
    let place = manara_testing::place(&folder);
    let (store, _) = Store::init(place.clone(), "CERT", "MY", "admin@cert.example").unwrap();
    let first = store.serving().unwrap();
    let second = Store::open(place).unwrap();
    if !manara_testing::embedded() {
        second.serving().unwrap();
        return;
    }
    let error = second.serving().unwrap_err().to_string();
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    second.serving().unwrap();
}

#[test]
fn who_guesses_waits_and_a_code_is_good_once() {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    let (here, there) = ("192.0.2.1".parse().ok(), "198.51.100.7".parse().ok());
    let try_in = |password: &str, code: &str, from| store.log_in("Admin@cert.example ", password, code, from).unwrap();
    assert!(matches!(try_in(&made.password, "", here), LogIn::Good(_)));
    for _ in 0..5 {
        assert_eq!(try_in("wrong", "", here), LogIn::Wrong);
    }
    // Not even the right one, from where it was guessed; from elsewhere its owner gets in.
    manara_testing::tamper(store.place(), "UPDATE attempt SET last = last + 60000");
    assert!(matches!(try_in(&made.password, "", here), LogIn::Wait(55..=62)));
    assert!(matches!(try_in(&made.password, "", there), LogIn::Good(_)));
    // Once the pause is over it is the right one again.
    manara_testing::tamper(store.place(), "UPDATE attempt SET last = last - 120000");
    assert!(matches!(try_in(&made.password, "", here), LogIn::Good(_)));
    assert_eq!(store.log_in("nobody@cert.example", "x", "", here).unwrap(), LogIn::Wrong);

    let factor = store.add_second_factor("test", "admin@cert.example").unwrap();
    let totp = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(&factor.secret).unwrap())
        .with_account_name("admin@cert.example")
        .build()
        .unwrap();
    let code = totp.generate_current().to_string();
    assert_eq!(try_in(&made.password, "", there), LogIn::Wrong);
    assert!(matches!(try_in(&made.password, &code, there), LogIn::Good(_)));
    assert_eq!(try_in(&made.password, &code, there), LogIn::Wrong, "a code that was used");
    store.remove_second_factor("test", "admin@cert.example").unwrap();
    assert!(matches!(try_in(&made.password, "", there), LogIn::Good(_)));
    // The secrets are nowhere in the database as they are.
    store.add_second_factor("test", "admin@cert.example").unwrap();

    let bank = store.add_account(
        "test",
        NewAccount { org: made.org.uuid, email: "b@bank.example".into(), role: manara_model::role::Role::User },
    );
    let session = store.begin_session(bank.unwrap().uuid).unwrap();
    assert!(store.set_password("test", "b@bank.example", "password1234").is_err());
    store.set_password("test", "b@bank.example", "several words together").unwrap();
    assert!(store.session(&session).unwrap().is_none(), "sessions end with the password");
    let account = store.account("b@bank.example").unwrap();
    let (one, two) = (store.begin_session(account.uuid).unwrap(), store.begin_session(account.uuid).unwrap());
    assert_eq!(store.end_sessions("test", "b@bank.example").unwrap(), 2);
    assert!(store.session(&one).unwrap().is_none() && store.session(&two).unwrap().is_none());
    let (key, session) = (
        store.add_key("test", "b@bank.example", "", &[Right::Read], None).unwrap(),
        store.begin_session(account.uuid).unwrap(),
    );
    manara_testing::tamper(store.place(), "UPDATE session SET seen = seen - 7300000");
    assert!(store.session(&session).unwrap().is_none(), "two hours without a page");
    let session = store.begin_session(account.uuid).unwrap();
    store.disable_account("test", "b@bank.example", true).unwrap();
    assert!(store.caller(&key).unwrap().is_none() && store.session(&session).unwrap().is_none());
    assert_eq!(store.log_in("b@bank.example", "several words together", "", there).unwrap(), LogIn::Wrong);
    store.disable_account("test", "b@bank.example", false).unwrap();
    assert!(store.caller(&key).unwrap().is_some());
    assert!(matches!(store.log_in("b@bank.example", "several words together", "", here).unwrap(), LogIn::Good(_)));
}

/// The database server is started again, or an administrator ends its connections: the node goes on.
#[test]
fn connections_that_were_ended_are_made_again() {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    if manara_testing::embedded() {
        return;
    }
    for round in 1..4 {
        add(&store, made.org.uuid, round, &names(round));
        assert_eq!(
            store.view(Audience::Node, Purpose::Read).unwrap().heads(&Filter::default(), None, 9).unwrap().items.len(),
            round as usize
        );
        manara_testing::tamper(
            store.place(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        std::thread::sleep(Duration::from_millis(1100));
    }
    assert_eq!(store.verify().unwrap().problems, Vec::<String>::new());
}

/// `init` and `restore` that were killed in the middle are done again, and never over something.
#[test]
fn what_was_begun_is_finished() {
    let folder = manara_testing::folder();
    let place = manara_testing::place(&folder);
    // Killed after the tables were made, before the node had an identity.
    drop(Store::create(place.clone()).unwrap());
    let (store, made) = Store::init(place.clone(), "CERT", "MY", "admin@cert.example").unwrap();
    assert_eq!(store.node().unwrap(), made.node);
    add(&store, made.org.uuid, 1, &names(1));
    assert!(matches!(Store::init(place, "Other", "MY", "b@cert.example").err().unwrap(), StoreError::NodeExists(_)));
    // Killed after the key was in its place, before the database was.
    let file = folder.path().join("node.backup");
    store.backup(&file).unwrap();
    let there = Place::from(&folder.path().join("restored"));
    std::fs::create_dir(&there.folder).unwrap();
    std::fs::copy(store.folder().join("node.key"), there.folder.join("node.key")).unwrap();
    let (restored, _) = Store::restore(std::fs::File::open(&file).unwrap(), &there).unwrap();
    assert_eq!(told(&restored), told(&store));
    // Another node's key is not written over.
    let other = Place::from(&folder.path().join("other"));
    std::fs::create_dir(&other.folder).unwrap();
    std::fs::write(other.folder.join("node.key"), "ab".repeat(32)).unwrap();
    assert!(Store::restore(std::fs::File::open(&file).unwrap(), &other).is_err());
    assert_eq!(std::fs::read_to_string(other.folder.join("node.key")).unwrap(), "ab".repeat(32));
}
