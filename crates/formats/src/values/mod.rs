//! Formats that are a line (or a rule) a value: lists, block lists, rules. One writer goes through the
//! values; each format says how a line looks.

mod addresses;
mod names;
mod plain;
mod rules;
mod snort;

use crate::writer::{HeldBack, WriteOptions, Writer};
use manara_model::observable::Observable;
use manara_model::{Cleared, Head, Part, Purpose};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::net::IpAddr;

/// How a format's lines look.
pub(crate) trait Lines {
    /// Name in the type table's column `exports`.
    fn name(&self) -> &'static str;
    /// What comes first.
    fn header(&mut self, _options: &WriteOptions) -> String {
        String::new()
    }
    /// The line of a value; `None`: this value has none in this format.
    fn line(&mut self, value: &Value<'_>) -> Option<String>;
    /// What comes last.
    fn footer(&mut self) -> String {
        String::new()
    }
}

/// A value, and the record that mentions it.
pub(crate) struct Value<'v> {
    pub(crate) observable: &'v Observable,
    pub(crate) detect: bool,
    pub(crate) part: &'v Cleared<Part>,
    pub(crate) head: &'v Cleared<Head>,
    pub(crate) origin: &'v str,
}

/// The lines of a format.
pub(crate) fn lines(format: &str) -> Option<Box<dyn Lines>> {
    Some(match format {
        "csv" => Box::new(plain::Csv),
        "text" => Box::new(plain::Text),
        "hosts" => Box::new(names::Hosts),
        "rpz" => Box::new(names::Rpz),
        "unbound" => Box::new(names::Unbound),
        "squid" => Box::new(names::Squid::default()),
        "nftables" => Box::new(addresses::Nftables),
        "ipset" => Box::new(addresses::Ipset),
        "suricata" => Box::new(rules::Suricata),
        "snort" => Box::new(snort::Snort),
        "zeek" => Box::new(rules::Zeek),
        _ => return None,
    })
}

pub(crate) struct ValueWriter<W: Write> {
    out: W,
    options: WriteOptions,
    lines: Box<dyn Lines>,
    head: Option<Cleared<Head>>,
    /// 64-bit hashes of what was written: eight bytes a value, however long it is.
    seen: HashSet<u64>,
    held: HeldBack,
    begun: bool,
}

impl<W: Write> ValueWriter<W> {
    pub(crate) fn new(out: W, options: WriteOptions, lines: Box<dyn Lines>) -> Self {
        ValueWriter { out, options, lines, head: None, seen: HashSet::new(), held: HeldBack::default(), begun: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            let header = self.lines.header(&self.options);
            self.out.write_all(header.as_bytes())?;
        }
        Ok(())
    }

    /// Does the receiver act on it by itself? Then what would hurt the innocent is held back.
    fn acts(&self) -> bool {
        crate::format(self.lines.name()).is_some_and(|format| format.purpose != Purpose::Read)
    }

    fn hold(&mut self, observable: &Observable) -> bool {
        let reserved = is_reserved(observable);
        let list = self.options.warning_lists.as_ref().and_then(|lists| lists.false_positive(observable));
        let reason = match (reserved, list) {
            (true, _) => {
                self.held.reserved += 1;
                "reserved addresses"
            }
            (false, Some(list)) => {
                self.held.warning_listed += 1;
                list
            }
            (false, None) => return false,
        };
        if self.held.examples.len() < 20 {
            self.held.examples.push(format!("{observable}: {reason}"));
        }
        true
    }
}

impl<W: Write> Writer for ValueWriter<W> {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        self.begin()?;
        self.head = Some(head.clone());
        Ok(())
    }

    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        let Some(head) = self.head.take() else { return Ok(()) };
        let acts = self.acts();
        for found in &part.found {
            let (observable, ty) = (&found.observable, found.observable.ty());
            let wanted = self.options.types.as_ref().is_none_or(|types| types.contains(&ty));
            let looked_for = found.detect || !acts || self.options.undetected;
            if !wanted || !looked_for || !ty.row().exports_to(self.lines.name()) {
                continue;
            }
            let mut hash = DefaultHasher::new();
            (ty.code(), observable.value()).hash(&mut hash);
            if !self.seen.insert(hash.finish()) || acts && self.hold(observable) {
                continue;
            }
            let value = Value { observable, detect: found.detect, part, head: &head, origin: &self.options.origin };
            if let Some(line) = self.lines.line(&value) {
                self.out.write_all(line.as_bytes())?;
            }
        }
        self.head = Some(head);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.head = None;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.begin()?;
        let footer = self.lines.footer();
        self.out.write_all(footer.as_bytes())?;
        self.out.flush()
    }

    fn held_back(&self) -> HeldBack {
        self.held.clone()
    }
}

/// Addresses that are nobody's on the internet (RFC 6890), and networks so wide that a mistake cuts
/// off countries: no list of ours blocks them.
fn is_reserved(observable: &Observable) -> bool {
    let value = observable.value();
    let (addr, len) = value.split_once('/').map_or((value, None), |(addr, len)| (addr, len.parse::<u8>().ok()));
    match addr.parse() {
        Ok(IpAddr::V4(v4)) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            len.is_some_and(|len| len < 8)
                || shared
                || v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets()[0] == 0
        }
        Ok(IpAddr::V6(v6)) => {
            len.is_some_and(|len| len < 19)
                || v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
        Err(_) => false,
    }
}
