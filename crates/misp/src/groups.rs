//! `/sharingGroups`.

use crate::answer::{Answer, Fault, saved};
use crate::call::Method;
use crate::context::Context;
use crate::shape::{datetime, num};
use crate::sync::SERVER;
use manara_model::record::{flag_of, text_of};
use manara_model::{GroupId, OrgId};
use manara_store::people::NewGroup;
use serde_json::{Map, Value, json};
use uuid::Uuid;

impl Context<'_> {
    fn group_named(&self, named: Option<&str>) -> Result<GroupId, Fault> {
        let missing = || Fault::missing("sharing group");
        let uuid = self.identify("group", named.unwrap_or_default())?.ok_or_else(missing)?;
        let facts = self.store.facts()?;
        let own = self.call.caller.account.org;
        let group = facts.world.groups.get(&GroupId(uuid)).ok_or_else(missing)?;
        let may = self.is_admin() || group.owner == Some(own) || group.orgs.contains(&own);
        if may { Ok(GroupId(uuid)) } else { Err(missing()) }
    }

    fn group_shown(&self, id: GroupId) -> Result<Value, Fault> {
        let facts = self.store.facts()?;
        let group = facts.world.groups.get(&id).ok_or_else(|| Fault::missing("sharing group"))?;
        let notes = facts.group_notes.get(&id).cloned().unwrap_or_default();
        let own = self.call.caller.account.org;
        let note = |name: &str| notes.get(name).cloned();
        let owner = group.owner.unwrap_or(OrgId(Uuid::nil()));
        let number = |org: OrgId| num(facts.numbers.get(&org.0).copied().unwrap_or(0));
        let mine = self.is_admin() || group.owner == Some(own);
        let number_of_group = num(facts.numbers.get(&id.0).copied().unwrap_or(0));
        // Who else is in it is its owner's to show (MISP#10019).
        // Whoever was put in, as they are numbered; its owner, who is in it anyway, after them.
        let mut orgs: Vec<&OrgId> = group.orgs.iter().collect();
        orgs.sort_by_key(|org| (group.owner == Some(**org), facts.numbers.get(&org.0).copied().unwrap_or(0)));
        let members: Vec<Value> = orgs
            .into_iter()
            .filter(|org| mine || group.shows_members || **org == own)
            .map(|org| {
                json!({
                    "id": "0", "sharing_group_id": num(facts.numbers.get(&id.0).copied().unwrap_or(0)), "org_id": number(*org), "extend": false,
                    "Organisation": {"id": number(*org), "name": facts.name(*org), "uuid": org, "local": facts.world.local.contains(org)},
                })
            })
            .collect();
        // Which node a server is, is the administrators' to know.
        let mut servers = note("servers").unwrap_or_else(|| {
            json!([{"id": "0", "sharing_group_id": number_of_group, "server_id": "0", "all_orgs": false, "Server": []}])
        });
        for server in servers.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            server.shift_remove("node");
        }
        Ok(json!({
            "SharingGroup": {
                "id": num(facts.numbers.get(&id.0).copied().unwrap_or(0)), "uuid": id, "name": group.name,
                "description": note("description").unwrap_or("".into()), "releasability": note("releasability").unwrap_or("".into()),
                "local": note("local").unwrap_or(true.into()), "active": group.active, "roaming": note("roaming").unwrap_or(false.into()),
                "org_count": members.len().to_string(), "organisation_uuid": owner, "org_id": number(owner),
                "created": note("created"), "modified": note("modified"), "sync_user_id": "0",
            },
            "Organisation": {"id": number(owner), "name": facts.name(owner), "uuid": owner},
            "SharingGroupOrg": members, "SharingGroupServer": servers,
            "editable": mine, "deletable": mine,
        }))
    }

    /// `sharingGroups/index`
    pub fn groups_index(&self) -> Result<Answer, Fault> {
        let facts = self.store.facts()?;
        let own = self.call.caller.account.org;
        let mut lines = Vec::new();
        let mut groups: Vec<_> = facts.world.groups.iter().collect();
        groups.sort_by_key(|(id, _)| facts.numbers.get(&id.0).copied().unwrap_or(0));
        for (id, group) in groups {
            if self.is_admin() || group.owner == Some(own) || group.orgs.contains(&own) {
                lines.push(self.group_shown(*id)?);
            }
        }
        Ok(Answer::json(&json!({"response": lines})))
    }

    /// `sharing_groups/view`
    pub fn groups_view(&self) -> Result<Answer, Fault> {
        let id = self.group_named(self.call.arg(0).or(Some(self.call.action_text.as_str())))?;
        if self.call.method == Method::Head {
            return Ok(Answer::new("text/html; charset=UTF-8"));
        }
        Ok(Answer::json(&self.group_shown(id)?))
    }

    /// `sharingGroups/add`: its maker's organisation owns it, and is in it.
    pub fn groups_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("SharingGroup")?;
        let unsaved = |field: &str, text: &str| Fault::unsaved("add", "SharingGroup", json!({field: [text]}));
        let name = text_of(given.get("name")).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| unsaved("name", "valueNotEmpty"))?;
        let uuid = match text_of(given.get("uuid")).filter(|uuid| !uuid.is_empty()) {
            Some(uuid) => uuid.parse().map_err(|_| unsaved("uuid", "Invalid UUID."))?,
            None => Uuid::new_v4(),
        };
        let facts = self.store.facts()?;
        if facts.world.groups.contains_key(&GroupId(uuid)) {
            return Err(unsaved("uuid", "A sharing group with this UUID already exists."));
        }
        let owner = self.call.caller.account.org;
        let new =
            NewGroup { uuid: GroupId(uuid), name: name.clone(), owner, members: vec![owner], shows_members: true };
        self.store.put_group(self.actor(), new)?;
        let mut notes = Self::notes(&given, &["description", "releasability", "roaming"], Map::new());
        notes.insert("created".into(), datetime(self.now * 1000).into());
        notes.insert("modified".into(), datetime(self.now * 1000).into());
        let active = given.get("active").is_none_or(|flag| flag_of(Some(flag)));
        self.store.set_group(self.actor(), GroupId(uuid), &name, active, &notes)?;
        Ok(Answer::json(&self.group_shown(GroupId(uuid))?))
    }

    fn own_group(&self, named: Option<&str>) -> Result<GroupId, Fault> {
        let id = self.group_named(named)?;
        let facts = self.store.facts()?;
        let owner = facts.world.groups.get(&id).and_then(|group| group.owner);
        if self.is_admin() || owner == Some(self.call.caller.account.org) {
            return Ok(id);
        }
        Err(Fault::forbidden("You do not have permission to do that."))
    }

    /// `sharing_groups/edit`
    pub fn groups_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("SharingGroup")?;
        let id = self.own_group(self.call.arg(0))?;
        let facts = self.store.facts()?;
        let group = facts.world.groups.get(&id).ok_or_else(|| Fault::missing("sharing group"))?;
        let name = text_of(given.get("name")).map_or(group.name.clone(), |name| name.into_owned());
        let active = given.get("active").map_or(group.active, |flag| flag_of(Some(flag)));
        let mut notes = Self::notes(&given, &["description", "releasability", "roaming"], self.store.group_detail(id)?);
        notes.insert("modified".into(), datetime(self.now * 1000).into());
        self.store.set_group(self.actor(), id, &name, active, &notes)?;
        Ok(Answer::json(&self.group_shown(id)?))
    }

    /// `sharingGroups/delete`
    pub fn groups_delete(&self) -> Result<Answer, Fault> {
        let id = self.own_group(self.call.arg(0))?;
        self.store.remove_group(self.actor(), id)?;
        Ok(Answer::json(&saved("SharingGroup deleted", &self.call.url, None)))
    }

    /// A server said which node it is: groups that travel to it know now.
    pub(crate) fn groups_meet(&self, server: i64, node: Uuid) -> Result<(), Fault> {
        let facts = self.store.facts()?;
        for (id, group) in &facts.world.groups {
            let mut notes = facts.group_notes.get(id).cloned().unwrap_or_default();
            let Some(Value::Array(servers)) = notes.get_mut("servers") else { continue };
            let mut met = false;
            for one in servers.iter_mut().filter(|one| one["server_id"] == server.to_string().as_str()) {
                met |= one["node"] != node.to_string().as_str();
                one["node"] = json!(node);
            }
            if met {
                self.store.set_group(self.actor(), *id, &group.name, group.active, &notes)?;
            }
        }
        Ok(())
    }

    /// `sharingGroups/addOrg`, `removeOrg`, `addServer`, `removeServer`
    pub fn groups_change(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let text = |at: usize, name: &str| {
            self.call.arg(at).map(str::to_owned).or_else(|| text_of(options.get(name)).map(|text| text.into_owned()))
        };
        let id = self.own_group(text(0, "sg_id").as_deref())?;
        let add = self.call.action.starts_with("add");
        if self.call.action.ends_with("org") {
            let org = self.org_named(text(1, "org_id").as_deref())?;
            let facts = self.store.facts()?;
            let member = facts.world.groups.get(&id).is_some_and(|group| group.orgs.contains(&org.uuid));
            if member == add {
                let text = if add {
                    "Organisation is already in the sharing group."
                } else {
                    "Organisation is not in the sharing group."
                };
                return Err(Fault::forbidden(text));
            }
            self.store.set_group_member(self.actor(), id, org.uuid, add)?;
            let text = if add {
                "Organisation added to the sharing group."
            } else {
                "Organisation removed from the sharing group."
            };
            return Ok(Answer::json(&saved(text, &self.call.url, None)));
        }
        let server = text(1, "server_id").unwrap_or_default();
        let facts = self.store.facts()?;
        let group = facts.world.groups.get(&id).ok_or_else(|| Fault::missing("sharing group"))?;
        let mut notes = self.store.group_detail(id)?;
        let mut servers = notes.get("servers").and_then(Value::as_array).cloned().unwrap_or_default();
        servers.retain(|one| one["server_id"] != server.as_str());
        if add {
            // 0 is this node, where its members have it anyway.
            let node = match server.as_str() {
                "0" => json!(self.store.node()?),
                id => {
                    let entry = id.parse().ok().map(|id| self.store.entry(SERVER, id)).transpose()?.flatten();
                    entry.ok_or_else(|| Fault::missing("Server"))?.body.get("remote_node").cloned().unwrap_or_default()
                }
            };
            servers.push(json!({"server_id": server, "all_orgs": flag_of(options.get("all_orgs")), "node": node}));
        }
        notes.insert("servers".into(), servers.into());
        self.store.set_group(self.actor(), id, &group.name, group.active, &notes)?;
        let text = if add { "Server added to the sharing group." } else { "Server removed from the sharing group." };
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }
}
