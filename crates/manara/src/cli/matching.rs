//! Arguments of `index` and `match`.

use super::Output;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct IndexArgs {
    #[command(subcommand)]
    pub(crate) command: IndexCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Make an index of lists: one value a line, of any type, defanged or not, with # before a remark
    Build {
        /// The index to make
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
        /// Lists; gzip and zstd too; - is standard input
        #[arg(required = true, value_name = "LIST")]
        lists: Vec<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// What an index holds
    Info {
        /// The index
        file: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// Read a whole index: is it as it was written?
    Verify {
        /// The index
        file: PathBuf,
    },
}

/// How hits are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HitFormat {
    /// file:line:column: type indicator, and how it is spelled
    Text,
    /// One JSON object a line
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// The index, made by `manara index build`
    #[arg(long, value_name = "FILE")]
    pub(crate) index: PathBuf,
    /// How hits are printed
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: HitFormat,
    /// Logs; gzip and zstd too; - is standard input
    #[arg(required = true, value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
}
