//! Addresses and networks of both families, for ISSUBSET and ISSUPERSET (§9.6).

use std::fmt;
use std::net::IpAddr;

/// A network; an address alone is one of full length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    addr: IpAddr,
    len: u8,
}

impl Network {
    /// Reads `addr` or `addr/length`. Bits beyond the length may be set, they do not count.
    #[must_use]
    pub fn read(text: &str) -> Option<Network> {
        let (addr, len) = match text.split_once('/') {
            Some((addr, len)) => (addr, Some(len)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().ok()?;
        let most = if addr.is_ipv4() { 32 } else { 128 };
        let len = match len {
            None => most,
            // `+8` parses as a number and is no length.
            Some(len) if len.bytes().all(|b| b.is_ascii_digit()) => len.parse().ok().filter(|len| *len <= most)?,
            Some(_) => return None,
        };
        Some(Network { addr, len })
    }

    /// Is all of the other in this one? Families never contain one another.
    #[must_use]
    pub fn contains(&self, other: &Network) -> bool {
        self.len <= other.len
            && self.addr.is_ipv4() == other.addr.is_ipv4()
            && self.prefix(self.len) == other.prefix(self.len)
    }

    /// Its first bits, the rest zero.
    pub(crate) fn prefix(&self, len: u8) -> u128 {
        let (bits, width) = match self.addr {
            IpAddr::V4(addr) => (u128::from(addr.to_bits()), 32),
            IpAddr::V6(addr) => (addr.to_bits(), 128),
        };
        let drop = u32::from(width - len.min(width));
        bits.checked_shr(drop).unwrap_or(0).checked_shl(drop).unwrap_or(0)
    }

    pub(crate) fn len(&self) -> u8 {
        self.len
    }

    pub(crate) fn is_v4(&self) -> bool {
        self.addr.is_ipv4()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = if self.addr.is_ipv4() { 32 } else { 128 };
        if self.len == full { write!(f, "{}", self.addr) } else { write!(f, "{}/{}", self.addr, self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_both_families() {
        for (outer, inner, is) in [
            ("192.168.0.1/24", "192.168.0.77", true),
            ("192.168.0.0/24", "192.168.1.0", false),
            ("10.0.0.0/8", "10.2.0.0/16", true),
            ("10.2.0.0/16", "10.0.0.0/8", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "1.2.3.4", false),
            ("2001:0db8:dead:beef:0000:0000:0000:0000/64", "2001:db8:dead:beef::7", true),
            ("2001:db8:dead:beef::/64", "2001:db8:dead:beee::7", false),
            ("1.2.3.4", "1.2.3.4/32", true),
            ("::ffff:0:0/96", "1.2.3.4", false),
        ] {
            let (outer, inner) = (Network::read(outer).unwrap(), Network::read(inner).unwrap());
            assert_eq!(outer.contains(&inner), is, "{outer} {inner}");
        }
        for bad in ["", "/", "1.2.3", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/+8", "01.2.3.4", "::/129", "1.2.3.4/8/8", "x"]
        {
            assert_eq!(Network::read(bad), None, "{bad}");
        }
    }
}
