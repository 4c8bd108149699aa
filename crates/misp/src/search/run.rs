//! The search: by value through the index, by identifier, or over the events that the filters leave.

use super::filter::{self, Wanted, span};
use super::formats::{Format, Output};
use super::more::More;
use super::values::{PAGE, attributes_of, each_attribute, mentions};
use super::wanted::{Attributes, listed, tags_on};
use crate::answer::{Answer, Fault};
use crate::attributes::ATTRIBUTE;
use crate::call::page;
use crate::context::Context;
use crate::feeds::Correlator;
use crate::ids;
use crate::shape::{Deleted, Scribe, attach, body_of};
use crate::writer::EventWriter;
use manara_model::record::{Slot, flag_of, text_of};
use manara_model::{Cleared, Part};
use manara_store::view::{EventFilter, EventRow, View};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

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
        let (skip, left) = page(options, usize::MAX, usize::MAX);
        // A page of everything is everything.
        let skip = if left == usize::MAX { 0 } else { skip };
        Window { skip: skip as u64, left: left as u64, total: 0, counts: false }
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

/// Attributes that wait until it was looked up, for many at once, which feeds know their values.
struct Batch {
    feeds: Option<Correlator>,
    waiting: Vec<(EventRow, Cleared<Part>, Map<String, Value>)>,
}

/// Attributes in one batch.
const TOGETHER: usize = 500;

impl Batch {
    fn of(context: &Context<'_>, options: &Map<String, Value>) -> Result<Batch, Fault> {
        let asked = flag_of(options.get("includeFeedCorrelations"));
        let feeds = if asked { Some(Correlator::of(context)?) } else { None };
        Ok(Batch { feeds, waiting: Vec::new() })
    }

    /// One more attribute; without a question about feeds it goes out at once.
    fn attribute(
        &mut self,
        context: &Context<'_>,
        output: &mut Output,
        event: &EventRow,
        part: &Cleared<Part>,
        attribute: Map<String, Value>,
        scribe: &Scribe<'_, '_>,
    ) -> Result<(), Fault> {
        if self.feeds.is_none() {
            return output.attribute(event, part, attribute, scribe);
        }
        self.waiting.push((event.clone(), part.clone(), attribute));
        if self.waiting.len() < TOGETHER { Ok(()) } else { self.flush(context, output, scribe) }
    }

    fn flush(&mut self, context: &Context<'_>, output: &mut Output, scribe: &Scribe<'_, '_>) -> Result<(), Fault> {
        let Some(feeds) = &mut self.feeds else { return Ok(()) };
        feeds.look_up(context.store, self.waiting.iter().map(|(_, part, _)| part))?;
        for (event, part, mut attribute) in self.waiting.drain(..) {
            feeds.add(&part, &mut attribute);
            output.attribute(&event, &part, attribute, scribe)?;
        }
        Ok(())
    }
}

impl<'a> Context<'a> {
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

    fn scribe_for<'v>(
        &self,
        format: Format,
        view: &'v View<'a>,
        options: &Map<String, Value>,
    ) -> Result<Scribe<'v, 'a>, Fault> {
        let plain = Scribe::new(view, self.call.caller.account.org);
        match (format.counts_galaxies(), format.shows_galaxies()) {
            (true, _) => Ok(plain.with_galaxies(self.shelf(view)?)),
            (false, true) => self.scribe(view, options),
            (false, false) => Ok(plain),
        }
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
        let scribe = self.scribe_for(format, &view, &options)?;
        let mut window = Window::of(&options);
        let more = More::of(self, &options)?;
        let mut output = Output::begin(self, format, &options, false)?;
        let mut batch = Batch::of(self, &options)?;
        self.find(&view, &events, &wanted, |event, part, object, _| {
            if !more.leaves_out(self, &view, event, part)? && window.takes() {
                let attribute = more.attribute(self, &view, &scribe, event, part, object)?;
                batch.attribute(self, &mut output, event, part, attribute, &scribe)?;
            }
            Ok(!window.is_over())
        })?;
        batch.flush(self, &mut output, &scribe)?;
        output.end(&scribe)
    }

    /// `events/restSearch`
    pub fn events_search(&self) -> Result<Answer, Fault> {
        let options = self.search_options()?;
        let format = Format::of(&options, false)?;
        let view = self.store.view(self.call.caller.audience(), format.purpose())?;
        let mut events = filter::of_search(self, &view, &options)?;
        events.touched = span(options.get("timestamp").or(options.get("event_timestamp")), self.now, "timestamp")?;
        let mut narrowed = options.clone();
        narrowed.remove("timestamp");
        // A tag makes the event fit as a whole.
        for name in ["tags", "tag", "event_tags"] {
            narrowed.remove(name);
        }
        let mut wanted = Attributes::of(self, &narrowed)?;
        // One that is not wanted leaves an event out that has it, and of others the attributes that have it.
        wanted.tags.none = Wanted::of(options.get("tags").or(options.get("tag"))).none;
        if let Some(uuids) = options.get("uuid").filter(|uuids| !uuids.is_null()) {
            self.events_of_uuids(&view, &Wanted::of(Some(uuids)), &mut events)?;
            wanted.uuids = Wanted::default();
        }
        if format.is_of_attributes() {
            return self.events_as_attributes(&view, &events, wanted, format, &options);
        }
        let order = filter::order(&options);
        let mut window = Window::of(&options);
        let scribe = self.scribe_for(format, &view, &options)?;
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
                        return output.end(&scribe);
                    }
                }
            }
            return output.end(&scribe);
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
        output.end(&scribe)
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
        view: &View<'a>,
        events: &EventFilter,
        mut wanted: Attributes,
        format: Format,
        options: &Map<String, Value>,
    ) -> Result<Answer, Fault> {
        if format.detect_only && wanted.detect.is_none() {
            wanted.detect = Some(true);
        }
        let mut events = events.clone();
        if format.name == "csv" && !wanted.is_empty() {
            // A table of events has all attributes of those in which one fits, as MISP's has.
            let mut numbers = BTreeSet::new();
            self.find(view, &events, &wanted, |event, _, _, _| {
                numbers.insert(event.head.number);
                Ok(true)
            })?;
            // A number that no event has: none fits.
            numbers.insert(0);
            events.which = Some((numbers.into_iter().collect(), Vec::new()));
            wanted = wanted.of_whole_events();
        }
        let events = &events;
        let scribe = self.scribe_for(format, view, options)?;
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
            if on_page && !more.leaves_out(self, view, event, part)? {
                let attribute = more.attribute(self, view, &scribe, event, part, object)?;
                output.attribute(event, part, attribute, &scribe)?;
            }
            Ok(on_page || !window.is_over())
        })?;
        output.end(&scribe)
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
        if output.is_of_whole_events() {
            return output.whole(view, event, |part| {
                let body = body_of(&part.raw);
                if metadata || !wanted.deleted.wants(flag_of(body.get("deleted"))) {
                    return Ok(false);
                }
                let is_attribute = ATTRIBUTE.contains(&part.slot);
                Ok(!is_attribute || wanted.goes_along(&body) && !more.leaves_out(self, view, event, part)?)
            });
        }
        let mut members = Map::new();
        if flag_of(options.get("includeEventCorrelations")) {
            members.extend(self.related(view, scribe, event)?);
        }
        let data = flag_of(options.get("withAttachments"));
        let feeds = flag_of(options.get("includeFeedCorrelations")) && !metadata;
        let feeds = if feeds { Some(Correlator::of(self)?.with_event(self.store, view, event)?) } else { None };
        output.event(|out| {
            let mut out = out;
            let mut writer = EventWriter::new(&mut out, scribe);
            writer.deleted = wanted.deleted;
            writer.data = data;
            let mut failed = None;
            writer.event(event, !metadata, members, |part, attribute| {
                if !wanted.goes_along(attribute) {
                    return false;
                }
                if let Some(feeds) = &feeds {
                    feeds.add(part, attribute);
                }
                let added = more.add(self, view, scribe, event, part, attribute, false);
                match added.and_then(|()| more.leaves_out(self, view, event, part)) {
                    Ok(out) => !out,
                    Err(fault) => {
                        failed = Some(fault);
                        true
                    }
                }
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
