//! Feeds: what others publish, fetched into events, looked at without being kept, or cached by hashes so
//! that "who else knows this value?" has an answer.
//!
//! Comes in: a feed as it was set up ([`Entry`]). Goes out: events, written through the same door as those
//! that partners push, in the name of the organisation that set the feed up; and a report that is kept with
//! the feed. Never happens here: a second way into the store, or a row that is lost without a word.

mod actions;
mod address;
mod cache;
mod correlate;
mod defaults;
mod events;
mod jobs;
mod list;
mod lists;
mod preview;
mod report;
mod source;

pub(crate) use correlate::Correlator;
pub(crate) use jobs::{CACHE, CACHE_SERVER, FETCH, work};
pub(crate) use report::{FeedError, FeedReport};
pub use source::{FeedSources, allow_feed_sources};

use crate::answer::Answer;
use crate::body::Body;
use crate::call::{Call, Method};
use crate::context::Context;
use crate::jobs::Pulse;
use crate::register::KINDS;
use crate::sync::{PATIENCE, SERVER};
use manara_corridor::WarningCache;
use manara_model::record::{Rejection, flag_of, telling, text_of};
use manara_model::role::{Right, Role};
use manara_model::{Audience, OrgId, Purpose, UserId};
use manara_store::Store;
use manara_store::entries::Entry;
use manara_store::people::{Account, Caller};
use manara_store::view::View;
use serde_json::{Map, Value, json};
use source::{Known, Source};
use uuid::Uuid;

/// The kind of entry that a feed is.
pub(crate) const FEED: &str = "feed";

/// Fetches a feed into events. What it did, or why not, is kept with the feed as `last_fetch`.
///
/// # Errors
/// [`FeedError`]; with [`FeedError::Away`] and this side's own, what came until then stays, and it can be
/// done again.
pub(crate) fn fetch_feed(
    store: &Store,
    warnings: &WarningCache,
    feed: i64,
    pulse: &Pulse<'_>,
) -> Result<FeedReport, FeedError> {
    let entry = filled(entry_of(store, FEED, feed)?);
    if !flag_of(entry.body.get("enabled")) {
        return Err(FeedError::Setup("Feed is currently not enabled. Make sure you enable it.".into()));
    }
    let known = |name: &str| entry.body.get(name).and_then(|known| serde_json::from_value::<Known>(known.clone()).ok());
    let held = known("fetch_known");
    let done = with_context(store, warnings, &entry, |context| {
        let mut report = FeedReport::default();
        let source = Source::of(&entry, Some(pulse))?;
        let taker = Taker { context, entry: &entry, source: &source };
        let (known, event) = match format_of(&entry)?.as_str() {
            "misp" => (taker.fetch_events(held.as_ref(), &mut report)?, None),
            _ => taker.fetch_list(held.as_ref(), &mut report)?,
        };
        Ok((report, known, event))
    });
    match done {
        Ok((report, known, event)) => {
            let mut more = Map::new();
            // What went wrong is tried again: the feed is read anew.
            let good = report.errors.is_empty();
            if let Some(known) = known.filter(|_| good) {
                more.insert("fetch_known".into(), json!(known));
            } else if !good {
                more.insert("fetch_known".into(), Value::Null);
            }
            if let Some(event) = event {
                more.insert("event_id".into(), event.to_string().into());
            }
            remember(store, (FEED, feed), "last_fetch", &json!(report), more)?;
            Ok(report)
        }
        Err(error) => {
            remember(store, (FEED, feed), "last_fetch", &json!({"errors": [error.to_string()]}), Map::new())?;
            Err(error)
        }
    }
}

/// Caches what a feed holds, as hashes. What it did, or why not, is kept with the feed as `last_cache`.
///
/// # Errors
/// [`FeedError`]; what was cached before stays.
pub(crate) fn cache_feed(store: &Store, feed: i64, pulse: &Pulse<'_>) -> Result<FeedReport, FeedError> {
    cache_entry(store, FEED, feed, |entry| cache::cache(store, entry, pulse))
}

/// The same of a server that we synchronise with: what it gives us, as hashes.
///
/// # Errors
/// [`FeedError`]; what was cached before stays.
pub(crate) fn cache_server(store: &Store, server: i64, pulse: &Pulse<'_>) -> Result<FeedReport, FeedError> {
    cache_entry(store, SERVER, server, |entry| {
        let remote =
            with_context(store, &WarningCache::default(), entry, |context| Ok(context.remote(entry, PATIENCE)?))?;
        cache::cache_server(store, entry, &remote.for_job(Some(pulse)))
    })
}

fn cache_entry(
    store: &Store,
    kind: &'static str,
    id: i64,
    work: impl FnOnce(&Entry) -> Result<(FeedReport, Map<String, Value>), FeedError>,
) -> Result<FeedReport, FeedError> {
    let entry = filled(entry_of(store, kind, id)?);
    if !flag_of(entry.body.get("caching_enabled")) {
        return Err(FeedError::Setup(format!("Caching is not enabled for this {kind}.")));
    }
    match work(&entry) {
        Ok((report, more)) => match remember(store, (kind, id), "last_cache", &json!(report), more) {
            Ok(()) => Ok(report),
            Err(gone) => {
                // Taken away meanwhile: nothing of it stays behind.
                store.forget_feed_values(id)?;
                Err(gone)
            }
        },
        Err(error) => {
            let said = json!({"errors": [error.to_string()]});
            remember(store, (kind, id), "last_cache", &said, Map::new())?;
            Err(error)
        }
    }
}

fn entry_of(store: &Store, kind: &'static str, id: i64) -> Result<Entry, FeedError> {
    store.entry(kind, id)?.ok_or_else(|| FeedError::Setup(format!("there is no such {kind}")))
}

/// A feed that comes from another node, without that node's numbers: here they would name something else.
pub(crate) fn without_numbers(feed: &mut Map<String, Value>) {
    for name in ["event_id", "tag_id", "tag_collection_id", "orgc_id", "sharing_group_id"] {
        feed.insert(name.into(), "0".into());
    }
}

/// A feed or server with its defaults, where it says nothing.
fn filled(entry: Entry) -> Entry {
    match KINDS.iter().find(|kind| kind.kind == entry.kind) {
        Some(kind) => kind.filled(entry),
        None => entry,
    }
}

/// `misp`, `csv` or `freetext`.
fn format_of(entry: &Entry) -> Result<String, FeedError> {
    let format = text_of(entry.body.get("source_format")).filter(|text| !text.is_empty()).unwrap_or("misp".into());
    match &*format {
        "misp" | "csv" | "freetext" => Ok(format.into_owned()),
        other => Err(FeedError::Setup(format!("source_format '{}' is none of misp, csv, freetext", telling(other)))),
    }
}

/// Keeps what was done with a feed or server, beside whatever an administrator has changed of it meanwhile.
fn remember(
    store: &Store,
    (kind, id): (&'static str, i64),
    name: &str,
    report: &Value,
    mut more: Map<String, Value>,
) -> Result<(), FeedError> {
    entry_of(store, kind, id)?;
    more.insert(name.into(), json!({"at": jiff::Timestamp::now().as_second(), "report": report}));
    store.note_entry(kind, id, more)?;
    Ok(())
}

/// Does something in the name of a feed: as a synchronising account of the organisation that set it up,
/// with no rights beyond that.
fn with_context<T>(
    store: &Store,
    warnings: &WarningCache,
    entry: &Entry,
    run: impl FnOnce(&Context<'_>) -> Result<T, FeedError>,
) -> Result<T, FeedError> {
    let org = match entry.org {
        Some(org) => org,
        None => store.node_org()?,
    };
    let account = Account {
        uuid: UserId(Uuid::nil()),
        org,
        email: format!("feed: {}", text_of(entry.body.get("name")).unwrap_or_default()),
        role: Role::Sync,
        disabled: false,
        second_factor: false,
    };
    let caller = Caller { account, scope: vec![Right::Read, Right::Write, Right::Sync] };
    let call = Call::new(Method::Post, "/", "", Vec::new(), caller);
    run(&Context { store, warnings, call: &call, now: jiff::Timestamp::now().as_second(), hop: None })
}

/// Takes a feed in.
struct Taker<'a> {
    context: &'a Context<'a>,
    entry: &'a Entry,
    source: &'a Source<'a>,
}

impl Taker<'_> {
    fn text(&self, name: &str) -> String {
        text_of(self.entry.body.get(name)).unwrap_or_default().into_owned()
    }

    fn flag(&self, name: &str) -> bool {
        flag_of(self.entry.body.get(name))
    }

    fn org(&self) -> OrgId {
        self.context.call.caller.account.org
    }

    /// What the organisation that set the feed up may see.
    fn own_view(&self) -> Result<View<'_>, FeedError> {
        Ok(self.context.store.view(Audience::Org(self.org()), Purpose::Read)?)
    }

    /// Writes an event, or changes one, as if it had been pushed; notes what was refused of it.
    fn write(&self, known: Option<Uuid>, body: Body, name: &str, report: &mut FeedReport) -> Result<(), FeedError> {
        let path = match known {
            Some(uuid) => format!("/events/edit/{uuid}/metadata:1"),
            None => "/events/add/metadata:1".to_owned(),
        };
        let call = Call::new(Method::Post, &path, "", body, self.context.call.caller.clone());
        let inner = Context { call: &call, ..*self.context };
        let answer: Answer = if known.is_some() { inner.events_edit()? } else { inner.events_add()? };
        let answered: Value = serde_json::from_str(&answer.text()?).unwrap_or_default();
        for warning in answered.get("warnings").and_then(Value::as_array).into_iter().flatten() {
            let place = text_of(warning.get("place")).unwrap_or_default().into_owned();
            let reason = warning.get("errors").map(ToString::to_string).unwrap_or_default();
            report.reject(Rejection { file: name.to_owned(), place, reason });
        }
        Ok(())
    }

    /// The tag that is put on the feed's events.
    fn tag(&self) -> Result<Option<String>, FeedError> {
        let Ok(number) = self.text("tag_id").parse::<i64>() else { return Ok(None) };
        if number == 0 {
            return Ok(None);
        }
        let tag = self.context.store.tag_by_number(number)?;
        tag.map(|tag| Some(tag.name)).ok_or_else(|| FeedError::Setup(format!("tag_id: there is no tag {number}")))
    }

    /// Puts the tag of the feed on an event.
    fn mark(&self, head: &mut Map<String, Value>) -> Result<(), FeedError> {
        let Some(name) = self.tag()? else { return Ok(()) };
        let tags = head.entry("Tag").or_insert_with(|| Value::Array(Vec::new()));
        if !tags.is_array() {
            *tags = Value::Array(Vec::new());
        }
        if let Value::Array(tags) = tags {
            tags.push(json!({"name": name}));
        }
        Ok(())
    }

    /// How far the feed's events go: as it is set up, or (5) as they say themselves. TLP and PAP narrow it.
    fn distribute(&self, head: &mut Map<String, Value>) {
        let level = match self.text("distribution") {
            level if level.is_empty() => "0".to_owned(),
            level => level,
        };
        if level == "5" {
            return;
        }
        head.shift_remove("SharingGroup");
        head.insert("sharing_group_id".into(), self.text("sharing_group_id").into());
        head.insert("distribution".into(), level.into());
    }

    /// `to_ids` of an attribute as the feed is set up; `None`: as it is.
    fn detect(&self) -> Option<bool> {
        match (self.flag("override_ids"), self.flag("force_to_ids")) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            _ => None,
        }
    }
}
