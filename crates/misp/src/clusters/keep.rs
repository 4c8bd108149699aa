//! How an own cluster is kept: checked, with a holder and a marking, its relations as parts.

use super::KIND;
use super::relations::relations_of;
use super::shelf::Cluster;
use crate::answer::Fault;
use crate::context::Context;
use crate::shape::body_of;
use manara_formats::misp_marking;
use manara_model::record::{PartDraft, RecordDraft, Sink, Slot, flag_of, seconds_of, text_of};
use manara_model::role::Right;
use manara_model::{Head, Marking, OrgId};
use manara_store::intake::{Intake, Terms};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Numbers and names of a node, and what is worked out when a cluster is shown.
const NOT_KEPT: &[&str] = &[
    "id",
    "galaxy_id",
    "org_id",
    "orgc_id",
    "user_id",
    "sharing_group_id",
    "default",
    "tag_name",
    "tag_id",
    "tag_count",
    "event_tag_id",
    "attribute_tag_id",
    "local",
    "relationship_type",
    "meta",
    "Org",
    "Orgc",
    "Galaxy",
    "GalaxyElement",
    "GalaxyClusterRelation",
    "RelationshipInbound",
    "TargetingClusterRelation",
    "deleted",
    "locked",
    "published",
];
/// Longest name of a type or a cluster: both stand in a tag.
const LONGEST: usize = 200;

fn text(map: &Map<String, Value>, name: &str) -> Option<String> {
    text_of(map.get(name)).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What is given as `authors`: a list, or a text with commas or with a list in it.
fn authors(given: &Value) -> Value {
    match given {
        Value::String(text) => match serde_json::from_str::<Vec<String>>(text) {
            Ok(list) => json!(list),
            Err(_) => text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect::<Vec<_>>().into(),
        },
        Value::Array(_) => given.clone(),
        _ => json!([]),
    }
}

/// Names and texts, from a list of them or from lists by name.
fn elements(given: &Map<String, Value>) -> Option<Value> {
    if let Some(Value::Array(list)) = given.get("GalaxyElement") {
        let of = |one: &Value| Some(json!({"key": text_of(one.get("key"))?, "value": text_of(one.get("value"))?}));
        return Some(list.iter().filter_map(of).collect());
    }
    let by_name = given.get("meta").and_then(Value::as_object).filter(|meta| !meta.is_empty())?;
    let mut all = Vec::new();
    for (key, of) in by_name {
        let one = std::slice::from_ref(of);
        all.extend(
            of.as_array()
                .map_or(one, Vec::as_slice)
                .iter()
                .map(|value| json!({"key": key, "value": text_of(Some(value)).unwrap_or_default()})),
        );
    }
    Some(Value::Array(all))
}

impl Context<'_> {
    /// May the caller change this cluster? What came from elsewhere is its author's.
    pub(super) fn may_change_cluster(&self, head: &Head) -> bool {
        let own = head.label.owner == self.call.caller.account.org;
        self.is_admin() || own && self.call.may(Right::Write) && !flag_of(body_of(&head.skeleton).get("locked"))
    }

    /// A cluster as it is kept, from what was given over what is held. `galaxy` is its type.
    ///
    /// # Errors
    /// MISP's validation errors.
    pub(super) fn cluster_body(
        &self,
        given: &Map<String, Value>,
        held: Option<&Map<String, Value>>,
        galaxy: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Value> {
        let mut out = held.cloned().unwrap_or_default();
        for (name, value) in given.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str())) {
            if !(value.is_null() && held.is_some()) {
                out.insert(name.clone(), value.clone());
            }
        }
        let value = text(&out, "value").filter(|value| value.len() <= 4 * LONGEST);
        out.insert("value".into(), value.ok_or_else(|| json!({"value": ["valueNotEmpty"]}))?.into());
        let uuid = match text(&out, "uuid") {
            Some(uuid) => uuid.parse::<Uuid>().map_err(|_| json!({"uuid": ["Invalid UUID."]}))?,
            None => Uuid::new_v4(),
        };
        out.insert("uuid".into(), uuid.to_string().into());
        if held.is_none() {
            let kind = text(galaxy, "type").filter(|kind| kind.len() <= LONGEST && !kind.contains(['"', '\n', '\r']));
            out.insert("type".into(), kind.ok_or_else(|| json!({"type": ["valueNotEmpty"]}))?.into());
            let mut galaxy = galaxy.clone();
            for name in ["id", "enabled", "local_only", "GalaxyCluster"] {
                galaxy.shift_remove(name);
            }
            out.insert("Galaxy".into(), Value::Object(galaxy));
        }
        if let Some(kind) = held.and_then(|held| held.get("type")) {
            out.insert("type".into(), kind.clone());
        }
        for name in ["description", "source"] {
            let text = text_of(out.get(name)).unwrap_or_default().into_owned();
            out.insert(name.into(), text.into());
        }
        let by = authors(out.get("authors").unwrap_or(&Value::Null));
        out.insert("authors".into(), by);
        if let Some(elements) = elements(given) {
            out.insert("GalaxyElement".into(), elements);
        }
        match text(&out, "extends_uuid").map(|uuid| uuid.parse::<Uuid>()) {
            Some(Ok(uuid)) => drop(out.insert("extends_uuid".into(), uuid.to_string().into())),
            Some(Err(_)) => return Err(json!({"extends_uuid": ["Invalid UUID."]})),
            None => ["extends_uuid", "extends_version"].iter().for_each(|name| drop(out.shift_remove(*name))),
        }
        let reach = if given.contains_key("distribution") || held.is_none() { given.clone() } else { out.clone() };
        self.reach(&reach, &mut out, "0")?;
        for name in ["published", "deleted", "locked"] {
            out.entry(name).or_insert(false.into());
        }
        Ok(out)
    }

    /// It says something new: its clock is now, and newer than what others may have; they get it when it is
    /// published again.
    pub(super) fn touch_cluster(&self, body: &mut Map<String, Value>) {
        let held = seconds_of(body.get("version"));
        body.insert("version".into(), self.now.max(held + 1).to_string().into());
        body.insert("published".into(), false.into());
    }

    /// Writes a cluster; its identifier.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn keep_cluster(
        &self,
        owner: OrgId,
        body: Map<String, Value>,
        relations: &[Map<String, Value>],
    ) -> Result<Uuid, Fault> {
        let uuid: Uuid = text(&body, "uuid").and_then(|uuid| uuid.parse().ok()).unwrap_or_default();
        let whole = Value::Object(body.clone()).to_string();
        let mut hash = Sha256::new();
        hash.update(&whole);
        hash.update(json!(relations).to_string());
        let said = |name: &str| text(&body, name).unwrap_or_default();
        let elements = body.get("GalaxyElement").and_then(Value::as_array).into_iter().flatten();
        let words: Vec<&str> = elements.filter_map(|element| element["value"].as_str()).collect();
        let draft = RecordDraft {
            uuid,
            kind: KIND.to_owned(),
            format: "json".into(),
            title: said("value"),
            author: body.get("Orgc").and_then(|orgc| text_of(orgc.get("name")).map(|name| name.into_owned())),
            marking: misp_marking(Slot::Whole, &whole),
            modified: said("version").parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1000)),
            digest: hash.finalize().into(),
            text: format!("{} {}", said("description"), words.join(" ")),
            skeleton: whole,
            ..RecordDraft::default()
        };
        let terms = Terms { owner, actor: self.actor().to_owned(), marking: Marking::default() };
        let mut intake = Intake::new(self.store, terms);
        if intake.begin(draft)? {
            for relation in relations {
                let raw = Value::Object(relation.clone()).to_string();
                let mut part = PartDraft::new(Slot::Line, raw.clone());
                part.marking = misp_marking(Slot::Line, &raw);
                // What it leads to is found by its identifier: see `inbound`.
                part.uuid = text(relation, "referenced_galaxy_cluster_uuid").and_then(|uuid| uuid.parse().ok());
                intake.part(part)?;
            }
            intake.end()?;
        }
        intake.finish()?;
        Ok(uuid)
    }

    /// Changes an own cluster and its relations; its identifier.
    ///
    /// # Errors
    /// 404 where there is none for the caller; 403 where he may not change it.
    pub(super) fn change_cluster(
        &self,
        named: &str,
        mut change: impl FnMut(&mut Map<String, Value>, &mut Vec<Map<String, Value>>) -> Result<(), Fault>,
    ) -> Result<Uuid, Fault> {
        let view = self.view()?;
        let head = match self.shelf(&view)?.cluster(named)? {
            Some(Cluster::Own(head)) => head,
            Some(Cluster::Imported(_)) => {
                return Err(Fault::forbidden("This cluster is the node's knowledge; fork it to change it."));
            }
            None => return Err(Fault::missing("cluster")),
        };
        if !self.may_change_cluster(&head) {
            return Err(Fault::forbidden("You do not have permission to do that."));
        }
        let mut body = body_of(&head.skeleton);
        let mut relations = relations_of(&view, &head)?;
        change(&mut body, &mut relations)?;
        drop(view);
        self.keep_cluster(head.label.owner, body, &relations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_read_however_they_are_written() {
        for given in [json!(["a", "b"]), json!("a, b"), json!("[\"a\", \"b\"]")] {
            assert_eq!(authors(&given), json!(["a", "b"]), "{given}");
        }
        assert_eq!(authors(&Value::Null), json!([]));
    }

    #[test]
    fn elements_are_a_list_or_lists_by_name() {
        let read = |given: Value| elements(given.as_object().unwrap());
        let list = json!([{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]);
        let given =
            json!({"GalaxyElement": [{"key": "k", "value": 1, "id": "5"}, {"key": "k", "value": "2"}, {"key": "x"}]});
        assert_eq!(read(given), Some(list.clone()));
        assert_eq!(read(json!({"meta": {"k": ["1", "2"]}})), Some(list));
        assert_eq!(read(json!({"meta": {"k": "1"}})), Some(json!([{"key": "k", "value": "1"}])));
        assert_eq!(read(json!({"meta": {}})), None, "says nothing of what is held");
        assert_eq!(read(json!({"GalaxyElement": []})), Some(json!([])), "says that there are none");
    }
}
