//! References of STIX objects to others that the reader may not see (STIX 2.1 §2.9, §4, §5): a hint of something
//! hidden leaves neither as a relationship nor in a list.

use serde_json::Value;
use std::collections::HashSet;
use uuid::Uuid;

/// What an identifier names: type, in lower case, and UUID. However it is written, it names the same.
pub type Reference = (String, Uuid);

/// The object that an identifier names; `None`: it is none.
fn named(id: &str) -> Option<Reference> {
    let (kind, uuid) = id.trim().rsplit_once("--")?;
    Some((kind.to_ascii_lowercase(), uuid.parse().ok()?))
}

/// Properties without which an object says nothing: if what they name is hidden, so is the object.
/// The same for a marking: without it the object would look as if it might go further.
const VITAL: &[&str] = &["source_ref", "target_ref", "sighting_of_ref", "object_ref", "sample_ref", "marking_ref"];
/// And lists of which each member counts.
const VITAL_LISTS: &[&str] = &["object_marking_refs"];

/// Is it a property that names another object, or several (STIX 2.1 §3.1: `_ref`, `_refs`)?
fn is_reference(name: &str) -> bool {
    name.ends_with("_ref") || name.ends_with("_refs")
}

/// What an object refers to, at any depth; nothing where it is no JSON.
#[must_use]
pub fn references(raw: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    // The names of properties may be written with escapes.
    if (raw.contains("_ref") || raw.contains("\\u"))
        && let Ok(object) = serde_json::from_str::<Value>(raw)
    {
        collect(&object, &mut found);
    }
    found
}

fn collect(value: &Value, found: &mut Vec<Reference>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if is_reference(name) {
                    let several = value.as_array().into_iter().flatten();
                    found.extend(several.chain([value]).filter_map(Value::as_str).filter_map(named));
                }
                collect(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// Takes the references to hidden objects out; false: nothing may be left of the object. One that refers to none
/// of them stays as it came, to the byte.
#[must_use]
pub fn without(raw: &mut String, hidden: &HashSet<Reference>) -> bool {
    if !references(raw).iter().any(|id| hidden.contains(id)) {
        return true;
    }
    let Ok(mut object) = serde_json::from_str::<Value>(raw) else { return false };
    if !prune(&mut object, hidden) {
        return false;
    }
    *raw = object.to_string();
    true
}

fn prune(value: &mut Value, hidden: &HashSet<Reference>) -> bool {
    match value {
        Value::Object(map) => {
            let is_hidden = |value: &Value| value.as_str().and_then(named).is_some_and(|id| hidden.contains(&id));
            let mut gone = Vec::new();
            for (name, value) in map.iter_mut() {
                if is_reference(name) {
                    if is_hidden(value) {
                        gone.push(name.clone());
                    } else if let Value::Array(items) = value {
                        let before = items.len();
                        items.retain(|item| !is_hidden(item));
                        if items.len() < before && VITAL_LISTS.contains(&name.as_str()) {
                            return false;
                        }
                        // Lists are never empty (STIX 2.1 §2.10); what is about nothing is nothing.
                        if items.is_empty() && before > 0 {
                            if name == "object_refs" {
                                return false;
                            }
                            gone.push(name.clone());
                        }
                    }
                }
                if !prune(value, hidden) {
                    return false;
                }
            }
            if gone.iter().any(|name| VITAL.contains(&name.as_str())) {
                return false;
            }
            gone.iter().for_each(|name| drop(map.shift_remove(name)));
            true
        }
        Value::Array(items) => items.iter_mut().all(|item| prune(item, hidden)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In these tests `x--1` stands for an identifier of the type `x`.
    fn full(text: &str) -> String {
        let mut text = text.to_owned();
        for n in 1..=9 {
            text = text.replace(&format!("--{n}"), &format!("--0000000a-0000-4000-8000-00000000000{n}"));
        }
        text
    }

    fn id(short: &str) -> Reference {
        named(&full(short)).unwrap()
    }

    fn is_left(raw: &str, hidden: &[&str], expected: Option<&str>) {
        let mut raw = full(raw);
        let is_left = without(&mut raw, &hidden.iter().map(|short| id(short)).collect());
        assert_eq!(is_left.then_some(raw), expected.map(full));
    }

    #[test]
    fn a_relationship_to_something_hidden_is_hidden() {
        let raw = r#"{"type":"relationship","source_ref":"a--1","target_ref":"b--2"}"#;
        is_left(raw, &["b--2"], None);
        is_left(raw, &["c--3"], Some(raw));
        is_left(r#"{"type":"sighting","sighting_of_ref":"a--1"}"#, &["a--1"], None);
    }

    #[test]
    fn a_report_keeps_what_may_be_seen() {
        let raw = r#"{"type":"report","created_by_ref":"identity--9","object_refs":["a--1", "b--2"]}"#;
        let one = r#"{"type":"report","created_by_ref":"identity--9","object_refs":["b--2"]}"#;
        is_left(raw, &["a--1"], Some(one));
        is_left(raw, &["a--1", "b--2"], None);
        is_left(raw, &["identity--9"], Some(r#"{"type":"report","object_refs":["a--1","b--2"]}"#));
    }

    #[test]
    fn what_has_a_hidden_marking_is_hidden() {
        is_left(r#"{"type":"x","object_marking_refs":["a--1","b--2"]}"#, &["a--1"], None);
        is_left(r#"{"type":"x","granular_markings":[{"marking_ref":"a--1","selectors":["x"]}]}"#, &["a--1"], None);
    }

    #[test]
    fn references_stand_at_any_depth() {
        let raw = r#"{"type":"x","extensions":{"e":{"inner_refs":["a--1"]}},"list":[{"z_ref":"b--2"}],"plain":"c--3"}"#;
        assert_eq!(references(&full(raw)), [id("a--1"), id("b--2")]);
        is_left(raw, &["a--1", "b--2"], Some(r#"{"type":"x","extensions":{"e":{}},"list":[{}],"plain":"c--3"}"#));
        assert!(references("no json with a _ref").is_empty());
    }

    #[test]
    fn however_a_reference_is_written_it_is_one() {
        let big = full("a--1").to_uppercase();
        is_left(&format!(r#"{{"type":"relationship","source_ref":"{big}"}}"#), &["a--1"], None);
        is_left(r#"{"type":"relationship","source\u005fref":"a--1"}"#, &["a--1"], None);
        is_left(r#"{"type":"relationship","source_\u0072ef":"\u0061--1"}"#, &["a--1"], None);
        assert!(references(r#"{"a_ref":"no identifier","b_ref":"a--b"}"#).is_empty());
    }
}
