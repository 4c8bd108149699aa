//! Thousands of patterns against a stream of observations. Each bracket of each pattern is filed under
//! values without which it can't be true (`index`), so an observation wakes only what it could meet;
//! patterns over several observations keep what they wait for (`state`), within bounds.

mod cover;
mod index;
mod state;

use crate::compare::holds;
use crate::observed::Batch;
use crate::stage::Program;
use crate::{Mode, Note, Pattern, matcher};
use index::Index;
use state::State;
use std::sync::Arc;

/// Observations that a pattern over several of them keeps for each of its brackets, unless it needs more.
const MEMORY: usize = 1024;

/// Observations that all patterns keep together, counted for each bracket that keeps one; 400 MB.
const KEPT: usize = 1 << 23;

/// Patterns, made ready, and what those over several observations have seen so far.
pub struct Watch {
    patterns: Vec<Entry>,
    /// Brackets of all patterns: pattern, and which of its brackets.
    leaves: Vec<(u32, u32)>,
    index: Index,
    serial: u32,
    once: bool,
    scratch: Scratch,
}

struct Entry {
    program: Program,
    state: Option<State>,
    notes: Vec<Note>,
    matched: bool,
}

#[derive(Default)]
struct Scratch {
    woken: Vec<u32>,
    /// Per bracket: the object for which it was looked at last.
    asked: Vec<u64>,
    objects: u64,
    true_leaves: Vec<u32>,
}

/// A match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit<'h> {
    /// Which pattern, by its place.
    pub pattern: usize,
    /// Identifiers of the observations, in the order they came; the last is the one that completed it.
    pub observations: &'h [&'h str],
}

/// How brackets are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// By values that they ask for.
    pub by_value: usize,
    /// By expressions that are looked for together.
    pub by_expression: usize,
    /// By networks.
    pub by_network: usize,
    /// Only by the type of object: looked at for each of them.
    pub remainder: usize,
}

/// How a watch went for a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchReport {
    /// It matched at least once.
    pub matched: bool,
    /// Observations that were forgotten for want of memory, where that can have hidden a match.
    pub forgotten: u64,
    /// Searches that were given up.
    pub gave_up: u64,
    /// Leniencies that were used in matching.
    pub notes: Vec<Note>,
}

impl Watch {
    /// Makes patterns ready; their places are their numbers.
    #[must_use]
    pub fn new(patterns: &[Pattern]) -> Watch {
        Watch::with_memory(patterns, MEMORY)
    }

    /// As [`Watch::new`]; patterns over several observations keep so many of them for each bracket.
    #[must_use]
    pub fn with_memory(patterns: &[Pattern], memory: usize) -> Watch {
        let mut watch = Watch {
            patterns: Vec::with_capacity(patterns.len()),
            leaves: Vec::new(),
            index: Index::new(patterns.iter().any(|pattern| pattern.mode() == Mode::Tolerant)),
            serial: 0,
            once: false,
            scratch: Scratch::default(),
        };
        let programs: Vec<Program> = patterns.iter().map(Program::new).collect();
        let several = programs.iter().filter(|program| !program.is_single());
        let share = KEPT / several.map(|program| program.groups.len()).sum::<usize>().max(1);
        for ((number, pattern), program) in (0u32..).zip(patterns).zip(programs) {
            for (leaf, place) in program.leaves.iter().zip(0u32..) {
                let id = u32::try_from(watch.leaves.len()).unwrap_or(u32::MAX);
                watch.leaves.push((number, place));
                watch.index.file(id, &leaf.comparison, pattern.mode());
            }
            let state = (!program.is_single()).then(|| State::new(&program, memory, share));
            watch.patterns.push(Entry { program, state, notes: Vec::new(), matched: false });
        }
        watch.index.finish();
        watch.scratch.asked = vec![0; watch.leaves.len()];
        watch
    }

    /// The first match of a pattern is enough: it is told, and others of it are not looked for.
    #[must_use]
    pub fn once(mut self) -> Watch {
        self.once = true;
        self
    }

    /// How the brackets are found.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.index.counts()
    }

    /// How it went for a pattern.
    #[must_use]
    pub fn report(&self, pattern: usize) -> Option<WatchReport> {
        let entry = self.patterns.get(pattern)?;
        let (forgotten, gave_up) =
            entry.state.as_ref().map_or((0, 0), |state| (state.forgotten(&entry.program), state.gave_up));
        Some(WatchReport { matched: entry.matched, forgotten, gave_up, notes: entry.notes.clone() })
    }

    /// Takes in observations, and tells each match as it is complete. Observations that made a match of
    /// several are used up by it.
    pub fn observe(&mut self, batch: &Batch<'_>, hit: &mut dyn FnMut(Hit<'_>)) {
        for observation in batch.observations() {
            self.serial = self.serial.wrapping_add(1);
            let candidate = matcher::candidate(observation, self.serial);
            let scratch = &mut self.scratch;
            scratch.true_leaves.clear();
            for object in batch.objects(observation) {
                scratch.objects += 1;
                scratch.woken.clear();
                self.index.wake(batch, observation, object, &mut scratch.woken);
                for id in &scratch.woken {
                    let asked = &mut scratch.asked[*id as usize];
                    if std::mem::replace(asked, scratch.objects) == scratch.objects {
                        continue;
                    }
                    let (number, place) = self.leaves[*id as usize];
                    let entry = &mut self.patterns[number as usize];
                    let leaf = &entry.program.leaves[place as usize];
                    if leaf.admits(candidate.first, candidate.last)
                        && holds(&leaf.comparison, batch, observation, object, entry.program.mode, &mut entry.notes)
                    {
                        scratch.true_leaves.push(*id);
                    }
                }
            }
            let mut name: Option<Arc<str>> = None;
            // By pattern, each bracket once, whichever object met it.
            scratch.true_leaves.sort_unstable();
            scratch.true_leaves.dedup();
            for of_pattern in
                scratch.true_leaves.chunk_by(|a, b| self.leaves[*a as usize].0 == self.leaves[*b as usize].0)
            {
                let number = self.leaves[of_pattern[0] as usize].0 as usize;
                let Entry { program, state, matched, .. } = &mut self.patterns[number];
                if self.once && *matched {
                    continue;
                }
                let Some(state) = state else {
                    *matched = true;
                    hit(Hit { pattern: number, observations: &[&*observation.id] });
                    continue;
                };
                let places = of_pattern.iter().map(|id| self.leaves[*id as usize].1 as usize);
                let name = name.get_or_insert_with(|| Arc::from(&*observation.id));
                state.add(program, places, candidate, name.clone());
                while state.due() && state.take(program, &mut |ids| hit(Hit { pattern: number, observations: ids })) {
                    *matched = true;
                    if self.once {
                        break;
                    }
                }
            }
        }
    }

    /// Searches that were put off because much is kept are made up for.
    pub fn finish(&mut self, hit: &mut dyn FnMut(Hit<'_>)) {
        for (number, entry) in self.patterns.iter_mut().enumerate() {
            if let Some(state) = &mut entry.state {
                while state.pending()
                    && !(self.once && entry.matched)
                    && state.take(&entry.program, &mut |ids| hit(Hit { pattern: number, observations: ids }))
                {
                    entry.matched = true;
                }
            }
        }
    }
}
