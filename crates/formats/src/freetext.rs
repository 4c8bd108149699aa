//! Mails, reports, logs, YAML: kept line by line as they came, with the values found in each line.

use crate::lists::{self, Line};
use crate::{Input, ReadError};
use manara_model::ids;
use manara_model::observable::extract;
use manara_model::record::{Found, PartDraft, RecordDraft, Sink, Slot};

pub(crate) fn read<S: Sink>(input: &mut Input, sink: &mut S) -> Result<(), ReadError<S::Error>> {
    let (base, name, digest) = (input.base_name().to_owned(), input.name().to_owned(), input.digest());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let draft = RecordDraft {
        uuid: ids::derived(&["report", &hex]),
        kind: "report".into(),
        format: "freetext".into(),
        title: base,
        skeleton: lists::skeleton(input)?,
        digest,
        source: name,
        ..RecordDraft::default()
    };
    if !sink.begin(draft).map_err(ReadError::Sink)? {
        return Ok(());
    }
    lists::each_line(input, sink, |sink, line| {
        let Line { text, .. } = line;
        let mut part = PartDraft::new(Slot::Line, text);
        for found in extract(text) {
            // Named in a text is not the same as to be looked for.
            let found = Found { observable: found.observable, detect: false };
            if !part.found.contains(&found) {
                part.found.push(found);
            }
        }
        part.comment = text.trim().to_owned();
        sink.part(part).map_err(ReadError::Sink)
    })?;
    sink.end().map_err(ReadError::Sink)
}
