//! `/galaxyClusters`: adding, changing, publishing and deleting own clusters.

use super::BLOCKED;
use super::shelf::Cluster;
use super::show::galaxy_value;
use crate::answer::{Answer, Fault, saved};
use crate::call::Method;
use crate::context::Context;
use crate::events::describe;
use manara_model::record::{flag_of, text_of};
use manara_store::StoreError;
use serde_json::{Map, Value, json};
use uuid::Uuid;

fn related(given: &Map<String, Value>) -> Vec<Value> {
    given.get("GalaxyClusterRelation").and_then(Value::as_array).cloned().unwrap_or_default()
}

impl Context<'_> {
    /// A cluster as it is now.
    pub(super) fn cluster_answer(&self, uuid: Uuid) -> Result<Answer, Fault> {
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        // One that its own maker may not see: it was changed for another organisation.
        let cluster = shelf.by_uuid(uuid)?.ok_or_else(|| Fault::missing("cluster"))?;
        Ok(Answer::json(&json!({"GalaxyCluster": shelf.full(&cluster)?})))
    }

    /// `galaxyClusters/add/GALAXY`, `galaxyClusters/add/GALAXY/forkUUID:CLUSTER`
    pub fn clusters_add(&self) -> Result<Answer, Fault> {
        if self.call.method == Method::Get {
            return Ok(describe(
                "/galaxy_clusters/add",
                "POST a MISP GalaxyCluster JSON to this API to create it.",
                &["value", "description"],
                &["distribution", "sharing_group_id", "authors", "source", "GalaxyElement", "GalaxyClusterRelation"],
            ));
        }
        let mut given = self.call.object("GalaxyCluster")?;
        let unsaved = |errors| Fault::unsaved("add", "GalaxyCluster", errors);
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        let galaxy = galaxy_value(&shelf.galaxy(self.call.arg(0).unwrap_or_default())?);
        if let Some(forked) = text_of(self.call.named.get("forkUUID")) {
            let forked = shelf.cluster(&forked)?.ok_or_else(|| Fault::missing("cluster"))?;
            let version = shelf.short(&forked).get("version").cloned().unwrap_or_default();
            given.insert("extends_uuid".into(), forked.uuid().to_string().into());
            given.entry("extends_version").or_insert(version);
        }
        let mut body = self.cluster_body(&given, None, &galaxy).map_err(unsaved)?;
        let uuid: Uuid = text_of(body.get("uuid")).and_then(|uuid| uuid.parse().ok()).unwrap_or_default();
        if shelf.by_uuid(uuid)?.is_some() {
            return Err(unsaved(json!({"uuid": ["The UUID provided is not unique."]})));
        }
        let own = self.call.caller.account.org;
        body.insert("Orgc".into(), json!({"uuid": own, "name": view.facts().name(own)}));
        body.shift_remove("version");
        self.touch_cluster(&mut body);
        let relations = self.relations_after(&related(&given), &[]).map_err(unsaved)?;
        drop(shelf);
        drop(view);
        self.keep_cluster(own, body, &relations)?;
        self.cluster_answer(uuid)
    }

    /// `galaxyClusters/edit/CLUSTER`
    pub fn clusters_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("GalaxyCluster")?;
        let named = self.call.arg(0).map(str::to_owned).or_else(|| text_of(given.get("uuid")).map(|uuid| uuid.into()));
        let uuid = self.change_cluster(&named.unwrap_or_default(), |body, relations| {
            let unsaved = |errors| Fault::unsaved("edit", "GalaxyCluster", errors);
            let mut given = given.clone();
            for name in ["uuid", "version", "type"] {
                given.shift_remove(name);
            }
            *body = self.cluster_body(&given, Some(body), &Map::new()).map_err(unsaved)?;
            self.touch_cluster(body);
            if given.contains_key("GalaxyClusterRelation") {
                *relations = self.relations_after(&related(&given), relations).map_err(unsaved)?;
            }
            Ok(())
        })?;
        self.cluster_answer(uuid)
    }

    /// Sets flags of a cluster. Its clock stands still, for it says nothing new.
    fn mark_cluster(&self, flags: &[(&str, bool)]) -> Result<(), Fault> {
        self.change_cluster(self.call.arg(0).unwrap_or_default(), |body, _| {
            flags.iter().for_each(|(name, flag)| drop(body.insert((*name).to_owned(), (*flag).into())));
            Ok(())
        })?;
        Ok(())
    }

    /// `galaxyClusters/publish/CLUSTER`, `galaxyClusters/unpublish/CLUSTER`
    pub fn clusters_publish(&self) -> Result<Answer, Fault> {
        let publish = self.call.action == "publish";
        self.mark_cluster(&[("published", publish)])?;
        let text = if publish { "GalaxyCluster published" } else { "GalaxyCluster unpublished" };
        Ok(Answer::json(&saved(text, &self.call.url, self.call.arg(0).map(str::to_owned))))
    }

    /// `galaxyClusters/restore/CLUSTER`
    pub fn clusters_restore(&self) -> Result<Answer, Fault> {
        self.mark_cluster(&[("deleted", false)])?;
        let text = "GalaxyCluster has been restored";
        Ok(Answer::json(&saved(text, &self.call.url, self.call.arg(0).map(str::to_owned))))
    }

    /// `galaxyClusters/delete/CLUSTER`: it can be restored; `…/1` for good.
    pub fn clusters_delete(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let hard = flag_of(options.get("hard")) || self.call.arg(1) == Some("1");
        let id = self.call.arg(0).map(str::to_owned);
        if !hard {
            self.mark_cluster(&[("deleted", true), ("published", false)])?;
            return Ok(Answer::json(&saved("Galaxy cluster successfully soft deleted.", &self.call.url, id)));
        }
        let view = self.view()?;
        let found = self.shelf(&view)?.cluster(self.call.arg(0).unwrap_or_default())?;
        let Some(Cluster::Own(head)) = found else { return Err(Fault::missing("cluster")) };
        if !self.may_change_cluster(&head) {
            return Err(Fault::forbidden("You do not have permission to do that."));
        }
        drop(view);
        let (uuid, owner) = (head.uuid, head.label.owner);
        let note = json!({"cluster_uuid": uuid, "cluster_info": head.title, "cluster_orgc": head.author.clone().unwrap_or_default(), "comment": "deleted"});
        // Of this holder alone: another's copy is not his to keep out.
        let name = format!("{owner}/{uuid}");
        match self.store.add_entry(self.actor(), BLOCKED, &name, (Some(owner), None), note) {
            Ok(_) | Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.store.withdraw(
            self.actor(),
            Some(owner),
            uuid,
            Some(crate::clusters::KIND),
            "deleted by the MISP door",
        )?;
        Ok(Answer::json(&saved("Galaxy cluster successfully hard deleted.", &self.call.url, id)))
    }
}
