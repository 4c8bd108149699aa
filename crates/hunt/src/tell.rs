//! Takes parts in their order, knows at which line of which log they stand, has them written and counted.

use crate::counter::{Counter, Seen};
use crate::indexes::Indexes;
use crate::print::{Hit, Printer};
use crate::run::{Found, Part, Slot, Start};
use crate::sightings::{Sighting, Sightings};
use crate::source::{Log, Trouble};
use crate::tally::{Tally, Totals};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often what was reached in a log is noted.
const NOTE: Duration = Duration::from_millis(250);

/// Somebody who watches a search.
pub trait Watch {
    /// Something is to be said: a log that is broken, for one.
    fn word(&mut self, text: &str);
    /// How it stands; often.
    fn standing(&mut self, standing: &Standing<'_>);
}

/// How a search stands.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Counts so far.
    pub totals: &'a Totals,
    /// Bytes of files on the disk, packed as they are, that are done.
    pub disk: u64,
    /// Since it began.
    pub took: Duration,
}

/// How far a log has been searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    /// Unpacked bytes up to the end of the last whole line.
    pub offset: u64,
    /// Lines in them.
    pub lines: u64,
    /// Unpacked bytes that were searched: hits that end before were told.
    pub told: u64,
    /// Whether that is all of it.
    pub done: bool,
}

/// Somebody who keeps what was reached. Everything up to there has been written before it is called.
pub trait Keep {
    /// Notes it, and in the same breath what a node is to be told of that was found since the last time. `from` is where
    /// the log was begun.
    ///
    /// # Errors
    /// It cannot be kept.
    fn reached(&mut self, log: &Log, from: &Start, reached: Reached, found: Vec<Sighting>) -> io::Result<()>;
}

/// Tells what was found.
pub struct Telling<'a, W> {
    indexes: Indexes<'a>,
    printer: Printer<W>,
    counter: Counter,
    tally: bool,
    watch: &'a mut dyn Watch,
    keep: Option<&'a mut dyn Keep>,
    sightings: Option<&'a mut Sightings>,
    /// Logs that are being told: one, but where several are followed.
    now: BTreeMap<u64, Now>,
    /// The log of the last part.
    last: u64,
    disk: u64,
    begun: Instant,
    noted: Instant,
}

/// A log that is being told.
struct Now {
    slot: Arc<Slot>,
    lines: u64,
    offset: u64,
    /// Bytes behind the last line's end.
    open: u64,
    hits: u64,
    failed: bool,
    closed: bool,
}

impl Now {
    fn of(slot: &Arc<Slot>) -> Now {
        let (lines, offset) = (slot.start.lines, slot.start.offset);
        Now { slot: slot.clone(), lines, offset, open: 0, hits: 0, failed: false, closed: false }
    }
}

impl<'a, W: Write> Telling<'a, W> {
    /// Writes with a printer. `tally`: count each indicator too, not only all of them.
    pub fn new(indexes: Indexes<'a>, printer: Printer<W>, tally: bool, watch: &'a mut dyn Watch) -> Telling<'a, W> {
        let (counter, begun) = (Counter::new(), Instant::now());
        let (now, keep, sightings) = (BTreeMap::new(), None, None);
        Telling { indexes, printer, counter, tally, watch, keep, sightings, now, last: 0, disk: 0, begun, noted: begun }
    }

    /// Has what is reached kept.
    pub fn keep(&mut self, keep: &'a mut dyn Keep) {
        self.keep = Some(keep);
    }

    /// Has counted what a node is to be told of. Days and hosts are known only with a tally.
    pub fn sight(&mut self, sightings: &'a mut Sightings) {
        self.sightings = Some(sightings);
    }

    /// Counts so far.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        self.counter.totals()
    }

    /// What is written to, and what was counted.
    #[must_use]
    pub fn finish(self) -> (Printer<W>, Tally) {
        let seconds = self.begun.elapsed().as_secs_f64();
        (self.printer, self.counter.tally(self.indexes, seconds))
    }

    pub(crate) fn part(&mut self, part: Part) -> io::Result<()> {
        if let Some(word) = &part.word {
            self.watch.word(word);
        }
        let Some(slot) = &part.log else {
            if let Some(trouble) = &part.trouble {
                self.trouble(trouble);
            }
            return Ok(());
        };
        let name = &slot.log.name;
        if std::mem::replace(&mut self.last, slot.number) != slot.number {
            self.printer.turn()?;
        }
        let mut now = self.now.remove(&slot.number).unwrap_or_else(|| Now::of(slot));
        self.found(name, now.lines, &part)?;
        for line in &part.overfull {
            let line = now.lines + line + 1;
            self.watch.word(&format!("{name}:{line}: more than 65,536 hits on one line; the others are not told"));
        }
        now.hits += part.found.len() as u64;
        now.lines += part.lines;
        now.offset = now.offset + part.bytes - part.again;
        if part.bytes > 0 {
            now.open = if part.lines > 0 { part.open } else { now.open + part.bytes - part.again };
        }
        self.disk += part.disk;
        self.counter.read(part.lines, part.bytes - part.again, part.left_out);
        if let Some(trouble) = &part.trouble
            && !std::mem::replace(&mut now.failed, true)
        {
            now.closed = trouble.unsearched();
            self.trouble(trouble);
        }
        if part.ends_log && !now.closed {
            self.counter.read(u64::from(now.open > 0), 0, 0);
            self.counter.file();
            self.printer.end(name, now.hits)?;
        }
        if !now.closed && (part.ends_log || (part.ends_block && self.noted.elapsed() > NOTE && self.printer.settled()))
        {
            self.note(&now, part.ends_log)?;
        }
        if !part.ends_log {
            self.now.insert(slot.number, now);
        }
        Ok(())
    }

    /// Writes everything out, then has it noted.
    fn note(&mut self, now: &Now, ends: bool) -> io::Result<()> {
        self.noted = Instant::now();
        self.standing();
        let Some(keep) = &mut self.keep else { return Ok(()) };
        self.printer.flush()?;
        // What is broken is tried again next time, from where it was readable.
        let done = ends && !now.failed;
        let reached = Reached { offset: now.offset - now.open, lines: now.lines, told: now.offset, done };
        let found = self.sightings.as_mut().map(|sightings| sightings.take(self.indexes)).unwrap_or_default();
        keep.reached(&now.slot.log, &now.slot.start, reached, found)
    }

    /// The search was ended early: what was reached in logs that were not read to their end is noted.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.printer.release()?;
        for (_, now) in std::mem::take(&mut self.now) {
            if !now.failed {
                self.note(&now, false)?;
            }
        }
        self.pause()
    }

    fn found(&mut self, name: &str, lines: u64, part: &Part) -> io::Result<()> {
        let mut kept = part.kept.iter().peekable();
        for found in &part.found {
            while let Some(line) = kept.next_if(|kept| kept.line < found.line) {
                self.printer.line(name, lines + line.line + 1, &line.text)?;
            }
            self.hit(name, lines, found)?;
        }
        for line in kept {
            self.printer.line(name, lines + line.line + 1, &line.text)?;
        }
        Ok(())
    }

    fn hit(&mut self, file: &str, lines: u64, found: &Found) -> io::Result<()> {
        let line = lines + found.line + 1;
        let Found { column, kind, indicator, day, host, went, .. } = *found;
        if self.tally {
            let text = found.text.as_deref().unwrap_or_default();
            let seen = Seen { file, line, indicator, kind, day, host, went, text };
            self.counter.hit(&seen);
            if let Some(sightings) = &mut self.sightings {
                sightings.hit(&seen);
            }
        } else {
            self.counter.bare();
        }
        self.printer.hit(&Hit {
            file,
            line,
            column,
            kind,
            indicator: self.indexes.text(indicator),
            matched: &found.matched,
            field: found.field.as_deref(),
            details: self.indexes.details(indicator),
        })
    }

    /// Says something that is no error.
    pub(crate) fn say(&mut self, text: &str) {
        self.watch.word(text);
    }

    fn trouble(&mut self, trouble: &Trouble) {
        let text = trouble.to_string();
        self.counter.error(&text);
        self.watch.word(&text);
    }

    fn standing(&mut self) {
        self.watch.standing(&Standing { totals: self.counter.totals(), disk: self.disk, took: self.begun.elapsed() });
    }

    /// Nothing waits to be told: what was found reaches whoever reads.
    pub(crate) fn pause(&mut self) -> io::Result<()> {
        self.standing();
        self.printer.flush()
    }

    /// The same where nothing more may come for a long time.
    pub(crate) fn rest(&mut self) -> io::Result<()> {
        self.printer.release()?;
        self.pause()
    }
}
