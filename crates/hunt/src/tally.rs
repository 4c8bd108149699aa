//! What was found, counted: what summaries, the lists of the most frequent and reports are made of. Plain
//! data: [`Counter`](crate::Counter) counts, this is what comes out.
//!
//! Text in it (indicators, file names, examples) is as the lists and logs had it, so whoever shows it makes it
//! safe for where it is shown.

use crate::details::Details;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that was found in one search.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Over everything.
    pub totals: Totals,
    /// Indicators that were found, most hits first, then by text.
    pub indicators: Vec<IndicatorTally>,
    /// Own hosts that stand on lines with hits, most hits first, then by address.
    pub hosts: Vec<HostTally>,
    /// Hits a day, for lines that say their day; [`Totals::undated`] counts the others.
    pub days: BTreeMap<Date, u64>,
    /// What is missing above because there was too much of it.
    pub beyond: Beyond,
    /// The first errors, as they were told; [`Totals::errors`] counts all.
    pub errors: Vec<String>,
}

/// Sums over a search.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Files that were read, packed or not.
    pub files: u64,
    /// Files with a hit.
    pub files_hit: u64,
    /// Lines that were read.
    pub lines: u64,
    /// Bytes that were searched, unpacked.
    pub bytes: u64,
    /// How long it took, by the clock.
    pub seconds: f64,
    /// Hits that were told.
    pub hits: u64,
    /// Hits that were left out because a list of allowed values holds them.
    pub left_out: u64,
    /// Hits on lines that say no day.
    pub undated: u64,
    /// Files that could not be read, or not to their end.
    pub errors: u64,
    /// Different indicators that were found: exact up to what [`Beyond`] says, then a lower bound.
    pub indicators: u64,
    /// Indicators in the index.
    pub index: u64,
    /// Of these, URLs.
    #[serde(default)]
    pub urls: u64,
}

/// A line of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The log's name, as it was given or found in a folder.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
}

/// A line with a hit, or the piece of it around the hit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// At most 300 bytes of it; what is no UTF-8 is replaced.
    pub text: String,
}

/// An indicator that was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IndicatorTally {
    /// As the index shows it.
    pub indicator: String,
    /// Name of its type: `ipv4`, `domain`, `url`…
    #[serde(rename = "type")]
    pub kind: String,
    /// Hits.
    pub count: u64,
    /// The first one, in the order of files and lines.
    pub first: Place,
    /// The last one.
    pub last: Place,
    /// Files that it was found in.
    pub files: u64,
    /// Hits a day, for lines that say their day; no more than 1,000 days.
    pub days: BTreeMap<Date, u64>,
    /// At most three lines.
    pub examples: Vec<Example>,
    /// What the index knows of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub details: Option<Details>,
}

/// An own host on lines with hits. Which address of a line that is, `host.rs` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostTally {
    /// Its address.
    pub host: String,
    /// Hits on its lines.
    pub count: u64,
    /// The first one.
    pub first: Place,
    /// The last one.
    pub last: Place,
    /// The first day that one of its lines says, and the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_day: Option<Date>,
    /// See before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_day: Option<Date>,
    /// Hits by type of indicator, over all of them.
    #[serde(default)]
    pub kinds: BTreeMap<String, u64>,
    /// Hits on addresses to which a line says that the host went itself: see `direction.rs`.
    #[serde(default)]
    pub went: u64,
    /// Different indicators on its lines, up to 1,000.
    pub distinct: u64,
    /// The most frequent of them, at most 20.
    pub indicators: Vec<Share>,
}

/// How often an indicator was found on a host's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// As the index shows it.
    pub indicator: String,
    /// Name of its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Hits.
    pub count: u64,
}

/// What was dropped. Of more than 200,000 different indicators (or hosts) the rarer half is dropped from the
/// tally (never from the hits), and counts of what comes again start anew: they are lower bounds then. All
/// zero: nothing was dropped, and every figure is exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beyond {
    /// Indicators that were dropped; one that was dropped twice counts twice.
    pub indicators: u64,
    /// Their hits.
    pub indicator_hits: u64,
    /// Hosts that were dropped.
    pub hosts: u64,
    /// Hits on their lines.
    pub host_hits: u64,
}
