//! Observations, document by document: a file that is one document, or one on each line.

use anyhow::{Context, bail};
use manara_formats::{Input, Limits};
use manara_pattern::{Batch, Mode};
use std::io::{BufRead, Read};
use std::ops::ControlFlow;
use std::path::Path;

/// Hands each document to `take`, in order, until it has enough. Lines are held one at a time.
pub(super) fn each(
    path: &Path,
    mode: Mode,
    mut take: impl FnMut(&Batch<'_>) -> anyhow::Result<ControlFlow<()>>,
) -> anyhow::Result<()> {
    let limits = Limits::default();
    let mut input = if path == Path::new("-") {
        Input::from_reader("standard input", std::io::stdin().lock(), limits)?
    } else {
        Input::open(path, limits)?
    };
    let (name, length) = (input.name().to_owned(), input.length());
    let mut reader = input.reader()?;
    let mut line = Vec::new();
    let mut number = 0u64;
    loop {
        number += 1;
        if !next_line(&mut reader, &name, number, limits.document, &mut line)? {
            return Ok(());
        }
        let text = std::str::from_utf8(&line).with_context(|| format!("{name}, line {number}: is not UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        let batch = match serde_json::from_str(text) {
            Ok(json) => Batch::of(json, mode),
            // The first line begins a document that goes on below.
            Err(error) if error.is_eof() && number == 1 => break,
            Err(error) => Err(in_line(&error)),
        };
        let batch = batch.map_err(|reason| anyhow::anyhow!("{name}, line {number}: {reason}"))?;
        if take(&batch)?.is_break() {
            return Ok(());
        }
    }
    if length > limits.document {
        bail!("{name}: {length} bytes in one document; give bundles one a line, at most {} each", limits.document);
    }
    reader.read_to_end(&mut line).with_context(|| name.clone())?;
    let text = std::str::from_utf8(&line).with_context(|| format!("{name}: is not UTF-8"))?;
    let batch = Batch::read(text.trim_start_matches('\u{feff}'), mode);
    let batch = batch.map_err(|reason| anyhow::anyhow!("{name}: {reason}"))?;
    take(&batch).map(|_| ())
}

/// Reads a line of at most so many bytes into `line`; false at the end.
pub(super) fn next_line(
    reader: &mut impl BufRead,
    name: &str,
    number: u64,
    most: u64,
    line: &mut Vec<u8>,
) -> anyhow::Result<bool> {
    line.clear();
    let read = reader.by_ref().take(most + 1).read_until(b'\n', line);
    if read.with_context(|| name.to_owned())? as u64 > most {
        bail!("{name}, line {number}: longer than {most} bytes");
    }
    Ok(!line.is_empty())
}

/// As it is told, without its line: that is always the first of what it was given.
fn in_line(error: &serde_json::Error) -> String {
    let (told, column) = (error.to_string(), error.column());
    let what = told.strip_suffix(&format!(" at line {} column {column}", error.line())).unwrap_or(&told);
    format!("column {column}: {what}")
}
