//! The page that `manara match --report` writes.

use super::earlier;
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

/// What a page tells, and of what kind of search.
pub(crate) struct Search<'a> {
    pub(crate) tally: &'a Tally,
    /// It did not come to its end.
    pub(crate) stopped: bool,
    /// It went on from an earlier one.
    pub(crate) only_new: bool,
    /// Logs that were passed over because they have not changed since.
    pub(crate) unchanged: u64,
    /// The node that is told what was seen.
    pub(crate) told: Option<&'a str>,
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
    /// Writes it. A page that tells only what is new takes no finds away: those of an earlier one are kept beside it.
    ///
    /// # Errors
    /// The file cannot be written, or the earlier page cannot be kept; the new one is there then under another name.
    pub(crate) fn write(mut self, search: &Search<'_>) -> anyhow::Result<()> {
        let texts = Texts::choose(self.args.lang.as_deref().or(system().as_deref()), None);
        // As the days of hits are counted.
        let made = Timestamp::now().to_zoned_datetime(TimeZone::UTC).date();
        let Search { tally, stopped, only_new, unchanged, told: node } = *search;
        let contact = self.args.contact.as_deref();
        let report = Report { tally, texts, contact, made, stopped, only_new, unchanged, told: node };
        let told = || format!("--report: {}", self.path.display());
        let mut out = BufWriter::new(self.file.as_file_mut());
        report.write(&mut out).and_then(|()| out.flush()).with_context(told)?;
        drop(out);
        if only_new {
            match earlier::keep(self.path) {
                Ok(None) => {}
                Ok(Some(kept)) => eprintln!("manara: earlier page kept as {}", safe(&kept)),
                // The search is noted as done: what it found must not get lost either.
                Err(error) => {
                    let (_, new) = self.file.keep().map_err(|error| error.error).with_context(told)?;
                    let (path, new) = (self.path.display(), new.display());
                    return Err(error.context(format!("--report: {path}: it stays as it is, the new page is {new}")));
                }
            }
        }
        // What the system says of it is enough: the other name is nobody's.
        self.file.persist(self.path).map_err(|error| error.error).with_context(told)?;
        eprintln!("manara: report written to {}", safe(self.path));
        Ok(())
    }
}

fn safe(path: &Path) -> String {
    output::safe(&path.display().to_string())
}

/// The language of the system, as POSIX looks for it.
fn system() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|tag| !tag.is_empty()))
}
