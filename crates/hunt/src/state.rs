//! How far logs have been searched, kept in a file, so that a search can be stopped and gone on with.
//!
//! The file has a line of JSON for each time that something was reached; the last one of a log counts. It is kept
//! apart for each index: what one was searched for says nothing of another. Of several at once, one that a log was
//! searched for already is passed over in it. (Who searches only for what a delta adds uses the delta as index.) A
//! line that was cut by a crash is left out, and its log is searched from where the line before says.
//!
//! A log is known by its number on the disk, whatever its name is by now. A plain one that has grown, and of which the
//! last bytes before the place that was reached are the same, is gone on with from there; a packed one only if it has
//! not changed at all.
//!
//! What a node is to be told of waits in it too, until the node has it: `sightings/untold.rs` says how.

mod untold;

use crate::indexes::Indexes;
use crate::run::Start;
use crate::sightings::{Sighting, Waiting};
use crate::source::{Log, MAGIC, Packing, Stamp};
use crate::tell::{Keep, Reached};
use flate2::Crc;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The first line of the file.
const HEAD: &str = "{\"manara-match-state\":1}";
/// The last line of a search that came to its end in order: all that it wrote is noted, and what else stands in a file
/// of hits is somebody's.
const CLOSED: &str = "{\"closed\":true}";
/// Bytes before the place that was reached, by whose checksum it is known whether they are the same.
const TAIL: u64 = 1024;
/// Its owner reads and writes it, and nobody else.
const PRIVATE: u32 = 0o600;
/// Logs that are remembered, of all indexes; those that were searched last.
const MOST: usize = 200_000;
/// Longest line of the file.
const LINE: usize = 64 << 10;

/// Why a state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The file is something else.
    #[error("{0}: it was not written by `manara match --state`; name another file")]
    Foreign(PathBuf),
    /// Another search has it.
    #[error("{0}: another search is using it")]
    Busy(PathBuf),
}

/// A line of the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Entry {
    index: String,
    /// Of the log, for who reads the file; empty where only `out` is said.
    path: String,
    size: u64,
    changed: i64,
    inode: (u64, u64),
    offset: u64,
    lines: u64,
    told: u64,
    done: bool,
    /// Checksum of the bytes before `told`; none of what is packed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tail: Option<u32>,
    /// The file that hits are written to, and its bytes by then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    out: Option<(String, u64)>,
    /// Lines before this one that say what was found since the entry before.
    #[serde(skip_serializing_if = "is_zero", default)]
    found: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What had been reached when a search began.
#[derive(Debug)]
pub struct Before {
    /// Of each index.
    noted: Vec<Noted>,
    out: Option<(String, u64)>,
}

/// What was noted of logs for one index, by their numbers on the disk.
type Noted = HashMap<(u64, u64), Entry>;

/// How far a log was searched for one index.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    offset: u64,
    lines: u64,
    told: u64,
    /// Whether that is its end.
    done: bool,
}

/// Where it is written what is reached.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// The one that was there before: both are held, so that nobody else takes either.
    _locked: File,
    indexes: Vec<String>,
    out: Option<(String, Arc<AtomicU64>)>,
    waiting: Waiting,
}

/// Opens a state, or makes one. `indexes` name what is searched for, like [`index_ids`].
///
/// # Errors
/// The file is another's, is in use, or cannot be read or written.
pub fn state(path: &Path, indexes: &[String]) -> Result<(Before, Journal), StateError> {
    let io = |error| StateError::Io(path.to_owned(), error);
    // What was found is nobody else's business.
    let locked = OpenOptions::new().read(true).append(true).create(true).mode(PRIVATE).open(path).map_err(io)?;
    lock(&locked, path)?;
    let mut entries: Vec<Option<Entry>> = Vec::new();
    let mut numbers: HashMap<(String, (u64, u64)), usize> = HashMap::new();
    let mut lines = BufReader::new(&locked).split(b'\n');
    match lines.next() {
        None => {}
        Some(Ok(line)) if line == HEAD.as_bytes() => {}
        Some(Ok(_)) => return Err(StateError::Foreign(path.to_owned())),
        Some(Err(error)) => return Err(io(error)),
    }
    let (mut out, mut waiting) = (None, Waiting::default());
    for line in lines {
        // Cut by a crash: what it says is found out again.
        let line = line.map_err(io)?;
        if line == CLOSED.as_bytes() {
            out = None;
            continue;
        }
        if waiting.line(&line) {
            continue;
        }
        let Some(entry) =
            Some(&line).filter(|line| line.len() <= LINE).and_then(|line| serde_json::from_slice::<Entry>(line).ok())
        else {
            continue;
        };
        waiting.commit(entry.found);
        // Whichever index it was searched with: hits of all of them stand in one file, one after the other.
        out = entry.out.clone().or(out);
        // It said only what was found.
        if entry.path.is_empty() && entry.out.is_none() {
            continue;
        }
        // In the order in which they were noted: how far the hits were written is said by the last one.
        if let Some(older) = numbers.insert((entry.index.clone(), entry.inode), entries.len()) {
            entries[older] = None;
        }
        entries.push(Some(Entry { found: 0, ..entry }));
    }
    // Logs that are long gone have numbers too.
    let older = numbers.len().saturating_sub(MOST);
    entries.iter_mut().filter(|entry| entry.is_some()).take(older).for_each(|entry| *entry = None);
    // Written anew, so that it does not grow for ever, and renamed, so that it is never half of it.
    let new = path.with_added_extension("new");
    let mut file = OpenOptions::new().append(true).create(true).mode(PRIVATE).open(&new).map_err(io)?;
    lock(&file, path)?;
    file.set_permissions(Permissions::from_mode(PRIVATE)).map_err(io)?;
    let mut text = format!("{HEAD}\n").into_bytes();
    for entry in entries.iter().flatten() {
        serde_json::to_writer(&mut text, entry).map_err(|error| io(error.into()))?;
        text.push(b'\n');
    }
    text.extend(waiting.opened());
    let written = file.set_len(0).and_then(|()| file.write_all(&text)).and_then(|()| file.sync_all());
    written.and_then(|()| fs::rename(&new, path)).map_err(io)?;
    let noted = indexes.iter().map(|index| {
        let entries = entries.iter().flatten().filter(|entry| entry.index == *index && !entry.path.is_empty());
        entries.map(|entry| (entry.inode, entry.clone())).collect()
    });
    let before = Before { noted: noted.collect(), out };
    Ok((before, Journal { file, _locked: locked, indexes: indexes.to_vec(), out: None, waiting }))
}

fn lock(file: &File, path: &Path) -> Result<(), StateError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StateError::Busy(path.to_owned()),
        TryLockError::Error(error) => StateError::Io(path.to_owned(), error),
    })
}

/// What tells indexes from others: the checksums of their contents.
#[must_use]
pub fn index_ids(indexes: Indexes<'_>) -> Vec<String> {
    indexes.all().iter().map(|index| format!("{:016x}", index.checksum())).collect()
}

impl Before {
    /// Whether no log was searched before for any of the indexes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.noted.iter().all(|noted| noted.is_empty())
    }

    /// Where to start a log; `None`: it was searched to its end for all of them.
    #[must_use]
    pub fn start(&self, log: &Log) -> Option<Start> {
        let places = self.places(log);
        let all = |place: &Place| if place.done { Start::ALL } else { place.told };
        let open = places.iter().filter(|place| !place.done);
        first(open).map(|start| Start { told: places.iter().map(all).collect(), ..start })
    }

    /// Where to go on with a log that may have grown, or grow.
    #[must_use]
    pub fn place(&self, log: &Log) -> Start {
        let places = self.places(log);
        let told = places.iter().map(|place| place.told).collect();
        Start { told, ..first(places.iter()).unwrap_or_default() }
    }

    fn places(&self, log: &Log) -> Vec<Place> {
        self.noted.iter().map(|noted| self.place_of(noted, log)).collect()
    }

    /// Where to go on with a log for one index.
    fn place_of(&self, noted: &Noted, log: &Log) -> Place {
        let anew = Place::default();
        if log.is_stdin() {
            return anew;
        }
        // Whatever its name is now, and whatever else has had its name since.
        let Some(entry) = noted.get(&log.stamp.inode) else { return anew };
        let from = Place { offset: entry.offset, lines: entry.lines, told: entry.told, done: entry.done };
        let now = log.stamp;
        let unchanged = Stamp { size: entry.size, changed: entry.changed, inode: entry.inode } == now;
        match entry.tail {
            None if unchanged => from,
            // Written over in place, by as many bytes.
            Some(_) if entry.size == entry.told && now.size == entry.size && now.changed != entry.changed => anew,
            Some(tail) if now.size >= entry.told && self.tail(log, entry.told) == Some(tail) => {
                Place { done: entry.done && now.size == entry.told, ..from }
            }
            _ => anew,
        }
    }

    /// How many bytes of a file of hits had been written when something was kept last. What stands behind them is
    /// told again; `None` if hits were written elsewhere.
    #[must_use]
    pub fn written(&self, out: &Path) -> Option<u64> {
        let (path, bytes) = self.out.as_ref()?;
        (*path == absolute(out)).then_some(*bytes)
    }

    fn tail(&self, log: &Log, at: u64) -> Option<u32> {
        tail(&File::open(&log.path).ok()?, at).ok().flatten()
    }
}

impl Journal {
    /// Notes that a search came to its end, and that all it found is written. `rest` is what was found since
    /// something was reached last.
    ///
    /// # Errors
    /// The file's.
    pub fn close(&mut self, rest: Vec<Sighting>) -> io::Result<()> {
        let number = rest.len();
        let mut lines = self.waiting.found(rest);
        if number > 0 {
            line(&mut lines, &Entry { found: number, ..self.nowhere() })?;
        }
        lines.extend(self.waiting.seal());
        lines.extend_from_slice(format!("{CLOSED}\n").as_bytes());
        (&self.file).write_all(&lines)?;
        // Told only after the disk has their identifiers.
        self.file.sync_all()
    }

    /// Has the number of bytes that were written to a file kept beside what was reached, and notes it as it is now.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn count(&mut self, out: &Path, bytes: Arc<AtomicU64>) -> io::Result<()> {
        let now = Some((absolute(out), bytes.load(Ordering::Relaxed)));
        self.out = Some((absolute(out), bytes));
        append(&self.file, &Entry { out: now, ..self.nowhere() })
    }
}

impl Keep for Journal {
    fn reached(&mut self, log: &Log, from: &Start, reached: Reached, found: Vec<Sighting>) -> io::Result<()> {
        let number = found.len();
        let mut lines = self.waiting.found(found);
        let mut entries = self.entries(log, from, reached)?;
        // What was found in a log whose place is not kept was found all the same.
        if entries.is_empty() && number > 0 {
            entries.push(Entry { out: self.written(), ..self.nowhere() });
        }
        // The first of them makes what was found count: cut off behind it, hits of the others are told twice, not missed.
        if let Some(entry) = entries.first_mut() {
            entry.found = number;
        }
        // In one go: whoever is killed has noted it for all indexes, or for none.
        entries.iter().try_for_each(|entry| line(&mut lines, entry))?;
        (&self.file).write_all(&lines)
    }
}

impl Journal {
    /// The file that hits are written to, and its bytes by now.
    fn written(&self) -> Option<(String, u64)> {
        self.out.as_ref().map(|(path, bytes)| (path.clone(), bytes.load(Ordering::Relaxed)))
    }

    /// An entry of no log.
    fn nowhere(&self) -> Entry {
        Entry { index: self.indexes.first().cloned().unwrap_or_default(), ..Entry::default() }
    }

    /// What is kept of a log, for each index; nothing of what can't be found again.
    fn entries(&self, log: &Log, from: &Start, reached: Reached) -> io::Result<Vec<Entry>> {
        if log.is_stdin() {
            return Ok(Vec::new());
        }
        let Ok(file) = File::open(&log.path) else { return Ok(Vec::new()) };
        // Meanwhile another file may have the name.
        if file.metadata().map(|data| Stamp::of(&data).inode).ok() != Some(log.stamp.inode) {
            return Ok(Vec::new());
        }
        let Reached { offset, lines, told, done } = reached;
        let Stamp { size, changed, inode } = log.stamp;
        let (path, tail, out) = (key(log), tail(&file, told)?, self.written());
        let entry = Entry { path, size, changed, inode, offset, lines, told, done, tail, out, ..Entry::default() };
        // Of an index for which it was searched further before, that stands.
        let reached = self.indexes.iter().enumerate().filter(|(n, _)| from.told(*n) <= told);
        Ok(reached.map(|(_, index)| Entry { index: index.clone(), ..entry.clone() }).collect())
    }
}

/// The earliest of some places.
fn first<'p>(places: impl Iterator<Item = &'p Place>) -> Option<Start> {
    let place = places.min_by_key(|place| place.offset)?;
    Some(Start { offset: place.offset, lines: place.lines, told: Vec::new() })
}

fn append(mut file: &File, entry: &Entry) -> io::Result<()> {
    let mut bytes = Vec::new();
    line(&mut bytes, entry)?;
    file.write_all(&bytes)
}

fn line(lines: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, entry)?;
    lines.push(b'\n');
    Ok(())
}

/// By which a log is known, from wherever it is looked at.
fn key(log: &Log) -> String {
    absolute(&log.path)
}

fn absolute(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // Two names that are no UTF-8 are two logs.
    path.to_str().map_or_else(|| path.as_os_str().as_encoded_bytes().escape_ascii().to_string(), str::to_owned)
}

/// The checksum of the bytes before a place; none of what is packed, where places are not those of the file.
fn tail(file: &File, at: u64) -> io::Result<Option<u32>> {
    let mut bytes = vec![0; TAIL.min(at) as usize];
    let mut start = [0; MAGIC];
    let got = file.read_at(&mut start, 0)?;
    if Packing::of(&start[..got]) != Packing::None {
        return Ok(None);
    }
    let from = at - bytes.len() as u64;
    match file.read_exact_at(&mut bytes, from) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut crc = Crc::new();
    crc.update(&bytes);
    Ok(Some(crc.sum()))
}
