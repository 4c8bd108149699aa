//! Writes a bundle. STIX objects go as they came; MISP events and lists by the published misp-stix
//! rules: an event is a report, an attribute to look for an indicator, another one observed data, each
//! under its own UUID.

use super::{marking, observables};
use crate::json::Members;
use crate::writer::{HeldBack, WriteOptions, Writer};
use manara_model::observable::Observable;
use manara_model::record::rfc3339;
use manara_model::{Cleared, Head, Part, Tlp, ids};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::{self, Write};

pub(crate) struct StixWriter<W: Write> {
    out: W,
    options: WriteOptions,
    written: HashSet<String>,
    content: Sha256,
    record: Option<Record>,
    /// The identifier of a record that is a STIX object: its part is its body.
    object: Option<String>,
}

/// A record that is no STIX object and becomes some.
struct Record {
    id: String,
    title: String,
    created: String,
    modified: String,
    identity: String,
    tlp: Option<Tlp>,
    tags: Vec<String>,
    references: Vec<String>,
}

impl<W: Write> StixWriter<W> {
    pub(crate) fn new(out: W, options: WriteOptions) -> Self {
        StixWriter { out, options, written: HashSet::new(), content: Sha256::new(), record: None, object: None }
    }

    fn put(&mut self, id: &str, body: &str) -> io::Result<()> {
        if !self.written.insert(id.to_owned()) {
            return Ok(());
        }
        self.content.update(body.as_bytes());
        self.out.write_all(if self.written.len() == 1 { b"{\"type\":\"bundle\",\"objects\":[" } else { b",\n" })?;
        self.out.write_all(body.as_bytes())
    }

    fn put_object(&mut self, mut object: Map<String, Value>, tlp: Option<Tlp>) -> io::Result<String> {
        if let Some(tlp) = tlp {
            let definition = marking::definition(tlp);
            self.put(&marking::reference(tlp), &definition.to_string())?;
            object.insert("object_marking_refs".into(), json!([marking::reference(tlp)]));
        }
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.put(&id, &Value::Object(object).to_string())?;
        Ok(id)
    }

    /// One value: an indicator where it is to be looked for, otherwise observed data with its object.
    fn value(&mut self, observable: &Observable, detect: bool, own: &Own) -> io::Result<()> {
        if self.options.types.as_ref().is_some_and(|types| !types.contains(&observable.ty())) {
            return Ok(());
        }
        let Some(record) = &self.record else { return Ok(()) };
        let (identity, tlp) = (record.identity.clone(), own.tlp.or(record.tlp));
        let pattern = observables::pattern(observable).filter(|_| detect);
        let labels = json!([format!("misp:type=\"{}\"", own.kind), format!("misp:category=\"{}\"", own.category)]);
        let mut common = json!({"spec_version": "2.1", "created_by_ref": identity, "created": own.time, "modified": own.time, "labels": labels});
        let mut object = std::mem::take(common.as_object_mut().unwrap_or(&mut Map::new()));
        let id = if let Some(pattern) = pattern {
            object.insert("type".into(), json!("indicator"));
            object.insert("id".into(), json!(format!("indicator--{}", own.uuid)));
            object.insert("pattern".into(), json!(pattern));
            object.insert("pattern_type".into(), json!("stix"));
            object.insert("pattern_version".into(), json!("2.1"));
            object.insert("valid_from".into(), json!(own.time));
            if !own.comment.is_empty() {
                object.insert("description".into(), json!(own.comment));
            }
            self.put_object(object, tlp)?
        } else if let Some(mut seen) = observables::cyber_observable(observable) {
            let kind = seen.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let seen_id = format!("{kind}--{}", own.uuid);
            if let Some(map) = seen.as_object_mut() {
                map.insert("id".into(), json!(seen_id));
                map.insert("spec_version".into(), json!("2.1"));
                let seen = map.clone();
                self.put_object(seen, tlp)?;
            }
            object.insert("type".into(), json!("observed-data"));
            object.insert("id".into(), json!(format!("observed-data--{}", own.uuid)));
            object.insert("first_observed".into(), json!(own.time));
            object.insert("last_observed".into(), json!(own.time));
            object.insert("number_observed".into(), json!(1));
            object.insert("object_refs".into(), json!([seen_id]));
            self.put_object(object, tlp)?
        } else {
            object.insert("type".into(), json!("x-misp-attribute"));
            object.insert("id".into(), json!(format!("x-misp-attribute--{}", own.uuid)));
            object.insert("x_misp_type".into(), json!(own.kind));
            object.insert("x_misp_category".into(), json!(own.category));
            object.insert("x_misp_value".into(), json!(observable.value()));
            if !own.comment.is_empty() {
                object.insert("x_misp_comment".into(), json!(own.comment));
            }
            self.put_object(object, tlp)?
        };
        if let Some(record) = &mut self.record {
            record.references.push(id);
        }
        Ok(())
    }
}

/// What an attribute says of itself.
struct Own {
    uuid: String,
    kind: String,
    category: String,
    comment: String,
    time: String,
    tlp: Option<Tlp>,
}

impl<W: Write> Writer for StixWriter<W> {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        self.record = None;
        self.object = (head.format == "stix").then(|| format!("{}--{}", head.kind, head.uuid));
        if self.object.is_some() {
            return Ok(());
        }
        if !matches!(head.kind.as_str(), "event" | "list" | "report" | "advisory") {
            return Ok(());
        }
        let author = head.author.clone().unwrap_or_else(|| head.owner_name.clone());
        let created = rfc3339_millis(head.created.unwrap_or(head.received));
        let modified = rfc3339_millis(head.modified.unwrap_or(head.received).max(head.created.unwrap_or(0)));
        let author_uuid = serde_json::from_str::<Value>(&head.skeleton)
            .ok()
            .and_then(|body| {
                body.pointer("/Orgc/uuid").and_then(Value::as_str).and_then(|uuid| uuid.parse::<uuid::Uuid>().ok())
            })
            .unwrap_or_else(|| ids::derived(&["org", &author]));
        let identity = format!("identity--{author_uuid}");
        let body = json!({
            "type": "identity", "spec_version": "2.1", "id": identity, "name": author, "identity_class": "organization",
            // One identity for all records of an author: a time that does not change with them.
            "created": "2015-12-21T00:00:00.000Z", "modified": "2015-12-21T00:00:00.000Z",
        });
        self.put(&identity, &body.to_string())?;
        self.record = Some(Record {
            id: format!("report--{}", head.uuid),
            title: head.title.clone(),
            created,
            modified,
            identity,
            tlp: head.label.marking.tlp,
            tags: head.tags.clone(),
            references: Vec::new(),
        });
        Ok(())
    }

    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        if let Some(id) = self.object.take() {
            return self.put(&id, &part.raw);
        }
        let Some(record) = &self.record else { return Ok(()) };
        let members = Members::parse(&part.raw).ok();
        let text = |name: &str| members.as_ref().and_then(|members| members.text(name));
        let stamp = text("timestamp").and_then(|time| manara_model::record::parse_time(&time)).filter(|time| *time > 0);
        let time = stamp.map_or_else(|| record.modified.clone(), rfc3339_millis);
        let several = part.found.len() > 1;
        let record_id = record.id.clone();
        for found in &part.found {
            let row = found.observable.ty().row();
            let derived = || ids::derived(&["stix", &record_id, row.name, found.observable.value()]);
            let uuid = match part.uuid {
                Some(uuid) if !several => uuid,
                _ => derived(),
            };
            let own = Own {
                uuid: uuid.to_string(),
                kind: text("type").unwrap_or_else(|| row.misp_default.into()),
                category: text("category").unwrap_or_else(|| "Other".into()),
                comment: text("comment").unwrap_or_default(),
                time: time.clone(),
                tlp: part.label.marking.tlp,
            };
            self.value(&found.observable, found.detect, &own)?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(record) = self.record.take() else { return Ok(()) };
        if record.references.is_empty() {
            return Ok(());
        }
        let mut report = json!({
            "type": "report", "spec_version": "2.1", "id": record.id, "created_by_ref": record.identity,
            "created": record.created, "modified": record.modified, "name": record.title,
            "published": record.modified, "object_refs": record.references,
        });
        if !record.tags.is_empty() {
            report["labels"] = json!(record.tags);
        }
        let object = report.as_object().cloned().unwrap_or_default();
        self.put_object(object, record.tlp)?;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.written.is_empty() {
            self.out.write_all(b"{\"type\":\"bundle\"")?;
        } else {
            self.out.write_all(b"]")?;
        }
        let digest: [u8; 32] = self.content.clone().finalize().into();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        // The same content is the same bundle.
        writeln!(self.out, ",\"id\":\"bundle--{}\"}}", ids::derived(&["bundle", &hex]))?;
        self.out.flush()
    }

    fn held_back(&self) -> HeldBack {
        HeldBack::default()
    }
}

/// STIX wants milliseconds or more, and a Z (§2.11).
fn rfc3339_millis(millis: i64) -> String {
    let text = rfc3339(millis);
    match text.strip_suffix('Z') {
        Some(plain) if !plain.contains('.') => format!("{plain}.000Z"),
        _ => text,
    }
}
