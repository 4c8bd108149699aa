//! The node's galaxies: an index over the knowledge that it holds, made again when that changes.
//!
//! A galaxy may have thousands of clusters, of which few are asked for. What is kept is which they are, and
//! where each stands in the text of its record; texts are kept while they are asked for. What is handed out
//! is cleared, as the record that it stands in.

use crate::Result;
use manara_model::policy::{Labelled, Redactor};
use manara_model::{Audience, Cleared, Gate, Head, Label, Purpose, ids};
use manara_store::view::Filter;
use manara_store::{Store, StoreError};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The kind of record that describes a galaxy.
pub const GALAXY: &str = "galaxy";
/// The kind of record that has a galaxy's clusters.
pub const CLUSTERS: &str = "galaxy-clusters";
/// Bytes of texts that are kept; one is kept whatever its size.
const TEXTS: usize = 32 << 20;
/// Records that are read at once: their texts are long.
const PAGE: u32 = 8;

/// A galaxy, or a cluster of one, as it was imported.
#[derive(Debug, Clone)]
pub struct Known {
    /// The number that people know its record by.
    pub number: i64,
    /// Its record's row.
    pub row: i64,
    /// A cluster's place in its record.
    pub place: u32,
    /// Its identifier; of a cluster that has none, one made of its name.
    pub uuid: Uuid,
    /// The type of its galaxy, e.g. `threat-actor`.
    pub kind: String,
    /// Identifier of its record.
    pub record: Uuid,
    /// What its record says, without the clusters in it.
    pub about: Arc<Map<String, Value>>,
    /// What it says itself; of a galaxy nothing.
    pub body: Map<String, Value>,
    label: Label,
}

impl Labelled for Known {
    fn label(&self) -> &Label {
        &self.label
    }

    /// Knowledge speaks of no persons of ours, and of nothing that its holder has besides.
    fn redact(&mut self, _redactor: &Redactor<'_>) {}
}

/// Where a cluster stands in its record's text.
struct Place {
    uuid: Uuid,
    from: usize,
    to: usize,
}

struct Record {
    head: Known,
    places: Vec<Place>,
}

/// What is known of one type: descriptions and lists of clusters, newest first. Two organisations may have
/// brought the same one in, and not everybody may see both.
#[derive(Default)]
struct Galaxy {
    descriptions: Vec<Record>,
    clusters: Vec<Record>,
}

/// A galaxy, its list of clusters, a place in it.
type At = (usize, usize, usize);

/// The index. See the module.
#[derive(Default)]
pub struct Galaxies {
    version: (i64, i64),
    galaxies: Vec<Galaxy>,
    by_uuid: HashMap<Uuid, Vec<At>>,
    by_tag: HashMap<String, Vec<At>>,
    by_row: HashMap<i64, (usize, usize)>,
    texts: Mutex<VecDeque<(i64, Arc<str>)>>,
}

/// What a cluster is asked for by.
#[derive(Debug, Clone, Copy)]
pub enum ClusterName<'n> {
    /// Its identifier.
    Uuid(Uuid),
    /// Its tag: `misp-galaxy:TYPE="NAME"`, in any case.
    Tag(&'n str),
    /// Its record's row, and its place there.
    Place(i64, u32),
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    uuid: Value,
    #[serde(default)]
    value: Value,
}

fn text(value: Option<&Value>) -> String {
    manara_model::record::text_of(value).unwrap_or_default().into_owned()
}

/// The type that a record is of, its members but its clusters, and where those stand in its text.
fn taken_apart(skeleton: &str) -> (String, Map<String, Value>, Vec<(Place, String)>) {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(skeleton).unwrap_or_default();
    let values = members.remove("values").map(RawValue::get).unwrap_or("[]");
    let about: Map<String, Value> =
        members.into_iter().map(|(name, raw)| (name, serde_json::from_str(raw.get()).unwrap_or_default())).collect();
    let kind = text(about.get("type"));
    let mut places = Vec::new();
    for raw in serde_json::from_str::<Vec<&RawValue>>(values).unwrap_or_default() {
        let Ok(named) = serde_json::from_str::<Named>(raw.get()) else { continue };
        let value = text(Some(&named.value));
        let uuid = named.uuid.as_str().and_then(|uuid| uuid.parse().ok());
        let from = raw.get().as_ptr() as usize - skeleton.as_ptr() as usize;
        let place = Place {
            uuid: uuid.unwrap_or_else(|| ids::derived(&["cluster", &kind, &value])),
            from,
            to: from + raw.get().len(),
        };
        places.push((place, value));
    }
    (kind, about, places)
}

impl Galaxies {
    fn load(store: &Store, version: (i64, i64)) -> Result<Galaxies> {
        let view = store.view(Audience::Node, Purpose::Read)?;
        let mut of_type: BTreeMap<String, (Galaxy, Vec<Vec<String>>)> = BTreeMap::new();
        for kind in [GALAXY, CLUSTERS] {
            let filter = Filter { kind: Some(kind.into()), ..Filter::default() };
            let mut cursor = None;
            loop {
                let page = view.heads_with_bodies(&filter, cursor, PAGE)?;
                for head in &page.items {
                    let (record, names) = Self::record(head);
                    let (galaxy, all) = of_type.entry(record.head.kind.clone()).or_default();
                    if kind == GALAXY {
                        galaxy.descriptions.push(record);
                    } else {
                        galaxy.clusters.push(record);
                        all.push(names);
                    }
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        let mut index = Galaxies { version, ..Galaxies::default() };
        for (at, (kind, (galaxy, names))) in of_type.into_iter().enumerate() {
            for (list, (record, names)) in galaxy.clusters.iter().zip(&names).enumerate() {
                index.by_row.insert(record.head.row, (at, list));
                for (n, (place, name)) in record.places.iter().zip(names).enumerate() {
                    index.by_uuid.entry(place.uuid).or_default().push((at, list, n));
                    let tag = format!("misp-galaxy:{kind}=\"{name}\"").to_lowercase();
                    index.by_tag.entry(tag).or_default().push((at, list, n));
                }
            }
            index.galaxies.push(galaxy);
        }
        Ok(index)
    }

    fn record(head: &Cleared<Head>) -> (Record, Vec<String>) {
        let (kind, about, places) = taken_apart(&head.skeleton);
        let (places, names) = places.into_iter().unzip();
        let known = Known {
            number: head.number,
            row: head.row,
            place: 0,
            uuid: head.uuid,
            kind,
            record: head.uuid,
            about: Arc::new(about),
            body: Map::new(),
            label: head.label.clone(),
        };
        (Record { head: known, places }, names)
    }

    /// Which of several is shown: the audience's own before another's, the newest first.
    fn may<'r>(gate: &Gate<'_>, records: &'r [Record]) -> Option<&'r Record> {
        let own = |record: &&Record| gate.audience().org() == Some(record.head.label.owner);
        let allowed = |record: &&Record| gate.judge(&record.head.label).allowed();
        records.iter().filter(allowed).find(own).or_else(|| records.iter().find(allowed))
    }

    fn seen(&self, gate: &Gate<'_>, galaxy: &Galaxy) -> Option<Cleared<Known>> {
        // One whose description is not here is known by its clusters alone.
        let record = Self::may(gate, &galaxy.descriptions).or_else(|| Self::may(gate, &galaxy.clusters))?;
        gate.clear(record.head.clone()).ok()
    }

    /// The galaxies that may be seen, in the order in which they came.
    #[must_use]
    pub fn all(&self, gate: &Gate<'_>) -> Vec<Cleared<Known>> {
        let mut all: Vec<_> = self.galaxies.iter().filter_map(|galaxy| self.seen(gate, galaxy)).collect();
        all.sort_by_key(|known| known.number);
        all
    }

    /// One of them, by its number, identifier, type or name.
    #[must_use]
    pub fn galaxy(&self, gate: &Gate<'_>, named: &str) -> Option<Cleared<Known>> {
        let is = |known: &Cleared<Known>| {
            known.kind == named
                || known.number.to_string() == named
                || known.uuid.to_string().eq_ignore_ascii_case(named)
                || text(known.about.get("name")) == named
        };
        self.galaxies.iter().filter_map(|galaxy| self.seen(gate, galaxy)).find(is)
    }

    /// The galaxy of this type.
    #[must_use]
    pub fn of_type(&self, gate: &Gate<'_>, kind: &str) -> Option<Cleared<Known>> {
        let of = |galaxy: &&Galaxy| {
            galaxy.descriptions.iter().chain(&galaxy.clusters).next().is_some_and(|record| record.head.kind == kind)
        };
        self.galaxies.iter().find(of).and_then(|galaxy| self.seen(gate, galaxy))
    }

    /// Every cluster of a type that may be seen, in order.
    ///
    /// # Errors
    /// The store's, and what `take` returns.
    pub fn clusters<E: From<StoreError>>(
        &self,
        store: &Store,
        gate: &Gate<'_>,
        kind: &str,
        mut take: impl FnMut(Cleared<Known>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let of = |galaxy: &&Galaxy| galaxy.clusters.first().is_some_and(|record| record.head.kind == kind);
        let Some(galaxy) = self.galaxies.iter().find(of) else { return Ok(()) };
        let Some(record) = Self::may(gate, &galaxy.clusters) else { return Ok(()) };
        let Some(whole) = self.text(store, &record.head)? else { return Ok(()) };
        for n in 0..record.places.len() {
            if let Some(cluster) = Self::read(gate, record, n, &whole) {
                take(cluster)?;
            }
        }
        Ok(())
    }

    /// A cluster.
    ///
    /// # Errors
    /// The store's.
    pub fn cluster(
        &self,
        store: &Store,
        gate: &Gate<'_>,
        named: ClusterName<'_>,
    ) -> std::result::Result<Option<Cleared<Known>>, StoreError> {
        let at_row;
        let places: &[At] = match named {
            ClusterName::Uuid(uuid) => self.by_uuid.get(&uuid).map_or(&[], Vec::as_slice),
            ClusterName::Tag(tag) => self.by_tag.get(&tag.to_lowercase()).map_or(&[], Vec::as_slice),
            ClusterName::Place(row, place) => {
                at_row = self.by_row.get(&row).map(|(galaxy, list)| (*galaxy, *list, place as usize));
                at_row.as_slice()
            }
        };
        for (galaxy, list, n) in places {
            let record = &self.galaxies[*galaxy].clusters[*list];
            if *n >= record.places.len() || !gate.judge(&record.head.label).allowed() {
                continue;
            }
            if let Some(whole) = self.text(store, &record.head)? {
                return Ok(Self::read(gate, record, *n, &whole));
            }
        }
        Ok(None)
    }

    fn read(gate: &Gate<'_>, record: &Record, n: usize, whole: &str) -> Option<Cleared<Known>> {
        let place = record.places.get(n)?;
        let body = serde_json::from_str(whole.get(place.from..place.to)?).unwrap_or_default();
        gate.clear(Known { place: n as u32, uuid: place.uuid, body, ..record.head.clone() }).ok()
    }

    /// The text of a record; `None`: it has changed since the index was made.
    fn text(&self, store: &Store, record: &Known) -> std::result::Result<Option<Arc<str>>, StoreError> {
        let kept = || self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut texts = kept();
            if let Some(at) = texts.iter().position(|(row, _)| *row == record.row)
                && let Some(found) = texts.remove(at)
            {
                texts.push_front(found.clone());
                return Ok(Some(found.1));
            }
        }
        let view = store.view(Audience::Node, Purpose::Read)?;
        let held = view.of_kind(CLUSTERS, Some(record.number), None)?.filter(|held| held.row == record.row);
        let Some(held) = held else { return Ok(None) };
        let whole: Arc<str> = held.into_inner().skeleton.into();
        let mut texts = kept();
        texts.push_front((record.row, Arc::clone(&whole)));
        while texts.len() > 1 && texts.iter().map(|(_, text)| text.len()).sum::<usize>() > TEXTS {
            texts.pop_back();
        }
        Ok(Some(whole))
    }
}

/// Keeps the newest index.
#[derive(Default)]
pub(crate) struct GalaxyCache(Mutex<Option<Arc<Galaxies>>>);

impl GalaxyCache {
    pub(crate) fn get(&self, store: &Store) -> Result<Arc<Galaxies>> {
        let view = store.view(Audience::Node, Purpose::Read)?;
        let newest = |kind: &str| view.newest(&Filter { kind: Some(kind.into()), ..Filter::default() });
        let version = (newest(GALAXY)?, newest(CLUSTERS)?);
        drop(view);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = kept.as_ref()
            && index.version == version
        {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(Galaxies::load(store, version)?);
        *kept = Some(Arc::clone(&index));
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_stands_where_the_index_says() {
        let text = r#"{"type":"t","values":[{"value":"A \"b\"","uuid":"5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219"}, {"value":"ж"}],"name":"n"}"#;
        let (kind, about, places) = taken_apart(text);
        assert_eq!(kind, "t");
        assert_eq!(Value::Object(about), serde_json::json!({"type": "t", "name": "n"}));
        let cut: Vec<&str> = places.iter().map(|(place, _)| &text[place.from..place.to]).collect();
        assert_eq!(cut[1], r#"{"value":"ж"}"#);
        assert_eq!(places[0].1, "A \"b\"");
        assert_eq!(places[0].0.uuid.to_string(), "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219");
        assert_eq!(places[1].0.uuid, ids::derived(&["cluster", "t", "ж"]));
    }
}
