//! An observable, and where it stands among its neighbours.

use super::{Kind, Type, lookalike};
use std::fmt;
use std::net::IpAddr;

/// A value in its normal form. Order: type by type, then by value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Observable {
    ty: Type,
    value: String,
}

/// Where a value stands: below a name, or in a network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Labels right to left, joined by dots: `com.evil.www`.
    Name(String),
    /// Sixteen bytes (IPv4 as `::ffff:a.b.c.d`) with the bits below the length zero, and the length
    /// (an IPv4 /24 is 120).
    Net {
        /// First address.
        addr: [u8; 16],
        /// Prefix length, 0 to 128.
        len: u8,
    },
}

impl Observable {
    pub(super) fn new(ty: Type, value: String) -> Self {
        Observable { ty, value }
    }

    /// What the store kept was normalised before it came there.
    #[must_use]
    pub fn from_store(ty: Type, value: String) -> Self {
        Observable { ty, value }
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// Its normal form.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Its normal form, owned.
    #[must_use]
    pub fn into_value(self) -> String {
        self.value
    }

    /// The name below which everything is meant, but not the name itself: `evil.example` of `*.evil.example`.
    #[must_use]
    pub fn below(&self) -> Option<&str> {
        self.value.strip_prefix("*.").filter(|_| self.ty.row().kind == Kind::Name)
    }

    /// Its name without a wildcard; of all other types the value.
    fn name(&self) -> &str {
        self.below().unwrap_or(&self.value)
    }

    /// Where it stands among names or networks. `*.name` stands where the name does, above the same names.
    #[must_use]
    pub fn reach(&self) -> Option<Reach> {
        match self.ty.row().kind {
            Kind::Name => Some(Reach::Name(reversed(self.name()))),
            Kind::Email => self.value.rsplit_once('@').map(|(_, domain)| Reach::Name(reversed(domain))),
            Kind::Url => host_reach(&self.value),
            Kind::Address => net_reach(&self.value, None),
            Kind::Network => {
                let (addr, len) = self.value.split_once('/')?;
                net_reach(addr, len.parse().ok())
            }
            _ => None,
        }
    }

    /// The key under which names that look alike meet.
    #[must_use]
    pub fn lookalike(&self) -> Option<String> {
        match self.ty.row().kind {
            Kind::Name => {
                let (unicode, _) = idna::domain_to_unicode(self.name());
                Some(lookalike(&unicode))
            }
            _ => None,
        }
    }

    /// A spelling that no program follows by mistake: `evil[.]com`, `hxxp://…`, `a[@]b[.]c`.
    #[must_use]
    pub fn defang(&self) -> String {
        match self.ty.row().kind {
            Kind::Name | Kind::Address | Kind::Network => self.value.replace('.', "[.]"),
            Kind::Email => self.value.replace('@', "[@]").replace('.', "[.]"),
            Kind::Url => {
                let body = self.value.replacen("http", "hxxp", 1);
                match body.split_once("://") {
                    Some((scheme, rest)) => {
                        let end = rest.find(['/', '?']).unwrap_or(rest.len());
                        format!("{scheme}://{}{}", rest[..end].replace('.', "[.]"), &rest[end..])
                    }
                    None => body,
                }
            }
            _ => self.value.clone(),
        }
    }
}

impl fmt::Display for Observable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}

fn reversed(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for label in name.rsplit('.') {
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(label);
    }
    out
}

fn host_reach(url: &str) -> Option<Reach> {
    let rest = url.split_once("://")?.1;
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(v6) = host.strip_prefix('[') {
        return net_reach(v6.split(']').next()?, None);
    }
    let host = host.split(':').next()?;
    net_reach(host, None).or_else(|| (!host.is_empty()).then(|| Reach::Name(reversed(host))))
}

fn net_reach(addr: &str, len: Option<u8>) -> Option<Reach> {
    let (bytes, bits) = match addr.parse().ok()? {
        IpAddr::V4(v4) => (v4.to_ipv6_mapped().octets(), 96),
        IpAddr::V6(v6) => (v6.octets(), 0),
    };
    Some(Reach::Net { addr: bytes, len: len.map_or(128, |len| len.saturating_add(bits).min(128)) })
}
