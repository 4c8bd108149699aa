//! A page of a saved search: its records as STIX, as the reader sees them.

use crate::answer::Fault;
use crate::collections::Collection;
use crate::gather;
use crate::query::Asked;
use crate::searches::Search;
use crate::shelf::{Key, Rendered, Shelf};
use manara_corridor::stix_objects;
use manara_formats::{StixName, WriteOptions};
use manara_model::record::StixObject;
use manara_model::{Cleared, Head, Purpose};
use manara_store::collections::{Boxed, Member, PAGE_BYTES, Versions, object_key};
use manara_store::people::Caller;
use manara_store::view::View;
use manara_store::{Store, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How long a reader waits for records that came just now to be looked at.
const WAIT: Duration = Duration::from_secs(5);
/// Records that are looked at for one page; then the page ends, and the next goes on.
const LOOKED: usize = 2000;
/// Objects that records have in common by their nature; each is told of with the first that shows it…
const SHARED: &[&str] = &["identity", "marking-definition", "extension-definition"];
/// …if that is no larger than this, in objects: it has to be looked at to know.
const SMALL: i64 = 2000;

/// The page that is asked for.
pub(crate) fn page(
    store: &Store,
    shelf: &Shelf,
    collection: &Collection,
    search: &Search,
    caller: &Caller,
    asked: &Asked,
) -> Result<Boxed, Fault> {
    gather::gather(store, WAIT)?;
    let options = gather::options(store, search)?;
    let view = store.view(caller.audience(), Purpose::Read)?;
    let reader = format!("{:?} {} {}", caller.audience(), view.facts().version(), search.text());
    let mut walk = Walk {
        view: &view,
        shelf,
        collection: collection.row,
        options: &options,
        reader,
        asked,
        ids: asked.wanted.ids.iter().map(|(kind, uuid)| format!("{kind}--{uuid}")).collect(),
        rendered: HashMap::new(),
        told: HashSet::new(),
        objects: Vec::new(),
        bytes: 0,
    };
    let (more, last) = walk.run()?;
    Ok(Boxed { objects: walk.objects, more, last })
}

struct Walk<'w, 's> {
    view: &'w View<'s>,
    shelf: &'w Shelf,
    collection: i64,
    options: &'w WriteOptions,
    reader: String,
    asked: &'w Asked,
    ids: BTreeSet<String>,
    /// Keys of objects of other records, by the member's time: what this reader sees there.
    rendered: HashMap<i64, HashSet<[u8; 16]>>,
    /// What is on the page: key and version.
    told: HashSet<([u8; 16], i64)>,
    objects: Vec<Cleared<StixObject>>,
    bytes: usize,
}

/// A record, and what it becomes for this reader.
type Read = (Cleared<Head>, Arc<Rendered>);

impl Walk<'_, '_> {
    /// Fills the page; whether there is more, and the time up to which it was looked.
    fn run(&mut self) -> Result<(bool, Option<i64>), StoreError> {
        let from = self.asked.wanted.after.saturating_add(1);
        if !self.ids.is_empty() {
            let mut places = BTreeMap::new();
            for id in &self.ids {
                let held = self.view.held_by(self.collection, object_key(id))?;
                places.extend(held.into_iter().map(|(added, _)| (added, ())));
            }
            let places: Vec<i64> = places.into_keys().collect();
            let members = self.view.members_at(self.collection, &places)?;
            return self.take(&members, from).map(|ended| (ended.is_some(), ended));
        }
        let (mut start, mut looked) = (from, 0);
        loop {
            let most = (self.asked.limit + 1).min(200);
            let members = self.view.members(self.collection, start, most)?;
            if let Some(last) = self.take(&members, start)? {
                return Ok((true, Some(last)));
            }
            looked += members.len();
            let Some(last) = members.last().map(|member| member.added + member.span - 1) else {
                return Ok((false, None));
            };
            if members.len() < most {
                return Ok((false, Some(last)));
            }
            start = last + 1;
            if looked >= LOOKED {
                return Ok((true, Some(last)));
            }
        }
    }

    /// Takes objects of these records, from a time on; where the page is full, the time of the last on it.
    fn take(&mut self, members: &[Member], from: i64) -> Result<Option<i64>, StoreError> {
        for member in members {
            let Some(rendered) = self.rendered(member, member.added < from)? else { continue };
            let (head, rendered) = rendered;
            for n in 0..rendered.len() {
                let added = member.added + i64::try_from(n).unwrap_or(i64::MAX).min(member.span - 1);
                if added < from {
                    continue;
                }
                let raw = rendered.get(n).map_err(|error| StoreError::Invalid(error.to_string()))?;
                let Some(object) = self.wanted(member, added, &head, raw)? else { continue };
                if self.objects.len() == self.asked.limit || self.bytes > PAGE_BYTES {
                    // The next page begins in its middle.
                    self.shelf.put(self.key(member, &head), rendered);
                    return Ok(Some(added - 1));
                }
                self.bytes += object.raw.len();
                if let Ok(object) = self.view.gate().clear(object) {
                    self.objects.push(object);
                }
            }
        }
        Ok(None)
    }

    fn key(&self, member: &Member, head: &Cleared<Head>) -> Key {
        Key { record: member.record, version: head.version, reader: self.reader.clone() }
    }

    /// A record's objects as this reader sees them. `begun`: a page before this one ended among them.
    fn rendered(&self, member: &Member, begun: bool) -> Result<Option<Read>, StoreError> {
        let Some(head) = self.view.record_at(member.record)? else { return Ok(None) };
        if begun && let Some(kept) = self.shelf.get(&self.key(member, &head)) {
            return Ok(Some((head, kept)));
        }
        let mut rendered = Rendered::default();
        let done = stix_objects(self.view, &head, self.options, &mut |raw| rendered.add(raw));
        match done {
            Ok(true) => Ok(Some((head, Arc::new(rendered)))),
            Ok(false) => Ok(None),
            Err(error) => Err(StoreError::Invalid(error.to_string())),
        }
    }

    /// The object, if it is asked for and was not told of before.
    fn wanted(
        &mut self,
        member: &Member,
        added: i64,
        head: &Cleared<Head>,
        raw: String,
    ) -> Result<Option<StixObject>, StoreError> {
        let wanted = &self.asked.wanted;
        let Ok(facts) = StixName::of(&raw) else { return Ok(None) };
        let id = format!("{}--{}", facts.kind, facts.uuid);
        let version = gather::version(&facts);
        let out = !self.ids.is_empty() && !self.ids.contains(&id)
            || !wanted.types.is_empty() && !wanted.types.contains(&facts.kind)
            || !wanted.specs.is_empty() && !wanted.specs.contains(&facts.is_2_1);
        if out || !self.is_version(member, &facts.kind, &id, version)? {
            return Ok(None);
        }
        if !self.told.insert((object_key(&id), version)) {
            return Ok(None);
        }
        Ok(Some(StixObject {
            added,
            kind: facts.kind,
            uuid: facts.uuid,
            // What has no version of its own has that of its coming (TAXII 2.1 §5.3.1).
            version: facts.version.unwrap_or_else(|| crate::time::text(added)),
            is_2_1: facts.is_2_1,
            label: head.label.clone(),
            personal: Vec::new(),
            raw,
        }))
    }

    /// Is it one of the versions that are asked for, and does no record before this one have it?
    fn is_version(&mut self, member: &Member, kind: &str, id: &str, version: i64) -> Result<bool, StoreError> {
        let key = object_key(id);
        let others: Vec<(i64, i64)> = match version {
            // Values have no versions; each record that has one tells it.
            0 => Vec::new(),
            _ => self.view.held_by(self.collection, key)?,
        };
        let mut others: Vec<(i64, i64)> = others.into_iter().filter(|(added, _)| *added != member.added).collect();
        if SHARED.contains(&kind) {
            // The first few say it.
            others.retain(|(added, other)| *added < member.added && *other == version);
            others.truncate(3);
        }
        // What another record has counts if this reader sees it there.
        let most = if SHARED.contains(&kind) { SMALL } else { i64::MAX };
        let mut seen = Vec::new();
        for (added, version) in others {
            if self.shows(added, key, most)? {
                seen.push((added, version));
            }
        }
        let others = seen;
        if others.iter().any(|(added, other)| *added < member.added && *other == version) {
            return Ok(false);
        }
        Ok(match &self.asked.wanted.versions {
            Versions::All => true,
            Versions::Some { first, last, at } => {
                *first && others.iter().all(|(_, other)| *other >= version)
                    || *last && others.iter().all(|(_, other)| *other <= version)
                    || at.contains(&version)
            }
        })
    }

    /// Does this reader see an object in another record?
    fn shows(&mut self, added: i64, key: [u8; 16], most: i64) -> Result<bool, StoreError> {
        if !self.rendered.contains_key(&added) {
            let mut keys = HashSet::new();
            if let Some(member) =
                self.view.members_at(self.collection, &[added])?.first().filter(|member| member.span <= most)
                && let Some(head) = self.view.record_at(member.record)?
            {
                let done = stix_objects(self.view, &head, self.options, &mut |raw| {
                    keys.extend(StixName::of(raw).map(|facts| object_key(&format!("{}--{}", facts.kind, facts.uuid))));
                    Ok(())
                });
                done.map_err(|error| StoreError::Invalid(error.to_string()))?;
            }
            self.rendered.insert(added, keys);
        }
        Ok(self.rendered.get(&added).is_some_and(|keys| keys.contains(&key)))
    }
}
