//! The TAXII 2.1 client: what another server offers is found out, its collections are read from where one was, and
//! objects are put into them. Servers are met that do not keep to the standard; where it can be told what they mean,
//! they are understood, and nothing is lost by it.
//!
//! Comes in: addresses, credentials, objects. Goes out: requests to the one server that was named. Never happens here:
//! deciding what may be sent: who pushes has cleared it.

mod address;
mod discover;
mod documents;
mod envelope;
mod error;
mod http;
mod job;
mod manifest;
mod pages;
mod push;
mod reply;
mod source;
mod take;
#[cfg(test)]
mod tests;

pub use address::{address, collection};
pub use discover::{ApiRoot, Discovery, Offered, collections, discover, offered};
pub use documents::each_object;
pub use error::ClientError;
pub use http::{Credentials, Server, Wanted, in_clear};
pub use job::{How, POLL, Polled, poll, run, schedule};
pub use pages::{LIMIT, Place, Question, Taker, Tally, read};
pub use push::{Failure, Push, Pushed};
pub use source::{SOURCE, Source, Terms};
