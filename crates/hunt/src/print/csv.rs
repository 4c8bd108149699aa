//! Tables for spreadsheets.

use super::{Hit, Style};
use std::borrow::Cow;
use std::io::{self, Write};

pub(super) const HITS: [&str; 10] =
    ["file", "line", "column", "type", "indicator", "matched", "field", "titles", "says", "marking"];
pub(super) const COUNTS: [&str; 2] = ["file", "hits"];

pub(super) fn hit(out: &mut impl Write, style: Style, hit: &Hit<'_>) -> io::Result<()> {
    let [file, indicator, matched] = [hit.file, hit.indicator, hit.matched].map(style.safe);
    let field = hit.field.map(style.safe).unwrap_or_default();
    let (line, column) = (hit.line.to_string(), hit.column.to_string());
    let details = hit.details.as_ref();
    let joined = |texts: Option<&Vec<String>>| (style.safe)(&texts.map(|texts| texts.join("; ")).unwrap_or_default());
    let (titles, says) = (joined(details.map(|known| &known.titles)), joined(details.map(|known| &known.says)));
    let marking = details.and_then(|known| known.marking.as_deref()).map(style.safe).unwrap_or_default();
    let place = [&file, &line, &column, hit.kind.name(), &indicator, &matched, &field];
    row(out, &[&place[..], &[&titles, &says, &marking]].concat())
}

/// Writes a row, with its end as RFC 4180 §2 has it.
pub(super) fn row(out: &mut impl Write, cells: &[&str]) -> io::Result<()> {
    for (n, text) in cells.iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        write!(out, "{comma}{}", cell(text))?;
    }
    out.write_all(b"\r\n")
}

/// A cell that no spreadsheet takes for a formula, quoted where it has to be.
fn cell(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if !text.contains(['"', ',', '\r', '\n']) {
        return text;
    }
    Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_none() {
        let cases = [
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("@a,b", "\"'@a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("\tx", "'\tx"),
            ("a\nb", "\"a\nb\""),
            ("-", "'-"),
            ("a-b=c", "a-b=c"),
        ];
        for (text, expected) in cases {
            assert_eq!(cell(text), expected);
        }
        let mut out = Vec::new();
        row(&mut out, &["a", "=b", "c\"d"]).unwrap();
        assert_eq!(out, b"a,'=b,\"c\"\"d\"\r\n");
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&out[..]);
        assert_eq!(reader.records().next().unwrap().unwrap(), vec!["a", "'=b", "c\"d"]);
    }
}
