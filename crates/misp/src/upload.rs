//! `events/upload_stix`: a STIX bundle, read by the node's own reader.

use crate::answer::{Answer, Fault};
use crate::context::Context;
use manara_corridor::import;
use manara_formats::{Input, Limits};
use manara_model::Marking;
use manara_store::intake::Terms;
use serde_json::json;

impl Context<'_> {
    /// `events/upload_stix/2`
    pub fn upload_stix(&self) -> Result<Answer, Fault> {
        if self.call.arg(0) != Some("2") {
            return Err(Fault::new(
                405,
                "STIX 1 is not read; convert it to STIX 2.1 and send that to /events/upload_stix/2.",
            ));
        }
        let mut input = Input::from_reader("upload_stix", self.call.body.reader()?, Limits::default())
            .map_err(|error| Fault::new(400, error.to_string()))?;
        let terms =
            Terms { owner: self.call.caller.account.org, actor: self.actor().to_owned(), marking: Marking::default() };
        let done = import(self.store, &mut input, Some("stix"), terms, None)?;
        let report = done.report;
        Ok(Answer::json(&json!({
            "saved": true, "success": true, "name": "STIX document imported.", "message": "STIX document imported.", "url": self.call.url,
            "records": report.records, "added": report.added, "updated": report.updated, "unchanged": report.unchanged,
            "rejected": report.rejected_total,
        })))
    }
}
