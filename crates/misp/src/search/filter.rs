//! Filters as MISP's users write them: `!` for not, `%` for anything, lists, `&&`, times like `7d`.

use crate::answer::Fault;
use crate::context::Context;
use crate::ids;
use manara_model::GroupId;
use manara_model::record::{flag_of, parse_time, text_of};
use manara_store::view::{EventFilter, Order, Sign, Span, Tags, View, Which};
use serde_json::{Map, Value};
use uuid::Uuid;

/// What is given, wanted and not wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Any of these.
    pub any: Vec<String>,
    /// All of these.
    pub all: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
}

impl Wanted {
    /// Nothing was asked.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.any.is_empty() && self.all.is_empty() && self.none.is_empty()
    }

    /// From a text (`a&&b`, `a||b`, `!c`), a list of them, or `{"OR": […], "AND": […], "NOT": […]}`.
    #[must_use]
    pub(crate) fn of(value: Option<&Value>) -> Wanted {
        let mut wanted = Wanted::default();
        match value {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => {
                for (name, value) in map {
                    let texts = texts(Some(value));
                    match name.to_ascii_uppercase().as_str() {
                        "AND" => wanted.all.extend(texts),
                        "NOT" => wanted.none.extend(texts),
                        _ => wanted.any.extend(texts),
                    }
                }
            }
            value => {
                for text in texts(value) {
                    for one in text.split("||").flat_map(|text| text.split("&&")) {
                        match one.strip_prefix('!') {
                            Some(not) => wanted.none.push(not.trim().to_owned()),
                            None => wanted.any.push(one.trim().to_owned()),
                        }
                    }
                }
            }
        }
        for list in [&mut wanted.any, &mut wanted.all, &mut wanted.none] {
            list.retain(|text| !text.is_empty());
        }
        wanted
    }

    /// The same of values, in which `|` and `&` may be part of them.
    #[must_use]
    pub(crate) fn of_values(value: Option<&Value>) -> Wanted {
        if let Some(Value::Object(_)) = value {
            return Wanted::of(value);
        }
        let mut wanted = Wanted::default();
        for text in texts(value) {
            let several = text.contains("&&") && !text.contains("://");
            let parts: Vec<&str> = if several { text.split("&&").collect() } else { vec![&text] };
            for one in parts {
                match one.strip_prefix('!') {
                    Some(not) => wanted.none.push(not.trim().to_owned()),
                    None => wanted.any.push(one.trim().to_owned()),
                }
            }
        }
        wanted.any.retain(|text| !text.is_empty());
        wanted.none.retain(|text| !text.is_empty());
        wanted
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().flat_map(|item| texts(Some(item))).collect(),
        Some(Value::Bool(flag)) => vec![i32::from(*flag).to_string()],
        value => text_of(value).map(|text| text.into_owned()).into_iter().collect(),
    }
}

/// A time as Unix seconds: a number, a date, or how long ago (`30d`, `12h`, `5m`, `10s`).
#[must_use]
pub(crate) fn moment(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    if text.is_char_boundary(text.len().saturating_sub(1)) && !text.is_empty() {
        let (number, unit) = text.split_at(text.len() - 1);
        let seconds = match unit {
            "d" => 86_400,
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => 0,
        };
        if seconds > 0
            && let Ok(number) = number.parse::<i64>()
        {
            return Some(now - number.saturating_mul(seconds));
        }
    }
    parse_time(text).map(|millis| millis.div_euclid(1000))
}

/// From one time on, or between two.
///
/// # Errors
/// 400 for what is no time.
pub(crate) fn span(value: Option<&Value>, now: i64, name: &str) -> Result<Span, Fault> {
    let read = |text: &str| {
        moment(text, now).ok_or_else(|| {
            Fault::new(
                400,
                format!("'{name}': '{text}' is no time; give Unix seconds, a date, or how long ago like 7d, 12h, 30m."),
            )
        })
    };
    let texts = texts(value);
    Ok(match texts.as_slice() {
        [] => Span::default(),
        [from] if from.is_empty() => Span::default(),
        [from] => Span { from: Some(read(from)?), until: None },
        [one, two, ..] => {
            let (one, two) = (read(one)?, read(two)?);
            Span { from: Some(one.min(two)), until: Some(one.max(two)) }
        }
    })
}

/// `sort` and `direction`, `order` (`Event.timestamp desc`).
#[must_use]
pub(crate) fn order(options: &Map<String, Value>) -> (Order, bool) {
    let text = |name: &str| text_of(options.get(name)).unwrap_or_default().to_ascii_lowercase();
    let (mut column, mut way) = (text("sort"), text("direction"));
    if let Some(first) = texts(options.get("order")).first() {
        let first = first.to_ascii_lowercase();
        let (name, down) = first.split_once(' ').unwrap_or((first.as_str(), "asc"));
        column = name.rsplit('.').next().unwrap_or_default().to_owned();
        way = down.to_owned();
    }
    let order = match column.as_str() {
        "timestamp" => Order::Touched,
        "publish_timestamp" => Order::Published,
        "date" => Order::Day,
        "info" => Order::Title,
        _ => Order::Number,
    };
    (order, flag_of(options.get("desc")) || way.starts_with("desc"))
}

fn day(value: Option<&Value>, now: i64) -> Option<String> {
    let text = text_of(value).filter(|text| !text.is_empty())?;
    if text.parse::<jiff::civil::Date>().is_ok() {
        return Some(text.into_owned());
    }
    moment(&text, now).map(|seconds| crate::shape::datetime(seconds * 1000).chars().take(10).collect())
}

/// Organisations by name, number or identifier.
fn orgs(context: &Context<'_>, names: &[String]) -> Result<Vec<Uuid>, Fault> {
    let facts = context.store.facts()?;
    let mut found = Vec::new();
    for name in names {
        match ids::which(name) {
            Some(Which::Uuid(uuid)) => found.push(uuid),
            Some(Which::Number(number)) => found.extend(context.store.numbered("org", number)?),
            None => {
                let like = name.to_lowercase();
                let matches = |held: &str| match (like.strip_prefix('%'), like.strip_suffix('%')) {
                    (None, None) => held == like,
                    _ => held.contains(like.trim_matches('%')),
                };
                found
                    .extend(facts.names.iter().filter(|(_, held)| matches(&held.to_lowercase())).map(|(org, _)| org.0));
            }
        }
    }
    Ok(found)
}

fn sign(context: &Context<'_>, wanted: &Wanted) -> Result<Sign<Uuid>, Fault> {
    let mut any = None;
    if !wanted.any.is_empty() || !wanted.all.is_empty() {
        any = Some(orgs(context, &[wanted.any.clone(), wanted.all.clone()].concat())?);
    }
    Ok(Sign { any, none: orgs(context, &wanted.none)? })
}

fn numbers(wanted: &Wanted) -> Sign<i64> {
    let read = |list: &[String]| list.iter().filter_map(|text| text.parse().ok()).collect::<Vec<i64>>();
    Sign { any: (!wanted.any.is_empty()).then(|| read(&wanted.any)), none: read(&wanted.none) }
}

/// Tags by name, with `%` for anything.
///
/// # Errors
/// The store's.
pub(crate) fn tags(view: &View<'_>, wanted: &Wanted, on_parts: bool) -> Result<Tags, Fault> {
    let like = |names: &[String]| -> Result<Vec<i64>, Fault> {
        let mut found = Vec::new();
        for name in names {
            found.extend(match ids::which(name) {
                Some(Which::Number(number)) => vec![number],
                _ => view.tags_like(name)?,
            });
        }
        Ok(found)
    };
    let mut tags = Tags { on_parts, none: like(&wanted.none)?, ..Tags::default() };
    if !wanted.any.is_empty() {
        tags.all.push(like(&wanted.any)?);
    }
    for name in &wanted.all {
        tags.all.push(like(std::slice::from_ref(name))?);
    }
    Ok(tags)
}

/// What `events/index` and `restSearch` have in common.
fn common(
    context: &Context<'_>,
    view: &View<'_>,
    options: &Map<String, Value>,
    on_parts: bool,
) -> Result<EventFilter, Fault> {
    let now = context.now;
    let mut filter = EventFilter::default();
    let named = |wanted: Wanted| {
        let (mut numbers, mut uuids) = (Vec::new(), Vec::new());
        for text in &wanted.any {
            match ids::which(text) {
                Some(Which::Number(number)) => numbers.push(number),
                Some(Which::Uuid(uuid)) => uuids.push(uuid),
                None => {}
            }
        }
        let mut not = (Vec::new(), Vec::new());
        for text in &wanted.none {
            match ids::which(text) {
                Some(Which::Number(number)) => not.0.push(number),
                Some(Which::Uuid(uuid)) => not.1.push(uuid),
                None => {}
            }
        }
        ((!wanted.any.is_empty()).then_some((numbers, uuids)), not)
    };
    for name in ["eventid", "event_id", "event_uuid"] {
        if options.get(name).is_some_and(|value| !value.is_null()) {
            (filter.which, filter.not_which) = named(Wanted::of(options.get(name)));
        }
    }
    filter.authors = sign(context, &Wanted::of(options.get("org").or(options.get("orgc_id")).or(options.get("orgc"))))?;
    filter.holders = sign(context, &Wanted::of(options.get("org_id").or(options.get("owner_org"))))?;
    if let Some(published) = options.get("published").filter(|value| !value.is_null()) {
        let texts = texts(Some(published));
        let has = |wanted: &str| texts.iter().any(|text| text == wanted);
        let (yes, no) = (has("1") || has("true"), has("0") || has("false"));
        if yes != no {
            filter.published = Some(yes);
        }
    }
    filter.published_at = span(options.get("publish_timestamp").or(options.get("last")), now, "publish_timestamp")?;
    filter.day = (
        day(options.get("from").or(options.get("datefrom")).or(options.get("date_from")), now),
        day(options.get("to").or(options.get("dateuntil")).or(options.get("date_to")), now),
    );
    if let Some(date) = options.get("date").filter(|value| !value.is_null()) {
        match texts(Some(date)).as_slice() {
            [from, to, ..] => filter.day = (day(Some(&from.as_str().into()), now), day(Some(&to.as_str().into()), now)),
            [from] => filter.day.0 = day(Some(&from.as_str().into()), now),
            [] => {}
        }
    }
    filter.threat = numbers(&Wanted::of(options.get("threat_level_id").or(options.get("threatlevel"))));
    filter.analysis = numbers(&Wanted::of(options.get("analysis")));
    let titles = Wanted::of(options.get("eventinfo").or(options.get("info")));
    let like = |texts: Vec<String>| {
        texts.into_iter().map(|text| if text.contains('%') { text } else { format!("%{text}%") }).collect::<Vec<_>>()
    };
    filter.titles = Sign { any: (!titles.any.is_empty()).then(|| like(titles.any)), none: like(titles.none) };
    let wanted = Wanted::of(options.get("tags").or(options.get("tag")).or(options.get("event_tags")));
    filter.tags = tags(view, &wanted, on_parts && !options.contains_key("event_tags"))?;
    if let Some(extends) = text_of(options.get("extends_uuid")).and_then(|uuid| uuid.parse().ok()) {
        filter.extends = Some(extends);
    }
    filter.labels = labels(context, view, options)?;
    Ok(filter)
}

/// Labels by distribution and sharing group.
fn labels(context: &Context<'_>, view: &View<'_>, options: &Map<String, Value>) -> Result<Option<Vec<i64>>, Fault> {
    let levels = Wanted::of(options.get("distribution"));
    let groups =
        Wanted::of(options.get("sharinggroup").or(options.get("sharing_group_id")).or(options.get("sharinggroup_id")));
    if levels.is_empty() && groups.is_empty() {
        return Ok(None);
    }
    let mut uuids = Vec::new();
    for name in &groups.any {
        uuids.extend(context.identify("group", name)?.map(GroupId));
    }
    let labels = view.facts().labels.iter().filter(|(_, label)| {
        let level = label.marking.distribution().to_string();
        let level_fits = (levels.any.is_empty() || levels.any.contains(&level)) && !levels.none.contains(&level);
        let group_fits = groups.any.is_empty()
            || label.marking.groups.iter().any(|clause| uuids.iter().any(|uuid| clause.contains(uuid)));
        level_fits && group_fits
    });
    Ok(Some(labels.map(|(id, _)| *id).collect()))
}

/// Of `events/index`.
///
/// # Errors
/// 400 for a filter that can't be read.
pub(crate) fn of_index(
    context: &Context<'_>,
    view: &View<'_>,
    options: &Map<String, Value>,
) -> Result<EventFilter, Fault> {
    // In the interface's own links the names begin with `search`.
    let mut plain = Map::new();
    for (name, value) in options {
        let name = name.strip_prefix("search").filter(|rest| !rest.is_empty()).unwrap_or(name);
        plain.insert(name.to_owned(), value.clone());
    }
    let mut filter = common(context, view, &plain, false)?;
    filter.touched = span(plain.get("timestamp"), context.now, "timestamp")?;
    if let Some(uuid) = plain.get("uuid") {
        let uuids = Wanted::of(Some(uuid)).any.iter().filter_map(|uuid| uuid.parse().ok()).collect();
        filter.which = Some((Vec::new(), uuids));
    }
    if let Some(all) = text_of(plain.get("all")).filter(|all| !all.is_empty()) {
        filter.titles.any = Some(vec![format!("%{all}%")]);
    }
    if let Some(value) = text_of(plain.get("attribute")).filter(|value| !value.is_empty()) {
        let rows = super::values::rows_with_value(view, &value)?;
        let numbers = view.events_at(&rows, &EventFilter::default())?.iter().map(|event| event.head.number).collect();
        filter.which = Some((numbers, Vec::new()));
    }
    if flag_of(plain.get("hasproposal")) {
        filter.which = Some((super::values::with_proposals(view)?, Vec::new()));
    }
    Ok(filter)
}

/// Of `restSearch`: the events among which is looked.
///
/// # Errors
/// 400 for a filter that can't be read.
pub(crate) fn of_search(
    context: &Context<'_>,
    view: &View<'_>,
    options: &Map<String, Value>,
) -> Result<EventFilter, Fault> {
    let mut filter = common(context, view, options, true)?;
    filter.touched = span(options.get("event_timestamp"), context.now, "event_timestamp")?;
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_are_read_as_they_are_written() {
        let wanted = Wanted::of(Some(&json!(["a&&b", "!c", ""])));
        assert_eq!((wanted.any, wanted.none), (vec!["a".to_owned(), "b".into()], vec!["c".to_owned()]));
        let wanted = Wanted::of(Some(&json!({"AND": ["x"], "NOT": "y", "OR": ["z"]})));
        assert_eq!(
            (wanted.all, wanted.none, wanted.any),
            (vec!["x".to_owned()], vec!["y".to_owned()], vec!["z".to_owned()])
        );
        let url = Wanted::of_values(Some(&json!("http://x.example/?a=1&&b=2")));
        assert_eq!(url.any, ["http://x.example/?a=1&&b=2"]);
        assert_eq!(moment("2d", 1_000_000), Some(1_000_000 - 172_800));
        assert_eq!(moment("1700000000", 0), Some(1_700_000_000));
        assert_eq!(moment("2026-11-24", 0), Some(1_795_478_400));
        assert!(moment("soon", 0).is_none() && moment("", 0).is_none() && moment("é", 0).is_none());
        assert_eq!(span(Some(&json!(["5", "3"])), 0, "t").unwrap(), Span { from: Some(3), until: Some(5) });
        assert!(span(Some(&json!("never")), 0, "t").is_err());
        assert_eq!(order(json!({"order": ["Event.timestamp DESC"]}).as_object().unwrap()), (Order::Touched, true));
    }
}
