//! What matches what. Results without a remark are those of the reference matcher too.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_pattern::{Batch, Leniency, Mode, Outcome, Watch, matches, parse};
use serde_json::{Value, json};

/// One observation of one object, in the form of STIX 2.0.
fn seen(object: Value) -> Value {
    at(0, 0, 1, json!({ "0": object }))
}

fn at(first: u32, last: u32, count: u32, objects: Value) -> Value {
    let time = |s: u32| format!("2020-01-01T00:{:02}:{:02}Z", s / 60, s % 60);
    json!({"type": "observed-data", "id": format!("observed-data--{first}-{last}"), "first_observed": time(first),
           "last_observed": time(last), "number_observed": count, "objects": objects})
}

/// Alone and in a stream, which must agree.
fn is_match(pattern: &str, data: &Value, mode: Mode) -> bool {
    let pattern = parse(pattern, mode).unwrap_or_else(|e| panic!("{e}"));
    let text = data.to_string();
    let batch = Batch::read(&text, mode).unwrap();
    let alone = matches(&pattern, &batch);
    assert_ne!(alone.outcome, Outcome::GaveUp);
    let mut watch = Watch::new(std::slice::from_ref(&pattern));
    let mut hits = 0;
    watch.observe(&batch, &mut |_| hits += 1);
    watch.finish(&mut |_| hits += 1);
    assert_eq!(hits > 0, alone.matched(), "a stream disagrees: {pattern} on {text}");
    alone.matched()
}

fn table(object: &Value, rows: &[(&str, bool)]) {
    let data = seen(object.clone());
    for (comparison, expected) in rows {
        assert_eq!(is_match(&format!("[{comparison}]"), &data, Mode::Strict), *expected, "{comparison} on {object}");
    }
}

#[test]
fn comparisons() {
    let object = json!({"type": "a", "i": 5, "f": 2.0, "s": "abc", "n": "443", "t": "2020-01-01T00:00:01.0Z", "b": true,
        "z": null, "l": [1, 2, "x"], "d": {"k": "v", "e-f": 1}, "m_hex": "FFd8", "p_bin": "dGVzdA==", "e": "caf\u{e9}",
        "lines": "one\ntwo", "big": 9_007_199_254_740_993_i64, "net": "10.1.0.0/16", "ip6": "2001:db8::7"});
    table(
        &object,
        &[
            ("a:i = 5", true),
            ("a:i = 5.0", true),
            ("a:f = 2", true),
            ("a:i != 5", false),
            ("a:i < 5.5", true),
            ("a:i >= 6", false),
            ("a:i NOT >= 6", true),
            ("a:s = 'abc'", true),
            ("a:s < 'abd'", true),
            ("a:s > 'B'", true),
            // types that do not go together
            ("a:n = 443", false),
            ("a:i = '5'", false),
            ("a:i != '5'", true),
            ("a:i < '6'", false),
            ("a:i NOT < '6'", false),
            ("a:b = true", true),
            ("a:b = 1", false),
            ("a:b NOT = 1", true),
            ("a:z = 'x'", false),
            ("a:z != 'x'", true),
            ("a:l = 1", false),
            // exact where a double is not
            ("a:big = 9007199254740993", true),
            ("a:big = 9007199254740992.0", false),
            ("a:big > 9007199254740992.0", true),
            // what is not there is false, whatever is asked
            ("a:none = 1", false),
            ("a:none != 1", false),
            ("a:none NOT = 1", false),
            ("b:i = 5", false),
            ("EXISTS a:i", true),
            ("EXISTS a:none", false),
            ("NOT EXISTS a:none", true),
            ("EXISTS a:i AND a:i = 5", true),
            ("EXISTS b:i", false),
            ("EXISTS a:z", true),
            // times
            ("a:t = t'2020-01-01T00:00:01Z'", true),
            ("a:t > t'2020-01-01T00:00:00.999Z'", true),
            ("a:t = '2020-01-01T00:00:01Z'", false),
            ("a:s = t'2020-01-01T00:00:01Z'", false),
            // bytes
            ("a:m_hex = h'ffd8'", true),
            ("a:m_hex = b'/9g='", true),
            ("a:m_hex = '\u{ff}\u{d8}'", true),
            ("a:p_bin = 'test'", true),
            ("a:p_bin MATCHES '^te.t$'", true),
            ("a:p_bin LIKE 'te%'", true),
            ("a:m_hex MATCHES '\\\\xff\\\\xd8'", true),
            ("a:s = h'616263'", true),
            ("a:p_bin > h'00'", true),
            // sets
            ("a:i IN (4, 5)", true),
            ("a:i NOT IN (4, 5)", false),
            ("a:i IN ()", false),
            ("a:s IN ('x', 'abc')", true),
            // masks and expressions
            ("a:s LIKE 'a%'", true),
            ("a:s LIKE 'a'", false),
            ("a:s LIKE '_b_'", true),
            ("a:i LIKE '%'", false),
            ("a:i NOT LIKE '%'", true),
            // (the reference takes no line feed for a character)
            ("a:lines LIKE 'one%'", true),
            ("a:s MATCHES 'b'", true),
            ("a:s MATCHES '^b'", false),
            // `.` is any character (the reference does not set DOTALL)
            ("a:lines MATCHES 'one.two'", true),
            ("a:lines MATCHES 'one\\\\stwo'", true),
            // by code points; in one normal form for LIKE and MATCHES only
            ("a:e = 'cafe\u{301}'", false),
            ("a:e = 'caf\u{e9}'", true),
            ("a:e > 'cafe\u{301}'", true),
            ("a:e IN ('cafe\u{301}')", false),
            ("a:e LIKE 'caf_'", true),
            ("a:e MATCHES 'fe\u{301}$'", true),
            // networks, of both families (the reference has IPv4 only)
            ("a:net ISSUBSET '10.0.0.0/8'", true),
            ("a:net ISSUBSET '10.1.0.0/24'", false),
            ("a:net ISSUPERSET '10.1.2.3'", true),
            ("a:net ISSUPERSET '10.2.0.0/24'", false),
            ("a:ip6 ISSUBSET '2001:db8::/32'", true),
            ("a:ip6 ISSUBSET '2001:db9::/32'", false),
            ("a:s ISSUBSET '10.0.0.0/8'", false),
            ("a:s NOT ISSUBSET '10.0.0.0/8'", true),
            ("a:i ISSUBSET '::/0'", false),
            // paths
            ("a:l[0] = 1", true),
            ("a:l[1] = 1", false),
            ("a:l[9] = 1", false),
            ("a:l[-1] = 'x'", false),
            ("a:l[*] = 'x'", true),
            ("a:d.k = 'v'", true),
            ("a:d.'e-f' = 1", true),
            ("a:d.none = 1", false),
            ("a:d[*] = 'v'", false),
            ("a:i.k = 1", false),
            ("a:l.k = 1", false),
            ("a:'i' = 5", true),
            // any value at the path makes it true, also of NOT
            ("a:l[*] != 1", true),
            ("a:l[*] NOT IN (1, 2)", true),
            ("a:i = 1 OR a:s = 'abc' AND a:b = true", true),
            ("(a:i = 5 OR a:s = 'x') AND a:b = false", false),
        ],
    );
}

#[test]
fn and_is_about_one_object() {
    let two = at(0, 0, 1, json!({"0": {"type": "a", "x": 1}, "1": {"type": "a", "y": 2}, "2": {"type": "b", "y": 2}}));
    assert!(!is_match("[a:x = 1 AND a:y = 2]", &two, Mode::Strict));
    assert!(!is_match("[a:x = 1 AND b:y = 2]", &two, Mode::Strict));
    assert!(is_match("[a:x = 1 OR b:y = 9]", &two, Mode::Strict));
    // Two brackets want two observations.
    assert!(!is_match("[a:x = 1] AND [a:y = 2]", &two, Mode::Strict));
}

#[test]
fn references_are_followed_in_both_versions() {
    let new = json!({"type": "bundle", "objects": [
        {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "10.0.0.1"},
        {"type": "domain-name", "id": "domain-name--1", "value": "x.example", "resolves_to_refs": ["ipv4-addr--1", "ipv4-addr--9"]},
        {"type": "network-traffic", "id": "network-traffic--1", "src_ref": "ipv4-addr--1", "dst_ref": "domain-name--1"},
        {"type": "observed-data", "id": "observed-data--1", "first_observed": "2020-01-01T00:00:00Z",
         "last_observed": "2020-01-01T00:00:00Z", "number_observed": 1,
         "object_refs": ["ipv4-addr--1", "domain-name--1", "network-traffic--1"]}]});
    let old = at(
        0,
        0,
        1,
        json!({"0": {"type": "ipv4-addr", "value": "10.0.0.1"},
        "1": {"type": "domain-name", "value": "x.example", "resolves_to_refs": ["0", "9"]},
        "2": {"type": "network-traffic", "src_ref": "0", "dst_ref": "1"}}),
    );
    for data in [new, old] {
        for (pattern, expected) in [
            ("[network-traffic:src_ref.value = '10.0.0.1']", true),
            ("[network-traffic:dst_ref.resolves_to_refs[*].value ISSUBSET '10.0.0.0/8']", true),
            ("[domain-name:resolves_to_refs[0].type = 'ipv4-addr']", true),
            ("[domain-name:resolves_to_refs[1].value = '10.0.0.1']", false),
            ("[domain-name:resolves_to_refs.value = '10.0.0.1']", false),
            ("[network-traffic:dst_ref.value = '10.0.0.1']", false),
        ] {
            assert_eq!(is_match(pattern, &data, Mode::Strict), expected, "{pattern}");
        }
        let pattern = "[domain-name:resolves_to_refs.value = '10.0.0.1']";
        assert!(is_match(pattern, &data, Mode::Tolerant));
    }
}

#[test]
fn only_what_an_observation_lists_is_followed() {
    let data = json!({"type": "bundle", "objects": [
        {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "10.0.0.1"},
        {"type": "network-traffic", "id": "network-traffic--1", "src_ref": "ipv4-addr--1"},
        {"type": "observed-data", "id": "observed-data--1", "first_observed": "2020-01-01T00:00:00Z",
         "last_observed": "2020-01-01T00:00:00Z", "number_observed": 1, "object_refs": ["network-traffic--1"]}]});
    let pattern = "[network-traffic:src_ref.value = '10.0.0.1']";
    assert!(!is_match(pattern, &data, Mode::Strict));
    assert!(is_match(pattern, &data, Mode::Tolerant));
    let (text, pattern) = (data.to_string(), parse(pattern, Mode::Tolerant).unwrap());
    let answer = matches(&pattern, &Batch::read(&text, Mode::Tolerant).unwrap());
    assert!(answer.notes.iter().any(|note| note.leniency == Leniency::UnlistedReference), "{answer:?}");
}

#[test]
fn objects_that_refer_in_circles_cost_no_more() {
    let all: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let objects: serde_json::Map<String, Value> =
        all.iter().map(|n| (n.clone(), json!({"type": "a", "m_refs": all, "v": 1}))).collect();
    let path = "m_refs[*].".repeat(30);
    assert!(!is_match(&format!("[a:{path}v = 2]"), &at(0, 0, 1, Value::Object(objects)), Mode::Strict));
}

/// One letter an observation, `a` at second 0, `b` at 10, and so on, as `x` of an `o`.
fn letters(of: &[(&str, u32, u32, u32)]) -> Value {
    of.iter().map(|(x, first, last, n)| at(*first, *last, *n, json!({"0": {"type": "o", "x": x}}))).collect()
}

#[test]
fn observations_combine() {
    let day = letters(&[("a", 0, 0, 1), ("b", 10, 10, 1), ("c", 20, 25, 1), ("a", 30, 30, 2)]);
    let text = |pattern: &str| pattern.replace('<', "[o:x = '").replace('>', "']");
    for (pattern, expected) in [
        ("<a> AND <b>", true),
        ("<a> AND <z>", false),
        ("<a> OR <z>", true),
        ("<z> OR <y>", false),
        ("<a> AND <a> AND <a>", true),
        ("<a> AND <a> AND <a> AND <a>", false),
        ("<b> AND <b>", false),
        ("<a> FOLLOWEDBY <b>", true),
        ("<b> FOLLOWEDBY <a>", true),
        ("<c> FOLLOWEDBY <b>", false),
        ("<a> FOLLOWEDBY <b> FOLLOWEDBY <c> FOLLOWEDBY <a>", true),
        ("<b> FOLLOWEDBY <b>", false),
        ("<a> FOLLOWEDBY (<c> AND <b>)", true),
        ("(<a> AND <c>) FOLLOWEDBY <b>", false),
        ("(<c> OR <a>) FOLLOWEDBY <b>", true),
        ("<z> OR <a> FOLLOWEDBY <b>", true),
        ("<a> REPEATS 3 TIMES", true),
        ("<a> REPEATS 4 TIMES", false),
        ("(<a> OR <b>) REPEATS 4 TIMES", true),
        ("(<a> AND <b>) REPEATS 2 TIMES", false),
        ("<a> REPEATS 2 TIMES WITHIN 5 SECONDS", true),
        ("<a> REPEATS 3 TIMES WITHIN 30 SECONDS", false),
        ("<a> REPEATS 3 TIMES WITHIN 30.1 SECONDS", true),
        ("(<b> AND <c>) WITHIN 10 SECONDS", false),
        ("(<b> AND <c>) WITHIN 10.001 SECONDS", true),
        ("(<c> FOLLOWEDBY <a>) WITHIN 6 SECONDS", true),
        ("(<c> FOLLOWEDBY <a>) WITHIN 5 SECONDS", false),
        ("((<a> FOLLOWEDBY <b>) WITHIN 11 SECONDS) REPEATS 2 TIMES", false),
        ("((<a> OR <c>) FOLLOWEDBY (<b> OR <a>)) REPEATS 2 TIMES", true),
        ("<c> START t'2020-01-01T00:00:25Z' STOP t'2020-01-01T00:01:00Z'", true),
        ("<c> START t'2020-01-01T00:00:26Z' STOP t'2020-01-01T00:01:00Z'", false),
        ("<c> START t'2020-01-01T00:00:00Z' STOP t'2020-01-01T00:00:20Z'", false),
        ("<c> START t'2020-01-01T00:00:00Z' STOP t'2020-01-01T00:00:20.1Z'", true),
        ("<c> START t'2020-01-01T00:00:22Z' STOP t'2020-01-01T00:00:22Z'", false),
        ("(<a> AND <b>) START t'2020-01-01T00:00:05Z' STOP t'2020-01-01T00:00:31Z'", true),
    ] {
        assert_eq!(is_match(&text(pattern), &day, Mode::Strict), expected, "{pattern}");
    }
}

#[test]
fn nothing_observed_is_no_match_and_no_error() {
    for data in [json!({"type": "bundle"}), json!({"type": "bundle", "objects": []}), json!([])] {
        for pattern in ["[a:b = 1]", "[a:b != 1] AND [EXISTS a:b]", "[a:b = 1] REPEATS 3 TIMES WITHIN 2 SECONDS"] {
            assert!(!is_match(pattern, &data, Mode::Strict));
        }
    }
    for (broken, why) in [
        (json!({"type": "observed-data", "id": "x", "number_observed": 1}), "first_observed"),
        (
            json!({"type": "observed-data", "first_observed": "yesterday", "last_observed": "2020-01-01T00:00:00Z"}),
            "YYYY",
        ),
        (at(5, 0, 1, json!({})), "before first_observed"),
        (at(0, 0, 0, json!({})), "number_observed"),
    ] {
        let text = json!([broken, seen(json!({"type": "a", "b": 1}))]).to_string();
        let batch = Batch::read(&text, Mode::Strict).unwrap();
        assert!(batch.errors()[0].what.contains(why), "{:?}", batch.errors());
        assert!(matches(&parse("[a:b = 1]", Mode::Strict).unwrap(), &batch).matched(), "the others are used");
    }
    for text in ["", "{", "1", "[1]", "{}", "\"x\""] {
        assert!(Batch::read(text, Mode::Strict).is_err(), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Batch::read(&deep, Mode::Strict).is_err());
}

#[test]
fn tolerance_is_noted_where_it_decided() {
    for (pattern, object, leniency) in [
        (
            "[autonomous-system:number = '64500']",
            json!({"type": "autonomous-system", "number": 64500}),
            Leniency::NumberLikeText,
        ),
        (
            "[network-traffic:dst_port IN ('80', '443')]",
            json!({"type": "network-traffic", "dst_port": 443}),
            Leniency::NumberLikeText,
        ),
        ("[file:size > 10]", json!({"type": "file", "size": "11"}), Leniency::NumberLikeText),
        (
            "[windows-registry-key:values.data = 'x']",
            json!({"type": "windows-registry-key", "values": [{"data": "y"}, {"data": "x"}]}),
            Leniency::ImplicitAny,
        ),
        (
            "[network-traffic:protocols = 'tcp']",
            json!({"type": "network-traffic", "protocols": ["ipv4", "tcp"]}),
            Leniency::ImplicitAny,
        ),
        ("[file:hashes[*] = 'ab']", json!({"type": "file", "hashes": {"MD5": "ab"}}), Leniency::AnyOfDictionary),
        ("[file:hashes.SHA256 = 'AB']", json!({"type": "file", "hashes": {"SHA-256": "ab"}}), Leniency::HashSpelling),
    ] {
        let data = seen(object.clone());
        assert!(!is_match(pattern, &data, Mode::Strict), "{pattern}");
        assert!(is_match(pattern, &data, Mode::Tolerant), "{pattern}");
        let text = data.to_string();
        let read = parse(pattern, Mode::Tolerant).unwrap();
        let answer = matches(&read, &Batch::read(&text, Mode::Tolerant).unwrap());
        assert!(answer.notes.iter().any(|note| note.leniency == leniency), "{pattern}: {:?}", answer.notes);
        assert_eq!(answer.notes[0].span.start, 1, "the comparison that needed it");
    }
    // What matches as it stands needs no note, and what is not a number is none.
    let data = seen(json!({"type": "a", "n": 443, "s": "443x"})).to_string();
    let batch = Batch::read(&data, Mode::Tolerant).unwrap();
    assert!(matches(&parse("[a:n = 443]", Mode::Tolerant).unwrap(), &batch).notes.is_empty());
    assert!(!matches(&parse("[a:s = 443]", Mode::Tolerant).unwrap(), &batch).matched());
}

#[test]
fn a_hostile_search_ends() {
    // Every observation answers every bracket, and the times allow no order: bounded, one way or the other.
    let all: Vec<(&str, u32, u32, u32)> = (0..200).map(|n| ("a", n, n + 300, 1)).collect();
    let data = letters(&all).to_string();
    let batch = Batch::read(&data, Mode::Strict).unwrap();
    let bracket = "[o:x = 'a']";
    let chain = vec![bracket; 40].join(" FOLLOWEDBY ");
    for pattern in [
        format!("({chain}) WITHIN 1 SECONDS"),
        format!("(({bracket} FOLLOWEDBY {bracket} FOLLOWEDBY {bracket}) WITHIN 0.1 SECONDS) REPEATS 67 TIMES"),
        format!("(({bracket} AND {bracket}) OR ({bracket} FOLLOWEDBY {bracket})) REPEATS 101 TIMES"),
        format!("{bracket} REPEATS 4000000000 TIMES"),
        format!("(({bracket} FOLLOWEDBY {bracket}) REPEATS 100000 TIMES) REPEATS 100000 TIMES"),
        vec![bracket; 2_500].join(" FOLLOWEDBY "),
        vec![bracket; 2_500].join(" AND "),
    ] {
        let outcome = matches(&parse(&pattern, Mode::Strict).unwrap(), &batch).outcome;
        // There are too few observations for any of them.
        assert!(!matches!(outcome, Outcome::Matched(_)), "{}", &pattern[..80.min(pattern.len())]);
    }
}

#[test]
fn many_observations_are_searched_quickly() {
    // a's come after all b's: never one followed by the other; and never two within a second.
    let mut all: Vec<(&str, u32, u32, u32)> = (0..1500).map(|n| ("b", n, n, 1)).collect();
    all.extend((1500..3000).map(|n| ("a", n, n, 1)));
    let data = letters(&all).to_string();
    let batch = Batch::read(&data, Mode::Strict).unwrap();
    let run = |text: &str| matches(&parse(text, Mode::Strict).unwrap(), &batch).outcome;
    let bracket = |x: &str| format!("[o:x = '{x}']");
    let (a, b) = (bracket("a"), bracket("b"));
    assert_eq!(run(&format!("{a} FOLLOWEDBY {b}")), Outcome::NotMatched);
    assert_eq!(run(&format!("{a} REPEATS 3 TIMES WITHIN 1 SECONDS")), Outcome::NotMatched);
    assert!(matches!(run(&format!("{b} REPEATS 1500 TIMES FOLLOWEDBY {a} REPEATS 1500 TIMES")), Outcome::Matched(_)));
    assert!(matches!(run(&format!("({b} FOLLOWEDBY {a}) WITHIN 2 SECONDS")), Outcome::Matched(_)));
}
