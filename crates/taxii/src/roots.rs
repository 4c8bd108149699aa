//! Discovery and API roots (TAXII 2.1 §4): the node's own, and one for each sharing group that the caller is in.

use crate::answer::{Answer, Fault};
use crate::collections::{Collection, root_path};
use manara_model::GroupId;
use manara_model::role::Right;
use manara_store::people::Caller;
use manara_store::{Facts, Store};
use serde_json::{Value, json};

/// Most bytes of a request's body. An envelope is held in memory while it is read.
pub const MOST: u64 = 16 << 20;

/// The groups that a caller is in, with their names.
fn groups(facts: &Facts, caller: &Caller) -> Vec<(GroupId, String)> {
    let org = caller.account.org;
    let is_in = |group: &manara_model::world::Group| {
        caller.may(Right::Admin) || group.active && (group.orgs.contains(&org) || group.owner == Some(org))
    };
    let groups = facts.world.groups.iter().filter(|(_, group)| is_in(group));
    let mut groups: Vec<(GroupId, String)> = groups.map(|(id, group)| (*id, group.name.clone())).collect();
    groups.sort_by(|a, b| a.1.cmp(&b.1).then(a.0.cmp(&b.0)));
    groups
}

/// What is no root of the caller's is not there.
pub(crate) fn check(store: &Store, root: Option<GroupId>, caller: &Caller) -> Result<(), Fault> {
    let Some(root) = root else { return Ok(()) };
    match groups(&*store.facts()?, caller).into_iter().any(|(group, _)| group == root) {
        true => Ok(()),
        false => Err(Fault::missing("API root")),
    }
}

/// §4.1
pub(crate) fn discovery(store: &Store, caller: &Caller) -> Result<Answer, Fault> {
    let facts = store.facts()?;
    let name = facts.name(store.node_org()?);
    let roots: Vec<String> = std::iter::once(root_path(None))
        .chain(groups(&facts, caller).into_iter().map(|(group, _)| root_path(Some(group))))
        .collect();
    Ok(Answer::json(&json!({"title": format!("Manara: {name}"), "default": root_path(None), "api_roots": roots})))
}

/// §4.2. `most`: bytes of a body that is taken.
pub(crate) fn root(store: &Store, root: Option<GroupId>, caller: &Caller, most: u64) -> Result<Answer, Fault> {
    let facts = store.facts()?;
    let title = match root {
        None => Some(facts.name(store.node_org()?)),
        Some(root) => groups(&facts, caller).into_iter().find(|(group, _)| *group == root).map(|(_, name)| name),
    };
    Ok(Answer::json(&json!({
        "title": title.ok_or_else(|| Fault::missing("API root"))?,
        "versions": ["application/taxii+json;version=2.1"],
        "max_content_length": most,
    })))
}

/// §5.1
pub(crate) fn collections(store: &Store, root: Option<GroupId>, caller: &Caller) -> Result<Answer, Fault> {
    let all = Collection::all(store)?.into_iter().filter(|collection| collection.is.group == root);
    let seen = all.map(|collection| (collection.access(caller), collection));
    let seen = seen.filter(|(access, _)| access.read || access.write);
    let list: Vec<Value> = seen.map(|(access, collection)| collection.resource(access)).collect();
    // A list that has nothing in it is left out (§3.2).
    Ok(Answer::json(&if list.is_empty() { json!({}) } else { json!({"collections": list}) }))
}
