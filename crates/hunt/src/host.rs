//! Which own host a line with a hit speaks of.
//!
//! Own addresses are the private ones (RFC 1918), those of carriers' networks (100.64.0.0/10), link-local
//! (169.254.0.0/16, fe80::/10), unique local (fc00::/7), and the networks that somebody names. The host of a hit
//! is the first own address of its line, from the left, that is not part of the hit: Zeek, squid, nginx, Apache,
//! Suricata, sshd and name servers all write who asked before whom.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;

/// Bytes of a line that are looked through, and own addresses that are taken of it.
const REACH: usize = 64 << 10;
const MOST: usize = 16;

/// Own networks.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// First and last addresses; IPv4 as mapped into IPv6.
    nets: Vec<(u128, u128)>,
}

impl Default for Hosts {
    fn default() -> Self {
        Hosts::new()
    }
}

const PRIVATE: [&str; 7] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"];

impl Hosts {
    /// The private ones.
    #[must_use]
    pub fn new() -> Hosts {
        Hosts { nets: PRIVATE.iter().filter_map(|net| parse(net)).collect() }
    }

    /// None but a network in CIDR notation, or an address.
    pub(crate) fn only(net: &str) -> Option<Hosts> {
        parse(net).map(|net| Hosts { nets: vec![net] })
    }

    /// One's own beside these, in CIDR notation, or an address. Whether it is one comes back.
    pub fn add(&mut self, net: &str) -> bool {
        let net = parse(net);
        self.nets.extend(net);
        net.is_some()
    }

    /// Whether an address is one's own.
    #[must_use]
    pub fn owns(&self, address: IpAddr) -> bool {
        let address = bits(address);
        self.nets.iter().any(|(first, last)| (*first..=*last).contains(&address))
    }

    /// Own addresses of a line, from the left, with their places.
    #[must_use]
    pub fn on(&self, line: &[u8]) -> Vec<(Range<usize>, IpAddr)> {
        let line = &line[..line.len().min(REACH)];
        let (mut found, mut at) = (Vec::new(), 0);
        while at < line.len() && found.len() < MOST {
            if !is_part(line[at]) {
                at += 1;
                continue;
            }
            let end = line[at..].iter().position(|b| !is_part(*b)).map_or(line.len(), |n| at + n);
            let inside = |n: usize| line.get(n).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
            // Behind a word and a colon (`src inside:10.0.0.7`) the end of the word may look like a part of an address.
            let behind = line[at..end].iter().rposition(|b| *b == b':').map(|n| at + n + 1);
            let behind = behind.filter(|start| line[*start..end].contains(&b'.'));
            let whole = Some(at).filter(|at| *at == 0 || !inside(*at - 1));
            for start in whole.into_iter().chain(behind) {
                if !inside(end)
                    && let Some(address) = address(&line[start..end]).filter(|address| self.owns(*address))
                {
                    found.push((start..end, address));
                    break;
                }
            }
            at = end;
        }
        found
    }
}

fn is_part(b: u8) -> bool {
    b.is_ascii_hexdigit() || b == b'.' || b == b':'
}

/// An address, perhaps with a port or a sign behind it.
fn address(token: &[u8]) -> Option<IpAddr> {
    if token.len() < 3 || token.len() > 60 {
        return None;
    }
    let token = str::from_utf8(token).ok()?.trim_end_matches(['.', ':']);
    let token = match token.split_once(':') {
        Some((v4, port)) if v4.contains('.') && !port.contains([':', '.']) => v4,
        _ => token,
    };
    token.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn parse(net: &str) -> Option<(u128, u128)> {
    let (address, length) = net.split_once('/').map_or((net, None), |(address, length)| (address, Some(length)));
    let address: IpAddr = address.trim().parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length: u32 = length.map_or(Some(most), |length| length.parse().ok()).filter(|length| *length <= most)?;
    let host = Ipv6Addr::BITS - length - (Ipv6Addr::BITS - most);
    let mask = 1_u128.checked_shl(host).map_or(u128::MAX, |n| n - 1);
    Some((bits(address) & !mask, bits(address) | mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_taken_from_the_left_with_borders() {
        let mut hosts = Hosts::new();
        assert!(hosts.add("203.0.113.0/24") && hosts.add("2001:db8::/32") && hosts.add("198.51.100.7"));
        assert!(!hosts.add("10.0.0.0/33") && !hosts.add("printer") && !hosts.add(""));
        let on = |line: &str| -> Vec<String> {
            hosts.on(line.as_bytes()).into_iter().map(|(at, host)| format!("{host} {}", &line[at])).collect()
        };
        assert_eq!(on("8.8.8.8 -> 10.0.0.5:1234, [fd00::1]:80"), ["10.0.0.5 10.0.0.5:1234", "fd00::1 fd00::1"]);
        assert_eq!(on("from ::ffff:192.168.1.2."), ["192.168.1.2 ::ffff:192.168.1.2."]);
        assert_eq!(on("x10.0.0.5 10.0.0.5x 10.0.0.5.6 110.0.0.5 10.0.0.256 172.32.0.1"), [""; 0]);
        assert_eq!(
            on("100.64.0.1,203.0.113.9;198.51.100.8|2001:DB8::9"),
            ["100.64.0.1 100.64.0.1", "203.0.113.9 203.0.113.9", "2001:db8::9 2001:DB8::9"]
        );
        assert!(Hosts::new().owns("169.254.9.9".parse().unwrap()) && !Hosts::new().owns("127.0.0.1".parse().unwrap()));
        assert!({
            let mut all = Hosts::new();
            all.add("::/0") && all.owns("2001::1".parse().unwrap())
        });
    }
}
