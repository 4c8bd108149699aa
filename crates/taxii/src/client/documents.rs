//! The objects in files that are to be sent: bundles, envelopes, lists, single objects, and several of these one after
//! the other (JSON Lines). A bundle of a million objects is read object by object.

use super::ClientError;
use manara_formats::Input;
use manara_model::record::telling;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

type Each<'e> = &'e mut dyn FnMut(Box<RawValue>) -> Result<(), ClientError>;
type Member = (String, Box<RawValue>);

/// Hands on each object.
///
/// # Errors
/// [`ClientError::Setup`]: the file has something else in it; and those of `each`.
pub fn each_object(input: &mut Input, each: Each<'_>) -> Result<(), ClientError> {
    let name = telling(input.name());
    let reader = input.reader().map_err(ClientError::here)?;
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut stopped = None;
    while json.end().is_err() {
        let read = Document { each: &mut *each, stopped: &mut stopped }.deserialize(&mut json);
        if let Some(stopped) = stopped {
            return Err(stopped);
        }
        read.map_err(|error| ClientError::Setup(format!("{name}: {}", telling(&error.to_string()))))?;
    }
    Ok(())
}

struct Document<'e> {
    each: Each<'e>,
    stopped: &'e mut Option<ClientError>,
}

impl Document<'_> {
    fn give<E: Error>(&mut self, raw: Box<RawValue>) -> Result<(), E> {
        if !raw.get().starts_with('{') {
            return Err(E::custom("a STIX object is expected here, in braces"));
        }
        (self.each)(raw).map_err(|error| {
            *self.stopped = Some(error);
            E::custom("stopped")
        })
    }
}

/// An object of its members.
fn object<E: Error>(members: &[Member]) -> Result<Box<RawValue>, E> {
    let mut text = String::from("{");
    for (n, (name, value)) in members.iter().enumerate() {
        text.push_str(if n == 0 { "" } else { "," });
        text.push_str(&serde_json::Value::from(name.as_str()).to_string());
        text.push(':');
        text.push_str(value.get());
    }
    text.push('}');
    RawValue::from_string(text).map_err(E::custom)
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a STIX bundle, an envelope, or an object")
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element()? {
            self.give(raw)?;
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let (mut members, mut is_list, mut kind) = (Vec::<Member>::new(), false, None);
        while let Some(name) = map.next_key::<String>()? {
            // Observed data of STIX 2.0 has objects that are a part of it.
            if name == "objects" && matches!(kind.as_deref(), None | Some("bundle")) {
                match map.next_value_seed(Objects(&mut self))? {
                    Some(inner) => members.push((name, inner)),
                    None => is_list = true,
                }
                continue;
            }
            let value: Box<RawValue> = map.next_value()?;
            if name == "type" {
                kind = serde_json::from_str::<String>(value.get()).ok();
            }
            members.push((name, value));
        }
        // A bundle, or an envelope, may be empty.
        let is_around = is_list || kind.as_deref() == Some("bundle") || members.is_empty();
        if is_around { Ok(()) } else { self.give(object(&members)?) }
    }
}

/// What stands at `objects`: a list, which is handed on; or a part of an object, which is given back.
struct Objects<'a, 'e>(&'a mut Document<'e>);

impl<'de> DeserializeSeed<'de> for Objects<'_, '_> {
    type Value = Option<Box<RawValue>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_, '_> {
    type Value = Option<Box<RawValue>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while let Some(raw) = list.next_element()? {
            self.0.give(raw)?;
        }
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        object(&members).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manara_formats::Limits;

    fn objects(text: &str) -> Result<Vec<String>, ClientError> {
        let mut found = Vec::new();
        let mut input = Input::from_reader("f.json", text.as_bytes(), Limits::default()).unwrap();
        each_object(&mut input, &mut |raw| {
            found.push(raw.get().to_owned());
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn objects_stand_in_bundles_envelopes_lists_lines_or_alone() {
        let (one, two) = (r#"{"type":"a","id":"a--1","n":1.0}"#, r#"{"id":"b--2","type":"b"}"#);
        for text in [
            format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{one},{two}]}}"#),
            format!(r#"{{"objects":[{one},{two}],"id":"bundle--1","type":"bundle"}}"#),
            format!(r#"{{"objects":[{one},{two}],"more":false}}"#),
            format!("[{one}, {two}]"),
            format!("{one}\n{two}\n"),
            format!("{one}\n{{\"objects\":[{two}]}}\n{{}} {{\"type\":\"bundle\"}} {{\"objects\":null}}"),
        ] {
            assert_eq!(objects(&text).unwrap(), [one, two], "{text}");
        }
    }

    #[test]
    fn objects_of_an_observation_are_a_part_of_it() {
        for text in [
            r#"{"type":"observed-data","objects":{"0":{"type":"file","name":"\"x"}},"id":"o"}"#,
            r#"{"objects":{"0":{"type":"file"}},"type":"observed-data"}"#,
        ] {
            assert_eq!(objects(text).unwrap(), [text]);
        }
    }

    #[test]
    fn what_is_none_is_said_with_its_place() {
        for (text, says) in [
            ("{\"type\":\"a\"", "EOF"),
            ("7", "f.json"),
            ("[7]", "in braces"),
            ("{}\n{]", "line 2"),
            (r#"{"objects":7}"#, "a list"),
        ] {
            let error = objects(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
