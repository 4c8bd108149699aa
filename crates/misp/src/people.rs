//! `/users`, `/roles`, `/auth_keys`.

use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::roles::Roles;
use crate::shape::num;
use manara_model::record::{flag_of, text_of};
use manara_model::role::{Right, Role};
use manara_model::{OrgId, UserId};
use manara_store::people::{Account, NewAccount};
use serde_json::{Map, Value, json};

/// What keepers say of an account.
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

impl Context<'_> {
    /// Accounts that the caller may count: all for an administrator, else those of the own organisation.
    pub(crate) fn accounts_seen(&self) -> Result<Vec<Account>, Fault> {
        let own = self.call.caller.account.org;
        let all = self.is_admin();
        Ok(self.store.accounts()?.into_iter().filter(|account| all || account.org == own).collect())
    }

    pub(crate) fn notes(
        given: &Map<String, Value>,
        names: &[&str],
        mut held: Map<String, Value>,
    ) -> Map<String, Value> {
        for name in names {
            if let Some(value) = given.get(*name) {
                held.insert((*name).into(), value.clone());
            }
        }
        held
    }

    fn user_shown(&self, account: &Account) -> Result<Value, Fault> {
        self.user_line(account, &self.all_roles()?)
    }

    fn user_line(&self, account: &Account, roles: &Roles) -> Result<Value, Fault> {
        let (created, notes) = self.store.account_detail(account.uuid)?;
        let number = |kind, uuid| self.store.number(kind, uuid);
        let mut user = json!({
            "id": num(number("user", account.uuid.0)?), "password": "*****", "org_id": num(number("org", account.org.0)?),
            "server_id": "0", "email": account.email, "autoalert": false, "authkey": "(hidden)", "invited_by": "0", "gpgkey": null,
            "certif_public": "", "nids_sid": "4000000", "termsaccepted": true, "newsread": "0",
            "role_id": roles.number(account.role).to_string(), "change_pw": false, "contactalert": false, "disabled": account.disabled,
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
            "User": user, "Role": roles.value(account.role), "UserSetting": self.settings_of(account.uuid)?,
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
        let (mut lines, roles) = (Vec::new(), self.all_roles()?);
        for account in self.accounts_seen()? {
            if account.email.contains(&search) && org.is_none_or(|org| account.org.0 == org) {
                lines.push(self.user_line(&account, &roles)?);
            }
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// A role by its number or name; where none is named the one that is held, or that of new accounts. Nobody
    /// gives more than he has.
    pub(crate) fn role_of(&self, given: &Map<String, Value>, held: Option<Role>) -> Result<Role, Fault> {
        let role = match (text_of(given.get("role_id")).filter(|text| !text.is_empty()), held) {
            (None, Some(held)) => held,
            (None, None) => self.store.default_role()?,
            (Some(text), _) => {
                let invalid = || Fault::unsaved("save", "User", json!({"role_id": ["Invalid role."]}));
                self.all_roles()?.named(&text).ok_or_else(invalid)?
            }
        };
        if held.is_none_or(|held| held.key() != role.key()) && !self.call.caller.covers(role) {
            let text = "You can't give a role that has more rights than yours.";
            return Err(Fault::unsaved("save", "User", json!({"role_id": [text]})));
        }
        Ok(role)
    }

    /// An account that the caller may change, or make keys for: his own, or one that may do no more than he.
    fn account_managed(&self, named: Option<&str>) -> Result<Account, Fault> {
        let account = self.account_named(named)?;
        if account.uuid == self.call.caller.account.uuid || self.call.caller.covers(account.role) {
            return Ok(account);
        }
        Err(Fault::forbidden("You can't change an account that has more rights than yours."))
    }

    pub(crate) fn org_for_user(&self, given: &Map<String, Value>, default: OrgId) -> Result<OrgId, Fault> {
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
            role: self.role_of(&given, None)?,
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

    /// With a new password one signs in and may do all that the account may: a key that is for less does not set it.
    fn may_set_password(&self) -> Result<(), Fault> {
        if self.call.caller.is_whole() {
            return Ok(());
        }
        Err(Fault::forbidden("This key is for less than your account may do: it can't set a password."))
    }

    /// `users/edit`, `admin/users/edit`
    pub fn users_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("User")?;
        let mut account = self.account_managed(self.call.arg(0).or(Some("me")))?;
        let password =
            text_of(given.get("password")).filter(|password| !password.is_empty() && !password.starts_with('*'));
        if password.is_some() && account.uuid == self.call.caller.account.uuid {
            self.may_set_password()?;
        }
        let manages = self.call.may(Right::Manage);
        if manages {
            account.role = self.role_of(&given, Some(account.role))?;
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
        if let Some(password) = password {
            self.store.set_password(self.actor(), &account.email, &password)?;
        }
        Ok(Answer::json(&self.user_shown(&account)?))
    }

    /// `users/change_pw`
    pub fn users_password(&self) -> Result<Answer, Fault> {
        self.may_set_password()?;
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
        let account = self.account_managed(self.call.arg(0).or(Some("0")))?;
        if account.uuid == self.call.caller.account.uuid {
            return Err(Fault::forbidden("You can't delete the account that you are using."));
        }
        self.store.remove_account(self.actor(), account.uuid)?;
        Ok(Answer::json(&saved("User deleted.", &self.call.url, None)))
    }

    /// `auth_keys/add`, `users/resetauthkey`: a new key; shown once.
    pub fn keys_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("AuthKey")?;
        let account = self.account_managed(self.call.arg(0).or(Some("me")))?;
        // A key of one's own is for no more than the key that makes it.
        let own = account.uuid == self.call.caller.account.uuid;
        let scope: Vec<Right> = Right::ALL
            .into_iter()
            .filter(|right| account.role.touches(*right) && (!own || self.call.caller.scope.contains(right)))
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
