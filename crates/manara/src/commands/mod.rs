//! One file a command (or a few that belong together): arguments in, the corridor, answer out.

pub(crate) mod collection;
pub(crate) mod doctor;
mod earlier;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod index;
pub(crate) mod init;
mod interrupt;
pub(crate) mod keep;
pub(crate) mod matching;
pub(crate) mod pattern;
pub(crate) mod people;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod sightings;
pub(crate) mod taxii;

/// The actor in the audit log for what is done at the command line.
pub(crate) const ACTOR: &str = "cli";
