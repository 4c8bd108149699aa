//! The MISP door: MISP's REST API over the node's records, as PyMISP and other MISP servers speak it.
//!
//! Comes in: a [`Call`], which is a request with its caller. Goes out: an [`Answer`], made of what the
//! caller is cleared for. Never happens here: HTTP itself, deciding who may see what, SQL.
//!
//! MISP's events are Manara's records of kind `event`; an attribute, object, report or proposal is one of
//! its parts. A part's number is made of its event's row and its place (`ids.rs`), and an edit changes one
//! part where it stands (`manara_store::Amendment`).

mod analyst;
mod answer;
mod attributes;
mod body;
mod call;
mod changes;
mod clusters;
mod context;
mod crowded;
mod decay;
mod delegations;
mod events;
mod feeds;
mod freetext;
mod groups;
mod ids;
mod jobs;
mod knowledge;
mod needs;
mod node;
mod normal;
mod numerical;
mod objects;
mod orgs;
mod people;
mod proposals;
mod register;
mod registrations;
mod reports;
mod roles;
mod sample;
mod search;
mod shape;
mod sightings;
mod statistics;
mod sync;
mod table;
mod tags;
mod upload;
mod writer;

pub use answer::{Answer, Fault, NO_KEY};
pub use body::Body;
pub use call::{Call, Method, controller_of};
pub use feeds::{FeedSources, allow_feed_sources};
pub use jobs::{Others, Tell, run_due, schedule};
pub use registrations::{MOST_OF_REGISTRATION, is_registration, register};
pub use sync::{Exchange, Migration, Peer, ask_exchange, migrate, peers};
pub use table::{ACTIONS, Action, Status, has_controller};

use context::Context;
use manara_corridor::WarningCache;
use manara_model::role::Right;
use manara_store::Store;

/// Answers a request.
#[must_use]
pub fn answer(store: &Store, warnings: &WarningCache, call: &Call) -> Answer {
    let context = Context { store, warnings, call, now: jiff::Timestamp::now().as_second(), hop: None };
    let done = match table::find(&call.controller, &call.action) {
        None => Err(Fault::new(404, "Not Found")),
        Some(action) if !needs::met(&call.caller, action) => {
            Err(Fault::forbidden("You do not have permission to use this functionality."))
        }
        // What changes something is not done by following a link; `add` describes itself.
        Some(action)
            if matches!(call.method, Method::Get | Method::Head)
                && action.right == Right::Write
                && action.action != "add" =>
        {
            Err(Fault::new(405, "You are not authorised to use this functionality with GET; use POST."))
        }
        Some(action) => (action.run)(&context),
    };
    done.unwrap_or_else(|fault| fault.answer(&call.url))
}

/// `docs/misp-api.md`: PyMISP's methods and how much of each is there.
#[must_use]
pub fn documentation() -> String {
    let mut rows: Vec<(String, String, String)> = Vec::new();
    for action in ACTIONS {
        let status = match action.status {
            Status::Full => "full".to_owned(),
            Status::Partial(what) => format!("partial: {what}"),
            Status::NotHere(why) => format!("not applicable: {why}"),
        };
        let flags = needs::of(action.controller, action.action).iter().map(|flag| flag.line().name);
        let needs: Vec<&str> = std::iter::once(action.right.name()).chain(flags).collect();
        let endpoint = format!("`/{}/{}` ({})", action.controller, action.action, needs.join(", "));
        for method in action.pymisp {
            rows.push(((*method).to_owned(), endpoint.clone(), status.clone()));
        }
    }
    rows.extend(
        table::WITHOUT_ACTION
            .iter()
            .map(|(method, status)| ((*method).to_owned(), "-".to_owned(), (*status).to_owned())),
    );
    rows.sort();
    let mut out = String::from(
        "# MISP's API\n\nMade from the table of actions (`crates/misp/src/table.rs`); a test compares both with the newest PyMISP.\n\
         Controllers and actions are found however they are written (`event_reports`, `eventReports`), with `.json` or without,\n\
         by GET or POST as MISP takes them. In brackets: the right that the key needs; with flags of MISP's roles behind it, those\n\
         are asked of the role instead of the right as a whole.\n\n\
         | PyMISP | endpoint | status |\n| --- | --- | --- |\n",
    );
    for (method, endpoint, status) in &rows {
        out.push_str(&format!("| `{method}` | {endpoint} | {status} |\n"));
    }
    out
}
