//! What a searched piece of a log comes to, small enough to wait for its turn.

use super::plan::Slot;
use crate::indexes::Indicator;
use crate::source::Trouble;
use jiff::civil::Date;
use manara_matching::Kind;
use std::net::IpAddr;
use std::sync::Arc;

/// What a shared text takes beside its bytes.
const ARC: usize = 32;

/// A hit in a part. Lines are counted from the part's first, which is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) line: u64,
    /// Byte of the line, from 1.
    pub(crate) column: u64,
    pub(crate) kind: Kind,
    pub(crate) indicator: Indicator,
    /// How it is spelled there; hits of the same place share it.
    pub(crate) matched: Arc<str>,
    /// Where in a line of JSON it stands.
    pub(crate) field: Option<Arc<str>>,
    pub(crate) day: Option<Date>,
    pub(crate) host: Option<IpAddr>,
    /// Whether the line says that the host went to the address that was found.
    pub(crate) went: bool,
    /// The line, or some of it.
    pub(crate) text: Option<Arc<str>>,
}

/// A line near a hit, or near the border of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) line: u64,
    pub(crate) text: Arc<str>,
}

/// A piece of a log: whole lines, but for the end of a log, pieces of very long lines, and lines with very many hits,
/// which stand at the end of one part and the beginning of the next.
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
        let mut last = None;
        let mut weight = 256;
        for found in &self.found {
            weight += found.weight(last);
            last = Some(found);
        }
        weight + self.kept.iter().map(Kept::weight).sum::<usize>() + self.overfull.len() * size_of::<u64>()
    }
}

impl Found {
    /// Roughly the memory that it takes beside the hit before it, with which it may share texts.
    pub(crate) fn weight(&self, last: Option<&Found>) -> usize {
        let own = |text: Option<&Arc<str>>, shared: Option<&Arc<str>>| match (text, shared) {
            (Some(text), Some(shared)) if Arc::ptr_eq(text, shared) => 0,
            (Some(text), _) => ARC + text.len(),
            (None, _) => 0,
        };
        size_of::<Found>()
            + own(Some(&self.matched), last.map(|last| &last.matched))
            + own(self.field.as_ref(), last.and_then(|last| last.field.as_ref()))
            + own(self.text.as_ref(), last.and_then(|last| last.text.as_ref()))
    }
}

impl Kept {
    /// Roughly the memory that it takes.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Kept>() + ARC + self.text.len()
    }
}
