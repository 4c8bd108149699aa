//! Which attributes are wanted, judged one by one.

use super::filter::{Wanted, span};
use super::values::like;
use crate::answer::Fault;
use crate::context::Context;
use crate::shape::{Deleted, body_of, tag_names, uuid_of};
use manara_model::observable::normalise;
use manara_model::record::{flag_of, seconds_of, text_of};
use manara_model::warninglist::WarningLists;
use manara_model::{Cleared, Part};
use manara_store::view::{EventRow, Span};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// What attributes are wanted.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(super) values: Wanted,
    pub(super) types: Wanted,
    pub(super) categories: Wanted,
    pub(super) uuids: Wanted,
    pub(super) comments: Wanted,
    pub(super) relations: Wanted,
    pub(super) tags: Wanted,
    pub(super) objects: Wanted,
    pub(super) detect: Option<bool>,
    pub(crate) deleted: Deleted,
    pub(super) touched: Span,
    pub(super) first_seen: Span,
    pub(super) last_seen: Span,
    pub(super) clean: Option<Arc<WarningLists>>,
}

pub(super) fn listed(wanted: &Wanted, value: &str) -> bool {
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
    pub(super) fn of(context: &Context<'_>, options: &Map<String, Value>) -> Result<Attributes, Fault> {
        let now = context.now;
        let clean =
            if flag_of(options.get("enforceWarninglist")) { Some(context.warnings.get(context.store)?) } else { None };
        let mut values = Wanted::of_values(options.get("value"));
        for name in ["value1", "value2"] {
            let more = Wanted::of_values(options.get(name));
            values.any.extend(more.any);
            values.none.extend(more.none);
        }
        // Anything at all is no filter.
        values.any.retain(|value| value.chars().any(|c| c != '%'));
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
            // In a search one flag asks for deleted ones alone; `[0, 1]` for both.
            deleted: match options.get("deleted") {
                Some(flag) if !flag.is_array() && flag_of(Some(flag)) => Deleted::Only,
                given => Deleted::of(given),
            },
            touched: span(options.get("timestamp").or(options.get("attribute_timestamp")), now, "timestamp")?,
            first_seen: span(options.get("first_seen"), now, "first_seen")?,
            last_seen: span(options.get("last_seen"), now, "last_seen")?,
            clean,
        })
    }

    /// Nothing is asked of attributes: every event is meant.
    pub(super) fn is_empty(&self) -> bool {
        [&self.values, &self.types, &self.categories, &self.comments, &self.relations, &self.objects]
            .into_iter()
            .all(Wanted::is_empty)
            && self.detect.is_none()
            && self.touched == Span::default()
            && self.first_seen == Span::default()
            && self.last_seen == Span::default()
    }

    /// What is asked of the attributes of events that are given whole.
    pub(super) fn of_whole_events(self) -> Attributes {
        let Attributes { tags, detect, deleted, clean, .. } = self;
        Attributes { tags, detect, deleted, clean, ..Attributes::default() }
    }

    /// Is an attribute given with its event, which fits? As it is shown.
    pub(super) fn goes_along(&self, attribute: &Map<String, Value>) -> bool {
        self.detect.is_none_or(|detect| flag_of(attribute.get("to_ids")) == detect)
            && !tag_names(attribute)
                .any(|tag| self.tags.none.iter().any(|not| like(&tag.to_lowercase(), &not.to_lowercase())))
    }

    /// Does this attribute fit? `on_event`: names of the event's tags, which count for its attributes too.
    pub(super) fn fits(
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
