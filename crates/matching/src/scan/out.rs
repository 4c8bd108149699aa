//! What is found in a chunk before it is told. It stays small however many URLs a list has for one place: from some
//! number on they are noted as one crowd, and looked up again when their place is told.

use super::check::Check;

/// Hits of one place that are told at most: one more than the 65,536 that [`crate::Scanner::scan_some`] speaks of, so
/// that whoever tells no more than these sees that there were more.
pub(super) const MOST: usize = (1 << 16) + 1;
/// URLs of one place that are noted one by one.
pub(super) const FEW: usize = 64;
/// Numbers from here on are those of crowds; indicators are fewer.
const CROWD: u32 = 1 << 31;

/// A hit before its line is known, or a crowd of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    indicator: u32,
}

/// Many URLs of one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowd {
    pub(super) host_key: u64,
    /// The end of the host that they hang on, in the text or the piece.
    pub(super) at: usize,
    /// A row of that host.
    pub(super) row: usize,
    /// Where the rewritten piece that it stands in is kept; `None`: it stands in the text itself.
    piece: Option<(usize, usize)>,
}

/// What is found.
#[derive(Debug, Default)]
pub(super) struct Out {
    hits: Vec<Found>,
    crowds: Vec<Crowd>,
    /// Rewritten pieces with crowds, one after the other.
    pieces: Vec<u8>,
    /// The indicators of one place.
    numbers: Vec<u32>,
}

impl Out {
    pub(super) fn hit(&mut self, start: usize, end: usize, indicator: u32) {
        self.hits.push(Found { start, end, indicator });
    }

    /// How many were noted.
    pub(super) fn count(&self) -> usize {
        self.hits.len()
    }

    /// Notes a crowd in place of what was noted since there were `count`.
    pub(super) fn crowd(&mut self, count: usize, start: usize, end: usize, host_key: u64, at: usize, row: usize) {
        self.hits.truncate(count);
        self.hits.push(Found { start, end, indicator: CROWD | self.crowds.len() as u32 });
        self.crowds.push(Crowd { host_key, at, row, piece: None });
    }

    pub(super) fn clear(&mut self) {
        self.hits.clear();
        self.crowds.clear();
        self.pieces.clear();
    }

    /// Keeps what stands at some places.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        self.hits.retain(|found| keep(found.start));
    }

    /// Takes over what was found in a rewritten piece. `place` says where its bytes stand in the text.
    pub(super) fn take(&mut self, other: &Out, piece: &[u8], place: impl Fn(usize) -> usize) {
        let first = self.crowds.len() as u32;
        if !other.crowds.is_empty() {
            let from = self.pieces.len();
            self.pieces.extend_from_slice(piece);
            let piece = Some((from, self.pieces.len()));
            self.crowds.extend(other.crowds.iter().map(|crowd| Crowd { piece, ..*crowd }));
        }
        self.hits.extend(other.hits.iter().map(|found| {
            let indicator = if found.indicator < CROWD { found.indicator } else { found.indicator + first };
            Found { start: place(found.start), end: place(found.end), indicator }
        }));
    }

    /// Gives what was found, in order of place, then of indicator, and forgets it. `tell` says what need not be told:
    /// what starts before that.
    pub(super) fn drain(&mut self, check: &Check<'_>, text: &[u8], mut tell: impl FnMut(usize, usize, u32) -> usize) {
        self.hits.sort_unstable();
        self.hits.dedup();
        let mut from = 0;
        for place in self.hits.chunk_by(|a, b| (a.start, a.end) == (b.start, b.end)) {
            let [Found { start, end, .. }, ..] = *place else { continue };
            // Numbers of crowds are higher than those of indicators.
            let crowds = place.iter().rev().take_while(|found| found.indicator >= CROWD).count();
            if crowds == 0 {
                for found in place {
                    if start < from {
                        break;
                    }
                    from = from.max(tell(start, end, found.indicator));
                }
                continue;
            }
            if start < from {
                continue;
            }
            let (single, crowds) = place.split_at(place.len() - crowds);
            self.numbers.clear();
            self.numbers.extend(single.iter().map(|found| found.indicator));
            for found in crowds {
                let Some(crowd) = self.crowds.get((found.indicator - CROWD) as usize) else { continue };
                let text = crowd.piece.map_or(text, |(from, to)| &self.pieces[from..to]);
                check.crowd(text, crowd, MOST, &mut self.numbers);
            }
            self.numbers.sort_unstable();
            self.numbers.dedup();
            for indicator in &self.numbers {
                if start < from {
                    break;
                }
                from = from.max(tell(start, end, *indicator));
            }
        }
        self.clear();
    }
}
