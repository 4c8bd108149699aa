//! The node's vocabulary of tags, as the doors show it.

use super::View;
use crate::Result;
use crate::engine::params;
use crate::people::{Tag, read_tag};

impl View<'_> {
    /// A tag by its name.
    ///
    /// # Errors
    /// The engine's.
    pub fn tag(&self, name: &str) -> Result<Option<Tag>> {
        self.conn.first("SELECT id, name, colour, detail FROM tag WHERE name = ?1", &params![name], read_tag)
    }

    /// On how many events and attributes that the audience may see a tag stands.
    ///
    /// # Errors
    /// The engine's.
    pub fn tag_use(&self, id: i64) -> Result<(i64, i64)> {
        let on_events = format!(
            "SELECT count(*) FROM record_tag t JOIN record r ON r.id = t.record AND r.state = 1 AND (r.kind || '') = ?2 WHERE t.tag = ?1{}",
            self.only("t.label", 3)
        );
        let on_parts = format!(
            "SELECT count(*) FROM part_tag t JOIN record r ON r.id = t.record AND r.state = 1 AND (r.kind || '') = ?2 WHERE t.tag = ?1{}",
            self.only("t.label", 3)
        );
        let values = self.and_labels(params![id, "event"]);
        let events = self.conn.one(&on_events, &values, |row| row.get(0))?;
        Ok((events, self.conn.one(&on_parts, &values, |row| row.get(0))?))
    }
}
