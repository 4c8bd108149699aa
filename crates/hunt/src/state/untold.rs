//! What waits in a state to be told to a node: what is there, and what has been answered for.

use super::Journal;
use crate::sightings::Untold;
use std::collections::BTreeMap;
use std::io::{self, Write};
use uuid::Uuid;

impl Journal {
    /// What waits to be told to a node, in the order in which it was found: all that was found before
    /// [`Journal::close`], or by earlier searches.
    #[must_use]
    pub fn untold(&self, to: &str) -> Vec<Untold> {
        self.waiting.of(to)
    }

    /// How many sightings wait for each other node.
    #[must_use]
    pub fn elsewhere(&self, to: &str) -> BTreeMap<&str, usize> {
        self.waiting.elsewhere(to)
    }

    /// How many sightings could not be kept because too many waited.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.waiting.lost
    }

    /// Notes that a node has answered for these: they are not told again.
    ///
    /// # Errors
    /// The file's.
    pub fn told(&mut self, uuids: &[Uuid]) -> io::Result<()> {
        let lines = self.waiting.told(uuids);
        (&self.file).write_all(&lines)
    }
}
