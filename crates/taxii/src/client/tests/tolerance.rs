//! Servers that do not keep to the standard in how they answer.

use super::fake::{Fake, answer, object, page, taxii};
use super::{Kept, polled};
use crate::client::ClientError;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[test]
fn a_media_type_without_version_or_of_plain_json_is_read() {
    for kind in [
        "application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1; charset=utf-8",
        "application/taxii+json",
        "Application/JSON; charset=UTF-8",
        "text/plain",
        "",
    ] {
        let fake = Fake::new(move |_| answer(200, page([1], "")).with("content-type", kind));
        assert_eq!(polled(&fake).1.numbers(), [1], "{kind}");
    }
}

#[test]
fn a_server_that_compares_accept_as_a_text_is_asked_in_its_spelling() {
    let fake = Fake::new(|asked| match asked.headers["accept"].as_str() {
        "application/taxii+json; version=2.1" => taxii(page([1], "")),
        _ => answer(406, r#"{"title":"Media type"}"#),
    });
    assert_eq!(polled(&fake).1.numbers(), [1]);
    let never = Fake::new(|_| answer(406, ""));
    let error = polled(&never).0.unwrap_err().to_string();
    assert!(error.contains("406") && error.contains("does not speak TAXII 2.1"), "{error}");
}

#[test]
fn no_objects_are_said_in_many_ways() {
    for body in [
        "",
        "  \n",
        "{}",
        r#"{"objects":null}"#,
        r#"{"objects":[]}"#,
        r#"{"more":false}"#,
        r#"{"objects":[],"more":true}"#,
    ] {
        let fake = Fake::new(move |_| taxii(body));
        let (done, kept) = polled(&fake);
        assert_eq!((done.unwrap().objects, kept.values.len()), (0, 0), "{body}");
    }
    let fake = Fake::new(|_| answer(204, ""));
    assert_eq!(polled(&fake).0.unwrap().objects, 0);
}

#[test]
fn a_bundle_or_a_list_in_place_of_an_envelope_is_read() {
    let bundle = format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, object(1));
    for body in [bundle, format!("[{}]", object(1))] {
        let fake = Fake::new(move |_| answer(200, body.clone()).with("content-type", "application/stix+json"));
        assert_eq!(polled(&fake).1.numbers(), [1]);
    }
}

#[test]
fn packed_answers_are_read() {
    let fake = Fake::new(|asked| {
        assert!(asked.headers["accept-encoding"].contains("gzip"));
        taxii(gzip(&page(0..500, ""))).with("content-encoding", "gzip")
    });
    assert_eq!(polled(&fake).1.values.len(), 500);
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_says() {
    let asked = AtomicUsize::new(0);
    let fake = Fake::new(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => answer(429, r#"{"title":"Slow down"}"#).with("retry-after", "1"),
        _ => taxii(page([1], "")),
    });
    let began = Instant::now();
    assert_eq!(polled(&fake).1.numbers(), [1]);
    assert!(began.elapsed() >= Duration::from_secs(1));

    let fake = Fake::new(|_| answer(503, "").with("retry-after", "3600"));
    let (done, kept) = polled(&fake);
    assert!(matches!(done, Err(ClientError::Busy { after: Some(after), .. }) if after.as_secs() == 3600));
    assert_eq!(fake.asked().len(), 1, "it is not asked again before");
    assert_eq!(kept.place, Kept::default().place);
}

#[test]
fn a_line_that_breaks_in_the_middle_of_a_page_leaves_nothing_half_taken() {
    let fake = Fake::new(|asked| match asked.query("next") {
        "" => taxii(page(0..10, r#","more":true,"next":"2""#))
            .added("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000010Z"),
        _ => taxii(page(10..20, "")).breaking(600),
    });
    let (done, kept) = polled(&fake);
    assert!(matches!(done, Err(ClientError::Away(_))), "{done:?}");
    assert_eq!(kept.numbers(), (0..10).collect::<Vec<_>>());
    assert_eq!(kept.place.next.as_deref(), Some("2"), "it goes on with the page that broke");
    let first = Fake::new(|_| taxii(page(0..10, "")).breaking(100));
    let (done, kept) = polled(&first);
    assert!(done.is_err() && kept.values.is_empty() && kept.place == Kept::default().place);
}

#[test]
fn half_of_an_answer_without_a_length_is_none() {
    // The line ends where its server ends: that it is half is told by its brackets only.
    let whole = page(0..10, "");
    let fake = Fake::new(move |_| taxii(whole[..whole.len() / 2].to_owned()));
    let (done, kept) = polled(&fake);
    assert!(matches!(done, Err(ClientError::Away(_))), "{done:?}");
    assert!(kept.values.is_empty());
}

#[test]
fn what_is_no_taxii_2_1_is_said() {
    let page = answer(200, "<!DOCTYPE html><html>Sign in</html>").with("content-type", "text/html");
    let old = answer(200, "{}").with("content-type", "application/vnd.oasis.taxii+json; version=2.0");
    for (answer, says) in [
        (page, "a page for people"),
        (old, "TAXII 2.0"),
        (taxii("nonsense"), "'nonsense'"),
        (taxii(r#"{"title":"A root","versions":[]}"#), "is this a collection?"),
        (taxii(r#"{"objects":7}"#), "a list of objects"),
        (taxii(r#"{"objects":[{]}"#), "no JSON"),
        (answer(401, r#"{"title":"Unauthorized"}"#), "HTTP 401: Unauthorized; it does not know these credentials"),
        (answer(403, ""), "the account may not do this"),
        (answer(404, "<html>"), "HTTP 404: a page for people; nothing stands there"),
        (answer(500, r#"{"title":"Oh","description":"no"}"#), "HTTP 500: Oh: no"),
    ] {
        let fake = Fake::new(move |_| answer.clone());
        let (done, kept) = polled(&fake);
        let error = done.unwrap_err().to_string();
        assert!(error.contains(says), "{error} does not say {says}");
        assert!(kept.values.is_empty() && kept.place == Kept::default().place);
    }
}
