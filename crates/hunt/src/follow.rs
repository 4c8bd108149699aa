//! Logs that are still written, as `tail -F` follows them: over rotation by renaming and by truncating, and
//! before they are there.

use crate::indexes::Indexes;
use crate::run::{Hunt, Part, Search, Slot, Start};
use crate::source::{BLOCK, Claim, LINE, Log, Packing, Stamp, Trouble, beginning, cut, doubt, known};
use crate::tell::Telling;
use memchr::memrchr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked whether there is more.
const ROUND: Duration = Duration::from_millis(200);
/// After this time a last line is searched although its end has not come.
const PATIENCE: Duration = Duration::from_secs(1);
/// Blocks of one log before the others have their turn.
const TURN: usize = 8;
/// The clock of a disk goes no slower.
const TICK: Duration = Duration::from_millis(50);
/// Bytes before the place that was reached, by which it is known whether they are still the same.
const TAIL: usize = 64;

/// A log that is followed.
struct Followed {
    path: PathBuf,
    open: Option<Open>,
    /// Whether it was said that it is not there.
    missing: bool,
    /// Whether it is there, and none that can be followed.
    refused: bool,
}

/// The file that has the log's name, or had it until now.
struct Open {
    file: File,
    slot: Arc<Slot>,
    inode: (u64, u64),
    /// The next byte to be read.
    at: u64,
    /// The last bytes before it.
    tail: Vec<u8>,
    /// When the file was changed, as far as these bytes were looked at since; in nanoseconds since 1970.
    changed: i64,
    /// The beginning of the last line.
    rest: Vec<u8>,
    /// Bytes of that line that were searched as a piece of it.
    column: u64,
    /// Bytes of `rest` that were searched although the line was not whole.
    searched: usize,
    /// Hits that end before were told, of each index.
    told: Start,
    grown: Instant,
}

/// What became of a log in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Same,
    Grown,
    /// What was read of it is not there any more.
    Anew,
}

impl Hunt<'_> {
    /// Searches logs and what is added to them, until it is stopped, or none of them is one that can be followed. Hits
    /// are written at once. `begin` says where to start each.
    ///
    /// # Errors
    /// What is told cannot be written, or a log is none that can be followed.
    pub fn follow<W: Write>(
        &self,
        logs: &[PathBuf],
        begin: &dyn Fn(&Log) -> Start,
        telling: &mut Telling<'_, W>,
    ) -> io::Result<()> {
        for path in logs {
            let foreign = |what| Err(io::Error::other(format!("{}: {what}", path.display())));
            match fs::metadata(path) {
                _ if path == Path::new("-") => return foreign("it is followed to its end without --follow"),
                Ok(data) if data.is_dir() => return foreign("a folder can't be followed: name its files"),
                Ok(data) if !data.is_file() => return foreign("no file; leave out --follow"),
                _ => {}
            }
        }
        let mut logs: Vec<Followed> = logs
            .iter()
            .map(|path| Followed { path: path.clone(), open: None, missing: false, refused: false })
            .collect();
        let mut run =
            Run { indexes: self.indexes, search: self.search(), buffer: vec![0; BLOCK], number: 0, begin, telling };
        while !self.stop.load(Ordering::Relaxed) {
            let mut grown = false;
            for log in &mut logs {
                grown |= run.round(log)? != Round::Same;
            }
            if logs.iter().all(|log| log.refused) {
                break;
            }
            if grown {
                run.telling.pause()?;
            } else {
                std::thread::sleep(ROUND);
            }
        }
        for log in &mut logs {
            if let Some(open) = &mut log.open {
                run.last_line(open)?;
            }
        }
        run.telling.end()
    }
}

struct Run<'r, 'h, 't, W> {
    indexes: Indexes<'h>,
    search: Search<'h>,
    buffer: Vec<u8>,
    number: u64,
    begin: &'r dyn Fn(&Log) -> Start,
    telling: &'r mut Telling<'t, W>,
}

impl<W: Write> Run<'_, '_, '_, W> {
    /// Reads what was added to a log.
    fn round(&mut self, log: &mut Followed) -> io::Result<Round> {
        let now = fs::metadata(&log.path).map(|data| Stamp::of(&data));
        let Some(open) = &mut log.open else {
            return self.open(log, now);
        };
        // Whoever writes may have added to it since its size was asked for: that is read too, and is no cut.
        let reached = open.at;
        let mut round = self.read(open)?;
        match now {
            Ok(now) if now.inode != open.inode => {
                // Whoever wrote the old one may have done so until its name was taken.
                while self.read(open)? == Round::Grown {}
                self.close(log)?;
                return self.open(log, Ok(now)).map(|_| Round::Grown);
            }
            Ok(now) if now.size < reached || round == Round::Anew || open.is_another(now)? => {
                let name = log.path.display();
                self.telling.say(&format!("{name}: it was written anew, and is read from its beginning"));
                self.close(log)?;
                return self.open(log, Ok(now)).map(|_| Round::Grown);
            }
            _ => {}
        }
        if round == Round::Same && open.grown.elapsed() >= PATIENCE {
            if open.searched < open.rest.len() {
                self.last_line(open)?;
                round = Round::Grown;
            }
            self.telling.rest()?;
        }
        Ok(round)
    }

    fn open(&mut self, log: &mut Followed, now: io::Result<Stamp>) -> io::Result<Round> {
        let opened = now.and_then(|_| {
            let file = File::open(&log.path)?;
            let data = file.metadata()?;
            Ok((file, data))
        });
        let (file, data) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                log.refused = false;
                if !std::mem::replace(&mut log.missing, true) {
                    let name = log.path.display();
                    self.telling.say(&format!("{name}: {error}; it is waited for"));
                }
                return Ok(Round::Same);
            }
        };
        let met = Log::new(log.path.clone(), Some(&data));
        let start = (self.begin)(&met);
        let beginning = beginning(&file).unwrap_or_default();
        let known = match Packing::of(&beginning) {
            Packing::None => known(&met, &beginning),
            packing => Err(Trouble::Packed { name: met.name.to_string(), packing }),
        };
        if let Err(trouble) = known {
            if !std::mem::replace(&mut log.refused, true) {
                self.telling.part(Part { trouble: Some(trouble), ..Part::default() })?;
            }
            return Ok(Round::Same);
        }
        if let Some(trouble) = doubt(&met, &beginning, Some((&file, data.len()))) {
            self.telling.part(Part { trouble: Some(trouble), ..Part::default() })?;
        }
        let offset = start.offset;
        let mut tail = vec![0; TAIL.min(usize::try_from(offset).unwrap_or(TAIL))];
        let before = offset - tail.len() as u64;
        let got = file.read_at(&mut tail, before).unwrap_or(0);
        // What is shorter than what was searched of it is found to be another one when it is read.
        tail.truncate(got);
        log.refused = false;
        log.missing = false;
        self.number += 1;
        log.open = Some(Open {
            file,
            slot: Arc::new(Slot::new(self.number, met, start.clone())),
            inode: Stamp::of(&data).inode,
            at: offset,
            tail,
            changed: Stamp::of(&data).changed,
            rest: Vec::new(),
            column: 0,
            searched: 0,
            told: start,
            grown: Instant::now(),
        });
        Ok(Round::Grown)
    }

    /// Reads what is there, up to some blocks.
    fn read(&mut self, open: &mut Open) -> io::Result<Round> {
        let mut round = Round::Same;
        for _ in 0..TURN {
            let got = match open.file.read_at(&mut self.buffer, open.at) {
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let name = open.slot.log.name.to_string();
                    self.trouble(open, Trouble::Unreadable { name, offset: open.at, error })?;
                    return Ok(Round::Same);
                }
            };
            if got == 0 {
                break;
            }
            if !open.goes_on()? {
                return Ok(Round::Anew);
            }
            round = Round::Grown;
            let bytes = std::mem::take(&mut self.buffer);
            let searched = self.add(open, &bytes[..got]);
            self.buffer = bytes;
            searched?;
        }
        Ok(round)
    }

    /// Takes up bytes that were added.
    fn add(&mut self, open: &mut Open, bytes: &[u8]) -> io::Result<()> {
        open.grown = Instant::now();
        open.at += bytes.len() as u64;
        let keep = open.tail.len().min(TAIL.saturating_sub(bytes.len()));
        open.tail.drain(..open.tail.len() - keep);
        open.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        open.rest.extend_from_slice(bytes);
        while let Some((end, whole)) = match memrchr(b'\n', &open.rest) {
            Some(end) => Some((end + 1, true)),
            None if open.rest.len() >= LINE => Some((cut(&open.rest), false)),
            None => None,
        } {
            self.search(open, end)?;
            open.rest.drain(..end);
            open.column = if whole { 0 } else { open.column + end as u64 };
            open.searched = 0;
            if whole {
                break;
            }
        }
        Ok(())
    }

    /// Searches the last line as far as it has come.
    fn last_line(&mut self, open: &mut Open) -> io::Result<()> {
        if open.searched < open.rest.len() {
            self.search(open, open.rest.len())?;
            open.searched = open.rest.len();
        }
        Ok(())
    }

    /// Searches the first bytes of what is held.
    fn search(&mut self, open: &mut Open, end: usize) -> io::Result<()> {
        let offset = open.at - open.rest.len() as u64;
        let (claim, mut again) = (Claim::of(offset, open.column), open.searched as u64);
        let mut told = Ok(());
        self.search.block(&open.rest[..end], &claim, &open.told, &mut |mut part| {
            part.log = Some(open.slot.clone());
            // Not all of it need stand in the first part.
            part.again = again.min(part.bytes);
            again -= part.again;
            told = self.telling.part(part);
            told.is_ok()
        });
        let reached = offset + end as u64;
        open.told.told = (0..self.indexes.all().len()).map(|n| open.told.told(n).max(reached)).collect();
        told
    }

    fn trouble(&mut self, open: &Open, trouble: Trouble) -> io::Result<()> {
        let part = Part { log: Some(open.slot.clone()), trouble: Some(trouble), ..Part::default() };
        self.telling.part(part)
    }

    /// The log has another file now.
    fn close(&mut self, log: &mut Followed) -> io::Result<()> {
        let Some(mut open) = log.open.take() else { return Ok(()) };
        self.last_line(&mut open)?;
        self.telling.part(Part { log: Some(open.slot), ends_block: true, ends_log: true, ..Part::default() })
    }
}

impl Open {
    /// Whether a file that is as long as what was read of it was written over in place.
    fn is_another(&mut self, now: Stamp) -> io::Result<bool> {
        if now.changed == self.changed || now.size != self.at {
            return Ok(false);
        }
        // Whoever writes twice within a tick of the disk's clock changes the time once.
        let lately = SystemTime::now() - TICK;
        let lately = lately.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        if u128::try_from(now.changed).is_ok_and(|changed| changed < lately) {
            self.changed = now.changed;
        }
        Ok(!self.goes_on()?)
    }

    /// Whether what stands before the place that was reached is what was read there.
    fn goes_on(&self) -> io::Result<bool> {
        let mut before = [0; TAIL];
        let before = &mut before[..self.tail.len()];
        let got = self.file.read_at(before, self.at - before.len() as u64)?;
        Ok(got == before.len() && *before == *self.tail)
    }
}
