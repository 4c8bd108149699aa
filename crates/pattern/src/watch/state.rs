//! What a pattern over several observations has seen and may still need.

use crate::bind::{Candidate, Candidates, Found, search};
use crate::stage::Program;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pattern whose searches are given up waits for so many new observations at most between two.
const PATIENCE: usize = 4096;

/// After a search in vain, one new observation is waited for per so many steps that it took; so a
/// pattern costs each observation a tenth of a millisecond at most.
const PACE: u64 = 10_000;

/// Up to here each new observation is followed by a search; beyond, every sixteenth of what is kept.
const EAGER: usize = 1024;

/// When memory is full, one part in so many is forgotten at once: one by one, each would cost a walk
/// through all.
const FORGET: usize = 8;

pub(super) struct State {
    groups: Vec<Candidates>,
    /// Identifiers, by number; patterns share them.
    names: BTreeMap<u32, Arc<str>>,
    /// Per group: how many observations ever fitted, forgotten ones too, by their number.
    ever: Vec<u64>,
    memory: usize,
    new: usize,
    patience: usize,
    forgotten: u64,
    pub(super) gave_up: u64,
}

impl State {
    /// Each bracket keeps `memory` observations, or what it needs if that is more, but no more than its share.
    pub(super) fn new(program: &Program, memory: usize, share: usize) -> State {
        // Who asks for many repetitions has to be able to see them, within a bound.
        let need = usize::try_from(program.need().min(1 << 16)).unwrap_or(0);
        State {
            groups: program.groups.iter().map(|_| Candidates::default()).collect(),
            names: BTreeMap::new(),
            ever: vec![0; program.groups.len()],
            memory: memory.max(2 * need).min(share.max(1)),
            new: 0,
            patience: 1,
            forgotten: 0,
            gave_up: 0,
        }
    }

    pub(super) fn add(
        &mut self,
        program: &Program,
        leaves: impl Iterator<Item = usize>,
        candidate: Candidate,
        name: Arc<str>,
    ) {
        let mut groups: Vec<usize> = leaves.map(|leaf| program.group_of[leaf]).collect();
        groups.sort_unstable();
        groups.dedup();
        self.names.insert(candidate.id, name);
        self.new += 1;
        let mut forgot = false;
        for group in groups {
            self.ever[group] += u64::from(candidate.count);
            let group = &mut self.groups[group];
            group.push(candidate);
            if group.len() > self.memory {
                let many = self.memory / FORGET + 1;
                group.drop_oldest(many);
                self.forgotten += many as u64;
                forgot = true;
            }
        }
        if forgot {
            let mut kept: Vec<u32> = self.groups.iter().flat_map(Candidates::ids).collect();
            kept.sort_unstable();
            self.names.retain(|id, _| kept.binary_search(id).is_ok());
        }
    }

    /// Observations that were forgotten, if they can have mattered: not while a bracket has never had enough.
    pub(super) fn forgotten(&self, program: &Program) -> u64 {
        if program.tree.could_be(&|group| self.ever[group], 1) { self.forgotten } else { 0 }
    }

    /// Is it time to search?
    pub(super) fn due(&self) -> bool {
        self.new >= self.patience && (self.names.len() <= EAGER || self.new * 16 >= self.names.len())
    }

    /// Is there anything that no search has seen?
    pub(super) fn pending(&self) -> bool {
        self.new > 0
    }

    /// Searches; a match is told and what made it is used up.
    pub(super) fn take(&mut self, program: &Program, hit: &mut dyn FnMut(&[&str])) -> bool {
        self.new = 0;
        // Nearly always something has not been seen at all; that takes no search.
        let some = |group: usize| if self.groups[group].len() == 0 { 0 } else { u64::MAX };
        if !program.tree.could_be(&some, 1) {
            self.patience = 1;
            return false;
        }
        let (found, work) = search(program, &mut self.groups);
        match found {
            Found::Yes(used) => {
                let names: Vec<&str> = used.iter().filter_map(|id| self.names.get(id)).map(|name| &**name).collect();
                hit(&names);
                for group in &mut self.groups {
                    group.remove(&used);
                }
                self.names.retain(|id, _| used.binary_search(id).is_err());
                self.patience = 1;
                // What is left may hold another match.
                self.new = usize::from(!self.names.is_empty());
                true
            }
            Found::No => {
                self.patience = usize::try_from(work / PACE).unwrap_or(PATIENCE).clamp(1, PATIENCE);
                false
            }
            Found::GaveUp => {
                self.gave_up += 1;
                self.patience = (self.patience * 2).min(PATIENCE);
                false
            }
        }
    }
}
