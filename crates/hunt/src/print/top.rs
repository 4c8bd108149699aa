//! What is told at the end.

use super::{Format, csv, jsonl};
use crate::tally::{HostTally, IndicatorTally, Tally};
use serde::Serialize;
use std::io::{self, Write};

/// How much is told at the end, and how.
#[derive(Debug, Clone, Copy)]
pub struct Top {
    /// Indicators, and hosts.
    pub most: usize,
    /// How they are written.
    pub format: Format,
    /// Makes text from others safe for a terminal.
    pub safe: fn(&str) -> String,
}

#[derive(Serialize)]
#[serde(tag = "top", rename_all = "lowercase")]
enum Row<'a> {
    Indicator(&'a IndicatorTally),
    Host(&'a HostTally),
}

/// Writes the most frequent indicators and own hosts.
///
/// # Errors
/// It cannot be written.
pub fn top(out: &mut impl Write, tally: &Tally, how: Top) -> io::Result<()> {
    let indicators = tally.indicators.iter().take(how.most);
    let hosts = tally.hosts.iter().take(how.most);
    match how.format {
        Format::Jsonl => {
            for row in indicators.map(Row::Indicator).chain(hosts.map(Row::Host)) {
                jsonl::write(out, &row)?;
            }
            Ok(())
        }
        Format::Csv => {
            csv::row(out, &["top", "type", "value", "hits", "first", "last"])?;
            let place = |place: &crate::Place| (how.safe)(&format!("{}:{}", place.file, place.line));
            for row in indicators {
                let (count, first, last) = (row.count.to_string(), place(&row.first), place(&row.last));
                csv::row(out, &["indicator", &row.kind, &(how.safe)(&row.indicator), &count, &first, &last])?;
            }
            for row in hosts {
                let (count, first, last) = (row.count.to_string(), place(&row.first), place(&row.last));
                csv::row(out, &["host", "", &row.host, &count, &first, &last])?;
            }
            Ok(())
        }
        Format::Text => {
            let rows = indicators.map(|row| {
                let files = format!("{} in {}", row.count, plural(row.files, "file"));
                [files, row.kind.clone(), (how.safe)(&row.indicator), days(row)]
            });
            table(out, "Indicators", rows.collect())?;
            let rows = hosts.map(|row| {
                let most = row.indicators.first().map(|share| (how.safe)(&share.indicator)).unwrap_or_default();
                let others = match row.distinct {
                    0 | 1 => most,
                    n => format!("{most} and {} more", n - 1),
                };
                [row.count.to_string(), row.host.clone(), others, String::new()]
            });
            table(out, "Own hosts on these lines", rows.collect())
        }
    }
}

/// Writes what was read and found in a few lines.
///
/// # Errors
/// It cannot be written.
pub fn summary(out: &mut impl Write, tally: &Tally, how: Top) -> io::Result<()> {
    let totals = &tally.totals;
    let speed = totals.bytes as f64 / 1e6 / totals.seconds.max(0.001);
    let (files, lines) = (plural(totals.files, "file"), plural(totals.lines, "line"));
    let megabytes = totals.bytes as f64 / 1e6;
    writeln!(out, "{files}, {lines}, {megabytes:.1} MB in {:.1} s ({speed:.0} MB/s)", totals.seconds)?;
    let hits = plural(totals.hits, "hit");
    let (found, index) = (totals.indicators, plural(totals.index, "indicator"));
    writeln!(out, "{hits} of {found} of {index}, in {}", plural(totals.files_hit, "file"))?;
    if totals.left_out > 0 {
        writeln!(out, "{} left out: the value is allowed", plural(totals.left_out, "hit"))?;
    }
    if totals.errors > 0 {
        writeln!(out, "{} could not be read, or not to the end", plural(totals.errors, "file"))?;
    }
    if let (Some((first, _)), Some((last, _))) = (tally.days.first_key_value(), tally.days.last_key_value()) {
        writeln!(out, "hits from {first} to {last}")?;
    }
    if tally.beyond != crate::Beyond::default() {
        let (indicators, hosts) = (tally.beyond.indicators, tally.beyond.hosts);
        writeln!(out, "too many to count each: {indicators} rare indicators and {hosts} hosts are not in the lists")?;
    }
    if totals.hits > 0 {
        top(out, tally, how)?;
    }
    Ok(())
}

fn plural(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn days(row: &IndicatorTally) -> String {
    match (row.days.first_key_value(), row.days.last_key_value()) {
        (Some((first, _)), Some((last, _))) if first != last => format!("{first} to {last}"),
        (Some((first, _)), _) => first.to_string(),
        _ => String::new(),
    }
}

fn table(out: &mut impl Write, title: &str, rows: Vec<[String; 4]>) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    let width = |n: usize| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0);
    let [a, b, c] = [width(0), width(1), width(2)];
    for [count, kind, value, days] in &rows {
        let line = format!("  {count:>a$}  {kind:<b$}  {value:<c$}  {days}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
