//! Indicators against logs. [`Builder`] writes one file out of millions of indicators, [`Index`] maps it,
//! [`Scanner`] finds every spelling of them in bytes. Usable alone: no store, no types of other crates.
//!
//! What never happens here: a hit whose text was not compared with the indicator; undefined behaviour or
//! a panic through a broken file; an allocation for each line.
//!
//! ```
//! use manara_matching::{Builder, Index, Kind, Scanner};
//! let mut builder = Builder::new();
//! builder.add(Kind::Domain, "evil.example").unwrap();
//! let index = Index::from_bytes(builder.finish()).unwrap();
//! let log = b"one\nGET hxxp://www.EVIL[.]example/login\n";
//! let mut hits = Vec::new();
//! Scanner::new(&index).scan(log, |hit| hits.push(hit));
//! assert_eq!((hits.len(), hits[0].line, hits[0].column, hits[0].indicator), (1, 2, 12, 0));
//! assert_eq!(&log[hits[0].start..hits[0].end], b"www.EVIL[.]example");
//! ```

mod address;
mod build;
mod bytes;
mod details;
mod entry;
mod error;
mod file;
mod hash;
mod index;
mod kind;
mod known;
mod map;
mod scan;
mod table;
mod urls;
mod value;

pub use build::Builder;
pub use details::{Details, Record, RecordId, SOURCES, Source, SourceId, Tags};
pub use error::{OpenError, Refused};
pub use index::Index;
pub use kind::Kind;
pub use scan::{Code, Hit, Next, Scanner, Scratch};
pub use value::guess;
