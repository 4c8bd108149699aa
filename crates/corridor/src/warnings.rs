//! The node's warning lists: compiled from the knowledge that it holds, again when that changes.

use crate::Result;
use crate::galaxies::{Galaxies, GalaxyCache};
use manara_model::warninglist::WarningLists;
use manara_model::{Audience, Purpose};
use manara_store::Store;
use manara_store::view::Filter;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the compiled lists, and the index of galaxies: what a process knows of the node's knowledge.
#[derive(Default)]
pub struct WarningCache {
    lists: Mutex<Option<(i64, Arc<WarningLists>)>>,
    galaxies: GalaxyCache,
}

impl WarningCache {
    /// The lists as they are now. What is on them is the node's knowledge, not somebody's record: they
    /// are applied for every audience, and only their names are shown.
    ///
    /// # Errors
    /// The store's.
    pub fn get(&self, store: &Store) -> Result<Arc<WarningLists>> {
        let view = store.view(Audience::Node, Purpose::Read)?;
        let filter = Filter { kind: Some("warninglist".into()), ..Filter::default() };
        // Lists that somebody switched off: see the entries `switch`.
        let switches = store.entries("switch")?;
        let changed: i64 = switches.iter().map(|switch| switch.modified ^ switch.id).sum();
        let off = |uuid: uuid::Uuid| {
            let name = format!("warninglist/{uuid}");
            switches.iter().any(|switch| switch.name == name && switch.body["enabled"] == false)
        };
        let newest = view.newest(&filter)?.wrapping_add(changed);
        let mut kept = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, lists)) = kept.as_ref()
            && *version == newest
        {
            return Ok(Arc::clone(lists));
        }
        let mut bodies = Vec::new();
        let mut cursor = None;
        loop {
            let page = view.heads_with_bodies(&filter, cursor, 50)?;
            bodies.extend(page.items.iter().filter(|head| !off(head.uuid)).map(|head| head.skeleton.clone()));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let (lists, _errors) = WarningLists::from_bodies(&bodies);
        let lists = Arc::new(lists);
        *kept = Some((newest, Arc::clone(&lists)));
        Ok(lists)
    }

    /// The galaxies as they are now.
    ///
    /// # Errors
    /// The store's.
    pub fn galaxies(&self, store: &Store) -> Result<Arc<Galaxies>> {
        self.galaxies.get(store)
    }
}
