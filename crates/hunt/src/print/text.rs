//! Hits for people, and the lines around them as grep shows them.

use super::{Hit, Style};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;

pub(super) fn hit(out: &mut impl Write, style: Style, hit: &Hit<'_>) -> io::Result<()> {
    let [file, indicator, matched] = [hit.file, hit.indicator, hit.matched].map(style.safe);
    let (line, column, kind) = (hit.line, hit.column, hit.kind.name());
    let says = hit.details.as_ref().map(|details| &details.says[..]).unwrap_or_default();
    let says = if says.is_empty() { String::new() } else { format!(" ({})", (style.safe)(&says.join("; "))) };
    writeln!(out, "{file}:{line}:{column}: {kind} {indicator} {matched}{says}")
}

/// Lines around hits.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Lines that were not shown, as many as are shown before a hit.
    before: VecDeque<(u64, Arc<str>)>,
    /// The line of the last hit.
    hit: Option<u64>,
    /// The last line that was shown.
    shown: Option<u64>,
    /// Whether anything was shown of any log.
    begun: bool,
}

impl Around {
    /// What comes before a hit.
    pub(super) fn hit(&mut self, out: &mut impl Write, style: Style, lines: usize, hit: &Hit<'_>) -> io::Result<()> {
        if self.hit == Some(hit.line) {
            return Ok(());
        }
        self.hit = Some(hit.line);
        while self.before.len() > lines {
            self.before.pop_front();
        }
        let first = self.before.front().map_or(hit.line, |(number, _)| *number);
        if self.begun && self.shown.is_none_or(|shown| shown + 1 < first) && style.context != Some(0) {
            writeln!(out, "--")?;
        }
        for (number, text) in std::mem::take(&mut self.before) {
            line(out, style, '-', hit.file, number, &text)?;
        }
        self.begun = true;
        self.shown = Some(hit.line);
        Ok(())
    }

    /// A line: shown, or held in case that a hit follows.
    pub(super) fn line(
        &mut self,
        out: &mut impl Write,
        style: Style,
        lines: usize,
        file: &str,
        number: u64,
        text: &Arc<str>,
    ) -> io::Result<()> {
        let behind = self.hit.map(|hit| number.saturating_sub(hit));
        match behind {
            Some(0) => line(out, style, ':', file, number, text),
            Some(n) if n <= lines as u64 => {
                self.shown = Some(number);
                line(out, style, '-', file, number, text)
            }
            _ => {
                self.before.push_back((number, text.clone()));
                if self.before.len() > lines {
                    self.before.pop_front();
                }
                Ok(())
            }
        }
    }

    pub(super) fn end(&mut self) {
        *self = Around { begun: self.begun, ..Around::default() };
    }
}

fn line(out: &mut impl Write, style: Style, mark: char, file: &str, number: u64, text: &str) -> io::Result<()> {
    // Tables of tabs stay tables.
    let text: Vec<String> = text.trim_end_matches('\r').split('\t').map(style.safe).collect();
    writeln!(out, "{}{mark}{number}{mark}{}", (style.safe)(file), text.join("\t"))
}
