//! Logs read, hits told. What comes in: one index or several, and names of files and folders. What goes out: hits in the
//! order of files and lines, and a [`Tally`] of them.
//!
//! [`Walk`] finds logs, [`Hunt`] searches them with many threads, [`Telling`] takes what is found in order, has it
//! written by a [`Printer`] and counted by a [`Counter`].
//!
//! What never happens here: a hit that depends on how many threads there are; memory that grows with the logs;
//! a broken log that keeps the next one from being read.

mod allow;
mod counter;
mod day;
mod details;
mod direction;
mod field;
mod follow;
mod host;
mod indexes;
pub mod list;
mod machine;
mod print;
pub mod report;
mod run;
mod sightings;
mod source;
mod state;
mod tally;
mod tell;

pub use allow::{Allow, AllowError, BUILT_IN};
pub use counter::{Counter, Seen};
pub use day::Days;
pub use details::Details;
pub use host::Hosts;
pub use indexes::{Indexes, Indicator};
pub use print::{Format, Hit, Printer, Show, Style, Top, summary, top};
pub use run::{Hunt, Start, Wants};
pub use sightings::{HostKey, SecretError, Sighting, Sightings, Terms, Untold};
pub use source::{Item, Log, Packing, Stamp, Trouble, Walk, open};
pub use state::{Before, Journal, StateError, index_ids, state};
pub use tally::{Beyond, Example, HostTally, IndicatorTally, Place, Share, Tally, Totals};
pub use tell::{Keep, Reached, Standing, Telling, Watch};
