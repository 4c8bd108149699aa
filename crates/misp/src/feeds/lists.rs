//! Lists as events: one event that is kept in step with the list, or a new one whenever it has changed.

use super::list::Reading;
use super::source::{Got, Known};
use super::{FeedError, FeedReport, Taker};
use crate::answer::Fault;
use crate::body::Body;
use crate::ids;
use crate::shape::{body_of, datetime, uuid_of};
use manara_formats::Input;
use manara_model::observable::{Observable, misp_type};
use manara_model::record::{Slot, flag_of, text_of};
use manara_store::view::{EventRow, Which};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::{Seek, SeekFrom, Write};
use uuid::Uuid;

/// Parts that are changed at once: what an event of a million values has new is written in runs.
const RUN: usize = 20_000;
/// What is kept in memory of an event that is made ready.
const IN_MEMORY: usize = 8 << 20;

/// A digest of type and value: a list may have a million of them.
type Mark = [u8; 16];

fn mark(ty: &str, value: &str) -> Mark {
    let mut hash = Md5::new();
    hash.update(ty.as_bytes());
    hash.update([0]);
    hash.update(value.as_bytes());
    hash.finalize().into()
}

/// An observable as an attribute, in MISP's default type and category for it.
pub(super) fn attribute(found: &Observable, detect: Option<bool>) -> Map<String, Value> {
    let ty = found.ty().row().misp_default;
    let known = misp_type(ty);
    let detect = detect.unwrap_or_else(|| known.is_some_and(|known| known.to_ids));
    let category = known.map_or("Other", |known| known.default_category);
    let body = json!({"type": ty, "category": category, "value": found.value(), "to_ids": detect, "distribution": "5"});
    body.as_object().cloned().unwrap_or_default()
}

fn mark_of(found: &Observable) -> Mark {
    mark(found.ty().row().misp_default, found.value())
}

/// An event that is written down, an attribute after the other.
struct Draft {
    file: tempfile::SpooledTempFile,
    count: usize,
}

impl Draft {
    fn begin(head: &Map<String, Value>) -> Result<Draft, FeedError> {
        let mut text = serde_json::to_string(head).map_err(Fault::from)?;
        text.pop();
        let mut file = tempfile::SpooledTempFile::new(IN_MEMORY);
        write!(file, "{{\"Event\":{text},\"Attribute\":[")?;
        Ok(Draft { file, count: 0 })
    }

    fn push(&mut self, attribute: &Map<String, Value>) -> Result<(), FeedError> {
        if self.count > 0 {
            self.file.write_all(b",")?;
        }
        self.count += 1;
        serde_json::to_writer(&mut self.file, attribute).map_err(Fault::from)?;
        Ok(())
    }

    fn end(mut self) -> Result<Body, FeedError> {
        self.file.write_all(b"]}}")?;
        self.file.seek(SeekFrom::Start(0))?;
        Body::take(&mut self.file, u64::MAX - 1)?.ok_or_else(|| FeedError::Content("is too large".into()))
    }
}

/// What of an event is to be changed.
struct Changes<'t, 'a> {
    taker: &'t Taker<'a>,
    event: Uuid,
    /// The event's clock after the next run.
    clock: i64,
    open: Option<Draft>,
}

impl Changes<'_, '_> {
    fn push(&mut self, part: &Map<String, Value>, report: &mut FeedReport) -> Result<(), FeedError> {
        if self.open.as_ref().is_some_and(|draft| draft.count >= RUN) {
            self.flush(report)?;
        }
        let draft = match &mut self.open {
            Some(draft) => draft,
            None => {
                let publish = self.taker.flag("publish");
                let mut head = json!({"uuid": self.event, "timestamp": self.clock.to_string(), "published": publish});
                if publish {
                    head["publish_timestamp"] = self.clock.to_string().into();
                }
                self.open.insert(Draft::begin(&head.as_object().cloned().unwrap_or_default())?)
            }
        };
        draft.push(part)
    }

    fn flush(&mut self, report: &mut FeedReport) -> Result<(), FeedError> {
        let Some(draft) = self.open.take() else { return Ok(()) };
        self.clock += 1;
        self.taker.write(Some(self.event), draft.end()?, &self.event.to_string(), report)
    }
}

impl Taker<'_> {
    /// Fetches a list; by what it is known from now on, and the event that holds it.
    pub(super) fn fetch_list(
        &self,
        known: Option<&Known>,
        report: &mut FeedReport,
    ) -> Result<(Option<Known>, Option<Uuid>), FeedError> {
        let reading = Reading::of(self.entry)?;
        self.tag()?;
        let Some(Got { mut input, known }) = self.source.get(&self.source.itself(), known)? else {
            report.unmodified = true;
            return Ok((None, None));
        };
        let mut values: HashMap<Mark, bool> = HashMap::new();
        let rows = reading.each(&mut input, &mut |found| {
            values.insert(mark_of(found), false);
            Ok(())
        })?;
        report.rows(rows);
        report.offered = values.len();
        if values.is_empty() {
            // Nor is an event emptied for a list that is suddenly none.
            let first =
                report.rejections.first().map(|one| format!("; {}: {}", one.place, one.reason)).unwrap_or_default();
            return Err(FeedError::Content(format!(
                "holds no value that is known here, in {} rows{first}",
                report.rejected
            )));
        }
        let fixed = self.flag("fixed_event");
        let held = if fixed { self.held_event()? } else { None };
        let event = match &held {
            None => self.new_event(&reading, &mut input, values, report)?,
            Some(held) => self.update_event(held, &reading, &mut input, values, report)?,
        };
        report.event = Some(event);
        Ok((Some(known), fixed.then_some(event)))
    }

    /// The event that the feed keeps in step, if it is there.
    fn held_event(&self) -> Result<Option<EventRow>, FeedError> {
        let Some(which) = ids::which(&self.text("event_id")).filter(|which| !matches!(which, Which::Number(0))) else {
            return Ok(None);
        };
        Ok(self.own_view()?.event(which)?)
    }

    fn new_event(
        &self,
        reading: &Reading,
        input: &mut Input,
        mut values: HashMap<Mark, bool>,
        report: &mut FeedReport,
    ) -> Result<Uuid, FeedError> {
        let store = self.context.store;
        let uuid = Uuid::new_v4();
        let author = match self.text("orgc_id").as_str() {
            "" | "0" => self.org(),
            named => match self.context.identify("org", named)? {
                Some(org) => manara_model::OrgId(org),
                None => return Err(FeedError::Setup(format!("orgc_id: there is no organisation {named}"))),
            },
        };
        let day: String = datetime(self.context.now * 1000).chars().take(10).collect();
        let mut head = json!({
            "uuid": uuid, "info": format!("{} feed", self.text("name")), "date": day, "analysis": "2", "threat_level_id": "4",
            "Orgc": {"uuid": author, "name": store.facts()?.name(author)}, "published": self.flag("publish"), "locked": false,
        });
        if let Some(head) = head.as_object_mut() {
            self.distribute(head);
            if self.text("distribution") == "5" {
                head.insert("distribution".into(), "0".into());
            }
            self.mark(head)?;
        }
        let mut draft = Draft::begin(&head.as_object().cloned().unwrap_or_default())?;
        let detect = self.detect();
        reading.each(input, &mut |found| {
            let Some(here) = values.get_mut(&mark_of(found)).filter(|here| !**here) else { return Ok(()) };
            *here = true;
            draft.push(&attribute(found, detect))
        })?;
        let count = values.len();
        drop(values);
        let before = report.rejected;
        self.write(None, draft.end()?, input.name(), report)?;
        report.added = count.saturating_sub(report.rejected - before);
        Ok(uuid)
    }

    fn update_event(
        &self,
        held: &EventRow,
        reading: &Reading,
        input: &mut Input,
        mut values: HashMap<Mark, bool>,
        report: &mut FeedReport,
    ) -> Result<Uuid, FeedError> {
        let event = held.head.uuid;
        let merge = self.flag("delta_merge");
        // Identifiers of those that are gone, and of those that are there again.
        let (mut gone, mut back, mut deleted) = (Vec::new(), Vec::new(), HashMap::new());
        self.own_view()?.parts_in_order::<FeedError>(&held.head, |part| {
            if part.slot != Slot::Attribute {
                return Ok(());
            }
            let body = body_of(&part.raw);
            let text = |name: &str| text_of(body.get(name)).unwrap_or_default();
            let mark = mark(&text("type"), &text("value"));
            match (values.get_mut(&mark), flag_of(body.get("deleted"))) {
                (Some(here), false) => *here = true,
                (Some(_), true) => drop(deleted.insert(mark, uuid_of(held, &part))),
                (None, false) if merge => gone.push(uuid_of(held, &part)),
                (None, _) => {}
            }
            Ok(())
        })?;
        report.unchanged = values.values().filter(|here| **here).count();
        for (mark, uuid) in deleted {
            if values.insert(mark, true) == Some(true) {
                continue;
            }
            // What the feed took out comes back with it; else somebody took it out, and out it stays.
            if merge {
                back.push(uuid);
            } else {
                report.skip("deleted here");
            }
        }
        let clock = self.context.now.max(held.touched + 1);
        let mut changes = Changes { taker: self, event, clock, open: None };
        let part = |uuid: &Uuid, deleted: bool| {
            let body = json!({"uuid": uuid, "deleted": deleted});
            body.as_object().cloned().unwrap_or_default()
        };
        for uuid in &gone {
            changes.push(&part(uuid, true), report)?;
        }
        for uuid in &back {
            changes.push(&part(uuid, false), report)?;
        }
        let (detect, mut added, before) = (self.detect(), back.len(), report.rejected);
        reading.each(input, &mut |found| {
            let Some(here) = values.get_mut(&mark_of(found)).filter(|here| !**here) else { return Ok(()) };
            *here = true;
            added += 1;
            changes.push(&attribute(found, detect), report)
        })?;
        changes.flush(report)?;
        report.removed = gone.len();
        report.added = added.saturating_sub(report.rejected - before);
        Ok(event)
    }
}
