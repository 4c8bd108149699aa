//! Backups: the whole node in one file, made while it runs. A tar archive, compressed with zstd, of
//! `manifest.json` (what and when, with SHA-256 of the rest), `node.key` and `manara.db`: the embedded
//! engine's file, whatever engine the node runs on, so that a backup can always be restored to a laptop.
//! It holds the node's key and every record: keep it as safe as the node.

use crate::engine::{Conn, FILE, Place, Use};
use crate::{KEY_FILE, Result, Store, StoreError, schema, transfer};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

const LEVEL: i32 = 3;
/// First bytes of a zstd frame (RFC 8878 §3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const FORMAT: &str = "manara-backup-1";
/// No manifest or key is longer.
const SMALL: u64 = 64 * 1024;

/// Names of folders that are worked in, and the age at which nobody does any more.
const HIDDEN: &str = ".manara-work-";
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Manifest {
    /// `manara-backup-1`.
    pub format: String,
    /// Version of the program that made it.
    pub program: String,
    /// Number of the database's schema.
    pub schema: i64,
    /// The node's identifier.
    pub node: uuid::Uuid,
    /// RFC 3339.
    pub made: String,
    /// Size of the database in bytes.
    pub bytes: u64,
    /// SHA-256 of the database, in hex.
    pub sha256: String,
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError + '_ {
    move |source| StoreError::Io { path: path.to_path_buf(), source }
}

fn hash(path: &Path) -> Result<(u64, String)> {
    let (mut file, mut hash) = (File::open(path).map_err(io(path))?, Sha256::new());
    let mut buffer = vec![0; 1 << 18];
    let mut size = 0;
    loop {
        let n = file.read(&mut buffer).map_err(io(path))?;
        if n == 0 {
            return Ok((size, crate::seal::to_hex(&hash.finalize())));
        }
        hash.update(&buffer[..n]);
        size += n as u64;
    }
}

/// A folder beside a file, gone when dropped.
struct Beside(PathBuf);

impl Beside {
    fn new(folder: &Path) -> Result<Self> {
        // What a process left that was killed in the middle.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(HIDDEN));
            let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
            if ours && age.is_some_and(|age| age > LEFT_BEHIND) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let path = folder.join(format!("{HIDDEN}{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).map_err(io(&path))?;
        let beside = Beside(path);
        crate::store::private(&beside.0).map_err(io(&beside.0))?;
        Ok(beside)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file that only its owner may read, complete under its name or not there.
fn create_private(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(io(path))
}

impl Store {
    /// Writes a backup into a file: consistent as of one moment, whoever writes meanwhile. The file
    /// appears under its name when it is whole and on the disk.
    ///
    /// # Errors
    /// No room, no permission, and the engine's.
    pub fn backup(&self, file: &Path) -> Result<Manifest> {
        if file.exists() {
            return Err(StoreError::Backup(format!("{} is there already; nothing is overwritten", file.display())));
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let beside = Beside::new(folder)?;
        let part = beside.0.join("backup");
        let manifest = self.write_backup(&beside.0, &create_private(&part)?)?;
        std::fs::rename(&part, file).map_err(io(file))?;
        // The name, too, has to be on the disk.
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(manifest)
    }

    /// The same into a stream.
    ///
    /// # Errors
    /// As [`Store::backup`].
    pub fn backup_to(&self, out: impl Write) -> Result<Manifest> {
        let beside = Beside::new(self.folder())?;
        let part = beside.0.join("backup");
        let manifest = self.write_backup(&beside.0, &create_private(&part)?)?;
        let (mut from, mut out) = (File::open(&part).map_err(io(&part))?, out);
        std::io::copy(&mut from, &mut out).and_then(|_| out.flush()).map_err(io(Path::new("-")))?;
        Ok(manifest)
    }

    fn write_backup(&self, work: &Path, out: &File) -> Result<Manifest> {
        let database = work.join(FILE);
        // Its own connection: the copy must not be made inside a reader's limits.
        let conn = Conn::open(self.place(), Use::Write)?;
        match &conn {
            Conn::Sqlite(_) => conn.copy_file(&database)?,
            Conn::Postgres(_) => {
                transfer::copy_as_file(&conn, &Place { folder: work.to_path_buf(), database: None })?;
            }
        }
        let (bytes, sha256) = hash(&database)?;
        let manifest = Manifest {
            format: FORMAT.into(),
            program: env!("CARGO_PKG_VERSION").into(),
            schema: schema::KNOWN,
            node: self.node()?,
            made: jiff::Timestamp::now().to_string(),
            bytes,
            sha256,
        };
        let failed = |error: std::io::Error| StoreError::Io { path: work.to_path_buf(), source: error };
        let mut packed = zstd::Encoder::new(out, LEVEL).map_err(failed)?;
        packed.include_checksum(true).map_err(failed)?;
        let mut archive = tar::Builder::new(packed);
        let text = serde_json::to_string_pretty(&manifest).map_err(StoreError::damaged)?;
        let mut add = |name: &str, size: u64, content: &mut dyn Read| {
            let mut header = tar::Header::new_gnu();
            header.set_size(size);
            header.set_mode(0o600);
            header.set_cksum();
            archive.append_data(&mut header, name, content).map_err(failed)
        };
        add("manifest.json", text.len() as u64, &mut text.as_bytes())?;
        let key = self.folder().join(KEY_FILE);
        let key = std::fs::read(&key).map_err(|source| StoreError::Key { path: key, source })?;
        add(KEY_FILE, key.len() as u64, &mut key.as_slice())?;
        add(FILE, bytes, &mut File::open(&database).map_err(io(&database))?)?;
        let packed = archive.into_inner().map_err(failed)?;
        packed.finish().map_err(failed)?.sync_all().map_err(failed)?;
        std::fs::remove_file(&database).map_err(io(&database))?;
        Ok(manifest)
    }

    /// Makes a node of a backup, where there is none. The backup may be of an older Manara: it is
    /// brought up to date. Nothing is there before all of it was read and found to be whole.
    ///
    /// # Errors
    /// [`StoreError::NodeExists`], [`StoreError::Backup`], and the engine's.
    pub fn restore(from: impl Read, place: &Place) -> Result<(Store, Manifest)> {
        let folder = &place.folder;
        std::fs::create_dir_all(folder).map_err(io(folder))?;
        crate::store::private(folder).map_err(io(folder))?;
        if folder.join(FILE).exists() {
            return Err(StoreError::NodeExists(folder.clone()));
        }
        let work = Beside::new(folder)?;
        let manifest = unpack(from, &work.0)?;
        // The same key may be there: a restore that was killed before its last step goes on.
        let key = |folder: &Path| std::fs::read(folder.join(KEY_FILE)).ok();
        if key(folder).is_some_and(|held| Some(held) != key(&work.0)) {
            return Err(StoreError::NodeExists(folder.clone()));
        }
        let (bytes, sha256) = hash(&work.0.join(FILE))?;
        if (bytes, &sha256) != (manifest.bytes, &manifest.sha256) {
            return Err(StoreError::Backup(
                "its database is not the one that was backed up: it was damaged or changed".into(),
            ));
        }
        let moved = |name: &str| std::fs::rename(work.0.join(name), folder.join(name)).map_err(io(folder));
        if place.database.is_some() {
            let unpacked = Store::open(&work.0)?;
            unpacked.copy_to(place, &mut |_, _| {})?;
            drop(unpacked);
            moved(KEY_FILE)?;
        } else {
            moved(KEY_FILE)?;
            moved(FILE)?;
        }
        Ok((Store::open(place.clone())?, manifest))
    }
}

fn unpack(from: impl Read, work: &Path) -> Result<Manifest> {
    let bad = |error: std::io::Error| StoreError::Backup(error.to_string());
    let mut from = std::io::BufReader::new(from);
    let first = from.fill_buf().map_err(bad)?;
    if !first.starts_with(&ZSTD) {
        return Err(StoreError::Backup("it does not begin like one: give a file that `manara backup` made".into()));
    }
    let mut packed = zstd::Decoder::with_buffer(from).map_err(bad)?;
    let mut archive = tar::Archive::new(&mut packed);
    let (mut manifest, mut seen): (Option<Manifest>, Vec<String>) = (None, Vec::new());
    for entry in archive.entries().map_err(bad)? {
        let mut entry = entry.map_err(bad)?;
        let name = entry.path().map_err(bad)?.to_string_lossy().into_owned();
        match (name.as_str(), &manifest) {
            ("manifest.json", None) => {
                let mut text = String::new();
                (&mut entry).take(SMALL).read_to_string(&mut text).map_err(bad)?;
                let read: Manifest = serde_json::from_str(&text).map_err(|e| StoreError::Backup(e.to_string()))?;
                if read.format != FORMAT {
                    return Err(StoreError::Backup(format!(
                        "its format is '{}', '{FORMAT}' is known here",
                        read.format
                    )));
                }
                if read.schema > schema::KNOWN {
                    return Err(StoreError::TooNew { found: read.schema, known: schema::KNOWN });
                }
                manifest = Some(read);
            }
            // Only these names, so nothing in an archive chooses where it is written.
            (KEY_FILE | FILE, Some(manifest)) if !seen.contains(&name) => {
                let most = if name == FILE { manifest.bytes } else { SMALL };
                let path = work.join(&name);
                let mut file = create_private(&path)?;
                std::io::copy(&mut (&mut entry).take(most), &mut file).map_err(bad)?;
                file.sync_all().map_err(io(&path))?;
            }
            _ => return Err(StoreError::Backup(format!("'{name}' does not belong into one"))),
        }
        seen.push(name);
    }
    // Only at its very end does the stream tell whether all of it was as it was written.
    std::io::copy(&mut packed, &mut std::io::sink()).map_err(bad)?;
    for name in ["manifest.json", KEY_FILE, FILE] {
        if !seen.iter().any(|seen| seen == name) {
            return Err(StoreError::Backup(format!("it ends before its {name}")));
        }
    }
    manifest.ok_or_else(|| StoreError::Backup("it has no manifest".into()))
}
