//! Collections of other servers that this node reads, and how far: one entry for each address, organisation and choice
//! of types. Its secret is sealed with the node's key, as those of other servers are.

use super::place::{Place, Question};
use super::{ClientError, Credentials};
use manara_model::{Marking, OrgId};
use manara_store::entries::Entry;
use manara_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// The kind of entry that a source is.
pub const SOURCE: &str = "taxiisource";

/// How a collection is read.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The collection.
    pub url: Url,
    /// Who will hold what comes.
    pub org: OrgId,
    /// What is asked for.
    pub question: Question,
    /// The holder's own limit: it can only narrow what an object says.
    pub marking: Marking,
    /// How often it is read by itself; `None`: only when asked.
    pub every: Option<Duration>,
    /// What the server knows us by; kept, sealed, where it is read by itself.
    pub credentials: Credentials,
    /// Certificates (PEM) of the authority that vouches for it.
    pub ca: Option<String>,
}

/// What an entry holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Body {
    pub(crate) url: String,
    pub(crate) types: Vec<String>,
    pub(crate) all_versions: bool,
    pub(crate) limit: usize,
    pub(crate) every: Option<u64>,
    pub(crate) marking: Marking,
    pub(crate) user: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) ca: Option<String>,
    // What the node notes.
    pub(crate) place: Place,
    /// Marking definitions with a TLP that are none of the public ones, by identifier, as they came.
    pub(crate) definitions: BTreeMap<String, String>,
    /// Unix milliseconds: not before.
    pub(crate) due: i64,
    /// Polls that failed, one after the other.
    pub(crate) failures: u32,
    pub(crate) error: Option<String>,
    /// When it was last polled with success, Unix milliseconds.
    pub(crate) polled: Option<i64>,
    /// What came then.
    pub(crate) came: Value,
}

/// A source.
#[derive(Debug, Clone)]
pub struct Source {
    pub(crate) id: i64,
    name: String,
    /// Who holds what comes.
    pub org: OrgId,
    pub(crate) is: Body,
}

/// A source is found by what it reads, for whom.
fn name(terms: &Terms) -> String {
    let mut types = terms.question.types.clone();
    types.sort();
    let versions = if terms.question.all_versions { " all versions" } else { "" };
    format!("{} {} {}{versions}", terms.url, terms.org, types.join(",")).trim_end().to_owned()
}

fn members(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}

impl Source {
    fn of(entry: Entry) -> Option<Source> {
        let is = serde_json::from_value(entry.body);
        let is = is.inspect_err(|error| tracing::error!(%error, source = entry.id, "its settings")).ok()?;
        Some(Source { id: entry.id, name: entry.name, org: entry.org?, is })
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn all(store: &Store) -> Result<Vec<Source>, StoreError> {
        Ok(store.entries(SOURCE)?.into_iter().filter_map(Source::of).collect())
    }

    pub(crate) fn numbered(store: &Store, id: i64) -> Result<Option<Source>, StoreError> {
        Ok(store.entry(SOURCE, id)?.and_then(Source::of))
    }

    /// The source of these terms, where there is one.
    ///
    /// # Errors
    /// The store's.
    pub fn find(store: &Store, terms: &Terms) -> Result<Option<Source>, StoreError> {
        Ok(store.entry_named(SOURCE, &name(terms))?.and_then(Source::of))
    }

    /// Makes one, or sets an existing one to these terms. How far it was read stays; and what was said of when, and
    /// with which credentials, stays where nothing else is said.
    ///
    /// # Errors
    /// The store's.
    pub fn keep(store: &Store, actor: &str, terms: &Terms) -> Result<Source, StoreError> {
        let name = name(terms);
        let mut said = members(json!({
            "url": terms.url.as_str(), "types": terms.question.types, "all_versions": terms.question.all_versions,
            "limit": terms.question.limit, "marking": terms.marking,
        }));
        if let Some(every) = terms.every {
            said.extend(members(
                json!({"every": every.as_secs(), "due": 0, "failures": 0, "error": null, "ca": terms.ca}),
            ));
            let (user, secret) = match &terms.credentials {
                Credentials::None => (None, None),
                Credentials::Basic { user, password } => (Some(user.as_str()), Some(password.as_str())),
                Credentials::Bearer(key) => (None, Some(key.as_str())),
            };
            let sealed = secret.map(|secret| store.seal_secret(&format!("{SOURCE}/{name}"), secret)).transpose()?;
            said.extend(members(json!({"user": user, "secret": sealed})));
        }
        let entry = match store.entry_named(SOURCE, &name)? {
            None => store.add_entry(actor, SOURCE, &name, (Some(terms.org), None), Value::Object(said))?,
            // A poll by hand changes nothing that is set.
            Some(entry) if terms.every.is_none() => entry,
            Some(entry) => store.set_entry(actor, SOURCE, entry.id, said)?,
        };
        Source::of(entry).ok_or_else(|| StoreError::Invalid(format!("the source '{name}' is damaged: forget it")))
    }

    /// Takes it away; what came from it stays.
    ///
    /// # Errors
    /// The store's.
    pub fn forget(&self, store: &Store, actor: &str) -> Result<(), StoreError> {
        store.remove_entry(actor, SOURCE, self.id)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.is.url
    }

    /// Does it read by itself?
    #[must_use]
    pub fn every(&self) -> Option<Duration> {
        self.is.every.map(Duration::from_secs)
    }

    /// How it is read, with its secret opened.
    ///
    /// # Errors
    /// [`ClientError::Here`]: the node's key does not open it.
    pub fn terms(&self, store: &Store) -> Result<Terms, ClientError> {
        let secret =
            self.is.secret.as_ref().map(|sealed| store.open_secret(&format!("{SOURCE}/{}", self.name), sealed));
        let credentials = match (secret.transpose().map_err(ClientError::here)?, &self.is.user) {
            (None, _) => Credentials::None,
            (Some(password), Some(user)) => Credentials::Basic { user: user.clone(), password },
            (Some(key), None) => Credentials::Bearer(key),
        };
        Ok(Terms {
            url: super::collection(&self.is.url)?,
            org: self.org,
            question: Question {
                types: self.is.types.clone(),
                limit: self.is.limit,
                all_versions: self.is.all_versions,
            },
            marking: self.is.marking.clone(),
            every: self.every(),
            credentials,
            ca: self.is.ca.clone(),
        })
    }

    /// Notes how something went.
    pub(crate) fn note(&self, store: &Store, noted: Value) -> Result<(), StoreError> {
        store.note_entry(SOURCE, self.id, members(noted))
    }

    /// What is shown of it: no secret, and times as texts.
    #[must_use]
    pub fn shown(&self, org: &str) -> Value {
        let is = &self.is;
        let time = |millis: i64| jiff::Timestamp::from_millisecond(millis).map(|time| time.to_string()).ok();
        let account = match (&is.user, &is.secret) {
            (Some(user), _) => Some(user.as_str()),
            (None, Some(_)) => Some("(a key)"),
            (None, None) => None,
        };
        json!({
            "url": is.url, "org": org, "types": is.types, "all_versions": is.all_versions, "every_seconds": is.every,
            "account": account, "added_after": is.place.after, "in_the_middle": is.place.next.is_some(),
            "polled": is.polled.and_then(time), "came": is.came,
            "due": is.every.filter(|_| is.due > 0).and_then(|_| time(is.due)), "failures": is.failures, "error": is.error,
        })
    }
}
