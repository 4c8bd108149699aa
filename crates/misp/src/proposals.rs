//! `/shadowAttributes`: what somebody proposes about another's event. Whoever holds it decides.

use crate::answer::{Answer, Fault, saved};
use crate::attributes::ATTRIBUTE;
use crate::call::page;
use crate::context::Context;
use crate::ids;
use crate::search::each_event;
use crate::search::filter::span;
use crate::shape::{Deleted, Scribe, body_of, uuid_of};
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_store::Change;
use manara_store::view::{EventFilter, EventRow};
use serde_json::{Map, Value, json};

const PROPOSAL: &[Slot] = &[Slot::Proposal];

impl Context<'_> {
    /// A proposal is written in the name of the event's holder, since it becomes part of his record; who
    /// proposes stands in it.
    pub(crate) fn propose(&self, event: &EventRow, changes: Vec<Change>) -> Result<u32, Fault> {
        let done = self.amend(event, body_of(&event.head.skeleton), false, changes)?;
        Ok(done.added.first().copied().unwrap_or_default())
    }

    /// The event as its holder has it: what a proposer sees may be redacted, and must not be written back.
    fn whole(&self, row: i64) -> Result<EventRow, Fault> {
        let view = self.store.view(manara_model::Audience::Node, manara_model::Purpose::Read)?;
        self.event_at(&view, row)
    }

    fn own_org(&self) -> Result<Value, Fault> {
        let own = self.call.caller.account.org;
        Ok(json!({"uuid": own, "name": self.store.facts()?.name(own)}))
    }

    fn proposal_now(&self, row: i64, number: u32) -> Result<Answer, Fault> {
        let view = self.view()?;
        let (event, part) = view.part_numbered(row, number)?.ok_or_else(|| Fault::missing("proposal"))?;
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        let mut shown = scribe.proposal(&event, &part);
        shown["email"] = self.actor().into();
        shown["event_org_id"] = scribe.event_head(&event)["org_id"].clone();
        Ok(Answer::json(&json!({"ShadowAttribute": shown})))
    }

    /// `shadowAttributes/add/EVENT`
    pub fn proposals_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("ShadowAttribute")?;
        let given = match given.get("Attribute") {
            Some(Value::Object(inner)) => inner.clone(),
            _ => given,
        };
        let named = self.call.arg(0).map(str::to_owned);
        let (row, number) = self.again(|| {
            let view = self.view()?;
            let seen = self.event(&view, named.as_deref())?;
            drop(view);
            let mut body =
                self.attribute(&given, None).map_err(|errors| Fault::unsaved("add", "ShadowAttribute", errors))?;
            body.shift_remove("distribution");
            body.insert("Org".into(), self.own_org()?);
            body.insert("event_uuid".into(), seen.head.uuid.to_string().into());
            let event = self.whole(seen.head.row)?;
            let number = self.propose(&event, vec![Change::Add(Self::draft(Slot::Proposal, body, None))])?;
            Ok((event.head.row, number))
        })?;
        self.proposal_now(row, number)
    }

    /// `shadowAttributes/edit/ATTRIBUTE` and `shadowAttributes/delete/ATTRIBUTE`: a change, or that it goes.
    pub fn proposals_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("ShadowAttribute")?;
        let delete = self.call.action == "delete";
        let named = self.call.arg(0).map(str::to_owned);
        let (row, number) = self.again(|| {
            let view = self.view()?;
            let (seen, part) = self.part(&view, named.as_deref(), ATTRIBUTE, "attribute")?;
            let held = body_of(&part.raw);
            let mut body = match delete {
                true => held.clone(),
                false => self
                    .attribute(&given, Some(&held))
                    .map_err(|errors| Fault::unsaved("edit", "ShadowAttribute", errors))?,
            };
            body.insert("old_id".into(), ids::of_part(seen.head.row, part.number).to_string().into());
            body.insert("old_uuid".into(), uuid_of(&seen, &part).to_string().into());
            body.insert("proposal_to_delete".into(), delete.into());
            body.insert("uuid".into(), uuid::Uuid::new_v4().to_string().into());
            body.insert("timestamp".into(), self.now.to_string().into());
            body.insert("Org".into(), self.own_org()?);
            body.insert("event_uuid".into(), seen.head.uuid.to_string().into());
            for name in ["distribution", "Tag", "data", "SharingGroup"] {
                body.shift_remove(name);
            }
            drop(view);
            let event = self.whole(seen.head.row)?;
            let number = self.propose(&event, vec![Change::Add(Self::draft(Slot::Proposal, body, None))])?;
            Ok((event.head.row, number))
        })?;
        self.proposal_now(row, number)
    }

    /// `shadowAttributes/view`
    pub fn proposals_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let named = self.call.arg(0).or(Some(self.call.action_text.as_str()));
        let (event, part) = self.part(&view, named, PROPOSAL, "proposal")?;
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        Ok(Answer::json(&json!({"ShadowAttribute": scribe.proposal(&event, &part)})))
    }

    /// `shadowAttributes/index`: of one event, or of all.
    pub fn proposals_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let view = self.view()?;
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        let deleted = Deleted::of(options.get("deleted"));
        let since = span(options.get("timestamp"), self.now, "timestamp")?;
        let (mut skip, limit) = page(&options, 1000, 10_000);
        let mut lines = Vec::new();
        // Says whether there is room for more.
        let mut take = |event: &EventRow| {
            view.parts_in_order::<Fault>(&event.head, |part| {
                let body = if part.slot == Slot::Proposal { body_of(&part.raw) } else { Map::new() };
                let stamp = seconds_of(body.get("timestamp"));
                if part.slot != Slot::Proposal
                    || !deleted.wants(flag_of(body.get("deleted")))
                    || since.from.is_some_and(|from| stamp < from)
                {
                    return Ok(());
                }
                if skip > 0 {
                    skip -= 1;
                } else if lines.len() < limit {
                    lines.push(json!({"ShadowAttribute": scribe.proposal(event, &part)}));
                }
                Ok(())
            })?;
            Ok::<bool, Fault>(lines.len() < limit)
        };
        if let Some(named) = self.call.arg(0) {
            take(&self.event(&view, Some(named))?)?;
        } else {
            each_event(&view, &EventFilter::default(), true, take)?;
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `events/pushProposals/EVENT`: what another server brings, each once.
    pub fn events_push_proposals(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let event = self.event(&view, self.call.arg(0))?;
        drop(view);
        let offered = match self.call.json()? {
            Value::Array(items) => items,
            other => other.get("ShadowAttribute").and_then(Value::as_array).cloned().unwrap_or_default(),
        };
        let mut count = 0;
        for item in &offered {
            let item = item.get("ShadowAttribute").unwrap_or(item);
            let Some(item) = item.as_object() else { continue };
            let mut item = item.clone();
            item.insert("event_uuid".into(), event.head.uuid.to_string().into());
            if !item.contains_key("Org") {
                item.insert("Org".into(), self.own_org()?);
            }
            count += usize::from(self.take_proposal(event.head.label.owner, &item)?);
        }
        let message = if count == 0 { "Nothing to update.".to_owned() } else { format!("{count} Proposal(s) added.") };
        Ok(Answer::json(&json!({"success": true, "message": message, "counter": count})))
    }

    /// `shadowAttributes/accept`, `shadowAttributes/discard`
    pub fn proposals_decide(&self) -> Result<Answer, Fault> {
        let accept = self.call.action == "accept";
        let named = self.call.arg(0).map(str::to_owned);
        self.again(|| {
            let view = self.view()?;
            let (event, part) = self.part(&view, named.as_deref(), PROPOSAL, "proposal")?;
            let body = body_of(&part.raw);
            let own = body
                .get("Org")
                .and_then(|org| text_of(org.get("uuid")))
                .is_some_and(|uuid| uuid == self.call.caller.account.org.to_string());
            // Who proposed it may take it back; it is the holder who takes it in.
            if accept || !own {
                self.may_change(&event)?;
            }
            let mut changes = vec![Change::Replace(
                part.ordinal,
                Self::draft(Slot::Proposal, self.marked_deleted(&body, true), None),
            )];
            if accept {
                changes.extend(self.accepted(&view, &event, &body)?);
            }
            let row = event.head.row;
            let head = if accept { self.touched(&event) } else { body_of(&event.head.skeleton) };
            drop(view);
            if accept {
                self.amend(&event, head, false, changes).map(drop)
            } else {
                let event = self.whole(row)?;
                self.propose(&event, changes).map(drop)
            }
        })?;
        let text = if accept { "Proposed change accepted." } else { "Proposal discarded." };
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }

    /// What an accepted proposal changes.
    fn accepted(
        &self,
        view: &manara_store::view::View<'_>,
        event: &EventRow,
        body: &Map<String, Value>,
    ) -> Result<Option<Change>, Fault> {
        let mut given = body.clone();
        for name in ["Org", "event_uuid", "old_id", "old_uuid", "proposal_to_delete", "uuid", "timestamp", "deleted"] {
            given.shift_remove(name);
        }
        let Some(old) = text_of(body.get("old_uuid")).filter(|uuid| !uuid.is_empty()) else {
            let body =
                self.attribute(&given, None).map_err(|errors| Fault::unsaved("accept", "ShadowAttribute", errors))?;
            return Ok(Some(Change::Add(Self::draft(Slot::Attribute, body, None))));
        };
        let (of, part) = self.part(view, Some(&old), ATTRIBUTE, "attribute")?;
        if of.head.row != event.head.row {
            return Err(Fault::missing("attribute"));
        }
        let held = body_of(&part.raw);
        let changed = match flag_of(body.get("proposal_to_delete")) {
            true => self.marked_deleted(&held, true),
            false => self
                .attribute(&given, Some(&held))
                .map_err(|errors| Fault::unsaved("accept", "ShadowAttribute", errors))?,
        };
        let object = match part.parent {
            Some(place) => view.parts_at(&event.head, &[place])?.pop().map(|object| object.raw.clone()),
            None => None,
        };
        Ok(Some(Change::Replace(part.ordinal, Self::draft(part.slot, changed, object.as_deref()))))
    }
}
