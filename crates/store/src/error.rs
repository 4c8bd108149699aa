//! What may go wrong, in words that a person can act on.

use std::path::PathBuf;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no node in this folder.
    #[error("{0} holds no node; make one with `manara init --data {0} --org NAME --country CC --admin EMAIL`")]
    NoNode(PathBuf),
    /// There is one already.
    #[error("{0} holds a node already; choose another folder, or remove it first if it is not needed")]
    NodeExists(PathBuf),
    /// The store was written by a newer Manara.
    #[error("the store has schema {found}, and this Manara knows schemas up to {known}; use a newer Manara")]
    TooNew {
        /// In the file.
        found: i64,
        /// In this program.
        known: i64,
    },
    /// Something named does not exist, or is not for this audience: the two look the same.
    #[error("{what} '{name}' is not known here")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// As asked for.
        name: String,
    },
    /// Something by this name exists.
    #[error("{what} '{name}' exists already")]
    Exists {
        /// What kind of thing.
        what: &'static str,
        /// As given.
        name: String,
    },
    /// The input can't be taken.
    #[error("{0}")]
    Invalid(String),
    /// What the store holds does not read back: run `manara verify`.
    #[error("the store is damaged: {0}; run `manara verify`, and restore a backup if it says so")]
    Damaged(String),
    /// The database.
    #[error("the database says: {0}")]
    Database(String),
    /// No room. What was being written is not there; all that was acknowledged is.
    #[error("the disk is full: nothing of this was written; make room, and send it again")]
    Full,
    /// The disk does not do what it is told.
    #[error("the disk does not take it: {0}; nothing of this was written; see `manara doctor`")]
    Disk(String),
    /// Another process held the database for too long.
    #[error("the store is busy with another process; nothing of this was written; send it again")]
    Busy,
    /// The database server does not answer.
    #[error("the database server can't be reached: {0}")]
    Unreachable(String),
    /// Another process changed the same thing in the same moment.
    #[error("another process changed the same thing in this moment; nothing of this was written; send it again")]
    Conflict,
    /// The server went away in the moment of the commit.
    #[error("the database server went away in the moment of writing: look whether it is there before sending it again")]
    Unsure,
    /// A defect: a panic in a write. Nothing of that write is there.
    #[error("a write failed inside; nothing of it was written; the log says more")]
    Inside,
    /// The node's key is not there, or is none.
    #[error(
        "{path}: {source}; this is the node's key: without it what is sealed stays closed. Restore it from a backup"
    )]
    Key {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A backup that can't be used.
    #[error("the backup can't be used: {0}")]
    Backup(String),
    /// Another node serves this folder.
    #[error("{0} is served by another node already (process {1}); stop that one first, or choose another folder")]
    Served(PathBuf, String),
    /// The file system.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What.
        source: std::io::Error,
    },
    /// The writer has ended, because the node is shutting down or met an error that it could not survive.
    #[error("the store is closing; try again")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => StoreError::Full,
            Some(Code::SystemIoFailure | Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
                StoreError::Disk(error.to_string())
            }
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => StoreError::Busy,
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => StoreError::Damaged(error.to_string()),
            _ => StoreError::Database(error.to_string()),
        }
    }
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        use postgres::error::SqlState as State;
        let text = match error.as_db_error() {
            Some(says) => format!("{} ({})", says.message(), says.code().code()),
            None => std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
        };
        match error.code() {
            Some(&State::DISK_FULL) => StoreError::Full,
            Some(&State::IO_ERROR) => StoreError::Disk(text),
            // A row that must be unique was added in between: seen the next time.
            Some(&State::T_R_SERIALIZATION_FAILURE | &State::T_R_DEADLOCK_DETECTED | &State::UNIQUE_VIOLATION) => {
                StoreError::Conflict
            }
            Some(state)
                if state.code().starts_with("57P") || state.code().starts_with("08") || state.code() == "53300" =>
            {
                StoreError::Unreachable(text)
            }
            Some(_) => StoreError::Database(text),
            None => StoreError::Unreachable(text),
        }
    }
}

impl StoreError {
    /// May the same thing work a moment later, without anyone doing anything?
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, StoreError::Conflict | StoreError::Unreachable(_))
    }

    /// Is it the machine's doing, or the server's, whatever was asked?
    pub(crate) fn is_environment(&self) -> bool {
        use StoreError::{Busy, Closed, Disk, Full, Io, Unreachable};
        matches!(self, Full | Disk(_) | Busy | Unreachable(_) | Closed | Io { .. })
    }

    /// The error of a transaction, for each of the jobs that shared it.
    pub(crate) fn for_each(&self) -> Self {
        match self {
            StoreError::Full => StoreError::Full,
            StoreError::Busy => StoreError::Busy,
            StoreError::Disk(text) => StoreError::Disk(text.clone()),
            other => StoreError::Database(other.to_string()),
        }
    }

    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        StoreError::Damaged(what.to_string())
    }
}
