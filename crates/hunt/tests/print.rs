//! Hits as they are written, field by field.

#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod house;

use house::{Asked, index, write};
use manara_hunt::{Allow, Format, Show, Top, summary, top};
use manara_matching::{Builder, Index, Kind, Source};
use serde_json::{Value, json};
use std::path::Path;

const VALUES: [&str; 3] = ["evil.example", "203.0.113.0/24", "paths.example/a"];

fn logs(folder: &Path) -> std::path::PathBuf {
    let log = [
        r#"{"ts":1767312000.5,"id.orig_h":"10.0.0.5","http":{"host":"WWW.evil.example","tags":["x","203.0.113.9"]}}"#,
        "nothing",
        "Jan  3 01:02:03 gw named: client 10.0.0.6#53: query evil.example from 192.168.1.1",
        "=1+1,\"evil.example\"",
        "nothing",
        "nothing",
        "GET hxxps://paths.example/a/b 203.0.113.9",
    ];
    write(folder, "log", (log.join("\n") + "\n").as_bytes())
}

fn rows(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn json_lines_have_their_keys_in_order_and_the_field() {
    let (index, folder) = (index(&VALUES), tempfile::tempdir().unwrap());
    let log = logs(folder.path());
    let told = Asked { format: Format::Jsonl, ..Asked::default() }.of(&index, std::slice::from_ref(&log));
    let rows = rows(&told.out);
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&rows[0]), ["file", "line", "column", "type", "indicator", "matched", "field"]);
    let file = log.to_str().unwrap();
    let first = json!({"file": file, "line": 1, "column": 59, "type": "domain", "indicator": "evil.example", "matched": "WWW.evil.example", "field": "http.host"});
    assert_eq!((&rows[0], &rows[1]["field"]), (&first, &json!("http.tags.1")));
    assert_eq!(keys(&rows[2]), ["file", "line", "column", "type", "indicator", "matched"], "no JSON, no field");
}

#[test]
fn what_sources_say_stands_behind_what_was_there_before() {
    let mut builder = Builder::new();
    let number = builder.add(Kind::Domain, "evil.example").unwrap();
    for (title, says) in [("a.csv", &["Emotet", "C2"][..]), ("b.csv", &["Emotet\u{1b}[31m"])] {
        let source = builder.source(&Source { title, says, ..Source::default() });
        builder.describe(number, source);
    }
    let (index, folder) = (Index::from_bytes(builder.finish()).unwrap(), tempfile::tempdir().unwrap());
    let log = write(folder.path(), "log", b"evil.example\n");
    let told = Asked { format: Format::Jsonl, ..Asked::default() }.of(&index, std::slice::from_ref(&log));
    let end = r#""titles":["a.csv","b.csv"],"says":["Emotet","C2","Emotet\u001b[31m"]}"#;
    assert!(told.out.trim_end().ends_with(end), "{}", told.out);
    let told = Asked::default().of(&index, std::slice::from_ref(&log));
    assert!(told.out.contains(":1:1: domain evil.example evil.example (Emotet; C2; Emotet"), "{}", told.out);
}

#[test]
fn tables_say_what_sources_say_and_no_formulas_either() {
    let mut builder = Builder::new();
    let number = builder.add(Kind::Domain, "evil.example").unwrap();
    for (title, says, tlp) in [("=a,b", &["-1", "C2"][..], "amber"), ("b.csv", &[], "")] {
        let source = builder.source(&Source { title, says, tlp, ..Source::default() });
        builder.describe(number, source);
    }
    let (index, folder) = (Index::from_bytes(builder.finish()).unwrap(), tempfile::tempdir().unwrap());
    let log = write(folder.path(), "log", b"evil.example\n");
    let told = Asked { format: Format::Csv, ..Asked::default() }.of(&index, std::slice::from_ref(&log));
    assert!(told.out.ends_with(",evil.example,,\"'=a,b; b.csv\",'-1; C2,TLP:AMBER\r\n"), "{}", told.out);
}

#[test]
fn tables_have_a_header_and_no_formulas() {
    let (index, folder) = (index(&VALUES), tempfile::tempdir().unwrap());
    let log = logs(folder.path());
    let told = Asked { format: Format::Csv, ..Asked::default() }.of(&index, std::slice::from_ref(&log));
    let mut reader = csv::Reader::from_reader(told.out.as_bytes());
    let header = "file,line,column,type,indicator,matched,field,titles,says,marking";
    assert_eq!(reader.headers().unwrap(), header.split(',').collect::<Vec<_>>());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let file = log.to_str().unwrap();
    assert_eq!(rows[0], vec![file, "1", "59", "domain", "evil.example", "WWW.evil.example", "http.host", "", "", ""]);
    assert_eq!((rows.len(), rows[3].len()), (6, 10));
}

#[test]
fn lines_around_hits_are_those_that_grep_shows() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let hits = [3_usize, 4, 9, 17, 30];
    let text: String =
        (1..=30).map(|n| if hits.contains(&n) { format!("{n} evil.example\n") } else { format!("{n}\t\n") }).collect();
    let log = write(folder.path(), "log", text.as_bytes());
    for lines in [0, 1, 2, 5, 40] {
        let told = Asked { context: Some(lines), ..Asked::default() }.of(&index, std::slice::from_ref(&log)).out;
        // Without the hits themselves, as `grep -nHC` has it.
        let shown: String =
            told.lines().filter(|line| !line.contains(": domain ")).map(|line| format!("{line}\n")).collect();
        let grep = std::process::Command::new("grep")
            .arg("-nH")
            .arg(format!("-C{lines}"))
            .arg("evil")
            .arg(&log)
            .output()
            .unwrap();
        let expected = String::from_utf8(grep.stdout).unwrap();
        let expected = if lines == 0 { expected.replace("--\n", "") } else { expected };
        assert_eq!(shown, expected, "{lines}");
        let told = Asked { format: Format::Jsonl, context: Some(lines), ..Asked::default() }
            .of(&index, std::slice::from_ref(&log))
            .out;
        let rows = rows(&told);
        assert_eq!(rows.len(), hits.len());
        for (row, hit) in rows.iter().zip(hits) {
            let of = |from: usize, to: usize| -> Vec<&str> { text.lines().skip(from - 1).take(to - from).collect() };
            assert_eq!(row["text"], format!("{hit} evil.example"));
            assert_eq!(row["before"], json!(of(hit.saturating_sub(lines).max(1), hit)), "{lines} before {hit}");
            assert_eq!(row["after"], json!(of(hit + 1, hit + 1 + lines)), "{lines} after {hit}");
        }
    }
}

#[test]
fn the_most_frequent_are_told_with_their_hosts_and_days() {
    let (index, folder) = (index(&VALUES), tempfile::tempdir().unwrap());
    let told = Asked { show: Show::Nothing, ..Asked::default() }.of(&index, &[logs(folder.path())]);
    assert_eq!(told.out, "");
    let tally = &told.tally;
    let first = &tally.indicators[0];
    assert_eq!((first.indicator.as_str(), first.count, first.first.line, first.last.line), ("evil.example", 3, 1, 4));
    let days: Vec<String> = first.days.keys().map(ToString::to_string).collect();
    assert_eq!(days, ["2026-01-02", "2026-01-03"]);
    let hosts: Vec<(&str, u64)> = tally.hosts.iter().map(|host| (host.host.as_str(), host.count)).collect();
    assert_eq!(hosts, [("10.0.0.5", 2), ("10.0.0.6", 1)]);
    let how = |format| Top { most: 1, format, safe: str::to_owned };
    let mut out = Vec::new();
    top(&mut out, tally, how(Format::Jsonl)).unwrap();
    let lines = rows(str::from_utf8(&out).unwrap());
    assert_eq!(
        (&lines[0]["top"], &lines[0]["indicator"], &lines[1]["top"], lines.len()),
        (&json!("indicator"), &json!("evil.example"), &json!("host"), 2)
    );
    let mut out = Vec::new();
    summary(&mut out, tally, how(Format::Text)).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("1 file, 7 lines") && text.contains("6 hits of 3 of 3 indicators, in 1 file"), "{text}");
    assert!(text.contains("3 in 1 file  domain  evil.example  2026-01-02 to 2026-01-03"), "{text}");
    assert!(!text.contains("10.0.0.6") && text.contains("10.0.0.5"), "{text}");
}

#[test]
fn what_is_allowed_is_counted_and_not_told() {
    let (index, folder) = (index(&VALUES), tempfile::tempdir().unwrap());
    let list = write(folder.path(), "list", b"www.evil.example\n203.0.113.0/28\n");
    let (allow, refused) = Allow::read(&[list]).unwrap();
    let told = Asked { allow: Some(&allow), ..Asked::default() }.of(&index, &[logs(folder.path())]);
    assert_eq!((refused, told.tally.totals.hits, told.tally.totals.left_out), (0, 3, 3));
    assert!(!told.out.contains("203.0.113.9") || told.out.contains("paths.example"), "{}", told.out);
    assert!(!told.out.contains("WWW"), "{}", told.out);
}

#[test]
fn what_rewrites_a_screen_is_escaped_in_json() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let log = write(folder.path(), "l\u{202e}og", "evil.example \u{9b}31m\u{1b}[2J\n".as_bytes());
    let told = Asked { format: Format::Jsonl, context: Some(1), ..Asked::default() }.of(&index, &[log]);
    assert!(told.out.trim_end().chars().all(|c| !c.is_control() && c != '\u{202e}'), "{:?}", told.out);
    assert_eq!(rows(&told.out)[0]["text"], "evil.example \u{9b}31m\u{1b}[2J");
}
