//! What kinds of indicator mean to somebody who has never heard of them, and what each asks for.

use std::collections::BTreeSet;

/// Kinds that are explained together; the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Files,
    Names,
    Urls,
    Mail,
    Money,
    FileNames,
    Addresses,
    Networks,
    Weak,
    Other,
}

impl Group {
    /// Key of its heading; with `-means` behind it, of what it means.
    pub(super) fn key(self) -> &'static str {
        match self {
            Group::Files => "report-kind-files",
            Group::Names => "report-kind-names",
            Group::Urls => "report-kind-urls",
            Group::Mail => "report-kind-mail",
            Group::Money => "report-kind-money",
            Group::FileNames => "report-kind-filenames",
            Group::Addresses => "report-kind-addresses",
            Group::Networks => "report-kind-networks",
            Group::Weak => "report-kind-weak",
            Group::Other => "report-kind-other",
        }
    }

    /// Whether it says by itself that something is wrong with the machine: see `strength.rs`.
    pub(super) fn is_strong(self) -> bool {
        match self {
            Group::Files | Group::Names | Group::Urls | Group::Money | Group::Other => true,
            Group::Mail | Group::FileNames | Group::Addresses | Group::Networks | Group::Weak => false,
        }
    }

    /// Key of what it means.
    pub(super) fn means(self) -> String {
        format!("{}-means", self.key())
    }
}

/// Where a kind belongs, by its name.
pub(super) fn of(kind: &str) -> Group {
    match kind {
        "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "ssdeep" => Group::Files,
        "filename" => Group::FileNames,
        "domain" | "hostname" => Group::Names,
        "url" => Group::Urls,
        "email" => Group::Mail,
        "btc" | "xmr" | "eth" => Group::Money,
        "ipv4" | "ipv6" | "network" => Group::Addresses,
        "asn" => Group::Networks,
        "cve" => Group::Weak,
        _ => Group::Other,
    }
}

/// Key of a type's name in words; `None` where it is called the same everywhere.
pub(super) fn type_key(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "domain" | "hostname" => "report-type-domain",
        "url" => "report-type-url",
        "ipv4" => "report-type-ipv4",
        "ipv6" => "report-type-ipv6",
        "network" => "report-type-network",
        "asn" => "report-type-asn",
        "email" => "report-type-email",
        "filename" => "report-type-filename",
        "cve" => "report-type-cve",
        _ => return None,
    })
}

/// Keys of what to do, in order: for what was found, and how many own machines have strong signs, and weak ones alone.
/// `stray`: something strong stands on lines that name no machine of one's own.
pub(super) fn steps(found: &BTreeSet<Group>, strong: usize, weak: usize, stray: bool) -> Vec<&'static str> {
    let any = |groups: &[Group]| groups.iter().any(|group| found.contains(group));
    // Addresses and weaknesses alone are mostly scans from outside: nobody is to unplug a server for them.
    let inside = strong > 0 || any(&[Group::Mail]) || found.iter().any(|group| group.is_strong());
    [
        (strong > 0, "report-do-isolate"),
        (strong == 0 && (weak == 0 || stray), "report-do-find"),
        (weak > 0, "report-do-look"),
        (true, "report-do-call"),
        (true, "report-do-keep"),
        (any(&[Group::Files, Group::FileNames]), "report-do-files"),
        (any(&[Group::Mail]), "report-do-mail"),
        (inside && strong + weak > 0, "report-do-passwords"),
        (inside && strong + weak == 0, "report-do-passwords-unlisted"),
        (any(&[Group::Names, Group::Urls, Group::Mail, Group::Addresses]), "report-do-block"),
        (any(&[Group::Weak]), "report-do-patch"),
    ]
    .into_iter()
    .filter_map(|(wanted, key)| wanted.then_some(key))
    .collect()
}
