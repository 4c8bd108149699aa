//! Lists of records, newest first, by cursor.

use super::{HEAD, View};
use crate::Result;
use crate::facts::Allowed;
use manara_model::{Cleared, Head};
use rusqlite::types::Value;

/// With at most this many labels a page is merged from one index walk a label; beyond, one walk over
/// all records skips what is not allowed.
const MERGED_LABELS: usize = 64;

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
        let mut statement = self.conn.prepare_cached(
            "SELECT coalesce(max(id), 0) * 100000 + count(*) FROM record WHERE kind = ?1 AND state = 1",
        )?;
        Ok(statement.query_row([filter.kind.as_deref().unwrap_or_default()], |row| row.get(0))?)
    }

    fn page(&self, filter: &Filter, cursor: Option<i64>, limit: u32, body: bool) -> Result<Page<Cleared<Head>>> {
        let mut heads = match &self.allowed {
            Allowed::Only(labels) if labels.len() <= MERGED_LABELS => {
                let mut merged = Vec::new();
                for label in labels {
                    merged.extend(self.walk(filter, cursor, limit, body, Some(*label))?);
                }
                merged.sort_unstable_by_key(|head| std::cmp::Reverse(head.row));
                merged
            }
            _ => self.walk(filter, cursor, limit, body, None)?,
        };
        let more = heads.len() > limit as usize;
        heads.truncate(limit as usize);
        let next = if more { heads.last().map(|head| head.row) } else { None };
        Ok(Page { items: heads.into_iter().filter_map(|head| self.mint(head)).collect(), next })
    }

    /// One walk down an index: of one label, or of all records with the predicate.
    fn walk(
        &self,
        filter: &Filter,
        cursor: Option<i64>,
        limit: u32,
        body: bool,
        label: Option<i64>,
    ) -> Result<Vec<Head>> {
        let mut sql = format!("SELECT {HEAD}{} FROM record r", if body { ", r.skeleton" } else { "" });
        let mut values: Vec<Value> = vec![cursor.unwrap_or(i64::MAX).into(), (i64::from(limit) + 1).into()];
        if let Some(tag) = &filter.tag {
            values.push(tag.clone().into());
            sql.push_str(&format!(
                " JOIN record_tag t ON t.record = r.id AND t.tag = (SELECT id FROM tag WHERE name = ?{})",
                values.len()
            ));
        }
        sql.push_str(" WHERE r.state = 1 AND r.id < ?1");
        let mut and = |condition: &str, value: Value| {
            values.push(value);
            sql.push_str(&format!(" AND {condition} ?{}", values.len()));
        };
        if let Some(label) = label {
            and("r.label =", label.into());
        }
        if let Some(kind) = &filter.kind {
            and("r.kind =", kind.clone().into());
        }
        if let Some(since) = filter.since {
            and("r.received >=", since.into());
        }
        if let Some(owner) = filter.owner {
            and("r.owner =", Value::Blob(owner.0.as_bytes().to_vec()));
        }
        if let (None, Some(labels)) = (label, &self.labels) {
            values.push(labels.clone().into());
            let only = self.only("r.label", values.len());
            sql.push_str(&only);
        }
        sql.push_str(" ORDER BY r.id DESC LIMIT ?2");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            heads.push(self.read_head(row, body)?);
        }
        Ok(heads)
    }
}
