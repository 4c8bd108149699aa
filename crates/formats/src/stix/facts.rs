//! What a node must know of a STIX object that it keeps as it came: which it is, which version, how far it may go.

use super::marking;
use super::observables::{self, OBSERVABLE_KINDS};
use crate::json::{self, Members};
use manara_model::observable::Privacy;
use manara_model::record::Found;
use manara_model::{Marking, Tlp};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Objects are nested at most so deep: a bundle around them is still read by every importer.
const DEPTH: usize = 90;

/// Which object it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StixName {
    /// Its type.
    pub kind: String,
    /// The second half of its identifier.
    pub uuid: Uuid,
    /// Its version as it says it: `modified`, else `created` (TAXII 2.1 §3.4.1).
    pub version: Option<String>,
    /// STIX 2.1, or 2.0.
    pub is_2_1: bool,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct StixFacts {
    /// Which it is.
    pub name: StixName,
    /// What it says of how far it may go: the strictest of its markings, of those of its parts, of its labels.
    pub marking: Marking,
    /// References to markings of which nobody here knows what they mean.
    pub unknown: Vec<String>,
    /// Values in it that others get as pseudonyms.
    pub personal: Vec<Found>,
}

impl StixName {
    /// Of an object as text.
    ///
    /// # Errors
    /// In words: what is wrong, and how to mend it.
    pub fn of(raw: &str) -> Result<StixName, String> {
        let members = Members::parse(raw).map_err(|error| format!("this is no object: {error}"))?;
        let mut names = HashSet::new();
        if let Some((twice, _)) = members.0.iter().find(|(name, _)| !names.insert(name)) {
            return Err(twice_said(twice));
        }
        StixName::read(&value(raw)?)
    }

    fn read(object: &Value) -> Result<StixName, String> {
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
        Ok(StixName {
            kind: kind.into(),
            uuid,
            version: text("modified").or(text("created")).map(str::to_owned),
            is_2_1,
        })
    }
}

impl StixFacts {
    /// Of an object as text that comes from others. `defined`: what marking definitions say that are not among the
    /// public ones.
    ///
    /// # Errors
    /// In words: what is wrong, and how to mend it.
    pub fn of(raw: &str, defined: &StixDefinitions) -> Result<StixFacts, String> {
        if json::check("", raw, DEPTH).is_err() {
            return Err(format!("its brackets stand more than {DEPTH} deep in one another"));
        }
        let (object, twice) = json::read(raw).map_err(|error| format!("this is no object: {error}"))?;
        if let Some(twice) = twice {
            return Err(twice_said(&twice));
        }
        if !object.is_object() {
            return Err("this is no object: it does not stand in {}".into());
        }
        let name = StixName::read(&object)?;
        let marked = marked(&object, defined)?;
        let (found, detect) = observables::of_object(&object);
        let personal = found.into_iter().filter(|found| found.ty().row().privacy != Privacy::None);
        Ok(StixFacts {
            name,
            marking: marked.marking,
            unknown: marked.unknown,
            personal: personal.map(|observable| Found { observable, detect }).collect(),
        })
    }
}

fn value(raw: &str) -> Result<Value, String> {
    serde_json::from_str(raw).map_err(|error| format!("it can't be read: {error}"))
}

/// Two readers would understand two things.
fn twice_said(name: &str) -> String {
    let name: String = name.chars().take(80).collect();
    format!("'{name}' stands in it twice")
}

/// What marking definitions say, by their identifiers in lower case: a TLP, or something else. Of several with one
/// identifier the strictest counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StixDefinitions(HashMap<String, Option<Tlp>>);

impl StixDefinitions {
    /// Those among objects; what else is among them is left.
    pub fn among<'a>(objects: impl IntoIterator<Item = &'a str>) -> StixDefinitions {
        let mut defined = StixDefinitions::default();
        objects.into_iter().for_each(|raw| defined.note(raw));
        defined
    }

    /// One more, if it is a marking definition.
    pub fn note(&mut self, raw: &str) {
        if let Some((id, tlp)) = stix_definition(raw) {
            let known = self.0.entry(id).or_default();
            *known = (*known).max(tlp);
        }
    }

    /// What an object refers to and what is not known here, as it is compared; what has no markings that can be read
    /// refers to nothing.
    #[must_use]
    pub fn lacks(&self, raw: &str) -> Vec<String> {
        if !raw.contains("marking_") {
            return Vec::new();
        }
        let marked = value(raw).and_then(|object| marked(&object, self));
        marked
            .map(|marked| marked.unknown.iter().map(|reference| marking::key(reference)).collect())
            .unwrap_or_default()
    }

    /// Does anybody here know what this reference means?
    #[must_use]
    pub fn know(&self, reference: &str) -> bool {
        self.0.contains_key(&marking::key(reference))
    }

    /// The identifiers.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What a reference means: of the public definitions what everybody knows, whatever anybody else says of them.
    /// `None`: nobody here knows it.
    fn mean(&self, reference: &str) -> Option<Option<Tlp>> {
        marking::of_reference(reference).map(Some).or_else(|| self.0.get(&marking::key(reference)).copied())
    }
}

/// The identifier of a marking definition in lower case, and the TLP that it defines, if it defines one; `None` for
/// every other object, and for one that two readers could understand otherwise.
#[must_use]
pub fn stix_definition(raw: &str) -> Option<(String, Option<Tlp>)> {
    // Most objects name definitions, and are none.
    if !raw.contains("\"marking-definition\"") || json::check("", raw, DEPTH).is_err() {
        return None;
    }
    let (object, twice) = json::read(raw).ok()?;
    if twice.is_some() || object.get("type")?.as_str()? != "marking-definition" {
        return None;
    }
    Some((marking::key(object.get("id")?.as_str()?), object.as_object().and_then(marking::of_definition)))
}

/// What an object says of how far it may go.
pub(super) struct Marked {
    pub(super) marking: Marking,
    /// References to markings of which nobody here knows what they mean, each once.
    pub(super) unknown: Vec<String>,
}

/// Reads an object's markings, whoever brings it.
///
/// # Errors
/// In words: they are said in a way that nobody understands. Nothing is taken for unmarked because of that.
pub(super) fn marked(object: &Value, defined: &StixDefinitions) -> Result<Marked, String> {
    let is_definition = object.get("type").and_then(Value::as_str) == Some("marking-definition");
    let mut marked = Marked { marking: Marking::default(), unknown: Vec::new() };
    let (mut tlps, mut unknown) = (Vec::new(), HashSet::new());
    // The observables within observed data have markings of their own.
    let within = object.get("objects").and_then(Value::as_object).into_iter().flat_map(|objects| objects.values());
    for part in within.chain([object]) {
        for reference in references(part)? {
            match defined.mean(reference) {
                Some(tlp) => tlps.extend(tlp),
                None if unknown.insert(reference) => marked.unknown.push(reference.to_owned()),
                None => {}
            }
        }
        let Some(members) = part.as_object() else { continue };
        // A TLP definition itself is public knowledge.
        tlps.extend(match is_definition {
            true => marking::of_definition(members).map(|_| Tlp::Clear),
            false => marking::of_extensions(members),
        });
    }
    let labels = texts(object, "labels")?;
    let tagged = manara_model::tag::read_marking(labels);
    marked.marking = marking::of_references(tlps.into_iter()).meet(&tagged.marking);
    Ok(marked)
}

/// The markings that an object refers to, for the whole and for pieces of it: a piece may go less far, and nobody
/// gets the whole without being cleared for it.
fn references(object: &Value) -> Result<Vec<&str>, String> {
    let mut references = texts(object, "object_marking_refs")?;
    for granular in list(object, "granular_markings")? {
        match (granular.get("marking_ref"), granular.get("lang")) {
            (Some(Value::String(reference)), _) => references.push(reference),
            // Says in which language a piece is (STIX 2.1 §7.2.3).
            (None, Some(Value::String(_))) => {}
            _ => {
                return Err(
                    "each of 'granular_markings' is an object with a text 'marking_ref' (STIX 2.1 §7.2.3)".into()
                );
            }
        }
    }
    Ok(references)
}

fn texts<'a>(object: &'a Value, name: &str) -> Result<Vec<&'a str>, String> {
    let texts: Option<Vec<&str>> = list(object, name)?.iter().map(Value::as_str).collect();
    texts.ok_or_else(|| format!("'{name}' holds something that is no text; it is a list of texts (STIX 2.1 §3.2)"))
}

fn list<'a>(object: &'a Value, name: &str) -> Result<&'a [Value], String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(format!("'{name}' is no list (STIX 2.1 §3.2)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str) -> Result<StixFacts, String> {
        StixFacts::of(raw, &StixDefinitions::default())
    }

    const ID: &str = "d81f86b9-975b-4c0b-875e-810c5ad45a4f";

    #[test]
    fn what_it_is_and_which_version() {
        let facts = of(&format!(
            r#"{{"type":"malware","id":"malware--{ID}","spec_version":"2.1","created":"2020-01-01T00:00:00Z","modified":"2021-01-01T00:00:00.000Z"}}"#
        ));
        let facts = facts.unwrap();
        assert_eq!((facts.name.kind.as_str(), facts.name.is_2_1), ("malware", true));
        assert_eq!(facts.name.version.as_deref(), Some("2021-01-01T00:00:00.000Z"));
        assert!(!of(&format!(r#"{{"type":"malware","id":"malware--{ID}"}}"#)).unwrap().name.is_2_1);
        assert!(of(&format!(r#"{{"type":"url","id":"url--{ID}","value":"http://a.example/"}}"#)).unwrap().name.is_2_1);
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

    const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
    const OWN: &str = "marking-definition--0a11c0de-0000-4000-8000-000000000001";

    /// An object with more members, and the definitions that are known.
    fn with(rest: &str, definitions: &[&str]) -> Result<StixFacts, String> {
        let defined = StixDefinitions::among(definitions.iter().copied());
        StixFacts::of(&format!(r#"{{"type":"x-a","id":"x-a--{ID}",{rest}}}"#), &defined)
    }

    fn definition(id: &str, rest: &str) -> String {
        format!(r#"{{"type":"marking-definition","id":"{id}","spec_version":"2.1",{rest}}}"#)
    }

    #[test]
    fn a_definition_of_ones_own_counts_for_the_whole_and_for_pieces() {
        let red = definition(OWN, r#""definition_type":"tlp","definition":{"tlp":"red"}"#);
        for rest in [
            format!(r#""object_marking_refs":["{OWN}"]"#),
            format!(r#""object_marking_refs":["{}"]"#, OWN.replace("0a11c0de", "0A11C0DE")),
            format!(r#""granular_markings":[{{"marking_ref":"{OWN}","selectors":["x"]}}]"#),
        ] {
            let facts = with(&rest, &[&red]).unwrap();
            assert_eq!((facts.marking.tlp, facts.unknown.is_empty()), (Some(Tlp::Red), true), "{rest}");
            assert_eq!(with(&rest, &[]).unwrap().unknown.len(), 1, "{rest}");
        }
        // Of two with one identifier the strictest, in whatever order they came.
        let clear = definition(OWN, r#""definition":{"tlp":"white"}"#);
        let rest = format!(r#""object_marking_refs":["{OWN}"]"#);
        for both in [[&*red, &*clear], [&*clear, &*red]] {
            assert_eq!(with(&rest, &both).unwrap().marking.tlp, Some(Tlp::Red));
        }
    }

    #[test]
    fn the_official_identifier_in_upper_case_is_the_same() {
        let upper = format!("marking-definition--{}", RED.split_once("--").unwrap().1.to_uppercase());
        let facts = with(&format!(r#""object_marking_refs":["{upper}"]"#), &[]).unwrap();
        assert_eq!((facts.marking.tlp, facts.unknown), (Some(Tlp::Red), Vec::new()));
    }

    #[test]
    fn what_nobody_knows_is_told() {
        let statement = definition(OWN, r#""definition_type":"statement","definition":{"statement":"(c)"}"#);
        let rest = format!(r#""object_marking_refs":["{OWN}","tlp:red","{OWN}"]"#);
        assert_eq!(with(&rest, &[]).unwrap().unknown, [OWN, "tlp:red"]);
        assert_eq!(with(&rest, &[&statement]).unwrap().unknown, ["tlp:red"]);
        // One that can be understood in two ways is as if it were not there.
        let twice = definition(OWN, r#""definition":{"tlp":"red","tlp":"white"}"#);
        assert_eq!(with(&rest, &[&twice]).unwrap().unknown, [OWN, "tlp:red"]);
    }

    #[test]
    fn markings_that_are_no_lists_of_references_are_refused() {
        for (rest, name) in [
            (format!(r#""object_marking_refs":"{RED}""#), "object_marking_refs"),
            (format!(r#""object_marking_refs":["{RED}",5]"#), "object_marking_refs"),
            (format!(r#""object_marking_refs":[["{RED}"]]"#), "object_marking_refs"),
            (format!(r#""object_marking_refs":{{"0":"{RED}"}}"#), "object_marking_refs"),
            (format!(r#""granular_markings":{{"marking_ref":"{RED}"}}"#), "granular_markings"),
            (format!(r#""granular_markings":["{RED}"]"#), "granular_markings"),
            (format!(r#""granular_markings":[{{"marking_ref":["{RED}"]}}]"#), "granular_markings"),
            (r#""labels":"tlp:red""#.to_owned(), "labels"),
            (format!(r#""objects":{{"0":{{"object_marking_refs":"{RED}"}}}}"#), "object_marking_refs"),
        ] {
            assert!(with(&rest, &[]).unwrap_err().contains(name), "{rest}");
        }
        let lang = r#""granular_markings":[{"lang":"tr","selectors":["x"]}]"#;
        assert_eq!(with(lang, &[]).unwrap().marking.tlp, None);
    }

    #[test]
    fn a_level_in_an_extension_of_the_object_itself_counts() {
        let within = r#""extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"red"}}"#;
        assert_eq!(with(within, &[]).unwrap().marking.tlp, Some(Tlp::Red));
        assert_eq!(with(r#""tlp_2_0":"amber""#, &[]).unwrap().marking.tlp, Some(Tlp::Amber));
        // A definition says so of others; it is itself public knowledge.
        let own = of(&definition(OWN, within)).unwrap();
        assert_eq!(own.marking.tlp, Some(Tlp::Clear));
    }

    #[test]
    fn a_definition_that_says_two_things_says_the_strictest() {
        let rest = format!(r#""object_marking_refs":["{OWN}"]"#);
        for says in [
            r#""definition":{"tlp":"red"},"extensions":{"a":{"tlp_2_0":"clear"}}"#,
            r#""extensions":{"a":{"tlp_2_0":"clear"},"b":{"tlp_2_0":"red"}}"#,
        ] {
            assert_eq!(with(&rest, &[&definition(OWN, says)]).unwrap().marking.tlp, Some(Tlp::Red), "{says}");
        }
    }

    #[test]
    fn a_doubled_member_is_refused_at_every_depth() {
        let green = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";
        let twice =
            format!(r#""granular_markings":[{{"marking_ref":"{RED}","marking_ref":"{green}","selectors":["x"]}}]"#);
        assert!(with(&twice, &[]).unwrap_err().contains("'marking_ref' stands in it twice"));
        let escaped = format!(r#""granular_markings":[{{"marking_ref":"{RED}","marking\u005fref":"{green}"}}]"#);
        assert!(with(&escaped, &[]).unwrap_err().contains("'marking_ref' stands in it twice"));
    }

    #[test]
    fn nobody_redefines_what_is_public() {
        let clear = definition(RED, r#""definition":{"tlp":"white"}"#);
        let rest = format!(r#""object_marking_refs":["{RED}"]"#);
        assert_eq!(with(&rest, &[&clear]).unwrap().marking.tlp, Some(Tlp::Red));
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let nested = |deep: usize| format!(r#""x":{}{}"#, "[".repeat(deep), "]".repeat(deep));
        assert!(with(&nested(DEPTH - 1), &[]).is_ok());
        assert!(with(&nested(DEPTH), &[]).unwrap_err().contains("90 deep"));
        assert!(with(&nested(100_000), &[]).unwrap_err().contains("90 deep"));
    }

    #[test]
    fn observables_within_observed_data_have_markings_of_their_own() {
        let rest = format!(r#""objects":{{"0":{{"type":"url","object_marking_refs":["{RED}"]}}}}"#);
        assert_eq!(with(&rest, &[]).unwrap().marking.tlp, Some(Tlp::Red));
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
