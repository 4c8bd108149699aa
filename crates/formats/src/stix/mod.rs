//! STIX 2.1 (OASIS): bundles and JSON Lines in, bundles out. 2.0 is read, and kept as it came.

mod facts;
mod marking;
mod observables;
mod read;
mod write;

pub use facts::{StixFacts, stix_definition};
pub(crate) use read::{object, read};
pub(crate) use write::StixWriter;
