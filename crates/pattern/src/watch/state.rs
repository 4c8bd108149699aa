//! What a pattern over several observations has seen and may still need.

use crate::bind::{Candidate, Candidates, Found, search};
use crate::stage::Program;
use std::collections::BTreeMap;

/// A pattern whose searches are given up waits for so many new observations at most between two.
const PATIENCE: usize = 4096;

/// Up to here each new observation is followed by a search; beyond, every sixteenth of what is kept.
const EAGER: usize = 1024;

pub(super) struct State {
    groups: Vec<Candidates>,
    /// Identifiers, by number.
    names: BTreeMap<u32, Box<str>>,
    memory: usize,
    new: usize,
    patience: usize,
    pub(super) forgotten: u64,
    pub(super) gave_up: u64,
}

impl State {
    pub(super) fn new(program: &Program, memory: usize) -> State {
        // Who asks for many repetitions has to be able to see them, within a bound.
        let need = usize::try_from(program.need().min(1 << 16)).unwrap_or(0);
        State {
            groups: program.groups.iter().map(|_| Candidates::default()).collect(),
            names: BTreeMap::new(),
            memory: memory.max(2 * need),
            new: 0,
            patience: 1,
            forgotten: 0,
            gave_up: 0,
        }
    }

    pub(super) fn add(
        &mut self,
        program: &Program,
        leaves: impl Iterator<Item = usize> + Clone,
        candidate: Candidate,
        name: &str,
    ) {
        for (group, members) in program.groups.iter().enumerate() {
            if !leaves.clone().any(|leaf| members.contains(&leaf)) {
                continue;
            }
            self.groups[group].push(candidate);
            if self.groups[group].len() > self.memory {
                self.forgotten += 1;
                if let Some(id) = self.groups[group].drop_oldest()
                    && !self.groups.iter().any(|group| group.holds(id))
                {
                    self.names.remove(&id);
                }
            }
        }
        self.names.insert(candidate.id, name.into());
        self.new += 1;
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
        match search(program, &mut self.groups) {
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
                self.patience = 1;
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
