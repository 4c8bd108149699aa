//! Keeping saved searches: each record that came or changed is looked at once, and what finds it holds it from then
//! on. Who reads a search first sees to it that nothing waits to be looked at.

use crate::collections::Collection;
use crate::searches::Search;
use crate::time;
use manara_corridor::stix_objects;
use manara_formats::{StixName, WriteOptions};
use manara_model::{Audience, Purpose};
use manara_store::collections::{Filled, Joining, object_key};
use manara_store::view::View;
use manara_store::{Store, StoreError};
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Records that are looked at in one go.
const RUN: usize = 200;
/// And objects of them: an event of a million attributes is written by itself.
const OBJECTS: usize = 50_000;
/// Who looks has this long between two signs of life.
const LEASE: Duration = Duration::from_secs(120);
/// Its name.
const NAME: &str = "searches";
/// Between two looks whether another is done.
const PAUSE: Duration = Duration::from_millis(20);

/// What every search's objects are written with.
pub(crate) fn options(store: &Store, search: &Search) -> Result<WriteOptions, StoreError> {
    Ok(WriteOptions {
        types: search.types(),
        undetected: true,
        kept_tags: store.kept_tags()?,
        now: jiff::Timestamp::now().as_millisecond(),
        ..WriteOptions::default()
    })
}

/// Looks at what came since the last time, for so long at most; true: nothing waits.
///
/// # Errors
/// The store's.
pub fn gather(store: &Store, most: Duration) -> Result<bool, StoreError> {
    gather_told(store, most, &mut |_| {})
}

/// The same, telling how many records were looked at.
///
/// # Errors
/// The store's.
pub fn gather_told(store: &Store, most: Duration, tell: &mut dyn FnMut(usize)) -> Result<bool, StoreError> {
    let began = Instant::now();
    let holder = Uuid::new_v4().to_string();
    loop {
        if !waits(store)? {
            return Ok(true);
        }
        if store.lease(NAME, &holder, LEASE)? {
            break;
        }
        // Another is at it.
        if began.elapsed() >= most {
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
    let done = look(store, &holder, began, most, tell);
    store.release(NAME, &holder)?;
    done
}

fn waits(store: &Store) -> Result<bool, StoreError> {
    Ok(!store.fresh(1)?.is_empty() || searches(store)?.iter().any(|(collection, _)| collection.filled.is_some()))
}

/// The saved searches.
fn searches(store: &Store) -> Result<Vec<(Collection, Search)>, StoreError> {
    let all = Collection::all(store)?.into_iter().filter(|one| !one.changing);
    Ok(all.filter_map(|one| one.is.search.clone().map(|search| (one, search))).collect())
}

fn look(
    store: &Store,
    holder: &str,
    began: Instant,
    most: Duration,
    tell: &mut dyn FnMut(usize),
) -> Result<bool, StoreError> {
    let mut looked = 0;
    let mut prolonged = Instant::now();
    loop {
        if prolonged.elapsed() > LEASE / 4 {
            if !store.lease(NAME, holder, LEASE)? {
                return Ok(false);
            }
            prolonged = Instant::now();
        }
        let searches = searches(store)?;
        // Where nobody asks, nothing has to be looked at.
        let fresh = store.fresh(if searches.is_empty() { 50 * RUN } else { RUN })?;
        if !fresh.is_empty() {
            // In the order in which they first came.
            let records: BTreeSet<i64> = fresh.iter().map(|(_, record)| *record).collect();
            looked += records.len();
            let joining = join(store, &searches, records.into_iter())?;
            store.looked_at(joining, fresh.into_iter().map(|(seq, _)| seq).collect(), None)?;
        } else if let Some((collection, search)) = searches.into_iter().find(|(one, _)| one.filled.is_some()) {
            let after = collection.filled.unwrap_or(0);
            let records = store.records_after(after, RUN)?;
            looked += records.len();
            let asked = search.text().to_owned();
            let filled = Filled { collection: collection.row, asked, up_to: records.last().copied() };
            let joining = join(store, &[(collection, search)], records.into_iter())?;
            store.looked_at(joining, Vec::new(), Some(filled))?;
        } else {
            return Ok(true);
        }
        tell(looked);
        if began.elapsed() >= most {
            return Ok(false);
        }
    }
}

/// Looks at records for searches; what of it is not written yet.
fn join(
    store: &Store,
    searches: &[(Collection, Search)],
    records: impl Iterator<Item = i64>,
) -> Result<Vec<Joining>, StoreError> {
    if searches.is_empty() {
        return Ok(Vec::new());
    }
    let mut written = Vec::with_capacity(searches.len());
    for (_, search) in searches {
        written.push(options(store, search)?);
    }
    let (mut joining, mut objects) = (Vec::new(), 0);
    for record in records {
        // Nothing of this leaves: which objects there are is noted, and who may see them is asked when they are read.
        let view = store.view(Audience::Node, Purpose::Read)?;
        let head = view.record_at(record)?;
        let mut known: HashMap<Option<BTreeSet<_>>, Option<Objects>> = HashMap::new();
        for ((collection, search), options) in searches.iter().zip(&written) {
            let mut one = Joining {
                collection: collection.row,
                record,
                asked: search.text().to_owned(),
                version: 0,
                objects: None,
            };
            if let Some(head) = head.as_ref().filter(|head| search.wants(head)) {
                one.version = head.version;
                one.objects = match known.get(&options.types) {
                    Some(known) => known.clone(),
                    None => {
                        let found = objects_of(&view, head, options)?;
                        known.insert(options.types.clone(), found.clone());
                        found
                    }
                };
            }
            objects += one.objects.as_ref().map_or(0, Vec::len);
            joining.push(one);
        }
        drop(view);
        if objects > OBJECTS {
            store.looked_at(std::mem::take(&mut joining), Vec::new(), None)?;
            objects = 0;
        }
    }
    Ok(joining)
}

/// Objects by their keys, with their versions.
type Objects = Vec<([u8; 16], i64)>;

fn objects_of(
    view: &View<'_>,
    head: &manara_model::Cleared<manara_model::Head>,
    options: &WriteOptions,
) -> Result<Option<Objects>, StoreError> {
    let mut objects = Vec::new();
    let wanted = stix_objects(view, head, options, &mut |raw| {
        objects.push(match StixName::of(raw) {
            Ok(facts) => (object_key(&format!("{}--{}", facts.kind, facts.uuid)), version(&facts)),
            // It has its time all the same.
            Err(_) => (object_key(raw), 0),
        });
        Ok(())
    });
    match wanted {
        Ok(wanted) => Ok((wanted && !objects.is_empty()).then_some(objects)),
        Err(error) => Err(StoreError::Invalid(error.to_string())),
    }
}

/// An object's version, Unix microseconds; 0: it has none.
pub(crate) fn version(facts: &StixName) -> i64 {
    facts.version.as_deref().and_then(time::read).unwrap_or(0)
}
