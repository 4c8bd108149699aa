//! Indicators into the file that logs are searched with: out of inputs, without a node, or out of a node as an audience
//! may have it.

mod inputs;
mod node;
mod says;

use crate::export::{ExportReport, Selection, walk};
use crate::{Error, Result};
use inputs::Pour;
use manara_formats::{Choice, Format, Input, ReadError, WriteOptions, detect, listed, read};
use manara_matching::{Builder, Index, Kind, RecordId, Source, SourceId};
use manara_model::observable::Observable;
use manara_model::record::{PartFacts, Rejection, Slot};
use manara_model::{Audience, Marking, Purpose};
use manara_store::Store;
use node::IndexWriter;
use serde::Serialize;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read;
use uuid::Uuid;

/// How many of the rows that were no indicators are named.
const NAMED: usize = 20;
/// How much of an input of unknown format is looked at.
const SAMPLE: u64 = 64 * 1024;

/// What became of what was read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IndexReport {
    /// Values that their authors don't want looked for: left out.
    pub undetected: u64,
    /// Values of types that logs are not searched for, or not unless asked: left out.
    pub unsearched: u64,
    /// How many of each type.
    pub unsearched_types: BTreeMap<&'static str, u64>,
    /// Values that the index to which this one adds holds: left out.
    pub in_base: u64,
    /// Rows that were not understood, and values that can't be looked for.
    pub rejected_total: u64,
    /// The first of them.
    pub rejected: Vec<Rejection>,
    /// What was understood, but its user should know.
    pub warnings_total: u64,
    /// The first of them.
    pub warnings: Vec<Rejection>,
}

impl IndexReport {
    fn unsearched(&mut self, observable: &Observable) {
        self.unsearched += 1;
        *self.unsearched_types.entry(observable.ty().name()).or_default() += 1;
    }

    fn reject(&mut self, rejection: Rejection) {
        self.rejected_total += 1;
        name(&mut self.rejected, rejection);
    }

    fn warn(&mut self, warning: Rejection) {
        self.warnings_total += 1;
        name(&mut self.warnings, warning);
    }
}

/// Keeps the first. Nothing else is kept here, unlike in a node: what readers say of that is left away.
fn name(named: &mut Vec<Rejection>, mut rejection: Rejection) {
    if named.len() < NAMED {
        rejection.reason.truncate(rejection.reason.find("; kept").unwrap_or(rejection.reason.len()));
        named.push(rejection.tidied());
    }
}

/// What is taken.
#[derive(Debug, Default)]
pub struct IndexTerms {
    /// Also what authors don't want looked for.
    pub all: bool,
    /// Also these kinds, of those that are looked for only where asked.
    pub with: Vec<Kind>,
    /// Only what this index does not hold; which the new one says.
    pub base: Option<Index>,
}

/// Indicators on their way into an index.
#[derive(Debug, Default)]
pub struct Indicators {
    builder: Builder,
    terms: IndexTerms,
    report: IndexReport,
}

impl Indicators {
    /// Into this builder.
    #[must_use]
    pub fn new(mut builder: Builder, terms: IndexTerms) -> Self {
        if let Some(base) = &terms.base {
            builder.adds_to(base.checksum());
        }
        Indicators { builder, terms, report: IndexReport::default() }
    }

    /// The builder with what was read, and what became of the rest.
    #[must_use]
    pub fn finish(self) -> (Builder, IndexReport) {
        (self.builder, self.report)
    }

    /// Reads an input in a format, or in the one that it seems to have. Gives that format.
    ///
    /// # Errors
    /// Where nothing of it can be read; what was read before stays.
    pub fn read(&mut self, input: &mut Input, named: Option<&str>) -> Result<&'static Format> {
        let format = match named {
            Some(_) => crate::import::format_of(input, named)?,
            None => self.detect(input)?,
        };
        let mut sink = Pour::new(input.name(), self);
        let done = match format.name {
            "text" => listed(input, &mut sink, Pour::line),
            _ => read(format, input, &mut sink),
        };
        done?;
        Ok(format)
    }

    /// A list of what nobody would call values in running text, fuzzy hashes say, looks like running text.
    fn detect(&self, input: &mut Input) -> Result<&'static Format> {
        let found = detect(input)?;
        if found.name != "freetext" {
            return Ok(found);
        }
        let mut sample = Vec::new();
        input.reader()?.take(SAMPLE).read_to_end(&mut sample)?;
        let text = String::from_utf8_lossy(&sample);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (all, words) = lines.fold((0, 0), |(all, words), line| {
            let word = !line.contains(char::is_whitespace) && manara_matching::guess(line).is_some();
            (all + 1, words + usize::from(word))
        });
        let list = words > 0 && words * 10 >= all * 6;
        Ok(manara_formats::format("text").filter(|_| list).unwrap_or(found))
    }

    /// Adds what an audience may have of a node, chosen as in every format that detects.
    ///
    /// # Errors
    /// The store's.
    pub fn read_node(
        &mut self,
        store: &Store,
        audience: Audience,
        selection: &Selection,
        options: WriteOptions,
    ) -> Result<ExportReport> {
        let options = crate::export::for_audience(store, &audience, options)?;
        // Looking into one's own logs is seen by nobody: passive use, whatever PAP says.
        let view = store.view(audience, Purpose::Detect)?;
        let kept_tags = options.kept_tags.clone();
        let choice = Choice::new(options, Purpose::Detect);
        walk(&view, selection, &mut IndexWriter::new(choice, kept_tags, self))
    }

    /// Adds a value that is to be looked for. What its source is, is asked only if it is taken.
    fn add(
        &mut self,
        observable: &Observable,
        source: impl FnOnce(&mut Builder) -> SourceId,
    ) -> std::result::Result<(), manara_matching::Refused> {
        match kind_of(observable).filter(|kind| !kind.on_demand() || self.terms.with.contains(kind)) {
            Some(kind) => self.put(kind, observable.value(), source),
            None => {
                self.report.unsearched(observable);
                Ok(())
            }
        }
    }

    fn put(
        &mut self,
        kind: Kind,
        value: &str,
        source: impl FnOnce(&mut Builder) -> SourceId,
    ) -> std::result::Result<(), manara_matching::Refused> {
        if self.terms.base.as_ref().is_some_and(|base| base.holds(kind, value)) {
            self.report.in_base += 1;
            return Ok(());
        }
        let number = self.builder.add(kind, value)?;
        let source = source(&mut self.builder);
        self.builder.describe(number, source);
        Ok(())
    }
}

/// Makes the record that says so known to a builder.
fn source(
    builder: &mut Builder,
    record: Uuid,
    title: &str,
    marking: &Marking,
    tags: &[&str],
    says: &[String],
) -> SourceId {
    let says: Vec<&str> = says.iter().map(String::as_str).collect();
    builder.source(&Source {
        record: RecordId(*record.as_bytes()),
        title,
        tlp: marking.tlp.map_or("", |tlp| tlp.name()),
        pap: marking.pap.map_or("", |pap| pap.name()),
        tags,
        says: &says,
    })
}

/// The tags that a part has of its own.
fn own_tags(slot: Slot, raw: &str) -> Vec<String> {
    let tagged = matches!(slot, Slot::Attribute | Slot::ObjectAttribute) && raw.contains("\"Tag\"");
    if tagged { PartFacts::read(raw).tags } else { Vec::new() }
}

/// What logs are searched for of a type.
fn kind_of(observable: &Observable) -> Option<Kind> {
    match observable.ty().name() {
        // A hidden service is a name.
        "onion" => Some(Kind::Domain),
        name => Kind::by_name(name),
    }
}

/// A first mention of a bad value: cut short.
fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

impl From<ReadError<Infallible>> for Error {
    fn from(error: ReadError<Infallible>) -> Self {
        match error {
            ReadError::Input(error) => Error::Input(error),
            ReadError::Sink(never) => match never {},
        }
    }
}
