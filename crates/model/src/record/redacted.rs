//! How a head and a part look to those who don't hold them.

use super::{Head, Part};
use crate::Label;
use crate::observable::{Observable, Privacy};
use crate::policy::{Labelled, Redactor};
use serde_json::Value;

/// Members of JSON bodies that speak of the holder, not of the content: who typed it, what else the
/// holder has (a correlation tells of other records), who saw it, who is in the sharing group.
const HOLDERS_OWN: &[&str] =
    &["event_creator_email", "RelatedEvent", "Sighting", "Feed", "warnings", "ShadowAttribute"];

impl Labelled for Head {
    fn label(&self) -> &Label {
        &self.label
    }

    fn redact(&mut self, _redactor: &Redactor<'_>) {
        self.source.clear();
        self.redacted = true;
        if let Some(body) = scrub(&self.skeleton, &|text| text.to_owned()) {
            self.skeleton = body;
        }
    }
}

impl Labelled for Part {
    fn label(&self) -> &Label {
        &self.label
    }

    fn redact(&mut self, redactor: &Redactor<'_>) {
        let mut swaps: Vec<(String, String)> = Vec::new();
        for found in &mut self.found {
            let row = found.observable.ty().row();
            let hide = match row.privacy {
                Privacy::None => false,
                Privacy::Person => true,
                // An address that its author wants looked for is the adversary's, not a victim's.
                Privacy::Contact => !found.detect,
            };
            if hide {
                let pseudonym = redactor.pseudonym(row.name, found.observable.value());
                swaps.push((found.observable.value().to_owned(), pseudonym.clone()));
                found.observable = Observable::from_store(found.observable.ty(), pseudonym);
            }
        }
        let swap = |text: &str| {
            swaps.iter().fold(text.to_owned(), |text, (value, pseudonym)| replace_folded(&text, value, pseudonym))
        };
        // A single observable of a person stands in `value` in whatever spelling: that whole text goes.
        let whole = (swaps.len() == 1 && self.found.len() == 1).then(|| swaps[0].1.clone());
        if let Some(body) = scrub_with(&self.raw, &swap, whole.as_deref()) {
            self.raw = body;
        } else if !swaps.is_empty() {
            let swapped = swap(&self.raw);
            // A spelling that could not be found in the text: better no text than a leak.
            self.raw = if swapped == self.raw { whole.unwrap_or_default() } else { swapped };
        }
    }
}

/// Replaces every occurrence of `value` in `text`, whatever its letters' case.
fn replace_folded(text: &str, value: &str, by: &str) -> String {
    if value.is_empty() {
        return text.to_owned();
    }
    let (haystack, needle) = (text.to_ascii_lowercase(), value.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = haystack[from..].find(&needle) {
        out.push_str(&text[from..from + at]);
        out.push_str(by);
        from += at + needle.len();
    }
    out.push_str(&text[from..]);
    out
}

fn scrub(raw: &str, swap: &dyn Fn(&str) -> String) -> Option<String> {
    scrub_with(raw, swap, None)
}

/// Rewrites a JSON object; `None` when `raw` is not one (a text line).
fn scrub_with(raw: &str, swap: &dyn Fn(&str) -> String, whole_value: Option<&str>) -> Option<String> {
    if !raw.trim_start().starts_with('{') {
        return None;
    }
    let mut body: Value = serde_json::from_str(raw).ok()?;
    walk(&mut body, swap);
    if let (Some(whole), Some(map)) = (whole_value, body.as_object_mut())
        && map.contains_key("value")
    {
        map.insert("value".into(), Value::String(whole.into()));
    }
    serde_json::to_string(&body).ok()
}

fn walk(value: &mut Value, swap: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = swap(text),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, swap)),
        Value::Object(map) => {
            for key in HOLDERS_OWN {
                map.shift_remove(*key);
            }
            // MISP#10019: the receiver learns which group it is in, not who else is.
            if let Some(Value::Object(group)) = map.get_mut("SharingGroup") {
                group.retain(|key, _| key == "uuid" || key == "name");
            }
            map.values_mut().for_each(|item| walk(item, swap));
        }
        _ => {}
    }
}
