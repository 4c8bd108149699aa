//! What a STIX object mentions: a cyber-observable's own value, and the equality comparisons of an
//! indicator's pattern. And the way back: pattern and observable object of a value.

use manara_model::observable::{Observable, Type, normalise};
use serde_json::{Value, json};

/// Types by STIX object type and property path, with the address types that share a path told apart
/// by their object.
fn types(object: &str, path: &str) -> impl Iterator<Item = Type> {
    let (object, path) = (object.to_owned(), path.replace('\'', ""));
    Type::all().filter(move |ty| {
        ty.row().stix.is_some_and(|(o, p)| {
            let p = p.replace('\'', "");
            o == object && (p == path || canonical(&p) == canonical(&path))
        })
    })
}

/// `hashes.SHA-256`, `hashes.SHA256` and `hashes.sha256` are one property to those who write them.
fn canonical(path: &str) -> String {
    path.replace(['-', '_'], "").to_ascii_lowercase()
}

fn read_as(object: &str, path: &str, value: &str) -> Option<Observable> {
    let (object, path) = match (object, path) {
        // Networks are addresses with a length in STIX (§6.4, §6.5).
        ("ipv4-addr" | "ipv6-addr", "value") if value.contains('/') => ("ipv4-addr", "value"),
        ("network-traffic", path) if path.ends_with("_ref.value") => return manara_model::observable::guess(value),
        ("email-message", path) if path.ends_with("_ref.value") || path.ends_with("_refs[*].value") => {
            ("email-addr", "value")
        }
        other => other,
    };
    if object == "ipv4-addr" && value.contains('/') {
        return manara_model::observable::guess(value);
    }
    types(object, path).find_map(|ty| normalise(ty, value).ok())
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
fn of_pattern(pattern: &str) -> Vec<Observable> {
    let mut found: Vec<Observable> = Vec::new();
    let mut from = 0;
    while let Some(quote) = pattern[from..].find('\'').map(|at| from + at) {
        let (value, after) = constant(&pattern[quote + 1..]);
        from = pattern.len() - after.len();
        // A quote that follows no equals sign is part of a path (hashes.'SHA-256') or another comparison.
        let left = pattern[..quote].trim_end().strip_suffix('=').filter(|left| !left.ends_with(['!', '<', '>']));
        let Some((object, property)) = left.and_then(|left| last_path(left).split_once(':')) else { continue };
        if let Some(observable) = read_as(object, property, &value)
            && !found.contains(&observable)
        {
            found.push(observable);
        }
    }
    found
}

/// The object path at the end of a text: blanks and brackets outside quotes end it.
fn last_path(text: &str) -> &str {
    let text = text.trim_end();
    let mut in_quotes = false;
    let start = text
        .char_indices()
        .rev()
        .find(|(_, c)| {
            if *c == '\'' {
                in_quotes = !in_quotes;
            }
            !in_quotes && (c.is_whitespace() || matches!(c, '[' | '('))
        })
        .map_or(0, |(at, c)| at + c.len_utf8());
    &text[start..]
}

/// A quoted constant with its escapes undone, and what follows it.
fn constant(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            '\'' => return (value, &text[at + 1..]),
            _ => value.push(c),
        }
    }
    (value, "")
}

/// The pattern that looks for a value; `None` for types that STIX has no property for.
pub(super) fn pattern(observable: &Observable) -> Option<String> {
    let (object, path) = place(observable)?;
    let value = observable.value();
    if object == "autonomous-system" {
        return Some(format!("[autonomous-system:number = {}]", value.trim_start_matches("AS")));
    }
    let escaped = value.replace('\\', "\\\\").replace('\'', "\\'");
    Some(format!("[{object}:{path} = '{escaped}']"))
}

/// The cyber-observable object of a value, without its id.
pub(super) fn cyber_observable(observable: &Observable) -> Option<Value> {
    let (object, path) = place(observable)?;
    let value = observable.value();
    Some(match (object, path.split_once('.')) {
        ("vulnerability" | "campaign" | "email-message" | "x509-certificate", None) => return None,
        ("autonomous-system", _) => {
            json!({"type": object, "number": value.trim_start_matches("AS").parse::<u64>().ok()?})
        }
        (_, Some(("hashes", name))) => json!({"type": object, "hashes": {name.replace('\'', ""): value}}),
        (_, None) => json!({"type": object, path: value}),
        _ => return None,
    })
}

fn place(observable: &Observable) -> Option<(&'static str, &'static str)> {
    let (object, path) = observable.ty().row().stix?;
    let v6 = object == "ipv4-addr" && observable.value().contains(':');
    Some(if v6 { ("ipv6-addr", path) } else { (object, path) })
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
        assert!(values("[domain-name:value != 'good.example']").is_empty());
        assert!(values("[process:command_line MATCHES '.*evil.*']").is_empty());
    }

    #[test]
    fn a_value_s_pattern_gives_the_value_again() {
        for token in [
            "evil.com",
            "1.2.3.4",
            "2001:db8::1",
            "http://evil.com/x?y=1",
            "d41d8cd98f00b204e9800998ecf8427e",
            "10.1.0.0/16",
            "AS64500",
        ] {
            let observable = manara_model::observable::guess(token).unwrap();
            let found = of_pattern(&pattern(&observable).unwrap());
            if observable.ty().name() != "asn" {
                assert_eq!(found, [observable]);
            }
        }
    }
}
