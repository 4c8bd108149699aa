//! How much the signs on a machine's lines say: whether it is to be taken off the network, or only looked at.
//!
//! Strong are a harmful name, page, file or payment address. Weak are what also stands there by chance: an address, a
//! network, the number of a weakness, a file's name, a sender of mail (the machine is then mostly the mail server), and
//! a single visit to one of the most visited names. An address to which the machine went itself is strong.

use super::kinds;
use crate::allow::BUILT_IN;
use crate::{Allow, HostTally};
use manara_matching::Kind;
use std::cell::OnceCell;

/// Tells strong from weak. The lists that come with the program are read when they are first needed.
#[derive(Default)]
pub(super) struct Judge {
    common: OnceCell<Option<Allow>>,
}

impl Judge {
    /// Whether a machine has strong signs.
    pub(super) fn is_strong(&self, host: &HostTally) -> bool {
        if host.went > 0 {
            return true;
        }
        let strong = host.kinds.iter().filter(|(kind, _)| kinds::of(kind).is_strong());
        let hits = strong.map(|(_, count)| *count).fold(0_u64, u64::saturating_add);
        // Of a machine with more signs than are kept, what is not known is not taken for harmless.
        let chance =
            || host.indicators.iter().filter(|one| one.count == 1 && self.is_common(&one.kind, &one.indicator));
        hits > 0 && hits > chance().count() as u64
    }

    /// Whether it is one of the most visited names, and not only below one.
    fn is_common(&self, kind: &str, indicator: &str) -> bool {
        // Below one there may be anybody.
        if kind != Kind::Domain.name() || indicator.starts_with("*.") {
            return false;
        }
        let lists = self.common.get_or_init(|| Allow::read(&[BUILT_IN.into()]).ok().map(|(lists, _)| lists));
        lists.as_ref().is_some_and(|lists| lists.asking().holds(indicator, Kind::Domain, indicator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Share;

    fn host(signs: &[(&str, &str, u64)]) -> HostTally {
        let mut host = HostTally::default();
        for (kind, indicator, count) in signs {
            *host.kinds.entry((*kind).to_owned()).or_default() += count;
            host.indicators.push(Share { indicator: (*indicator).into(), kind: (*kind).into(), count: *count });
        }
        host
    }

    #[test]
    fn what_also_stands_there_by_chance_is_weak() {
        let judge = Judge::default();
        let strong = |signs: &[(&str, &str, u64)]| judge.is_strong(&host(signs));
        let weak = [
            ("ipv4", "203.0.113.7", 9000),
            ("cve", "CVE-2021-44228", 3),
            ("asn", "AS64500", 1),
            ("filename", "setup.exe", 2),
            ("email", "boss@fake.example", 1),
            ("domain", "google.com", 1),
        ];
        assert!(!strong(&weak) && !strong(&[]));
        for sign in [
            ("domain", "evil.example", 1),
            ("url", "http://google.com/x", 1),
            ("md5", "x", 1),
            ("domain", "google.com", 2),
            ("domain", "*.google.com", 1),
        ] {
            assert!(strong(&[&weak[..5], &[sign]].concat()), "{sign:?}");
        }
    }

    #[test]
    fn an_address_is_strong_where_the_machine_went_there_itself() {
        let mut one = host(&[("ipv4", "203.0.113.7", 9)]);
        assert!(!Judge::default().is_strong(&one));
        one.went = 1;
        assert!(Judge::default().is_strong(&one));
    }

    #[test]
    fn a_strong_sign_that_is_too_rare_to_be_named_still_counts() {
        let mut many = host(&[("ipv4", "203.0.113.7", 9000), ("domain", "google.com", 1)]);
        assert!(!Judge::default().is_strong(&many));
        *many.kinds.entry("sha256".into()).or_default() += 1;
        assert!(Judge::default().is_strong(&many));
    }
}
