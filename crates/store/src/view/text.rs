//! Full text over titles, comments and texts.

use super::{HEAD, Page, View};
use crate::engine::params;
use crate::{Result, words};
use manara_model::{Cleared, Head};
use std::collections::BTreeSet;

/// More words than this add nothing to a question.
const WORDS: usize = 32;
/// Entries of the index read at a time.
const RUN: i64 = 200;

impl View<'_> {
    /// Records whose title, text or comments hold all the words; newest first. The last word may be
    /// the beginning of one. Nothing in the words is syntax.
    ///
    /// # Errors
    /// The engine's.
    pub fn text(&self, text: &str, cursor: Option<i64>, limit: u32) -> Result<Page<Cleared<Head>>> {
        let words: Vec<String> = words::words(text).take(WORDS).collect();
        let mut page = Page { items: Vec::new(), next: None };
        if words.is_empty() {
            return Ok(page);
        }
        let query = self.conn.all_words(&words);
        let sql = format!(
            "SELECT d.id, d.record FROM text_index x JOIN text_doc d ON d.id = x.rowid
             WHERE {} AND x.rowid < ?2{} ORDER BY x.rowid DESC LIMIT ?3",
            self.conn.has_words(1),
            self.only("d.label", 4),
        );
        let mut at = cursor.unwrap_or(i64::MAX);
        let mut told: BTreeSet<i64> = BTreeSet::new();
        loop {
            let values = self.and_labels(params![&query, at, RUN]);
            let found = self.conn.all(&sql, &values, |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
            let last = found.len() < RUN as usize;
            for (doc, record) in found {
                if page.items.len() == limit as usize {
                    page.next = Some(at);
                    return Ok(page);
                }
                at = doc;
                // On this page already, or on one before?
                if !told.insert(record) || self.told_before(&query, record, cursor)? {
                    continue;
                }
                let head =
                    format!("SELECT {HEAD} FROM record r WHERE r.id = ?1 AND r.state = 1{}", self.only("r.label", 2));
                let head =
                    self.conn.first(&head, &self.and_labels(params![record]), |row| self.read_head(row, false))?;
                page.items.extend(head.and_then(|head| self.mint(head)));
            }
            if last {
                return Ok(page);
            }
        }
    }

    /// Did an entry of this record stand on a page before the one that begins at `cursor`?
    fn told_before(&self, query: &str, record: i64, cursor: Option<i64>) -> Result<bool> {
        let Some(cursor) = cursor else { return Ok(false) };
        let sql = format!(
            "SELECT 1 FROM text_index x JOIN text_doc d ON d.id = x.rowid
             WHERE {} AND x.rowid IN (SELECT id FROM text_doc WHERE record = ?2 AND id >= ?3){} LIMIT 1",
            self.conn.has_words(1),
            self.only("d.label", 4),
        );
        self.conn.exists(&sql, &self.and_labels(params![query, record, cursor]))
    }
}
