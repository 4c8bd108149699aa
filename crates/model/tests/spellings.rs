//! Equal things are equal in all their spellings; names that look alike have one key.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_model::observable::{Observable, Reach, Type, extract, guess, lookalike, misp_type, normalise};
use proptest::prelude::*;

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().filter(|line| !line.starts_with("# ")).map(|line| line.split('\t').collect())
}

fn plain(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\\\", "\\")
}

#[test]
fn every_spelling_has_its_normal_form() {
    let (mut count, mut wrong) = (0, Vec::new());
    for row in rows(include_str!("data/spellings.tsv")) {
        let [name, spelling, normal] = row[..] else { panic!("{row:?}") };
        let (spelling, normal) = (plain(spelling), plain(normal));
        count += 1;
        match normalise(Type::by_name(name).unwrap(), &spelling) {
            Ok(observable) if observable.value() == normal => {}
            other => wrong.push(format!("{name} {spelling:?} is {other:?}, should be {normal:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 300, "{count}");
}

#[test]
fn names_that_look_alike_have_one_key() {
    let (mut alike, mut wrong) = (0, Vec::new());
    for row in rows(include_str!("data/lookalikes.tsv")) {
        let [kind, a, b] = row[..] else { panic!("{row:?}") };
        let same = lookalike(a) == lookalike(b);
        alike += usize::from(kind == "alike");
        if same != (kind == "alike") {
            wrong.push(format!("{a} {b}: {:?} {:?} should be {kind}", lookalike(a), lookalike(b)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(alike >= 60, "{alike}");
}

#[test]
fn what_is_no_value_is_an_error_that_says_so() {
    for (name, text, reason) in [
        ("ipv4", "1.2.3.256", "0 to 255"),
        ("ipv4", "01.2.3.4", "octal"),
        ("domain", "evil", "one label"),
        ("domain", "a..b.com", "empty"),
        ("domain", "evil.com/x", "URL"),
        ("sha256", "d41d8cd98f00b204e9800998ecf8427e", "wrong number of digits"),
        ("md5", "zz1d8cd98f00b204e9800998ecf8427e", "0-9 and a-f"),
        ("imei", "490154203237519", "check digit"),
        ("network", "10.0.0.0/33", "at most 32"),
        ("network", "10.0.0.0/255.0.255.0", "holes"),
        ("port", "70000", "65535"),
        ("email", "nobody", "no @"),
        ("text", "", "empty"),
        ("text", "a\0b", "NUL"),
    ] {
        let error = normalise(Type::by_name(name).unwrap(), text).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn reach_is_the_way_to_the_neighbours() {
    let reach = |text: &str| guess(text).unwrap().reach().unwrap();
    assert_eq!(reach("www.evil.com"), Reach::Name("com.evil.www".into()));
    assert_eq!(reach("https://user@www.evil.com:8443/x"), Reach::Name("com.evil.www".into()));
    assert_eq!(reach("bad@evil.com"), Reach::Name("com.evil".into()));
    let Reach::Net { addr, len } = reach("10.1.0.0/16") else { panic!() };
    assert_eq!((len, &addr[10..]), (112, &[0xff, 0xff, 10, 1, 0, 0][..]));
    assert!(matches!(reach("http://198.51.100.7/x"), Reach::Net { len: 128, .. }));
    assert_eq!(reach("*.evil.com"), Reach::Name("com.evil".into()), "what it covers is below the same name");
}

#[test]
fn what_is_only_below_a_name_is_another_value_than_the_name() {
    let ty = Type::by_name("domain").unwrap();
    let below = normalise(ty, "*[.]B\u{fc}cher.Example.").unwrap();
    assert_eq!((below.value(), below.below()), ("*.xn--bcher-kva.example", Some("xn--bcher-kva.example")));
    assert_eq!(normalise(ty, below.value()).unwrap(), below);
    assert_eq!(normalise(ty, ".evil.com").unwrap().below(), None);
    assert_eq!(below.lookalike(), normalise(ty, "b\u{fc}cher.example").unwrap().lookalike());
    for bad in ["*.com", "*.", "*", "*.*.evil.com", "a.*.evil.com", "*evil.com"] {
        assert!(normalise(ty, bad).is_err(), "{bad}");
    }
    assert!(guess("*.co.uk").is_none() && guess("*.evil.co.uk").is_some());
    let path = normalise(Type::by_name("filename").unwrap(), "*.evil.exe").unwrap();
    assert_eq!(path.below(), None, "no name");
}

#[test]
fn a_report_gives_its_values_and_nothing_else() {
    let text = "Dear colleagues,\n\
        on 2026-11-24 we saw hxxps://evil[.]example[.]com/login.php?id=1 (resolves to 198.51.100[.]7:8443).\n\
        The dropper invoice.zip (MD5: d41d8cd98f00b204e9800998ecf8427e) calls cdn.bad-site[.]com, see CVE-2024-12345.\n\
        Contact: analyst[at]cert[.]my. Version 1.2.3, e.g. in section 4.5.End\n\
        عنوان الخادم \u{2066}203.0.113.9\u{2069}، والنطاق مثال.com.\n\
        [2001:db8::1] was quiet. Price 3.14, file C:\\Windows\\system32\\cmd.exe";
    let found: Vec<String> = extract(text).map(|f| format!("{} {}", f.observable.ty(), f.observable)).collect();
    let expected = [
        "url https://evil.example.com/login.php?id=1",
        "ipv4 198.51.100.7",
        "md5 d41d8cd98f00b204e9800998ecf8427e",
        "domain cdn.bad-site.com",
        "cve CVE-2024-12345",
        "email analyst@cert.my",
        "ipv4 203.0.113.9",
        "domain xn--mgbh0fb.com",
        "ipv6 2001:db8::1",
    ];
    assert_eq!(found, expected);
    for f in extract(text) {
        assert!(text.is_char_boundary(f.start) && text.is_char_boundary(f.end) && f.start < f.end);
    }
}

#[test]
fn defanging_is_undone_again() {
    for token in ["evil.com", "http://evil.com/a.b?c=d.e", "198.51.100.7", "a.b@evil.com"] {
        let observable = guess(token).unwrap();
        assert_ne!(observable.defang(), observable.value());
        assert_eq!(guess(&observable.defang()).unwrap(), observable);
    }
}

fn shapes() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "[a-zA-Z0-9.\\[\\](){}@:/%_-]{1,60}",
        "(hxxp|http|https|ftp)://[a-zA-Z0-9.-]{1,20}(:[0-9]{1,5})?/[a-zA-Z0-9%./?=&#-]{0,30}",
        "[0-9]{1,3}(\\.|\\[\\.\\])[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}(/[0-9]{1,2}|:[0-9]{1,5})?",
        "[0-9a-fA-F:]{2,39}(/[0-9]{1,3})?",
        "[0-9a-fA-F]{32}",
        "[0-9a-fA-F]{40}",
        "[0-9a-fA-F]{64}",
        "\\PC{1,20}\\.(com|рф|مصر)",
        "(AS|as|CVE-|cve-)[0-9]{1,10}(-[0-9]{1,7})?",
        "\\+?[0-9 ()-]{5,18}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn normalising_is_idempotent(text in shapes()) {
        for ty in Type::all() {
            if let Ok(once) = normalise(ty, &text) {
                let twice = normalise(ty, once.value());
                // IPv4 in IPv6's clothes is IPv4.
                prop_assert_eq!(twice.as_ref().map(Observable::value), Ok(once.value()), "{} {:?}", ty, text);
                prop_assert!(!once.value().is_empty());
                let _ = (once.reach(), once.lookalike(), once.defang());
            }
        }
    }

    #[test]
    fn guessing_and_extracting_are_no_panic(text in ".*") {
        let _ = guess(&text);
        let _ = lookalike(&text);
        for found in extract(&text) {
            prop_assert!(text.get(found.start..found.end).is_some());
        }
        for ty in manara_model::observable::misp_types() {
            let _ = manara_model::observable::from_misp(ty, &text);
        }
    }

    #[test]
    fn a_guess_is_the_same_again(text in shapes()) {
        if let Some(once) = guess(&text) {
            prop_assert_eq!(guess(once.value()), Some(once));
        }
    }
}

#[test]
fn a_misp_value_resolves_whatever_its_case() {
    let ty = misp_type("hostname|port").unwrap();
    let (found, errors) = manara_model::observable::from_misp(ty, "EVIL.com|443");
    assert!(errors.is_empty());
    assert_eq!(found[0].value(), "evil.com");
}
