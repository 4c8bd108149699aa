//! The one place that knows the database engines. Queries elsewhere are written once, with `?1`, `ON
//! CONFLICT` and `RETURNING`, which SQLite and PostgreSQL both understand; the few words in which they
//! differ have a name here.
//!
//! Answers are read to their end before the next question is asked, so that a connection never has two
//! at a time: what may be long is asked for in pages.

mod bulk;
pub(crate) mod dialect;
mod postgres;
mod sqlite;
mod value;

pub(crate) use bulk::{Bulk, Kind};
pub(crate) use postgres::unnest;
pub(crate) use value::{Column, Value, params};

use crate::Result;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Where a node's data is.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data folder: keys, spool, and the database where it is embedded.
    pub folder: PathBuf,
    /// `postgres://…`; `None`: the embedded database in the folder.
    pub database: Option<String>,
}

impl From<&Path> for Place {
    fn from(folder: &Path) -> Self {
        Place { folder: folder.to_path_buf(), database: None }
    }
}

impl From<&PathBuf> for Place {
    fn from(folder: &PathBuf) -> Self {
        folder.as_path().into()
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Makes the database where there is none.
    Create,
    /// Changes what is there.
    Write,
    /// Can't change anything.
    Read,
}

/// A connection to either engine.
pub(crate) enum Conn {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Link>),
}

/// A row of an answer.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a ::postgres::Row),
}

impl Row<'_> {
    /// The value in a column, counted from 0.
    pub(crate) fn get<T: Column>(&self, column: usize) -> Result<T> {
        T::read(self, column)
    }

    /// The value in a column, whatever it is.
    pub(crate) fn value(&self, column: usize, kind: Kind) -> Result<Value<'static>> {
        Ok(match kind {
            Kind::Int => self.get::<Option<i64>>(column)?.into(),
            Kind::Text => self.get::<Option<String>>(column)?.into(),
            Kind::Blob => self.get::<Option<Vec<u8>>>(column)?.into(),
        })
    }
}

/// Questions that take longer than this many microseconds are logged, without what they ask for.
static SLOW: AtomicU64 = AtomicU64::new(u64::MAX);

/// From now on a question to the database that takes longer is logged: its SQL, which never has values in it.
pub fn log_slower_than(time: Duration) {
    SLOW.store(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Runs something and logs it where it was slow.
fn timed<T>(sql: &str, work: impl FnOnce() -> T) -> T {
    #[cfg(test)]
    crate::plans::asked(sql);
    let started = Instant::now();
    let done = work();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if micros > SLOW.load(Ordering::Relaxed) {
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        tracing::warn!(micros, sql, "slow query");
    }
    done
}

/// Name of the embedded database in the data folder.
pub(crate) const FILE: &str = "manara.db";

impl Conn {
    pub(crate) fn open(place: &Place, purpose: Use) -> Result<Self> {
        match &place.database {
            Some(url) => Ok(Conn::Postgres(Box::new(postgres::Link::open(url, purpose)?))),
            None => Ok(Conn::Sqlite(sqlite::open(&place.folder.join(FILE), purpose)?)),
        }
    }

    /// Runs a statement; the number of rows that it changed.
    pub(crate) fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        #[cfg(test)]
        crate::plans::asked(sql);
        match self {
            Conn::Sqlite(conn) => sqlite::execute(conn, sql, params),
            Conn::Postgres(link) => link.execute(sql, params),
        }
    }

    /// All rows of an answer, read by `read`.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        let mut take = |row: &Row<'_>| {
            found.push(read(row)?);
            Ok(true)
        };
        timed(sql, || match self {
            Conn::Sqlite(conn) => sqlite::query(conn, sql, params, &mut take),
            Conn::Postgres(link) => link.query(sql, params, &mut take),
        })?;
        Ok(found)
    }

    /// The first row of an answer.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut found, mut read) = (None, Some(read));
        let mut take = |row: &Row<'_>| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(false)
        };
        timed(sql, || match self {
            Conn::Sqlite(conn) => sqlite::query(conn, sql, params, &mut take),
            Conn::Postgres(link) => link.query(sql, params, &mut take),
        })?;
        Ok(found)
    }

    /// The one row that a statement always answers with.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.first(sql, params, read)?.ok_or_else(|| crate::StoreError::damaged("an answer without a row"))
    }

    /// Does the question have an answer at all?
    pub(crate) fn exists(&self, sql: &str, params: &[Value<'_>]) -> Result<bool> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }

    /// Statements without parameters, one after another.
    pub(crate) fn script(&self, sql: &str) -> Result<()> {
        match self {
            Conn::Sqlite(conn) => Ok(conn.execute_batch(sql)?),
            Conn::Postgres(link) => link.script(sql),
        }
    }

    /// Begins a transaction that may write. The embedded engine lets one in at a time.
    pub(crate) fn begin_write(&self) -> Result<()> {
        self.script(match self {
            Conn::Sqlite(_) => "BEGIN IMMEDIATE",
            Conn::Postgres(_) => "BEGIN ISOLATION LEVEL READ COMMITTED",
        })
    }

    /// Begins a snapshot: all answers until its end belong to one moment.
    pub(crate) fn begin_snapshot(&self) -> Result<()> {
        self.script(match self {
            Conn::Sqlite(_) => "BEGIN",
            Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })
    }

    /// Is a transaction open?
    pub(crate) fn in_transaction(&self) -> bool {
        match self {
            Conn::Sqlite(conn) => !conn.is_autocommit(),
            Conn::Postgres(link) => link.in_transaction(),
        }
    }

    /// Can it be used at all?
    pub(crate) fn is_alive(&self) -> bool {
        match self {
            Conn::Sqlite(_) => true,
            Conn::Postgres(link) => link.is_alive(),
        }
    }

    /// Asks whether it can be used.
    pub(crate) fn answers(&self) -> bool {
        match self {
            Conn::Sqlite(_) => true,
            Conn::Postgres(link) => link.answers(),
        }
    }

    /// Gives memory back after heavy work: an idle node is a small one.
    pub(crate) fn shrink(&self) -> Result<()> {
        match self {
            Conn::Sqlite(conn) => Ok(conn.execute_batch("PRAGMA shrink_memory")?),
            Conn::Postgres(_) => Ok(()),
        }
    }

    /// Leaves the database in its best shape for the next start.
    pub(crate) fn settle(&self) {
        if let Conn::Sqlite(conn) = self {
            // No ANALYZE: counts taken while a table is small make the engine walk it when it is large.
            let _ = conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    /// Writes a consistent copy of the embedded database into a new file, whoever writes meanwhile.
    pub(crate) fn copy_file(&self, to: &Path) -> Result<()> {
        let text = to.to_str().ok_or_else(|| crate::StoreError::Invalid(format!("{} is no text", to.display())))?;
        self.execute("VACUUM INTO ?1", &params![text]).map(drop)
    }

    /// The engine's own check of its files; problems in words. PostgreSQL's is its operator's (`pg_amcheck`).
    pub(crate) fn integrity(&self) -> Result<Vec<String>> {
        match self {
            Conn::Sqlite(_) => {
                let lines: Vec<String> = self.all("PRAGMA integrity_check(20)", &[], |row| row.get(0))?;
                Ok(if lines == ["ok"] { Vec::new() } else { lines })
            }
            Conn::Postgres(_) => Ok(Vec::new()),
        }
    }

    /// A table's columns.
    pub(crate) fn columns(&self, table: &str) -> Result<Vec<(String, Kind)>> {
        let sql = match self {
            Conn::Sqlite(_) => "SELECT name, type FROM pragma_table_info(?1) ORDER BY name",
            Conn::Postgres(_) => {
                "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns
                 WHERE table_schema = current_schema() AND CAST(table_name AS TEXT) = ?1
                 ORDER BY CAST(column_name AS TEXT) COLLATE \"C\""
            }
        };
        self.all(sql, &params![table], |row| {
            let kind = match row.get::<String>(1)?.to_ascii_uppercase().as_str() {
                "INTEGER" | "BIGINT" => Kind::Int,
                "BLOB" | "BYTEA" => Kind::Blob,
                _ => Kind::Text,
            };
            Ok((row.get(0)?, kind))
        })
    }

    /// Words in the full-text index, of entries after one number and up to another.
    pub(crate) fn texts(&self, after: i64, last: i64) -> Result<Vec<(i64, String)>> {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<String>(1)?));
        match self {
            Conn::Sqlite(_) => {
                self.script(
                    "CREATE VIRTUAL TABLE IF NOT EXISTS temp.text_words USING fts5vocab(main, text_index, instance)",
                )?;
                let sql = "SELECT doc, group_concat(DISTINCT term) FROM temp.text_words WHERE doc > ?1 AND doc <= ?2 GROUP BY doc";
                self.all(sql, &params![after, last], read)
            }
            Conn::Postgres(_) => {
                let sql = "SELECT rowid, array_to_string(tsvector_to_array(body), ' ') FROM text_index WHERE rowid > ?1 AND rowid <= ?2";
                self.all(sql, &params![after, last], read)
            }
        }
    }

    /// Adds entries to the full-text index.
    pub(crate) fn add_texts(&self, texts: &[(i64, String)]) -> Result<()> {
        let sql = format!("INSERT INTO text_index (rowid, body) VALUES (?1, {})", self.words(2));
        for (id, text) in texts {
            self.execute(&sql, &params![*id, text])?;
        }
        Ok(())
    }

    /// Rows were added with their numbers: counting goes on after the last.
    pub(crate) fn count_on<'t>(&self, tables: impl Iterator<Item = &'t str>) -> Result<()> {
        if let Conn::Postgres(_) = self {
            for table in tables {
                let sql = format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)"
                );
                self.first(&sql, &[], |_| Ok(()))?;
            }
        }
        Ok(())
    }

    /// Number of the schema; 0: there is none.
    pub(crate) fn schema_version(&self) -> Result<i64> {
        match self {
            Conn::Sqlite(_) => self.one("PRAGMA user_version", &[], |row| row.get(0)),
            Conn::Postgres(_) => {
                if !self.exists(
                    "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_version'",
                    &[],
                )? {
                    return Ok(0);
                }
                self.one("SELECT coalesce(max(number), 0) FROM schema_version", &[], |row| row.get(0))
            }
        }
    }

    /// Runs a migration written for both engines and notes its number, in the open transaction.
    pub(crate) fn migrate(&self, number: i64, sql: &str) -> Result<()> {
        match self {
            Conn::Sqlite(_) => {
                self.script(&dialect::for_sqlite(sql))?;
                self.script(&format!("PRAGMA user_version = {number}"))
            }
            Conn::Postgres(_) => {
                self.script("CREATE TABLE IF NOT EXISTS schema_version (number BIGINT PRIMARY KEY)")?;
                self.script(&dialect::for_postgres(sql))?;
                self.execute("INSERT INTO schema_version (number) VALUES (?1)", &params![number]).map(drop)
            }
        }
    }
}
