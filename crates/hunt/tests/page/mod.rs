//! What the tests of the page make it of.
#![allow(dead_code, unreachable_pub)]

use jiff::civil::{Date, date};
use manara_hunt::report::Report;
use manara_hunt::{Beyond, Details, Example, HostTally, IndicatorTally, Place, Share, Tally, Totals};
use manara_texts::Texts;

pub fn place(file: &str, line: u64) -> Place {
    Place { file: file.into(), line }
}

pub fn sign(kind: &str, indicator: &str, count: u64, day: Date, line: &str) -> IndicatorTally {
    IndicatorTally {
        indicator: indicator.into(),
        kind: kind.into(),
        count,
        first: place("proxy/access.log", 12),
        last: if count > 1 { place("proxy/access.log.2.gz", 99_431) } else { place("proxy/access.log", 12) },
        files: count.min(2),
        days: [(day, count)].into(),
        examples: vec![Example { place: place("proxy/access.log", 12), text: line.into() }],
        details: None,
    }
}

/// A small company on a bad day.
pub fn bad_day() -> Tally {
    let day = date(2026, 11, 28);
    let mut indicators = vec![
        sign("domain", "evil.example", 41, day, "1764288000.123 10.0.0.17 GET http://www.EVIL.example/load?id=7 - 200"),
        sign("url", "http://pay.example/invoice.php?x=1", 3, day, "10.0.0.17 GET hxxp://pay.example/invoice.php?x=1"),
        sign(
            "ipv4",
            "203.0.113.77",
            12,
            day,
            "203.0.113.77 - - [28/Nov/2026:04:00:01 +0000] \"GET /wp-login.php HTTP/1.1\" 404",
        ),
        sign(
            "sha256",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            1,
            day,
            "{\"sha256\":\"e3b0c442…\"}",
        ),
        sign("email", "boss@fake.example", 2, day, "from=<boss@fake.example> to=<anna@company.example>"),
        sign("btc", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 1, day, "pay to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        sign("filename", "invoice.exe", 1, day, "10.0.0.17 GET http://files.example/invoice.exe"),
        sign("asn", "AS64500", 2, day, "203.0.113.77 AS64500 login"),
        sign("cve", "CVE-2021-44228", 5, day, "${jndi:ldap} CVE-2021-44228"),
    ];
    indicators[0].details = Some(Details {
        records: vec![],
        tags: vec!["misp-galaxy:malpedia=\"Emotet\"".into(), "tlp:green".into()],
        marking: Some("TLP:GREEN".into()),
        titles: vec!["ACSC list".into(), "Campaign of November".into()],
        says: vec!["Emotet".into(), "botnet_cc".into()],
    });
    let share = |indicator: &str, kind: &str, count| Share { indicator: indicator.into(), kind: kind.into(), count };
    Tally {
        totals: Totals {
            files: 9,
            files_hit: 3,
            lines: 3_456_789,
            bytes: 512_000_000,
            seconds: 1.5,
            hits: 68,
            left_out: 4,
            undated: 2,
            errors: 1,
            indicators: 9,
            index: 1_000_000,
            urls: 0,
        },
        indicators,
        hosts: vec![
            HostTally {
                host: "10.0.0.17".into(),
                count: 44,
                first: place("proxy/access.log", 12),
                last: place("proxy/access.log.2.gz", 99_431),
                first_day: Some(date(2026, 11, 20)),
                last_day: Some(day),
                kinds: [("domain".into(), 41), ("url".into(), 3)].into(),
                went: 0,
                distinct: 7,
                indicators: vec![
                    share("evil.example", "domain", 41),
                    share("http://pay.example/invoice.php?x=1", "url", 3),
                ],
            },
            HostTally {
                host: "fd00::25".into(),
                count: 2,
                first: place("mail.log", 7),
                last: place("mail.log", 8),
                first_day: Some(day),
                last_day: Some(day),
                kinds: [("email".into(), 2)].into(),
                went: 0,
                distinct: 1,
                indicators: vec![share("boss@fake.example", "email", 2)],
            },
        ],
        days: [(date(2026, 11, 20), 3), (date(2026, 11, 27), 1), (day, 40), (date(2026, 11, 29), 19)].into(),
        beyond: Beyond::default(),
        errors: vec!["proxy/old.log.gz: it is cut short after 1,024 lines".into()],
    }
}

pub fn report<'a>(tally: &'a Tally, language: &str) -> Report<'a> {
    let contact = Some("CERT Example, +60 3 0000 0000 (24 h)\nhelp@cert.example");
    let texts = Texts::choose(Some(language), None);
    Report {
        tally,
        texts,
        contact,
        made: date(2026, 11, 30),
        stopped: false,
        only_new: false,
        unchanged: 0,
        told: None,
    }
}

pub fn html(report: &Report<'_>) -> String {
    let mut out = Vec::new();
    report.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A search that found nothing.
pub fn calm() -> Tally {
    let totals = Totals { files: 2, lines: 1200, bytes: 80_000, index: 18_000, ..Totals::default() };
    Tally { totals, ..Tally::default() }
}
