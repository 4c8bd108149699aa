//! The spellings of a value, and what looks like one and is none.

use super::Lists;
use crate::random::Random;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What of a line a value takes the place of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Name,
    Address,
    Hash,
    Url,
}

/// One way to write a value.
pub(crate) struct Spelling {
    pub(crate) name: &'static str,
    pub(super) what: What,
    /// Gives an indicator and how it is written here.
    make: fn(&Lists, &mut Random) -> (String, String),
}

impl Spelling {
    pub(super) fn make(&self, lists: &Lists, random: &mut Random) -> (String, String) {
        (self.make)(lists, random)
    }
}

macro_rules! spellings {
    ($($name:literal $what:ident: |$lists:ident, $random:ident| $make:expr;)*) => {
        /// All of them: 27, and four traps.
        pub(crate) const SPELLINGS: &[Spelling] = &[$(Spelling {
            name: $name, what: What::$what, make: |$lists, $random| $make,
        }),*];
    };
}

spellings! {
    "domain" Name: |lists, random| written(pick(&lists.names, random), |name| name.to_owned());
    "subdomain" Name: |lists, random| {
        let (sub, more) = (SUB[random.below(SUB.len())], digits(random, 5));
        written(pick(&lists.names, random), |name| format!("{sub}.{more}.{name}"))
    };
    "upper" Name: |lists, random| written(pick(&lists.names, random), str::to_ascii_uppercase);
    "trailing-dot" Name: |lists, random| written(pick(&lists.names, random), |name| format!("{name}."));
    "defanged" Name: |lists, random| written(pick(&lists.names, random), |name| name.replace('.', "[.]"));
    "host-port" Name: |lists, random| written(pick(&lists.names, random), |name| format!("{name}:8443"));
    "email-host" Name: |lists, random| {
        let more = digits(random, 3);
        written(pick(&lists.names, random), |name| format!("info{more}@{name}"))
    };
    "idn-xn" Name: |lists, random| written(&lists.scripts[random.below(lists.scripts.len())].0, str::to_owned);
    "idn-unicode" Name: |lists, random| lists.scripts[random.below(lists.scripts.len())].clone();
    "idn-nginx" Name: |lists, random| {
        let (name, script) = &lists.scripts[random.below(lists.scripts.len())];
        let escaped = |b: u8| if b.is_ascii() { char::from(b).to_string() } else { format!("\\x{b:02X}") };
        (name.clone(), script.bytes().map(escaped).collect())
    };
    "windows-dns" Name: |lists, random| written(pick(&lists.names, random), |name| {
        let labels: String = name.split('.').map(|label| format!("({}){label}", label.len())).collect();
        format!("{labels}(0)")
    });
    "coloured" Name: |lists, random| {
        written(pick(&lists.names, random), |name| format!("\u{1b}[01;31m\u{1b}[K{name}\u{1b}[m"))
    };
    "ip" Address: |lists, random| written(pick(&lists.addresses, random), |ip| ip.to_owned());
    "ip-port" Address: |lists, random| written(pick(&lists.addresses, random), |ip| format!("{ip}:8080"));
    "ip-mapped" Address: |lists, random| written(pick(&lists.addresses, random), |ip| format!("::ffff:{ip}"));
    "ip-defanged" Address: |lists, random| written(pick(&lists.addresses, random), |ip| ip.replace('.', "[.]"));
    "cidr4" Address: |lists, random| {
        let network = pick(&lists.networks4, random);
        (network.to_owned(), inside4(network, random).to_string())
    };
    "cidr6" Address: |lists, random| {
        let network = pick(&lists.networks6, random);
        (network.to_owned(), inside6(network, random).to_string())
    };
    "cidr6-long" Address: |lists, random| {
        let network = pick(&lists.networks6, random);
        let groups = inside6(network, random).segments().map(|group| format!("{group:04X}"));
        (network.to_owned(), groups.join(":"))
    };
    "hash" Hash: |lists, random| written(pick(&lists.hashes, random), |hash| hash.to_owned());
    "hash-upper" Hash: |lists, random| written(pick(&lists.hashes, random), str::to_ascii_uppercase);
    "url" Url: |lists, random| written(pick(&lists.urls, random), |url| url.to_owned());
    "url-prefix" Url: |lists, random| {
        let (more, slash) = (digits(random, 4), random.below(2) == 0);
        written(pick(&lists.urls, random), |url| match () {
            () if url.ends_with('/') => format!("{url}x{more}"),
            () if url.contains('?') => format!("{url}&v={more}"),
            () if slash => format!("{url}/v={more}"),
            () => format!("{url}?v={more}"),
        })
    };
    "url-host-upper" Url: |lists, random| written(pick(&lists.urls, random), |url| {
        let (host, path) = cut(url);
        format!("http://{}/{path}", host.to_ascii_uppercase())
    });
    "url-pct" Url: |lists, random| {
        let url = pick(&lists.urls, random);
        let (host, path) = cut(url);
        let letters: Vec<usize> = path.match_indices(|c: char| c.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
        let at = letters[random.below(letters.len())];
        (url.to_owned(), format!("http://{host}/{}%{:02X}{}", &path[..at], path.as_bytes()[at], &path[at + 1..]))
    };
    "url-json" Url: |lists, random| written(pick(&lists.urls, random), |url| url.replace('/', "\\/"));
    "url-host" Name: |lists, random| {
        let more = digits(random, 6);
        written(pick(&lists.names, random), |name| format!("https://{name}/{more}"))
    };
    "near-label" Name: |lists, random| {
        let more = digits(random, 4);
        written(pick(&lists.names, random), |name| format!("x{more}{name}"))
    };
    "near-suffix" Name: |lists, random| {
        written(pick(&lists.names, random), |name| format!("{name}.invalid-zone-q.org"))
    };
    "near-ip" Address: |lists, random| {
        let last = random.below(10);
        written(pick(&lists.short_addresses, random), |ip| format!("{ip}{last}"))
    };
    "near-hash" Hash: |lists, random| written(pick(&lists.hashes, random), |hash| format!("{hash}0"));
}

const SUB: [&str; 10] = ["www", "api", "cdn", "mail", "static", "img", "login", "m", "ns1", "vpn"];

fn written(indicator: &str, write: impl FnOnce(&str) -> String) -> (String, String) {
    (indicator.to_owned(), write(indicator))
}

fn pick<'a>(list: &'a [String], random: &mut Random) -> &'a str {
    &list[random.below(list.len())]
}

/// So many random hexadecimal digits.
pub(super) fn digits(random: &mut Random, n: usize) -> String {
    (0..n).map(|_| char::from(b"0123456789abcdef"[random.below(16)])).collect()
}

/// Host and path of a URL, without the slash between them.
fn cut(url: &str) -> (&str, &str) {
    url.split_once("://").map_or(url, |(_, rest)| rest).split_once('/').unwrap_or((url, ""))
}

fn inside4(network: &str, random: &mut Random) -> Ipv4Addr {
    let (base, length) = network.split_once('/').unwrap();
    let (base, length): (Ipv4Addr, u32) = (base.parse().unwrap(), length.parse().unwrap());
    Ipv4Addr::from_bits(base.to_bits() | random.next() as u32 & u32::MAX.checked_shr(length).unwrap_or(0))
}

fn inside6(network: &str, random: &mut Random) -> Ipv6Addr {
    let (base, length) = network.split_once('/').unwrap();
    let (base, length): (Ipv6Addr, u32) = (base.parse().unwrap(), length.parse().unwrap());
    let host = u128::from(random.next()) << 24 ^ u128::from(random.next());
    Ipv6Addr::from_bits(base.to_bits() | host & u128::MAX.checked_shr(length).unwrap_or(0))
}
