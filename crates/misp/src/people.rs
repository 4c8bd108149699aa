//! `/organisations`, `/users`, `/roles`, `/sharingGroups`.

use crate::answer::{Answer, Fault, saved};
use crate::call::Method;
use crate::context::Context;
use crate::shape::{datetime, num};
use manara_model::record::{flag_of, text_of};
use manara_model::role::{Right, Role};
use manara_model::{GroupId, OrgId, UserId};
use manara_store::people::{Account, NewAccount, NewGroup, Organisation};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What keepers say of an organisation, besides its name and country.
const ORG_NOTES: &[&str] = &["description", "type", "sector", "contacts", "restricted_to_domain", "landingpage"];
/// The same of an account.
const USER_NOTES: &[&str] = &[
    "autoalert",
    "contactalert",
    "gpgkey",
    "certif_public",
    "termsaccepted",
    "change_pw",
    "nids_sid",
    "newsread",
    "expiration",
    "notification_daily",
    "notification_weekly",
    "notification_monthly",
    "external_auth_required",
    "external_auth_key",
];

fn role_id(role: Role) -> usize {
    Role::ALL.iter().position(|one| *one == role).map_or(0, |at| at + 1)
}

/// A role with MISP's flags.
#[must_use]
pub(crate) fn role_value(role: Role) -> Value {
    let has = |right: Right| role.has(right);
    json!({
        "id": role_id(role).to_string(), "name": role.name(), "created": null, "modified": null,
        "perm_add": has(Right::Write), "perm_modify": has(Right::Write), "perm_modify_org": has(Right::Write),
        "perm_publish": has(Right::Write), "perm_delegate": false, "perm_sync": has(Right::Sync), "perm_admin": has(Right::Manage),
        "perm_audit": has(Right::Read), "perm_auth": true, "perm_site_admin": has(Right::Admin), "perm_regexp_access": false,
        "perm_tagger": has(Right::Write), "perm_template": false, "perm_sharing_group": has(Right::Write),
        "perm_tag_editor": has(Right::Admin), "perm_sighting": has(Right::Write), "perm_object_template": has(Right::Admin),
        "default_role": role == Role::User, "default": role == Role::User, "memory_limit": null, "max_execution_time": null,
        "restricted_to_site_admin": has(Right::Admin), "perm_publish_zmq": false, "perm_publish_kafka": false,
        "perm_decaying": has(Right::Admin), "enforce_rate_limit": false, "rate_limit_count": "0",
        "perm_galaxy_editor": has(Right::Write), "perm_warninglist": has(Right::Admin), "perm_view_feed_correlations": has(Right::Read),
        "perm_analyst_data": has(Right::Write), "perm_skip_otp": false,
        "permission": if has(Right::Write) { "3" } else { "0" }, "permission_description": if has(Right::Write) { "publish" } else { "read_only" },
    })
}

impl Context<'_> {
    fn org_named(&self, named: Option<&str>) -> Result<Organisation, Fault> {
        let missing = || Fault::missing("organisation");
        let named = named.ok_or_else(missing)?;
        let uuid = self.identify("org", named)?;
        let found = self.store.org(&uuid.map_or(named.to_owned(), |uuid| uuid.to_string())).map_err(|_| missing())?;
        Ok(found)
    }

    fn org_shown(&self, org: &Organisation, accounts: &[Account]) -> Result<Value, Fault> {
        let (created, notes) = self.store.org_detail(org.uuid)?;
        let users = accounts.iter().filter(|account| account.org == org.uuid).count();
        let date = datetime(created);
        let mut shown = json!({
            "id": num(self.store.number("org", org.uuid.0)?), "name": org.name, "date_created": date, "date_modified": date,
            "description": null, "type": "", "nationality": org.country, "sector": "", "created_by": "0", "uuid": org.uuid,
            "contacts": null, "local": org.local, "restricted_to_domain": null, "landingpage": null,
            "user_count": users.to_string(), "created_by_email": "Unknown",
        });
        for (name, value) in notes {
            shown[name] = value;
        }
        Ok(shown)
    }

    /// Accounts that the caller may count: all for an administrator, else those of the own organisation.
    fn accounts_seen(&self) -> Result<Vec<Account>, Fault> {
        let own = self.call.caller.account.org;
        let all = self.is_admin();
        Ok(self.store.accounts()?.into_iter().filter(|account| all || account.org == own).collect())
    }

    /// `organisations/index`
    pub fn orgs_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let scope = text_of(options.get("scope")).unwrap_or("local".into()).into_owned();
        let search = text_of(options.get("searchall")).unwrap_or_default().to_lowercase();
        let number = |name: &str| text_of(options.get(name)).and_then(|text| text.parse::<usize>().ok());
        let limit = number("limit").unwrap_or(usize::MAX);
        let skip = number("page").unwrap_or(1).max(1).saturating_sub(1).saturating_mul(limit);
        let accounts = self.accounts_seen()?;
        let mut lines = Vec::new();
        let wanted = |org: &Organisation| match scope.as_str() {
            "local" => org.local,
            "external" => !org.local,
            _ => true,
        };
        let found =
            self.store.orgs()?.into_iter().filter(wanted).filter(|org| org.name.to_lowercase().contains(&search));
        for org in found.skip(skip).take(limit) {
            lines.push(json!({"Organisation": self.org_shown(&org, &accounts)?}));
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `organisations/view`
    pub fn orgs_view(&self) -> Result<Answer, Fault> {
        let org = self.org_named(self.call.arg(0).or(Some(self.call.action_text.as_str())))?;
        if self.call.method == Method::Head {
            return Ok(Answer::new("text/html; charset=UTF-8"));
        }
        Ok(Answer::json(&json!({"Organisation": self.org_shown(&org, &self.accounts_seen()?)?})))
    }

    fn notes(given: &Map<String, Value>, names: &[&str], mut held: Map<String, Value>) -> Map<String, Value> {
        for name in names {
            if let Some(value) = given.get(*name) {
                held.insert((*name).into(), value.clone());
            }
        }
        held
    }

    fn org_of(
        &self,
        given: &Map<String, Value>,
        model: &str,
        held: Option<Organisation>,
    ) -> Result<Organisation, Fault> {
        let unsaved = |field: &str, text: String| Fault::unsaved(model, "Organisation", json!({field: [text]}));
        let name = text_of(given.get("name"))
            .map(|name| name.trim().to_owned())
            .or_else(|| held.as_ref().map(|org| org.name.clone()));
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| unsaved("name", "valueNotEmpty".into()))?;
        // MISP writes countries in words; here they are two letters, and what is more is a note.
        let country = text_of(given.get("nationality")).filter(|text| text.len() == 2).map(|text| text.into_owned());
        let country = country.or_else(|| held.as_ref().map(|org| org.country.clone())).unwrap_or_default();
        let local = given.get("local").map_or(held.as_ref().is_none_or(|org| org.local), |flag| flag_of(Some(flag)));
        let mut org = Organisation::new(&name, &country, local).map_err(|error| unsaved("name", error.to_string()))?;
        let uuid = text_of(given.get("uuid")).filter(|uuid| !uuid.is_empty());
        match (held, uuid) {
            (Some(held), _) => org.uuid = held.uuid,
            (None, Some(uuid)) => org.uuid = OrgId(uuid.parse().map_err(|_| unsaved("uuid", "Invalid UUID.".into()))?),
            (None, None) => {}
        }
        Ok(org)
    }

    /// `admin/organisations/add`. One that was only heard of becomes known by it.
    pub fn orgs_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Organisation")?;
        let org = self.org_of(&given, "add", None)?;
        let notes = Self::notes(&given, ORG_NOTES, Map::new());
        match self.store.add_org(self.actor(), org.clone()) {
            Ok(_) => self.store.set_org(self.actor(), org.clone(), &notes)?,
            Err(manara_store::StoreError::Exists { .. }) if !given.contains_key("uuid") => {
                return Err(Fault::unsaved(
                    "add",
                    "Organisation",
                    json!({"name": ["An organisation with this name already exists."]}),
                ));
            }
            Err(manara_store::StoreError::Exists { .. }) => {
                let text = "An organisation with this UUID or name already exists.";
                return Err(Fault::unsaved("add", "Organisation", json!({"uuid": [text]})));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Answer::json(&json!({"Organisation": self.org_shown(&org, &[])?})))
    }

    /// `admin/organisations/edit`
    pub fn orgs_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Organisation")?;
        let held = self.org_named(self.call.arg(0))?;
        let (_, notes) = self.store.org_detail(held.uuid)?;
        let org = self.org_of(&given, "edit", Some(held))?;
        self.store.set_org(self.actor(), org.clone(), &Self::notes(&given, ORG_NOTES, notes))?;
        Ok(Answer::json(&json!({"Organisation": self.org_shown(&org, &self.accounts_seen()?)?})))
    }

    /// `admin/organisations/delete`
    pub fn orgs_delete(&self) -> Result<Answer, Fault> {
        let org = self.org_named(self.call.arg(0))?;
        self.store.remove_org(self.actor(), org.uuid)?;
        Ok(Answer::json(&saved("Organisation deleted", &self.call.url, None)))
    }

    fn user_shown(&self, account: &Account) -> Result<Value, Fault> {
        let (created, notes) = self.store.account_detail(account.uuid)?;
        let number = |kind, uuid| self.store.number(kind, uuid);
        let mut user = json!({
            "id": num(number("user", account.uuid.0)?), "password": "*****", "org_id": num(number("org", account.org.0)?),
            "server_id": "0", "email": account.email, "autoalert": false, "authkey": "(hidden)", "invited_by": "0", "gpgkey": null,
            "certif_public": "", "nids_sid": "4000000", "termsaccepted": true, "newsread": "0",
            "role_id": role_id(account.role).to_string(), "change_pw": false, "contactalert": false, "disabled": account.disabled,
            "expiration": null, "current_login": "0", "last_login": "0", "force_logout": false,
            "date_created": (created / 1000).to_string(), "date_modified": (created / 1000).to_string(), "sub": null,
            "external_auth_required": false, "external_auth_key": null, "last_api_access": "0", "notification_daily": false,
            "notification_weekly": false, "notification_monthly": false, "last_pw_change": null, "totp": null, "hotp_counter": null,
            "totp_is_set": if account.second_factor { "1" } else { "0" },
        });
        for (name, value) in notes {
            user[name] = value;
        }
        Ok(json!({
            "User": user, "Role": role_value(account.role), "UserSetting": self.settings_of(account.uuid)?,
            "Organisation": self.org_shown(&self.org_named(Some(&account.org.to_string()))?, &[])?,
        }))
    }

    /// The account that a number, an identifier, an address or `me` names, if the caller may know it.
    pub(crate) fn account_named(&self, named: Option<&str>) -> Result<Account, Fault> {
        let missing = || Fault::missing("user");
        let named = named.unwrap_or("me");
        let own = &self.call.caller.account;
        if named == "me" {
            return Ok(own.clone());
        }
        let uuid = self.identify("user", named)?;
        let found = self
            .store
            .accounts()?
            .into_iter()
            .find(|account| uuid.map_or(account.email == named, |uuid| account.uuid.0 == uuid));
        let found = found.ok_or_else(missing)?;
        let may = self.is_admin() || found.uuid == own.uuid || self.call.may(Right::Manage) && found.org == own.org;
        if may { Ok(found) } else { Err(missing()) }
    }

    /// `users/view`
    pub fn users_view(&self) -> Result<Answer, Fault> {
        let account = self.account_named(self.call.arg(0))?;
        Ok(Answer::json(&self.user_shown(&account)?))
    }

    /// `admin/users/index`
    pub fn users_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let search = text_of(options.get("value").or(options.get("searchall"))).unwrap_or_default().to_lowercase();
        let org = match text_of(options.get("searchorg").or(options.get("org_id"))) {
            Some(org) => self.identify("org", &org)?,
            None => None,
        };
        let mut lines = Vec::new();
        for account in self.accounts_seen()? {
            if account.email.contains(&search) && org.is_none_or(|org| account.org.0 == org) {
                lines.push(self.user_shown(&account)?);
            }
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// A role by its number or name; nobody gives more than he has.
    fn role_of(&self, given: &Map<String, Value>, default: Role) -> Result<Role, Fault> {
        let Some(text) = text_of(given.get("role_id")).filter(|text| !text.is_empty()) else { return Ok(default) };
        let role = text
            .parse::<usize>()
            .ok()
            .and_then(|id| Role::ALL.get(id.checked_sub(1)?).copied())
            .or_else(|| Role::parse(&text));
        let role = role.ok_or_else(|| Fault::unsaved("save", "User", json!({"role_id": ["Invalid role."]})))?;
        if Right::ALL.into_iter().any(|right| role.has(right) && right != Right::Sync && !self.call.may(right)) {
            return Err(Fault::unsaved(
                "save",
                "User",
                json!({"role_id": ["You can't give a role that has more rights than yours."]}),
            ));
        }
        Ok(role)
    }

    fn org_for_user(&self, given: &Map<String, Value>, default: OrgId) -> Result<OrgId, Fault> {
        let Some(named) = text_of(given.get("org_id")).filter(|text| !text.is_empty() && text != "0") else {
            return Ok(default);
        };
        let org = self.org_named(Some(&named))?.uuid;
        if org != self.call.caller.account.org && !self.is_admin() {
            return Err(Fault::forbidden("You do not have permission to do that."));
        }
        Ok(org)
    }

    /// `admin/users/add`: the answer holds the new key, once.
    pub fn users_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("User")?;
        let email = text_of(given.get("email")).map(|email| email.into_owned()).unwrap_or_default();
        let new = NewAccount {
            org: self.org_for_user(&given, self.call.caller.account.org)?,
            email,
            role: self.role_of(&given, Role::User)?,
        };
        let made = self.store.add_account(self.actor(), new).map_err(|error| match error {
            manara_store::StoreError::Exists { .. } => {
                Fault::unsaved("add", "User", json!({"email": ["An account with this email address already exists."]}))
            }
            manara_store::StoreError::Invalid(text) => Fault::unsaved("add", "User", json!({"email": [text]})),
            error => error.into(),
        })?;
        let account = self.store.account(&made.email)?;
        self.store.set_account(self.actor(), account.clone(), &Self::notes(&given, USER_NOTES, Map::new()))?;
        if let Some(password) = text_of(given.get("password")).filter(|password| !password.is_empty()) {
            self.store.set_password(self.actor(), &made.email, &password)?;
        }
        let mut shown = self.user_shown(&account)?;
        shown["User"]["authkey"] = made.api_key.into();
        Ok(Answer::json(&shown))
    }

    /// `users/edit`, `admin/users/edit`
    pub fn users_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("User")?;
        let mut account = self.account_named(self.call.arg(0).or(Some("me")))?;
        let manages = self.call.may(Right::Manage);
        if manages {
            account.role = self.role_of(&given, account.role)?;
            account.org = self.org_for_user(&given, account.org)?;
            if let Some(email) = text_of(given.get("email")).filter(|email| !email.is_empty()) {
                account.email = email.trim().to_lowercase();
            }
            if let Some(flag) = given.get("disabled") {
                account.disabled = flag_of(Some(flag));
            }
        }
        let (_, notes) = self.store.account_detail(account.uuid)?;
        self.store.set_account(self.actor(), account.clone(), &Self::notes(&given, USER_NOTES, notes))?;
        if let Some(password) =
            text_of(given.get("password")).filter(|password| !password.is_empty() && !password.starts_with('*'))
        {
            self.store.set_password(self.actor(), &account.email, &password)?;
        }
        Ok(Answer::json(&self.user_shown(&account)?))
    }

    /// `users/change_pw`
    pub fn users_password(&self) -> Result<Answer, Fault> {
        let given = self.call.object("User")?;
        let password = text_of(given.get("password")).unwrap_or_default();
        let email = &self.call.caller.account.email;
        self.store.set_password(self.actor(), email, &password).map_err(|error| match error {
            manara_store::StoreError::Invalid(text) => Fault::unsaved("change", "User", json!({"password": [text]})),
            error => error.into(),
        })?;
        Ok(Answer::json(&saved("Password Changed.", &self.call.url, None)))
    }

    /// `admin/users/delete`
    pub fn users_delete(&self) -> Result<Answer, Fault> {
        let account = self.account_named(self.call.arg(0).or(Some("0")))?;
        if account.uuid == self.call.caller.account.uuid {
            return Err(Fault::forbidden("You can't delete the account that you are using."));
        }
        self.store.remove_account(self.actor(), account.uuid)?;
        Ok(Answer::json(&saved("User deleted.", &self.call.url, None)))
    }

    /// `auth_keys/add`, `users/resetauthkey`: a new key; shown once.
    pub fn keys_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("AuthKey")?;
        let account = self.account_named(self.call.arg(0).or(Some("me")))?;
        let scope: Vec<Right> = Right::ALL
            .into_iter()
            .filter(|right| account.role.has(*right))
            .filter(|right| account.uuid != self.call.caller.account.uuid || self.call.may(*right))
            .collect();
        let scope = if flag_of(given.get("read_only")) { vec![Right::Read] } else { scope };
        let note = text_of(given.get("comment")).unwrap_or_default().into_owned();
        let key = self.store.add_key(self.actor(), &account.email, &note, &scope, None)?;
        let known = self.store.keys(Some(&account.email))?.into_iter().find(|one| key.ends_with(&one.hint));
        let (id, hint) = known.map_or((0, String::new()), |one| (one.id, one.hint));
        if self.call.action == "resetauthkey" {
            return Ok(Answer::json(&saved(format!("Authkey updated: {key}"), &self.call.url, None)));
        }
        Ok(Answer::json(&json!({"AuthKey": {
            "id": num(id), "uuid": manara_model::ids::derived(&["key", &id.to_string()]), "authkey_start": &key[..4], "authkey_end": hint,
            "authkey_raw": key, "created": num(self.now), "expiration": "0", "read_only": scope == [Right::Read],
            "user_id": num(self.store.number("user", account.uuid.0)?), "comment": note, "allowed_ips": null,
        }})))
    }

    /// `roles/index`: fixed here; what each may do is Manara's to keep true.
    pub fn roles_index(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&Role::ALL.into_iter().map(|role| json!({"Role": role_value(role)})).collect()))
    }

    /// `users/statistics`
    pub fn users_statistics(&self) -> Result<Answer, Fault> {
        let view = self.view()?;
        let events = view.count_events(&Default::default())?;
        let accounts = self.accounts_seen()?;
        let orgs = self.store.orgs()?;
        if self.call.arg(0) == Some("orgs") {
            let mut lines = Map::new();
            for org in orgs {
                let filter = manara_store::view::EventFilter {
                    authors: manara_store::view::Sign { any: Some(vec![org.uuid.0]), none: Vec::new() },
                    ..Default::default()
                };
                let count = view.count_events(&filter)?;
                lines.insert(org.name.clone(), json!({"id": num(self.store.number("org", org.uuid.0)?), "name": org.name, "local": org.local, "eventCount": count}));
            }
            return Ok(Answer::json(&Value::Object(lines)));
        }
        let mut attributes = 0;
        let mut after = 0;
        loop {
            let page = view.events_after(&Default::default(), after, 1000, false)?;
            let Some(last) = page.last() else { break };
            after = last.head.number;
            attributes += page.iter().map(|event| event.attributes).sum::<i64>();
        }
        Ok(Answer::json(&json!({"stats": {
            "event_count": events, "attribute_count": attributes, "user_count": accounts.len(), "org_count": orgs.len(),
            "local_org_count": orgs.iter().filter(|org| org.local).count(),
            "attributes_per_event": if events > 0 { attributes / events } else { 0 },
        }})))
    }

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
        let notes = self.store.group_detail(id)?;
        let own = self.call.caller.account.org;
        let note = |name: &str| notes.get(name).cloned();
        let owner = group.owner.unwrap_or(OrgId(Uuid::nil()));
        let number = |org: OrgId| num(facts.numbers.get(&org.0).copied().unwrap_or(0));
        let mine = self.is_admin() || group.owner == Some(own);
        let number_of_group = num(facts.numbers.get(&id.0).copied().unwrap_or(0));
        // Who else is in it is its owner's to show (MISP#10019).
        let members: Vec<Value> = group
            .orgs
            .iter()
            .filter(|org| mine || group.shows_members || **org == own)
            .map(|org| {
                json!({
                    "id": "0", "sharing_group_id": num(facts.numbers.get(&id.0).copied().unwrap_or(0)), "org_id": number(*org), "extend": false,
                    "Organisation": {"id": number(*org), "name": facts.name(*org), "uuid": org, "local": facts.world.local.contains(org)},
                })
            })
            .collect();
        Ok(json!({
            "SharingGroup": {
                "id": num(facts.numbers.get(&id.0).copied().unwrap_or(0)), "uuid": id, "name": group.name,
                "description": note("description").unwrap_or("".into()), "releasability": note("releasability").unwrap_or("".into()),
                "local": note("local").unwrap_or(true.into()), "active": group.active, "roaming": note("roaming").unwrap_or(false.into()),
                "org_count": members.len().to_string(), "organisation_uuid": owner, "org_id": number(owner),
                "created": note("created"), "modified": note("modified"), "sync_user_id": "0",
            },
            "Organisation": {"id": number(owner), "name": facts.name(owner), "uuid": owner},
            "SharingGroupOrg": members, "SharingGroupServer": note("servers").unwrap_or_else(|| json!([{"id": "0", "sharing_group_id": number_of_group, "server_id": "0", "all_orgs": false, "Server": []}])),
            "editable": mine, "deletable": mine,
        }))
    }

    /// `sharingGroups/index`
    pub fn groups_index(&self) -> Result<Answer, Fault> {
        let facts = self.store.facts()?;
        let own = self.call.caller.account.org;
        let mut lines = Vec::new();
        for (id, group) in &facts.world.groups {
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
            servers.push(json!({"server_id": server, "all_orgs": flag_of(options.get("all_orgs"))}));
        }
        notes.insert("servers".into(), servers.into());
        self.store.set_group(self.actor(), id, &group.name, group.active, &notes)?;
        let text = if add { "Server added to the sharing group." } else { "Server removed from the sharing group." };
        Ok(Answer::json(&saved(text, &self.call.url, None)))
    }

    /// An account's settings.
    pub(crate) fn settings_of(&self, user: UserId) -> Result<Value, Fault> {
        let mine = self.store.entries("usersetting")?.into_iter().filter(|entry| entry.account == Some(user));
        Ok(Value::Object(
            mine.map(|entry| {
                (entry.body["setting"].as_str().unwrap_or_default().to_owned(), entry.body["value"].clone())
            })
            .collect(),
        ))
    }
}
