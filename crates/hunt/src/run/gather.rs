//! Finds the hits of a block, of all indexes, some whole lines at a time: so many that memory stays small however
//! many there are.

use crate::indexes::{Indexes, Indicator};
use crate::run::plan::Start;
use manara_matching::{Kind, Next, Scanner, Scratch};
use memchr::{memchr, memchr_iter, memrchr};

/// Hits that are told of a line, and held of a piece of a block. Where there are more, the piece ends before the line
/// with which they are too many.
const MOST: usize = 1 << 16;

/// A hit. A block has 4 MB at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// Where its spelling starts and ends in the block.
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) indicator: Indicator,
    pub(super) kind: Kind,
}

/// The hits of some lines that stand one after the other.
pub(super) struct Piece<'p> {
    /// Where it starts in the block, and lines of the block before it.
    pub(super) start: usize,
    pub(super) lines: u64,
    pub(super) end: usize,
    /// In order of place, then of index and number.
    pub(super) spots: &'p [Spot],
    /// Whether its one line with hits has more than are told.
    pub(super) over: bool,
}

/// What finding needs; one for each thread.
pub(super) struct Gather<'a> {
    indexes: Indexes<'a>,
    scanners: Vec<Scanner<'a>>,
    scratch: Scratch,
    spots: Vec<Spot>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(indexes: Indexes<'a>) -> Gather<'a> {
        let scanners = indexes.all().iter().map(Scanner::new).collect();
        Gather { indexes, scanners, scratch: Scratch::new(), spots: Vec::new() }
    }

    /// Gives the hits of a block, which starts at an `offset` of its log, without those that were told before. `each`
    /// says whether it wants more. Lines that end in the block come back.
    pub(super) fn block(
        &mut self,
        text: &[u8],
        offset: u64,
        start: &Start,
        each: &mut dyn FnMut(&Piece<'_>) -> bool,
    ) -> u64 {
        let (mut from, mut lines) = (0, 0);
        while from < text.len() {
            let (to, over, counted) = self.piece(text, from, offset, start);
            let piece = Piece { start: from, lines, end: to, spots: &self.spots, over };
            if !each(&piece) {
                break;
            }
            lines += counted.unwrap_or_else(|| memchr_iter(b'\n', &text[from..to]).count() as u64);
            from = to;
        }
        lines
    }

    /// Finds hits from a line's start on. Where the piece ends comes back, whether a line has more than are told, and the
    /// lines that end in it, if they were counted.
    fn piece(&mut self, text: &[u8], from: usize, offset: u64, start: &Start) -> (usize, bool, Option<u64>) {
        let Gather { indexes, scanners, scratch, spots } = self;
        spots.clear();
        // The start of a line of which an index has more.
        let (mut to, mut over, mut counted) = (text.len(), None, None);
        for (n, scanner) in scanners.iter().enumerate() {
            let told = start.told(n);
            if offset + (to as u64) < told {
                continue;
            }
            let held = spots.len();
            let (mut cut, mut line) = (None, 0);
            let before = to;
            let lines = scanner.scan_some(scratch, &text[from..to], |hit| {
                let indicator = Indicator { index: n as u16, number: hit.indicator };
                let (start, end) = (from + hit.start, from + hit.end);
                if offset + (end as u64) < told || indexes.held_before(indicator, hit.kind) {
                    return Next::Hit;
                }
                if spots.len() - held < MOST {
                    line = if spots.len() == held { hit.line } else { line };
                    spots.push(Spot { start: start as u32, end: end as u32, indicator, kind: hit.kind });
                    return Next::Hit;
                }
                if hit.line == line {
                    over = over.or(Some(line_start(text, start)));
                    return Next::Line;
                }
                cut = Some(line_start(text, start));
                Next::Stop
            });
            to = cut.unwrap_or(to);
            if n > 0 || cut.is_some() {
                spots.sort_unstable();
                (to, over) = end_earlier(text, spots, to, over);
            }
            counted = (to == before).then_some(lines);
        }
        // Another index may have ended the piece before that line.
        let first = spots.first().map(|spot| line_start(text, spot.start as usize));
        (to, over.is_some() && over == first, counted)
    }
}

/// Leaves out what stands behind a piece's end, and ends it earlier where there are too many: before the line of the
/// first that is too much, or behind the first line with hits.
fn end_earlier(text: &[u8], spots: &mut Vec<Spot>, to: usize, over: Option<usize>) -> (usize, Option<usize>) {
    spots.truncate(spots.partition_point(|spot| (spot.start as usize) < to));
    let (Some(first), Some(too_much)) = (spots.first(), spots.get(MOST)) else { return (to, over) };
    let first = line_start(text, first.start as usize);
    let start = line_start(text, too_much.start as usize);
    if start > first {
        spots.truncate(spots.partition_point(|spot| (spot.start as usize) < start));
        return (start, over);
    }
    spots.truncate(MOST);
    let end = memchr(b'\n', &text[first..]).map_or(to, |end| first + end + 1);
    (end, Some(first))
}

/// Where the line of a place starts.
fn line_start(text: &[u8], place: usize) -> usize {
    memrchr(b'\n', &text[..place]).map_or(0, |at| at + 1)
}
