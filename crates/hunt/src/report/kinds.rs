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
    Addresses,
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
            Group::Addresses => "report-kind-addresses",
            Group::Weak => "report-kind-weak",
            Group::Other => "report-kind-other",
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
        "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "ssdeep" | "filename" | "file-name" => {
            Group::Files
        }
        "domain" | "hostname" => Group::Names,
        "url" => Group::Urls,
        "email" => Group::Mail,
        "btc" | "xmr" | "eth" => Group::Money,
        "ipv4" | "ipv6" | "network" | "as" | "asn" => Group::Addresses,
        "cve" => Group::Weak,
        _ => Group::Other,
    }
}

/// Keys of what to do, in order. `hosts`: own machines stand in the lines.
pub(super) fn steps(found: &BTreeSet<Group>, hosts: bool) -> Vec<&'static str> {
    let any = |groups: &[Group]| groups.iter().any(|group| found.contains(group));
    // Addresses and weaknesses alone are mostly scans from outside: nobody is to unplug a server for them.
    let inside = any(&[Group::Files, Group::Names, Group::Urls, Group::Mail, Group::Money, Group::Other]);
    [
        (inside && hosts, "report-do-isolate"),
        (!(inside && hosts), "report-do-find"),
        (true, "report-do-call"),
        (true, "report-do-keep"),
        (any(&[Group::Files]), "report-do-files"),
        (any(&[Group::Mail]), "report-do-mail"),
        (inside, "report-do-passwords"),
        (any(&[Group::Names, Group::Urls, Group::Mail, Group::Addresses]), "report-do-block"),
        (any(&[Group::Weak]), "report-do-patch"),
    ]
    .into_iter()
    .filter_map(|(wanted, key)| wanted.then_some(key))
    .collect()
}
