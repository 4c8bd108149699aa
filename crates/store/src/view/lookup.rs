//! "What is known of this value?" — one walk over the value's own rows in the index. What others
//! store as pairs is this look-up: its cost is that of its answer.

use super::{HEAD, View};
use crate::engine::params;
use crate::{Result, index};
use manara_model::observable::Observable;
use manara_model::{Cleared, Head};

/// Counting stops here: a value in more records than this is "ten thousand and more".
const COUNTED: i64 = 10_000;

/// Sightings that the audience may see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct SightingCount {
    /// Seen.
    pub seen: i64,
    /// Said to be a false positive.
    pub false_positive: i64,
    /// Said to have expired.
    pub expired: i64,
}

/// What the audience may know of a value.
#[derive(Debug)]
pub struct Known {
    /// Records that mention it, newest first, at most as many as asked for.
    pub records: Vec<Cleared<Head>>,
    /// How many there are (up to ten thousand).
    pub total: i64,
    /// There are more than `total`.
    pub uncounted: bool,
    /// One of them wants it looked for.
    pub detect: bool,
    /// Sightings.
    pub sightings: SightingCount,
    /// Earliest and latest time that a record speaks of, Unix milliseconds.
    pub first_seen: Option<i64>,
    /// See [`Known::first_seen`].
    pub last_seen: Option<i64>,
}

impl View<'_> {
    /// What is known of a value.
    ///
    /// # Errors
    /// The engine's.
    pub fn lookup(&self, observable: &Observable, limit: u32) -> Result<Known> {
        let mut known = Known {
            records: Vec::new(),
            total: 0,
            uncounted: false,
            detect: false,
            sightings: SightingCount::default(),
            first_seen: None,
            last_seen: None,
        };
        let Some(id) = index::find(&self.conn, observable)? else { return Ok(known) };
        // Served by occurrence's primary key (observable, label, …); record by its own.
        let sql = format!(
            "SELECT r.id, max(few.detect), min(coalesce(r.created, r.received)), max(coalesce(r.modified, r.received))
             FROM (SELECT record, label, detect FROM occurrence WHERE observable = ?1{} LIMIT ?2) few
             JOIN record r ON r.id = few.record AND r.state = 1{} GROUP BY r.id ORDER BY r.id DESC",
            self.only("label", 3),
            self.only("r.label", 3),
        );
        let values = self.and_labels(params![id, COUNTED + 1]);
        let mut newest = Vec::new();
        self.conn.all(&sql, &values, |row| {
            known.total += 1;
            if newest.len() < limit as usize {
                newest.push(row.get::<i64>(0)?);
            }
            known.detect |= row.get::<bool>(1)?;
            let (first, last): (i64, i64) = (row.get(2)?, row.get(3)?);
            known.first_seen = Some(known.first_seen.map_or(first, |held: i64| held.min(first)));
            known.last_seen = Some(known.last_seen.map_or(last, |held: i64| held.max(last)));
            Ok(())
        })?;
        if known.total > COUNTED {
            (known.total, known.uncounted) = (COUNTED, true);
        }
        for record in newest {
            known.records.extend(self.head_by_row(record)?);
        }
        known.sightings = self.sightings_of(id)?;
        Ok(known)
    }

    /// A record's head, by the store's own number, without its body.
    fn head_by_row(&self, row: i64) -> Result<Option<Cleared<Head>>> {
        let sql = format!("SELECT {HEAD} FROM record r WHERE r.id = ?1");
        let head = self.conn.first(&sql, &params![row], |row| self.read_head(row, false))?;
        Ok(head.and_then(|head| self.mint(head)))
    }

    fn sightings_of(&self, observable: i64) -> Result<SightingCount> {
        let sql = format!(
            "SELECT kind, CAST(sum(count) AS BIGINT) FROM sighting WHERE observable = ?1{} GROUP BY kind",
            self.only("label", 2)
        );
        let mut count = SightingCount::default();
        self.conn.all(&sql, &self.and_labels(params![observable]), |row| {
            let number: i64 = row.get(1)?;
            match row.get::<i64>(0)? {
                0 => count.seen = number,
                1 => count.false_positive = number,
                _ => count.expired = number,
            }
            Ok(())
        })?;
        Ok(count)
    }
}
