//! What a node is told of searches that are killed and gone on with: each hit counts once.

#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod house;

use house::{Words, index, pack, write};
use manara_hunt::{
    Days, Format, Hosts, Hunt, Indexes, Journal, Printer, Show, Sightings, Style, Telling, Terms, Untold, Walk, Wants,
    state,
};
use manara_matching::Index;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use uuid::Uuid;

const NODE: &str = "https://node.example/";

/// A node: what it was told, by identifier.
type Node = HashMap<Uuid, (String, u64)>;

fn tell(node: &mut Node, told: &[Untold]) {
    for one in told {
        node.entry(one.uuid).or_insert((one.sighting.value.clone(), one.sighting.count));
    }
}

fn sums(node: &Node) -> BTreeMap<&str, u64> {
    let mut sums = BTreeMap::new();
    node.values().for_each(|(value, count)| *sums.entry(value.as_str()).or_default() += count);
    sums
}

/// A search, up to where something is told.
fn search(index: &Index, path: &Path, logs: &[PathBuf]) -> Journal {
    let indexes = Indexes::new(std::slice::from_ref(index));
    let (before, mut journal) = state(path, &["1".to_owned()]).unwrap();
    let (hosts, stop) = (Hosts::new(), AtomicBool::new(false));
    let wants = Wants { field: false, tally: true, context: None };
    let hunt = Hunt { indexes, threads: 2, wants, allow: None, hosts: &hosts, days: Days::now(), stop: &stop };
    let style = Style { format: Format::Text, show: Show::Hits, context: None, header: true, safe: str::to_owned };
    let mut words = Words::default();
    let mut sightings = Sightings::new(Terms { to: NODE.into(), ..Terms::default() });
    let mut telling = Telling::new(indexes, Printer::new(Vec::new(), style).unwrap(), true, &mut words);
    telling.keep(&mut journal);
    telling.sight(&mut sightings);
    hunt.run(Walk::new(logs), &|log| before.start(log), &mut telling).unwrap();
    drop(telling.finish());
    journal.close(sightings.take(indexes)).unwrap();
    journal
}

#[test]
fn killed_at_any_moment_each_hit_counts_once() {
    let (index, folder) = (index(&["evil.example", "bad.example"]), tempfile::tempdir().unwrap());
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    write(&logs, "a.log", b"2026-01-02T00:00:00Z evil.example\n2026-01-03T00:00:00Z evil.example\nevil.example\n");
    write(&logs, "b.log.gz", &pack("gz", b"bad.example\nevil.example\n"));
    write(&logs, "c.log", b"bad.example\nbad.exam");
    let (path, again, logs) = (folder.path().join("state"), folder.path().join("again"), [logs]);
    let want = BTreeMap::from([("evil.example", 4), ("bad.example", 2)]);
    let mut journal = search(&index, &path, &logs);
    let sealed = fs::read(&path).unwrap().len();
    let waiting = journal.untold(NODE);
    assert_eq!(waiting.len(), 4, "a day each, and what has none: {waiting:?}");
    journal.told(&waiting.iter().take(2).map(|one| one.uuid).collect::<Vec<_>>()).unwrap();
    journal.told(&waiting.iter().skip(2).map(|one| one.uuid).collect::<Vec<_>>()).unwrap();
    drop(journal);
    let bytes = fs::read(&path).unwrap();
    let head = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in head..=bytes.len() {
        fs::write(&again, &bytes[..cut]).unwrap();
        let mut node = Node::new();
        // The node has been told all that may have been told by then: answers got lost.
        if cut >= sealed {
            tell(&mut node, &waiting);
        }
        let mut journal = search(&index, &again, &logs);
        let rest = journal.untold(NODE);
        tell(&mut node, &rest);
        assert_eq!(sums(&node), want, "cut at {cut} of {}", bytes.len());
        journal.told(&rest.iter().map(|one| one.uuid).collect::<Vec<_>>()).unwrap();
        drop(journal);
        assert_eq!(search(&index, &again, &logs).untold(NODE), [], "cut at {cut}: what was told is not told again");
    }
}

#[test]
fn what_was_not_told_waits_for_its_node_through_other_searches() {
    let (index, folder) = (index(&["evil.example"]), tempfile::tempdir().unwrap());
    let (log, path) = (write(folder.path(), "a.log", b"evil.example\n"), folder.path().join("state"));
    let mut add = fs::OpenOptions::new().append(true).open(&log).unwrap();
    let first = search(&index, &path, std::slice::from_ref(&log)).untold(NODE);
    add.write_all(b"evil.example\nevil.example\n").unwrap();
    // One that tells nobody in between; and one with another index.
    drop(state(&path, &["2".to_owned()]).unwrap());
    let journal = search(&index, &path, std::slice::from_ref(&log));
    let counts: Vec<u64> = journal.untold(NODE).iter().map(|one| one.sighting.count).collect();
    assert_eq!((&journal.untold(NODE)[..1], counts), (&first[..], vec![1, 2]));
    assert_eq!(journal.untold("https://other.example/"), []);
    assert_eq!(journal.elsewhere("https://other.example/"), BTreeMap::from([(NODE, 2)]));
}

#[test]
fn a_state_is_its_owners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    drop(state(&path, &["1".to_owned()]).unwrap());
    assert_eq!(mode(), 0o600);
    // One that an earlier version made.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(state(&path, &["1".to_owned()]).unwrap());
    assert_eq!(mode(), 0o600);
}
