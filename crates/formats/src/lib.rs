//! Readers and writers of the formats people use. A reader turns bytes into drafts and pours them
//! into a [`Sink`]; a writer takes what policy has cleared, and nothing else.
//!
//! Comes in: bytes. Goes out: bytes. Never happens here: the store, the network, deciding.
//!
//! ```compile_fail
//! // A head that policy has not cleared does not fit into a writer.
//! fn leak(writer: &mut dyn manara_formats::Writer, head: &manara_model::Head) {
//!     writer.head(head).unwrap();
//! }
//! ```

mod detect;
mod documents;
mod freetext;
mod input;
mod json;
mod lists;
mod misp;
mod native;
mod stix;
mod table;
mod values;
mod writer;

pub use detect::detect;
pub use input::{Input, InputError, Limits};
pub use json::Members;
pub use lists::{Columns, Listed, listed};
pub use misp::feed::FeedWriter;
pub use misp::{misp_head, misp_marking, misp_part};
pub use stix::events_of_bundle;
pub use stix::{StixDefinitions, StixFacts, StixName, stix_definition};
pub use table::{Format, format, formats};
pub use values::Choice;
pub use writer::{HeldBack, WriteOptions, Writer};

use manara_model::record::Sink;
use std::io::Write;

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E: std::error::Error> {
    /// The input can't be read at all.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The sink could not go on.
    #[error("{0}")]
    Sink(E),
}

/// Reads an input in a format into a sink. Rows that can't be read go to [`Sink::reject`] and stop nothing.
///
/// # Errors
/// [`ReadError::Input`] when nothing of it can be read; [`ReadError::Sink`] when the sink stops.
pub fn read<S: Sink>(format: &Format, input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    match format.name {
        "misp" => misp::read(input, sink),
        "stix" => stix::read(input, sink),
        "text" => lists::text(input, sink),
        "csv" => lists::csv(input, sink),
        "freetext" => freetext::read(input, sink),
        "jsonl" => documents::lines(input, sink),
        "csaf" | "knowledge" | "json" => documents::document(input, sink),
        _ => Err(InputError::new(input.name(), "", format!("'{}' can be written but not read", format.name)).into()),
    }
}

/// Reads CSV of which somebody knows the columns that hold values; otherwise as [`read`] does.
///
/// # Errors
/// As [`read`].
pub fn read_columns<S: Sink>(named: &Columns, input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    lists::columns(named, input, sink)
}

/// A writer of STIX objects, each of which is given away by itself.
#[must_use]
pub fn stix_writer<'g>(
    options: WriteOptions,
    give: &'g mut dyn FnMut(&str) -> std::io::Result<()>,
) -> Box<dyn Writer + 'g> {
    Box::new(stix::StixWriter::new(stix::Out::Each(give), options))
}

/// A writer of a STIX bundle, of whose objects each is given to `sieve` before it goes.
#[must_use]
pub fn stix_bundle<'w>(
    out: Box<dyn Write + 'w>,
    options: WriteOptions,
    sieve: Box<stix::Sieve<'w>>,
) -> Box<dyn Writer + 'w> {
    Box::new(stix::StixWriter::new(stix::Out::Bundle(out, Some(sieve)), options))
}

/// A writer of a format to a stream; `None` for formats that have none (`misp-feed` writes a
/// directory: [`FeedWriter`]).
#[must_use]
pub fn writer<'w>(format: &str, out: Box<dyn Write + 'w>, options: WriteOptions) -> Option<Box<dyn Writer + 'w>> {
    Some(match format {
        "misp" => Box::new(misp::MispWriter::new(out, options)),
        "stix" => Box::new(stix::StixWriter::new(stix::Out::Bundle(out, None), options)),
        "native" => Box::new(native::NativeWriter::new(out)),
        "csaf" => Box::new(native::DocumentWriter::new(out, "csaf")),
        other => Box::new(values::ValueWriter::new(out, options, values::lines(other)?)),
    })
}
