//! Tags: the node's vocabulary, and how many current records carry each.

use crate::engine::params;
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit};

/// A longer tag is kept in its record, and can't be asked for.
pub(crate) const TAG_BYTES: usize = 1024;

/// The number of a tag, making one where it is new; `None`: too long to be one.
pub(crate) fn tag_number(tx: &Tx<'_>, name: &str) -> Result<Option<i64>> {
    if name.len() > TAG_BYTES {
        return Ok(None);
    }
    let find = "SELECT id FROM tag WHERE name = ?1";
    if let Some(id) = tx.first(find, &params![name], |row| row.get(0))? {
        return Ok(Some(id));
    }
    tx.dictionary(|tx| {
        tx.execute("INSERT INTO tag (name) VALUES (?1) ON CONFLICT DO NOTHING", &params![name])?;
        tx.one(find, &params![name], |row| row.get(0)).map(Some)
    })
}

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
