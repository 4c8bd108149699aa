//! `/feeds`: what is asked of feeds over HTTP.

use super::FEED;
use super::correlate::{address, may_see};
use crate::answer::{Answer, Fault, saved};
use crate::call::page;
use crate::context::Context;
use crate::register::KINDS;
use manara_model::record::text_of;
use manara_store::entries::Entry;
use serde_json::{Map, Value, json};
use uuid::Uuid;

impl Context<'_> {
    /// A feed as the caller may see it.
    fn feed_shown(&self, entry: &Entry) -> Result<Value, Fault> {
        let kind = KINDS.iter().find(|kind| kind.kind == FEED);
        let mut feed = kind.map(|kind| kind.shown(entry)).unwrap_or_default();
        feed["cache_timestamp"] = match entry.body.pointer("/cached/at").and_then(Value::as_i64) {
            Some(at) => at.to_string().into(),
            None => false.into(),
        };
        if !self.is_admin() {
            // Headers may hold a key; what went wrong may hold pieces of what only some may see.
            feed["headers"] = Value::Null;
            feed["url"] = address(self, entry).into();
            if let Some(feed) = feed.as_object_mut() {
                for name in ["last_fetch", "last_cache"] {
                    feed.shift_remove(name);
                }
            }
        }
        let mut shown = json!({"Feed": feed});
        let tag = text_of(entry.body.get("tag_id")).and_then(|tag| tag.parse::<i64>().ok()).unwrap_or(0);
        if tag > 0
            && let Some(tag) = self.store.tag_by_number(tag)?
        {
            shown["Tag"] = crate::shape::tag_value(&tag);
        }
        Ok(shown)
    }

    /// `feeds/index`
    pub fn feeds_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let (skip, limit) = page(&options, usize::MAX, usize::MAX);
        let entries = self.store.entries(FEED)?;
        let lines = entries.iter().filter(|entry| may_see(self, entry)).skip(skip).take(limit);
        let lines: Result<Vec<Value>, Fault> = lines.map(|entry| self.feed_shown(entry)).collect();
        Ok(Answer::json(&Value::Array(lines?)))
    }

    /// `feeds/view`
    pub fn feeds_view(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(FEED, "feed")?;
        if !may_see(self, &entry) {
            return Err(Fault::missing("feed"));
        }
        Ok(Answer::json(&self.feed_shown(&entry)?))
    }

    /// `feeds/enable`, `feeds/disable`
    pub fn feeds_switch(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(FEED, "feed")?;
        let on = self.call.action == "enable";
        let switched = Map::from_iter([("enabled".to_owned(), on.into())]);
        self.store.set_entry(self.actor(), FEED, entry.id, switched)?;
        let text = if on { "Feed enabled." } else { "Feed disabled." };
        Ok(Answer::json(&saved(text, &self.call.url, Some(entry.id.to_string()))))
    }

    /// `feeds/importFeeds`: a list of feeds as `feeds/index` gives it; what is there is left alone.
    pub fn feeds_import(&self) -> Result<Answer, Fault> {
        let given = match self.call.json()? {
            Value::Array(lines) => lines,
            Value::Object(map) => vec![Value::Object(map)],
            _ => return Err(Fault::bad_json()),
        };
        let held = self.store.entries(FEED)?;
        let kind = KINDS.iter().find(|kind| kind.kind == FEED);
        let (mut added, mut refused) = (0, 0);
        for line in &given {
            let Some(feed) = line.get("Feed").unwrap_or(line).as_object() else {
                refused += 1;
                continue;
            };
            let named = ["name", "url", "provider"]
                .iter()
                .all(|name| text_of(feed.get(*name)).is_some_and(|text| !text.is_empty()));
            if !named || held.iter().any(|entry| entry.body.get("url") == feed.get("url")) {
                refused += 1;
                continue;
            }
            let mut body = kind.map(|kind| kind.body(feed)).unwrap_or_default();
            super::without_numbers(&mut body);
            // Whether it is on is for this node's administrator to say.
            for name in ["enabled", "caching_enabled"] {
                body.insert(name.into(), false.into());
            }
            let own = self.call.caller.account.org;
            self.store.add_entry(self.actor(), FEED, &Uuid::new_v4().to_string(), (Some(own), None), body.into())?;
            added += 1;
        }
        let text =
            format!("{added} new feeds added, {refused} left out: there already, or without name, provider and url.");
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }
}
