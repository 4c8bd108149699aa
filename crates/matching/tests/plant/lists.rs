//! What is planted, and what it is planted in: from fixtures/, or from a folder with the big lists.

use manara_matching::{Kind, guess};
use std::collections::HashSet;
use std::path::Path;

/// Indicators by what they are, and all of them as one list.
pub(crate) struct Lists {
    pub(crate) all: Vec<(Kind, String)>,
    /// ASCII names.
    pub(super) names: Vec<String>,
    /// Names in punycode, and how they are written in their own script.
    pub(super) scripts: Vec<(String, String)>,
    pub(super) addresses: Vec<String>,
    /// Addresses that end in one digit.
    pub(super) short_addresses: Vec<String>,
    pub(super) networks4: Vec<String>,
    pub(super) networks6: Vec<String>,
    pub(super) hashes: Vec<String>,
    /// URLs with a path and without signs that need a rule of their own.
    pub(super) urls: Vec<String>,
}

impl Lists {
    /// Of a text with one indicator a line; what is there twice counts once.
    pub(crate) fn of(text: &str) -> Lists {
        let mut seen = HashSet::new();
        // Two URLs that differ in their scheme only are one indicator.
        let plain =
            |line: &str| line.split_once("://").map_or(line, |(_, rest)| rest).trim_end_matches('/').to_lowercase();
        let all: Vec<(Kind, String)> = text
            .lines()
            // A feed that ends a name with a dot means the name.
            .map(|line| line.trim().trim_end_matches('.'))
            .filter(|line| !line.is_empty() && seen.insert(plain(line)))
            .filter_map(|line| Some((guess(line)?, line.to_owned())))
            .collect();
        let of = |kinds: &[Kind]| -> Vec<String> {
            all.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, value)| value.clone()).collect()
        };
        let (domains, networks) = (of(&[Kind::Domain]), of(&[Kind::Network]));
        let scripts = domains.iter().filter_map(|name| Some((name.clone(), script(name)?))).collect();
        let addresses = of(&[Kind::Ipv4]);
        let (networks6, networks4) = networks.into_iter().partition(|network| network.contains(':'));
        Lists {
            names: domains.into_iter().filter(|name| name.is_ascii() && !name.contains("xn--")).collect(),
            scripts,
            short_addresses: addresses.iter().filter(|ip| ends_in_one_digit(ip)).cloned().collect(),
            addresses,
            networks4,
            networks6,
            hashes: of(&[Kind::Md5, Kind::Sha1, Kind::Sha256]),
            urls: of(&[Kind::Url]).into_iter().filter(|url| simple(url)).collect(),
            all,
        }
    }

    /// The small lists of fixtures/.
    pub(crate) fn small() -> Lists {
        let names = ["domains-2000", "idn-200", "ips-2000", "urls-2000", "hashes-2000", "cidr4-2000", "cidr6-2000"];
        let read = |name: &&str| std::fs::read_to_string(fixtures(&format!("indicators/{name}.txt"))).unwrap();
        let mut text: String = names.iter().map(read).collect();
        // The first names of a sorted list all begin with digits: those of another list do not.
        for line in String::from_utf8(unpacked("indicators/blackbook.csv.zst")).unwrap().lines().skip(1) {
            text.push_str(line.split(',').next().unwrap_or_default());
            text.push('\n');
        }
        Lists::of(&text)
    }
}

/// Real lines of logs, each once.
pub(super) fn real_lines() -> Vec<u8> {
    unpacked("logs/real-lines.log.zst")
}

/// Names that people visit.
pub(super) fn benign() -> Vec<String> {
    String::from_utf8(unpacked("indicators/benign-domains.txt.zst")).unwrap().lines().map(str::to_owned).collect()
}

fn fixtures(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn unpacked(name: &str) -> Vec<u8> {
    let path = fixtures(name);
    zstd::decode_all(std::fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

/// How a name is written in its own script, where that is letters and digits only and reads back as the same.
fn script(name: &str) -> Option<String> {
    if !name.contains("xn--") {
        return None;
    }
    let (unicode, read) = idna::domain_to_unicode(name);
    let whole = unicode.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    let back = idna::domain_to_ascii(&unicode).is_ok_and(|ascii| ascii == name);
    (read.is_ok() && unicode != name && whole && back).then_some(unicode)
}

fn ends_in_one_digit(address: &str) -> bool {
    address.rsplit('.').next().is_some_and(|last| last.len() == 1 && last != "0")
}

fn simple(url: &str) -> bool {
    let rest = url.split_once("://").map(|(_, rest)| rest.trim_end_matches('/'));
    let path = rest.and_then(|rest| rest.split_once('/')).map(|(_, path)| path);
    url.starts_with("http://")
        && path.is_some_and(|path| path.bytes().any(|b| b.is_ascii_alphanumeric()))
        && url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>' | b'%'))
}
