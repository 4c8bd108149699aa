//! Writes a bundle. STIX objects go as they came; MISP events and lists by the published misp-stix
//! rules: an event is a report or a grouping, an attribute to look for an indicator, another one observed data,
//! each under its own UUID. A part is written when it is complete; of what was written identifiers are kept.

use super::back::Body;
use super::say::{self, Said, Setting, uuid_of};
use super::{around, identifiers, marking, seal, whole};
use crate::json::Members;
use crate::writer::{HeldBack, WriteOptions, Writer};
use manara_model::observable::misp_type;
use manara_model::record::Slot;
use manara_model::{Cleared, Head, Part, Tlp, ids};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use uuid::Uuid;

/// What is still to be done with an object before it goes; false: it stays.
pub(crate) type Sieve<'o> = dyn FnMut(&mut Cow<'_, str>) -> io::Result<bool> + 'o;

/// Where objects go.
pub(crate) enum Out<'o> {
    /// Into a bundle, those that pass.
    Bundle(Box<dyn Write + 'o>, Option<Box<Sieve<'o>>>),
    /// To somebody who takes each by itself.
    Each(&'o mut dyn FnMut(&str) -> io::Result<()>),
}

pub(crate) struct StixWriter<'o> {
    out: Out<'o>,
    options: WriteOptions,
    /// Digests of identifiers, and of what was written under them.
    written: HashMap<[u8; 16], [u8; 16]>,
    /// Identifiers of parts and events: each is somebody's once.
    used: HashSet<Uuid>,
    content: Sha256,
    record: Option<Record>,
    /// The identifier of a record that is a STIX object: its part is its body.
    object: Option<String>,
}

/// A record that is no STIX object and becomes some.
struct Record {
    uuid: Uuid,
    title: String,
    body: Body,
    author: Body,
    tlp: Option<Tlp>,
    setting: Setting,
    /// The identifier of the report or grouping.
    id: String,
    references: Vec<String>,
    /// An object whose attributes come.
    open: Option<Open>,
    /// Parts so far.
    place: u32,
}

struct Open {
    ordinal: u32,
    uuid: Uuid,
    body: Body,
    attributes: Vec<(Uuid, Body)>,
    tlp: Option<Tlp>,
}

fn half(bytes: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

fn id_of(object: &Body) -> &str {
    object.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn body_of(raw: &str) -> Body {
    serde_json::from_str(raw).unwrap_or_default()
}

impl<'o> StixWriter<'o> {
    pub(crate) fn new(out: Out<'o>, options: WriteOptions) -> Self {
        StixWriter {
            out,
            options,
            written: HashMap::new(),
            used: HashSet::new(),
            content: Sha256::new(),
            record: None,
            object: None,
        }
    }

    /// A body without tags that are their keepers' own, and without their clusters.
    fn shown(&self, raw: &str) -> Body {
        let mut body = body_of(raw);
        let kept = &self.options.kept_tags;
        if kept.is_empty() {
            return body;
        }
        let retain = |list: Option<&mut Value>, name: &str| {
            if let Some(Value::Array(list)) = list {
                list.retain(|one| !one[name].as_str().is_some_and(|tag| kept.contains(tag)));
            }
        };
        retain(body.get_mut("Tag"), "name");
        for galaxy in body.get_mut("Galaxy").and_then(Value::as_array_mut).into_iter().flatten() {
            retain(galaxy.get_mut("GalaxyCluster"), "tag_name");
        }
        body
    }

    fn put(&mut self, id: &str, body: &str) -> io::Result<()> {
        let key = half(id.as_bytes());
        if self.written.contains_key(&key) {
            return Ok(());
        }
        let said = half(body.as_bytes());
        let mut body = Cow::Borrowed(body);
        if let Out::Bundle(_, Some(sieve)) = &mut self.out
            && !sieve(&mut body)?
        {
            return Ok(());
        }
        self.written.insert(key, said);
        self.content.update(body.as_bytes());
        match &mut self.out {
            Out::Bundle(out, _) => {
                let is_first = self.written.len() == 1;
                out.write_all(if is_first { b"{\"type\":\"bundle\",\"objects\":[" } else { b",\n" })?;
                out.write_all(body.as_bytes())
            }
            Out::Each(give) => give(&body),
        }
    }

    /// An object, after what it refers to and bundles need beside it.
    fn put_object(&mut self, object: Body) -> io::Result<()> {
        for reference in object.get("object_marking_refs").and_then(Value::as_array).into_iter().flatten() {
            if let Some(tlp) = reference.as_str().and_then(marking::of_reference) {
                self.put(&marking::reference(tlp), &marking::definition(tlp).to_string())?;
            }
        }
        if seal::of(&object).is_some() {
            for (id, definition) in seal::definitions() {
                self.put(&id, &definition.to_string())?;
            }
        }
        let id = id_of(&object).to_owned();
        self.put(&id, &Value::Object(object).to_string())
    }

    /// Objects that say one thing. Two that share an observable share its identifier; where what they say of it
    /// differs, the later one gets its own. The identifiers, the first of them that by which it is known.
    fn give(&mut self, said: Said) -> io::Result<Vec<String>> {
        let known_as = said.id();
        let mut objects = said.0;
        for at in (0..objects.len().saturating_sub(1)).rev() {
            let id = id_of(&objects[at]).to_owned();
            let text = Value::Object(objects[at].clone()).to_string();
            let other = self.written.get(&half(id.as_bytes())).is_some_and(|held| *held != half(text.as_bytes()));
            if other {
                let kind = id.split_once("--").map_or("", |(kind, _)| kind);
                let own = format!("{kind}--{}", ids::derived(&["stix", &known_as, &id]));
                for object in &mut objects {
                    object.values_mut().for_each(|value| identifiers::rename(value, &id, &own));
                }
            }
        }
        let mut ids = vec![known_as];
        ids.extend(objects.iter().take(objects.len().saturating_sub(1)).map(|object| id_of(object).to_owned()));
        objects.into_iter().try_for_each(|object| self.put_object(object))?;
        Ok(ids)
    }

    /// A part that is complete, and what stands around it.
    fn finish_part(
        &mut self,
        said: Said,
        body: &Body,
        attributes: &[(Uuid, Body)],
        tlp: Option<Tlp>,
    ) -> io::Result<()> {
        let known_as = said.id();
        let given = self.give(said)?;
        let Some(record) = &mut self.record else { return Ok(()) };
        let mut more = Vec::new();
        if record.setting.sealed {
            more = around::of(body, &known_as, tlp, &record.setting);
            for (_, attribute) in attributes {
                more.extend(around::of(attribute, &known_as, tlp, &record.setting));
            }
        }
        record.references.extend(given);
        record
            .references
            .extend(more.iter().filter(|object| around::is_around(object)).map(|object| id_of(object).to_owned()));
        more.into_iter().try_for_each(|object| self.put_object(object))
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(record) = &mut self.record else { return Ok(()) };
        let Some(open) = record.open.take() else { return Ok(()) };
        let said = say::object(&open.body, &open.attributes, open.uuid, open.tlp, &record.setting);
        self.finish_part(said, &open.body, &open.attributes, open.tlp)
    }

    /// The identifier of a part: its own, if it is nobody else's in this bundle.
    fn own(&mut self, body: &Body) -> Uuid {
        let Some(record) = &mut self.record else { return Uuid::nil() };
        record.place += 1;
        let (whole, place) = (record.uuid.to_string(), record.place);
        let uuid = uuid_of(body, &whole, place);
        if self.used.insert(uuid) {
            return uuid;
        }
        let other = ids::derived(&["stix", "again", &whole, &place.to_string()]);
        self.used.insert(other);
        other
    }

    fn event_part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        let body = self.shown(&part.raw);
        // Where nobody spoke of TLP, a part's is the one by which policy reads that (`Marking::explicit`).
        let implied = self.record.as_ref().is_some_and(|record| record.tlp.is_none()) && !body.contains_key("Tag");
        let tlp = part.label.marking.tlp.filter(|tlp| !(implied && *tlp == Tlp::Green));
        if part.slot == Slot::ObjectAttribute
            && let Some(record) = &self.record
            && record.open.as_ref().is_some_and(|open| Some(open.ordinal) == part.parent)
        {
            let uuid = self.own(&body);
            if let Some(open) = self.record.as_mut().and_then(|record| record.open.as_mut()) {
                open.tlp = open.tlp.max(tlp);
                open.attributes.push((uuid, body));
            }
            return Ok(());
        }
        self.close()?;
        let wanted = |part: &Part, types: &std::collections::BTreeSet<_>| {
            part.found.iter().any(|found| types.contains(&found.observable.ty()))
        };
        if part.slot != Slot::Object && self.options.types.as_ref().is_some_and(|types| !wanted(part, types)) {
            return Ok(());
        }
        let uuid = self.own(&body);
        let Some(record) = &mut self.record else { return Ok(()) };
        let said = match part.slot {
            Slot::Object => {
                record.open = Some(Open { ordinal: part.ordinal, uuid, body, attributes: Vec::new(), tlp });
                return Ok(());
            }
            Slot::EventReport => Said(vec![whole::report(&body, uuid, tlp, &record.id, &record.setting)]),
            Slot::Proposal => say::proposal(&body, uuid, tlp, &record.setting),
            _ => say::attribute(&body, uuid, tlp, &record.setting),
        };
        self.finish_part(said, &body, &[], tlp)
    }

    /// Each value of a part of a list or report as an attribute.
    fn list_part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        let members = Members::parse(&part.raw).ok();
        let text = |name: &str| members.as_ref().and_then(|members| members.text(name));
        let several = part.found.len() > 1;
        for found in &part.found {
            let (Some(record), ty) = (&mut self.record, found.observable.ty()) else { return Ok(()) };
            if self.options.types.as_ref().is_some_and(|types| !types.contains(&ty)) {
                continue;
            }
            let derived = || ids::derived(&["stix", &record.uuid.to_string(), ty.name(), found.observable.value()]);
            let uuid = part.uuid.filter(|_| !several).unwrap_or_else(derived);
            let name = ty.row().misp_default;
            let body = json!({
                "type": name, "value": found.observable.value(), "to_ids": found.detect,
                "category": misp_type(name).map_or("Other", |ty| ty.default_category),
                "comment": text("comment").unwrap_or_default(), "timestamp": text("timestamp").unwrap_or_default(),
            });
            let tlp = part.label.marking.tlp;
            let said = say::attribute(&body.as_object().cloned().unwrap_or_default(), uuid, tlp, &record.setting);
            self.finish_part(said, &Body::new(), &[], tlp)?;
        }
        Ok(())
    }
}

impl Writer for StixWriter<'_> {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        self.record = None;
        self.object = (head.format == "stix").then(|| format!("{}--{}", head.kind, head.uuid));
        if self.object.is_some() || !matches!(head.kind.as_str(), "event" | "list" | "report" | "advisory") {
            return Ok(());
        }
        let sealed = head.format == "misp";
        let mut body = if sealed { self.shown(&head.skeleton) } else { Body::new() };
        let time = head.modified.or(head.created).unwrap_or(head.received).max(head.created.unwrap_or(0));
        let name = head.author.clone().unwrap_or_else(|| head.owner_name.clone());
        let made = || around::identity(&name, &ids::derived(&["org", &name]).to_string());
        let author = around::organisation(&body, "Orgc").unwrap_or_else(made);
        let uuid = if self.used.insert(head.uuid) {
            head.uuid
        } else {
            ids::derived(&["stix", "again", &head.row.to_string()])
        };
        if !sealed {
            let tags: Vec<Value> = head.tags.iter().map(|name| json!({"name": name})).collect();
            body.insert("published".into(), true.into());
            body.insert("timestamp".into(), (time / 1000).to_string().into());
            body.insert("Tag".into(), tags.into());
            body.insert("date".into(), manara_model::record::rfc3339(head.created.unwrap_or(head.received)).into());
        }
        let setting = Setting { identity: id_of(&author).to_owned(), whole: head.label.marking.tlp, time, sealed };
        self.put_object(author.clone())?;
        self.record = Some(Record {
            id: format!("{}--{uuid}", whole::kind(&body)),
            uuid,
            title: head.title.clone(),
            body,
            author,
            tlp: head.label.marking.tlp,
            setting,
            references: Vec::new(),
            open: None,
            place: 0,
        });
        Ok(())
    }

    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        if let Some(id) = self.object.take() {
            let stated = self.options.state_marking.then_some(part.label.marking.tlp).flatten();
            return match stated.and_then(|tlp| Some((tlp, marking::stated(&part.raw, tlp)?))) {
                Some((tlp, body)) => {
                    self.put(&marking::reference(tlp), &marking::definition(tlp).to_string())?;
                    self.put(&id, &body)
                }
                None => self.put(&id, &part.raw),
            };
        }
        match &self.record {
            Some(record) if record.setting.sealed => self.event_part(part),
            Some(_) => self.list_part(part),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.close()?;
        let Some(mut record) = self.record.take() else { return Ok(()) };
        if record.setting.sealed {
            for object in around::of(&record.body, &record.id, record.tlp, &record.setting) {
                if around::is_around(&object) {
                    record.references.push(id_of(&object).to_owned());
                }
                self.put_object(object)?;
            }
            if record.references.is_empty() {
                let note = around::empty(&record.id, record.tlp, &record.setting);
                record.references.push(id_of(&note).to_owned());
                self.put_object(note)?;
            }
        }
        if record.references.is_empty() {
            return Ok(());
        }
        let mut seen = HashSet::new();
        record.references.retain(|id| seen.insert(half(id.as_bytes())));
        let Record { body, uuid, tlp, title, references, author, setting, .. } = record;
        self.put_object(whole::event(&body, uuid, tlp, &title, references, &author, &setting))
    }

    fn finish(&mut self) -> io::Result<()> {
        let Out::Bundle(out, _) = &mut self.out else { return Ok(()) };
        out.write_all(if self.written.is_empty() { b"{\"type\":\"bundle\"" } else { b"]" })?;
        let digest: [u8; 32] = self.content.clone().finalize().into();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        // The same content is the same bundle.
        writeln!(out, ",\"id\":\"bundle--{}\"}}", ids::derived(&["bundle", &hex]))?;
        out.flush()
    }

    fn held_back(&self) -> HeldBack {
        HeldBack::default()
    }
}
