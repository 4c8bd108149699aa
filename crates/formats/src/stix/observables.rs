//! What a STIX object mentions: a cyber-observable's own value, and the equality comparisons of an
//! indicator's pattern.

use super::pattern::Atom;
use super::{pattern, table};
use crate::lists::cut;
use manara_model::observable::{Observable, Type, normalise};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Types of cyber-observable objects (STIX 2.1 §6).
pub(super) const OBSERVABLE_KINDS: &[&str] = &[
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];

/// Where the types stand in STIX: of each object type the property paths, as they are compared. Asked for each property
/// of each object that comes.
static PLACES: LazyLock<HashMap<&str, Vec<(String, Type)>>> = LazyLock::new(|| {
    let mut places: HashMap<&str, Vec<(String, Type)>> = HashMap::new();
    for ty in Type::all() {
        if let Some((object, path)) = ty.row().stix {
            places.entry(object).or_default().push((table::canonical(path), ty));
        }
    }
    places
});

/// Types by STIX object type and property path, with the address types that share a path told apart
/// by their object.
fn types(object: &str, path: &str) -> impl Iterator<Item = Type> {
    let places = PLACES.get(object).map(|places| (places, table::canonical(path)));
    places
        .into_iter()
        .flat_map(|(places, path)| places.iter().filter(move |(place, _)| *place == path).map(|(_, ty)| *ty))
}

fn read_as(object: &str, path: &str, value: &str) -> Option<Observable> {
    let (object, path) = match (object, path) {
        // Networks are addresses with a length in STIX (§6.4, §6.5).
        ("ipv4-addr" | "ipv6-addr", "value") if value.contains('/') => ("ipv4-addr", "value"),
        ("network-traffic", path) if path.ends_with("_ref.value") => return manara_model::observable::guess(value),
        ("email-message", path)
            if path.ends_with("_ref.value") || path.ends_with("_refs[*].value") || path.ends_with("_refs.value") =>
        {
            ("email-addr", "value")
        }
        other => other,
    };
    if object == "ipv4-addr" && value.contains('/') {
        return manara_model::observable::guess(value);
    }
    let found = types(object, path).find_map(|ty| normalise(ty, value).ok());
    // Some write an address where a name is asked for.
    let is_name = object == "domain-name" && path == "value";
    found.or_else(|| is_name.then(|| manara_model::observable::guess(value)).flatten().filter(is_address))
}

fn is_address(observable: &Observable) -> bool {
    matches!(observable.ty().name(), "ipv4" | "ipv6")
}

/// Why nothing is found of an indicator by its values, or not all that it names; `None` where all of it is, or where
/// it says nothing any more.
pub(super) fn unheld(object: &Value) -> Option<String> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    if text("type") != Some("indicator") || object.get("revoked").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let Some(pattern) = text("pattern") else { return Some("it has no pattern".into()) };
    if let Some(other) = text("pattern_type").filter(|ty| *ty != "stix") {
        return Some(format!("its pattern is of type '{}', not of values", cut(other)));
    }
    let atoms = pattern::atoms(pattern);
    let (known, other): (Vec<&Atom>, Vec<&Atom>) =
        atoms.atoms.iter().partition(|atom| read_as(&atom.object, &atom.path, &atom.value).is_some());
    // What must hold as well says more of a value that is found; what may hold instead is not looked for.
    if !known.is_empty() && !atoms.each {
        return None;
    }
    let Some(first) = other.first() else {
        return known.is_empty().then(|| format!("the pattern '{}' names no value", cut(pattern)));
    };
    let path = format!("{}:{}", first.object, first.path);
    let more = if other.len() > 1 { format!(", and {} more", other.len() - 1) } else { String::new() };
    // The type is known: then it is the value that is wrong.
    let reason = if types(&first.object, &first.path).next().is_some() {
        format!("'{}' is no value of {}", cut(&first.value), cut(&path))
    } else {
        format!("{} = '{}' is nothing that logs are searched for", cut(&path), cut(&first.value))
    };
    Some(reason + &more)
}

/// What an object mentions; `true` where its author wants it looked for.
pub(super) fn of_object(object: &Value) -> (Vec<Observable>, bool) {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let Some(kind) = text("type") else { return (Vec::new(), false) };
    let mut found = Vec::new();
    match kind {
        "indicator" => {
            let revoked = object.get("revoked").and_then(Value::as_bool).unwrap_or(false);
            if let Some(pattern) = text("pattern").filter(|_| text("pattern_type").is_none_or(|ty| ty == "stix")) {
                found = of_pattern(pattern);
            }
            return (found, !revoked);
        }
        "vulnerability" => {
            let ids = object.get("external_references").and_then(Value::as_array);
            let names =
                ids.into_iter().flatten().filter(|r| r.get("source_name").and_then(Value::as_str) == Some("cve"));
            let names = names.filter_map(|r| r.get("external_id").and_then(Value::as_str));
            for name in names.chain(text("name")) {
                if name.to_ascii_uppercase().starts_with("CVE-") {
                    found.extend(read_as("vulnerability", "name", name));
                }
            }
        }
        "observed-data" => {
            // STIX 2.0 keeps the observables inside.
            for inner in object.get("objects").and_then(Value::as_object).into_iter().flat_map(|map| map.values()) {
                found.extend(of_object(inner).0);
            }
        }
        "autonomous-system" => {
            if let Some(number) = object.get("number").and_then(Value::as_u64) {
                found.extend(read_as(kind, "number", &number.to_string()));
            }
        }
        _ => {
            for (property, value) in object.as_object().into_iter().flatten() {
                match value {
                    Value::String(value) => found.extend(read_as(kind, property, value)),
                    Value::Object(map) if property == "hashes" => {
                        for (name, value) in map {
                            if let Some(value) = value.as_str() {
                                found.extend(read_as(kind, &format!("hashes.{name}"), value));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    found.dedup();
    (found, false)
}

/// The equality comparisons of a pattern (STIX 2.1 §9.5): `object:path = 'value'`. What a pattern says
/// beyond them is for a matcher.
fn of_pattern(text: &str) -> Vec<Observable> {
    let mut seen = HashSet::new();
    let atoms = pattern::atoms(text).atoms;
    let read = atoms.iter().filter_map(|atom| read_as(&atom.object, &atom.path, &atom.value));
    read.filter(|observable| seen.insert(observable.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pattern: &str) -> Vec<String> {
        of_pattern(pattern).iter().map(|o| format!("{} {o}", o.ty())).collect()
    }

    #[test]
    fn equality_comparisons_of_a_pattern_are_found() {
        assert_eq!(values("[domain-name:value='Evil.example.com']"), ["domain evil.example.com"]);
        assert_eq!(
            values(
                "[file:hashes.'SHA-256' = 'AEC070645FE53EE3B3763059376134F058CC337247C978ADD178B6CCDFB0019F' OR url:value = 'http://a.com/\\'x']"
            ),
            ["sha256 aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f", "url http://a.com/'x"]
        );
        assert_eq!(values("[ipv4-addr:value = '198.51.100.0/24']"), ["network 198.51.100.0/24"]);
        assert_eq!(values("[domain-name:value = '198.51.100.7']"), ["ipv4 198.51.100.7"]);
        assert!(values("[domain-name:value = 'no name']").is_empty());
        assert!(values("[domain-name:value != 'good.example']").is_empty());
        assert!(values("[process:command_line MATCHES '.*evil.*']").is_empty());
    }

    #[test]
    fn what_no_value_is_found_of_says_why() {
        let why = |pattern: &str| unheld(&serde_json::json!({"type": "indicator", "pattern": pattern}));
        let has = |pattern: &str, part: &str| {
            let why = why(pattern).unwrap_or_default();
            assert!(why.contains(part), "{pattern}: {why}");
        };
        has("[process:name = 'evild']", "process:name = 'evild' is nothing that logs");
        has(
            "[app:id = 'a'] OR [app:cert.sha256 = 'b']",
            "app:id = 'a' is nothing that logs are searched for, and 1 more",
        );
        has("[domain-name:value = 'a.com' OR process:name = 'b']", "process:name = 'b'");
        has("[domain-name:value = 'no name']", "'no name' is no value of domain-name:value");
        has("[process:command_line MATCHES '.*evil.*']", "names no value");
        for all in [
            "[domain-name:value = 'a.com' OR url:value = 'http://b.com/']",
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1']",
            "[domain-name:value = 'a.com' AND process:name = 'b']",
        ] {
            assert_eq!(why(all), None, "{all}");
        }
        let object = serde_json::json!({"type": "indicator", "pattern": "rule x {}", "pattern_type": "yara"});
        assert!(unheld(&object).unwrap().contains("'yara'"));
        let object = serde_json::json!({"type": "indicator", "pattern": "[process:name = 'x']", "revoked": true});
        assert_eq!(unheld(&object), None);
        assert_eq!(unheld(&serde_json::json!({"type": "process", "name": "x"})), None);
    }
}
