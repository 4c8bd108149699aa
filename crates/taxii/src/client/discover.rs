//! What a server offers: discovery, API roots, collections (TAXII 2.1 §4.1, §4.2, §5.1). A root that is broken is
//! told and stops no other.

use super::address::{self, origin};
use super::{ClientError, Server};
use manara_model::record::telling;
use serde::Serialize;
use serde_json::Value;
use url::Url;

/// What a server says of itself.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Discovery {
    /// Where it was found.
    pub url: String,
    /// One line; empty: it says none.
    pub title: String,
    /// More of it.
    pub description: String,
    /// Whom to write to.
    pub contact: String,
    /// The root for those who don't choose.
    pub default: Option<String>,
    /// Its API roots.
    pub api_roots: Vec<ApiRoot>,
}

/// An API root.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ApiRoot {
    /// Where it is asked.
    pub url: String,
    /// One line.
    pub title: String,
    /// More of it.
    pub description: String,
    /// What it speaks.
    pub versions: Vec<String>,
    /// Most bytes of a request's body.
    pub max_content_length: Option<u64>,
    /// What should be known of it.
    pub note: Option<String>,
    /// Why it can't be asked.
    pub error: Option<String>,
}

/// A collection that is offered.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Offered {
    /// Its identifier.
    pub id: String,
    /// One line.
    pub title: String,
    /// More of it.
    pub description: String,
    /// Its name in addresses, besides the identifier.
    pub alias: Option<String>,
    /// We may read it.
    pub can_read: bool,
    /// We may add to it.
    pub can_write: bool,
    /// What is in it.
    pub media_types: Vec<String>,
    /// The address of its API root.
    pub root: String,
    /// Its address.
    pub url: String,
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).map(telling).unwrap_or_default()
}

fn texts(value: &Value, name: &str) -> Vec<String> {
    let list = value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(telling).collect()
}

/// A number, which some servers write as a text.
fn number(value: &Value, name: &str) -> Option<u64> {
    let value = value.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

impl ApiRoot {
    /// Of its resource; `None`: it is none.
    fn of(url: &Url, value: &Value) -> Option<ApiRoot> {
        value.get("versions").or(value.get("max_content_length"))?;
        let versions = texts(value, "versions");
        let old = !versions.is_empty() && !versions.iter().any(|version| version.contains("2.1"));
        Some(ApiRoot {
            url: url.to_string(),
            title: text(value, "title"),
            description: text(value, "description"),
            max_content_length: number(value, "max_content_length"),
            note: old.then(|| "does not say that it speaks TAXII 2.1".into()),
            versions,
            error: None,
        })
    }

    /// Asks for it.
    pub(crate) fn at(server: &Server<'_>, url: &Url) -> Result<ApiRoot, ClientError> {
        let mut reply = server.get(url)?;
        let value = reply.json()?;
        ApiRoot::of(&reply.at, &value)
            .ok_or_else(|| ClientError::Content(format!("{url} answers, but not as an API root (TAXII 2.1 §4.2.1)")))
    }
}

/// Asks where a discovery may be: at the address itself; of a server whose name only was given, at TAXII's own.
fn first(server: &Server<'_>, url: &Url) -> Result<(Url, Value), ClientError> {
    let ask = |url: &Url| server.get(url).and_then(|mut reply| Ok((reply.at.clone(), reply.json()?)));
    if url.path() != "/" {
        return ask(url);
    }
    let mut own = url.clone();
    own.set_path("/taxii2/");
    match ask(&own) {
        Err(error @ (ClientError::Refused { .. } | ClientError::Content(_))) => {
            // Who wants credentials is the right one.
            let is_there = matches!(error, ClientError::Refused { status: 401 | 403, .. });
            ask(url).ok().filter(|(_, value)| !is_there && value.get("api_roots").is_some()).ok_or(error)
        }
        done => done,
    }
}

/// What a server offers, by the address of its discovery, its name only, or the address of an API root.
///
/// # Errors
/// [`ClientError`]; not those of single roots.
pub fn discover(server: &Server<'_>, url: &Url) -> Result<Discovery, ClientError> {
    let (at, value) = first(server, url)?;
    if let Some(root) = ApiRoot::of(&at, &value) {
        return Ok(Discovery { url: at.to_string(), api_roots: vec![root], ..Discovery::default() });
    }
    if value.get("api_roots").is_none() && value.get("title").is_none() {
        return Err(ClientError::Content(format!("{at} answers, but not as a TAXII server (TAXII 2.1 §4.1.1)")));
    }
    let api_roots = texts(&value, "api_roots").iter().map(|said| root(server, &at, said)).collect();
    Ok(Discovery {
        url: at.to_string(),
        title: text(&value, "title"),
        description: text(&value, "description"),
        contact: text(&value, "contact"),
        default: value.get("default").and_then(Value::as_str).map(telling),
        api_roots,
    })
}

fn root(server: &Server<'_>, asked: &Url, said: &str) -> ApiRoot {
    let found = match address::root(asked, said) {
        Ok(found) => found,
        Err(error) => return ApiRoot { url: said.into(), error: Some(error.to_string()), ..ApiRoot::default() },
    };
    let url = found.url.to_string();
    if found.elsewhere && server.is_known() {
        let error = format!(
            "stands on another server, {}: ask it by its own address, with its credentials",
            origin(&found.url)
        );
        return ApiRoot { url, error: Some(error), ..ApiRoot::default() };
    }
    match ApiRoot::at(server, &found.url) {
        Ok(root) => ApiRoot { note: found.note.or(root.note), ..root },
        Err(error) => ApiRoot { url, note: found.note, error: Some(error.to_string()), ..ApiRoot::default() },
    }
}

/// The collections of a server, or of one of its API roots; and what is wrong with roots that give none.
///
/// # Errors
/// [`ClientError`]; not those of single roots of several.
pub fn collections(server: &Server<'_>, url: &Url) -> Result<(Vec<Offered>, Vec<String>), ClientError> {
    let mut url = url.clone();
    if let Some(path) = url.path().strip_suffix("/collections/") {
        let path = format!("{path}/");
        url.set_path(&path);
        return Ok((of_root(server, &url)?, Vec::new()));
    }
    let found = discover(server, &url)?;
    let alone = found.api_roots.len() == 1;
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for root in found.api_roots {
        let listed = match (root.error, Url::parse(&root.url)) {
            (Some(error), _) => Err(ClientError::Content(error)),
            (None, Ok(at)) => of_root(server, &at),
            (None, Err(error)) => Err(ClientError::Content(error.to_string())),
        };
        match listed {
            Ok(list) => all.extend(list),
            Err(error) if alone => return Err(error),
            Err(error) => wrong.push(format!("{}: {error}", root.url)),
        }
    }
    Ok((all, wrong))
}

fn of_root(server: &Server<'_>, root: &Url) -> Result<Vec<Offered>, ClientError> {
    let wrong = |error| ClientError::Setup(format!("'{root}': {error}"));
    let value = server.get(&root.join("collections/").map_err(wrong)?)?.json()?;
    let list = value.get("collections").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(list.iter().map(|one| of_resource(root, one)).collect())
}

fn of_resource(root: &Url, value: &Value) -> Offered {
    let id = text(value, "id");
    let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
    let url = root.join(&format!("collections/{id}/")).map(|url| url.to_string()).unwrap_or_default();
    Offered {
        title: text(value, "title"),
        description: text(value, "description"),
        alias: value.get("alias").and_then(Value::as_str).map(telling),
        can_read: flag("can_read"),
        can_write: flag("can_write"),
        media_types: texts(value, "media_types"),
        root: root.to_string(),
        url,
        id,
    }
}

/// A collection, by its address (§5.2).
///
/// # Errors
/// [`ClientError`].
pub fn offered(server: &Server<'_>, collection: &Url) -> Result<Offered, ClientError> {
    let value = server.get(collection)?.json()?;
    if value.get("can_read").is_none() && value.get("can_write").is_none() {
        return Err(ClientError::Content(format!("{collection} answers, but not as a collection (TAXII 2.1 §5.2.1)")));
    }
    let mut offered = of_resource(&address::root_of(collection), &value);
    offered.url = collection.to_string();
    Ok(offered)
}
