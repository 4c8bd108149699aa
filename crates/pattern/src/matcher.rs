//! One pattern against observations that are all there.

use crate::bind::{Candidate, Candidates, Found, search};
use crate::compare::holds;
use crate::observed::{Batch, Observation};
use crate::stage::Program;
use crate::{Note, Pattern};

/// What became of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It matches; these observations (places in the batch) are one way to it.
    Matched(Vec<usize>),
    /// It does not.
    NotMatched,
    /// The search was ended after [`WORK`](crate::WORK) steps: neither is known.
    GaveUp,
}

/// An outcome, and the leniencies that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What became of it.
    pub outcome: Outcome,
    /// In tolerant mode: what had to be let pass, beyond [`Pattern::notes`].
    pub notes: Vec<Note>,
}

impl Answer {
    /// Does it match, for sure?
    #[must_use]
    pub fn matched(&self) -> bool {
        matches!(self.outcome, Outcome::Matched(_))
    }
}

/// Puts a pattern to all observations of a batch. Nothing observed is no match, and no error.
#[must_use]
pub fn matches(pattern: &Pattern, batch: &Batch<'_>) -> Answer {
    let program = Program::new(pattern);
    let mut notes = Vec::new();
    let mut groups: Vec<Candidates> = program.groups.iter().map(|_| Candidates::default()).collect();
    for (at, observation) in batch.observations().iter().enumerate() {
        let Ok(id) = u32::try_from(at) else { break };
        let candidate = candidate(observation, id);
        for (group, leaves) in program.groups.iter().enumerate() {
            let fits = leaves.iter().any(|leaf| {
                let leaf = &program.leaves[*leaf];
                leaf.admits(candidate.first, candidate.last)
                    && batch
                        .objects(observation)
                        .any(|o| holds(&leaf.comparison, batch, observation, o, program.mode, &mut notes))
            });
            if fits {
                groups[group].push(candidate);
                if program.is_single() {
                    return Answer { outcome: Outcome::Matched(vec![at]), notes };
                }
            }
        }
    }
    let outcome = match search(&program, &mut groups).0 {
        Found::Yes(used) => Outcome::Matched(used.into_iter().map(|id| id as usize).collect()),
        Found::No => Outcome::NotMatched,
        Found::GaveUp => Outcome::GaveUp,
    };
    Answer { outcome, notes }
}

pub(crate) fn candidate(observation: &Observation<'_>, id: u32) -> Candidate {
    Candidate {
        id,
        first: observation.first.as_nanosecond(),
        last: observation.last.as_nanosecond(),
        count: observation.count,
    }
}
