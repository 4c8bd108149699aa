//! Block lists of addresses: nftables and ipset.

use super::{Lines, Value};
use crate::writer::WriteOptions;

pub(super) struct Nftables;

impl Lines for Nftables {
    fn name(&self) -> &'static str {
        "nftables"
    }
    fn header(&mut self, _options: &WriteOptions) -> String {
        "add table inet manara\n\
         add set inet manara blocked4 { type ipv4_addr; flags interval; auto-merge; }\n\
         add set inet manara blocked6 { type ipv6_addr; flags interval; auto-merge; }\n\
         flush set inet manara blocked4\n\
         flush set inet manara blocked6\n"
            .into()
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        let family = if value.observable.value().contains(':') { 6 } else { 4 };
        Some(format!("add element inet manara blocked{family} {{ {} }}\n", value.observable))
    }
}

pub(super) struct Ipset;

impl Lines for Ipset {
    fn name(&self) -> &'static str {
        "ipset"
    }
    fn header(&mut self, _options: &WriteOptions) -> String {
        "create manara4 hash:net family inet maxelem 4194304 -exist\n\
         create manara6 hash:net family inet6 maxelem 4194304 -exist\n\
         flush manara4\n\
         flush manara6\n"
            .into()
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        let family = if value.observable.value().contains(':') { 6 } else { 4 };
        Some(format!("add manara{family} {} -exist\n", value.observable))
    }
}
