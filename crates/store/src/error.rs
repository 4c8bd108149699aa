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
    Database(#[from] rusqlite::Error),
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

impl StoreError {
    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        StoreError::Damaged(what.to_string())
    }
}
