//! Arguments of `index`.

use super::Output;
use clap::{Args, Subcommand};
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
