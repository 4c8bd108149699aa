//! In which field of a JSON line something stands.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt::{self, Write};
use std::ops::Range;
use std::sync::Arc;

/// Fields within fields; what lies deeper is told by the path so far.
const DEPTH: usize = 32;
/// Bytes of a path.
const PATH: usize = 512;

type Found = Vec<Option<Arc<str>>>;

/// For each place of a line, in order, the dotted path of the member that holds it: `http.hostname`, `answers.0`.
/// A place in a name is in what has that name. `None` for all where the line is no JSON object or list.
pub(crate) fn fields(line: &[u8], places: &[Range<usize>]) -> Found {
    let mut found = vec![None; places.len()];
    // The mark of UTF-8 that a file may begin with is no part of its first line.
    let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    if !matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return found;
    }
    let mut level = Level { line: line.as_ptr() as usize, places, found: &mut found, path: String::new(), depth: 0 };
    if level.read(text).is_err() {
        found.fill(None);
    }
    found
}

/// A value that is being read. Places are in order, so those in a member are neighbours.
struct Level<'a> {
    /// Where the line starts in memory: places of values are told by where their text is.
    line: usize,
    places: &'a [Range<usize>],
    found: &'a mut [Option<Arc<str>>],
    path: String,
    depth: usize,
}

impl Level<'_> {
    fn read(&mut self, text: &[u8]) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        reader.deserialize_any(Parts(self))?;
        reader.end()
    }

    /// Names what stands in a member, whose name starts at `from`, and looks into it.
    fn member(&mut self, name: fmt::Arguments<'_>, from: usize, value: &RawValue) {
        let start = value.get().as_ptr() as usize - self.line;
        let end = start + value.get().len();
        let first = self.places.partition_point(|place| place.start < from);
        let count = self.places[first..].partition_point(|place| place.start < end);
        if count == 0 || self.path.len() >= PATH {
            return;
        }
        let before = self.path.len();
        let dot = if before > 0 { "." } else { "" };
        // A log may have names as long as its lines: each is cut, and kept once for all that stands in it.
        let _ = write!(Cut(&mut self.path), "{dot}{name}");
        let path: Arc<str> = self.path.as_str().into();
        for found in &mut self.found[first..first + count] {
            *found = Some(path.clone());
        }
        if self.depth < DEPTH && matches!(value.get().as_bytes().first(), Some(b'{' | b'[')) {
            let mut level = Level {
                line: self.line,
                places: &self.places[first..first + count],
                found: &mut self.found[first..first + count],
                path: std::mem::take(&mut self.path),
                depth: self.depth + 1,
            };
            // It has been read once already, so it is JSON.
            let _ = level.read(value.get().as_bytes());
            self.path = level.path;
        }
        self.path.truncate(before);
    }
}

/// A path that grows no further than [`PATH`].
struct Cut<'p>(&'p mut String);

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = PATH.saturating_sub(self.0.len());
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

struct Parts<'l, 'a>(&'l mut Level<'a>);

impl<'de> Visitor<'de> for Parts<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        // Behind the last member's value: the next one's name, and nothing else that could be found.
        let mut from = 0;
        while let Some(Name(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            self.0.member(format_args!("{name}"), from, value);
            from = value.get().as_ptr() as usize - self.0.line + value.get().len();
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        let (mut number, mut from) = (0, 0);
        while let Some(value) = seq.next_element::<&RawValue>()? {
            self.0.member(format_args!("{number}"), from, value);
            from = value.get().as_ptr() as usize - self.0.line + value.get().len();
            number += 1;
        }
        Ok(())
    }
}

/// A member's name, without a copy where it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(line: &str, parts: &[&str]) -> Vec<String> {
        let places: Vec<_> = parts.iter().map(|part| line.find(part).map(|at| at..at + part.len()).unwrap()).collect();
        fields(line.as_bytes(), &places)
            .into_iter()
            .map(|path| path.map_or("-".into(), |path| path.to_string()))
            .collect()
    }

    #[test]
    fn hits_are_in_fields() {
        let line = r#" {"a":"one","http":{"hostname" : "two","x":{"y\u002ez":[0,"three",["four"]]}},"five":6, "id.orig_h":"seven"}"#;
        let told = paths(line, &["one", "two", "three", "four", "five", "seven"]);
        assert_eq!(told, ["a", "http.hostname", "http.x.y.z.1", "http.x.y.z.2.0", "five", "id.orig_h"]);
        assert_eq!(paths(r#"["one",{"a":"two"}]"#, &["one", "two"]), ["0", "1.a"]);
        assert_eq!(paths("\u{feff}{\"a\":\"one\"}", &["one"]), ["a"], "the first line of a file with a mark");
    }

    #[test]
    fn what_is_no_json_has_none() {
        for line in ["one", "\"one\"", "{\"a\":\"one\"", "{\"a\":\"one\"} x", "{'a':'one'}", "[\"one\",]", "[one]"] {
            assert_eq!(paths(line, &["one"]), ["-"], "{line}");
        }
        assert_eq!(fields(b"{\"a\":\"\xff\"}", std::slice::from_ref(&(6..7))), [None]);
        let long = format!("{{\"{}\":{{\"a\":[\"one\"]}}}}", "k".repeat(100_000));
        assert_eq!(paths(&long, &["one"]), ["k".repeat(PATH)]);
        let deep = format!("{}\"one\"{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(paths(&deep, &["one"]), [["0"; DEPTH + 1].join(".")]);
        let deeper = format!("{}\"one\"{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(paths(&deeper, &["one"]).len(), 1);
    }
}
