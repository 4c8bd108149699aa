//! `/eventDelegations`: an organisation asks another one to take an event over and publish it as its own, so
//! that nobody else learns whose it was. Until that one has decided it reads the event, as its only recipient
//! (a label, which policy judges); then it holds it, or sees it no more.

use crate::answer::{Answer, Fault, saved};
use crate::context::{Context, draft_of};
use crate::shape::{body_of, num};
use manara_formats::misp_marking;
use manara_model::permission::Flag;
use manara_model::record::text_of;
use manara_model::{GroupId, Marking, OrgId};
use manara_store::entries::Entry;
use manara_store::intake::Terms;
use manara_store::view::{EventRow, View, Which};
use manara_store::{Amendment, StoreError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The kind of entry that requests are.
const KIND: &str = "delegation";
/// Longest message, in characters.
const MESSAGE: usize = 10_000;
/// Distribution: whoever takes it over decides.
const THEY_DECIDE: &str = "-1";

/// A request that waits for its answer.
struct Request {
    entry: Entry,
    /// Whose the event is.
    from: OrgId,
    /// Who is asked.
    to: OrgId,
    event: Uuid,
}

impl Request {
    fn of(entry: Entry) -> Option<Request> {
        let uuid = |name: &str| text_of(entry.body.get(name))?.parse::<Uuid>().ok();
        Some(Request { from: entry.org?, to: OrgId(uuid("to")?), event: uuid("event")?, entry })
    }

    /// The event, while the request stands: it is whose it was, and waits for whom it waited.
    fn event(&self, view: &View<'_>) -> Result<Option<EventRow>, Fault> {
        let event = view.event(Which::Uuid(self.event))?;
        Ok(event.filter(|event| {
            let label = &event.head.label;
            label.owner == self.from && label.marking.delegation().is_some_and(|(org, _)| org == self.to)
        }))
    }
}

impl Context<'_> {
    fn request_shown(&self, request: &Request, event: &EventRow) -> Result<Value, Fault> {
        let number = |org: OrgId| self.store.number("org", org.0);
        let body = &request.entry.body;
        let group = text_of(body.get("group")).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let group = group.map_or(Ok(0), |uuid| self.store.number("group", uuid))?;
        let facts = self.store.facts()?;
        let org = |org: OrgId| Ok::<_, Fault>(json!({"id": num(number(org)?), "uuid": org, "name": facts.name(org)}));
        Ok(json!({
            "EventDelegation": {
                "id": num(request.entry.id), "org_id": num(number(request.to)?), "requester_org_id": num(number(request.from)?),
                "event_id": num(event.head.number), "message": body["message"], "distribution": body["distribution"],
                "sharing_group_id": num(group),
            },
            "Event": {"id": num(event.head.number), "uuid": event.head.uuid, "info": event.head.title},
            "Org": org(request.to)?, "RequesterOrg": org(request.from)?,
        }))
    }

    /// The request that the path names, if the caller's organisation asks or is asked.
    fn request(&self) -> Result<Request, Fault> {
        let missing = || Fault::missing("delegation request");
        let number = self.call.arg(0).and_then(|named| named.parse::<i64>().ok()).ok_or_else(missing)?;
        let request = self.store.entry(KIND, number)?.and_then(Request::of).ok_or_else(missing)?;
        let own = self.call.caller.account.org;
        if self.is_admin() || own == request.from || own == request.to { Ok(request) } else { Err(missing()) }
    }

    /// `eventDelegations/delegateEvent/EVENT`
    pub fn delegations_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("EventDelegation")?;
        let unsaved = |field: &str, text: &str| Fault::unsaved("delegate", "Event", json!({field: [text]}));
        let view = self.view()?;
        let event = self.event(&view, self.call.arg(0).or(text_of(given.get("event_id")).as_deref()))?;
        let own = self.call.caller.account.org;
        let wrote = event.author.is_none_or(|author| author == own.0);
        self.may_touch(&event, || self.call.caller.has(Flag::Delegate))?;
        if event.head.label.owner != own || !wrote {
            return Err(Fault::forbidden("Only an event of your own organisation can be delegated."));
        }
        let label = &event.head.label.marking;
        if event.published || !label.is_own_only() && label.delegation().is_none() {
            let text = "Only an unpublished event that is for your organisation alone can be delegated.";
            return Err(unsaved("distribution", text));
        }
        let org = text_of(given.get("org_id")).unwrap_or_default().into_owned();
        let to = self.org_named(Some(&org)).map_err(|_| unsaved("org_id", "Invalid organisation."))?;
        if !to.local || to.uuid == own {
            return Err(unsaved("org_id", "Choose another organisation of this node."));
        }
        let distribution = text_of(given.get("distribution")).unwrap_or(THEY_DECIDE.into()).into_owned();
        if !["-1", "0", "1", "2", "3", "4"].contains(&distribution.as_str()) {
            return Err(unsaved("distribution", "Options: -1 (the recipient decides), 0 to 4."));
        }
        let mut body = json!({"to": to.uuid, "event": event.head.uuid, "distribution": distribution});
        if distribution == "4" {
            let named = text_of(given.get("sharing_group_id")).unwrap_or_default().into_owned();
            let group = self.identify("group", &named)?.map(GroupId);
            let facts = self.store.facts()?;
            let usable = group.filter(|id| {
                let group = facts.world.groups.get(id);
                group.is_some_and(|group| group.orgs.contains(&own) && group.orgs.contains(&to.uuid))
            });
            let text = "Choose a sharing group that both organisations are in.";
            body["group"] = usable.ok_or_else(|| unsaved("sharing_group_id", text))?.to_string().into();
        }
        let message: String = text_of(given.get("message")).unwrap_or_default().chars().take(MESSAGE).collect();
        body["message"] = message.into();
        drop(view);
        let name = format!("{own}/{}", event.head.uuid);
        let stale = self.store.entry_named(KIND, &name)?.filter(|_| event.head.label.marking.delegation().is_none());
        if let Some(stale) = stale {
            // Its event was handed over or opened to others since.
            self.store.remove_entry(self.actor(), KIND, stale.id)?;
        }
        // The request first: what stops here leaves one that can be taken back, never an open event without one.
        let entry =
            self.store.add_entry(self.actor(), KIND, &name, (Some(own), None), body).map_err(|error| match error {
                StoreError::Exists { .. } => {
                    unsaved("event_id", "This event waits for an answer already; take that request back first.")
                }
                error => error.into(),
            })?;
        let row = event.head.row;
        let opened = self.again(|| {
            let view = self.view()?;
            let event = self.event_at(&view, row)?;
            if event.published || !event.head.label.marking.is_own_only() {
                return Err(unsaved("distribution", "The event was changed meanwhile."));
            }
            drop(view);
            self.amend_for(&event, body_of(&event.head.skeleton), false, Vec::new(), Some(to.uuid))
        });
        if let Err(fault) = opened {
            self.store.remove_entry(self.actor(), KIND, entry.id)?;
            return Err(fault);
        }
        let view = self.view()?;
        let request = Request { from: own, to: to.uuid, event: event.head.uuid, entry };
        Ok(Answer::json(&self.request_shown(&request, &self.event_at(&view, row)?)?))
    }

    /// `eventDelegations/index`: what the caller's organisation is asked; with `value:issued` what it asked.
    pub fn delegations_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let issued = text_of(options.get("value")).is_some_and(|value| value == "issued");
        let (own, view) = (self.call.caller.account.org, self.view()?);
        let mut lines = Vec::new();
        for request in self.store.entries(KIND)?.into_iter().filter_map(Request::of) {
            let mine = if issued { request.from == own } else { request.to == own || self.is_admin() };
            if mine && let Some(event) = request.event(&view)? {
                lines.push(self.request_shown(&request, &event)?);
            }
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `eventDelegations/acceptDelegation/ID`: the event is the asked organisation's from now on.
    pub fn delegations_accept(&self) -> Result<Answer, Fault> {
        let request = self.request()?;
        if request.to != self.call.caller.account.org {
            return Err(Fault::forbidden("Only the organisation that is asked can take the event over."));
        }
        let given = self.call.object("EventDelegation")?;
        let number = self.again(|| self.take_over(&request, &given))?;
        self.store.remove_entry(self.actor(), KIND, request.entry.id)?;
        Ok(Answer::json(&saved("Event ownership transferred.", &self.call.url, Some(number.to_string()))))
    }

    fn take_over(&self, request: &Request, given: &Map<String, Value>) -> Result<i64, Fault> {
        let view = self.view()?;
        let event = request.event(&view)?.ok_or_else(|| Fault::missing("event"))?;
        if event.published {
            return Err(Fault::forbidden("The event was published since; it can't be handed over any more."));
        }
        let reach = self.wanted_reach(&request.entry.body, given)?;
        let held = body_of(&event.head.skeleton);
        let mut head =
            self.head(&reach, Some(&held)).map_err(|errors| Fault::unsaved("accept", "EventDelegation", errors))?;
        // Nothing in it says whose it was.
        let own = self.call.caller.account.org;
        head.insert("Orgc".into(), json!({"uuid": own, "name": self.store.facts()?.name(own)}));
        head.insert("event_creator_email".into(), self.actor().into());
        head.insert("locked".into(), false.into());
        head.insert("published".into(), false.into());
        head.insert("timestamp".into(), self.clock(&event).to_string().into());
        drop(view);
        let draft = draft_of(head)?;
        let terms = Terms { owner: own, actor: self.actor().to_owned(), marking: Marking::default() };
        let amendment = Amendment { head: draft, keep_head: true, parts: Vec::new(), own: misp_marking };
        match self.store.hand_over(&terms, event.head.row, event.head.version, amendment) {
            Ok(_) => Ok(event.head.number),
            Err(StoreError::Exists { .. }) => {
                Err(Fault::forbidden("Your organisation holds a copy of this event already; delete it first."))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Distribution and group as they were asked for, or as the one who takes it over chooses.
    fn wanted_reach(&self, asked: &Value, given: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        let mut reach = Map::new();
        if asked["distribution"] == THEY_DECIDE {
            let chosen = text_of(given.get("distribution")).filter(|level| *level != THEY_DECIDE);
            reach.insert("distribution".into(), chosen.unwrap_or("0".into()).into());
            reach.extend(given.get("sharing_group_id").map(|group| ("sharing_group_id".to_owned(), group.clone())));
            return Ok(reach);
        }
        reach.insert("distribution".into(), asked["distribution"].clone());
        if let Some(group) = text_of(asked.get("group")).and_then(|uuid| uuid.parse::<Uuid>().ok()) {
            reach.insert("sharing_group_id".into(), num(self.store.number("group", group)?));
        }
        Ok(reach)
    }

    /// `eventDelegations/deleteDelegation/ID`: refused by who is asked, or taken back by who asked.
    pub fn delegations_delete(&self) -> Result<Answer, Fault> {
        let request = self.request()?;
        // As its holder has it: what the one who is asked reads may be redacted, and is not written back.
        self.again(|| {
            let view = self.store.view(manara_model::Audience::Org(request.from), manara_model::Purpose::Read)?;
            let Some(event) = request.event(&view)? else { return Ok(()) };
            drop(view);
            self.amend_for(&event, body_of(&event.head.skeleton), false, Vec::new(), None).map(drop)
        })?;
        self.store.remove_entry(self.actor(), KIND, request.entry.id)?;
        Ok(Answer::json(&saved("Delegation request deleted.", &self.call.url, Some(request.entry.id.to_string()))))
    }
}
