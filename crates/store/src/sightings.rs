//! Sightings: "this value was seen" (or is a false positive, or has expired), by whom and how often.

use crate::{Result, Store, audit, facts, index};
use manara_model::observable::Observable;
use manara_model::record::SightingDraft;
use manara_model::{Label, Marking, OrgId};
use rusqlite::Connection;
use uuid::Uuid;

/// A sighting to be kept.
#[derive(Debug, Clone)]
pub struct NewSighting {
    /// Of what.
    pub observable: Observable,
    /// 0 seen, 1 false positive, 2 expired (MISP's numbers).
    pub kind: u8,
    /// Who says so.
    pub org: OrgId,
    /// How far that may go.
    pub marking: Marking,
    /// When, Unix milliseconds.
    pub seen: i64,
    /// How often.
    pub count: u32,
    /// By what (a sensor's name).
    pub source: String,
}

/// Keeps sightings that came with records; those that are there already stay as they are.
pub(crate) fn keep(conn: &Connection, owner: OrgId, sightings: Vec<SightingDraft>) -> Result<()> {
    let label = facts::intern(conn, &Label::new(owner, Marking::default()))?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO sighting (uuid, observable, kind, label, org, seen, count, source, received)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8) ON CONFLICT DO NOTHING",
    )?;
    for new in sightings {
        let observable = index::intern(conn, &new.observable)?;
        let org = new.org.unwrap_or(owner.0);
        let received = jiff::Timestamp::now().as_millisecond();
        insert.execute((new.uuid, observable, new.kind.min(2), label, org, new.seen, new.source, received))?;
    }
    Ok(())
}

impl Store {
    /// Keeps a sighting.
    ///
    /// # Errors
    /// The engine's.
    pub fn add_sighting(&self, actor: &str, new: NewSighting) -> Result<Uuid> {
        let (uuid, actor) = (Uuid::new_v4(), actor.to_owned());
        self.write(move |conn| {
            let observable = index::intern(conn, &new.observable)?;
            let label = facts::intern(conn, &Label::new(new.org, new.marking))?;
            conn.execute(
                "INSERT INTO sighting (uuid, observable, kind, label, org, seen, count, source, received)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                rusqlite::params![
                    uuid,
                    observable,
                    new.kind.min(2),
                    label,
                    new.org.0,
                    new.seen,
                    new.count,
                    new.source,
                    jiff::Timestamp::now().as_millisecond()
                ],
            )?;
            audit::append(conn, &actor, "sighting.add", &uuid.to_string(), new.observable.ty().name())
        })?;
        Ok(uuid)
    }
}
