//! Decaying models: how much an indicator is worth after some time. The polynomial of MISP:
//! `base × (1 − (t / lifetime)^(1 / speed))`, with `t` since it was last seen. The base is what its tags are worth
//! (`numerical.rs`), or the model's own.

use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::numerical::Numbers;
use crate::shape::{body_of, num};
use manara_model::record::{flag_of, seconds_of, text_of};
use manara_model::{Cleared, Part};
use manara_store::entries::Entry;
use manara_store::view::{EventRow, View};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The kind of entry that they are.
pub(crate) const KIND: &str = "decayingmodel";
/// Models that come with the program.
const DEFAULTS: &str = include_str!("../data/decaying-models.json");

/// A model that is in use.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    id: i64,
    name: String,
    types: Vec<String>,
    lifetime: f64,
    speed: f64,
    threshold: f64,
    base: f64,
    /// Taxonomies that weigh in, in lower case.
    weights: BTreeMap<String, f64>,
}

/// The models that a search asks for, and what tags are worth to them.
pub(crate) struct Decay {
    models: Vec<Model>,
    numbers: Numbers,
}

fn number(value: Option<&Value>, default: f64) -> f64 {
    match value {
        Some(Value::Number(number)) => number.as_f64().unwrap_or(default),
        value => text_of(value).and_then(|text| text.parse().ok()).unwrap_or(default),
    }
}

impl Model {
    /// A model as it is kept, with what the caller wants otherwise.
    fn of(entry: &Entry, overrides: &Map<String, Value>) -> Model {
        let body = &entry.body;
        let mut parameters = match body.get("parameters") {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            value => value.and_then(Value::as_object).cloned().unwrap_or_default(),
        };
        parameters.extend(overrides.clone());
        let weights = parameters.get("base_score_config").and_then(Value::as_object);
        let weights = weights.into_iter().flatten().map(|(key, value)| (key.to_lowercase(), number(Some(value), 0.0)));
        Model {
            id: entry.id,
            name: text_of(body.get("name")).unwrap_or_default().into_owned(),
            types: body
                .get("attribute_types")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            lifetime: number(parameters.get("lifetime"), 30.0),
            speed: number(parameters.get("decay_speed").or(parameters.get("tau")), 1.0),
            threshold: number(parameters.get("threshold"), 0.0),
            base: number(parameters.get("default_base_score"), 100.0),
            weights: weights.collect(),
        }
    }

    /// Worth after `age` seconds, from what it is worth at first.
    #[must_use]
    pub(crate) fn score(&self, base: f64, age: i64) -> f64 {
        let days = age.max(0) as f64 / 86_400.0;
        if self.lifetime <= 0.0 || self.speed <= 0.0 {
            return 0.0;
        }
        (base * (1.0 - (days / self.lifetime).powf(1.0 / self.speed))).max(0.0)
    }
}

impl Context<'_> {
    /// The models that a search asks for, or all that are enabled.
    pub(crate) fn decay(&self, options: &Map<String, Value>) -> Result<Decay, Fault> {
        let wanted = crate::search::filter::Wanted::of(options.get("decayingModel")).any;
        let mut overrides = match options.get("modelOverrides") {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            value => value.and_then(Value::as_object).cloned().unwrap_or_default(),
        };
        // Another word for the threshold.
        overrides.extend(options.get("score").map(|score| ("threshold".to_owned(), score.clone())));
        let entries = self.store.entries(KIND)?;
        let chosen = entries.iter().filter(|entry| match wanted.is_empty() {
            true => entry.body.get("enabled").is_none_or(|flag| flag_of(Some(flag))),
            false => wanted.contains(&entry.id.to_string()),
        });
        let models: Vec<Model> = chosen.map(|entry| Model::of(entry, &overrides)).collect();
        let space = |key: &String| key.split(':').next().unwrap_or_default().to_owned();
        let mut spaces: Vec<String> = models.iter().flat_map(|model| model.weights.keys().map(space)).collect();
        spaces.sort_unstable();
        spaces.dedup();
        Ok(Decay { models, numbers: Numbers::of(self, &spaces)? })
    }

    /// An attribute's scores by the models that are for its type.
    pub(crate) fn scores(
        &self,
        decay: &Decay,
        view: &View<'_>,
        event: &EventRow,
        part: &Cleared<Part>,
    ) -> Result<Vec<Value>, Fault> {
        let body = body_of(&part.raw);
        let ty = text_of(body.get("type")).unwrap_or_default().into_owned();
        let fitting: Vec<&Model> =
            decay.models.iter().filter(|model| model.types.is_empty() || model.types.contains(&ty)).collect();
        if fitting.is_empty() {
            return Ok(Vec::new());
        }
        let seen = self
            .last_sighting(view, event, part)?
            .max(seconds_of(body.get("last_seen")))
            .max(seconds_of(body.get("timestamp")));
        let weighs = fitting.iter().any(|model| !model.weights.is_empty());
        let of_event = if weighs { body_of(&event.head.skeleton) } else { Map::new() };
        let mut scores = Vec::with_capacity(fitting.len());
        for model in fitting {
            let base = decay.numbers.base(self, &model.weights, &body, &of_event)?.unwrap_or(model.base);
            let score = model.score(base, self.now - seen);
            scores.push(json!({
                "score": score, "base_score": base, "decayed": score < model.threshold,
                "DecayingModel": {"id": num(model.id), "name": model.name},
            }));
        }
        Ok(scores)
    }

    fn model_shown(entry: &Entry) -> Value {
        let mut body = entry.body.as_object().cloned().unwrap_or_default();
        body.insert("id".into(), num(entry.id));
        let rest = json!({
            "enabled": true, "description": "", "org_id": "0", "all_orgs": true, "ref": [], "formula": "Polynomial", "version": "1",
            "default": false, "attribute_types": [],
        });
        for (name, value) in rest.as_object().cloned().unwrap_or_default() {
            body.entry(name).or_insert(value);
        }
        json!({"DecayingModel": body, "DecayingModelMapping": []})
    }

    /// `decayingModel/index`
    pub fn models_index(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&self.store.entries(KIND)?.iter().map(Self::model_shown).collect()))
    }

    /// `decayingModel/view`
    pub fn models_view(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&Self::model_shown(&self.named_entry(KIND, "Decaying Model")?)))
    }

    /// `decayingModel/import`, `decayingModel/add`
    pub fn models_add(&self) -> Result<Answer, Fault> {
        let body = self.call.object("DecayingModel")?;
        let name = text_of(body.get("name")).filter(|name| !name.is_empty());
        let name = name
            .ok_or_else(|| Fault::unsaved("add", "Decaying Model", json!({"name": ["valueNotEmpty"]})))?
            .into_owned();
        let mut kept: Map<String, Value> = body.into_iter().filter(|(name, _)| name != "id").collect();
        kept.entry("uuid").or_insert_with(|| uuid::Uuid::new_v4().to_string().into());
        let entry = self.store.add_entry(
            self.actor(),
            KIND,
            &name,
            (Some(self.call.caller.account.org), None),
            Value::Object(kept),
        )?;
        Ok(Answer::json(&Self::model_shown(&entry)))
    }

    /// `decayingModel/update`: the models that come with the program, switched off, as in MISP. What was made of
    /// one of them since stays.
    pub fn models_update(&self) -> Result<Answer, Fault> {
        let held = self.store.entries(KIND)?;
        for mut model in serde_json::from_str::<Vec<Value>>(DEFAULTS)? {
            let name = model["name"].as_str().unwrap_or_default().to_owned();
            if held.iter().any(|entry| entry.name == name || entry.body["uuid"] == model["uuid"]) {
                continue;
            }
            (model["enabled"], model["default"]) = (false.into(), true.into());
            self.store.add_entry(self.actor(), KIND, &name, (Some(self.call.caller.account.org), None), model)?;
        }
        Ok(Answer::json(&saved("Default decaying models updated.", &self.call.url, None)))
    }

    /// `decayingModel/export`: as `import` takes it.
    pub fn models_export(&self) -> Result<Answer, Fault> {
        let mut body = self.named_entry(KIND, "Decaying Model")?.body;
        if let Some(body) = body.as_object_mut() {
            body.retain(|name, _| !matches!(name.as_str(), "id" | "org_id" | "enabled" | "default"));
        }
        Ok(Answer::json(&body))
    }

    /// `decayingModel/edit`
    pub fn models_edit(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(KIND, "Decaying Model")?;
        let mut given = self.call.object("DecayingModel")?;
        given.retain(|name, _| !matches!(name.as_str(), "id" | "uuid"));
        let entry = self.store.set_entry(self.actor(), KIND, entry.id, given)?;
        Ok(Answer::json(&Self::model_shown(&entry)))
    }

    /// `decayingModel/delete`
    pub fn models_delete(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(KIND, "Decaying Model")?;
        self.store.remove_entry(self.actor(), KIND, entry.id)?;
        Ok(Answer::json(&saved("Decaying Model deleted.", &self.call.url, None)))
    }

    /// `decayingModel/enable`, `decayingModel/disable`
    pub fn models_enable(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(KIND, "Decaying Model")?;
        let on = Map::from_iter([("enabled".to_owned(), (self.call.action == "enable").into())]);
        let entry = self.store.set_entry(self.actor(), KIND, entry.id, on)?;
        Ok(Answer::json(&Self::model_shown(&entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worth_falls_to_nothing_over_a_lifetime() {
        let model = Model {
            id: 1,
            name: String::new(),
            types: Vec::new(),
            lifetime: 10.0,
            speed: 2.3,
            threshold: 30.0,
            base: 80.0,
            weights: BTreeMap::new(),
        };
        assert_eq!(model.score(80.0, 0), 80.0);
        assert!((model.score(80.0, 5 * 86_400) - 80.0 * (1.0 - 0.5f64.powf(1.0 / 2.3))).abs() < 1e-9);
        assert_eq!(model.score(80.0, 10 * 86_400), 0.0);
        assert_eq!(model.score(80.0, 99 * 86_400), 0.0);
    }
}
