//! Organisations, accounts, keys, sessions and sharing groups of this node.

mod accounts;
mod attempts;
mod basic;
mod groups;
mod keys;
mod login;
mod orgs;
mod passwords;
mod registrations;
mod roles;
mod sessions;
mod tags;

pub use accounts::{Account, MadeAccount, NewAccount};
pub use basic::{Basic, Remembered};
pub use groups::NewGroup;
pub use keys::{Caller, KeyInfo};
pub use login::{LogIn, SecondFactor};
pub use orgs::Organisation;
pub use registrations::{REGISTRATION, Registered};
pub use roles::CustomRole;
pub use sessions::Session;

pub(crate) use accounts::check_email;
pub(crate) use orgs::know_org;
pub use tags::Tag;
pub(crate) use tags::{read_tag, tag_number};
