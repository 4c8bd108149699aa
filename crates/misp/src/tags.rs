//! `/tags`: the vocabulary, and tags on events, attributes and reports.

use crate::answer::{Answer, Fault, saved};
use crate::call::page;
use crate::context::Context;
use crate::ids;
use crate::normal::merged_tags;
use crate::shape::{body_of, tag_value};
use manara_model::permission::Flag;
use manara_model::record::{Slot, flag_of, text_of};
use manara_store::people::Tag;
use manara_store::view::{EventRow, View};
use manara_store::{Change, StoreError};
use serde_json::{Map, Value, json};

/// What a tag is put on.
enum Target {
    Event(EventRow),
    Part(EventRow, manara_model::Cleared<manara_model::Part>),
}

impl Context<'_> {
    /// May the caller know that there is such a tag? One that somebody put into the vocabulary is everyone's;
    /// one that only stands on records is for those who see one of them.
    pub(crate) fn may_know(&self, view: &View<'_>, tag: &Tag) -> Result<bool, Fault> {
        let put = !tag.detail.is_empty() || !tag.set_colour.is_empty();
        Ok(put || self.is_admin() || view.tag_use(tag.id)? != (0, 0))
    }

    /// A tag that the caller may know, and keeps.
    fn tag_kept(&self, named: Option<&str>) -> Result<Tag, Fault> {
        let tag = self.tag_named(named)?;
        if self.may_know(&self.view()?, &tag)? { Ok(tag) } else { Err(Fault::missing("tag")) }
    }

    fn tag_named(&self, named: Option<&str>) -> Result<Tag, Fault> {
        let named = named.unwrap_or_default();
        let found = match named.parse::<i64>() {
            Ok(number) => self.store.tag_by_number(number)?,
            Err(_) => self.store.tag_by_name(named)?,
        };
        found.ok_or_else(|| Fault::missing("tag"))
    }

    /// `tags/index`
    pub fn tags_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let (mut skip, limit) = page(&options, usize::MAX, usize::MAX);
        let view = self.view()?;
        let mut lines = Vec::new();
        for tag in self.store.vocabulary()? {
            if lines.len() == limit {
                break;
            }
            if !self.may_know(&view, &tag)? {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let mut shown = tag_value(&tag);
            shown["favourite"] = false.into();
            let (events, attributes) = view.tag_use(tag.id)?;
            shown["count"] = events.into();
            shown["attribute_count"] = attributes.into();
            lines.push(shown);
        }
        Ok(Answer::json(&json!({"Tag": lines})))
    }

    /// `tags/view`
    pub fn tags_view(&self) -> Result<Answer, Fault> {
        let tag = self.tag_named(self.call.arg(0).or(Some(self.call.action_text.as_str())))?;
        let view = self.view()?;
        if !self.may_know(&view, &tag)? {
            return Err(Fault::missing("tag"));
        }
        let mut shown = tag_value(&tag);
        let (events, attributes) = view.tag_use(tag.id)?;
        shown["count"] = events.into();
        shown["attribute_count"] = attributes.into();
        Ok(Answer::json(&shown))
    }

    fn detail(given: &Map<String, Value>, held: Map<String, Value>) -> Map<String, Value> {
        let mut detail = held;
        for name in ["exportable", "hide_tag", "numerical_value", "local_only", "org_id", "user_id"] {
            if let Some(value) = given.get(name) {
                detail.insert(name.into(), value.clone());
            }
        }
        detail
    }

    /// `tags/add`
    pub fn tags_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Tag")?;
        let name = text_of(given.get("name")).map(|name| name.trim().to_owned()).unwrap_or_default();
        if name.is_empty() {
            return Err(Fault::unsaved("add", "Tag", json!({"name": ["valueNotEmpty"]})));
        }
        match self.store.add_tag(self.actor(), &name) {
            Ok(()) | Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let tag = self.tag_named_exactly(&name)?;
        let colour = text_of(given.get("colour")).unwrap_or_default();
        let mut detail = Self::detail(&given, tag.detail);
        // Put into the vocabulary: see `may_know`.
        detail.insert("known".into(), true.into());
        let tag = self.store.set_tag(self.actor(), tag.id, &colour, &detail)?;
        Ok(Answer::json(&json!({"Tag": tag_value(&tag)})))
    }

    fn tag_named_exactly(&self, name: &str) -> Result<Tag, Fault> {
        self.store.tag_by_name(name)?.ok_or_else(|| Fault::missing("tag"))
    }

    /// `tags/edit`; its name only where it stands on no record: they are kept as they came.
    pub fn tags_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Tag")?;
        let tag = self.tag_kept(self.call.arg(0))?;
        if let Some(name) = text_of(given.get("name")).filter(|name| *name != tag.name) {
            self.store.rename_tag(self.actor(), tag.id, &name).map_err(|error| match error {
                StoreError::Exists { .. } => {
                    Fault::unsaved("edit", "Tag", json!({"name": ["A tag with this name already exists."]}))
                }
                StoreError::Invalid(text) => Fault::unsaved("edit", "Tag", json!({"name": [text]})),
                error => error.into(),
            })?;
        }
        let colour = text_of(given.get("colour")).map_or(tag.set_colour.clone(), |colour| colour.into_owned());
        let tag = self.store.set_tag(self.actor(), tag.id, &colour, &Self::detail(&given, tag.detail))?;
        Ok(Answer::json(&json!({"Tag": tag_value(&tag)})))
    }

    /// `tags/delete`
    pub fn tags_delete(&self) -> Result<Answer, Fault> {
        let tag = self.tag_kept(self.call.arg(0))?;
        self.store.remove_tag(self.actor(), tag.id)?;
        Ok(Answer::json(&saved("Tag deleted.", &self.call.url, None)))
    }

    /// `tags/search`
    pub fn tags_search(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let given = self.call.arg(0).map(str::to_owned).or_else(|| {
            text_of(options.get("name").or(options.get("tagname")).or(options.get("tag"))).map(|name| name.into_owned())
        });
        let name = given.unwrap_or_default();
        let strict = flag_of(options.get("strict_tagname").or(options.get("strictTagNameOnly")))
            || self.call.arg(1).is_some_and(|flag| flag == "1");
        let pattern = if strict || name.contains('%') { name } else { format!("%{name}%") };
        let view = self.view()?;
        let mut lines = Vec::new();
        for number in view.tags_like(&pattern)? {
            if let Some(tag) = self.store.tag_by_number(number)?
                && self.may_know(&view, &tag)?
            {
                lines.push(json!({"Tag": tag_value(&tag), "Taxonomy": {}, "TaxonomyPredicate": {}}));
            }
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `tags/tagStatistics`: how many events have each, by name.
    pub fn tag_statistics(&self) -> Result<Answer, Fault> {
        let percent = self.call.arg(0).is_some_and(|text| text == "true" || text == "1");
        let view = self.view()?;
        let mut counts = std::collections::BTreeMap::<String, i64>::new();
        for tag in self.store.vocabulary()? {
            let (events, _) = view.tag_use(tag.id)?;
            if events > 0 {
                *counts.entry(tag.name).or_default() += events;
            }
        }
        let total: i64 = counts.values().sum();
        let line = |(name, count): (String, i64)| {
            let text = if percent {
                format!("{}%", (count as f64 / total as f64 * 100_000.0).round() / 1000.0)
            } else {
                count.to_string()
            };
            (name, Value::String(text))
        };
        Ok(Answer::json(&json!({"tags": counts.into_iter().map(line).collect::<Map<_, _>>(), "taxonomies": []})))
    }

    fn target(&self, view: &View<'_>, named: &str, kind: Option<&str>) -> Result<Target, Fault> {
        let which = ids::which(named).ok_or_else(|| Fault::new(404, "Invalid Target."))?;
        // In the older paths the controller says what the number is of.
        if kind != Some("attribute")
            && let Some(event) = view.event(which)?
        {
            return Ok(Target::Event(event));
        }
        let slots = &[Slot::Attribute, Slot::ObjectAttribute, Slot::Object, Slot::EventReport];
        match self.part(view, Some(named), slots, "Target.") {
            Ok((event, part)) => Ok(Target::Part(event, part)),
            Err(_) => Err(Fault::new(404, "Invalid Target.")),
        }
    }

    /// `tags/attachTagToObject`, `tags/removeTagFromObject`, `events/addTag`, `attributes/removeTag`…
    pub fn tags_attach(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let text = |value: Option<&Value>| text_of(value).map(|text| text.into_owned());
        let remove = self.call.action.starts_with("remove");
        let by_controller = match self.call.controller.as_str() {
            "events" => Some("event"),
            "attributes" => Some("attribute"),
            _ => None,
        };
        let body = options
            .get(if by_controller == Some("event") { "Event" } else { "Attribute" })
            .cloned()
            .unwrap_or_default();
        let named = self
            .call
            .arg(0)
            .map(str::to_owned)
            .or_else(|| text(options.get("uuid")))
            .or_else(|| text(options.get(by_controller.unwrap_or_default())))
            .or_else(|| text(body.get("id")));
        let tags = match self.call.arg(1) {
            Some(tag) => vec![tag.to_owned()],
            None => crate::search::filter::Wanted::of(options.get("tag").or(body.get("tag"))).any,
        };
        let local = flag_of(options.get("local").or(self.call.named.get("local"))) || self.call.arg(2) == Some("1");
        let named = named.ok_or_else(|| Fault::new(404, "Invalid Target."))?;
        let mut words = String::new();
        for tag in &tags {
            words = self.tag_one(&named, by_controller, tag, local, remove, options.get("relationship_type"))?;
        }
        if tags.is_empty() {
            return Err(Fault::new(404, "Invalid Tag."));
        }
        let mut body = saved(words, &self.call.url, None);
        if by_controller.is_some() {
            body = json!({"saved": true, "success": if remove { "Tag removed." } else { "Tag added." }, "check_publish": true});
        }
        Ok(Answer::json(&body))
    }

    fn tag_one(
        &self,
        named: &str,
        kind: Option<&str>,
        tag: &str,
        local: bool,
        remove: bool,
        relation: Option<&Value>,
    ) -> Result<String, Fault> {
        let name = match tag.parse::<i64>() {
            Ok(number) => self.store.tag_by_number(number)?.ok_or_else(|| Fault::new(404, "Invalid Tag."))?.name,
            Err(_) => tag.to_owned(),
        };
        if !remove {
            // What it is put on comes first: whoever may not see that hears of nothing else.
            self.target(&self.view()?, named, kind)?;
            self.may_use_tag(&name)?;
            match self.store.add_tag(self.actor(), &name) {
                Ok(()) | Err(StoreError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let number = self.store.tag_by_name(&name)?.map_or(0, |tag| tag.id);
        self.again(|| {
            let view = self.view()?;
            let target = self.target(&view, named, kind)?;
            let (event, model, id) = match &target {
                Target::Event(event) => (event, "Event", event.head.number),
                Target::Part(event, part) => {
                    let model = match part.slot {
                        Slot::Object => "Object",
                        Slot::EventReport => "EventReport",
                        _ => "Attribute",
                    };
                    (event, model, ids::of_part(event.head.row, part.number))
                }
            };
            self.may_tag(event, local)?;
            let old = match &target {
                Target::Event(event) => body_of(&event.head.skeleton),
                Target::Part(_, part) => body_of(&part.raw),
            };
            let has = crate::shape::tag_names(&old).any(|held| held.eq_ignore_ascii_case(&name));
            let how = if local { "Local" } else { "Global" };
            if remove && !has {
                return Err(Fault::new(404, format!("Invalid {model} - tag combination.")));
            }
            if !remove && has {
                return Ok(format!("{how} tag {name}({number}) is already attached to this {model}({id})."));
            }
            let mut given = json!({"name": name, "local": local, "deleted": remove});
            if let Some(relation) = relation {
                given["relationship_type"] = relation.clone();
            }
            let given = Map::from_iter([("Tag".to_owned(), Value::Array(vec![given]))]);
            let mut body = old.clone();
            let tags = merged_tags(&old, &given, false);
            if tags.is_empty() {
                body.shift_remove("Tag");
            } else {
                body.insert("Tag".into(), tags.into());
            }
            // What is ours alone is no news for others: the clock stands still.
            let (head, changes) = match &target {
                Target::Event(event) => {
                    if !local {
                        body.insert("timestamp".into(), self.clock(event).to_string().into());
                        body.insert("published".into(), false.into());
                    }
                    (body, Vec::new())
                }
                Target::Part(event, part) => {
                    let head = if local { body_of(&event.head.skeleton) } else { self.touched(event) };
                    if !local {
                        body.insert("timestamp".into(), self.now.to_string().into());
                    }
                    let object = match part.parent {
                        Some(place) => view.parts_at(&event.head, &[place])?.pop().map(|object| object.raw.clone()),
                        None => None,
                    };
                    (head, vec![Change::Replace(part.ordinal, Self::draft(part.slot, body, object.as_deref()))])
                }
            };
            let event = self.event_at(&view, event.head.row)?;
            drop(view);
            self.amend(&event, head, changes.is_empty(), changes)?;
            Ok(match remove {
                true => format!("{how} tag {name} ({number}) successfully removed from {model}({id})."),
                false => format!("{how} tag {name}({number}) successfully attached to {model}({id})."),
            })
        })
    }

    /// A tag may be one organisation's, or one person's, to put on things.
    fn may_use_tag(&self, name: &str) -> Result<(), Fault> {
        let Some(tag) = self.store.tag_by_name(name)? else { return Ok(()) };
        let account = &self.call.caller.account;
        for (field, kind, own, whose) in
            [("org_id", "org", account.org.0, "organisation"), ("user_id", "user", account.uuid.0, "user")]
        {
            let of = text_of(tag.detail.get(field)).filter(|of| !of.is_empty() && of != "0");
            if let Some(of) = of
                && !self.is_admin()
                && of != self.store.number(kind, own)?.to_string()
            {
                let text = format!("Invalid Tag. This tag can only be set by a fixed {whose}.");
                return Err(Fault::unsaved("attachTagToObject", "Tags", text.into()));
            }
        }
        Ok(())
    }

    /// A tag that is ours alone may be put on what another wrote.
    fn may_tag(&self, event: &EventRow, local: bool) -> Result<(), Fault> {
        let holds = event.head.label.owner == self.call.caller.account.org && self.call.caller.has(Flag::Tagger);
        if local && holds {
            return Ok(());
        }
        self.may_change(event).map_err(|_| Fault::forbidden("You do not have permission to do that."))
    }

    /// `galaxies/attachCluster/TARGET/TYPE`: a cluster is a tag.
    pub fn clusters_attach(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let target = options.get("Galaxy").cloned().unwrap_or(Value::Object(options.clone()));
        let named = self.call.arg(0).map(str::to_owned).unwrap_or_default();
        let local = flag_of(self.call.named.get("local"));
        let cluster = text_of(target.get("target_id")).map(|id| id.into_owned()).unwrap_or_default();
        let tag = self.cluster_tag(&cluster)?;
        let kind = self.call.arg(1).map(str::to_owned);
        self.tag_one(&named, kind.as_deref().filter(|kind| *kind == "attribute"), &tag, local, false, None)?;
        Ok(Answer::json(&saved("Cluster attached.", &self.call.url, None)))
    }
}
