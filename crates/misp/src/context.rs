//! What an action has at hand, and what all of them do: find an event, may the caller change it, change
//! it where it stands.

use crate::answer::Fault;
use crate::call::Call;
use crate::ids;
use crate::shape::body_of;
use crate::sync::ComesIn;
use manara_corridor::WarningCache;
use manara_formats::{misp_head, misp_marking};
use manara_model::permission::Flag;
use manara_model::record::{RecordDraft, Slot};
use manara_model::role::Right;
use manara_model::{Cleared, Marking, OrgId, Part, Purpose};
use manara_store::intake::Terms;
use manara_store::view::{EventFilter, EventRow, View, Which};
use manara_store::{Amended, Amendment, Change, Store, StoreError};
use serde_json::{Map, Value};
use uuid::Uuid;

/// How often a change is made again that met another's.
const ATTEMPTS: u32 = 8;

/// See the module.
pub struct Context<'a> {
    /// The node's store.
    pub store: &'a Store,
    /// Its warning lists.
    pub warnings: &'a WarningCache,
    /// What is asked, and by whom.
    pub call: &'a Call,
    /// Unix seconds.
    pub now: i64,
    /// What is given comes from another server: over a hop.
    pub(crate) hop: Option<ComesIn>,
}

/// A part with its event.
pub(crate) type Placed = (EventRow, Cleared<Part>);

impl<'a> Context<'a> {
    /// What the caller may see.
    ///
    /// # Errors
    /// The store's.
    pub fn view(&self) -> Result<View<'a>, Fault> {
        Ok(self.store.view(self.call.caller.audience(), Purpose::Read)?)
    }

    /// The caller's e-mail address.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.call.caller.account.email
    }

    /// Is the caller the node's administrator?
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.call.may(Right::Admin)
    }

    /// The event that a number or identifier names.
    ///
    /// # Errors
    /// 404 where there is none for the caller.
    pub fn event(&self, view: &View<'_>, named: Option<&str>) -> Result<EventRow, Fault> {
        let which = named.and_then(ids::which).ok_or_else(|| Fault::missing("event"))?;
        view.event(which)?.ok_or_else(|| Fault::missing("event"))
    }

    /// The part of an event that a number or identifier names, if it stands in one of these slots.
    ///
    /// # Errors
    /// 404 where there is none for the caller.
    pub fn part(&self, view: &View<'_>, named: Option<&str>, slots: &[Slot], what: &str) -> Result<Placed, Fault> {
        let found = match named.and_then(ids::which) {
            Some(Which::Uuid(uuid)) => view.part_of_event(uuid)?,
            Some(Which::Number(number)) => match ids::part(number) {
                Some((row, place)) => view.part_numbered(row, place)?,
                None => None,
            },
            None => None,
        };
        found.filter(|(_, part)| slots.contains(&part.slot)).ok_or_else(|| Fault::missing(what))
    }

    /// May the caller change what this event says?
    ///
    /// # Errors
    /// 403 where not.
    pub fn may_change(&self, event: &EventRow) -> Result<(), Fault> {
        let caller = &self.call.caller;
        let entered = || {
            let by = body_of(&event.head.skeleton).remove("event_creator_email");
            by.is_some_and(|by| by.as_str() == Some(self.actor()))
        };
        self.may_touch(event, || caller.has(Flag::ModifyOrg) || caller.has(Flag::Modify) && entered())
    }

    /// Is the event the caller's organisation's, and may he do this with it?
    ///
    /// # Errors
    /// 403 where not.
    pub fn may_touch(&self, event: &EventRow, may: impl FnOnce() -> bool) -> Result<(), Fault> {
        let caller = &self.call.caller;
        let holds = event.head.label.owner == caller.account.org;
        let wrote = event.author.is_none_or(|author| author == caller.account.org.0);
        // What came from elsewhere is its author's: only a server that brings his newer version changes it.
        if self.is_admin() || holds && (wrote || caller.may(Right::Sync)) && may() {
            return Ok(());
        }
        Err(Fault::forbidden("You do not have permission to do that."))
    }

    /// Writes a change of an event.
    ///
    /// # Errors
    /// 409 where somebody else was faster.
    pub fn amend(
        &self,
        event: &EventRow,
        head: Map<String, Value>,
        keep_head: bool,
        parts: Vec<Change>,
    ) -> Result<Amended, Fault> {
        let delegate = event.head.label.marking.delegation().map(|(org, _)| org);
        self.amend_for(event, head, keep_head, parts, delegate)
    }

    /// The same, while this organisation is asked to take the event over.
    ///
    /// # Errors
    /// 409 where somebody else was faster.
    pub(crate) fn amend_for(
        &self,
        event: &EventRow,
        mut head: Map<String, Value>,
        keep_head: bool,
        parts: Vec<Change>,
        delegate: Option<OrgId>,
    ) -> Result<Amended, Fault> {
        head.insert("uuid".into(), event.head.uuid.to_string().into());
        let mut draft = draft_of(head)?;
        draft.marking = marking_of(event, &draft.marking, delegate);
        let terms =
            Terms { owner: event.head.label.owner, actor: self.actor().to_owned(), marking: Marking::default() };
        let amendment = Amendment { head: draft, keep_head, parts, own: misp_marking };
        Ok(self.store.amend(&terms, event.head.row, event.head.version, amendment)?)
    }

    /// The event's body, with its clock set to now and no longer published: something in it has changed.
    #[must_use]
    pub fn touched(&self, event: &EventRow) -> Map<String, Value> {
        let mut head = body_of(&event.head.skeleton);
        head.insert("timestamp".into(), self.clock(event).to_string().into());
        head.insert("published".into(), false.into());
        head
    }

    /// The event's clock after a change. A version that others may have fetched already is followed by one
    /// that is newer, even within the same second: they go by nothing else.
    #[must_use]
    pub(crate) fn clock(&self, event: &EventRow) -> i64 {
        self.now.max(event.touched + i64::from(event.published))
    }

    /// Does something again where somebody else was faster.
    ///
    /// # Errors
    /// What it says.
    pub fn again<T>(&self, mut work: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
        let mut attempt = 0;
        loop {
            match work() {
                Err(fault) if fault.status == 409 && attempt < ATTEMPTS => attempt += 1,
                done => return done,
            }
        }
    }

    /// The UUID of what a number or UUID names, of a kind that is numbered (`org`, `user`, `group`).
    ///
    /// # Errors
    /// The store's.
    pub fn identify(&self, kind: &str, named: &str) -> Result<Option<Uuid>, StoreError> {
        match ids::which(named) {
            Some(Which::Number(number)) => self.store.numbered(kind, number),
            Some(Which::Uuid(uuid)) => Ok(Some(uuid)),
            None => Ok(None),
        }
    }

    /// An event by the row of its record.
    ///
    /// # Errors
    /// 404 where it is gone.
    pub fn event_at(&self, view: &View<'_>, row: i64) -> Result<EventRow, Fault> {
        view.events_at(&[row], &EventFilter::default())?.pop().ok_or_else(|| Fault::missing("event"))
    }
}

/// An event's draft from its body.
///
/// # Errors
/// Nothing is said in it.
pub(crate) fn draft_of(head: Map<String, Value>) -> Result<RecordDraft, Fault> {
    misp_head(&Value::Object(head).to_string(), "")
        .ok_or_else(|| Fault::unsaved("edit", "Event", serde_json::json!({"Event": {"info": ["valueNotEmpty"]}})))
}

/// The marking of an event that now says `said` of itself. What its holder narrowed when it came in, beyond
/// what it says, stays narrowed; who is asked to take it over stays its recipient, as long as it stays in its
/// organisation otherwise.
fn marking_of(event: &EventRow, said: &Marking, delegate: Option<OrgId>) -> Marking {
    let label = &event.head.label.marking;
    let held = label.delegation().map_or_else(|| label.clone(), |(_, held)| held);
    let before = misp_head(&event.head.skeleton, "").map(|old| old.marking).unwrap_or_default();
    let marking = if before == held { said.clone() } else { said.meet(&held) };
    match delegate {
        Some(org) if marking.is_own_only() => marking.delegated_to(org),
        _ => marking,
    }
}
