//! Sessions of people at the pages: a random token in a cookie, kept as SHA-256, with a CSRF token.

use super::accounts;
use super::keys::Caller;
use crate::engine::params;
use crate::{Result, Store, secret};
use manara_model::UserId;
use manara_model::role::Right;

/// Twelve hours: a shift.
const LIFETIME_MS: i64 = 12 * 60 * 60 * 1000;

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
                "INSERT INTO session (hash, account, csrf, created, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
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
            "SELECT {}, s.csrf FROM session s JOIN account a ON a.uuid = s.account
             WHERE s.hash = ?1 AND s.expires > ?2 AND a.disabled = 0",
            accounts::COLUMNS
        );
        let now = jiff::Timestamp::now().as_millisecond();
        let found = self.reader()?.first(&sql, &params![secret::digest(token).as_slice(), now], |row| {
            Ok((accounts::read(row)?, row.get(6)?))
        })?;
        Ok(found.map(|(account, csrf)| Session { caller: Caller { account, scope: Right::ALL.to_vec() }, csrf }))
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
