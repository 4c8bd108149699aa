//! Own clusters of galaxies, exchanged as MISP does it: what is new or newer is fetched one by one; what the
//! partner may have and has not, or has older, is pushed.

use super::remote::{Remote, RemoteError};
use super::{ComesIn, GoesOut, Report, Stopped};
use crate::answer::Fault;
use crate::clusters::{Cluster, KIND, Shelf};
use crate::context::Context;
use crate::shape::{Scribe, body_of};
use manara_model::record::{flag_of, seconds_of, text_of};
use manara_model::{Audience, Purpose};
use manara_store::entries::Entry;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// Clusters that are asked for in one question.
const AT_ONCE: usize = 1000;
/// Numbers of this node, and what is worked out where a cluster is shown.
const NOT_SENT: &[&str] = &["galaxy_id", "tag_id", "tag_count", "RelationshipInbound"];
/// The same of its relations.
const NOT_SENT_OF_RELATION: &[&str] =
    &["locked", "galaxy_cluster_id", "referenced_galaxy_cluster_id", "TargetCluster", "default"];

/// Identifiers and versions in the answer to a search.
pub(super) fn versions(body: &Value) -> Vec<(Uuid, i64)> {
    let list = body.get("response").unwrap_or(body).as_array();
    let of = |line: &Value| {
        let cluster = line.get("GalaxyCluster").unwrap_or(line);
        Some((text_of(cluster.get("uuid"))?.parse().ok()?, seconds_of(cluster.get("version"))))
    };
    list.into_iter().flatten().filter_map(of).collect()
}

fn each_relation(cluster: &mut Map<String, Value>, change: impl FnMut(&mut Map<String, Value>)) {
    let list = cluster.get_mut("GalaxyClusterRelation").and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut).for_each(change);
}

/// A cluster that was fetched, one hop on.
fn came_in(cluster: &mut Map<String, Value>, hop: ComesIn) {
    hop.head(cluster);
    each_relation(cluster, |relation| hop.part(relation));
}

/// A cluster that goes out, one hop on.
fn goes_out(cluster: &mut Map<String, Value>, internal: bool) {
    let (hop, galaxy) = (GoesOut { internal }, cluster.get("Galaxy").cloned().unwrap_or_default());
    hop.head(cluster);
    cluster.insert("Galaxy".into(), galaxy);
    cluster.insert("default".into(), false.into());
    NOT_SENT.iter().for_each(|name| drop(cluster.shift_remove(*name)));
    each_relation(cluster, |relation| {
        hop.part(relation);
        NOT_SENT_OF_RELATION.iter().for_each(|name| drop(relation.shift_remove(*name)));
    });
    for element in cluster.get_mut("GalaxyElement").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(element) = element.as_object_mut() {
            element.retain(|name, _| name == "key" || name == "value");
        }
    }
}

impl Context<'_> {
    /// Takes what they released and is new or newer.
    pub(super) fn pull_clusters(&self, entry: &Entry, remote: &Remote<'_>, report: &mut Report) -> Result<(), Stopped> {
        let asked = json!({"published": 1, "minimal": 1, "custom": 1});
        // A server that gives none is no reason to lose its events.
        let reply = remote.ask("POST", "/galaxy_clusters/restSearch", Some(&asked), None);
        let Some(reply) = report.of_one("clusters", reply)? else { return Ok(()) };
        for (uuid, version) in versions(&reply.body) {
            let done = self.pull_cluster(entry, remote, (uuid, version), report);
            report.of_one(format_args!("cluster {uuid}"), done)?;
        }
        Ok(())
    }

    fn pull_cluster(
        &self,
        entry: &Entry,
        remote: &Remote<'_>,
        (uuid, version): (Uuid, i64),
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let own = self.partner(entry).account.org;
        if self.cluster_blocked(own, uuid)? {
            report.skip("cluster: blocked here");
            return Ok(());
        }
        let held = self.store.view(Audience::Org(own), Purpose::Read)?.of_kind(KIND, None, Some(uuid))?;
        if let Some(held) = held {
            let body = body_of(&held.skeleton);
            if !flag_of(body.get("locked")) {
                report.skip("cluster: ours: it was written here");
                return Ok(());
            }
            if seconds_of(body.get("version")) >= version {
                return Ok(());
            }
        }
        let fetched = remote.ask("GET", &format!("/galaxy_clusters/view/{uuid}"), None, None)?;
        let cluster = fetched.body.get("GalaxyCluster").and_then(Value::as_object).cloned();
        let mut cluster = cluster.ok_or_else(|| RemoteError::NoJson("something that is no cluster".into()))?;
        if text_of(cluster.get("uuid")).and_then(|own| own.parse::<Uuid>().ok()) != Some(uuid) {
            return Err(RemoteError::NoJson("another cluster than was asked for".into()).into());
        }
        // Released or not is theirs to say: `unpublish_event` is about events.
        came_in(&mut cluster, ComesIn { unpublish: false, ..self.came_in(entry) });
        let body = json!([{"GalaxyCluster": cluster}]);
        self.as_partner(entry, "/galaxies/pushCluster", &body, None, |context| context.clusters_push())?;
        report.clusters += 1;
        Ok(())
    }

    /// Gives them what they may have and have not, or have older.
    pub(super) fn push_clusters(
        &self,
        entry: &Entry,
        remote: &Remote<'_>,
        audience: &Audience,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let mut ours = Vec::new();
        {
            let view = self.store.view(audience.clone(), Purpose::Read)?;
            self.shelf(&view)?.each_own(false, |head, body| {
                if flag_of(body.get("published")) {
                    ours.push((head.uuid, seconds_of(body.get("version"))));
                }
                Ok(())
            })?;
        }
        for some in ours.chunks(AT_ONCE) {
            let uuids: Vec<Uuid> = some.iter().map(|(uuid, _)| *uuid).collect();
            let asked = json!({"published": 1, "minimal": 1, "custom": 1, "uuid": uuids});
            let known = remote.ask("POST", "/galaxy_clusters/restSearch", Some(&asked), None);
            let Some(known) = report.of_one("clusters", known)? else { return Ok(()) };
            let known: HashMap<Uuid, i64> = versions(&known.body).into_iter().collect();
            for (uuid, version) in some {
                if known.get(uuid).is_none_or(|theirs| theirs < version) {
                    self.push_cluster(entry, remote, audience, *uuid, report)?;
                }
            }
        }
        Ok(())
    }

    fn push_cluster(
        &self,
        entry: &Entry,
        remote: &Remote<'_>,
        audience: &Audience,
        uuid: Uuid,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let view = self.store.view(audience.clone(), Purpose::Read)?;
        let shelf = self.shelf(&view)?;
        let Some(found @ Cluster::Own(_)) = shelf.by_uuid(uuid)? else { return Ok(()) };
        let body =
            json!([{"GalaxyCluster": self.cluster_outgoing(&shelf, &found, flag_of(entry.body.get("internal")))?}]);
        drop(shelf);
        drop(view);
        match remote.ask("POST", "/galaxies/pushCluster", Some(&body), None) {
            // What was written there is changed there.
            Err(RemoteError::Refused { status: 403, message }) if message.contains("created locally") => {
                report.skip("cluster: theirs: it was written there");
            }
            done => {
                let done = report.of_one(format_args!("cluster {uuid}"), done)?;
                report.clusters += usize::from(done.is_some());
            }
        }
        Ok(())
    }

    /// A cluster as the partner may have it.
    fn cluster_outgoing(
        &self,
        shelf: &Shelf<'_, '_>,
        cluster: &Cluster,
        internal: bool,
    ) -> Result<Map<String, Value>, Fault> {
        let mut out = shelf.full(cluster)?;
        let scribe = Scribe::new(shelf.view, shelf.own);
        let with_members = |map: &mut Map<String, Value>| {
            if let Some(group) = map.get("SharingGroup").map(|group| scribe.group(group)) {
                map.insert("SharingGroup".into(), group);
            }
        };
        with_members(&mut out);
        each_relation(&mut out, with_members);
        goes_out(&mut out, internal);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_and_its_relations_are_lowered_once_a_hop() {
        let cluster = || {
            let value = json!({
                "uuid": "u", "id": "7", "distribution": "2", "Galaxy": {"type": "t"}, "tag_id": "3",
                "GalaxyElement": [{"id": "1", "key": "k", "value": "v"}],
                "GalaxyClusterRelation": [{"id": "9", "distribution": "1"}, {"distribution": "3", "TargetCluster": {}}],
            });
            value.as_object().cloned().unwrap()
        };
        let mut came = cluster();
        came_in(&mut came, ComesIn { internal: false, unpublish: false, from: None });
        assert_eq!((&came["distribution"], &came["locked"]), (&json!("1"), &json!(true)));
        assert_eq!(came["GalaxyClusterRelation"][0], json!({"id": "9", "distribution": "0"}));
        let mut out = cluster();
        goes_out(&mut out, false);
        assert_eq!(
            Value::Object(out),
            json!({
                "uuid": "u", "distribution": "1", "locked": true, "Galaxy": {"type": "t"}, "default": false,
                "GalaxyElement": [{"key": "k", "value": "v"}],
                "GalaxyClusterRelation": [{"distribution": "1"}, {"distribution": "3"}],
            })
        );
    }

    #[test]
    fn a_list_of_versions_is_read_however_it_is_wrapped() {
        let uuid = "eeb50a6f-4dd2-4f1b-98e5-1e154920387c";
        let line = json!({"uuid": uuid, "version": "1795492773"});
        let one = vec![(uuid.parse().unwrap(), 1_795_492_773)];
        assert_eq!(versions(&json!({"response": [{"GalaxyCluster": line}]})), one);
        assert_eq!(versions(&json!([line, {"uuid": "no"}])), one);
        assert_eq!(versions(&json!("no")), []);
    }
}
