//! Adding objects (TAXII 2.1 §5.5): small envelopes at once, large ones by a job, and the status of both (§4.3).

use crate::answer::{Answer, Fault};
use crate::call::Call;
use crate::collections::{COLLECTION, Collection};
use crate::jobs::QUIET;
use crate::time;
use manara_formats::{Members, StixFacts, stix_definition};
use manara_model::{Tlp, UserId};
use manara_store::Store;
use manara_store::collections::{Arrival, Giver, Submission};
use manara_store::jobs::NewJob;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Read;
use uuid::Uuid;

/// The kind of a collection's jobs.
pub const JOB: &str = "collection";
/// Objects that are taken while the client waits.
pub(crate) const AT_ONCE: usize = 1000;

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

/// The TLP of the marking definitions among objects.
pub(crate) fn definitions(objects: &[&RawValue]) -> HashMap<String, Tlp> {
    objects.iter().filter_map(|raw| stix_definition(raw.get())).collect()
}

/// The objects of an envelope.
pub(crate) fn objects_of(text: &str) -> Result<Vec<&RawValue>, String> {
    let at = |error: serde_json::Error| format!("line {}, column {}: {error}", error.line(), error.column());
    let envelope = Members::parse(text).map_err(at)?;
    let given =
        envelope.get("objects").ok_or("an envelope has a list of objects: {\"objects\": […]} (TAXII 2.1 §3.7)")?;
    let objects: Vec<&RawValue> =
        serde_json::from_str(given.get()).map_err(|_| "'objects' is no list (TAXII 2.1 §3.7)".to_owned())?;
    if objects.is_empty() {
        return Err("the list of objects is empty (TAXII 2.1 §3.7)".into());
    }
    Ok(objects)
}

/// Objects that were looked at: those that can be added, how each of them is named in the report, and what is said
/// of the others.
#[derive(Default)]
pub(crate) struct Sorted {
    pub(crate) arrivals: Vec<Arrival>,
    /// Identifier and version; empty: it has none of its own.
    named: Vec<(String, String)>,
    failures: Vec<Value>,
}

/// Looks at objects. `came`: when, Unix microseconds.
pub(crate) fn sort(
    collection: &Collection,
    giver: &Giver,
    objects: &[&RawValue],
    defined: &HashMap<String, Tlp>,
    came: i64,
) -> Sorted {
    let mut sorted = Sorted::default();
    for raw in objects {
        match arrival(collection, giver, raw.get(), defined) {
            Ok(arrival) => {
                sorted.named.push((format!("{}--{}", arrival.kind, arrival.uuid), arrival.stated.clone()));
                sorted.arrivals.push(arrival);
            }
            Err(why) => {
                let text = |name: &str| Members::parse(raw.get()).ok().and_then(|members| members.text(name));
                let cut = |text: String| text.chars().take(300).collect::<String>();
                let version = text("modified").or_else(|| text("created")).unwrap_or_else(|| time::text(came));
                let id = cut(text("id").unwrap_or_default());
                sorted.failures.push(json!({"id": id, "version": cut(version), "message": why}));
            }
        }
    }
    sorted
}

impl Sorted {
    /// Tells in the report what became of them. `put`: version and newness of each that could be added.
    pub(crate) fn tell(&self, put: &[(i64, bool)], report: &mut Report) {
        report.failures.extend(self.failures.iter().cloned());
        for ((id, stated), (version, new)) in self.named.iter().zip(put) {
            // What has no version of its own has the one that its manifest entry tells.
            let version = if stated.is_empty() { time::text(*version) } else { stated.clone() };
            let mut success = json!({"id": id, "version": version});
            if !new {
                success["message"] = json!("this version was there already");
            }
            report.successes.push(success);
        }
    }
}

fn arrival(
    collection: &Collection,
    giver: &Giver,
    raw: &str,
    defined: &HashMap<String, Tlp>,
) -> Result<Arrival, String> {
    let facts = StixFacts::of(raw, defined)?;
    let version = match &facts.version {
        Some(text) => Some(time::read(text).ok_or_else(|| {
            let text: String = text.chars().take(60).collect();
            format!("its version '{text}' is no time like 2016-01-01T01:01:01.000Z")
        })?),
        None => None,
    };
    Ok(Arrival {
        kind: facts.kind,
        uuid: facts.uuid,
        version,
        stated: facts.version.unwrap_or_default(),
        is_2_1: facts.is_2_1,
        marking: collection.marking(facts.marking, giver.org),
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
    let objects = objects_of(&text).map_err(|why| Fault::new(422, format!("the body is no envelope: {why}")))?;
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
        let mut sorted = sort(collection, &giver, &objects, &definitions(&objects), requested);
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
