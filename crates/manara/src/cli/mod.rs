//! The command line as data: what can be said, and what it means. Help, man pages and completions
//! are made of this.

mod collections;
mod index;
mod keep;
mod matching;
mod pattern;
mod people;
mod report;
mod sightings;
mod taxii;

pub(crate) use collections::{CollectionArgs, CollectionCommand, CollectionKind, Described};
pub(crate) use index::{BuildArgs, IndexArgs, IndexCommand};
pub(crate) use keep::{AuditArgs, BackupArgs, DoctorArgs, MigrateArgs, RestoreArgs};
pub(crate) use matching::{HitFormat, ScanArgs};
pub(crate) use pattern::{CheckArgs, ExplainArgs, MatchArgs, PatternArgs, PatternCommand};
pub(crate) use people::{
    GroupArgs, GroupCommand, KeyArgs, KeyCommand, OrgArgs, OrgCommand, TagArgs, TagCommand, UserArgs, UserCommand,
};
pub(crate) use report::ReportArgs;
pub(crate) use sightings::SightingArgs;
pub(crate) use taxii::{Access, PollArgs, PollFormat, PushArgs, TaxiiArgs, TaxiiCommand};

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// A node where CERTs share threat information: what its owner cleared, and only that.
#[derive(Debug, Parser)]
#[command(name = "manara", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the node is.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The node's data folder
    #[arg(long, global = true, env = "MANARA_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The database, where it is a server's [default: embedded, in the data folder]
    #[arg(long, global = true, env = "MANARA_DATABASE", value_name = "postgres://…", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Settings file [default: manara.toml here, or in the data folder]
    #[arg(long, global = true, env = "MANARA_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// For programs that read the answer.
#[derive(Debug, Args, Clone, Copy)]
pub(crate) struct Output {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a node: its store, its key, its organisation and an administrator
    Init(InitArgs),
    /// Run the node
    Serve(ServeArgs),
    /// Print the settings in force, and where each comes from
    Config(ServeArgs),
    /// Take in events, bundles, advisories, lists, texts
    Import(ImportArgs),
    /// What is known of a value: an address, a name, a URL, a hash…
    Search(SearchArgs),
    /// Hand out what an audience is cleared for
    Export(ExportArgs),
    /// May a record go to an audience, and by which rule?
    Why(WhyArgs),
    /// Show, withdraw or re-mark a record
    Record(RecordArgs),
    /// Check that store, index and audit log agree
    Verify(Output),
    /// Who changed what: the audit log, newest first
    Audit(AuditArgs),
    /// Copy the node into one file, while it runs
    Backup(BackupArgs),
    /// Make a node of a backup
    Restore(RestoreArgs),
    /// Copy the node's data to another engine, and compare
    MigrateStore(MigrateArgs),
    /// Look for what could go wrong: permissions, disk, clock, limits, integrity
    Doctor(DoctorArgs),
    /// Organisations
    Org(OrgArgs),
    /// Accounts
    User(UserArgs),
    /// API keys
    Key(KeyArgs),
    /// Sharing groups
    Group(GroupArgs),
    /// TAXII collections: what is published, and where others may write
    Collection(CollectionArgs),
    /// Tags in use
    Tag(TagArgs),
    /// Other TAXII servers: find out, read, push
    Taxii(TaxiiArgs),
    /// STIX patterns: check one, explain it, match it against observations
    Pattern(PatternArgs),
    /// Make an index of indicators, to be looked for in logs
    Index(IndexArgs),
    /// Look for an index's indicators in logs. Exit 0: found; 1: nothing found; 2: an error
    Match(ScanArgs),
    /// The formats that are read and written
    Formats(Output),
    /// Completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write man pages into a folder
    Man {
        /// The folder
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Name of the organisation that runs the node
    #[arg(long, value_name = "NAME")]
    pub(crate) org: String,
    /// The identifier by which others know it already, from its MISP [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub(crate) org_uuid: Option<uuid::Uuid>,
    /// Its country, two letters (ISO 3166-1)
    #[arg(long, value_name = "CC")]
    pub(crate) country: String,
    /// E-mail address of the administrator
    #[arg(long, value_name = "EMAIL")]
    pub(crate) admin: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen [default: 127.0.0.1:8765]
    #[arg(long, env = "MANARA_LISTEN", value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,
    /// Largest body that is taken, in MB [default: 512]
    #[arg(long, env = "MANARA_MAX_BODY_MB", value_name = "MB")]
    pub(crate) max_body_mb: Option<u64>,
    /// How much to log: error, warn, info, debug [default: info]
    #[arg(long, env = "MANARA_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    /// Requests that take longer are logged as slow, in milliseconds [default: 1000]
    #[arg(long, env = "MANARA_SLOW_MS", value_name = "MS")]
    pub(crate) slow_ms: Option<u64>,
    /// People without an account may ask for one over MISP's API [default: false]
    #[arg(long, env = "MANARA_SELF_REGISTRATION", value_name = "BOOL")]
    pub(crate) self_registration: Option<bool>,
    /// Folder for scheduled backups [default: none are made]
    #[arg(long, env = "MANARA_BACKUP_DIR", value_name = "DIR")]
    pub(crate) backup_dir: Option<PathBuf>,
    /// Hours between scheduled backups [default: 24]
    #[arg(long, env = "MANARA_BACKUP_EVERY_HOURS", value_name = "HOURS")]
    pub(crate) backup_every_hours: Option<u64>,
    /// Scheduled backups that are kept [default: 7]
    #[arg(long, env = "MANARA_BACKUP_KEEP", value_name = "NUMBER")]
    pub(crate) backup_keep: Option<u64>,
    /// Minutes between exchanges with other servers, 0: only when asked [default: 60]
    #[arg(long, env = "MANARA_EXCHANGE_EVERY_MINUTES", value_name = "MINUTES")]
    pub(crate) exchange_every_minutes: Option<u64>,
    /// Fetch feeds from addresses that are not of the public internet too [default: false]
    #[arg(long, env = "MANARA_FETCH_PRIVATE", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) fetch_private: Option<bool>,
    /// Folder from which local feeds may be read [default: none may]
    #[arg(long, env = "MANARA_FEED_DIR", value_name = "DIR")]
    pub(crate) feed_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files or folders; - is standard input
    #[arg(required_unless_present = "from_misp", value_name = "FILE|DIR|-")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Bring a whole MISP over, from its address: see docs/from-misp.md. Can be run again
    #[arg(long, value_name = "URL", conflicts_with = "inputs", requires = "key")]
    pub(crate) from_misp: Option<String>,
    /// A key there, best of a site administrator
    #[arg(long, value_name = "KEY", env = "MISP_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Read as this format instead of finding out (see `manara formats`)
    #[arg(long = "as", value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) limits: Limit,
    /// The organisation that will hold it [default: the node's]
    #[arg(long, value_name = "NAME")]
    pub(crate) org: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// The holder's own limit on what is taken in.
#[derive(Debug, Args)]
pub(crate) struct Limit {
    /// TLP of what is taken in; what says of itself that it is stricter stays so
    #[arg(long, value_name = "TLP")]
    pub(crate) tlp: Option<String>,
    /// Distribution: 0 organisation, 1 community, 2 connected, 3 all, 4 sharing group (--group), 5 as it says;
    /// what says of itself that it is narrower stays so
    #[arg(long, value_name = "0..5", value_parser = clap::value_parser!(u8).range(0..=5))]
    pub(crate) distribution: Option<u8>,
    /// Sharing group, for distribution 4; may be given several times
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Values, in any spelling; `type:value`, `prefix*`, `*.domain` and networks too; - reads text from standard input
    #[arg(required = true, value_name = "VALUE")]
    pub(crate) values: Vec<String>,
    /// Look for words in titles and comments instead
    #[arg(long)]
    pub(crate) text: bool,
    /// As this audience sees it [default: self]
    #[arg(long, value_name = "AUDIENCE", default_value = "self")]
    pub(crate) audience: String,
    /// Records shown a value
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The format (see `manara formats`)
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: String,
    /// Who will receive: public, self, or org:NAME
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: String,
    /// Only what came in at or after this time (2026-11-24, or RFC 3339), or within e.g. 7d, 12h
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only values of these types, comma separated
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Only records with this tag
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Option<String>,
    /// Only records of this kind: event, list, report, advisory, indicator…
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Only this record
    #[arg(long, value_name = "UUID")]
    pub(crate) record: Option<uuid::Uuid>,
    /// Also values that their authors don't flag for detection
    #[arg(long)]
    pub(crate) undetected: bool,
    /// Also values on warning lists
    #[arg(long)]
    pub(crate) warning_listed: bool,
    /// Write here [default: standard output]; misp-feed needs a folder
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// Identifier of a record, or of a part of one
    pub(crate) uuid: uuid::Uuid,
    /// Who would receive: public, self, or org:NAME
    #[arg(long, value_name = "AUDIENCE")]
    pub(crate) audience: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    #[command(subcommand)]
    pub(crate) command: RecordCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// List records, newest first
    List {
        /// As this audience sees them
        #[arg(long, default_value = "self")]
        audience: String,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        output: Output,
    },
    /// Withdraw a record: it is gone from every list and answer, and stays in the history
    Withdraw {
        /// Identifier
        uuid: uuid::Uuid,
        /// Why, for the audit log
        #[arg(long, default_value = "")]
        reason: String,
    },
}
