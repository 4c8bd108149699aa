//! An event made of a record that did not come as one: its title, and an attribute for each value.

use crate::writer::WriteOptions;
use manara_model::observable::{Type, misp_type};
use manara_model::{Cleared, Head, Part, ids};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};
use uuid::Uuid;

pub(super) struct Synthesis {
    head: Value,
    uuid: Uuid,
    timestamp: String,
    types: Option<BTreeSet<Type>>,
    /// A document is an event even if it mentions nothing; a STIX relationship is not.
    always: bool,
    open: bool,
    attributes: u64,
}

impl Synthesis {
    pub(super) fn new(head: &Cleared<Head>, options: &WriteOptions) -> Self {
        let seconds = head.modified.or(head.created).unwrap_or(head.received) / 1000;
        let timestamp = seconds.to_string();
        let date = manara_model::record::rfc3339(head.created.unwrap_or(head.received));
        let marking = &head.label.marking;
        let mut tags: Vec<Value> = head.tags.iter().map(|name| json!({"name": name})).collect();
        if let Some(tlp) = marking.tlp {
            let name = format!("tlp:{}", tlp.name());
            if !head.tags.iter().any(|tag| tag.eq_ignore_ascii_case(&name)) {
                tags.push(json!({"name": name}));
            }
        }
        let author = head.author.clone().unwrap_or_else(|| head.owner_name.clone());
        let distribution = match marking.distribution() {
            5 if marking.tlp == Some(manara_model::Tlp::Clear) => 3,
            5 if marking.tlp.is_some() => 1,
            5 | 4 => 0,
            level => level,
        };
        Synthesis {
            uuid: head.uuid,
            head: json!({
                "uuid": head.uuid,
                "info": head.title,
                "date": date.get(..10),
                "timestamp": timestamp,
                "publish_timestamp": "0",
                "published": false,
                "threat_level_id": "4",
                "analysis": "2",
                "distribution": distribution.to_string(),
                "sharing_group_id": "0",
                "Orgc": {"name": author, "uuid": ids::derived(&["org", &author])},
                "Tag": tags,
            }),
            timestamp,
            types: options.types.clone(),
            always: matches!(head.kind.as_str(), "list" | "report" | "advisory"),
            open: false,
            attributes: 0,
        }
    }

    /// Will this part be the first that needs the event to be open?
    pub(super) fn opens(&mut self, part: &Cleared<Part>) -> bool {
        !self.open && !part.found.is_empty()
    }

    pub(super) fn opens_at_end(&self) -> bool {
        !self.open && self.always
    }

    fn begin(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.open = true;
        let body = self.head.to_string();
        out.write_all(body.strip_suffix('}').unwrap_or(&body).as_bytes())?;
        out.write_all(b",\"Attribute\":[")
    }

    pub(super) fn part(&mut self, out: &mut impl Write, part: &Cleared<Part>) -> io::Result<()> {
        for found in &part.found {
            let observable = &found.observable;
            if self.types.as_ref().is_some_and(|types| !types.contains(&observable.ty())) {
                continue;
            }
            if !self.open {
                self.begin(out)?;
            }
            let name = observable.ty().row().misp_default;
            let category = misp_type(name).map_or("Other", |ty| ty.default_category);
            let uuid = ids::derived(&["attribute", &self.uuid.to_string(), observable.ty().name(), observable.value()]);
            let attribute = json!({
                "uuid": uuid, "type": name, "category": category, "value": observable.value(),
                "to_ids": found.detect, "distribution": "5", "timestamp": self.timestamp,
                "comment": "", "deleted": false, "disable_correlation": false,
            });
            if self.attributes > 0 {
                out.write_all(b",")?;
            }
            self.attributes += 1;
            serde_json::to_writer(&mut *out, &attribute)?;
        }
        Ok(())
    }

    pub(super) fn close(mut self, out: &mut impl Write) -> io::Result<()> {
        if !self.open {
            if !self.always {
                return Ok(());
            }
            self.begin(out)?;
        }
        out.write_all(b"]}}")
    }
}
