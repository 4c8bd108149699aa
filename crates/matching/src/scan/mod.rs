//! Finds indicators in bytes.

pub(crate) mod ahead;
#[cfg(target_arch = "x86_64")]
mod avx2;
mod check;
#[cfg(target_arch = "x86_64")]
mod classes;
mod fast;
mod hosts;
mod masks;
mod out;
mod plain;
mod signs;
mod words;

use crate::index::{Index, digit_tops};
use crate::kind::Kind;
use check::Check;
pub(crate) use check::REST;
use fast::Room;
use masks::{BLOCKS, Masks};
use out::Out;

/// An indicator in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Line, from 1.
    pub line: u64,
    /// Byte of the line where it starts, from 1.
    pub column: u64,
    /// What the indicator is.
    pub kind: Kind,
    /// Its number in the index.
    pub indicator: u32,
    /// Where its spelling starts in the bytes that were scanned.
    pub start: usize,
    /// Where it ends: the whole name or URL, not only the part that the indicator names.
    pub end: usize,
}

/// What is wanted after a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next one.
    Hit,
    /// The next one that is not on this line.
    Line,
    /// No more.
    Stop,
}

/// Memory that a scan needs, about 150 KB: for many scans of short texts it is made once.
#[derive(Debug)]
pub struct Scratch {
    room: Box<Room>,
    hidden: Hidden,
}

impl Scratch {
    /// Makes it.
    #[must_use]
    pub fn new() -> Scratch {
        Scratch { room: Box::new(Room::new()), hidden: Hidden::default() }
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}

/// What an index gives reason to look for.
#[derive(Debug, Clone, Copy)]
struct Wants {
    hex: bool,
    v6: bool,
    words: bool,
    /// Numbers of autonomous systems.
    systems: bool,
    /// Names may be one label.
    lone: bool,
    /// Names may end in a digit.
    digit_tops: bool,
}

/// Which code makes the masks; the rest is the same, compiled for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// What every processor has.
    Portable,
    /// 32 bytes at a time.
    Avx2,
}

impl Code {
    /// The best that this processor has.
    #[must_use]
    pub fn best() -> Code {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
        {
            return Code::Avx2;
        }
        Code::Portable
    }
}

/// Looks for the indicators of an index. Cheap to make; scan from many threads with one.
#[derive(Debug)]
pub struct Scanner<'a> {
    check: Check<'a>,
    wants: Wants,
    code: Code,
}

impl<'a> Scanner<'a> {
    /// With the fastest code that this processor has.
    #[must_use]
    pub fn new(index: &'a Index) -> Scanner<'a> {
        let has = |kinds: &[Kind]| kinds.iter().any(|kind| index.count(*kind) > 0);
        let check = Check::new(index);
        let (byte, bit) = digit_tops(index.salt());
        let wants = Wants {
            hex: has(&[Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Sha512]),
            v6: index.v6().len::<u128>() + index.v4().len::<u32>() > 0,
            words: has(&[Kind::Cve, Kind::Btc, Kind::Xmr, Kind::Eth, Kind::Ssdeep]),
            systems: has(&[Kind::Asn]),
            lone: check.tops[check.tops.len() / 2..].iter().any(|tops| *tops != 0),
            digit_tops: check.tops.get(byte).is_some_and(|tops| tops & bit != 0),
        };
        Scanner { check, wants, code: Code::best() }
    }

    /// The same with other code, as far as this processor has it: for comparison.
    #[must_use]
    pub fn with(mut self, code: Code) -> Scanner<'a> {
        self.code = code.min(Code::best());
        self
    }

    /// What makes the masks.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Gives every hit in `text`, in order of place, then of indicator; of URLs that stand at one place, 65,536 and
    /// one more if there are more. `text` starts and ends at the borders of lines, or at borders of tokens at least;
    /// its first line is 1. Returns how many lines end in it. Allocates once a call, not for each line or hit.
    pub fn scan(&self, text: &[u8], mut hit: impl FnMut(Hit)) -> u64 {
        self.scan_some(&mut Scratch::new(), text, |found| {
            hit(found);
            Next::Hit
        })
    }

    /// The same as far as it is wanted, in memory that was made before. Returns how many lines end in what was
    /// scanned.
    pub fn scan_some(&self, scratch: &mut Scratch, text: &[u8], mut hit: impl FnMut(Hit) -> Next) -> u64 {
        let Scratch { room, hidden } = scratch;
        room.reset();
        hidden.reset();
        let mut lines = Lines::default();
        // What starts before is on a line of which no more is wanted.
        let mut from = 0;
        let mut base = 0;
        loop {
            let rest = &text[base..];
            // The last block is filled up with zeros, so that the last token ends.
            let full = rest.len() >= BLOCKS * 64;
            let blocks = if full { BLOCKS } else { rest.len() / 64 + 1 };
            self.chunk(room, text, base, blocks);
            // What stands in a piece with a hidden sign is found in its rewritten form, or not at all.
            room.found.retain(|start| !hidden.covers(text, start));
            for at in room.signs.drain(..) {
                hidden.read(self, text, at, &mut room.found);
            }
            let Room { found, masks, .. } = &mut **room;
            found.drain(&self.check, text, |start, end, indicator| {
                if start < from {
                    return from;
                }
                let Some(kind) = self.check.index.kind(indicator) else { return from };
                let (line, column) = lines.place(text, masks, base, blocks, start);
                from = match hit(Hit { line, column, kind, indicator, start, end }) {
                    Next::Hit => from,
                    Next::Stop => usize::MAX,
                    Next::Line => {
                        text[start..].iter().position(|b| *b == b'\n').map_or(text.len(), |end| start + end + 1)
                    }
                };
                from
            });
            lines.before += room.masks.lines(blocks * 64);
            if !full || from == usize::MAX {
                return lines.before;
            }
            room.masks.turn();
            base += BLOCKS * 64;
        }
    }

    fn chunk(&self, room: &mut Room, text: &[u8], base: usize, blocks: usize) {
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        match self.code {
            // SAFETY: `Code::best` saw that this processor has all that the function is compiled for, and
            // there is no other way to this value of `code`.
            Code::Avx2 => return unsafe { self.chunk_avx2(room, text, base, blocks) },
            Code::Portable => {}
        }
        fill(&mut room.masks, &text[base..], blocks, masks::fill);
        fast::chunk(&self.check, self.wants, room, text, base, blocks);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn chunk_avx2(&self, room: &mut Room, text: &[u8], base: usize, blocks: usize) {
        fill(&mut room.masks, &text[base..], blocks, |masks, first, text| avx2::fill(masks, first, text));
        fast::chunk(&self.check, self.wants, room, text, base, blocks);
    }
}

/// Fills the masks of the first blocks of a text; behind its end there are zeros.
#[inline(always)]
fn fill(masks: &mut Masks, text: &[u8], blocks: usize, some: impl Fn(&mut Masks, usize, &[u8])) {
    // Of each block the byte behind it is read as well.
    let whole = blocks.min(text.len().saturating_sub(1) / 64);
    some(masks, 0, &text[..text.len().min(whole * 64 + 1)]);
    for n in whole..blocks {
        let mut padded = [0; 65];
        let rest = &text[(n * 64).min(text.len())..];
        padded[..rest.len().min(65)].copy_from_slice(&rest[..rest.len().min(65)]);
        some(masks, n, &padded);
    }
}

/// Pieces with hidden signs.
#[derive(Debug, Default)]
struct Hidden {
    rewritten: signs::Rewritten,
    found: Out,
    /// End of the last piece that was read.
    done: usize,
    /// The last piece of which it was asked, and the answer.
    asked: (std::ops::Range<usize>, bool),
}

impl Hidden {
    fn reset(&mut self) {
        (self.done, self.asked) = (0, (0..0, false));
    }

    /// Whether a place lies in a piece with a hidden sign.
    fn covers(&mut self, text: &[u8], at: usize) -> bool {
        if !self.asked.0.contains(&at) {
            let piece = signs::piece(text, at);
            self.asked = (piece.clone(), signs::hides(text, piece));
        }
        self.asked.1
    }

    /// Reads the piece with a sign, if it was not read for a sign before.
    fn read(&mut self, scanner: &Scanner<'_>, text: &[u8], at: usize, out: &mut Out) {
        if at < self.done {
            return;
        }
        let piece = signs::piece(text, at);
        self.done = piece.end;
        let piece = piece.start + signs::coloured(text, piece.start)..piece.end;
        self.rewritten.read(&text[piece.clone()]);
        self.found.clear();
        plain::scan(&scanner.check, scanner.wants, &self.rewritten.text, &mut self.found);
        let places = &self.rewritten.places;
        out.take(&self.found, &self.rewritten.text, |n| piece.start + places.get(n).map_or(0, |n| *n as usize));
    }
}

/// Counts lines.
#[derive(Debug, Default)]
struct Lines {
    /// Lines that ended before the chunk.
    before: u64,
    /// Start of the line of the last hit, and the hit's place.
    last: (usize, usize),
}

impl Lines {
    /// Line and column of a place in or near the chunk. A hit that starts before or behind it is on the
    /// line of the chunk's nearest byte.
    fn place(&mut self, text: &[u8], masks: &Masks, base: usize, blocks: usize, at: usize) -> (u64, u64) {
        let line = self.before + masks.lines(at.saturating_sub(base).min(blocks * 64)) + 1;
        let (start, from) = if at >= self.last.1 { self.last } else { (0, 0) };
        let start = text[from..at].iter().rposition(|b| *b == b'\n').map_or(start, |n| from + n + 1);
        self.last = (start, at);
        (line, (at - start) as u64 + 1)
    }
}
