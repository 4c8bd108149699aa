//! Formats that are a line (or a rule) a value: lists, block lists, rules. One writer goes through the
//! values; each format says how a line looks.

mod addresses;
mod choice;
mod names;
mod plain;
mod rules;
mod snort;

use crate::writer::{HeldBack, WriteOptions, Writer};
pub use choice::Choice;
use manara_model::observable::Observable;
use manara_model::{Cleared, Head, Part, Purpose};
use std::collections::HashSet;
use std::io::{self, Write};

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
    /// Whether it can speak of what is below a name without speaking of the name itself (`*.name`).
    fn says_below(&self) -> bool {
        true
    }
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
    choice: Choice,
    lines: Box<dyn Lines>,
    head: Option<Cleared<Head>>,
    /// 64-bit hashes of what was written: eight bytes a value, however long it is.
    seen: HashSet<u64>,
    begun: bool,
}

impl<W: Write> ValueWriter<W> {
    pub(crate) fn new(out: W, options: WriteOptions, lines: Box<dyn Lines>) -> Self {
        let purpose = crate::format(lines.name()).map_or(Purpose::Read, |format| format.purpose);
        let choice = Choice::new(options.clone(), purpose);
        ValueWriter { out, options, choice, lines, head: None, seen: HashSet::new(), begun: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            let header = self.lines.header(&self.options);
            self.out.write_all(header.as_bytes())?;
        }
        Ok(())
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
        for found in &part.found {
            let observable = &found.observable;
            if !self.choice.wants(found) || !observable.ty().row().exports_to(self.lines.name()) {
                continue;
            }
            if !self.seen.insert(choice::digest(observable)) || self.choice.holds_back(observable) {
                continue;
            }
            if observable.below().is_some() && !self.lines.says_below() {
                self.choice.unsaid(observable);
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
        self.choice.held_back().clone()
    }
}
