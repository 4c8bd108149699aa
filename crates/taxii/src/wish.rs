//! A collection as people ask for it, and as it is shown to those who keep it: one form for the command line and
//! the API.

use crate::collections::{Collection, Definition, Who};
use crate::roots;
use crate::searches::Search;
use manara_model::{GroupId, Marking, Tlp};
use manara_store::people::Caller;
use manara_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What a collection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The node's records that a search finds, as STIX.
    Search,
    /// What others put into it.
    Box,
}

/// One name or several: `all`, `none`, or organisations by name or UUID.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// What is asked for; what is not said stays as it is, or gets its default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// One line.
    pub title: Option<String>,
    /// `search` or `box`; it never changes.
    pub kind: Option<Kind>,
    /// What a search finds; empty: everything.
    pub query: Option<String>,
    /// Who may read; default: the node's own organisation.
    pub can_read: Option<Names>,
    /// Who may add; default: the node's own organisation, of a search nobody.
    pub can_write: Option<Names>,
    /// The sharing group under whose API root it stands, by name or UUID; `node`: the node's own root.
    pub group: Option<String>,
    /// A short name for addresses.
    pub alias: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// The TLP of objects that have none themselves; `none`: none.
    pub tlp: Option<String>,
}

fn invalid(text: impl Into<String>) -> StoreError {
    StoreError::Invalid(text.into())
}

fn who(store: &Store, names: &Names) -> Result<Who, StoreError> {
    let names = match names {
        Names::One(name) => std::slice::from_ref(name),
        Names::Many(names) => names.as_slice(),
    };
    match names {
        [name] if name == "all" => return Ok(Who::All),
        [name] if name == "none" => return Ok(Who::Orgs(BTreeSet::new())),
        _ => {}
    }
    let mut orgs = BTreeSet::new();
    for name in names {
        if matches!(name.as_str(), "all" | "none") {
            return Err(invalid(format!("'{name}' stands alone, or organisations are named")));
        }
        orgs.insert(store.org(name)?.uuid);
    }
    Ok(Who::Orgs(orgs))
}

fn group(store: &Store, name: &str) -> Result<Option<GroupId>, StoreError> {
    if name == "node" {
        return Ok(None);
    }
    let facts = store.facts()?;
    let uuid = name.parse::<Uuid>().ok();
    let is_it = |(id, group): &(&GroupId, &manara_model::world::Group)| Some(id.0) == uuid || group.name == name;
    let mut found = facts.world.groups.iter().filter(is_it).map(|(id, _)| *id);
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(Some(id)),
        (Some(_), Some(_)) => Err(invalid(format!("several sharing groups are called '{name}'; give the UUID"))),
        _ => Err(StoreError::Unknown { what: "sharing group", name: name.into() }),
    }
}

impl Wish {
    /// What it makes: of nothing a new collection, of one that there is a changed one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] and [`StoreError::Unknown`] for what can't be; the store's.
    pub fn made(&self, store: &Store, of: Option<&Definition>) -> Result<Definition, StoreError> {
        let own = Who::Orgs(BTreeSet::from([store.node_org()?]));
        let mut made = match of {
            Some(of) => of.clone(),
            None => {
                let kind = self.kind.ok_or_else(|| invalid("say which kind it is: search or box"))?;
                let search = (kind == Kind::Search).then(Search::default);
                let write = if search.is_some() { Who::Orgs(BTreeSet::new()) } else { own.clone() };
                Definition {
                    title: String::new(),
                    description: String::new(),
                    alias: String::new(),
                    read: own,
                    write,
                    group: None,
                    marking: Marking::default(),
                    search,
                }
            }
        };
        if let (Some(of), Some(kind)) = (of, self.kind)
            && kind != of.kind()
        {
            return Err(invalid("a collection stays of its kind; make another one"));
        }
        match (&mut made.search, &self.query) {
            (Some(search), Some(query)) => *search = Search::read(store, query)?,
            (None, Some(_)) => return Err(invalid("a box has no query: it holds what is put into it")),
            (_, None) => {}
        }
        for (field, given) in
            [(&mut made.title, &self.title), (&mut made.description, &self.description), (&mut made.alias, &self.alias)]
        {
            if let Some(given) = given {
                *field = given.trim().to_owned();
            }
        }
        if let Some(names) = &self.can_read {
            made.read = who(store, names)?;
        }
        if let Some(names) = &self.can_write {
            made.write = who(store, names)?;
        }
        if made.search.is_some() && made.write != Who::Orgs(BTreeSet::new()) {
            return Err(invalid("a search is read only: nobody can write into it"));
        }
        if let Some(name) = &self.group {
            made.group = group(store, name)?;
        }
        if let Some(tlp) = &self.tlp {
            if made.search.is_some() {
                return Err(invalid("a search has no marking of its own: each record has"));
            }
            made.marking = match tlp.as_str() {
                "none" => Marking::default(),
                text => Marking::tlp(Tlp::parse(text).ok_or_else(|| {
                    invalid(format!("'{text}' is no TLP; there are clear, green, amber, amber+strict, red, and none"))
                })?),
            };
        }
        Ok(made)
    }
}

impl Collection {
    /// As an account sees it that may use it; `None`: it may not.
    #[must_use]
    pub fn seen_by(&self, store: &Store, caller: &Caller) -> Option<Value> {
        let access = self.access(caller);
        let root = roots::check(store, self.is.group, caller);
        if root.is_err() || !access.read && !access.write {
            return None;
        }
        let mut shown = self.resource(access);
        shown["api_root"] = json!(self.api_root());
        Some(shown)
    }

    /// As those see it who keep it.
    ///
    /// # Errors
    /// The store's.
    pub fn shown(&self, store: &Store) -> Result<Value, StoreError> {
        let facts = store.facts()?;
        let names = |who: &Who| match who {
            Who::All => json!("all"),
            Who::Orgs(orgs) => json!(orgs.iter().map(|org| facts.name(*org)).collect::<Vec<_>>()),
        };
        let is = &self.is;
        let mut shown = json!({
            "id": self.id,
            "api_root": self.api_root(),
            "title": is.title,
            "kind": is.kind(),
            "can_read": names(&is.read),
            "can_write": names(&is.write),
        });
        for (name, text) in [("description", &is.description), ("alias", &is.alias)] {
            if !text.is_empty() {
                shown[name] = json!(text);
            }
        }
        if let Some(search) = &is.search {
            shown["query"] = json!(search.text());
        }
        if let Some(tlp) = is.marking.tlp {
            shown["tlp"] = json!(tlp.name());
        }
        Ok(shown)
    }
}
