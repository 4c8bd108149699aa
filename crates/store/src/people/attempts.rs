//! What slows down those who guess: counts of failed log-ins, pauses that double, and few places at the door.

use crate::engine::params;
use crate::{Result, Store, secret};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Failures before the first pause: at one account from one address, from one address, at one account.
/// An account alone is slowed late, so that a stranger can't easily keep its owner out.
const FREE_PAIR: i64 = 5;
const FREE_ADDRESS: i64 = 50;
const FREE_ACCOUNT: i64 = 100;
/// The longest pause, and the time after which failures are forgotten.
const PAUSE_MS: i64 = 15 * 60 * 1000;
const FORGET_MS: i64 = 24 * 60 * 60 * 1000;

/// Log-ins looked at in one moment: each takes 19 MiB and a processor for some 20 ms, whoever asks.
const AT_ONCE: usize = 3;
static LOOKED_AT: AtomicUsize = AtomicUsize::new(0);

/// One of the places at the door; given back when dropped.
pub(super) struct Slot;

impl Slot {
    pub(super) fn take() -> Option<Self> {
        let free = |taken| (taken < AT_ONCE).then_some(taken + 1);
        LOOKED_AT.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok().map(|_| Slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        LOOKED_AT.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The name of a counter of what comes from an address, hashed.
pub(super) fn address(what: &str, from: Option<IpAddr>) -> String {
    let from = from.map(household).unwrap_or_default();
    crate::seal::to_hex(&secret::digest(&format!("{what} {from}")))
}

/// A household has a /64 of IPv6.
fn household(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments()[..4].iter().map(|s| format!("{s:x}:")).collect(),
    }
}

/// Names of the counters of one try: pairs of name (hashed: the table tells nothing) and free failures.
pub(super) fn counters(email: &str, from: Option<IpAddr>) -> Vec<(String, i64)> {
    let from = from.map(household);
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

impl Store {
    /// How long this try has to wait, in milliseconds.
    pub(super) fn wait(&self, counters: &[(String, i64)], now: i64) -> Result<i64> {
        let conn = self.reader()?;
        let mut longest = 0;
        for (name, free) in counters {
            let found = conn.first("SELECT failures, last FROM attempt WHERE name = ?1", &params![name], |row| {
                Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
            })?;
            if let Some((failures, last)) = found.filter(|(_, last)| now - last < FORGET_MS) {
                let pause = pause(failures, *free);
                // A clock that went back makes nobody wait longer than the longest pause.
                longest = longest.max(if pause > 0 { (last + pause - now).min(PAUSE_MS) } else { 0 });
            }
        }
        Ok(longest)
    }

    pub(super) fn count(&self, counters: Vec<(String, i64)>, good: bool, now: i64) -> Result<()> {
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
}
