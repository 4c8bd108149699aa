//! The page that `manara match --report` writes.

use crate::cli::ReportArgs;
use anyhow::Context;
use jiff::Zoned;
use manara_hunt::Tally;
use manara_hunt::report::Report;
use manara_texts::Texts;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes it, if it was asked for. It takes the place of an older one when it is whole. `stopped`: the search
/// did not come to its end.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(args: &ReportArgs, tally: &Tally, stopped: bool) -> anyhow::Result<()> {
    let Some(path) = &args.report else { return Ok(()) };
    let texts = Texts::choose(args.lang.as_deref().or(system().as_deref()), None);
    let made = Zoned::now().date();
    let report = Report { tally, texts, contact: args.contact.as_deref(), made, stopped };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(|| folder.display().to_string())?;
    let mut out = BufWriter::new(file.as_file_mut());
    report.write(&mut out).and_then(|()| out.flush()).with_context(|| path.display().to_string())?;
    drop(out);
    file.persist(path).with_context(|| path.display().to_string())?;
    Ok(())
}

/// The language of the system, as POSIX looks for it.
fn system() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|tag| !tag.is_empty()))
}
