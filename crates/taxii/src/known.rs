//! What the markings mean that an envelope's objects refer to, where their definitions came before it.

use crate::collections::Collection;
use manara_formats::StixDefinitions;
use manara_model::{Audience, Purpose};
use manara_store::collections::{Versions, Wanted};
use manara_store::{Store, StoreError};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use uuid::Uuid;

const DEFINITION: &str = "marking-definition";
/// Definitions that are looked for at once: nobody has more, and who sends thousands keeps no one waiting.
const MOST: usize = 500;
/// Versions of definitions that are read at once.
const RUN: usize = 500;

/// What an envelope's own definitions say. One that was here before under the same identifier counts as well: the
/// strictest of them holds.
pub(crate) fn of_envelope(
    store: &Store,
    collection: &Collection,
    objects: &[&RawValue],
) -> Result<StixDefinitions, StoreError> {
    let mut defined = StixDefinitions::among(objects.iter().map(|raw| raw.get()));
    let own: BTreeSet<String> = defined.ids().map(str::to_owned).collect();
    look_up(store, collection, &own, &mut defined)?;
    Ok(defined)
}

/// Notes what these references mean, as far as the collection or the node's records tell.
pub(crate) fn look_up(
    store: &Store,
    collection: &Collection,
    references: &BTreeSet<String>,
    defined: &mut StixDefinitions,
) -> Result<(), StoreError> {
    let of = |reference: &String| -> Option<Uuid> { reference.rsplit_once("--")?.1.trim().parse().ok() };
    let uuids: BTreeSet<Uuid> = references.iter().filter_map(of).take(MOST).collect();
    if uuids.is_empty() {
        return Ok(());
    }
    // Nothing of this leaves: it decides how far what came may go.
    let view = store.view(Audience::Node, Purpose::Read)?;
    let ids = uuids.iter().map(|uuid| (DEFINITION.to_owned(), *uuid)).collect();
    let mut wanted = Wanted { ids, versions: Versions::All, after: i64::MIN, ..Wanted::default() };
    loop {
        let page = view.boxed(collection.row, &wanted, RUN, true)?;
        page.objects.iter().for_each(|object| defined.note(&object.raw));
        match page.last {
            Some(last) if page.more => wanted.after = last,
            _ => break,
        }
    }
    for uuid in uuids {
        if defined.know(&format!("{DEFINITION}--{uuid}")) {
            continue;
        }
        if let Some(head) = view.record(uuid)?.filter(|head| head.kind.as_str() == DEFINITION) {
            view.parts(&head, 0, |part| {
                defined.note(&part.raw);
                Ok::<(), StoreError>(())
            })?;
        }
    }
    Ok(())
}
