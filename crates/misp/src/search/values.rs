//! From values to places: what a text may be in the index, and walks over attributes.

use super::filter::Wanted;
use super::wanted::Attributes;
use crate::answer::Fault;
use crate::attributes::ATTRIBUTE;
use crate::ids;
use crate::shape::body_of;
use manara_model::observable::{Observable, Type, misp_types, normalise};
use manara_model::record::{Slot, flag_of};
use manara_model::{Cleared, Part};
use manara_store::view::{EventFilter, EventRow, View};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Events read at a time.
pub(super) const PAGE: u32 = 200;
/// Places that one value may have in one answer.
const MENTIONS: usize = 2_000_000;

/// Walks the events that a filter leaves, by number; `false` ends the walk.
///
/// # Errors
/// The store's, and what `take` says.
pub(crate) fn each_event(
    view: &View<'_>,
    filter: &EventFilter,
    bodies: bool,
    mut take: impl FnMut(&EventRow) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut after = 0;
    loop {
        let events = view.events_after(filter, after, PAGE, bodies)?;
        let Some(last) = events.last() else { return Ok(()) };
        after = last.head.number;
        for event in &events {
            if !take(event)? {
                return Ok(());
            }
        }
    }
}

/// Walks the attributes of the events that a filter leaves; `false` ends the walk.
///
/// # Errors
/// The store's, and what `take` says.
pub(crate) fn each_attribute(
    view: &View<'_>,
    filter: &EventFilter,
    mut take: impl FnMut(&EventRow, &Cleared<Part>, i64) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    each_event(view, filter, true, |event| attributes_of(view, event, &mut take))
}

/// The same of one event; `false`: it was ended.
pub(crate) fn attributes_of(
    view: &View<'_>,
    event: &EventRow,
    take: &mut impl FnMut(&EventRow, &Cleared<Part>, i64) -> Result<bool, Fault>,
) -> Result<bool, Fault> {
    enum Stop {
        Ended,
        Failed(Fault),
    }
    impl From<manara_store::StoreError> for Stop {
        fn from(error: manara_store::StoreError) -> Self {
            Stop::Failed(error.into())
        }
    }
    let mut object: Option<(u32, i64, bool)> = None;
    let walked = view.parts_in_order::<Stop>(&event.head, |part| {
        let number = match part.slot {
            Slot::Object => {
                let deleted = flag_of(body_of(&part.raw).get("deleted"));
                object = Some((part.ordinal, ids::of_part(event.head.row, part.number), deleted));
                return Ok(());
            }
            Slot::Attribute => 0,
            Slot::ObjectAttribute => match object {
                Some((place, number, _)) if part.parent == Some(place) => number,
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        match take(event, &part, number) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::Ended),
            Err(fault) => Err(Stop::Failed(fault)),
        }
    });
    match walked {
        Ok(()) => Ok(true),
        Err(Stop::Ended) => Ok(false),
        Err(Stop::Failed(fault)) => Err(fault),
    }
}

/// Numbers of events that have proposals.
pub(crate) fn with_proposals(view: &View<'_>) -> Result<Vec<i64>, Fault> {
    let mut found = Vec::new();
    each_event(view, &EventFilter::default(), false, |event| {
        let mut has = false;
        view.parts_in_order::<Fault>(&event.head, |part| {
            has |= part.slot == Slot::Proposal && !flag_of(body_of(&part.raw).get("deleted"));
            Ok(())
        })?;
        if has {
            found.push(event.head.number);
        }
        Ok(true)
    })?;
    Ok(found)
}

/// Rows of events that mention a value, whatever its type.
pub(crate) fn rows_with_value(view: &View<'_>, value: &str) -> Result<Vec<i64>, Fault> {
    Ok(mentions(view, std::slice::from_ref(&value.to_owned()))?.into_keys().collect())
}

/// Attributes of one event that have a value, whole or in one of its halves.
pub(crate) fn places_with_value(view: &View<'_>, event: &EventRow, value: &str) -> Result<Vec<Cleared<Part>>, Fault> {
    let wanted =
        Attributes { values: Wanted { any: vec![value.to_owned()], ..Wanted::default() }, ..Attributes::default() };
    let mut places = BTreeSet::new();
    for observable in readings(value) {
        places.extend(view.mentions_in(event.head.row, &observable)?);
    }
    let places: Vec<u32> = places.into_iter().collect();
    let mut parts = view.parts_at(&event.head, &places)?;
    parts.retain(|part| {
        let body = body_of(&part.raw);
        ATTRIBUTE.contains(&part.slot) && wanted.fits(event, part, &body, &HashSet::new())
    });
    Ok(parts)
}

/// Everything that a text may be in the index: each type's normal form of it, and of its halves.
fn readings(value: &str) -> Vec<Observable> {
    static TYPES: std::sync::LazyLock<Vec<Type>> = std::sync::LazyLock::new(|| {
        let mut types: Vec<Type> = misp_types().iter().flat_map(manara_model::observable::MispType::types).collect();
        types.sort_unstable();
        types.dedup();
        types
    });
    let mut found: HashSet<Observable> = HashSet::new();
    let halves = value.split_once('|').map(|(one, two)| [one, two]);
    for text in std::iter::once(value).chain(halves.into_iter().flatten()) {
        found.extend(TYPES.iter().filter_map(|ty| normalise(*ty, text).ok()));
    }
    found.into_iter().collect()
}

/// Where these values are mentioned; those with a `%` by pattern.
pub(super) fn mentions(view: &View<'_>, values: &[String]) -> Result<BTreeMap<i64, Vec<u32>>, Fault> {
    let mut all: BTreeMap<i64, BTreeSet<u32>> = BTreeMap::new();
    for value in values {
        let found = if value.contains('%') {
            // Of a composite value, each half has a place of its own in the index.
            let longest = value.split('|').max_by_key(|half| half.len()).unwrap_or(value);
            view.mentions_like(&longest.to_lowercase(), MENTIONS)?
        } else {
            view.mentions(&readings(value), MENTIONS)?
        };
        for (row, places) in found {
            all.entry(row).or_default().extend(places);
        }
    }
    Ok(all.into_iter().map(|(row, places)| (row, places.into_iter().collect())).collect())
}

/// Is a value like a pattern? Both in lower case.
pub(crate) fn like(value: &str, pattern: &str) -> bool {
    let mut rest = value;
    let parts: Vec<&str> = pattern.split('%').collect();
    let last = parts.len() - 1;
    for (n, part) in parts.iter().enumerate() {
        if n == 0 {
            let Some(after) = rest.strip_prefix(part) else { return false };
            rest = after;
        } else if n == last {
            return rest.ends_with(part);
        } else {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
    }
    last > 0 || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (value, pattern, fits) in [
            ("a.example.org", "%.example.org", true),
            ("a.example.org", "a.%", true),
            ("a.example.org", "%example%", true),
            ("a.example.org", "a%org", true),
            ("a.example.org", "b%", false),
            ("a.example.org", "a.example.org", true),
            ("a.example.org", "example", false),
            ("", "%", true),
        ] {
            assert_eq!(like(value, pattern), fits, "{value} like {pattern}");
        }
    }

    #[test]
    fn a_value_has_readings() {
        let types: HashSet<&str> = readings("198.51.100.7").iter().map(|o| o.ty().name()).collect();
        assert!(types.contains("ipv4") && types.contains("text"), "{types:?}");
        let halves = readings("a.exe|d41d8cd98f00b204e9800998ecf8427e");
        assert!(halves.iter().any(|o| o.ty().name() == "md5") && halves.iter().any(|o| o.ty().name() == "filename"));
    }
}
