//! `/analystData`: notes, opinions and relationships about anything that has an identifier. Each is a
//! record of its own, with a holder and a marking, so that the same rules hold for it as for an event.

use crate::answer::{Answer, Fault, saved};
use crate::call::Method;
use crate::context::Context;
use crate::ids;
use crate::search::filter::Wanted;
use crate::shape::{Scribe, body_of, datetime, num, uuid_of};
use manara_formats::misp_marking;
use manara_model::permission::Flag;
use manara_model::record::{PartDraft, RecordDraft, Sink, Slot, flag_of, parse_time, text_of};
use manara_model::role::Right;
use manara_model::{Cleared, Head, Marking, Part};
use manara_store::intake::{Intake, Terms};
use manara_store::view::{EventRow, Filter, View, Which};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use uuid::Uuid;

/// Name in the path, kind of record, what it must have.
const TYPES: &[(&str, &str, &str)] = &[
    ("Note", "note", "note"),
    ("Opinion", "opinion", "opinion"),
    ("Relationship", "relationship", "relationship_type"),
];
/// Names and numbers of this node, which are worked out when it is shown.
const NOT_KEPT: &[&str] = &[
    "id",
    "sharing_group_id",
    "Org",
    "Orgc",
    "note_type",
    "note_type_name",
    "_canEdit",
    "Note",
    "Opinion",
    "Relationship",
];

/// Parts about which is asked in one question.
const TOGETHER: usize = 500;

/// What is said about parts: of each, lists by type.
pub(crate) type Notes = HashMap<Uuid, Map<String, Value>>;

fn type_named(name: &str) -> Result<(&'static str, &'static str, &'static str), Fault> {
    TYPES
        .iter()
        .find(|(one, ..)| one.eq_ignore_ascii_case(name))
        .copied()
        .ok_or_else(|| Fault::new(404, "Invalid type."))
}

impl Context<'_> {
    fn analyst_shown(&self, view: &View<'_>, head: &Cleared<Head>, with_children: bool) -> Result<Value, Fault> {
        let (name, ..) = TYPES.iter().find(|(_, kind, _)| *kind == head.kind).copied().unwrap_or(TYPES[0]);
        let scribe = Scribe::new(view, self.call.caller.account.org);
        let body = body_of(&head.skeleton);
        let uuid = |name: &str| text_of(body.get(name)).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let owner = head.label.owner.0;
        let orgc = uuid("orgc_uuid").unwrap_or(owner);
        let mut shown = Map::new();
        shown.insert("id".into(), num(head.number));
        for (name, value) in body {
            shown.insert(name, value);
        }
        if head.kind == "opinion" {
            // PyMISP reads no opinion, nor the event that has it, without one.
            shown.entry("comment").or_insert("".into());
        }
        let (_, group) = scribe.reach(&shown, "1");
        shown.insert("sharing_group_id".into(), if group == "0" { Value::Null } else { group });
        shown.insert("uuid".into(), head.uuid.to_string().into());
        shown.insert("org_uuid".into(), owner.to_string().into());
        let place = TYPES.iter().position(|(one, ..)| *one == name).unwrap_or(0);
        shown.insert("note_type".into(), place.into());
        shown.insert("note_type_name".into(), name.into());
        shown.insert("Org".into(), scribe.org(Some(owner), ""));
        shown.insert("Orgc".into(), scribe.org(Some(orgc), ""));
        shown.insert("_canEdit".into(), self.may_change_analyst(head).into());
        if with_children {
            for (one, kind, _) in TYPES {
                let mut about = Vec::new();
                for child in view.about(head.uuid, kind)? {
                    about.push(self.analyst_shown(view, &child, false)?);
                }
                if !about.is_empty() {
                    shown.insert((*one).into(), about.into());
                }
            }
        }
        Ok(Value::Object(shown))
    }

    fn may_change_analyst(&self, head: &Cleared<Head>) -> bool {
        let own = head.label.owner == self.call.caller.account.org;
        self.is_admin()
            || own && self.call.caller.has(Flag::AnalystData) && !flag_of(body_of(&head.skeleton).get("locked"))
    }

    fn analyst_named(&self, view: &View<'_>, kind: &str, named: Option<&str>) -> Result<Cleared<Head>, Fault> {
        let missing = || Fault::missing("Analyst Data");
        let found = match named.and_then(ids::which).ok_or_else(missing)? {
            Which::Uuid(uuid) => view.of_kind(kind, None, Some(uuid))?,
            Which::Number(number) => view.of_kind(kind, Some(number), None)?,
        };
        found.ok_or_else(missing)
    }

    /// Writes one; its identifier.
    fn keep_analyst(
        &self,
        kind: &str,
        mut body: Map<String, Value>,
        object: Uuid,
        author: Option<String>,
    ) -> Result<Uuid, Fault> {
        let uuid = text_of(body.get("uuid")).and_then(|uuid| uuid.parse().ok()).unwrap_or_else(Uuid::new_v4);
        body.insert("uuid".into(), uuid.to_string().into());
        let text = Value::Object(body.clone()).to_string();
        let words = ["note", "comment", "relationship_type"]
            .iter()
            .find_map(|name| text_of(body.get(*name)))
            .unwrap_or_default();
        let title: String = words.lines().next().unwrap_or_default().chars().take(200).collect();
        let draft = RecordDraft {
            uuid,
            kind: kind.to_owned(),
            format: "json".into(),
            title: if title.is_empty() { kind.to_owned() } else { title },
            author,
            marking: misp_marking(Slot::Whole, &text),
            created: text_of(body.get("created"))
                .and_then(|text| parse_time(&text.replace(' ', "T")).or_else(|| parse_time(&text))),
            modified: Some(self.now * 1000),
            digest: Sha256::digest(text.as_bytes()).into(),
            text: words.into_owned(),
            skeleton: text,
            ..RecordDraft::default()
        };
        let mut intake = Intake::new(
            self.store,
            Terms { owner: self.call.caller.account.org, actor: self.actor().to_owned(), marking: Marking::default() },
        );
        if intake.begin(draft)? {
            // What it is about is found by its identifier.
            let mut part = PartDraft::new(Slot::Whole, "");
            part.uuid = Some(object);
            intake.part(part)?;
            intake.end()?;
        }
        intake.finish()?;
        Ok(uuid)
    }

    fn analyst_body(
        &self,
        kind: &str,
        given: &Map<String, Value>,
        held: Option<Map<String, Value>>,
    ) -> Result<Map<String, Value>, Fault> {
        let (name, _, must) = TYPES.iter().find(|(_, one, _)| *one == kind).copied().unwrap_or(TYPES[0]);
        let unsaved = |field: &str, text: &str| Fault::unsaved("save", name, json!({field: [text]}));
        let new = held.is_none();
        let mut body = held.unwrap_or_default();
        for (name, value) in given.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str())) {
            body.insert(name.clone(), value.clone());
        }
        for name in ["created", "modified"] {
            // However it was written, it is kept as MISP writes it.
            let written = text_of(body.get(name)).and_then(|text| {
                parse_time(&text.replacen(' ', "T", 1))
                    .or_else(|| parse_time(&format!("{}Z", text.replacen(' ', "T", 1))))
            });
            if let Some(millis) = written {
                body.insert(name.into(), datetime(millis).into());
            }
        }
        if text_of(body.get(must)).is_none_or(|text| text.is_empty()) {
            return Err(unsaved(must, "valueNotEmpty"));
        }
        if kind == "opinion"
            && !text_of(body.get("opinion"))
                .and_then(|text| text.parse::<i64>().ok())
                .is_some_and(|opinion| (0..=100).contains(&opinion))
        {
            return Err(unsaved("opinion", "An opinion is a number from 0 to 100."));
        }
        if given.contains_key("distribution") || given.contains_key("sharing_group_id") {
            let said = |name: &str| given.get(name).or(body.get(name)).cloned().unwrap_or_default();
            let names = ["distribution", "sharing_group_id", "SharingGroup"];
            let reach: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), said(name))).collect();
            self.reach(&reach, &mut body, "1").map_err(|errors| Fault::unsaved("save", name, errors))?;
        }
        let now = datetime(self.now * 1000);
        if new {
            body.entry("created").or_insert(now.clone().into());
            body.entry("distribution").or_insert("1".into());
            body.entry("authors").or_insert(self.actor().into());
            body.entry("locked").or_insert(false.into());
            let brings = self.call.may(Right::Sync) && body.contains_key("orgc_uuid");
            if !brings {
                body.insert("orgc_uuid".into(), self.call.caller.account.org.to_string().into());
            }
        }
        if !(self.call.may(Right::Sync) && given.contains_key("modified")) {
            body.insert("modified".into(), now.into());
        }
        Ok(body)
    }

    /// Notes, opinions and relationships about something, as far as they may be seen.
    pub(crate) fn notes_about(&self, view: &View<'_>, object: Uuid) -> Result<Map<String, Value>, Fault> {
        let mut all = Map::new();
        for (name, kind, _) in TYPES {
            let mut lines = Vec::new();
            for head in view.about(object, kind)? {
                lines.push(self.analyst_shown(view, &head, true)?);
            }
            all.insert((*name).into(), lines.into());
        }
        Ok(all)
    }

    /// What is said about the parts of an event, by part.
    pub(crate) fn notes_about_parts(&self, view: &View<'_>, event: &EventRow) -> Result<Notes, Fault> {
        let mut all = Notes::new();
        for (name, kind, _) in TYPES {
            // Where nobody has said anything, nothing is looked for.
            if !view.has_kind(kind)? {
                continue;
            }
            let mut look = |parts: &[Uuid]| {
                for (about, head) in view.about_any(parts, kind)? {
                    let shown = self.analyst_shown(view, &head, true)?;
                    let lines = all.entry(about).or_default().entry(*name).or_insert_with(|| json!([]));
                    lines.as_array_mut().into_iter().for_each(|lines| lines.push(shown.clone()));
                }
                Ok::<(), Fault>(())
            };
            let mut some = Vec::with_capacity(TOGETHER);
            view.parts_in_order::<Fault>(&event.head, |part| {
                some.push(uuid_of(event, &part));
                if some.len() == TOGETHER {
                    look(&std::mem::take(&mut some))?;
                }
                Ok(())
            })?;
            look(&some)?;
        }
        Ok(all)
    }

    /// The same about one part.
    pub(crate) fn notes_about_part(
        &self,
        view: &View<'_>,
        event: &EventRow,
        part: &Part,
    ) -> Result<Map<String, Value>, Fault> {
        let mut notes = self.notes_about(view, uuid_of(event, part))?;
        notes.retain(|_, lines| lines.as_array().is_some_and(|lines| !lines.is_empty()));
        Ok(notes)
    }

    /// Keeps the notes, opinions and relationships that came with something: each is a record of its own, and
    /// what came with it likewise. One that can't be kept is told, and stops no other.
    pub(crate) fn keep_with(&self, about: (&str, Uuid), given: &Map<String, Value>, errors: &mut Vec<Value>) {
        for (name, kind, _) in TYPES {
            for item in given.get(*name).and_then(Value::as_array).into_iter().flatten() {
                let Some(item) = item.as_object() else { continue };
                match self.keep_one(about, kind, item) {
                    Ok(uuid) => self.keep_with((name, uuid), item, errors),
                    Err(fault) => errors.push(json!({"place": format!("/{name}"), "errors": fault.message})),
                }
            }
        }
    }

    fn keep_one(&self, (of, object): (&str, Uuid), kind: &str, item: &Map<String, Value>) -> Result<Uuid, Fault> {
        let view = self.view()?;
        let uuid = text_of(item.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let held = match uuid {
            Some(uuid) => view.of_kind(kind, None, Some(uuid))?,
            None => None,
        };
        if let Some(held) = held {
            // Shown with what it is about, and sent back with it: nothing new, or its author's change.
            let body = body_of(&held.skeleton);
            let same = item.iter().all(|(name, value)| {
                NOT_KEPT.contains(&name.as_str())
                    || body.get(name).is_none_or(|held| text_of(Some(held)) == text_of(Some(value)))
            });
            if same {
                return Ok(held.uuid);
            }
            if !self.may_change_analyst(&held) {
                return Err(Fault::forbidden("You do not have permission to do that."));
            }
            let mut given = item.clone();
            for name in ["uuid", "object_uuid", "object_type", "orgc_uuid", "org_uuid"] {
                given.shift_remove(name);
            }
            let changed = self.analyst_body(kind, &given, Some(body))?;
            let author = held.author.clone();
            drop(view);
            return self.keep_analyst(kind, changed, object, author);
        }
        drop(view);
        let mut body = self.analyst_body(kind, item, None)?;
        body.insert("object_uuid".into(), object.to_string().into());
        body.insert("object_type".into(), of.into());
        let author = self.store.facts()?.name(self.call.caller.account.org);
        self.keep_analyst(kind, body, object, Some(author))
    }

    /// `analystData/add/TYPE/UUID/OBJECT`
    pub fn analyst_add(&self) -> Result<Answer, Fault> {
        let (name, kind, _) = type_named(self.call.arg(0).unwrap_or_default())?;
        let given = self.call.object(name)?;
        let object = self
            .call
            .arg(1)
            .map(str::to_owned)
            .or_else(|| text_of(given.get("object_uuid")).map(|uuid| uuid.into_owned()));
        let object: Uuid = object
            .and_then(|uuid| uuid.parse().ok())
            .ok_or_else(|| Fault::unsaved("add", name, json!({"object_uuid": ["Invalid UUID."]})))?;
        let about = self
            .call
            .arg(2)
            .map(str::to_owned)
            .or_else(|| text_of(given.get("object_type")).map(|text| text.into_owned()));
        let mut body = self.analyst_body(kind, &given, None)?;
        body.insert("object_uuid".into(), object.to_string().into());
        body.insert("object_type".into(), about.unwrap_or_else(|| "Event".into()).into());
        let author = self.store.facts()?.name(self.call.caller.account.org);
        let uuid = self.keep_analyst(kind, body, object, Some(author))?;
        self.keep_with((name, uuid), &given, &mut Vec::new());
        let view = self.view()?;
        let head = self.analyst_named(&view, kind, Some(&uuid.to_string()))?;
        Ok(Answer::json(&json!({name: self.analyst_shown(&view, &head, false)?})))
    }

    /// `analystData/view/TYPE/ID`
    pub fn analyst_view(&self) -> Result<Answer, Fault> {
        let (name, kind, _) = type_named(self.call.arg(0).unwrap_or_default())?;
        let view = self.view()?;
        let head = self.analyst_named(&view, kind, self.call.arg(1))?;
        if self.call.method == Method::Head {
            return Ok(Answer::new("text/html; charset=UTF-8"));
        }
        Ok(Answer::json(&json!({name: self.analyst_shown(&view, &head, true)?})))
    }

    /// `analystData/edit/TYPE/ID`
    pub fn analyst_edit(&self) -> Result<Answer, Fault> {
        let (name, kind, _) = type_named(self.call.arg(0).unwrap_or_default())?;
        let given = self.call.object(name)?;
        let view = self.view()?;
        let head = self.analyst_named(&view, kind, self.call.arg(1))?;
        if !self.may_change_analyst(&head) {
            return Err(Fault::forbidden("You do not have permission to do that."));
        }
        let held = body_of(&head.skeleton);
        let object = text_of(held.get("object_uuid")).and_then(|uuid| uuid.parse().ok()).unwrap_or_default();
        let mut given = given;
        for name in ["uuid", "object_uuid", "object_type", "orgc_uuid", "org_uuid"] {
            given.shift_remove(name);
        }
        let body = self.analyst_body(kind, &given, Some(held))?;
        let (uuid, author) = (head.uuid, head.author.clone());
        drop(view);
        self.keep_analyst(kind, body, object, author)?;
        self.keep_with((name, uuid), &given, &mut Vec::new());
        let view = self.view()?;
        let head = self.analyst_named(&view, kind, Some(&uuid.to_string()))?;
        Ok(Answer::json(&json!({name: self.analyst_shown(&view, &head, false)?})))
    }

    /// `analystData/delete/TYPE/ID`
    pub fn analyst_delete(&self) -> Result<Answer, Fault> {
        let (name, kind, _) = type_named(self.call.arg(0).unwrap_or_default())?;
        let view = self.view()?;
        let head = self.analyst_named(&view, kind, self.call.arg(1))?;
        if !self.may_change_analyst(&head) {
            return Err(Fault::forbidden("You do not have permission to do that."));
        }
        drop(view);
        self.store.withdraw(self.actor(), Some(head.label.owner), head.uuid, Some(kind), "deleted by the MISP door")?;
        Ok(Answer::json(&saved(format!("{name} deleted."), &self.call.url, None)))
    }

    /// Every one of a kind that the caller may see.
    fn each_analyst(
        &self,
        view: &View<'_>,
        kind: &str,
        mut take: impl FnMut(&Cleared<Head>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let filter = Filter { kind: Some(kind.to_owned()), ..Filter::default() };
        let mut cursor = None;
        loop {
            let page = view.heads_with_bodies(&filter, cursor, 200)?;
            page.items.iter().try_for_each(&mut take)?;
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// `analystData/index/TYPE`
    pub fn analyst_index(&self) -> Result<Answer, Fault> {
        let (name, kind, _) = type_named(self.call.arg(0).unwrap_or("Note"))?;
        let options = self.call.filters()?;
        let wanted = Wanted::of(options.get("uuid")).any;
        let view = self.view()?;
        let mut lines = Vec::new();
        self.each_analyst(&view, kind, |head| {
            if wanted.is_empty() || wanted.contains(&head.uuid.to_string()) {
                lines.push(json!({name: self.analyst_shown(&view, head, false)?}));
            }
            Ok(())
        })?;
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `analystData/indexMinimal`: identifiers and when they were changed.
    pub fn analyst_minimal(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let orgs = Wanted::of(options.get("orgc_name"));
        let view = self.view()?;
        let all = self.analyst_index_of(&view, &orgs)?;
        Ok(Answer::json(&Value::Object(all)))
    }

    /// Identifiers and clocks of what may be seen, by type.
    pub(crate) fn analyst_index_of(&self, view: &View<'_>, orgs: &Wanted) -> Result<Map<String, Value>, Fault> {
        let mut all = Map::new();
        for (name, kind, _) in TYPES {
            let mut of_type = Map::new();
            self.each_analyst(view, kind, |head| {
                let body = body_of(&head.skeleton);
                let orgc = text_of(body.get("orgc_uuid"))
                    .and_then(|uuid| uuid.parse::<Uuid>().ok())
                    .unwrap_or(head.label.owner.0);
                let author = view.facts().name(manara_model::OrgId(orgc));
                if (orgs.any.is_empty() || orgs.any.contains(&author)) && !orgs.none.contains(&author) {
                    of_type.insert(head.uuid.to_string(), body.get("modified").cloned().unwrap_or_default());
                }
                Ok(())
            })?;
            if !of_type.is_empty() {
                all.insert((*name).into(), Value::Object(of_type));
            }
        }
        Ok(all)
    }

    /// `analystData/filterAnalystDataForPush`: which of these are new here, or newer?
    pub fn analyst_filter(&self) -> Result<Answer, Fault> {
        let offered = self.call.filters()?;
        let view = self.view()?;
        let mut wanted = Map::new();
        for (name, kind, _) in TYPES {
            let mut of_type = Map::new();
            for (uuid, modified) in offered.get(*name).and_then(Value::as_object).into_iter().flatten() {
                let Ok(id) = uuid.parse::<Uuid>() else { continue };
                let held = view
                    .of_kind(kind, None, Some(id))?
                    .map(|head| text_of(body_of(&head.skeleton).get("modified")).unwrap_or_default().into_owned());
                if held.is_none_or(|held| modified.as_str().is_some_and(|offered| offered > held.as_str())) {
                    of_type.insert(uuid.clone(), modified.clone());
                }
            }
            // Nothing of a type is an empty list there.
            let of_type = if of_type.is_empty() { json!([]) } else { Value::Object(of_type) };
            wanted.insert((*name).into(), of_type);
        }
        Ok(Answer::json(&Value::Object(wanted)))
    }

    /// Is what a server brings new, or newer than what it brought? What was written here is nobody's to change.
    fn is_newer_analyst(&self, kind: &str, brought: &Map<String, Value>) -> Result<bool, Fault> {
        let Some(uuid) = text_of(brought.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok()) else {
            return Ok(true);
        };
        let own = self.call.caller.account.org;
        let held = self.view()?.of_kind(kind, None, Some(uuid))?.filter(|held| held.label.owner == own);
        let Some(held) = held else { return Ok(true) };
        let body = body_of(&held.skeleton);
        if !flag_of(body.get("locked")) {
            return Err(Fault::forbidden("It was written here."));
        }
        // Both as `datetime` writes them: by their letters they are in the order of time.
        let clock = |of: &Map<String, Value>| text_of(of.get("modified")).unwrap_or_default().into_owned();
        Ok(clock(brought) > clock(&body))
    }

    /// `analystData/pushAnalystData`: what another server brings.
    pub fn analyst_push(&self) -> Result<Answer, Fault> {
        // One at a time, as MISP's servers do, or several.
        let offered = match self.call.json()? {
            Value::Array(items) => items,
            one @ Value::Object(_) => vec![one],
            _ => return Err(Fault::bad_json()),
        };
        let (mut imported, mut ignored, mut failed) = (0, 0, 0);
        for item in &offered {
            for (name, kind, _) in TYPES {
                let Some(given) = item.get(*name).and_then(Value::as_object) else { continue };
                let object = text_of(given.get("object_uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok());
                let kept = object.ok_or(()).and_then(|object| {
                    let mut body = self.analyst_body(kind, given, None).map_err(drop)?;
                    if !self.is_newer_analyst(kind, &body).map_err(drop)? {
                        return Ok(false);
                    }
                    body.insert("locked".into(), true.into());
                    self.keep_analyst(kind, body, object, None).map_err(drop)?;
                    Ok(true)
                });
                match kept {
                    Ok(true) => imported += 1,
                    Ok(false) => ignored += 1,
                    Err(()) => failed += 1,
                }
            }
        }
        let text = format!("Analyst Data imported. {imported} imported, {ignored} ignored, {failed} failed. ");
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }
}
