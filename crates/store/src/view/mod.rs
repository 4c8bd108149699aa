//! What an audience may see, and nothing else: every row that leaves has passed the gate twice, as
//! a label in the SQL predicate (so that pages are fast and counts are right) and as `Cleared`.
//!
//! A view is a snapshot: all its answers belong to one moment.

mod cursor;
mod events;
mod lists;
mod lookup;
mod reach;
mod record;
mod references;
mod text;
mod vocabulary;

pub use events::{EventFilter, EventRow, Order, Sign, Span, Tags, Which};
pub use lists::{Filter, Page};
pub use lookup::{Known, SightingCount};
pub use record::{Correlation, Reason};

use crate::engine::{Row, Value};
use crate::facts::{Allowed, Facts};
use crate::store::Reader;
use crate::{Result, Store, StoreError, chunk};
use manara_model::policy::Refusal;
use manara_model::{Audience, Cleared, Gate, Head, Purpose};
use std::sync::Arc;

/// The store as one audience sees it.
pub struct View<'s> {
    pub(crate) conn: Reader<'s>,
    facts: Arc<Facts>,
    audience: Audience,
    purpose: Purpose,
    pub(crate) allowed: Allowed,
    /// The allowed labels as an SQL parameter; `None`: everything.
    pub(crate) labels: Option<Value<'static>>,
}

impl Store {
    /// The store as this audience sees it, at this moment.
    ///
    /// # Errors
    /// The engine's.
    pub fn view(&self, audience: Audience, purpose: Purpose) -> Result<View<'_>> {
        let conn = self.reader()?;
        conn.begin_snapshot()?;
        let facts = self.facts_on(&conn)?;
        let allowed = facts.allowed(&audience, purpose);
        let labels = allowed.parameter(&conn);
        Ok(View { conn, facts, audience, purpose, allowed, labels })
    }
}

/// Columns of a head, in the order that [`View::read_head`] reads them; the body only where asked for.
const HEAD: &str = "r.id, r.uuid, r.version, r.kind, r.format, r.title, r.author, r.label, r.tags, r.created, \
                    r.modified, r.received, r.source, r.parts, r.number, r.edited";
/// Where a body stands that was asked for after these.
const BODY: usize = 16;

impl View<'_> {
    /// The gate for this view's audience.
    #[must_use]
    pub fn gate(&self) -> Gate<'_> {
        Gate::new(&self.facts.world, self.audience.clone(), self.purpose)
    }

    /// The facts this view judges by.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Is nothing hidden from its audience?
    #[must_use]
    pub fn sees_everything(&self) -> bool {
        matches!(self.allowed, Allowed::Everything)
    }

    /// ` AND column IN (the allowed labels)`, or nothing where everything is allowed. `parameter` is
    /// the number of the parameter that holds the list.
    pub(crate) fn only(&self, column: &str, parameter: usize) -> String {
        match self.labels {
            None => String::new(),
            Some(_) => format!(" AND {}", self.conn.within(column, parameter)),
        }
    }

    /// The parameters, and after them the list of allowed labels where there is one.
    pub(crate) fn and_labels<'v>(&'v self, given: impl IntoIterator<Item = Value<'v>>) -> Vec<Value<'v>> {
        given.into_iter().chain(self.labels.as_ref().map(Value::by_ref)).collect()
    }

    fn read_head(&self, row: &Row<'_>, with_body: bool) -> Result<Head> {
        let label = self.facts.label(row.get(7)?)?.clone();
        let tags: String = row.get(8)?;
        Ok(Head {
            row: row.get(0)?,
            uuid: row.get(1)?,
            version: row.get(2)?,
            kind: row.get(3)?,
            format: row.get(4)?,
            title: row.get(5)?,
            author: row.get(6)?,
            owner_name: self.facts.name(label.owner),
            label,
            tags: serde_json::from_str(&tags).map_err(StoreError::damaged)?,
            created: row.get(9)?,
            modified: row.get(10)?,
            received: row.get(11)?,
            source: row.get(12)?,
            parts: row.get(13)?,
            number: row.get(14)?,
            edited: row.get(15)?,
            skeleton: if with_body { chunk::unpack_text(&row.get::<Vec<u8>>(BODY)?)? } else { String::new() },
            redacted: false,
        })
    }

    /// The mint's last word on a row that the predicate let through. They agree (a property test
    /// sees to it); if ever they did not, the row is left out and the log says so.
    fn mint(&self, head: Head) -> Option<Cleared<Head>> {
        let row = head.row;
        match self.gate().clear(head) {
            Ok(head) => Some(head),
            Err(Refusal { rule, .. }) => {
                tracing::error!(row, %rule, "predicate and policy disagree");
                None
            }
        }
    }
}
