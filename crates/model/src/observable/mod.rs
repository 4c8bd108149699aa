//! Typed values that can be seen, each with one normal form. Everything that would say "if it is a
//! domain…" reads the type table instead (`data/observables.tsv`, one row a type).
//!
//! Comes in: spellings, defanged or not. Goes out: [`Observable`], made only by [`normalise`].

mod extract;
mod guess;
mod listed;
mod lookalike;
mod misp;
mod normal;
mod refang;
mod table;
mod value;

pub use extract::{Extracted, extract};
pub use guess::{guess, guess_listed};
pub use listed::{is_local, listed, split_remark};
pub use lookalike::lookalike;
pub use misp::{MispType, from_misp, misp_type, misp_types, misp_value};
pub use normal::{NormaliseError, normalise};
pub use refang::refang;
pub use table::{Export, Kind, Privacy, Type, TypeRow};
pub use value::{Observable, Reach};
