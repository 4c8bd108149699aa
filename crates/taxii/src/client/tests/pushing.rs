//! Putting objects into another server's collection.

use super::fake::{Answer, Asked, Fake, answer, object, taxii};
use crate::client::{ClientError, Credentials, Push, Pushed, Server};
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const CAN_WRITE: &str = r#"{"id":"c","title":"C","can_read":false,"can_write":true}"#;

fn pushed(fake: &Fake, count: usize) -> Result<Pushed, ClientError> {
    let server = Server::new(&fake.collection(), &Credentials::None, None).unwrap();
    let mut tell = |_: &Pushed| {};
    let mut push = Push::into(&server, &fake.collection(), Duration::from_secs(2), &mut tell)?;
    (0..count).try_for_each(|n| push.add(RawValue::from_string(object(n)).unwrap()))?;
    push.finish()
}

/// What every server has, besides what is posted.
fn around(asked: &Asked, most: usize) -> Option<Answer> {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/api/collections/c/") => Some(taxii(CAN_WRITE)),
        ("GET", "/api/") => Some(taxii(format!(r#"{{"title":"R","versions":[],"max_content_length":{most}}}"#))),
        _ => None,
    }
}

fn count(asked: &Asked) -> usize {
    serde_json::from_str::<Value>(&asked.body).unwrap()["objects"].as_array().unwrap().len()
}

fn complete(count: usize) -> Answer {
    taxii(format!(
        r#"{{"id":"s","status":"complete","total_count":{count},"success_count":{count},"failure_count":0,"pending_count":0}}"#
    ))
}

#[test]
fn envelopes_are_no_larger_than_the_server_takes() {
    for (most, sent, envelopes) in [(100_000_000, 2500, 3), (1000, 20, 3)] {
        let fake = Fake::new(move |asked| {
            around(asked, most).unwrap_or_else(|| {
                assert!(asked.body.len() <= most && count(asked) <= 1000);
                assert_eq!(asked.headers["content-type"], "application/taxii+json;version=2.1");
                complete(count(asked))
            })
        });
        let done = pushed(&fake, sent).unwrap();
        assert_eq!((done.objects, done.success_count, done.envelopes), (sent as u64, sent as u64, envelopes));
    }
    let small = Fake::new(|asked| around(asked, 60).unwrap_or_else(|| panic!()));
    let done = pushed(&small, 1).unwrap();
    assert!(done.failure_count == 1 && done.failures[0].message.contains("max_content_length"));
}

#[test]
fn a_status_is_followed_until_it_is_complete_and_failures_are_told() {
    let polls = AtomicUsize::new(0);
    let fake = Fake::new(move |asked| {
        around(asked, 10_000).unwrap_or_else(|| match (asked.method.as_str(), polls.fetch_add(1, Ordering::Relaxed)) {
            ("POST", _) => answer(202, r#"{"id":"s 1","status":"pending","total_count":3,"pending_count":3}"#),
            ("GET", 1) => taxii(r#"{"id":"s 1","status":"pending"}"#),
            _ => {
                assert_eq!(asked.path, "/api/status/s%201/");
                taxii(
                    r#"{"id":"s 1","status":"complete","total_count":3,"success_count":2,"failure_count":1,
                    "failures":[{"id":"domain-name--x","version":"1","message":"no"}]}"#,
                )
            }
        })
    });
    let done = pushed(&fake, 3).unwrap();
    assert_eq!((done.success_count, done.failure_count, done.pending_count), (2, 1, 0));
    assert_eq!((done.failures[0].id.as_str(), done.failures[0].message.as_str()), ("domain-name--x", "no"));
}

#[test]
fn one_that_never_is_complete_is_not_waited_for_for_ever() {
    let fake = Fake::new(|asked| {
        around(asked, 10_000)
            .unwrap_or_else(|| taxii(r#"{"id":"s","status":"pending","success_count":1,"pending_count":2}"#))
    });
    let done = pushed(&fake, 3).unwrap();
    assert_eq!((done.success_count, done.pending_count), (1, 2));
    assert!(done.notes[0].contains("still busy"));
}

#[test]
fn one_bad_object_takes_no_other_with_it() {
    let fake = Fake::new(|asked| {
        around(asked, 1_000_000).unwrap_or_else(|| match asked.body.contains("n77.example") {
            true => answer(422, r#"{"title":"One is wrong"}"#),
            false => complete(count(asked)),
        })
    });
    let done = pushed(&fake, 100).unwrap();
    assert_eq!((done.success_count, done.failure_count), (99, 1));
    assert!(done.failures[0].id.ends_with("000000000077") && done.failures[0].message.contains("One is wrong"));
    let none = Fake::new(|asked| around(asked, 1_000_000).unwrap_or_else(|| answer(422, "")));
    let done = pushed(&none, 1000).unwrap();
    assert_eq!((done.success_count, done.failure_count), (0, 1000));
    assert!(none.asked().len() < 150, "nobody is asked a thousand times");
}

#[test]
fn a_collection_that_is_not_for_writing_is_not_written_to() {
    let fake = Fake::new(|_| taxii(CAN_WRITE.replace("true", "false")));
    let error = pushed(&fake, 1).unwrap_err().to_string();
    assert!(error.contains("can_write"), "{error}");
    assert!(fake.asked().iter().all(|asked| asked.method == "GET"));
}
