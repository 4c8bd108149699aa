//! The page that `manara match --report` writes.

use crate::cli::ReportArgs;
use crate::output;
use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use manara_hunt::Tally;
use manara_hunt::report::Report;
use manara_texts::Texts;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// A page that is to be written. Its file is there before the search begins, so that a folder that can't be written
/// to is told at once; it takes the place of an older one when it is whole.
pub(crate) struct Page<'a> {
    args: &'a ReportArgs,
    path: &'a Path,
    file: NamedTempFile,
}

/// Begins a page, if one was asked for.
///
/// # Errors
/// Nothing can be written where it is to be.
pub(crate) fn begin(args: &ReportArgs) -> anyhow::Result<Option<Page<'_>>> {
    let Some(path) = args.report.as_deref() else { return Ok(None) };
    if path == Path::new("-") {
        bail!("--report: the page is a file; name it, like report.html");
    }
    // A name that was left out makes a log of it: `--report *.log`.
    if std::fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() > 0) && !is_page(path) {
        bail!("--report: {} is there and is no page of these; name another file, or remove it", path.display());
    }
    let file = output::beside(path).context("--report")?;
    Ok(Some(Page { args, path, file }))
}

/// Whether a file begins as a page does.
fn is_page(path: &Path) -> bool {
    let mut start = [0; 15];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start.eq_ignore_ascii_case(b"<!doctype html>")
}

impl Page<'_> {
    /// Writes it. `stopped`: the search did not come to its end; `only_new`: it went on from an earlier one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(mut self, tally: &Tally, stopped: bool, only_new: bool) -> anyhow::Result<()> {
        let texts = Texts::choose(self.args.lang.as_deref().or(system().as_deref()), None);
        // As the days of hits are counted.
        let made = Timestamp::now().to_zoned_datetime(TimeZone::UTC).date();
        let report = Report { tally, texts, contact: self.args.contact.as_deref(), made, stopped, only_new };
        let told = || format!("--report: {}", self.path.display());
        let mut out = BufWriter::new(self.file.as_file_mut());
        report.write(&mut out).and_then(|()| out.flush()).with_context(told)?;
        drop(out);
        // What the system says of it is enough: the other name is nobody's.
        self.file.persist(self.path).map_err(|error| error.error).with_context(told)?;
        eprintln!("manara: report written to {}", output::safe(&self.path.display().to_string()));
        Ok(())
    }
}

/// The language of the system, as POSIX looks for it.
fn system() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|tag| !tag.is_empty()))
}
