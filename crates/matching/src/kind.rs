//! What an indicator is. The numbers are stored in index files and are those of the observable types.

/// The kind of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Kind {
    Ipv4 = 1,
    Ipv6 = 2,
    /// An IPv4 or IPv6 network in CIDR notation.
    Network = 3,
    /// A name with all names below it; `*.name` is only the names below.
    Domain = 4,
    /// A host with the beginning of a path.
    Url = 5,
    Email = 6,
    Md5 = 10,
    Sha1 = 11,
    Sha256 = 13,
    Sha512 = 15,
    Ssdeep = 22,
    /// A file's name without its folders, as one word with a dot; looked for only where asked: see [`Kind::on_demand`].
    Filename = 50,
    /// A number of an autonomous system, spelled `AS1234`; looked for only where asked.
    Asn = 57,
    Cve = 59,
    /// Bitcoin and what is written like it.
    Btc = 70,
    Xmr = 71,
    Eth = 73,
}

/// All kinds with their names.
const NAMES: [(Kind, &str); 17] = [
    (Kind::Ipv4, "ipv4"),
    (Kind::Ipv6, "ipv6"),
    (Kind::Network, "network"),
    (Kind::Domain, "domain"),
    (Kind::Url, "url"),
    (Kind::Email, "email"),
    (Kind::Md5, "md5"),
    (Kind::Sha1, "sha1"),
    (Kind::Sha256, "sha256"),
    (Kind::Sha512, "sha512"),
    (Kind::Ssdeep, "ssdeep"),
    (Kind::Filename, "filename"),
    (Kind::Asn, "asn"),
    (Kind::Cve, "cve"),
    (Kind::Btc, "btc"),
    (Kind::Xmr, "xmr"),
    (Kind::Eth, "eth"),
];

impl Kind {
    /// Its name in the type table.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// By name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Kind> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// By the number in an index file.
    #[must_use]
    pub fn by_code(code: u8) -> Option<Kind> {
        NAMES.iter().find(|(kind, _)| *kind as u8 == code).map(|(kind, _)| *kind)
    }

    /// All, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Kind> {
        NAMES.iter().map(|(kind, _)| *kind)
    }

    /// Whether it means too much to be looked for unless somebody asks: `setup.exe` stands in every log.
    #[must_use]
    pub fn on_demand(self) -> bool {
        matches!(self, Kind::Filename | Kind::Asn)
    }

    /// The length of a hash's hexadecimal form.
    #[must_use]
    pub fn digits(self) -> Option<usize> {
        match self {
            Kind::Md5 => Some(32),
            Kind::Sha1 => Some(40),
            Kind::Sha256 => Some(64),
            Kind::Sha512 => Some(128),
            _ => None,
        }
    }
}
