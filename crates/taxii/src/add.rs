//! Adding objects (TAXII 2.1 §5.5): small envelopes at once, large ones by a job, and the status of both (§4.3).

use crate::answer::{Answer, Fault};
use crate::call::Call;
use crate::collections::{COLLECTION, Collection};
use crate::jobs::QUIET;
use crate::known;
use crate::time;
use manara_formats::{Members, StixDefinitions, StixFacts};
use manara_model::{Level, Marking, UserId};
use manara_store::collections::{Arrival, Giver, Submission};
use manara_store::jobs::NewJob;
use manara_store::{Store, StoreError};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use uuid::Uuid;

/// The kind of a collection's jobs.
pub const JOB: &str = "collection";
/// Objects that are taken while the client waits.
pub(crate) const AT_ONCE: usize = 1000;
/// Objects in one envelope.
const MOST: usize = 20_000;
/// Bytes of one object.
const LARGEST: usize = 1_000_000;

/// How far an envelope is.
#[derive(Debug, Default)]
pub(crate) struct Report {
    successes: Vec<Value>,
    failures: Vec<Value>,
    /// How many of its objects were not looked at yet.
    pub(crate) pending: usize,
}

impl Report {
    pub(crate) fn shown(&self) -> Value {
        let mut told = json!({
            "total_count": self.successes.len() + self.failures.len() + self.pending,
            "success_count": self.successes.len(),
            "failure_count": self.failures.len(),
            "pending_count": self.pending,
        });
        for (name, list) in [("successes", &self.successes), ("failures", &self.failures)] {
            if !list.is_empty() {
                told[name] = json!(list);
            }
        }
        told
    }
}

/// An envelope's list: its first objects, and how many there are.
struct Listed<'a> {
    objects: Vec<&'a RawValue>,
    count: usize,
}

impl<'de> Deserialize<'de> for Listed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk;
        impl<'de> Visitor<'de> for Walk {
            type Value = Listed<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut listed = Listed { objects: Vec::new(), count: 0 };
                while let Some(raw) = list.next_element::<&RawValue>()? {
                    listed.count += 1;
                    if listed.count <= MOST {
                        listed.objects.push(raw);
                    }
                }
                Ok(listed)
            }
        }
        deserializer.deserialize_seq(Walk)
    }
}

/// The objects of an envelope.
pub(crate) fn objects_of(text: &str) -> Result<Vec<&RawValue>, Fault> {
    let no_envelope = |why: String| Fault::new(422, format!("the body is no envelope: {why}"));
    let at =
        |error: serde_json::Error| no_envelope(format!("line {}, column {}: {error}", error.line(), error.column()));
    let envelope = Members::parse(text).map_err(at)?;
    let mut given = envelope.all("objects");
    let list = given
        .next()
        .ok_or_else(|| no_envelope("an envelope has a list of objects: {\"objects\": […]} (TAXII 2.1 §3.7)".into()))?;
    if given.next().is_some() {
        return Err(no_envelope("'objects' stands in it twice".into()));
    }
    let listed: Listed<'_> =
        serde_json::from_str(list.get()).map_err(|_| no_envelope("'objects' is no list (TAXII 2.1 §3.7)".into()))?;
    if listed.count > MOST {
        let why = format!("at most 20,000 objects in an envelope; this one has {}. Send several", listed.count);
        // Not 413: that is said of bodies beyond max_content_length (§4.2.1).
        return Err(Fault::new(422, why));
    }
    if listed.objects.is_empty() {
        return Err(no_envelope("the list of objects is empty (TAXII 2.1 §3.7)".into()));
    }
    Ok(listed.objects)
}

/// Objects that were looked at: those that can be added, how each of them is named in the report, and what is said
/// of the others.
#[derive(Default)]
pub(crate) struct Sorted {
    pub(crate) arrivals: Vec<Arrival>,
    named: Vec<Named>,
    failures: Vec<Value>,
}

/// How an object that can be added is told of.
struct Named {
    id: String,
    /// Empty: it has none of its own.
    version: String,
    /// What its sender should know.
    message: Option<String>,
}

/// Looks at objects. `defined`: what is known of marking definitions; more is looked up where it is needed. `came`:
/// when, Unix microseconds.
pub(crate) fn sort(
    store: &Store,
    collection: &Collection,
    giver: &Giver,
    objects: &[&RawValue],
    defined: &mut StixDefinitions,
    came: i64,
) -> Result<Sorted, StoreError> {
    let mut looked = looked_at(objects, defined);
    let unknown: BTreeSet<String> = looked.iter().flatten().flat_map(|facts| facts.unknown.iter().cloned()).collect();
    if !unknown.is_empty() {
        known::look_up(store, collection, &unknown, defined)?;
        for (raw, looked) in objects.iter().zip(&mut looked) {
            if looked.as_ref().is_ok_and(|facts| !facts.unknown.is_empty()) {
                *looked = facts(raw.get(), defined);
            }
        }
    }
    let mut sorted = Sorted::default();
    for (raw, looked) in objects.iter().zip(looked) {
        let message = looked.as_ref().ok().and_then(not_known);
        match looked.and_then(|facts| arrival(collection, giver, raw.get(), facts)) {
            Ok(arrival) => {
                let id = format!("{}--{}", arrival.kind, arrival.uuid);
                sorted.named.push(Named { id, version: arrival.stated.clone(), message });
                sorted.arrivals.push(arrival);
            }
            Err(why) => {
                let text = |name: &str| Members::parse(raw.get()).ok().and_then(|members| members.text(name));
                let version = text("modified").or_else(|| text("created")).unwrap_or_else(|| time::text(came));
                let id = cut(&text("id").unwrap_or_default(), 300);
                sorted.failures.push(json!({"id": id, "version": cut(&version, 300), "message": why}));
            }
        }
    }
    Ok(sorted)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// What is said of an object with markings that nobody here knows.
fn not_known(facts: &StixFacts) -> Option<String> {
    let named: Vec<String> = facts.unknown.iter().take(3).map(|reference| cut(reference, 80)).collect();
    let (more, are) = match facts.unknown.len() {
        0 => return None,
        1 => ("", "is"),
        2 | 3 => ("", "are"),
        _ => (" and others", "are"),
    };
    let again = match facts.name.version {
        Some(_) => "send the definition, then the object again under a new version",
        // It can't have another version.
        None => "delete it, send the definition, then the object again",
    };
    Some(format!("{}{more} {are} not known here: kept for your organisation only; {again}", named.join(", ")))
}

impl Sorted {
    /// Tells in the report what became of them. `put`: version and newness of each that could be added.
    pub(crate) fn tell(&self, put: &[(i64, bool)], report: &mut Report) {
        report.failures.extend(self.failures.iter().cloned());
        for (named, (version, new)) in self.named.iter().zip(put) {
            // What has no version of its own has the one that its manifest entry tells.
            let version = if named.version.is_empty() { time::text(*version) } else { named.version.clone() };
            let mut success = json!({"id": named.id, "version": version});
            if !new {
                success["message"] = json!("this version was there already");
            } else if let Some(message) = &named.message {
                success["message"] = json!(message);
            }
            report.successes.push(success);
        }
    }
}

/// Objects that one thread looks at, at least: fewer are looked at before another thread has begun.
const SHARE: usize = 200;

/// What is known of each object. Who sends waits for it, so that another processor helps if it has nothing to do.
fn looked_at(objects: &[&RawValue], defined: &StixDefinitions) -> Vec<Result<StixFacts, String>> {
    let look = |objects: &[&RawValue]| objects.iter().map(|raw| facts(raw.get(), defined)).collect::<Vec<_>>();
    if objects.len() < 2 * SHARE {
        return look(objects);
    }
    let (own, other) = objects.split_at(objects.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| look(other));
        let mut looked = look(own);
        looked.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        looked
    })
}

/// What is known of an object that came.
fn facts(raw: &str, defined: &StixDefinitions) -> Result<StixFacts, String> {
    if raw.len() > LARGEST {
        return Err(format!("it has {} bytes; an object here has at most {LARGEST}", raw.len()));
    }
    StixFacts::of(raw, defined)
}

fn arrival(collection: &Collection, giver: &Giver, raw: &str, facts: StixFacts) -> Result<Arrival, String> {
    let name = facts.name;
    let version = match &name.version {
        Some(text) => Some(
            time::read(text)
                .ok_or_else(|| format!("its version '{}' is no time like 2016-01-01T01:01:01.000Z", cut(text, 60)))?,
        ),
        None => None,
    };
    let mut marking = collection.marking(facts.marking, giver.org);
    if !facts.unknown.is_empty() {
        // It may be as strict as any.
        marking = marking.meet(&Marking::default().at(Level::Organisation));
    }
    Ok(Arrival {
        kind: name.kind,
        uuid: name.uuid,
        version,
        stated: name.version.unwrap_or_default(),
        is_2_1: name.is_2_1,
        marking,
        personal: facts.personal,
        body: raw.to_owned(),
    })
}

/// Asks for what is to be done with a collection beside the requests.
pub(crate) fn job(collection: &Collection) -> NewJob {
    NewJob { kind: JOB, subject: collection.row, key: String::new(), org: Some(collection.org) }
}

/// §5.5
pub(crate) fn add(store: &Store, collection: &Collection, call: &mut Call<'_>) -> Result<Answer, Fault> {
    let most = call.most;
    let too_large = || {
        Fault::new(
            413,
            format!("a body here has at most {most} bytes (max_content_length); send the objects in several envelopes"),
        )
    };
    if call.length > most {
        return Err(too_large());
    }
    let mut body = Vec::new();
    call.body.take(most + 1).read_to_end(&mut body).map_err(|error| {
        Fault::new(400, format!("the body can't be read to its end, or is not packed as it says: {error}"))
    })?;
    if body.len() as u64 > most {
        return Err(too_large());
    }
    let text = String::from_utf8(body).map_err(|error| {
        Fault::new(422, format!("the body is no UTF-8 from byte {} on", error.utf8_error().valid_up_to()))
    })?;
    let objects = objects_of(&text)?;
    let account = &call.caller.account;
    let giver = Giver { org: account.org, actor: account.email.clone() };
    let requested = jiff::Timestamp::now().as_microsecond();
    let mut made = Submission {
        uuid: Uuid::new_v4(),
        collection: collection.row,
        account: account.uuid,
        requested,
        done: true,
        report: Value::Null,
    };
    if objects.len() <= AT_ONCE {
        let mut defined = known::of_envelope(store, collection, &objects)?;
        let mut sorted = sort(store, collection, &giver, &objects, &mut defined, requested)?;
        let arrivals = std::mem::take(&mut sorted.arrivals);
        let tell = move |put: &[(i64, bool)]| {
            let mut report = Report::default();
            sorted.tell(put, &mut report);
            report.shown()
        };
        let made = store.put_envelope(&giver, arrivals, made, tell, (job(collection), QUIET))?;
        return Ok(shown(&made).with_status(202));
    }
    let report = Report { pending: objects.len(), ..Report::default() };
    made.done = false;
    made.report = report.shown();
    // It waits in the store before anybody is told that it was taken.
    store.keep_envelope(made.clone(), &text, job(collection))?;
    Ok(shown(&made).with_status(202))
}

/// The status resource (§4.3.1).
fn shown(submission: &Submission) -> Answer {
    let mut told = json!({
        "id": submission.uuid,
        "status": if submission.done { "complete" } else { "pending" },
        "request_timestamp": time::text(submission.requested),
    });
    if let (Some(told), Some(report)) = (told.as_object_mut(), submission.report.as_object()) {
        told.extend(report.clone());
    }
    Answer::json(&told)
}

/// §4.3: who sent it asks for it, nobody else.
pub(crate) fn status(
    store: &Store,
    root: Option<manara_model::GroupId>,
    id: Uuid,
    account: UserId,
) -> Result<Answer, Fault> {
    let found = store.submission(id)?.filter(|submission| submission.account == account);
    let found = found.ok_or_else(|| Fault::missing("status"))?;
    let here = store.entry(COLLECTION, found.collection)?.is_some_and(|entry| Collection::at(entry, root));
    if here { Ok(shown(&found)) } else { Err(Fault::missing("status")) }
}
