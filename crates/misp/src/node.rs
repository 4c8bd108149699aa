//! `/servers` as far as it is about this node, `/logs`, and what there is nothing of here.

use crate::answer::{Answer, Fault};
use crate::call::page;
use crate::context::Context;
use crate::search::filter::{Wanted, span};
use crate::shape::{datetime, num};
use manara_model::permission::Flag;
use manara_model::role::Right;
use serde_json::{Map, Value, json};

/// The version of MISP whose API this is: clients and servers go by it.
pub(crate) const VERSION: &str = "2.5.34";
/// Entries of the log in one answer.
const LOGGED: usize = 1000;

impl Context<'_> {
    /// `servers/getVersion`
    pub fn version(&self) -> Result<Answer, Fault> {
        let has = |flag| self.call.caller.has(flag);
        Ok(Answer::json(&json!({
            "version": VERSION, "pymisp_recommended_version": VERSION, "perm_sync": self.call.may(Right::Sync), "perm_sighting": has(Flag::Sighting),
            "perm_galaxy_editor": has(Flag::GalaxyEditor), "perm_analyst_data": has(Flag::AnalystData), "uuid": self.store.node()?,
            "request_encoding": ["gzip"], "filter_sightings": true,
        })))
    }

    /// `servers/getPyMISPVersion`
    pub fn pymisp_version(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&json!({"version": VERSION})))
    }

    /// `servers/postTest`: what came, back again.
    pub fn post_test(&self) -> Result<Answer, Fault> {
        let header = |name: &str| {
            self.call.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Ok(Answer::json(&json!({
            "body": self.call.json()?,
            "headers": {"Content-type": header("content-type"), "Accept": header("accept"), "Authorization": "OK"},
        })))
    }

    /// `servers/getAvailableSyncFilteringRules`
    pub fn sync_rules(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let orgs: Vec<String> = self.orgs_known(&view)?.into_iter().map(|org| org.name).collect();
        let mut tags = Vec::new();
        for tag in self.store.vocabulary()? {
            if self.may_know(&view, &tag)? {
                tags.push(tag.name);
            }
        }
        Ok(Answer::json(&json!({"organisations": orgs, "tags": tags})))
    }

    fn settings(&self) -> Result<Vec<(&'static str, Value)>, Fault> {
        let org = self.store.facts()?.name(self.store.node_org()?);
        Ok(vec![
            ("MISP.uuid", json!(self.store.node()?)),
            ("MISP.org", json!(org)),
            ("MISP.live", json!(true)),
            ("MISP.default_event_distribution", json!("0")),
            ("MISP.default_attribute_distribution", json!("event")),
            ("MISP.default_event_threat_level", json!("4")),
            ("MISP.background_jobs", json!(false)),
            ("MISP.attachments_dir", json!("in the store")),
            ("Plugin.Sightings_policy", json!("0")),
            ("Plugin.Enrichment_services_enable", json!(false)),
        ])
    }

    /// `servers/serverSettings`: as they are; they are set in the node's own configuration.
    pub fn server_settings(&self) -> Result<Answer, Fault> {
        let line = |(name, value): (&str, Value)| json!({"setting": name, "value": value, "level": 2, "type": "string", "description": "", "error": false});
        Ok(Answer::json(&json!({
            "version": {"current": VERSION, "newest": VERSION, "upToDate": "same"}, "finalSettings": self.settings()?.into_iter().map(line).collect::<Vec<_>>(),
            "workers": [], "diagnostic_errors": 0,
        })))
    }

    /// `servers/getSetting/NAME`
    pub fn server_setting(&self) -> Result<Answer, Fault> {
        let name = self.call.arg(0).unwrap_or_default();
        let found = self.settings()?.into_iter().find(|(one, _)| *one == name);
        let (name, value) = found.ok_or_else(|| Fault::new(404, format!("Setting {name} is invalid.")))?;
        Ok(Answer::json(&json!({"setting": name, "value": value, "level": 2, "type": "string", "description": ""})))
    }

    /// `servers/serverSettingsEdit`, workers, updates: nothing that is done over this door.
    pub fn not_here(&self) -> Result<Answer, Fault> {
        let text = "This is set or done on the node itself (see its manual), not over the API.";
        Err(Fault::new(405, text))
    }

    /// `servers/getWorkers`: there are none; one program does it all.
    pub fn workers(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&json!({"controls": false})))
    }

    /// `servers/dbSchemaDiagnostic`
    pub fn schema(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(
            &json!({"dataSource": "Manara", "actual_db_version": "0", "expected_db_version": "0", "diagnostic": [], "error": "", "update_fail_number_reached": false}),
        ))
    }

    /// `servers/createSync`: what another node needs to synchronise with this one; a key of the caller's is put in
    /// by him, since keys are shown once.
    pub fn sync_config(&self) -> Result<Answer, Fault> {
        let account = &self.call.caller.account;
        let facts = self.store.facts()?;
        let (_, notes) = self.store.org_detail(account.org)?;
        let note = |name: &str| notes.get(name).cloned().unwrap_or("".into());
        let header =
            |name: &str| self.call.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str());
        let host = header("host").filter(|host| !host.is_empty());
        let scheme = if header("x-forwarded-proto") == Some("https") { "https" } else { "http" };
        let url = host.map(|host| format!("{scheme}://{host}")).unwrap_or_default();
        let name = facts.name(self.store.node_org()?);
        Ok(Answer::json(&json!({
            "Server": {
                "name": name, "url": url, "uuid": self.store.node()?, "authkey": "(a key of yours)",
                "Organisation": {
                    "name": facts.name(account.org), "uuid": account.org, "type": note("type"), "description": note("description"),
                },
            }
        })))
    }

    /// `servers/queryACL`, `events/queryACL`: the actions of this door.
    pub fn acl(&self) -> Result<Answer, Fault> {
        // Functions that nobody has given a right to: there can be none, the table has them all.
        if self.call.arg(0) == Some("findMissingFunctionNames") {
            return Ok(Answer::json(&json!([])));
        }
        let mut all = Map::new();
        for action in crate::table::ACTIONS {
            let list = all.entry(action.controller).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(action.action.into());
            }
        }
        Ok(Answer::json(&Value::Object(all)))
    }

    /// Lists of what there is none of here: communities, jobs, caches.
    pub fn none(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&json!([])))
    }

    /// `users/heartbeat`
    pub fn heartbeat(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&json!({"message": "OK"})))
    }

    /// `admin/logs/index`: the audit log, newest first.
    pub fn logs(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let (mut skip, limit) = page(&options, 60, LOGGED);
        let text = |name: &str| {
            Wanted::of(options.get(name)).any.into_iter().map(|text| text.to_lowercase()).collect::<Vec<_>>()
        };
        let (models, actions, emails, titles) = (text("model"), text("action"), text("email"), text("title"));
        let created = span(options.get("created"), self.now, "created")?;
        let facts = self.store.facts()?;
        let org = facts.name(self.call.caller.account.org);
        let fits = |wanted: &[String], held: &str| {
            wanted.is_empty() || wanted.iter().any(|one| held.to_lowercase().contains(one.trim_matches('%')))
        };
        let (mut lines, mut before) = (Vec::new(), None);
        'pages: loop {
            let page = self.store.audit(before, 1000)?;
            let Some(last) = page.last() else { break };
            before = Some(last.seq);
            for entry in page {
                let (subject, verb) = entry.action.split_once('.').unwrap_or((entry.action.as_str(), ""));
                let (model, verb) = in_words(subject, verb, &entry.detail);
                let seconds = entry.at.div_euclid(1000);
                let in_time = created.from.is_none_or(|from| seconds >= from)
                    && created.until.is_none_or(|until| seconds <= until);
                if !(in_time
                    && fits(&models, model)
                    && fits(&actions, verb)
                    && fits(&emails, &entry.actor)
                    && fits(&titles, &entry.subject))
                {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                lines.push(json!({"Log": {
                    "id": num(entry.seq), "title": format!("{model} ({})", entry.subject), "created": datetime(entry.at), "model": model,
                    "model_id": "0", "action": verb, "user_id": "0", "change": entry.detail, "email": entry.actor, "org": org,
                    "description": format!("{} {} by {}", model, entry.action, entry.actor), "ip": "",
                }}));
                if lines.len() == limit {
                    break 'pages;
                }
            }
        }
        Ok(Answer::json(&Value::Array(lines)))
    }
}

/// MISP's words for what the audit log says.
fn in_words<'e>(subject: &'e str, verb: &'e str, detail: &'e str) -> (&'e str, &'e str) {
    let model = match subject {
        "record" if detail == "event" || detail.starts_with("event of ") => "Event",
        "record" => "Record",
        "org" => "Organisation",
        "account" | "key" => "User",
        "group" => "SharingGroup",
        "tag" => "Tag",
        "sighting" => "Sighting",
        "feed" => "Feed",
        "server" => "Server",
        other => other,
    };
    let verb = match verb {
        "update" | "set" => "edit",
        "withdraw" | "remove" => "delete",
        other => other,
    };
    (model, verb)
}
