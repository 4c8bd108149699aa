//! Which values somebody gets who acts on them by himself: blocks, or looks for them.

use crate::writer::{HeldBack, WriteOptions};
use manara_model::Purpose;
use manara_model::observable::Observable;
use manara_model::record::Found;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

/// How many of the values that were held back are named.
const NAMED: usize = 20;

/// The choice that all formats make that block or detect, and what it kept back.
pub struct Choice {
    options: WriteOptions,
    /// The receiver acts on it by itself: what would hurt the innocent is held back.
    acts: bool,
    held: HeldBack,
    /// What was held back, as hashes: each value is counted once.
    told: HashSet<u64>,
}

impl Choice {
    /// For what the receiver does with it.
    #[must_use]
    pub fn new(options: WriteOptions, purpose: Purpose) -> Self {
        Choice { options, acts: purpose != Purpose::Read, held: HeldBack::default(), told: HashSet::new() }
    }

    /// Whether it is of a type that was asked for, and its author wants it looked for where that matters.
    #[must_use]
    pub fn wants(&self, found: &Found) -> bool {
        let wanted = self.options.types.as_ref().is_none_or(|types| types.contains(&found.observable.ty()));
        wanted && (found.detect || !self.acts || self.options.undetected)
    }

    /// Whether it stays here because it would hurt the innocent.
    pub fn holds_back(&mut self, observable: &Observable) -> bool {
        if !self.acts {
            return false;
        }
        let reserved = is_reserved(observable);
        let list = self.options.warning_lists.as_ref().and_then(|lists| lists.false_positive(observable));
        let reason = match (reserved, list) {
            (true, _) => "reserved addresses",
            (false, Some(list)) => list,
            (false, None) => return false,
        };
        if self.told.insert(digest(observable)) {
            self.held.reserved += u64::from(reserved);
            self.held.warning_listed += u64::from(!reserved);
            if self.held.examples.len() < NAMED {
                self.held.examples.push(format!("{observable}: {reason}"));
            }
        }
        true
    }

    /// A value that the format has no words for.
    pub(super) fn unsaid(&mut self, observable: &Observable) {
        self.held.unsaid += 1;
        if self.held.examples.len() < NAMED {
            self.held.examples.push(format!("{observable}: this format can't leave the name itself out"));
        }
    }

    /// What was held back so far.
    #[must_use]
    pub fn held_back(&self) -> &HeldBack {
        &self.held
    }
}

/// A value as eight bytes, however long it is.
pub(super) fn digest(observable: &Observable) -> u64 {
    let mut hash = DefaultHasher::new();
    (observable.ty().code(), observable.value()).hash(&mut hash);
    hash.finish()
}

/// Addresses that are nobody's on the internet (RFC 6890), and networks so wide that a mistake cuts
/// off countries: no list of ours blocks them.
fn is_reserved(observable: &Observable) -> bool {
    let value = observable.value();
    let (addr, len) = value.split_once('/').map_or((value, None), |(addr, len)| (addr, len.parse::<u8>().ok()));
    match addr.parse() {
        Ok(IpAddr::V4(v4)) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            len.is_some_and(|len| len < 8)
                || shared
                || v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets()[0] == 0
        }
        Ok(IpAddr::V6(v6)) => {
            len.is_some_and(|len| len < 19)
                || v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
        Err(_) => false,
    }
}
