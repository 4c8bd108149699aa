//! Accounts: a person or a program of an organisation.

use super::{keys, roles};
use crate::engine::{Row, params};
use crate::{Result, Store, StoreError, audit, numbers, secret};
use manara_model::role::{Right, Role};
use manara_model::{OrgId, UserId};
use serde_json::{Map, Value};

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its organisation.
    pub org: OrgId,
    /// Its name.
    pub email: String,
    /// What it may do.
    pub role: Role,
}

/// A made account, with secrets that are shown once.
#[derive(Debug, Clone, serde::Serialize)]
pub struct MadeAccount {
    /// Identifier.
    pub uuid: UserId,
    /// Name.
    pub email: String,
    /// Generated password.
    pub password: String,
    /// Generated key, with all rights of the role.
    pub api_key: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// Identifier.
    pub uuid: UserId,
    /// Its organisation.
    pub org: OrgId,
    /// Its name.
    pub email: String,
    /// What it may do.
    pub role: Role,
    /// Can't log in any more.
    pub disabled: bool,
    /// Logs in with a code besides the password.
    pub second_factor: bool,
}

/// Something with one `@`, no blanks, and both sides: more is for the mail server to say.
pub(crate) fn check_email(email: &str) -> Result<()> {
    let good = email.len() <= 254
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if good {
        Ok(())
    } else {
        Err(StoreError::Invalid(format!("'{email}' is no e-mail address; give one like name@cert.example")))
    }
}

/// An account's columns; `a` is the account. What is asked besides begins at [`WIDTH`].
pub(super) const COLUMNS: &str =
    "a.uuid, a.org, a.email, a.role, a.disabled, CAST(CASE WHEN a.totp IS NULL THEN 0 ELSE 1 END AS BIGINT),
     (SELECT e.body FROM entry e WHERE e.kind = 'role' AND e.name = a.role)";
pub(super) const WIDTH: usize = 7;

pub(super) fn read(row: &Row<'_>) -> Result<Account> {
    let role: String = row.get(3)?;
    Ok(Account {
        uuid: UserId(row.get(0)?),
        org: OrgId(row.get(1)?),
        email: row.get(2)?,
        role: roles::read(&role, row.get::<Option<String>>(6)?.as_deref()),
        disabled: row.get(4)?,
        second_factor: row.get(5)?,
    })
}

impl Store {
    /// Makes an account with a generated password and key.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Invalid`], and the engine's.
    pub fn add_account(&self, actor: &str, new: NewAccount) -> Result<MadeAccount> {
        check_email(&new.email)?;
        let made = MadeAccount {
            uuid: UserId(uuid::Uuid::new_v4()),
            email: new.email.trim().to_lowercase(),
            password: secret::token(20)?,
            api_key: secret::token(43)?,
        };
        let (hash, actor, account) = (secret::hash_password(&made.password)?, actor.to_owned(), made.clone());
        self.write(move |tx| {
            roles::check(tx, new.role)?;
            let added = tx.execute(
                "INSERT INTO account (uuid, org, email, role, password, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
                &params![
                    account.uuid.0,
                    new.org.0,
                    &account.email,
                    new.role.key(),
                    &hash,
                    jiff::Timestamp::now().as_millisecond(),
                ],
            )?;
            if added == 0 {
                return Err(StoreError::Exists { what: "account", name: account.email.clone() });
            }
            numbers::of(tx, "user", account.uuid.0)?;
            let rights: Vec<Right> = Right::ALL.into_iter().filter(|right| new.role.touches(*right)).collect();
            keys::insert(tx, account.uuid, &account.api_key, "first key", &rights, None)?;
            audit::append(tx, &actor, "account.add", &account.email, &new.role.key())
        })?;
        Ok(made)
    }

    /// All accounts, by e-mail.
    ///
    /// # Errors
    /// The engine's.
    pub fn accounts(&self) -> Result<Vec<Account>> {
        self.reader()?.all(&format!("SELECT {COLUMNS} FROM account a ORDER BY a.email"), &[], read)
    }

    /// An account by e-mail.
    ///
    /// # Errors
    /// [`StoreError::Unknown`].
    pub fn account(&self, email: &str) -> Result<Account> {
        self.reader()?
            .first(
                &format!("SELECT {COLUMNS} FROM account a WHERE a.email = ?1"),
                &params![email.trim().to_lowercase()],
                read,
            )?
            .ok_or_else(|| StoreError::Unknown { what: "account", name: email.into() })
    }

    /// Keeps an account out, or lets it in again: its keys and sessions end at once, its records stay.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], and the engine's.
    pub fn disable_account(&self, actor: &str, email: &str, disabled: bool) -> Result<()> {
        let (account, actor) = (self.account(email)?, actor.to_owned());
        self.write(move |tx| {
            tx.execute("UPDATE account SET disabled = ?2 WHERE uuid = ?1", &params![account.uuid.0, disabled])?;
            tx.execute("DELETE FROM session WHERE account = ?1", &params![account.uuid.0])?;
            audit::append(tx, &actor, if disabled { "account.disable" } else { "account.enable" }, &account.email, "")
        })
    }

    /// Gives an account a new generated password.
    ///
    /// # Errors
    /// [`StoreError::Unknown`].
    pub fn reset_password(&self, actor: &str, email: &str) -> Result<String> {
        let account = self.account(email)?;
        let (password, actor) = (secret::token(20)?, actor.to_owned());
        let hash = secret::hash_password(&password)?;
        self.write(move |tx| {
            tx.execute("UPDATE account SET password = ?2 WHERE uuid = ?1", &params![account.uuid.0, &hash])?;
            tx.execute("DELETE FROM session WHERE account = ?1", &params![account.uuid.0])?;
            audit::append(tx, &actor, "account.password", &account.email, "")
        })?;
        Ok(password)
    }

    /// When an account was made, and its keepers' notes.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn account_detail(&self, user: UserId) -> Result<(i64, Map<String, Value>)> {
        let found =
            self.reader()?.first("SELECT created, detail FROM account WHERE uuid = ?1", &params![user.0], |row| {
                Ok((row.get::<i64>(0)?, row.get::<String>(1)?))
            })?;
        let (created, detail) = found.ok_or_else(|| StoreError::Unknown { what: "account", name: user.to_string() })?;
        Ok((created, serde_json::from_str(&detail).map_err(StoreError::damaged)?))
    }

    /// Changes an account's address, organisation and role. Its sessions end, and its keys keep what the
    /// new role has of their rights.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; [`StoreError::Exists`]; an address that is none; the engine's.
    pub fn set_account(&self, actor: &str, account: Account, detail: &Map<String, Value>) -> Result<()> {
        check_email(&account.email)?;
        let (actor, detail) = (actor.to_owned(), Value::Object(detail.clone()).to_string());
        self.write(move |tx| {
            roles::check(tx, account.role)?;
            let taken = tx.exists(
                "SELECT 1 FROM account WHERE email = ?1 AND uuid <> ?2",
                &params![&account.email, account.uuid.0],
            )?;
            if taken {
                return Err(StoreError::Exists { what: "account", name: account.email.clone() });
            }
            let changed = tx.execute(
                "UPDATE account SET email = ?2, org = ?3, role = ?4, disabled = ?5, detail = ?6 WHERE uuid = ?1",
                &params![account.uuid.0, &account.email, account.org.0, account.role.key(), account.disabled, &detail],
            )?;
            if changed == 0 {
                return Err(StoreError::Unknown { what: "account", name: account.email.clone() });
            }
            tx.execute("DELETE FROM session WHERE account = ?1", &params![account.uuid.0])?;
            audit::append(tx, &actor, "account.set", &account.email, &account.role.key())
        })
    }

    /// Takes an account away, with its keys and sessions.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the engine's.
    pub fn remove_account(&self, actor: &str, user: UserId) -> Result<()> {
        let actor = actor.to_owned();
        self.write(move |tx| {
            tx.execute("DELETE FROM session WHERE account = ?1", &params![user.0])?;
            tx.execute("DELETE FROM api_key WHERE account = ?1", &params![user.0])?;
            let email = tx.first("DELETE FROM account WHERE uuid = ?1 RETURNING email", &params![user.0], |row| {
                row.get::<String>(0)
            })?;
            let email = email.ok_or_else(|| StoreError::Unknown { what: "account", name: user.to_string() })?;
            audit::append(tx, &actor, "account.remove", &email, "")
        })
    }
}
