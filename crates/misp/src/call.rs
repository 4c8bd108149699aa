//! A request as MISP's users write it: `/controller/action/argument/name:value.json?name=value`, with or
//! without `admin/`, `snake_case` or `camelCase`, a JSON body that may be wrapped in `request`.

use crate::answer::Fault;
use crate::body::Body;
use manara_model::record::text_of;
use manara_model::role::Right;
use manara_store::people::Caller;
use serde_json::{Map, Value};

/// How the request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`: is it there?
    Head,
    /// `POST` or `PUT`: MISP takes either.
    Post,
    /// `DELETE`
    Delete,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// How.
    pub method: Method,
    /// As it was asked for, for error messages.
    pub url: String,
    /// Lower case, without `_`: `galaxyclusters`.
    pub controller: String,
    /// Lower case, without `_`; `index` where there is none.
    pub action: String,
    /// The action as it was written, where it may be an argument (`/objects/5`).
    pub action_text: String,
    /// Arguments in the path.
    pub args: Vec<String>,
    /// `name:value` in the path and `name=value` after `?`; `name[]` several times is a list.
    pub named: Map<String, Value>,
    /// The body, as it came and unpacked.
    pub body: Body,
    /// Of the headers: `If-None-Match`.
    pub known: Option<String>,
    /// Of the headers, for `servers/postTest` and `createSync`: content type, accept, how the node was addressed.
    pub headers: Vec<(String, String)>,
    /// Who asks.
    pub caller: Caller,
}

fn simple(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// `%41` to `A`, `+` to a space (PyMISP writes spaces so).
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match (bytes[at], hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn put(named: &mut Map<String, Value>, name: &str, value: String) {
    match name.strip_suffix("[]") {
        None => {
            named.insert(name.to_owned(), Value::String(value));
        }
        Some(name) => {
            let list = named.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if !list.is_array() {
                *list = Value::Array(vec![list.take()]);
            }
            if let Value::Array(items) = list {
                items.push(Value::String(value));
            }
        }
    }
}

/// Controller and action of a path, without looking further: is it one for this door?
#[must_use]
pub fn controller_of(path: &str) -> String {
    let mut segments = path.trim_start_matches('/').split('/');
    let first = segments.next().unwrap_or_default();
    let first = if first.eq_ignore_ascii_case("admin") { segments.next().unwrap_or_default() } else { first };
    simple(first.split('.').next().unwrap_or_default())
}

impl Call {
    /// From a request's parts. `query` is what stands after `?`.
    #[must_use]
    pub fn new(method: Method, path: &str, query: &str, body: impl Into<Body>, caller: Caller) -> Call {
        let url = path.to_owned();
        let path = path.strip_suffix(".json").unwrap_or(path);
        let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments.first().is_some_and(|first| first.eq_ignore_ascii_case("admin")) {
            segments.remove(0);
        }
        let mut segments = segments.into_iter();
        let controller = simple(segments.next().unwrap_or_default());
        let (mut named, mut args) = (Map::new(), Vec::new());
        let (mut action, mut action_text) = ("index".to_owned(), String::new());
        for segment in segments {
            let segment = decoded(segment);
            match segment.split_once(':') {
                Some((name, value)) if !name.is_empty() && !name.contains(char::is_whitespace) => {
                    put(&mut named, name, value.to_owned());
                }
                _ if action_text.is_empty() => {
                    action = simple(&segment);
                    action_text = segment;
                }
                _ => args.push(segment),
            }
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            put(&mut named, &decoded(name), decoded(value));
        }
        Call {
            method,
            url,
            controller,
            action,
            action_text,
            args,
            named,
            body: body.into(),
            known: None,
            headers: Vec::new(),
            caller,
        }
    }

    /// The body as JSON; nothing where there is none.
    ///
    /// # Errors
    /// MISP's answer to what is no JSON.
    pub fn json(&self) -> Result<Value, Fault> {
        let bytes = self.body.bytes()?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| Fault::bad_json())?;
        Ok(match value {
            Value::Object(mut map) if map.len() == 1 && map.contains_key("request") => {
                map.remove("request").unwrap_or_default()
            }
            value => value,
        })
    }

    /// The body as an object, without its wrapper (`{"Tag": {…}}` is `{…}`).
    ///
    /// # Errors
    /// As [`Call::json`].
    pub fn object(&self, wrapper: &str) -> Result<Map<String, Value>, Fault> {
        Ok(match self.json()? {
            Value::Object(mut map) => match map.get_mut(wrapper).map(Value::take) {
                Some(Value::Object(inner)) => inner,
                Some(other) => {
                    map.insert(wrapper.to_owned(), other);
                    map
                }
                None => map,
            },
            _ => Map::new(),
        })
    }

    /// Path, query and body together: what a search goes by.
    ///
    /// # Errors
    /// As [`Call::json`].
    pub fn filters(&self) -> Result<Map<String, Value>, Fault> {
        let mut all = self.named.clone();
        if let Value::Object(body) = self.json()? {
            all.extend(body);
        }
        Ok(all)
    }

    /// An argument of the path.
    #[must_use]
    pub fn arg(&self, at: usize) -> Option<&str> {
        self.args.get(at).map(String::as_str)
    }

    /// May the caller do this?
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.caller.may(right)
    }
}

/// Which lines of a list are asked for (`limit`, and `page`, 1 is the first): how many are left out, and how many
/// follow at most. Without a limit, or with 0, they are `otherwise`; never more than `most`.
#[must_use]
pub(crate) fn page(options: &Map<String, Value>, otherwise: usize, most: usize) -> (usize, usize) {
    let number = |name: &str| {
        let text = text_of(options.get(name))?;
        text.trim().parse::<usize>().ok().filter(|number| *number > 0)
    };
    let limit = number("limit").unwrap_or(otherwise).min(most);
    ((number("page").unwrap_or(1) - 1).saturating_mul(limit), limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manara_model::role::Role;
    use manara_model::{OrgId, UserId};
    use manara_store::people::Account;

    fn call(path: &str, query: &str, body: &str) -> Call {
        let account = Account {
            uuid: UserId(uuid::Uuid::nil()),
            org: OrgId(uuid::Uuid::nil()),
            email: "a@b.example".into(),
            role: Role::User,
            disabled: false,
            second_factor: false,
        };
        Call::new(Method::Post, path, query, body.as_bytes().to_vec(), Caller { account, scope: Vec::new() })
    }

    #[test]
    fn paths_are_read_however_they_are_written() {
        let one = call("/shadow_attributes/index/all:1/limit:1000/deleted[]:0/deleted[]:1.json", "", "");
        assert_eq!((one.controller.as_str(), one.action.as_str()), ("shadowattributes", "index"));
        assert_eq!(Value::Object(one.named), serde_json::json!({"all": "1", "limit": "1000", "deleted": ["0", "1"]}));
        let two = call("/admin/users/edit/7", "a=b+c%21", "{\"User\":{\"email\":\"x\"}}");
        assert_eq!((two.controller.as_str(), two.action.as_str(), two.arg(0)), ("users", "edit", Some("7")));
        assert_eq!(two.named["a"], "b c!");
        assert_eq!(two.object("User").unwrap()["email"], "x");
        assert_eq!(call("/events", "", "").action, "index");
        assert_eq!(controller_of("/admin/logs/index"), "logs");
        assert_eq!(controller_of("/eventReports/add"), "eventreports");
        assert!(call("/events/add", "", "{\"Event\":").json().is_err());
    }
}
