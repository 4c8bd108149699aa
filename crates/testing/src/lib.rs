//! Where tests keep their nodes. Every test of the store, the corridor and the doors runs over both
//! engines: with `MANARA_TEST_POSTGRES=postgres://…` in the environment each node gets a new database
//! on that server, without it the embedded one. `make engines` starts a throw-away server for it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_store::Place;
use tempfile::TempDir;

/// Name of the variable that names the server.
pub const SERVER: &str = "MANARA_TEST_POSTGRES";

/// A folder that goes away with the test, in memory where the machine has such a place.
///
/// # Panics
/// Where there is no room for it.
#[must_use]
pub fn folder() -> TempDir {
    let shared_memory = std::path::Path::new("/dev/shm");
    if shared_memory.is_dir() { tempfile::tempdir_in(shared_memory) } else { tempfile::tempdir() }.unwrap()
}

/// A place for a new node in this folder, on the engine that is being tested.
///
/// # Panics
/// Where the server does not make the database.
#[must_use]
pub fn place(folder: &TempDir) -> Place {
    let server = std::env::var(SERVER).ok().filter(|server| !server.is_empty());
    Place { folder: folder.path().join("node"), database: server.map(|server| database(&server)) }
}

/// Is the embedded engine being tested?
#[must_use]
pub fn embedded() -> bool {
    std::env::var(SERVER).map_or(true, |server| server.is_empty())
}

/// A new, empty database on the server, by its address.
///
/// # Panics
/// Where the server does not make it.
#[must_use]
pub fn database(server: &str) -> String {
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let mut client = postgres::Client::connect(server, postgres::NoTls).unwrap();
    // Copying the template holds a lock on it: tests that start together take turns.
    client.batch_execute("SELECT pg_advisory_lock(1)").unwrap();
    client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    client.batch_execute("SELECT pg_advisory_unlock(1)").unwrap();
    let (address, options) = server.split_once('?').unwrap_or((server, ""));
    let base = address.rsplit_once('/').map_or(address, |(base, _)| base);
    format!("{base}/{name}?{options}")
}

/// Changes a node's database behind its back.
///
/// # Panics
/// Where the database refuses.
pub fn tamper(place: &Place, sql: &str) {
    match &place.database {
        Some(url) => postgres::Client::connect(url, postgres::NoTls).unwrap().batch_execute(sql).unwrap(),
        None => {
            rusqlite::Connection::open(place.folder.join("manara.db")).unwrap().execute_batch(sql).unwrap();
        }
    }
}

/// A small generator (SplitMix64): random, and the same again for the same seed.
pub struct Dice(pub u64);

impl Dice {
    /// Seeded by the clock; the seed is printed, so that a failure can be had again.
    #[must_use]
    pub fn of_now() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let seed = u64::try_from(now.as_nanos() & u128::from(u64::MAX)).unwrap();
        println!("seed {seed}");
        Dice(seed)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides.max(1) as u64) as usize
    }

    /// At most `most` of these.
    pub fn some<T: Copy>(&mut self, all: &[T], most: usize) -> Vec<T> {
        (0..self.roll(most + 1)).map(|_| all[self.roll(all.len())]).collect()
    }
}
