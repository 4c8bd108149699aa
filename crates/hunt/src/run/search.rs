//! Searches a block, and makes of the hits what is told of them.

use super::block::Block;
use super::gather::{Gather, Piece, Spot};
use super::part::{Found, Part};
use super::plan::Start;
use crate::allow::{Allow, Asking};
use crate::day::Days;
use crate::direction::went;
use crate::field::fields;
use crate::host::Hosts;
use crate::indexes::Indexes;
use crate::source::Claim;
use manara_matching::Kind;
use memchr::{memchr, memchr_iter, memrchr};
use std::ops::Range;
use std::sync::Arc;

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
    gather: Gather<'a>,
    lines: Lines<'a>,
}

/// What is needed to know more of hits.
struct Lines<'a> {
    indexes: Indexes<'a>,
    wants: &'a Wants,
    allow: Option<Asking<'a>>,
    hosts: &'a Hosts,
    days: Days,
    /// The hits of a line that are told, and how each place is spelled.
    told: Vec<Spot>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        indexes: Indexes<'a>,
        wants: &'a Wants,
        allow: Option<&'a Allow>,
        hosts: &'a Hosts,
        days: Days,
    ) -> Search<'a> {
        let lines = Lines { indexes, wants, allow: allow.map(Allow::asking), hosts, days, told: Vec::new() };
        Search { gather: Gather::new(indexes), lines }
    }

    /// Searches a block; parts come out in order, the last one says that it ends the block. `emit` says whether more
    /// are wanted; where they are not, none comes any more.
    pub(crate) fn block(&mut self, text: &[u8], claim: &Claim, start: &Start, emit: &mut dyn FnMut(Part) -> bool) {
        let mut block = Block::new(text, claim, self.lines.wants.context, emit);
        let lines = self.gather.block(text, claim.offset, start, &mut |piece| {
            self.lines.piece(&mut block, piece);
            !block.over
        });
        if !block.over {
            block.end(lines);
        }
    }
}

impl Lines<'_> {
    fn piece(&mut self, block: &mut Block<'_>, piece: &Piece<'_>) {
        let text = block.text;
        let (mut number, mut at, mut rest) = (piece.lines, piece.start, piece.spots);
        while let [first, ..] = rest
            && !block.over
        {
            let place = first.start as usize;
            let start = memrchr(b'\n', &text[at..place]).map_or(at, |end| at + end + 1);
            let end = memchr(b'\n', &text[place..piece.end]).map_or(piece.end, |end| place + end);
            number += memchr_iter(b'\n', &text[at..start]).count() as u64;
            at = start;
            let (line, others) = rest.split_at(rest.partition_point(|spot| (spot.start as usize) < end));
            if piece.over {
                block.overfull(number);
            }
            self.line(block, number, start..end, line);
            rest = others;
        }
    }

    /// Takes up the hits of one line.
    fn line(&mut self, block: &mut Block<'_>, number: u64, at: Range<usize>, spots: &[Spot]) {
        let text = block.text;
        let mut told = std::mem::take(&mut self.told);
        told.clear();
        match &mut self.allow {
            None => told.extend_from_slice(spots),
            Some(allow) => {
                for place in places(spots) {
                    let matched = spelled(text, &place[0]);
                    let text = |spot: &Spot| self.indexes.text(spot.indicator);
                    told.extend(place.iter().filter(|spot| !allow.holds(text(spot), spot.kind, &matched)));
                }
                block.left_out((spots.len() - told.len()) as u64);
            }
        }
        if !told.is_empty() {
            self.tell(block, number, at, &told);
        }
        self.told = told;
    }

    fn tell(&self, block: &mut Block<'_>, number: u64, at: Range<usize>, spots: &[Spot]) {
        let (text, line) = (block.text, &block.text[at.clone()]);
        let before = if number == 0 { block.claim.column } else { 0 };
        // A name at the border of a chunk may reach beyond its line in a broken text.
        let within = |place: u32| (place as usize).saturating_sub(at.start).min(line.len());
        let place_of = |spot: &Spot| within(spot.start)..within(spot.end);
        block.keep_before(number);
        let mut fields = if self.wants.field {
            fields(line, &places(spots).map(|place| place_of(&place[0])).collect::<Vec<_>>()).into_iter()
        } else {
            Vec::new().into_iter()
        };
        let (day, hosts) = match self.wants.tally {
            true => (self.days.of(line), self.hosts.on(line)),
            false => (None, Vec::new()),
        };
        let mut whole: Option<Arc<str>> = None;
        for spots in places(spots) {
            let place = place_of(&spots[0]);
            let matched: Arc<str> = spelled(text, &spots[0]).into();
            let field = fields.next().flatten();
            let host = hosts.iter().find(|(at, _)| at.end <= place.start || at.start >= place.end);
            let there = host.is_some_and(|(at, _)| went(line, at, &place));
            let host = host.map(|(_, host)| *host);
            let shown = self.wants.tally.then(|| piece_around(line, &place, &mut whole));
            for spot in spots {
                let found = Found {
                    line: number,
                    column: (spot.start as usize - at.start) as u64 + 1 + before,
                    kind: spot.kind,
                    indicator: spot.indicator,
                    matched: matched.clone(),
                    field: field.clone(),
                    day,
                    host,
                    went: there && matches!(spot.kind, Kind::Ipv4 | Kind::Ipv6 | Kind::Network),
                    text: shown.clone(),
                };
                block.add(number, at.start, found);
                if block.over {
                    return;
                }
            }
        }
        block.keep_line(number);
        block.line_ends(number, at.end);
    }
}

/// Hits by their places.
fn places(spots: &[Spot]) -> impl Iterator<Item = &[Spot]> {
    spots.chunk_by(|a, b| (a.start, a.end) == (b.start, b.end))
}

/// How the indicator of a hit is spelled.
fn spelled<'t>(text: &'t [u8], spot: &Spot) -> std::borrow::Cow<'t, str> {
    String::from_utf8_lossy(&text[spot.start as usize..spot.end as usize])
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

#[cfg(test)]
mod tests {
    use super::*;
    use manara_matching::{Builder, Index};

    fn parts(context: Option<usize>, index: &Index, text: &[u8], most: usize) -> Vec<Part> {
        let (hosts, wants) = (Hosts::new(), Wants { field: false, tally: true, context });
        let indexes = Indexes::new(std::slice::from_ref(index));
        let mut search = Search::new(indexes, &wants, None, &hosts, Days::now());
        let mut parts = Vec::new();
        search.block(text, &Claim::of(0, 0), &Start::default(), &mut |part| {
            parts.push(part);
            parts.len() < most
        });
        parts
    }

    fn users(count: usize) -> Index {
        let mut builder = Builder::new();
        for n in 0..count {
            builder.add(Kind::Url, &format!("http://u{n}@a.example/{}", "x".repeat(900))).unwrap();
        }
        Index::from_bytes(builder.finish()).unwrap()
    }

    #[test]
    fn hits_of_one_line_are_handed_on_in_pieces_and_share_what_they_match() {
        let (index, line) = (users(3000), format!("http://a.example/{} ", "x".repeat(900)));
        let text = format!("one\n{}\nthree\n{line}\n", line.repeat(10));
        for context in [None, Some(1)] {
            let parts = parts(context, &index, text.as_bytes(), usize::MAX);
            assert!(parts.len() > 8, "{} parts", parts.len());
            let heaviest = parts.iter().map(Part::weight).max().unwrap();
            // Copied for each hit, what is matched would be 30 MB.
            assert!(heaviest < 300 << 10, "{heaviest} bytes");
            let all = parts.iter().map(Part::weight).sum::<usize>();
            assert!(all < 33_000 * 200 + 100_000, "{all} bytes");
            let (mut lines, mut bytes, mut told, mut kept) = (0, 0, Vec::new(), Vec::new());
            for part in &parts {
                told.extend(part.found.iter().map(|found| lines + found.line));
                kept.extend(part.kept.iter().map(|kept| lines + kept.line));
                lines += part.lines;
                bytes += part.bytes;
            }
            assert_eq!((lines, bytes), (4, text.len() as u64));
            assert_eq!(told, [vec![1; 30_000], vec![3; 3000]].concat());
            assert_eq!(kept, if context.is_some() { vec![0, 1, 2, 3] } else { vec![] });
            assert!(parts.last().unwrap().ends_block && parts.iter().filter(|part| part.ends_block).count() == 1);
        }
    }

    #[test]
    fn nothing_is_made_for_a_reader_that_is_gone() {
        let (index, line) = (users(3000), format!("http://a.example/{}\n", "x".repeat(900)));
        assert_eq!(parts(None, &index, line.repeat(20).as_bytes(), 2).len(), 2);
    }
}
