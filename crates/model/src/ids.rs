//! Identifiers. Each kind of thing has a type of its own, so that one can't be passed for another.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

id!(
    /// An organisation, at this node or elsewhere.
    OrgId
);
id!(
    /// A person's or a program's account at this node.
    UserId
);
id!(
    /// A sharing group: a named set of organisations and nodes.
    GroupId
);
id!(
    /// A node (another Manara, a MISP instance, a TAXII server).
    NodeId
);

/// The namespace for identifiers that are derived from content (UUID version 5, RFC 9562 §5.5).
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6d61_6e61_7261_5000_8000_7468_6574_6f77);

/// A stable identifier for something that came without one: the same parts give the same UUID.
#[must_use]
pub fn derived(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&NAMESPACE, parts.join("\u{1f}").as_bytes())
}
