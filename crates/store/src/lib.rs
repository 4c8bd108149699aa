//! Where Manara keeps what it was given: records as they came, one observable index, the people
//! of the node, and an audit log whose every row covers the one before.
//!
//! Comes in: drafts from readers ([`intake`]). Goes out: what an audience is cleared for, and
//! nothing else ([`view`]). Never happens here: formats, HTTP, deciding who may see what.

mod amend;
pub mod audit;
pub mod backup;
mod chunk;
pub mod collections;
mod crowded;
mod engine;
pub mod entries;
mod error;
mod event;
mod facts;
pub mod feeds;
pub mod health;
mod index;
pub mod intake;
pub mod jobs;
mod lease;
pub mod node;
mod numbers;
pub mod people;
#[cfg(test)]
mod plans;
mod schema;
mod seal;
mod secret;
pub mod sightings;
mod store;
mod transfer;
mod tx;
pub mod verify;
pub mod view;
mod words;
mod writer;

pub use amend::{Amended, Amendment, Change};
pub use engine::{Place, log_slower_than};
pub use error::StoreError;
pub use facts::Facts;
pub use lease::Serving;
pub use seal::KEY_FILE;
pub use store::Store;
pub use transfer::Moved;

/// Result of anything that touches the store.
pub type Result<T> = std::result::Result<T, StoreError>;
