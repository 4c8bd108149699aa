//! The one way through the house. Every door (command line, API, pages) comes in by [`import`] and
//! goes out by [`export`]; there is no second path.
//!
//! Comes in: inputs, questions, audiences. Goes out: reports, and bytes that policy has cleared.
//! Never happens here: HTTP, arguments, deciding who may see what.

mod error;
mod export;
mod galaxies;
mod import;
mod index;
mod search;
mod stix;
mod warnings;

pub use error::Error;
pub use export::{ExportReport, Selection, audience, export};
pub use galaxies::{CLUSTERS, ClusterName, GALAXY, Galaxies, Known};
pub use import::{Imported, files, import};
pub use index::{IndexReport, IndexTerms, Indicators};
pub use search::{Answer, RecordLine, answer, ask, values_of};
pub use stix::stix_objects;
pub use warnings::WarningCache;

/// Result of anything in the corridor.
pub type Result<T> = std::result::Result<T, Error>;
