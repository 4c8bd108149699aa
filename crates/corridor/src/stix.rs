//! A record as STIX objects, one by one, for those who keep them apart: collections.

use crate::Result;
use manara_formats::{HeldBack, WriteOptions, Writer, stix_bundle, stix_writer};
use manara_model::dangling::{self, Reference};
use manara_model::{Cleared, Head, OrgId, Part, Slot};
use manara_store::view::View;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::rc::Rc;
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
    let hidden = RefCell::new(Hidden::new(view));
    hidden.borrow_mut().within(head);
    let mut give = |raw: &str| {
        let mut raw = Cow::Borrowed(raw);
        if hidden.borrow_mut().take_out(&mut raw)? { take(&raw) } else { Ok(()) }
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
        hidden.borrow_mut().shown(&part);
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

/// A writer of a bundle for the view's audience: references to what it may not see are taken out, as of
/// [`stix_objects`].
pub(crate) fn bundle_writer<'w>(
    view: &'w View<'_>,
    options: WriteOptions,
    out: Box<dyn Write + 'w>,
) -> Box<dyn Writer + 'w> {
    let hidden = Rc::new(RefCell::new(Hidden::new(view)));
    let asked = Rc::clone(&hidden);
    let sieve = move |raw: &mut Cow<'_, str>| asked.borrow_mut().take_out(raw);
    Box::new(BundleWriter { writer: stix_bundle(out, options, Box::new(sieve)), hidden })
}

struct BundleWriter<'w, 's> {
    writer: Box<dyn Writer + 'w>,
    hidden: Rc<RefCell<Hidden<'w, 's>>>,
}

impl Writer for BundleWriter<'_, '_> {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        self.hidden.borrow_mut().within(head);
        self.writer.head(head)
    }

    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        self.hidden.borrow_mut().shown(part);
        self.writer.part(part)
    }

    fn end(&mut self) -> io::Result<()> {
        self.writer.end()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.finish()
    }

    fn held_back(&self) -> HeldBack {
        self.writer.held_back()
    }
}

/// Identifiers of which it is remembered whether they are hidden: those of what is named often.
const REMEMBERED: usize = 50_000;

/// What the view's audience may not see, as far as it was asked.
struct Hidden<'v, 's> {
    view: &'v View<'s>,
    /// Who speaks: what others keep to themselves hides nothing of what one says.
    owner: OrgId,
    known: HashMap<Uuid, bool>,
}

impl<'v, 's> Hidden<'v, 's> {
    fn new(view: &'v View<'s>) -> Self {
        Hidden { view, owner: OrgId(Uuid::nil()), known: HashMap::new() }
    }

    /// A record begins. What the audience sees of it is not hidden.
    fn within(&mut self, head: &Cleared<Head>) {
        if self.owner != head.label.owner || self.known.len() > REMEMBERED {
            (self.owner, self.known) = (head.label.owner, HashMap::new());
        }
        self.known.insert(head.uuid, false);
    }

    /// A part of it that the audience sees.
    fn shown(&mut self, part: &Cleared<Part>) {
        if let Some(uuid) = part.uuid {
            self.known.insert(uuid, false);
        }
    }

    /// Takes out of an object what refers to something hidden; false: nothing may be left of it.
    fn take_out(&mut self, raw: &mut Cow<'_, str>) -> io::Result<bool> {
        let secret = self.among(raw).map_err(io::Error::other)?;
        Ok(secret.is_empty() || dangling::without(raw.to_mut(), &secret))
    }

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
