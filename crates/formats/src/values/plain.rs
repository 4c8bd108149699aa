//! CSV and plain text.

use super::{Lines, Value};
use crate::writer::WriteOptions;
use manara_model::record::rfc3339;

pub(super) struct Text;

impl Lines for Text {
    fn name(&self) -> &'static str {
        "text"
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        // A value with a line end in it would be two.
        let plain: String = value.observable.value().chars().filter(|c| !c.is_control()).collect();
        Some(plain + "\n")
    }
}

pub(super) struct Csv;

impl Lines for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }
    fn header(&mut self, _options: &WriteOptions) -> String {
        "type,value,to_ids,tlp,first_seen,record,title,author,tags\n".into()
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        let head = value.head;
        let cells = [
            value.observable.ty().name().to_owned(),
            value.observable.value().to_owned(),
            u8::from(value.detect).to_string(),
            value.part.label.marking.tlp.map_or(String::new(), |tlp| tlp.name().to_owned()),
            rfc3339(head.created.unwrap_or(head.received)),
            head.uuid.to_string(),
            head.title.clone(),
            head.author.clone().unwrap_or_else(|| head.owner_name.clone()),
            head.tags.join(" "),
        ];
        Some(cells.map(|cell| cell_of(&cell)).join(",") + "\n")
    }
}

/// Quoted where needed; what a spreadsheet would take for a formula begins with an apostrophe
/// (OWASP, "CSV Injection").
fn cell_of(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) || formula { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    #[test]
    fn formulas_are_not_run() {
        assert_eq!(super::cell_of("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
        assert_eq!(super::cell_of("+601234"), "\"'+601234\"");
        assert_eq!(super::cell_of("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(super::cell_of("plain"), "plain");
    }
}
