//! Logs read, hits told. What comes in: an index, and names of files and folders. What goes out: hits in the
//! order of files and lines, and a [`Tally`] of them.
//!
//! What never happens here: a hit that depends on how many threads there are; memory that grows with the logs;
//! a broken log that keeps the next one from being read.

mod counter;
mod details;
pub mod report;
mod tally;

pub use counter::{Counter, Seen};
pub use details::{Details, details};
pub use tally::{Beyond, Example, HostTally, IndicatorTally, Place, Share, Tally, Totals};
