//! The objects of a bundle, and how they hang together.

use super::back::{self, Body, text};
use crate::{InputError, json};
use manara_model::ids;
use manara_model::record::parse_time;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// The objects of a bundle: of each identifier the newest.
pub(super) struct Bundle {
    pub(super) id: String,
    pub(super) objects: Vec<Body>,
    by_id: HashMap<String, usize>,
    /// Relations by where they start, sightings and words by what they are about.
    pub(super) from: HashMap<String, Vec<usize>>,
    pub(super) about: HashMap<String, Vec<usize>>,
    /// Observables that an observation has: they are said with it.
    pub(super) held: HashSet<String>,
}

pub(super) fn ids_in<'a>(object: &'a Body, name: &str) -> Vec<&'a str> {
    match object.get(name) {
        Some(Value::String(id)) => vec![id],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

impl Bundle {
    pub(super) fn read(text_of: &str, name: &str) -> Result<Bundle, InputError> {
        let root: Value = serde_json::from_str(text_of).map_err(|error| json::located(name, &error))?;
        let mut root = if let Value::Object(map) = root { map } else { Body::new() };
        let id = text(&root, "id").to_owned();
        if text(&root, "type") != "bundle" || id.is_empty() {
            return Err(InputError::new(name, "", "is no STIX bundle: it needs the type 'bundle' and an id"));
        }
        let listed = match root.shift_remove("objects") {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(InputError::new(name, "/objects", "is no list; a bundle's objects stand in a list")),
        };
        let mut bundle = Bundle {
            id,
            objects: Vec::new(),
            by_id: HashMap::new(),
            from: HashMap::new(),
            about: HashMap::new(),
            held: HashSet::new(),
        };
        for value in listed {
            let Value::Object(mut object) = value else { continue };
            let id = text(&object, "id").to_owned();
            let is_id = id
                .split_once("--")
                .is_some_and(|(kind, uuid)| kind == text(&object, "type") && uuid.parse::<uuid::Uuid>().is_ok());
            if !is_id {
                continue;
            }
            for inner in unfold(&mut object) {
                bundle.add(inner);
            }
            bundle.add(object);
        }
        for (at, object) in bundle.objects.iter().enumerate() {
            match text(object, "type") {
                "observed-data" => bundle.held.extend(ids_in(object, "object_refs").into_iter().map(str::to_owned)),
                "relationship" => bundle.from.entry(text(object, "source_ref").to_owned()).or_default().push(at),
                "sighting" => {
                    let named =
                        ids_in(object, "sighting_of_ref").into_iter().chain(ids_in(object, "observed_data_refs"));
                    named.for_each(|id| bundle.about.entry(id.to_owned()).or_default().push(at));
                }
                "opinion" | "note" => {
                    ids_in(object, "object_refs")
                        .iter()
                        .for_each(|id| bundle.about.entry((*id).to_owned()).or_default().push(at));
                }
                _ => {}
            }
        }
        Ok(bundle)
    }

    fn add(&mut self, object: Body) {
        let time = |object: &Body| parse_time(text(object, "modified"));
        match self.by_id.get(text(&object, "id")) {
            Some(at) if time(&object) >= time(&self.objects[*at]) => self.objects[*at] = object,
            Some(_) => {}
            None => {
                self.by_id.insert(text(&object, "id").to_owned(), self.objects.len());
                self.objects.push(object);
            }
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<&Body> {
        self.by_id.get(id).map(|at| &self.objects[*at])
    }
}

/// STIX 2.0 keeps observables inside observed data, by numbers by which they refer to each other: here as objects.
fn unfold(object: &mut Body) -> Vec<Body> {
    if text(object, "type") != "observed-data" {
        return Vec::new();
    }
    let Some(Value::Object(inner)) = object.shift_remove("objects") else { return Vec::new() };
    let own = text(object, "id").to_owned();
    let id = |number: &str, inner: &Value| {
        let kind = inner["type"].as_str().unwrap_or_default();
        format!("{kind}--{}", ids::derived(&["stix", &own, number]))
    };
    let names: HashMap<String, String> =
        inner.iter().map(|(number, inner)| (number.clone(), id(number, inner))).collect();
    let mut refs: Vec<Value> = ids_in(object, "object_refs").into_iter().map(Value::from).collect();
    refs.extend(names.values().cloned().map(Value::from));
    object.insert("object_refs".into(), refs.into());
    let mut made = Vec::new();
    for (number, value) in inner {
        let Value::Object(mut body) = value else { continue };
        body.insert("id".into(), names.get(&number).cloned().into());
        for (_, value) in body.iter_mut().filter(|(name, _)| name.ends_with("_ref") || name.ends_with("_refs")) {
            let renamed = |id: &mut Value| {
                if let Some(name) = id.as_str().and_then(|id| names.get(id)) {
                    *id = name.clone().into();
                }
            };
            match value {
                Value::Array(list) => list.iter_mut().for_each(renamed),
                one => renamed(one),
            }
        }
        made.push(body);
    }
    made
}

impl Bundle {
    /// The head of an event that nobody wrote: by whom most of it is, and when the newest of it came.
    pub(super) fn made_up(&self) -> Body {
        let newest = self.objects.iter().filter_map(|object| parse_time(text(object, "modified"))).max().unwrap_or(0);
        let mut authors: HashMap<&str, usize> = HashMap::new();
        self.objects.iter().for_each(|object| *authors.entry(text(object, "created_by_ref")).or_default() += 1);
        authors.remove("");
        let author =
            authors.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0))).and_then(|(id, _)| self.find(id));
        let date = manara_model::record::rfc3339(newest);
        let mut head = Body::new();
        head.insert("uuid".into(), back::uuid(&self.id).into());
        head.insert("info".into(), format!("STIX bundle {}", back::uuid(&self.id)).into());
        head.insert("date".into(), date.get(..10).unwrap_or_default().into());
        head.insert("timestamp".into(), newest.div_euclid(1000).to_string().into());
        head.insert("published".into(), false.into());
        if let Some(author) = author {
            head.insert("Orgc".into(), json!({"name": text(author, "name"), "uuid": back::uuid(text(author, "id"))}));
        }
        head
    }
}
