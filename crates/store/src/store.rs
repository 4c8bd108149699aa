//! The store's handle: a writer, a few readers, and the facts that policy needs.

use crate::engine::{Conn, FILE, Place, Use};
use crate::facts::{Facts, FactsCache};
use crate::seal::Seal;
use crate::tx::Tx;
use crate::writer::Writer;
use crate::{Result, StoreError, node, schema};
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Readers kept open between requests: embedded they hold memory, on a server they are slow to open. Opening one and
/// preparing its statements anew costs more than most questions that are asked of it.
const IDLE_READERS: usize = 8;
const IDLE_READERS_SERVER: usize = 16;
/// A connection that was used so lately is taken to be alive.
const UNASKED: Duration = Duration::from_secs(1);

/// A node's store. Cheap to share behind an [`Arc`].
pub struct Store {
    place: Place,
    writer: Writer,
    readers: Mutex<Vec<(Instant, Conn)>>,
    facts: FactsCache,
    pub(crate) seal: Seal,
    pub(crate) bell: Bell,
}

/// Rung when there is something to do beside the requests.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.heard.notify_all();
    }

    /// Waits until it rings, or for so long. `since`: how often it had rung when one looked last.
    pub(crate) fn wait(&self, since: u64, time: Duration) -> u64 {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rung, time, |rung| *rung == since);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Store {
    /// Opens the store at a place; a crash's leftovers are invisible already and are cleared away later.
    ///
    /// # Errors
    /// [`StoreError::NoNode`] where `manara init` has not been; the engine's errors.
    pub fn open(place: impl Into<Place>) -> Result<Self> {
        let place = place.into();
        if place.database.is_none() && !place.folder.join(FILE).is_file() {
            return Err(StoreError::NoNode(place.folder));
        }
        let conn = Conn::open(&place, Use::Write)?;
        if conn.schema_version()? == 0 {
            return Err(StoreError::NoNode(place.folder));
        }
        Self::start(place, conn)
    }

    /// Makes an empty store.
    ///
    /// # Errors
    /// [`StoreError::NodeExists`], or what the file system says.
    pub fn create(place: impl Into<Place>) -> Result<Self> {
        let place = place.into();
        let io = |source| StoreError::Io { path: place.folder.clone(), source };
        std::fs::create_dir_all(&place.folder).map_err(io)?;
        private(&place.folder).map_err(io)?;
        // Killed before it had an identity, a node is none: it is made from where that was.
        if !node::is_unfinished(&place)? {
            schema::create(&place, schema::KNOWN)?;
        }
        node::write_key(&place.folder)?;
        let conn = Conn::open(&place, Use::Write)?;
        Self::start(place, conn)
    }

    fn start(place: Place, conn: Conn) -> Result<Self> {
        schema::migrate(&conn, &place)?;
        let seal = Seal::read(&place.folder)?;
        let writer = Writer::start(conn, &place);
        let facts = FactsCache::new(seal.clone());
        let store = Store { place, writer, readers: Mutex::default(), facts, seal, bell: Bell::default() };
        store.seal_old()?;
        store.list_old_events()?;
        Ok(store)
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// Where the data is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Runs a job in a transaction and waits until it is on disk. It may be run more than once before
    /// one run counts: it changes nothing but what it writes.
    pub(crate) fn write<T: Send + 'static>(&self, job: impl Fn(&Tx<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        self.writer.write(false, job)
    }

    /// The same for a job that touches much: it begins a transaction of its own.
    pub(crate) fn write_large<T: Send + 'static>(
        &self,
        job: impl Fn(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(true, job)
    }

    /// Writes that wait, and why the last one failed where that was the disk's doing.
    pub(crate) fn writes(&self) -> (u64, Option<String>) {
        self.writer.state()
    }

    /// A connection that can only read, from a small pool.
    pub(crate) fn reader(&self) -> Result<Reader<'_>> {
        let conn = loop {
            let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                None => break Conn::open(&self.place, Use::Read)?,
                // A server may have been started again since: the connection does not know before it is used.
                Some((since, conn)) if since.elapsed() < UNASKED || conn.answers() => break conn,
                Some(_) => {}
            }
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
    pub(crate) fn facts_on(&self, conn: &Conn) -> Result<Arc<Facts>> {
        self.facts.get(conn)
    }
}

/// A borrowed connection; goes back to the pool when dropped.
pub(crate) struct Reader<'s> {
    conn: Option<Conn>,
    pool: &'s Mutex<Vec<(Instant, Conn)>>,
}

impl Deref for Reader<'_> {
    type Target = Conn;
    fn deref(&self) -> &Conn {
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
        if conn.in_transaction() && conn.script("ROLLBACK").is_err() || !conn.is_alive() {
            return;
        }
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if matches!(conn, Conn::Postgres(_)) { IDLE_READERS_SERVER } else { IDLE_READERS };
        if pool.len() < most {
            pool.push((Instant::now(), conn));
        }
    }
}

/// The data folder is nobody else's business.
#[cfg(unix)]
pub(crate) fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
pub(crate) fn private(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
