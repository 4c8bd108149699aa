//! The knowledge that the node holds: taxonomies, galaxies, object templates, warning and notice lists.
//! Each is a record that was imported, with a switch beside it.

mod galaxies;
mod noticelists;
mod taxonomies;
mod templates;
mod warninglists;

use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::ids;
use manara_model::record::{flag_of, text_of};
use manara_model::{Cleared, Head};
use manara_store::view::{Filter, View, Which};
use serde_json::{Map, Value, json};

/// The kind of entry that says what is switched on or off.
const SWITCH: &str = "switch";

impl Context<'_> {
    /// The records of a kind of knowledge, oldest first.
    pub(super) fn knowledge(&self, view: &View<'_>, kind: &str) -> Result<Vec<Cleared<Head>>, Fault> {
        let filter = Filter { kind: Some(kind.to_owned()), ..Filter::default() };
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = view.heads_with_bodies(&filter, cursor, 200)?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                all.sort_by_key(|head| head.number);
                return Ok(all);
            }
        }
    }

    pub(super) fn knowledge_named(
        &self,
        view: &View<'_>,
        kind: &str,
        named: &str,
        what: &str,
    ) -> Result<Cleared<Head>, Fault> {
        let found = match ids::which(named) {
            Some(Which::Number(number)) => view.of_kind(kind, Some(number), None)?,
            Some(Which::Uuid(uuid)) => view.of_kind(kind, None, Some(uuid))?,
            None => None,
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let named_so = |head: &Cleared<Head>| {
            let body = body(head);
            ["uuid", "namespace", "name", "type"]
                .iter()
                .any(|name| text_of(body.get(*name)).is_some_and(|text| text.eq_ignore_ascii_case(named)))
        };
        self.knowledge(view, kind)?.into_iter().find(named_so).ok_or_else(|| Fault::missing(what))
    }

    pub(super) fn is_on(&self, kind: &str, uuid: &str, default: bool) -> Result<bool, Fault> {
        let entry = self.store.entry_named(SWITCH, &format!("{kind}/{uuid}"))?;
        Ok(entry.map_or(default, |entry| flag_of(entry.body.get("enabled"))))
    }

    pub(super) fn switch(&self, kind: &str, uuid: &str, on: bool) -> Result<(), Fault> {
        let name = format!("{kind}/{uuid}");
        let body = Map::from_iter([("enabled".to_owned(), on.into())]);
        match self.store.entry_named(SWITCH, &name)? {
            Some(entry) => self.store.set_entry(self.actor(), SWITCH, entry.id, body)?,
            None => self.store.add_entry(self.actor(), SWITCH, &name, (None, None), body.into())?,
        };
        Ok(())
    }

    /// `taxonomies/update`, `galaxies/update`, `warninglists/update`…: knowledge comes as files here.
    pub fn knowledge_update(&self) -> Result<Answer, Fault> {
        // MISP's words for there being nothing new, which scripts look for.
        let words = match self.call.controller.as_str() {
            "galaxies" => "Galaxies updated.",
            "taxonomies" => "All taxonomy libraries are up to date already.",
            "warninglists" => "All warninglists are up to date already.",
            "noticelists" => "All noticelists are up to date already.",
            "objecttemplates" => return Ok(Answer::json(&json!([]))),
            _ => "Everything is up to date already.",
        };
        let mut body = saved(words, &self.call.url, None);
        body["note"] =
            "This node's knowledge comes with `manara import`: it is as new as what was imported last.".into();
        Ok(Answer::json(&body))
    }
}

fn body(head: &Cleared<Head>) -> Map<String, Value> {
    crate::shape::body_of(&head.skeleton)
}
