//! Envelopes that another server answers with (TAXII 2.1 §3.7), read object by object: a page may be as large as its
//! server likes, and little of it is in memory at a time. It is read twice: first to see that all of it came, and only
//! then for its objects.

use super::ClientError;
use super::reply::{Reply, broken};
use crate::time;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt;

/// Objects that are handed on at a time: so many, or of so many bytes.
const RUN: usize = 1000;
const BYTES: usize = 8 << 20;

/// By what an object is known again.
type Print = [u8; 16];

/// A time that a server said, in Unix microseconds, and how fine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) at: i64,
    /// Microseconds.
    pub(crate) grain: i64,
}

impl Said {
    /// Reads a time as servers write it: with any digits of the second, with an offset, or with none.
    pub(crate) fn read(text: &str) -> Option<Said> {
        let text = text.trim();
        let at = time::read(text).or_else(|| time::read(&format!("{text}Z")))?;
        let digits = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        let grain = 10_i64.pow(6 - u32::try_from(digits.min(6)).unwrap_or(6));
        Some(Said { at, grain })
    }

    /// After this nothing is missed, however the server rounds, and however many objects came at one moment.
    pub(crate) fn before(self) -> i64 {
        self.at - self.grain
    }
}

/// A page.
pub(crate) struct Page {
    reply: Reply,
    /// It says that there is more.
    pub(crate) more: bool,
    /// How to ask for that.
    pub(crate) next: Option<String>,
    /// Of its objects.
    pub(crate) prints: Vec<Print>,
    /// Its first and last object's date, by its headers.
    pub(crate) dates: Option<(Said, Said)>,
    /// The server's clock, in Unix microseconds.
    pub(crate) clock: Option<i64>,
}

/// What an envelope says besides its objects.
#[derive(Default)]
struct Head {
    more: bool,
    next: Option<String>,
    known: bool,
    /// Members that belong to other resources.
    other: Option<String>,
}

type Each<'e> = &'e mut dyn FnMut(Box<RawValue>) -> Result<(), ClientError>;

/// Takes some objects.
pub(crate) type Take<'t> = &'t mut dyn FnMut(&[Box<RawValue>]) -> Result<(), ClientError>;

struct Walk<'e> {
    each: Each<'e>,
    /// Why `each` stopped.
    stopped: &'e mut Option<ClientError>,
}

/// Goes through the list of objects, or through nothing.
struct Objects<'a, 'e>(&'a mut Walk<'e>);

impl<'de> DeserializeSeed<'de> for Objects<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element::<Box<RawValue>>()? {
            if let Err(error) = (self.0.each)(raw) {
                *self.0.stopped = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut Walk<'_> {
    type Value = Head;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an envelope (TAXII 2.1 §3.7)")
    }
    // A list of objects without the envelope around it.
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Head, A::Error> {
        Objects(self).visit_seq(list)?;
        Ok(Head { known: true, ..Head::default() })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head, A::Error> {
        let mut head = Head::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "objects" => {
                    map.next_value_seed(Objects(self))?;
                    head.known = true;
                }
                "more" => {
                    head.more = matches!(map.next_value::<Value>()?, Value::Bool(true)) || head.more;
                    head.known = true;
                }
                "next" => {
                    head.next = match map.next_value::<Value>()? {
                        Value::String(next) => Some(next).filter(|next| !next.is_empty()),
                        Value::Number(next) => Some(next.to_string()),
                        _ => None,
                    };
                    head.known = true;
                }
                name => {
                    if matches!(name, "api_roots" | "versions" | "collections" | "can_read" | "http_status" | "title") {
                        head.other = Some(name.to_owned());
                    }
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(head)
    }
}

fn walk(reply: &mut Reply, each: Each<'_>) -> Result<Head, ClientError> {
    let Some(input) = &mut reply.body else { return Ok(Head { known: true, ..Head::default() }) };
    let reader = input.reader().map_err(ClientError::here)?;
    let mut stopped = None;
    let mut json = serde_json::Deserializer::from_reader(reader);
    let done =
        json.deserialize_any(&mut Walk { each, stopped: &mut stopped }).and_then(|head| json.end().map(|()| head));
    match (done, stopped) {
        (_, Some(stopped)) => Err(stopped),
        (Ok(head), None) => Ok(head),
        (Err(error), None) if error.is_data() => {
            Err(ClientError::Content(format!("answered with no envelope: {error}")))
        }
        (Err(error), None) => Err(broken(&error)),
    }
}

fn print(raw: &RawValue) -> Print {
    let digest = Sha256::digest(raw.get().as_bytes());
    let mut print = Print::default();
    print.copy_from_slice(&digest[..16]);
    print
}

impl Page {
    /// Of an answer.
    ///
    /// # Errors
    /// [`ClientError`]: it is no envelope, or not all of one.
    pub(crate) fn of(mut reply: Reply) -> Result<Page, ClientError> {
        let mut prints = Vec::new();
        let head = walk(&mut reply, &mut |raw| {
            prints.push(print(&raw));
            Ok(())
        })?;
        if let (false, Some(name)) = (head.known, &head.other) {
            return Err(ClientError::Content(format!(
                "answered with no envelope of objects, but with something that has '{name}': is this a collection?"
            )));
        }
        let said = |name: &str| reply.header(name).and_then(Said::read);
        // Some give one of the two; and those that don't sort give them the wrong way round.
        let dates = match (said("x-taxii-date-added-first"), said("x-taxii-date-added-last")) {
            (Some(first), Some(last)) if first.at > last.at => Some((last, first)),
            (Some(first), Some(last)) => Some((first, last)),
            (None, Some(last)) => Some((last, last)),
            (_, None) => None,
        };
        let clock = reply.clock();
        Ok(Page { more: head.more, next: head.next, prints, dates, clock, reply })
    }

    /// Of the whole page; pages of the same objects have the same.
    pub(crate) fn print(&self) -> Print {
        let mut hash = Sha256::new();
        self.prints.iter().for_each(|print| hash.update(print));
        let mut print = Print::default();
        print.copy_from_slice(&hash.finalize()[..16]);
        print
    }

    /// Hands on its objects, some at a time, without those that are known already.
    ///
    /// # Errors
    /// Those of `take`.
    pub(crate) fn each_run(&mut self, known: &HashSet<Print>, take: Take<'_>) -> Result<(), ClientError> {
        let (mut run, mut bytes, mut at) = (Vec::new(), 0, 0);
        let prints = std::mem::take(&mut self.prints);
        let done = walk(&mut self.reply, &mut |raw| {
            at += 1;
            if prints.get(at - 1).is_some_and(|print| known.contains(print)) {
                return Ok(());
            }
            bytes += raw.get().len();
            run.push(raw);
            if run.len() >= RUN || bytes >= BYTES {
                take(&run)?;
                run.clear();
                bytes = 0;
            }
            Ok(())
        });
        self.prints = prints;
        done?;
        if run.is_empty() { Ok(()) } else { take(&run) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_fineness_are_read() {
        let at = 1_478_090_074_000_000;
        for (text, grain) in [
            ("2016-11-02T12:34:34.000000Z", 1),
            ("2016-11-02T12:34:34.000Z", 1000),
            ("2016-11-02T12:34:34Z", 1_000_000),
            ("2016-11-02T12:34:34.000000+00:00", 1),
            ("2016-11-02T12:34:34+00:00", 1_000_000),
            ("2016-11-02 12:34:34.000000000Z", 1),
            ("2016-11-02T12:34:34.000000", 1),
            (" 2016-11-02T12:34:34 ", 1_000_000),
        ] {
            assert_eq!(Said::read(text), Some(Said { at, grain }), "{text}");
        }
        for text in ["", "yesterday", "2016-11-02", "1478090074"] {
            assert_eq!(Said::read(text), None, "{text}");
        }
    }
}
