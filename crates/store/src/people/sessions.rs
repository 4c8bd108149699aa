//! Sessions of people at the pages: a random token in a cookie, kept as SHA-256, with a CSRF token.

use super::accounts;
use super::keys::Caller;
use crate::engine::params;
use crate::{Result, Store, audit, secret};
use manara_model::UserId;
use manara_model::role::Right;

/// Twelve hours: a shift.
const LIFETIME_MS: i64 = 12 * 60 * 60 * 1000;
/// Two hours without a page: somebody went home.
const IDLE_MS: i64 = 2 * 60 * 60 * 1000;
/// How exactly the last use is noted: a write a minute, not one a page.
const NOTED_MS: i64 = 60 * 1000;

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub caller: Caller,
    /// Must come back with every form.
    pub csrf: String,
}

impl Store {
    /// Begins a session and gives its token for the cookie.
    ///
    /// # Errors
    /// The engine's.
    pub fn begin_session(&self, account: UserId) -> Result<String> {
        let (token, csrf) = (secret::token(43)?, secret::token(32)?);
        let (hash, now) = (secret::digest(&token), jiff::Timestamp::now().as_millisecond());
        self.write(move |tx| {
            tx.execute("DELETE FROM session WHERE expires < ?1", &params![now])?;
            tx.execute(
                "INSERT INTO session (hash, account, csrf, created, expires, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?4)",
                &params![hash.as_slice(), account.0, &csrf, now, now + LIFETIME_MS],
            )
        })?;
        Ok(token)
    }

    /// The session of a token.
    ///
    /// # Errors
    /// The engine's.
    pub fn session(&self, token: &str) -> Result<Option<Session>> {
        let sql = format!(
            "SELECT {}, s.csrf, s.seen FROM session s JOIN account a ON a.uuid = s.account
             WHERE s.hash = ?1 AND s.expires > ?2 AND s.seen > ?3 AND a.disabled = 0",
            accounts::COLUMNS
        );
        let (hash, now) = (secret::digest(token), jiff::Timestamp::now().as_millisecond());
        let key = params![hash.as_slice(), now, now - IDLE_MS];
        let found = self.reader()?.first(&sql, &key, |row| {
            Ok((accounts::read(row)?, row.get(accounts::WIDTH)?, row.get::<i64>(accounts::WIDTH + 1)?))
        })?;
        let Some((account, csrf, seen)) = found else { return Ok(None) };
        if now - seen > NOTED_MS {
            self.write(move |tx| {
                tx.execute("UPDATE session SET seen = ?2 WHERE hash = ?1", &params![hash.as_slice(), now]).map(drop)
            })?;
        }
        Ok(Some(Session { caller: Caller { account, scope: Right::ALL.to_vec() }, csrf }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The engine's.
    pub fn end_session(&self, token: &str) -> Result<()> {
        let hash = secret::digest(token);
        self.write(move |tx| tx.execute("DELETE FROM session WHERE hash = ?1", &params![hash.as_slice()]).map(drop))
    }
}

impl Store {
    /// Ends all sessions of an account: at a lost laptop, or when somebody leaves.
    ///
    /// # Errors
    /// [`StoreError::Unknown`](crate::StoreError::Unknown), and the engine's.
    pub fn end_sessions(&self, actor: &str, email: &str) -> Result<u64> {
        let (account, actor) = (self.account(email)?, actor.to_owned());
        self.write(move |tx| {
            let ended = tx.execute("DELETE FROM session WHERE account = ?1", &params![account.uuid.0])?;
            audit::append(tx, &actor, "account.logout", &account.email, "").map(|()| ended)
        })
    }
}
