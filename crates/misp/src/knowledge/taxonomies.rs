//! `/taxonomies`.

use super::body;
use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::shape::{num, tag_value};
use manara_model::record::{flag_of, text_of};
use manara_model::{Cleared, Head};
use manara_store::StoreError;
use manara_store::view::View;
use serde_json::{Map, Value, json};

impl Context<'_> {
    fn taxonomy(&self, head: &Cleared<Head>) -> Result<(Map<String, Value>, Vec<Value>), Fault> {
        let body = body(head);
        let text = |name: &str| text_of(body.get(name)).unwrap_or_default().into_owned();
        let space = text("namespace");
        let mut entries = Vec::new();
        let line = |tag: String, expanded: String, of: &Value| {
            json!({"tag": tag, "expanded": expanded, "exclusive_predicate": flag_of(of.get("exclusive")), "description": of.get("description"),
                   "colour": of.get("colour"), "numerical_value": of.get("numerical_value")})
        };
        let values = body.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
        for predicate in body.get("predicates").and_then(Value::as_array).into_iter().flatten() {
            let name = text_of(predicate.get("value")).unwrap_or_default();
            let expanded = text_of(predicate.get("expanded")).unwrap_or(name.clone());
            let of = values.iter().filter(|one| text_of(one.get("predicate")).is_some_and(|one| one == name));
            let mut any = false;
            for entry in of.flat_map(|one| one.get("entry").and_then(Value::as_array).into_iter().flatten()) {
                any = true;
                let value = text_of(entry.get("value")).unwrap_or_default();
                let more = text_of(entry.get("expanded")).unwrap_or(value.clone());
                entries.push(line(format!("{space}:{name}=\"{value}\""), format!("{expanded}: {more}"), entry));
            }
            if !any {
                entries.push(line(format!("{space}:{name}"), expanded.into_owned(), predicate));
            }
        }
        let uuid = head.uuid.to_string();
        let shown = json!({
            "id": num(head.number), "namespace": space, "description": text("description"), "version": text("version"),
            "enabled": self.is_on("taxonomy", &uuid, false)?, "exclusive": flag_of(body.get("exclusive")),
            "required": self.is_on("taxonomy-required", &uuid, false)?, "highlighted": false,
        });
        Ok((shown.as_object().cloned().unwrap_or_default(), entries))
    }

    /// Tags of the taxonomies with these namespaces that have a number, with it.
    pub(crate) fn numerical_tags(&self, view: &View<'_>, spaces: &[String]) -> Result<Vec<(String, Value)>, Fault> {
        let mut found = Vec::new();
        for head in self.knowledge(view, "taxonomy")? {
            let space = text_of(body(&head).get("namespace")).unwrap_or_default().to_lowercase();
            if spaces.contains(&space) {
                let (_, entries) = self.taxonomy(&head)?;
                let mut line =
                    |entry: Value| Some((entry["tag"].as_str()?.to_owned(), entry["numerical_value"].clone()));
                found.extend(
                    entries.into_iter().filter(|entry| !entry["numerical_value"].is_null()).filter_map(&mut line),
                );
            }
        }
        Ok(found)
    }

    /// `taxonomies/index`
    pub fn taxonomies_index(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let mut lines = Vec::new();
        for head in self.knowledge(&view, "taxonomy")? {
            let (taxonomy, entries) = self.taxonomy(&head)?;
            let mut current = 0;
            for entry in &entries {
                current += i32::from(view.tag(entry["tag"].as_str().unwrap_or_default())?.is_some());
            }
            lines.push(json!({"Taxonomy": taxonomy, "total_count": entries.len(), "current_count": current}));
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `taxonomies/view`
    pub fn taxonomies_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let head = self.knowledge_named(&view, "taxonomy", self.call.arg(0).unwrap_or_default(), "taxonomy")?;
        let (taxonomy, mut entries) = self.taxonomy(&head)?;
        for entry in &mut entries {
            let tag = view.tag(entry["tag"].as_str().unwrap_or_default())?;
            entry["existing_tag"] = tag.map_or(Value::Bool(false), |tag| json!({"Tag": tag_value(&tag)}));
        }
        Ok(Answer::json(&json!({"Taxonomy": taxonomy, "entries": entries})))
    }

    /// `taxonomies/enable`, `disable`, `addTag`, `disableTag`, `toggleRequired`
    pub fn taxonomies_set(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let named = self
            .call
            .arg(0)
            .map(str::to_owned)
            .or_else(|| text_of(self.call.named.get("taxonomy_id")).map(|id| id.into_owned()));
        let head = self.knowledge_named(&view, "taxonomy", &named.unwrap_or_default(), "taxonomy")?;
        let uuid = head.uuid.to_string();
        let text = match self.call.action.as_str() {
            "enable" | "disable" => {
                let on = self.call.action == "enable";
                self.switch("taxonomy", &uuid, on)?;
                if on { "Taxonomy enabled" } else { "Taxonomy disabled" }
            }
            "togglerequired" => {
                let on = !self.is_on("taxonomy-required", &uuid, false)?;
                self.switch("taxonomy-required", &uuid, on)?;
                // MISP's word, for either.
                "Taxonomy toggleRequireded"
            }
            action => {
                let (_, entries) = self.taxonomy(&head)?;
                let hide = action == "disabletag";
                for entry in entries {
                    let name = entry["tag"].as_str().unwrap_or_default();
                    match self.store.add_tag(self.actor(), name) {
                        Ok(()) | Err(StoreError::Exists { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                    if let Some(tag) = self.store.tag_by_name(name)? {
                        let mut detail = tag.detail.clone();
                        detail.insert("hide_tag".into(), hide.into());
                        let colour = entry["colour"].as_str().map_or(tag.set_colour.clone(), str::to_owned);
                        self.store.set_tag(self.actor(), tag.id, &colour, &detail)?;
                    }
                }
                if hide { "The tag(s) has been hidden." } else { "The tag(s) has been saved." }
            }
        };
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }
}
