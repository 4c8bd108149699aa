//! Full text over titles, comments and texts.

use super::{HEAD, Page, View};
use crate::Result;
use manara_model::{Cleared, Head};
use rusqlite::types::Value;

impl View<'_> {
    /// Records whose title, text or comments hold all the words; newest first. The last word may be
    /// the beginning of one. Nothing in the words is syntax.
    ///
    /// # Errors
    /// The engine's.
    pub fn text(&self, words: &str, cursor: Option<i64>, limit: u32) -> Result<Page<Cleared<Head>>> {
        let query = match_expression(words);
        if query.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let mut values: Vec<Value> =
            vec![query.into(), cursor.unwrap_or(i64::MAX).into(), (i64::from(limit) + 1).into()];
        values.extend(self.labels.clone().map(Value::from));
        let sql = format!(
            "SELECT {HEAD} FROM record r WHERE r.state = 1 AND r.id < ?2{} AND r.id IN
               (SELECT d.record FROM text_index x JOIN text_doc d ON d.id = x.rowid WHERE text_index MATCH ?1{})
             ORDER BY r.id DESC LIMIT ?3",
            self.only("r.label", 4),
            self.only("d.label", 4),
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            heads.push(self.read_head(row, false)?);
        }
        let more = heads.len() > limit as usize;
        heads.truncate(limit as usize);
        let next = if more { heads.last().map(|head| head.row) } else { None };
        Ok(Page { items: heads.into_iter().filter_map(|head| self.mint(head)).collect(), next })
    }
}

/// Every word quoted, so that no operator of the engine's language gets through.
fn match_expression(words: &str) -> String {
    let quoted: Vec<String> = words
        .split_whitespace()
        .map(|word| word.replace('"', ""))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(32)
        .map(|word| format!("\"{word}\""))
        .collect();
    match quoted.split_last() {
        Some((last, rest)) => format!("{} {last}*", rest.join(" ")).trim().to_owned(),
        None => String::new(),
    }
}
