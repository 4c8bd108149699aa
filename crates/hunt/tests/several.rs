//! Several indexes at once: what two hold is told once, as the first one's, and a state goes on with each of them.

#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod house;

use house::{Asked, Words, index, write};
use manara_hunt::{Days, Format, Hosts, Hunt, Indexes, Printer, Show, Style, Telling, Walk, Wants, index_ids, state};
use manara_matching::{Builder, Index, Kind, RecordId, Source};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// An index with records that say so.
fn described(values: &[(&str, &str, u8)]) -> Index {
    let mut builder = Builder::new();
    for (name, tlp, record) in values {
        let number = builder.add(Kind::Domain, name).unwrap();
        let source = Source { record: RecordId([*record; 16]), title: "A list", tlp, pap: "", tags: &[], says: &[] };
        let source = builder.source(&source);
        builder.describe(number, source);
    }
    Index::from_bytes(builder.finish()).unwrap()
}

#[test]
fn what_two_hold_is_told_once_with_what_both_know() {
    let first = described(&[("both.example", "green", 1), ("first.example", "green", 2)]);
    let second = described(&[("other.example", "clear", 3), ("BOTH.example", "red", 4)]);
    let mut bare = Builder::new();
    for (kind, value) in [(Kind::Domain, "both.example"), (Kind::Network, "203.0.113.0/24"), (Kind::Domain, "example")]
    {
        bare.add(kind, value).unwrap();
    }
    let bare = Index::from_bytes(bare.finish()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = "x both.example first.example\n203.0.113.9 other.example\n".repeat(20_000);
    let log = write(folder.path(), "log", log.as_bytes());
    let asked = |threads| Asked { format: Format::Jsonl, threads, ..Asked::default() };
    let all = [first, second, bare];
    let told = asked(3).of_several(&all, std::slice::from_ref(&log));
    assert!(told.out == asked(1).of_several(&all, &[log]).out, "it depends on threads");
    let rows: Vec<serde_json::Value> = told.out.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), 7 * 20_000);
    for (n, rows) in rows.chunks(7).enumerate() {
        let of = |row: &serde_json::Value| {
            let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            (row["line"].as_u64().unwrap(), row["column"].as_u64().unwrap(), text("indicator"), text("marking"))
        };
        let line = 2 * n as u64 + 1;
        let wanted = [
            (line, 3, "both.example", "TLP:RED"),
            (line, 3, "example", "-"),
            (line, 16, "first.example", "TLP:GREEN"),
            (line, 16, "example", "-"),
            (line + 1, 1, "203.0.113.0/24", "-"),
            (line + 1, 13, "other.example", "TLP:CLEAR"),
            (line + 1, 13, "example", "-"),
        ];
        let wanted = wanted.map(|(line, column, text, marking)| (line, column, text.to_owned(), marking.to_owned()));
        assert_eq!(rows.iter().map(of).collect::<Vec<_>>(), wanted);
    }
    assert_eq!(rows[0]["records"].as_array().unwrap().len(), 2);
    let tally = told.tally;
    assert_eq!((tally.totals.indicators, tally.totals.index, tally.totals.hits), (5, 7, 140_000));
    assert_eq!((tally.indicators[0].indicator.as_str(), tally.indicators[0].count), ("example", 60_000));
}

#[test]
fn the_bound_of_a_line_is_that_of_all_and_no_line_beside_it_is_touched() {
    let (first, second) = (index(&["1.1.1.1", "evil.example"]), index(&["1.1.1.0/24", "other.example"]));
    let folder = tempfile::tempdir().unwrap();
    let line = |n: usize| "1.1.1.1 ".repeat(n);
    // Together too many; too many for each; just as many; all of them with other hits around.
    let lines = [line(40_000), line(70_000), line(32_768), "1.1.1.0 other.example ".to_owned() + &line(66_000)];
    let text = lines.map(|line| format!("other.example\n{line}\nevil.example\n")).concat();
    let log = write(folder.path(), "log", text.as_bytes());
    let told = Asked { tally: false, ..Asked::default() }.of_several(&[first, second], &[log]);
    let mut of = [0_usize; 13];
    for row in told.out.lines() {
        let after = row.rsplit_once("log:").unwrap().1;
        of[after.split(':').next().unwrap().parse::<usize>().unwrap()] += 1;
    }
    assert_eq!(of[1..], [1, 65_536, 1].repeat(4));
    let words: Vec<&str> = told.words.iter().filter_map(|word| word.split(':').nth(1)).collect();
    assert_eq!(words, ["2", "5", "11"], "{:?}", told.words);
}

fn run(indexes: &[Index], path: &Path, logs: &[PathBuf]) -> (Vec<String>, u64) {
    let indexes = Indexes::new(indexes);
    let (before, mut journal) = state(path, &index_ids(indexes)).unwrap();
    let (hosts, stop, mut words) = (Hosts::new(), AtomicBool::new(false), Words::default());
    let wants = Wants { field: false, tally: false, context: None };
    let hunt = Hunt { indexes, threads: 2, wants, allow: None, hosts: &hosts, days: Days::now(), stop: &stop };
    let style = Style { format: Format::Text, show: Show::Hits, context: None, header: true, safe: str::to_owned };
    let mut telling = Telling::new(indexes, Printer::new(Vec::new(), style).unwrap(), false, &mut words);
    telling.keep(&mut journal);
    hunt.run(Walk::new(logs), &|log| before.start(log), &mut telling).unwrap();
    let bytes = telling.totals().bytes;
    let told = String::from_utf8(std::mem::take(telling.finish().0.out())).unwrap();
    let of = |row: &str| row.rsplit_once("log:").unwrap().1.to_owned();
    (told.lines().map(of).collect(), bytes)
}

#[test]
fn an_index_that_is_added_is_all_that_old_logs_are_searched_for() {
    let folder = tempfile::tempdir().unwrap();
    let (log, path) = (write(folder.path(), "log", b"a.example b.example\n"), folder.path().join("state"));
    let logs = std::slice::from_ref(&log);
    let make = || [index(&["a.example"]), index(&["b.example", "a.example"])];
    // The same files each time: states know them by their checksums.
    let [a, b] = make();
    let both = [a, b];
    let again = |indexes: &[Index]| run(indexes, &path, logs);
    assert_eq!(again(&both[..1]).0, ["1:1: domain a.example a.example"]);
    assert_eq!(again(&both), (vec!["1:11: domain b.example b.example".to_owned()], 20));
    assert_eq!(again(&both), (vec![], 0));
    let add = |text: &str| OpenOptions::new().append(true).open(&log).unwrap().write_all(text.as_bytes()).unwrap();
    add("b.example\na.example\n");
    // The first goes on alone; then the second has to be caught up with, and the first is not told again.
    assert_eq!(again(&both[..1]).0, ["3:1: domain a.example a.example"]);
    add("a.example b.example\n");
    let told =
        ["2:1: domain b.example b.example", "4:1: domain a.example a.example", "4:11: domain b.example b.example"];
    assert_eq!(again(&both).0, told);
    assert_eq!(again(&both), (vec![], 0));
    assert_eq!(again(&both[1..]), (vec![], 0));
}
