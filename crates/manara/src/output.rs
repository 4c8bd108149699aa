//! What is printed: tables for people, JSON for programs.

use serde::Serialize;
use std::io::{IsTerminal, Write};

/// JSON on one screen, with a line end.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// A line that is no error if nobody reads it any more.
pub(crate) fn line(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Text from others, safe for a terminal: control and direction characters could rewrite the screen.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Rows in columns.
pub(crate) fn table(rows: &[Vec<String>]) -> anyhow::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Progress on standard error, where somebody watches.
pub(crate) struct Progress {
    shown: bool,
    active: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Progress { shown: false, active: std::io::stderr().is_terminal() }
    }

    pub(crate) fn tell(&mut self, text: &str) {
        if self.active {
            self.shown = true;
            eprint!("\r\u{1b}[K{text}");
        }
    }

    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\u{1b}[K");
        }
    }
}
