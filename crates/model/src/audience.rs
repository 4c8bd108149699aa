//! Who would receive, and what for.

use crate::marking::Tlp;
use crate::{NodeId, OrgId, UserId};
use std::fmt;
use std::sync::Arc;

/// Who would receive something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The node's own operator (`self`): nothing leaves the house.
    Node,
    /// An organisation as a whole.
    Org(OrgId),
    /// One account of an organisation.
    User {
        /// The account.
        user: UserId,
        /// Its organisation.
        org: OrgId,
    },
    /// Another node, under the agreement that its administrator made with ours.
    Peer {
        /// The node.
        node: NodeId,
        /// The organisation that runs it. An administrator there gets no more than this (MISP#1720).
        org: OrgId,
        /// What may flow.
        agreement: Arc<Agreement>,
    },
    /// Anyone.
    Public,
}

impl Audience {
    /// The organisation that would receive, where there is one.
    #[must_use]
    pub fn org(&self) -> Option<OrgId> {
        match self {
            Audience::Node | Audience::Public => None,
            Audience::Org(org) | Audience::User { org, .. } | Audience::Peer { org, .. } => Some(*org),
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Audience::Node => f.write_str("self"),
            Audience::Org(org) => write!(f, "org:{org}"),
            Audience::User { user, .. } => write!(f, "user:{user}"),
            Audience::Peer { node, .. } => write!(f, "peer:{node}"),
            Audience::Public => f.write_str("public"),
        }
    }
}

/// What two nodes agreed on: an upper bound on top of every other rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Nothing stricter than this is sent.
    pub max_tlp: Tlp,
    /// A record with one of these tags is not sent.
    pub blocked_tags: Vec<String>,
    /// Identifiers of persons go out as they are, not as pseudonyms.
    pub persons_in_clear: bool,
    /// It is another node of our own community: what is for this node's organisations is for its too (MISP's
    /// `internal` servers).
    pub internal: bool,
}

impl Default for Agreement {
    fn default() -> Self {
        Agreement { max_tlp: Tlp::Green, blocked_tags: Vec::new(), persons_in_clear: false, internal: false }
    }
}

/// What the receiver will do with it; PAP decides by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Read, correlate, exchange.
    Read,
    /// Look for it passively (intrusion detection, log search).
    Detect,
    /// Act on it in a way that the adversary can notice (block lists, sinkholes).
    Block,
}
