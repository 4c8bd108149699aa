//! Roles and key scopes: what an account or a key may do. What it may *see* is policy's matter.

use serde::{Deserialize, Serialize};

/// A right that a route asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Search, list, read, export what one is cleared for.
    Read,
    /// Create, change and withdraw records of the own organisation; sightings.
    Write,
    /// Bring what others wrote, as a server that synchronises does: its author stays its author.
    Sync,
    /// Manage accounts and keys of the own organisation.
    Manage,
    /// Manage the node: organisations, groups, knowledge; sees all that is held here.
    Admin,
}

impl Right {
    /// Every right, least first.
    pub const ALL: [Right; 5] = [Right::Read, Right::Write, Right::Sync, Right::Manage, Right::Admin];

    /// Lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Write => "write",
            Right::Sync => "sync",
            Right::Manage => "manage",
            Right::Admin => "admin",
        }
    }

    /// By name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Right> {
        Right::ALL.into_iter().find(|right| right.name() == name)
    }
}

/// A role: a fixed set of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads and writes for the own organisation.
    User,
    /// Another node or MISP server of the own organisation: brings what others wrote.
    Sync,
    /// Reads and writes, and manages the own organisation's accounts.
    OrgAdmin,
    /// Runs the node.
    Admin,
}

impl Role {
    /// Every role, least rights first.
    pub const ALL: [Role; 5] = [Role::Reader, Role::User, Role::Sync, Role::OrgAdmin, Role::Admin];

    /// Name as written on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::User => "user",
            Role::Sync => "sync",
            Role::OrgAdmin => "org-admin",
            Role::Admin => "admin",
        }
    }

    /// By name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role includes a right.
    #[must_use]
    pub fn has(self, right: Right) -> bool {
        match self {
            Role::Reader => right == Right::Read,
            Role::User => matches!(right, Right::Read | Right::Write),
            Role::Sync => matches!(right, Right::Read | Right::Write | Right::Sync),
            Role::OrgAdmin => matches!(right, Right::Read | Right::Write | Right::Manage),
            Role::Admin => true,
        }
    }
}
