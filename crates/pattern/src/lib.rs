//! STIX 2.1 patterns (OASIS Standard, §9): text in, a tree or a located error out; observations in,
//! whether they match out. Usable alone: no I/O, no store, no types of other crates.
//!
//! - [`parse`] reads a pattern, strictly or as other tools write it ([`Mode`]);
//! - [`Pattern`] is the tree; its `Display` is the canonical text, [`explain`] puts it in words and
//!   [`Pattern::atoms`] lists the values it asks for by equality;
//! - [`Batch`] reads observed-data with its cyber-observables;
//! - [`matches()`] puts one pattern to observations, [`Watch`] thousands of patterns to a stream of them.
//!
//! What never happens here: unbounded work or memory for hostile text, data or patterns. Each limit is
//! a constant with a reason beside it.
//!
//! ```
//! use manara_pattern::{Batch, Mode, matches, parse};
//! let pattern = parse("[domain-name:value = 'evil.example']", Mode::Strict).unwrap();
//! let bundle = r#"{"type":"bundle","objects":[
//!   {"type":"domain-name","id":"domain-name--1","value":"evil.example"},
//!   {"type":"observed-data","id":"observed-data--1","object_refs":["domain-name--1"],"number_observed":1,
//!    "first_observed":"2026-01-01T00:00:00Z","last_observed":"2026-01-01T00:00:00Z"}]}"#;
//! let batch = Batch::read(bundle, Mode::Strict).unwrap();
//! assert!(matches(&pattern, &batch).matched());
//! ```

mod ast;
mod atoms;
mod bind;
mod compare;
mod error;
mod explain;
mod json;
mod lenient;
mod lexer;
mod like;
mod matcher;
mod network;
mod observed;
mod parser;
mod print;
mod regexes;
mod select;
mod span;
mod stage;
mod warn;
mod watch;

pub use ast::{Comparison, Constant, Observing, Op, Path, Pattern, Qualifier, Relation, Step, Test};
pub use atoms::Atom;
pub use bind::WORK;
pub use error::Error;
pub use explain::{Explanation, explain};
pub use json::Json;
pub use lenient::{Leniency, Mode, Note};
pub use matcher::{Answer, Outcome, matches};
pub use network::Network;
pub use observed::{Batch, DataError, Object, Observation};
pub use parser::{MAX_DEPTH, MAX_LENGTH, parse};
pub use regexes::Expression;
pub use span::Span;
pub use warn::Warning;
pub use watch::{Counts, Hit, Watch, WatchReport};
