//! `/objectTemplates`.

use super::body;
use crate::answer::{Answer, Fault};
use crate::context::Context;
use crate::shape::num;
use manara_model::record::{flag_of, text_of};
use serde_json::{Value, json};

impl Context<'_> {
    /// `objectTemplates/index`
    pub fn templates_index(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let lines = self.knowledge(&view, "object-template")?.into_iter().map(|head| {
            let body = body(&head);
            let pick = |name: &str| body.get(name).cloned().unwrap_or_default();
            json!({"ObjectTemplate": {
                "id": num(head.number), "user_id": "0", "org_id": "0", "uuid": head.uuid, "name": pick("name"),
                "meta-category": pick("meta-category"), "description": pick("description"),
                "version": text_of(body.get("version")).unwrap_or_default(),
                "requirements": {"required": body.get("required"), "requiredOneOf": body.get("requiredOneOf")}, "fixed": true, "active": true,
            }, "Organisation": {"id": null, "name": null, "uuid": null}})
        });
        Ok(Answer::json(&lines.collect()))
    }

    /// `objectTemplates/view`, `objectTemplates/getRaw`
    pub fn templates_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let head =
            self.knowledge_named(&view, "object-template", self.call.arg(0).unwrap_or_default(), "object template")?;
        let body = body(&head);
        if self.call.action == "getraw" {
            return Ok(Answer::json(&Value::Object(body)));
        }
        let pick = |name: &str| body.get(name).cloned().unwrap_or_default();
        let elements = body.get("attributes").and_then(Value::as_object).into_iter().flatten().map(|(relation, element)| {
            json!({
                "id": "0", "object_template_id": num(head.number), "object_relation": relation, "type": element.get("misp-attribute"),
                "ui-priority": element.get("ui-priority"), "categories": element.get("categories"), "sane_default": element.get("sane_default"),
                "values_list": element.get("values_list"), "description": element.get("description"),
                "disable_correlation": flag_of(element.get("disable_correlation")), "multiple": flag_of(element.get("multiple")),
            })
        });
        Ok(Answer::json(&json!({"ObjectTemplate": {
            "id": num(head.number), "user_id": "0", "org_id": "0", "uuid": head.uuid, "name": pick("name"), "meta-category": pick("meta-category"),
            "description": pick("description"), "version": text_of(body.get("version")).unwrap_or_default(),
            "requirements": {"required": body.get("required"), "requiredOneOf": body.get("requiredOneOf")}, "fixed": true, "active": true,
        }, "ObjectTemplateElement": elements.collect::<Vec<_>>()})))
    }
}
