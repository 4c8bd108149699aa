//! The page says what was so in this search, and the same in each of its places.

#![allow(clippy::unwrap_used)]

mod page;

use manara_hunt::report::Report;
use manara_hunt::{Share, Tally};
use page::{bad_day, calm, html, report};

#[test]
fn what_was_left_out_as_allowed_is_said_near_the_top() {
    let mut tally = calm();
    assert!(!html(&report(&tally, "en")).contains("harmless values names them."));
    tally.totals.left_out = 12;
    let page = html(&report(&tally, "en"));
    let at = page.find("12 finds were left out, because a list of harmless values names them.").unwrap();
    assert!(at < page.find("<h2>").unwrap());
    assert!(
        page.contains(
            "none of the 18,000 signs on the list appears in any of its spellings, but for what was left out"
        )
    );
    let page = html(&report(&bad_day(), "en"));
    assert!(page.find("4 finds were left out").unwrap() < page.find("<h2>").unwrap());
}

#[test]
fn unchanged_logs_are_no_wrong_files() {
    let tally = Tally::default();
    let page = html(&Report { only_new: true, unchanged: 3, ..report(&tally, "en") });
    assert!(page.contains("Nothing new since the last search") && page.contains("The logs have not changed"));
    assert!(!page.contains("Nothing was read") && !page.contains("right files"));
    let page = html(&Report { only_new: true, ..report(&tally, "en") });
    assert!(page.contains("Nothing was read") && page.contains("right files"), "no log is there at all");
}

#[test]
fn an_address_says_one_thing_in_both_places() {
    let mut tally = bad_day();
    tally.indicators.retain(|one| one.kind == "ipv4");
    tally.hosts.truncate(1);
    tally.hosts[0].kinds = [("ipv4".into(), 12)].into();
    let called = html(&report(&tally, "en"));
    assert!(called.contains("<h3>Weak signs only") && !called.contains("<h3>Strong signs"));
    assert!(called.contains("no line shows that they went to it themselves") && !called.contains("do not unplug it"));
    tally.hosts[0].went = 1;
    let went = html(&report(&tally, "en"));
    assert!(went.contains("<h3>Strong signs") && !went.contains("<h3>Weak signs only"));
    assert!(went.contains("that computer then stands above under “Strong signs”"));
    assert!(went.contains("off the network.</b>") && went.contains("Change passwords"));
    // A machine that others go through is not to be unplugged: with the step, and with the machines.
    assert_eq!(went.matches("a proxy or a router through which others go, do not unplug it").count(), 2);
}

#[test]
fn a_node_that_is_told_is_named() {
    let tally = bad_day();
    for (code, nowhere, told) in [
        ("en", "sends nothing anywhere", "no line of a log"),
        ("fr", "n’envoie rien", "aucune ligne d’un journal"),
        ("ar", "ولا يرسل شيئًا", "دون أي سطر"),
    ] {
        let page = html(&report(&tally, code));
        assert!(page.contains(nowhere) && !page.contains(told), "{code}");
        let page = html(&Report { told: Some("node.cert.example"), ..report(&tally, code) });
        assert!(!page.contains(nowhere) && page.contains(told) && page.contains("node.cert.example"), "{code}");
    }
}

#[test]
fn a_list_of_urls_is_said_not_to_be_seen_in_paths() {
    let mut tally = calm();
    for (urls, said) in [(9000, false), (9001, true)] {
        tally.totals.urls = urls;
        assert_eq!(html(&report(&tally, "en")).contains("logs that have only paths"), said, "{urls}");
    }
}

#[test]
fn steps_speak_of_machines_that_are_listed() {
    let mut tally = bad_day();
    // A single visit to a much visited name, by a machine that is listed.
    tally.indicators.truncate(1);
    tally.indicators[0].indicator = "google.com".into();
    tally.indicators[0].count = 1;
    tally.hosts.truncate(1);
    tally.hosts[0].kinds = [("domain".into(), 1)].into();
    tally.hosts[0].indicators = vec![Share { indicator: "google.com".into(), kind: "domain".into(), count: 1 }];
    let page = html(&report(&tally, "en"));
    assert!(page.contains("with weak signs") && !page.contains("Find out which computer it was"));
    tally.hosts.clear();
    let page = html(&report(&tally, "en"));
    assert!(page.contains("from a computer that you trust") && !page.contains("the computers listed below"));
    let page = html(&report(&bad_day(), "en"));
    assert!(page.contains("the computers listed below") && !page.contains("from a computer that you trust"));
}

#[test]
fn names_of_types_and_colons_are_of_the_language() {
    let tally = bad_day();
    let page = html(&report(&tally, "fr"));
    assert!(page.contains("Signalé dans\u{202f}:") && page.contains("Quand\u{202f}:") && !page.contains("Quand:"));
    assert!(page.contains("<bdi>nom de domaine</bdi>") && page.contains("<bdi>sha256</bdi>"));
    let page = html(&report(&tally, "ar"));
    for kind in ["domain", "url", "ipv4", "email", "filename", "asn", "cve"] {
        assert!(!page.contains(&format!("<bdi>{kind}</bdi>")), "{kind}");
    }
}
