//! Logs read, hits told. What comes in: an index, and names of files and folders. What goes out: hits in the
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
mod field;
mod follow;
mod host;
pub mod list;
mod machine;
mod print;
pub mod report;
mod run;
mod source;
mod state;
mod tally;
mod tell;

pub use allow::{Allow, AllowError, BUILT_IN};
pub use counter::{Counter, Seen};
pub use day::Days;
pub use details::{Details, details};
pub use host::Hosts;
pub use print::{Format, Hit, Printer, Show, Style, Top, summary, top};
pub use run::{Hunt, Start, Wants};
pub use source::{Item, Log, Packing, Stamp, Trouble, Walk, open};
pub use state::{Before, Journal, StateError, index_id, state};
pub use tally::{Beyond, Example, HostTally, IndicatorTally, Place, Share, Tally, Totals};
pub use tell::{Keep, Reached, Standing, Telling, Watch};
