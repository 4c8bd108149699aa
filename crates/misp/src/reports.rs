//! `/eventReports`: what an event means, in sentences.

use crate::answer::{Answer, Fault, saved};
use crate::call::Method;
use crate::context::Context;
use crate::events::describe;
use crate::search::each_event;
use crate::shape::{Deleted, Scribe, body_of};
use manara_model::record::{Slot, flag_of, text_of};
use manara_model::{Cleared, Part};
use manara_store::Change;
use manara_store::view::{EventFilter, EventRow, View};
use serde_json::{Value, json};

const REPORT: &[Slot] = &[Slot::EventReport];

impl Context<'_> {
    fn report_line(&self, view: &View<'_>, event: &EventRow, part: &Cleared<Part>) -> Value {
        let scribe = Scribe::new(view, self.call.caller.account.org);
        let head = scribe.event_head(event);
        json!({
            "EventReport": scribe.report(event, part),
            "Event": {
                "id": head["id"], "orgc_id": head["orgc_id"], "org_id": head["org_id"], "info": head["info"], "user_id": "0", "date": head["date"],
                "Org": {"id": head["Org"]["id"], "name": head["Org"]["name"]}, "Orgc": {"id": head["Orgc"]["id"], "name": head["Orgc"]["name"]},
            },
            "SharingGroup": {"id": null, "name": null, "uuid": null}, "RelationshipInbound": [],
        })
    }

    /// `eventReports/add/EVENT`; `GET` tells a server that this node knows reports.
    pub fn reports_add(&self) -> Result<Answer, Fault> {
        if self.call.method == Method::Get {
            return Ok(describe(
                "/event_reports/add",
                "POST a report in JSON format to create a report for the provided event",
                &["name"],
                &["distribution", "content"],
            ));
        }
        let given = self.call.object("EventReport")?;
        let named = self.call.arg(0).map(str::to_owned);
        let (row, number) = self.again(|| {
            let view = self.view()?;
            let event = self.event(&view, named.as_deref())?;
            self.may_change(&event)?;
            let body = self.report(&given, None).map_err(|errors| Fault::unsaved("add", "EventReport", errors))?;
            let head = self.touched(&event);
            drop(view);
            let done =
                self.amend(&event, head, false, vec![Change::Add(Self::draft(Slot::EventReport, body, None))])?;
            Ok((event.head.row, done.added.first().copied().unwrap_or_default()))
        })?;
        let view = self.view()?;
        let (event, part) = view.part_numbered(row, number)?.ok_or_else(|| Fault::missing("report"))?;
        Ok(Answer::json(&self.report_line(&view, &event, &part)))
    }

    /// `eventReports/view`
    pub fn reports_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let (event, part) = self.part(&view, self.call.arg(0), REPORT, "report")?;
        let mut line = self.report_line(&view, &event, &part);
        if let Some(report) = line["EventReport"].as_object_mut() {
            report.extend(self.notes_about_part(&view, &event, &part)?);
        }
        Ok(Answer::json(&line))
    }

    /// `eventReports/index`
    pub fn reports_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let deleted = Deleted::of(options.get("deleted"));
        let view = self.view()?;
        let mut lines = Vec::new();
        let mut take = |event: &EventRow| {
            view.parts_in_order::<Fault>(&event.head, |part| {
                if part.slot == Slot::EventReport && deleted.wants(flag_of(body_of(&part.raw).get("deleted"))) {
                    lines.push(self.report_line(&view, event, &part));
                }
                Ok(())
            })
        };
        if let Some(named) = text_of(options.get("event_id")).or(self.call.arg(0).map(Into::into)) {
            take(&self.event(&view, Some(&named))?)?;
        } else {
            each_event(&view, &EventFilter::default(), true, |event| take(event).map(|()| true))?;
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `eventReports/edit`, `eventReports/delete`, `eventReports/restore`
    pub fn reports_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("EventReport")?;
        let named =
            self.call.arg(0).map(str::to_owned).or_else(|| text_of(given.get("uuid")).map(|uuid| uuid.into_owned()));
        let action = self.call.action.as_str();
        let hard =
            action == "delete" && (flag_of(given.get("hard")) || self.call.arg(1).is_some_and(|hard| hard == "1"));
        let (row, number, uuid) = self.again(|| {
            let view = self.view()?;
            let (event, part) = self.part(&view, named.as_deref(), REPORT, "report")?;
            self.may_change(&event)?;
            let held = body_of(&part.raw);
            let change = match action {
                "delete" if hard => Change::Remove(part.ordinal),
                "delete" | "restore" => {
                    let body = self.marked_deleted(&held, action == "delete");
                    Change::Replace(part.ordinal, Self::draft(Slot::EventReport, body, None))
                }
                _ => {
                    let mut given = given.clone();
                    given.shift_remove("timestamp");
                    let body = self
                        .report(&given, Some(&held))
                        .map_err(|errors| Fault::unsaved("edit", "EventReport", errors))?;
                    Change::Replace(part.ordinal, Self::draft(Slot::EventReport, body, None))
                }
            };
            let head = self.touched(&event);
            drop(view);
            self.amend(&event, head, false, vec![change])?;
            Ok((event.head.row, part.number, crate::shape::uuid_of(&event, &part)))
        })?;
        if action == "delete" {
            let text = format!("Event Report {uuid} {} deleted", if hard { "hard" } else { "soft" });
            return Ok(Answer::json(&saved(text, &self.call.url, None)));
        }
        let view = self.view()?;
        let (event, part) = view.part_numbered(row, number)?.ok_or_else(|| Fault::missing("report"))?;
        Ok(Answer::json(&self.report_line(&view, &event, &part)))
    }
}
