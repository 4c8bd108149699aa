//! Whatever people publish becomes an index, without a node.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::{IndexReport, IndexTerms, Indicators, files};
use manara_formats::{Input, Limits};
use manara_matching::{Builder, Index, Kind, Scanner};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn build(inputs: &mut [(Input, Option<&str>)], all: bool) -> (Index, IndexReport, Vec<&'static str>) {
    let mut indicators = Indicators::new(Builder::new(), IndexTerms { all, ..IndexTerms::default() });
    let formats = inputs.iter_mut().map(|(input, named)| indicators.read(input, *named).unwrap().name).collect();
    let (builder, report) = indicators.finish();
    (Index::from_bytes(builder.finish()).unwrap(), report, formats)
}

fn text(name: &str, content: &str, all: bool) -> (BTreeSet<(Kind, String)>, IndexReport, &'static str) {
    let input = Input::from_reader(name, content.as_bytes(), Limits::default()).unwrap();
    let (index, report, formats) = build(&mut [(input, None)], all);
    (held(&index), report, formats[0])
}

fn held(index: &Index) -> BTreeSet<(Kind, String)> {
    (0..index.len()).map(|n| (index.kind(n).unwrap(), index.text(n).to_owned())).collect()
}

fn set(values: &[(Kind, &str)]) -> BTreeSet<(Kind, String)> {
    values.iter().map(|(kind, value)| (*kind, (*value).to_owned())).collect()
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn from_file(name: &str) -> (Index, IndexReport, &'static str) {
    let input = Input::open(&fixture(name), Limits::default()).unwrap();
    let (index, report, formats) = build(&mut [(input, None)], false);
    (index, report, formats[0])
}

#[test]
fn a_csv_as_urlhaus_publishes_it() {
    let dump = "################################################################\r\n\
        # abuse.ch URLhaus Database Dump (CSV - recent URLs only)      #\r\n\
        # Last updated: 2026-11-30 08:00:00 (UTC)                      #\r\n\
        ################################################################\r\n\
        #\r\n\
        # \"id\",\"dateadded\",\"url\",\"url_status\",\"last_online\",\"threat\",\"tags\",\"urlhaus_link\",\"reporter\"\r\n\
        \"31\",\"2026-11-30 07:58:12\",\"http://198.51.100.7:4711/i\",\"online\",\"2026-11-30\",\"malware_download\",\"elf,Mozi\",\"https://urlhaus.abuse.ch/url/31/\",\"a\"\r\n\
        \"32\",\"2026-11-30 07:58:10\",\"https://evil.example.com/a,b.php?x=1\",\"offline\",\"\",\"malware_download\",\"None\",\"https://urlhaus.abuse.ch/url/32/\",\"b\"\r\n\
        \"33\",\"2026-11-30 07:58:09\",\"no URL at all\",\"offline\",\"\",\"\",\"\",\"https://urlhaus.abuse.ch/url/33/\",\"c\"\r\n\
        \"34\",\"2026-11-30 07:58:08\",\"http://last.example.net/\",\"online\",\"\",\"\",\"\",\"https://urlhaus.abuse.ch/url/34/\",\"d\"\r\n";
    let (held, report, format) = text("urlhaus.csv", dump, false);
    assert_eq!(format, "csv");
    let wanted = ["http://198.51.100.7:4711/i", "https://evil.example.com/a,b.php?x=1", "http://last.example.net/"];
    assert_eq!(held, set(&wanted.map(|url| (Kind::Url, url))));
    assert_eq!((report.rejected_total, report.rejected[0].place.as_str()), (1, "line 9"));
    assert!(!report.rejected[0].reason.contains("kept"), "{}", report.rejected[0].reason);
}

#[test]
fn a_header_says_that_it_is_a_table_whatever_stands_below() {
    let tags = |n: usize| if n.is_multiple_of(3) { "a,b,c,d,e,f,g,h,i,j" } else { "a" };
    let many =
        (0..20).map(|n| format!("\"{n}\",\"http://198.51.100.{n}/i,x\",\"{}\"\r\n", tags(n))).collect::<String>();
    let names = (0..30).map(|n| format!("beta{n}.example,phishing\n")).collect::<String>();
    let half = (0..30).map(|n| format!("http://198.51.100.{n}/i,x\nno URL,y\n")).collect::<String>();
    for (name, content, held, rejected) in [
        ("urlhaus.csv", format!("# \"id\",\"url\",\"tags\"\r\n{many}"), 20, 0),
        ("names.csv", format!("domain,threat\n{names}"), 30, 0),
        ("one.csv", "domain\nmalhost.example\n".to_owned(), 1, 0),
        ("half.csv", format!("url,threat\n{half}"), 30, 30),
    ] {
        let (found, report, format) = text(name, &content, false);
        assert_eq!((format, found.len(), report.rejected_total), ("csv", held, rejected), "{name}: {report:?}");
    }
    // A word that also names a column, in running text and in lists.
    for (content, format) in [
        ("Host, url and domain are told below.\nWe saw http://a.example.com/, and more.\nRegards, A\n", "freetext"),
        ("# ip\n1.2.3.4 # seen\n5.6.7.8\n", "text"),
        ("1.2.3.4\nhost\n5.6.7.8\n", "text"),
        ("ip\n1.2.3.4 # seen\n5.6.7.8\n", "text"),
    ] {
        assert_eq!(text("x", content, true).2, format, "{content}");
    }
}

/// What is said of a value, and by what.
fn said(index: &Index, kind: Kind, value: &str) -> Vec<(String, Vec<String>)> {
    let records = index.details(index.find(kind, value).unwrap()).unwrap();
    records.map(|record| (record.title.to_owned(), record.says.map(str::to_owned).collect())).collect()
}

#[test]
fn what_a_feed_says_of_a_value_is_kept() {
    let urls = "# \"id\",\"dateadded\",\"url\",\"url_status\",\"threat\",\"tags\",\"reporter\"\r\n\
        \"31\",\"2026-11-30\",\"http://198.51.100.7:4711/i\",\"online\",\"malware_download\",\"elf,Mozi\u{202e}\",\"a\"\r\n\
        \"32\",\"2026-11-30\",\"http://198.51.100.8/\",\"online\",\"\",\"None\",\"a\"\r\n";
    let event = r#"{"Event": {"info": "A campaign", "Attribute": [
        {"type": "domain", "category": "Payload delivery", "comment": "second\n stage", "value": "bad.example.com", "to_ids": true},
        {"type": "domain", "category": "Network activity", "comment": "", "value": "plain.example.com", "to_ids": true}]}}"#;
    let (index, report) = read(IndexTerms::default(), &[("urlhaus.csv", urls), ("e.json", event)]);
    assert_eq!(report.rejected_total, 0, "{:?}", report.rejected);
    let row = |title: &str, says: &[&str]| vec![(title.to_owned(), says.iter().map(|s| (*s).to_owned()).collect())];
    let says = |kind, value| said(&index, kind, value);
    let wanted = row("urlhaus.csv", &["malware_download", "elf", "Mozi"]);
    assert_eq!(says(Kind::Url, "http://198.51.100.7:4711/i"), wanted);
    assert_eq!(says(Kind::Url, "http://198.51.100.8/"), row("urlhaus.csv", &[]));
    assert_eq!(says(Kind::Domain, "bad.example.com"), row("A campaign", &["second stage", "Payload delivery"]));
    assert_eq!(says(Kind::Domain, "plain.example.com"), row("A campaign", &[]));
}

#[test]
fn tables_hosts_files_and_lists() {
    let (held, _, format) =
        text("a.csv", "Indicator;Seen;By\nevil[.]example[.]com;2026-11-01;x\n192.0.2.7;2026-11-02;y\n", false);
    assert_eq!(format, "csv");
    assert_eq!(held, set(&[(Kind::Domain, "evil.example.com"), (Kind::Ipv4, "192.0.2.7")]));
    let hosts = "127.0.0.1 localhost\n::1 localhost\n0.0.0.0 ads.example.com track.example.com # both\n";
    let (held, report, _) = text("hosts", hosts, false);
    assert_eq!(held, set(&[(Kind::Domain, "ads.example.com"), (Kind::Domain, "track.example.com")]));
    assert_eq!(report.rejected_total, 0);
    let list = "# a list\nevil[.]example.com\n1.2.3.4 # seen\n\nhxxp://evil.example.com/a#b\nno value at all !\n!!!\nkx4abcd3g6yzqwer.onion\n";
    let (held, report, _) = text("list.txt", list, false);
    assert_eq!(held.len(), 4, "{held:?}");
    assert!(
        held.contains(&(Kind::Domain, "evil.example.com".into())) && held.contains(&(Kind::Ipv4, "1.2.3.4".into()))
    );
    let places: Vec<&str> = report.rejected.iter().map(|rejection| rejection.place.as_str()).collect();
    assert_eq!((report.rejected_total, &places[..]), (1, &["line 6"][..]), "{:?}", report.rejected);
}

#[test]
fn lists_of_what_running_text_does_not_show() {
    let fuzzy =
        "96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXJcAoT:sF1LzHQ\n1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n";
    let (held, report, format) = text("fuzzy.txt", fuzzy, false);
    assert_eq!((format, report.rejected_total), ("text", 0));
    let kinds: Vec<Kind> = held.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [Kind::Ssdeep, Kind::Btc]);
}

#[test]
fn running_text_has_values_that_nobody_called_indicators() {
    let mail = "Dear all,\n\nyesterday we saw connections to bad[.]example[.]com, and from 192.0.2.9, as told.\nBest regards\n";
    let (held_by_default, report, format) = text("mail.txt", mail, false);
    assert_eq!((format, held_by_default.len(), report.undetected), ("freetext", 0, 2));
    let (held, report, _) = text("mail.txt", mail, true);
    assert_eq!(held, set(&[(Kind::Domain, "bad.example.com"), (Kind::Ipv4, "192.0.2.9")]));
    assert_eq!(report.undetected, 0);
}

const EVENT: &str = r#"{"Event": {"uuid": "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219", "info": "x", "Attribute": [
    {"type": "domain", "value": "bad.example.com", "to_ids": true},
    {"type": "domain|ip", "value": "both.example.com|192.0.2.4", "to_ids": "1"},
    {"type": "domain", "value": "seen.example.com", "to_ids": false},
    {"type": "domain", "value": "gone.example.com", "to_ids": true, "deleted": true},
    {"type": "mutex", "value": "Global\\x", "to_ids": true},
    {"type": "domain", "value": "..", "to_ids": true},
    "no attribute",
    {"type": "sha1", "value": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "to_ids": true}]}}"#;

#[test]
fn what_authors_do_not_flag_is_left_out_unless_asked_for() {
    let wanted = [
        (Kind::Domain, "bad.example.com"),
        (Kind::Domain, "both.example.com"),
        (Kind::Ipv4, "192.0.2.4"),
        (Kind::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ];
    let (held, report, format) = text("event.json", EVENT, false);
    assert_eq!((format, held), ("misp", set(&wanted)));
    assert_eq!((report.undetected, report.unsearched), (1, 1));
    assert_eq!((report.rejected_total, report.rejected[0].place.as_str()), (1, "/Event/Attribute/6"));
    assert_eq!(report.warnings_total, 1, "{:?}", report.warnings);
    let (held, _, _) = text("event.json", EVENT, true);
    assert!(held.contains(&(Kind::Domain, "seen.example.com".into())) && held.len() == wanted.len() + 1);
}

#[test]
fn indicators_of_a_bundle_but_not_what_was_revoked_or_only_observed() {
    let indicator = |n: u8, pattern: &str, more: &str| {
        format!(
            r#"{{"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-0000000000{n:02}",
            "created": "2026-11-01T00:00:00Z", "modified": "2026-11-01T00:00:00Z", "valid_from": "2026-11-01T00:00:00Z",
            "pattern_type": "stix", "pattern": "{pattern}"{more}}}"#
        )
    };
    let bundle = format!(
        r#"{{"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [{}, {}, {}, 7,
        {{"type": "domain-name", "spec_version": "2.1", "id": "domain-name--00000000-0000-4000-8000-000000000009", "value": "seen.example.com"}}]}}"#,
        indicator(
            1,
            "[domain-name:value = 'bad.example.com' OR url:value = 'http://bad.example.net/x']",
            ", \"description\": \"Emotet,\\n  first stage\""
        ),
        indicator(2, "[domain-name:value = 'revoked.example.com']", ", \"revoked\": true"),
        indicator(
            3,
            "[ipv4-addr:value = '192.0.2.0/24'] AND [file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
            ""
        ),
    );
    let (held, report, format) = text("bundle.json", &bundle, false);
    assert_eq!(format, "stix");
    let wanted = [
        (Kind::Domain, "bad.example.com"),
        (Kind::Url, "http://bad.example.net/x"),
        (Kind::Network, "192.0.2.0/24"),
        (Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
    ];
    assert_eq!(held, set(&wanted));
    assert_eq!((report.undetected, report.rejected_total), (2, 1));
    let (index, _) = read(IndexTerms::default(), &[("bundle.json", &bundle)]);
    let says = |kind, value| said(&index, kind, value).into_iter().flat_map(|(_, says)| says).collect::<Vec<_>>();
    assert_eq!(says(Kind::Domain, "bad.example.com"), ["Emotet, first stage"]);
    assert_eq!(says(Kind::Network, "192.0.2.0/24"), [""; 0]);
}

#[test]
fn what_is_no_json_or_no_such_format_says_so_and_stops_nothing_else() {
    let mut indicators = Indicators::new(Builder::new(), IndexTerms::default());
    let mut read = |name: &str, content: &str, named: Option<&str>| {
        let mut input = Input::from_reader(name, content.as_bytes(), Limits::default()).unwrap();
        indicators.read(&mut input, named).map(|format| format.name).map_err(|error| error.to_string())
    };
    assert!(read("broken.json", "{\"Event\": {\"info\": \"x\",}}", None).unwrap_err().contains("line 1"));
    assert!(read("x.txt", "evil.example.com\n", Some("nonsense")).unwrap_err().contains("no reader for format"));
    assert_eq!(read("x.txt", "evil.example.com\n", Some("freetext")), Ok("freetext"));
    assert_eq!(read("y.txt", "evil.example.com\n", None), Ok("text"));
    assert_eq!(indicators.finish().0.len(), 1);
}

#[test]
fn published_files_as_they_are() {
    let (index, report, format) = from_file("indicators/blackbook.csv.zst");
    assert_eq!((format, report.rejected_total), ("csv", 0), "{:?}", report.rejected);
    assert!(index.count(Kind::Domain) > 15_000, "{}", index.count(Kind::Domain));
    let family = vec!["keitaro".to_owned()];
    assert_eq!(said(&index, Kind::Domain, "statsrvv.com"), [("blackbook.csv".to_owned(), family)]);
    let (index, report, format) = from_file("indicators/zeek-example.intel");
    assert_eq!((format, report.rejected_total), ("csv", 0), "{:?}", report.rejected);
    let counts = [Kind::Ipv4, Kind::Domain, Kind::Md5, Kind::Sha256, Kind::Sha1].map(|kind| index.count(kind));
    assert_eq!(counts, [225, 179, 50, 44, 2]);
    let mut hits = Vec::new();
    let log = b"1 2 www.0-o.ca 3\n1 2 0-o.ca.evil.org 3\n";
    Scanner::new(&index).scan(log, |hit| hits.push((hit.line, index.text(hit.indicator))));
    assert_eq!(hits, [(1, "0-o.ca")]);
    let (index, report, format) = from_file("indicators/ipsum.txt.zst");
    assert_eq!((format, report.rejected_total), ("text", 0), "{:?}", report.rejected);
    assert!(index.count(Kind::Ipv4) > 10_000 && index.count(Kind::Ipv4) == u64::from(index.len()));
    let (index, report, _) = from_file("stix/amnesty-pegasus.json.zst");
    assert_eq!(report.rejected_total, 81, "the names of processes");
    assert!(report.rejected[0].place.starts_with("/objects/") && report.rejected[0].place.ends_with("/pattern"));
    assert!(report.rejected[0].reason.contains("process:name = "), "{}", report.rejected[0].reason);
    assert!(index.count(Kind::Domain) > 1_000, "{}", index.count(Kind::Domain));
}

#[test]
fn a_folder_of_events_is_read_as_import_reads_it() {
    let mut inputs: Vec<_> = files(&fixture("misp"))
        .unwrap()
        .into_iter()
        .map(|path| (Input::open(&path, Limits::default()).unwrap(), None))
        .collect();
    let (index, report, formats) = build(&mut inputs, false);
    assert!(formats.len() == 26 && formats.iter().all(|format| *format == "misp"));
    assert_eq!(report.rejected_total, 0, "{:?}", report.rejected);
    assert_eq!((index.count(Kind::Sha1), index.count(Kind::Domain)), (264, 316));
    assert!(report.undetected > 1_400, "{}", report.undetected);
}

fn terms(with: Vec<Kind>, base: Option<Index>) -> IndexTerms {
    IndexTerms { all: false, with, base }
}

fn read(terms: IndexTerms, inputs: &[(&str, &str)]) -> (Index, IndexReport) {
    let mut indicators = Indicators::new(Builder::new(), terms);
    for (name, content) in inputs {
        let mut input = Input::from_reader(name, content.as_bytes(), Limits::default()).unwrap();
        indicators.read(&mut input, None).unwrap();
    }
    let (builder, report) = indicators.finish();
    (Index::from_bytes(builder.finish()).unwrap(), report)
}

#[test]
fn each_indicator_knows_the_records_that_say_so() {
    let event = r#"{"Event": {"uuid": "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219", "info": "A campaign", "Tag": [{"name": "tlp:green"}, {"name": "kind:x"}], "Attribute": [
        {"type": "domain", "value": "bad.example.com", "to_ids": true},
        {"type": "domain", "value": "worse.example.com", "to_ids": true, "Tag": [{"name": "tlp:red"}, {"name": "PAP:AMBER"}]}]}}"#;
    let (index, _) =
        read(IndexTerms::default(), &[("e.json", event), ("my list.txt", "bad.example.com\nlisted.example.com\n")]);
    let said = |name: &str| -> Vec<(String, String, String, Vec<String>)> {
        let records = index.details(index.find(Kind::Domain, name).unwrap()).unwrap();
        let of = |record: manara_matching::Record<'_>| {
            let tags = record.tags.map(str::to_owned).collect();
            (record.title.to_owned(), record.tlp.to_owned(), record.pap.to_owned(), tags)
        };
        records.map(of).collect()
    };
    let row = |title: &str, tlp: &str, pap: &str, tags: &[&str]| {
        (title.to_owned(), tlp.to_owned(), pap.to_owned(), tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>())
    };
    let (campaign, list) = (row("A campaign", "green", "", &["tlp:green", "kind:x"]), row("my list.txt", "", "", &[]));
    assert_eq!(said("bad.example.com"), [campaign, list.clone()]);
    assert_eq!(said("listed.example.com"), [list]);
    assert_eq!(
        said("worse.example.com"),
        [row("A campaign", "red", "AMBER", &["tlp:green", "kind:x", "tlp:red", "PAP:AMBER"])]
    );
    let id = index.details(index.find(Kind::Domain, "bad.example.com").unwrap()).unwrap().next().unwrap().id;
    assert_eq!(id.to_string(), "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219");
}

#[test]
fn a_delta_holds_only_what_is_new() {
    let old = "evil.example.com\n192.0.2.1\nhttp://evil.example.com/a\n10.1.0.0/16\n";
    let (base, _) = read(IndexTerms::default(), &[("a.txt", old)]);
    let checksum = base.checksum();
    let new = "EVIL[.]example.com\nwww.evil.example.com\n192.0.2.2\n10.1.2.0/24\nhttp://evil.example.com/a\nhttp://evil.example.com/a/b\n";
    let (delta, report) = read(terms(Vec::new(), Some(base)), &[("b.txt", new)]);
    assert_eq!((delta.base(), report.in_base), (Some(checksum), 2));
    // What a wider one covers is new all the same.
    let wanted = [
        (Kind::Domain, "www.evil.example.com"),
        (Kind::Ipv4, "192.0.2.2"),
        (Kind::Network, "10.1.2.0/24"),
        (Kind::Url, "http://evil.example.com/a/b"),
    ];
    assert_eq!(held(&delta), set(&wanted));
}

#[test]
fn file_names_and_systems_are_taken_where_asked() {
    let event = r#"{"Event": {"info": "x", "Attribute": [
        {"type": "filename", "value": "C:\\Users\\x\\Evil.exe", "to_ids": true},
        {"type": "filename", "value": "two words.exe", "to_ids": true},
        {"type": "AS", "value": "64500", "to_ids": true}]}}"#;
    let (index, report) = read(IndexTerms::default(), &[("e.json", event), ("l.txt", "AS64501\nevil.example.com\n")]);
    assert_eq!((index.len(), report.unsearched), (1, 4));
    assert_eq!(report.unsearched_types.values().sum::<u64>(), 4, "{:?}", report.unsearched_types);
    assert_eq!((report.unsearched_types["asn"], report.unsearched_types["filename"]), (2, 2));
    let (index, report) = read(
        terms(vec![Kind::Filename, Kind::Asn], None),
        &[("e.json", event), ("l.txt", "AS64501\nevil.example.com\n")],
    );
    assert_eq!((report.unsearched, report.rejected_total), (0, 1), "{:?}", report.rejected);
    let wanted = [
        (Kind::Filename, "evil.exe"),
        (Kind::Asn, "AS64500"),
        (Kind::Asn, "AS64501"),
        (Kind::Domain, "evil.example.com"),
    ];
    assert_eq!(held(&index), set(&wanted));
}

#[test]
fn what_is_below_a_name_is_the_same_wherever_it_comes_from() {
    let wanted = set(&[
        (Kind::Domain, "*.evil.example"),
        (Kind::Domain, "*.bad.example.com"),
        (Kind::Domain, "*.worse.example.net"),
    ]);
    let event = r#"{"Event": {"info": "x", "Attribute": [
        {"type": "domain", "value": "*.Evil.example", "to_ids": true},
        {"type": "hostname|port", "value": "*.worse.example.net|443", "to_ids": true},
        {"type": "hostname", "value": "*.bad.example.com", "to_ids": true}]}}"#;
    let bundle = r#"{"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [
        {"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-000000000001",
        "created": "2026-11-01T00:00:00Z", "modified": "2026-11-01T00:00:00Z", "valid_from": "2026-11-01T00:00:00Z",
        "pattern_type": "stix", "pattern": "[domain-name:value = '*.evil.example' OR domain-name:value = '*.bad.example.com' OR domain-name:value = '*.worse.example.net']"}]}"#;
    let all = [
        ("list.txt", "*.evil.example\n*[.]BAD.example.com # seen\n*.worse.example.net\n", "text"),
        (
            "named.csv",
            "type,value\ndomain,*.evil.example\ndomain,*.bad.example.com\ndomain,*.worse.example.net\n",
            "csv",
        ),
        ("bare.csv", "domain,*.evil.example\ndomain,*.bad.example.com\nhostname,*.worse.example.net\n", "csv"),
        ("event.json", event, "misp"),
        ("bundle.json", bundle, "stix"),
    ];
    for (name, content, format) in all {
        let (held, report, known) = text(name, content, false);
        assert_eq!((known, &held), (format, &wanted), "{name}: {report:?}");
        assert_eq!(report.rejected_total + report.undetected, 0, "{name}: {report:?}");
    }
}
