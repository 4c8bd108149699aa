//! `/events/freeTextImport`: what a text mentions, as attributes.

use crate::answer::{Answer, Fault};
use crate::context::Context;
use manara_model::observable::Observable;
use manara_model::record::{flag_of, text_of};
use serde_json::{Map, Value, json};

impl Context<'_> {
    /// `events/freeTextImport`: what a text mentions, as attributes of the event.
    pub fn events_free_text(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let text =
            text_of(options.get("value")).ok_or_else(|| Fault::new(400, "No input data provided."))?.into_owned();
        let only = options.get("returnMetaAttributes").is_some_and(|flag| flag_of(Some(flag)));
        let distribution = text_of(options.get("distribution")).unwrap_or("5".into()).into_owned();
        // What stands on a warning list is left out, or (`soft`) not looked for.
        let adhere = text_of(options.get("adhereToWarninglists")).unwrap_or_default().into_owned();
        let soft = adhere.eq_ignore_ascii_case("soft");
        let lists = (soft || flag_of(options.get("adhereToWarninglists"))).then(|| self.warnings.get(self.store));
        let lists = lists.transpose()?;
        let listed = |observable: &Observable| lists.as_ref().is_some_and(|lists| !lists.hits(observable).is_empty());
        let found: Vec<Map<String, Value>> = manara_model::observable::extract(&text)
            .filter(|found| soft || !listed(&found.observable))
            .map(|found| {
                let original = text.get(found.start..found.end).unwrap_or_default();
                let mut attribute = self.suggested(&found.observable, &distribution, original);
                if listed(&found.observable) {
                    attribute.insert("to_ids".into(), false.into());
                }
                attribute
            })
            .collect();
        if only {
            return Ok(Answer::json(&found.into_iter().map(Value::Object).collect()));
        }
        let named = self.call.arg(0).map(str::to_owned);
        let view = self.view()?;
        let event = self.event(&view, named.as_deref())?;
        drop(view);
        let items: Vec<Value> = found.iter().cloned().map(Value::Object).collect();
        let (added, _) = self.add_attributes(&event.head.number.to_string(), &items)?;
        let line = |(attribute, given): (Map<String, Value>, &Map<String, Value>)| {
            let mut attribute = attribute;
            crate::shape::split(&mut attribute);
            // This one answer of MISP's has numbers where all others have texts.
            for name in ["timestamp", "distribution", "sharing_group_id"] {
                let number = text_of(attribute.get(name)).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
                attribute.insert(name.into(), number.into());
            }
            attribute.insert("to_ids".into(), i32::from(flag_of(attribute.get("to_ids"))).into());
            for name in ["deleted", "disable_correlation"] {
                attribute.insert(name.into(), "0".into());
            }
            attribute.insert("original_value".into(), given.get("original_value").cloned().unwrap_or_default());
            json!({"Attribute": attribute})
        };
        let lines: Vec<Value> =
            added.into_iter().filter_map(|(n, attribute)| Some(line((attribute, found.get(n)?)))).collect();
        Ok(Answer::json(&Value::Array(lines)))
    }

    fn suggested(&self, observable: &Observable, distribution: &str, original: &str) -> Map<String, Value> {
        let ty = observable.ty().row().misp_default;
        let known = manara_model::observable::misp_type(ty);
        let body = json!({
            "type": ty, "category": known.map_or("Other", |known| known.default_category), "value": observable.value(),
            "to_ids": known.is_some_and(|known| known.to_ids), "distribution": distribution, "comment": "",
            "original_value": original,
        });
        body.as_object().cloned().unwrap_or_default()
    }
}
