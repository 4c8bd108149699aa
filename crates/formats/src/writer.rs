//! What every writer is: it takes cleared heads and parts, and nothing else.

use crate::misp::MispWriter;
use crate::native::{DocumentWriter, NativeWriter};
use crate::stix::StixWriter;
use crate::values::{self, ValueWriter};
use manara_model::observable::Type;
use manara_model::warninglist::WarningLists;
use manara_model::{Cleared, Head, Part};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

/// What a writer is told.
#[derive(Clone, Default)]
pub struct WriteOptions {
    /// Only values of these types.
    pub types: Option<BTreeSet<Type>>,
    /// Also values that their authors don't want looked for; formats that block or detect leave them out.
    pub undetected: bool,
    /// Values on these lists are held back from formats that block or detect.
    pub warning_lists: Option<Arc<WarningLists>>,
    /// Now, Unix milliseconds: serial numbers, headers.
    pub now: i64,
    /// Name of the node's organisation, for headers.
    pub origin: String,
}

/// What a writer kept back, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HeldBack {
    /// Values on a warning list.
    pub warning_listed: u64,
    /// Addresses that nobody may block: private, loopback, multicast.
    pub reserved: u64,
    /// The first of them, with the list.
    pub examples: Vec<String>,
}

/// Writes records in a format. For each record: `head`, its parts, `end`; at last `finish`.
pub trait Writer {
    /// A record begins.
    ///
    /// # Errors
    /// The output's.
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()>;

    /// A part of it.
    ///
    /// # Errors
    /// The output's.
    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()>;

    /// The record is complete.
    ///
    /// # Errors
    /// The output's.
    fn end(&mut self) -> io::Result<()>;

    /// There are no more records.
    ///
    /// # Errors
    /// The output's.
    fn finish(&mut self) -> io::Result<()>;

    /// What was kept back.
    fn held_back(&self) -> HeldBack;
}

/// A writer of a format to a stream; `None` for formats that have none (`misp-feed` writes a
/// directory: [`crate::FeedWriter`]).
#[must_use]
pub fn writer<'w>(format: &str, out: Box<dyn Write + 'w>, options: WriteOptions) -> Option<Box<dyn Writer + 'w>> {
    Some(match format {
        "misp" => Box::new(MispWriter::new(out, options)),
        "stix" => Box::new(StixWriter::new(out, options)),
        "native" => Box::new(NativeWriter::new(out)),
        "csaf" => Box::new(DocumentWriter::new(out, "csaf")),
        other => Box::new(ValueWriter::new(out, options, values::lines(other)?)),
    })
}
