//! Arguments of `collection`.

use super::Output;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct CollectionArgs {
    #[command(subcommand)]
    pub(crate) command: CollectionCommand,
}

/// What a collection holds.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CollectionKind {
    /// The node's records that a query finds, as STIX
    Search,
    /// What others put into it
    Box,
}

/// What may be said of a collection, new or not.
#[derive(Debug, Args)]
pub(crate) struct Described {
    /// What a search finds, for example 'kind:event tlp:green type:ipv4,domain' [default: everything]
    #[arg(long, value_name = "QUERY")]
    pub(crate) query: Option<String>,
    /// Who may read: organisations, all, or none [default: the node's own organisation]
    #[arg(long, value_name = "ORG,…", value_delimiter = ',')]
    pub(crate) can_read: Option<Vec<String>>,
    /// Who may write: organisations, all, or none [default: the node's own organisation; a search: nobody]
    #[arg(long, value_name = "ORG,…", value_delimiter = ',')]
    pub(crate) can_write: Option<Vec<String>>,
    /// The sharing group under whose API root it stands; 'node': the node's own [default: node]
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// A short name for addresses
    #[arg(long, value_name = "NAME")]
    pub(crate) alias: Option<String>,
    /// More about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// The TLP of objects that have none themselves [default: green where all may read]
    #[arg(long, value_name = "TLP")]
    pub(crate) tlp: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CollectionCommand {
    /// Make a collection, which others read (and write) over TAXII
    Add {
        /// One line
        #[arg(long)]
        title: String,
        /// What it holds
        #[arg(long, value_enum)]
        kind: CollectionKind,
        #[command(flatten)]
        described: Described,
        #[command(flatten)]
        output: Output,
    },
    /// List collections
    List(Output),
    /// Change what is named; the rest stays
    Change {
        /// Its identifier, alias or title
        collection: String,
        /// Another title
        #[arg(long)]
        title: Option<String>,
        #[command(flatten)]
        described: Described,
        #[command(flatten)]
        output: Output,
    },
    /// Take a collection away, with what was put into it; records that were made of it stay
    Remove {
        /// Its identifier, alias or title
        collection: String,
        #[command(flatten)]
        output: Output,
    },
}
