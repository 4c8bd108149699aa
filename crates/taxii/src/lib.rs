//! The TAXII 2.1 door (OASIS Standard, 10 June 2021): discovery, API roots and collections that others write into
//! and read from. What is asked and answered is decided here; HTTP itself (bodies that are packed, who calls) is the
//! server's.
//!
//! Every object that leaves comes from a view of the caller's audience, and so does each manifest entry, version and
//! count: what somebody may not see is not there for them.

mod add;
mod answer;
mod call;
pub mod client;
mod collections;
mod found;
mod gather;
mod jobs;
mod known;
mod media;
mod query;
mod read;
mod roots;
mod searches;
mod shelf;
mod time;
mod wish;

pub use add::JOB;
pub use answer::{Answer, Fault};
pub use call::{Call, Method};
pub use collections::{COLLECTION, Collection, Definition, Who};
pub use gather::{gather, gather_told};
pub use jobs::{Tell, run, sweep};
pub use media::TAXII;
pub use roots::MOST;
pub use searches::Search;
pub use shelf::Shelf;
pub use wish::{Kind, Names, Wish};

use call::{Part, Place};
use manara_store::Store;
use read::Source;

/// Answers a request of someone who is known. What is wrong is looked at in one order: is it there (404), does it
/// have this method (405), does the client take what we give (406), is what it sends of our kind (415), is it
/// allowed (403), and only then what it says (400, 413, 422).
#[must_use]
pub fn answer(store: &Store, call: &mut Call<'_>) -> Answer {
    answered(store, call).unwrap_or_else(Fault::answer)
}

fn answered(store: &Store, call: &mut Call<'_>) -> Result<Answer, Fault> {
    let place = Place::of(call.path).ok_or_else(|| Fault::missing("address"))?;
    let caller = call.caller.clone();
    let root = match &place {
        Place::Discovery => None,
        Place::Root(root) | Place::Status(root, _) | Place::Collections(root) | Place::Collection(root, _, _) => *root,
    };
    roots::check(store, root, &caller)?;
    let there = match &place {
        Place::Collection(root, id, _) => Some(collections::seen(store, *root, id, &caller)?),
        _ => None,
    };
    let (methods, allow) = place.methods();
    if !methods.contains(&call.method) {
        return Err(Fault::new(405, format!("here one can {allow}")).with("allow", allow));
    }
    if !media::takes_taxii(call.accept) {
        return Err(Fault::new(406, format!("answers here are {TAXII}; send Accept: {TAXII}")));
    }
    if call.method == Method::Post && !media::is_taxii(call.content_type) {
        return Err(Fault::new(415, format!("send Content-Type: {TAXII}")));
    }
    let (collection, access, part) = match (place, there) {
        (Place::Discovery, _) => return roots::discovery(store, &caller),
        (Place::Root(root), _) => return roots::root(store, root, &caller, call.most),
        (Place::Status(root, id), _) => return add::status(store, root, id, caller.account.uuid),
        (Place::Collections(root), _) => return roots::collections(store, root, &caller),
        (Place::Collection(_, _, part), Some((collection, access))) => (collection, access, part),
        (Place::Collection(..), None) => return Err(Fault::missing("collection")),
    };
    let allowed = match (call.method, &part) {
        (_, Part::Itself) => true,
        (Method::Post, _) => access.write,
        (Method::Delete, _) => access.read && access.write,
        _ => access.read,
    };
    if !allowed {
        let may = if access.read { "read, but not write" } else { "write, but not read" };
        return Err(Fault::new(403, format!("this collection you may {may}")));
    }
    if part == Part::Itself {
        return Ok(Answer::json(&collection.resource(access)));
    }
    if call.method == Method::Post {
        return add::add(store, &collection, call);
    }
    let from = Source { store, shelf: call.shelf, collection: &collection, caller: &caller };
    match (call.method, part) {
        (Method::Delete, Part::Object(id)) => read::delete(from, call.query, &id),
        (_, Part::Object(id)) => read::objects(from, call.query, Some(&id)),
        (_, Part::Versions(id)) => read::versions(from, call.query, &id),
        (_, Part::Manifest) => read::manifest(from, call.query),
        _ => read::objects(from, call.query, None),
    }
}
