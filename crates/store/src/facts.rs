//! What policy needs to know, read once and kept until it changes: the world (organisations, groups,
//! clients) and every label. An audience is judged per label here, by policy's own function; the SQL
//! predicate is nothing but the list of labels that it allowed.

use crate::{Result, StoreError};
use manara_model::world::Group;
use manara_model::{Audience, Gate, GroupId, Label, Marking, OrgId, Purpose, World};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// A snapshot of the facts.
#[derive(Debug, Default)]
pub struct Facts {
    /// What policy judges by.
    pub world: World,
    /// Names of organisations.
    pub names: HashMap<OrgId, String>,
    /// Labels by their number.
    pub labels: HashMap<i64, Label>,
    version: i64,
}

/// The labels that an audience is cleared for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// All of them: no predicate is needed.
    Everything,
    /// These, in order.
    Only(Vec<i64>),
}

impl Allowed {
    /// Is this label in?
    #[must_use]
    pub fn has(&self, label: i64) -> bool {
        match self {
            Allowed::Everything => true,
            Allowed::Only(labels) => labels.binary_search(&label).is_ok(),
        }
    }

    /// As a parameter for `IN (SELECT value FROM json_each(?))`; `None`: everything.
    pub(crate) fn parameter(&self) -> Option<String> {
        match self {
            Allowed::Everything => None,
            Allowed::Only(labels) => Some(crate::engine::number_list(labels)),
        }
    }
}

impl Facts {
    /// The labels that an audience is cleared for.
    #[must_use]
    pub fn allowed(&self, audience: &Audience, purpose: Purpose) -> Allowed {
        if *audience == Audience::Node && purpose == Purpose::Read {
            return Allowed::Everything;
        }
        let gate = Gate::new(&self.world, audience.clone(), purpose);
        let mut labels: Vec<i64> =
            self.labels.iter().filter(|(_, label)| gate.judge(label).allowed()).map(|(id, _)| *id).collect();
        labels.sort_unstable();
        Allowed::Only(labels)
    }

    /// The label with this number.
    pub(crate) fn label(&self, id: i64) -> Result<&Label> {
        self.labels.get(&id).ok_or_else(|| StoreError::damaged(format!("label {id} is missing")))
    }

    /// The name of an organisation; its identifier where the name is not known.
    #[must_use]
    pub fn name(&self, org: OrgId) -> String {
        self.names.get(&org).cloned().unwrap_or_else(|| org.to_string())
    }
}

/// Keeps the newest [`Facts`].
#[derive(Default)]
pub(crate) struct FactsCache(Mutex<Arc<Facts>>);

impl FactsCache {
    pub(crate) fn get(&self, conn: &Connection) -> Result<Arc<Facts>> {
        let version = version(conn)?;
        let now = jiff::Timestamp::now().as_second();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.version != version || version == 0 {
            *kept = Arc::new(load(conn, version, now)?);
        } else if kept.world.now != now && kept.labels.values().any(|label| label.marking.embargo.is_some()) {
            let world = World { now, ..kept.world.clone() };
            let (names, labels) = (kept.names.clone(), kept.labels.clone());
            *kept = Arc::new(Facts { world, names, labels, version });
        }
        Ok(Arc::clone(&kept))
    }
}

/// Counts changes of organisations, groups and labels; whoever changes one of them calls [`changed`].
fn version(conn: &Connection) -> Result<i64> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE key = 'facts'")?;
    let text: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// To be called, in the same transaction, by whoever changes a fact.
pub(crate) fn changed(conn: &Connection) -> Result<()> {
    let next = version(conn)? + 1;
    conn.execute(
        "INSERT INTO meta (key, value) VALUES ('facts', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
        [next.to_string()],
    )?;
    Ok(())
}

fn load(conn: &Connection, version: i64, now: i64) -> Result<Facts> {
    let mut facts = Facts { version, ..Facts::default() };
    facts.world.now = now;
    let mut statement = conn.prepare("SELECT uuid, name, local FROM org")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let org = OrgId(row.get::<_, Uuid>(0)?);
        facts.names.insert(org, row.get(1)?);
        if row.get::<_, bool>(2)? {
            facts.world.local.insert(org);
        }
    }
    let mut statement = conn.prepare("SELECT server, client FROM org_client")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        facts.world.clients.entry(OrgId(row.get(0)?)).or_default().insert(OrgId(row.get(1)?));
    }
    let mut statement = conn.prepare("SELECT uuid, name, owner, shows_members, active FROM sharing_group")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let group = Group {
            name: row.get(1)?,
            owner: row.get::<_, Option<Uuid>>(2)?.map(OrgId),
            shows_members: row.get(3)?,
            active: row.get(4)?,
            ..Group::default()
        };
        facts.world.groups.insert(GroupId(row.get(0)?), group);
    }
    let mut statement = conn.prepare("SELECT sharing_group, org FROM sharing_group_member")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(group) = facts.world.groups.get_mut(&GroupId(row.get(0)?)) {
            group.orgs.insert(OrgId(row.get(1)?));
        }
    }
    let mut statement = conn.prepare("SELECT id, owner, marking FROM label")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let marking: Marking = serde_json::from_str(&row.get::<_, String>(2)?).map_err(StoreError::damaged)?;
        facts.labels.insert(row.get(0)?, Label::new(OrgId(row.get(1)?), marking));
    }
    let key: Option<String> =
        conn.query_row("SELECT value FROM meta WHERE key = 'pseudonym_key'", [], |row| row.get(0)).optional()?;
    facts.world.pseudonym_key = key.map(String::into_bytes).unwrap_or_default();
    Ok(facts)
}

/// The number of a label, making one where it is new.
pub(crate) fn intern(conn: &Connection, label: &Label) -> Result<i64> {
    let marking = serde_json::to_string(&label.marking).map_err(StoreError::damaged)?;
    let mut find = conn.prepare_cached("SELECT id FROM label WHERE owner = ?1 AND marking = ?2")?;
    if let Some(id) = find.query_row((label.owner.0, &marking), |row| row.get(0)).optional()? {
        return Ok(id);
    }
    let id = conn.query_row(
        "INSERT INTO label (owner, marking) VALUES (?1, ?2) RETURNING id",
        (label.owner.0, &marking),
        |row| row.get(0),
    )?;
    changed(conn)?;
    Ok(id)
}
