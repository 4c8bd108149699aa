//! `manara match`. It needs no node.

use crate::cli::{HitFormat, ScanArgs};
use crate::output;
use flate2::bufread::MultiGzDecoder;
use manara_matching::{Index, Scanner};
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

/// Opens a file or standard input; gzip and zstd are unpacked by what they are.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
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
}
