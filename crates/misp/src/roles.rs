//! `/roles`: the five fixed ones, and those that the operator puts together of MISP's permission flags.

use crate::answer::{Answer, Fault, saved};
use crate::context::Context;
use crate::shape::datetime;
use manara_model::permission::{Flags, TABLE};
use manara_model::record::{flag_of, text_of};
use manara_model::role::{Right, Role};
use manara_store::StoreError;
use manara_store::people::CustomRole;
use serde_json::{Map, Value, json};

/// The fixed roles with MISP's numbers and names for them: scripts give people roles by these.
const FIXED: &[(i64, Role, &str)] = &[
    (1, Role::Admin, "admin"),
    (2, Role::OrgAdmin, "Org Admin"),
    (3, Role::Contributor, "User"),
    (4, Role::User, "Publisher"),
    (5, Role::Sync, "Sync user"),
    (6, Role::Reader, "Read Only"),
];
/// Numbers of others come after this.
const CUSTOM_FROM: i64 = 100;
/// What else MISP says of a role; kept and shown.
const NOTES: &[&str] =
    &["memory_limit", "max_execution_time", "enforce_rate_limit", "rate_limit_count", "restricted_to_site_admin"];
/// MISP's words for its four levels.
const LEVELS: [&str; 4] = ["read_only", "manage_own", "manage_org", "publish"];

/// The roles of a node, read once.
pub(crate) struct Roles {
    custom: Vec<CustomRole>,
    default: Role,
}

impl Roles {
    fn custom(&self, role: Role) -> Option<&CustomRole> {
        self.custom.iter().find(|one| one.role().key() == role.key())
    }

    /// A role's number.
    #[must_use]
    pub(crate) fn number(&self, role: Role) -> i64 {
        match FIXED.iter().find(|(_, one, _)| *one == role) {
            Some((number, ..)) => *number,
            None => self.custom(role).map_or(0, |custom| CUSTOM_FROM + custom.id),
        }
    }

    /// A role by its number or name.
    #[must_use]
    pub(crate) fn named(&self, text: &str) -> Option<Role> {
        match text.parse::<i64>() {
            Ok(number) => {
                let fixed = FIXED.iter().find(|(one, ..)| *one == number).map(|(_, role, _)| *role);
                let custom = || self.custom.iter().find(|custom| CUSTOM_FROM + custom.id == number);
                fixed.or_else(|| custom().map(CustomRole::role))
            }
            Err(_) => {
                let custom = || self.custom.iter().find(|one| one.name == text || one.uuid.to_string() == text);
                let theirs = FIXED.iter().find(|(.., name)| name.eq_ignore_ascii_case(text)).map(|(_, role, _)| *role);
                Role::parse(text).or(theirs).or_else(|| custom().map(CustomRole::role))
            }
        }
    }

    /// A role with MISP's flags.
    #[must_use]
    pub(crate) fn value(&self, role: Role) -> Value {
        let (flags, custom) = (role.flags(), self.custom(role));
        let (mut out, is_default) = (Map::new(), role.key() == self.default.key());
        let time = |of: fn(&CustomRole) -> i64| custom.map_or(Value::Null, |custom| datetime(of(custom)).into());
        out.insert("id".into(), self.number(role).to_string().into());
        let theirs = FIXED.iter().find(|(_, one, _)| *one == role).map_or(role.name(), |(.., name)| name);
        out.insert("name".into(), custom.map_or(theirs, |custom| &custom.name).into());
        out.insert("created".into(), time(|custom| custom.created));
        out.insert("modified".into(), time(|custom| custom.modified));
        for line in TABLE {
            out.insert(line.name.into(), flags.has(line.flag).into());
        }
        let (level, description) = (flags.level(), LEVELS[usize::from(flags.level().min(3))]);
        let rest = json!({
            "default_role": is_default, "default": is_default, "memory_limit": null, "max_execution_time": null,
            "restricted_to_site_admin": role.has(Right::Admin), "enforce_rate_limit": false, "rate_limit_count": "0",
            "permission": level.to_string(), "permission_description": description,
        });
        out.extend(rest.as_object().cloned().unwrap_or_default());
        for name in NOTES {
            if let Some(said) = custom.and_then(|custom| custom.body.get(*name)) {
                out.insert((*name).into(), said.clone());
            }
        }
        Value::Object(out)
    }
}

/// A role as it is kept, from what is given over what is held. `permission` and its four flags say the same:
/// the one that is new holds.
fn kept(given: &Map<String, Value>, held: Option<&CustomRole>) -> Map<String, Value> {
    let before = held.map_or_else(Flags::default, |held| held.flags);
    let mut flags = Flags::read(given, before);
    let level = text_of(given.get("permission")).and_then(|text| text.parse::<u8>().ok()).filter(|level| *level <= 3);
    if let Some(level) = level
        && level != before.level()
        && flags.level() == before.level()
    {
        flags = flags.at_level(level);
    }
    let mut body = held.map(|held| held.body.clone()).unwrap_or_default();
    for line in TABLE {
        body.insert(line.name.into(), flags.has(line.flag).into());
    }
    if let Some(name) = text_of(given.get("name")) {
        body.insert("name".into(), name.trim().into());
    }
    for name in NOTES {
        if let Some(value) = given.get(*name) {
            body.insert((*name).into(), value.clone());
        }
    }
    body
}

impl Context<'_> {
    /// The node's roles.
    pub(crate) fn all_roles(&self) -> Result<Roles, Fault> {
        Ok(Roles { custom: self.store.custom_roles()?, default: self.store.default_role()? })
    }

    /// `roles/index`
    pub fn roles_index(&self) -> Result<Answer, Fault> {
        let roles = self.all_roles()?;
        let custom = roles.custom.iter().map(CustomRole::role);
        let fixed = FIXED.iter().map(|(_, role, _)| roles.value(*role));
        let all = fixed.chain(custom.map(|role| roles.value(role)));
        Ok(Answer::json(&all.map(|role| json!({"Role": role})).collect()))
    }

    /// `roles/view`
    pub fn roles_view(&self) -> Result<Answer, Fault> {
        let roles = self.all_roles()?;
        let role = self.call.arg(0).and_then(|named| roles.named(named)).ok_or_else(|| Fault::missing("role"))?;
        Ok(Answer::json(&json!({"Role": roles.value(role)})))
    }

    /// The operator's role that the path names; a fixed one is not for changing.
    fn custom_named(&self, roles: &Roles, action: &str) -> Result<CustomRole, Fault> {
        let role = self.call.arg(0).and_then(|named| roles.named(named)).ok_or_else(|| Fault::missing("Role"))?;
        roles.custom(role).cloned().ok_or_else(|| {
            let text = format!("The role '{}' is fixed; add one of your own.", role.name());
            Fault::unsaved(action, "Role", json!({"name": [text]}))
        })
    }

    /// Nobody makes a role that may do more than he may.
    fn within_mine(&self, body: &Map<String, Value>, action: &str) -> Result<(), Fault> {
        let role = Role::Custom { uuid: uuid::Uuid::nil(), flags: Flags::read(body, Flags::default()) };
        if self.call.caller.covers(role) {
            return Ok(());
        }
        let text = "You can't make a role that has more rights than yours.";
        Err(Fault::unsaved(action, "Role", json!({"name": [text]})))
    }

    fn saved_role(&self, done: Result<CustomRole, StoreError>, action: &str) -> Result<Answer, Fault> {
        let role = done.map_err(|error| match error {
            StoreError::Exists { name, .. } => {
                Fault::unsaved(action, "Role", json!({"name": [format!("A role named '{name}' is there already.")]}))
            }
            StoreError::Invalid(text) => Fault::unsaved(action, "Role", json!({"name": [text]})),
            error => error.into(),
        })?;
        Ok(Answer::json(&json!({"Role": self.all_roles()?.value(role.role())})))
    }

    /// `admin/roles/add`
    pub fn roles_add(&self) -> Result<Answer, Fault> {
        let body = kept(&self.call.object("Role")?, None);
        self.within_mine(&body, "add")?;
        self.saved_role(self.store.add_role(self.actor(), body), "add")
    }

    /// `admin/roles/edit`: holds at once for all who have it.
    pub fn roles_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Role")?;
        let held = self.custom_named(&self.all_roles()?, "edit")?;
        let body = kept(&given, Some(&held));
        self.within_mine(&body, "edit")?;
        let done = self.saved_role(self.store.set_role(self.actor(), &held, body), "edit")?;
        if given.get("default_role").is_some_and(|flag| flag_of(Some(flag))) {
            self.store.set_default_role(self.actor(), held.role())?;
        }
        Ok(done)
    }

    /// `admin/roles/set_default`
    pub fn roles_default(&self) -> Result<Answer, Fault> {
        let roles = self.all_roles()?;
        let role = self.call.arg(0).and_then(|named| roles.named(named)).ok_or_else(|| Fault::missing("Role"))?;
        self.store.set_default_role(self.actor(), role)?;
        let text = "Default role set.";
        Ok(Answer::json(&saved(text, &self.call.url, Some(roles.number(role).to_string()))))
    }

    /// `admin/roles/delete`: not while accounts have it.
    pub fn roles_delete(&self) -> Result<Answer, Fault> {
        let held = self.custom_named(&self.all_roles()?, "delete")?;
        self.store.remove_role(self.actor(), &held).map_err(|error| match error {
            StoreError::Invalid(text) => Fault::unsaved("delete", "Role", json!({"name": [text]})),
            error => error.into(),
        })?;
        Ok(Answer::json(&saved("Role deleted", &self.call.url, None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manara_model::permission::Flag;

    fn given(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn role(body: Map<String, Value>) -> CustomRole {
        let flags = Flags::read(&body, Flags::default());
        CustomRole { id: 7, uuid: uuid::Uuid::nil(), name: "r".into(), flags, body, created: 0, modified: 0 }
    }

    #[test]
    fn a_level_is_its_four_flags_and_what_is_new_of_both_holds() {
        let one = role(kept(&given(json!({"name": "r", "permission": "2", "perm_tagger": "1"})), None));
        assert!(one.flags.has(Flag::ModifyOrg) && !one.flags.has(Flag::Publish) && one.flags.has(Flag::Tagger));
        // All of a role comes back, with one flag changed.
        let two = role(kept(&given(json!({"permission": "2", "perm_publish": true})), Some(&one)));
        assert!(two.flags.has(Flag::Publish));
        // Or with its level changed.
        let flags = json!({"permission": "0", "perm_add": true, "perm_modify": true, "perm_modify_org": true, "perm_publish": true});
        let three = role(kept(&given(flags), Some(&two)));
        assert!(!three.flags.has(Flag::Add) && three.flags.has(Flag::Tagger));
        assert_eq!(three.body["name"], "r");
    }

    #[test]
    fn a_role_is_found_by_its_number_and_name() {
        let custom = role(given(json!({"name": "r"})));
        let roles = Roles { custom: vec![custom.clone()], default: Role::User };
        assert_eq!(roles.named("107"), Some(custom.role()));
        assert_eq!(roles.named("r"), Some(custom.role()));
        let theirs = ["1", "2", "3", "4", "5", "6", "Sync user", "org-admin"].map(|text| roles.named(text));
        let ours = [
            Role::Admin,
            Role::OrgAdmin,
            Role::Contributor,
            Role::User,
            Role::Sync,
            Role::Reader,
            Role::Sync,
            Role::OrgAdmin,
        ];
        assert_eq!(theirs, ours.map(Some), "MISP's numbers and names, ours too");
        assert_eq!(roles.named("7"), None);
        assert_eq!(roles.named("0"), None);
        assert_eq!(roles.named("-9"), None);
        assert_eq!(roles.number(custom.role()), 107);
        assert_eq!(roles.number(Role::Gone), 0);
    }
}
