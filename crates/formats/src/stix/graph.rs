//! Cyber-observables by property paths: values are put into objects (and those that they refer to), and read
//! out of them again by the same paths.

use super::identifiers::{identifier, rename};
use super::table::{Form, Place};
use manara_model::record::{parse_time, rfc3339};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A value and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) object: String,
    pub(super) path: String,
    pub(super) form: Form,
    pub(super) value: String,
    pub(super) uuid: Uuid,
}

impl Piece {
    pub(super) fn new(place: &Place, value: &str, uuid: Uuid) -> Piece {
        Piece { object: place.object.into(), path: place.path.into(), form: place.form, value: value.into(), uuid }
    }
}

/// STIX wants milliseconds or more, and a Z (§2.11).
pub(super) fn millis(time: i64) -> String {
    let text = rfc3339(time);
    match text.strip_suffix('Z') {
        Some(plain) if !plain.contains('.') => format!("{plain}.000Z"),
        _ => text,
    }
}

/// A step of a path: its name, and whether it goes through a list.
pub(super) fn steps(path: &str) -> Vec<(String, bool)> {
    let (mut steps, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for c in path.chars() {
        match c {
            '\'' => quoted = !quoted,
            '.' if !quoted => steps.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    steps.push(name);
    let star = |name: String| match name.split_once('[') {
        Some((plain, _)) if name.ends_with(']') => (plain.to_owned(), true),
        _ => (name, false),
    };
    steps.into_iter().map(star).collect()
}

/// The kind of object that a reference points to (STIX 2.1 §6), where a value decides, by it.
fn referred(name: &str, value: &str) -> &'static str {
    match name {
        "from_ref" | "sender_ref" | "to_refs" | "cc_refs" | "bcc_refs" => "email-addr",
        "content_ref" | "raw_email_ref" => "artifact",
        "parent_directory_ref" => "directory",
        "image_ref" | "body_raw_ref" => "file",
        "parent_ref" | "child_refs" => "process",
        _ => address(value),
    }
}

/// An address or a name.
pub(super) fn address(value: &str) -> &'static str {
    let plain = value.split('/').next().unwrap_or(value);
    match plain.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => "ipv4-addr",
        Ok(std::net::IpAddr::V6(_)) => "ipv6-addr",
        Err(_) => "domain-name",
    }
}

/// Registry hives are written out in STIX (STIX 2.1 §6.17).
const HIVES: &[(&str, &str)] = &[
    ("HKLM", "HKEY_LOCAL_MACHINE"),
    ("HKCU", "HKEY_CURRENT_USER"),
    ("HKCR", "HKEY_CLASSES_ROOT"),
    ("HKCC", "HKEY_CURRENT_CONFIG"),
    ("HKU", "HKEY_USERS"),
];

fn key(value: &str) -> String {
    let (hive, rest) = value.split_at(value.find('\\').unwrap_or(value.len()));
    let long = HIVES.iter().find(|(short, _)| hive.eq_ignore_ascii_case(short)).map_or(hive, |(_, long)| long);
    format!("{long}{rest}")
}

/// An absolute URI by its characters (RFC 3986).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    // Brackets stand around an address of version 6 only.
    let host = rest.strip_prefix("//[").and_then(|rest| rest.split_once(']'));
    let rest = host.filter(|(host, _)| host.parse::<std::net::Ipv6Addr>().is_ok()).map_or(rest, |(_, after)| after);
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => [bytes.next(), bytes.next()].iter().all(|hex| hex.is_some_and(|hex| hex.is_ascii_hexdigit())),
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    named && (host.is_some() || !rest.is_empty()) && rest.matches('#').count() < 2
}

/// A value as the property wants it; `None`: it is none of that kind.
pub(super) fn typed(form: Form, value: &str) -> Option<Value> {
    Some(match form {
        Form::Text | Form::List => Value::from(value),
        Form::Key => Value::from(key(value)),
        Form::Int => Value::from(value.trim().parse::<u64>().ok()?),
        Form::Asn => Value::from(value.trim().trim_start_matches(['A', 'a', 'S', 's']).trim().parse::<u32>().ok()?),
        Form::Float => {
            let number = value.trim().parse::<f64>().ok()?;
            Value::from(Some(number).filter(|number| number.is_finite() && number.abs() <= 180.0)?)
        }
        Form::Bool => Value::from(match value.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => true,
            "0" | "false" | "no" => false,
            _ => return None,
        }),
        Form::Time => Value::from(millis(parse_time(value)?)),
        Form::Data => {
            let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'=');
            Value::from(Some(value).filter(|text| !text.is_empty() && text.len() % 4 == 0 && text.bytes().all(plain))?)
        }
    })
}

/// Objects that say something together; the first is the one that the others belong to.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) objects: Vec<Map<String, Value>>,
}

impl Graph {
    pub(super) fn new(kind: &str, uuid: Uuid) -> Graph {
        Graph { objects: vec![object(kind, uuid)] }
    }

    /// Puts a value in its place; `false`: there is something else, or it does not fit.
    pub(super) fn put(&mut self, piece: &Piece) -> bool {
        let Some(value) = typed(piece.form, &piece.value) else { return false };
        self.at(0, &steps(&piece.path), piece, value)
    }

    fn at(&mut self, index: usize, steps: &[(String, bool)], piece: &Piece, value: Value) -> bool {
        let reference = steps.iter().position(|(name, _)| name.ends_with("_ref") || name.ends_with("_refs"));
        let Some(cut) = reference.filter(|cut| cut + 1 < steps.len()) else {
            return set(&mut self.objects[index], steps, value, piece.form == Form::List);
        };
        let (before, after) = steps.split_at(cut + 1);
        let (name, many) = &before[cut];
        let kind = referred(name, &piece.value);
        if !many && let Some(Value::String(id)) = get(&self.objects[index], before) {
            let there = self.objects.iter().position(|object| object["id"] == Value::String(id.clone()));
            return match there {
                Some(at) if self.objects[at]["type"] == kind => self.at(at, after, piece, value),
                _ => false,
            };
        }
        let mut made = object(kind, piece.uuid);
        if self.objects.iter().any(|other| other["id"] == made["id"]) {
            let again = manara_model::ids::derived(&["stix", kind, &piece.uuid.to_string(), &piece.path, &piece.value]);
            made = object(kind, again);
            if self.objects.iter().any(|other| other["id"] == made["id"]) {
                return false;
            }
        }
        let id = made["id"].clone();
        self.objects.push(made);
        let last = self.objects.len() - 1;
        let mut whole = before.to_vec();
        // A list of references is a list of texts.
        whole[cut].1 = false;
        if self.at(last, after, piece, value) && set(&mut self.objects[index], &whole, id, *many) {
            return true;
        }
        self.objects.truncate(last);
        false
    }

    /// Gives each observable the identifier that it has everywhere, those first that others refer to.
    pub(super) fn settle(&mut self) {
        for at in (0..self.objects.len()).rev() {
            let (old, new) = (self.objects[at]["id"].clone(), identifier(&self.objects[at]));
            let (Some(old), Some(new)) = (old.as_str(), new) else { continue };
            if self.objects.iter().any(|object| object["id"] == Value::String(new.clone())) {
                continue;
            }
            for object in &mut self.objects {
                object.values_mut().for_each(|value| rename(value, old, &new));
            }
        }
    }

    /// Addresses of a name that nobody told stand by themselves.
    pub(super) fn rootless(&mut self) {
        let nameless = |root: &Map<String, Value>| root["type"] == "domain-name" && !root.contains_key("value");
        if self.objects.len() > 1 && self.objects.first().is_some_and(nameless) {
            self.objects.remove(0);
        }
    }

    /// Completes what STIX requires; `false`: it can't be (STIX 2.1 §4 and §6, the objects' required properties).
    pub(super) fn complete(&mut self) -> bool {
        self.objects.iter_mut().all(|object| {
            let kind = object["type"].as_str().unwrap_or_default().to_owned();
            let any = |object: &Map<String, Value>, names: &[&str]| names.iter().any(|name| object.contains_key(*name));
            match kind.as_str() {
                "network-traffic" => {
                    object.entry("protocols").or_insert_with(|| json!(["tcp"]));
                    any(object, &["src_ref", "dst_ref"])
                }
                "email-message" => {
                    let parts = object.contains_key("body_multipart");
                    object.insert("is_multipart".into(), parts.into());
                    !(parts && object.contains_key("body"))
                }
                "file" => any(object, &["name", "hashes"]),
                "artifact" => {
                    any(object, &["payload_bin", "url"])
                        && (object.contains_key("hashes") || !object.contains_key("url"))
                }
                "directory" => any(object, &["path"]),
                // An abbreviated hive further on is no key but an expression (the OASIS validator refuses it too).
                "windows-registry-key" => {
                    let key = object.get("key").and_then(Value::as_str).unwrap_or_default();
                    object.len() > 3 && !HIVES.iter().any(|(short, _)| key.contains(short))
                }
                "url" => object.get("value").and_then(Value::as_str).is_some_and(is_uri),
                "domain-name" | "email-addr" | "ipv4-addr" | "ipv6-addr" | "mac-addr" => any(object, &["value"]),
                "mutex" | "software" | "attack-pattern" | "course-of-action" | "intrusion-set" | "identity"
                | "vulnerability" | "campaign" | "tool" | "threat-actor" => any(object, &["name"]),
                "autonomous-system" => any(object, &["number"]),
                "malware" => {
                    object.entry("is_family").or_insert(Value::Bool(false));
                    any(object, &["name"])
                }
                "malware-analysis" => any(object, &["product"]) && any(object, &["result"]),
                "location" => {
                    object.contains_key("latitude") == object.contains_key("longitude")
                        && any(object, &["region", "country", "latitude"])
                }
                _ => object.len() > 3,
            }
        })
    }
}

fn object(kind: &str, uuid: Uuid) -> Map<String, Value> {
    let made = json!({"type": kind, "spec_version": "2.1", "id": format!("{kind}--{uuid}")});
    if let Value::Object(map) = made { map } else { Map::new() }
}

fn get<'a>(map: &'a Map<String, Value>, steps: &[(String, bool)]) -> Option<&'a Value> {
    let ((name, many), rest) = steps.split_first()?;
    let value = map.get(name)?;
    match rest {
        [] => Some(value),
        // Another one in a list is another one.
        _ if *many => None,
        _ => get(value.as_object()?, rest),
    }
}

fn set(map: &mut Map<String, Value>, steps: &[(String, bool)], leaf: Value, append: bool) -> bool {
    let Some(((name, many), rest)) = steps.split_first() else { return false };
    if rest.is_empty() {
        if append {
            let list = map.entry(name.clone()).or_insert_with(|| json!([]));
            let Some(list) = list.as_array_mut() else { return false };
            if list.contains(&leaf) {
                return false;
            }
            list.push(leaf);
            return true;
        }
        if map.contains_key(name) {
            return false;
        }
        map.insert(name.clone(), leaf);
        return true;
    }
    if *many {
        let list = map.entry(name.clone()).or_insert_with(|| json!([]));
        let Some(list) = list.as_array_mut() else { return false };
        if let Some(Value::Object(last)) = list.last_mut()
            && get(last, rest).is_none()
        {
            return set(last, rest, leaf, append);
        }
        let mut inner = Map::new();
        let done = set(&mut inner, rest, leaf, append);
        list.push(Value::Object(inner));
        return done;
    }
    let inner = map.entry(name.clone()).or_insert_with(|| json!({}));
    inner.as_object_mut().is_some_and(|inner| set(inner, rest, leaf, append))
}

/// Members of an object that are not what was observed.
const COMMON: &[&str] = &[
    "type",
    "id",
    "spec_version",
    "created",
    "modified",
    "created_by_ref",
    "labels",
    "object_marking_refs",
    "granular_markings",
    "defanged",
    "revoked",
    "external_references",
    "confidence",
    "lang",
];

/// What an object and those that it refers to say: (path, value).
pub(super) fn read<'a>(
    object: &'a Map<String, Value>,
    find: &dyn Fn(&str) -> Option<&'a Map<String, Value>>,
) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, value) in object.iter().filter(|(name, _)| !COMMON.contains(&name.as_str())) {
        walk(name, &quoted(name), value, find, 3, &mut out);
    }
    out
}

fn quoted(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { name.to_owned() } else { format!("'{name}'") }
}

fn walk<'a>(
    name: &str,
    path: &str,
    value: &'a Value,
    find: &dyn Fn(&str) -> Option<&'a Map<String, Value>>,
    depth: usize,
    out: &mut Vec<(String, String)>,
) {
    match value {
        Value::String(id) if name.ends_with("_ref") || name.ends_with("_refs") => {
            if depth > 0
                && let Some(object) = find(id)
            {
                for (name, value) in object.iter().filter(|(name, _)| !COMMON.contains(&name.as_str())) {
                    walk(name, &format!("{path}.{}", quoted(name)), value, find, depth - 1, out);
                }
            }
        }
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        Value::Number(number) => out.push((path.to_owned(), number.to_string())),
        Value::Bool(flag) => out.push((path.to_owned(), if *flag { "1" } else { "0" }.into())),
        Value::Array(items) => {
            let structured = name.ends_with("_refs") || items.iter().any(Value::is_object);
            let path = if structured { format!("{path}[*]") } else { path.to_owned() };
            items.iter().for_each(|item| walk(name, &path, item, find, depth, out));
        }
        Value::Object(map) => {
            for (name, value) in map.iter().filter(|(name, _)| !name.starts_with("extension-definition--")) {
                walk(name, &format!("{path}.{}", quoted(name)), value, find, depth, out);
            }
        }
        Value::Null => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_again() {
        let uuid = Uuid::from_u128(7);
        let mut graph = Graph::new("network-traffic", uuid);
        let place = |path: &'static str, form| Place { object: "network-traffic", path, form, fixed: None };
        let pieces = [
            ("dst_ref.value", Form::Text, "1.2.3.4"),
            ("src_ref.value", Form::Text, "evil.example"),
            ("dst_port", Form::Int, "443"),
            ("extensions.'http-request-ext'.request_header.'User-Agent'", Form::Text, "x"),
        ];
        for (path, form, value) in pieces {
            assert!(graph.put(&Piece::new(&place(path, form), value, uuid)), "{path}");
        }
        assert!(!graph.put(&Piece::new(&place("dst_ref.value", Form::Text), "4.3.2.1", uuid)));
        assert!(graph.complete());
        let find = |id: &str| graph.objects.iter().find(|object| object["id"] == id);
        let read = read(&graph.objects[0], &find);
        for (path, _, value) in pieces {
            assert!(read.contains(&(path.to_owned(), value.to_owned())), "{path}: {read:?}");
        }
    }

    #[test]
    fn what_is_no_uri_and_no_key_is_told() {
        for good in ["http://evil.example/x?y=%20#z", "urn:x:y", "http://[::1]/"] {
            assert!(is_uri(good), "{good}");
        }
        for bad in ["evil.example", "http://a b", "http://a/%zz", "://x", "http:", "x:#a#b"] {
            assert!(!is_uri(bad), "{bad}");
        }
        assert_eq!(key("hklm\\Software"), "HKEY_LOCAL_MACHINE\\Software");
    }
}
