//! What an exchange did, and how far it is.

use super::Stopped;
use super::tally::{Difference, Sides};
use serde::Serialize;
use std::collections::BTreeMap;

/// Differences and errors that a report names; beyond it they are counted.
const NAMED: usize = 50;

/// What an exchange did.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Report {
    /// Events that the other side offered, or that we offered.
    pub(crate) offered: usize,
    /// Events that were new.
    pub(crate) added: usize,
    /// Events of which there was a newer version.
    pub(crate) updated: usize,
    /// Events that were there already.
    pub(crate) unchanged: usize,
    /// Events that are not taken, and why: ours, or blocked.
    pub(crate) skipped: BTreeMap<String, usize>,
    /// Proposals, sightings, notes that were new.
    pub(crate) proposals: usize,
    /// See `proposals`.
    pub(crate) sightings: usize,
    /// See `proposals`.
    pub(crate) analyst_data: usize,
    /// Clusters that were new, or newer.
    pub(crate) clusters: usize,
    /// Both sides afterwards: the events that were offered, but for the skipped ones, with their clocks.
    pub(crate) events: Sides,
    /// Both sides afterwards: the parts of the events that were carried over.
    pub(crate) parts: Sides,
    /// Events that differ afterwards.
    pub(crate) differences: Vec<Difference>,
    /// How many.
    pub(crate) differing: usize,
    /// What went wrong on the way.
    pub(crate) errors: Vec<String>,
    /// How often.
    pub(crate) failing: usize,
}

impl Report {
    /// Notes how an event that was carried over compares.
    pub(crate) fn compared(&mut self, (parts, difference): (Sides, Option<Difference>)) {
        self.parts.given.join(parts.given);
        self.parts.held.join(parts.held);
        let Some(difference) = difference else { return };
        self.differing += 1;
        if self.differences.len() < NAMED {
            self.differences.push(difference);
        }
    }

    pub(crate) fn fails(&mut self, what: impl std::fmt::Display) {
        self.failing += 1;
        if self.errors.len() < NAMED {
            self.errors.push(what.to_string());
        }
    }

    /// One of many things: what is wrong with it alone is told, and the others go on.
    ///
    /// # Errors
    /// What the others can't go on with.
    pub(crate) fn of_one<T, E: Into<Stopped>>(
        &mut self,
        what: impl std::fmt::Display,
        done: Result<T, E>,
    ) -> Result<Option<T>, Stopped> {
        match done.map_err(Into::into) {
            Ok(done) => Ok(Some(done)),
            Err(stopped) if stopped.is_of_one_thing() => {
                self.fails(format!("{what}: {stopped}"));
                Ok(None)
            }
            Err(stopped) => Err(stopped),
        }
    }

    pub(crate) fn skip(&mut self, why: &str) {
        *self.skipped.entry(why.to_owned()).or_default() += 1;
    }

    /// Did something come over?
    pub(crate) fn moved(&self) -> bool {
        self.added + self.updated + self.clusters > 0
    }

    /// Is everything there that was offered? It is counted, not concluded from there being no error.
    pub(crate) fn is_good(&self) -> bool {
        self.differing == 0 && self.failing == 0 && self.events.given == self.events.held
    }

    pub(crate) fn words(&self) -> String {
        let skipped: usize = self.skipped.values().sum();
        let mut words = format!(
            "{} events offered: {} new, {} updated, {} unchanged, {skipped} skipped; {} proposals, {} sightings, {} notes, {} clusters. ",
            self.offered,
            self.added,
            self.updated,
            self.unchanged,
            self.proposals,
            self.sightings,
            self.analyst_data,
            self.clusters
        );
        words.push_str(&match self.is_good() {
            true => format!(
                "Both sides hold the same {} events and the {} parts that were carried over.",
                self.events.held.count, self.parts.held.count
            ),
            false => format!(
                "{} of {} events are there; {} differ, {} errors; see the report.",
                self.events.held.count, self.events.given.count, self.differing, self.failing
            ),
        });
        words
    }
}
