//! An earlier page with finds, kept beside the one that takes its place: `night.2026-11-30.html`.

use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Pages of one day that are kept.
const MOST: usize = 100;
/// Bytes in which a page says its day and whether it has finds.
const START: u64 = 32 << 10;
/// How a page without finds says so (`report.html`).
const CALM: &str = "<section class=\"verdict calm\">";

/// Keeps a page that has finds under a name with its day, which comes back. Nothing is written over.
///
/// # Errors
/// It cannot be read or copied, or a hundred of its day are kept already.
pub(super) fn keep(path: &Path) -> anyhow::Result<Option<PathBuf>> {
    let mut page = match File::open(path) {
        Ok(page) => page,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let data = page.metadata()?;
    if !data.is_file() || data.len() == 0 {
        return Ok(None);
    }
    let mut start = Vec::new();
    Read::by_ref(&mut page).take(START).read_to_end(&mut start)?;
    let start = String::from_utf8_lossy(&start);
    if start.contains(CALM) {
        return Ok(None);
    }
    let changed = || Some(Timestamp::try_from(data.modified().ok()?).ok()?.to_zoned_datetime(TimeZone::UTC).date());
    let day = day(&start).or_else(changed).unwrap_or_default();
    for n in 1..=MOST {
        let name = beside(path, day, n);
        let mut copy = match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(copy) => copy,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error).with_context(|| name.display().to_string()),
        };
        let copied = File::open(path).and_then(|mut page| io::copy(&mut page, &mut copy));
        let copied = copied.and_then(|_| copy.set_permissions(data.permissions()));
        if let Err(error) = copied.and_then(|()| copy.sync_all()) {
            // Half a page is none.
            let _ = fs::remove_file(&name);
            return Err(error).with_context(|| name.display().to_string());
        }
        return Ok(Some(name));
    }
    bail!("{MOST} pages of {day} are kept beside it; move some of them away")
}

/// The day that a page's title ends with.
fn day(page: &str) -> Option<Date> {
    page.split_once("</title>")?.0.rsplit(' ').next()?.parse().ok()
}

/// `night.html` of a day: `night.2026-11-30.html`, then `night.2026-11-30-2.html`.
fn beside(path: &Path, day: Date, n: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(if n == 1 { format!(".{day}") } else { format!(".{day}-{n}") });
    if let Some(end) = path.extension() {
        name.push(".");
        name.push(end);
    }
    path.with_file_name(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    const FOUND: &str = "<!doctype html>\n<title>What your logs say · 2026-11-30</title>\n<section class=\"verdict\">";

    #[test]
    fn finds_are_kept_and_nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.html");
        assert_eq!(keep(&path).unwrap(), None);
        fs::write(&path, "").unwrap();
        assert_eq!(keep(&path).unwrap(), None);
        fs::write(&path, FOUND.replace("verdict", "verdict calm")).unwrap();
        assert_eq!(keep(&path).unwrap(), None, "nothing is lost with it");
        fs::write(&path, FOUND).unwrap();
        let first = folder.path().join("night.2026-11-30.html");
        fs::write(&first, "somebody's").unwrap();
        let kept = keep(&path).unwrap().unwrap();
        assert_eq!(kept, folder.path().join("night.2026-11-30-2.html"));
        assert_eq!(fs::read_to_string(kept).unwrap(), FOUND);
        assert_eq!(fs::read_to_string(first).unwrap(), "somebody's");
        for n in 3..=MOST {
            assert_eq!(keep(&path).unwrap(), Some(beside(&path, "2026-11-30".parse().unwrap(), n)));
        }
        assert!(keep(&path).unwrap_err().to_string().contains("100 pages of 2026-11-30"));
        assert_eq!(fs::read_to_string(&path).unwrap(), FOUND);
    }
}
