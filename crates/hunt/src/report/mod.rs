//! A page for the owner of the logs, who need not be a specialist: what was found, on which machines, what it
//! means, what to do. What comes in: a [`Tally`]. What goes out: one file of HTML that loads nothing and runs
//! nothing, in one language.
//!
//! What never happens here: text of a log that is not escaped, or that can be clicked; a page that grows with the
//! logs ([`SIGNS`] and the other limits below).

mod chart;
mod kinds;
mod show;
mod strength;

use crate::{Details, Example, HostTally, IndicatorTally, Place, Share, Tally};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chart::Chart;
use jiff::civil::Date;
use kinds::Group;
use manara_texts::Texts;
use sha2::{Digest, Sha256};
use show::{cut, defanged, shown};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use strength::Judge;

/// Indicators that are shown, the most frequent first.
pub const SIGNS: usize = 200;
/// Machines that are shown.
const HOSTS: usize = 100;
/// Indicators that are named with a machine.
const OF_HOST: usize = 5;
/// Errors that are shown.
const ERRORS: usize = 20;
/// Tags that are named with an indicator, and texts of what is said of it.
const TAGS: usize = 8;
/// Records and lists that are named with an indicator, or with a machine.
const SOURCES: usize = 5;
/// Longest indicator, tag, file name or error, in characters.
const LONGEST: usize = 200;
/// Longest word on whom to call, in characters.
const CONTACT: usize = 400;

/// What a page is made of.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// What was found.
    pub tally: &'a Tally,
    /// The language.
    pub texts: Texts,
    /// Whom to call for help, as whoever sends the page wants it said.
    pub contact: Option<&'a str>,
    /// The day on which the search was made.
    pub made: Date,
    /// Whether the search was stopped before its end.
    pub stopped: bool,
    /// Whether only what is new since an earlier search was read.
    pub only_new: bool,
}

impl Report<'_> {
    /// Writes the page.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        Page::of(self).write_into(out)
    }
}

/// The sheet; its hash is in the page's policy, so that no other style is taken.
const SHEET: &str = include_str!("../../templates/report.css");

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    t: Texts,
    tally: &'a Tally,
    contact: Vec<String>,
    made: Date,
    stopped: bool,
    only_new: bool,
    steps: Vec<&'static str>,
    machines: Vec<Machines>,
    /// Machines that are not shown.
    more_hosts: u64,
    groups: Vec<(Group, Vec<Sign>)>,
    /// Indicators that are shown, where that is not all.
    only: Option<usize>,
    chart: Option<Chart>,
    errors: Vec<String>,
    style: &'static str,
    policy: String,
}

/// Machines with the same next step.
struct Machines {
    /// Key of their heading; with `-next` behind it, of what to do with them.
    key: &'static str,
    /// How many there are, shown or not.
    all: usize,
    hosts: Vec<Host>,
}

struct Host {
    name: String,
    hits: u64,
    first: Spot,
    /// From the first day to the last.
    days: Option<String>,
    signs: Vec<String>,
    /// How many more there are.
    more: u64,
    sources: Vec<String>,
}

struct Sign {
    value: String,
    kind: String,
    hits: u64,
    files: u64,
    first: Spot,
    last: Option<Spot>,
    /// From the first day to the last.
    days: Option<String>,
    says: Vec<String>,
    tags: Vec<String>,
    sources: Vec<String>,
    marking: Option<String>,
    examples: Vec<Line>,
}

/// A place in a log, ready to be shown.
struct Spot {
    file: String,
    line: i64,
}

struct Line {
    spot: Spot,
    text: String,
}

impl<'a> Page<'a> {
    fn of(report: &Report<'a>) -> Page<'a> {
        let tally = report.tally;
        let mut groups: Vec<(Group, Vec<Sign>)> = Vec::new();
        for one in tally.indicators.iter().take(SIGNS) {
            let group = kinds::of(&one.kind);
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, signs)) => signs.push(sign(one)),
                None => groups.push((group, vec![sign(one)])),
            }
        }
        groups.sort_by_key(|(group, _)| *group);
        // What may be done is decided by all that was found, not only by what is shown.
        let kinds: BTreeSet<Group> = tally.indicators.iter().map(|one| kinds::of(&one.kind)).collect();
        let judge = Judge::default();
        let (strong, weak): (Vec<&HostTally>, Vec<&HostTally>) =
            tally.hosts.iter().partition(|one| judge.is_strong(one));
        let steps = kinds::steps(&kinds, strong.len(), weak.len());
        let titles = Titles::of(tally);
        let mut room = HOSTS;
        let mut machines = Vec::new();
        for (key, hosts) in [("report-hosts-strong", strong), ("report-hosts-weak", weak)] {
            let shown: Vec<Host> = hosts.iter().take(room).map(|one| host(one, &titles)).collect();
            room -= shown.len();
            if !shown.is_empty() {
                machines.push(Machines { key, all: hosts.len(), hosts: shown });
            }
        }
        let all = tally.totals.indicators.max(tally.indicators.len() as u64);
        Page {
            t: report.texts,
            tally,
            contact: report
                .contact
                .map(|contact| cut(contact, CONTACT).lines().map(shown).collect())
                .unwrap_or_default(),
            made: report.made,
            stopped: report.stopped,
            only_new: report.only_new,
            steps,
            machines,
            more_hosts: tally.hosts.len().saturating_sub(HOSTS) as u64 + tally.beyond.hosts,
            groups,
            only: (all > SIGNS.min(tally.indicators.len()) as u64).then_some(SIGNS.min(tally.indicators.len())),
            chart: Chart::of(&tally.days),
            errors: tally.errors.iter().take(ERRORS).map(|error| show::text(error, LONGEST)).collect(),
            style: SHEET,
            policy: format!(
                "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
                STANDARD.encode(Sha256::digest(SHEET))
            ),
        }
    }

    fn found(&self) -> bool {
        self.tally.totals.hits > 0
    }

    /// Machines in all.
    fn all_hosts(&self) -> u64 {
        self.tally.hosts.len() as u64 + self.tally.beyond.hosts
    }

    fn all_signs(&self) -> u64 {
        self.tally.totals.indicators.max(self.tally.indicators.len() as u64)
    }

    /// The date, kept from being turned round in a sentence from right to left.
    fn day(&self) -> String {
        format!("\u{2066}{}\u{2069}", self.made)
    }

    fn index(&self) -> i64 {
        i64::try_from(self.tally.totals.index).unwrap_or(i64::MAX)
    }

    /// Key of the reason for a step.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn why(&self, step: &str) -> String {
        format!("{step}-why")
    }

    /// Key of what is done next with some machines.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    fn next(&self, key: &str) -> String {
        format!("{key}-next")
    }

    /// How much was read, in a unit that leaves a number one can grasp.
    fn size(&self) -> String {
        let (key, unit) = match self.tally.totals.bytes {
            0..1_000_000 => ("report-size-kb", 1_000),
            1_000_000..10_000_000_000 => ("report-size-mb", 1_000_000),
            _ => ("report-size-gb", 1_000_000_000),
        };
        let number = self.tally.totals.bytes.div_ceil(unit);
        self.t.numbers(key, &[("number", i64::try_from(number).unwrap_or(i64::MAX))])
    }
}

/// The titles of records and names of lists that say of an indicator that it is one.
struct Titles<'a>(HashMap<(&'a str, &'a str), &'a [String]>);

impl<'a> Titles<'a> {
    fn of(tally: &'a Tally) -> Titles<'a> {
        let known = |one: &'a IndicatorTally| {
            one.details.as_ref().map(|details| ((one.kind.as_str(), one.indicator.as_str()), &details.titles[..]))
        };
        Titles(tally.indicators.iter().filter_map(known).collect())
    }

    /// Those of all indicators of a machine, each once.
    fn of_host(&self, host: &'a HostTally) -> Vec<String> {
        let mut titles: Vec<&String> = Vec::new();
        let of = |share: &'a Share| self.0.get(&(share.kind.as_str(), share.indicator.as_str()));
        for title in host.indicators.iter().filter_map(of).copied().flatten() {
            if titles.len() < SOURCES && !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles.into_iter().map(|title| show::text(title, LONGEST)).collect()
    }
}

/// From the first day to the last.
fn span(first: Option<Date>, last: Option<Date>) -> Option<String> {
    let (first, last) = (first?, last?);
    Some(if first == last { first.to_string() } else { format!("{first} – {last}") })
}

fn days(days: &BTreeMap<Date, u64>) -> Option<String> {
    span(days.keys().next().copied(), days.keys().next_back().copied())
}

fn sign(one: &IndicatorTally) -> Sign {
    let details = one.details.as_ref();
    let texts = |of: fn(&Details) -> &Vec<String>, most: usize| -> Vec<String> {
        let texts = details.map(|details| &of(details)[..]).unwrap_or_default();
        texts.iter().take(most).map(|text| show::text(text, LONGEST)).collect()
    };
    Sign {
        value: shown(&cut(&defanged(&one.kind, &one.indicator), LONGEST)),
        kind: show::text(&one.kind, LONGEST),
        hits: one.count,
        files: one.files,
        first: spot(&one.first),
        last: (one.last != one.first).then(|| spot(&one.last)),
        days: days(&one.days),
        says: texts(|details| &details.says, TAGS),
        tags: texts(|details| &details.tags, TAGS),
        sources: texts(|details| &details.titles, SOURCES),
        marking: details.and_then(|details| details.marking.as_deref()).map(|marking| show::text(marking, LONGEST)),
        examples: one.examples.iter().map(|example| line(&one.indicator, example)).collect(),
    }
}

fn host(one: &HostTally, titles: &Titles<'_>) -> Host {
    let signs: Vec<String> =
        one.indicators.iter().take(OF_HOST).map(|s| shown(&cut(&defanged(&s.kind, &s.indicator), LONGEST))).collect();
    Host {
        name: show::text(&one.host, LONGEST),
        hits: one.count,
        first: spot(&one.first),
        days: span(one.first_day, one.last_day),
        more: one.distinct.saturating_sub(signs.len() as u64),
        sources: titles.of_host(one),
        signs,
    }
}

fn spot(place: &Place) -> Spot {
    Spot { file: show::text(&place.file, LONGEST), line: i64::try_from(place.line).unwrap_or(i64::MAX) }
}

fn line(indicator: &str, example: &Example) -> Line {
    Line { spot: spot(&example.place), text: shown(&show::line(indicator, &example.text)) }
}
