//! `/galaxies`: which there are. Their clusters: see `clusters`.

use crate::answer::{Answer, Fault};
use crate::call::Method;
use crate::clusters::galaxy_value;
use crate::context::Context;
use manara_model::record::text_of;
use serde_json::{Map, Value, json};

impl Context<'_> {
    /// `galaxies/index`; `POST {"value": …}` searches.
    pub fn galaxies_index(&self) -> Result<Answer, Fault> {
        let options = if self.call.method == Method::Post { self.call.filters()? } else { self.call.named.clone() };
        let search = text_of(options.get("value").or(options.get("searchall"))).unwrap_or_default().to_lowercase();
        let view = self.view()?;
        let fits = |galaxy: &Map<String, Value>| {
            search.is_empty()
                || ["name", "type", "namespace", "description", "uuid"].iter().any(|name| {
                    galaxy.get(*name).and_then(Value::as_str).is_some_and(|text| text.to_lowercase().contains(&search))
                })
        };
        let all = self.warnings.galaxies(self.store)?.all(&view.gate());
        Ok(Answer::json(&all.iter().map(galaxy_value).filter(fits).map(|galaxy| json!({"Galaxy": galaxy})).collect()))
    }
}
