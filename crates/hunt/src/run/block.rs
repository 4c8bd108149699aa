//! A block on its way into parts: what is told of it is handed on in pieces, also within a line.

use super::part::{Found, Kept, Part};
use crate::source::Claim;
use memchr::memchr_iter;

/// Memory of a part before it is handed on.
const PART: usize = 256 << 10;
/// Bytes of a line that are shown around hits.
const SHOWN: usize = 4 << 10;

pub(super) struct Block<'b> {
    pub(super) text: &'b [u8],
    pub(super) claim: &'b Claim,
    part: Part,
    weight: usize,
    /// Where the part starts: byte and line of the block.
    from: (usize, u64),
    around: Option<Around>,
    emit: &'b mut dyn FnMut(Part) -> bool,
    /// Whether nobody wants more.
    pub(super) over: bool,
}

/// Lines around hits.
struct Around {
    /// Where each line of the block starts.
    starts: Vec<u32>,
    lines: u64,
    /// The first line that was not looked at, and the first that need not be kept.
    next: u64,
    until: u64,
}

impl<'b> Block<'b> {
    /// `context`: lines around hits that are kept. `emit` takes parts and says whether more are wanted.
    pub(super) fn new(
        text: &'b [u8],
        claim: &'b Claim,
        context: Option<usize>,
        emit: &'b mut dyn FnMut(Part) -> bool,
    ) -> Block<'b> {
        let around = context.map(|lines| Around::new(text, lines as u64));
        Block { text, claim, part: Part::default(), weight: 0, from: (0, 0), around, emit, over: false }
    }

    /// A hit on a line of the block, which starts at a byte of it.
    pub(super) fn add(&mut self, line: u64, start: usize, found: Found) {
        if self.weight > PART {
            self.hand_on(line, start);
        }
        self.weight += found.weight(self.part.found.last());
        self.part.found.push(Found { line: line - self.from.1, ..found });
    }

    pub(super) fn left_out(&mut self, hits: u64) {
        self.part.left_out += hits;
    }

    /// A line has more hits than are told.
    pub(super) fn overfull(&mut self, line: u64) {
        self.part.overfull.push(line - self.from.1);
    }

    /// The line's hits were added; it ends before a byte of the block.
    pub(super) fn line_ends(&mut self, line: u64, end: usize) {
        if self.weight > PART && end < self.text.len() {
            self.hand_on(line + 1, end + 1);
        }
    }

    /// Hands on what stands before a line, which starts at a byte, and what was added of it.
    fn hand_on(&mut self, line: u64, start: usize) {
        let mut part = std::mem::take(&mut self.part);
        part.lines = line - self.from.1;
        part.bytes = (start - self.from.0) as u64;
        self.from = (start, line);
        self.weight = 0;
        self.over |= !(self.emit)(part);
    }

    /// Hands on the rest. `lines` end in the block.
    pub(super) fn end(mut self, lines: u64) {
        self.keep_end();
        let bytes = &self.text[self.from.0..];
        self.part.lines = lines - self.from.1;
        self.part.bytes = bytes.len() as u64;
        self.part.open = (bytes.len() - memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1)) as u64;
        self.part.ends_block = true;
        (self.emit)(self.part);
    }

    /// Keeps lines around earlier hits, and before one on a line.
    pub(super) fn keep_before(&mut self, line: u64) {
        let Some(around) = &mut self.around else { return };
        let kept = &mut self.part.kept;
        self.weight += around.keep(self.text, around.until.min(line), self.from.1, kept);
        around.next = around.next.max(line.saturating_sub(around.lines));
        self.weight += around.keep(self.text, line, self.from.1, kept);
    }

    /// Keeps a line with hits, behind them.
    pub(super) fn keep_line(&mut self, line: u64) {
        let Some(around) = &mut self.around else { return };
        self.weight += around.keep(self.text, line + 1, self.from.1, &mut self.part.kept);
        around.until = around.until.max(line + around.lines + 1);
    }

    /// What follows the last hit, and the block's last lines, which may stand before a hit in the next one.
    fn keep_end(&mut self) {
        let Some(around) = &mut self.around else { return };
        around.keep(self.text, around.until, self.from.1, &mut self.part.kept);
        let all = around.starts.len() as u64 - 1;
        around.next = around.next.max(all.saturating_sub(around.lines));
        around.keep(self.text, all, self.from.1, &mut self.part.kept);
    }
}

impl Around {
    fn new(text: &[u8], lines: u64) -> Around {
        let mut starts = Vec::with_capacity(memchr_iter(b'\n', text).count() + 2);
        starts.push(0);
        starts.extend(memchr_iter(b'\n', text).map(|at| at as u32 + 1));
        if starts.last().is_none_or(|last| *last as usize != text.len()) {
            starts.push(text.len() as u32 + 1);
        }
        // The block's first lines may stand behind a hit in the one before.
        Around { starts, lines, next: 0, until: lines }
    }

    /// Keeps lines up to one that is not kept. `base`: the part's first line. What they weigh comes back.
    fn keep(&mut self, text: &[u8], until: u64, base: u64, kept: &mut Vec<Kept>) -> usize {
        let until = until.min(self.starts.len() as u64 - 1);
        let mut weight = 0;
        while self.next < until {
            let at = |line: u64| self.starts[line as usize] as usize;
            let (start, end) = (at(self.next), at(self.next + 1) - 1);
            let end = end.min(start + SHOWN).max(start);
            let line = String::from_utf8_lossy(&text[start..end.min(text.len())]);
            kept.push(Kept { line: self.next - base, text: line.into() });
            weight += kept.last().map_or(0, Kept::weight);
            self.next += 1;
        }
        weight
    }
}
