//! Warning lists: values that are no evidence, because everybody meets them (MISP warning lists).
//! Compiled into sets of hashes and sorted ranges: a look-up costs a few probes, whatever is loaded.

use crate::observable::{Kind, Observable, Reach, Type, guess, normalise};
use regex::RegexSet;
use serde::Deserialize;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A list as MISP publishes it.
#[derive(Deserialize)]
struct Body {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    matching_attributes: Vec<String>,
    list: Vec<String>,
}

#[derive(Debug)]
struct Meta {
    name: String,
    false_positive: bool,
    /// Types of observables that it speaks of; empty: any.
    types: Vec<Type>,
}

/// Lists, ready to be asked.
#[derive(Debug, Default)]
pub struct WarningLists {
    lists: Vec<Meta>,
    /// Hash of a value (kind `string`) or a name (kind `hostname`) → lists.
    exact: HashMap<u64, Vec<u16>>,
    names: HashMap<u64, Vec<u16>>,
    /// Networks by first address and length → lists; and the lengths that there are.
    nets: HashMap<([u8; 16], u8), Vec<u16>>,
    lengths: Vec<u8>,
    substrings: Vec<(String, u16)>,
    patterns: Vec<(RegexSet, u16)>,
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl WarningLists {
    /// Compiles lists from their JSON bodies. A body that is no list is left out and named in the errors.
    pub fn from_bodies(bodies: impl IntoIterator<Item = impl AsRef<str>>) -> (Self, Vec<String>) {
        let (mut all, mut errors) = (WarningLists::default(), Vec::new());
        for body in bodies {
            match serde_json::from_str::<Body>(body.as_ref()) {
                Ok(body) => {
                    if let Err(error) = all.add(body) {
                        errors.push(error);
                    }
                }
                Err(error) => errors.push(format!("no warning list: {error}")),
            }
        }
        all.lengths.sort_unstable();
        all.lengths.dedup();
        (all, errors)
    }

    fn add(&mut self, body: Body) -> Result<(), String> {
        let id = u16::try_from(self.lists.len()).map_err(|_| "too many warning lists".to_owned())?;
        let types = |name: &String| crate::observable::misp_type(name).map(crate::observable::MispType::types);
        let mut known: Vec<Type> = body.matching_attributes.iter().filter_map(types).flatten().collect();
        known.sort_unstable();
        known.dedup();
        let false_positive = body
            .category
            .as_deref()
            .is_none_or(|category| category == "False positive" || category == "false_positive");
        self.lists.push(Meta { name: body.name.clone(), false_positive, types: known });
        match body.kind.as_str() {
            "cidr" => body.list.iter().for_each(|entry| self.net(entry, id)),
            "hostname" => {
                for entry in &body.list {
                    let name = entry.trim().trim_start_matches(['.', '*']).trim_end_matches('.').to_lowercase();
                    push(&mut self.names, hash(&name), id);
                }
            }
            "substring" => self.substrings.extend(body.list.iter().map(|entry| (entry.to_lowercase(), id))),
            "regex" => {
                let patterns = body.list.iter().map(|entry| delimited(entry));
                let set = RegexSet::new(patterns).map_err(|error| format!("{}: {error}", body.name))?;
                self.patterns.push((set, id));
            }
            _ => {
                for entry in &body.list {
                    let entry = entry.trim();
                    let value = guess(entry).map_or_else(|| entry.to_lowercase(), |known| name(&known).to_owned());
                    push(&mut self.exact, hash(&value), id);
                }
            }
        }
        Ok(())
    }

    fn net(&mut self, entry: &str, id: u16) {
        let entry = entry.trim();
        let observable = guess(entry).or_else(|| Type::by_name("network").and_then(|ty| normalise(ty, entry).ok()));
        if let Some(Reach::Net { addr, len }) = observable.as_ref().and_then(Observable::reach) {
            push(&mut self.nets, (addr, len), id);
            self.lengths.push(len);
        }
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The names of the lists that hold this value, by name.
    #[must_use]
    pub fn hits(&self, observable: &Observable) -> Vec<&str> {
        let mut names: Vec<&str> = self.found(observable).into_iter().map(|list| list.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// A list that says this value is harmless; lists that only know whose it is don't count.
    #[must_use]
    pub fn false_positive(&self, observable: &Observable) -> Option<&str> {
        self.found(observable).into_iter().find(|list| list.false_positive).map(|list| list.name.as_str())
    }

    fn found(&self, observable: &Observable) -> Vec<&Meta> {
        let mut ids: Vec<u16> = Vec::new();
        let value = name(observable);
        let kind = observable.ty().row().kind;
        ids.extend(self.exact.get(&hash(value)).into_iter().flatten());
        if matches!(kind, Kind::Name) {
            let mut name = value;
            loop {
                ids.extend(self.names.get(&hash(name)).into_iter().flatten());
                match name.split_once('.') {
                    Some((_, parent)) => name = parent,
                    None => break,
                }
            }
        }
        if matches!(kind, Kind::Address | Kind::Network)
            && let Some(Reach::Net { addr, len }) = observable.reach()
        {
            let address = u128::from_be_bytes(addr);
            // A network is on a list when the list holds all of it.
            for listed in self.lengths.iter().filter(|listed| **listed <= len) {
                let mask = u128::MAX.checked_shl(128 - u32::from(*listed)).unwrap_or(0);
                ids.extend(self.nets.get(&((address & mask).to_be_bytes(), *listed)).into_iter().flatten());
            }
        }
        let lower = value.to_lowercase();
        ids.extend(self.substrings.iter().filter(|(part, _)| lower.contains(part.as_str())).map(|(_, id)| *id));
        ids.extend(self.patterns.iter().filter(|(set, _)| set.is_match(value)).map(|(_, id)| *id));
        ids.sort_unstable();
        ids.dedup();
        let speaks = |list: &&Meta| list.types.is_empty() || list.types.contains(&observable.ty());
        ids.into_iter().filter_map(|id| self.lists.get(usize::from(id))).filter(speaks).collect()
    }
}

/// What is compared: all names below one are as harmless as that one.
fn name(observable: &Observable) -> &str {
    observable.below().unwrap_or(observable.value())
}

fn push<K: Hash + Eq>(map: &mut HashMap<K, Vec<u16>>, key: K, id: u16) {
    let ids = map.entry(key).or_default();
    if ids.last() != Some(&id) {
        ids.push(id);
    }
}

/// PHP writes `/pattern/i`.
fn delimited(pattern: &str) -> String {
    let Some(inner) = pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) else {
        return pattern.to_owned();
    };
    if inner.1.contains('i') { format!("(?i){}", inner.0) } else { inner.0.to_owned() }
}
