//! The search: by value through the index, by identifier, or over the events that the filters leave.

use super::filter::{self, Wanted, span};
use super::formats::{Format, Output};
use crate::answer::{Answer, Fault};
use crate::attributes::ATTRIBUTE;
use crate::context::Context;
use crate::ids;
use crate::shape::{Deleted, EventWriter, Scribe, attach, body_of, num, tag_names, uuid_of};
use manara_model::observable::{Observable, Type, misp_types, normalise};
use manara_model::record::{Slot, flag_of, seconds_of, text_of};
use manara_model::warninglist::WarningLists;
use manara_model::{Cleared, Part};
use manara_store::view::{EventFilter, EventRow, Span, View};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Events read at a time.
const PAGE: u32 = 200;
/// Places that one value may have in one answer.
const MENTIONS: usize = 2_000_000;

/// Walks the attributes of the events that a filter leaves; `false` ends the walk.
///
/// # Errors
/// The store's, and what `take` says.
pub(crate) fn each_attribute(
    view: &View<'_>,
    filter: &EventFilter,
    mut take: impl FnMut(&EventRow, &Cleared<Part>, i64) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut after = 0;
    loop {
        let events = view.events_after(filter, after, PAGE, true)?;
        let Some(last) = events.last() else { return Ok(()) };
        after = last.head.number;
        for event in &events {
            if !attributes_of(view, event, &mut take)? {
                return Ok(());
            }
        }
    }
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
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let events = view.events_after(&EventFilter::default(), after, PAGE, false)?;
        let Some(last) = events.last() else { return Ok(found) };
        after = last.head.number;
        for event in &events {
            let mut has = false;
            view.parts_in_order::<Fault>(&event.head, |part| {
                has |= part.slot == Slot::Proposal && !flag_of(body_of(&part.raw).get("deleted"));
                Ok(())
            })?;
            if has {
                found.push(event.head.number);
            }
        }
    }
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
fn mentions(view: &View<'_>, values: &[String]) -> Result<BTreeMap<i64, Vec<u32>>, Fault> {
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

/// What attributes are wanted.
#[derive(Default)]
pub(crate) struct Attributes {
    values: Wanted,
    types: Wanted,
    categories: Wanted,
    uuids: Wanted,
    comments: Wanted,
    relations: Wanted,
    tags: Wanted,
    objects: Wanted,
    detect: Option<bool>,
    pub(crate) deleted: Deleted,
    touched: Span,
    first_seen: Span,
    last_seen: Span,
    clean: Option<Arc<WarningLists>>,
}

fn listed(wanted: &Wanted, value: &str) -> bool {
    let value = value.to_lowercase();
    let hit = |pattern: &String| {
        let pattern = pattern.to_lowercase();
        if pattern.contains('%') { like(&value, &pattern) } else { value == pattern }
    };
    let wants = wanted.any.is_empty() && wanted.all.is_empty()
        || wanted.any.iter().any(hit)
        || !wanted.all.is_empty() && wanted.all.iter().all(hit);
    wants && !wanted.none.iter().any(hit)
}

fn within(span: Span, at: i64) -> bool {
    span.from.is_none_or(|from| at >= from) && span.until.is_none_or(|until| at <= until)
}

impl Attributes {
    fn of(context: &Context<'_>, options: &Map<String, Value>) -> Result<Attributes, Fault> {
        let now = context.now;
        let clean =
            if flag_of(options.get("enforceWarninglist")) { Some(context.warnings.get(context.store)?) } else { None };
        let mut values = Wanted::of_values(options.get("value"));
        for name in ["value1", "value2"] {
            let more = Wanted::of_values(options.get(name));
            values.any.extend(more.any);
            values.none.extend(more.none);
        }
        Ok(Attributes {
            values,
            types: Wanted::of(options.get("type").or(options.get("type_attribute"))),
            categories: Wanted::of(options.get("category")),
            uuids: Wanted::of(options.get("uuid")),
            comments: Wanted::of(options.get("comment")),
            relations: Wanted::of(options.get("object_relation")),
            tags: Wanted::of(options.get("tags").or(options.get("tag")).or(options.get("attribute_tags"))),
            objects: Wanted::of(options.get("object_name").or(options.get("object_template_uuid"))),
            detect: match options.get("to_ids") {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) if text == "exclude" => Some(false),
                Some(Value::Array(_)) => None,
                value => Some(flag_of(value)),
            },
            deleted: Deleted::of(options.get("deleted")),
            touched: span(options.get("timestamp").or(options.get("attribute_timestamp")), now, "timestamp")?,
            first_seen: span(options.get("first_seen"), now, "first_seen")?,
            last_seen: span(options.get("last_seen"), now, "last_seen")?,
            clean,
        })
    }

    /// Nothing is asked of attributes: every event is meant.
    fn is_empty(&self) -> bool {
        [&self.values, &self.types, &self.categories, &self.comments, &self.relations, &self.objects]
            .into_iter()
            .all(Wanted::is_empty)
            && self.detect.is_none()
            && self.touched == Span::default()
            && self.first_seen == Span::default()
            && self.last_seen == Span::default()
    }

    /// Does this attribute fit? `on_event`: names of the event's tags, which count for its attributes too.
    fn fits(
        &self,
        event: &EventRow,
        part: &Cleared<Part>,
        body: &Map<String, Value>,
        on_event: &HashSet<String>,
    ) -> bool {
        let text = |name: &str| text_of(body.get(name)).unwrap_or_default();
        if !self.deleted.wants(flag_of(body.get("deleted"))) {
            return false;
        }
        if self.detect.is_some_and(|wanted| flag_of(body.get("to_ids")) != wanted) {
            return false;
        }
        let simple = listed(&self.types, &text("type"))
            && listed(&self.categories, &text("category"))
            && listed(&self.comments, &text("comment"))
            && listed(&self.relations, &text("object_relation"));
        if !simple || !self.has_value(part, &text("value")) {
            return false;
        }
        let stamp = seconds_of(body.get("timestamp"));
        if !within(self.touched, if stamp > 0 { stamp } else { event.touched }) {
            return false;
        }
        for (span, name) in [(self.first_seen, "first_seen"), (self.last_seen, "last_seen")] {
            if span != Span::default() && !(body.contains_key(name) && within(span, seconds_of(body.get(name)))) {
                return false;
            }
        }
        if !self.uuids.is_empty() {
            let own = uuid_of(event, part).to_string();
            let of_event = event.head.uuid.to_string();
            let named = |list: &[String]| list.iter().any(|uuid| *uuid == own || *uuid == of_event);
            if !self.uuids.any.is_empty() && !named(&self.uuids.any) || named(&self.uuids.none) {
                return false;
            }
        }
        if !self.tags.is_empty() && !self.has_tags(body, on_event) {
            return false;
        }
        self.clean.as_ref().is_none_or(|lists| part.found.iter().all(|found| lists.hits(&found.observable).is_empty()))
    }

    fn has_value(&self, part: &Cleared<Part>, value: &str) -> bool {
        if self.values.is_empty() {
            return true;
        }
        let lower = value.to_lowercase();
        let halves = lower.split_once('|');
        let hit = |pattern: &String| {
            let pattern = pattern.to_lowercase();
            let same = |text: &str| if pattern.contains('%') { like(text, &pattern) } else { text == pattern };
            same(&lower)
                || halves.is_some_and(|(one, two)| same(one) || same(two))
                || part.found.iter().any(|found| {
                    same(found.observable.value())
                        || !pattern.contains('%')
                            && normalise(found.observable.ty(), &pattern).is_ok_and(|other| other == found.observable)
                })
        };
        (self.values.any.is_empty() || self.values.any.iter().any(hit)) && !self.values.none.iter().any(hit)
    }

    fn has_tags(&self, body: &Map<String, Value>, on_event: &HashSet<String>) -> bool {
        let own: Vec<String> = tag_names(body).map(str::to_lowercase).collect();
        let has = |pattern: &String| {
            let pattern = pattern.to_lowercase();
            let same = |name: &String| if pattern.contains('%') { like(name, &pattern) } else { *name == pattern };
            own.iter().any(same) || on_event.iter().any(same)
        };
        (self.tags.any.is_empty() || self.tags.any.iter().any(has))
            && self.tags.all.iter().all(has)
            && !self.tags.none.iter().any(has)
    }
}

/// Names of an event's tags, in lower case.
pub(crate) fn tags_on(event: &EventRow) -> HashSet<String> {
    tag_names(&body_of(&event.head.skeleton)).map(str::to_lowercase).collect()
}

/// Adds the warning lists that an attribute's values stand in.
pub(crate) fn warn(attribute: &mut Map<String, Value>, part: &Cleared<Part>, lists: &WarningLists) {
    let mut warnings = Vec::new();
    for found in &part.found {
        for name in lists.hits(&found.observable) {
            warnings.push(json!({"match": found.observable.value(), "value": found.observable.value(), "warninglist_name": name, "warninglist_category": "false_positive"}));
        }
    }
    if !warnings.is_empty() {
        attribute.insert("warnings".into(), warnings.into());
    }
}

/// Where the search gives out what it finds.
struct Window {
    skip: u64,
    left: u64,
    /// Found, whether on this page or not.
    total: u64,
    /// The rest is to be counted too.
    counts: bool,
}

impl Window {
    fn of(options: &Map<String, Value>) -> Window {
        let number = |name: &str| text_of(options.get(name)).and_then(|text| text.parse::<u64>().ok());
        let limit = number("limit").filter(|limit| *limit > 0);
        let page = number("page").unwrap_or(1).max(1);
        let skip = limit.map_or(0, |limit| (page - 1).saturating_mul(limit));
        Window { skip, left: limit.unwrap_or(u64::MAX), total: 0, counts: false }
    }

    /// Is the next one on the page?
    fn takes(&mut self) -> bool {
        self.total += 1;
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }

    fn is_over(&self) -> bool {
        self.left == 0 && !self.counts
    }
}

impl Context<'_> {
    /// The search's filters from path and body; `POST {"request": {…}}` too.
    fn search_options(&self) -> Result<Map<String, Value>, Fault> {
        let mut options = self.call.filters()?;
        // In old scripts the arguments have an order: value, type, category, org, tags, from, to, last…
        for (name, value) in
            ["value", "type", "category", "org", "tags", "from", "to", "last", "eventid"].iter().zip(&self.call.args)
        {
            if !matches!(value.as_str(), "null" | "") {
                options.entry(*name).or_insert_with(|| value.clone().into());
            }
        }
        Ok(options)
    }

    /// Walks the attributes that fit; `false` ends the walk.
    fn find(
        &self,
        view: &View<'_>,
        events: &EventFilter,
        wanted: &Attributes,
        mut take: impl FnMut(&EventRow, &Cleared<Part>, i64, Map<String, Value>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut on_event: (i64, HashSet<String>) = (0, HashSet::new());
        let mut objects: HashMap<(i64, i64), bool> = HashMap::new();
        let mut judge = |event: &EventRow, part: &Cleared<Part>, object: i64| {
            if on_event.0 != event.head.row {
                on_event = (event.head.row, tags_on(event));
                objects.clear();
            }
            let body = body_of(&part.raw);
            if !wanted.fits(event, part, &body, &on_event.1) {
                return Ok(true);
            }
            if !wanted.objects.is_empty() {
                let fits = match objects.get(&(event.head.row, object)) {
                    Some(fits) => *fits,
                    None => {
                        let fits = object > 0 && self.object_fits(view, object, &wanted.objects)?;
                        objects.insert((event.head.row, object), fits);
                        fits
                    }
                };
                if !fits {
                    return Ok(true);
                }
            }
            take(event, part, object, body)
        };
        let places = if !wanted.values.any.is_empty() {
            Some(mentions(view, &wanted.values.any)?)
        } else if !wanted.uuids.any.is_empty() {
            let mut places = BTreeMap::<i64, Vec<u32>>::new();
            let mut whole = Vec::new();
            for uuid in wanted.uuids.any.iter().filter_map(|uuid| uuid.parse::<Uuid>().ok()) {
                if let Some((event, part)) = view.part_of_event(uuid)? {
                    places.entry(event.head.row).or_default().push(part.ordinal);
                } else if let Some(event) = view.event(manara_store::view::Which::Uuid(uuid))? {
                    whole.push(event);
                }
            }
            for event in whole {
                places.remove(&event.head.row);
                if !attributes_of(view, &event, &mut judge)? {
                    return Ok(());
                }
            }
            Some(places)
        } else {
            None
        };
        let Some(places) = places else { return each_attribute(view, events, judge) };
        let rows: Vec<i64> = places.keys().copied().collect();
        for rows in rows.chunks(PAGE as usize) {
            for event in view.events_at(rows, events)? {
                let Some(ordinals) = places.get(&event.head.row) else { continue };
                for part in view.parts_at(&event.head, ordinals)? {
                    if !ATTRIBUTE.contains(&part.slot) {
                        continue;
                    }
                    let object = self.object_of(view, &event, &part)?;
                    if !judge(&event, &part, object)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn object_fits(&self, view: &View<'_>, object: i64, wanted: &Wanted) -> Result<bool, Fault> {
        let Some((row, number)) = ids::part(object) else { return Ok(false) };
        let found = view.part_numbered(row, number)?;
        Ok(found.is_some_and(|(_, part)| {
            let body = body_of(&part.raw);
            ["name", "template_uuid"].iter().any(|name| listed(wanted, &text_of(body.get(*name)).unwrap_or_default()))
        }))
    }

    /// `attributes/restSearch`
    pub fn attributes_search(&self) -> Result<Answer, Fault> {
        let options = self.search_options()?;
        let format = Format::of(&options, true)?;
        let view = self.store.view(self.call.caller.audience(), format.purpose())?;
        let events = filter::of_search(self, &view, &options)?;
        let mut wanted = Attributes::of(self, &options)?;
        if format.detect_only && wanted.detect.is_none() {
            wanted.detect = Some(true);
        }
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        let mut window = Window::of(&options);
        let more = More::of(self, &options)?;
        let mut output = Output::begin(self, format, &options, false)?;
        self.find(&view, &events, &wanted, |event, part, object, _| {
            if window.takes() {
                let attribute = more.attribute(self, &view, &scribe, event, part, object)?;
                output.attribute(event, part, attribute, &scribe)?;
            }
            Ok(!window.is_over())
        })?;
        output.end()
    }

    /// `events/restSearch`
    pub fn events_search(&self) -> Result<Answer, Fault> {
        let options = self.search_options()?;
        let format = Format::of(&options, false)?;
        let view = self.store.view(self.call.caller.audience(), format.purpose())?;
        let mut events = filter::of_search(self, &view, &options)?;
        events.touched = span(options.get("timestamp"), self.now, "timestamp")?;
        events.tags.none_on_parts = true;
        let mut narrowed = options.clone();
        narrowed.remove("timestamp");
        // A tag makes the event fit as a whole.
        for name in ["tags", "tag", "event_tags"] {
            narrowed.remove(name);
        }
        let mut wanted = Attributes::of(self, &narrowed)?;
        if let Some(uuids) = options.get("uuid").filter(|uuids| !uuids.is_null()) {
            self.events_of_uuids(&view, &Wanted::of(Some(uuids)), &mut events)?;
            wanted.uuids = Wanted::default();
        }
        if format.is_of_attributes() {
            return self.events_as_attributes(&view, &events, wanted, format, &options);
        }
        let order = filter::order(&options);
        let mut window = Window::of(&options);
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        let more = More::of(self, &options)?;
        let mut output = Output::begin(self, format, &options, true)?;
        let narrow = !wanted.is_empty();
        if narrow {
            let mut rows = BTreeSet::new();
            self.find(&view, &events, &wanted, |event, _, _, _| {
                rows.insert(event.head.row);
                Ok(true)
            })?;
            let rows: Vec<i64> = rows.into_iter().collect();
            for rows in rows.chunks(PAGE as usize) {
                for event in view.events_at(rows, &events)? {
                    if window.takes() {
                        self.give(&view, &scribe, &mut output, &event, &options, &more, &wanted)?;
                    }
                    if window.is_over() {
                        return output.end();
                    }
                }
            }
            return output.end();
        }
        let mut skip = window.skip;
        while window.left > 0 {
            let page = u64::from(PAGE).min(window.left) as u32;
            let found = view.events(&events, order, skip, page, true)?;
            if found.is_empty() {
                break;
            }
            skip += found.len() as u64;
            window.left -= found.len() as u64;
            for event in &found {
                self.give(&view, &scribe, &mut output, event, &options, &more, &wanted)?;
            }
        }
        output.end()
    }

    /// Identifiers of events, or of their attributes: the events they stand for.
    fn events_of_uuids(&self, view: &View<'_>, uuids: &Wanted, events: &mut EventFilter) -> Result<(), Fault> {
        let (mut numbers, mut found) = (Vec::new(), Vec::new());
        for uuid in uuids.any.iter().filter_map(|uuid| uuid.parse::<Uuid>().ok()) {
            found.push(uuid);
            numbers.extend(view.part_of_event(uuid)?.map(|(event, _)| event.head.number));
        }
        if !uuids.any.is_empty() {
            events.which = Some((numbers, found));
        }
        events.not_which.1.extend(uuids.none.iter().filter_map(|uuid| uuid.parse::<Uuid>().ok()));
        Ok(())
    }

    fn events_as_attributes(
        &self,
        view: &View<'_>,
        events: &EventFilter,
        mut wanted: Attributes,
        format: Format,
        options: &Map<String, Value>,
    ) -> Result<Answer, Fault> {
        if format.detect_only && wanted.detect.is_none() {
            wanted.detect = Some(true);
        }
        let scribe = Scribe::new(view, self.call.caller.account.org);
        let more = More::of(self, options)?;
        let mut output = Output::begin(self, format, options, true)?;
        let mut window = Window::of(options);
        let mut current = 0;
        let mut on_page = true;
        self.find(view, events, &wanted, |event, part, object, _| {
            if current != event.head.row {
                current = event.head.row;
                on_page = window.takes();
            }
            if on_page {
                let attribute = more.attribute(self, view, &scribe, event, part, object)?;
                output.attribute(event, part, attribute, &scribe)?;
            }
            Ok(on_page || !window.is_over())
        })?;
        output.end()
    }

    #[allow(clippy::too_many_arguments)] // one event, into one answer
    fn give(
        &self,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        output: &mut Output,
        event: &EventRow,
        options: &Map<String, Value>,
        more: &More,
        wanted: &Attributes,
    ) -> Result<(), Fault> {
        let metadata = flag_of(options.get("metadata"));
        let mut members = Map::new();
        if flag_of(options.get("includeEventCorrelations")) {
            members.insert("RelatedEvent".into(), self.related(view, scribe, event)?);
        }
        let data = flag_of(options.get("withAttachments"));
        output.event(|out| {
            let mut out = out;
            let mut writer = EventWriter::new(&mut out, scribe);
            writer.deleted = wanted.deleted;
            writer.data = data;
            let mut failed = None;
            writer.event(event, !metadata, members, |part, attribute| {
                if let Err(fault) = more.add(self, view, scribe, event, part, attribute, false) {
                    failed = Some(fault);
                }
                true
            })?;
            failed.map_or(Ok(()), Err)
        })
    }

    /// `objects/restSearch`
    pub fn objects_search(&self) -> Result<Answer, Fault> {
        let options = self.search_options()?;
        let format = Format::of(&options, false)?;
        if format.name != "json" {
            return Err(Fault::new(404, "Invalid output format."));
        }
        let view = self.view()?;
        let events = filter::of_search(self, &view, &options)?;
        let wanted = Attributes::of(self, &options)?;
        let scribe = Scribe::new(&view, self.call.caller.account.org);
        let mut window = Window::of(&options);
        let mut seen = HashSet::new();
        let mut lines: Vec<(i64, u32)> = Vec::new();
        let all = wanted.is_empty() && wanted.uuids.is_empty() && wanted.tags.is_empty();
        if all || !wanted.objects.is_empty() && wanted.values.is_empty() {
            let mut after = 0;
            'events: loop {
                let page = view.events_after(&events, after, PAGE, true)?;
                let Some(last) = page.last() else { break };
                after = last.head.number;
                for event in &page {
                    let mut found = Vec::new();
                    view.parts_in_order::<Fault>(&event.head, |part| {
                        let body = body_of(&part.raw);
                        let named = ["name", "template_uuid"]
                            .iter()
                            .any(|name| listed(&wanted.objects, &text_of(body.get(*name)).unwrap_or_default()));
                        if part.slot == Slot::Object && named && wanted.deleted.wants(flag_of(body.get("deleted"))) {
                            found.push((event.head.row, part.number));
                        }
                        Ok(())
                    })?;
                    for one in found {
                        if window.takes() {
                            lines.push(one);
                        }
                        if window.is_over() {
                            break 'events;
                        }
                    }
                }
            }
        } else {
            self.find(&view, &events, &wanted, |_, _, object, _| {
                if object > 0 && seen.insert(object) && window.takes() {
                    lines.extend(ids::part(object));
                }
                Ok(!window.is_over())
            })?;
        }
        let mut answer = Answer::new("application/json").with("x-result-count", lines.len().to_string());
        std::io::Write::write_all(&mut answer, b"{\"response\":[")?;
        for (n, (row, number)) in lines.into_iter().enumerate() {
            let Some((event, part)) = view.part_numbered(row, number)? else { continue };
            let mut object = scribe.object(&event, &part);
            object.insert("Event".into(), scribe.event_short(&event));
            object.insert(
                "Attribute".into(),
                Value::Array(self.attributes_in(&view, &scribe, &event, &part, wanted.deleted)?),
            );
            if n > 0 {
                std::io::Write::write_all(&mut answer, b",")?;
            }
            serde_json::to_writer(&mut answer, &json!({"Object": object}))?;
        }
        std::io::Write::write_all(&mut answer, b"]}")?;
        Ok(answer)
    }

    /// An object's attributes.
    pub(crate) fn attributes_in(
        &self,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        event: &EventRow,
        object: &Cleared<Part>,
        deleted: Deleted,
    ) -> Result<Vec<Value>, Fault> {
        let id = ids::of_part(event.head.row, object.number);
        let mut found = Vec::new();
        for part in view.family(&event.head, object.ordinal)? {
            if deleted.wants(flag_of(body_of(&part.raw).get("deleted"))) {
                let mut attribute = scribe.attribute(event, &part, id);
                attach(&mut attribute, &part);
                crate::shape::split(&mut attribute);
                let tags = attribute.get("Tag").and_then(Value::as_array).into_iter().flatten();
                let tags = tags.map(|tag| json!({"tag_id": tag["id"], "local": tag["local"], "Tag": tag})).collect();
                attribute.insert("AttributeTag".into(), tags);
                found.push(Value::Object(attribute));
            }
        }
        Ok(found)
    }
}

/// What else is asked of each attribute.
struct More {
    event_uuid: bool,
    event_tags: bool,
    context: bool,
    attachments: bool,
    correlations: bool,
    sightings: bool,
    decay: Option<Vec<crate::decay::Model>>,
    lists: Option<Arc<WarningLists>>,
    last: RefCell<Option<OfEvent>>,
}

/// What is shown of an event with each of its attributes: its row, its members, its tags.
type OfEvent = (i64, Map<String, Value>, Vec<Value>);

impl More {
    fn of(context: &Context<'_>, options: &Map<String, Value>) -> Result<More, Fault> {
        let flag = |name: &str| flag_of(options.get(name));
        let lists = if flag("includeWarninglistHits") { Some(context.warnings.get(context.store)?) } else { None };
        let scored = flag("includeDecayScore") || flag("excludeDecayed") || options.contains_key("decayingModel");
        Ok(More {
            event_uuid: flag("includeEventUuid"),
            event_tags: flag("includeEventTags") || flag("includeContext"),
            context: flag("includeContext"),
            attachments: flag("withAttachments"),
            correlations: flag("includeCorrelations"),
            sightings: flag("includeSightings"),
            decay: if scored { Some(context.models(options.get("decayingModel"))?) } else { None },
            lists,
            last: RefCell::default(),
        })
    }

    fn of_event(&self, scribe: &Scribe<'_, '_>, event: &EventRow) -> OfEvent {
        let head = scribe.event_head(event);
        let short: &[&str] = &["org_id", "distribution", "publish_timestamp", "id", "info", "orgc_id", "uuid"];
        let long: &[&str] = &[
            "id",
            "orgc_id",
            "org_id",
            "date",
            "threat_level_id",
            "info",
            "published",
            "uuid",
            "analysis",
            "timestamp",
            "distribution",
            "publish_timestamp",
            "sharing_group_id",
            "extends_uuid",
            "Orgc",
        ];
        let mut shown = Map::new();
        for name in if self.context { long } else { short } {
            shown.insert((*name).into(), head.get(*name).cloned().unwrap_or_default());
        }
        let tags = scribe.tags(&body_of(&event.head.skeleton));
        if self.context {
            shown.insert("Tag".into(), tags.clone().into());
        }
        (event.head.row, shown, tags)
    }

    fn attribute(
        &self,
        context: &Context<'_>,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        event: &EventRow,
        part: &Cleared<Part>,
        object: i64,
    ) -> Result<Map<String, Value>, Fault> {
        let mut attribute = scribe.attribute(event, part, object);
        if self.attachments {
            attach(&mut attribute, part);
        }
        if self.event_uuid {
            attribute.insert("event_uuid".into(), event.head.uuid.to_string().into());
        }
        // One event after the other: what is shown of it is made once.
        let mut last = self.last.borrow_mut();
        let row = event.head.row;
        let (_, shown, tags) = match &mut *last {
            Some(last) if last.0 == row => last,
            last => last.insert(self.of_event(scribe, event)),
        };
        attribute.insert("Event".into(), Value::Object(shown.clone()));
        if self.event_tags && !tags.is_empty() {
            let own = attribute.entry("Tag").or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(own) = own {
                own.extend(tags.iter().cloned().map(|mut tag| {
                    tag["inherited"] = 1.into();
                    tag
                }));
            }
        }
        self.add(context, view, scribe, event, part, &mut attribute, true)?;
        Ok(attribute)
    }

    #[allow(clippy::too_many_arguments)] // everything that is known of one attribute
    fn add(
        &self,
        context: &Context<'_>,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        event: &EventRow,
        part: &Cleared<Part>,
        attribute: &mut Map<String, Value>,
        correlate: bool,
    ) -> Result<(), Fault> {
        if let Some(lists) = &self.lists {
            warn(attribute, part, lists);
        }
        if self.sightings {
            attribute.insert("Sighting".into(), context.sightings_of_part(view, event, part)?.into());
        }
        if correlate && self.correlations {
            attribute.insert("RelatedAttribute".into(), context.related_attributes(view, scribe, event, part)?.into());
        }
        if let Some(models) = &self.decay {
            let scores = context.scores(models, view, event, part)?;
            if !scores.is_empty() {
                attribute.insert("decay_score".into(), scores.into());
            }
        }
        Ok(())
    }
}

impl Context<'_> {
    /// Attributes of other events that have the same value.
    fn related_attributes(
        &self,
        view: &View<'_>,
        scribe: &Scribe<'_, '_>,
        event: &EventRow,
        part: &Cleared<Part>,
    ) -> Result<Vec<Value>, Fault> {
        let excluded = self.excluded()?;
        let correlates = |observable: &&Observable| {
            observable.ty().row().correlates && !excluded.iter().any(|pattern| like(observable.value(), pattern))
        };
        let observables: Vec<Observable> =
            part.found.iter().map(|found| &found.observable).filter(correlates).cloned().collect();
        let mut lines = Vec::new();
        for (row, places) in view.mentions(&observables, 100)? {
            if row == event.head.row {
                continue;
            }
            for other in view.events_at(&[row], &EventFilter::default())? {
                for found in view.parts_at(&other.head, &places)? {
                    if ATTRIBUTE.contains(&found.slot) {
                        let attribute = scribe.attribute(&other, &found, 0);
                        let pick = |name: &str| attribute.get(name).cloned().unwrap_or_default();
                        lines.push(json!({
                            "id": pick("id"), "value": pick("value"), "type": pick("type"), "category": pick("category"),
                            "event_id": num(other.head.number), "uuid": pick("uuid"),
                            "Event": {"id": num(other.head.number), "info": other.head.title, "uuid": other.head.uuid},
                        }));
                    }
                }
            }
        }
        Ok(lines)
    }
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
