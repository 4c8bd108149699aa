//! What is printed: tables for people, JSON for programs.

use anyhow::anyhow;
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

/// JSON on one screen, with a line end.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// A line that is no error if nobody reads it any more.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Text from others, safe for a terminal: control and direction characters could rewrite the screen.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Rows in columns.
pub(crate) fn table(rows: &[Vec<String>]) -> anyhow::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Progress on standard error, where somebody watches.
pub(crate) struct Progress {
    shown: bool,
    active: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Progress { shown: false, active: std::io::stderr().is_terminal() }
    }

    pub(crate) fn tell(&mut self, text: &str) {
        if self.active {
            self.shown = true;
            eprint!("\r\u{1b}[K{text}");
        }
    }

    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\u{1b}[K");
        }
    }
}

/// A file that takes another one's place when it is whole, as [`tempfile::NamedTempFile::persist`] does. Who may read
/// it is what the umask says: these are files that people hand on.
///
/// # Errors
/// Nothing can be written to that folder.
pub(crate) fn beside(path: &Path) -> anyhow::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The name that it would have had says nothing to anybody.
    let name = folder.display();
    builder.tempfile_in(folder).map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("the folder {name} is not there; make it first"),
        ErrorKind::PermissionDenied => anyhow!("you may not write to the folder {name}"),
        ErrorKind::NotADirectory => anyhow!("{name} is no folder"),
        _ => anyhow::Error::from(error).context(format!("the folder {name}")),
    })
}

/// Nothing is written over what is read: logs are evidence, and an index is somebody's.
///
/// # Errors
/// `out`, called `what`, is one of the files that are read.
pub(crate) fn none_of<'p>(what: &str, out: &Path, read: impl IntoIterator<Item = &'p Path>) -> anyhow::Result<()> {
    let Ok(there) = out.canonicalize() else { return Ok(()) };
    // A device may be both.
    if !there.is_file() {
        return Ok(());
    }
    for path in read {
        let same = path.canonicalize().is_ok_and(|path| path == there) || same_file(path, &there);
        anyhow::ensure!(
            !same,
            "{what} {} is read as well, and would be written over; name another file",
            out.display()
        );
    }
    Ok(())
}

#[cfg(unix)]
fn same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let inode = |path: &Path| path.metadata().ok().map(|data| (data.dev(), data.ino()));
    inode(one).is_some_and(|inode_of_one| Some(inode_of_one) == inode(other))
}

#[cfg(not(unix))]
fn same_file(_one: &Path, _other: &Path) -> bool {
    false
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_said_in_plain_words() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let said = |name: &str| beside(&folder.path().join(name)).unwrap_err().to_string();
        assert!(said("sub/x.html").ends_with("sub is not there; make it first"), "{}", said("sub/x.html"));
        assert!(said("file/x.html").ends_with("file is no folder"), "{}", said("file/x.html"));
        assert!(beside(&folder.path().join("x.html")).is_ok());
    }

    #[test]
    fn what_is_read_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let (log, other) = (folder.path().join("a.log"), folder.path().join("other"));
        std::fs::write(&log, "a").unwrap();
        std::fs::hard_link(&log, folder.path().join("hard")).unwrap();
        let apart = |out: &Path, read: &Path| none_of("-o", out, [read]);
        assert!(apart(&other, &log).is_ok());
        std::fs::write(&other, "b").unwrap();
        assert!(apart(&other, &log).is_ok());
        for same in [log.clone(), folder.path().join("./a.log"), folder.path().join("hard")] {
            let error = apart(&same, &log).unwrap_err().to_string();
            assert!(error.contains("would be written over"), "{error}");
        }
        assert!(apart(Path::new("/dev/null"), Path::new("/dev/null")).is_ok());
    }
}
