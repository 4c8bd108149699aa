//! Searches a block, and makes of the hits what is told of them.

use super::block::Block;
use super::gather::{Gather, Piece, Spot};
use super::part::{Found, Part};
use super::plan::Start;
use crate::allow::{Allow, Asking};
use crate::day::Days;
use crate::field::fields;
use crate::host::Hosts;
use crate::indexes::Indexes;
use crate::source::Claim;
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
