//! Sightings: "this value was seen" (or is a false positive, or has expired), by whom and how often.

use crate::engine::{Value, params};
use crate::tx::Tx;
use crate::view::View;
use crate::{Result, Store, audit, facts, index};
use manara_model::observable::Observable;
use manara_model::record::SightingDraft;
use manara_model::{Label, Marking, OrgId};
use uuid::Uuid;

/// Bytes of a source's name: what doors take, and what those who tell sightings may give.
pub const SOURCE_BYTES: usize = 200;

/// A sighting to be kept.
#[derive(Debug, Clone)]
pub struct NewSighting {
    /// Its identifier, where who tells it gave one: told twice, it is kept once. `None`: a new one.
    pub uuid: Option<Uuid>,
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

/// A sighting of an attribute, as a member of MISP tells it.
#[derive(Debug, Clone)]
pub struct AttributeSighting {
    /// Its own identifier.
    pub uuid: Uuid,
    /// What the attribute holds.
    pub observable: Observable,
    /// 0 seen, 1 false positive, 2 expired.
    pub kind: u8,
    /// Unix milliseconds.
    pub seen: i64,
    /// By what.
    pub source: String,
    /// How often; 0 where it is another's told again for a further attribute.
    pub count: u32,
    /// The row of the event's record, its identifier and its attribute's.
    pub place: (i64, Uuid, Uuid),
}

/// A sighting as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its number.
    pub id: i64,
    /// Its identifier.
    pub uuid: Uuid,
    /// 0 seen, 1 false positive, 2 expired.
    pub kind: i64,
    /// Who says so.
    pub org: OrgId,
    /// Unix milliseconds.
    pub seen: i64,
    /// By what.
    pub source: String,
    /// In which event.
    pub event: Option<Uuid>,
    /// Of which attribute.
    pub attribute: Option<Uuid>,
}

/// Which sightings.
#[derive(Debug, Clone, Default)]
pub struct SightingFilter {
    /// Of these attributes, or in these events; nothing: all.
    pub attributes: Vec<Uuid>,
    /// In these events.
    pub events: Vec<Uuid>,
    /// By number or identifier.
    pub which: Option<(i64, Uuid)>,
    /// 0 seen, 1 false positive, 2 expired.
    pub kind: Option<i64>,
    /// Whose.
    pub org: Option<OrgId>,
    /// By what.
    pub source: Option<String>,
    /// Seen at this or later, Unix milliseconds.
    pub from: Option<i64>,
    /// Seen at this or before.
    pub until: Option<i64>,
    /// With a greater number: where a walk goes on.
    pub after: Option<i64>,
}

impl View<'_> {
    /// Sightings that the audience may see, by number.
    ///
    /// # Errors
    /// The engine's.
    pub fn sightings(&self, filter: &SightingFilter, limit: u32) -> Result<Vec<Sighting>> {
        let mut values: Vec<Value<'_>> = Vec::new();
        let mut sql = "SELECT id, uuid, kind, org, seen, source, event, attribute FROM sighting WHERE 1 = 1".to_owned();
        for (column, wanted) in [("attribute", &filter.attributes), ("event", &filter.events)] {
            if !wanted.is_empty() {
                let marks: Vec<String> = wanted
                    .iter()
                    .map(|uuid| {
                        values.push((*uuid).into());
                        format!("?{}", values.len())
                    })
                    .collect();
                sql.push_str(&format!(" AND {column} IN ({})", marks.join(", ")));
            }
        }
        let mut and = |condition: &str, value: Value<'static>| {
            values.push(value);
            sql.push_str(&format!(" AND {condition} ?{}", values.len()));
        };
        if let Some(kind) = filter.kind {
            and("kind =", kind.into());
        }
        if let Some(org) = filter.org {
            and("org =", org.0.into());
        }
        if let Some(source) = &filter.source {
            and("source =", source.clone().into());
        }
        if let Some(from) = filter.from {
            and("seen >=", from.into());
        }
        if let Some(until) = filter.until {
            and("seen <=", until.into());
        }
        if let Some(after) = filter.after {
            and("id >", after.into());
        }
        if let Some((id, uuid)) = filter.which {
            values.extend(params![id, uuid]);
            sql.push_str(&format!(" AND (id = ?{} OR uuid = ?{})", values.len() - 1, values.len()));
        }
        let labels = values.len() + 1;
        sql.push_str(&self.only("label", labels));
        let values = self.and_labels(values);
        sql.push_str(&format!(" ORDER BY id LIMIT {limit}"));
        self.conn.all(&sql, &values, |row| {
            Ok(Sighting {
                id: row.get(0)?,
                uuid: row.get(1)?,
                kind: row.get(2)?,
                org: OrgId(row.get(3)?),
                seen: row.get(4)?,
                source: row.get(5)?,
                event: row.get(6)?,
                attribute: row.get(7)?,
            })
        })
    }
}

impl Store {
    /// Keeps sightings of attributes, told by one organisation under one marking. The same one twice is one.
    ///
    /// # Errors
    /// The engine's.
    pub fn add_attribute_sightings(
        &self,
        actor: &str,
        org: OrgId,
        marking: Marking,
        new: Vec<AttributeSighting>,
    ) -> Result<Vec<Uuid>> {
        let actor = actor.to_owned();
        self.write_large(move |tx| {
            let label = facts::intern(tx, &Label::new(org, marking.clone()))?;
            let received = jiff::Timestamp::now().as_millisecond();
            let mut kept = Vec::new();
            for one in &new {
                let observable = index::intern(tx, &one.observable)?;
                let (row, event, attribute) = one.place;
                let values = params![
                    one.uuid,
                    observable,
                    one.kind.min(2),
                    label,
                    org.0,
                    one.seen,
                    one.count,
                    &one.source,
                    received,
                    event,
                    attribute
                ];
                let added = tx.execute(
                    "INSERT INTO sighting (uuid, observable, kind, label, org, seen, count, source, received, event, attribute)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
                    &values,
                )?;
                if added > 0 {
                    tx.execute(
                        "UPDATE event SET sighted = CASE WHEN sighted < ?2 THEN ?2 ELSE sighted END WHERE record = ?1",
                        &params![row, one.seen.div_euclid(1000)],
                    )?;
                    audit::append(tx, &actor, "sighting.add", &one.uuid.to_string(), one.observable.ty().name())?;
                    kept.push(one.uuid);
                }
            }
            Ok(kept)
        })
    }

    /// Takes a sighting back: its organisation may, and an administrator (`org` none).
    ///
    /// # Errors
    /// [`crate::StoreError::Unknown`]; the engine's.
    pub fn remove_sighting(&self, actor: &str, org: Option<OrgId>, id: i64) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            let found = tx.first("SELECT uuid, org FROM sighting WHERE id = ?1", &params![id], |row| {
                Ok((row.get::<Uuid>(0)?, row.get::<Uuid>(1)?))
            })?;
            let Some((uuid, _)) = found.filter(|(_, holder)| org.is_none_or(|org| org.0 == *holder)) else {
                return Err(crate::StoreError::Unknown { what: "sighting", name: id.to_string() });
            };
            tx.execute("DELETE FROM sighting WHERE id = ?1", &params![id])?;
            audit::append(tx, &actor, "sighting.remove", &uuid.to_string(), "")
        })
    }

    /// Keeps sightings, all of them or none; their identifiers, in order. One that is there already, by its identifier,
    /// stays as it is.
    ///
    /// # Errors
    /// The engine's.
    pub fn add_sightings(&self, actor: &str, new: Vec<NewSighting>) -> Result<Vec<Uuid>> {
        let actor = actor.to_owned();
        let uuids: Vec<Uuid> = new.iter().map(|one| one.uuid.unwrap_or_else(Uuid::new_v4)).collect();
        let kept = uuids.clone();
        self.write(move |tx| {
            for (one, uuid) in new.iter().zip(&uuids) {
                let observable = index::intern(tx, &one.observable)?;
                let label = facts::intern(tx, &Label::new(one.org, one.marking.clone()))?;
                let rows = tx.execute(
                    "INSERT INTO sighting (uuid, observable, kind, label, org, seen, count, source, received)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
                    &params![
                        *uuid,
                        observable,
                        one.kind.min(2),
                        label,
                        one.org.0,
                        one.seen,
                        one.count,
                        &one.source,
                        jiff::Timestamp::now().as_millisecond(),
                    ],
                )?;
                if rows > 0 {
                    audit::append(tx, &actor, "sighting.add", &uuid.to_string(), one.observable.ty().name())?;
                }
            }
            Ok(())
        })?;
        Ok(kept)
    }
}
