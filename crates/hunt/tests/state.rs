//! Searches that are stopped and gone on with: every hit is told, and none twice.

#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod house;

use house::{Words, index, pack, write};
use manara_hunt::{
    Days, Format, Hosts, Hunt, Indexes, Keep, Log, Printer, Reached, Show, Sighting, Start, Style, Telling, Walk,
    Wants, state,
};
use manara_matching::Index;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Notes nothing and stops the search once something was reached.
struct Stopping<'a>(&'a mut dyn Keep, &'a AtomicBool, bool);

impl Keep for Stopping<'_> {
    fn reached(&mut self, log: &Log, from: &Start, reached: Reached, found: Vec<Sighting>) -> io::Result<()> {
        self.1.store(self.2, Ordering::Relaxed);
        self.0.reached(log, from, reached, found)
    }
}

/// One run over logs; what it told, and how many bytes it searched.
fn run(index: &Index, id: &str, path: &Path, logs: &[PathBuf], stop_early: bool) -> (Vec<String>, u64) {
    run_several(std::slice::from_ref(index), &[id], path, logs, stop_early)
}

fn run_several(indexes: &[Index], ids: &[&str], path: &Path, logs: &[PathBuf], stop_early: bool) -> (Vec<String>, u64) {
    let indexes = Indexes::new(indexes);
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let (before, mut journal) = state(path, &ids).unwrap();
    let (hosts, stop) = (Hosts::new(), AtomicBool::new(false));
    let wants = Wants { field: false, tally: false, context: None };
    let hunt = Hunt { indexes, threads: 2, wants, allow: None, hosts: &hosts, days: Days::now(), stop: &stop };
    let style = Style { format: Format::Text, show: Show::Hits, context: None, header: true, safe: str::to_owned };
    let mut words = Words::default();
    let mut keep = Stopping(&mut journal, &stop, stop_early);
    let mut telling = Telling::new(indexes, Printer::new(Vec::new(), style).unwrap(), false, &mut words);
    telling.keep(&mut keep);
    hunt.run(Walk::new(logs), &|log| before.start(log), &mut telling).unwrap();
    let bytes = telling.totals().bytes;
    let told = String::from_utf8(std::mem::take(telling.finish().0.out())).unwrap();
    assert_eq!(words.0, [""; 0]);
    (told.lines().map(str::to_owned).collect(), bytes)
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn what_was_searched_is_not_searched_again_and_what_was_added_is() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let plain = write(&logs, "a.log", b"one\nevil.example\n");
    let packed = write(&logs, "b.log.gz", &pack("gz", b"evil.example\n"));
    let path = folder.path().join("state");
    let again = |id: &str| run(&index, id, &path, std::slice::from_ref(&logs), false);
    let name = |path: &Path| path.display().to_string();
    assert_eq!(again("1").0.len(), 2);
    assert_eq!(again("1"), (vec![], 0));
    // Grown, with a last line that is not whole, then whole.
    append(&plain, "three\nevil.example to evil.ex");
    assert_eq!(again("1").0, [format!("{}:4:1: domain evil.example evil.example", name(&plain))]);
    append(&plain, "ample\nfive\n");
    assert_eq!(again("1").0, [format!("{}:4:17: domain evil.example evil.example", name(&plain))]);
    assert_eq!(again("1"), (vec![], 0));
    // Another index: everything, and the first one's state is still there.
    assert_eq!(again("2").0.len(), 4);
    assert_eq!(again("1"), (vec![], 0));
    // Renamed by rotation, and a new one in its place.
    fs::rename(&plain, logs.join("a.log.1")).unwrap();
    write(&logs, "a.log", b"evil.example\n");
    assert_eq!(again("1").0, [format!("{}:1:1: domain evil.example evil.example", name(&plain))]);
    // Cut and written again, longer than before: another log.
    fs::write(&plain, b"another\nlog\nevil.example\nevil.example\n").unwrap();
    assert_eq!(again("1").0.len(), 2);
    // Packed ones are searched again as a whole when they have changed.
    fs::write(&packed, [pack("gz", b"evil.example\n"), pack("gz", b"evil.example\n")].concat()).unwrap();
    assert_eq!(again("1").0.len(), 2);
    assert_eq!(again("1"), (vec![], 0));
}

#[test]
fn a_log_is_known_whatever_its_name_is_and_whoever_has_its_name() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let path = folder.path().join("state");
    let search = |logs: &Path| run(&index, "1", &path, &[logs.to_owned()], false).0.len();
    let (a, b, c) = (logs.join("access.log"), logs.join("access.log.1"), logs.join("access.log.2"));
    write(&logs, "access.log", b"1 evil.example\n2 evil.example\n");
    assert_eq!(search(&logs), 2);
    // Another has its name and is searched first, alone.
    fs::rename(&a, &b).unwrap();
    write(&logs, "access.log", b"3 evil.example\n");
    assert_eq!(search(&a), 1);
    assert_eq!(search(&logs), 0);
    // Renamed again and again, and grown in between: what was noted last counts, whichever name that was under.
    for n in 0..20 {
        let (from, to) = if n % 2 == 0 { (&b, &c) } else { (&c, &b) };
        fs::rename(from, to).unwrap();
        append(to, "4 evil.example\n");
        assert_eq!(search(&logs), 1, "{n}");
    }
}

#[test]
fn a_search_that_is_stopped_goes_on_where_it_was_and_tells_each_hit_once() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let text: String =
        (0..150_000).map(|n| if n % 50 == 0 { format!("{n} evil.example\n") } else { format!("{n} word\n") }).collect();
    let mut logs = Vec::new();
    for n in 0..3 {
        logs.push(write(folder.path(), &format!("{n}.log"), text.as_bytes()));
        logs.push(write(folder.path(), &format!("{n}.zst"), &pack("zst", text.as_bytes())));
    }
    let path = folder.path().join("state");
    let (mut told, mut bytes, mut runs) = (Vec::new(), 0, 0);
    while bytes < 6 * text.len() as u64 && runs < 30 {
        let (more, searched) = run(&index, "x", &path, &logs, true);
        runs += 1;
        told.extend(more);
        bytes += searched;
    }
    assert!(runs >= 2, "{runs}");
    assert_eq!(bytes, 6 * text.len() as u64, "nothing is searched twice");
    assert_eq!(run(&index, "x", &path, &logs, false), (vec![], 0));
    let whole = run(&index, "y", &path, &logs, false).0;
    assert_eq!(told.len(), 6 * 3000);
    assert!(told == whole, "in the order of one search, with the same lines");
}

#[test]
fn a_state_that_was_cut_is_read_and_a_foreign_or_used_one_is_refused() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let log = write(folder.path(), "log", b"evil.example\n");
    let path = folder.path().join("state");
    let held = state(&path, &["1".to_owned()]).unwrap();
    assert!(state(&path, &["1".to_owned()]).unwrap_err().to_string().contains("another search"));
    drop(held);
    assert_eq!(run(&index, "1", &path, std::slice::from_ref(&log), false).0.len(), 1);
    append(&path, "{\"index\":\"1\",\"path\":\"");
    assert_eq!(run(&index, "1", &path, std::slice::from_ref(&log), false).0.len(), 0);
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.trim_end().trim_end_matches('}')).unwrap();
    assert_eq!(
        run(&index, "1", &path, std::slice::from_ref(&log), false).0.len(),
        1,
        "what it said is found out again"
    );
    let foreign = write(folder.path(), "list", b"evil.example\n");
    assert!(state(&foreign, &["1".to_owned()]).unwrap_err().to_string().contains("name another file"));
    assert_eq!(fs::read(&foreign).unwrap(), b"evil.example\n");
}

#[test]
fn how_far_hits_were_written_is_what_was_noted_last() {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("state"), folder.path().join("out"));
    let logs: Vec<Log> = ["a", "b"]
        .into_iter()
        .map(|name| write(folder.path(), name, b"x\n"))
        .flat_map(|path| Walk::new(&[path]))
        .map(|item| match item {
            manara_hunt::Item::Log(log) => log,
            other => panic!("{other:?}"),
        })
        .collect();
    let reached = Reached { offset: 2, lines: 1, told: 2, done: true };
    let note = |log: &Log, bytes: u64| {
        let (_, mut journal) = state(&path, &["1".to_owned()]).unwrap();
        journal.count(&out, Arc::new(AtomicU64::new(bytes))).unwrap();
        journal.reached(log, &Start::default(), reached, Vec::new()).unwrap();
    };
    let written = || state(&path, &["1".to_owned()]).unwrap().0.written(&out);
    assert_eq!(written(), None);
    note(&logs[0], 10);
    note(&logs[1], 20);
    note(&logs[0], 30);
    assert_eq!((written(), written()), (Some(30), Some(30)));
    // Renamed while nothing was written: what is noted of it says nothing of the output.
    fs::rename(folder.path().join("b"), folder.path().join("c")).unwrap();
    let renamed = Log { path: folder.path().join("c"), ..logs[1].clone() };
    assert_eq!(state(&path, &["1".to_owned()]).unwrap().0.start(&renamed), None);
    assert_eq!(written(), Some(30));
    // The file of hits was taken away: what is written to a new one is not measured by the old one.
    note(&logs[0], 5);
    assert_eq!(written(), Some(5));
    assert_eq!(state(&path, &["1".to_owned()]).unwrap().0.written(&path), None);
}
