//! `/correlations`: values that stand in so many records that they tie nothing together. Correlations are
//! looked up, so nothing has to be kept from growing; what is told here is where a look-up is cut.

use crate::answer::{Answer, Fault, saved};
use crate::call::page;
use crate::context::Context;
use crate::search::values::like;
use manara_model::observable::{Observable, Type, normalise};
use manara_store::{Store, StoreError};
use serde_json::{Map, Value, json};

/// A value in more records than this correlates too much: MISP's own default.
const RECORDS: i64 = 20;
/// Values that are kept of a count.
const KEPT: u32 = 1000;
/// Lines of a list, where no limit is given.
const LINES: usize = 100;
/// The kind of entry that the last count is, and its only name.
const CROWDED: &str = "crowded";
const NAME: &str = "values";

/// Counts over the whole index which values stand in most records, and keeps the first thousand; how many.
///
/// # Errors
/// The store's.
fn count_crowded(store: &Store, actor: &str) -> Result<usize, StoreError> {
    let values = store.crowded_values(RECORDS, KEPT)?;
    let lines: Vec<Value> = values.iter().map(|found| json!([found.ty().name(), found.value()])).collect();
    let at = jiff::Timestamp::now().as_second();
    let body = Map::from_iter([("at".to_owned(), at.into()), ("values".to_owned(), lines.into())]);
    match store.entry_named(CROWDED, NAME)? {
        Some(held) => drop(store.set_entry(actor, CROWDED, held.id, body)?),
        None => drop(store.add_entry(actor, CROWDED, NAME, (None, None), body.into())?),
    }
    Ok(values.len())
}

impl Context<'_> {
    /// `correlations/generateOccurrences`
    pub fn crowded_count(&self) -> Result<Answer, Fault> {
        let found = count_crowded(self.store, self.actor())?;
        let text = format!("Counted: {found} values stand in more than {RECORDS} records.");
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }

    /// `correlations/overCorrelations`: those of the last count that the caller sees in too many records, and
    /// in how many he sees them now.
    pub fn crowded_values(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let (skip, limit) = page(&options, LINES, KEPT as usize);
        let held = self.store.entry_named(CROWDED, NAME)?;
        let kept = held.as_ref().and_then(|entry| entry.body.get("values")).and_then(Value::as_array);
        let (excluded, view) = (self.excluded()?, self.view()?);
        let mut lines = Vec::new();
        for (n, line) in kept.into_iter().flatten().enumerate().skip(skip).take(limit) {
            let Some(observable) = observable(line) else { continue };
            let known = view.lookup(&observable, 0)?;
            if known.total <= RECORDS {
                continue;
            }
            let value = observable.value();
            let out = excluded.iter().any(|pattern| like(&value.to_lowercase(), pattern));
            lines.push(json!({
                "id": (n + 1).to_string(), "value": value, "occurrence": known.total.to_string(), "over_correlation": true, "excluded": out,
            }));
        }
        lines.sort_by_key(|line| {
            std::cmp::Reverse(line["occurrence"].as_str().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0))
        });
        let answer = Answer::json(&Value::Array(lines));
        // When it was counted: what has come since is not in it.
        let at = held.as_ref().and_then(|entry| entry.body.get("at")).and_then(Value::as_i64).unwrap_or(0);
        Ok(answer.with("x-counted-at", at.to_string()))
    }
}

fn observable(line: &Value) -> Option<Observable> {
    let ty = Type::by_name(line.get(0)?.as_str()?)?;
    normalise(ty, line.get(1)?.as_str()?).ok()
}

/// What is said of an event whose value stands in more records than are looked at.
pub(crate) fn cut(value: &str, records: i64) -> Value {
    json!({"value": value, "occurrence": records.to_string()})
}

/// Says of an attribute that its value stands in more places than were looked at.
pub(crate) fn mark(attribute: &mut Map<String, Value>) {
    attribute.insert("over_correlation".into(), true.into());
}
