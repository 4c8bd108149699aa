//! Logs that are followed, as real files: grown, renamed, cut, not there yet.

#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod house;

use house::{Words, index, write};
use manara_hunt::{Days, Format, Hosts, Hunt, Indexes, Printer, Show, Style, Telling, Wants};
use manara_matching::Index;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What was flushed, as somebody sees it who reads along.
#[derive(Clone, Default)]
struct Seen {
    flushed: Arc<Mutex<String>>,
    held: Vec<u8>,
}

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        let held = String::from_utf8(std::mem::take(&mut self.held)).unwrap();
        self.flushed.lock().unwrap().push_str(&held);
        Ok(())
    }
}

/// Follows while something is done to the logs; what was said comes back.
fn follow(
    index: &Index,
    logs: &[PathBuf],
    context: Option<usize>,
    act: impl FnOnce(&dyn Fn(&str)) + Send,
) -> (String, Vec<String>) {
    let indexes = Indexes::new(std::slice::from_ref(index));
    let (hosts, stop, seen, mut words) = (Hosts::new(), AtomicBool::new(false), Seen::default(), Words::default());
    let flushed = seen.flushed.clone();
    let wants = Wants { field: false, tally: false, context };
    let hunt = Hunt { indexes, threads: 1, wants, allow: None, hosts: &hosts, days: Days::now(), stop: &stop };
    let style = Style { format: Format::Text, show: Show::Hits, context, header: true, safe: str::to_owned };
    let mut telling = Telling::new(indexes, Printer::new(seen, style).unwrap(), false, &mut words);
    std::thread::scope(|scope| {
        let acting = scope.spawn(|| {
            let wait = |for_what: &str| {
                let begun = Instant::now();
                while !flushed.lock().unwrap().contains(for_what) {
                    let late = begun.elapsed() > Duration::from_secs(30);
                    assert!(!late, "{for_what} of {:?}", flushed.lock().unwrap());
                    std::thread::sleep(Duration::from_millis(20));
                }
            };
            // The search ends whatever becomes of the test.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(&wait)));
            stop.store(true, Ordering::Relaxed);
            done.unwrap();
        });
        hunt.follow(logs, &|_| Default::default(), &mut telling).unwrap();
        acting.join().unwrap();
    });
    let told = flushed.lock().unwrap().clone();
    (told, words.0)
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn lines(told: &str, path: &Path) -> Vec<String> {
    let name = format!("{}:", path.display());
    told.lines().filter_map(|line| Some(line.strip_prefix(&name)?.split(": ").next()?.to_owned())).collect()
}

#[test]
fn what_is_added_is_told_and_rotation_by_renaming_loses_nothing() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let (a, b) = (write(folder.path(), "a", b"evil.example\n"), folder.path().join("b"));
    let (told, words) = follow(&index, &[a.clone(), b.clone()], None, |wait| {
        wait("a:1:1");
        append(&a, "two\nthree evil.example\n");
        wait("a:3:7");
        append(&b, "evil.example\n");
        wait("b:1:1");
        fs::rename(&a, folder.path().join("a.1")).unwrap();
        append(&folder.path().join("a.1"), "late\nevil.example\n");
        append(&a, "x\ny evil.example\n");
        wait("a:5:1");
        wait("a:2:3");
    });
    assert_eq!(lines(&told, &a), ["1:1", "3:7", "5:1", "2:3"]);
    assert_eq!(lines(&told, &b), ["1:1"]);
    assert!(words.len() == 1 && words[0].contains("it is waited for"), "{words:?}");
}

#[test]
fn a_log_that_is_cut_is_read_from_its_beginning() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let a = write(folder.path(), "a", b"a line\na line\nevil.example\n");
    let (told, words) = follow(&index, std::slice::from_ref(&a), None, |wait| {
        wait("a:3:1");
        OpenOptions::new().write(true).open(&a).unwrap().set_len(0).unwrap();
        append(&a, " evil.example\n");
        wait("a:1:2");
        // Cut and longer than before at once.
        fs::write(&a, format!("{}\n  evil.example\n", "other lines\n".repeat(20))).unwrap();
        wait("a:22:3");
    });
    assert_eq!(lines(&told, &a), ["3:1", "1:2", "22:3"]);
    assert!(words.iter().all(|word| word.contains("written anew")) && words.len() == 2, "{words:?}");
}

#[test]
fn a_log_that_is_written_over_by_as_many_bytes_is_read_from_its_beginning() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let a = write(folder.path(), "a", b"evil.example 1\n");
    let over = |text: &[u8]| OpenOptions::new().write(true).open(&a).unwrap().write_all(text).unwrap();
    let (told, words) = follow(&index, std::slice::from_ref(&a), None, |wait| {
        wait("a:1:1");
        std::thread::sleep(Duration::from_millis(300));
        over(b"1 evil.example\n");
        wait("a:1:3");
        // Only its time is new: it is the same log.
        over(b"1 evil.example\n");
        std::thread::sleep(Duration::from_millis(600));
    });
    assert_eq!(lines(&told, &a), ["1:1", "1:3"]);
    assert!(words.len() == 1 && words[0].contains("written anew"), "{words:?}");
}

#[test]
fn without_a_log_that_can_be_followed_it_ends() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let packed = write(folder.path(), "a.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0\0\0");
    let picture = write(folder.path(), "b", b"\x89PNG\r\n\x1a\n");
    let (sent, ended) = std::sync::mpsc::channel();
    let logs = [packed.clone(), picture];
    std::thread::spawn(move || {
        let indexes = Indexes::new(std::slice::from_ref(&index));
        let (hosts, stop, mut words) = (Hosts::new(), AtomicBool::new(false), Words::default());
        let wants = Wants { field: false, tally: false, context: None };
        let hunt = Hunt { indexes, threads: 1, wants, allow: None, hosts: &hosts, days: Days::now(), stop: &stop };
        let style = Style { format: Format::Text, show: Show::Hits, context: None, header: true, safe: str::to_owned };
        let mut telling = Telling::new(indexes, Printer::new(Vec::new(), style).unwrap(), false, &mut words);
        hunt.follow(&logs, &|_| Default::default(), &mut telling).unwrap();
        let errors = telling.totals().errors;
        sent.send((errors, words.0)).unwrap();
    });
    let (errors, words) = ended.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(errors, 2);
    assert!(words[0].contains("gzip data can't be followed") && words[1].contains("it is a picture"), "{words:?}");
    // Others are followed on, and one that is not there may become one.
    let log = folder.path().join("log");
    let (told, words) = follow(&house::index(&["evil.example"]), &[packed, log.clone()], None, |wait| {
        std::thread::sleep(Duration::from_millis(500));
        append(&log, "evil.example\n");
        wait("log:1:1");
    });
    assert_eq!((lines(&told, &log).len(), words.len()), (1, 2), "{words:?}");
}

#[test]
fn a_last_line_is_waited_for_and_told_once() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let a = write(folder.path(), "a", b"evil.exam");
    let (told, _) = follow(&index, std::slice::from_ref(&a), None, |wait| {
        append(&a, "ple and evil.example.org\nevil.example is the");
        wait("a:1:1");
        // Its end does not come: told after a second, and not again when it comes.
        wait("a:2:1");
        append(&a, " last, but for evil.example\nevil.example");
        wait("a:2:35");
    });
    // What was held when it ended is searched, too.
    assert_eq!(lines(&told, &a), ["1:1", "2:1", "2:35", "3:1"]);
}

#[test]
fn lines_around_hits_are_of_their_log() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let (a, b) = (write(folder.path(), "a", b"a1\n"), write(folder.path(), "b", b"b1\nb2\n"));
    let (told, _) = follow(&index, &[a.clone(), b.clone()], Some(1), |wait| {
        append(&b, "evil.example\nb4\n");
        wait("b-4-b4");
        append(&a, "a2\nevil.example\na4\n");
        wait("a-4-a4");
    });
    let told = told.replace(&format!("{}/", folder.path().display()), "");
    let hit = "domain evil.example evil.example";
    assert!(
        told.contains(&format!(
            "b:3:1: {hit}\nb:3:evil.example\nb-4-b4\n--\na-2-a2\na:3:1: {hit}\na:3:evil.example\na-4-a4\n"
        )),
        "{told}"
    );
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let indexes = Indexes::new(std::slice::from_ref(&index));
    let (hosts, stop, mut words) = (Hosts::new(), AtomicBool::new(true), Words::default());
    let wants = Wants { field: false, tally: false, context: None };
    let hunt = Hunt { indexes, threads: 1, wants, allow: None, hosts: &hosts, days: Days::now(), stop: &stop };
    let style = Style { format: Format::Text, show: Show::Hits, context: None, header: true, safe: str::to_owned };
    let mut telling = Telling::new(indexes, Printer::new(Vec::new(), style).unwrap(), false, &mut words);
    for name in [folder.path().to_owned(), "-".into()] {
        let error = hunt.follow(&[name], &|_| Default::default(), &mut telling).unwrap_err().to_string();
        assert!(error.contains("folder") || error.contains("without --follow"), "{error}");
    }
}
