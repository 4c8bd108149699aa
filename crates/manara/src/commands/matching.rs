//! `manara index` and `manara match`. They need no node.

use crate::cli::{HitFormat, IndexArgs, IndexCommand, Output, ScanArgs};
use crate::output;
use anyhow::Context;
use flate2::bufread::MultiGzDecoder;
use manara_matching::{Builder, Index, Kind, Scanner};
use manara_model::observable::guess_listed;
use serde_json::json;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// How much of a log is read at once. Lines are kept whole up to this length; a longer one is cut.
const BLOCK: usize = 8 << 20;
/// As grep has it.
const NOTHING: u8 = 1;
const FAILED: u8 = 2;

pub(crate) fn index(args: IndexArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        IndexCommand::Build { out, lists, output } => {
            let mut builder = Builder::new();
            let mut refused = 0_u64;
            for list in &lists {
                let reader = open(list).with_context(|| list.display().to_string())?;
                refused += add(&mut builder, reader).with_context(|| list.display().to_string())?;
            }
            let count = builder.len();
            let bytes = builder.finish();
            // Whoever maps the old one keeps it; nobody sees half of the new one.
            let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder).with_context(|| folder.display().to_string())?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(&out).with_context(|| out.display().to_string())?;
            if output.json {
                output::json(&json!({"indicators": count, "refused": refused, "bytes": bytes.len()}))?;
            } else {
                output::line(format!("{count} indicators, {} bytes; {refused} lines were none", bytes.len()))?;
            }
            Ok(if count > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        IndexCommand::Info { file, output } => info(&file, output),
        IndexCommand::Verify { file } => {
            let whole = Index::open(&file).and_then(|index| index.verify());
            whole.with_context(|| file.display().to_string())?;
            output::line("it is as it was written")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn info(file: &Path, output: Output) -> anyhow::Result<ExitCode> {
    let index = Index::open(file).with_context(|| file.display().to_string())?;
    let kinds = Kind::all().map(|kind| (kind.name(), index.count(kind))).filter(|(_, count)| *count > 0);
    if output.json {
        let kinds: serde_json::Map<_, _> = kinds.map(|(name, count)| (name.to_owned(), json!(count))).collect();
        output::json(&json!({"indicators": index.len(), "bytes": index.size(), "types": kinds}))?;
    } else {
        let mut rows: Vec<Vec<String>> = kinds.map(|(name, count)| vec![name.to_owned(), count.to_string()]).collect();
        rows.push(vec!["all".to_owned(), index.len().to_string()]);
        rows.push(vec!["bytes".to_owned(), index.size().to_string()]);
        output::table(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds a list; gives how many lines were no indicator that logs can be searched for.
fn add(builder: &mut Builder, reader: impl BufRead) -> io::Result<u64> {
    let mut refused = 0;
    for line in reader.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        // A remark starts the line, or stands behind a space: URLs have `#` too.
        let value = line.split(" #").next().unwrap_or_default().trim();
        if value.is_empty() || value.starts_with('#') {
            continue;
        }
        let known = guess_listed(value).and_then(|o| Some((Kind::by_name(o.ty().name())?, o.value().to_owned())));
        let known = known.or_else(|| Some((manara_matching::guess(value)?, value.to_owned())));
        refused += u64::from(known.is_none_or(|(kind, value)| builder.add(kind, &value).is_err()));
    }
    Ok(refused)
}

/// Opens a file or standard input; gzip and zstd are unpacked by what they are.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> = if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut raw = BufReader::with_capacity(256 << 10, raw);
    let start = raw.fill_buf()?;
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(256 << 10, MultiGzDecoder::new(raw)))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(BufReader::with_capacity(256 << 10, zstd::Decoder::with_buffer(raw)?))
    } else {
        Box::new(raw)
    })
}

/// Exit code 0: something was found; 1: nothing; 2: not all could be read.
pub(crate) fn scan(args: &ScanArgs) -> anyhow::Result<ExitCode> {
    let index = match Index::open(&args.index) {
        Ok(index) => index,
        Err(error) => {
            eprintln!("manara: {}: {error}", args.index.display());
            return Ok(ExitCode::from(FAILED));
        }
    };
    let scanner = Scanner::new(&index);
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let (mut found, mut failed) = (false, false);
    for log in &args.logs {
        let name = if log == Path::new("-") { "-".into() } else { log.to_string_lossy() };
        let mut told = Told { index: &index, format: args.format, name: &name, out: &mut out, failed: None };
        let done = open(log).and_then(|reader| blocks(reader, |block, lines| told.block(&scanner, block, lines)));
        if let Some(error) = told.failed {
            return Err(error.into());
        }
        match done {
            Ok(hits) => found |= hits > 0,
            Err(error) => {
                eprintln!("manara: {name}: {error}");
                failed = true;
            }
        }
    }
    out.flush()?;
    Ok(match (failed, found) {
        (true, _) => ExitCode::from(FAILED),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(NOTHING),
    })
}

/// Reads in blocks of whole lines. `each` takes a block and the number of lines before it, and gives hits
/// and lines; it is called until it gives `None`. The sum of the hits comes back.
fn blocks(mut reader: impl Read, mut each: impl FnMut(&[u8], u64) -> Option<(u64, u64)>) -> io::Result<u64> {
    let mut buffer = vec![0; BLOCK];
    let (mut held, mut lines, mut hits) = (0, 0, 0);
    loop {
        let read = reader.read(&mut buffer[held..]);
        // What came before a broken end is looked at.
        let (got, error) = match read {
            Ok(got) => (got, None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => (0, Some(error)),
        };
        let end = held + got;
        let cut = match buffer[held..end].iter().rposition(|b| *b == b'\n') {
            Some(at) if got > 0 => held + at + 1,
            _ if got == 0 || end == BLOCK => end,
            _ => {
                held = end;
                continue;
            }
        };
        let Some((more, passed)) = each(&buffer[..cut], lines) else { return Ok(hits) };
        hits += more;
        lines += passed;
        buffer.copy_within(cut..end, 0);
        held = end - cut;
        match error {
            Some(error) => return Err(error),
            None if got == 0 => return Ok(hits),
            None => {}
        }
    }
}

/// Prints hits.
struct Told<'a, W> {
    index: &'a Index,
    format: HitFormat,
    name: &'a str,
    out: &'a mut W,
    /// Why nothing more can be printed.
    failed: Option<io::Error>,
}

impl<W: Write> Told<'_, W> {
    fn block(&mut self, scanner: &Scanner<'_>, block: &[u8], before: u64) -> Option<(u64, u64)> {
        let mut hits = 0;
        let lines = scanner.scan(block, |hit| {
            hits += 1;
            if self.failed.is_none() {
                let matched = String::from_utf8_lossy(&block[hit.start..hit.end]);
                self.failed = self.hit(before + hit.line, &hit, &matched).err();
            }
        });
        self.failed.is_none().then_some((hits, lines))
    }

    fn hit(&mut self, line: u64, hit: &manara_matching::Hit, matched: &str) -> io::Result<()> {
        let (kind, indicator, column) = (hit.kind.name(), self.index.text(hit.indicator), hit.column);
        if self.format == HitFormat::Jsonl {
            let hit = json!({
                "file": self.name, "line": line, "column": column, "type": kind, "indicator": indicator, "matched": matched,
            });
            return writeln!(self.out, "{hit}");
        }
        let (name, indicator, matched) = (output::safe(self.name), output::safe(indicator), output::safe(matched));
        writeln!(self.out, "{name}:{line}:{column}: {kind} {indicator} {matched}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_lines_however_they_come() {
        struct Bits<'a>(&'a [u8], usize);
        impl Read for Bits<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let n = self.1.min(self.0.len()).min(into.len());
                into[..n].copy_from_slice(&self.0[..n]);
                self.0 = &self.0[n..];
                Ok(n)
            }
        }
        let text = b"one\ntwo\n\nthree and more\nlast";
        for size in 1..text.len() + 1 {
            let mut all = Vec::new();
            let hits = blocks(Bits(text, size), |block, lines| {
                let number = all.iter().filter(|b| **b == b'\n').count() as u64;
                assert_eq!(lines, number);
                assert!(all.is_empty() || all.ends_with(b"\n"), "a block starts a line");
                all.extend_from_slice(block);
                Some((1, block.iter().filter(|b| **b == b'\n').count() as u64))
            });
            assert!(hits.unwrap() > 0);
            assert_eq!(all, text);
        }
    }

    #[test]
    fn lists_may_be_defanged_and_have_remarks() {
        let mut builder = Builder::new();
        let list = "# a list\nevil[.]example.com\n1.2.3.4 # seen\n\nhxxp://evil.example.com/a#b\nno value at all !\n";
        assert_eq!(add(&mut builder, list.as_bytes()).unwrap(), 1);
        assert_eq!(builder.len(), 3);
    }
}
