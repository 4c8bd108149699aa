//! Searches a block, and makes of the hits what is told of them.

use super::part::{Found, Kept, Part};
use crate::allow::Allow;
use crate::day::Days;
use crate::field::fields;
use crate::host::Hosts;
use crate::source::Claim;
use manara_matching::{Hit, Index, Scanner};
use memchr::{memchr, memchr_iter, memrchr};
use std::ops::Range;
use std::sync::Arc;

/// Hits that are held of a piece of a block; where there are more, it is searched in halves.
const MOST: usize = 1 << 16;
/// Memory of a part before it is handed on.
const PART: usize = 256 << 10;
/// Bytes of a line that are shown around hits.
const SHOWN: usize = 4 << 10;

/// What is to be known of hits.
#[derive(Debug, Clone)]
pub struct Wants {
    /// The field of a JSON line.
    pub field: bool,
    /// Day, own host and a piece of the line: what a tally is made of.
    pub tally: bool,
    /// Lines before and after.
    pub context: Option<usize>,
}

/// What searching needs; one for each thread.
pub(crate) struct Search<'a> {
    scanner: Scanner<'a>,
    index: &'a Index,
    wants: &'a Wants,
    allow: Option<&'a Allow>,
    hosts: &'a Hosts,
    days: Days,
    hits: Vec<Hit>,
}

/// A block on its way into parts.
struct Block<'b> {
    text: &'b [u8],
    claim: &'b Claim,
    /// Hits that end before this byte of the log were told.
    told: u64,
    /// Lines of the pieces that were searched.
    lines: u64,
    part: Part,
    weight: usize,
    /// Where the part starts: byte and line of the block.
    from: (usize, u64),
    around: Option<Around>,
    emit: &'b mut dyn FnMut(Part),
}

/// Lines around hits.
struct Around {
    /// Where each line of the block starts.
    starts: Vec<usize>,
    lines: u64,
    /// The first line that was not looked at, and the first that need not be kept.
    next: u64,
    until: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        index: &'a Index,
        wants: &'a Wants,
        allow: Option<&'a Allow>,
        hosts: &'a Hosts,
        days: Days,
    ) -> Search<'a> {
        Search { scanner: Scanner::new(index), index, wants, allow, hosts, days, hits: Vec::new() }
    }

    /// Searches a block; parts come out in order, the last one says that it ends the block.
    pub(crate) fn block(&mut self, text: &[u8], claim: &Claim, told: u64, emit: &mut dyn FnMut(Part)) {
        let around = self.wants.context.map(|lines| Around::new(text, lines as u64));
        let part = Part::default();
        let mut block = Block { text, claim, told, lines: 0, part, weight: 0, from: (0, 0), around, emit };
        self.piece(&mut block, 0..text.len());
        block.keep_end();
        let bytes = &text[block.from.0..];
        block.part.lines = block.lines - block.from.1;
        block.part.bytes = bytes.len() as u64;
        block.part.open = (bytes.len() - memrchr(b'\n', bytes).map_or(0, |at| at + 1)) as u64;
        block.part.ends_block = true;
        (block.emit)(std::mem::take(&mut block.part));
    }

    /// Searches lines of a block.
    fn piece(&mut self, block: &mut Block<'_>, range: Range<usize>) {
        let mut hits = std::mem::take(&mut self.hits);
        hits.clear();
        let mut more = false;
        let text = &block.text[range.clone()];
        let lines = self.scanner.scan(text, |hit| match hits.len() < MOST {
            true => hits.push(hit),
            false => more = true,
        });
        if more && let Some(middle) = middle(text) {
            self.hits = hits;
            self.piece(block, range.start..range.start + middle);
            self.piece(block, range.start + middle..range.end);
            return;
        }
        if more {
            block.part.overfull.push(block.lines - block.from.1);
        }
        for line in hits.chunk_by(|a, b| a.line == b.line) {
            self.line(block, range.start, line);
        }
        block.lines += lines;
        self.hits = hits;
    }

    /// Takes up the hits of one line. `base`: where the piece starts in the block.
    fn line(&self, block: &mut Block<'_>, base: usize, hits: &[Hit]) {
        let [first, ..] = hits else { return };
        let text = block.text;
        let start = memrchr(b'\n', &text[..base + first.start]).map_or(0, |at| at + 1);
        let end = memchr(b'\n', &text[base + first.start..]).map_or(text.len(), |at| base + first.start + at);
        let line = &text[start..end];
        let number = block.lines + first.line - 1;
        let column = if number == 0 { block.claim.column } else { 0 };
        let mut told = Vec::with_capacity(hits.len());
        for hit in hits {
            let (from, to) = (base + hit.start, base + hit.end);
            if block.claim.offset + (to as u64) < block.told {
                continue;
            }
            let matched = String::from_utf8_lossy(&text[from..to]);
            if self.allow.is_some_and(|allow| allow.holds(self.index.text(hit.indicator), hit.kind, &matched)) {
                block.part.left_out += 1;
                continue;
            }
            // A name at the border of a chunk may reach beyond its line in a broken text.
            let place = from.saturating_sub(start).min(line.len())..to.saturating_sub(start).min(line.len());
            told.push((hit, matched, place));
        }
        if told.is_empty() {
            return;
        }
        block.keep_around(number);
        let places: Vec<Range<usize>> = told.iter().map(|(.., place)| place.clone()).collect();
        let mut fields = if self.wants.field { fields(line, &places) } else { Vec::new() };
        let (day, hosts) = match self.wants.tally {
            true => (self.days.of(line), self.hosts.on(line)),
            false => (None, Vec::new()),
        };
        let mut whole: Option<Arc<str>> = None;
        for (n, (hit, matched, place)) in told.into_iter().enumerate() {
            let text = self.wants.tally.then(|| piece_around(line, &place, &mut whole));
            let found = Found {
                line: number - block.from.1,
                column: hit.column + column,
                kind: hit.kind,
                indicator: hit.indicator,
                matched: matched.into(),
                field: fields.get_mut(n).and_then(Option::take),
                day,
                host: hosts
                    .iter()
                    .find(|(at, _)| at.end <= place.start || at.start >= place.end)
                    .map(|(_, host)| *host),
                text,
            };
            block.weight += size_of::<Found>() + found.matched.len() + found.text.as_ref().map_or(0, |text| text.len());
            block.part.found.push(found);
        }
        if block.weight > PART && end < text.len() {
            block.hand_on(number, end + 1);
        }
    }
}

impl Block<'_> {
    /// Hands on what is there, up to the end of a line.
    fn hand_on(&mut self, line: u64, end: usize) {
        let mut part = std::mem::take(&mut self.part);
        part.lines = line + 1 - self.from.1;
        part.bytes = (end - self.from.0) as u64;
        self.from = (end, line + 1);
        self.weight = 0;
        (self.emit)(part);
    }

    fn keep_around(&mut self, line: u64) {
        let Some(around) = &mut self.around else { return };
        let (before, until) = (line.saturating_sub(around.lines), around.until.max(line + around.lines + 1));
        around.keep(self.text, around.until.min(line + 1), self.from.1, &mut self.part.kept);
        around.next = around.next.max(before);
        around.keep(self.text, line + 1, self.from.1, &mut self.part.kept);
        around.until = until;
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
        let mut starts = vec![0];
        starts.extend(memchr_iter(b'\n', text).map(|at| at + 1));
        if starts.last() != Some(&text.len()) {
            starts.push(text.len() + 1);
        }
        // The block's first lines may stand behind a hit in the one before.
        Around { starts, lines, next: 0, until: lines }
    }

    /// Keeps lines up to one that is not kept. `base`: the part's first line.
    fn keep(&mut self, text: &[u8], until: u64, base: u64, kept: &mut Vec<Kept>) {
        let until = until.min(self.starts.len() as u64 - 1);
        while self.next < until {
            let (start, end) = (self.starts[self.next as usize], self.starts[self.next as usize + 1] - 1);
            let end = end.min(start + SHOWN).max(start);
            let line = String::from_utf8_lossy(&text[start..end.min(text.len())]);
            kept.push(Kept { line: self.next - base, text: line.into() });
            self.next += 1;
        }
    }
}

/// The line's end that is nearest to the middle of a text with more than one line.
fn middle(text: &[u8]) -> Option<usize> {
    let half = text.len() / 2;
    let before = memrchr(b'\n', &text[..half]).map(|at| at + 1);
    let behind = || memchr(b'\n', &text[half..]).map(|at| half + at + 1).filter(|at| *at < text.len());
    before.or_else(behind)
}

/// The line, if it is short, or what stands around a place of it.
fn piece_around(line: &[u8], place: &Range<usize>, whole: &mut Option<Arc<str>>) -> Arc<str> {
    const MOST: usize = crate::counter::EXAMPLE;
    if line.len() <= MOST {
        return whole.get_or_insert_with(|| String::from_utf8_lossy(line).into()).clone();
    }
    let start = place.start.saturating_sub(MOST / 3).min(line.len() - MOST);
    // No half of a letter at either end.
    let start = (start..place.start).find(|at| line[*at] & 0xc0 != 0x80).unwrap_or(start);
    let end = start + MOST;
    let end = (start + MOST - 3..end).rev().find(|at| line.get(*at).is_some_and(|b| b & 0xc0 != 0x80)).unwrap_or(end);
    String::from_utf8_lossy(&line[start..end.min(line.len())]).into()
}
