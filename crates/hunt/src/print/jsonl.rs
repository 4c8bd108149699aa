//! Hits for programs.

use super::Hit;
use crate::details::Details;
use serde::Serialize;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;

/// The keys stand in this order.
#[derive(Debug, Serialize)]
struct Row<'a> {
    file: &'a str,
    line: u64,
    column: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    indicator: &'a str,
    matched: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(flatten)]
    details: Option<Details>,
    #[serde(flatten)]
    around: Option<Lines<'a>>,
}

/// The hit's line and those around it.
#[derive(Debug, Serialize)]
struct Lines<'a> {
    before: Vec<&'a str>,
    text: &'a str,
    after: Vec<&'a str>,
}

pub(super) fn hit(out: &mut impl Write, hit: &Hit<'_>) -> io::Result<()> {
    row(out, hit, None)
}

fn row(out: &mut impl Write, hit: &Hit<'_>, around: Option<Lines<'_>>) -> io::Result<()> {
    let Hit { file, line, column, indicator, matched, field, .. } = *hit;
    let (kind, details) = (hit.kind.name(), hit.details.clone());
    write(out, &Row { file, line, column, kind, indicator, matched, field, details, around })
}

pub(super) fn count(out: &mut impl Write, file: &str, hits: u64) -> io::Result<()> {
    write(out, &serde_json::json!({"file": file, "hits": hits}))
}

/// Writes a line of JSON that is safe on a terminal too: what rewrites a screen is escaped.
pub(super) fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    let unsafe_sign = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut rest = json.as_str();
    while let Some(at) = rest.find(unsafe_sign) {
        let sign = rest[at..].chars().next().unwrap_or_default();
        write!(out, "{}\\u{:04x}", &rest[..at], u32::from(sign))?;
        rest = &rest[at + sign.len_utf8()..];
    }
    writeln!(out, "{rest}")
}

/// Memory for hits that wait for the lines after them. Where it is too little, the first is told with the lines that
/// have come.
const HELD: usize = 4 << 20;

/// Hits that wait for the lines after them.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Lines, up to twice as many as are shown on either side.
    lines: VecDeque<(u64, Arc<str>)>,
    waiting: VecDeque<Waiting>,
    /// Roughly the memory that they take.
    held: usize,
    wide: u64,
    /// The line with which the ones around it were told last: with its first hit, since it may have thousands.
    told: Option<u64>,
}

#[derive(Debug)]
struct Waiting {
    file: String,
    line: u64,
    column: u64,
    kind: manara_matching::Kind,
    indicator: String,
    matched: String,
    field: Option<String>,
    details: Option<Details>,
}

impl Waiting {
    fn weight(&self) -> usize {
        let texts = |texts: &[String]| texts.iter().map(|text| size_of::<String>() + text.len()).sum::<usize>();
        let details = |known: &Details| {
            [&known.records, &known.tags, &known.titles, &known.says].into_iter().map(|list| texts(list)).sum::<usize>()
        };
        let texts =
            [self.file.len(), self.indicator.len(), self.matched.len(), self.field.as_ref().map_or(0, String::len)];
        size_of::<Waiting>() + texts.iter().sum::<usize>() + self.details.as_ref().map_or(0, details)
    }
}

impl Around {
    pub(super) fn hit(&mut self, out: &mut impl Write, hit: &Hit<'_>) -> io::Result<()> {
        let waiting = Waiting {
            file: hit.file.to_owned(),
            line: hit.line,
            column: hit.column,
            kind: hit.kind,
            indicator: hit.indicator.to_owned(),
            matched: hit.matched.to_owned(),
            field: hit.field.map(str::to_owned),
            details: hit.details.clone(),
        };
        self.held += waiting.weight();
        self.waiting.push_back(waiting);
        while self.held > HELD {
            self.first(out)?;
        }
        Ok(())
    }

    pub(super) fn line(&mut self, out: &mut impl Write, wide: usize, number: u64, text: &Arc<str>) -> io::Result<()> {
        self.wide = wide as u64;
        self.lines.push_back((number, text.clone()));
        while self.waiting.front().is_some_and(|hit| hit.line + self.wide <= number) {
            self.first(out)?;
        }
        let needed = self.waiting.front().map_or(number + 1, |hit| hit.line).saturating_sub(self.wide);
        while self.lines.front().is_some_and(|(line, _)| *line < needed) {
            self.lines.pop_front();
        }
        Ok(())
    }

    fn first(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Some(hit) = self.waiting.pop_front() else { return Ok(()) };
        self.held -= hit.weight();
        let of = |from: u64, to: u64| {
            let lines = self.lines.iter().filter(move |(number, _)| (from..to).contains(number));
            lines.map(|(_, text)| text.trim_end_matches('\r'))
        };
        let (first, last) = (hit.line.saturating_sub(self.wide), hit.line + self.wide + 1);
        let text = of(hit.line, hit.line + 1).next().unwrap_or_default();
        let around = Lines { before: of(first, hit.line).collect(), text, after: of(hit.line + 1, last).collect() };
        let hit = Hit {
            file: &hit.file,
            line: hit.line,
            column: hit.column,
            kind: hit.kind,
            indicator: &hit.indicator,
            matched: &hit.matched,
            field: hit.field.as_deref(),
            details: hit.details,
        };
        let is_first = self.told.replace(hit.line) != Some(hit.line);
        row(out, &hit, is_first.then_some(around))
    }

    pub(super) fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        while !self.waiting.is_empty() {
            self.first(out)?;
        }
        self.lines.clear();
        self.told = None;
        Ok(())
    }

    pub(super) fn settled(&self) -> bool {
        self.waiting.is_empty()
    }
}
