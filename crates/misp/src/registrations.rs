//! `/users/register`: somebody without an account asks for one, where the node's setting lets him; and what
//! the administrator makes of it.

use crate::answer::{Answer, Fault, saved};
use crate::body::Body;
use crate::call::controller_of;
use crate::context::Context;
use crate::shape::num;
use manara_model::record::{flag_of, text_of};
use manara_store::people::{NewAccount, REGISTRATION, Registered};
use manara_store::{Store, StoreError, entries::Entry};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// Most bytes of such a request.
pub const MOST_OF_REGISTRATION: u64 = 16 * 1024;
/// Longest text in it, in characters.
const TEXT: usize = 4000;
const TEXTS: &[&str] = &["org_name", "org_uuid", "message", "pgp"];
const FLAGS: &[&str] = &["custom_perms", "perm_sync", "perm_publish", "perm_admin"];

/// Does the path ask for an account?
#[must_use]
pub fn is_registration(path: &str) -> bool {
    let mut segments = path.trim_start_matches('/').trim_end_matches(".json").split('/');
    controller_of(path) == "users" && segments.nth(1).is_some_and(|action| action.eq_ignore_ascii_case("register"))
}

/// Answers a request of somebody who has no account. It is the same whether there is one for the address or not.
#[must_use]
pub fn register(store: &Store, url: &str, body: &Body, from: Option<IpAddr>) -> Answer {
    taken(store, url, body, from).unwrap_or_else(|fault| fault.answer(url))
}

fn taken(store: &Store, url: &str, body: &Body, from: Option<IpAddr>) -> Result<Answer, Fault> {
    let given: Value = serde_json::from_slice(&body.bytes()?).map_err(|_| Fault::bad_json())?;
    let given = given.get("User").or(given.get("request")).unwrap_or(&given);
    let given = given.as_object().ok_or_else(Fault::bad_json)?;
    let email = text_of(given.get("email")).unwrap_or_default();
    let mut kept = Map::from_iter([("email".to_owned(), Value::from(email.trim().to_lowercase()))]);
    for name in TEXTS {
        let text: String = text_of(given.get(*name)).unwrap_or_default().chars().take(TEXT).collect();
        kept.insert((*name).into(), text.into());
    }
    for name in FLAGS {
        kept.insert((*name).into(), flag_of(given.get(*name)).into());
    }
    match store.register(&email, Value::Object(kept), from) {
        Ok(Registered::Kept) => {
            let text = "Request sent. The administrators of this node will decide on it.";
            Ok(Answer::json(&saved(text, url, None)))
        }
        Ok(Registered::Wait(seconds)) => {
            let fault = Fault::new(429, "Too many requests for an account came; send it again later.");
            Ok(fault.answer(url).with("retry-after", seconds.to_string()))
        }
        Err(StoreError::Invalid(text)) => Err(Fault::unsaved("register", "User", json!({"email": [text]}))),
        Err(error) => Err(error.into()),
    }
}

fn shown(entry: &Entry) -> Value {
    let email = entry.body["email"].as_str().unwrap_or_default();
    json!({"Inbox": {
        "id": num(entry.id), "uuid": entry.name, "title": format!("User registration for {email}."), "type": "registration",
        "ip": "", "user_agent": "", "user_agent_sha256": "", "comment": entry.body["message"], "deleted": false,
        "timestamp": num(entry.created.div_euclid(1000)), "store_as_file": false, "data": entry.body,
    }})
}

impl Context<'_> {
    /// `users/registrations`
    pub fn registrations_index(&self) -> Result<Answer, Fault> {
        Ok(Answer::json(&self.store.entries(REGISTRATION)?.iter().map(shown).collect()))
    }

    /// `users/register` by somebody who has an account
    pub fn users_register(&self) -> Result<Answer, Fault> {
        Err(Fault::new(405, "You have an account already."))
    }

    /// `users/acceptRegistrations/ID`: an account of the organisation and role that are named. The answer has its
    /// password and key, once: there is no mail to send them by.
    pub fn registrations_accept(&self) -> Result<Answer, Fault> {
        let given = self.call.object("User")?;
        let entry = self.named_entry(REGISTRATION, "registration")?;
        let unsaved = |field: &str, text: String| Fault::unsaved("accept", "User", json!({field: [text]}));
        let named = text_of(given.get("org_id")).filter(|org| !org.is_empty() && org != "0");
        if named.is_none() {
            return Err(Fault::forbidden("No organisation selected. Supply an Organisation ID"));
        }
        let org = self.org_for_user(&given, self.call.caller.account.org)?;
        let role = self.role_of(&given, None)?;
        let email = text_of(entry.body.get("email")).unwrap_or_default().into_owned();
        let made =
            self.store.add_account(self.actor(), NewAccount { org, email, role }).map_err(|error| match error {
                StoreError::Exists { .. } => {
                    unsaved("email", "An account with this email address already exists.".into())
                }
                StoreError::Invalid(text) => unsaved("email", text),
                error => error.into(),
            })?;
        self.store.remove_entry(self.actor(), REGISTRATION, entry.id)?;
        let mut done = saved("1 registration(s) accepted.", &self.call.url, None);
        let id = num(self.store.number("user", made.uuid.0)?);
        done["User"] = json!({"id": id, "email": made.email, "authkey": made.api_key, "password": made.password});
        Ok(Answer::json(&done))
    }

    /// `users/discardRegistrations/ID`
    pub fn registrations_discard(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(REGISTRATION, "registration")?;
        self.store.remove_entry(self.actor(), REGISTRATION, entry.id)?;
        Ok(Answer::json(&saved("1 registration(s) discarded.", &self.call.url, None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_that_path_is_open() {
        for path in ["/users/register", "/users/register.json", "/Users/Register"] {
            assert!(is_registration(path), "{path}");
        }
        for path in
            ["/users/registrations", "/users", "/users/add/register", "/events/register", "/admin/users/register", "/"]
        {
            assert!(!is_registration(path), "{path}");
        }
    }
}
