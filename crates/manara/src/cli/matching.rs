//! Arguments of `match`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

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
