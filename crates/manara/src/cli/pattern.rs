//! Arguments of `manara pattern`.

use super::Output;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct PatternArgs {
    #[command(subcommand)]
    pub(crate) command: PatternCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PatternCommand {
    /// Is it a pattern? Exit 0: it is; 1: it is not, with the place and how to mend it
    Check(CheckArgs),
    /// What it looks for, in words, and by which values it can be found
    Explain(ExplainArgs),
    /// Does it match what was observed? Exit 0: it does; 1: it does not; 2: that can't be said
    Match(MatchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The pattern, such as "[domain-name:value = 'evil.example']"; - reads it from standard input
    #[arg(value_name = "PATTERN")]
    pub(crate) pattern: String,
    /// Take what other tools write although the standard does not have it, and say where
    #[arg(long)]
    pub(crate) tolerant: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The pattern; - reads it from standard input
    #[arg(value_name = "PATTERN")]
    pub(crate) pattern: String,
    /// Take what other tools write although the standard does not have it
    #[arg(long)]
    pub(crate) tolerant: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct MatchArgs {
    /// The pattern
    #[arg(long, value_name = "PATTERN", required_unless_present = "patterns", conflicts_with = "patterns")]
    pub(crate) pattern: Option<String>,
    /// Many patterns, one a line, or JSON Lines with `id` and `pattern` (indicators too); each match is told
    #[arg(long, value_name = "FILE")]
    pub(crate) patterns: Option<PathBuf>,
    /// Observations: a STIX bundle (observed-data with its objects), a list of bundles, or JSON Lines of
    /// either; gzip and zstd too; - is standard input
    #[arg(id = "data", long = "data", value_name = "FILE", required = true)]
    pub(crate) data: PathBuf,
    /// Take what other tools write (numbers in quotes, lists without a star…), and say where
    #[arg(long)]
    pub(crate) tolerant: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}
