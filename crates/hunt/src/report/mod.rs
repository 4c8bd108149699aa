//! A page for the owner of the logs, who need not be a specialist: what was found, on which machines, what it
//! means, what to do. What comes in: a [`Tally`]. What goes out: one file of HTML that loads nothing and runs
//! nothing, in one language.
//!
//! What never happens here: text of a log that is not escaped, or that can be clicked; a page that grows with the
//! logs ([`SIGNS`] and the other limits below).

mod chart;
mod kinds;
mod show;

use crate::{Example, HostTally, IndicatorTally, Place, Tally};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chart::Chart;
use jiff::civil::Date;
use kinds::Group;
use manara_texts::Texts;
use sha2::{Digest, Sha256};
use show::{cut, defanged, shown};
use std::collections::BTreeSet;
use std::io;

/// Indicators that are shown, the most frequent first.
pub const SIGNS: usize = 200;
/// Machines that are shown.
const HOSTS: usize = 100;
/// Indicators that are named with a machine.
const OF_HOST: usize = 5;
/// Errors that are shown.
const ERRORS: usize = 20;
/// Tags that are named with an indicator.
const TAGS: usize = 8;
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
    hosts: Vec<Host>,
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

struct Host {
    name: String,
    hits: u64,
    first: Spot,
    signs: Vec<String>,
    /// How many more there are.
    more: u64,
}

struct Sign {
    value: String,
    kind: String,
    hits: u64,
    files: u64,
    first: Spot,
    last: Option<Spot>,
    tags: Vec<String>,
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
            steps: kinds::steps(&kinds, !tally.hosts.is_empty()),
            hosts: tally.hosts.iter().take(HOSTS).map(host).collect(),
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

    fn megabytes(&self) -> u64 {
        self.tally.totals.bytes.div_ceil(1_000_000)
    }
}

fn sign(one: &IndicatorTally) -> Sign {
    let details = one.details.as_ref();
    let tags = details.map(|details| &details.tags[..]).unwrap_or_default();
    Sign {
        value: shown(&cut(&defanged(&one.kind, &one.indicator), LONGEST)),
        kind: show::text(&one.kind, LONGEST),
        hits: one.count,
        files: one.files,
        first: spot(&one.first),
        last: (one.last != one.first).then(|| spot(&one.last)),
        tags: tags.iter().take(TAGS).map(|tag| show::text(tag, LONGEST)).collect(),
        marking: details.and_then(|details| details.marking.as_deref()).map(|marking| show::text(marking, LONGEST)),
        examples: one.examples.iter().map(|example| line(&one.indicator, example)).collect(),
    }
}

fn host(one: &HostTally) -> Host {
    let signs: Vec<String> =
        one.indicators.iter().take(OF_HOST).map(|s| shown(&cut(&defanged(&s.kind, &s.indicator), LONGEST))).collect();
    Host {
        name: show::text(&one.host, LONGEST),
        hits: one.count,
        first: spot(&one.first),
        more: one.distinct.saturating_sub(signs.len() as u64),
        signs,
    }
}

fn spot(place: &Place) -> Spot {
    Spot { file: show::text(&place.file, LONGEST), line: i64::try_from(place.line).unwrap_or(i64::MAX) }
}

fn line(indicator: &str, example: &Example) -> Line {
    Line { spot: spot(&example.place), text: shown(&show::line(indicator, &example.text)) }
}
