//! What policy needs to know, read once and kept until it changes: the world (organisations, groups,
//! clients) and every label. An audience is judged per label here, by policy's own function; the SQL
//! predicate is nothing but the list of labels that it allowed.

use crate::engine::{Conn, Value as Parameter, params};
use crate::seal::Seal;
use crate::tx::Tx;
use crate::{Result, StoreError};
use manara_model::record::flag_of;
use manara_model::world::Group;
use manara_model::{Audience, Gate, GroupId, Label, Marking, NodeId, OrgId, Purpose, World};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Name of the key of pseudonyms, among the node's own values; sealed.
pub(crate) const PSEUDONYM_KEY: &str = "pseudonym_key";

/// A snapshot of the facts.
#[derive(Debug, Default)]
pub struct Facts {
    /// What policy judges by.
    pub world: World,
    /// Names of organisations.
    pub names: HashMap<OrgId, String>,
    /// Small numbers of organisations and sharing groups: see `numbers`.
    pub numbers: HashMap<Uuid, i64>,
    /// What owners of sharing groups say of them (`releasability`, `description`, `roaming`).
    pub group_notes: HashMap<GroupId, Map<String, Value>>,
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

    /// As a parameter for [`Conn::within`]; `None`: everything.
    pub(crate) fn parameter(&self, conn: &Conn) -> Option<Parameter<'static>> {
        match self {
            Allowed::Everything => None,
            Allowed::Only(labels) => Some(conn.list(labels)),
        }
    }
}

impl Facts {
    /// Another number whenever something of this changes.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

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
pub(crate) struct FactsCache {
    kept: Mutex<Arc<Facts>>,
    seal: Seal,
}

impl FactsCache {
    pub(crate) fn new(seal: Seal) -> Self {
        FactsCache { kept: Mutex::default(), seal }
    }

    pub(crate) fn get(&self, conn: &Conn) -> Result<Arc<Facts>> {
        let version = version(conn)?;
        let now = jiff::Timestamp::now().as_second();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.version != version || version == 0 {
            *kept = Arc::new(load(conn, &self.seal, version, now)?);
        } else if kept.world.now != now && kept.labels.values().any(|label| label.marking.embargo.is_some()) {
            let world = World { now, ..kept.world.clone() };
            let (names, numbers, labels) = (kept.names.clone(), kept.numbers.clone(), kept.labels.clone());
            let group_notes = kept.group_notes.clone();
            *kept = Arc::new(Facts { world, names, numbers, group_notes, labels, version });
        }
        Ok(Arc::clone(&kept))
    }
}

/// Counts changes of organisations, groups and labels: see [`Tx::facts_changed`].
fn version(conn: &Conn) -> Result<i64> {
    let text: Option<String> = conn.first("SELECT value FROM meta WHERE key = 'facts'", &[], |row| row.get(0))?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Counts one more change, at the end of the transaction that made it.
pub(crate) fn bump(tx: &Tx<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO meta (key, value) VALUES ('facts', '1')
         ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)",
        &[],
    )
    .map(drop)
}

fn load(conn: &Conn, seal: &Seal, version: i64, now: i64) -> Result<Facts> {
    let mut facts = Facts { version, ..Facts::default() };
    facts.world.now = now;
    let orgs = conn.all("SELECT uuid, name, local FROM org", &[], |row| {
        Ok((OrgId(row.get(0)?), row.get::<String>(1)?, row.get::<bool>(2)?))
    })?;
    for (org, name, local) in orgs {
        facts.names.insert(org, name);
        if local {
            facts.world.local.insert(org);
        }
    }
    let numbers = conn.all("SELECT uuid, id FROM number WHERE kind = 'org' OR kind = 'group'", &[], |row| {
        Ok((row.get::<Uuid>(0)?, row.get::<i64>(1)?))
    })?;
    facts.numbers = numbers.into_iter().collect();
    let clients =
        conn.all("SELECT server, client FROM org_client", &[], |row| Ok((OrgId(row.get(0)?), OrgId(row.get(1)?))))?;
    for (server, client) in clients {
        facts.world.clients.entry(server).or_default().insert(client);
    }
    let groups =
        conn.all("SELECT uuid, name, owner, shows_members, active, detail FROM sharing_group", &[], |row| {
            let notes: Map<String, Value> =
                serde_json::from_str(&row.get::<String>(5)?).map_err(StoreError::damaged)?;
            let group = Group {
                name: row.get(1)?,
                owner: row.get::<Option<Uuid>>(2)?.filter(|owner| !owner.is_nil()).map(OrgId),
                shows_members: row.get(3)?,
                active: row.get(4)?,
                nodes: nodes(&notes),
                ..Group::default()
            };
            Ok((GroupId(row.get(0)?), group, notes))
        })?;
    for (id, group, notes) in groups {
        facts.world.groups.insert(id, group);
        facts.group_notes.insert(id, notes);
    }
    let members = conn.all("SELECT sharing_group, org FROM sharing_group_member", &[], |row| {
        Ok((GroupId(row.get(0)?), OrgId(row.get(1)?)))
    })?;
    for (group, org) in members {
        if let Some(group) = facts.world.groups.get_mut(&group) {
            group.orgs.insert(org);
        }
    }
    facts.labels = conn
        .all("SELECT id, owner, marking FROM label", &[], |row| {
            let marking: Marking = serde_json::from_str(&row.get::<String>(2)?).map_err(StoreError::damaged)?;
            Ok((row.get(0)?, Label::new(OrgId(row.get(1)?), marking)))
        })?
        .into_iter()
        .collect();
    let key: Option<String> =
        conn.first("SELECT value FROM meta WHERE key = ?1", &params![PSEUDONYM_KEY], |row| row.get(0))?;
    if let Some(sealed) = key {
        facts.world.pseudonym_key = seal.open(PSEUDONYM_KEY, &sealed)?.into_bytes();
    }
    Ok(facts)
}

/// The nodes that a group travels to, from what its owner says of it: none named, or `roaming`: it goes by
/// organisation alone. A server whose node is not known yet is one that nobody is.
fn nodes(notes: &Map<String, Value>) -> BTreeSet<NodeId> {
    if flag_of(notes.get("roaming")) {
        return BTreeSet::new();
    }
    let servers = notes.get("servers").and_then(Value::as_array).into_iter().flatten();
    let node = |server: &Value| server.get("node").and_then(|node| node.as_str()?.parse().ok());
    servers.map(|server| NodeId(node(server).unwrap_or(Uuid::max()))).collect()
}

/// The number of a label, making one where it is new.
pub(crate) fn intern(tx: &Tx<'_>, label: &Label) -> Result<i64> {
    let marking = serde_json::to_string(&label.marking).map_err(StoreError::damaged)?;
    let key = params![label.owner.0, &marking];
    let find = format!("SELECT id FROM label WHERE owner = ?1 AND {}", tx.same_text("marking", 2));
    if let Some(id) = tx.first(&find, &key, |row| row.get(0))? {
        return Ok(id);
    }
    tx.dictionary(|tx| {
        let add = "INSERT INTO label (owner, marking) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING id";
        match tx.first(add, &key, |row| row.get(0))? {
            Some(id) => {
                tx.facts_changed();
                Ok(id)
            }
            // Another process was faster.
            None => tx.one(&find, &key, |row| row.get(0)),
        }
    })
}
