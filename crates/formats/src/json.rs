//! JSON as it came: members of an object in their order, each value still raw text.

use crate::input::InputError;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::map::{Entry, Map};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;

/// An object's members, in order.
pub struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk;
        impl<'de> Visitor<'de> for Walk {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    members.push((key.0, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Walk)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Members<'a> {
    /// From an object as text.
    ///
    /// # Errors
    /// It is no object.
    pub fn parse(raw: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(raw)
    }

    /// A member's raw value; of several with one name the last, as every JSON reader has it.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// The raw values of all members with one name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a RawValue> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| *value)
    }

    /// A member's text. Numbers count as text, since MISP writes either.
    pub fn text(&self, name: &str) -> Option<String> {
        let raw = self.get(name)?.get();
        match raw.as_bytes().first()? {
            b'"' => serde_json::from_str(raw).ok(),
            b'0'..=b'9' | b'-' => Some(raw.to_owned()),
            _ => None,
        }
    }

    /// A member that says yes: `true`, `1`, `"1"`.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|raw| matches!(raw.get(), "true" | "1" | "\"1\"" | "\"true\""))
    }

    /// A member's list of raw values; `None` where it is no list.
    pub fn list(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The object again, without the members that `drop` names.
    pub fn without(&self, drop: impl Fn(&str, &RawValue) -> bool) -> String {
        let mut out = String::from("{");
        for (key, value) in self.0.iter().filter(|(key, value)| !drop(key, value)) {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&quoted(key));
            out.push(':');
            out.push_str(value.get());
        }
        out.push('}');
        out
    }
}

/// A value, and the name of a member that stands twice in one object of it, at whatever depth: two readers would
/// understand two things. `raw` is not nested deeper than the parser goes (see [`check`]).
///
/// # Errors
/// It is no JSON.
pub(crate) fn read(raw: &str) -> serde_json::Result<(Value, Option<String>)> {
    let mut twice = None;
    let mut reader = serde_json::Deserializer::from_str(raw);
    let value = Once(&mut twice).deserialize(&mut reader)?;
    reader.end()?;
    Ok((value, twice))
}

/// Reads a value and notes the first member that stands twice; the last one counts, as every JSON reader has it.
struct Once<'f>(&'f mut Option<String>);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Once(&mut *self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(Once(&mut *self.0))?;
            match members.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(mut entry) => {
                    self.0.get_or_insert_with(|| entry.key().clone());
                    entry.insert(value);
                }
            }
        }
        Ok(Value::Object(members))
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Is this an empty list?
pub(crate) fn is_empty_list(raw: &RawValue) -> bool {
    raw.get().strip_prefix('[').is_some_and(|rest| rest.trim_start() == "]")
}

/// SHA-256 of text.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// SHA-256 of what a value says, however its members are ordered and its text is spelt: another program that hands an
/// object on writes it anew. Numbers count as they are written.
pub(crate) fn digest_of(value: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    add(value, &mut hash);
    hash.finalize().into()
}

fn add(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            hash.update([b'{']);
            for (name, value) in members {
                add_text(name, hash);
                add(value, hash);
            }
            hash.update([b'}']);
        }
        Value::Array(items) => {
            hash.update([b'[']);
            items.iter().for_each(|item| add(item, hash));
            hash.update([b']']);
        }
        Value::String(text) => add_text(text, hash),
        other => {
            let text = other.to_string();
            hash.update([b'#']);
            add_text(&text, hash);
        }
    }
}

fn add_text(text: &str, hash: &mut Sha256) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

/// A JSON error with its place; the depth of brackets is looked at before any recursion.
pub(crate) fn check(name: &str, text: &str, depth: usize) -> Result<(), InputError> {
    let (bytes, mut open, mut at) = (text.as_bytes(), 0usize, 0usize);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = after_text(bytes, at),
            b'{' | b'[' => {
                open += 1;
                if open > depth {
                    let line = 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count();
                    let reason =
                        format!("brackets stand more than {depth} deep in one another; no document of this kind does");
                    return Err(InputError::new(name, format!("line {line}"), reason));
                }
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Where a text ends that begins here; the end of all where it does not.
fn after_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if bytes[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// Turns the parser's error into ours, with line and column.
pub(crate) fn located(name: &str, error: &serde_json::Error) -> InputError {
    let place = format!("line {}, column {}", error.line(), error.column());
    let mut reason = error.to_string();
    if let Some(at) = reason.rfind(" at line ") {
        reason.truncate(at);
    }
    InputError::new(name, place, format!("is no valid JSON: {reason}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_found_at_every_depth() {
        let of = |text: &str| read(text).unwrap().1;
        assert_eq!(of(r#"{"a":1,"b":[{"a":1.5e3},{"a":null,"c":"x","\u0063":true}]}"#).as_deref(), Some("c"));
        assert_eq!(of(r#"{"a":{"a":{"a":-1}},"b":[{"a":1},{"a":123456789012345678901234567890}]}"#), None);
        assert!(read(r#"{"a":1} x"#).is_err());
    }

    #[test]
    fn brackets_in_texts_are_none() {
        let is_ok = |text: &str| check("", text, 2).is_ok();
        assert!(is_ok(r#"{"a":"[[[[","b\"[[":["\\"],"c":[]}"#) && is_ok(r#"["\"#) && is_ok(r#"["[[["#) && is_ok(""));
        assert!(!is_ok(r#"{"a":"\\","b":[[]]}"#) && !is_ok("[[[") && !is_ok(r#"["]]]",[[]]]"#));
        let error = check("f", "{\n\"a\n\":[\n[1]]}", 2).unwrap_err().to_string();
        assert!(error.contains("line 4"), "{error}");
    }

    #[test]
    fn what_is_read_in_one_walk_is_what_the_parser_reads() {
        for text in [
            r#"{"a":1,"b":[{"a":1.5e3},{"a":null,"c":"x","\u0063":true}],"a":-2}"#,
            r#"[18446744073709551615,-9223372036854775808,123456789012345678901234567890,0.1,"\u00e9",{}]"#,
        ] {
            assert_eq!(read(text).unwrap().0, serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_said_counts_and_not_how_it_is_spelt() {
        let of = |text: &str| digest_of(&serde_json::from_str(text).unwrap());
        let one = of(r#"{"a": 1, "b": ["x", {"c": "\u00e9", "d": null}]}"#);
        assert_eq!(one, of(r#"{"b":["x",{"d":null,"c":"é"}],"a":1}"#));
        for other in [
            r#"{"a": 2, "b": ["x", {"c": "é", "d": null}]}"#,
            r#"{"a": "1", "b": ["x", {"c": "é", "d": null}]}"#,
            r#"{"a": 1, "b": ["x"], "c": "é", "d": null}"#,
            r#"{"a": 1, "b": [{"c": "é", "d": null}, "x"]}"#,
            r#"{"a": 1.0, "b": ["x", {"c": "é", "d": null}]}"#,
            r#"{"a": 1, "b": ["x", {"c": "é", "d": "null"}]}"#,
        ] {
            assert_ne!(one, of(other), "{other}");
        }
    }
}
