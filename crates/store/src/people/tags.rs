//! Tags: the node's vocabulary, and how many current records carry each.

use crate::engine::params;
use crate::{Result, Store, StoreError, audit};

impl Store {
    /// Tags with the number of current records that carry them, most used first. For the node's operator.
    ///
    /// # Errors
    /// The engine's.
    pub fn tags(&self) -> Result<Vec<(String, i64)>> {
        self.reader()?.all(
            "SELECT t.name, count(r.id) AS n FROM tag t LEFT JOIN record_tag x ON x.tag = t.id
             LEFT JOIN record r ON r.id = x.record AND r.state = 1 GROUP BY t.id, t.name ORDER BY n DESC, t.name",
            &[],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Adds a tag.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Invalid`].
    pub fn add_tag(&self, actor: &str, name: &str) -> Result<()> {
        let (actor, name) = (actor.to_owned(), name.trim().to_owned());
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Err(StoreError::Invalid("a tag has 1 to 255 characters on one line".into()));
        }
        self.write(move |tx| {
            if tx.execute("INSERT INTO tag (name) VALUES (?1) ON CONFLICT DO NOTHING", &params![&name])? == 0 {
                return Err(StoreError::Exists { what: "tag", name: name.clone() });
            }
            audit::append(tx, &actor, "tag.add", &name, "")
        })
    }
}
