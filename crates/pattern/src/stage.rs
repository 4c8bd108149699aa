//! A tree made ready for matching: which observations each bracket takes, and how they combine.

use crate::{Comparison, Mode, Observing, Pattern, Qualifier};

/// More choices (FOLLOWEDBY, WITHIN, OR of groups, with repetitions counted out) than this are not
/// tried: patterns that people write have a handful. Bounds the search's recursion.
const MAX_CHOICES: u64 = 512;

/// A pattern, compiled.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) leaves: Vec<Leaf>,
    /// Brackets that are alternatives of each other stand in one group: whoever fits one, fits it.
    pub(crate) groups: Vec<Vec<usize>>,
    /// Of each bracket, its group.
    pub(crate) group_of: Vec<usize>,
    pub(crate) tree: Node,
    pub(crate) mode: Mode,
    /// It has more choices than are tried.
    pub(crate) too_large: bool,
}

/// A bracket, and the limits in time that START and STOP set to it.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) comparison: Comparison,
    /// `last_observed` at or after, `first_observed` at or before, in nanoseconds.
    pub(crate) last_from: i128,
    pub(crate) first_to: i128,
}

impl Leaf {
    /// Overlaps what was observed the time it may be from? START is included, STOP is not (§9.5.1).
    pub(crate) fn admits(&self, first: i128, last: i128) -> bool {
        last >= self.last_from && first <= self.first_to
    }
}

/// How groups combine.
#[derive(Debug)]
pub(crate) enum Node {
    Group(usize),
    All(Vec<Node>),
    Any(Vec<Node>),
    Chain(Vec<Node>),
    Times(u32, Box<Node>),
    Within(i128, Box<Node>),
}

impl Node {
    /// Could it be met `times` times, if each group has so many observations, whenever they were?
    pub(crate) fn could_be(&self, counts: &dyn Fn(usize) -> u64, times: u64) -> bool {
        match self {
            Node::Group(group) => counts(*group) >= times,
            Node::All(all) | Node::Chain(all) => all.iter().all(|node| node.could_be(counts, times)),
            // Each time it may be another.
            Node::Any(all) => all.iter().any(|node| node.could_be(counts, 1)),
            Node::Times(n, node) => node.could_be(counts, times.saturating_mul(u64::from(*n))),
            Node::Within(_, node) => node.could_be(counts, times),
        }
    }
}

impl Program {
    pub(crate) fn new(pattern: &Pattern) -> Program {
        let mut program = Program {
            leaves: Vec::new(),
            groups: Vec::new(),
            group_of: Vec::new(),
            tree: Node::All(Vec::new()),
            mode: pattern.mode(),
            too_large: false,
        };
        let tree = program.stage(pattern.root(), i128::MIN, i128::MAX);
        program.too_large = choices(&tree) > MAX_CHOICES;
        program.tree = tree;
        program.group_of = vec![0; program.leaves.len()];
        for (group, leaves) in program.groups.iter().enumerate() {
            leaves.iter().for_each(|leaf| program.group_of[*leaf] = group);
        }
        program
    }

    fn stage(&mut self, node: &Observing, from: i128, to: i128) -> Node {
        match node {
            Observing::Test(comparison, _) => {
                self.leaves.push(Leaf { comparison: comparison.clone(), last_from: from, first_to: to });
                self.groups.push(vec![self.leaves.len() - 1]);
                Node::Group(self.groups.len() - 1)
            }
            Observing::And(all) => Node::All(all.iter().map(|node| self.stage(node, from, to)).collect()),
            Observing::FollowedBy(all) => Node::Chain(all.iter().map(|node| self.stage(node, from, to)).collect()),
            Observing::Or(all) => {
                let staged: Vec<Node> = all.iter().map(|node| self.stage(node, from, to)).collect();
                self.alternatives(staged)
            }
            Observing::Qualified { inner, qualifier, .. } => match qualifier {
                Qualifier::StartStop(start, stop) => {
                    let (start, stop) = (start.as_nanosecond(), stop.as_nanosecond());
                    // Nothing is at or after START and before a STOP that is not after it.
                    let to = if start < stop { to.min(stop - 1) } else { i128::MIN };
                    self.stage(inner, from.max(start), to)
                }
                Qualifier::Repeats(1) => self.stage(inner, from, to),
                Qualifier::Repeats(n) => Node::Times(*n, Box::new(self.stage(inner, from, to))),
                Qualifier::Within(seconds) => match self.stage(inner, from, to) {
                    // One observation is always within any time of itself.
                    node @ Node::Group(_) => node,
                    // Less than the window lies between the first and the last (§9.5.1); clocks count nanoseconds.
                    node => Node::Within((*seconds * 1e9).ceil() as i128 - 1, Box::new(node)),
                },
            },
        }
    }

    /// Alternatives that are single brackets become one group.
    fn alternatives(&mut self, staged: Vec<Node>) -> Node {
        let mut merged: Option<usize> = None;
        let mut others = Vec::new();
        for node in staged {
            match (node, merged) {
                (Node::Group(group), None) => merged = Some(group),
                (Node::Group(group), Some(into)) => {
                    let leaves = std::mem::take(&mut self.groups[group]);
                    self.groups[into].extend(leaves);
                }
                (node, _) => others.push(node),
            }
        }
        match (merged, others.is_empty()) {
            (Some(group), true) => Node::Group(group),
            (Some(group), false) => {
                others.insert(0, Node::Group(group));
                Node::Any(others)
            }
            (None, _) => Node::Any(others),
        }
    }

    /// Is one observation enough, whichever bracket takes it?
    pub(crate) fn is_single(&self) -> bool {
        matches!(self.tree, Node::Group(_))
    }

    /// How many observations a match takes at most, counted with their number.
    pub(crate) fn need(&self) -> u64 {
        fn need(node: &Node) -> u64 {
            match node {
                Node::Group(_) => 1,
                Node::All(all) | Node::Chain(all) => all.iter().map(need).fold(0, u64::saturating_add),
                Node::Any(all) => all.iter().map(need).max().unwrap_or(0),
                Node::Times(n, node) => u64::from(*n).saturating_mul(need(node)),
                Node::Within(_, node) => need(node),
            }
        }
        need(&self.tree)
    }
}

fn choices(node: &Node) -> u64 {
    let sum = |all: &[Node]| all.iter().map(choices).fold(0, u64::saturating_add);
    match node {
        Node::Group(_) => 0,
        Node::All(all) => sum(all),
        Node::Any(all) => sum(all).saturating_add(1),
        Node::Chain(all) => sum(all).saturating_add(all.len() as u64),
        Node::Times(n, node) => u64::from(*n).saturating_mul(choices(node)),
        Node::Within(_, node) => choices(node).saturating_add(1),
    }
}
