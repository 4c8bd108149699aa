//! A page for the owner of the logs, who need not be a specialist: what was found, on which machines, what it
//! means, what to do. What comes in: a [`Tally`]. What goes out: one file of HTML that loads nothing and runs
//! nothing, in one language.
//!
//! What never happens here: text of a log that is not escaped, or that can be clicked; a page that grows with the
//! logs ([`SIGNS`] and the other limits below).

mod chart;
mod kinds;
mod rows;
mod show;
mod strength;

use crate::{HostTally, Tally};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chart::Chart;
use jiff::civil::Date;
use kinds::Group;
use manara_texts::Texts;
use rows::{Host, Machines, Sign, Titles, host, sign};
use sha2::{Digest, Sha256};
use show::{cut, shown};
use std::collections::BTreeSet;
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
    /// Logs that were not read because they have not changed since.
    pub unchanged: u64,
    /// The node that is told how often each indicator was seen, if one is.
    pub told: Option<&'a str>,
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
    /// Whether nothing was read because nothing has changed.
    unchanged: bool,
    told: Option<String>,
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
        let steps = kinds::steps(&kinds, strong.len(), weak.len(), stray(tally));
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
            unchanged: report.unchanged > 0 && tally.totals.lines == 0,
            told: report.told.map(|node| isolated(&show::text(node, LONGEST))),
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
        isolated(&self.made.to_string())
    }

    fn index(&self) -> i64 {
        i64::try_from(self.tally.totals.index).unwrap_or(i64::MAX)
    }

    /// Key of what a list that was searched for in vain says.
    fn nothing(&self) -> &'static str {
        if self.tally.totals.left_out > 0 { "report-nothing-else" } else { "report-nothing-does" }
    }

    /// Whether most of the list are URLs, which logs with paths alone can't show.
    fn mostly_urls(&self) -> bool {
        self.tally.totals.urls > self.tally.totals.index / 2
    }

    /// A text with the language's colon behind it.
    fn label(&self, key: &str) -> String {
        self.t.with("report-label", "name", &self.t.s(key))
    }

    /// The name of a type.
    fn kind(&self, kind: &str) -> String {
        kinds::type_key(kind).map_or_else(|| kind.to_owned(), |key| self.t.s(key))
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

/// Kept from being turned round in a sentence from right to left.
fn isolated(text: &str) -> String {
    format!("\u{2066}{text}\u{2069}")
}

/// Whether strong signs stand on lines that name no machine of one's own.
fn stray(tally: &Tally) -> bool {
    let strong = |kind: &str| kinds::of(kind).is_strong();
    let all = tally.indicators.iter().filter(|one| strong(&one.kind)).map(|one| one.count);
    let kinds = tally.hosts.iter().flat_map(|host| &host.kinds);
    let named = kinds.filter(|(kind, _)| strong(kind)).map(|(_, count)| *count);
    all.fold(0, u64::saturating_add) > named.fold(0, u64::saturating_add)
}
