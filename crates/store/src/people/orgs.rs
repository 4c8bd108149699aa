//! Organisations: those of this node's community, and others known by name.

use crate::engine::{Row, params};
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit, numbers};
use manara_model::OrgId;
use serde_json::{Map, Value};
use uuid::Uuid;

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Organisation {
    /// Identifier.
    pub uuid: OrgId,
    /// Name, unique at this node.
    pub name: String,
    /// ISO 3166-1 alpha-2, upper case; empty where not known.
    pub country: String,
    /// It has accounts here: it is of this node's community.
    pub local: bool,
}

impl Organisation {
    /// A new one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for an empty name or something that is no country code.
    pub fn new(name: &str, country: &str, local: bool) -> Result<Self> {
        let name = name.trim();
        if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            return Err(StoreError::Invalid(
                "an organisation's name has 1 to 200 characters on one line; give one with --name".into(),
            ));
        }
        let code = country.trim().to_ascii_uppercase();
        if !(code.is_empty() || code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())) {
            return Err(StoreError::Invalid(format!(
                "'{country}' is no country code; give two letters of ISO 3166-1, e.g. MY or TR"
            )));
        }
        Ok(Organisation { uuid: OrgId(uuid::Uuid::new_v4()), name: name.into(), country: code, local })
    }

    pub(crate) fn insert(&self, tx: &Tx<'_>, actor: &str) -> Result<()> {
        let added = tx.execute(
            "INSERT INTO org (uuid, name, country, local, created) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            &params![self.uuid.0, &self.name, &self.country, self.local, jiff::Timestamp::now().as_millisecond()],
        )?;
        if added == 0 {
            return Err(StoreError::Exists { what: "organisation", name: self.name.clone() });
        }
        numbers::of(tx, "org", self.uuid.0)?;
        tx.facts_changed();
        audit::append(tx, actor, "org.add", &self.uuid.to_string(), &self.name)
    }
}

/// Makes an organisation known that is only heard of: one of elsewhere, with a name of its own. A name
/// that another has is told apart by the beginning of the identifier.
pub(crate) fn know_org(tx: &Tx<'_>, uuid: Uuid, name: &str) -> Result<()> {
    if tx.exists("SELECT 1 FROM org WHERE uuid = ?1", &params![uuid])? {
        return Ok(());
    }
    let clean: String = name.chars().filter(|c| !c.is_control()).take(150).collect();
    let clean = if clean.trim().is_empty() { "unnamed".to_owned() } else { clean.trim().to_owned() };
    let short = &uuid.simple().to_string()[..8];
    tx.dictionary(|tx| {
        let add =
            "INSERT INTO org (uuid, name, country, local, created) VALUES (?1, ?2, '', 0, ?3) ON CONFLICT DO NOTHING";
        let now = jiff::Timestamp::now().as_millisecond();
        if tx.execute(add, &params![uuid, &clean, now])? == 0 {
            tx.execute(add, &params![uuid, format!("{clean} ({short})"), now])?;
        }
        numbers::of(tx, "org", uuid)?;
        tx.facts_changed();
        Ok(())
    })
}

fn read(row: &Row<'_>) -> Result<Organisation> {
    Ok(Organisation { uuid: OrgId(row.get(0)?), name: row.get(1)?, country: row.get(2)?, local: row.get(3)? })
}

impl Store {
    /// Adds an organisation.
    ///
    /// # Errors
    /// [`StoreError::Exists`], and the engine's.
    pub fn add_org(&self, actor: &str, org: Organisation) -> Result<Organisation> {
        let actor = actor.to_owned();
        self.write(move |tx| org.insert(tx, &actor).map(|()| org.clone()))
    }

    /// All organisations, by name.
    ///
    /// # Errors
    /// The engine's.
    pub fn orgs(&self) -> Result<Vec<Organisation>> {
        self.reader()?.all("SELECT uuid, name, country, local FROM org ORDER BY name", &[], read)
    }

    /// An organisation by name (exactly) or identifier.
    ///
    /// # Errors
    /// [`StoreError::Unknown`].
    pub fn org(&self, name: &str) -> Result<Organisation> {
        let uuid = name.parse::<uuid::Uuid>().unwrap_or_default();
        self.reader()?
            .first(
                "SELECT uuid, name, country, local FROM org WHERE name = ?1 OR uuid = ?2",
                &params![name, uuid],
                read,
            )?
            .ok_or_else(|| StoreError::Unknown { what: "organisation", name: name.into() })
    }

    /// `client` becomes a client of `server`: it receives what is marked TLP:AMBER there.
    ///
    /// # Errors
    /// The engine's.
    pub fn add_client(&self, actor: &str, server: OrgId, client: OrgId) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO org_client (server, client) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                &params![server.0, client.0],
            )?;
            tx.facts_changed();
            audit::append(tx, &actor, "org.client", &server.to_string(), &client.to_string())
        })
    }

    /// What is kept of an organisation besides: when it was made, and its keepers' notes (`description`,
    /// `sector`, `type`…).
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn org_detail(&self, org: OrgId) -> Result<(i64, Map<String, Value>)> {
        let found =
            self.reader()?.first("SELECT created, detail FROM org WHERE uuid = ?1", &params![org.0], |row| {
                Ok((row.get::<i64>(0)?, row.get::<String>(1)?))
            })?;
        let (created, detail) =
            found.ok_or_else(|| StoreError::Unknown { what: "organisation", name: org.to_string() })?;
        Ok((created, serde_json::from_str(&detail).map_err(StoreError::damaged)?))
    }

    /// Changes an organisation.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; [`StoreError::Exists`] for a name that another has; the engine's.
    pub fn set_org(&self, actor: &str, org: Organisation, detail: &Map<String, Value>) -> Result<()> {
        let (actor, detail) = (actor.to_owned(), Value::Object(detail.clone()).to_string());
        self.write(move |tx| {
            let taken =
                tx.exists("SELECT 1 FROM org WHERE name = ?1 AND uuid <> ?2", &params![&org.name, org.uuid.0])?;
            if taken {
                return Err(StoreError::Exists { what: "organisation", name: org.name.clone() });
            }
            let changed = tx.execute(
                "UPDATE org SET name = ?2, country = ?3, local = ?4, detail = ?5 WHERE uuid = ?1",
                &params![org.uuid.0, &org.name, &org.country, org.local, &detail],
            )?;
            if changed == 0 {
                return Err(StoreError::Unknown { what: "organisation", name: org.uuid.to_string() });
            }
            tx.facts_changed();
            audit::append(tx, &actor, "org.set", &org.uuid.to_string(), &org.name)
        })
    }

    /// Takes an organisation away that has no account and holds nothing.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] where it has; [`StoreError::Unknown`]; the engine's.
    pub fn remove_org(&self, actor: &str, org: OrgId) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            let used = tx.exists(
                "SELECT 1 FROM account WHERE org = ?1 UNION ALL SELECT 1 FROM label WHERE owner = ?1 LIMIT 1",
                &params![org.0],
            )?;
            if used {
                return Err(StoreError::Invalid(
                    "this organisation has accounts here or holds records; it stays".into(),
                ));
            }
            tx.execute("DELETE FROM org_client WHERE server = ?1 OR client = ?1", &params![org.0])?;
            if tx.execute("DELETE FROM org WHERE uuid = ?1", &params![org.0])? == 0 {
                return Err(StoreError::Unknown { what: "organisation", name: org.to_string() });
            }
            tx.facts_changed();
            audit::append(tx, &actor, "org.remove", &org.to_string(), "")
        })
    }

    /// Makes an organisation known that is only heard of; one that is known stays as it is.
    ///
    /// # Errors
    /// The engine's.
    pub fn hear_of_org(&self, uuid: Uuid, name: &str) -> Result<()> {
        if self.facts()?.names.contains_key(&OrgId(uuid)) {
            return Ok(());
        }
        let name = name.to_owned();
        self.write(move |tx| know_org(tx, uuid, &name))
    }
}
