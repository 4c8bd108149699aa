//! What is set up by hand: block lists, correlation exclusions, feeds, servers, settings of users. Each
//! kind is a row: what its fields are and what they are by default.

use crate::answer::{Answer, Fault, saved};
use crate::call::page;
use crate::context::Context;
use crate::ids;
use crate::search::filter::Wanted;
use crate::shape::{datetime, num};
use manara_model::record::text_of;
use manara_model::role::Right;
use manara_store::StoreError;
use manara_store::entries::Entry;
use manara_store::view::Which;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A kind of entry.
pub(crate) struct Kind {
    /// In the store.
    pub kind: &'static str,
    /// MISP's name for it.
    pub model: &'static str,
    /// Its controller.
    pub controller: &'static str,
    /// The field that tells one from another; empty: they are told apart by number.
    key: &'static str,
    /// Fields that must be there.
    must: &'static [&'static str],
    /// Fields with their defaults, as JSON.
    fields: &'static [(&'static str, &'static str)],
    /// Shown without the model's name around it.
    flat: bool,
    /// A field that is a secret: sealed, and never shown.
    secret: &'static str,
}

/// The kinds.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        kind: "eventblocklist",
        model: "EventBlocklist",
        controller: "eventblocklists",
        key: "event_uuid",
        must: &["event_uuid"],
        fields: &[("event_uuid", "\"\""), ("event_info", "\"\""), ("comment", "\"\""), ("event_orgc", "\"\"")],
        flat: true,
        secret: "",
    },
    Kind {
        kind: "orgblocklist",
        model: "OrgBlocklist",
        controller: "orgblocklists",
        key: "org_uuid",
        must: &["org_uuid"],
        fields: &[("org_uuid", "\"\""), ("org_name", "\"\""), ("comment", "\"\"")],
        flat: true,
        secret: "",
    },
    Kind {
        kind: "galaxyclusterblocklist",
        model: "GalaxyClusterBlocklist",
        controller: "galaxyclusterblocklists",
        key: "cluster_uuid",
        must: &["cluster_uuid"],
        fields: &[("cluster_uuid", "\"\""), ("cluster_info", "\"\""), ("comment", "\"\""), ("cluster_orgc", "\"\"")],
        flat: true,
        secret: "",
    },
    Kind {
        kind: "correlationexclusion",
        model: "CorrelationExclusion",
        controller: "correlationexclusions",
        key: "value",
        must: &["value"],
        fields: &[("value", "\"\""), ("comment", "\"\""), ("from_json", "false")],
        flat: false,
        secret: "",
    },
    Kind {
        kind: "feed",
        model: "Feed",
        controller: "feeds",
        key: "",
        must: &["name", "provider", "url"],
        fields: &[
            ("name", "\"\""),
            ("provider", "\"\""),
            ("url", "\"\""),
            ("rules", "null"),
            ("enabled", "false"),
            ("distribution", "\"0\""),
            ("sharing_group_id", "\"0\""),
            ("tag_id", "\"0\""),
            ("default", "false"),
            ("source_format", "\"misp\""),
            ("fixed_event", "true"),
            ("delta_merge", "false"),
            ("event_id", "\"0\""),
            ("publish", "false"),
            ("override_ids", "false"),
            ("settings", "\"[]\""),
            ("input_source", "\"network\""),
            ("delete_local_file", "false"),
            ("lookup_visible", "false"),
            ("headers", "null"),
            ("caching_enabled", "false"),
            ("force_to_ids", "false"),
            ("orgc_id", "\"0\""),
            ("tag_collection_id", "\"0\""),
        ],
        flat: false,
        secret: "",
    },
    Kind {
        kind: "server",
        model: "Server",
        controller: "servers",
        key: "",
        must: &["name", "url", "authkey"],
        fields: &[
            ("name", "\"\""),
            ("url", "\"\""),
            ("org_id", "\"0\""),
            ("push", "false"),
            ("pull", "false"),
            ("push_sightings", "false"),
            ("push_galaxy_clusters", "false"),
            ("pull_galaxy_clusters", "false"),
            ("push_analyst_data", "false"),
            ("pull_analyst_data", "false"),
            ("lastpulledid", "\"0\""),
            ("lastpushedid", "\"0\""),
            ("remote_org_id", "\"0\""),
            ("publish_without_email", "false"),
            ("unpublish_event", "false"),
            ("self_signed", "false"),
            (
                "pull_rules",
                "\"{\\\"tags\\\":{\\\"OR\\\":[],\\\"NOT\\\":[]},\\\"orgs\\\":{\\\"OR\\\":[],\\\"NOT\\\":[]},\\\"url_params\\\":\\\"\\\"}\"",
            ),
            (
                "push_rules",
                "\"{\\\"tags\\\":{\\\"OR\\\":[],\\\"NOT\\\":[]},\\\"orgs\\\":{\\\"OR\\\":[],\\\"NOT\\\":[]}}\"",
            ),
            ("internal", "false"),
            ("skip_proxy", "false"),
            ("remove_missing_tags", "false"),
            ("caching_enabled", "false"),
            ("priority", "\"1\""),
        ],
        flat: false,
        secret: "authkey",
    },
];

impl Kind {
    pub(crate) fn shown(&self, entry: &Entry) -> Value {
        let mut body = Map::new();
        body.insert("id".into(), num(entry.id));
        for (name, default) in self.fields {
            let default = || serde_json::from_str(default).unwrap_or_default();
            body.insert((*name).into(), entry.body.get(*name).cloned().unwrap_or_else(default));
        }
        if self.flat {
            body.insert("created".into(), datetime(entry.created).into());
        }
        if !self.secret.is_empty() {
            body.insert(self.secret.into(), "(hidden)".into());
        }
        // How the last exchanges with a server went, and what came of a feed.
        for name in ["last_pull", "last_push", "last_fetch", "last_cache"] {
            if let Some(said) = entry.body.get(name) {
                body.insert(name.into(), said.clone());
            }
        }
        Value::Object(body)
    }

    /// The entry with its defaults, where it says nothing.
    pub(crate) fn filled(&self, mut entry: Entry) -> Entry {
        for (name, default) in self.fields {
            if entry.body.get(*name).is_none() {
                entry.body[*name] = serde_json::from_str(default).unwrap_or_default();
            }
        }
        entry
    }

    fn wrapped(&self, entry: &Entry) -> Value {
        json!({self.model: self.shown(entry)})
    }

    /// The fields that are given.
    pub(crate) fn body(&self, given: &Map<String, Value>) -> Map<String, Value> {
        let mut body = Map::new();
        for (name, _) in self.fields {
            if let Some(value) = given.get(*name) {
                // Where MISP has JSON as a text, clients read a text.
                let text = matches!(*name, "settings" | "rules") && (value.is_object() || value.is_array());
                body.insert((*name).into(), if text { value.to_string().into() } else { value.clone() });
            }
        }
        body
    }
}

impl Context<'_> {
    fn kind(&self) -> Result<&'static Kind, Fault> {
        KINDS.iter().find(|kind| kind.controller == self.call.controller).ok_or_else(|| Fault::new(404, "Not Found"))
    }

    /// An entry by number, by its key, or by an identifier made of it.
    pub(crate) fn named_entry(&self, kind: &str, what: &str) -> Result<Entry, Fault> {
        let named = self.call.arg(0).unwrap_or_default();
        let found = match ids::which(named) {
            Some(Which::Number(number)) => self.store.entry(kind, number)?,
            Some(Which::Uuid(uuid)) => self.store.entry_named(kind, &uuid.to_string())?,
            None => self.store.entry_named(kind, named)?,
        };
        found.ok_or_else(|| Fault::missing(what))
    }

    /// `…/index`
    pub fn entries_index(&self) -> Result<Answer, Fault> {
        let kind = self.kind()?;
        let options = self.call.filters()?;
        let (skip, limit) = page(&options, usize::MAX, usize::MAX);
        let lines = self.store.entries(kind.kind)?;
        let lines = lines
            .iter()
            .skip(skip)
            .take(limit)
            .map(|entry| if kind.flat { kind.shown(entry) } else { kind.wrapped(entry) });
        Ok(Answer::json(&lines.collect()))
    }

    /// `…/view`
    pub fn entries_view(&self) -> Result<Answer, Fault> {
        let kind = self.kind()?;
        Ok(Answer::json(&kind.wrapped(&self.named_entry(kind.kind, &kind.model.to_lowercase())?)))
    }

    /// `…/add`. Block lists take several at once.
    pub fn entries_add(&self) -> Result<Answer, Fault> {
        let kind = self.kind()?;
        self.entry_of(kind, self.call.object(kind.model)?)
    }

    /// `servers/import`: what another node's `servers/createSync` says, with a key of it put in.
    pub fn servers_import(&self) -> Result<Answer, Fault> {
        let kind = self.kind()?;
        let mut given = self.call.object(kind.model)?;
        let org = given.remove("Organisation").or_else(|| given.remove("RemoteOrg")).unwrap_or_default();
        let uuid = text_of(org.get("uuid")).and_then(|uuid| uuid.parse::<Uuid>().ok());
        let name = text_of(org.get("name")).unwrap_or_default().into_owned();
        let uuid = uuid.filter(|_| !name.is_empty()).ok_or_else(|| {
            Fault::unsaved(
                "import",
                kind.model,
                json!({"Organisation": ["Whose server it is (name, uuid) is missing."]}),
            )
        })?;
        self.store.hear_of_org(uuid, &name)?;
        given.insert("remote_org_id".into(), num(self.store.number("org", uuid)?));
        if text_of(given.get("name")).is_none_or(|name| name.trim().is_empty()) {
            given.insert("name".into(), format!("{name}'s server").into());
        }
        // Nothing goes either way before somebody has looked at it.
        for way in ["pull", "push"] {
            given.insert(way.into(), false.into());
        }
        self.entry_of(kind, given)
    }

    fn entry_of(&self, kind: &Kind, mut given: Map<String, Value>) -> Result<Answer, Fault> {
        if kind.flat {
            return self.block(kind, &given);
        }
        for name in kind.must {
            if text_of(given.get(*name)).is_none_or(|text| text.trim().is_empty()) {
                return Err(Fault::unsaved("add", kind.model, json!({*name: ["valueNotEmpty"]})));
            }
        }
        let name = match kind.key {
            "" => Uuid::new_v4().to_string(),
            key => text_of(given.get(key)).unwrap_or_default().into_owned(),
        };
        let mut body = kind.body(&given);
        if !kind.secret.is_empty() {
            let secret =
                given.remove(kind.secret).as_ref().and_then(|value| text_of(Some(value)).map(|text| text.into_owned()));
            let sealed = self.store.seal_secret(&format!("{}/{name}", kind.kind), &secret.unwrap_or_default())?;
            body.insert("sealed".into(), sealed.into());
        }
        let own = self.call.caller.account.org;
        let entry =
            self.store.add_entry(self.actor(), kind.kind, &name, (Some(own), None), body.into()).map_err(|error| {
                match error {
                    StoreError::Exists { .. } => {
                        Fault::unsaved("add", kind.model, json!({kind.key: ["is there already."]}))
                    }
                    error => error.into(),
                }
            })?;
        Ok(Answer::json(&kind.wrapped(&entry)))
    }

    fn block(&self, kind: &Kind, given: &Map<String, Value>) -> Result<Answer, Fault> {
        let mut uuids = Wanted::of(given.get("uuids")).any;
        uuids.extend(Wanted::of(given.get(kind.key)).any);
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for uuid in uuids {
            let Ok(id) = uuid.parse::<Uuid>() else {
                bad.push(uuid);
                continue;
            };
            let mut body = kind.body(given);
            body.insert(kind.key.into(), id.to_string().into());
            let own = self.call.caller.account.org;
            match self.store.add_entry(self.actor(), kind.kind, &id.to_string(), (Some(own), None), body.into()) {
                Ok(_) => good.push(uuid),
                Err(StoreError::Exists { .. }) => bad.push(uuid),
                Err(error) => return Err(error.into()),
            }
        }
        if good.is_empty() && bad.is_empty() {
            return Err(Fault::unsaved("add", kind.model, json!({kind.key: ["Invalid UUID."]})));
        }
        Ok(Answer::json(&json!({"result": {"successes": good, "fails": bad}})))
    }

    /// `…/edit`
    pub fn entries_edit(&self) -> Result<Answer, Fault> {
        let kind = self.kind()?;
        let given = self.call.object(kind.model)?;
        let entry = self.named_entry(kind.kind, &kind.model.to_lowercase())?;
        let mut body = kind.body(&given);
        if !kind.secret.is_empty()
            && let Some(secret) =
                text_of(given.get(kind.secret)).filter(|secret| !secret.is_empty() && secret != "(hidden)")
        {
            let sealed = self.store.seal_secret(&format!("{}/{}", kind.kind, entry.name), &secret)?;
            body.insert("sealed".into(), sealed.into());
        }
        // By this it is known.
        body.shift_remove(kind.key);
        let entry = self.store.set_entry(self.actor(), kind.kind, entry.id, body)?;
        Ok(Answer::json(&kind.wrapped(&entry)))
    }

    /// `…/delete`
    pub fn entries_delete(&self) -> Result<Answer, Fault> {
        let kind = self.kind()?;
        let entry = self.named_entry(kind.kind, &kind.model.to_lowercase())?;
        self.store.remove_entry(self.actor(), kind.kind, entry.id)?;
        if matches!(kind.kind, "feed" | "server") {
            // With what was cached of it.
            self.store.forget_feed_values(entry.id)?;
        }
        let text = match kind.kind {
            _ if kind.flat => "Blocklist item removed".to_owned(),
            "server" => "Server deleted".to_owned(),
            _ => format!("{} deleted.", kind.model),
        };
        Ok(Answer::json(&saved(text, &self.call.url, Some(entry.id.to_string()))))
    }

    /// `correlation_exclusions/clean`: correlations are looked up, never stored, so none is left behind.
    pub fn exclusions_clean(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&saved(
            "Nothing to clean: correlations are looked up when they are asked for.",
            &self.call.url,
            None,
        )))
    }

    /// Values that are not to be correlated, in lower case; `%` at an end is anything.
    pub(crate) fn excluded(&self) -> Result<Vec<String>, Fault> {
        let all = self.store.entries("correlationexclusion")?;
        Ok(all.iter().filter_map(|entry| text_of(entry.body.get("value")).map(|value| value.to_lowercase())).collect())
    }

    /// Whose setting is asked for: the caller's, or (for an administrator) another's.
    fn setting_owner(&self, options: &Map<String, Value>) -> Result<manara_model::UserId, Fault> {
        match text_of(options.get("user_id").or(options.get("user"))) {
            Some(user) => Ok(self.account_named(Some(&user))?.uuid),
            None => Ok(self.call.caller.account.uuid),
        }
    }

    fn setting_shown(&self, entry: &Entry) -> Result<Value, Fault> {
        let user = entry.account.map_or(Ok(0), |user| self.store.number("user", user.0))?;
        Ok(
            json!({"UserSetting": {"id": num(entry.id), "setting": entry.body["setting"], "value": entry.body["value"], "user_id": num(user)}}),
        )
    }

    /// `userSettings/index`, `getSetting`, `setSetting`, `delete`
    pub fn user_settings(&self) -> Result<Answer, Fault> {
        const KIND: &str = "usersetting";
        let options = match self.call.json()? {
            Value::Object(map) => map.get("UserSetting").and_then(Value::as_object).cloned().unwrap_or(map),
            _ => self.call.named.clone(),
        };
        let owner = self.setting_owner(&options)?;
        if self.call.action == "index" {
            let all = self.call.may(Right::Admin);
            let entries = self.store.entries(KIND)?;
            let lines: Result<Vec<Value>, Fault> = entries
                .iter()
                .filter(|entry| all || entry.account == Some(owner))
                .map(|entry| self.setting_shown(entry))
                .collect();
            return Ok(Answer::json(&Value::Array(lines?)));
        }
        let setting = text_of(options.get("setting"))
            .map(|text| text.into_owned())
            .or_else(|| self.call.arg(1).map(str::to_owned))
            .unwrap_or_default();
        if setting.is_empty() {
            return Err(Fault::unsaved("set", "UserSetting", json!({"setting": ["valueNotEmpty"]})));
        }
        let name = format!("{owner}/{setting}");
        let held = self.store.entry_named(KIND, &name)?;
        match self.call.action.as_str() {
            "setsetting" => {
                let value = match options.get("value") {
                    // What was written as a text may be JSON.
                    Some(Value::String(text)) => {
                        serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
                    }
                    value => value.cloned().unwrap_or_default(),
                };
                let body = Map::from_iter([("setting".to_owned(), json!(setting)), ("value".to_owned(), value)]);
                let entry = match held {
                    Some(held) => self.store.set_entry(self.actor(), KIND, held.id, body)?,
                    None => self.store.add_entry(self.actor(), KIND, &name, (None, Some(owner)), body.into())?,
                };
                Ok(Answer::json(&self.setting_shown(&entry)?))
            }
            "delete" => {
                let held = held.ok_or_else(|| Fault::missing("Setting"))?;
                self.store.remove_entry(self.actor(), KIND, held.id)?;
                Ok(Answer::json(&saved("Setting deleted.", &self.call.url, None)))
            }
            _ => Ok(Answer::json(&self.setting_shown(&held.ok_or_else(|| Fault::missing("Setting"))?)?)),
        }
    }
}
