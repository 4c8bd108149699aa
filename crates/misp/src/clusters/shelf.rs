//! Galaxies and clusters as one view has them, found by number, identifier or tag.

use super::{KIND, named_by};
use crate::answer::Fault;
use crate::ids;
use crate::shape::body_of;
use manara_corridor::{ClusterName, Galaxies, Known};
use manara_model::record::{flag_of, text_of};
use manara_model::{Cleared, Head, OrgId};
use manara_store::Store;
use manara_store::view::{Filter, View, Which};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use uuid::Uuid;

/// A cluster that was found.
pub(crate) enum Cluster {
    /// Of the node's knowledge.
    Imported(Cleared<Known>),
    /// Somebody's own.
    Own(Cleared<Head>),
}

/// A cluster with its galaxy, as both are shown on what carries its tag.
pub(super) type Shown = (Map<String, Value>, Map<String, Value>);

/// See the module. Remembers which tag is of which cluster.
pub(crate) struct Shelf<'v, 's> {
    /// What may be seen.
    pub(crate) view: &'v View<'s>,
    /// The caller's organisation.
    pub(crate) own: OrgId,
    store: &'s Store,
    pub(super) galaxies: Arc<Galaxies>,
    pub(super) shown: RefCell<HashMap<String, Option<Rc<Shown>>>>,
}

impl<'v, 's> Shelf<'v, 's> {
    /// For a view.
    #[must_use]
    pub(crate) fn new(view: &'v View<'s>, own: OrgId, store: &'s Store, galaxies: Arc<Galaxies>) -> Self {
        Shelf { view, own, store, galaxies, shown: RefCell::default() }
    }

    /// A galaxy by number, identifier, type or name.
    ///
    /// # Errors
    /// 404 where there is none.
    pub(crate) fn galaxy(&self, named: &str) -> Result<Cleared<Known>, Fault> {
        self.galaxies.galaxy(&self.view.gate(), named).ok_or_else(|| Fault::missing("galaxy"))
    }

    /// A cluster by number, identifier or tag.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn cluster(&self, named: &str) -> Result<Option<Cluster>, Fault> {
        let gate = self.view.gate();
        match ids::which(named) {
            Some(Which::Uuid(uuid)) => self.by_uuid(uuid),
            Some(Which::Number(number)) => {
                if let Some(own) = self.view.of_kind(KIND, Some(number), None)? {
                    return Ok(Some(Cluster::Own(own)));
                }
                let Some((row, place)) = ids::part(number) else { return Ok(None) };
                let found = self.galaxies.cluster(self.store, &gate, ClusterName::Place(row, place))?;
                Ok(found.map(Cluster::Imported))
            }
            None => self.by_tag(named),
        }
    }

    /// A cluster by its identifier: what was imported before somebody's own, so that nobody takes its place.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn by_uuid(&self, uuid: Uuid) -> Result<Option<Cluster>, Fault> {
        let found = self.galaxies.cluster(self.store, &self.view.gate(), ClusterName::Uuid(uuid))?;
        if let Some(known) = found {
            return Ok(Some(Cluster::Imported(known)));
        }
        Ok(self.view.of_kind(KIND, None, Some(uuid))?.map(Cluster::Own))
    }

    /// A cluster by its tag. The tag of an own one has its identifier.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn by_tag(&self, tag: &str) -> Result<Option<Cluster>, Fault> {
        let Some((galaxy, name)) = named_by(tag) else { return Ok(None) };
        if let Some(Which::Uuid(uuid)) = ids::which(name)
            && let Some(own) = self.view.of_kind(KIND, None, Some(uuid))?
        {
            let body = body_of(&own.skeleton);
            let fits = text_of(body.get("type")).is_some_and(|kind| kind.eq_ignore_ascii_case(galaxy));
            return Ok(fits.then_some(Cluster::Own(own)));
        }
        let found = self.galaxies.cluster(self.store, &self.view.gate(), ClusterName::Tag(tag))?;
        Ok(found.map(Cluster::Imported))
    }

    /// Every own cluster that may be seen: one copy of each, the caller's before another's. Of those that are
    /// deleted, only where they are asked for.
    ///
    /// # Errors
    /// The store's, and what `take` returns.
    pub(crate) fn each_own(
        &self,
        deleted: bool,
        mut take: impl FnMut(Cleared<Head>, Map<String, Value>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let filter = Filter { kind: Some(KIND.to_owned()), ..Filter::default() };
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.view.heads(&filter, cursor, 500)?;
            all.extend(page.items.into_iter().map(|head| (head.uuid, head.label.owner != self.own, head.number)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        all.sort_unstable();
        all.dedup_by_key(|(uuid, ..)| *uuid);
        all.sort_unstable_by_key(|(.., number)| *number);
        for (.., number) in all {
            let Some(head) = self.view.of_kind(KIND, Some(number), None)? else { continue };
            let body = body_of(&head.skeleton);
            if flag_of(body.get("deleted")) == deleted {
                take(head, body)?;
            }
        }
        Ok(())
    }

    /// Every imported cluster of a galaxy.
    ///
    /// # Errors
    /// The store's, and what `take` returns.
    pub(crate) fn each_imported(
        &self,
        galaxy: &str,
        take: impl FnMut(Cleared<Known>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.galaxies.clusters(self.store, &self.view.gate(), galaxy, take)
    }
}
