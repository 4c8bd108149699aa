//! The embedded engine.

use super::{Row, Use, Value};
use crate::Result;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use std::path::Path;
use std::time::Duration;

/// Page cache of a writer and of each reader, in KiB. What readers keep between requests stays under 16 MB together:
/// the system's own cache holds the pages too.
const WRITER_CACHE_KIB: i64 = 32 * 1024;
const READER_CACHE_KIB: i64 = 2 * 1024;

pub(super) fn open(path: &Path, purpose: Use) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if purpose == Use::Create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_secs(60))?;
    conn.set_prepared_statement_cache_capacity(128);
    // A statement is planned once, not anew for each value that is bound: that was most of the time of small questions,
    // and one plan is what `plans.rs` has read.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if purpose == Use::Read {
        // No query of a door can change anything.
        conn.pragma_update(None, "query_only", true)?;
        conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        return Ok(conn);
    }
    conn.pragma_update(None, "page_size", 8192)?;
    conn.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // FULL: what was acknowledged is on the disk, not only in the system's cache.
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.pragma_update(None, "wal_autocheckpoint", 16_000)?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(conn)
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::List(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("a list is given as JSON here".into()));
            }
        }))
    }
}

pub(super) fn execute(conn: &Connection, sql: &str, params: &[Value<'_>]) -> Result<u64> {
    let mut statement = conn.prepare_cached(sql)?;
    Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
}

/// Hands rows to `take` until it says that it has enough.
pub(super) fn query(
    conn: &Connection,
    sql: &str,
    params: &[Value<'_>],
    take: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
) -> Result<()> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    while let Some(row) = rows.next()? {
        if !take(&Row::Sqlite(row))? {
            break;
        }
    }
    Ok(())
}
