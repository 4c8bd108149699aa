//! Many rows into one table: a prepared statement a row where the engine is in the process, arrays
//! where it is across a wire.

use super::{Conn, Value};
use crate::Result;

/// Rows of one statement across a wire.
const SLAB: usize = 16_384;

/// Kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Blob,
}

/// A table's columns to be filled.
pub(crate) struct Bulk<'b> {
    pub(crate) table: &'b str,
    pub(crate) columns: &'b [(&'b str, Kind)],
}

impl Bulk<'_> {
    /// Adds the rows; how many were new. Those that are there already stay as they are.
    pub(crate) fn add<'a, R>(&self, conn: &Conn, rows: impl Iterator<Item = R>) -> Result<u64>
    where
        R: AsRef<[Value<'a>]> + IntoIterator<Item = Value<'a>>,
    {
        self.put(conn, rows, "DO NOTHING")
    }

    /// Adds the rows, none of them twice; what becomes of those that are there says `conflict`.
    pub(crate) fn put<'a, R>(&self, conn: &Conn, rows: impl Iterator<Item = R>, conflict: &str) -> Result<u64>
    where
        R: AsRef<[Value<'a>]> + IntoIterator<Item = Value<'a>>,
    {
        let names = self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let (table, mut added) = (self.table, 0);
        match conn {
            Conn::Sqlite(_) => {
                let marks: Vec<String> = (1..=self.columns.len()).map(|n| format!("?{n}")).collect();
                let sql = format!("INSERT INTO {table} ({names}) VALUES ({}) ON CONFLICT {conflict}", marks.join(", "));
                for row in rows {
                    added += conn.execute(&sql, row.as_ref())?;
                }
            }
            Conn::Postgres(link) => {
                let kinds: Vec<Kind> = self.columns.iter().map(|(_, kind)| *kind).collect();
                let sql = format!(
                    "INSERT INTO {table} ({names}) SELECT * FROM {} ON CONFLICT {conflict}",
                    super::postgres::unnest(&kinds)
                );
                let mut rows = rows.peekable();
                while rows.peek().is_some() {
                    added += link.execute_arrays(&sql, kinds.len(), rows.by_ref().take(SLAB))?;
                }
            }
        }
        Ok(added)
    }
}
