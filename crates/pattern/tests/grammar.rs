//! Every production of the grammar, read and written again; every error, with its place.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_pattern::{Leniency, MAX_DEPTH, MAX_LENGTH, Mode, Observing, Qualifier, parse};

/// What is read, and its canonical text (empty: the same).
const VALID: &[(&str, &str)] = &[
    // constants (§9.2)
    ("[a:b = 1]", ""),
    ("[a:b = +5]", "[a:b = 5]"),
    ("[a:b = -5]", ""),
    ("[a:b=0]", "[a:b = 0]"),
    ("[a:b = .5]", "[a:b = 0.5]"),
    ("[a:b = -00.50]", "[a:b = -0.5]"),
    ("[a:b = 7.0]", ""),
    ("[a:b = '']", ""),
    (r"[a:b = 'it\'s \\ é %']", ""),
    ("[a:b = 'two\nlines']", ""),
    ("[a:b = true]", ""),
    ("[a:b = false]", ""),
    ("[a:b = h'']", ""),
    ("[a:b = h'FFd8']", "[a:b = h'ffd8']"),
    ("[a:b = b'dGVzdA==']", ""),
    ("[a:b = b'dGVz\r\ndA==']", "[a:b = b'dGVzdA==']"),
    ("[a:b = t'2016-06-01T01:30:00Z']", ""),
    ("[a:b = t'2016-06-01T01:30:00.120Z']", "[a:b = t'2016-06-01T01:30:00.12Z']"),
    ("[a:b = t'2016-06-01T01:30:00.1234567890123Z']", "[a:b = t'2016-06-01T01:30:00.123456789Z']"),
    ("[a:b = t'2016-12-31T23:59:60Z']", "[a:b = t'2016-12-31T23:59:59Z']"),
    ("[a:b = t'2024-02-29T12:00:00Z']", ""),
    // operators (§9.6)
    ("[a:b == 1]", "[a:b = 1]"),
    ("[a:b != 1]", ""),
    ("[a:b <> 1]", "[a:b != 1]"),
    ("[a:b < 1 OR a:b > 1 OR a:b <= 1 OR a:b >= 1]", ""),
    ("[a:b NOT = 1 AND a:b NOT != 2 AND a:b NOT < 'x']", ""),
    ("[a:b IN (1, 2.5, 3)]", ""),
    ("[a:b IN('x','y')]", "[a:b IN ('x', 'y')]"),
    ("[a:b IN ()]", ""),
    ("[a:b NOT IN (true, false)]", ""),
    ("[a:b LIKE 'x%_']", ""),
    ("[a:b NOT LIKE 'x']", ""),
    (r"[a:b MATCHES '^\\d+$']", ""),
    ("[a:b NOT MATCHES 'x']", ""),
    ("[a:b ISSUBSET '198.51.100.0/24']", ""),
    ("[a:b NOT ISSUBSET '2001:db8::/32']", ""),
    ("[a:b ISSUPERSET '198.51.100.7']", ""),
    ("[a:b NOT ISSUPERSET '::1/128']", "[a:b NOT ISSUPERSET '::1']"),
    ("[EXISTS a:b]", ""),
    ("[NOT EXISTS a:b]", ""),
    // paths (§9.7)
    ("[file:hashes.'SHA-256' = 'x']", ""),
    ("[file:hashes.'MD5' = 'x']", "[file:hashes.MD5 = 'x']"),
    ("[a:'b-c'.'d e' = 1]", ""),
    ("[a:'AND' = 1 OR a:'true' = 1]", ""),
    ("[a:b[0] = 1]", ""),
    ("[a:b[*][-1].c = 1]", ""),
    ("[a : b . c = 1]", "[a:b.c = 1]"),
    ("[x-my_type:x_prop.h = 1 OR a:t = 1 OR a:b = 1]", ""),
    ("[network-traffic:src_ref.value = 'x' OR a:m_refs[*].n_ref.v = 1]", ""),
    ("[A:B = 1]", ""),
    // comparisons (§9.6)
    ("[a:b = 1 OR a:c = 2 AND a:d = 3]", ""),
    ("[(a:b = 1 OR a:c = 2) AND a:d = 3]", ""),
    ("[a:b = 1 AND (a:c = 2 AND a:d = 3)]", ""),
    ("[((a:b = 1))]", "[a:b = 1]"),
    ("[a:b = 1 AND b:c = 2]", ""),
    // observations (§9.5)
    ("[a:b = 1] AND [a:b = 2] OR [a:b = 3] FOLLOWEDBY [a:b = 4]", ""),
    ("[a:b = 1] AND ([a:b = 2] OR [a:b = 3])", ""),
    ("[a:b = 1] FOLLOWEDBY ([a:b = 2] FOLLOWEDBY [a:b = 3])", ""),
    ("([a:b = 1])", "[a:b = 1]"),
    ("[a:b=1]REPEATS 9 TIMES", "[a:b = 1] REPEATS 9 TIMES"),
    ("[a:b = 1] WITHIN 5 SECONDS", ""),
    ("[a:b = 1] WITHIN 0.5 SECONDS", ""),
    ("[a:b = 1] WITHIN 5.0 SECONDS", "[a:b = 1] WITHIN 5 SECONDS"),
    ("[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'", ""),
    ("[a:b = 1] REPEATS 2 TIMES WITHIN 60 SECONDS", ""),
    ("([a:b = 1] AND [a:b = 2]) WITHIN 60 SECONDS WITHIN 5 SECONDS", ""),
    ("([a:b = 1] REPEATS 2 TIMES) REPEATS 3 TIMES", "([a:b = 1]) REPEATS 2 TIMES REPEATS 3 TIMES"),
    ("[a:b = 1] AND [a:b = 2] WITHIN 5 SECONDS", ""),
    // blanks and comments
    (" \t[a:b = 1] /* so */ // and so", "[a:b = 1]"),
    ("[a:b\u{a0}=\u{3000}1]\n AND\r\n[a:b = 2]", "[a:b = 1] AND [a:b = 2]"),
    // the standard's examples (§9.8)
    (
        "[email-message:from_ref.value MATCHES '.+\\\\@example\\\\.com$' AND email-message:body_multipart[*].body_raw_ref.name MATCHES '^Final Report.+\\\\.exe$']",
        "",
    ),
    (
        "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f' AND file:mime_type = 'application/x-pdf']",
        "",
    ),
    (
        "[file:hashes.'SHA-256' = 'bf07a7fbb825fc0aae7bf4a1177b2b31fcf8a3feeaf7092761e18c859ee52a9c' OR file:hashes.MD5 = 'cead3f77f6cda6ec00f57d76c9a6879f'] AND [file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
        "",
    ),
    (
        "([file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] FOLLOWEDBY [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\foo\\\\bar']) WITHIN 300 SECONDS",
        "",
    ),
    (
        "[user-account:account_type = 'unix' AND user-account:user_id = '1007' AND user-account:account_login = 'Peter'] AND [user-account:account_type = 'unix' AND user-account:user_id = '1008' AND user-account:account_login = 'Paul']",
        "",
    ),
    (
        "[artifact:mime_type = 'application/vnd.tcpdump.pcap' AND artifact:payload_bin MATCHES '\\\\xd4\\\\xc3\\\\xb2\\\\xa1\\\\x02\\\\x00\\\\x04\\\\x00']",
        "",
    ),
    ("[file:name = 'foo.dll' AND file:parent_directory_ref.path = 'C:\\\\Windows\\\\System32']", ""),
    ("[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]", ""),
    ("[file:mime_type = 'image/bmp' AND file:magic_number_hex = h'ffd8']", ""),
    ("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.33/32']", ""),
    (
        "[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'example.com'] REPEATS 5 TIMES WITHIN 1800 SECONDS",
        "",
    ),
    ("[domain-name:value = 'www.5z8.info' AND domain-name:resolves_to_refs[*].value = '198.51.100.1/32']", ""),
    ("[url:value = 'http://example.com/foo' OR url:value = 'http://example.com/bar']", ""),
    (
        "[x509-certificate:issuer = 'CN=WEBMAIL' AND x509-certificate:serial_number = '4c:0b:1d:19:74:86:a7:66:b4:1a:bf:40:27:21:76:28']",
        "",
    ),
    ("[(file:name = 'pdf.exe' OR file:size = 371712) AND file:created = t'2014-01-13T07:03:17Z']", ""),
    ("[email-message:sender_ref.value = 'jdoe@example.com' AND email-message:subject = 'Conference Info']", ""),
    ("[x-usb-device:usbdrive.serial_number = '575833314133343231313937']", ""),
    (
        "[process:command_line MATCHES '^.+>-add GlobalSign.cer -c -s -r localMachine Root$'] FOLLOWEDBY [process:command_line MATCHES '^.+>-add GlobalSign.cer -c -s -r localMachineTrustedPublisher$'] WITHIN 300 SECONDS",
        "",
    ),
    (
        "[network-traffic:dst_ref.value ISSUBSET '2001:0db8:dead:beef:0000:0000:0000:0000/64']",
        "[network-traffic:dst_ref.value ISSUBSET '2001:db8:dead:beef::/64']",
    ),
    (
        "([file:name = 'foo.dll'] AND [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\foo\\\\bar']) OR [process:name = 'fooproc' OR process:name = 'procfoo']",
        "[file:name = 'foo.dll'] AND [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\foo\\\\bar'] OR [process:name = 'fooproc' OR process:name = 'procfoo']",
    ),
];

#[test]
fn patterns_are_read_and_written_canonically() {
    for (text, canonical) in VALID {
        let pattern = parse(text, Mode::Strict).unwrap_or_else(|e| panic!("{text}\n{e}"));
        let canonical = if canonical.is_empty() { text } else { canonical };
        assert_eq!(&pattern.to_string(), canonical);
        assert_eq!(parse(canonical, Mode::Strict).unwrap(), pattern, "{text}");
        let tolerant = parse(text, Mode::Tolerant).unwrap();
        assert_eq!(tolerant, pattern, "{text}");
        assert!(tolerant.notes().is_empty(), "nothing to tolerate in {text}");
    }
}

#[test]
fn qualifiers_belong_to_what_stands_before_them() {
    let pattern = parse("[a:b = 1] FOLLOWEDBY [a:b = 2] WITHIN 5 SECONDS", Mode::Strict).unwrap();
    let Observing::FollowedBy(all) = pattern.root() else { panic!("{pattern:?}") };
    assert!(matches!(&all[1], Observing::Qualified { qualifier: Qualifier::Within(_), .. }), "{pattern:?}");
    let pattern = parse("[a:b = 1] OR [a:b = 2] AND [a:b = 3] FOLLOWEDBY [a:b = 4]", Mode::Strict).unwrap();
    let Observing::FollowedBy(all) = pattern.root() else { panic!("{pattern:?}") };
    let Observing::Or(all) = &all[0] else { panic!("{pattern:?}") };
    assert!(matches!(&all[1], Observing::And(_)), "AND binds tighter than OR, OR than FOLLOWEDBY");
}

/// What is no pattern, the byte where, and part of the message.
const INVALID: &[(&str, usize, &str)] = &[
    ("", 0, "the pattern is empty"),
    ("   ", 3, "the pattern is empty"),
    ("file:size = 1280", 0, "an expression in brackets should stand here, not `file`"),
    ("[file:size = ]", 13, "a constant should stand after =, not `]`"),
    ("[file:hashes.MD5 = cead3f77f6cda6ec00f57d76c9a6879f]", 19, "text stands in single quotes"),
    ("[file.size = 1280]", 5, "a colon should stand here, not `.`"),
    (r"[file:name MATCHES /.*\.dll/]", 19, "can't stand here"),
    ("[a:b = 1] WITHIN ]", 17, "a number of seconds should stand here"),
    ("[a:b = 1] WITHIN 5 HOURS", 19, "seconds are the only unit"),
    ("[a:b = 1] WITHIN -5 SECONDS", 17, "more than 0"),
    ("[a:b = 1] WITHIN 0 SECONDS", 17, "more than 0"),
    ("[a:b = 1] REPEATS 0 TIMES", 18, "at least 1"),
    ("[a:b = 1] REPEATS 1.5 TIMES", 18, "at least 1"),
    ("[a:b = 1] REPEATS 5000000000 TIMES", 18, "at least 1"),
    ("[a:b ISSUBSET ]", 14, "a string should stand after ISSUBSET"),
    ("[a:b ISSUBSET 'x']", 14, "no address or network"),
    ("[a:b ISSUBSET '1.2.3.0/33']", 14, "no address or network"),
    ("[a:b =? 'x']", 6, "'?' can't stand here"),
    ("[a:b = t'2457-73-22T32:81:84.1Z']", 7, "no such day or hour"),
    ("[a:b = t'2023-02-29T12:00:00Z']", 7, "no such day or hour"),
    ("[a:b = t'2024-01-15T12:30:45']", 7, "not YYYY-MM-DDThh:mm:ssZ"),
    ("[a:b = t'2024-01-15T12:30:45.Z']", 7, "not YYYY-MM-DDThh:mm:ssZ"),
    ("[a:b = t'2024-01-15t12:30:45z']", 7, "not YYYY-MM-DDThh:mm:ssZ"),
    ("[a:b = b'====']", 7, "no base64"),
    ("[a:b = b'']", 7, "no base64"),
    ("[a:b = h'f']", 7, "no hexadecimal"),
    ("[a:b = h'fg']", 7, "no hexadecimal"),
    ("[a:b = h'ff]", 7, "no end"),
    ("[a:b = 1] within 2 SECONDS", 10, "the pattern should end here, not `within`"),
    ("[a:b = 1 and a:c = 2]", 9, "the comparison should end here, not `and`"),
    ("[a:b like 'x']", 5, "keywords are written in capitals"),
    ("[a:b = TRUE]", 7, "true and false are written in small letters"),
    ("[a:b > true]", 7, "no order"),
    ("[a:b = 01]", 7, "begins with no zero"),
    ("[a:b = 1.]", 7, "no number"),
    ("[a:b = 1.5e3]", 7, "no number"),
    ("[a:b = 99999999999999999999]", 7, "too large"),
    ("[a:b = -]", 7, "can't stand here"),
    (r"[a:b = 'x\d']", 9, "escapes nothing"),
    ("[a:b = 'x]", 7, "no end"),
    ("[a:b = \"x\"]", 7, "begins no string"),
    ("[a:b = 1] /* x", 10, "no end"),
    ("[a:b.c-d = 1]", 5, "needs quotes in a path: c-d"),
    ("[a:AND = 1]", 3, "reserved"),
    ("[a:true = 1]", 3, "reserved"),
    ("[a:b.NOT = 1]", 5, "reserved"),
    ("[AND:b = 1]", 1, "a type of object should stand here"),
    ("[1a:b = 1]", 1, "no number"),
    ("[é:b = 1]", 1, "can't stand here"),
    ("[a:b[x] = 1]", 5, "a place in a list should stand here"),
    ("[a:b[1 = 1]", 7, "the list step should be closed"),
    ("[NOT a:b = 1]", 1, "NOT can't stand before a path"),
    ("[EXISTS (a:b)]", 8, "a type of object should stand here"),
    ("[a:b IN 1]", 8, "a set should stand after IN"),
    ("[a:b IN (1, 'x')]", 12, "another type"),
    ("[a:b IN (1 2)]", 11, "the set should go on"),
    ("[a:b LIKE h'aa']", 10, "a string should stand after LIKE"),
    ("[a:b ! 1]", 5, "no operator"),
    ("[a:b]", 4, "an operator should stand here"),
    ("[a:b = 1", 8, "the comparison should end here, not the end"),
    ("[(a:b = 1]", 9, "the parenthesis should be closed"),
    ("([a:b = 1]", 10, "the parenthesis should be closed"),
    ("[a:b = 1]]", 9, "the pattern should end here"),
    ("[a:b = 1])", 9, "one ) too many"),
    ("[a:b = 1] [a:b = 2]", 10, "join expressions"),
    ("[a:b = 1] AND", 13, "an expression in brackets should stand here, not the end"),
    ("[a:b = 1] START '2016-06-01T00:00:00Z' STOP '2016-06-01T00:00:00Z'", 16, "a time should stand here"),
    ("[a:b = 1] START t'2016-06-01T00:00:00Z'", 39, "STOP should stand here"),
    ("[a:b = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS", 27, "the qualifier is there twice"),
    ("([a:b = 1] REPEATS 2 TIMES REPEATS 3 TIMES)", 27, "the qualifier is there twice"),
    (r"[a:b MATCHES 'x(?=y)']", 15, "look-ahead can't be used"),
    (r"[a:b MATCHES '\\\\(?<!y)']", 18, "look-behind can't be used"),
    (r"[a:b MATCHES '(a)\\1']", 17, "back-references can't be used"),
    (r"[a:b MATCHES '(']", 13, "no regular expression that can be used"),
    (r"[a:b MATCHES 'a{999}{999}']", 13, "too large"),
];

#[test]
fn errors_say_what_where_and_how() {
    for (text, at, message) in INVALID {
        let error = match parse(text, Mode::Strict) {
            Ok(pattern) => panic!("{text} was read as {pattern}"),
            Err(error) => error,
        };
        assert_eq!(error.span().start, *at, "{error}");
        let told = format!("{} {}", error.what(), error.mend());
        assert!(told.contains(message), "{message:?} is not in:\n{error}");
        assert!(!error.mend().is_empty(), "{error}");
    }
}

#[test]
fn errors_show_the_line_with_a_caret_under_the_place() {
    let show = |text: &str| parse(text, Mode::Strict).unwrap_err().to_string();
    assert_eq!(
        show("[file:size = ]"),
        "a constant should stand after =, not `]` (line 1, column 14, byte 13)\n  |\n1 | [file:size = ]\n  |              ^\n  \
         = constants are 12, 1.5, 'text', true, false, t'2026-01-31T12:00:00Z', h'ffd8' and b'dGVzdA=='"
    );
    assert_eq!(
        show("[file:name = 'é'] AND\n[file:hashes.SHA-256 = 'x']"),
        "a name with a hyphen needs quotes in a path: SHA-256 (line 2, column 14, byte 36)\n  |\n\
         2 | [file:hashes.SHA-256 = 'x']\n  |              ^^^^^^^\n  = write 'SHA-256' (tolerant mode takes it without)"
    );
    assert_eq!(
        show("[a:b = 'é\u{202e}\t' AND a:b MATCHES 'x(?=y)z']"),
        "look-ahead can't be used (line 1, column 32, byte 34)\n  |\n1 | [a:b = 'é\u{fffd} ' AND a:b MATCHES 'x(?=y)z']\n  \
         |                                ^^^\n  = expressions run in linear time, without looking around or back; \
         say it with AND, NOT MATCHES or plain groups"
    );
    // A long line is cut on both sides.
    let long = show(&format!("[a:b = '{}' OR a:c = ? OR a:b = '{}']", "x".repeat(500), "y".repeat(500)));
    assert!(long.lines().all(|line| line.chars().count() < 140), "{long}");
    let (excerpt, caret) = (long.lines().nth(2).unwrap(), long.lines().nth(3).unwrap());
    assert_eq!(excerpt.chars().nth(caret.chars().count() - 1), Some('?'), "{long}");
    assert!(excerpt.contains('…') && excerpt.ends_with('…'));
}

#[test]
fn what_other_tools_write_is_read_in_tolerant_mode_and_noted() {
    for (text, canonical, leniency) in [
        (r"[a:b = 'C:\Windows']", r"[a:b = 'C:\\Windows']", Leniency::LoneBackslash),
        (r"[a:b MATCHES '\d+']", r"[a:b MATCHES '\\d+']", Leniency::LoneBackslash),
        ("[a:b = \"it's\"]", r"[a:b = 'it\'s']", Leniency::Quotes),
        ("[a:b = \u{2018}x\u{2019}]", "[a:b = 'x']", Leniency::Quotes),
        ("[a:b = 1] and [a:b = 2]", "[a:b = 1] AND [a:b = 2]", Leniency::LetterCase),
        ("[a:b like 'x']", "[a:b LIKE 'x']", Leniency::LetterCase),
        ("[exists a:b]", "[EXISTS a:b]", Leniency::LetterCase),
        ("[a:b = True]", "[a:b = true]", Leniency::LetterCase),
        ("[file:hashes.SHA-256 = 'x']", "[file:hashes.'SHA-256' = 'x']", Leniency::UnquotedKey),
        (
            "[a:b = 1] START '2016-06-01T00:00:00Z' STOP '2016-07-01T00:00:00Z'",
            "[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'",
            Leniency::PlainTime,
        ),
        ("[NOT a:b = 1]", "[a:b NOT = 1]", Leniency::LeadingNot),
        ("[a:b IN (1, 'x')]", "[a:b IN (1, 'x')]", Leniency::MixedSet),
    ] {
        assert!(parse(text, Mode::Strict).is_err(), "{text}");
        let pattern = parse(text, Mode::Tolerant).unwrap_or_else(|e| panic!("{text}\n{e}"));
        assert_eq!(pattern.to_string(), canonical);
        assert!(pattern.notes().iter().any(|note| note.leniency == leniency), "{text}: {:?}", pattern.notes());
    }
    let pattern = parse("[exists:like = 1 AND a:in = 2]", Mode::Tolerant).unwrap();
    assert!(pattern.notes().is_empty(), "names in small letters stay names: {:?}", pattern.notes());
}

#[test]
fn limits_are_errors_and_never_a_full_stack() {
    let long = format!("[a:b = '{}']", "x".repeat(MAX_LENGTH));
    assert!(parse(&long, Mode::Strict).unwrap_err().what().contains("at most 65536"));
    for (open, inner, close) in [("(", "[a:b = 1]", ")"), ("", "[", "")] {
        let nested = |n: usize| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
        if open.is_empty() {
            let deep = |n: usize| format!("[{}a:b = 1{}]", "(".repeat(n), ")".repeat(n));
            assert!(parse(&deep(MAX_DEPTH - 1), Mode::Strict).is_ok());
            assert!(parse(&deep(30_000), Mode::Strict).unwrap_err().what().contains("nest deeper"));
        } else {
            assert!(parse(&nested(MAX_DEPTH - 1), Mode::Strict).is_ok());
            assert!(parse(&nested(20_000), Mode::Strict).unwrap_err().what().contains("nest deeper"));
        }
    }
    assert!(parse(&"(".repeat(60_000), Mode::Strict).is_err());
    let qualifiers = format!("([a:b = 1]){}", " WITHIN 1 SECONDS".repeat(3_000));
    assert!(parse(&qualifiers, Mode::Strict).unwrap_err().what().contains("more than 16 qualifiers"));
    let path = format!("[a:b{} = 1]", ".c".repeat(20_000));
    assert!(parse(&path, Mode::Strict).unwrap_err().what().contains("64 steps"));
    let wide = format!("[a:b = 1]{}", " OR [a:b = 1]".repeat(5_000));
    assert_eq!(parse(&wide, Mode::Strict).unwrap().leaves().len(), 5_001);
}

#[test]
fn what_nobody_means_is_a_warning() {
    for (text, warning) in [
        ("[a:b = 1 AND c:d = 2]", Some("different objects (a, c)")),
        ("[a:b = 1 AND (a:b = 2 OR c:d = 2)]", None),
        ("[(a:b = 1 OR c:b = 1) AND (d:b = 2 OR e:d = 2)]", Some("different objects (a, c, d, e)")),
        ("[file:hashes.'SHA-256' = 'f00']", Some("64 hexadecimal digits")),
        ("[file:hashes.MD5 IN ('d41d8cd98f00b204e9800998ecf8427e', 'x')]", Some("32 hexadecimal digits")),
        ("[file:hashes.MD5 LIKE 'd41d%']", None),
        ("[a:b = 1] START t'2020-01-01T00:00:00Z' STOP t'2020-01-01T00:00:00Z'", Some("never matches")),
    ] {
        let warnings = parse(text, Mode::Strict).unwrap().warnings();
        match warning {
            Some(warning) => assert!(warnings.iter().any(|w| w.what.contains(warning)), "{text}: {warnings:?}"),
            None => assert!(warnings.is_empty(), "{text}: {warnings:?}"),
        }
    }
}

#[test]
fn atoms_are_the_values_asked_for() {
    let text = "[file:hashes.'SHA-256' = 'x' AND file:size != 5] OR [a:b IN (1, 2) OR a:c NOT IN ('z') OR a:d NOT = true \
                OR a:e NOT != 'n' OR a:f LIKE 'l']";
    let pattern = parse(text, Mode::Strict).unwrap();
    let atoms: Vec<String> = pattern
        .atoms()
        .map(|a| format!("{}:{} {} {}", a.object, a.property, if a.positive { "is" } else { "is not" }, a.constant))
        .collect();
    assert_eq!(
        atoms,
        [
            "file:hashes.'SHA-256' is 'x'",
            "file:size is not 5",
            "a:b is 1",
            "a:b is 2",
            "a:c is not 'z'",
            "a:d is not true",
            "a:e is 'n'"
        ]
    );
}
