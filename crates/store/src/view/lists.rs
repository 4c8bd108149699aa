//! Lists of records, newest first, by cursor.

use super::{HEAD, View};
use crate::engine::{Value, params};
use crate::facts::Allowed;
use crate::{Result, StoreError};
use manara_model::{Cleared, Head};
use std::collections::BTreeSet;

/// With at most this many labels a page is merged from one index walk a label; beyond, one walk over
/// all records skips what is not allowed.
const MERGED_LABELS: usize = 4096;

/// When a record came, and its number: lists run down along these.
type Place = (i64, i64);

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only received at or after this time, Unix milliseconds.
    pub since: Option<i64>,
    /// Only held by this organisation.
    pub owner: Option<manara_model::OrgId>,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// Give this to get the next page; `None`: there is none.
    pub next: Option<i64>,
}

impl View<'_> {
    /// Current records, newest first, without bodies.
    ///
    /// # Errors
    /// The engine's.
    pub fn heads(&self, filter: &Filter, cursor: Option<i64>, limit: u32) -> Result<Page<Cleared<Head>>> {
        self.page(filter, cursor, limit, false)
    }

    /// The same with bodies, for exports.
    ///
    /// # Errors
    /// The engine's.
    pub fn heads_with_bodies(&self, filter: &Filter, cursor: Option<i64>, limit: u32) -> Result<Page<Cleared<Head>>> {
        self.page(filter, cursor, limit, true)
    }

    /// A number that changes whenever a record of this kind comes or goes.
    ///
    /// # Errors
    /// The engine's.
    pub fn newest(&self, filter: &Filter) -> Result<i64> {
        self.conn.one(
            "SELECT coalesce(max(id), 0) * 100000 + count(*) FROM record WHERE kind = ?1 AND state = 1",
            &params![filter.kind.as_deref().unwrap_or_default()],
            |row| row.get(0),
        )
    }

    fn page(&self, filter: &Filter, cursor: Option<i64>, limit: u32, body: bool) -> Result<Page<Cleared<Head>>> {
        let mut places = self.places(filter, self.after(cursor)?, limit as usize + 1)?;
        let more = places.len() > limit as usize;
        places.truncate(limit as usize);
        let next = if more { places.last().map(|(_, id)| *id) } else { None };
        let numbers: Vec<i64> = places.into_iter().map(|(_, id)| id).collect();
        let list = self.conn.list(&numbers);
        let sql = format!(
            "SELECT {HEAD}{} FROM record r WHERE {} ORDER BY r.received DESC, r.id DESC",
            if body { ", r.skeleton" } else { "" },
            self.conn.within("r.id", 1)
        );
        let heads = self.conn.all(&sql, &[list], |row| self.read_head(row, body))?;
        Ok(Page { items: heads.into_iter().filter_map(|head| self.mint(head)).collect(), next })
    }

    /// Current records by their numbers, with their bodies.
    pub(crate) fn heads_at(&self, records: &[i64]) -> Result<Vec<Cleared<Head>>> {
        let sql = format!(
            "SELECT {HEAD}, r.skeleton FROM record r WHERE {} AND r.state = 1{} ORDER BY r.id",
            self.conn.within("r.id", 1),
            self.only("r.label", 2)
        );
        let values = self.and_labels([self.conn.list(records)]);
        let heads = self.conn.all(&sql, &values, |row| self.read_head(row, true))?;
        Ok(heads.into_iter().filter_map(|head| self.mint(head)).collect())
    }

    /// Where a page begins.
    fn after(&self, cursor: Option<i64>) -> Result<Place> {
        let Some(id) = cursor else { return Ok((i64::MAX, i64::MAX)) };
        let found = self.conn.first("SELECT received FROM record WHERE id = ?1", &params![id], |row| row.get(0))?;
        let received = found.ok_or_else(|| StoreError::Invalid(format!("the cursor {id} is none of this node's")))?;
        Ok((received, id))
    }

    /// The places of a page's records, newest first.
    fn places(&self, filter: &Filter, after: Place, limit: usize) -> Result<Vec<Place>> {
        let owned = |label: &i64| {
            filter.owner.is_none_or(|owner| self.facts.labels.get(label).is_some_and(|label| label.owner == owner))
        };
        let labels: Vec<i64> = match &self.allowed {
            Allowed::Only(labels) => labels.iter().copied().filter(owned).collect(),
            Allowed::Everything if filter.owner.is_some() => self.facts.labels.keys().copied().filter(owned).collect(),
            Allowed::Everything => return self.walk(filter, after, None, limit, None),
        };
        if labels.len() > MERGED_LABELS || self.conn.walks_at_once() {
            return self.walk(filter, after, None, limit, Some(&labels));
        }
        // The newest so far; a label is asked only for what is newer than the last of them.
        let mut newest: BTreeSet<Place> = BTreeSet::new();
        for label in labels {
            let floor = if newest.len() == limit { newest.first().copied() } else { None };
            newest.extend(self.walk(filter, after, floor, limit, Some(&[label]))?);
            while newest.len() > limit {
                newest.pop_first();
            }
        }
        Ok(newest.into_iter().rev().collect())
    }

    /// One walk down an index: of one label (served by an index that begins with it), or of all.
    fn walk(
        &self,
        filter: &Filter,
        after: Place,
        floor: Option<Place>,
        limit: usize,
        labels: Option<&[i64]>,
    ) -> Result<Vec<Place>> {
        let mut values: Vec<Value<'_>> = params![after.0, after.1, limit as i64].to_vec();
        // Rows of the walk are the tag's where there is one, for they are in its order.
        let (received, id, label) = match &filter.tag {
            Some(_) => ("t.received", "t.record", "t.label"),
            None => ("r.received", "r.id", "r.label"),
        };
        let mut sql = match &filter.tag {
            Some(tag) => {
                values.push(tag.as_str().into());
                "SELECT t.received AS came, t.record AS row FROM record_tag t JOIN record r ON r.id = t.record AND r.state = 1
                 WHERE t.tag = (SELECT id FROM tag WHERE name = ?4)"
                    .to_owned()
            }
            None => "SELECT r.received AS came, r.id AS row FROM record r WHERE r.state = 1".to_owned(),
        };
        sql.push_str(&format!(" AND ({received}, {id}) < (?1, ?2)"));
        let mut and = |column: &str, compares: &str, value: Value<'static>| {
            values.push(value);
            sql.push_str(&format!(" AND {column} {compares} ?{}", values.len()));
        };
        if let Some(kind) = &filter.kind {
            and("r.kind", "=", kind.clone().into());
        }
        for since in filter.since.into_iter().chain(floor.map(|(received, _)| received)) {
            and(received, ">=", since.into());
        }
        let order = format!("ORDER BY {received} DESC, {id} DESC LIMIT ?3");
        let sql = match labels {
            None => format!("{sql} {order}"),
            // An index that begins with it is in the order that is asked for; with several it is not.
            Some([label_id]) => {
                values.push((*label_id).into());
                format!("{sql} AND {label} = ?{} {order}", values.len())
            }
            Some(labels) => {
                values.push(self.conn.list(labels));
                self.conn.walk_each(&format!("{sql} AND {label}"), values.len(), &order)
            }
        };
        self.conn.all(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
    }
}
