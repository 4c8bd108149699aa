//! Who searches what next: the earliest log that nobody is just reading.
//!
//! A log is read (unpacked, or cut into blocks) by one thread at a time and its blocks are searched by many.
//! A thread takes the next block of the earliest log whose reader is free, and opens another log only when all
//! open ones are being read. So there are no more open logs than threads, and after the last block of the
//! earliest log somebody always comes back for its next one.

use crate::source::{Claim, Feed, Item, Log, Trouble, Walk};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// Where a log is begun: bytes and lines that were searched before, and up to where hits were told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Unpacked bytes, up to a line's end.
    pub offset: u64,
    /// Lines in them.
    pub lines: u64,
    /// Hits of each index that end before this byte were told; of an index that is not there none was.
    /// [`Start::ALL`]: it need not be searched for.
    pub told: Vec<u64>,
}

impl Start {
    /// Beyond the end of every log.
    pub const ALL: u64 = u64::MAX;

    /// Hits of an index that end before this byte were told.
    #[must_use]
    pub fn told(&self, index: usize) -> u64 {
        self.told.get(index).copied().unwrap_or(0)
    }
}

/// A log that is being read.
pub(crate) struct Slot {
    pub(crate) number: u64,
    pub(crate) log: Log,
    pub(crate) start: Start,
    reader: Mutex<Reader>,
}

struct Reader {
    feed: Option<Feed>,
    /// The next block's number.
    block: u64,
    /// What of the file on the disk was accounted for.
    disk: u64,
    done: bool,
}

impl Slot {
    /// For a log that is read in another way.
    pub(crate) fn new(number: u64, log: Log, start: Start) -> Slot {
        let reader = Mutex::new(Reader { feed: None, block: 0, disk: 0, done: true });
        Slot { number, log, start, reader }
    }

    /// A block could not be read to its end.
    pub(super) fn trouble(&self, claim: &Claim, error: io::Error) -> Trouble {
        Trouble::Unreadable { name: self.log.name.to_string(), offset: claim.offset, error }
    }
}

/// Something to do.
pub(super) enum Work {
    /// A block, read or to be read.
    Block { slot: Arc<Slot>, block: u64, claim: Claim, disk: u64 },
    /// The log is at its end, or broken.
    End { slot: Arc<Slot>, block: u64, trouble: Option<Trouble>, disk: u64 },
    /// No log: something to be said in its place.
    Word { number: u64, word: Result<String, Trouble> },
}

/// What is still to be read.
pub(super) struct Plan<'a> {
    ahead: Mutex<Ahead<'a>>,
    /// Any of them ends it.
    stop: [&'a AtomicBool; 2],
}

struct Ahead<'a> {
    walk: Walk,
    /// Where to start each log; `None`: it is done already.
    begin: &'a (dyn Fn(&Log) -> Option<Start> + Sync),
    open: Vec<Arc<Slot>>,
    number: u64,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        walk: Walk,
        begin: &'a (dyn Fn(&Log) -> Option<Start> + Sync),
        stop: [&'a AtomicBool; 2],
    ) -> Plan<'a> {
        Plan { ahead: Mutex::new(Ahead { walk, begin, open: Vec::new(), number: 0 }), stop }
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead<'a>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece of work; a block that is read here stands in the buffer. `None`: there is no more.
    pub(super) fn take(&self, buffer: &mut Vec<u8>) -> Option<Work> {
        while !self.stop.iter().any(|stop| stop.load(Ordering::Relaxed)) {
            let open = self.ahead().open.clone();
            for slot in &open {
                let mut reader = match slot.reader.try_lock() {
                    Ok(reader) => reader,
                    Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                    Err(TryLockError::WouldBlock) => continue,
                };
                if let Some(work) = self.read(slot, &mut reader, buffer) {
                    return Some(work);
                }
            }
            if let Some(work) = self.open() {
                match work {
                    Ok(()) => continue,
                    Err(work) => return Some(work),
                }
            }
            // Nothing is left to be opened: wait for whoever reads the earliest.
            let slot = self.ahead().open.first().cloned()?;
            let mut reader = slot.reader.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(work) = self.read(&slot, &mut reader, buffer) {
                return Some(work);
            }
        }
        None
    }

    /// Meets the next name; `Err` is something to be told, `None`: there is none.
    fn open(&self) -> Option<Result<(), Work>> {
        let mut ahead = self.ahead();
        loop {
            let item = ahead.walk.next()?;
            let number = ahead.number;
            let word = match item {
                Item::Log(log) => {
                    let Some(start) = (ahead.begin)(&log) else { continue };
                    let reader = Mutex::new(Reader { feed: None, block: 0, disk: 0, done: false });
                    ahead.number += 1;
                    ahead.open.push(Arc::new(Slot { number, log, start, reader }));
                    return Some(Ok(()));
                }
                Item::Skipped(word) => Ok(word),
                Item::Trouble(trouble) => Err(trouble),
            };
            ahead.number += 1;
            return Some(Err(Work::Word { number, word }));
        }
    }

    /// Takes the next block of a log; `None` if it was at its end before.
    fn read(&self, slot: &Arc<Slot>, reader: &mut Reader, buffer: &mut Vec<u8>) -> Option<Work> {
        if reader.done {
            return None;
        }
        let block = reader.block;
        reader.block += 1;
        let trouble = match self.claim(slot, reader, buffer) {
            Ok(Some(claim)) => {
                let taken = reader.feed.as_ref().map_or(0, Feed::taken);
                let disk = taken.saturating_sub(std::mem::replace(&mut reader.disk, taken));
                return Some(Work::Block { slot: slot.clone(), block, claim, disk });
            }
            // At its end: what it says of a log is one thing, and what is broken says more.
            Ok(None) => reader.feed.as_mut().and_then(Feed::doubt),
            Err(trouble) => Some(trouble),
        };
        reader.done = true;
        reader.feed = None;
        let disk = slot.log.size.saturating_sub(reader.disk);
        self.ahead().open.retain(|open| open.number != slot.number);
        Some(Work::End { slot: slot.clone(), block, trouble, disk })
    }

    fn claim(&self, slot: &Slot, reader: &mut Reader, buffer: &mut Vec<u8>) -> Result<Option<Claim>, Trouble> {
        let feed = match &mut reader.feed {
            Some(feed) => feed,
            closed => closed.insert(Feed::open(&slot.log, slot.start.offset)?),
        };
        feed.claim(buffer).map_err(|error| feed.trouble(error))
    }
}
