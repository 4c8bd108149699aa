//! `Galaxy` blocks: the galaxies whose clusters' tags stand on an event or an attribute. A tag is looked up
//! once, however many attributes have it.

use super::named_by;
use super::shelf::{Shelf, Shown};
use crate::answer::Fault;
use crate::shape::num;
use manara_model::record::{flag_of, text_of};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A galaxy with clusters of it, and how often they were counted.
type Block = (Map<String, Value>, u64, Vec<Value>);

impl Shelf<'_, '_> {
    /// The cluster that a tag is of, with its galaxy; remembered.
    fn on_tag(&self, tag: &str) -> Result<Option<Rc<Shown>>, Fault> {
        if named_by(tag).is_none() {
            return Ok(None);
        }
        let key = tag.to_lowercase();
        if let Some(known) = self.shown.borrow().get(&key) {
            return Ok(known.clone());
        }
        let found = self.by_tag(tag)?.and_then(|cluster| {
            let mut shown = self.short(&cluster);
            if flag_of(shown.get("deleted")) {
                return None;
            }
            let (org, orgc) = self.orgs(&cluster);
            shown.insert("Org".into(), org);
            shown.insert("Orgc".into(), orgc);
            shown.insert("meta".into(), cluster.meta());
            Some(Rc::new((shown, self.galaxy_of(&cluster))))
        });
        self.shown.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    /// Galaxies of the tags on something, each with its clusters. `number` tells the number of a tag's place
    /// there, which stands in `name`.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn blocks(
        &self,
        tags: &[Value],
        name: &str,
        number: impl Fn(usize) -> i64,
    ) -> Result<Vec<Value>, Fault> {
        let mut blocks: Vec<(Map<String, Value>, Vec<Value>)> = Vec::new();
        for (n, tag) in tags.iter().enumerate() {
            let Some(found) = self.on_tag(tag["name"].as_str().unwrap_or_default())? else { continue };
            let (cluster, galaxy) = found.as_ref();
            let mut shown = cluster.clone();
            shown.insert("tag_id".into(), tag["id"].clone());
            shown.insert(name.into(), num(number(n)));
            shown.insert("local".into(), flag_of(tag.get("local")).into());
            shown.insert("relationship_type".into(), text_of(tag.get("relationship_type")).unwrap_or_default().into());
            let same = |block: &&mut (Map<String, Value>, Vec<Value>)| block.0.get("type") == galaxy.get("type");
            match blocks.iter_mut().find(same) {
                Some((_, clusters)) => clusters.push(Value::Object(shown)),
                None => blocks.push((galaxy.clone(), vec![Value::Object(shown)])),
            }
        }
        Ok(blocks
            .into_iter()
            .map(|(mut galaxy, clusters)| {
                galaxy.insert("GalaxyCluster".into(), clusters.into());
                Value::Object(galaxy)
            })
            .collect())
    }
}

/// What counted tags say: `context` tells of taxonomies, galaxies and other tags, `attack` of techniques and
/// of tags whose technique is not known here.
///
/// # Errors
/// The store's.
pub(crate) fn counted(shelf: &Shelf<'_, '_>, tags: &BTreeMap<String, u64>, attack: bool) -> Result<Value, Fault> {
    let mut galaxies: BTreeMap<String, Block> = BTreeMap::new();
    let mut taxonomies: BTreeMap<&str, (u64, Vec<Value>)> = BTreeMap::new();
    let mut others = Vec::new();
    for (tag, count) in tags {
        if let Some(found) = shelf.on_tag(tag)? {
            let (cluster, galaxy) = found.as_ref();
            let of = |name: &str| cluster.get(name).cloned().unwrap_or_default();
            let mut line = json!({"id": of("id"), "uuid": of("uuid"), "value": of("value"), "tag_name": of("tag_name"), "count": count});
            if attack {
                line["external_id"] = cluster["meta"]["external_id"][0].clone();
                line["kill_chain"] = cluster["meta"]["kill_chain"].clone();
            }
            let kind = text_of(galaxy.get("type")).unwrap_or_default().into_owned();
            let (_, total, lines) = galaxies.entry(kind).or_insert_with(|| (galaxy.clone(), 0, Vec::new()));
            *total += count;
            lines.push(line);
            continue;
        }
        let line = json!({"name": tag, "count": count});
        match tag.split_once(':').filter(|(space, _)| !space.is_empty() && named_by(tag).is_none()) {
            Some((space, _)) => {
                let (total, lines) = taxonomies.entry(space).or_default();
                *total += count;
                lines.push(line);
            }
            None => others.push(line),
        }
    }
    let galaxies: Vec<Value> = galaxies
        .into_values()
        .map(|(mut galaxy, total, lines)| {
            galaxy.insert("count".into(), total.into());
            galaxy.insert("GalaxyCluster".into(), lines.into());
            Value::Object(galaxy)
        })
        .collect();
    if attack {
        return Ok(json!({"galaxies": galaxies, "tags": others}));
    }
    let taxonomies: Vec<Value> = taxonomies
        .into_iter()
        .map(|(space, (total, lines))| json!({"namespace": space, "count": total, "tags": lines}))
        .collect();
    Ok(json!({"taxonomies": taxonomies, "galaxies": galaxies, "tags": others}))
}
