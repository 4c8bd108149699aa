//! The values at a path (§9.7).

use crate::observed::{Batch, Object, Observation};
use crate::{Json, Leniency, Mode, Step};

/// Values at the end of a path, and what had to be let pass to come there.
pub(crate) struct Selected<'s, 'a> {
    pub(crate) values: Vec<&'s Json<'a>>,
    pub(crate) lenient: Vec<Leniency>,
}

/// Where a walk stands: a value, and the object whose references count there.
type Place<'s, 'a> = (&'s Json<'a>, &'s Object<'a>);

/// All values at a path of an object. `_ref` and `_refs` are followed where the path goes on behind
/// them; at its end they are identifiers. Work: steps × what the batch holds, since objects that are
/// reached twice are walked once.
pub(crate) fn select<'s, 'a>(
    batch: &'s Batch<'a>,
    seen: &Observation<'a>,
    object: &'s Object<'a>,
    steps: &[Step],
    mode: Mode,
) -> Selected<'s, 'a> {
    let mut lenient = Vec::new();
    // Nearly every path is one property of the object.
    if let [Step::Key(key)] = steps {
        let mut values: Vec<_> = object.json.get(key).into_iter().collect();
        flatten(&mut values, mode, &mut lenient);
        return Selected { values, lenient };
    }
    let mut places: Vec<Place<'s, 'a>> = vec![(&object.json, object)];
    for (n, step) in steps.iter().enumerate() {
        let mut next = Vec::new();
        let in_hashes = n > 0 && matches!(&steps[n - 1], Step::Key(key) if key == "hashes");
        for (json, object) in &places {
            walk(json, step, mode, in_hashes, &mut lenient, &mut |json| next.push((json, *object)));
        }
        // `x_refs[*].y` follows after the list step, `x_ref.y` after the key.
        let key = match step {
            Step::Key(key) => Some(key),
            Step::Index(_) | Step::Any => match steps.get(n.wrapping_sub(1)) {
                Some(Step::Key(key)) if key.ends_with("_refs") => Some(key),
                _ => None,
            },
        };
        let is_reference = |key: &String| {
            key.ends_with("_ref") || key.ends_with("_refs") && (!matches!(step, Step::Key(_)) || mode.tolerant())
        };
        if n + 1 < steps.len() && key.is_some_and(is_reference) {
            next = follow(batch, seen, &next, matches!(step, Step::Key(_)), steps.get(n + 1), mode, &mut lenient);
        }
        places = next;
        if places.is_empty() {
            break;
        }
    }
    let mut values = places.into_iter().map(|(json, _)| json).collect();
    flatten(&mut values, mode, &mut lenient);
    Selected { values, lenient }
}

/// In tolerant mode a list at the end is its members.
fn flatten(values: &mut Vec<&Json<'_>>, mode: Mode, lenient: &mut Vec<Leniency>) {
    if mode.tolerant() && values.iter().any(|value| matches!(value, Json::List(_))) {
        lenient.push(Leniency::ImplicitAny);
        let before = std::mem::take(values);
        for value in before {
            match value {
                Json::List(all) => values.extend(all),
                other => values.push(other),
            }
        }
    }
}

fn walk<'s, 'a>(
    json: &'s Json<'a>,
    step: &Step,
    mode: Mode,
    in_hashes: bool,
    lenient: &mut Vec<Leniency>,
    found: &mut impl FnMut(&'s Json<'a>),
) {
    match (step, json) {
        (Step::Key(key), Json::Map(pairs)) => match json.get(key) {
            Some(value) => found(value),
            None if mode.tolerant() && in_hashes => {
                for (_, value) in pairs.iter().filter(|(name, _)| spelling(name) == spelling(key)) {
                    lenient.push(Leniency::HashSpelling);
                    found(value);
                }
            }
            None => {}
        },
        (Step::Key(key), Json::List(all)) if mode.tolerant() => {
            for value in all.iter().filter_map(|json| json.get(key)) {
                lenient.push(Leniency::ImplicitAny);
                found(value);
            }
        }
        (Step::Index(at), Json::List(all)) => {
            if let Some(value) = usize::try_from(*at).ok().and_then(|at| all.get(at)) {
                found(value);
            }
        }
        (Step::Any, Json::List(all)) => all.iter().for_each(found),
        (Step::Any, Json::Map(pairs)) if mode.tolerant() => {
            lenient.push(Leniency::AnyOfDictionary);
            pairs.iter().for_each(|(_, value)| found(value));
        }
        _ => {}
    }
}

/// `SHA-256`, `SHA256` and `sha_256` are one algorithm.
fn spelling(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn follow<'s, 'a>(
    batch: &'s Batch<'a>,
    seen: &Observation<'a>,
    places: &[Place<'s, 'a>],
    at_key: bool,
    next: Option<&Step>,
    mode: Mode,
    lenient: &mut Vec<Leniency>,
) -> Vec<Place<'s, 'a>> {
    // A list of references whose list step is still to come stays as it is.
    if at_key && places.iter().all(|(json, _)| matches!(json, Json::List(_))) {
        if !(mode.tolerant() && matches!(next, Some(Step::Key(_)))) {
            return places.to_vec();
        }
        lenient.push(Leniency::ImplicitAny);
    }
    let mut reached: Vec<&'s Object<'a>> = Vec::new();
    for (json, object) in places {
        let ids = match json {
            Json::List(all) => all.as_slice(),
            json => std::slice::from_ref(*json),
        };
        for (to, listed) in ids.iter().filter_map(Json::text).filter_map(|id| batch.referred(seen, object, id)) {
            if !listed && mode.tolerant() {
                lenient.push(Leniency::UnlistedReference);
            }
            if listed || mode.tolerant() {
                reached.push(to);
            }
        }
    }
    // Objects may refer to each other in circles.
    reached.sort_unstable_by_key(|object| std::ptr::from_ref(*object).addr());
    reached.dedup_by_key(|object| std::ptr::from_ref(*object).addr());
    reached.into_iter().map(|object| (&object.json, object)).collect()
}
