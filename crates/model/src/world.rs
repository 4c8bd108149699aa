//! The facts that policy needs besides label and audience: who belongs where, and what time it is.

use crate::{GroupId, NodeId, OrgId};
use std::collections::{BTreeSet, HashMap};

/// A sharing group as policy sees it.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Name; hidden from those outside (melicertes/csp#22).
    pub name: String,
    /// Who made it.
    pub owner: Option<OrgId>,
    /// Member organisations.
    pub orgs: BTreeSet<OrgId>,
    /// Member nodes; all their organisations that are members receive through them.
    pub nodes: BTreeSet<NodeId>,
    /// Members may see the other members; otherwise only owner, own membership and the count.
    pub shows_members: bool,
    /// Inactive groups reach nobody.
    pub active: bool,
}

/// A snapshot of the facts; cheap to share, replaced as a whole when one of them changes.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Now, in Unix seconds (for embargoes).
    pub now: i64,
    /// The organisations of this node's community.
    pub local: BTreeSet<OrgId>,
    /// Clients by the organisation that serves them (TLP:AMBER reaches them).
    pub clients: HashMap<OrgId, BTreeSet<OrgId>>,
    /// Sharing groups.
    pub groups: HashMap<GroupId, Group>,
    /// Key for pseudonyms of persons (HMAC-SHA-256). Empty: persons are left out altogether.
    pub pseudonym_key: Vec<u8>,
}

impl World {
    /// True when `org` is a client of `server`.
    #[must_use]
    pub fn is_client(&self, org: OrgId, server: OrgId) -> bool {
        self.clients.get(&server).is_some_and(|clients| clients.contains(&org))
    }
}
