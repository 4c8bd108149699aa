//! The store's handle: a writer, a few readers, and the facts that policy needs.

use crate::facts::{Facts, FactsCache};
use crate::writer::Writer;
use crate::{Result, StoreError, engine, schema};
use rusqlite::Connection;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Name of the database in the data folder.
pub(crate) const FILE: &str = "manara.db";
/// Readers kept open between requests.
const IDLE_READERS: usize = 4;

/// A node's store. Cheap to share behind an [`Arc`].
pub struct Store {
    folder: PathBuf,
    file: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    facts: FactsCache,
}

impl Store {
    /// Opens the store in a data folder; a crash's leftovers are invisible already and are cleared away.
    ///
    /// # Errors
    /// [`StoreError::NoNode`] where `manara init` has not been; the engine's errors.
    pub fn open(folder: &Path) -> Result<Self> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Err(StoreError::NoNode(folder.to_path_buf()));
        }
        Self::start(folder, false)
    }

    /// Makes an empty store.
    ///
    /// # Errors
    /// [`StoreError::NodeExists`], or what the file system says.
    pub fn create(folder: &Path) -> Result<Self> {
        let io = |source| StoreError::Io { path: folder.to_path_buf(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        private(folder).map_err(io)?;
        if folder.join(FILE).exists() {
            return Err(StoreError::NodeExists(folder.to_path_buf()));
        }
        Self::start(folder, true)
    }

    fn start(folder: &Path, create: bool) -> Result<Self> {
        let file = folder.join(FILE);
        let mut conn = engine::open_writer(&file, create)?;
        schema::migrate(&mut conn)?;
        Ok(Store {
            folder: folder.to_path_buf(),
            file,
            writer: Writer::start(conn),
            readers: Mutex::new(Vec::new()),
            facts: FactsCache::default(),
        })
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a job in the writer's transaction and waits until it is on disk.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(job)
    }

    /// A connection that can only read, from a small pool.
    pub(crate) fn reader(&self) -> Result<Reader<'_>> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => engine::open_reader(&self.file)?,
        };
        Ok(Reader { conn: Some(conn), pool: &self.readers })
    }

    /// The facts that policy needs, as they are now.
    ///
    /// # Errors
    /// The engine's.
    pub fn facts(&self) -> Result<Arc<Facts>> {
        let reader = self.reader()?;
        self.facts_on(&reader)
    }

    /// The facts as a snapshot sees them: labels and rows must be of one moment.
    pub(crate) fn facts_on(&self, conn: &Connection) -> Result<Arc<Facts>> {
        self.facts.get(conn)
    }
}

/// A borrowed connection; goes back to the pool when dropped.
pub(crate) struct Reader<'s> {
    conn: Option<Connection>,
    pool: &'s Mutex<Vec<Connection>>,
}

impl Deref for Reader<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        match &self.conn {
            Some(conn) => conn,
            // Only `drop` takes it.
            None => unreachable!("a reader outlived its drop"),
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        // A reader that stopped in the middle of a snapshot must not keep it.
        if !conn.is_autocommit() && conn.execute_batch("ROLLBACK").is_err() {
            return;
        }
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < IDLE_READERS {
            pool.push(conn);
        }
    }
}

/// The data folder is nobody else's business.
#[cfg(unix)]
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
