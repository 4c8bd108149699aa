//! What a searched piece of a log comes to, small enough to wait for its turn.

use super::plan::Slot;
use crate::source::Trouble;
use jiff::civil::Date;
use manara_matching::Kind;
use std::net::IpAddr;
use std::sync::Arc;

/// A hit in a part. Lines are counted from the part's first, which is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) line: u64,
    /// Byte of the line, from 1.
    pub(crate) column: u64,
    pub(crate) kind: Kind,
    pub(crate) indicator: u32,
    /// How it is spelled there.
    pub(crate) matched: Box<str>,
    /// Where in a line of JSON it stands.
    pub(crate) field: Option<Arc<str>>,
    pub(crate) day: Option<Date>,
    pub(crate) host: Option<IpAddr>,
    /// The line, or some of it.
    pub(crate) text: Option<Arc<str>>,
}

/// A line near a hit, or near the border of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) line: u64,
    pub(crate) text: Arc<str>,
}

/// A piece of a log: whole lines, but for the end of a log and pieces of very long lines.
#[derive(Default)]
pub(crate) struct Part {
    /// Its log; `None` where something is said in place of one.
    pub(crate) log: Option<Arc<Slot>>,
    /// Line ends in it.
    pub(crate) lines: u64,
    /// Bytes of it, unpacked.
    pub(crate) bytes: u64,
    /// Of these, how many were counted before, because a line that was not whole is searched again.
    pub(crate) again: u64,
    /// Of the bytes, how many stand behind its last line's end.
    pub(crate) open: u64,
    /// Bytes of the files on the disk that are done with it.
    pub(crate) disk: u64,
    /// Hits that are allowed.
    pub(crate) left_out: u64,
    pub(crate) found: Vec<Found>,
    /// Lines to be shown around hits, in order; empty where none are wanted.
    pub(crate) kept: Vec<Kept>,
    /// Lines with so many hits that not all were found.
    pub(crate) overfull: Vec<u64>,
    /// What went wrong behind it.
    pub(crate) trouble: Option<Trouble>,
    /// What else is to be said.
    pub(crate) word: Option<String>,
    /// Whether it is its block's last.
    pub(crate) ends_block: bool,
    /// Whether the log ends with it.
    pub(crate) ends_log: bool,
}

impl Part {
    /// Roughly the memory that it takes.
    pub(crate) fn weight(&self) -> usize {
        let text = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
        let found =
            |f: &Found| size_of::<Found>() + f.matched.len() + f.field.as_ref().map_or(0, |f| f.len()) + text(&f.text);
        let kept = |k: &Kept| size_of::<Kept>() + k.text.len();
        256 + self.found.iter().map(found).sum::<usize>() + self.kept.iter().map(kept).sum::<usize>()
    }
}
