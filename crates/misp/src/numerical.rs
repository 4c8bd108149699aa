//! What tags are worth as numbers, 0 to 100: by the reader's own setting, by what was said of the tag here, or
//! by its taxonomy. Each tag is looked up once a request.

use crate::answer::Fault;
use crate::context::Context;
use manara_model::record::text_of;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

/// The reader's setting: `{tag: number}`.
const OVERRIDE: &str = "tag_numerical_value_override";

/// See the module.
#[derive(Default)]
pub(crate) struct Numbers {
    own: HashMap<String, f64>,
    taxonomies: HashMap<String, f64>,
    known: RefCell<HashMap<String, Option<f64>>>,
}

fn number(value: Option<&Value>) -> Option<f64> {
    text_of(value)?.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Which of the configured taxonomies a tag is of, `namespace:predicate` or `namespace`.
fn key_of<'c>(tag: &str, weights: &'c BTreeMap<String, f64>) -> Option<&'c str> {
    let tag = tag.to_lowercase();
    let predicate = tag.split('=').next().unwrap_or_default();
    let space = tag.split(':').next().unwrap_or_default();
    [predicate, space].into_iter().find_map(|key| weights.get_key_value(key).map(|(key, _)| key.as_str()))
}

impl Numbers {
    /// For tags of these namespaces.
    pub(crate) fn of(context: &Context<'_>, spaces: &[String]) -> Result<Numbers, Fault> {
        if spaces.is_empty() {
            return Ok(Numbers::default());
        }
        let owner = context.call.caller.account.uuid;
        let own = context.store.entry_named("usersetting", &format!("{owner}/{OVERRIDE}"))?;
        let own = own.as_ref().and_then(|entry| entry.body["value"].as_object());
        let own = own.into_iter().flatten();
        let own = own.filter_map(|(tag, value)| Some((tag.to_lowercase(), number(Some(value))?))).collect();
        let mut taxonomies = HashMap::new();
        for (tag, value) in context.numerical_tags(&context.view()?, spaces)? {
            taxonomies.extend(number(Some(&value)).map(|value| (tag.to_lowercase(), value)));
        }
        Ok(Numbers { own, taxonomies, known: RefCell::default() })
    }

    /// What a tag is worth; `None`: nobody says.
    fn value(&self, context: &Context<'_>, tag: &str) -> Result<Option<f64>, Fault> {
        if let Some(known) = self.known.borrow().get(tag) {
            return Ok(*known);
        }
        let lower = tag.to_lowercase();
        let value = match self.own.get(&lower) {
            Some(own) => Some(*own),
            None => {
                let held = context.store.tag_by_name(tag)?;
                let said = held.and_then(|held| number(held.detail.get("numerical_value")));
                said.or_else(|| self.taxonomies.get(&lower).copied())
            }
        };
        self.known.borrow_mut().insert(tag.to_owned(), value);
        Ok(value)
    }

    /// The base score of something with these tags: what the configured taxonomies' tags are worth, by their
    /// weights. An attribute's tag goes before one of its event of the same taxonomy; of several of one
    /// taxonomy the highest counts. `None`: no such tag is on it.
    pub(crate) fn base(
        &self,
        context: &Context<'_>,
        weights: &BTreeMap<String, f64>,
        own: &Map<String, Value>,
        of_event: &Map<String, Value>,
    ) -> Result<Option<f64>, Fault> {
        let mut best: BTreeMap<&str, f64> = BTreeMap::new();
        for body in [own, of_event] {
            let mut here: BTreeMap<&str, f64> = BTreeMap::new();
            for tag in crate::shape::tag_names(body) {
                if let Some(key) = key_of(tag, weights)
                    && let Some(value) = self.value(context, tag)?
                {
                    let held = here.entry(key).or_insert(value);
                    *held = held.max(value);
                }
            }
            for (key, value) in here {
                best.entry(key).or_insert(value);
            }
        }
        Ok(weighted(best.into_iter().map(|(key, value)| (weights.get(key).copied().unwrap_or(0.0), value))))
    }
}

/// The mean by weights that are more than nothing, within 0 to 100.
fn weighted(pairs: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut sum, mut all) = (0.0, 0.0);
    for (weight, value) in pairs.filter(|(weight, _)| *weight > 0.0) {
        sum += weight * value;
        all += weight;
    }
    (all > 0.0).then(|| (sum / all).clamp(0.0, 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_of_what_is_there() {
        assert_eq!(weighted([(0.25, 80.0), (0.25, 40.0)].into_iter()), Some(60.0));
        assert_eq!(weighted([(0.75, 100.0), (0.25, 0.0)].into_iter()), Some(75.0));
        assert_eq!(weighted([(0.5, 400.0)].into_iter()), Some(100.0));
        assert_eq!(weighted([(0.0, 50.0)].into_iter()), None);
        assert_eq!(weighted(std::iter::empty()), None);
    }

    #[test]
    fn a_tag_is_of_its_predicate_before_its_namespace() {
        let weights = BTreeMap::from([("phishing:state".to_owned(), 1.0), ("retention".to_owned(), 1.0)]);
        assert_eq!(key_of("phishing:state=\"active\"", &weights), Some("phishing:state"));
        assert_eq!(key_of("Retention:1d", &weights), Some("retention"));
        assert_eq!(key_of("phishing:techniques=\"x\"", &weights), None);
        assert_eq!(key_of("", &weights), None);
    }
}
