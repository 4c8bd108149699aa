//! Where Manara keeps what it was given: records as they came, one observable index, the people
//! of the node, and an audit log whose every row covers the one before.
//!
//! Comes in: drafts from readers ([`intake`]). Goes out: what an audience is cleared for, and
//! nothing else ([`view`]). Never happens here: formats, HTTP, deciding who may see what.

pub mod audit;
mod chunk;
mod engine;
mod error;
mod facts;
mod index;
pub mod intake;
pub mod node;
pub mod people;
mod schema;
mod secret;
pub mod sightings;
mod store;
pub mod verify;
pub mod view;
mod writer;

pub use error::StoreError;
pub use facts::Facts;
pub use store::Store;

/// Result of anything that touches the store.
pub type Result<T> = std::result::Result<T, StoreError>;
