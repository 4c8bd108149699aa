//! What a request asks for: filters and pages (TAXII 2.1 §3.4). What is malformed is said, never guessed.

use crate::answer::Fault;
use crate::time;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use manara_store::collections::{Versions, Wanted};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Objects on a page, where no limit is given.
const PAGE: usize = 100;
/// And at most.
const MOST: usize = 10_000;
/// Values of one filter.
const VALUES: usize = 1000;
/// What `next` begins with: another program's, or a mistyped one, is not taken for a place.
const MARK: [u8; 2] = [0x6d, 0x01];

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) wanted: Wanted,
    pub(crate) limit: usize,
}

/// Which filters an endpoint has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filters {
    /// All of them: objects, manifest.
    All,
    /// Version and specification: one object.
    OfObject,
    /// Specification: the versions of one object.
    OfVersions,
}

/// The place after an object, as a client keeps it.
pub(crate) fn next(added: i64) -> String {
    let mut bytes = MARK.to_vec();
    bytes.extend(added.to_be_bytes());
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.rotate_left(3) ^ byte);
    bytes.push(sum);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn place(next: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(next).ok()?;
    let (sum, rest) = bytes.split_last()?;
    let good = rest.iter().fold(0u8, |sum, byte| sum.rotate_left(3) ^ byte) == *sum;
    let place: [u8; 8] = rest.strip_prefix(&MARK)?.try_into().ok()?;
    good.then(|| i64::from_be_bytes(place))
}

fn bad(name: &str, value: &str, what: &str) -> Fault {
    let value: String = value.chars().take(100).collect();
    Fault::new(400, format!("{name}={value}: {what}"))
}

/// An identifier of a STIX object (STIX 2.1 §2.9).
pub(crate) fn object_id(id: &str) -> Option<(String, Uuid)> {
    let (kind, uuid) = id.rsplit_once("--")?;
    let known = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    // One spelling only: thirty-six characters with hyphens.
    let uuid = uuid.parse::<Uuid>().ok().filter(|_| uuid.len() == 36)?;
    known.then(|| (kind.to_owned(), uuid))
}

/// Reads a request's parameters.
///
/// # Errors
/// 400 for what is malformed (§3.4).
pub(crate) fn read(query: &str, filters: Filters) -> Result<Asked, Fault> {
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if given.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            return Err(Fault::new(
                400,
                format!("{name} is given more than once; several values are joined by commas"),
            ));
        }
    }
    let mut asked = Asked { wanted: Wanted::default(), limit: PAGE };
    let (mut from, mut after) = (None, None);
    for (name, value) in &given {
        match name.as_str() {
            "limit" => {
                let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                if !is_number || value.bytes().all(|byte| byte == b'0') {
                    return Err(bad(name, value, "a limit is a whole number greater than zero"));
                }
                // One that is too large for any number here is larger than a page.
                asked.limit = value.parse().unwrap_or(MOST).min(MOST);
            }
            "added_after" => {
                let time = time::read(value);
                after = Some(time.ok_or_else(|| bad(name, value, "is no time like 2026-11-25T12:00:00.000000Z"))?);
            }
            "next" => {
                from = Some(place(value).ok_or_else(|| bad(name, value, "is not what this node gave as next"))?);
            }
            "match[version]" if filters != Filters::OfVersions => asked.wanted.versions = versions(name, value)?,
            "match[spec_version]" => {
                for version in values(name, value)? {
                    match version {
                        "2.1" => asked.wanted.specs.push(true),
                        "2.0" => asked.wanted.specs.push(false),
                        _ => return Err(bad(name, value, "specifications here are 2.0 and 2.1")),
                    }
                }
            }
            "match[type]" if filters == Filters::All => {
                asked.wanted.types = values(name, value)?.into_iter().map(str::to_owned).collect();
            }
            "match[id]" if filters == Filters::All => {
                for id in values(name, value)? {
                    let id = object_id(id)
                        .ok_or_else(|| bad(name, value, "an identifier is a type, two hyphens and a UUID"))?;
                    asked.wanted.ids.push(id);
                }
            }
            // §3.4: servers may ignore fields that they do not understand.
            _ => {}
        }
    }
    // Both given: the later, which is where the client is (it got `next` for the same question).
    asked.wanted.after = from.max(after).unwrap_or(i64::MIN);
    Ok(asked)
}

fn values<'v>(name: &str, value: &'v str) -> Result<Vec<&'v str>, Fault> {
    let values: Vec<&str> = value.split(',').collect();
    if values.iter().any(|value| value.is_empty() || value.trim() != *value) {
        return Err(bad(name, value, "values are joined by commas, without blanks, and none is empty"));
    }
    if values.len() > VALUES {
        return Err(Fault::new(400, format!("{name} has {} values; at most {VALUES} are taken", values.len())));
    }
    Ok(values)
}

fn versions(name: &str, value: &str) -> Result<Versions, Fault> {
    let given = values(name, value)?;
    if given.iter().collect::<BTreeSet<_>>().len() < given.len() {
        return Err(bad(name, value, "a version stands there twice"));
    }
    if given == ["all"] {
        return Ok(Versions::All);
    }
    let (mut first, mut last, mut at) = (false, false, Vec::new());
    for version in given {
        match version {
            "first" => first = true,
            "last" => last = true,
            "all" => return Err(bad(name, value, "'all' stands alone")),
            time => at.push(time::read(time).ok_or_else(|| {
                bad(name, value, "a version is all, first, last, or a time like 2016-01-01T01:01:01.000Z")
            })?),
        }
    }
    Ok(Versions::Some { first, last, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(query: &str) -> Result<Asked, Fault> {
        read(query, Filters::All)
    }

    #[test]
    fn section_3_4_what_is_malformed_is_a_400() {
        for query in [
            "limit=0",
            "limit=-1",
            "limit=ten",
            "limit=",
            "limit=1.5",
            "limit=%2B5",
            "limit=1&limit=2",
            "added_after=yesterday",
            "added_after=2026-11-25",
            "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
            "added_after=2026-01-01T00:00:00Z,2026-01-02T00:00:00Z",
            "next=abc",
            "next=",
            "next=bQE",
            "match[version]=newest",
            "match[version]=all,last",
            "match[version]=last,last",
            "match[version]=",
            "match[version]=last,%20first",
            "match[spec_version]=3.0",
            "match[id]=indicator",
            "match[id]=a--b",
            "match[type]=",
            "match[type]=a&match[type]=b",
        ] {
            assert_eq!(all(query).map(|_| ()).unwrap_err().status, 400, "{query}");
        }
    }

    #[test]
    fn section_3_4_a_limit_is_taken_up_to_what_a_page_holds() {
        assert_eq!(all("").unwrap().limit, PAGE);
        assert_eq!(all("limit=7").unwrap().limit, 7);
        assert_eq!(all("limit=99999999999999").unwrap().limit, MOST);
    }

    #[test]
    fn section_3_4_1_versions_are_keywords_and_times_joined_by_commas() {
        let of = |query: &str| all(query).unwrap().wanted.versions;
        assert_eq!(of(""), Versions::Some { first: false, last: true, at: vec![] });
        assert_eq!(of("match[version]=all"), Versions::All);
        assert_eq!(
            of("match[version]=first,2018-03-02T01:01:01.123Z,last"),
            Versions::Some { first: true, last: true, at: vec![1_519_952_461_123_000] }
        );
    }

    #[test]
    fn section_3_5_next_is_a_place_and_wins_over_an_earlier_added_after() {
        let token = next(1_700_000_000_000_001);
        assert_eq!(all(&format!("next={token}")).unwrap().wanted.after, 1_700_000_000_000_001);
        let both = format!("next={token}&added_after=2020-01-01T00:00:00Z");
        assert_eq!(all(&both).unwrap().wanted.after, 1_700_000_000_000_001);
        assert_eq!(place(&token), Some(1_700_000_000_000_001));
    }

    #[test]
    fn section_3_4_fields_that_an_endpoint_does_not_have_are_ignored() {
        let asked = read("match[type]=x&match[id]=nonsense&x_own=1", Filters::OfObject).unwrap();
        assert!(asked.wanted.types.is_empty() && asked.wanted.ids.is_empty());
    }
}
