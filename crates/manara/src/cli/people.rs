//! Arguments of what is about people: org, user, key, group, tag.

use super::Output;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct OrgArgs {
    #[command(subcommand)]
    pub(crate) command: OrgCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Add an organisation
    Add {
        /// Name
        #[arg(long)]
        name: String,
        /// Country, two letters (ISO 3166-1)
        #[arg(long, value_name = "CC", default_value = "")]
        country: String,
        /// It is elsewhere: not of this node's community
        #[arg(long)]
        remote: bool,
        #[command(flatten)]
        output: Output,
    },
    /// List organisations
    List(Output),
    /// Make one organisation a client of another: it receives what is TLP:AMBER there
    Client {
        /// Who serves
        #[arg(long)]
        of: String,
        /// The client
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    pub(crate) command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add an account, with a generated password and API key, shown once
    Add {
        /// E-mail address
        #[arg(long)]
        email: String,
        /// Organisation
        #[arg(long)]
        org: String,
        /// reader, contributor (does not publish), user, sync, org-admin, admin, or one of the node's own roles
        #[arg(long, default_value = "user")]
        role: String,
        #[command(flatten)]
        output: Output,
    },
    /// List accounts
    List(Output),
    /// Give an account a new password, shown once; its sessions end
    Password {
        /// E-mail address
        #[arg(long)]
        email: String,
        /// Take the first line of standard input instead of making one up
        #[arg(long)]
        stdin: bool,
    },
    /// Keep an account out: its keys and sessions end at once
    Disable {
        /// E-mail address
        #[arg(long)]
        email: String,
    },
    /// Let an account in again
    Enable {
        /// E-mail address
        #[arg(long)]
        email: String,
    },
    /// End all sessions of an account
    Logout {
        /// E-mail address
        #[arg(long)]
        email: String,
    },
    /// Give an account a second factor (a code from an app), shown once; its sessions end
    Totp {
        /// E-mail address
        #[arg(long)]
        email: String,
        /// Take it away, for instance when the telephone is lost
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Add an API key, shown once
    Add {
        /// The account's e-mail address
        #[arg(long)]
        user: String,
        /// What it is for
        #[arg(long, default_value = "")]
        note: String,
        /// Rights, comma separated: read, write, sync, manage, admin
        #[arg(long, value_delimiter = ',', default_value = "read")]
        scope: Vec<String>,
        /// Days until it ends
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        #[command(flatten)]
        output: Output,
    },
    /// List keys, without the keys
    List(Output),
    /// End a key
    Revoke {
        /// Its number in the list
        id: i64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct GroupArgs {
    #[command(subcommand)]
    pub(crate) command: GroupCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Make a sharing group, or replace its members
    Add {
        /// Name
        #[arg(long)]
        name: String,
        /// Identifier, where it has one elsewhere
        #[arg(long)]
        uuid: Option<uuid::Uuid>,
        /// Member organisations
        #[arg(long = "member", value_name = "ORG")]
        members: Vec<String>,
        /// Members may see each other
        #[arg(long)]
        shows_members: bool,
        #[command(flatten)]
        output: Output,
    },
    /// List sharing groups
    List(Output),
}

#[derive(Debug, Args)]
pub(crate) struct TagArgs {
    #[command(subcommand)]
    pub(crate) command: TagCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TagCommand {
    /// Tags on current records, with how many
    List(Output),
    /// Add a tag to the node's vocabulary
    Add {
        /// Name
        name: String,
    },
}
