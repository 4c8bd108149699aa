//! Records as they came. `native`: a line each, with what the node knows beside the body, so that
//! everything can be taken out whole. Single documents (CSAF): the bodies alone.

use crate::json::quoted;
use crate::writer::{HeldBack, Writer};
use manara_model::record::{Slot, rfc3339};
use manara_model::{Cleared, Head, Part};
use serde_json::json;
use std::io::{self, Write};

/// `{"record": {…}, "body": …, "parts": […]}` a line.
pub(crate) struct NativeWriter<W: Write> {
    out: W,
    parts: u64,
}

impl<W: Write> NativeWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        NativeWriter { out, parts: 0 }
    }
}

impl<W: Write> Writer for NativeWriter<W> {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        let marking = &head.label.marking;
        let record = json!({
            "uuid": head.uuid, "kind": head.kind, "format": head.format, "title": head.title,
            "owner": head.owner_name, "author": head.author, "version": head.version, "tags": head.tags,
            "tlp": marking.tlp.map(|tlp| tlp.name()), "pap": marking.pap.map(|pap| pap.name()),
            "distribution": marking.distribution(), "received": rfc3339(head.received), "source": head.source,
        });
        write!(self.out, "{{\"record\":{record}")?;
        if head.skeleton.is_empty() {
            return Ok(());
        }
        self.out.write_all(b",\"body\":")?;
        // A line's record is one line: JSON bodies may hold line ends between their tokens.
        let body = if head.skeleton.starts_with(['{', '[']) {
            head.skeleton.replace(['\n', '\r'], " ")
        } else {
            quoted(&head.skeleton)
        };
        self.out.write_all(body.as_bytes())
    }

    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        if part.slot == Slot::Whole {
            // The record is one piece: its body, or nothing where the head has it.
            return match part.raw.is_empty() {
                true => Ok(()),
                false => write!(self.out, ",\"body\":{}", part.raw.replace(['\n', '\r'], " ")),
            };
        }
        self.out.write_all(if self.parts == 0 { b",\"parts\":[" } else { b"," })?;
        self.parts += 1;
        let raw = if part.raw.starts_with('{') { part.raw.replace(['\n', '\r'], " ") } else { quoted(&part.raw) };
        self.out.write_all(raw.as_bytes())
    }

    fn end(&mut self) -> io::Result<()> {
        let close: &[u8] = if std::mem::take(&mut self.parts) > 0 { b"]}\n" } else { b"}\n" };
        self.out.write_all(close)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn held_back(&self) -> HeldBack {
        HeldBack::default()
    }
}

/// The bodies of one format: a document alone, several as a list.
pub(crate) struct DocumentWriter<W: Write> {
    out: W,
    format: &'static str,
    held: Option<String>,
    written: u64,
}

impl<W: Write> DocumentWriter<W> {
    pub(crate) fn new(out: W, format: &'static str) -> Self {
        DocumentWriter { out, format, held: None, written: 0 }
    }
}

impl<W: Write> Writer for DocumentWriter<W> {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        if head.format != self.format {
            return Ok(());
        }
        if let Some(held) = self.held.replace(head.skeleton.clone()) {
            self.out.write_all(if self.written == 0 { b"[" } else { b",\n" })?;
            self.out.write_all(held.as_bytes())?;
            self.written += 1;
        }
        Ok(())
    }

    fn part(&mut self, _part: &Cleared<Part>) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        match (self.held.take(), self.written) {
            (None, _) => self.out.write_all(b"[]\n")?,
            (Some(held), 0) => writeln!(self.out, "{held}")?,
            (Some(held), _) => writeln!(self.out, ",\n{held}]")?,
        }
        self.out.flush()
    }

    fn held_back(&self) -> HeldBack {
        HeldBack::default()
    }
}
