//! `/galaxyClusters`: lists and searches, of imported clusters and of own ones.

use super::shelf::{Cluster, Shelf};
use super::show::galaxy_value;
use crate::answer::{Answer, Fault};
use crate::call::page;
use crate::context::Context;
use crate::search::filter::Wanted;
use crate::shape::Scribe;
use manara_model::record::{flag_of, text_of};
use manara_store::view::View;
use serde_json::{Map, Value, json};

/// What a search of clusters asks for.
struct Filter {
    wanted: Vec<(&'static str, Wanted)>,
    published: Option<bool>,
    deleted: bool,
    imported: bool,
    own: bool,
}

impl Filter {
    fn of(options: &Map<String, Value>) -> Filter {
        let wanted = [
            ("id", "id"),
            ("uuid", "uuid"),
            ("value", "value"),
            ("tag_name", "tag_name"),
            ("type", "type"),
            ("version", "version"),
            ("distribution", "distribution"),
            ("org_id", "org_id"),
            ("orgc_id", "orgc_id"),
            ("galaxy_id", "galaxy_id"),
            ("extends_uuid", "extends_uuid"),
        ];
        let wanted = wanted.map(|(name, member)| (member, Wanted::of(options.get(name))));
        let flag = |name: &str| options.get(name).filter(|flag| !flag.is_null()).map(|flag| flag_of(Some(flag)));
        let custom = flag("custom").or(flag("default").map(|default| !default));
        Filter {
            wanted: wanted.into_iter().filter(|(_, wanted)| !wanted.is_empty()).collect(),
            published: flag("published"),
            deleted: flag("deleted") == Some(true),
            imported: custom != Some(true),
            own: custom != Some(false),
        }
    }

    fn fits(&self, shown: &Map<String, Value>) -> bool {
        let published = self.published.is_none_or(|published| flag_of(shown.get("published")) == published);
        published
            && flag_of(shown.get("deleted")) == self.deleted
            && self.wanted.iter().all(|(name, wanted)| {
                let held = text_of(shown.get(*name)).unwrap_or_default();
                let hit = |one: &String| one.eq_ignore_ascii_case(&held);
                (wanted.any.is_empty() || wanted.any.iter().any(hit)) && !wanted.none.iter().any(hit)
            })
    }

    /// Identifiers, numbers or tags: then nothing is walked through.
    fn names(&self) -> Option<&[String]> {
        let by = |name: &str| self.wanted.iter().find(|(member, _)| *member == name);
        let (_, wanted) = by("uuid").or(by("id")).or(by("tag_name"))?;
        (!wanted.any.is_empty()).then_some(&wanted.any)
    }
}

/// Is the text that is searched for in a cluster's name, description or identifier?
fn mentions(shown: &Map<String, Value>, search: &str) -> bool {
    search.is_empty()
        || ["value", "description", "uuid"].iter().any(|name| {
            shown.get(*name).and_then(Value::as_str).is_some_and(|text| text.to_lowercase().contains(search))
        })
}

impl<'a> Context<'a> {
    /// Galaxies and clusters as a view has them.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn shelf<'v>(&self, view: &'v View<'a>) -> Result<Shelf<'v, 'a>, Fault> {
        Ok(Shelf::new(view, self.call.caller.account.org, self.store, self.warnings.galaxies(self.store)?))
    }

    /// One who writes events with the galaxies of their tags, unless the options exclude those.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn scribe<'v>(&self, view: &'v View<'a>, options: &Map<String, Value>) -> Result<Scribe<'v, 'a>, Fault> {
        let scribe = Scribe::new(view, self.call.caller.account.org);
        if flag_of(options.get("excludeGalaxy")) {
            return Ok(scribe);
        }
        Ok(scribe.with_galaxies(self.shelf(view)?))
    }

    /// Clusters of one galaxy that are in a context: `all`, `default`, `custom`, `org`, `deleted`.
    fn of_galaxy(
        &self,
        shelf: &Shelf<'_, '_>,
        galaxy: &str,
        context: &str,
        mut take: impl FnMut(Cluster) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if matches!(context, "all" | "default") {
            shelf.each_imported(galaxy, |known| take(Cluster::Imported(known)))?;
        }
        if context == "default" {
            return Ok(());
        }
        shelf.each_own(context == "deleted", |head, body| {
            let fits = text_of(body.get("type")).is_some_and(|kind| kind == galaxy)
                && (context != "org" || head.label.owner == shelf.own);
            if fits { take(Cluster::Own(head)) } else { Ok(()) }
        })
    }

    /// `galaxies/view`
    pub fn galaxies_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        let galaxy = shelf.galaxy(self.call.arg(0).unwrap_or_default())?;
        let mut lines = Vec::new();
        self.of_galaxy(&shelf, &galaxy.kind, "all", |cluster| {
            let mut shown = shelf.short(&cluster);
            shown.insert("GalaxyElement".into(), cluster.element_values());
            lines.push(Value::Object(shown));
            Ok(())
        })?;
        Ok(Answer::json(&json!({"Galaxy": galaxy_value(&galaxy), "GalaxyCluster": lines})))
    }

    /// `galaxyClusters/index/GALAXY`
    pub fn clusters_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let search = text_of(options.get("searchall").or(options.get("value"))).unwrap_or_default().to_lowercase();
        let context = text_of(options.get("context")).unwrap_or("all".into()).into_owned();
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        let galaxy = shelf.galaxy(self.call.arg(0).unwrap_or_default())?;
        let mut lines = Vec::new();
        self.of_galaxy(&shelf, &galaxy.kind, &context, |cluster| {
            let mut shown = shelf.short(&cluster);
            if mentions(&shown, &search) {
                shown.insert("GalaxyElement".into(), cluster.element_values());
                lines.push(json!({"GalaxyCluster": shown}));
            }
            Ok(())
        })?;
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `galaxyClusters/view/CLUSTER`
    pub fn clusters_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        let found = shelf.cluster(self.call.arg(0).unwrap_or_default())?;
        let found = found.ok_or_else(|| Fault::missing("cluster"))?;
        Ok(Answer::json(&json!({"GalaxyCluster": shelf.full(&found)?})))
    }

    /// `galaxyClusters/restSearch`
    pub fn clusters_search(&self) -> Result<Answer, Fault> {
        let mut options = self.call.filters()?;
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        // A galaxy may be named in several ways; clusters are of its type.
        if let Some(named) = ["galaxy", "galaxy_uuid", "galaxy_id"].iter().find_map(|name| text_of(options.get(*name)))
        {
            let kind = shelf.galaxy(&named).map(|galaxy| galaxy.kind.clone());
            options.insert("type".into(), kind.unwrap_or_else(|_| named.into_owned()).into());
            options.shift_remove("galaxy_id");
        }
        let filter = Filter::of(&options);
        let minimal = flag_of(options.get("minimal"));
        let (skip, limit) = page(&options, usize::MAX, usize::MAX);
        let (mut lines, mut seen) = (Vec::new(), 0usize);
        let mut take = |cluster: Cluster| -> Result<(), Fault> {
            let mut shown = shelf.short(&cluster);
            if !filter.fits(&shown) || !(if cluster.is_own() { filter.own } else { filter.imported }) {
                return Ok(());
            }
            seen += 1;
            if seen <= skip || lines.len() >= limit {
                return Ok(());
            }
            if minimal {
                shown.retain(|name, _| name == "uuid" || name == "version");
            } else if cluster.is_own() {
                shown = shelf.full(&cluster)?;
            } else {
                shown.insert("Galaxy".into(), Value::Object(shelf.galaxy_of(&cluster)));
                shown.insert("GalaxyElement".into(), cluster.element_values());
            }
            lines.push(json!({"GalaxyCluster": shown}));
            Ok(())
        };
        if let Some(names) = filter.names() {
            for name in names {
                shelf.cluster(name)?.map_or(Ok(()), &mut take)?;
            }
        } else {
            if filter.imported && !filter.deleted {
                let kinds =
                    filter.wanted.iter().find(|(name, _)| *name == "type").map(|(_, wanted)| wanted.any.clone());
                let all = || shelf.galaxies.all(&view.gate()).iter().map(|galaxy| galaxy.kind.clone()).collect();
                for kind in kinds.unwrap_or_else(all) {
                    shelf.each_imported(&kind, |known| take(Cluster::Imported(known)))?;
                }
            }
            if filter.own {
                shelf.each_own(filter.deleted, |head, _| take(Cluster::Own(head)))?;
            }
        }
        let count = lines.len().to_string();
        let answer = Answer::json(&json!({"response": lines})).with("x-result-count", count);
        Ok(answer.with("x-response-format", "json").with("x-skipped-elements-count", "0"))
    }

    /// `galaxies/export/GALAXY`: its clusters, as `galaxies/import` takes them.
    pub fn galaxies_export(&self) -> Result<Answer, Fault> {
        let options = self.call.object("Galaxy")?;
        let wants = |name: &str| options.get(name).is_none_or(|flag| flag_of(Some(flag)));
        let levels = Wanted::of(options.get("distribution")).any;
        let view = self.view()?;
        let shelf = self.shelf(&view)?;
        let galaxy = shelf.galaxy(self.call.arg(0).unwrap_or_default())?;
        let mut lines = Vec::new();
        self.of_galaxy(&shelf, &galaxy.kind, "all", |cluster| {
            let wanted = if cluster.is_own() { wants("custom") } else { wants("default") };
            let shown = shelf.short(&cluster);
            let level = text_of(shown.get("distribution")).unwrap_or_default();
            if wanted && (levels.is_empty() || levels.iter().any(|one| *one == level)) {
                lines.push(json!({"GalaxyCluster": shelf.full(&cluster)?}));
            }
            Ok(())
        })?;
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// The tag of a cluster, by its number, identifier or tag.
    pub(crate) fn cluster_tag(&self, named: &str) -> Result<String, Fault> {
        let view = self.view()?;
        let found = self.shelf(&view)?.cluster(named)?;
        found.map(|cluster| cluster.tag()).ok_or_else(|| Fault::missing("cluster"))
    }
}
