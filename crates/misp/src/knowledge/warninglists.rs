//! `/warninglists`.

use super::body;
use crate::answer::{Answer, Fault};
use crate::context::Context;
use crate::search::filter::Wanted;
use crate::shape::num;
use manara_model::observable::{guess_listed, misp_types, normalise};
use manara_model::record::{flag_of, text_of};
use manara_model::{Cleared, Head};
use serde_json::{Map, Value, json};

impl Context<'_> {
    fn warning_list(&self, head: &Cleared<Head>) -> Result<Value, Fault> {
        let body = body(head);
        let text = |name: &str| text_of(body.get(name)).unwrap_or_default().into_owned();
        let types = body
            .get("matching_attributes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let count = body.get("list").and_then(Value::as_array).map_or(0, Vec::len);
        Ok(json!({
            "id": num(head.number), "name": text("name"), "type": text("type"), "description": text("description"),
            "version": text("version"), "enabled": self.is_on("warninglist", &head.uuid.to_string(), true)?, "default": true,
            "category": text_of(body.get("category")).unwrap_or("false_positive".into()), "warninglist_entry_count": count.to_string(),
            "valid_attributes": types,
        }))
    }

    /// `warninglists/index`
    pub fn warninglists_index(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let mut lines = Vec::new();
        for head in self.knowledge(&view, "warninglist")? {
            lines.push(json!({"Warninglist": self.warning_list(&head)?}));
        }
        Ok(Answer::json(&json!({"Warninglists": lines})))
    }

    /// `warninglists/view`
    pub fn warninglists_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let head = self.knowledge_named(&view, "warninglist", self.call.arg(0).unwrap_or_default(), "warninglist")?;
        let mut shown = self.warning_list(&head)?;
        let list = body(&head).get("list").and_then(Value::as_array).cloned().unwrap_or_default();
        shown["WarninglistEntry"] =
            list.into_iter().map(|value| json!({"value": value, "warninglist_id": shown["id"]})).collect();
        Ok(Answer::json(&json!({"Warninglist": shown})))
    }

    /// `warninglists/toggleEnable`
    pub fn warninglists_toggle(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let view = self.view()?;
        let names = Wanted::of(options.get("name")).any;
        let numbers = Wanted::of(options.get("id")).any;
        let (mut changed, mut on) = (0, false);
        for head in self.knowledge(&view, "warninglist")? {
            let name = head.title.to_lowercase();
            let by_name = names.iter().any(|wanted| {
                let wanted = wanted.to_lowercase();
                name == wanted || wanted.contains('%') && name.contains(wanted.trim_matches('%'))
            });
            if by_name || numbers.contains(&head.number.to_string()) {
                let uuid = head.uuid.to_string();
                on = match options.get("enabled") {
                    Some(flag) => flag_of(Some(flag)),
                    None => !self.is_on("warninglist", &uuid, true)?,
                };
                self.switch("warninglist", &uuid, on)?;
                changed += 1;
            }
        }
        if changed == 0 {
            return Ok(Answer::json(&json!({"saved": false, "errors": "Warninglist(s) not found."})));
        }
        let text = format!("{changed} warninglist(s) {}", if on { "enabled" } else { "disabled" });
        Ok(Answer::json(&json!({"saved": true, "success": text})))
    }

    /// `warninglists/checkValue`
    pub fn warninglists_check(&self) -> Result<Answer, Fault> {
        let given = self.call.json()?;
        let values = match &given {
            Value::Object(map) => Wanted::of_values(map.get("value").or(map.get("[]"))).any,
            other => Wanted::of_values(Some(other)).any,
        };
        let lists = self.warnings.get(self.store)?;
        let view = self.view()?;
        let known: Map<String, Value> =
            self.knowledge(&view, "warninglist")?.iter().map(|head| (head.title.clone(), num(head.number))).collect();
        let mut out = Map::new();
        for value in values {
            let mut names = std::collections::BTreeSet::new();
            let readings = misp_types().iter().flat_map(|ty| ty.types()).filter_map(|ty| normalise(ty, &value).ok());
            for observable in readings.chain(guess_listed(&value)) {
                names.extend(lists.hits(&observable).into_iter().map(str::to_owned));
            }
            if !names.is_empty() {
                let hits =
                    names.into_iter().map(|name| json!({"id": known.get(&name), "name": name, "matched": value}));
                out.insert(value.clone(), hits.collect());
            }
        }
        Ok(if out.is_empty() { Answer::json(&json!([])) } else { Answer::json(&Value::Object(out)) })
    }
}
