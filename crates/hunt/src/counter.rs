//! Counts hits as they are told. Memory is bounded: what is rare is dropped once there is too much of it.

use crate::indexes::{Indexes, Indicator};
use crate::machine::Machine;
use crate::tally::{Beyond, Example, IndicatorTally, Place, Tally, Totals};
use jiff::civil::Date;
use manara_matching::Kind;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

/// Different indicators, or hosts, that are kept; twice as many are held before the rarer half goes.
const KEPT: usize = 100_000;
/// Lines that are kept of an indicator, and bytes of a line.
const EXAMPLES: usize = 3;
pub(crate) const EXAMPLE: usize = 300;
/// Indicators of which lines are kept: 3 × 300 bytes each. Later ones have none.
const WITH_EXAMPLES: usize = 20_000;
/// Different days that are counted, over all and of each indicator.
const DAYS: usize = 1_000;
/// Different indicators that are counted, over all hosts.
const ALL_SHARES: usize = 1_000_000;
/// Errors that are kept as text.
const ERRORS: usize = 100;

/// A hit as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The log's name.
    pub file: &'a str,
    /// Line, from 1.
    pub line: u64,
    /// The indicator.
    pub indicator: Indicator,
    /// What it is.
    pub kind: Kind,
    /// The day that the line says.
    pub day: Option<Date>,
    /// The own host on the line.
    pub host: Option<IpAddr>,
    /// Whether the line says that this host went to the address that was found.
    pub went: bool,
    /// The line, or a piece of it, at most 300 bytes.
    pub text: &'a str,
}

/// Counts. Logs come one after the other: all hits of a log between two calls of [`Counter::file`].
#[derive(Debug, Default)]
pub struct Counter {
    totals: Totals,
    indicators: HashMap<Indicator, Row>,
    hosts: HashMap<IpAddr, Machine>,
    shares: usize,
    examples: usize,
    days: BTreeMap<Date, u64>,
    beyond: Beyond,
    errors: Vec<String>,
    hit_in_file: bool,
}

#[derive(Debug)]
struct Row {
    kind: Kind,
    count: u64,
    first: Place,
    last: Place,
    files: u64,
    /// Number of the file of the last hit.
    file: u64,
    days: BTreeMap<Date, u64>,
    examples: Vec<Example>,
}

impl Counter {
    /// With nothing counted.
    #[must_use]
    pub fn new() -> Counter {
        Counter::default()
    }

    /// Counts a hit, without what it is a hit of.
    pub fn bare(&mut self) {
        self.totals.hits += 1;
        if !std::mem::replace(&mut self.hit_in_file, true) {
            self.totals.files_hit += 1;
        }
    }

    /// Counts a hit in the log that is being read.
    pub fn hit(&mut self, seen: &Seen<'_>) {
        self.bare();
        match seen.day {
            Some(day) => count_day(&mut self.days, day),
            None => self.totals.undated += 1,
        }
        self.indicator(seen);
        if let Some(host) = seen.host {
            self.host(host, seen);
        }
    }

    fn indicator(&mut self, seen: &Seen<'_>) {
        let file = self.totals.files;
        let row = self.indicators.entry(seen.indicator).or_insert_with(|| Row {
            kind: seen.kind,
            count: 0,
            first: place(seen),
            last: place(seen),
            files: 0,
            file: u64::MAX,
            days: BTreeMap::new(),
            examples: Vec::new(),
        });
        row.count += 1;
        if row.file != file {
            (row.file, row.files) = (file, row.files + 1);
        }
        if (row.last.line, row.last.file.as_str()) != (seen.line, seen.file) {
            row.last = place(seen);
        }
        if let Some(day) = seen.day {
            count_day(&mut row.days, day);
        }
        // The same line twice tells nothing new.
        let new = row.examples.last().is_none_or(|last| last.place != row.last);
        if new && row.examples.len() < EXAMPLES && self.examples < WITH_EXAMPLES * EXAMPLES {
            self.examples += 1;
            let end = seen.text.floor_char_boundary(EXAMPLE);
            row.examples.push(Example { place: place(seen), text: seen.text[..end].to_owned() });
        }
        if self.indicators.len() >= 2 * KEPT {
            let dropped = halve(&mut self.indicators, |row| row.count);
            self.beyond.indicators += dropped.len() as u64;
            self.beyond.indicator_hits += dropped.iter().map(|row| row.count).sum::<u64>();
            self.examples -= dropped.iter().map(|row| row.examples.len()).sum::<usize>();
        }
    }

    fn host(&mut self, address: IpAddr, seen: &Seen<'_>) {
        let host = self.hosts.entry(address).or_insert_with(|| Machine::new(seen));
        self.shares += usize::from(host.hit(seen, self.shares < ALL_SHARES));
        if self.hosts.len() >= 2 * KEPT {
            let dropped = halve(&mut self.hosts, Machine::count);
            self.beyond.hosts += dropped.len() as u64;
            self.beyond.host_hits += dropped.iter().map(Machine::count).sum::<u64>();
            self.shares -= dropped.iter().map(Machine::shares).sum::<usize>();
        }
    }

    /// Counts what was read of a log, and hits that were left out.
    pub fn read(&mut self, lines: u64, bytes: u64, left_out: u64) {
        self.totals.lines += lines;
        self.totals.bytes += bytes;
        self.totals.left_out += left_out;
    }

    /// A log has been read, to its end or to where it is broken.
    pub fn file(&mut self) {
        self.totals.files += 1;
        self.hit_in_file = false;
    }

    /// Something could not be read.
    pub fn error(&mut self, text: &str) {
        self.totals.errors += 1;
        if self.errors.len() < ERRORS {
            self.errors.push(text.to_owned());
        }
    }

    /// Sums so far.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What has been counted. `seconds` is how long it took; texts come from the index.
    #[must_use]
    pub fn tally(self, indexes: Indexes<'_>, seconds: f64) -> Tally {
        let mut hosts: Vec<(IpAddr, Machine)> = self.hosts.into_iter().collect();
        hosts.sort_unstable_by_key(|(address, host)| (u64::MAX - host.count(), *address));
        let hosts = hosts.into_iter().map(|(address, host)| host.tally(address, indexes)).collect();
        let mut indicators: Vec<IndicatorTally> =
            self.indicators.into_iter().map(|(indicator, row)| row.tally(indexes, indicator)).collect();
        indicators.sort_unstable_by(|a, b| (b.count, &a.indicator, &a.kind).cmp(&(a.count, &b.indicator, &b.kind)));
        let distinct = indicators.len() as u64;
        let (index, urls) = (indexes.len(), indexes.count(Kind::Url));
        let totals = Totals { seconds, indicators: distinct, index, urls, ..self.totals };
        Tally { totals, indicators, hosts, days: self.days, beyond: self.beyond, errors: self.errors }
    }
}

impl Row {
    fn tally(self, indexes: Indexes<'_>, indicator: Indicator) -> IndicatorTally {
        IndicatorTally {
            indicator: indexes.text(indicator).to_owned(),
            kind: self.kind.name().to_owned(),
            count: self.count,
            first: self.first,
            last: self.last,
            files: self.files,
            days: self.days,
            examples: self.examples,
            details: indexes.details(indicator),
        }
    }
}

pub(crate) fn place(seen: &Seen<'_>) -> Place {
    Place { file: seen.file.to_owned(), line: seen.line }
}

fn count_day(days: &mut BTreeMap<Date, u64>, day: Date) {
    if days.len() < DAYS || days.contains_key(&day) {
        *days.entry(day).or_default() += 1;
    }
}

/// Takes the rarer half out. What is as rare as what stays goes by its key, so that the same logs give the same.
fn halve<K: Copy + Hash + Ord, V>(map: &mut HashMap<K, V>, count: impl Fn(&V) -> u64) -> Vec<V> {
    let mut keys: Vec<(u64, K)> = map.iter().map(|(key, value)| (count(value), *key)).collect();
    keys.sort_unstable();
    keys.truncate(map.len() / 2);
    keys.into_iter().filter_map(|(_, key)| map.remove(&key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use manara_matching::{Builder, Index};

    fn index(names: usize) -> Index {
        let mut builder = Builder::new();
        for n in 0..names {
            builder.add(Kind::Domain, &format!("n{n}.example")).unwrap();
        }
        Index::from_bytes(builder.finish()).unwrap()
    }

    fn seen(file: &str, line: u64, number: u32) -> Seen<'_> {
        let indicator = Indicator { index: 0, number };
        Seen { file, line, indicator, kind: Kind::Domain, day: None, host: None, went: false, text: "x" }
    }

    #[test]
    fn places_files_days_hosts_and_examples_are_counted() {
        let mut counter = Counter::new();
        let (day, host) = (jiff::civil::date(2026, 1, 2), "10.0.0.5".parse().ok());
        counter.hit(&Seen { day: Some(day), host, ..seen("a", 3, 1) });
        counter.hit(&Seen { host, ..seen("a", 3, 1) });
        counter.hit(&Seen { host, kind: Kind::Ipv4, day: day.tomorrow().ok(), ..seen("a", 4, 0) });
        counter.file();
        let long = "é".repeat(200);
        counter.hit(&Seen { text: &long, ..seen("b", 1, 1) });
        counter.file();
        counter.file();
        counter.read(100, 2000, 7);
        counter.error("c: gone");
        let tally = counter.tally(Indexes::new(&[index(2)]), 1.5);
        let t = &tally.totals;
        assert_eq!(
            (t.files, t.files_hit, t.hits, t.undated, t.left_out, t.errors, t.indicators, t.index),
            (3, 2, 4, 2, 7, 1, 2, 2)
        );
        let first = &tally.indicators[0];
        assert_eq!(
            (first.indicator.as_str(), first.kind.as_str(), first.count, first.files),
            ("n1.example", "domain", 3, 2)
        );
        assert_eq!(
            (first.first.file.as_str(), first.first.line, first.last.file.as_str(), first.last.line),
            ("a", 3, "b", 1)
        );
        assert_eq!(first.examples.len(), 2, "a line with two hits is one example");
        assert_eq!(first.examples[1].text.len(), 300);
        assert_eq!(first.days, BTreeMap::from([(day, 1)]));
        let host = &tally.hosts[0];
        assert_eq!((host.host.as_str(), host.count, host.distinct, host.indicators[0].count), ("10.0.0.5", 3, 2, 2));
        assert_eq!((host.first_day, host.last_day), (Some(day), Some(day.tomorrow().unwrap())));
        assert_eq!(host.kinds, BTreeMap::from([("domain".to_owned(), 2), ("ipv4".to_owned(), 1)]));
        assert_eq!(serde_json::from_str::<Tally>(&serde_json::to_string(&tally).unwrap()).unwrap(), tally);
    }

    #[test]
    fn what_is_rare_is_dropped_and_said_so() {
        let mut counter = Counter::new();
        let many = 2 * KEPT as u32;
        for n in 0..many - 1 {
            counter.hit(&seen("a", 1, n));
            counter.hit(&seen("a", 2, 7));
        }
        assert_eq!(counter.indicators.len() as u32, many - 1);
        counter.hit(&seen("a", 1, many));
        assert_eq!(counter.indicators.len(), KEPT);
        assert_eq!(counter.examples, counter.indicators.values().map(|row| row.examples.len()).sum::<usize>());
        let tally = counter.tally(Indexes::new(&[index(8)]), 0.0);
        assert_eq!(
            (tally.indicators[0].indicator.as_str(), tally.indicators[0].count),
            ("n7.example", u64::from(many))
        );
        assert_eq!((tally.beyond.indicators, tally.beyond.indicator_hits), (KEPT as u64, KEPT as u64));
        let told: u64 = tally.indicators.iter().map(|row| row.count).sum();
        assert_eq!(told + tally.beyond.indicator_hits, tally.totals.hits);
    }
}
