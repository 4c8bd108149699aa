//! Putting objects into a collection of another server (TAXII 2.1 §5.5): in envelopes that it takes, and followed
//! until it says what became of each (§4.3).

use super::address::root_of;
use super::discover::{ApiRoot, offered};
use super::{ClientError, Server};
use manara_formats::Members;
use manara_model::record::telling;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::{Duration, Instant};
use url::Url;

/// Objects in one envelope.
const OBJECTS: usize = 1000;
/// Bytes of one, where the server takes more, or does not say.
const BYTES: u64 = 10 << 20;
const AROUND: usize = r#"{"objects":[]}"#.len();
/// Of an envelope that is refused as a whole, the halves are sent, so often; the rest of it has failed.
const SPLITS: u32 = 60;
/// Failures that are told of one by one.
const TOLD: usize = 10_000;

/// What became of what was sent.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Pushed {
    /// Objects that were sent.
    pub objects: u64,
    /// Taken.
    pub success_count: u64,
    /// Not taken.
    pub failure_count: u64,
    /// Not known when we stopped waiting.
    pub pending_count: u64,
    /// Envelopes that were sent.
    pub envelopes: u64,
    /// Which failed, and why.
    pub failures: Vec<Failure>,
    /// What should be known, in words.
    pub notes: Vec<String>,
}

/// An object that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its identifier.
    pub id: String,
    /// Why.
    pub message: String,
}

/// Puts objects into a collection, and hears what became of them.
pub struct Push<'p, 'w> {
    server: &'p Server<'w>,
    objects: Url,
    root: Url,
    most: usize,
    wait: Duration,
    splits: u32,
    batch: Vec<Box<RawValue>>,
    bytes: usize,
    done: Pushed,
    tell: &'p mut dyn FnMut(&Pushed),
}

impl<'p, 'w> Push<'p, 'w> {
    /// Into a collection that may be written to. What becomes of an envelope is waited for up to `wait`; `tell` hears
    /// how far it is after each.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn into(
        server: &'p Server<'w>,
        collection: &Url,
        wait: Duration,
        tell: &'p mut dyn FnMut(&Pushed),
    ) -> Result<Self, ClientError> {
        let there = match offered(server, collection) {
            Ok(there) => Some(there),
            // Some show a collection only to those who may read it.
            Err(ClientError::Refused { status: 403 | 405, .. } | ClientError::Content(_)) => None,
            Err(error) => return Err(error),
        };
        if there.is_some_and(|there| !there.can_write) {
            return Err(ClientError::Setup("this collection may not be written to by this account (can_write)".into()));
        }
        let root = root_of(collection);
        let said = ApiRoot::at(server, &root).ok().and_then(|root| root.max_content_length).filter(|most| *most > 0);
        let wrong = |error| ClientError::Setup(format!("'{collection}': {error}"));
        Ok(Push {
            server,
            objects: collection.join("objects/").map_err(wrong)?,
            root,
            most: usize::try_from(said.unwrap_or(BYTES).min(BYTES)).unwrap_or(usize::MAX),
            wait,
            splits: SPLITS,
            batch: Vec::new(),
            bytes: AROUND,
            done: Pushed::default(),
            tell,
        })
    }

    /// One more object; it goes with others.
    ///
    /// # Errors
    /// [`ClientError`]: the rest was not sent.
    pub fn add(&mut self, object: Box<RawValue>) -> Result<(), ClientError> {
        let length = object.get().len() + 1;
        self.done.objects += 1;
        if AROUND + length > self.most {
            let why = format!("has {length} bytes, and the server takes {} (max_content_length)", self.most);
            self.fail(&object, &why);
            return Ok(());
        }
        if self.bytes + length > self.most || self.batch.len() == OBJECTS {
            self.send_all()?;
        }
        self.bytes += length;
        self.batch.push(object);
        Ok(())
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// As [`Push::add`].
    pub fn finish(mut self) -> Result<Pushed, ClientError> {
        self.send_all()?;
        Ok(self.done)
    }

    fn send_all(&mut self) -> Result<(), ClientError> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = AROUND;
        if batch.is_empty() { Ok(()) } else { self.send(&batch) }
    }
}

/// The identifier of an object, for who reads of it.
fn id_of(object: &RawValue) -> String {
    telling(&Members::parse(object.get()).ok().and_then(|members| members.text("id")).unwrap_or_default())
}

impl Push<'_, '_> {
    fn fail(&mut self, object: &RawValue, why: &str) {
        self.done.failure_count += 1;
        self.tell_of(id_of(object), why.to_owned());
    }

    fn tell_of(&mut self, id: String, message: String) {
        if self.done.failures.len() < TOLD {
            self.done.failures.push(Failure { id, message });
        }
    }

    fn note(&mut self, note: &str) {
        if !self.done.notes.iter().any(|known| known == note) {
            self.done.notes.push(note.to_owned());
        }
    }

    fn send(&mut self, batch: &[Box<RawValue>]) -> Result<(), ClientError> {
        let mut body = String::from(r#"{"objects":["#);
        for (n, object) in batch.iter().enumerate() {
            body.push_str(if n == 0 { "" } else { "," });
            body.push_str(object.get());
        }
        body.push_str("]}");
        let sent = self.server.post(&self.objects, body.as_bytes());
        drop(body);
        match sent {
            Ok(mut reply) => {
                self.done.envelopes += 1;
                let status = reply.json()?;
                self.follow(status, batch)?;
            }
            // One that is wrong, or too much, is not to take the others with it.
            Err(ClientError::Refused { status: 400 | 413 | 422, .. }) if batch.len() > 1 && self.splits > 0 => {
                self.splits -= 1;
                let (one, other) = batch.split_at(batch.len() / 2);
                self.send(one)?;
                self.send(other)?;
            }
            Err(ClientError::Refused { status: status @ (400 | 413 | 422), said }) => {
                batch.iter().for_each(|object| self.fail(object, &format!("HTTP {status}: {said}")));
            }
            Err(error) => return Err(error),
        }
        (self.tell)(&self.done);
        Ok(())
    }

    /// Waits until the server says what became of an envelope.
    fn follow(&mut self, mut status: Value, batch: &[Box<RawValue>]) -> Result<(), ClientError> {
        let count = |status: &Value, name: &str| {
            let value = status.get(name);
            value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
        };
        let sent = batch.len() as u64;
        let Some(id) = status.get("id").and_then(Value::as_str).map(str::to_owned) else {
            self.note("the server took objects without saying what became of them");
            self.done.success_count += sent;
            return Ok(());
        };
        let (until, mut pause) = (Instant::now() + self.wait, Duration::from_millis(250));
        while status.get("status").and_then(Value::as_str) != Some("complete") {
            if Instant::now() + pause > until {
                self.note("the server was still busy with some of it when the time to wait was over");
                break;
            }
            self.server.sleep(pause)?;
            pause = (pause * 2).min(Duration::from_secs(5));
            let wrong = |error| ClientError::Content(format!("its status has a name that is none: {error}"));
            let mut url = self.root.clone();
            url.path_segments_mut().map_err(|()| wrong("no path"))?.pop_if_empty().extend(["status", &id, ""]);
            status = match self.server.get(&url) {
                Ok(mut reply) => reply.json()?,
                Err(ClientError::Refused { status: code, .. }) => {
                    self.note(&format!("the server took objects, and has no status of them (HTTP {code})"));
                    break;
                }
                Err(error) => return Err(error),
            };
        }
        let failed = count(&status, "failure_count").unwrap_or(0);
        let complete = status.get("status").and_then(Value::as_str) == Some("complete");
        let taken = count(&status, "success_count").unwrap_or(if complete { sent.saturating_sub(failed) } else { 0 });
        self.done.success_count += taken;
        self.done.failure_count += failed;
        self.done.pending_count += sent.saturating_sub(taken + failed);
        for failure in status.get("failures").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| failure.get(name).and_then(Value::as_str).map(telling).unwrap_or_default();
            // Of TAXII 2.0 some have the identifiers only.
            let id = failure.as_str().map(telling).unwrap_or_else(|| text("id"));
            self.tell_of(id, text("message"));
        }
        Ok(())
    }
}
