//! HTTP's Basic authentication (RFC 7617) at the speed of a key: what a slow hash said yes to is remembered for a
//! while, as a keyed digest, with the hash that it was checked against. Another password, a second factor, an
//! account that was disabled: the next request sees it.

use super::accounts::{self, Account};
use super::{Caller, LogIn};
use crate::engine::params;
use crate::{Result, Store, StoreError, secret};
use hmac::{Hmac, KeyInit, Mac};
use manara_model::permission::Flag;
use manara_model::role::Right;
use sha2::Sha256;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A password is looked at anew after this.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Accounts that are remembered; more begin anew.
const MOST: usize = 1024;

/// Passwords that were good a moment ago. In memory only, under a key that nobody else has.
#[derive(Default)]
pub struct Remembered {
    /// Made when the first password is remembered.
    key: OnceLock<[u8; 32]>,
    known: Mutex<HashMap<[u8; 32], Known>>,
    /// What is being looked at: who comes with the same waits for its answer. A program with ten connections is one
    /// that logs in, not ten.
    looking: Mutex<HashSet<[u8; 32]>>,
    looked: Condvar,
}

/// One look at a name and a password; over when dropped.
struct Look<'r>(&'r Remembered, [u8; 32]);

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.0.looking.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
        self.0.looked.notify_all();
    }
}

struct Known {
    /// The hash that it was checked against, as the account had it.
    against: String,
    until: Instant,
}

/// What came of a name and a password.
#[derive(Debug)]
pub enum Basic {
    /// Come in.
    Good(Caller),
    /// Unknown, wrong, or an account that needs more than a password: they look the same.
    Wrong,
    /// Too many failures: not even looked at before these seconds are over.
    Wait(i64),
}

impl Remembered {
    fn digest(&self, email: &str, password: &str) -> Result<[u8; 32]> {
        let key = match self.key.get() {
            Some(key) => key,
            None => {
                let fresh = secret::random::<32>()?;
                self.key.get_or_init(|| fresh)
            }
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(StoreError::damaged)?;
        // Its length before it: no other name and password make the same text.
        mac.update(&(email.len() as u64).to_be_bytes());
        mac.update(email.as_bytes());
        mac.update(password.as_bytes());
        Ok(mac.finalize().into_bytes().into())
    }

    fn against(&self, digest: &[u8; 32]) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).filter(|known| known.until > Instant::now()).map(|known| known.against.clone())
    }

    /// Waits until nobody else looks at the same.
    fn look(&self, digest: [u8; 32]) -> Look<'_> {
        let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        while !looking.insert(digest) {
            looking = self.looked.wait(looking).unwrap_or_else(PoisonError::into_inner);
        }
        Look(self, digest)
    }

    fn remember(&self, digest: [u8; 32], against: String) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, known| known.until > Instant::now());
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, Known { against, until: Instant::now() + REMEMBERED });
    }
}

impl Store {
    /// Who calls with an account's e-mail address and password, or with any name and an API key as password.
    ///
    /// # Errors
    /// The engine's.
    pub fn basic(&self, remembered: &Remembered, name: &str, word: &str, from: Option<IpAddr>) -> Result<Basic> {
        if let Some(known) = self.basic_known(remembered, name, word)? {
            return Ok(known);
        }
        let email = name.trim().to_lowercase();
        let digest = remembered.digest(&email, word)?;
        let _look = remembered.look(digest);
        if let Some(account) = self.known(remembered, &digest, &email)? {
            return Ok(admitted(account));
        }
        // Read before the slow look: what is remembered is what was checked, or older, and then it is not good.
        let before = self.account_and_hash(&email)?;
        Ok(match self.log_in(name, word, "", from)? {
            LogIn::Good(account) => {
                if let Some((_, hash)) = before {
                    remembered.remember(digest, hash);
                }
                admitted(account)
            }
            LogIn::Wrong => Basic::Wrong,
            LogIn::Wait(seconds) => Basic::Wait(seconds),
        })
    }

    /// The same without a slow hash: `None` where only that can tell.
    ///
    /// # Errors
    /// The engine's.
    pub fn basic_known(&self, remembered: &Remembered, name: &str, word: &str) -> Result<Option<Basic>> {
        let email = name.trim().to_lowercase();
        let digest = remembered.digest(&email, word)?;
        if let Some(account) = self.known(remembered, &digest, &email)? {
            return Ok(Some(admitted(account)));
        }
        Ok(self.caller(word)?.map(Basic::Good))
    }

    /// The account, where this password was good a moment ago and is still its own.
    fn known(&self, remembered: &Remembered, digest: &[u8; 32], email: &str) -> Result<Option<Account>> {
        let Some(against) = remembered.against(digest) else { return Ok(None) };
        let found = self.account_and_hash(email)?;
        Ok(found.filter(|(_, hash)| *hash == against).map(|(account, _)| account))
    }

    /// An account that may come in by its password alone, and the hash of that.
    fn account_and_hash(&self, email: &str) -> Result<Option<(Account, String)>> {
        let sql = format!(
            "SELECT {}, a.password FROM account a WHERE a.email = ?1 AND a.disabled = 0 AND a.totp IS NULL",
            accounts::COLUMNS
        );
        self.reader()?
            .first(&sql, &params![email], |row| Ok((accounts::read(row)?, row.get::<String>(accounts::WIDTH)?)))
    }
}

fn admitted(account: Account) -> Basic {
    // A second factor that a program can't give: such an account takes a key.
    if account.second_factor || !account.role.flags().has(Flag::Auth) {
        return Basic::Wrong;
    }
    Basic::Good(Caller { account, scope: Right::ALL.to_vec() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_forgotten_in_time() {
        let remembered = Remembered::default();
        let digest = remembered.digest("a@a.example", "word").unwrap();
        remembered.remember(digest, "hash".into());
        assert_eq!(remembered.against(&digest).as_deref(), Some("hash"));
        remembered.known.lock().unwrap().get_mut(&digest).unwrap().until = Instant::now();
        assert_eq!(remembered.against(&digest), None);
    }

    #[test]
    fn no_other_name_and_word_have_the_same_digest_nor_has_another_node() {
        let remembered = Remembered::default();
        let digest = |name: &str, word: &str| remembered.digest(name, word).unwrap();
        assert_eq!(digest("ab", "c"), digest("ab", "c"));
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
        assert_ne!(digest("ab", "c"), Remembered::default().digest("ab", "c").unwrap());
    }

    #[test]
    fn many_accounts_take_no_more_room_than_is_given() {
        let remembered = Remembered::default();
        for n in 0..3 * MOST {
            remembered.remember(remembered.digest("a", &n.to_string()).unwrap(), String::new());
            assert!(remembered.known.lock().unwrap().len() <= MOST);
        }
    }
}
