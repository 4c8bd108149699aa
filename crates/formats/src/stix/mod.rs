//! STIX 2.1 (OASIS): bundles and JSON Lines in, bundles out. 2.0 is read, and kept as it came.

mod around;
mod back;
mod bundle;
mod events;
mod facts;
mod graph;
mod identifiers;
mod marking;
mod observables;
mod others;
mod pattern;
mod read;
mod say;
mod seal;
mod table;
mod whole;
mod write;

pub use events::events_of_bundle;
pub use facts::{StixDefinitions, StixFacts, StixName, stix_definition};
pub(crate) use read::{Markings, object, read};
pub(crate) use write::{Out, Sieve, StixWriter};
