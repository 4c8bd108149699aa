//! Logs with values planted in them in many spellings, beside traps that look like them, and the truth about both.
//!
//! Two kinds of log: runs of real lines ([`real`]) and dense made-up ones ([`dense`]). Same seed, same bytes.

pub(crate) mod dense;
mod lines;
pub(crate) mod lists;
mod spell;

pub(crate) use lists::Lists;
pub(crate) use spell::SPELLINGS;

use crate::random::Random;
use lines::Slot;
use spell::{Spelling, What};
use std::collections::VecDeque;

/// Longest queue of values that wait for a line that has a place for them.
const WAITING: usize = 64;

/// A value that was put into a log.
pub(crate) struct Planted {
    /// Line, from 1.
    pub(crate) line: u64,
    /// How it is spelled; `near-` are traps, which must not be found.
    pub(crate) spelling: &'static str,
    /// The indicator, as the list has it.
    pub(crate) indicator: String,
    /// What stands in the line.
    pub(crate) text: String,
}

impl Planted {
    pub(crate) fn is_trap(&self) -> bool {
        self.spelling.starts_with("near-")
    }
}

/// Makes a log: of these lists, by a seed, so many bytes long, a value in so many of ten thousand lines.
pub(crate) type Make = fn(&Lists, u64, usize, usize) -> (Vec<u8>, Vec<Planted>);

/// Puts values into lines.
pub(crate) struct Planter<'a> {
    lists: &'a Lists,
    /// Of ten thousand lines so many get a value.
    rate: usize,
    waiting: VecDeque<&'static Spelling>,
    line: u64,
    pub(crate) truth: Vec<Planted>,
}

impl<'a> Planter<'a> {
    pub(crate) fn new(lists: &'a Lists, rate: usize) -> Planter<'a> {
        Planter { lists, rate, waiting: VecDeque::new(), line: 0, truth: Vec::new() }
    }

    /// Writes a line (without its end), with a value in it where one is due and the line has a place for it.
    pub(crate) fn write(&mut self, random: &mut Random, line: &[u8], out: &mut Vec<u8>) {
        self.line += 1;
        if random.below(10_000) < self.rate && self.waiting.len() < WAITING {
            self.waiting.push_back(&SPELLINGS[random.below(SPELLINGS.len())]);
        }
        // The first that fits: kinds whose places are rare must not hold up the others.
        let fits =
            self.waiting.iter().enumerate().find_map(|(n, spelling)| Some((n, lines::slot(line, spelling.what)?)));
        let Some((n, slot)) = fits else {
            out.extend_from_slice(line);
            out.push(b'\n');
            return;
        };
        let Some(spelling) = self.waiting.remove(n) else { return };
        let (indicator, text) = spelling.make(self.lists, random);
        match slot {
            Slot::Instead(place) => {
                out.extend_from_slice(&line[..place.start]);
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(&line[place.end..]);
            }
            Slot::Field => {
                let name = match spelling.what {
                    What::Url => "url",
                    What::Hash => "hash",
                    What::Name | What::Address => "host",
                };
                out.extend_from_slice(&line[..line.len() - 1]);
                out.extend_from_slice(format!(",\"{name}\":\"{text}\"}}").as_bytes());
            }
            Slot::Column(sign) => {
                out.extend_from_slice(line);
                out.push(sign);
                out.extend_from_slice(text.as_bytes());
            }
        }
        out.push(b'\n');
        self.truth.push(Planted { line: self.line, spelling: spelling.name, indicator, text });
    }
}

/// A log of real lines: runs of 40 to 400 of them, drawn with replacement, until it has so many bytes.
pub(crate) fn real(lists: &Lists, seed: u64, bytes: usize, rate: usize) -> (Vec<u8>, Vec<Planted>) {
    let mut random = Random::new(seed);
    let (base, mut planter) = (lists::real_lines(), Planter::new(lists, rate));
    let lines: Vec<&[u8]> = base.split(|b| *b == b'\n').filter(|line| !line.is_empty()).collect();
    let mut out = Vec::with_capacity(bytes + 100_000);
    while out.len() < bytes {
        let start = random.below(lines.len());
        for line in lines.iter().skip(start).take(40 + random.below(361)) {
            planter.write(&mut random, line, &mut out);
        }
    }
    (out, planter.truth)
}

/// A log of made-up lines in which nearly every name and address is new.
pub(crate) fn made_up(lists: &Lists, seed: u64, bytes: usize, rate: usize) -> (Vec<u8>, Vec<Planted>) {
    let mut random = Random::new(seed);
    let (benign, mut planter) = (lists::benign(), Planter::new(lists, rate));
    let mut dense = dense::Dense::new(&benign);
    let mut out = Vec::with_capacity(bytes + 100_000);
    while out.len() < bytes {
        let line = dense.line(&mut random);
        planter.write(&mut random, line.as_bytes(), &mut out);
    }
    (out, planter.truth)
}
