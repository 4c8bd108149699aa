//! Hits, as people and programs read them.

mod csv;
mod jsonl;
mod text;
mod top;

pub use top::{Top, summary, top};

use crate::details::Details;
use manara_matching::Kind;
use std::io::{self, Write};
use std::sync::Arc;

/// A hit as it is told.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// The log's name.
    pub file: &'a str,
    /// Line, from 1.
    pub line: u64,
    /// Byte of the line, from 1.
    pub column: u64,
    /// What the indicator is.
    pub kind: Kind,
    /// The indicator as the index shows it.
    pub indicator: &'a str,
    /// How it is spelled there.
    pub matched: &'a str,
    /// Where in a line of JSON it stands.
    pub field: Option<&'a str>,
    /// What the index knows of the indicator.
    pub details: Option<Details>,
}

/// How hits are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `file:line:column: type indicator matched`, then in brackets what sources say of the indicator
    Text,
    /// A JSON object a line.
    Jsonl,
    /// RFC 4180, with a header.
    Csv,
}

/// What is written while logs are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Every hit.
    Hits,
    /// How many there are in each log.
    Count,
    /// Nothing: something is told at the end.
    Nothing,
}

/// How it is written.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Of hits and counts.
    pub format: Format,
    /// What is written.
    pub show: Show,
    /// Lines before and after each hit.
    pub context: Option<usize>,
    /// Whether a header is written, where there is one: not behind what was written before.
    pub header: bool,
    /// Makes text from others safe for a terminal.
    pub safe: fn(&str) -> String,
}

/// Writes hits.
#[derive(Debug)]
pub struct Printer<W> {
    out: W,
    style: Style,
    text: text::Around,
    jsonl: jsonl::Around,
}

impl<W: Write> Printer<W> {
    /// Writes the header, where there is one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(mut out: W, style: Style) -> io::Result<Printer<W>> {
        match (style.format, style.show) {
            _ if !style.header => {}
            (Format::Csv, Show::Hits) => csv::row(&mut out, &csv::HITS)?,
            (Format::Csv, Show::Count) => csv::row(&mut out, &csv::COUNTS)?,
            _ => {}
        }
        Ok(Printer { out, style, text: text::Around::default(), jsonl: jsonl::Around::default() })
    }

    /// A hit; in the order of lines.
    pub(crate) fn hit(&mut self, hit: &Hit<'_>) -> io::Result<()> {
        if self.style.show != Show::Hits {
            return Ok(());
        }
        match self.style.format {
            Format::Text => {
                if let Some(lines) = self.style.context {
                    self.text.hit(&mut self.out, self.style, lines, hit)?;
                }
                text::hit(&mut self.out, self.style, hit)
            }
            Format::Csv => csv::hit(&mut self.out, self.style, hit),
            Format::Jsonl if self.style.context.is_some() => self.jsonl.hit(&mut self.out, hit),
            Format::Jsonl => jsonl::hit(&mut self.out, hit),
        }
    }

    /// A line near a hit, after the hits on it.
    pub(crate) fn line(&mut self, file: &str, number: u64, text: &Arc<str>) -> io::Result<()> {
        let (Some(lines), Show::Hits) = (self.style.context, self.style.show) else { return Ok(()) };
        match self.style.format {
            Format::Text => self.text.line(&mut self.out, self.style, lines, file, number, text),
            Format::Jsonl => self.jsonl.line(&mut self.out, lines, number, text),
            Format::Csv => Ok(()),
        }
    }

    /// The end of a log.
    pub(crate) fn end(&mut self, file: &str, hits: u64) -> io::Result<()> {
        self.turn()?;
        match (self.style.show, self.style.format) {
            (Show::Count, Format::Text) => writeln!(self.out, "{}:{hits}", (self.style.safe)(file)),
            (Show::Count, Format::Jsonl) => jsonl::count(&mut self.out, file, hits),
            (Show::Count, Format::Csv) => csv::row(&mut self.out, &[&(self.style.safe)(file), &hits.to_string()]),
            _ => Ok(()),
        }
    }

    /// Another log comes: lines of this one are not lines around hits of that one.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        self.text.end();
        self.jsonl.end(&mut self.out)
    }

    /// Writes out what is held back for lines after a hit that may not come for a long time.
    pub(crate) fn release(&mut self) -> io::Result<()> {
        self.jsonl.end(&mut self.out)
    }

    /// Whether every hit so far has been written.
    pub(crate) fn settled(&self) -> bool {
        self.jsonl.settled()
    }

    /// Everything so far reaches whoever reads.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// What is written to.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }
}
