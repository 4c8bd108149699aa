//! API keys: 43 random letters and digits (256 bits), kept as SHA-256, with a scope and an end.

use super::accounts::{self, Account};
use crate::engine::{Value, params};
use crate::tx::Tx;
use crate::{Result, Store, StoreError, audit, secret};
use manara_model::permission::{Flag, TABLE};
use manara_model::role::{Right, Role};
use manara_model::{Audience, UserId};

/// Who calls, and what the key or session allows of what the role allows.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub account: Account,
    /// What this key may be used for.
    pub scope: Vec<Right>,
}

impl Caller {
    /// May the caller do this? Both the role and the key must say so.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.account.role.has(right) && self.scope.contains(&right)
    }

    /// May the caller do this piece of a right? For doors that ask so finely.
    #[must_use]
    pub fn has(&self, flag: Flag) -> bool {
        let scope = flag.line().right.is_none_or(|right| self.scope.contains(&right));
        self.account.role.flags().has(flag) && scope
    }

    /// Is the key for all that its account may do? A narrower one does not open what stands behind the account.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        Right::ALL.into_iter().all(|right| !self.account.role.touches(right) || self.scope.contains(&right))
    }

    /// Is a role no more than what the caller may do? Nobody gives, or manages, more than he has.
    #[must_use]
    pub fn covers(&self, role: Role) -> bool {
        let flags = match role {
            // Who manages an organisation's accounts lets its servers in, too: they bring what others wrote.
            Role::Sync if self.may(Right::Manage) => Role::User.flags(),
            role => role.flags(),
        };
        TABLE.iter().filter(|line| line.right.is_some() && flags.has(line.flag)).all(|line| self.has(line.flag))
    }

    /// What the caller may see: an administrator of the node everything that is held here (with a key
    /// for it), others what their account is cleared for. A narrower key never sees fewer rows in
    /// silence: it is refused at routes that it is not for (MISP#7924).
    #[must_use]
    pub fn audience(&self) -> Audience {
        if self.may(Right::Admin) {
            Audience::Node
        } else {
            Audience::User { user: self.account.uuid, org: self.account.org }
        }
    }
}

/// A key, without the key.
#[derive(Debug, Clone, serde::Serialize)]
pub struct KeyInfo {
    /// The store's number.
    pub id: i64,
    /// Whose.
    pub account: String,
    /// Its last four characters.
    pub hint: String,
    /// What for.
    pub note: String,
    /// Rights.
    pub scope: Vec<String>,
    /// Unix milliseconds.
    pub created: i64,
    /// Unix milliseconds; `None`: never.
    pub expires: Option<i64>,
    /// Can't be used any more.
    pub revoked: bool,
}

pub(super) fn insert(
    tx: &Tx<'_>,
    account: UserId,
    key: &str,
    note: &str,
    scope: &[Right],
    expires: Option<i64>,
) -> Result<()> {
    let hint = &key[key.len().saturating_sub(4)..];
    let scope: Vec<&str> = scope.iter().map(|right| right.name()).collect();
    tx.execute(
        "INSERT INTO api_key (account, hash, hint, note, scope, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &params![
            account.0,
            secret::digest(key).as_slice(),
            hint,
            note,
            scope.join(","),
            jiff::Timestamp::now().as_millisecond(),
            expires,
        ],
    )
    .map(drop)
}

impl Store {
    /// Makes a key with these rights, which the account's role must have (of a right that is made of several
    /// permissions, some of it: what of it may be done is asked of the role each time); the key is shown once.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Invalid`].
    pub fn add_key(
        &self,
        actor: &str,
        email: &str,
        note: &str,
        scope: &[Right],
        expires: Option<i64>,
    ) -> Result<String> {
        let account = self.account(email)?;
        if let Some(right) = scope.iter().find(|right| !account.role.touches(**right)) {
            return Err(StoreError::Invalid(format!(
                "{email} is a {}, which does not include the right '{}'",
                account.role.name(),
                right.name()
            )));
        }
        if scope.is_empty() {
            return Err(StoreError::Invalid("a key needs at least one right: read, write, manage or admin".into()));
        }
        let (key, scope, note, actor) = (secret::token(43)?, scope.to_vec(), note.to_owned(), actor.to_owned());
        let made = key.clone();
        self.write(move |tx| {
            insert(tx, account.uuid, &made, &note, &scope, expires)?;
            audit::append(tx, &actor, "key.add", &account.email, &note)
        })?;
        Ok(key)
    }

    /// The keys of an account, or all, without the keys.
    ///
    /// # Errors
    /// The engine's.
    pub fn keys(&self, of: Option<&str>) -> Result<Vec<KeyInfo>> {
        let sql = format!(
            "SELECT k.id, a.email, k.hint, k.note, k.scope, k.created, k.expires, k.revoked
             FROM api_key k JOIN account a ON a.uuid = k.account{} ORDER BY k.id",
            if of.is_some() { " WHERE a.email = ?1" } else { "" }
        );
        self.reader()?.all(&sql, &of.map(Value::from).into_iter().collect::<Vec<_>>(), |row| {
            let scope: String = row.get(4)?;
            Ok(KeyInfo {
                id: row.get(0)?,
                account: row.get(1)?,
                hint: row.get(2)?,
                note: row.get(3)?,
                scope: scope.split(',').map(str::to_owned).collect(),
                created: row.get(5)?,
                expires: row.get(6)?,
                revoked: row.get(7)?,
            })
        })
    }

    /// Ends a key.
    ///
    /// # Errors
    /// [`StoreError::Unknown`].
    pub fn revoke_key(&self, actor: &str, id: i64) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            if tx.execute("UPDATE api_key SET revoked = 1 WHERE id = ?1", &params![id])? == 0 {
                return Err(StoreError::Unknown { what: "key", name: id.to_string() });
            }
            audit::append(tx, &actor, "key.revoke", &id.to_string(), "")
        })
    }

    /// Who has this key? Looked up by its hash, so that the time tells nothing about other keys. Nobody, where
    /// the account's role does not use keys.
    ///
    /// # Errors
    /// The engine's.
    pub fn caller(&self, key: &str) -> Result<Option<Caller>> {
        let sql = format!(
            "SELECT {}, k.scope FROM api_key k JOIN account a ON a.uuid = k.account
             WHERE k.hash = ?1 AND k.revoked = 0 AND a.disabled = 0 AND (k.expires IS NULL OR k.expires > ?2)",
            accounts::COLUMNS
        );
        let now = jiff::Timestamp::now().as_millisecond();
        let found = self.reader()?.first(&sql, &params![secret::digest(key).as_slice(), now], |row| {
            Ok((accounts::read(row)?, row.get::<String>(accounts::WIDTH)?))
        })?;
        let found = found.filter(|(account, _)| account.role.flags().has(Flag::Auth));
        Ok(found.map(|(account, scope)| Caller { account, scope: scope.split(',').filter_map(Right::parse).collect() }))
    }
}
