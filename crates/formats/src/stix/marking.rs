//! TLP marking definitions: those of STIX 2.1 §7.2.1.4 (TLP 1.0) and the OASIS extension for TLP 2.0.

use crate::json::Members;
use manara_model::{Marking, Tlp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const PREFIX: &str = "marking-definition--";

/// (level, TLP 2.0 definition, TLP 1.0 definition)
const DEFINITIONS: &[(Tlp, &str, &str)] = &[
    (Tlp::Clear, "94868c89-83c2-464b-929b-a1a8aa3c8487", "613f2e26-407d-48c7-9eca-b8e91df99dc9"),
    (Tlp::Green, "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    (Tlp::Amber, "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "f88d31f6-486f-44da-b317-01333bde0b82"),
    (Tlp::AmberStrict, "939a9414-2ddd-4d32-a0cd-375ea402b003", ""),
    (Tlp::Red, "e828b379-4e03-4974-9ac4-e53a884c97c1", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
];

/// A reference as it is compared: identifiers in any case are the same.
pub(super) fn key(reference: &str) -> String {
    let lower = reference.trim().to_ascii_lowercase();
    let uuid = lower.strip_prefix(PREFIX).and_then(|uuid| uuid.parse::<Uuid>().ok());
    uuid.map_or(lower, |uuid| format!("{PREFIX}{uuid}"))
}

/// The TLP of a reference to one of the public marking definitions.
pub(super) fn of_reference(reference: &str) -> Option<Tlp> {
    let key = key(reference);
    let uuid = key.strip_prefix(PREFIX)?;
    DEFINITIONS.iter().find(|(_, two, one)| uuid == *two || uuid == *one).map(|(tlp, _, _)| *tlp)
}

/// The TLP that a marking definition defines: the strictest that it names. One that can't be read might be any, and
/// is the strictest.
pub(super) fn of_definition(object: &Map<String, Value>) -> Option<Tlp> {
    let named = object.get("definition").and_then(|definition| definition.get("tlp")).map(level);
    let typed = object.get("definition_type").and_then(Value::as_str);
    let unsaid = typed.filter(|kind| kind.eq_ignore_ascii_case("tlp")).map(|_| Tlp::Red);
    named.max(of_extensions(object)).or(unsaid)
}

/// The TLP that an object's own extensions say: the strictest.
pub(super) fn of_extensions(object: &Map<String, Value>) -> Option<Tlp> {
    let extensions = object.get("extensions").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let within = extensions.filter_map(|extension| extension.get("tlp_2_0"));
    within.chain(object.get("tlp_2_0")).map(level).max()
}

fn level(tlp: &Value) -> Tlp {
    tlp.as_str().and_then(Tlp::parse).unwrap_or(Tlp::Red)
}

/// What a set of references means together: the strictest.
pub(super) fn of_references<'a>(references: impl Iterator<Item = Tlp> + 'a) -> Marking {
    Marking { tlp: references.max(), ..Marking::default() }
}

/// An object that came, with a TLP that holds for it and that it does not say itself, or says wider; `None`: it says
/// so, or can't. Nothing else of it is spelt otherwise.
pub(super) fn stated(raw: &str, tlp: Tlp) -> Option<String> {
    let members = Members::parse(raw).ok()?;
    let list = |name: &str| -> Vec<String> {
        members.get(name).and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default()
    };
    let mut references = list("object_marking_refs");
    let labels = list("labels");
    let tagged = manara_model::tag::read_marking(labels.iter().map(String::as_str)).marking.tlp;
    let said = references.iter().filter_map(|reference| of_reference(reference)).max().max(tagged);
    let is_definition = members.text("type").is_some_and(|kind| kind.ends_with("-definition"));
    if is_definition || said >= Some(tlp) {
        return None;
    }
    references.push(reference(tlp));
    let references = serde_json::to_string(&references).ok()?;
    let mut out = String::with_capacity(raw.len() + references.len() + 30);
    let mut is_there = false;
    for (name, value) in &members.0 {
        let is_it = name.as_ref() == "object_marking_refs";
        is_there |= is_it;
        out.push(if out.is_empty() { '{' } else { ',' });
        out.push_str(&serde_json::to_string(name).ok()?);
        out.push(':');
        out.push_str(if is_it { &references } else { value.get() });
    }
    if !is_there {
        out.push_str(&format!(",\"object_marking_refs\":{references}"));
    }
    out.push('}');
    Some(out)
}

/// The identifier of a level's definition.
pub(super) fn reference(tlp: Tlp) -> String {
    let uuid = DEFINITIONS.iter().find(|(level, _, _)| *level == tlp).map_or("", |(_, two, _)| two);
    format!("marking-definition--{uuid}")
}

/// The definition itself, as OASIS publishes it.
pub(super) fn definition(tlp: Tlp) -> Value {
    json!({
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": reference(tlp),
        "created": "2022-10-01T00:00:00.000Z",
        "name": tlp.to_string(),
        "extensions": {
            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                "extension_type": "property-extension",
                "tlp_2_0": tlp.name(),
            }
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    fn of(definition: Value) -> Option<Tlp> {
        of_definition(definition.as_object().unwrap())
    }

    #[test]
    fn an_identifier_is_the_same_in_any_case() {
        let red = "5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
        for reference in [
            format!("marking-definition--{}", red.to_uppercase()),
            format!("Marking-Definition--{red}"),
            format!("marking-definition--{}", red.replace('-', "")),
        ] {
            assert_eq!(of_reference(&reference), Some(Tlp::Red), "{reference}");
        }
        assert_eq!(of_reference(red), None);
    }

    #[test]
    fn of_a_definition_that_says_two_things_the_strictest_counts() {
        let clear_then_red = json!({"extensions": {"a": {"tlp_2_0": "clear"}, "b": {"tlp_2_0": "red"}}});
        assert_eq!(of(clear_then_red), Some(Tlp::Red));
        let both = json!({"definition": {"tlp": "red"}, "extensions": {"a": {"tlp_2_0": "clear"}}});
        assert_eq!(of(both), Some(Tlp::Red));
        let both = json!({"definition": {"tlp": "white"}, "extensions": {"a": {"tlp_2_0": "amber+strict"}}});
        assert_eq!(of(both), Some(Tlp::AmberStrict));
        assert_eq!(of(json!({"definition": {"statement": "(c)"}})), None);
    }

    #[test]
    fn a_level_that_nobody_knows_is_the_strictest() {
        assert_eq!(of(json!({"definition": {"tlp": "crimson"}})), Some(Tlp::Red));
        assert_eq!(of(json!({"definition": {"tlp": ["red"]}})), Some(Tlp::Red));
        assert_eq!(of(json!({"definition_type": "tlp", "definition": {}})), Some(Tlp::Red));
        assert_eq!(of(json!({"extensions": {"a": {"tlp_2_0": 4}}})), Some(Tlp::Red));
    }

    #[test]
    fn what_an_object_does_not_say_of_its_marking_is_written_into_it() {
        let (green, amber) = (reference(Tlp::Green), reference(Tlp::Amber));
        let raw = r#"{ "type":"malware", "n":1e3, "x":"\u00e9" }"#;
        let told = format!(r#"{{"type":"malware","n":1e3,"x":"\u00e9","object_marking_refs":["{amber}"]}}"#);
        assert_eq!(stated(raw, Tlp::Amber).as_deref(), Some(&*told));
        let wider = format!(r#"{{"type":"malware","object_marking_refs":["{green}"],"z":1}}"#);
        let told = format!(r#"{{"type":"malware","object_marking_refs":["{green}","{amber}"],"z":1}}"#);
        assert_eq!(stated(&wider, Tlp::Amber).as_deref(), Some(&*told));
        assert_eq!(stated(&wider, Tlp::Green), None);
        assert_eq!(stated(&wider, Tlp::Clear), None);
        assert_eq!(stated(r#"{"type":"malware","labels":["tlp:red"]}"#, Tlp::Amber), None);
        assert_eq!(stated(r#"{"type":"marking-definition"}"#, Tlp::Red), None);
    }
}
