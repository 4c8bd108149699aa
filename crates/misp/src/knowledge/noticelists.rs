//! `/noticelists`.

use super::body;
use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::shape::num;
use manara_model::{Cleared, Head};
use serde_json::{Value, json};

impl Context<'_> {
    /// `noticelists/index`, `noticelists/view`, `enable`, `disable`
    pub fn noticelists(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let line = |head: &Cleared<Head>| -> Result<Value, Fault> {
            let mut shown = body(head);
            shown.insert("id".into(), num(head.number));
            shown.insert("enabled".into(), self.is_on("noticelist", &head.uuid.to_string(), false)?.into());
            Ok(json!({"Noticelist": shown}))
        };
        if self.call.action == "index" {
            let all: Result<Vec<Value>, Fault> = self.knowledge(&view, "noticelist")?.iter().map(line).collect();
            return Ok(Answer::json(&Value::Array(all?)));
        }
        let head = self.knowledge_named(&view, "noticelist", self.call.arg(0).unwrap_or_default(), "noticelist")?;
        match self.call.action.as_str() {
            "view" => Ok(Answer::json(&line(&head)?)),
            action => {
                let on = action == "enable"
                    || action == "enablenoticelist" && self.call.arg(1).is_some_and(|flag| flag == "true");
                self.switch("noticelist", &head.uuid.to_string(), on)?;
                let text = if on { "Noticelist enabled" } else { "Noticelist disabled" };
                Ok(Answer::json(&saved(text, &self.call.url, None)))
            }
        }
    }
}
