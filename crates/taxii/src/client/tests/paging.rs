//! Servers and their pages: nothing is lost, whatever they say or don't say of what follows.

use super::fake::{Answer, Asked, Fake, answer, page, taxii};
use super::{Kept, is_after, polled};
use crate::client::Place;
use crate::time;
use std::sync::atomic::{AtomicUsize, Ordering};

const START: i64 = 1_767_225_600_000_000; // 2026-01-01

/// Objects by number and date, as a good server gives them: what it was asked for, and whether there is more.
fn matching(dates: &[i64], asked: &Asked, most: usize) -> (Vec<usize>, bool) {
    let after = time::read(asked.query("added_after")).unwrap_or(i64::MIN);
    let limit = asked.query("limit").parse::<usize>().unwrap_or(most).min(most);
    let from = asked.query("next").parse::<usize>().unwrap_or(0);
    let found: Vec<usize> = (from..dates.len()).filter(|n| dates[*n] > after).collect();
    (found.iter().copied().take(limit).collect(), found.len() > limit)
}

/// Its page, with dates, without `next`.
fn dated(dates: &[i64], asked: &Asked, most: usize, fine: fn(i64) -> String) -> Answer {
    let (found, more) = matching(dates, asked, most);
    let body = taxii(page(found.iter().copied(), &format!(r#","more":{more}"#)));
    match (found.first(), found.last()) {
        (Some(first), Some(last)) => body.added(&fine(dates[*first]), &fine(dates[*last])),
        _ => body,
    }
}

fn each_its_own(count: usize) -> Vec<i64> {
    (0..count).map(|n| START + n as i64).collect()
}

#[test]
fn a_good_server_is_read_by_next_and_then_only_for_what_is_new() {
    let fake = Fake::new(|asked| {
        let dates = each_its_own(25);
        let (found, more) = matching(&dates, asked, 10);
        let Some(last) = found.last().copied() else { return taxii("{}") };
        let next = if more { format!(r#","more":true,"next":"{}""#, last + 1) } else { String::new() };
        taxii(page(found.iter().copied(), &next)).added(&time::text(dates[found[0]]), &time::text(dates[last]))
    });
    let mut kept = Kept::default();
    assert_eq!(kept.poll(&fake, 0).unwrap().pages, 3);
    assert_eq!(kept.numbers(), (0..25).collect::<Vec<_>>());
    assert_eq!(kept.after(), time::text(START + 24));
    let asked = fake.asked();
    assert_eq!(asked[2].path, "/api/collections/c/objects/");
    assert_eq!((asked[2].query("next"), asked[2].query("limit")), ("20", "1000"), "the same question goes with it");
    assert_eq!(kept.poll(&fake, 0).unwrap().objects, 0);
    assert_eq!(kept.place, Place { after: Some(time::text(START + 24)), ..Place::default() });
}

#[test]
fn more_without_next_goes_on_by_the_last_date() {
    let fake = Fake::new(|asked| dated(&each_its_own(35), asked, 10, time::text));
    let (done, kept) = polled(&fake);
    assert_eq!(kept.numbers(), (0..35).collect::<Vec<_>>(), "each once");
    assert_eq!(done.unwrap().notes, Vec::<String>::new());
    assert_eq!(kept.after(), time::text(START + 34));
}

#[test]
fn more_without_next_loses_nothing_of_one_moment_that_pages_cut() {
    // Every seven of one date, in pages of ten.
    let fake = Fake::new(|asked| dated(&(0..60).map(|n| START + n / 7).collect::<Vec<_>>(), asked, 10, time::text));
    let (done, kept) = polled(&fake);
    assert_eq!(kept.numbers(), (0..60).collect::<Vec<_>>(), "each once");
    assert_eq!(done.unwrap().notes, Vec::<String>::new());
}

#[test]
fn more_without_next_asks_for_larger_pages_of_what_came_at_one_moment() {
    let mut dates = vec![START; 250];
    dates.push(START + 1);
    let fake = Fake::new(move |asked| dated(&dates, asked, 100_000, time::text));
    let mut kept = Kept::default();
    let done = kept.poll(&fake, 100).unwrap();
    assert_eq!(kept.numbers(), (0..251).collect::<Vec<_>>());
    assert_eq!(done.notes, Vec::<String>::new());
}

#[test]
fn a_moment_that_can_not_be_paged_through_is_told_and_the_rest_is_read() {
    let mut dates = vec![START; 25];
    dates.extend([START + 1, START + 2]);
    let fake = Fake::new(move |asked| dated(&dates, asked, 10, time::text));
    let (done, kept) = polled(&fake);
    assert_eq!(kept.numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 25, 26]);
    assert!(done.unwrap().notes[0].contains("some of them may be missing"));
}

#[test]
fn dates_without_fractions_or_with_an_offset_are_read_and_nothing_is_lost_by_it() {
    fn seconds(at: i64) -> String {
        time::text(at).split('.').next().unwrap().to_owned() + "+00:00"
    }
    // Ten in each second, a page of fifteen: the server cuts the fraction off where it tells, not where it looks.
    let dates: Vec<i64> = (0..100).map(|n| START + n * 100_000).collect();
    let fake = Fake::new(move |asked| dated(&dates, asked, 15, seconds));
    let (done, kept) = polled(&fake);
    assert_eq!(kept.numbers(), (0..100).collect::<Vec<_>>());
    done.unwrap();
    let sent = &fake.asked()[1].query["added_after"];
    assert!(sent.ends_with(".000000Z"), "{sent}: the standard's own spelling is sent");
    assert!(!is_after(kept.after(), &time::text(START + 9_900_000)), "what came in the same second comes again");
}

#[test]
fn no_more_with_a_full_page_is_not_believed() {
    let fake = Fake::new(|asked| {
        let dates = each_its_own(25);
        let found = matching(&dates, asked, 10).0;
        let (first, last) = (found[0], found[found.len() - 1]);
        taxii(page(found, r#","more":false"#)).added(&time::text(dates[first]), &time::text(dates[last]))
    });
    let mut kept = Kept::default();
    kept.poll(&fake, 10).unwrap();
    assert_eq!(kept.numbers(), (0..25).collect::<Vec<_>>());
}

#[test]
fn next_without_more_is_followed() {
    let fake = Fake::new(|asked| match asked.query("next") {
        "" => taxii(page([1], r#","more":false,"next":7"#)),
        "7" => taxii(page([2], r#","next":"""#)),
        other => panic!("{other}"),
    });
    assert_eq!(polled(&fake).1.numbers(), [1, 2]);
}

#[test]
fn a_server_that_goes_round_is_left_with_words() {
    let same = Fake::new(|_| taxii(page([1, 2], r#","more":true,"next":"x""#)));
    let empty = Fake::new(|_| taxii(r#"{"more":true,"next":"x","objects":[]}"#));
    let deaf = Fake::new(|_| {
        taxii(page([1, 2], r#","more":true"#)).added("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000002Z")
    });
    for fake in [same, empty, deaf] {
        let error = polled(&fake).0.unwrap_err().to_string();
        assert!(error.contains("sends us round"), "{error}");
        assert!(fake.asked().len() < 40);
    }
    let silent = Fake::new(|asked| match asked.path.ends_with("objects/") {
        true => taxii(page([1, 2], r#","more":true"#)),
        false => answer(404, ""),
    });
    let error = polled(&silent).0.unwrap_err().to_string();
    assert!(error.contains("neither how to ask for it"), "{error}");
}

#[test]
fn without_dates_the_manifest_tells_how_to_go_on() {
    let fake = Fake::new(|asked| {
        let dates = each_its_own(25);
        let (found, more) = matching(&dates, asked, 10);
        if asked.path.ends_with("manifest/") {
            let entry = |n: &usize| {
                format!(
                    r#"{{"id":"domain-name--00000000-0000-4000-8000-{n:012}","date_added":"{}","version":"x"}}"#,
                    time::text(dates[*n])
                )
            };
            return taxii(format!(r#"{{"objects":[{}]}}"#, found.iter().map(entry).collect::<Vec<_>>().join(",")));
        }
        taxii(page(found, &format!(r#","more":{more}"#)))
    });
    let (done, kept) = polled(&fake);
    done.unwrap();
    assert_eq!(kept.numbers(), (0..25).collect::<Vec<_>>());
}

#[test]
fn without_dates_the_place_is_the_servers_clock_at_the_beginning_with_a_margin() {
    // Its clock is years behind, and its objects say that they are of the future: neither makes us miss anything.
    let fake = Fake::new(|asked| {
        let next = if asked.query("next").is_empty() { r#","more":true,"next":"2""# } else { "" };
        let date = if next.is_empty() { "Tue, 01 Jan 2019 11:00:00 GMT" } else { "Tue, 01 Jan 2019 10:00:00 GMT" };
        let numbers = if next.is_empty() { 3..5 } else { 0..3 };
        taxii(page(numbers, next).replace("\"value\"", "\"modified\":\"2030-01-01T00:00:00Z\",\"value\""))
            .with("date", date)
    });
    let (done, kept) = polled(&fake);
    done.unwrap();
    assert_eq!((kept.values.len(), kept.after()), (5, "2019-01-01T09:50:00.000000Z"));
    let empty = Fake::new(|_| taxii("{}").with("date", "Tue, 01 Jan 2019 10:00:00 GMT"));
    assert_eq!(polled(&empty).1.after(), "", "where nothing came there is no place to keep");
}

#[test]
fn a_date_to_come_is_not_believed() {
    let fake = Fake::new(|_| {
        taxii(page([1], ""))
            .added("9999-01-01T00:00:00.000000Z", "9999-01-01T00:00:00.000000Z")
            .with("date", "Thu, 01 Jan 2026 00:10:00 GMT")
    });
    let (done, kept) = polled(&fake);
    assert!(done.unwrap().notes[0].contains("not believed"));
    assert_eq!(kept.after(), "2026-01-01T00:00:00.000000Z");
}

#[test]
fn a_run_that_was_broken_off_goes_on_by_date_or_by_next_or_from_where_it_began() {
    let fake = Fake::new(|asked| match (asked.query("next"), asked.query("added_after")) {
        ("gone", _) => answer(404, r#"{"title":"No such cursor"}"#),
        ("here", _) => taxii(page(10..20, "")).added("2026-01-01T00:00:00.000010Z", "2026-01-01T00:00:00.000019Z"),
        ("", "2026-01-01T00:00:00.000008Z") => {
            taxii(page(9..20, "")).added("2026-01-01T00:00:00.000009Z", "2026-01-01T00:00:00.000019Z")
        }
        ("", "") => taxii(page(0..20, "")).added("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000019Z"),
        other => panic!("{other:?}"),
    });
    for (next, sure, numbers) in
        [("here", true, 9..20), ("gone", true, 9..20), ("here", false, 10..20), ("gone", false, 0..20)]
    {
        let sure = sure.then(|| "2026-01-01T00:00:00.000008Z".to_owned());
        let mut kept = Kept { place: Place { next: Some(next.into()), sure, ..Place::default() }, ..Kept::default() };
        kept.poll(&fake, 0).unwrap();
        assert_eq!(kept.numbers(), numbers.collect::<Vec<_>>());
        assert_eq!(kept.after(), "2026-01-01T00:00:00.000019Z");
    }
}

#[test]
fn a_next_that_moves_on_by_itself_loses_nothing_when_a_line_breaks() {
    // As the reference server has it: one name for all pages of a run, and what was given once is gone.
    let (given, broken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let dates = each_its_own(40);
    let fake = Fake::new(move |asked| {
        let found = match asked.query("next") {
            "" => {
                let found = matching(&dates, asked, 10).0;
                given.store(found.last().map_or(40, |last| last + 1), Ordering::Relaxed);
                found
            }
            "same" => {
                let from = given.fetch_add(10, Ordering::Relaxed);
                (from..40.min(from + 10)).collect()
            }
            other => panic!("{other}"),
        };
        let more = if found.last() == Some(&39) { "" } else { r#","more":true,"next":"same""# };
        let (first, last) = (time::text(dates[found[0]]), time::text(dates[found[found.len() - 1]]));
        let answer = taxii(page(found, more)).added(&first, &last);
        let breaks = asked.query("next") == "same" && broken.fetch_add(1, Ordering::Relaxed) % 2 == 0;
        if breaks { answer.breaking(50) } else { answer }
    });
    let (done, kept) = polled(&fake);
    done.unwrap();
    assert_eq!(kept.numbers(), (0..40).collect::<Vec<_>>(), "each once");
}

#[test]
fn the_place_never_goes_back() {
    let fake = Fake::new(|_| taxii(page([1], "")).added("2020-01-01T00:00:00.000000Z", "2020-01-01T00:00:00.000000Z"));
    let after = Some("2026-01-01T00:00:00.000000Z".to_owned());
    let mut kept = Kept { place: Place { after: after.clone(), ..Place::default() }, ..Kept::default() };
    kept.poll(&fake, 0).unwrap();
    assert_eq!((kept.numbers(), kept.place.after), (vec![1], after), "what it gives all the same is taken");
}
