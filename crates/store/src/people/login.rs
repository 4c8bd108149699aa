//! Logging in: password, second factor, and what slows down those who guess.

use super::accounts::{self, Account};
use crate::engine::params;
use crate::{Result, Store, StoreError, audit, secret};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use totp_rs::{Builder, Secret, Totp};

/// Failures before the first pause: at one account from one address, from one address, at one account.
/// An account alone is slowed late, so that a stranger can't easily keep its owner out.
const FREE_PAIR: i64 = 5;
const FREE_ADDRESS: i64 = 50;
const FREE_ACCOUNT: i64 = 100;
/// The longest pause, and the time after which failures are forgotten.
const PAUSE_MS: i64 = 15 * 60 * 1000;
const FORGET_MS: i64 = 24 * 60 * 60 * 1000;

/// Shortest password (NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0 §6.2.1 asks for 8, recommends 15).
const PASSWORD_CHARS: usize = 12;
/// Longest password, in characters.
const PASSWORD_MOST: usize = 256;

/// Log-ins looked at in one moment: each takes 19 MiB and a processor for some 20 ms, whoever asks.
const AT_ONCE: usize = 3;
static LOOKED_AT: AtomicUsize = AtomicUsize::new(0);

/// One of the places at the door; given back when dropped.
struct Slot;

impl Slot {
    fn take() -> Option<Self> {
        let free = |taken| (taken < AT_ONCE).then_some(taken + 1);
        LOOKED_AT.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok().map(|_| Slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        LOOKED_AT.fetch_sub(1, Ordering::AcqRel);
    }
}

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

/// Is this a password that may be chosen? Length counts, and that nobody guesses it first.
///
/// # Errors
/// [`StoreError::Invalid`] with what is wrong.
fn check_password(password: &str, email: &str) -> Result<()> {
    let wrong = |what: &str| Err(StoreError::Invalid(what.to_owned()));
    let characters = password.chars().count();
    if characters < PASSWORD_CHARS {
        return wrong("a password has at least 12 characters; several words are easy to remember");
    }
    if characters > PASSWORD_MOST {
        return wrong("a password has at most 256 characters");
    }
    let lower = password.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let name = email.split('@').next().unwrap_or_default().to_lowercase();
    if distinct.len() < 5 {
        return wrong("this password is few characters over and over; choose several words");
    }
    // Longer than a password may be short: what is left of common ones is in these.
    let common =
        ["password", "qwertz", "qwerty", "123456", "abcdef", "letmein", "welcome", "admin", "manara", "azerty"];
    let rest = common.iter().fold(lower.clone(), |rest, word| rest.replace(word, ""));
    if rest.chars().count() < 6 {
        return wrong("this password is among the first that are tried; choose several words");
    }
    if name.chars().count() >= 4 && lower.contains(&name) && characters < name.chars().count() + 8 {
        return wrong("this password is little more than the account's name");
    }
    Ok(())
}

/// Names of the counters of one try: pairs of name (hashed: the table tells nothing) and free failures.
fn counters(email: &str, from: Option<IpAddr>) -> Vec<(String, i64)> {
    // A household has a /64 of IPv6.
    let from = from.map(|address| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments()[..4].iter().map(|s| format!("{s:x}:")).collect(),
    });
    let hash = |text: String| crate::seal::to_hex(&secret::digest(&text));
    let mut counters = vec![(hash(format!("account {email}")), FREE_ACCOUNT)];
    if let Some(from) = from {
        counters.push((hash(format!("pair {email} {from}")), FREE_PAIR));
        counters.push((hash(format!("address {from}")), FREE_ADDRESS));
    } else {
        counters.push((hash(format!("pair {email}")), FREE_PAIR));
    }
    counters
}

/// How long after `failures` failures: doubling from one second.
fn pause(failures: i64, free: i64) -> i64 {
    match failures - free {
        over if over < 0 => 0,
        over => 1000i64.checked_shl(u32::try_from(over).unwrap_or(63).min(20)).unwrap_or(PAUSE_MS).min(PAUSE_MS),
    }
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
            |row| Ok((accounts::read(row)?, row.get::<String>(6)?, row.get::<Option<String>>(7)?, row.get::<i64>(8)?)),
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
        self.count(counters, good.is_some(), now)?;
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

    /// How long this try has to wait, in milliseconds.
    fn wait(&self, counters: &[(String, i64)], now: i64) -> Result<i64> {
        let conn = self.reader()?;
        let mut longest = 0;
        for (name, free) in counters {
            let found = conn.first("SELECT failures, last FROM attempt WHERE name = ?1", &params![name], |row| {
                Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
            })?;
            if let Some((failures, last)) = found.filter(|(_, last)| now - last < FORGET_MS) {
                longest = longest.max(last + pause(failures, *free) - now);
            }
        }
        Ok(longest)
    }

    fn count(&self, counters: Vec<(String, i64)>, good: bool, now: i64) -> Result<()> {
        self.write(move |tx| {
            tx.execute("DELETE FROM attempt WHERE last < ?1", &params![now - FORGET_MS])?;
            for (name, free) in &counters {
                if !good {
                    tx.execute(
                        "INSERT INTO attempt (name, failures, last) VALUES (?1, 1, ?2)
                         ON CONFLICT (name) DO UPDATE SET failures = attempt.failures + 1, last = excluded.last",
                        &params![name, now],
                    )?;
                } else if *free != FREE_ADDRESS {
                    // Who logs in has not been guessing at this account; the address may have, at others.
                    tx.execute("DELETE FROM attempt WHERE name = ?1", &params![name])?;
                }
            }
            Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        assert_eq!((0..5).map(|n| pause(n, 5)).max(), Some(0));
        assert_eq!([5, 6, 7].map(|n| pause(n, 5)), [1000, 2000, 4000]);
        assert_eq!(pause(1_000_000, 5), PAUSE_MS);
    }

    #[test]
    fn a_crowd_at_the_door_waits_outside() {
        let inside: Vec<Slot> = (0..AT_ONCE).filter_map(|_| Slot::take()).collect();
        assert!(Slot::take().is_none());
        drop(inside);
        assert!(Slot::take().is_some());
    }

    #[test]
    fn passwords_that_are_tried_first_are_refused() {
        for bad in
            ["short", "aaaaaaaaaaaaaaaa", "password123456", "Qwerty123456!", "analyst-12345", &"x1y2z".repeat(60)]
        {
            assert!(check_password(bad, "analyst-1@cert.example").is_err(), "{bad}");
        }
        for good in ["correct horse battery", "منارة تحذر السفن ليلا", "h7$kQ2!vBx0zP"] {
            check_password(good, "analyst@cert.example").unwrap();
        }
    }
}
