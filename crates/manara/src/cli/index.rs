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
    /// Make an index of what `import` reads (lists, CSV, MISP, STIX, Zeek…), without a node; or of a node (--data, --audience).
    /// Exit 0: made; 1: not made; 3: not all could be read, and it was made of the others, if there were any
    Build(BuildArgs),
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

#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// The index to make
    #[arg(short, long, visible_alias = "output", value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Files or folders; gzip and zstd too; - is standard input
    #[arg(value_name = "FILE|DIR|-", required_unless_present = "audience")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Read as this format instead of finding out (see `manara formats`)
    #[arg(long = "from", visible_alias = "as", value_name = "FORMAT", conflicts_with = "audience")]
    pub(crate) format: Option<String>,
    /// What the node in --data holds and this audience is cleared for: public, self, or org:NAME
    #[arg(long, value_name = "AUDIENCE", conflicts_with = "inputs")]
    pub(crate) audience: Option<String>,
    /// Of a node: only what came in at or after this time (2026-11-24, or RFC 3339), or within e.g. 7d, 12h
    #[arg(long, value_name = "TIME", requires = "audience")]
    pub(crate) since: Option<String>,
    /// Of a node: only records with this tag
    #[arg(long, value_name = "TAG", requires = "audience")]
    pub(crate) tag: Option<String>,
    /// Of a node: also values on warning lists
    #[arg(long, requires = "audience")]
    pub(crate) warning_listed: bool,
    /// Also values that their authors don't flag for detection
    #[arg(long)]
    pub(crate) all: bool,
    /// Also what is looked for only where asked: filename, asn
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    pub(crate) with: Vec<String>,
    /// Only what this index does not hold: an index to be used beside it
    #[arg(long, value_name = "INDEX")]
    pub(crate) delta: Option<PathBuf>,
    /// The key of the hashes, 16 hexadecimal digits: the same inputs give the same file [default: drawn]
    #[arg(long, value_name = "HEX", value_parser = key)]
    pub(crate) key: Option<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

fn key(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text, 16).map_err(|_| "up to 16 hexadecimal digits".to_owned())
}
