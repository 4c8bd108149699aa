//! Taxonomies, galaxies, object templates, warning and notice lists: the knowledge that the node holds,
//! with a switch for each.

use crate::answer::{Answer, Fault, saved};
use crate::call::Method;
use crate::context::Context;
use crate::ids;
use crate::search::filter::Wanted;
use crate::shape::{num, tag_value};
use manara_model::observable::{guess_listed, misp_types, normalise};
use manara_model::record::{flag_of, text_of};
use manara_model::{Cleared, Head};
use manara_store::StoreError;
use manara_store::view::{Filter, View, Which};
use serde_json::{Map, Value, json};

/// The kind of entry that says what is switched on or off.
const SWITCH: &str = "switch";

/// A galaxy's record, and the record that has its clusters.
type Galaxy = (Cleared<Head>, Option<Cleared<Head>>);

impl Context<'_> {
    /// The records of a kind of knowledge, oldest first.
    fn knowledge(&self, view: &View<'_>, kind: &str) -> Result<Vec<Cleared<Head>>, Fault> {
        let filter = Filter { kind: Some(kind.to_owned()), ..Filter::default() };
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = view.heads_with_bodies(&filter, cursor, 200)?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                all.sort_by_key(|head| head.number);
                return Ok(all);
            }
        }
    }

    fn knowledge_named(&self, view: &View<'_>, kind: &str, named: &str, what: &str) -> Result<Cleared<Head>, Fault> {
        let found = match ids::which(named) {
            Some(Which::Number(number)) => view.of_kind(kind, Some(number), None)?,
            Some(Which::Uuid(uuid)) => view.of_kind(kind, None, Some(uuid))?,
            None => None,
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let named_so = |head: &Cleared<Head>| {
            let body = body(head);
            ["uuid", "namespace", "name", "type"]
                .iter()
                .any(|name| text_of(body.get(*name)).is_some_and(|text| text.eq_ignore_ascii_case(named)))
        };
        self.knowledge(view, kind)?.into_iter().find(named_so).ok_or_else(|| Fault::missing(what))
    }

    fn is_on(&self, kind: &str, uuid: &str, default: bool) -> Result<bool, Fault> {
        let entry = self.store.entry_named(SWITCH, &format!("{kind}/{uuid}"))?;
        Ok(entry.map_or(default, |entry| flag_of(entry.body.get("enabled"))))
    }

    fn switch(&self, kind: &str, uuid: &str, on: bool) -> Result<(), Fault> {
        let name = format!("{kind}/{uuid}");
        let body = json!({"enabled": on});
        match self.store.entry_named(SWITCH, &name)? {
            Some(entry) => self.store.set_entry(self.actor(), SWITCH, entry.id, body)?,
            None => self.store.add_entry(self.actor(), SWITCH, &name, (None, None), body)?,
        };
        Ok(())
    }

    fn taxonomy(&self, head: &Cleared<Head>) -> Result<(Map<String, Value>, Vec<Value>), Fault> {
        let body = body(head);
        let text = |name: &str| text_of(body.get(name)).unwrap_or_default().into_owned();
        let space = text("namespace");
        let mut entries = Vec::new();
        let line = |tag: String, expanded: String, of: &Value| {
            json!({"tag": tag, "expanded": expanded, "exclusive_predicate": flag_of(of.get("exclusive")), "description": of.get("description"),
                   "colour": of.get("colour"), "numerical_value": of.get("numerical_value")})
        };
        let values = body.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
        for predicate in body.get("predicates").and_then(Value::as_array).into_iter().flatten() {
            let name = text_of(predicate.get("value")).unwrap_or_default();
            let expanded = text_of(predicate.get("expanded")).unwrap_or(name.clone());
            let of = values.iter().filter(|one| text_of(one.get("predicate")).is_some_and(|one| one == name));
            let mut any = false;
            for entry in of.flat_map(|one| one.get("entry").and_then(Value::as_array).into_iter().flatten()) {
                any = true;
                let value = text_of(entry.get("value")).unwrap_or_default();
                let more = text_of(entry.get("expanded")).unwrap_or(value.clone());
                entries.push(line(format!("{space}:{name}=\"{value}\""), format!("{expanded}: {more}"), entry));
            }
            if !any {
                entries.push(line(format!("{space}:{name}"), expanded.into_owned(), predicate));
            }
        }
        let uuid = head.uuid.to_string();
        let shown = json!({
            "id": num(head.number), "namespace": space, "description": text("description"), "version": text("version"),
            "enabled": self.is_on("taxonomy", &uuid, false)?, "exclusive": flag_of(body.get("exclusive")),
            "required": self.is_on("taxonomy-required", &uuid, false)?, "highlighted": false,
        });
        Ok((shown.as_object().cloned().unwrap_or_default(), entries))
    }

    /// Tags of the taxonomies with these namespaces that have a number, with it.
    pub(crate) fn numerical_tags(&self, view: &View<'_>, spaces: &[String]) -> Result<Vec<(String, Value)>, Fault> {
        let mut found = Vec::new();
        for head in self.knowledge(view, "taxonomy")? {
            let space = text_of(body(&head).get("namespace")).unwrap_or_default().to_lowercase();
            if spaces.contains(&space) {
                let (_, entries) = self.taxonomy(&head)?;
                let mut line =
                    |entry: Value| Some((entry["tag"].as_str()?.to_owned(), entry["numerical_value"].clone()));
                found.extend(
                    entries.into_iter().filter(|entry| !entry["numerical_value"].is_null()).filter_map(&mut line),
                );
            }
        }
        Ok(found)
    }

    /// `taxonomies/index`
    pub fn taxonomies_index(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let mut lines = Vec::new();
        for head in self.knowledge(&view, "taxonomy")? {
            let (taxonomy, entries) = self.taxonomy(&head)?;
            let mut current = 0;
            for entry in &entries {
                current += i32::from(view.tag(entry["tag"].as_str().unwrap_or_default())?.is_some());
            }
            lines.push(json!({"Taxonomy": taxonomy, "total_count": entries.len(), "current_count": current}));
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `taxonomies/view`
    pub fn taxonomies_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let head = self.knowledge_named(&view, "taxonomy", self.call.arg(0).unwrap_or_default(), "taxonomy")?;
        let (taxonomy, mut entries) = self.taxonomy(&head)?;
        for entry in &mut entries {
            let tag = view.tag(entry["tag"].as_str().unwrap_or_default())?;
            entry["existing_tag"] = tag.map_or(Value::Bool(false), |tag| json!({"Tag": tag_value(&tag)}));
        }
        Ok(Answer::json(&json!({"Taxonomy": taxonomy, "entries": entries})))
    }

    /// `taxonomies/enable`, `disable`, `addTag`, `disableTag`, `toggleRequired`
    pub fn taxonomies_set(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let named = self
            .call
            .arg(0)
            .map(str::to_owned)
            .or_else(|| text_of(self.call.named.get("taxonomy_id")).map(|id| id.into_owned()));
        let head = self.knowledge_named(&view, "taxonomy", &named.unwrap_or_default(), "taxonomy")?;
        let uuid = head.uuid.to_string();
        let text = match self.call.action.as_str() {
            "enable" | "disable" => {
                let on = self.call.action == "enable";
                self.switch("taxonomy", &uuid, on)?;
                if on { "Taxonomy enabled" } else { "Taxonomy disabled" }
            }
            "togglerequired" => {
                let on = !self.is_on("taxonomy-required", &uuid, false)?;
                self.switch("taxonomy-required", &uuid, on)?;
                if on { "Taxonomy set to required" } else { "Taxonomy is no longer required" }
            }
            action => {
                let (_, entries) = self.taxonomy(&head)?;
                let hide = action == "disabletag";
                for entry in entries {
                    let name = entry["tag"].as_str().unwrap_or_default();
                    match self.store.add_tag(self.actor(), name) {
                        Ok(()) | Err(StoreError::Exists { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                    if let Some(tag) = self.store.tag_by_name(name)? {
                        let mut detail = tag.detail.clone();
                        detail.insert("hide_tag".into(), hide.into());
                        let colour = entry["colour"].as_str().map_or(tag.set_colour.clone(), str::to_owned);
                        self.store.set_tag(self.actor(), tag.id, &colour, &detail)?;
                    }
                }
                if hide { "The tags were hidden." } else { "The tags were added." }
            }
        };
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }

    fn warning_list(&self, head: &Cleared<Head>) -> Result<Value, Fault> {
        let body = body(head);
        let text = |name: &str| text_of(body.get(name)).unwrap_or_default().into_owned();
        let types = body
            .get("matching_attributes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let count = body.get("list").and_then(Value::as_array).map_or(0, Vec::len);
        Ok(json!({
            "id": num(head.number), "name": text("name"), "type": text("type"), "description": text("description"),
            "version": text("version"), "enabled": self.is_on("warninglist", &head.uuid.to_string(), true)?, "default": true,
            "category": text_of(body.get("category")).unwrap_or("false_positive".into()), "warninglist_entry_count": count.to_string(),
            "valid_attributes": types,
        }))
    }

    /// `warninglists/index`
    pub fn warninglists_index(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let mut lines = Vec::new();
        for head in self.knowledge(&view, "warninglist")? {
            lines.push(json!({"Warninglist": self.warning_list(&head)?}));
        }
        Ok(Answer::json(&json!({"Warninglists": lines})))
    }

    /// `warninglists/view`
    pub fn warninglists_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let head = self.knowledge_named(&view, "warninglist", self.call.arg(0).unwrap_or_default(), "warninglist")?;
        let mut shown = self.warning_list(&head)?;
        let list = body(&head).get("list").and_then(Value::as_array).cloned().unwrap_or_default();
        shown["WarninglistEntry"] =
            list.into_iter().map(|value| json!({"value": value, "warninglist_id": shown["id"]})).collect();
        Ok(Answer::json(&json!({"Warninglist": shown})))
    }

    /// `warninglists/toggleEnable`
    pub fn warninglists_toggle(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let view = self.view()?;
        let names = Wanted::of(options.get("name")).any;
        let numbers = Wanted::of(options.get("id")).any;
        let (mut changed, mut on) = (0, false);
        for head in self.knowledge(&view, "warninglist")? {
            let name = head.title.to_lowercase();
            let by_name = names.iter().any(|wanted| {
                let wanted = wanted.to_lowercase();
                name == wanted || wanted.contains('%') && name.contains(wanted.trim_matches('%'))
            });
            if by_name || numbers.contains(&head.number.to_string()) {
                let uuid = head.uuid.to_string();
                on = match options.get("enabled") {
                    Some(flag) => flag_of(Some(flag)),
                    None => !self.is_on("warninglist", &uuid, true)?,
                };
                self.switch("warninglist", &uuid, on)?;
                changed += 1;
            }
        }
        if changed == 0 {
            return Ok(Answer::json(&json!({"saved": false, "errors": "Warninglist(s) not found."})));
        }
        let text = format!("{changed} warninglist(s) {}", if on { "enabled" } else { "disabled" });
        Ok(Answer::json(&json!({"saved": true, "success": text})))
    }

    /// `warninglists/checkValue`
    pub fn warninglists_check(&self) -> Result<Answer, Fault> {
        let given = self.call.json()?;
        let values = match &given {
            Value::Object(map) => Wanted::of_values(map.get("value").or(map.get("[]"))).any,
            other => Wanted::of_values(Some(other)).any,
        };
        let lists = self.warnings.get(self.store)?;
        let view = self.view()?;
        let known: Map<String, Value> =
            self.knowledge(&view, "warninglist")?.iter().map(|head| (head.title.clone(), num(head.number))).collect();
        let mut out = Map::new();
        for value in values {
            let mut names = std::collections::BTreeSet::new();
            let readings = misp_types().iter().flat_map(|ty| ty.types()).filter_map(|ty| normalise(ty, &value).ok());
            for observable in readings.chain(guess_listed(&value)) {
                names.extend(lists.hits(&observable).into_iter().map(str::to_owned));
            }
            if !names.is_empty() {
                let hits =
                    names.into_iter().map(|name| json!({"id": known.get(&name), "name": name, "matched": value}));
                out.insert(value.clone(), hits.collect());
            }
        }
        Ok(if out.is_empty() { Answer::json(&json!([])) } else { Answer::json(&Value::Object(out)) })
    }

    /// `noticelists/index`, `noticelists/view`, `enable`, `disable`
    pub fn noticelists(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let line = |head: &Cleared<Head>| -> Result<Value, Fault> {
            let mut shown = body(head);
            shown.insert("id".into(), num(head.number));
            shown.insert("enabled".into(), self.is_on("noticelist", &head.uuid.to_string(), false)?.into());
            Ok(json!({"Noticelist": shown}))
        };
        if self.call.action == "index" {
            let all: Result<Vec<Value>, Fault> = self.knowledge(&view, "noticelist")?.iter().map(line).collect();
            return Ok(Answer::json(&Value::Array(all?)));
        }
        let head = self.knowledge_named(&view, "noticelist", self.call.arg(0).unwrap_or_default(), "noticelist")?;
        match self.call.action.as_str() {
            "view" => Ok(Answer::json(&line(&head)?)),
            action => {
                let on = action == "enable"
                    || action == "enablenoticelist" && self.call.arg(1).is_some_and(|flag| flag == "true");
                self.switch("noticelist", &head.uuid.to_string(), on)?;
                let text = if on { "Noticelist enabled" } else { "Noticelist disabled" };
                Ok(Answer::json(&saved(text, &self.call.url, None)))
            }
        }
    }

    /// `objectTemplates/index`
    pub fn templates_index(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let lines = self.knowledge(&view, "object-template")?.into_iter().map(|head| {
            let body = body(&head);
            let pick = |name: &str| body.get(name).cloned().unwrap_or_default();
            json!({"ObjectTemplate": {
                "id": num(head.number), "user_id": "0", "org_id": "0", "uuid": head.uuid, "name": pick("name"),
                "meta-category": pick("meta-category"), "description": pick("description"),
                "version": text_of(body.get("version")).unwrap_or_default(),
                "requirements": {"required": body.get("required"), "requiredOneOf": body.get("requiredOneOf")}, "fixed": true, "active": true,
            }, "Organisation": {"id": null, "name": null, "uuid": null}})
        });
        Ok(Answer::json(&lines.collect()))
    }

    /// `objectTemplates/view`, `objectTemplates/getRaw`
    pub fn templates_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let head =
            self.knowledge_named(&view, "object-template", self.call.arg(0).unwrap_or_default(), "object template")?;
        let body = body(&head);
        if self.call.action == "getraw" {
            return Ok(Answer::json(&Value::Object(body)));
        }
        let pick = |name: &str| body.get(name).cloned().unwrap_or_default();
        let elements = body.get("attributes").and_then(Value::as_object).into_iter().flatten().map(|(relation, element)| {
            json!({
                "id": "0", "object_template_id": num(head.number), "object_relation": relation, "type": element.get("misp-attribute"),
                "ui-priority": element.get("ui-priority"), "categories": element.get("categories"), "sane_default": element.get("sane_default"),
                "values_list": element.get("values_list"), "description": element.get("description"),
                "disable_correlation": flag_of(element.get("disable_correlation")), "multiple": flag_of(element.get("multiple")),
            })
        });
        Ok(Answer::json(&json!({"ObjectTemplate": {
            "id": num(head.number), "user_id": "0", "org_id": "0", "uuid": head.uuid, "name": pick("name"), "meta-category": pick("meta-category"),
            "description": pick("description"), "version": text_of(body.get("version")).unwrap_or_default(),
            "requirements": {"required": body.get("required"), "requiredOneOf": body.get("requiredOneOf")}, "fixed": true, "active": true,
        }, "ObjectTemplateElement": elements.collect::<Vec<_>>()})))
    }

    /// Galaxies, with the record that has their clusters: what MISP keeps in two files of one type. One
    /// whose description is not here is known by its clusters alone.
    fn galaxies(&self, view: &View<'_>) -> Result<Vec<Galaxy>, Fault> {
        let kind = |head: &Cleared<Head>| text_of(body(head).get("type")).unwrap_or_default().into_owned();
        let mut clusters: std::collections::BTreeMap<String, Cleared<Head>> =
            self.knowledge(view, "galaxy-clusters")?.into_iter().map(|head| (kind(&head), head)).collect();
        let mut all = Vec::new();
        for head in self.knowledge(view, "galaxy")? {
            let of = clusters.remove(&kind(&head));
            all.push((head, of));
        }
        all.extend(clusters.into_values().map(|head| (head.clone(), Some(head))));
        all.sort_by_key(|(head, _)| head.number);
        Ok(all)
    }

    fn galaxy_named(&self, view: &View<'_>, named: &str) -> Result<Galaxy, Fault> {
        let fits = |(head, _): &Galaxy| {
            let body = body(head);
            let text = |name: &str| text_of(body.get(name)).unwrap_or_default().into_owned();
            head.number.to_string() == named
                || head.uuid.to_string() == named
                || text("type") == named
                || text("name") == named
        };
        self.galaxies(view)?.into_iter().find(fits).ok_or_else(|| Fault::missing("galaxy"))
    }

    fn galaxy(&self, head: &Cleared<Head>) -> Value {
        let body = body(head);
        let text = |name: &str| text_of(body.get(name)).unwrap_or_default().into_owned();
        json!({
            "id": num(head.number), "uuid": head.uuid, "name": text("name"), "type": text("type"), "description": text("description"),
            "version": text("version"), "icon": text_of(body.get("icon")).unwrap_or("globe".into()),
            "namespace": text_of(body.get("namespace")).unwrap_or("misp".into()), "enabled": true, "local_only": false,
        })
    }

    fn clusters(&self, (galaxy, head): &Galaxy) -> Vec<Value> {
        let Some(head) = head else { return Vec::new() };
        let body = body(head);
        let kind = text_of(body.get("type")).unwrap_or_default().into_owned();
        let values = body.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
        let line = |(n, value): (usize, Value)| {
            let name = text_of(value.get("value")).unwrap_or_default().into_owned();
            let uuid = text_of(value.get("uuid")).map_or_else(
                || manara_model::ids::derived(&["cluster", &kind, &name]).to_string(),
                |uuid| uuid.into_owned(),
            );
            let mut elements = Vec::new();
            for (key, of) in value.get("meta").and_then(Value::as_object).into_iter().flatten() {
                for one in of.as_array().cloned().unwrap_or_else(|| vec![of.clone()]) {
                    elements.push(json!({"key": key, "value": text_of(Some(&one)).unwrap_or_default()}));
                }
            }
            json!({
                "id": num(ids::of_part(head.row, n as u32)), "uuid": uuid, "collection_uuid": head.uuid, "type": kind, "value": name,
                "tag_name": format!("misp-galaxy:{kind}=\"{name}\""), "description": value.get("description"), "galaxy_id": num(galaxy.number),
                "source": body.get("source"), "authors": body.get("authors"), "version": text_of(body.get("version")).unwrap_or_default(),
                "distribution": "3", "sharing_group_id": null, "org_id": "0", "orgc_id": "0", "default": true, "locked": false,
                "extends_uuid": "", "extends_version": "0", "published": true, "deleted": false, "GalaxyElement": elements,
            })
        };
        values.into_iter().enumerate().map(line).collect()
    }

    /// `galaxies/index`; `POST {"value": …}` searches.
    pub fn galaxies_index(&self) -> Result<Answer, Fault> {
        let options = if self.call.method == Method::Post { self.call.filters()? } else { self.call.named.clone() };
        let search = text_of(options.get("value").or(options.get("searchall"))).unwrap_or_default().to_lowercase();
        let view = self.view()?;
        let all = self.galaxies(&view)?.into_iter().map(|(head, _)| self.galaxy(&head));
        let fits = |galaxy: &Value| {
            search.is_empty()
                || ["name", "type", "description", "uuid"]
                    .iter()
                    .any(|name| galaxy[*name].as_str().is_some_and(|text| text.to_lowercase().contains(&search)))
        };
        Ok(Answer::json(&all.filter(fits).map(|galaxy| json!({"Galaxy": galaxy})).collect()))
    }

    /// `galaxies/view`
    pub fn galaxies_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let galaxy = self.galaxy_named(&view, self.call.arg(0).unwrap_or_default())?;
        Ok(Answer::json(&json!({"Galaxy": self.galaxy(&galaxy.0), "GalaxyCluster": self.clusters(&galaxy)})))
    }

    /// `galaxy_clusters/index/GALAXY`
    pub fn clusters_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let search = text_of(options.get("searchall").or(options.get("value"))).unwrap_or_default().to_lowercase();
        let context = text_of(options.get("context")).unwrap_or("all".into()).into_owned();
        let view = self.view()?;
        let galaxy = self.galaxy_named(&view, self.call.arg(0).unwrap_or_default())?;
        // All that is held here came with the node's knowledge; none was made here.
        let all =
            if matches!(context.as_str(), "custom" | "org" | "deleted") { Vec::new() } else { self.clusters(&galaxy) };
        let fits = |cluster: &Value| {
            search.is_empty()
                || ["value", "description", "uuid"]
                    .iter()
                    .any(|name| cluster[*name].as_str().is_some_and(|text| text.to_lowercase().contains(&search)))
        };
        Ok(Answer::json(&all.into_iter().filter(fits).map(|cluster| json!({"GalaxyCluster": cluster})).collect()))
    }

    fn cluster(&self, view: &View<'_>, named: &str) -> Result<(Cleared<Head>, Value), Fault> {
        for galaxy in self.galaxies(view)? {
            let found = self
                .clusters(&galaxy)
                .into_iter()
                .find(|cluster| cluster["uuid"] == named || cluster["id"] == named || cluster["tag_name"] == named);
            if let Some(found) = found {
                return Ok((galaxy.0, found));
            }
        }
        Err(Fault::missing("cluster"))
    }

    /// `galaxy_clusters/view`
    pub fn clusters_view(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let (head, mut cluster) = self.cluster(&view, self.call.arg(0).unwrap_or_default())?;
        cluster["Galaxy"] = self.galaxy(&head);
        cluster["GalaxyClusterRelation"] = json!([]);
        cluster["Org"] = json!({"id": "0", "name": "MISP", "uuid": "0"});
        cluster["Orgc"] = cluster["Org"].clone();
        Ok(Answer::json(&json!({"GalaxyCluster": cluster})))
    }

    /// `galaxy_clusters/restSearch`
    pub fn clusters_search(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let custom = flag_of(options.get("custom"));
        let uuids = Wanted::of(options.get("uuid")).any;
        let values = Wanted::of(options.get("value")).any;
        let minimal = flag_of(options.get("minimal"));
        let view = self.view()?;
        let mut lines = Vec::new();
        if !custom {
            for galaxy in self.galaxies(&view)? {
                for cluster in self.clusters(&galaxy) {
                    let text = |name: &str| cluster[name].as_str().unwrap_or_default().to_owned();
                    if (uuids.is_empty() || uuids.contains(&text("uuid")))
                        && (values.is_empty() || values.contains(&text("value")))
                    {
                        let shown = if minimal {
                            json!({"uuid": text("uuid"), "version": text("version")})
                        } else {
                            cluster.clone()
                        };
                        lines.push(json!({"GalaxyCluster": shown}));
                    }
                }
            }
        }
        let count = lines.len().to_string();
        Ok(Answer::json(&json!({"response": lines})).with("x-result-count", count).with("x-response-format", "json"))
    }

    /// The tag of a cluster, by its number, identifier or tag.
    pub(crate) fn cluster_tag(&self, named: &str) -> Result<String, Fault> {
        let view = self.view()?;
        let (_, cluster) = self.cluster(&view, named)?;
        Ok(cluster["tag_name"].as_str().unwrap_or_default().to_owned())
    }

    /// `taxonomies/update`, `galaxies/update`, `warninglists/update`…: knowledge comes as files here.
    pub fn knowledge_update(&self) -> Result<Answer, Fault> {
        let text = "Nothing to update: this node's knowledge comes with `manara import`, and is as new as what was imported last.";
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }
}

fn body(head: &Cleared<Head>) -> Map<String, Value> {
    crate::shape::body_of(&head.skeleton)
}
