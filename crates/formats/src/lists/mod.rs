//! Lists: a value a line or a row, with comments. One record a list, one part a line, each as it came.

mod csv;
mod plain;

pub use csv::Columns;
pub(crate) use csv::{columns, csv, delimiter, header, row};
pub(crate) use plain::text;
pub use plain::{Listed, listed};

use crate::{Input, InputError, ReadError};
use manara_model::ids;
use manara_model::observable::{Observable, guess, guess_listed};
use manara_model::record::{RecordDraft, Rejection, Sink};
use std::io::{BufRead, Read};

/// A line, without its end.
pub(crate) struct Line<'l> {
    pub(crate) number: u64,
    pub(crate) text: &'l str,
}

/// What the lines alone don't say: how they end.
pub(crate) fn skeleton(input: &mut Input) -> Result<String, InputError> {
    let name = input.name().to_owned();
    let mut reader = input.reader()?;
    let (mut last, mut buffer) = (0u8, vec![0; 256 * 1024]);
    loop {
        let n = reader.read(&mut buffer).map_err(|e| InputError::new(&name, "", e.to_string()))?;
        if n == 0 {
            return Ok(format!("{{\"final_line_end\":{}}}", last == b'\n'));
        }
        last = buffer[n - 1];
    }
}

/// The record of a list: known by the name of its file and its holder, so that a new edition of the
/// file is a new version of the record.
fn draft(input: &mut Input, format: &str) -> Result<RecordDraft, InputError> {
    let base = input.base_name().to_owned();
    let hex: String = input.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    // What comes without a name is known by its content.
    let uuid = if base.is_empty() || base == "-" {
        ids::derived(&["list", &hex])
    } else {
        ids::derived(&["list", "name", &base])
    };
    Ok(RecordDraft {
        uuid,
        kind: "list".into(),
        format: format.into(),
        title: base,
        skeleton: skeleton(input)?,
        digest: input.digest(),
        source: input.name().to_owned(),
        ..RecordDraft::default()
    })
}

/// Hands out each line; those that are too long or no UTF-8 are rejected with their number, in
/// bounded memory.
pub(crate) fn each_line<S: Sink>(
    input: &mut Input,
    sink: &mut S,
    mut take: impl FnMut(&mut S, Line<'_>) -> Result<(), ReadError<S::Error>>,
) -> Result<(), ReadError<S::Error>> {
    let (name, limit) = (input.name().to_owned(), input.limits().line);
    let mut reader = input.reader()?;
    let (mut line, mut number) = (Vec::with_capacity(256), 0u64);
    loop {
        line.clear();
        number += 1;
        let failed = |e: std::io::Error| InputError::new(&name, format!("line {number}"), e.to_string());
        let n = Read::take(&mut reader, limit).read_until(b'\n', &mut line).map_err(failed)?;
        if n == 0 {
            return Ok(());
        }
        let refuse = |reason: String| Rejection { file: name.clone(), place: format!("line {number}"), reason };
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if n as u64 == limit {
            let length = skip_line(&mut reader).map_err(failed)? + limit;
            sink.reject(refuse(format!("has {length} bytes; a line may have at most {limit}")));
            continue;
        }
        match std::str::from_utf8(&line) {
            Ok(text) => take(sink, Line { number, text })?,
            Err(error) => sink.reject(refuse(format!(
                "is not UTF-8 at byte {}; convert it, for example with iconv",
                error.valid_up_to()
            ))),
        }
    }
}

/// Reads on to the end of a line without keeping it.
fn skip_line(reader: &mut dyn BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let (used, ended) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        reader.consume(used);
        skipped += used as u64 - u64::from(ended);
        if ended {
            return Ok(skipped);
        }
    }
}

/// What a word is where nothing else says that it is a value. Unlike a word with a dot (`first.seen`),
/// `*.name` is one below whatever suffix.
pub(crate) fn alone(field: &str) -> Option<Observable> {
    guess(field).or_else(|| guess_listed(field).filter(|known| known.below().is_some()))
}

/// A first mention of a bad value in a report: cut short, without control characters.
pub(crate) fn cut(text: &str) -> String {
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
