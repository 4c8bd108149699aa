//! Type of object → property → value → brackets that could be true of it. Filed too widely is no
//! error: a bracket that is woken is put to the object as it stands.

use super::Counts;
use super::cover::{Probe, cover, is_hash};
use crate::compare::{json_number, nfc, read_number};
use crate::observed::{Batch, Object, Observation};
use crate::select::select;
use crate::{Comparison, Json, Mode, Network, Step};
use regex::{RegexSet, RegexSetBuilder};
use std::collections::HashMap;

/// Expressions that are looked for together, at most.
const SET: usize = 256;

/// Memory of such a set, in bytes.
const SET_SIZE: usize = 16 << 20;

#[derive(Default)]
pub(super) struct Index {
    types: HashMap<String, OfType>,
    /// Values are taken as tolerant patterns take them.
    mode: Mode,
    counts: Counts,
}

#[derive(Default)]
struct OfType {
    properties: Vec<Property>,
    remainder: Vec<u32>,
}

struct Property {
    steps: Vec<Step>,
    is_hash: bool,
    texts: HashMap<Box<str>, Vec<u32>>,
    numbers: HashMap<u64, Vec<u32>>,
    booleans: [Vec<u32>; 2],
    networks: HashMap<(bool, u8, u128), Vec<u32>>,
    /// Families and lengths there are, so that a value is looked up once for each.
    lengths: Vec<(bool, u8)>,
    expressions: Vec<(String, bool, u32)>,
    sets: Vec<Set>,
}

struct Set {
    regexes: RegexSet,
    leaves: Vec<u32>,
    dollar: bool,
}

impl Index {
    pub(super) fn new(tolerant: bool) -> Index {
        Index { mode: if tolerant { Mode::Tolerant } else { Mode::Strict }, ..Index::default() }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn file(&mut self, leaf: u32, comparison: &Comparison, mode: Mode) {
        let Some(items) = cover(comparison, mode) else {
            self.counts.remainder += 1;
            let mut types: Vec<&str> = comparison.tests().iter().map(|test| test.path.object.as_str()).collect();
            types.sort_unstable();
            types.dedup();
            for ty in types {
                self.types.entry(ty.to_owned()).or_default().remainder.push(leaf);
            }
            return;
        };
        let has = |probe: fn(&Probe) -> bool| items.iter().any(|item| probe(&item.probe));
        if has(|probe| matches!(probe, Probe::Expression(..))) {
            self.counts.by_expression += 1;
        } else if has(|probe| matches!(probe, Probe::Network(_))) {
            self.counts.by_network += 1;
        } else {
            self.counts.by_value += 1;
        }
        for item in items {
            let of_type = self.types.entry(item.path.object.clone()).or_default();
            let property = of_type.property(&item.path.steps);
            match item.probe {
                Probe::Text(text) => push(property.texts.entry(text).or_default(), leaf),
                Probe::Number(key) => push(property.numbers.entry(key).or_default(), leaf),
                Probe::Boolean(value) => push(&mut property.booleans[usize::from(value)], leaf),
                Probe::Network(network) => {
                    let (v4, len) = (network.is_v4(), network.len());
                    push(property.networks.entry((v4, len, network.prefix(len))).or_default(), leaf);
                    if !property.lengths.contains(&(v4, len)) {
                        property.lengths.push((v4, len));
                    }
                }
                Probe::Expression(text, dollar) => property.expressions.push((text, dollar, leaf)),
            }
        }
    }

    /// Compiles sets of expressions.
    pub(super) fn finish(&mut self) {
        let counts = &mut self.counts;
        for of_type in self.types.values_mut() {
            let OfType { properties, remainder } = of_type;
            for property in properties {
                for chunk in std::mem::take(&mut property.expressions).chunks(SET) {
                    property.compile(chunk, remainder, counts);
                }
            }
        }
    }

    /// What could be true of an object; a bracket may be there twice.
    pub(super) fn wake(&self, batch: &Batch<'_>, seen: &Observation<'_>, object: &Object<'_>, woken: &mut Vec<u32>) {
        let Some(of_type) = self.types.get(&*object.kind) else { return };
        woken.extend_from_slice(&of_type.remainder);
        for property in &of_type.properties {
            for value in select(batch, seen, object, &property.steps, self.mode).values {
                property.wake(value, self.mode, woken);
            }
        }
    }
}

fn push(leaves: &mut Vec<u32>, leaf: u32) {
    if leaves.last() != Some(&leaf) {
        leaves.push(leaf);
    }
}

impl OfType {
    fn property(&mut self, steps: &[Step]) -> &mut Property {
        let at = self.properties.iter().position(|property| property.steps == steps).unwrap_or_else(|| {
            self.properties.push(Property {
                steps: steps.to_vec(),
                is_hash: is_hash(steps),
                texts: HashMap::new(),
                numbers: HashMap::new(),
                booleans: [Vec::new(), Vec::new()],
                networks: HashMap::new(),
                lengths: Vec::new(),
                expressions: Vec::new(),
                sets: Vec::new(),
            });
            self.properties.len() - 1
        });
        &mut self.properties[at]
    }
}

impl Property {
    /// Compiles a set; one that is too large is halved, and what can't be in any is looked at each time.
    fn compile(&mut self, all: &[(String, bool, u32)], remainder: &mut Vec<u32>, counts: &mut Counts) {
        let built = RegexSetBuilder::new(all.iter().map(|(text, _, _)| text))
            .dot_matches_new_line(true)
            .size_limit(SET_SIZE)
            .dfa_size_limit(SET_SIZE)
            .build();
        match (built, all) {
            (Ok(regexes), _) => {
                let leaves = all.iter().map(|(_, _, leaf)| *leaf).collect();
                self.sets.push(Set { regexes, leaves, dollar: all.iter().any(|(_, dollar, _)| *dollar) });
            }
            (Err(_), [] | [_]) => {
                for (_, _, leaf) in all {
                    push(remainder, *leaf);
                    counts.by_expression -= 1;
                    counts.remainder += 1;
                }
            }
            (Err(_), _) => {
                let (left, right) = all.split_at(all.len() / 2);
                self.compile(left, remainder, counts);
                self.compile(right, remainder, counts);
            }
        }
    }

    fn wake(&self, value: &Json<'_>, mode: Mode, woken: &mut Vec<u32>) {
        let mut number = json_number(value);
        match value {
            Json::Boolean(value) => woken.extend_from_slice(&self.booleans[usize::from(*value)]),
            Json::Text(text) => {
                let found = if self.is_hash && text.bytes().any(|b| b.is_ascii_uppercase()) {
                    self.texts.get(text.to_ascii_lowercase().as_str())
                } else {
                    self.texts.get(&**text)
                };
                woken.extend(found.into_iter().flatten());
                if mode == Mode::Tolerant && !self.numbers.is_empty() {
                    number = read_number(text);
                }
                if !self.lengths.is_empty()
                    && let Some(network) = Network::read(text)
                {
                    for (v4, len) in
                        self.lengths.iter().filter(|(v4, len)| *v4 == network.is_v4() && *len <= network.len())
                    {
                        woken.extend(self.networks.get(&(*v4, *len, network.prefix(*len))).into_iter().flatten());
                    }
                }
                let text = nfc(text);
                for set in &self.sets {
                    let find = |text: &str, woken: &mut Vec<u32>| {
                        woken.extend(set.regexes.matches(text).into_iter().map(|at| set.leaves[at]));
                    };
                    find(&text, woken);
                    if let Some(text) = text.strip_suffix('\n').filter(|_| set.dollar) {
                        find(text, woken);
                    }
                }
            }
            _ => {}
        }
        if let Some(number) = number {
            woken.extend(self.numbers.get(&number.key()).into_iter().flatten());
        }
    }
}
