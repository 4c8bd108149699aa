//! How a head and a part look to those who don't hold them.

use super::{Found, Head, Part, StixObject};
use crate::Label;
use crate::observable::{Observable, Privacy};
use crate::policy::{Labelled, Redactor};
use serde_json::Value;

/// Members of JSON bodies that speak of the holder, not of the content: who typed it, what else the
/// holder has (a correlation tells of other records), who saw it, who is in the sharing group; and notes, which
/// have markings of their own.
const HOLDERS_OWN: &[&str] = &[
    "event_creator_email",
    "RelatedEvent",
    "Sighting",
    "Feed",
    "warnings",
    "ShadowAttribute",
    "Note",
    "Opinion",
    "Relationship",
];

impl Labelled for Head {
    fn label(&self) -> &Label {
        &self.label
    }

    fn redact(&mut self, _redactor: &Redactor<'_>) {
        self.source.clear();
        self.parts = None;
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
        redact_body(&mut self.raw, &mut self.found, redactor);
    }
}

impl Labelled for StixObject {
    fn label(&self) -> &Label {
        &self.label
    }

    fn redact(&mut self, redactor: &Redactor<'_>) {
        redact_body(&mut self.raw, &mut self.personal, redactor);
    }
}

/// Puts pseudonyms in the place of what identifies persons, and takes out what speaks of the holder. A body in
/// which there is neither stays as it came, to the byte.
fn redact_body(raw: &mut String, found: &mut [Found], redactor: &Redactor<'_>) {
    let mut swaps: Vec<(String, String)> = Vec::new();
    for found in found {
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
    if swaps.is_empty() && !may_speak_of_the_holder(raw) {
        return;
    }
    let swap = |text: &str| {
        swaps.iter().fold(text.to_owned(), |text, (value, pseudonym)| replace_folded(&text, value, pseudonym))
    };
    if let Some(body) = scrub_with(raw, &swap, &swaps) {
        *raw = body;
    } else if !swaps.is_empty() {
        *raw = if spells_all(raw, &swaps) { swap(raw) } else { pseudonyms(&swaps) };
    }
}

/// Is there a member in it that [`walk`] would take out or change? Its name may be spelt with escapes: what holds
/// an escaped letter is looked at member by member.
fn may_speak_of_the_holder(raw: &str) -> bool {
    let escaped_letter = |(at, _): (usize, &str)| matches!(raw.as_bytes().get(at + 4), Some(b'4'..=b'7'));
    let quoted = |(at, name): (usize, &str)| {
        let bytes = raw.as_bytes();
        at > 0 && bytes[at - 1] == b'"' && bytes.get(at + name.len()) == Some(&b'"')
    };
    raw.match_indices("\\u00").any(escaped_letter)
        || HOLDERS_OWN.iter().chain(&["SharingGroup"]).any(|name| raw.match_indices(name).any(quoted))
}

/// Does every value stand in the text as it was normalised? A number with blanks does not, and can't
/// be replaced in its place: then the whole text goes. Better no text than a leak.
fn spells_all(text: &str, swaps: &[(String, String)]) -> bool {
    let lower = text.to_lowercase();
    swaps.iter().all(|(value, _)| lower.contains(&value.to_lowercase()))
}

fn pseudonyms(swaps: &[(String, String)]) -> String {
    swaps.iter().map(|(_, pseudonym)| pseudonym.as_str()).collect::<Vec<_>>().join("|")
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
    scrub_with(raw, swap, &[])
}

/// Rewrites a JSON object; `None` when `raw` is not one (a text line).
fn scrub_with(raw: &str, swap: &dyn Fn(&str) -> String, swaps: &[(String, String)]) -> Option<String> {
    if !raw.trim_start().starts_with('{') {
        return None;
    }
    // What can't be read can't be cleaned, and stays here.
    let Ok(mut body) = serde_json::from_str::<Value>(raw) else { return Some("{}".into()) };
    let (value, before) = (body.get("value").and_then(Value::as_str).map(str::to_owned), body.clone());
    walk(&mut body, swap);
    if let Some(map) = body.as_object_mut() {
        match value {
            // An attribute, or a plain observable: its value has one place.
            Some(value) if !spells_all(&value, swaps) => {
                map.insert("value".into(), Value::String(pseudonyms(swaps)));
            }
            Some(_) => {}
            // Of anything else that spells a person in another way, nothing is told.
            None if !spells_all(raw, swaps) => {
                map.retain(|key, _| matches!(key.as_str(), "type" | "id" | "uuid" | "spec_version"));
            }
            None => {}
        }
    }
    // Where nothing had to go, it is spelt as it came.
    if body == before { Some(raw.to_owned()) } else { serde_json::to_string(&body).ok() }
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
