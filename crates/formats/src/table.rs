//! The formats by name: one table for the command line, the API and the documentation.

use manara_model::Purpose;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Name, as in `--as` and `--format`.
    pub name: &'static str,
    /// There is a reader.
    pub reads: bool,
    /// There is a writer.
    pub writes: bool,
    /// Media type of what is written.
    pub media_type: &'static str,
    /// What the receiver does with it.
    pub purpose: Purpose,
    /// One line for people.
    pub about: &'static str,
}

const fn row(
    name: &'static str,
    ways: &str,
    media_type: &'static str,
    purpose: Purpose,
    about: &'static str,
) -> Format {
    let ways = ways.as_bytes();
    Format { name, reads: ways[0] == b'r', writes: ways[1] == b'w', media_type, purpose, about }
}

use Purpose::{Block, Detect, Read};

static FORMATS: &[Format] = &[
    row("misp", "rw", "application/json", Read, "MISP events as JSON"),
    row("misp-feed", "-w", "application/json", Read, "MISP feed: a directory with manifest, hashes and events"),
    row("stix", "rw", "application/stix+json;version=2.1", Read, "STIX 2.1 bundle (2.0 and JSON Lines are read)"),
    row("csaf", "rw", "application/json", Read, "CSAF 2.0 advisories"),
    row("csv", "rw", "text/csv; charset=utf-8", Read, "a row a value, with type, marking and title"),
    row("text", "rw", "text/plain; charset=utf-8", Read, "a value a line"),
    row("freetext", "r-", "text/plain; charset=utf-8", Read, "mail, report, log: values are found in the text"),
    row("knowledge", "r-", "application/json", Read, "MISP taxonomies, galaxies, object templates, warning lists"),
    row("json", "r-", "application/json", Read, "any other JSON document, kept as it is"),
    row("jsonl", "r-", "application/jsonl", Read, "JSON Lines of STIX objects or object templates"),
    row("native", "-w", "application/jsonl", Read, "every record with its body as it came, a line each"),
    row("hosts", "-w", "text/plain; charset=utf-8", Block, "hosts file"),
    row("rpz", "-w", "text/dns", Block, "DNS response policy zone (BIND, Knot, PowerDNS, Unbound)"),
    row("unbound", "-w", "text/plain; charset=utf-8", Block, "Unbound local zones"),
    row("nftables", "-w", "text/plain; charset=utf-8", Block, "nftables sets"),
    row("ipset", "-w", "text/plain; charset=utf-8", Block, "ipset restore file"),
    row("squid", "-w", "text/plain; charset=utf-8", Block, "Squid access lists"),
    row("suricata", "-w", "text/plain; charset=utf-8", Detect, "Suricata rules"),
    row("snort", "-w", "text/plain; charset=utf-8", Detect, "Snort 2.9 rules"),
    row("zeek", "-w", "text/tab-separated-values; charset=utf-8", Detect, "Zeek intelligence file"),
];

/// All formats.
#[must_use]
pub fn formats() -> &'static [Format] {
    FORMATS
}

/// A format by name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}
