//! Saved searches: which of the node's records a collection holds, in words like
//! `kind:event tlp:green type:ipv4,domain since:2026-01-01`. Several words: all of them have to be true;
//! several values joined by commas: one of them.

use manara_model::observable::Type;
use manara_model::record::parse_time;
use manara_model::{Head, OrgId, Tlp};
use manara_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A saved search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// As it was written.
    text: String,
    #[serde(default)]
    kinds: BTreeSet<String>,
    /// All of these.
    #[serde(default)]
    tags: BTreeSet<String>,
    /// The TLP in force.
    #[serde(default)]
    tlps: BTreeSet<Tlp>,
    /// Types of observables, by name.
    #[serde(default)]
    types: BTreeSet<String>,
    /// Who holds the record.
    #[serde(default)]
    owners: BTreeSet<OrgId>,
    /// Received at or after this, Unix milliseconds.
    #[serde(default)]
    since: Option<i64>,
}

fn invalid(text: String) -> StoreError {
    StoreError::Invalid(text)
}

/// Words, divided by blanks; what stands in quotation marks is not divided. A value that is wholly in quotation
/// marks loses them, others (`tag:x:y="z"`) keep theirs.
fn words(text: &str) -> Result<Vec<String>, StoreError> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.push(c);
            }
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    if quoted {
        return Err(invalid(format!("a quotation mark is open at the end of the query: {text}")));
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    Ok(words)
}

impl Search {
    /// Reads a query.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] says which word is wrong and what there is; [`StoreError::Unknown`] for an
    /// organisation.
    pub fn read(store: &Store, text: &str) -> Result<Search, StoreError> {
        let mut search = Search { text: text.trim().to_owned(), ..Search::default() };
        for word in words(text)? {
            let known = "there are kind:, tag:, tlp:, type:, org:, since:";
            let Some((name, value)) = word.split_once(':') else {
                return Err(invalid(format!("'{word}' has no name before a colon; {known}")));
            };
            let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = inner.filter(|inner| !inner.contains('"')).unwrap_or(value);
            if value.is_empty() {
                return Err(invalid(format!("'{word}' has nothing after its colon")));
            }
            let each = || value.split(',').map(str::trim).filter(|value| !value.is_empty());
            match name {
                "kind" => search.kinds.extend(each().map(str::to_lowercase)),
                "tlp" => {
                    for name in each() {
                        let tlp = Tlp::parse(name).ok_or_else(|| {
                            invalid(format!("'{name}' is no TLP; there are clear, green, amber, amber+strict, red"))
                        })?;
                        search.tlps.insert(tlp);
                    }
                }
                "tag" => drop(search.tags.insert(value.to_owned())),
                "type" => {
                    for name in each() {
                        let ty = Type::by_name(name).ok_or_else(|| {
                            let known: Vec<&str> = Type::all().map(Type::name).collect();
                            invalid(format!("'{name}' is no type of observable; there are: {}", known.join(", ")))
                        })?;
                        search.types.insert(ty.name().to_owned());
                    }
                }
                "org" => {
                    for name in each() {
                        search.owners.insert(store.org(name)?.uuid);
                    }
                }
                "since" => {
                    let time = parse_time(value);
                    search.since =
                        Some(time.ok_or_else(|| invalid(format!("'{value}' is no time like 2026-11-24 or RFC 3339")))?);
                }
                _ => return Err(invalid(format!("'{name}:' is no word of a query; {known}"))),
            }
        }
        Ok(search)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Does it want a record, by what stands at its head?
    pub(crate) fn wants(&self, head: &Head) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&head.kind))
            && (self.tlps.is_empty() || head.label.marking.tlp.is_some_and(|tlp| self.tlps.contains(&tlp)))
            && self.tags.iter().all(|tag| head.tags.contains(tag))
            && (self.owners.is_empty() || self.owners.contains(&head.label.owner))
            && self.since.is_none_or(|since| head.received >= since)
    }

    /// The types of observables that are wanted; `None`: all.
    pub(crate) fn types(&self) -> Option<BTreeSet<Type>> {
        (!self.types.is_empty()).then(|| self.types.iter().filter_map(|name| Type::by_name(name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_divided_by_blanks_outside_of_quotation_marks() {
        let divided = words(r#" kind:event  tag:misp-galaxy:threat-actor="APT 29" org:"CERT of X" "#).unwrap();
        assert_eq!(divided, ["kind:event", r#"tag:misp-galaxy:threat-actor="APT 29""#, r#"org:"CERT of X""#]);
        assert!(words(r#"tag:"x"#).is_err());
    }
}
