//! Polling into a node: what came is on disk before its place is, and comes once.

use super::fake::{Answer, Asked, Fake, answer, object, page, taxii};
use crate::client::{ClientError, Credentials, How, POLL, Polled, Question, Source, Terms, poll, run, schedule};
use manara_model::{Audience, Marking, Purpose};
use manara_store::Store;
use manara_store::view::Filter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const FIRST: &str = "2026-01-01T00:00:00.000001Z";
const LAST: &str = "2026-01-01T00:00:00.000009Z";

fn store() -> (TempDir, Store) {
    let folder = manara_testing::folder();
    let (store, _) = Store::init(manara_testing::place(&folder), "CERT Test", "MY", "admin@cert.example").unwrap();
    (folder, store)
}

fn terms(store: &Store, fake: &Fake, every: Option<Duration>) -> Terms {
    Terms {
        url: fake.collection(),
        org: store.node_org().unwrap(),
        question: Question::default(),
        marking: Marking::default(),
        every,
        credentials: Credentials::Basic { user: "cert".into(), password: "s3cret".into() },
        ca: None,
    }
}

fn polled(store: &Store, terms: &Terms) -> Result<Polled, ClientError> {
    let source = Source::keep(store, "cli", terms).unwrap();
    let how =
        How { actor: "cli", from: None, patience: Duration::from_secs(5), queue: Duration::ZERO, wanted: &|| true };
    poll(store, &source, terms, how, &mut |_, _, _| {})
}

fn records(store: &Store, audience: Audience) -> usize {
    let view = store.view(audience, Purpose::Read).unwrap();
    view.heads(&Filter::default(), None, 1000).unwrap().items.len()
}

/// The collection, beside its objects.
fn or_collection(asked: &Asked, objects: impl FnOnce() -> Answer) -> Answer {
    match asked.path.ends_with("objects/") {
        true => objects(),
        false if asked.path.ends_with("collections/c/") => taxii(r#"{"id":"c","can_read":true,"can_write":false}"#),
        false => answer(404, ""),
    }
}

#[test]
fn what_is_new_comes_and_what_is_here_does_not_come_twice() {
    let (_folder, store) = store();
    let fake = Fake::new(|asked| {
        or_collection(asked, || match asked.query("added_after") {
            "" => taxii(page(0..9, "")).added(FIRST, LAST),
            LAST => taxii("{}"),
            other => panic!("{other}"),
        })
    });
    let terms = terms(&store, &fake, None);
    let first = polled(&store, &terms).unwrap();
    assert_eq!((first.report.added, first.report.rejected_total, records(&store, Audience::Node)), (9, 0, 9));
    let second = polled(&store, &terms).unwrap();
    assert_eq!((second.tally.objects, second.report.records), (0, 0));
    let source = Source::find(&store, &terms).unwrap().unwrap();
    let how = How {
        actor: "cli",
        from: Some(crate::client::Place::default()),
        patience: Duration::ZERO,
        queue: Duration::ZERO,
        wanted: &|| true,
    };
    let again = poll(&store, &source, &terms, how, &mut |_, _, _| {}).unwrap();
    assert_eq!((again.report.added, again.report.unchanged, records(&store, Audience::Node)), (0, 9, 9));
}

#[test]
fn a_run_that_breaks_goes_on_where_it_stopped() {
    let (_folder, store) = store();
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let fake = Fake::new(move |asked| {
        or_collection(asked, || match (asked.query("next"), asked.query("added_after")) {
            ("", "") => taxii(page(0..5, r#","more":true,"next":"2""#)).added("2026-01-01T00:00:00.000000Z", FIRST),
            ("", "2026-01-01T00:00:00.000000Z") if is_mended.load(Ordering::Relaxed) => {
                taxii(page(4..10, "")).added(FIRST, LAST)
            }
            _ => taxii(page(5..10, "")).breaking(300),
        })
    });
    let terms = terms(&store, &fake, None);
    assert!(polled(&store, &terms).is_err());
    mended.store(true, Ordering::Relaxed);
    assert_eq!(records(&store, Audience::Node), 5);
    let shown = Source::find(&store, &terms).unwrap().unwrap().shown("x");
    assert_eq!((shown["in_the_middle"].as_bool(), shown["failures"].as_u64()), (Some(true), Some(1)));
    assert!(shown["error"].as_str().unwrap().contains("broke off"));
    let second = polled(&store, &terms).unwrap();
    assert_eq!((second.report.added, second.report.unchanged, records(&store, Audience::Node)), (5, 1, 10));
    let shown = Source::find(&store, &terms).unwrap().unwrap().shown("x");
    assert_eq!((shown["added_after"].as_str(), shown["error"].as_str()), (Some(LAST), None));
}

#[test]
fn a_broken_object_stops_no_other() {
    let (_folder, store) = store();
    let deep = format!(r#"{{"type":"note","id":"note--1","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let fake = Fake::new(move |asked| {
        let body = format!(r#"{{"objects":[{},7,{deep},{{"type":"x"}},{}]}}"#, object(1), object(2));
        or_collection(asked, || taxii(body).added(FIRST, LAST))
    });
    let done = polled(&store, &terms(&store, &fake, None)).unwrap();
    assert_eq!((done.report.added, done.report.rejected_total), (2, 3));
}

#[test]
fn a_marking_of_the_servers_own_is_understood_though_it_is_not_on_the_page() {
    let (_folder, store) = store();
    let fake = Fake::new(|asked| {
        let own = "marking-definition--11111111-1111-4111-8111-111111111111";
        if asked.path.ends_with(&format!("objects/{own}/")) {
            let definition = format!(
                r#"{{"objects":[{{"type":"marking-definition","id":"{own}","created":"2020-01-01T00:00:00Z","definition_type":"tlp","definition":{{"tlp":"red"}}}}]}}"#
            );
            return taxii(definition);
        }
        let marked = object(1).replace("\"value\"", &format!("\"object_marking_refs\":[\"{own}\"],\"value\""));
        or_collection(asked, || taxii(format!(r#"{{"objects":[{marked},{}]}}"#, object(2))).added(FIRST, LAST))
    });
    let clear = Marking {
        tlp: Some(manara_model::Tlp::Clear),
        level: manara_model::Level::from_number(3),
        ..Marking::default()
    };
    let terms = Terms { marking: clear, ..terms(&store, &fake, None) };
    let done = polled(&store, &terms).unwrap();
    assert_eq!((done.tally.objects, done.report.added), (2, 3), "and its definition");
    // The definition itself is public knowledge.
    assert_eq!(records(&store, Audience::Public), 2, "what says that it is red does not leave");
}

#[test]
fn a_collection_that_is_not_for_reading_is_said_to_be_so() {
    let (_folder, store) = store();
    let fake = Fake::new(|_| taxii(r#"{"id":"c","can_read":false,"can_write":true}"#));
    let error = polled(&store, &terms(&store, &fake, None)).unwrap_err().to_string();
    assert!(error.contains("can_read"), "{error}");
}

#[test]
fn a_source_is_polled_by_itself_with_its_sealed_secret_and_left_alone_when_it_fails() {
    let (_folder, store) = store();
    let fake = Fake::new(|asked| {
        assert_eq!(asked.headers["authorization"], "Basic Y2VydDpzM2NyZXQ=");
        or_collection(asked, || match asked.query("added_after") {
            "" => taxii(page(0..9, "")).added(FIRST, LAST),
            _ => answer(503, r#"{"title":"Maintenance"}"#).with("retry-after", "7200"),
        })
    });
    let source = Source::keep(&store, "cli", &terms(&store, &fake, Some(Duration::from_secs(3600)))).unwrap();
    let kept = store.entries(crate::client::SOURCE).unwrap();
    assert!(!kept[0].body.to_string().contains("s3cret") && !source.shown("x").to_string().contains("s3cret"));
    let due = || {
        schedule(&store).unwrap();
        store.take_job("test", Duration::from_secs(60)).unwrap()
    };
    let job = due().unwrap();
    assert_eq!(job.kind, POLL);
    assert!(run(&store, &job, &|_, _| true).unwrap().starts_with("9 objects in 1 pages: 9 new"));
    store.end_job(job.id, "test", true, "", &serde_json::Value::Null, None).unwrap();
    assert!(due().is_none(), "not before its time");
    store.note_entry(crate::client::SOURCE, source.id, serde_json::from_str(r#"{"due":0}"#).unwrap()).unwrap();
    let job = due().unwrap();
    assert!(run(&store, &job, &|_, _| true).unwrap_err().contains("Maintenance"));
    store.end_job(job.id, "test", false, "", &serde_json::Value::Null, None).unwrap();
    let source = Source::all(&store).unwrap().remove(0);
    assert_eq!(source.is.failures, 1);
    assert!(source.is.due > jiff::Timestamp::now().as_millisecond() + 7_000_000, "as long as the server asks for");
    source.forget(&store, "cli").unwrap();
    assert_eq!((Source::all(&store).unwrap().len(), records(&store, Audience::Node)), (0, 9), "what came stays");
}

#[test]
fn one_source_is_read_by_one_process() {
    let (_folder, store) = store();
    let fake = Fake::new(|asked| or_collection(asked, || taxii("{}")));
    let terms = terms(&store, &fake, None);
    let source = Source::keep(&store, "cli", &terms).unwrap();
    let lease = format!("taxii-source-{}", source.id);
    assert!(store.lease(&lease, "another", Duration::from_secs(60)).unwrap());
    assert!(polled(&store, &terms).unwrap_err().to_string().contains("another process"));
    store.release(&lease, "another").unwrap();
    assert!(polled(&store, &terms).is_ok());
}
