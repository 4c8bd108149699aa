//! Sharing groups.

use crate::engine::params;
use crate::{Result, Store, StoreError, audit, numbers};
use manara_model::{GroupId, OrgId};
use serde_json::{Map, Value};

/// The kind of entry that says which groups were taken away.
const GONE: &str = "group-gone";

/// A sharing group to be made. Without members it reaches nobody.
#[derive(Debug, Clone)]
pub struct NewGroup {
    /// Identifier; the one it has elsewhere, where it came from there.
    pub uuid: GroupId,
    /// Name.
    pub name: String,
    /// Whose.
    pub owner: OrgId,
    /// Members.
    pub members: Vec<OrgId>,
    /// Members may see each other.
    pub shows_members: bool,
}

impl Store {
    /// Makes a sharing group, or replaces its name and members.
    ///
    /// # Errors
    /// The engine's.
    pub fn put_group(&self, actor: &str, group: NewGroup) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            let gone = "SELECT id FROM entry WHERE kind = ?1 AND name = ?2";
            if tx.first(gone, &params![GONE, group.uuid.to_string()], |row| row.get::<i64>(0))?.is_some() {
                let why = "a sharing group with this identifier was taken away here; make one with another";
                return Err(StoreError::Invalid(why.into()));
            }
            tx.execute(
                "INSERT INTO sharing_group (uuid, name, owner, shows_members) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, shows_members = excluded.shows_members",
                &params![group.uuid.0, &group.name, group.owner.0, group.shows_members],
            )?;
            numbers::of(tx, "group", group.uuid.0)?;
            tx.execute("DELETE FROM sharing_group_member WHERE sharing_group = ?1", &params![group.uuid.0])?;
            for member in &group.members {
                tx.execute(
                    "INSERT INTO sharing_group_member (sharing_group, org) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    &params![group.uuid.0, member.0],
                )?;
            }
            tx.facts_changed();
            audit::append(tx, &actor, "group.put", &group.uuid.to_string(), &group.name)
        })
    }

    /// A group's keepers' notes (`description`, `releasability`, `servers`…).
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn group_detail(&self, group: GroupId) -> Result<Map<String, Value>> {
        let found =
            self.reader()?.first("SELECT detail FROM sharing_group WHERE uuid = ?1", &params![group.0], |row| {
                row.get::<String>(0)
            })?;
        let detail = found.ok_or_else(|| StoreError::Unknown { what: "sharing group", name: group.to_string() })?;
        serde_json::from_str(&detail).map_err(StoreError::damaged)
    }

    /// Changes what is kept of a group besides its members.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn set_group(
        &self,
        actor: &str,
        group: GroupId,
        name: &str,
        active: bool,
        detail: &Map<String, Value>,
    ) -> Result<()> {
        let (actor, name, detail) = (actor.to_owned(), name.to_owned(), Value::Object(detail.clone()).to_string());
        self.write(move |tx| {
            let sql = "UPDATE sharing_group SET name = ?2, active = ?3, detail = ?4 WHERE uuid = ?1";
            if tx.execute(sql, &params![group.0, &name, active, &detail])? == 0 {
                return Err(StoreError::Unknown { what: "sharing group", name: group.to_string() });
            }
            tx.facts_changed();
            audit::append(tx, &actor, "group.set", &group.to_string(), &name)
        })
    }

    /// Takes an organisation in, or out.
    ///
    /// # Errors
    /// The engine's.
    pub fn set_group_member(&self, actor: &str, group: GroupId, org: OrgId, member: bool) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            let values = params![group.0, org.0];
            match member {
                true => tx.execute(
                    "INSERT INTO sharing_group_member (sharing_group, org) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    &values,
                )?,
                false => {
                    tx.execute("DELETE FROM sharing_group_member WHERE sharing_group = ?1 AND org = ?2", &values)?
                }
            };
            tx.facts_changed();
            let action = if member { "group.add-member" } else { "group.remove-member" };
            audit::append(tx, &actor, action, &group.to_string(), &org.to_string())
        })
    }

    /// Takes a group away. What was shared with it is its holder's alone from then on, for good: no group with
    /// this identifier is made again, by whoever brings one from elsewhere.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn remove_group(&self, actor: &str, group: GroupId) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            tx.execute("DELETE FROM sharing_group_member WHERE sharing_group = ?1", &params![group.0])?;
            if tx.execute("DELETE FROM sharing_group WHERE uuid = ?1", &params![group.0])? == 0 {
                return Err(StoreError::Unknown { what: "sharing group", name: group.to_string() });
            }
            let now = jiff::Timestamp::now().as_millisecond();
            tx.execute(
                "INSERT INTO entry (kind, name, body, created, modified) VALUES (?1, ?2, '{}', ?3, ?3) ON CONFLICT DO NOTHING",
                &params![GONE, group.to_string(), now],
            )?;
            tx.facts_changed();
            audit::append(tx, &actor, "group.remove", &group.to_string(), "")
        })
    }
}
