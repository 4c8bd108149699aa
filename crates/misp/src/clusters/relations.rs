//! Relations of clusters. One of an own cluster is a part of its record, with a marking of its own, and a
//! number that it keeps; those of imported ones came with them and have none.

use super::KIND;
use super::shelf::{Cluster, Shelf};
use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::ids;
use crate::normal::merged_tags;
use crate::shape::{body_of, num, tag_names};
use manara_model::record::text_of;
use manara_model::{Cleared, Head};
use manara_store::view::View;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet, VecDeque};
use uuid::Uuid;

/// The member that has a relation's number within its cluster.
pub(super) const PLACE: &str = "place";
/// Numbers of this node, and what is worked out here.
const NOT_KEPT: &[&str] = &[
    "id",
    "galaxy_cluster_id",
    "galaxy_cluster_uuid",
    "referenced_galaxy_cluster_id",
    "sharing_group_id",
    "TargetCluster",
    "SourceCluster",
    "default",
    "Tag",
    PLACE,
];

/// What a relation is about, and how.
fn target(relation: &Map<String, Value>) -> (Option<Uuid>, String) {
    let text = |name: &str| text_of(relation.get(name)).unwrap_or_default().into_owned();
    (text("referenced_galaxy_cluster_uuid").parse().ok(), text("referenced_galaxy_cluster_type"))
}

fn place_of(relation: &Map<String, Value>) -> u32 {
    relation.get(PLACE).and_then(Value::as_u64).and_then(|place| u32::try_from(place).ok()).unwrap_or(0)
}

/// A number for one more relation. Numbers that count up would tell how many there are that are not for
/// everybody, and would be used again.
fn new_place(taken: &HashSet<u32>) -> u32 {
    loop {
        let [a, b, c, ..] = *Uuid::new_v4().as_bytes();
        let place = u32::from_be_bytes([0, a, b, c]);
        if place > 0 && !taken.contains(&place) {
            return place;
        }
    }
}

/// The relations of an own cluster, as they are kept; those that may be seen.
///
/// # Errors
/// The store's.
pub(super) fn relations_of(view: &View<'_>, head: &Cleared<Head>) -> Result<Vec<Map<String, Value>>, Fault> {
    let mut all = Vec::new();
    view.parts::<Fault>(head, 0, |part| {
        all.push(body_of(&part.raw));
        Ok(())
    })?;
    Ok(all)
}

impl Shelf<'_, '_> {
    fn relation(&self, cluster: &Cluster, relation: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        let (to, how) = target(relation);
        let group = relation.get("SharingGroup").and_then(|group| text_of(group.get("uuid"))?.parse::<Uuid>().ok());
        let group = group.and_then(|uuid| self.view.facts().numbers.get(&uuid).copied());
        let place = place_of(relation);
        let number = if place == 0 { 0 } else { ids::of_part(cluster.number(), place) };
        let aimed = to.map_or(Ok(None), |to| self.by_uuid(to))?;
        let shown = json!({
            "id": num(number), "galaxy_cluster_id": num(cluster.number()),
            "referenced_galaxy_cluster_id": num(aimed.as_ref().map_or(0, Cluster::number)),
            "referenced_galaxy_cluster_uuid": to, "referenced_galaxy_cluster_type": how, "galaxy_cluster_uuid": cluster.uuid(),
            "distribution": text_of(relation.get("distribution")).unwrap_or("3".into()), "sharing_group_id": group.map(num),
            "default": matches!(cluster, Cluster::Imported(_)),
        });
        let mut shown = shown.as_object().cloned().unwrap_or_default();
        let mut tags = Vec::new();
        for name in tag_names(relation) {
            tags.push(self.tag(name)?);
        }
        shown.insert("Tag".into(), tags.into());
        if let Some(aimed) = &aimed {
            shown.insert("TargetCluster".into(), Value::Object(self.short(aimed)));
        }
        for (name, value) in relation {
            if !shown.contains_key(name) && name != PLACE {
                shown.insert(name.clone(), value.clone());
            }
        }
        Ok(shown)
    }

    /// A cluster's relations, as they are kept.
    fn relations_kept(&self, cluster: &Cluster) -> Result<Vec<Map<String, Value>>, Fault> {
        let Cluster::Imported(known) = cluster else {
            let Cluster::Own(head) = cluster else { return Ok(Vec::new()) };
            return relations_of(self.view, head);
        };
        let of = |related: &Value| {
            let tags: Vec<Value> =
                related["tags"].as_array().into_iter().flatten().map(|name| json!({"name": name})).collect();
            let kept = json!({
                "referenced_galaxy_cluster_uuid": related["dest-uuid"], "referenced_galaxy_cluster_type": related["type"], "Tag": tags,
            });
            kept.as_object().cloned()
        };
        Ok(known.body.get("related").and_then(Value::as_array).into_iter().flatten().filter_map(of).collect())
    }

    /// A cluster's relations.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn relations(&self, cluster: &Cluster) -> Result<Vec<Value>, Fault> {
        let kept = self.relations_kept(cluster)?;
        kept.iter().map(|relation| self.relation(cluster, relation).map(Value::Object)).collect()
    }

    /// Relations of own clusters that lead to this one.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn inbound(&self, cluster: &Cluster) -> Result<Vec<Value>, Fault> {
        let mut all = Vec::new();
        for head in self.view.about(cluster.uuid(), KIND)? {
            let relations = relations_of(self.view, &head)?;
            let from = Cluster::Own(head);
            for relation in relations.iter().filter(|relation| target(relation).0 == Some(cluster.uuid())) {
                let mut shown = self.relation(&from, relation)?;
                shown.shift_remove("TargetCluster");
                shown.insert("SourceCluster".into(), Value::Object(self.short(&from)));
                all.push(Value::Object(shown));
            }
        }
        Ok(all)
    }
}

impl Context<'_> {
    /// A relation as it is kept.
    ///
    /// # Errors
    /// MISP's validation errors.
    fn relation_body(
        &self,
        given: &Map<String, Value>,
        held: Option<&Map<String, Value>>,
    ) -> Result<Map<String, Value>, Value> {
        let mut out = held.cloned().unwrap_or_default();
        for (name, value) in given.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str())) {
            out.insert(name.clone(), value.clone());
        }
        let (to, how) = target(&out);
        let to = to.ok_or_else(|| json!({"referenced_galaxy_cluster_uuid": ["Invalid UUID."]}))?;
        if how.trim().is_empty() {
            return Err(json!({"referenced_galaxy_cluster_type": ["valueNotEmpty"]}));
        }
        out.insert("referenced_galaxy_cluster_uuid".into(), to.to_string().into());
        let mut reach = if given.contains_key("distribution") { given.clone() } else { out.clone() };
        reach.entry("distribution").or_insert("0".into());
        self.reach(&reach, &mut out, "5")?;
        if given.contains_key("Tag") || held.is_none() {
            let tags = merged_tags(&Map::new(), given, false);
            out.shift_remove("Tag");
            if !tags.is_empty() {
                out.insert("Tag".into(), tags.into());
            }
        }
        Ok(out)
    }

    /// The relations that a cluster has after those were given; one that was there keeps its number.
    ///
    /// # Errors
    /// MISP's validation errors.
    pub(super) fn relations_after(
        &self,
        given: &[Value],
        held: &[Map<String, Value>],
    ) -> Result<Vec<Map<String, Value>>, Value> {
        let mut after: Vec<Map<String, Value>> = Vec::new();
        // There may be thousands: each is found by its number or by what it leads to, not by looking at all.
        let mut taken: HashSet<u32> = held.iter().map(place_of).collect();
        let mut used: HashSet<u32> = HashSet::new();
        let by_place: HashMap<u32, &Map<String, Value>> = held.iter().rev().map(|one| (place_of(one), one)).collect();
        let mut by_target: HashMap<(Option<Uuid>, String), VecDeque<usize>> = HashMap::new();
        held.iter().enumerate().for_each(|(n, one)| by_target.entry(target(one)).or_default().push_back(n));
        for given in given.iter().filter_map(Value::as_object) {
            let number = text_of(given.get("id")).and_then(|id| id.parse().ok()).and_then(ids::part);
            let same = match number {
                Some((_, place)) if place > 0 => by_place.get(&place).copied().filter(|_| !used.contains(&place)),
                _ => by_target.get_mut(&target(given)).and_then(|alike| {
                    while alike.front().is_some_and(|n| used.contains(&place_of(&held[*n]))) {
                        alike.pop_front();
                    }
                    alike.pop_front().map(|n| &held[n])
                }),
            };
            let mut kept = self.relation_body(given, same)?;
            if same.is_none() {
                let place = new_place(&taken);
                taken.insert(place);
                kept.insert(PLACE.into(), place.into());
            }
            used.insert(place_of(&kept));
            after.push(kept);
        }
        Ok(after)
    }

    /// The own cluster of a relation's number, and the relation's place there.
    fn relation_named(&self) -> Result<(String, u32), Fault> {
        let number = self.call.arg(0).and_then(|id| id.parse().ok()).and_then(ids::part);
        let (cluster, place) = number.filter(|(_, place)| *place > 0).ok_or_else(|| Fault::missing("relation"))?;
        Ok((cluster.to_string(), place))
    }

    fn relation_answer(&self, text: &str, cluster: Uuid, place: Option<u32>) -> Result<Answer, Fault> {
        let mut said = saved(text, &self.call.url, None);
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        if let (Some(place), Some(cluster)) = (place, shelf.by_uuid(cluster)?) {
            let all = shelf.relations(&cluster)?;
            let number = num(ids::of_part(cluster.number(), place));
            said["GalaxyClusterRelation"] = all.into_iter().find(|one| one["id"] == number).unwrap_or_default();
        }
        Ok(Answer::json(&said))
    }

    /// `galaxyClusterRelations/add`
    pub fn relations_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("GalaxyClusterRelation")?;
        let named = ["galaxy_cluster_uuid", "galaxy_cluster_id"].iter().find_map(|name| text_of(given.get(*name)));
        let mut place = None;
        let cluster = self.change_cluster(&named.unwrap_or_default(), |body, relations| {
            let unsaved = |errors| Fault::unsaved("add", "GalaxyClusterRelation", errors);
            let mut new = self.relation_body(&given, None).map_err(unsaved)?;
            let number = new_place(&relations.iter().map(place_of).collect());
            new.insert(PLACE.into(), number.into());
            relations.push(new);
            place = Some(number);
            self.touch_cluster(body);
            Ok(())
        })?;
        self.relation_answer("Relationship added.", cluster, place)
    }

    /// `galaxyClusterRelations/edit/ID`
    pub fn relations_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("GalaxyClusterRelation")?;
        let (named, place) = self.relation_named()?;
        let cluster = self.change_cluster(&named, |body, relations| {
            self.touch_cluster(body);
            let held = relations.iter_mut().find(|one| place_of(one) == place);
            let held = held.ok_or_else(|| Fault::missing("relation"))?;
            let unsaved = |errors| Fault::unsaved("edit", "GalaxyClusterRelation", errors);
            *held = self.relation_body(&given, Some(held)).map_err(unsaved)?;
            Ok(())
        })?;
        self.relation_answer("Relationship changed.", cluster, Some(place))
    }

    /// `galaxyClusterRelations/delete/ID`
    pub fn relations_delete(&self) -> Result<Answer, Fault> {
        let (named, place) = self.relation_named()?;
        let cluster = self.change_cluster(&named, |body, relations| {
            self.touch_cluster(body);
            let before = relations.len();
            relations.retain(|one| place_of(one) != place);
            if relations.len() == before { Err(Fault::missing("relation")) } else { Ok(()) }
        })?;
        self.relation_answer("Relationship deleted.", cluster, None)
    }
}
