//! A request's body: in memory where it is small, else in a file that has no name; and the event that
//! stands in it, its parts one after the other, so that half a million of them are never held at once.

use crate::answer::Fault;
use flate2::Compression;
use flate2::write::GzEncoder;
use manara_formats::Members;
use manara_model::record::Slot;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

/// Larger bodies go to a file.
const IN_MEMORY: u64 = 8 << 20;
/// Most bytes that are read at once; an event's parts are read one by one.
const AT_ONCE: u64 = 64 << 20;

/// See the module.
#[derive(Debug, Clone)]
pub struct Body(Kept);

#[derive(Debug, Clone)]
enum Kept {
    Memory(Arc<Vec<u8>>),
    File(Arc<File>),
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body(Kept::Memory(Arc::new(bytes)))
    }
}

impl From<&Value> for Body {
    fn from(value: &Value) -> Body {
        Body::from(value.to_string().into_bytes())
    }
}

impl From<tempfile::SpooledTempFile> for Body {
    fn from(spooled: tempfile::SpooledTempFile) -> Body {
        match spooled.into_inner() {
            tempfile::SpooledData::InMemory(bytes) => Body::from(bytes.into_inner()),
            tempfile::SpooledData::OnDisk(file) => Body(Kept::File(Arc::new(file))),
        }
    }
}

impl Body {
    /// How many bytes it has.
    ///
    /// # Errors
    /// The file can't be asked.
    pub(crate) fn length(&self) -> io::Result<u64> {
        match &self.0 {
            Kept::Memory(bytes) => Ok(bytes.len() as u64),
            Kept::File(file) => Ok(file.metadata()?.len()),
        }
    }

    /// The same, packed with gzip.
    ///
    /// # Errors
    /// It can't be read, or there is no room.
    pub(crate) fn packed(&self) -> Result<Body, Fault> {
        let spool = tempfile::SpooledTempFile::new(IN_MEMORY as usize);
        let mut packer = GzEncoder::new(spool, Compression::fast());
        io::copy(&mut self.reader()?, &mut packer)?;
        Ok(Body::from(packer.finish()?))
    }

    /// Hands on the items of the list that it is, or that stands in it as `response`, one by one.
    ///
    /// # Errors
    /// What `take` says; it is no list.
    pub(crate) fn each_item(&self, mut take: impl FnMut(Value) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut stopped = None;
        let mut reader = serde_json::Deserializer::from_reader(self.reader()?);
        let items = Items(&mut |item| take(item).map_err(|fault| stopped = Some(fault)).is_ok());
        let read = items.deserialize(&mut reader).and_then(|()| reader.end());
        match (stopped, read) {
            (Some(fault), _) => Err(fault),
            (None, read) => read.map_err(|_| Fault::bad_json()),
        }
    }

    /// Takes a body from where it comes; `None`: it has more than `most` bytes.
    ///
    /// # Errors
    /// It can't be read, or there is no room for it.
    pub fn take(from: impl Read, most: u64) -> io::Result<Option<Body>> {
        let mut from = from.take(most.saturating_add(1));
        let mut begin = Vec::new();
        (&mut from).take(IN_MEMORY).read_to_end(&mut begin)?;
        if (begin.len() as u64) < IN_MEMORY {
            return Ok((begin.len() as u64 <= most).then(|| Body::from(begin)));
        }
        let mut file = tempfile::tempfile()?;
        file.write_all(&begin)?;
        let length = begin.len() as u64 + io::copy(&mut from, &mut file)?;
        Ok((length <= most).then(|| Body(Kept::File(Arc::new(file)))))
    }

    /// All of it.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, Fault> {
        match &self.0 {
            Kept::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
            Kept::File(file) => {
                if file.metadata()?.len() > AT_ONCE {
                    let text =
                        format!("Only an event may have more than {AT_ONCE} bytes; send the rest in several requests.");
                    return Err(Fault::new(413, text));
                }
                let mut bytes = Vec::new();
                self.reader()?.read_to_end(&mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// From its beginning.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn reader(&self) -> Result<Box<dyn Read + '_>, Fault> {
        Ok(match &self.0 {
            Kept::Memory(bytes) => Box::new(bytes.as_slice()),
            Kept::File(file) => {
                let mut file: &File = file;
                file.seek(SeekFrom::Start(0))?;
                Box::new(BufReader::with_capacity(256 * 1024, file))
            }
        })
    }

    /// The event in it: `{"Event": {…}}`, or the event itself.
    ///
    /// # Errors
    /// It is no JSON, or no object.
    pub fn event(&self) -> Result<Given<'_>, Fault> {
        match &self.0 {
            Kept::Memory(bytes) => in_memory(bytes),
            Kept::File(..) => {
                let mut walk = Walk::default();
                walk.over(self)?;
                Ok(Given { head: walk.head, parts: Parts::Streamed(self, walk.present) })
            }
        }
    }
}

/// Reads a list item by item, until `false`.
struct Items<'f>(&'f mut dyn FnMut(Value) -> bool);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            if !(self.0)(item) {
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Items(take) = self;
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "response" {
                found = true;
                map.next_value_seed(Items(&mut *take))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::custom("no list")) }
    }
}

/// Lists of parts, in the order in which they are kept.
pub(crate) const LISTS: &[(&str, Slot)] = &[
    ("Attribute", Slot::Attribute),
    ("Object", Slot::Object),
    ("EventReport", Slot::EventReport),
    ("ShadowAttribute", Slot::Proposal),
];

/// An event's own members, and its parts as they came.
pub struct Given<'a> {
    pub(crate) head: Map<String, Value>,
    parts: Parts<'a>,
}

enum Parts<'a> {
    Here(Vec<(Slot, &'a RawValue)>),
    Streamed(&'a Body, Vec<&'static str>),
}

impl Given<'_> {
    /// There are no parts in it.
    pub(crate) fn is_bare(&self) -> bool {
        match &self.parts {
            Parts::Here(parts) => parts.is_empty(),
            Parts::Streamed(_, present) => present.is_empty(),
        }
    }

    /// Every part, with its number among all.
    ///
    /// # Errors
    /// What `take` says; the body can't be read again.
    pub(crate) fn each(&self, mut take: impl FnMut(usize, Slot, &RawValue) -> Result<(), Fault>) -> Result<(), Fault> {
        match &self.parts {
            Parts::Here(parts) => parts.iter().enumerate().try_for_each(|(n, (slot, raw))| take(n, *slot, raw)),
            Parts::Streamed(body, present) => {
                let mut n = 0;
                for (name, slot) in LISTS.iter().filter(|(name, _)| present.contains(name)) {
                    let mut emit = |raw: &RawValue| {
                        n += 1;
                        take(n - 1, *slot, raw)
                    };
                    let mut walk = Walk { wanted: Some((*name, &mut emit)), ..Walk::default() };
                    walk.over(body)?;
                }
                Ok(())
            }
        }
    }
}

fn in_memory(body: &[u8]) -> Result<Given<'_>, Fault> {
    let text = std::str::from_utf8(body).map_err(|_| Fault::bad_json())?;
    let members = Members::parse(text).map_err(|_| Fault::bad_json())?;
    let inner = members.get("Event").or_else(|| members.get("request"));
    let text = match inner {
        Some(raw) if raw.get().starts_with('{') => raw.get(),
        _ => text,
    };
    let members = Members::parse(text).map_err(|_| Fault::bad_json())?;
    if members.get("Event").is_some_and(|raw| raw.get().starts_with('{')) {
        return in_memory(text.as_bytes());
    }
    let head = members.without(|name, _| LISTS.iter().any(|(list, _)| *list == name));
    let mut parts = Vec::new();
    for (name, slot) in LISTS {
        if let Some(items) = members.list(name) {
            parts.extend(items.into_iter().map(|item| (*slot, item)));
        } else if let Some(raw) = members.get(name).filter(|raw| raw.get().starts_with('{')) {
            // One attribute without its list.
            parts.push((*slot, raw));
        }
    }
    Ok(Given { head: serde_json::from_str(&head).map_err(|_| Fault::bad_json())?, parts: Parts::Here(parts) })
}

/// Hands on a part.
type Emit<'f> = &'f mut dyn FnMut(&RawValue) -> Result<(), Fault>;

/// One walk over a body in a file: notes its head, or hands on the parts of one list.
#[derive(Default)]
struct Walk<'f> {
    wanted: Option<(&'static str, Emit<'f>)>,
    head: Map<String, Value>,
    present: Vec<&'static str>,
    stopped: Option<Fault>,
}

impl Walk<'_> {
    fn over(&mut self, body: &Body) -> Result<(), Fault> {
        let mut reader = serde_json::Deserializer::from_reader(body.reader()?);
        let read = EventSeed { walk: self, depth: 0 }.deserialize(&mut reader).and_then(|()| reader.end());
        match (self.stopped.take(), read) {
            (Some(fault), _) => Err(fault),
            (None, Err(_)) => Err(Fault::bad_json()),
            (None, Ok(())) => Ok(()),
        }
    }

    fn emit<E: serde::de::Error>(&mut self, raw: &RawValue) -> Result<(), E> {
        let Some((_, emit)) = &mut self.wanted else { return Ok(()) };
        emit(raw).map_err(|fault| {
            self.stopped = Some(fault);
            E::custom("stopped")
        })
    }
}

struct EventSeed<'w, 'f> {
    walk: &'w mut Walk<'f>,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for EventSeed<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EventSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let EventSeed { walk, depth } = self;
        while let Some(name) = map.next_key::<String>()? {
            if matches!(name.as_str(), "Event" | "request") && depth < 3 {
                // What stood beside it is no part of the event.
                walk.head.clear();
                map.next_value_seed(EventSeed { walk, depth: depth + 1 })?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(());
            }
            match LISTS.iter().find(|(list, _)| *list == name) {
                Some((list, _)) => {
                    if !walk.present.contains(list) {
                        walk.present.push(list);
                    }
                    let wanted = walk.wanted.as_ref().is_some_and(|(wanted, _)| wanted == list);
                    if wanted {
                        map.next_value_seed(ListSeed(walk))?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                None if walk.wanted.is_some() => {
                    map.next_value::<IgnoredAny>()?;
                }
                None => {
                    walk.head.insert(name, map.next_value()?);
                }
            }
        }
        Ok(())
    }
}

struct ListSeed<'w, 'f>(&'w mut Walk<'f>);

impl<'de> DeserializeSeed<'de> for ListSeed<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(raw) = items.next_element::<Box<RawValue>>()? {
            self.0.emit(&raw)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // One attribute without its list.
        let mut one = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            one.insert(name, value);
        }
        let raw = serde_json::value::to_raw_value(&one).map_err(A::Error::custom)?;
        self.0.emit(&raw)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(given: &Given<'_>) -> Vec<(usize, u8, String)> {
        let mut all = Vec::new();
        given
            .each(|n, slot, raw| {
                all.push((n, slot as u8, raw.get().to_owned()));
                Ok(())
            })
            .unwrap();
        all
    }

    #[test]
    fn a_body_in_a_file_is_read_as_one_in_memory() {
        for text in [
            r#"{"Event":{"info":"a","Object":[{"name":"o"}],"Attribute":[{"value":"1"},{"value":"2"}],"Tag":[{"name":"t"}]}}"#,
            r#"{"request":{"Event":{"info":"b","Attribute":{"value":"alone"},"x":null}}}"#,
            r#"{"info":"c","ShadowAttribute":[],"EventReport":null,"Attribute":[3,"x"]}"#,
        ] {
            let memory = Body::from(text.as_bytes().to_vec());
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let file = Body(Kept::File(Arc::new(file)));
            let (one, other) = (memory.event().unwrap(), file.event().unwrap());
            assert_eq!(one.head, other.head, "{text}");
            assert_eq!(parts(&one), parts(&other), "{text}");
        }
        for text in ["[1]", "{\"Event\":{\"info\":", "{} {}"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert!(Body(Kept::File(Arc::new(file))).event().is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_is_read_item_by_item() {
        let mut seen = Vec::new();
        Body::from(b"[1, {\"a\": 2}]".to_vec())
            .each_item(|item| {
                seen.push(item);
                Ok(())
            })
            .unwrap();
        assert_eq!(Value::Array(seen), serde_json::json!([1, {"a": 2}]));
        let mut seen = Vec::new();
        Body::from(br#"{"a": {}, "response": [1, 2]}"#.to_vec())
            .each_item(|item| {
                seen.push(item);
                Ok(())
            })
            .unwrap();
        assert_eq!(Value::Array(seen), serde_json::json!([1, 2]));
        for text in ["{}", "{\"response\": 3}", "[1,", "[1] 2", ""] {
            assert!(Body::from(text.as_bytes().to_vec()).each_item(|_| Ok(())).is_err(), "{text}");
        }
        let stopped = Body::from(b"[1, 2]".to_vec()).each_item(|_| Err(Fault::missing("it")));
        assert_eq!(stopped.unwrap_err().status, 404);
    }

    #[test]
    fn a_packed_body_is_the_same_unpacked() {
        let text = vec![b'x'; 100_000];
        let packed = Body::from(text.clone()).packed().unwrap();
        assert!(packed.length().unwrap() < 1000);
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(packed.reader().unwrap()).read_to_end(&mut out).unwrap();
        assert_eq!(out, text);
    }

    #[test]
    fn a_large_body_goes_to_a_file_and_too_large_a_one_nowhere() {
        let large = vec![b' '; (IN_MEMORY + 5) as usize];
        let kept = Body::take(large.as_slice(), IN_MEMORY * 2).unwrap().unwrap();
        assert!(matches!(kept.0, Kept::File(_)));
        assert_eq!(kept.bytes().unwrap().len(), large.len());
        assert!(Body::take(large.as_slice(), IN_MEMORY + 4).unwrap().is_none());
        assert!(Body::take(&b"12345"[..], 4).unwrap().is_none());
    }
}
