//! Sightings: "this value was seen" (or is a false positive, or has expired), by whom and how often.

use crate::engine::params;
use crate::tx::Tx;
use crate::{Result, Store, audit, facts, index};
use manara_model::observable::Observable;
use manara_model::record::SightingDraft;
use manara_model::{Label, Marking, OrgId};
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
pub(crate) fn keep(tx: &Tx<'_>, owner: OrgId, sightings: &[SightingDraft]) -> Result<()> {
    let label = facts::intern(tx, &Label::new(owner, Marking::default()))?;
    for new in sightings {
        let observable = index::intern(tx, &new.observable)?;
        let org = new.org.unwrap_or(owner.0);
        let received = jiff::Timestamp::now().as_millisecond();
        tx.execute(
            "INSERT INTO sighting (uuid, observable, kind, label, org, seen, count, source, received)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8) ON CONFLICT DO NOTHING",
            &params![new.uuid, observable, new.kind.min(2), label, org, new.seen, &new.source, received],
        )?;
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
        self.write(move |tx| {
            let observable = index::intern(tx, &new.observable)?;
            let label = facts::intern(tx, &Label::new(new.org, new.marking.clone()))?;
            tx.execute(
                "INSERT INTO sighting (uuid, observable, kind, label, org, seen, count, source, received)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                &params![
                    uuid,
                    observable,
                    new.kind.min(2),
                    label,
                    new.org.0,
                    new.seen,
                    new.count,
                    &new.source,
                    jiff::Timestamp::now().as_millisecond(),
                ],
            )?;
            audit::append(tx, &actor, "sighting.add", &uuid.to_string(), new.observable.ty().name())
        })?;
        Ok(uuid)
    }
}
