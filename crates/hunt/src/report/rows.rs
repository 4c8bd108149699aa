//! What stands in the page's tables and lists: machines, indicators, places and lines, ready to be shown.

use super::show::{self, cut, defanged, shown};
use super::{LONGEST, OF_HOST, SOURCES, TAGS};
use crate::{Details, Example, HostTally, IndicatorTally, Place, Share, Tally};
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap};

/// Machines with the same next step.
pub(super) struct Machines {
    /// Key of their heading; with `-next` behind it, of what to do with them.
    pub(super) key: &'static str,
    /// How many there are, shown or not.
    pub(super) all: usize,
    pub(super) hosts: Vec<Host>,
}

pub(super) struct Host {
    pub(super) name: String,
    pub(super) hits: u64,
    pub(super) first: Spot,
    /// From the first day to the last.
    pub(super) days: Option<String>,
    pub(super) signs: Vec<String>,
    /// How many more there are.
    pub(super) more: u64,
    pub(super) sources: Vec<String>,
}

pub(super) struct Sign {
    pub(super) value: String,
    pub(super) kind: String,
    pub(super) hits: u64,
    pub(super) files: u64,
    pub(super) first: Spot,
    pub(super) last: Option<Spot>,
    /// From the first day to the last.
    pub(super) days: Option<String>,
    pub(super) says: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) marking: Option<String>,
    pub(super) examples: Vec<Line>,
}

/// A place in a log, ready to be shown.
pub(super) struct Spot {
    pub(super) file: String,
    pub(super) line: i64,
}

pub(super) struct Line {
    pub(super) spot: Spot,
    pub(super) text: String,
}

/// The titles of records and names of lists that say of an indicator that it is one.
pub(super) struct Titles<'a>(HashMap<(&'a str, &'a str), &'a [String]>);

impl<'a> Titles<'a> {
    pub(super) fn of(tally: &'a Tally) -> Titles<'a> {
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

pub(super) fn sign(one: &IndicatorTally) -> Sign {
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

pub(super) fn host(one: &HostTally, titles: &Titles<'_>) -> Host {
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
