//! One record: its head, its parts, what else has its values, and why someone may see it.

use super::references::References;
use super::{HEAD, Known, View};
use crate::engine::params;
use crate::{Result, chunk};
use manara_model::observable::Observable;
use manara_model::{Cleared, Head, Part, Slot};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A value of a record that others have too.
#[derive(Debug)]
pub struct Correlation {
    /// The value.
    pub observable: Observable,
    /// What is known of it, this record included.
    pub known: Known,
}

/// Why something may or may not go to an audience.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// Name of the organisation that holds this copy.
    pub holder: String,
    /// Kind of the record.
    pub kind: String,
    /// The identifier is that of a part.
    pub part: bool,
    /// The marking that was judged, in words.
    pub marking: String,
    /// May it go?
    pub allowed: bool,
    /// The rule that decided.
    pub rule: &'static str,
    /// In words.
    pub reason: String,
}

impl View<'_> {
    /// The current record with this identifier: the audience's own copy first, else the newest. A part's
    /// identifier finds its record.
    ///
    /// # Errors
    /// The engine's. What is not there and what is not for this audience are both `None`.
    pub fn record(&self, uuid: Uuid) -> Result<Option<Cleared<Head>>> {
        let own = self.audience.org().map(|org| org.0).unwrap_or_default();
        let sql = format!(
            "SELECT {HEAD}, r.skeleton FROM record r
             WHERE r.state = 1 AND r.id IN (SELECT id FROM record WHERE uuid = ?1
                            UNION SELECT record FROM part_uuid WHERE uuid = ?1){}
             ORDER BY r.uuid = ?1 DESC, r.owner = ?2 DESC, r.id DESC LIMIT 1",
            self.only("r.label", 3)
        );
        let values = self.and_labels(params![uuid, own]);
        let head = self.conn.first(&sql, &values, |row| self.read_head(row, true))?;
        Ok(head.and_then(|head| self.mint(head)))
    }

    /// May this record, or this part of one, go to the view's audience, and by which rule? Answers for
    /// every holder's copy. For the node's operator: it tells that something exists.
    ///
    /// # Errors
    /// The engine's.
    pub fn why(&self, uuid: Uuid) -> Result<Vec<Reason>> {
        let sql = format!(
            "SELECT {HEAD}, CAST(NULL AS BIGINT) FROM record r WHERE r.state = 1 AND r.uuid = ?1
             UNION ALL
             SELECT {HEAD}, p.ordinal FROM part_uuid p JOIN record r ON r.id = p.record WHERE p.uuid = ?1 AND r.state = 1"
        );
        let found = self
            .conn
            .all(&sql, &params![uuid], |row| Ok((self.read_head(row, false)?, row.get::<Option<u32>>(16)?)))?;
        let mut reasons = Vec::new();
        for (head, ordinal) in found {
            let part = match ordinal {
                Some(ordinal) => self.part_at(head.row, ordinal)?,
                None => None,
            };
            // A part is never wider than its whole: the whole is asked first.
            let mut decision = self.gate().judge(&head.label);
            if let (true, Some(part)) = (decision.allowed(), &part) {
                decision = self.gate().judge(&part.label);
            }
            reasons.push(Reason {
                holder: head.owner_name,
                kind: head.kind,
                part: part.is_some(),
                marking: part.map_or(head.label.marking, |part| part.label.marking).to_string(),
                allowed: decision.allowed(),
                rule: decision.rule().name(),
                reason: decision.reason(),
            });
        }
        Ok(reasons)
    }

    pub(super) fn part_at(&self, record: i64, ordinal: u32) -> Result<Option<Part>> {
        let found = self.conn.first(
            "SELECT first, body FROM chunk WHERE record = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1",
            &params![record, ordinal],
            |row| Ok((row.get::<u32>(0)?, row.get::<Vec<u8>>(1)?)),
        )?;
        let Some((first, body)) = found else { return Ok(None) };
        let stored = chunk::read(&body)?.into_iter().nth((ordinal - first) as usize);
        stored.map(|stored| self.part(stored, ordinal, None)).transpose()
    }

    fn part(&self, stored: chunk::StoredPart, ordinal: u32, number: Option<u32>) -> Result<Part> {
        Ok(Part {
            slot: stored.slot,
            ordinal,
            number: number.unwrap_or(ordinal),
            parent: stored.parent,
            uuid: stored.uuid,
            label: self.facts.label(stored.label)?.clone(),
            found: stored.found,
            raw: stored.raw,
        })
    }

    /// A record's parts in the order of their places, from one of them on; those that the audience may
    /// not see are not there.
    ///
    /// # Errors
    /// The engine's, and what `take` returns.
    pub fn parts<E: From<crate::StoreError>>(
        &self,
        head: &Cleared<Head>,
        from: u32,
        take: impl FnMut(Cleared<Part>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.walk_parts(head, from, |_| true, take).map(drop)
    }

    /// All of a record's parts, in the order in which writers take them: those of one kind together, an
    /// object's attributes after it.
    ///
    /// # Errors
    /// The engine's, and what `take` returns.
    pub fn parts_in_order<E: From<crate::StoreError>>(
        &self,
        head: &Cleared<Head>,
        mut take: impl FnMut(Cleared<Part>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        if !head.edited {
            return self.parts(head, 0, take);
        }
        let with_its_object = |slot: Slot| if slot == Slot::ObjectAttribute { Slot::Object } else { slot } as u8;
        let mut seen = self.walk_parts(head, 0, |slot| with_its_object(slot) == Slot::Attribute as u8, &mut take)?;
        seen.remove(&(Slot::Attribute as u8));
        while let Some(next) = seen.pop_first() {
            self.walk_parts(head, 0, |slot| with_its_object(slot) == next, &mut take)?;
            if next == Slot::Object as u8 {
                seen.remove(&(Slot::ObjectAttribute as u8));
            }
        }
        Ok(())
    }

    /// Walks the parts, hands on those of the slots that are wanted, and tells which slots there are.
    fn walk_parts<E: From<crate::StoreError>>(
        &self,
        head: &Cleared<Head>,
        from: u32,
        wanted: impl Fn(Slot) -> bool,
        mut take: impl FnMut(Cleared<Part>) -> std::result::Result<(), E>,
    ) -> std::result::Result<BTreeSet<u8>, E> {
        let gate = self.gate();
        let moved = self.moved(head)?;
        let (mut withheld, mut seen): (BTreeSet<u32>, BTreeSet<u8>) = Default::default();
        let mut references = References::default();
        let mut next = from;
        while let Some((first, parts)) = crate::event::chunk_at(&self.conn, head.row, next)? {
            next = first + parts.len() as u32;
            for (ordinal, stored) in (first..).zip(parts) {
                if ordinal < from || stored.slot == Slot::Gone {
                    continue;
                }
                seen.insert(stored.slot as u8);
                if !wanted(stored.slot) {
                    continue;
                }
                let orphan = stored.parent.is_some_and(|parent| withheld.contains(&parent));
                let mut part = self.part(stored, ordinal, moved.get(&ordinal).copied())?;
                self.without_hidden(&mut references, head, &mut part)?;
                match gate.clear_part(head, part) {
                    Ok(part) if !orphan => take(part)?,
                    _ => {
                        withheld.insert(ordinal);
                    }
                }
            }
        }
        Ok(seen)
    }

    /// Numbers of those parts that stand elsewhere than where they stood first.
    fn moved(&self, head: &Head) -> Result<HashMap<u32, u32>> {
        if !head.edited {
            return Ok(HashMap::new());
        }
        let sql = "SELECT ordinal, number FROM moved WHERE record = ?1";
        let moved = self.conn.all(sql, &params![head.row], |row| Ok((row.get::<u32>(0)?, row.get::<u32>(1)?)))?;
        Ok(moved.into_iter().collect())
    }

    /// Those of a record's parts that stand at these places (in order), as far as the audience may see
    /// them.
    ///
    /// # Errors
    /// The engine's.
    pub fn parts_at(&self, head: &Cleared<Head>, ordinals: &[u32]) -> Result<Vec<Cleared<Part>>> {
        let gate = self.gate();
        let moved = self.moved(head)?;
        let mut found = Vec::with_capacity(ordinals.len());
        let mut references = References::default();
        let mut chunk: Option<(u32, Vec<chunk::StoredPart>)> = None;
        for ordinal in ordinals {
            let inside = chunk.as_ref().is_some_and(|(first, parts)| {
                ordinal.checked_sub(*first).is_some_and(|at| (at as usize) < parts.len())
            });
            if !inside {
                chunk = crate::event::chunk_at(&self.conn, head.row, *ordinal)?;
            }
            let Some((first, parts)) = &chunk else { continue };
            let stored = ordinal.checked_sub(*first).and_then(|at| parts.get(at as usize));
            let Some(stored) = stored.filter(|stored| stored.slot != Slot::Gone) else { continue };
            // A part is never wider than its object either.
            let mut part = self.part(stored.clone(), *ordinal, moved.get(ordinal).copied())?;
            self.without_hidden(&mut references, head, &mut part)?;
            found.extend(gate.clear_part(head, part).ok());
        }
        Ok(found)
    }

    /// Which of a record's values others have too: looks at its first `values` observables, and gives
    /// those that stand in another record that the audience may see.
    ///
    /// # Errors
    /// The engine's.
    pub fn correlations(&self, head: &Cleared<Head>, values: usize, each: u32) -> Result<Vec<Correlation>> {
        enum Stop {
            Enough,
            Failed(crate::StoreError),
        }
        impl From<crate::StoreError> for Stop {
            fn from(error: crate::StoreError) -> Self {
                Stop::Failed(error)
            }
        }
        let mut observables = BTreeSet::new();
        let stopped = self.parts(head, 0, |part| {
            for found in part.into_inner().found {
                if found.observable.ty().row().correlates {
                    observables.insert(found.observable);
                }
            }
            if observables.len() >= values { Err(Stop::Enough) } else { Ok(()) }
        });
        if let Err(Stop::Failed(error)) = stopped {
            return Err(error);
        }
        let mut shared = Vec::new();
        for observable in observables.into_iter().take(values) {
            let known = self.lookup(&observable, each)?;
            if known.total > 1 {
                shared.push(Correlation { observable, known });
            }
        }
        Ok(shared)
    }
}

impl View<'_> {
    /// The attributes of the object that stands at a place, as far as the audience may see them.
    ///
    /// # Errors
    /// The engine's.
    pub fn family(&self, head: &Cleared<Head>, object: u32) -> Result<Vec<Cleared<Part>>> {
        let mut ordinals = Vec::new();
        let mut at = object + 1;
        'chunks: while let Some((first, parts)) = crate::event::chunk_at(&self.conn, head.row, at)? {
            for part in &parts[(at - first) as usize..] {
                match part.slot {
                    Slot::ObjectAttribute if part.parent == Some(object) => ordinals.push(at),
                    Slot::Gone => {}
                    _ => break 'chunks,
                }
                at += 1;
            }
        }
        self.parts_at(head, &ordinals)
    }
}
