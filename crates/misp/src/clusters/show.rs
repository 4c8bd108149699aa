//! What galaxies and clusters look like to MISP's users.

use super::own_tag;
use super::shelf::{Cluster, Shelf};
use crate::answer::Fault;
use crate::ids;
use crate::shape::{body_of, num, org_value, reference_id, tag_value};
use manara_corridor::Known;
use manara_model::record::{flag_of, text_of};
use manara_model::{Cleared, Head};
use manara_store::people::Tag;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Members of an own cluster that are shown in a place of their own.
const APART: &[&str] = &["Galaxy", "GalaxyElement", "Orgc", "SharingGroup", "event_creator_email"];

fn text(body: &Map<String, Value>, name: &str) -> String {
    text_of(body.get(name)).unwrap_or_default().into_owned()
}

/// A galaxy's members, of the node's knowledge or as a cluster brought them.
fn galaxy_of(number: i64, uuid: Value, body: &Map<String, Value>) -> Map<String, Value> {
    let or = |name: &str, default: &str| {
        text_of(body.get(name)).filter(|text| !text.is_empty()).unwrap_or(default.into()).into_owned()
    };
    let mut shown = json!({
        "id": num(number), "uuid": uuid, "name": text(body, "name"), "type": text(body, "type"),
        "description": text(body, "description"), "version": text(body, "version"), "icon": or("icon", "globe"),
        "namespace": or("namespace", "misp"), "enabled": true, "local_only": false,
    });
    if let Some(order) = body.get("kill_chain_order") {
        shown["kill_chain_order"] = order.clone();
    }
    shown.as_object_mut().map(std::mem::take).unwrap_or_default()
}

/// A galaxy.
#[must_use]
pub(crate) fn galaxy_value(known: &Cleared<Known>) -> Map<String, Value> {
    galaxy_of(known.number, json!(known.uuid), &known.about)
}

impl Cluster {
    /// Its identifier.
    pub(crate) fn uuid(&self) -> Uuid {
        match self {
            Cluster::Imported(known) => known.uuid,
            Cluster::Own(head) => head.uuid,
        }
    }

    /// Is it somebody's own?
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Cluster::Own(_))
    }

    /// Its number.
    pub(crate) fn number(&self) -> i64 {
        match self {
            Cluster::Imported(known) => ids::of_part(known.row, known.place),
            Cluster::Own(head) => head.number,
        }
    }

    /// Its tag.
    pub(crate) fn tag(&self) -> String {
        match self {
            Cluster::Imported(known) => format!("misp-galaxy:{}=\"{}\"", known.kind, text(&known.body, "value")),
            Cluster::Own(head) => own_tag(&text(&body_of(&head.skeleton), "type"), head.uuid),
        }
    }

    /// What else is said of it: names and texts, each as often as it has one.
    pub(super) fn elements(&self) -> Vec<(String, String)> {
        let mut elements = Vec::new();
        match self {
            Cluster::Imported(known) => {
                for (key, of) in known.body.get("meta").and_then(Value::as_object).into_iter().flatten() {
                    let one = std::slice::from_ref(of);
                    for value in of.as_array().map_or(one, Vec::as_slice) {
                        elements.push((key.clone(), text_of(Some(value)).unwrap_or_default().into_owned()));
                    }
                }
            }
            Cluster::Own(head) => {
                let body = body_of(&head.skeleton);
                for element in body.get("GalaxyElement").and_then(Value::as_array).into_iter().flatten() {
                    let of = |name: &str| text_of(element.get(name)).unwrap_or_default().into_owned();
                    elements.push((of("key"), of("value")));
                }
            }
        }
        elements
    }

    /// The same as MISP has it beside a cluster.
    pub(super) fn element_values(&self) -> Value {
        let id = self.number();
        let line = |(n, (key, value)): (usize, (String, String))| json!({"id": num(reference_id(id, n)), "galaxy_cluster_id": num(id), "key": key, "value": value});
        self.elements().into_iter().enumerate().map(line).collect()
    }

    /// The same as MISP has it on events: lists by name.
    pub(super) fn meta(&self) -> Value {
        let mut meta = Map::new();
        for (key, value) in self.elements() {
            let list = meta.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(value.into());
            }
        }
        Value::Object(meta)
    }
}

impl Shelf<'_, '_> {
    fn number_of(&self, org: Option<Uuid>) -> Value {
        num(org.and_then(|org| self.view.facts().numbers.get(&org).copied()).unwrap_or(0))
    }

    /// The galaxy that a cluster is in; of one that is not here, what came with the cluster.
    pub(crate) fn galaxy_of(&self, cluster: &Cluster) -> Map<String, Value> {
        let gate = self.view.gate();
        match cluster {
            Cluster::Imported(known) => {
                self.galaxies.of_type(&gate, &known.kind).as_ref().map(galaxy_value).unwrap_or_default()
            }
            Cluster::Own(head) => {
                let body = body_of(&head.skeleton);
                if let Some(known) = self.galaxies.of_type(&gate, &text(&body, "type")) {
                    return galaxy_value(&known);
                }
                let mut galaxy = body.get("Galaxy").and_then(Value::as_object).cloned().unwrap_or_default();
                galaxy.insert("type".into(), text(&body, "type").into());
                galaxy_of(0, galaxy.get("uuid").cloned().unwrap_or_default(), &galaxy)
            }
        }
    }

    /// A cluster's own members.
    pub(crate) fn short(&self, cluster: &Cluster) -> Map<String, Value> {
        let galaxy = self.galaxy_of(cluster);
        let galaxy_id = galaxy.get("id").cloned().unwrap_or_default();
        match cluster {
            Cluster::Imported(known) => imported(cluster, known, galaxy_id),
            Cluster::Own(head) => self.own(cluster, head, galaxy_id),
        }
    }

    fn own(&self, cluster: &Cluster, head: &Cleared<Head>, galaxy_id: Value) -> Map<String, Value> {
        let body = body_of(&head.skeleton);
        let uuid = |of: &Value| text_of(of.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let author = body.get("Orgc").and_then(uuid);
        let group = body.get("SharingGroup").and_then(uuid).and_then(|group| self.view.facts().numbers.get(&group));
        let extends = text_of(body.get("extends_uuid")).filter(|uuid| !uuid.is_empty());
        let shown = json!({
            "id": num(head.number), "uuid": head.uuid, "collection_uuid": text(&body, "collection_uuid"), "type": text(&body, "type"),
            "value": text(&body, "value"), "tag_name": cluster.tag(), "description": text(&body, "description"), "galaxy_id": galaxy_id,
            "source": text(&body, "source"), "authors": body.get("authors").cloned().unwrap_or_else(|| json!([])),
            "version": text(&body, "version"), "distribution": text(&body, "distribution"), "sharing_group_id": group.map(|number| num(*number)),
            "org_id": self.number_of(Some(head.label.owner.0)), "orgc_id": self.number_of(author), "default": false,
            "locked": flag_of(body.get("locked")), "extends_uuid": extends,
            "extends_version": extends.as_ref().and(text_of(body.get("extends_version"))),
            "published": flag_of(body.get("published")), "deleted": flag_of(body.get("deleted")),
        });
        let mut shown = shown.as_object().cloned().unwrap_or_default();
        if let Some(group) = body.get("SharingGroup") {
            shown.insert("SharingGroup".into(), group.clone());
        }
        for (name, value) in body {
            if !shown.contains_key(&name) && !APART.contains(&name.as_str()) {
                shown.insert(name, value);
            }
        }
        shown
    }

    /// Who holds it and who wrote it.
    pub(super) fn orgs(&self, cluster: &Cluster) -> (Value, Value) {
        match cluster {
            Cluster::Imported(_) => {
                let misp = json!({"id": "0", "name": "MISP", "uuid": "0"});
                (misp.clone(), misp)
            }
            Cluster::Own(head) => {
                let body = body_of(&head.skeleton);
                let of = |name: &str| body.get("Orgc").and_then(|orgc| text_of(orgc.get(name)));
                let author = of("uuid").and_then(|uuid| uuid.parse().ok());
                let holder = org_value(self.view, Some(head.label.owner.0), "");
                (holder, org_value(self.view, author, &of("name").unwrap_or_default()))
            }
        }
    }

    /// A cluster with everything that MISP shows of one.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn full(&self, cluster: &Cluster) -> Result<Map<String, Value>, Fault> {
        let mut shown = self.short(cluster);
        shown.insert("Galaxy".into(), Value::Object(self.galaxy_of(cluster)));
        shown.insert("GalaxyElement".into(), cluster.element_values());
        shown.insert("GalaxyClusterRelation".into(), self.relations(cluster)?.into());
        let (org, orgc) = self.orgs(cluster);
        shown.insert("Org".into(), org);
        shown.insert("Orgc".into(), orgc);
        shown.insert("RelationshipInbound".into(), self.inbound(cluster)?.into());
        let (mut count, mut number) = (0, Value::Bool(false));
        if let Some(tag) = self.view.tag(&cluster.tag())? {
            let (events, attributes) = self.view.tag_use(tag.id)?;
            count = events + attributes;
            // A tag that stands on nothing that may be seen is not told of.
            if count > 0 {
                number = num(tag.id);
            }
        }
        shown.insert("tag_count".into(), count.into());
        shown.insert("tag_id".into(), number);
        Ok(shown)
    }

    /// A tag, as it stands on a relation.
    pub(super) fn tag(&self, name: &str) -> Result<Value, Fault> {
        Ok(tag_value(&self.view.tag(name)?.unwrap_or_else(|| Tag::unknown(name))))
    }
}

fn imported(cluster: &Cluster, known: &Cleared<Known>, galaxy_id: Value) -> Map<String, Value> {
    let shown = json!({
        "id": num(cluster.number()), "uuid": known.uuid, "collection_uuid": known.record, "type": known.kind,
        "value": text(&known.body, "value"), "tag_name": cluster.tag(), "description": known.body.get("description"),
        "galaxy_id": galaxy_id, "source": known.about.get("source"), "authors": known.about.get("authors"),
        "version": text(&known.about, "version"), "distribution": "3", "sharing_group_id": null, "org_id": "0", "orgc_id": "0",
        "default": true, "locked": false, "extends_uuid": "", "extends_version": "0", "published": true, "deleted": false,
    });
    shown.as_object().cloned().unwrap_or_default()
}
