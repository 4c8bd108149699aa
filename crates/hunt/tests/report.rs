//! The page for the owner of the logs: the same as yesterday in each language, safe whatever logs hold, and small.

#![allow(clippy::unwrap_used)]

mod page;

use jiff::civil::{Date, date};
use manara_hunt::report::{Report, SIGNS};
use manara_hunt::{Beyond, Details, Example, HostTally, IndicatorTally, Share, Tally};
use page::{bad_day, calm, html, place, report};

/// Compares with a file beside this one; `UPDATE=1` writes it anew. The sheet is left out.
fn same(name: &str, page: &str) {
    let (start, rest) = page.split_once("<style>").unwrap();
    let (_, end) = rest.split_once("</style>").unwrap();
    let start = start.split_once("sha256-").map(|(a, b)| format!("{a}sha256-…{}", &b[44..])).unwrap();
    let now = format!("{start}<style></style>{end}");
    let path = format!("{}/tests/report/{name}.html", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    for (n, (now, before)) in now.lines().zip(before.lines()).enumerate() {
        assert_eq!(now, before, "line {} of {path} (UPDATE=1 writes it anew)", n + 1);
    }
    assert_eq!(now.lines().count(), before.lines().count(), "{path}");
}

/// What is safe in any page: nothing is loaded, nothing runs, nothing can be clicked.
fn harmless(page: &str) {
    let sheet = page.split_once("</style>").unwrap().0;
    let body = page.split_once("</style>").unwrap().1;
    for never in
        ["<script", "<a ", "<img", "<link", "<iframe", "<form", "href=", "src=", "javascript:", "style=\"", "://evil"]
    {
        assert!(!body.to_lowercase().contains(never), "{never}");
    }
    assert!(!sheet.contains("url(") && !sheet.contains("@import"), "the sheet loads something");
    assert!(body.chars().all(|c| c == '\n' || !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c)));
    assert!(body.trim_end().ends_with("</html>"));
}

#[test]
fn the_page_is_the_same_in_every_language() {
    let tally = bad_day();
    let nothing = calm();
    for code in ["en", "ar", "fr"] {
        let page = html(&report(&tally, code));
        harmless(&page);
        same(&format!("found-{code}"), &page);
        let page = html(&report(&nothing, code));
        harmless(&page);
        same(&format!("nothing-{code}"), &page);
    }
}

#[test]
fn the_policy_takes_this_sheet_and_nothing_else() {
    use base64::Engine;
    use sha2::Digest;
    let tally = bad_day();
    let page = html(&report(&tally, "en"));
    let sheet = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(sheet));
    assert!(page.contains(&format!("content=\"default-src 'none'; style-src 'sha256-{hash}';")));
    assert!(page.find("Content-Security-Policy").unwrap() < page.find("<style>").unwrap());
}

#[test]
fn hostile_text_stays_text() {
    let evil = "</pre><script>alert(1)</script>\u{202e}gnp.exe\u{0}\u{1b}[31m &quot; \"><img src=x onerror=alert(1)> {{ 7*7 }} http://evil.example/";
    let mut tally = bad_day();
    let name = String::from_utf8_lossy(b"logs/\xff\xfe<b>.log").into_owned();
    for one in &mut tally.indicators {
        one.indicator = evil.into();
        one.kind = "\"><script>".into();
        one.first.file.clone_from(&name);
        one.examples = vec![Example { place: place(evil, 1), text: evil.into() }];
        one.details = Some(Details {
            records: vec![evil.into()],
            tags: vec![evil.into()],
            marking: Some(evil.into()),
            titles: vec![evil.into()],
            says: vec![evil.into()],
        });
    }
    tally.hosts[0].host = evil.into();
    tally.hosts[0].indicators[0].indicator = evil.into();
    tally.errors = vec![evil.into()];
    let mut report = report(&tally, "ar");
    // Whom to call is the word of whoever runs the search: its addresses stay as they are.
    let contact = evil.replace("http://evil.example/", "");
    report.contact = Some(&contact);
    let page = html(&report);
    assert!(page.contains("&lt;script&gt;") || page.contains("&#60;script&#62;"), "it is shown as text");
    assert!(page.contains("[U+202E]gnp.exe[U+0000][U+001B]"), "what hides is written out");
    let body = page.split_once("</style>").unwrap().1;
    assert!(!body.contains("<script") && !body.contains("<img") && !body.contains("<b>.log"));
    assert!(!body.contains("http://evil.example"), "a line's URL is defanged");
    // Each value stands in an element that keeps its direction to itself.
    assert_eq!(page.matches("<bdi").count(), page.matches("</bdi>").count());
}

#[test]
fn the_page_is_bounded() {
    let mut tally = bad_day();
    let long = "a.".repeat(4000) + "example<&\"'>";
    let one = IndicatorTally { indicator: long.clone(), ..tally.indicators[0].clone() };
    let example = Example { place: place(&long, 1), text: "<".repeat(300) };
    tally.indicators =
        (0..5000).map(|_| IndicatorTally { examples: vec![example.clone(); 3], ..one.clone() }).collect();
    tally.hosts = (0..5000).map(|_| HostTally { host: long.clone(), ..tally.hosts[0].clone() }).collect();
    tally.errors = vec![long; 1000];
    tally.days =
        (0..4000).map(|n| (date(2015, 1, 1).saturating_add(jiff::ToSpan::days(n)), 1 + n as u64 % 7)).collect();
    tally.totals.indicators = 5000;
    let page = html(&report(&tally, "en"));
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("class=\"sign\"").count(), SIGNS);
    assert!(page.contains("Only the 200 most frequent signs"));
    assert!(page.contains("4900 more are not shown"));
    assert!(page.matches("<rect").count() <= 60);
    assert!(page.contains("each bar stands for 67 days"));
    // The furthest days that there are.
    tally.days = [(Date::MIN, u64::MAX), (Date::MAX, u64::MAX)].into();
    harmless(&html(&report(&tally, "fr")));
}

#[test]
fn what_to_do_fits_what_was_found() {
    let whole = bad_day();
    let steps = |kinds: &[&str], hosts: bool| {
        let mut tally = whole.clone();
        tally.indicators.retain(|one| kinds.contains(&&*one.kind));
        for host in &mut tally.hosts {
            host.kinds.retain(|kind, _| kinds.contains(&kind.as_str()));
        }
        if !hosts {
            tally.hosts.clear();
        }
        html(&report(&tally, "en"))
    };
    let scan = steps(&["ipv4", "cve"], true);
    assert!(
        !scan.contains("off the network")
            && scan.contains("Look at the computers with weak signs")
            && scan.contains("missing updates")
    );
    let outside = steps(&["ipv4", "cve"], false);
    assert!(!outside.contains("with weak signs") && outside.contains("Find out which computer"));
    assert!(!scan.contains("Change passwords"));
    let inside = steps(&["domain"], true);
    assert!(inside.contains("off the network") && inside.contains("Change passwords"));
    assert!(!inside.contains("Answer no mail") && !inside.contains("Do not open the files"));
    // The name stands on lines that name no machine; the machines that are named have only addresses.
    let mut elsewhere = whole.clone();
    elsewhere.hosts.iter_mut().for_each(|host| host.kinds = [("ipv4".into(), host.count)].into());
    let page = html(&report(&elsewhere, "en"));
    assert!(page.contains("Find out which computer") && page.contains("Look at the computers with weak signs"));
    assert!(!page.contains("off the network."));
    let unknown = steps(&["domain", "sha256", "email"], false);
    assert!(unknown.contains("Find out which computer") && unknown.contains("Answer no mail"));
    assert!(unknown.contains("Do not open the files") && unknown.contains("No own address stands in these lines"));
}

#[test]
fn machines_stand_apart_by_what_their_signs_say() {
    let mut tally = bad_day();
    // A busy server with addresses alone comes before the one with a harmful name, by its hits.
    let busy = HostTally {
        host: "10.0.0.80".into(),
        count: 9000,
        kinds: [("ipv4".into(), 9000)].into(),
        indicators: vec![Share { indicator: "203.0.113.77".into(), kind: "ipv4".into(), count: 9000 }],
        ..HostTally::default()
    };
    tally.hosts.insert(0, busy);
    let page = html(&report(&tally, "en"));
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    let (strong, weak) = (at("<h3>Strong signs <small>One computer"), at("<h3>Weak signs only <small>2 computers"));
    let row = |host: &str| at(&format!("<th scope=\"row\"><bdi class=\"v\" dir=\"auto\">{host}"));
    assert!(strong < row("10.0.0.17") && row("10.0.0.17") < weak);
    assert!(weak < row("10.0.0.80") && row("10.0.0.80") < row("fd00::25"));
    // Days and sources of the machine, and of the indicator.
    let machine = &page[row("10.0.0.17")..weak];
    assert!(machine.contains("2026-11-20 – 2026-11-28") && machine.contains("Campaign of November"), "{machine}");
    let sign = page.split("class=\"sign\"").skip(1).find(|sign| sign.contains("evil[.]example")).unwrap();
    for part in ["2026-11-28", "Campaign of November", "Emotet", "botnet_cc"] {
        assert!(sign.contains(part), "{part}: {sign}");
    }
    // A file's name is no fingerprint, and the number of a network no address.
    let kind = |value: &str| {
        let before = &page[..page.rfind(value).unwrap()];
        before.rsplit("<h3>").next().unwrap().split(" <").next().unwrap().to_owned()
    };
    assert_eq!((kind("invoice[.]exe").as_str(), kind("AS64500").as_str()), ("Names of files", "Networks of providers"));
}

#[test]
fn how_much_was_read_is_told_in_a_unit_that_fits() {
    for (bytes, told) in
        [(0, "0 KB"), (80_000, "80 KB"), (1_500_000, "2 MB"), (512_000_000, "512 MB"), (73_000_000_000, "73 GB")]
    {
        let mut tally = bad_day();
        tally.totals.bytes = bytes;
        let page = html(&report(&tally, "en"));
        assert!(page.contains(&format!("<dt>Amount read</dt><dd>{told}</dd>")), "{told}");
    }
}

#[test]
fn what_was_not_read_is_said() {
    let mut tally = Tally { errors: vec!["gone.log: no such file".into()], ..Tally::default() };
    tally.totals.errors = 1;
    let page = html(&report(&tally, "en"));
    assert!(page.contains("Some of the logs could not be read") && page.contains("gone.log: no such file"));
    assert!(page.contains("No line was read at all") && !page.contains("All that was named was read"));
    let tally = bad_day();
    let stopped = Report { stopped: true, ..report(&tally, "en") };
    assert!(html(&stopped).contains("The search was stopped before its end"));
    let mut tally = bad_day();
    tally.beyond = Beyond { indicators: 10, indicator_hits: 1234, hosts: 3, host_hits: 9 };
    let page = html(&report(&tally, "en"));
    assert!(page.contains("1234 hits are counted above") && page.contains("3 more are not shown"));
}
