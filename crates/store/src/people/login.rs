//! Logging in: password and second factor.

use super::accounts::{self, Account};
use super::attempts::{Slot, counters};
use super::passwords::check_password;
use crate::engine::params;
use crate::{Result, Store, StoreError, audit, secret};
use std::net::IpAddr;
use totp_rs::{Builder, Secret, Totp};

/// What came of a log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogIn {
    /// Come in.
    Good(Account),
    /// Unknown account, wrong password, wrong or missing code: they look the same.
    Wrong,
    /// Too many failures: not even looked at before these seconds are over.
    Wait(i64),
}

/// What a new second factor is shown as, once.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SecondFactor {
    /// In base32, to be typed into an app.
    pub secret: String,
    /// `otpauth://…`, to be shown as a picture.
    pub url: String,
}

fn totp(secret: Secret, email: &str) -> Result<Totp> {
    let builder = Builder::new().with_secret(secret).with_account_name(email).with_issuer(Some("Manara"));
    builder.build().map_err(StoreError::damaged)
}

impl Store {
    /// Checks a log-in. An unknown account costs as much time as a known one; whoever fails often waits.
    ///
    /// # Errors
    /// The engine's.
    pub fn log_in(&self, email: &str, password: &str, code: &str, from: Option<IpAddr>) -> Result<LogIn> {
        let email = email.trim().to_lowercase();
        let now = jiff::Timestamp::now().as_millisecond();
        let counters = counters(&email, from);
        let wait = self.wait(&counters, now)?;
        if wait > 0 {
            return Ok(LogIn::Wait((wait + 999) / 1000));
        }
        let Some(_slot) = Slot::take() else { return Ok(LogIn::Wait(1)) };
        let stored = self.reader()?.first(
            &format!("SELECT {}, a.password, a.totp, a.totp_used FROM account a WHERE a.email = ?1", accounts::COLUMNS),
            &params![&email],
            |row| {
                let (account, at) = (accounts::read(row)?, accounts::WIDTH);
                Ok((account, row.get::<String>(at)?, row.get::<Option<String>>(at + 1)?, row.get::<i64>(at + 2)?))
            },
        )?;
        let good = match stored {
            Some((account, hash, sealed, used)) => {
                let known = secret::password_matches(password, &hash) && !account.disabled;
                let step = match (known, sealed) {
                    (true, Some(sealed)) => self.step(&email, &sealed, code)?,
                    (known, _) => known.then_some(0),
                };
                // A code is good once: who saw it typed is too late.
                match step {
                    Some(0) => Some(account),
                    Some(step) if step > used && self.use_step(&email, step)? => Some(account),
                    _ => None,
                }
            }
            None => {
                secret::hash_password(password)?;
                None
            }
        };
        // From now, not from when it began: the pause is not spent on looking at the password.
        self.count(counters, good.is_some(), jiff::Timestamp::now().as_millisecond())?;
        Ok(good.map_or(LogIn::Wrong, LogIn::Good))
    }

    fn step(&self, email: &str, sealed: &str, code: &str) -> Result<Option<i64>> {
        let secret =
            Secret::try_from_base32(self.seal.open(&seal_name(email), sealed)?).map_err(StoreError::damaged)?;
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
        let code: String = code.chars().filter(char::is_ascii_digit).collect();
        let Some(step) = totp(secret, email)?.check(&code, now) else { return Ok(None) };
        Ok(i64::try_from(step).ok())
    }

    fn use_step(&self, email: &str, step: i64) -> Result<bool> {
        let email = email.to_owned();
        self.write(move |tx| {
            let sql = "UPDATE account SET totp_used = ?2 WHERE email = ?1 AND totp_used < ?2";
            tx.execute(sql, &params![&email, step]).map(|rows| rows > 0)
        })
    }

    /// Gives an account a second factor (RFC 6238), or a new one in place of a lost one.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], and the engine's.
    pub fn add_second_factor(&self, actor: &str, email: &str) -> Result<SecondFactor> {
        let account = self.account(email)?;
        let secret = Secret::new(Box::new(secret::random::<20>()?));
        let (text, url) = (secret.to_base32(), totp(secret, &account.email)?.to_url().map_err(StoreError::damaged)?);
        let (sealed, actor) = (self.seal.close(&seal_name(&account.email), &text)?, actor.to_owned());
        self.write(move |tx| {
            let key = params![account.uuid.0, &sealed];
            tx.execute("UPDATE account SET totp = ?2, totp_used = 0 WHERE uuid = ?1", &key)?;
            tx.execute("DELETE FROM session WHERE account = ?1", &key[..1])?;
            audit::append(tx, &actor, "account.totp", &account.email, "added")
        })?;
        Ok(SecondFactor { secret: text, url })
    }

    /// Takes an account's second factor away.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], and the engine's.
    pub fn remove_second_factor(&self, actor: &str, email: &str) -> Result<()> {
        let (account, actor) = (self.account(email)?, actor.to_owned());
        self.write(move |tx| {
            tx.execute("UPDATE account SET totp = NULL, totp_used = 0 WHERE uuid = ?1", &params![account.uuid.0])?;
            audit::append(tx, &actor, "account.totp", &account.email, "removed")
        })
    }

    /// Sets a password that its owner chose; ends the account's sessions.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for one that is too easy, [`StoreError::Unknown`], and the engine's.
    pub fn set_password(&self, actor: &str, email: &str, password: &str) -> Result<()> {
        let account = self.account(email)?;
        check_password(password, &account.email)?;
        let (hash, actor) = (secret::hash_password(password)?, actor.to_owned());
        self.write(move |tx| {
            tx.execute("UPDATE account SET password = ?2 WHERE uuid = ?1", &params![account.uuid.0, &hash])?;
            tx.execute("DELETE FROM session WHERE account = ?1", &params![account.uuid.0])?;
            audit::append(tx, &actor, "account.password", &account.email, "chosen")
        })
    }
}

/// The secret of one account opens for no other.
fn seal_name(email: &str) -> String {
    format!("totp {email}")
}
