//! Patterns, data and streams that are made to cost much, and numbers at their edges.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_pattern::{Batch, Mode, Pattern, Watch, matches, parse};
use serde_json::{Value, json};

fn read(text: &str) -> Pattern {
    parse(text, Mode::Strict).unwrap_or_else(|e| panic!("{e}"))
}

/// An observation of one object of type `o`, `second` seconds after the new year.
fn seen(second: u32, object: Value) -> String {
    let time = format!(
        "2020-01-{:02}T{:02}:{:02}:{:02}Z",
        second / 86400 + 1,
        second / 3600 % 24,
        second / 60 % 60,
        second % 60
    );
    json!({"type": "observed-data", "id": format!("observed-data--{second}"), "first_observed": time,
           "last_observed": time, "number_observed": 1, "objects": {"0": object}})
    .to_string()
}

fn feed(watch: &mut Watch, text: &str, hits: &mut usize) {
    watch.observe(&Batch::read(text, Mode::Strict).unwrap(), &mut |_| *hits += 1);
}

#[test]
fn numbers_are_read_as_exactly_as_they_are_written() {
    // The fast way of reading them was wrong in the last place for one in twenty.
    for text in [
        "0.10000000000000001",
        "8.41",
        "123456.789012345678",
        "0.00000001234567890123",
        "2.2250738585072011",
        "9007199254740993.0",
        "0.29999999999999998",
        "1.7976931348623157",
        "65537.000000000015",
        "100000000000000016.0",
    ] {
        let data = format!(
            r#"{{"type":"observed-data","id":"observed-data--1","first_observed":"2020-01-01T00:00:00Z",
            "last_observed":"2020-01-01T00:00:00Z","number_observed":1,"objects":{{"0":{{"type":"o","v":{text}}}}}}}"#
        );
        let batch = Batch::read(&data, Mode::Strict).unwrap();
        assert!(matches(&read(&format!("[o:v = {text}]")), &batch).matched(), "{text}");
    }
}

#[test]
fn whole_numbers_beyond_64_bits_are_no_panic() {
    for (value, pattern, expected) in [
        ("18446744073709551615", "[o:v > 9223372036854775807]", true),
        ("-9223372036854775808", "[o:v = -9223372036854775808]", true),
        ("9223372036854775807", "[o:v = 9223372036854775807.0]", false),
        ("9223372036854775807", "[o:v < 9223372036854775808.0]", true),
        ("-0.0", "[o:v = 0]", true),
    ] {
        let data = seen(0, json!({"type": "o"})).replace(r#"{"type":"o"}"#, &format!(r#"{{"type":"o","v":{value}}}"#));
        let batch = Batch::read(&data, Mode::Strict).unwrap();
        assert_eq!(matches(&read(pattern), &batch).matched(), expected, "{pattern} on {value}");
    }
}

#[test]
fn a_time_of_any_length_is_no_overflow() {
    let data = format!("[{},{}]", seen(0, json!({"type": "o", "v": 1})), seen(9, json!({"type": "o", "v": 1})));
    let batch = Batch::read(&data, Mode::Strict).unwrap();
    let pair = |seconds: &str| read(&format!("([o:v = 1] AND [o:v = 1]) WITHIN {seconds} SECONDS"));
    let long = format!("1{}.0", "0".repeat(300));
    for (seconds, expected) in [("9.000000001", true), ("9", false), ("9223372036854775807", true), (&long, true)] {
        assert_eq!(matches(&pair(seconds), &batch).matched(), expected, "{seconds}");
    }
    // More than 0, although less than the clock's smallest step: both at once.
    assert!(!matches(&pair("0.00000000000000001"), &batch).matched());
}

#[test]
fn repetitions_do_not_share_observations() {
    let data: Vec<String> = (0..5).map(|n| seen(n, json!({"type": "o", "v": 1}))).collect();
    let data = format!("[{}]", data.join(","));
    let batch = Batch::read(&data, Mode::Strict).unwrap();
    for (pattern, expected) in [
        ("[o:v = 1] REPEATS 2 TIMES AND [o:v = 1] REPEATS 3 TIMES", true),
        ("[o:v = 1] REPEATS 3 TIMES AND [o:v = 1] REPEATS 3 TIMES", false),
        ("[o:v = 1] REPEATS 3 TIMES WITHIN 3 SECONDS FOLLOWEDBY [o:v = 1] REPEATS 2 TIMES WITHIN 2 SECONDS", true),
        ("[o:v = 1] REPEATS 3 TIMES WITHIN 2 SECONDS", false),
        ("([o:v = 1] REPEATS 2 TIMES WITHIN 2 SECONDS) REPEATS 2 TIMES", true),
        ("([o:v = 1] REPEATS 2 TIMES WITHIN 2 SECONDS) REPEATS 3 TIMES", false),
        ("[o:v = 1] REPEATS 2 TIMES START t'2020-01-01T00:00:03Z' STOP t'2020-01-01T00:00:05Z'", true),
        ("[o:v = 1] REPEATS 2 TIMES START t'2020-01-01T00:00:03Z' STOP t'2020-01-01T00:00:04Z'", false),
        ("[o:v = 1] START t'2020-01-01T00:00:03Z' STOP t'2020-01-01T00:00:03Z'", false),
        ("[o:v = 1] START t'2020-01-01T00:00:04Z' STOP t'2020-01-01T00:00:02Z'", false),
    ] {
        assert_eq!(matches(&read(pattern), &batch).matched(), expected, "{pattern}");
    }
}

#[test]
fn a_stream_that_fills_the_memory_goes_on_and_says_so() {
    // Each forgotten observation was a walk through all that was kept.
    let pattern = read("[o:v = 1] FOLLOWEDBY [o:v = 2]");
    let mut watch = Watch::with_memory(std::slice::from_ref(&pattern), 20_000);
    let (one, two) = (json!({"type": "o", "v": 1}), json!({"type": "o", "v": 2}));
    let mut hits = 0;
    for n in 0..60_000 {
        feed(&mut watch, &seen(n, one.clone()), &mut hits);
    }
    assert_eq!(hits, 0);
    // Without a second one nothing can have been missed, so that it does not match is sure.
    assert_eq!(watch.report(0).unwrap().forgotten, 0);
    feed(&mut watch, &seen(60_001, two), &mut hits);
    watch.finish(&mut |_| hits += 1);
    assert_eq!(hits, 1);
    assert!(watch.report(0).unwrap().forgotten >= 40_000);
}

#[test]
fn once_is_one_match_of_each_pattern() {
    let patterns = [read("[o:v = 1]"), read("[o:v = 1] AND [o:v = 1]"), read("[o:v = 2]")];
    let mut watch = Watch::new(&patterns).once();
    let mut hits = Vec::new();
    for n in 0..10 {
        let text = seen(n, json!({"type": "o", "v": 1}));
        watch.observe(&Batch::read(&text, Mode::Strict).unwrap(), &mut |hit| hits.push(hit.pattern));
    }
    watch.finish(&mut |hit| hits.push(hit.pattern));
    assert_eq!(hits, [0, 1]);
}

#[test]
fn many_brackets_that_all_take_everything_share_the_memory() {
    // 1,500 brackets, each with what it needs for 65,536 repetitions, would be gigabytes.
    let bracket = "[o:v = 1] REPEATS 6000 TIMES";
    let pattern = read(&vec![bracket; 1_500].join(" AND "));
    let mut watch = Watch::new(std::slice::from_ref(&pattern));
    let mut hits = 0;
    for n in 0..6_000 {
        feed(&mut watch, &seen(n, json!({"type": "o", "v": 1})), &mut hits);
    }
    assert!(hits == 0 && watch.report(0).unwrap().forgotten > 0);
}

#[test]
fn alternatives_without_number_cost_each_observation_little() {
    let any = (0..2_500).map(|n| format!("[o:v != {n}]")).collect::<Vec<_>>().join(" OR ");
    let pattern = read(&format!("({any}) FOLLOWEDBY [o:v = 7]"));
    let mut watch = Watch::new(std::slice::from_ref(&pattern));
    let mut hits = 0;
    for n in 0..300 {
        feed(&mut watch, &seen(n, json!({"type": "o", "v": 1})), &mut hits);
    }
    feed(&mut watch, &seen(400, json!({"type": "o", "v": 7})), &mut hits);
    watch.finish(&mut |_| hits += 1);
    assert_eq!(hits, 1);
}

#[test]
fn references_that_lead_nowhere_or_in_circles() {
    let objects = json!([
        {"type": "o", "id": "o--1", "n_ref": "o--2", "v": 1}, {"type": "o", "id": "o--2", "n_ref": "o--1", "v": 2},
        {"type": "o", "id": "o--3", "n_ref": "o--3", "m_refs": [], "l": []}, {"type": "o", "id": "o--4", "n_ref": 7, "m_refs": "o--1"},
        {"type": "observed-data", "id": "observed-data--1", "first_observed": "2020-01-01T00:00:00Z", "number_observed": 1,
         "last_observed": "2020-01-01T00:00:00Z", "object_refs": ["o--1", "o--2", "o--3", "o--4", "o--5"]},
        {"type": "observed-data", "id": "observed-data--2", "first_observed": "2020-01-01T00:00:00Z", "number_observed": 1,
         "last_observed": "2020-01-01T00:00:00Z", "object_refs": ["o--8", "o--9"]},
    ]);
    let data = json!({"type": "bundle", "objects": objects}).to_string();
    let batch = Batch::read(&data, Mode::Strict).unwrap();
    for (pattern, expected) in [
        (format!("[o:{}v = 1]", "n_ref.".repeat(60)), true),
        (format!("[o:{}v = 3]", "n_ref.".repeat(60)), false),
        ("[o:m_refs[*].v = 1]".to_owned(), false),
        ("[o:l[*] != 1]".to_owned(), false),
        ("[EXISTS o:l]".to_owned(), true),
        ("[EXISTS o:l[*]]".to_owned(), false),
    ] {
        assert_eq!(matches(&read(&pattern), &batch).matched(), expected, "{pattern}");
    }
    assert_eq!(batch.errors().len(), 1, "{:?}", batch.errors());
    assert!(batch.errors()[0].what.contains("none of its object_refs"));
}

#[test]
fn regular_expressions_are_bounded_together() {
    // 62 KB of these took a gigabyte.
    let many = |expression: &str, count: usize| {
        format!("[{}]", vec![format!("a:b MATCHES '{expression}'"); count].join(" OR "))
    };
    for (expression, count) in [("a{999}{9}", 2_000), (r"\\w{5}", 2_000)] {
        let error = parse(&many(expression, count), Mode::Strict).unwrap_err();
        assert!(error.what().contains("too large together"), "{error}");
    }
    read(&many(r"^\\w{64}$", 3));
    read(&many("evil[0-9]+", 250));
}
