//! Block lists of names: hosts files, response policy zones, Unbound, Squid.

use super::{Lines, Value};
use crate::writer::WriteOptions;
use manara_model::observable::Kind;
use manara_model::record::rfc3339;
use std::collections::BTreeSet;
use std::net::IpAddr;

fn comment(sign: &str, options: &WriteOptions) -> String {
    let origin: String = options.origin.chars().filter(|c| !c.is_control()).collect();
    format!("{sign} {origin}, {}\n", rfc3339(options.now))
}

pub(super) struct Hosts;

impl Lines for Hosts {
    fn name(&self) -> &'static str {
        "hosts"
    }
    fn header(&mut self, options: &WriteOptions) -> String {
        comment("#", options)
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        Some(format!("0.0.0.0 {}\n", value.observable))
    }
    fn says_below(&self) -> bool {
        false
    }
}

pub(super) struct Rpz;

impl Lines for Rpz {
    fn name(&self) -> &'static str {
        "rpz"
    }
    fn header(&mut self, options: &WriteOptions) -> String {
        let serial = u32::try_from(options.now / 1000).unwrap_or(1);
        format!(
            "$TTL 300\n@ IN SOA localhost. root.localhost. {serial} 3600 600 86400 300\n@ IN NS localhost.\n{}",
            comment(";", options)
        )
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        let name = value.observable.value();
        match value.observable.ty().row().kind {
            // A zone spells what is below a name in the same way.
            Kind::Name if value.observable.below().is_some() => {
                (name.len() <= 192).then(|| format!("{name} CNAME .\n"))
            }
            // The zone's own name must fit behind it.
            Kind::Name if name.len() <= 190 => Some(format!("{name} CNAME .\n*.{name} CNAME .\n")),
            Kind::Name => None,
            _ => rpz_ip(name).map(|owner| format!("{owner}.rpz-ip CNAME .\n")),
        }
    }
}

/// Prefix length and the address backwards; the longest run of zero groups is `zz`
/// (draft-vixie-dnsop-dns-rpz §4.1.1).
fn rpz_ip(value: &str) -> Option<String> {
    let (addr, len) = value.split_once('/').map_or((value, None), |(addr, len)| (addr, Some(len)));
    match addr.parse().ok()? {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            Some(format!("{}.{d}.{c}.{b}.{a}", len.unwrap_or("32")))
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let (mut best, mut n) = ((0, 0), 0);
            while n < 8 {
                let run = segments[n..].iter().take_while(|segment| **segment == 0).count();
                if run > best.1 && run > 1 {
                    best = (n, run);
                }
                n += run.max(1);
            }
            let mut words: Vec<String> = Vec::new();
            let mut n = 0;
            while n < 8 {
                if best.1 > 0 && n == best.0 {
                    words.push("zz".into());
                    n += best.1;
                } else {
                    words.push(format!("{:x}", segments[n]));
                    n += 1;
                }
            }
            words.reverse();
            Some(format!("{}.{}", len.unwrap_or("128"), words.join(".")))
        }
    }
}

pub(super) struct Unbound;

impl Lines for Unbound {
    fn name(&self) -> &'static str {
        "unbound"
    }
    fn header(&mut self, options: &WriteOptions) -> String {
        format!("{}server:\n", comment("#", options))
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        Some(format!("  local-zone: \"{}.\" always_nxdomain\n", value.observable))
    }
    fn says_below(&self) -> bool {
        false
    }
}

/// A name covers what is below it, and Squid refuses to hear it twice: names are written at the end,
/// when it is known which of them stand below others.
#[derive(Default)]
pub(super) struct Squid {
    names: BTreeSet<String>,
    addresses: bool,
}

impl Squid {
    fn is_covered(&self, name: &str) -> bool {
        let mut parent = name;
        while let Some((_, rest)) = parent.split_once('.') {
            if self.names.contains(rest) {
                return true;
            }
            parent = rest;
        }
        false
    }
}

impl Lines for Squid {
    fn name(&self) -> &'static str {
        "squid"
    }
    fn header(&mut self, options: &WriteOptions) -> String {
        comment("#", options)
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        let name = value.observable.value();
        if value.observable.ty().row().kind == Kind::Name {
            self.names.insert(name.to_owned());
            return None;
        }
        self.addresses = true;
        Some(format!("acl manara_addresses dst {name}\n"))
    }
    fn says_below(&self) -> bool {
        false
    }
    fn footer(&mut self) -> String {
        let mut footer = String::new();
        for name in self.names.iter().filter(|name| !self.is_covered(name)) {
            footer.push_str("acl manara_names dstdomain .");
            footer.push_str(name);
            footer.push('\n');
        }
        if !self.names.is_empty() {
            footer.push_str("http_access deny manara_names\n");
        }
        if self.addresses {
            footer.push_str("http_access deny manara_addresses\n");
        }
        footer
    }
}

#[cfg(test)]
mod tests {
    use super::rpz_ip;

    #[test]
    fn addresses_stand_backwards() {
        assert_eq!(rpz_ip("192.0.2.1").unwrap(), "32.1.2.0.192");
        assert_eq!(rpz_ip("198.51.100.0/24").unwrap(), "24.0.100.51.198");
        assert_eq!(rpz_ip("2001:db8::1").unwrap(), "128.1.zz.db8.2001");
        assert_eq!(rpz_ip("2001:db8::/32").unwrap(), "32.zz.db8.2001");
        assert_eq!(rpz_ip("2001:db8:1:2:3:4:5:6").unwrap(), "128.6.5.4.3.2.1.db8.2001");
    }
}
