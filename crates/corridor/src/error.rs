//! What may go wrong on the way.

use manara_formats::{InputError, ReadError};
use manara_store::StoreError;

/// An error on the way through.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input can't be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing out.
    #[error("can't write: {0}")]
    Write(#[from] std::io::Error),
    /// Something was asked for that makes no sense; says what would.
    #[error("{0}")]
    Asked(String),
}

impl From<ReadError<StoreError>> for Error {
    fn from(error: ReadError<StoreError>) -> Self {
        match error {
            ReadError::Input(error) => Error::Input(error),
            ReadError::Sink(error) => Error::Store(error),
        }
    }
}
