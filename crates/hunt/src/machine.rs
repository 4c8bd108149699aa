//! What is counted of one of the own hosts that stand on lines with hits.

use crate::counter::{Seen, place};
use crate::indexes::{Indexes, Indicator};
use crate::tally::{HostTally, Place, Share};
use jiff::civil::Date;
use manara_matching::Kind;
use std::collections::HashMap;
use std::net::IpAddr;

/// Different indicators that are counted of one.
const SHARES: usize = 1_000;
/// Of these, how many are told.
const TOLD: usize = 20;

/// A host while hits are counted.
#[derive(Debug)]
pub(crate) struct Machine {
    count: u64,
    first: Place,
    last: Place,
    /// First and last.
    days: Option<(Date, Date)>,
    /// A handful: no more than there are kinds.
    kinds: Vec<(Kind, u64)>,
    /// Hits on addresses to which it went itself.
    went: u64,
    shares: HashMap<Indicator, u64>,
}

impl Machine {
    /// Before its first hit is counted.
    pub(crate) fn new(seen: &Seen<'_>) -> Machine {
        let (first, last) = (place(seen), place(seen));
        Machine { count: 0, first, last, days: None, kinds: Vec::new(), went: 0, shares: HashMap::new() }
    }

    /// Counts a hit; whether its indicator is a new one to be kept comes back. `room`: there is room for one.
    pub(crate) fn hit(&mut self, seen: &Seen<'_>, room: bool) -> bool {
        self.count += 1;
        self.went += u64::from(seen.went);
        if let Some(day) = seen.day {
            let (first, last) = self.days.unwrap_or((day, day));
            self.days = Some((first.min(day), last.max(day)));
        }
        match self.kinds.iter_mut().find(|(kind, _)| *kind == seen.kind) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((seen.kind, 1)),
        }
        if (self.last.line, self.last.file.as_str()) != (seen.line, seen.file) {
            self.last = place(seen);
        }
        if let Some(share) = self.shares.get_mut(&seen.indicator) {
            *share += 1;
            return false;
        }
        let new = room && self.shares.len() < SHARES;
        if new {
            self.shares.insert(seen.indicator, 1);
        }
        new
    }

    /// Hits on its lines.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Different indicators that are kept.
    pub(crate) fn shares(&self) -> usize {
        self.shares.len()
    }

    /// What was counted; texts come from the indexes.
    pub(crate) fn tally(self, address: IpAddr, indexes: Indexes<'_>) -> HostTally {
        let distinct = self.shares.len() as u64;
        let mut shares: Vec<(Indicator, u64)> = self.shares.into_iter().collect();
        shares.sort_unstable_by_key(|(indicator, count)| (u64::MAX - count, *indicator));
        shares.truncate(TOLD);
        let share = |(indicator, count): (Indicator, u64)| Share {
            indicator: indexes.text(indicator).to_owned(),
            kind: indexes.kind(indicator).map_or("", Kind::name).to_owned(),
            count,
        };
        let (first_day, last_day) = self.days.unzip();
        HostTally {
            host: address.to_string(),
            count: self.count,
            first: self.first,
            last: self.last,
            first_day,
            last_day,
            kinds: self.kinds.into_iter().map(|(kind, count)| (kind.name().to_owned(), count)).collect(),
            went: self.went,
            distinct,
            indicators: shares.into_iter().map(share).collect(),
        }
    }
}
