//! Migrations: forward only, numbered, each in a transaction of its own, with a copy kept of what was
//! there before.

use crate::engine::{Conn, FILE, Place, Use};
use crate::{Result, StoreError, transfer};

const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_lists_and_leases.sql"),
    include_str!("../migrations/0003_events.sql"),
    include_str!("../migrations/0004_jobs_and_feeds.sql"),
    include_str!("../migrations/0005_collections.sql"),
];

/// The newest schema that this program knows.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Two processes that find an old schema at the same time migrate it once.
const MIGRATING: i64 = 0x6d61_6e61_7261_0001;

/// Brings a store to the newest schema; a copy of an older one is kept in the data folder as
/// `manara.schema-N.db`.
pub(crate) fn migrate(conn: &Conn, place: &Place) -> Result<()> {
    let found = conn.schema_version()?;
    if found > KNOWN {
        return Err(StoreError::TooNew { found, known: KNOWN });
    }
    if found > 0 && found < KNOWN {
        keep(conn, place, found)?;
    }
    up_to(conn, KNOWN)
}

/// Makes an empty database with this schema where there is none.
pub(crate) fn create(place: &Place, version: i64) -> Result<Conn> {
    if place.database.is_none() && place.folder.join(FILE).exists() {
        return Err(StoreError::NodeExists(place.folder.clone()));
    }
    let conn = Conn::open(place, Use::Create)?;
    if conn.schema_version()? != 0 {
        return Err(StoreError::NodeExists(place.folder.clone()));
    }
    up_to(&conn, version)?;
    Ok(conn)
}

fn up_to(conn: &Conn, version: i64) -> Result<()> {
    for (number, sql) in (1..=version).zip(MIGRATIONS) {
        if conn.schema_version()? >= number {
            continue;
        }
        conn.begin_write()?;
        let done = (|| {
            conn.hold(MIGRATING)?;
            // Another process may have been faster.
            if conn.schema_version()? < number { conn.migrate(number, sql) } else { Ok(()) }
        })();
        conn.script(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done?;
    }
    Ok(())
}

/// Keeps a copy of the store as it was before it is migrated.
fn keep(conn: &Conn, place: &Place, found: i64) -> Result<()> {
    let kept = place.folder.join(format!("manara.schema-{found}.db"));
    if kept.exists() {
        return Ok(());
    }
    let io = |source| StoreError::Io { path: kept.clone(), source };
    // Whole, or not there at all.
    let part = place.folder.join("migrating");
    let _ = std::fs::remove_dir_all(&part);
    std::fs::create_dir_all(&part).map_err(io)?;
    match conn {
        Conn::Sqlite(_) => conn.copy_file(&part.join(FILE))?,
        Conn::Postgres(_) => transfer::copy_as_file(conn, &Place { folder: part.clone(), database: None })?,
    }
    std::fs::rename(part.join(FILE), &kept).map_err(io)?;
    tracing::warn!(schema = found, copy = %kept.display(), "an older store was found: it is migrated, and this copy of it kept");
    std::fs::remove_dir_all(&part).map_err(io)
}
