//! Servers put together by chance of all that is met, lines that break, and readers that are stopped: in the end each
//! object was had, and the next poll asks only for what is new.

use super::fake::{Answer, Asked, Fake, page, taxii};
use super::{Kept, is_after};
use crate::client::{ClientError, Credentials, Place, Question, Server, Taker, read};
use crate::time;
use manara_testing::Dice;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

const START: i64 = 1_767_225_600_000_000; // 2026-01-01

#[derive(Debug, Clone, Copy, PartialEq)]
enum Next {
    None,
    /// Each page has a name.
    Named,
    /// One name for all pages, which moves on by itself.
    Moving,
}

#[derive(Debug)]
struct World {
    /// When each object was added, in microseconds.
    dates: Vec<i64>,
    next: Next,
    /// How fine the dates are in what is said; 0: none is said.
    grain: i64,
    /// Objects in a page, at most.
    most: usize,
    /// `more` is said never.
    silent: bool,
    /// One line of so many breaks; 0: none.
    breaks: usize,
    limit: usize,
    /// The reader is stopped at one of so many pages; 0: never.
    stops: usize,
}

fn one_of<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[dice.roll(of.len())]
}

fn world(dice: &mut Dice) -> World {
    let mut at = START;
    let steps = one_of(dice, &[[1, 1, 1], [0, 0, 1], [0, 1, 400_000], [1_000_000, 0, 7]]);
    let count = dice.roll(120);
    let dates = (0..count).map(|_| {
        at += one_of(dice, &steps);
        at
    });
    let dates = dates.collect();
    let next = one_of(dice, &[Next::None, Next::Named, Next::Moving]);
    let grain = one_of(dice, &[0, 1, 1, 1000, 1_000_000]);
    // What came in one second, and can be asked for only together, has to come without a break.
    let together = grain > 1 && next != Next::Named;
    World {
        dates,
        next,
        // One that moves on and gives no dates can't be had back when a line breaks.
        grain: if next == Next::Moving { grain.max(1) } else { grain },
        most: one_of(dice, &[3, 10, 30, 1000]),
        // Who says neither that there is more, nor how to ask for it, nor when, keeps it.
        silent: next != Next::None && one_of(dice, &[false, false, true]),
        breaks: one_of(dice, if together { &[0] } else { &[0, 0, 3, 8] }),
        limit: one_of(dice, &[2, 10, 50, 0]),
        stops: one_of(
            dice,
            if together {
                &[0]
            } else if next == Next::Named {
                &[0, 0, 4]
            } else {
                &[0, 0, 12]
            },
        ),
    }
}

impl World {
    fn said(&self, at: i64) -> String {
        let text = time::text(at - at.rem_euclid(self.grain));
        match self.grain {
            1 => text,
            1000 => text.replace("000Z", "Z"),
            _ => text.replace(".000000Z", "+00:00"),
        }
    }

    fn answer(&self, asked: &Asked, moving: &Mutex<(usize, i64)>, dice: &Mutex<Dice>) -> Answer {
        let limit = asked.query("limit").parse::<usize>().unwrap().min(self.most);
        let after = time::read(asked.query("added_after")).unwrap_or(i64::MIN);
        let mut moving = moving.lock().unwrap();
        let (from, after) = match (self.next, asked.query("next")) {
            (_, "") => (0, after),
            (Next::Moving, _) => *moving,
            (_, next) => (next.parse().unwrap(), after),
        };
        let found: Vec<usize> = (from..self.dates.len()).filter(|n| self.dates[*n] > after).collect();
        let given: Vec<usize> = found.iter().copied().take(limit).collect();
        let more = found.len() > given.len();
        let behind = given.last().map_or(from, |last| last + 1);
        *moving = (behind, after);
        if asked.path.ends_with("manifest/") {
            let id = |n: &usize| format!("domain-name--00000000-0000-4000-8000-{n:012}");
            let entry = |n: &usize| format!(r#"{{"id":"{}","date_added":"{}"}}"#, id(n), time::text(self.dates[*n]));
            return taxii(format!(r#"{{"objects":[{}]}}"#, given.iter().map(entry).collect::<Vec<_>>().join(",")));
        }
        let mut besides = format!(r#","more":{}"#, more && !self.silent);
        match self.next {
            Next::Named if more => besides += &format!(r#","next":"{behind}""#),
            Next::Moving if more => besides += r#","next":"same""#,
            _ => {}
        }
        let mut answer = taxii(page(given.iter().copied(), &besides));
        if let (Some(first), Some(last), true) = (given.first(), given.last(), self.grain > 0) {
            answer = answer.added(&self.said(self.dates[*first]), &self.said(self.dates[*last]));
        }
        let breaks = self.breaks > 0 && dice.lock().unwrap().roll(self.breaks) == 0;
        if breaks { answer.breaking(7) } else { answer }
    }
}

/// A reader that is stopped now and then, before or after it took what came.
struct Stopped<'s> {
    kept: &'s mut Kept,
    dice: &'s mut Dice,
    stops: usize,
    /// It was said that something may be missing.
    noted: &'s mut bool,
}

impl Stopped<'_> {
    fn chance(&mut self) -> Result<(), ClientError> {
        let stops = self.stops > 0 && self.dice.roll(self.stops) == 0;
        if stops { Err(ClientError::Ended) } else { Ok(()) }
    }
}

impl Taker for Stopped<'_> {
    fn take(&mut self, objects: &[Box<RawValue>]) -> Result<(), ClientError> {
        self.chance()?;
        self.kept.take(objects)?;
        self.chance()
    }
    fn keep(&mut self, place: &Place) -> Result<(), ClientError> {
        self.chance()?;
        self.kept.keep(place)?;
        *self.noted |= !place.notes.is_empty();
        self.chance()
    }
}

/// More of them where somebody looks for trouble.
fn rounds() -> usize {
    std::env::var("MANARA_TAXII_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100)
}

#[test]
fn nothing_is_lost_whatever_the_server_is_and_whenever_we_are_stopped() {
    let mut dice = Dice::of_now();
    for _ in 0..rounds() {
        let world = world(&mut dice);
        let told = format!("{world:?}");
        let (count, limit, stops, grain) = (world.dates.len(), world.limit, world.stops, world.grain);
        let last = world.dates.last().copied();
        let (moving, chance) = (Mutex::new((0, i64::MIN)), Mutex::new(Dice(dice.roll(1 << 30) as u64)));
        let fake = Fake::new(move |asked| world.answer(asked, &moving, &chance));
        let server = Server::new(&fake.collection(), &Credentials::None, None).unwrap();
        let server = server.while_wanted(&|| true, Duration::ZERO);
        let question = Question { limit, ..Question::default() };
        let mut kept = Kept::default();
        let (mut noted, mut last_error) = (false, String::new());
        for attempt in 0.. {
            assert!(attempt < 3000, "never ends, {last_error}: {told}");
            let place = kept.place.clone();
            let mut taker = Stopped { kept: &mut kept, dice: &mut dice, stops, noted: &mut noted };
            match read(&server, &fake.collection(), &question, place, &mut taker) {
                Ok(_) => break,
                Err(error @ (ClientError::Ended | ClientError::Away(_))) => last_error = error.to_string(),
                Err(error) => panic!("{error}: {told}"),
            }
        }
        let had: BTreeSet<usize> = kept.numbers().into_iter().collect();
        if !noted {
            assert_eq!(had, (0..count).collect(), "{told}");
        }
        if let (Some(last), true) = (last, grain == 1) {
            assert!(!is_after(kept.after(), &time::text(last)), "the place is no further than what is there: {told}");
        }
    }
}
