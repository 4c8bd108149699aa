//! Arguments of `taxii`: the client of other servers.

use super::Output;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct TaxiiArgs {
    #[command(subcommand)]
    pub(crate) command: TaxiiCommand,
}

/// What the server knows us by. Secrets are no arguments: others on the machine could read them.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// The account there; its password is in --password-file, or in MANARA_TAXII_PASSWORD
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// File with the account's password
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// File with a key (bearer token), in place of an account; or it is in MANARA_TAXII_KEY
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    pub(crate) key_file: Option<PathBuf>,
    /// Certificates (PEM) of the authority that vouches for the server, if it is no public one
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

/// How what is polled is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PollFormat {
    /// One STIX bundle
    Bundle,
    /// An object a line
    Jsonl,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TaxiiCommand {
    /// What a server says of itself, and its API roots
    Discover {
        /// Address of the server, or of its discovery (it often ends in /taxii2/)
        url: String,
        #[command(flatten)]
        access: Access,
        #[command(flatten)]
        output: Output,
    },
    /// The collections of a server, or of one of its API roots
    Collections {
        /// Address of the server, its discovery, or an API root
        url: String,
        #[command(flatten)]
        access: Access,
        #[command(flatten)]
        output: Output,
    },
    /// Read a collection: onto the screen, or with --data into the node, and then only what is new
    Poll(Box<PollArgs>),
    /// The collections that this node reads, and how far
    Sources(Output),
    /// Read a collection no more, and forget how far it was read; records stay
    Forget {
        /// Its address
        url: String,
        /// Only for this organisation
        #[arg(long, value_name = "NAME")]
        org: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Put objects into a collection
    Push(PushArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PollArgs {
    /// Address of the collection: …/collections/ID/
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) access: Access,
    /// Only what was added there after this time (RFC 3339), in place of what is new
    #[arg(long, value_name = "TIME", conflicts_with = "from_start")]
    pub(crate) added_after: Option<String>,
    /// Everything from the start, in place of what is new
    #[arg(long)]
    pub(crate) from_start: bool,
    /// Only objects of these types, comma separated: indicator,malware
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Objects asked for in one page [default: 1000]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) limit: Option<u32>,
    /// All versions of each object, not only the newest
    #[arg(long)]
    pub(crate) all_versions: bool,
    /// Write to this file, - is standard output, in place of the node
    #[arg(short = 'o', long = "output", value_name = "FILE", conflicts_with_all = ["org", "every", "tlp", "distribution", "group"])]
    pub(crate) out: Option<PathBuf>,
    /// How it is written [default: bundle]
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["org", "every", "tlp", "distribution", "group"])]
    pub(crate) format: Option<PollFormat>,
    /// The organisation that will hold what comes [default: the node's]
    #[arg(long, value_name = "NAME")]
    pub(crate) org: Option<String>,
    /// Let the serving node do it from now on, this often: 15m, 1h, 1d
    #[arg(long, value_name = "TIME", conflicts_with_all = ["added_after", "from_start"])]
    pub(crate) every: Option<String>,
    #[command(flatten)]
    pub(crate) limits: super::Limit,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// Address of the collection: …/collections/ID/
    pub(crate) url: String,
    /// Bundles, envelopes or JSON Lines of STIX objects; - is standard input
    #[arg(value_name = "FILE|-", required_unless_present = "audience", conflicts_with = "audience")]
    pub(crate) files: Vec<PathBuf>,
    /// Push what the node has cleared for this audience: public, self, or org:NAME
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: Option<String>,
    /// Of that, only what came in at or after this time, or within e.g. 7d, 12h
    #[arg(long, value_name = "TIME", requires = "audience")]
    pub(crate) since: Option<String>,
    #[command(flatten)]
    pub(crate) access: Access,
    /// How long to wait for the server to say what became of it, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) wait: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}
