//! Open feeds that many know, as data: `data/feeds.tsv`.

use super::FEED;
use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use serde_json::{Value, json};
use uuid::Uuid;

/// The feeds, as entries.
fn feeds() -> impl Iterator<Item = Value> {
    let lines = include_str!("../../data/feeds.tsv").lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.filter_map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, provider, format, url, columns, delimiter, kept] = fields[..] else { return None };
        let bare = |field: &str| if field == "-" { String::new() } else { field.to_owned() };
        let settings = match format {
            "csv" => json!({"csv": {"value": bare(columns), "delimiter": bare(delimiter)}, "common": {"excluderegex": ""}}).to_string(),
            _ => "[]".to_owned(),
        };
        let kept = kept == "yes";
        Some(json!({
            "name": name, "provider": provider, "url": url, "source_format": format, "input_source": "network", "settings": settings,
            "enabled": false, "caching_enabled": false, "default": true, "fixed_event": kept, "delta_merge": kept, "distribution": "0",
        }))
    })
}

impl Context<'_> {
    /// `feeds/loadDefaultFeeds`: those that are not there yet, all of them off.
    pub fn feeds_defaults(&self) -> Result<Answer, Fault> {
        let held = self.store.entries(FEED)?;
        let own = self.call.caller.account.org;
        for body in feeds() {
            if held.iter().any(|entry| entry.body.get("url") == body.get("url")) {
                continue;
            }
            self.store.add_entry(self.actor(), FEED, &Uuid::new_v4().to_string(), (Some(own), None), body)?;
        }
        Ok(Answer::json(&saved("Default feed metadata loaded.", &self.call.url, None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_line_is_a_feed() {
        let lines = include_str!("../../data/feeds.tsv").lines().filter(|line| !line.starts_with('#')).count();
        let all: Vec<Value> = feeds().collect();
        assert_eq!(all.len(), lines - 1);
        let urls: BTreeSet<&str> = all.iter().filter_map(|feed| feed["url"].as_str()).collect();
        assert_eq!(urls.len(), all.len(), "each once");
        assert!(urls.iter().all(|url| url.starts_with("https://")));
        assert!(all.iter().all(|feed| ["misp", "csv", "freetext"].contains(&feed["source_format"].as_str().unwrap())));
    }
}
