//! Sightings that wait until the node knows them, as lines of a state.
//!
//! What was counted since the last note stands as `found` lines before the line that says how far a log was searched;
//! that one says how many they are, and makes them count. So a search that is killed loses either both or neither.
//! Before anything is told, each gets an identifier of its own (`untold` lines, which a `sealed` line makes count):
//! told once more after a crash, the node keeps it once. `told` names those that the node has answered for.

use super::Sighting;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// Sightings that are kept until they are told; later ones are not kept, and counted.
pub(super) const MOST: usize = 200_000;
/// Bytes of text in them.
const BYTES: usize = 64 << 20;
/// Identifiers in one `told` line.
const TOLD: usize = 500;

/// A sighting that the node has not answered for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// By which the node knows whether it has it.
    pub uuid: Uuid,
    /// What is told.
    #[serde(flatten)]
    pub sighting: Sighting,
}

/// A line of a state that is about sightings.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Note {
    Found(Sighting),
    Untold(Untold),
    Sealed(usize),
    Told(Vec<Uuid>),
}

/// All that waits. The same lines give the same, whether they are read or written.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// With identifiers.
    untold: Vec<Untold>,
    /// Without; their counts are apart, the same sighting is counted on.
    counts: BTreeMap<Sighting, u64>,
    bytes: usize,
    /// Lines that nothing has made count yet.
    found: Vec<Sighting>,
    sealing: Vec<Untold>,
    told: HashSet<Uuid>,
    /// Sightings that were too many.
    pub(crate) lost: u64,
}

impl Waiting {
    /// Reads a line of a state; whether it is one of these comes back.
    pub(crate) fn line(&mut self, line: &[u8]) -> bool {
        let Ok(note) = serde_json::from_slice(line) else { return false };
        match note {
            Note::Found(sighting) => self.found.push(sighting),
            Note::Untold(untold) => self.sealing.push(untold),
            Note::Sealed(number) => {
                let sealing = std::mem::take(&mut self.sealing);
                if sealing.len() == number {
                    self.counts.clear();
                    self.untold.extend(sealing);
                }
            }
            Note::Told(uuids) => self.told.extend(uuids),
        }
        true
    }

    /// The line behind `found` ones: it says how many they are.
    pub(crate) fn commit(&mut self, number: usize) {
        // An entry of its own, as of a log that was renamed, may stand between.
        if number == 0 {
            return;
        }
        let found = std::mem::take(&mut self.found);
        if found.len() == number {
            self.add(found);
        }
    }

    fn add(&mut self, found: Vec<Sighting>) {
        for mut one in found {
            let count = std::mem::take(&mut one.count);
            if let Some(sum) = self.counts.get_mut(&one) {
                *sum = sum.saturating_add(count);
                continue;
            }
            let bytes = self.bytes + text(&one);
            if self.untold.len() + self.counts.len() >= MOST || bytes > BYTES {
                self.lost += 1;
                continue;
            }
            self.bytes = bytes;
            self.counts.insert(one, count);
        }
    }

    /// What was found, as lines of a state; the line after them says that they are as many as came in.
    pub(crate) fn found(&mut self, found: Vec<Sighting>) -> Vec<u8> {
        let mut lines = Vec::new();
        found.iter().for_each(|one| push(&mut lines, &Note::Found(one.clone())));
        self.add(found);
        lines
    }

    /// Gives identifiers to all that have none, as lines of a state.
    pub(crate) fn seal(&mut self) -> Vec<u8> {
        let mut lines = Vec::new();
        let counts = std::mem::take(&mut self.counts);
        let number = counts.len();
        for (mut sighting, count) in counts {
            sighting.count = count;
            let untold = Untold { uuid: Uuid::new_v4(), sighting };
            push(&mut lines, &Note::Untold(untold.clone()));
            self.untold.push(untold);
        }
        if number > 0 {
            push(&mut lines, &Note::Sealed(number));
        }
        lines
    }

    /// After all lines were read: what is still to be told, all with identifiers, as lines of a state.
    pub(crate) fn opened(&mut self) -> Vec<u8> {
        self.found.clear();
        self.sealing.clear();
        let told = std::mem::take(&mut self.told);
        self.forget(&told);
        let mut lines = Vec::new();
        self.untold.iter().for_each(|one| push(&mut lines, &Note::Untold(one.clone())));
        if !self.untold.is_empty() {
            push(&mut lines, &Note::Sealed(self.untold.len()));
        }
        lines.extend(self.seal());
        lines
    }

    /// What waits for a node, in the order in which it was found. What is not sealed yet is not there.
    pub(crate) fn of(&self, to: &str) -> Vec<Untold> {
        self.untold.iter().filter(|one| one.sighting.to == to).cloned().collect()
    }

    /// How many wait for each other node.
    pub(crate) fn elsewhere(&self, to: &str) -> BTreeMap<&str, usize> {
        let mut nodes = BTreeMap::new();
        for one in self.untold.iter().filter(|one| one.sighting.to != to) {
            *nodes.entry(one.sighting.to.as_str()).or_default() += 1;
        }
        nodes
    }

    /// The node has answered for these: as lines of a state.
    pub(crate) fn told(&mut self, uuids: &[Uuid]) -> Vec<u8> {
        self.forget(&uuids.iter().copied().collect());
        let mut lines = Vec::new();
        uuids.chunks(TOLD).for_each(|some| push(&mut lines, &Note::Told(some.to_vec())));
        lines
    }

    fn forget(&mut self, told: &HashSet<Uuid>) {
        self.untold.retain(|one| !told.contains(&one.uuid));
        let left = self.untold.iter().map(|one| text(&one.sighting));
        self.bytes = left.sum::<usize>() + self.counts.keys().map(text).sum::<usize>();
    }
}

fn text(one: &Sighting) -> usize {
    one.to.len() + one.value.len() + one.source.len()
}

fn push(lines: &mut Vec<u8>, note: &Note) {
    // Nothing in a note can fail to be written as JSON; a vector takes all.
    if serde_json::to_writer(&mut *lines, note).is_ok() {
        lines.push(b'\n');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    fn one(value: &str, count: u64) -> Sighting {
        Sighting { to: "n".into(), value: value.into(), count, ..Sighting::default() }
    }

    /// What waits after lines were read, with counts.
    fn read(lines: &[u8]) -> Waiting {
        let mut waiting = Waiting::default();
        for line in lines.split(|byte| *byte == b'\n') {
            if let Some(number) = line.strip_prefix(b"commit ") {
                waiting.commit(std::str::from_utf8(number).unwrap().parse().unwrap_or(0));
            } else {
                waiting.line(line);
            }
        }
        waiting.opened();
        waiting
    }

    fn counts(waiting: &Waiting) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        waiting
            .of("n")
            .iter()
            .for_each(|one| *counts.entry(one.sighting.value.clone()).or_default() += one.sighting.count);
        counts
    }

    #[test]
    fn cut_anywhere_what_was_found_is_there_once_if_it_counts() {
        let mut writing = Waiting::default();
        let mut lines = writing.found(vec![one("a", 2), one("b", 1)]);
        lines.extend(b"commit 2\n");
        let first = lines.len();
        lines.extend(writing.found(vec![one("a", 3)]));
        lines.extend(b"commit 1\n");
        let second = lines.len();
        lines.extend(writing.seal());
        let sealed = lines.len();
        let told: Vec<Uuid> =
            writing.of("n").iter().filter(|one| one.sighting.value == "a").map(|one| one.uuid).collect();
        lines.extend(writing.told(&told));
        for cut in 0..=lines.len() {
            // A line's end may be missing: half a line is none.
            let whole = lines[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let waiting = read(&lines[..cut]);
            let want: &[(&str, u64)] = match whole {
                n if n < first => &[],
                n if n < second => &[("a", 2), ("b", 1)],
                n if n < lines.len() && cut < lines.len() - 1 => &[("a", 5), ("b", 1)],
                _ => &[("b", 1)],
            };
            let want: BTreeMap<String, u64> = want.iter().map(|(value, n)| ((*value).to_owned(), *n)).collect();
            // Without its end a line may be whole all the same.
            let near = [first, second].iter().any(|at| cut + 1 == *at);
            assert!(near || counts(&waiting) == want, "cut at {cut}: {:?}, not {want:?}", counts(&waiting));
            if whole >= sealed {
                let known: HashSet<Uuid> = read(&lines[..sealed]).of("n").iter().map(|one| one.uuid).collect();
                assert!(waiting.of("n").iter().all(|one| known.contains(&one.uuid)), "an identifier has changed");
            }
        }
    }

    #[test]
    fn too_much_is_counted_and_what_is_there_is_counted_on() {
        let mut waiting = Waiting::default();
        let many: Vec<Sighting> = (0..MOST + 5).map(|n| one(&n.to_string(), 1)).collect();
        let _ = waiting.found(many);
        let _ = waiting.found(vec![one("7", 4)]);
        let _ = waiting.seal();
        assert_eq!((waiting.of("n").len(), waiting.lost), (MOST, 5));
        assert_eq!(counts(&waiting)["7"], 5);
        let long = "x".repeat(1 << 20);
        let mut waiting = Waiting::default();
        let _ = waiting.found((0..100).map(|n| one(&format!("{n}{long}"), 1)).collect());
        assert_eq!(waiting.lost, 37, "64 MB of text");
    }

    #[test]
    fn each_node_has_its_own() {
        let mut waiting = Waiting::default();
        let other = Sighting { to: "m".into(), ..one("a", 1) };
        let _ = waiting.found(vec![one("a", 1), other]);
        let _ = waiting.seal();
        assert_eq!(waiting.of("n").len(), 1);
        assert_eq!(waiting.elsewhere("n"), BTreeMap::from([("m", 1)]));
    }
}
