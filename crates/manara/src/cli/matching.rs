//! Arguments of `match`.

use super::report::ReportArgs;
use super::sightings::SightingArgs;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How hits are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HitFormat {
    /// file:line:column: type indicator, how it is spelled, and what sources say of it
    Text,
    /// One JSON object a line
    Jsonl,
    /// A table for spreadsheets, with a header
    Csv,
    /// No hits: what was read, and what was found most
    Summary,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// The index, made by `manara index build`; may be given several times: a day's delta beside the base, or a list of
    /// each partner. What two hold is told once, as the first one's
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) index: Vec<PathBuf>,
    /// How hits are printed
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: HitFormat,
    /// Threads that search [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Lines before and after each hit; 0: the line of the hit
    #[arg(long, short = 'C', value_name = "N", value_parser = clap::value_parser!(u16).range(0..=100))]
    pub(crate) context: Option<u16>,
    /// Print how many hits each log has, not the hits
    #[arg(long, short = 'c', conflicts_with_all = ["context", "top"])]
    pub(crate) count: bool,
    /// Print the indicators with most hits and the own hosts on their lines, not the hits [N: 10]
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "10", conflicts_with = "context", value_parser = top)]
    pub(crate) top: Option<usize>,
    /// Values that are not told: lists as for `index build`, MISP warning lists, folders of them; `builtin`: what
    /// everybody meets, from MISP's lists
    #[arg(long, value_name = "LIST")]
    pub(crate) allow: Vec<PathBuf>,
    /// Own networks, beside the private ones, for hosts in --top and summaries
    #[arg(long, value_name = "CIDR")]
    pub(crate) internal: Vec<String>,
    /// Go on reading what is added to logs, as `tail -F` does, until Ctrl-C
    #[arg(long, short = 'f', conflicts_with_all = ["count"])]
    pub(crate) follow: bool,
    /// Keep in this file how far logs were searched, apart for each index; the next time only what is new is searched
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Write here [default: standard output]; with --state hits are added to what is there
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) sightings: SightingArgs,
    /// Logs, and folders of them; gzip, zstd, xz and bzip2 too; - is standard input
    #[arg(required = true, value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
}

fn top(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|most| *most > 0).ok_or_else(|| "a number from 1 on".to_owned())
}
