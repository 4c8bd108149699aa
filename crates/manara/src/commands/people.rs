//! `manara org`, `user`, `key`, `group`, `tag`.

use super::ACTOR;
use crate::cli::{
    GroupArgs, GroupCommand, KeyArgs, KeyCommand, OrgArgs, OrgCommand, Place, TagArgs, TagCommand, UserArgs,
    UserCommand,
};
use crate::{output, settings};
use anyhow::Context;
use manara_model::GroupId;
use manara_model::role::{Right, Role};
use manara_store::people::{NewAccount, NewGroup, Organisation};
use serde_json::json;
use std::io::BufRead;
use std::process::ExitCode;

pub(crate) fn org(place: &Place, args: OrgArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    match args.command {
        OrgCommand::Add { name, country, remote, output: how } => {
            let org = store.add_org(ACTOR, Organisation::new(&name, &country, !remote)?)?;
            if how.json { output::json(&org)? } else { output::line(format!("{}  {}", org.uuid, org.name))? }
        }
        OrgCommand::List(how) => {
            let orgs = store.orgs()?;
            if how.json {
                output::json(&orgs)?;
            } else {
                let row = |org: &Organisation| {
                    let place = if org.local { "here" } else { "elsewhere" };
                    vec![org.uuid.to_string(), org.country.clone(), place.into(), output::safe(&org.name)]
                };
                output::table(&orgs.iter().map(row).collect::<Vec<_>>())?;
            }
        }
        OrgCommand::Client { of, name } => {
            let (server, client) = (store.org(&of)?, store.org(&name)?);
            store.add_client(ACTOR, server.uuid, client.uuid)?;
            output::line(format!("{} is a client of {}", client.name, server.name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn user(place: &Place, args: UserArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    match args.command {
        UserCommand::Add { email, org, role, output: how } => {
            let role = store.role_named(&role).with_context(|| {
                format!("'{role}' is no role; give reader, contributor, user, sync, org-admin, admin or one of the node's own")
            })?;
            let org = store.org(&org)?;
            let made = store.add_account(ACTOR, NewAccount { org: org.uuid, email, role })?;
            if how.json {
                output::json(&made)?;
            } else {
                output::line(format!("{}  {} ({})", made.email, org.name, output::safe(&store.role_name(role)?)))?;
                output::line(format!("password  {}", made.password))?;
                output::line(format!("API key   {}", made.api_key))?;
            }
        }
        UserCommand::List(how) => {
            let accounts = store.accounts()?;
            if how.json {
                output::json(&accounts)?;
            } else {
                let facts = store.facts()?;
                let custom = store.custom_roles()?;
                let role = |role: Role| match custom.iter().find(|one| one.role() == role) {
                    Some(custom) => output::safe(&custom.name),
                    None => role.name().into(),
                };
                let rows: Vec<Vec<String>> = accounts
                    .iter()
                    .map(|a| {
                        vec![
                            a.email.clone(),
                            role(a.role),
                            output::safe(&facts.name(a.org)),
                            if a.disabled {
                                "disabled"
                            } else if a.second_factor {
                                "second factor"
                            } else {
                                ""
                            }
                            .into(),
                        ]
                    })
                    .collect();
                output::table(&rows)?;
            }
        }
        UserCommand::Password { email, stdin: false } => {
            output::line(format!("password  {}", store.reset_password(ACTOR, &email)?))?;
        }
        UserCommand::Password { email, stdin: true } => {
            let mut password = String::new();
            std::io::stdin().lock().read_line(&mut password)?;
            store.set_password(ACTOR, &email, password.trim_end_matches(['\r', '\n']))?;
            output::line("the password is set; sessions have ended")?;
        }
        UserCommand::Disable { email } => {
            store.disable_account(ACTOR, &email, true)?;
            output::line(format!("{email} is kept out"))?;
        }
        UserCommand::Enable { email } => {
            store.disable_account(ACTOR, &email, false)?;
            output::line(format!("{email} may come in again"))?;
        }
        UserCommand::Logout { email } => {
            output::line(format!("{} sessions ended", store.end_sessions(ACTOR, &email)?))?
        }
        UserCommand::Totp { email, remove: true, .. } => {
            store.remove_second_factor(ACTOR, &email)?;
            output::line(format!("{email} logs in with the password alone"))?;
        }
        UserCommand::Totp { email, remove: false, output: how } => {
            let factor = store.add_second_factor(ACTOR, &email)?;
            if how.json {
                output::json(&factor)?;
            } else {
                output::line(format!("secret  {}", factor.secret))?;
                output::line(format!("url     {}", factor.url))?;
                output::line(
                    "Shown this once: put it into an authenticator app. Each log-in asks for its code from now on.",
                )?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn key(place: &Place, args: KeyArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    match args.command {
        KeyCommand::Add { user, note, scope, days, output: how } => {
            let right = |name: &String| {
                Right::parse(name.trim())
                    .with_context(|| format!("'{name}' is no right; give read, write, sync, manage or admin"))
            };
            let scope: Vec<Right> = scope.iter().map(right).collect::<anyhow::Result<_>>()?;
            let expires = days.map(|days| jiff::Timestamp::now().as_millisecond() + i64::from(days) * 86_400_000);
            let key = store.add_key(ACTOR, &user, &note, &scope, expires)?;
            if how.json { output::json(&json!({"api_key": key}))? } else { output::line(format!("API key   {key}"))? }
        }
        KeyCommand::List(how) => {
            let keys = store.keys(None)?;
            if how.json {
                output::json(&keys)?;
            } else {
                let row = |key: &manara_store::people::KeyInfo| {
                    let state = if key.revoked { "revoked" } else { "" };
                    vec![
                        key.id.to_string(),
                        key.account.clone(),
                        format!("…{}", key.hint),
                        key.scope.join(","),
                        key.note.clone(),
                        state.into(),
                    ]
                };
                output::table(&keys.iter().map(row).collect::<Vec<_>>())?;
            }
        }
        KeyCommand::Revoke { id } => {
            store.revoke_key(ACTOR, id)?;
            output::line(format!("revoked: {id}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn group(place: &Place, args: GroupArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    match args.command {
        GroupCommand::Add { name, uuid, members, shows_members, output: how } => {
            let members = members.iter().map(|name| Ok(store.org(name)?.uuid)).collect::<anyhow::Result<Vec<_>>>()?;
            let uuid = GroupId(uuid.unwrap_or_else(uuid::Uuid::new_v4));
            if members.is_empty() {
                eprintln!("note: a sharing group without members reaches nobody; add some with --member");
            }
            store.put_group(
                ACTOR,
                NewGroup { uuid, name: name.clone(), owner: store.node_org()?, members, shows_members },
            )?;
            if how.json {
                output::json(&json!({"uuid": uuid, "name": name}))?
            } else {
                output::line(format!("{uuid}  {name}"))?
            }
        }
        GroupCommand::List(how) => {
            let facts = store.facts()?;
            let mut rows: Vec<(String, String, Vec<String>)> = Vec::new();
            for (id, group) in &facts.world.groups {
                rows.push((
                    id.to_string(),
                    group.name.clone(),
                    group.orgs.iter().map(|org| facts.name(*org)).collect(),
                ));
            }
            rows.sort_by(|a, b| a.1.cmp(&b.1));
            if how.json {
                let value: Vec<_> = rows
                    .iter()
                    .map(|(uuid, name, members)| json!({"uuid": uuid, "name": name, "members": members}))
                    .collect();
                output::json(&value)?;
            } else {
                let rows: Vec<Vec<String>> = rows
                    .into_iter()
                    .map(|(uuid, name, members)| vec![uuid, output::safe(&name), output::safe(&members.join(", "))])
                    .collect();
                output::table(&rows)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn tag(place: &Place, args: TagArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    match args.command {
        TagCommand::List(how) => {
            let tags = store.tags()?;
            if how.json {
                let value: Vec<_> =
                    tags.iter().map(|(name, records)| json!({"name": name, "records": records})).collect();
                output::json(&value)?;
            } else {
                let rows: Vec<Vec<String>> =
                    tags.into_iter().map(|(name, records)| vec![records.to_string(), output::safe(&name)]).collect();
                output::table(&rows)?;
            }
        }
        TagCommand::Add { name } => {
            store.add_tag(ACTOR, &name)?;
            output::line(name)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
