//! What was observed: observed-data with its cyber-observables, of STIX 2.1 (`object_refs` to objects
//! of the same bundle) and of 2.0 (`objects` inside).

use crate::lexer::time;
use crate::{Json, Mode};
use jiff::Timestamp;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

/// A cyber-observable object.
#[derive(Debug)]
pub struct Object<'a> {
    /// Its type.
    pub kind: Cow<'a, str>,
    /// Its identifier; in 2.0, its key in `objects`.
    pub id: Cow<'a, str>,
    /// All of it.
    pub json: Json<'a>,
    /// Whose `objects` it stands in; 0: at the top.
    scope: u32,
}

/// An observed-data object, and which objects it is about.
#[derive(Debug)]
pub struct Observation<'a> {
    /// Its identifier.
    pub id: Cow<'a, str>,
    /// `first_observed`
    pub first: Timestamp,
    /// `last_observed`, not before the first.
    pub last: Timestamp,
    /// `number_observed`, at least 1.
    pub count: u32,
    pub(crate) objects: Vec<u32>,
}

/// An observed-data object that can't be matched, and why. The others are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError {
    /// Its identifier.
    pub id: String,
    /// What is wrong with it.
    pub what: String,
}

/// Observations that were read together, and their objects: references lead to any of them.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    pub(crate) objects: Vec<Object<'a>>,
    observations: Vec<Observation<'a>>,
    errors: Vec<DataError>,
    places: OnceCell<HashMap<(u32, String), u32>>,
    scopes: u32,
}

/// Up to here a list is searched from its end instead of making an index.
const FEW: usize = 8;

impl<'a> Batch<'a> {
    /// Reads a document: a bundle, an observed-data object, or a list of either.
    ///
    /// # Errors
    /// For what is no JSON, with line and column, and for JSON that is none of these.
    pub fn read(text: &'a str, mode: Mode) -> Result<Batch<'a>, String> {
        let json: Json<'a> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Batch::of(json, mode)
    }

    /// Of JSON that was read.
    ///
    /// # Errors
    /// For what is none of the shapes of [`Batch::read`].
    pub fn of(json: Json<'a>, mode: Mode) -> Result<Batch<'a>, String> {
        let mut batch = Batch::default();
        let mut observed = Vec::new();
        match json {
            Json::List(all) => {
                for json in all {
                    batch.document(json, &mut observed)?;
                }
            }
            json => batch.document(json, &mut observed)?,
        }
        batch.link(observed, mode);
        Ok(batch)
    }

    /// The observations, in their order.
    #[must_use]
    pub fn observations(&self) -> &[Observation<'a>] {
        &self.observations
    }

    /// What had to be left out.
    #[must_use]
    pub fn errors(&self) -> &[DataError] {
        &self.errors
    }

    /// The objects of an observation.
    pub fn objects<'s>(&'s self, observation: &'s Observation<'a>) -> impl Iterator<Item = &'s Object<'a>> {
        observation.objects.iter().filter_map(|at| self.objects.get(*at as usize))
    }

    fn document(&mut self, json: Json<'a>, observed: &mut Vec<Json<'a>>) -> Result<(), String> {
        let Json::Map(pairs) = json else {
            return Err("neither a bundle nor an observed-data object".into());
        };
        let kind = pairs.iter().rfind(|(key, _)| key == "type").and_then(|(_, value)| value.text()).unwrap_or("");
        match kind {
            "bundle" => {
                let objects = pairs.into_iter().rfind(|(key, _)| key == "objects").map(|(_, value)| value);
                let Some(Json::List(objects)) = objects else { return Ok(()) };
                for object in objects {
                    self.top(object, observed);
                }
                Ok(())
            }
            "" => Err("an object without a type; a bundle or observed-data should stand here".into()),
            _ => {
                self.top(Json::Map(pairs), observed);
                Ok(())
            }
        }
    }

    fn top(&mut self, json: Json<'a>, observed: &mut Vec<Json<'a>>) {
        if json.get("type").and_then(Json::text) == Some("observed-data") {
            observed.push(json);
        } else {
            let id = own(&json, "id");
            self.object(json, id, 0);
        }
    }

    fn object(&mut self, json: Json<'a>, id: Cow<'a, str>, scope: u32) -> Option<u32> {
        let kind = own(&json, "type");
        let at = u32::try_from(self.objects.len()).ok()?;
        (!kind.is_empty()).then(|| {
            self.objects.push(Object { kind, id, json, scope });
            at
        })
    }

    fn link(&mut self, observed: Vec<Json<'a>>, mode: Mode) {
        for json in observed {
            let id = own(&json, "id");
            let facts = match facts(&json, mode) {
                Ok(facts) => facts,
                Err(what) => {
                    self.errors.push(DataError { id: id.into_owned(), what });
                    continue;
                }
            };
            let mut objects = Vec::new();
            if let Some(Json::List(refs)) = json.get("object_refs") {
                for reference in refs.iter().filter_map(Json::text) {
                    objects.extend(self.place(0, reference));
                }
                objects.sort_unstable();
                objects.dedup();
                if objects.is_empty() && !refs.is_empty() {
                    // It can't match anything; who gave it should hear why.
                    let what = "none of its object_refs is in the same document".to_owned();
                    self.errors.push(DataError { id: id.into_owned(), what });
                    continue;
                }
            } else if let Json::Map(pairs) = json
                && let Some((_, Json::Map(inner))) = pairs.into_iter().rfind(|(key, _)| key == "objects")
            {
                self.scopes += 1;
                for (key, json) in inner {
                    objects.extend(self.object(json, key, self.scopes));
                }
            }
            let (first, last, count) = facts;
            self.observations.push(Observation { id, first, last, count, objects });
        }
        // Objects came after the first question.
        if self.scopes > 0 {
            self.places = OnceCell::new();
        }
    }

    fn place(&self, scope: u32, id: &str) -> Option<u32> {
        if self.objects.len() <= FEW {
            let at = self.objects.iter().rposition(|object| object.scope == scope && object.id == id)?;
            return u32::try_from(at).ok();
        }
        let places = self.places.get_or_init(|| {
            let all = self.objects.iter().zip(0u32..);
            all.map(|(object, at)| ((object.scope, object.id.clone().into_owned()), at)).collect()
        });
        places.get(&(scope, id.to_owned())).copied()
    }

    /// The object that a reference of another one means, and whether the observation has it: only what
    /// `object_refs` lists is followed (§9.7.4).
    pub(crate) fn referred(&self, seen: &Observation<'a>, from: &Object<'a>, id: &str) -> Option<(&Object<'a>, bool)> {
        let at = self.place(from.scope, id)?;
        Some((self.objects.get(at as usize)?, seen.objects.binary_search(&at).is_ok()))
    }
}

fn own<'a>(json: &Json<'a>, name: &str) -> Cow<'a, str> {
    match json.get(name) {
        Some(Json::Text(text)) => text.clone(),
        _ => Cow::Borrowed(""),
    }
}

fn facts(json: &Json<'_>, mode: Mode) -> Result<(Timestamp, Timestamp, u32), String> {
    let moment = |name: &str| match json.get(name).and_then(Json::text) {
        Some(text) => time(text).map_err(|why| format!("{name}: {why}")),
        None => Err(format!("it has no {name}")),
    };
    let first = moment("first_observed");
    let last = moment("last_observed");
    let (first, last) = match (first, last) {
        (Ok(first), Ok(last)) => (first, last),
        (Ok(one), Err(_)) | (Err(_), Ok(one)) if mode.tolerant() => (one, one),
        (Err(what), _) | (_, Err(what)) => return Err(what),
    };
    if last < first {
        return Err("last_observed is before first_observed".into());
    }
    let count = match json.get("number_observed") {
        Some(Json::Integer(n)) if *n >= 1 => u32::try_from(*n).unwrap_or(u32::MAX),
        None if mode.tolerant() => 1,
        _ => return Err("number_observed is no whole number of at least 1".into()),
    };
    Ok((first, last, count))
}
