//! Requests for an account by people who have none: kept until an administrator decides. Whoever asks learns
//! nothing of who has an account, and can't fill the node.

use super::attempts::address;
use super::check_email;
use crate::{Result, Store, StoreError};
use manara_model::ids::derived;
use serde_json::Value;
use std::net::IpAddr;

/// The kind of entry that they are.
pub const REGISTRATION: &str = "registration";
/// Most that wait at once.
const WAITING: usize = 1000;
/// Requests of a day before the first pause: from one address, and from all.
const FREE_FROM: i64 = 20;
const FREE_ALL: i64 = 500;

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It waits for an administrator; or one for the same address does.
    Kept,
    /// Too many came: not even looked at before these seconds are over.
    Wait(i64),
}

impl Store {
    /// Keeps a request for an account. Of several for one address the first is kept, whether there is such an
    /// account or not.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for what is no address; the engine's.
    pub fn register(&self, email: &str, body: Value, from: Option<IpAddr>) -> Result<Registered> {
        let email = email.trim().to_lowercase();
        check_email(&email)?;
        let now = jiff::Timestamp::now().as_millisecond();
        let mut counters = vec![(address("registration", None), FREE_ALL)];
        if from.is_some() {
            counters.push((address("registration", from), FREE_FROM));
        }
        let wait = self.wait(&counters, now)?;
        if wait > 0 {
            return Ok(Registered::Wait((wait + 999) / 1000));
        }
        self.count(counters, false, now)?;
        if self.entries(REGISTRATION)?.len() >= WAITING {
            return Ok(Registered::Wait(24 * 60 * 60));
        }
        let name = derived(&["registration", &email]).to_string();
        match self.add_entry("nobody", REGISTRATION, &name, (None, None), body) {
            Ok(_) | Err(StoreError::Exists { .. }) => Ok(Registered::Kept),
            Err(error) => Err(error),
        }
    }
}
