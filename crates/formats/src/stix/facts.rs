//! What a node must know of a STIX object that it keeps as it came: which it is, which version, how far it may go.

use super::marking;
use super::observables::{self, OBSERVABLE_KINDS};
use crate::json::Members;
use manara_model::observable::Privacy;
use manara_model::record::Found;
use manara_model::{Marking, Tlp};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What is known of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct StixFacts {
    /// Its type.
    pub kind: String,
    /// The second half of its identifier.
    pub uuid: Uuid,
    /// Its version as it says it: `modified`, else `created` (TAXII 2.1 §3.4.1).
    pub version: Option<String>,
    /// STIX 2.1, or 2.0.
    pub is_2_1: bool,
    /// What it says of how far it may go: the strictest of its markings, of those of its parts, of its labels.
    pub marking: Marking,
    /// Values in it that others get as pseudonyms.
    pub personal: Vec<Found>,
}

impl StixFacts {
    /// Of an object as text. `defined`: the TLP of marking definitions that are not among the public ones.
    ///
    /// # Errors
    /// In words: what is wrong, and how to mend it.
    pub fn of(raw: &str, defined: &HashMap<String, Tlp>) -> Result<StixFacts, String> {
        let members = Members::parse(raw).map_err(|error| format!("this is no object: {error}"))?;
        let mut names = HashSet::new();
        if let Some((twice, _)) = members.0.iter().find(|(name, _)| !names.insert(name)) {
            // Two readers would understand two things.
            return Err(format!("'{twice}' stands in it twice"));
        }
        let object: Value = serde_json::from_str(raw).map_err(|error| format!("it can't be read: {error}"))?;
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let (Some(kind), Some(id)) = (text("type"), text("id")) else {
            return Err("a STIX object needs 'type' and 'id' (STIX 2.1 §3.2)".into());
        };
        let plain = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain || kind.len() > 250 {
            return Err("a type is made of a-z, 0-9 and '-', at most 250 of them (STIX 2.1 §3.1)".into());
        }
        if kind == "bundle" {
            return Err("a bundle is no object; send what is in it as the envelope's objects".into());
        }
        let uuid = id.strip_prefix(kind).and_then(|rest| rest.strip_prefix("--")).filter(|uuid| uuid.len() == 36);
        let uuid = uuid.and_then(|uuid| uuid.parse().ok());
        let uuid = uuid.ok_or("an identifier is the type, two hyphens and a UUID (STIX 2.1 §2.9)")?;
        let is_2_1 = match object.get("spec_version") {
            // Cyber-observable objects may leave it out (STIX 2.1 §3.1); what else has none is of STIX 2.0, where none
            // has (STIX 2.0 Part 1 §3.1).
            None => OBSERVABLE_KINDS.contains(&kind),
            Some(Value::String(version)) if version == "2.1" => true,
            Some(Value::String(version)) if version == "2.0" => false,
            Some(other) => return Err(format!("spec_version {other} is not known here; 2.0 and 2.1 are")),
        };
        let (found, detect) = observables::of_object(&object);
        let personal = found.into_iter().filter(|found| found.ty().row().privacy != Privacy::None);
        Ok(StixFacts {
            kind: kind.into(),
            uuid,
            version: text("modified").or(text("created")).map(str::to_owned),
            is_2_1,
            marking: marked(&object, kind, defined),
            personal: personal.map(|observable| Found { observable, detect }).collect(),
        })
    }
}

/// The TLP that a marking definition defines, by its identifier; `None` for every other object.
#[must_use]
pub fn stix_definition(raw: &str) -> Option<(String, Tlp)> {
    if !raw.contains("marking-definition") {
        return None;
    }
    let object: Value = serde_json::from_str(raw).ok()?;
    let is_definition = object.get("type")?.as_str()? == "marking-definition";
    Some((
        object.get("id")?.as_str()?.to_owned(),
        object.as_object().and_then(marking::of_definition).filter(|_| is_definition)?,
    ))
}

fn marked(object: &Value, kind: &str, defined: &HashMap<String, Tlp>) -> Marking {
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut references = list(object, "object_marking_refs");
    // A part that may go less far: nobody gets the whole without being cleared for it.
    for granular in list(object, "granular_markings") {
        references.extend(granular.get("marking_ref").cloned());
    }
    let tlps = references
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|reference| defined.get(reference).copied().or_else(|| marking::of_reference(reference)));
    // A TLP definition itself is public knowledge.
    let own = (kind == "marking-definition")
        .then(|| object.as_object().and_then(marking::of_definition))
        .flatten()
        .map(|_| Tlp::Clear);
    let tlps: Vec<Tlp> = tlps.chain(own).collect();
    let labels = list(object, "labels");
    let tagged = manara_model::tag::read_marking(labels.iter().filter_map(Value::as_str));
    marking::of_references(tlps.into_iter()).meet(&tagged.marking)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str) -> Result<StixFacts, String> {
        StixFacts::of(raw, &HashMap::new())
    }

    const ID: &str = "d81f86b9-975b-4c0b-875e-810c5ad45a4f";

    #[test]
    fn what_it_is_and_which_version() {
        let facts = of(&format!(
            r#"{{"type":"malware","id":"malware--{ID}","spec_version":"2.1","created":"2020-01-01T00:00:00Z","modified":"2021-01-01T00:00:00.000Z"}}"#
        ));
        let facts = facts.unwrap();
        assert_eq!((facts.kind.as_str(), facts.is_2_1), ("malware", true));
        assert_eq!(facts.version.as_deref(), Some("2021-01-01T00:00:00.000Z"));
        assert!(!of(&format!(r#"{{"type":"malware","id":"malware--{ID}"}}"#)).unwrap().is_2_1);
        assert!(of(&format!(r#"{{"type":"url","id":"url--{ID}","value":"http://a.example/"}}"#)).unwrap().is_2_1);
    }

    #[test]
    fn the_strictest_of_its_markings_holds() {
        let red = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
        let green = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";
        let with = |rest: &str| of(&format!(r#"{{"type":"x-a","id":"x-a--{ID}",{rest}}}"#)).unwrap().marking.tlp;
        assert_eq!(with(&format!(r#""object_marking_refs":["{green}"]"#)), Some(Tlp::Green));
        let both = format!(
            r#""object_marking_refs":["{green}"],"granular_markings":[{{"marking_ref":"{red}","selectors":["x"]}}]"#
        );
        assert_eq!(with(&both), Some(Tlp::Red));
        assert_eq!(with(r#""labels":["tlp:amber"]"#), Some(Tlp::Amber));
        assert_eq!(with(r#""labels":[]"#), None);
    }

    #[test]
    fn what_is_no_object_is_refused_with_the_reason() {
        for (raw, reason) in [
            ("[]", "no object"),
            ("{}", "needs 'type' and 'id'"),
            (r#"{"type":"x","id":"y--d81f86b9-975b-4c0b-875e-810c5ad45a4f"}"#, "two hyphens"),
            (r#"{"type":"x","id":"x--1"}"#, "two hyphens"),
            (r#"{"type":"x","type":"y","id":"x--1"}"#, "twice"),
            (r#"{"type":"X y","id":"X y--d81f86b9-975b-4c0b-875e-810c5ad45a4f"}"#, "a-z"),
            (r#"{"type":"bundle","id":"bundle--d81f86b9-975b-4c0b-875e-810c5ad45a4f"}"#, "no object"),
            (r#"{"type":"x","id":"x--d81f86b9-975b-4c0b-875e-810c5ad45a4f","spec_version":"3"}"#, "not known"),
        ] {
            assert!(of(raw).unwrap_err().contains(reason), "{raw}");
        }
    }
}
