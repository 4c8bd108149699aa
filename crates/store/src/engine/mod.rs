//! The one place that knows the database engines. Queries elsewhere are written once, with `?1`, `ON
//! CONFLICT` and `RETURNING`, which SQLite and PostgreSQL both understand; the few words in which they
//! differ have a name here.
//!
//! Answers are read to their end before the next question is asked, so that a connection never has two
//! at a time: what may be long is asked for in pages.

mod bulk;
pub(crate) mod dialect;
mod postgres;
mod slow;
mod sqlite;
mod upkeep;
mod value;

pub(crate) use bulk::{Bulk, Kind};
pub(crate) use postgres::unnest;
pub use slow::log_slower_than;
use slow::timed;
pub(crate) use value::{Column, Value, params};

use crate::Result;
use std::path::{Path, PathBuf};

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
        self.each(sql, params, |row| {
            found.push(read(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// Hands rows of an answer to `take` until it says that it has enough.
    pub(crate) fn each(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        timed(sql, || match self {
            Conn::Sqlite(conn) => sqlite::query(conn, sql, params, &mut take),
            Conn::Postgres(link) => link.query(sql, params, &mut take),
        })
    }

    /// The first row of an answer.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut found, mut read) = (None, Some(read));
        self.each(sql, params, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(false)
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
}
