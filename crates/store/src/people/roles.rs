//! Roles that an operator put together: entries with MISP's flags. An account keeps the role's identifier,
//! and its flags are read with the account each time, so that a change of a role holds at once for all who
//! have it. A role that is gone leaves nothing.

use crate::engine::params;
use crate::entries::Entry;
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit, node};
use manara_model::permission::Flags;
use manara_model::role::Role;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The kind of entry that they are.
pub(super) const KIND: &str = "role";
/// Name of the default role among the node's own values.
const DEFAULT: &str = "default_role";
/// Longest name, in characters.
const NAME: usize = 100;

/// A role of the operator's.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomRole {
    /// The entry's number.
    pub id: i64,
    /// Identifier.
    pub uuid: Uuid,
    /// Name.
    pub name: String,
    /// What it may do.
    pub flags: Flags,
    /// All that was said of it, as in MISP.
    pub body: Map<String, Value>,
    /// Unix milliseconds.
    pub created: i64,
    /// Unix milliseconds.
    pub modified: i64,
}

impl CustomRole {
    fn of(entry: Entry) -> Result<Self> {
        let uuid = entry.name.parse().map_err(StoreError::damaged)?;
        let body = match entry.body {
            Value::Object(body) => body,
            _ => Map::new(),
        };
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let flags = Flags::read(&body, Flags::default());
        Ok(CustomRole { id: entry.id, uuid, name, flags, body, created: entry.created, modified: entry.modified })
    }

    /// As accounts have it.
    #[must_use]
    pub fn role(&self) -> Role {
        Role::Custom { uuid: self.uuid, flags: self.flags }
    }
}

/// The role that an account has: its key, and the body of the operator's role that the key names.
pub(super) fn read(key: &str, body: Option<&str>) -> Role {
    let custom = || {
        let body: Map<String, Value> = serde_json::from_str(body?).ok()?;
        Some(Role::Custom { uuid: key.parse().ok()?, flags: Flags::read(&body, Flags::default()) })
    };
    Role::parse(key).or_else(custom).unwrap_or(Role::Gone)
}

/// Refuses a role that is not there, inside the write that gives it to somebody.
pub(super) fn check(tx: &Tx<'_>, role: Role) -> Result<()> {
    let there = match role {
        Role::Gone => false,
        Role::Custom { uuid, .. } => {
            tx.exists("SELECT 1 FROM entry WHERE kind = ?1 AND name = ?2", &params![KIND, uuid.to_string()])?
        }
        _ => true,
    };
    if there { Ok(()) } else { Err(StoreError::Unknown { what: "role", name: role.key() }) }
}

impl Store {
    /// The operator's roles, oldest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn custom_roles(&self) -> Result<Vec<CustomRole>> {
        self.entries(KIND)?.into_iter().map(CustomRole::of).collect()
    }

    /// A role by name: a fixed one, or one of the operator's.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn role_named(&self, name: &str) -> Result<Role> {
        if let Some(role) = Role::parse(name) {
            return Ok(role);
        }
        let found = self.custom_roles()?.into_iter().find(|role| role.name == name || role.uuid.to_string() == name);
        found.map(|role| role.role()).ok_or_else(|| StoreError::Unknown { what: "role", name: name.into() })
    }

    /// What a role is called.
    ///
    /// # Errors
    /// The engine's.
    pub fn role_name(&self, role: Role) -> Result<String> {
        let Role::Custom { uuid, .. } = role else { return Ok(role.name().to_owned()) };
        let entry = self.entry_named(KIND, &uuid.to_string())?;
        Ok(entry.map(CustomRole::of).transpose()?.map_or_else(|| Role::Gone.name().to_owned(), |role| role.name))
    }

    fn check_role_name(&self, body: &Map<String, Value>, own: Option<Uuid>) -> Result<()> {
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
        if name.trim().is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(StoreError::Invalid(format!("a role's name is one line of 1 to {NAME} characters")));
        }
        let taken = Role::parse(name).is_some()
            || self.custom_roles()?.iter().any(|role| role.name == name && Some(role.uuid) != own);
        if taken { Err(StoreError::Exists { what: "Role", name: name.to_owned() }) } else { Ok(()) }
    }

    /// Adds a role. The body has MISP's members: `name`, `perm_…`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`], [`StoreError::Exists`] for its name; the engine's.
    pub fn add_role(&self, actor: &str, body: Map<String, Value>) -> Result<CustomRole> {
        self.check_role_name(&body, None)?;
        let uuid = Uuid::new_v4();
        CustomRole::of(self.add_entry(actor, KIND, &uuid.to_string(), (None, None), Value::Object(body))?)
    }

    /// Changes a role, for all who have it, at once.
    ///
    /// # Errors
    /// As [`Store::add_role`]; [`StoreError::Unknown`].
    pub fn set_role(&self, actor: &str, role: &CustomRole, body: Map<String, Value>) -> Result<CustomRole> {
        self.check_role_name(&body, Some(role.uuid))?;
        CustomRole::of(self.set_entry(actor, KIND, role.id, body)?)
    }

    /// Takes a role away that no account has.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] where it is in use; [`StoreError::Unknown`]; the engine's.
    pub fn remove_role(&self, actor: &str, role: &CustomRole) -> Result<()> {
        let (actor, key, name) = (actor.to_owned(), role.uuid.to_string(), role.name.clone());
        self.write(move |tx| {
            if tx.exists("SELECT 1 FROM account WHERE role = ?1", &params![&key])? {
                return Err(StoreError::Invalid("accounts have this role; give them another one first".into()));
            }
            if node::get(tx, DEFAULT)?.is_some_and(|default| default == key) {
                return Err(StoreError::Invalid("this is the default role; choose another one first".into()));
            }
            if tx.execute("DELETE FROM entry WHERE kind = ?1 AND name = ?2", &params![KIND, &key])? == 0 {
                return Err(StoreError::Unknown { what: "role", name: name.clone() });
            }
            audit::append(tx, &actor, "role.remove", &key, &name)
        })
    }

    /// The role of new accounts for which none is named.
    ///
    /// # Errors
    /// The engine's.
    pub fn default_role(&self) -> Result<Role> {
        let reader = self.reader()?;
        match node::get(&reader, DEFAULT)? {
            None => Ok(Role::User),
            Some(key) => {
                let body = self.entry_named(KIND, &key)?.map(|entry| entry.body.to_string());
                Ok(read(&key, body.as_deref()))
            }
        }
    }

    /// Chooses it.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] for a role that is not there; the engine's.
    pub fn set_default_role(&self, actor: &str, role: Role) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            check(tx, role)?;
            node::set(tx, DEFAULT, &role.key())?;
            audit::append(tx, &actor, "role.default", &role.key(), "")
        })
    }
}
