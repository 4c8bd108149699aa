//! Sharing groups.

use crate::engine::params;
use crate::{Result, Store, audit, numbers};
use manara_model::{GroupId, OrgId};

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
}
