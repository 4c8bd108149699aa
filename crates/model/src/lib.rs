//! The words of Manara: what a record, an observable, a marking and an audience are,
//! and the one gate ([`policy`]) through which anything may leave the node.
//!
//! Comes in: plain values. Goes out: plain values, and [`policy::Cleared`] which only [`policy`] makes.
//! Never happens here: input, output, clocks, SQL, formats.

pub mod audience;
pub mod dangling;
pub mod ids;
pub mod label;
pub mod marking;
pub mod observable;
pub mod permission;
pub mod policy;
pub mod record;
pub mod role;
pub mod tag;
pub mod warninglist;
pub mod world;

pub use audience::{Audience, Purpose};
pub use ids::{GroupId, NodeId, OrgId, UserId};
pub use label::Label;
pub use marking::{Level, Marking, Pap, Tlp};
pub use policy::{Cleared, Gate};
pub use record::{Found, Head, Part, PartDraft, RecordDraft, Rejection, Sink, Slot};
pub use world::World;
