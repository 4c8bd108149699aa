//! What is done to a database as a whole: copies, checks, schemas, and what a transfer needs to know.

use super::{Conn, Kind, dialect, params};
use crate::{Result, StoreError};
use std::path::Path;

impl Conn {
    /// Writes a consistent copy of the embedded database into a new file, whoever writes meanwhile.
    pub(crate) fn copy_file(&self, to: &Path) -> Result<()> {
        let text = to.to_str().ok_or_else(|| StoreError::Invalid(format!("{} is no text", to.display())))?;
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

    /// To be called before a transaction that asks for [`Conn::texts`]: what is sorted for it goes to a
    /// file, not into memory.
    pub(crate) fn spill(&self) -> Result<()> {
        match self {
            Conn::Sqlite(_) => self.script("PRAGMA temp_store = file"),
            Conn::Postgres(_) => Ok(()),
        }
    }

    /// Words in the full-text index, of entries after one number and up to another. The embedded engine
    /// keeps them by word: they are sorted by entry once, at the first question.
    pub(crate) fn texts(&self, after: i64, last: i64) -> Result<Vec<(i64, String)>> {
        let sql = match self {
            Conn::Sqlite(_) => {
                if !self.exists("SELECT 1 FROM temp.sqlite_master WHERE name = 'text_words'", &[])? {
                    self.script(
                        "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, text_index, instance);
                         CREATE TABLE temp.text_words (doc INTEGER PRIMARY KEY, words TEXT NOT NULL);
                         INSERT INTO temp.text_words SELECT doc, group_concat(DISTINCT term) FROM temp.vocabulary GROUP BY doc",
                    )?;
                }
                "SELECT doc, words FROM temp.text_words WHERE doc > ?1 AND doc <= ?2"
            }
            Conn::Postgres(_) => {
                "SELECT rowid, array_to_string(tsvector_to_array(body), ' ') FROM text_index WHERE rowid > ?1 AND rowid <= ?2"
            }
        };
        self.all(sql, &params![after, last], |row| Ok((row.get(0)?, row.get(1)?)))
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
