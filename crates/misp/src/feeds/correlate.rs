//! Who else knows a value: look-ups in what is cached of feeds, many at a time; and how much feeds have in
//! common.

use super::{FEED, cache::hash, format_of};
use crate::answer::{Answer, Fault};
use crate::attributes::ATTRIBUTE;
use crate::context::Context;
use crate::shape::{body_of, halves, num};
use crate::sync::SERVER;
use manara_model::observable::guess;
use manara_model::record::{flag_of, text_of};
use manara_model::{Cleared, Part};
use manara_store::Store;
use manara_store::entries::Entry;
use manara_store::feeds::Knowing;
use manara_store::view::{EventRow, View};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Hashes that are collected before they are looked up.
const TOGETHER: usize = 2000;
/// Values in one question to the caches.
const ASKED: usize = 1000;

/// The feeds whose caches a caller may ask, as they are shown to him; and what they know of the values that
/// were looked up.
pub(crate) struct Correlator {
    feeds: BTreeMap<i64, Map<String, Value>>,
    /// Servers that we synchronise with: administrators alone are told of them.
    servers: BTreeMap<i64, Map<String, Value>>,
    hits: BTreeMap<[u8; 16], Knowing>,
}

/// May the caller know of this feed? An administrator of all, others of those that are shown to them.
pub(super) fn may_see(context: &Context<'_>, entry: &Entry) -> bool {
    context.is_admin() || flag_of(entry.body.get("lookup_visible"))
}

/// A feed's address as the caller may see it: what stands after `?` may be a key.
pub(super) fn address(context: &Context<'_>, entry: &Entry) -> String {
    let url = text_of(entry.body.get("url")).unwrap_or_default();
    if context.is_admin() { url.into_owned() } else { url.split(['?', '#']).next().unwrap_or_default().to_owned() }
}

impl Correlator {
    /// For the caller.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn of(context: &Context<'_>) -> Result<Correlator, Fault> {
        let mut feeds = BTreeMap::new();
        for entry in context.store.entries(FEED)? {
            if flag_of(entry.body.get("caching_enabled")) && may_see(context, &entry) {
                let member = |name: &str| entry.body.get(name).cloned().unwrap_or_else(|| "".into());
                let shown = json!({
                    "id": num(entry.id), "name": member("name"), "url": address(context, &entry), "provider": member("provider"),
                    "source_format": format_of(&entry).unwrap_or_default(),
                });
                feeds.insert(entry.id, shown.as_object().cloned().unwrap_or_default());
            }
        }
        let mut servers = BTreeMap::new();
        for entry in if context.is_admin() { context.store.entries(SERVER)? } else { Vec::new() } {
            if flag_of(entry.body.get("caching_enabled")) {
                let member = |name: &str| entry.body.get(name).cloned().unwrap_or_else(|| "".into());
                let shown = json!({"id": num(entry.id), "name": member("name"), "url": member("url")});
                servers.insert(entry.id, shown.as_object().cloned().unwrap_or_default());
            }
        }
        Ok(Correlator { feeds, servers, hits: BTreeMap::new() })
    }

    /// The hashes by which an attribute's value is known: as it is written, each half, and in its normal form.
    fn hashes(part: &Cleared<Part>) -> Vec<[u8; 16]> {
        let body = body_of(&part.raw);
        let text = |name: &str| text_of(body.get(name)).unwrap_or_default().into_owned();
        let (one, two) = halves(&text("type"), &text("value"));
        let mut all: Vec<[u8; 16]> = [one, two].iter().filter(|half| !half.is_empty()).map(|half| hash(half)).collect();
        all.extend(part.found.iter().map(|found| hash(found.observable.value())));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Is there anybody to be asked?
    fn asks(&self) -> bool {
        !(self.feeds.is_empty() && self.servers.is_empty())
    }

    /// Looks up what these attributes hold, and forgets what was looked up before.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn look_up<'p>(
        &mut self,
        store: &Store,
        parts: impl Iterator<Item = &'p Cleared<Part>>,
    ) -> Result<(), Fault> {
        self.hits.clear();
        if self.asks() {
            let hashes: Vec<[u8; 16]> = parts.flat_map(Self::hashes).collect();
            self.hits = store.feeds_knowing(&hashes)?;
        }
        Ok(())
    }

    /// The same for all attributes of an event.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn with_event(mut self, store: &Store, view: &View<'_>, event: &EventRow) -> Result<Self, Fault> {
        self.look_up_event(store, view, event)?;
        Ok(self)
    }

    /// See [`Correlator::with_event`].
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn look_up_event(&mut self, store: &Store, view: &View<'_>, event: &EventRow) -> Result<(), Fault> {
        self.hits.clear();
        if !self.asks() {
            return Ok(());
        }
        let mut waiting = Vec::new();
        view.parts_in_order::<Fault>(&event.head, |part| {
            if ATTRIBUTE.contains(&part.slot) {
                waiting.extend(Self::hashes(&part));
            }
            if waiting.len() >= TOGETHER {
                self.hits.extend(store.feeds_knowing(&std::mem::take(&mut waiting))?);
            }
            Ok(())
        })?;
        self.hits.extend(store.feeds_knowing(&waiting)?);
        Ok(())
    }

    fn knowing(&self, hashes: &[[u8; 16]], among: &BTreeMap<i64, Map<String, Value>>) -> Vec<Value> {
        let mut known = Knowing::new();
        for (feed, events) in hashes.iter().filter_map(|hash| self.hits.get(hash)).flatten() {
            let held = known.entry(*feed).or_default();
            held.extend(events.iter().filter(|event| !held.contains(event)).copied().collect::<Vec<_>>());
        }
        let shown = |(feed, events): (i64, Vec<uuid::Uuid>)| {
            let mut shown = among.get(&feed)?.clone();
            if !events.is_empty() {
                shown.insert("event_uuids".into(), json!(events));
            }
            Some(Value::Object(shown))
        };
        known.into_iter().filter_map(shown).collect()
    }

    /// Says of an attribute which feeds know its value.
    pub(crate) fn add(&self, part: &Cleared<Part>, attribute: &mut Map<String, Value>) {
        if self.hits.is_empty() {
            return;
        }
        let hashes = Self::hashes(part);
        for (name, among) in [("Feed", &self.feeds), ("Server", &self.servers)] {
            let known = self.knowing(&hashes, among);
            if !known.is_empty() {
                attribute.insert(name.into(), known.into());
            }
        }
    }
}

impl Context<'_> {
    /// `feeds/searchCaches`: which feeds know these values?
    pub fn feeds_search(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let mut values: Vec<String> = match options.get("value") {
            Some(Value::Array(items)) => {
                items.iter().filter_map(|item| text_of(Some(item)).map(|text| text.into_owned())).collect()
            }
            value => text_of(value).map(|text| text.into_owned()).into_iter().collect(),
        };
        values.extend(self.call.args.iter().cloned());
        if values.len() > ASKED {
            return Err(Fault::new(400, format!("At most {ASKED} values in one question.")));
        }
        let mut correlator = Correlator::of(self)?;
        let mut lines = Vec::new();
        let spellings = |value: &String| {
            let mut all = vec![hash(value), hash(&value.to_lowercase())];
            all.extend(guess(value).map(|found| hash(found.value())));
            all
        };
        let hashes: Vec<Vec<[u8; 16]>> = values.iter().map(spellings).collect();
        correlator.hits = self.store.feeds_knowing(&hashes.concat())?;
        for (value, hashes) in values.iter().zip(&hashes) {
            let feeds = correlator.knowing(hashes, &correlator.feeds).into_iter().map(|feed| (feed, false));
            let servers = correlator.knowing(hashes, &correlator.servers).into_iter().map(|server| (server, true));
            for (mut feed, server) in feeds.chain(servers) {
                let misp = feed["source_format"] == "misp";
                let id = text_of(feed.get("id")).unwrap_or_default().into_owned();
                let events = feed.as_object_mut().and_then(|feed| feed.remove("event_uuids"));
                let events = events.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
                feed["value"] = value.clone().into();
                feed["type"] = match (server, misp) {
                    (true, _) => "MISP Server",
                    (false, true) => "MISP Feed",
                    (false, false) => "Feed",
                }
                .into();
                let base = match feed["url"].as_str().filter(|_| server) {
                    Some(url) => format!("{}/events/view", url.trim_end_matches('/')),
                    None => format!("/feeds/previewEvent/{id}"),
                };
                feed["direct_urls"] = match events.as_slice() {
                    [] => json!([{"url": format!("/feeds/previewIndex/{id}"), "name": feed["name"]}]),
                    events => events
                        .iter()
                        .filter_map(Value::as_str)
                        .map(|uuid| json!({"url": format!("{base}/{uuid}"), "name": uuid}))
                        .collect(),
                };
                feed["uuid"] = events.into();
                lines.push(json!({"Feed": feed}));
            }
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `feeds/compareFeeds`: how many of each feed's values each other one has too, as it was counted when
    /// they were cached.
    pub fn feeds_compare(&self) -> Result<Answer, Fault> {
        let entries = self.store.entries(FEED)?;
        let shown: Vec<&Entry> = entries
            .iter()
            .filter(|entry| {
                flag_of(entry.body.get("caching_enabled")) && entry.body.get("cached").is_some() && may_see(self, entry)
            })
            .collect();
        let edition = |entry: &Entry| entry.body.pointer("/cached/edition").and_then(Value::as_i64).unwrap_or(0);
        let count = |entry: &Entry, other: i64| {
            entry.body.pointer(&format!("/cached/overlap/{other}")).and_then(Value::as_i64).unwrap_or(0)
        };
        let line = |entry: &Entry| {
            let member = |entry: &Entry, name: &str| entry.body.get(name).cloned().unwrap_or_default();
            let values = entry.body.pointer("/cached/values").and_then(Value::as_i64).unwrap_or(0);
            let compared = shown.iter().filter(|other| other.id != entry.id).map(|other| {
                // What two have in common was counted when the later of them was cached.
                let common = if edition(entry) >= edition(other) { count(entry, other.id) } else { count(other, entry.id) };
                let common = common.min(values);
                let percent = if values > 0 { common * 100 / values } else { 0 };
                json!({
                    "id": num(other.id), "name": member(other, "name"), "url": address(self, other), "provider": member(other, "provider"),
                    "source_format": member(other, "source_format"), "overlap_count": common, "overlap_percentage": percent,
                })
            });
            let compared: Vec<Value> = compared.collect();
            json!({"Feed": {
                "id": num(entry.id), "name": member(entry, "name"), "url": address(self, entry), "provider": member(entry, "provider"),
                "source_format": member(entry, "source_format"), "values": values, "ComparedFeed": compared,
            }})
        };
        Ok(Answer::json(&shown.iter().map(|entry| line(entry)).collect()))
    }
}
