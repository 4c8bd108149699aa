//! Identifiers of observables: made of their content, so that the same one is the same object for everybody.

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Properties of which an observable's identifier is made (STIX 2.1 §2.9 and §6).
fn contributing(kind: &str) -> &'static [&'static str] {
    match kind {
        "artifact" => &["hashes", "payload_bin"],
        "autonomous-system" => &["number"],
        "directory" => &["path"],
        "domain-name" | "email-addr" | "ipv4-addr" | "ipv6-addr" | "mac-addr" | "url" => &["value"],
        "email-message" => &["from_ref", "subject", "body"],
        "file" => &["hashes", "name", "extensions", "parent_directory_ref"],
        "mutex" => &["name"],
        "network-traffic" => &["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"],
        "software" => &["name", "cpe", "swid", "vendor", "version"],
        "user-account" => &["account_type", "user_id", "account_login"],
        "windows-registry-key" => &["key", "values"],
        "x509-certificate" => &["hashes", "serial_number"],
        _ => &[],
    }
}

/// The namespace of observables' identifiers (STIX 2.1 §2.9).
const OBSERVABLES: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

/// The identifier that an observable has wherever it is met; `None`: what it is made of is not there.
pub(super) fn identifier(object: &Map<String, Value>) -> Option<String> {
    let kind = object.get("type")?.as_str()?;
    let mut parts = Map::new();
    for name in contributing(kind) {
        let Some(value) = object.get(*name) else { continue };
        let value = match value {
            Value::Object(hashes) if *name == "hashes" => {
                let best = ["MD5", "SHA-1", "SHA-256", "SHA-512"].iter().find_map(|name| hashes.get_key_value(*name));
                let (name, hash) = best.or_else(|| hashes.iter().min_by_key(|(name, _)| name.as_str()))?;
                json!({name: hash})
            }
            value => value.clone(),
        };
        parts.insert((*name).into(), value);
    }
    let uuid =
        (!parts.is_empty()).then(|| Uuid::new_v5(&OBSERVABLES, canonical(&parts.into()).to_string().as_bytes()))?;
    Some(format!("{kind}--{uuid}"))
}

/// Members in their order (RFC 8785); texts and whole numbers are written by serde_json as it wants them.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<u16>>());
            Value::Object(members.into_iter().map(|(name, value)| (name.clone(), canonical(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

/// Puts another identifier in place of one, wherever it stands.
pub(super) fn rename(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text == old => *value = new.into(),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, old, new)),
        Value::Object(map) => map.values_mut().for_each(|item| rename(item, old, new)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observable_has_one_identifier_everywhere() {
        // As OASIS' own library makes them.
        for (object, id) in [
            (json!({"type": "domain-name", "value": "said.example"}), "3d117786-8750-5adf-b6b8-9036cdc9a68c"),
            (
                json!({"type": "file", "name": "a.exe", "hashes": {"SHA-1": "x", "MD5": "d41d8cd98f00b204e9800998ecf8427e"}}),
                "7e567502-8994-53ff-9c69-79240cae362d",
            ),
            (
                json!({"type": "network-traffic", "dst_ref": "ipv4-addr--6c83081b-13af-5e30-ba30-6f401772a083", "dst_port": 443,
                    "protocols": ["tcp"], "start": "2026-01-01T00:00:00Z", "src_byte_count": 7}),
                "41ffaeb6-786d-58be-9188-ae43cc09cede",
            ),
            (
                json!({"type": "windows-registry-key", "key": "HKEY_LOCAL_MACHINE\\Softé"}),
                "fee068bc-42f9-523d-94d0-02c7cadf8314",
            ),
        ] {
            let object = object.as_object().unwrap();
            let kind = object["type"].as_str().unwrap();
            assert_eq!(identifier(object), Some(format!("{kind}--{id}")));
        }
        assert_eq!(identifier(json!({"type": "process", "pid": 7}).as_object().unwrap()), None);
    }
}
