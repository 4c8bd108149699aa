//! Collections (TAXII 2.1 §5): what one is, who may read it and who may write into it, and how it is kept.

use crate::answer::Fault;
use crate::searches::Search;
use crate::wish::Kind;
use manara_model::marking::Recipient;
use manara_model::role::Right;
use manara_model::{GroupId, Level, Marking, OrgId, Tlp};
use manara_store::collections::{CHANGING, FILLED, GOING};
use manara_store::entries::Entry;
use manara_store::people::Caller;
use manara_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The kind of entry that a collection is.
pub const COLLECTION: &str = "collection";
/// Longest title, alias and description, in characters.
const MOST: [usize; 3] = [200, 100, 4000];

/// Who may do something with a collection, on top of what each object's marking says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Everyone with an account.
    All,
    /// Members of these organisations; empty: nobody.
    Orgs(BTreeSet<OrgId>),
}

impl Who {
    fn has(&self, org: OrgId) -> bool {
        match self {
            Who::All => true,
            Who::Orgs(orgs) => orgs.contains(&org),
        }
    }
}

/// What a collection is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// One line.
    pub title: String,
    /// More of it; may be empty.
    #[serde(default)]
    pub description: String,
    /// A name to be used in place of the identifier in addresses; may be empty.
    #[serde(default)]
    pub alias: String,
    /// Who may read.
    pub read: Who,
    /// Who may add; to delete one must be allowed both.
    pub write: Who,
    /// The sharing group under whose API root it stands; `None`: the node's own.
    #[serde(default)]
    pub group: Option<GroupId>,
    /// What holds for objects that don't say how far they may go.
    #[serde(default)]
    pub marking: Marking,
    /// What it finds, where it is a saved search; `None`: it is a box, and holds what is put into it.
    #[serde(default)]
    pub search: Option<Search>,
}

/// A collection.
#[derive(Debug, Clone)]
pub struct Collection {
    /// The store's number.
    pub row: i64,
    /// Its identifier, a random UUID (§5.2.1).
    pub id: Uuid,
    /// The organisation that keeps it.
    pub org: OrgId,
    /// What it is.
    pub is: Definition,
    /// Of a search that does not hold all yet that was there before it: up to which record it was looked.
    pub(crate) filled: Option<i64>,
    /// Its question was changed, and what it held by the old one is being taken out.
    pub(crate) changing: bool,
}

/// What a caller may do with a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Definition {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.search.is_some() { Kind::Search } else { Kind::Box }
    }

    fn check(&self) -> Result<(), StoreError> {
        for ((name, text), most) in
            [("title", &self.title), ("alias", &self.alias), ("description", &self.description)].into_iter().zip(MOST)
        {
            if text.chars().count() > most {
                return Err(StoreError::Invalid(format!("the {name} is longer than {most} characters")));
            }
            if text.chars().any(|c| c.is_control() && c != '\n') {
                return Err(StoreError::Invalid(format!("the {name} has control characters in it")));
            }
        }
        if self.title.trim().is_empty() {
            return Err(StoreError::Invalid("a collection needs a title (TAXII 2.1 §5.2.1)".into()));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !self.alias.bytes().all(plain) || self.alias.parse::<Uuid>().is_ok() {
            let reason = "an alias is made of letters, digits, '-', '_' and '.', and is no UUID";
            return Err(StoreError::Invalid(reason.into()));
        }
        Ok(())
    }

    fn body(&self) -> Result<Value, StoreError> {
        serde_json::to_value(self).map_err(|error| StoreError::Invalid(error.to_string()))
    }
}

impl Collection {
    /// Does an entry stand under this root?
    pub(crate) fn at(entry: Entry, root: Option<GroupId>) -> bool {
        Collection::of(entry).is_some_and(|collection| collection.is.group == root)
    }

    pub(crate) fn of(entry: Entry) -> Option<Collection> {
        if entry.body.get(GOING).is_some_and(|going| going == true) {
            return None;
        }
        let changing = entry.body.get(FILLED).is_some_and(|filled| filled == CHANGING);
        let filled = entry.body.get(FILLED);
        let filled = filled
            .is_none_or(|filled| filled.is_null() || filled.is_i64())
            .then(|| filled.and_then(Value::as_i64).unwrap_or(0));
        let is: Result<Definition, _> = serde_json::from_value(entry.body);
        let is = is.inspect_err(|error| tracing::error!(%error, collection = entry.name, "its definition")).ok()?;
        let filled = filled.filter(|_| is.search.is_some());
        Some(Collection { row: entry.id, id: entry.name.parse().ok()?, org: entry.org?, is, filled, changing })
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn all(store: &Store) -> Result<Vec<Collection>, StoreError> {
        Ok(store.entries(COLLECTION)?.into_iter().filter_map(Collection::of).collect())
    }

    /// By its identifier, its alias, or its title where only one has it.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; the store's.
    pub fn find(store: &Store, name: &str) -> Result<Collection, StoreError> {
        if let Some(found) = Collection::named(store, name)? {
            return Ok(found);
        }
        let mut titled = Collection::all(store)?;
        titled.retain(|collection| collection.is.title == name);
        match titled.len() {
            1 => Ok(titled.remove(0)),
            0 => Err(StoreError::Unknown { what: COLLECTION, name: name.into() }),
            n => Err(StoreError::Invalid(format!("{n} collections have this title; give the identifier"))),
        }
    }

    /// By its identifier or its alias.
    pub(crate) fn named(store: &Store, name: &str) -> Result<Option<Collection>, StoreError> {
        // One spelling of an identifier only (§5.2.1: clients compare it as a text).
        if name.len() == 36 && name.parse::<Uuid>().is_ok() {
            return Ok(store.entry_named(COLLECTION, name)?.and_then(Collection::of));
        }
        let all = Collection::all(store)?;
        Ok(all.into_iter().find(|collection| !name.is_empty() && collection.is.alias == name))
    }

    /// Makes one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`]; [`StoreError::Exists`] for an alias that is taken; the store's.
    pub fn add(store: &Store, actor: &str, org: OrgId, is: Definition) -> Result<Collection, StoreError> {
        is.check()?;
        free(store, &is, None)?;
        let id = Uuid::new_v4();
        let entry = store.add_entry(actor, COLLECTION, &id.to_string(), (Some(org), None), is.body()?)?;
        let filled = is.search.as_ref().map(|_| 0);
        Ok(Collection { row: entry.id, id, org, is, filled, changing: false })
    }

    /// Changes it. What was given to it stays for those whom it was given to.
    ///
    /// # Errors
    /// As [`Collection::add`].
    pub fn change(&self, store: &Store, actor: &str, is: Definition) -> Result<Collection, StoreError> {
        is.check()?;
        free(store, &is, Some(self.id))?;
        let mut body = match is.body()? {
            Value::Object(body) => body,
            _ => Map::new(),
        };
        let same = is.search == self.is.search;
        if !same {
            body.insert(FILLED.into(), CHANGING.into());
        }
        store.set_entry(actor, COLLECTION, self.row, body)?;
        if same {
            return Ok(Collection { is, ..self.clone() });
        }
        refill(store, self.row)?;
        Ok(Collection { is, filled: Some(0), ..self.clone() })
    }

    /// Takes it away, and all that was put into it. Records that were made of it stay.
    ///
    /// # Errors
    /// The store's.
    pub fn remove(&self, store: &Store, actor: &str) -> Result<(), StoreError> {
        // Its number is nobody else's before nothing of it is left.
        store.set_entry(actor, COLLECTION, self.row, Map::from_iter([(GOING.to_owned(), true.into())]))?;
        clear(store, actor, self.row)
    }

    /// The first part of its addresses.
    #[must_use]
    pub fn api_root(&self) -> String {
        root_path(self.is.group)
    }

    pub(crate) fn access(&self, caller: &Caller) -> Access {
        let org = caller.account.org;
        Access {
            read: caller.may(Right::Read) && self.is.read.has(org),
            write: caller.may(Right::Write) && self.is.write.has(org),
        }
    }

    /// The marking of an object that an organisation puts into it: what it says itself, or else what is said here
    /// of those that say nothing. Where it has named readers, they are who it is for, and nobody else; where it is a
    /// group's, the group.
    pub(crate) fn marking(&self, own: Marking, giver: OrgId) -> Marking {
        let said = match own.is_unmarked() {
            true => own.meet(&self.is.marking),
            false => own,
        };
        match &self.is.read {
            Who::Orgs(orgs) => {
                let named: BTreeSet<OrgId> = orgs.iter().copied().chain([self.org, giver]).collect();
                if named.len() == 1 {
                    return said.meet(&Marking::default().at(Level::Organisation));
                }
                let clause = named.into_iter().map(Recipient::Org).collect();
                said.meet(&Marking { recipients: BTreeSet::from([clause]), ..Marking::default() })
            }
            // All who stand under a group's root are its members.
            Who::All if self.is.group.is_some() => said.meet(&Marking::default().to_groups(self.is.group)),
            Who::All if said.is_unmarked() => said.meet(&Marking::tlp(Tlp::Green).at(Level::Community)),
            Who::All => said,
        }
    }

    /// The collection resource (§5.2.1).
    pub(crate) fn resource(&self, access: Access) -> Value {
        let mut told = json!({"id": self.id, "title": self.is.title});
        if !self.is.description.is_empty() {
            told["description"] = json!(self.is.description);
        }
        if !self.is.alias.is_empty() {
            told["alias"] = json!(self.is.alias);
        }
        told["can_read"] = json!(access.read);
        told["can_write"] = json!(access.write);
        told["media_types"] = json!(["application/stix+json;version=2.1", "application/stix+json;version=2.0"]);
        told
    }
}

/// Takes everything out of a collection that is about to go, and then the collection.
fn clear(store: &Store, actor: &str, row: i64) -> Result<(), StoreError> {
    store.empty_search(row)?;
    store.empty_box(row)?;
    match store.remove_entry(actor, COLLECTION, row) {
        // Somebody else was at it too.
        Err(StoreError::Unknown { .. }) => Ok(()),
        done => done,
    }
}

/// Takes out what a search held by its old question; it is filled from the beginning then.
fn refill(store: &Store, row: i64) -> Result<(), StoreError> {
    store.empty_search(row)?;
    store.note_entry(COLLECTION, row, Map::from_iter([(FILLED.to_owned(), Value::Null)]))
}

/// Ends what was broken off: collections that were going, searches that were changing.
///
/// # Errors
/// The store's.
pub(crate) fn tidy(store: &Store) -> Result<(), StoreError> {
    for entry in store.entries(COLLECTION)? {
        if entry.body.get(GOING).is_some_and(|going| going == true) {
            clear(store, "", entry.id)?;
        } else if entry.body.get(FILLED).is_some_and(|filled| filled == CHANGING) {
            refill(store, entry.id)?;
        }
    }
    Ok(())
}

fn free(store: &Store, is: &Definition, own: Option<Uuid>) -> Result<(), StoreError> {
    let taken = |other: &Collection| Some(other.id) != own && other.is.alias == is.alias;
    match !is.alias.is_empty() && Collection::all(store)?.iter().any(taken) {
        true => Err(StoreError::Exists { what: "collection with the alias", name: is.alias.clone() }),
        false => Ok(()),
    }
}

pub(crate) fn root_path(group: Option<GroupId>) -> String {
    match group {
        Some(group) => format!("/taxii2/{group}/"),
        None => "/taxii2/node/".into(),
    }
}

/// The collection that a path names under a root, with what the caller may do with it. One that a caller may
/// neither read nor write is not there (§3.6.1: 404).
pub(crate) fn seen(
    store: &Store,
    root: Option<GroupId>,
    name: &str,
    caller: &Caller,
) -> Result<(Collection, Access), Fault> {
    let found = Collection::named(store, name)?.filter(|collection| collection.is.group == root);
    let seen = found.map(|collection| (collection.access(caller), collection));
    match seen.filter(|(access, _)| access.read || access.write) {
        Some((access, collection)) => Ok((collection, access)),
        None => Err(Fault::missing("collection")),
    }
}
