//! Roles and key scopes: what an account or a key may do. What it may *see* is policy's matter.

use crate::permission::Flags;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

/// A role. Six are fixed sets of rights; others are put together by the node's operator, flag by flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads, and writes for the own organisation, but for releasing it: somebody else publishes (MISP's `User`).
    Contributor,
    /// Reads and writes for the own organisation.
    User,
    /// Another node or MISP server of the own organisation: brings what others wrote.
    Sync,
    /// Reads and writes, and manages the own organisation's accounts.
    OrgAdmin,
    /// Runs the node.
    Admin,
    /// Put together by the operator; the flags are those of now.
    Custom {
        /// Which.
        uuid: Uuid,
        /// What it may do.
        flags: Flags,
    },
    /// A role that is not there (any more): nothing may be done with it.
    Gone,
}

impl Role {
    /// Every fixed role, least rights first.
    pub const ALL: [Role; 6] = [Role::Reader, Role::Contributor, Role::User, Role::Sync, Role::OrgAdmin, Role::Admin];

    /// Name as written on the command line; of others than the fixed ones, what they are.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Contributor => "contributor",
            Role::User => "user",
            Role::Sync => "sync",
            Role::OrgAdmin => "org-admin",
            Role::Admin => "admin",
            Role::Custom { .. } => "custom",
            Role::Gone => "none",
        }
    }

    /// As it is kept with an account: the name, or the identifier of one that is not fixed.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Role::Custom { uuid, .. } => uuid.to_string(),
            other => other.name().to_owned(),
        }
    }

    /// A fixed role by name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role includes a right as a whole.
    #[must_use]
    pub fn has(self, right: Right) -> bool {
        match self {
            Role::Reader => right == Right::Read,
            Role::Contributor => self.flags().make(right),
            Role::User => matches!(right, Right::Read | Right::Write),
            Role::Sync => matches!(right, Right::Read | Right::Write | Right::Sync),
            Role::OrgAdmin => matches!(right, Right::Read | Right::Write | Right::Manage),
            Role::Admin => true,
            Role::Custom { flags, .. } => flags.make(right),
            Role::Gone => false,
        }
    }
}

impl Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.key())
    }
}
