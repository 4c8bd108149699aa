//! Clusters that come from elsewhere: pushed by a partner, moved from another system, imported from a file.

use super::relations::relations_of;
use super::show::galaxy_value;
use super::{BLOCKED, KIND};
use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::shape::body_of;
use manara_corridor::{ClusterName, GALAXY};
use manara_formats::misp_marking;
use manara_model::record::{RecordDraft, Sink, Slot, flag_of, seconds_of, text_of};
use manara_model::{Marking, OrgId};
use manara_store::intake::{Intake, Terms};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// MISP's words for a cluster that is not its sender's to change.
const LOCAL: &str = "Blocked an edit to an cluster that was created locally. This can happen if a synchronised cluster that was created on this instance was modified by an administrator on the remote side.";

/// How clusters come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coming {
    /// A partner's server brings them: they are their author's, and not changed here.
    Pushed,
    /// The node's own, from the system that it was before: they stay what they were.
    Moved,
    /// A person's file: they become those of his organisation.
    Filed,
}

/// What became of one.
enum Taken {
    Imported,
    Ignored,
    Failed(String),
}

/// What became of several.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// New here, or newer.
    pub(crate) imported: usize,
    /// Not newer, or not wanted here.
    pub(crate) ignored: usize,
    /// Not taken.
    pub(crate) failed: usize,
    /// Why not.
    pub(crate) errors: Vec<String>,
}

impl Tally {
    fn words(&self) -> String {
        let counts = format!("{} imported, {} ignored, {} failed.", self.imported, self.ignored, self.failed);
        std::iter::once(counts).chain(self.errors.clone()).collect::<Vec<_>>().join(" ")
    }
}

fn uuid_of(map: &Map<String, Value>, name: &str) -> Option<Uuid> {
    text_of(map.get(name)).and_then(|uuid| uuid.parse().ok())
}

impl Context<'_> {
    /// Does the caller's organisation, or the node, want this one no more?
    pub(crate) fn cluster_blocked(&self, own: OrgId, uuid: Uuid) -> Result<bool, Fault> {
        let by = |name: String| self.store.entry_named(BLOCKED, &name).map(|entry| entry.is_some());
        Ok(by(uuid.to_string())? || by(format!("{own}/{uuid}"))?)
    }

    fn take_cluster(&self, item: &Value, coming: Coming) -> Result<Taken, Fault> {
        let failed = |why: &str| Ok(Taken::Failed(why.to_owned()));
        let Some(given) = item.get("GalaxyCluster").unwrap_or(item).as_object() else {
            return failed("An object is expected.");
        };
        let Some(uuid) = uuid_of(given, "uuid") else { return failed("Invalid UUID.") };
        let own = self.call.caller.account.org;
        if self.cluster_blocked(own, uuid)? {
            return Ok(Taken::Ignored);
        }
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        let known = shelf.galaxies.cluster(self.store, &view.gate(), ClusterName::Uuid(uuid))?;
        if flag_of(given.get("default")) || known.is_some() {
            return failed("Only own clusters can be saved.");
        }
        let held = view.of_kind(KIND, None, Some(uuid))?;
        let version = seconds_of(given.get("version"));
        if let Some(held) = &held {
            let body = body_of(&held.skeleton);
            if coming == Coming::Pushed && !flag_of(body.get("locked")) {
                return failed(LOCAL);
            }
            if coming != Coming::Filed && seconds_of(body.get("version")) >= version {
                return Ok(Taken::Ignored);
            }
            if coming == Coming::Filed && !self.may_change_cluster(held) {
                return failed("You do not have permission to do that.");
            }
        }
        let mine = held.filter(|held| held.label.owner == own);
        let kind = text_of(given.get("type").or(item.pointer("/Galaxy/type"))).unwrap_or_default().into_owned();
        let brought = given.get("Galaxy").or(item.get("Galaxy")).and_then(Value::as_object).cloned();
        let here = shelf.galaxies.of_type(&view.gate(), &kind);
        let mut galaxy = here.as_ref().map(galaxy_value).or(brought).unwrap_or_default();
        galaxy.insert("type".into(), kind.into());
        let (before, relations) = match &mine {
            Some(head) => (Some(body_of(&head.skeleton)), relations_of(&view, head)?),
            None => (None, Vec::new()),
        };
        let is_new_galaxy = here.is_none();
        drop(shelf);
        drop(view);
        let mut body = match self.cluster_body(given, before.as_ref(), &galaxy) {
            Ok(body) => body,
            Err(errors) => return failed(&errors.to_string()),
        };
        let mut related = given.get("GalaxyClusterRelation").and_then(Value::as_array).cloned().unwrap_or_default();
        // Their numbers are another node's.
        related.iter_mut().filter_map(Value::as_object_mut).for_each(|one| drop(one.shift_remove("id")));
        let relations = match self.relations_after(&related, &relations) {
            Ok(relations) => relations,
            Err(errors) => return failed(&errors.to_string()),
        };
        self.sign_cluster(&mut body, given, coming)?;
        if is_new_galaxy {
            self.keep_galaxy(own, &galaxy, &body)?;
        }
        self.keep_cluster(own, body, &relations)?;
        Ok(Taken::Imported)
    }

    /// Author, clock and flags of one that comes.
    fn sign_cluster(
        &self,
        body: &mut Map<String, Value>,
        given: &Map<String, Value>,
        coming: Coming,
    ) -> Result<(), Fault> {
        let own = self.call.caller.account.org;
        if coming == Coming::Filed {
            body.insert("Orgc".into(), json!({"uuid": own, "name": self.store.facts()?.name(own)}));
            self.touch_cluster(body);
            return Ok(());
        }
        let author = given.get("Orgc").and_then(Value::as_object).filter(|orgc| uuid_of(orgc, "uuid").is_some());
        if let Some(author) = author {
            let name = text_of(author.get("name")).unwrap_or_default().into_owned();
            if let Some(uuid) = uuid_of(author, "uuid") {
                self.store.hear_of_org(uuid, &name)?;
                body.insert("Orgc".into(), json!({"uuid": uuid, "name": name}));
            }
        }
        body.entry("Orgc").or_insert(json!({"uuid": own, "name": self.store.facts()?.name(own)}));
        let locked = coming == Coming::Pushed || flag_of(given.get("locked"));
        body.insert("locked".into(), locked.into());
        for name in ["published", "deleted"] {
            body.insert(name.into(), flag_of(given.get(name)).into());
        }
        if seconds_of(body.get("version")) == 0 {
            body.insert("version".into(), self.now.to_string().into());
        }
        Ok(())
    }

    /// A galaxy that is not here and comes with a cluster, for those who may see the cluster.
    fn keep_galaxy(
        &self,
        owner: OrgId,
        galaxy: &Map<String, Value>,
        cluster: &Map<String, Value>,
    ) -> Result<(), Fault> {
        let Some(uuid) = uuid_of(galaxy, "uuid") else { return Ok(()) };
        let mut galaxy = galaxy.clone();
        for name in ["id", "enabled", "local_only", "GalaxyCluster"] {
            galaxy.shift_remove(name);
        }
        let skeleton = Value::Object(galaxy).to_string();
        let title = cluster.get("Galaxy").and_then(|galaxy| text_of(galaxy.get("name")).map(|name| name.into_owned()));
        let draft = RecordDraft {
            uuid,
            kind: GALAXY.into(),
            format: "knowledge".into(),
            title: title.unwrap_or_default(),
            marking: misp_marking(Slot::Whole, &Value::Object(cluster.clone()).to_string()),
            digest: Sha256::digest(skeleton.as_bytes()).into(),
            skeleton,
            ..RecordDraft::default()
        };
        let terms = Terms { owner, actor: self.actor().to_owned(), marking: Marking::default() };
        let mut intake = Intake::new(self.store, terms);
        if intake.begin(draft)? {
            intake.end()?;
        }
        intake.finish()?;
        Ok(())
    }

    /// Takes clusters in.
    ///
    /// # Errors
    /// The store's; a cluster that can't be taken is counted.
    pub(crate) fn take_clusters(&self, items: &[Value], coming: Coming) -> Result<Tally, Fault> {
        let mut tally = Tally::default();
        for item in items {
            match self.take_cluster(item, coming)? {
                Taken::Imported => tally.imported += 1,
                Taken::Ignored => tally.ignored += 1,
                Taken::Failed(why) => {
                    tally.failed += 1;
                    if !tally.errors.contains(&why) {
                        tally.errors.push(why);
                    }
                }
            }
        }
        Ok(tally)
    }

    /// `galaxies/pushCluster`, `galaxies/import`
    pub fn clusters_push(&self) -> Result<Answer, Fault> {
        let import = self.call.action == "import";
        let mut given = self.call.json()?;
        // As a form has it: the list is a text.
        if let Some(text) = given.pointer("/Galaxy/json").or(given.get("json")).and_then(Value::as_str) {
            given = serde_json::from_str(text).map_err(|_| Fault::bad_json())?;
        }
        let items = match given {
            Value::Array(items) => items,
            one @ Value::Object(_) => vec![one],
            _ => return Err(Fault::bad_json()),
        };
        let tally = self.take_clusters(&items, if import { Coming::Filed } else { Coming::Pushed })?;
        if tally.imported == 0 && tally.failed > 0 {
            let action = if import { "import" } else { "pushCluster" };
            let why = format!("Could not import galaxy clusters. {}", tally.words());
            return Err(Fault::unsaved(action, "Galaxy", why.into()));
        }
        Ok(Answer::json(&saved(format!("Galaxy clusters imported. {}", tally.words()), &self.call.url, None)))
    }
}
