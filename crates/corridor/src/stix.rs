//! A record as STIX objects, one by one, for those who keep them apart: collections.

use crate::Result;
use manara_formats::{WriteOptions, Writer, stix_writer};
use manara_model::dangling::{self, Reference};
use manara_model::{Cleared, Head, OrgId, Part, Slot};
use manara_store::view::View;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io;
use uuid::Uuid;

/// Gives the STIX objects that a record becomes for the view's audience, each once; false: nothing in it is of the
/// types that are wanted. References to what the audience may not see are taken out, and with them objects that
/// say nothing else.
///
/// # Errors
/// The store's, and the taker's.
pub fn stix_objects(
    view: &View<'_>,
    head: &Cleared<Head>,
    options: &WriteOptions,
    take: &mut dyn FnMut(&str) -> io::Result<()>,
) -> Result<bool> {
    // What the audience sees of the record itself is not hidden.
    let hidden = RefCell::new(Hidden { view, owner: head.label.owner, known: HashMap::from([(head.uuid, false)]) });
    let mut give = |raw: &str| {
        let secret = hidden.borrow_mut().among(raw).map_err(io::Error::other)?;
        if secret.is_empty() {
            return take(raw);
        }
        let mut raw = raw.to_owned();
        if dangling::without(&mut raw, &secret) { take(&raw) } else { Ok(()) }
    };
    // A list is of many values, of which those that are wanted are written; an object of an event is whole or not there.
    let of_writer = if head.kind == "list" { options.types.clone() } else { None };
    let mut writer = stix_writer(WriteOptions { types: of_writer, state_marking: true, ..options.clone() }, &mut give);
    let is_wanted = |part: &Part| {
        let types = options.types.as_ref();
        types.is_none_or(|types| part.found.iter().any(|found| types.contains(&found.observable.ty())))
    };
    let mut wanted = options.types.is_none();
    // An object with its attributes so far, and whether one of them is wanted.
    let (mut family, mut family_wanted): (Vec<Cleared<Part>>, bool) = (Vec::new(), false);
    writer.head(head)?;
    view.parts_in_order::<crate::Error>(head, |part| {
        if let Some(uuid) = part.uuid {
            hidden.borrow_mut().known.insert(uuid, false);
        }
        if part.slot != Slot::ObjectAttribute {
            end_family(&mut family, family_wanted, writer.as_mut())?;
            family_wanted = false;
        }
        if options.types.is_some() && matches!(part.slot, Slot::Object | Slot::ObjectAttribute) {
            family_wanted |= is_wanted(&part);
            wanted |= family_wanted;
            family.push(part);
            return Ok(());
        }
        let is_it = is_wanted(&part);
        wanted |= is_it;
        // What mentions nothing is text about the others.
        if is_it || part.found.is_empty() {
            writer.part(&part)?;
        }
        Ok(())
    })?;
    end_family(&mut family, family_wanted, writer.as_mut())?;
    writer.end()?;
    Ok(wanted)
}

/// Writes an object of which something is wanted; forgets another.
fn end_family(family: &mut Vec<Cleared<Part>>, wanted: bool, writer: &mut dyn Writer) -> io::Result<()> {
    let parts = std::mem::take(family);
    if wanted { parts.iter().try_for_each(|part| writer.part(part)) } else { Ok(()) }
}

struct Hidden<'v, 's> {
    view: &'v View<'s>,
    owner: OrgId,
    known: HashMap<Uuid, bool>,
}

impl Hidden<'_, '_> {
    /// Of the identifiers that an object refers to, those that are hidden.
    fn among(&mut self, raw: &str) -> std::result::Result<HashSet<Reference>, manara_store::StoreError> {
        let mut secret = HashSet::new();
        if self.view.sees_everything() {
            return Ok(secret);
        }
        for id in dangling::references(raw) {
            let uuid = id.1;
            let is_hidden = match self.known.get(&uuid) {
                Some(known) => *known,
                None => {
                    let is_hidden = self.view.is_hidden(uuid, self.owner)?;
                    self.known.insert(uuid, is_hidden);
                    is_hidden
                }
            };
            if is_hidden {
                secret.insert(id);
            }
        }
        Ok(secret)
    }
}
