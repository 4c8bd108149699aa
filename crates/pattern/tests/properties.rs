//! Over random patterns and observations: what is printed is read as the same tree, no text is a panic,
//! and a stream of observations finds what each pattern finds alone.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_pattern::{Batch, Mode, Outcome, Watch, matches, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

fn constant() -> impl Strategy<Value = String> {
    prop_oneof![
        (-3i64..4).prop_map(|n| n.to_string()),
        (-3i64..4).prop_map(|n| format!("{n}.5")),
        prop::sample::select(vec!["'x'", "'y'", "'1'", r"'\'\\'", "true", "false", "h'78'", "b'eA=='", "''", "'é'"])
            .prop_map(str::to_owned),
        Just("t'2020-01-01T00:00:01.5Z'".to_owned()),
    ]
}

fn test() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec![
        "a:v",
        "a:v",
        "b:v",
        "a:w",
        "a:l[*]",
        "a:l[0]",
        "a:d.'k-k'",
        "a:n_ref.v",
        "a:m_refs[*].v",
        "a:p_hex",
        "a:'AND'",
    ]);
    let op = prop_oneof![
        (prop::sample::select(vec!["=", "!=", "=", "="]), constant()).prop_map(|(op, c)| format!("{op} {c}")),
        (prop::sample::select(vec!["<", ">", "<=", ">="]), prop::sample::select(vec!["1", "'x'", "0.5"]))
            .prop_map(|(op, c)| format!("{op} {c}")),
        prop::sample::select(vec![
            "IN (1, 2)",
            "IN ('x', '1')",
            "IN ()",
            "LIKE 'x%'",
            "LIKE '_'",
            "MATCHES '^x$'",
            "MATCHES '[xy]'",
            "ISSUBSET '10.0.0.0/8'",
            "ISSUPERSET '10.1.2.3'",
            "ISSUBSET '2001:db8::/32'",
        ])
        .prop_map(str::to_owned),
    ];
    (path, any::<bool>(), any::<bool>(), op).prop_map(|(path, not, exists, op)| {
        let not = if not && exists { "NOT " } else { "" };
        if exists && op.len() % 7 == 0 { format!("{not}EXISTS {path}") } else { format!("{path} {not}{op}") }
    })
}

fn comparison() -> impl Strategy<Value = String> {
    test().prop_recursive(3, 8, 3, |inner| {
        (prop::collection::vec(inner, 2..4), prop::sample::select(vec![" AND ", " OR "]))
            .prop_map(|(all, word)| format!("({})", all.join(word)))
    })
}

fn pattern() -> impl Strategy<Value = String> {
    let bracket = comparison().prop_map(|c| format!("[{c}]"));
    bracket.prop_recursive(3, 10, 3, |inner| {
        let joined =
            (prop::collection::vec(inner.clone(), 2..4), prop::sample::select(vec![" AND ", " OR ", " FOLLOWEDBY "]))
                .prop_map(|(all, word)| format!("({})", all.join(word)));
        let qualifier = prop_oneof![
            (1u32..4).prop_map(|n| format!("REPEATS {n} TIMES")),
            prop::sample::select(vec!["1", "2", "0.5"]).prop_map(|n| format!("WITHIN {n} SECONDS")),
            (0u32..5, 0u32..9)
                .prop_map(|(a, b)| { format!("START t'2020-01-01T00:00:0{a}Z' STOP t'2020-01-01T00:00:0{b}Z'") }),
        ];
        prop_oneof![joined, (inner, qualifier).prop_map(|(inner, qualifier)| format!("({inner}) {qualifier}"))]
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(1),
        json!(2),
        json!(0.5),
        json!("x"),
        json!("y"),
        json!("1"),
        json!(true),
        json!(null),
        json!("x\n"),
        json!("10.1.2.3"),
        json!("10.0.0.0/8"),
        json!("2001:db8::1"),
        json!("é"),
        json!("2020-01-01T00:00:01.5Z"),
        json!(["x", 1]),
    ])
}

fn observation() -> impl Strategy<Value = Value> {
    let object = (any::<bool>(), value(), value(), prop::collection::vec(value(), 0..3), any::<[bool; 5]>(), 0usize..3);
    let object = object.prop_map(|(a, v, w, l, has, to)| {
        let mut object = json!({"type": if a { "a" } else { "b" }, "v": v});
        for (has, name, value) in [
            (has[0], "w", w.clone()),
            (has[1], "l", json!(l)),
            (has[2], "d", json!({"k-k": w})),
            (has[3], "n_ref", json!(to.to_string())),
            (has[4], "m_refs", json!(["0", to.to_string()])),
            (has[0], "p_hex", json!("78")),
        ] {
            if has {
                object[name] = value;
            }
        }
        object
    });
    (prop::collection::vec(object, 1..4), 0u32..6, 0u32..3, 1u32..3).prop_map(|(objects, first, more, count)| {
        let objects: serde_json::Map<String, Value> =
            objects.into_iter().enumerate().map(|(n, object)| (n.to_string(), object)).collect();
        json!({"type": "observed-data", "id": format!("observed-data--{first}"), "objects": objects,
               "first_observed": format!("2020-01-01T00:00:0{first}Z"), "number_observed": count,
               "last_observed": format!("2020-01-01T00:00:0{}Z", first + more)})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_as_the_same(text in pattern()) {
        let pattern = parse(&text, Mode::Strict).unwrap();
        let printed = pattern.to_string();
        let again = parse(&printed, Mode::Strict).map_err(|e| TestCaseError::fail(format!("{text}\n{e}")))?;
        prop_assert_eq!(&again, &pattern, "{} printed as {}", text, printed);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,80}", words in prop::collection::vec(prop::sample::select(vec![
        "[", "]", "(", ")", "a:b", ".", "'x'", "=", "IN", "NOT", "EXISTS", "AND", "OR", "FOLLOWEDBY", "WITHIN", "5",
        "SECONDS", "t'2020-01-01T00:00:00Z'", "START", "STOP", "LIKE", "MATCHES", "'(?=x)'", "\\", "'", "\"", "h'", "é", "\n",
    ]), 0..20)) {
        for text in [text, words.concat(), words.join(" ")] {
            for mode in [Mode::Strict, Mode::Tolerant] {
                match parse(&text, mode) {
                    Ok(pattern) => prop_assert!(parse(&pattern.to_string(), mode).is_ok(), "{}", text),
                    Err(error) => {
                        prop_assert!(error.span().start <= text.len());
                        prop_assert!(!error.to_string().is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn a_stream_finds_what_each_pattern_finds_alone(
        texts in prop::collection::vec(pattern(), 1..12),
        observations in prop::collection::vec(observation(), 0..6),
        tolerant in any::<bool>(),
    ) {
        let mode = if tolerant { Mode::Tolerant } else { Mode::Strict };
        let patterns: Vec<_> = texts.iter().map(|text| parse(text, mode).unwrap()).collect();
        let data = Value::Array(observations.clone()).to_string();
        let batch = Batch::read(&data, mode).unwrap();
        let mut watch = Watch::new(&patterns);
        // One by one, as a stream brings them.
        for observation in &observations {
            let text = observation.to_string();
            watch.observe(&Batch::read(&text, mode).unwrap(), &mut |_| {});
        }
        watch.finish(&mut |_| {});
        for (n, pattern) in patterns.iter().enumerate() {
            let alone = matches(pattern, &batch);
            prop_assert_ne!(&alone.outcome, &Outcome::GaveUp);
            prop_assert_eq!(watch.report(n).unwrap().matched, alone.matched(), "{} on {}", pattern, data);
        }
    }
}
