//! Names of files and folders in, logs out, in an order that does not depend on the disk: as they were named,
//! and in a folder by the bytes of names.

use super::Trouble;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A log.
#[derive(Debug, Clone)]
pub struct Log {
    /// Where it is; `-` is standard input.
    pub path: PathBuf,
    /// As it is told.
    pub name: Arc<str>,
    /// Bytes on the disk, where that is known.
    pub size: u64,
    /// What tells it from another file of that name.
    pub stamp: Stamp,
}

/// A file as it was when it was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// When it was changed, in nanoseconds since 1970.
    pub changed: i64,
    /// The disk, and the file's number on it.
    pub inode: (u64, u64),
}

impl Stamp {
    pub(crate) fn of(data: &fs::Metadata) -> Stamp {
        let changed = data.mtime().saturating_mul(1_000_000_000).saturating_add(data.mtime_nsec());
        Stamp { size: data.len(), changed, inode: (data.dev(), data.ino()) }
    }
}

impl Log {
    pub(crate) fn new(path: PathBuf, data: Option<&fs::Metadata>) -> Log {
        let name = path.to_string_lossy().into();
        let stamp = data.map(Stamp::of).unwrap_or_default();
        Log { path, name, size: stamp.size, stamp }
    }

    /// Whether it is standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }
}

/// What a walk meets.
#[derive(Debug)]
pub enum Item {
    /// A log to be read.
    Log(Log),
    /// Something in a folder that is no file: why it is not read.
    Skipped(String),
    /// Something that cannot be read.
    Trouble(Trouble),
}

/// Walks over names. One folder is listed at a time; links to folders are not followed.
#[derive(Debug)]
pub struct Walk {
    /// What is still to be met, the next one last; `true`: found in a folder.
    ahead: Vec<(PathBuf, bool)>,
}

impl Walk {
    /// Over files, folders and `-`, in this order.
    #[must_use]
    pub fn new(names: &[PathBuf]) -> Walk {
        Walk { ahead: names.iter().rev().map(|name| (name.clone(), false)).collect() }
    }

    fn meet(&mut self, path: PathBuf, found: bool) -> Option<Item> {
        if path == Path::new("-") && !found {
            return Some(Item::Log(Log::new(path, None)));
        }
        let trouble =
            |path: &Path, error| Some(Item::Trouble(Trouble::Closed { name: path.to_string_lossy().into(), error }));
        let data = match fs::metadata(&path) {
            Ok(data) => data,
            Err(error) => return trouble(&path, error),
        };
        if data.is_dir() {
            // What was named is followed wherever it leads; in folders links could lead in circles.
            if found && fs::symlink_metadata(&path).is_ok_and(|data| data.is_symlink()) {
                return None;
            }
            let names = fs::read_dir(&path).and_then(|entries| entries.map(|e| Ok(e?.file_name())).collect());
            let mut names: Vec<OsString> = match names {
                Ok(names) => names,
                Err(error) => return trouble(&path, error),
            };
            names.sort_unstable_by(|a, b| b.as_encoded_bytes().cmp(a.as_encoded_bytes()));
            self.ahead.extend(names.into_iter().map(|name| (path.join(name), true)));
            return None;
        }
        // A pipe that was named is meant (`<(…)`); one that lies in a folder would be waited for without end.
        if found && !data.is_file() {
            return Some(Item::Skipped(format!("{}: no file, skipped", path.display())));
        }
        Some(Item::Log(Log::new(path, Some(&data))))
    }
}

impl Iterator for Walk {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            let (path, found) = self.ahead.pop()?;
            if let Some(item) = self.meet(path, found) {
                return Some(item);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn folders_are_walked_by_bytes_of_names_and_what_is_no_file_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["b", "B", "a.log", "é"] {
            fs::write(at(name), name).unwrap();
        }
        fs::create_dir(at("a")).unwrap();
        fs::write(at("a/z"), "z").unwrap();
        std::os::unix::fs::symlink(folder.path(), at("a/circle")).unwrap();
        std::os::unix::fs::symlink(at("b"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("gone"), at("nowhere")).unwrap();
        std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let met: Vec<String> = Walk::new(&[at("b"), folder.path().to_owned(), "-".into(), at("missing")])
            .map(|item| match item {
                Item::Log(log) => log.name.replace(&*folder.path().to_string_lossy(), ""),
                Item::Skipped(why) => why.replace(&*folder.path().to_string_lossy(), "skipped "),
                Item::Trouble(trouble) => trouble.to_string().replace(&*folder.path().to_string_lossy(), "trouble "),
            })
            .collect();
        let expected = [
            "/b",
            "/B",
            "/a/z",
            "/a.log",
            "/b",
            "/link",
            "trouble /nowhere: No such file or directory (os error 2)",
            "skipped /socket: no file, skipped",
            "/é",
            "-",
            "trouble /missing: No such file or directory (os error 2)",
        ];
        assert_eq!(met, expected);
    }
}
