//! Which observations answer which brackets: each may be used as often as its `number_observed` says.
//!
//! Every limit in time is of one form: `first_observed` at or before a time, `last_observed` at or after
//! one. FOLLOWEDBY sets such a time between its sides (the latest `first` of the left one), WITHIN sets
//! two (a window that begins at the earliest `last`). With these times fixed, what is left is a flow from
//! brackets to observations, which is solved exactly by augmenting paths. So the search goes over the
//! times: those that occur in the data, ascending, cut off where one side alone can't be met (that is
//! monotone, found by bisection). For n observations, one FOLLOWEDBY or WITHIN costs O(n log n), nested
//! ones multiply. Patterns can be written that need more (with three brackets or more repeated in a
//! WITHIN the question is a packing of triples): the search does [`WORK`] steps at most and then says
//! that it gave up, instead of an answer.

use crate::stage::{Node, Program};
use std::collections::HashMap;

/// Steps of one search at most; about 50 ms.
pub const WORK: u64 = 5_000_000;

/// An observation that fits a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) id: u32,
    pub(crate) first: i128,
    pub(crate) last: i128,
    pub(crate) count: u32,
}

/// Those that fit one group, by `last`.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    list: Vec<Candidate>,
    /// From each place on, the earliest `first`.
    earliest: Vec<i128>,
    longest: i128,
    stale: bool,
}

impl Candidates {
    pub(crate) fn push(&mut self, candidate: Candidate) {
        self.list.push(candidate);
        self.longest = self.longest.max(candidate.last - candidate.first);
        self.stale = true;
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Takes out those that ended first; so many at once that one costs little.
    pub(crate) fn drop_oldest(&mut self, many: usize) {
        self.prepare();
        self.stale = true;
        self.list.drain(..many.min(self.list.len()));
    }

    /// Takes out those with these numbers, which ascend.
    pub(crate) fn remove(&mut self, gone: &[u32]) {
        self.list.retain(|candidate| gone.binary_search(&candidate.id).is_err());
        self.stale = true;
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.list.iter().map(|candidate| candidate.id)
    }

    /// To be called before a search.
    pub(crate) fn prepare(&mut self) {
        if std::mem::take(&mut self.stale) {
            // They come nearly in order, which this sort makes use of.
            self.list.sort_by_key(|candidate| candidate.last);
            self.earliest = self.list.iter().map(|candidate| candidate.first).collect();
            for at in (0..self.earliest.len().saturating_sub(1)).rev() {
                self.earliest[at] = self.earliest[at].min(self.earliest[at + 1]);
            }
        }
    }

    /// Is there any within the limits?
    fn any(&self, limits: Limits) -> bool {
        let from = self.list.partition_point(|candidate| candidate.last < limits.last_from);
        self.earliest.get(from).is_some_and(|first| *first <= limits.first_to)
    }

    fn within(&self, limits: Limits) -> impl Iterator<Item = &Candidate> {
        let from = self.list.partition_point(|candidate| candidate.last < limits.last_from);
        let until = limits.first_to.saturating_add(self.longest);
        let rest = self.list[from..].iter().take_while(move |candidate| candidate.last <= until);
        rest.filter(move |candidate| candidate.first <= limits.first_to)
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// The observations of a match.
    Yes(Vec<u32>),
    No,
    GaveUp,
}

/// Looks for a match; also says how many steps that took, with those to make it ready.
pub(crate) fn search(program: &Program, groups: &mut [Candidates]) -> (Found, u64) {
    groups.iter_mut().for_each(Candidates::prepare);
    let ready = groups.iter().map(Candidates::len).sum::<usize>() as u64;
    let everything = Limits { last_from: i128::MIN, first_to: i128::MAX };
    let mut search = Search { groups, work: 0 };
    if !search.alone(&program.tree, everything) {
        return (Found::No, ready + search.work);
    }
    if program.too_large {
        return (Found::GaveUp, ready + search.work);
    }
    let task = Task { part: Part::Node(&program.tree), limits: everything, times: 1 };
    let found = match search.solve(vec![task], Flow::default()) {
        Some(flow) => Found::Yes(flow.used()),
        None if search.work >= WORK => Found::GaveUp,
        None => Found::No,
    };
    (found, ready + search.work)
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    last_from: i128,
    first_to: i128,
}

impl Limits {
    fn first_to(self, at: i128) -> Limits {
        Limits { first_to: self.first_to.min(at), ..self }
    }

    fn last_from(self, at: i128) -> Limits {
        Limits { last_from: self.last_from.max(at), ..self }
    }
}

#[derive(Clone, Copy)]
enum Part<'p> {
    Node(&'p Node),
    /// The first links of a chain.
    Links(&'p [Node]),
}

#[derive(Clone, Copy)]
struct Task<'p> {
    part: Part<'p>,
    limits: Limits,
    times: u32,
}

impl Task<'_> {
    fn is_choice(&self) -> bool {
        match self.part {
            Part::Node(Node::Group(_) | Node::All(_) | Node::Times(..)) => false,
            Part::Node(Node::Any(_) | Node::Chain(_) | Node::Within(..)) => true,
            Part::Links(links) => links.len() > 1,
        }
    }
}

struct Search<'g> {
    groups: &'g [Candidates],
    work: u64,
}

impl<'g> Search<'g> {
    /// Could this be met if nothing else used observations? What is not, is not together either.
    fn alone(&mut self, node: &Node, limits: Limits) -> bool {
        self.work += 1;
        match node {
            Node::Group(group) => self.groups[*group].any(limits),
            Node::All(all) | Node::Chain(all) => all.iter().all(|node| self.alone(node, limits)),
            Node::Any(all) => all.iter().any(|node| self.alone(node, limits)),
            Node::Times(_, node) | Node::Within(_, node) => self.alone(node, limits),
        }
    }

    fn solve<'p>(&mut self, mut agenda: Vec<Task<'p>>, mut flow: Flow) -> Option<Flow> {
        loop {
            if self.work >= WORK {
                return None;
            }
            // What needs no choice comes first: it shows soonest that a choice was wrong.
            let at = agenda.iter().rposition(|task| !task.is_choice()).or(agenda.len().checked_sub(1));
            let Some(at) = at else { return Some(flow) };
            let task = agenda.swap_remove(at);
            let with = |part, limits| Task { part, limits, times: task.times };
            if task.is_choice() && task.times > 1 {
                agenda.extend((0..task.times).map(|_| Task { times: 1, ..task }));
                continue;
            }
            match task.part {
                Part::Links([]) => {}
                Part::Links([node]) => agenda.push(with(Part::Node(node), task.limits)),
                Part::Node(Node::Group(group)) => {
                    if !flow.add(*group, task.limits, task.times, self.groups, &mut self.work) {
                        return None;
                    }
                }
                Part::Node(Node::All(all)) => {
                    agenda.extend(all.iter().map(|node| with(Part::Node(node), task.limits)));
                }
                Part::Node(Node::Times(n, node)) => {
                    let times = task.times.saturating_mul(*n);
                    agenda.push(Task { part: Part::Node(node), limits: task.limits, times });
                }
                Part::Node(Node::Any(all)) => {
                    for node in all {
                        if self.alone(node, task.limits) {
                            let mut agenda = agenda.clone();
                            agenda.push(with(Part::Node(node), task.limits));
                            if let Some(flow) = self.solve(agenda, flow.clone()) {
                                return Some(flow);
                            }
                        }
                    }
                    return None;
                }
                Part::Node(Node::Chain(links)) => return self.chain(links, task, &agenda, &flow),
                Part::Links(links) => return self.chain(links, task, &agenda, &flow),
                Part::Node(Node::Within(length, node)) => {
                    for from in self.times(std::slice::from_ref(&**node), task.limits, |candidate| candidate.last) {
                        let limits = task.limits.last_from(from).first_to(from.saturating_add(*length));
                        if self.alone(node, limits) {
                            let mut agenda = agenda.clone();
                            agenda.push(with(Part::Node(node), limits));
                            if let Some(flow) = self.solve(agenda, flow.clone()) {
                                return Some(flow);
                            }
                        }
                        if self.work >= WORK {
                            return None;
                        }
                    }
                    return None;
                }
            }
        }
    }

    /// All links but the last come before it: at a time that lies between.
    fn chain<'p>(&mut self, links: &'p [Node], task: Task<'p>, agenda: &[Task<'p>], flow: &Flow) -> Option<Flow> {
        let (last, left) = links.split_last()?;
        let limits = task.limits;
        let times = self.times(left, limits, |candidate| candidate.first);
        let from = times.partition_point(|at| !left.iter().all(|node| self.alone(node, limits.first_to(*at))));
        for at in &times[from..] {
            if self.work >= WORK || !self.alone(last, limits.last_from(*at)) {
                return None;
            }
            let mut agenda = agenda.to_vec();
            agenda.push(Task { part: Part::Node(last), limits: limits.last_from(*at), times: 1 });
            agenda.push(Task { part: Part::Links(left), limits: limits.first_to(*at), times: 1 });
            if let Some(flow) = self.solve(agenda, flow.clone()) {
                return Some(flow);
            }
        }
        None
    }

    /// The times of all that could take part, ascending.
    fn times(&mut self, nodes: &[Node], limits: Limits, of: fn(&Candidate) -> i128) -> Vec<i128> {
        let mut groups = Vec::new();
        nodes.iter().for_each(|node| groups_of(node, &mut groups));
        groups.sort_unstable();
        groups.dedup();
        let mut times: Vec<i128> = groups.iter().flat_map(|group| self.groups[*group].within(limits)).map(of).collect();
        self.work += times.len() as u64;
        times.sort_unstable();
        times.dedup();
        times
    }
}

fn groups_of(node: &Node, found: &mut Vec<usize>) {
    match node {
        Node::Group(group) => found.push(*group),
        Node::All(all) | Node::Any(all) | Node::Chain(all) => all.iter().for_each(|node| groups_of(node, found)),
        Node::Times(_, node) | Node::Within(_, node) => groups_of(node, found),
    }
}

/// Brackets with their limits, and the observations that answer them so far.
#[derive(Debug, Clone, Default)]
struct Flow {
    slots: Vec<(usize, Limits)>,
    /// Per observation: which slot holds how many of it.
    held: HashMap<u32, Vec<(usize, u32)>>,
}

impl Flow {
    fn free(&self, candidate: &Candidate) -> u32 {
        let taken: u32 = self.held.get(&candidate.id).map_or(0, |held| held.iter().map(|(_, n)| n).sum());
        candidate.count.saturating_sub(taken)
    }

    fn give(&mut self, id: u32, slot: usize, amount: u32) {
        let held = self.held.entry(id).or_default();
        match held.iter_mut().find(|(holder, _)| *holder == slot) {
            Some((_, n)) => *n += amount,
            None => held.push((slot, amount)),
        }
    }

    fn take(&mut self, id: u32, slot: usize, amount: u32) {
        if let Some(held) = self.held.get_mut(&id) {
            for (holder, n) in held.iter_mut() {
                if *holder == slot {
                    *n = n.saturating_sub(amount);
                }
            }
            held.retain(|(_, n)| *n > 0);
        }
    }

    /// One more slot that needs so many; false if it can't have them beside the others.
    fn add(&mut self, group: usize, limits: Limits, mut need: u32, groups: &[Candidates], work: &mut u64) -> bool {
        let slot = self.slots.len();
        self.slots.push((group, limits));
        for candidate in groups[group].within(limits) {
            *work += 1;
            let amount = self.free(candidate).min(need);
            if amount > 0 {
                self.give(candidate.id, slot, amount);
                need -= amount;
            }
            if need == 0 {
                return true;
            }
        }
        while need > 0 {
            match self.augment(slot, need, groups, work) {
                0 => return false,
                amount => need -= amount,
            }
        }
        true
    }

    /// Moves what others hold to elsewhere, along a shortest way, so that the slot gets some.
    fn augment(&mut self, slot: usize, need: u32, groups: &[Candidates], work: &mut u64) -> u32 {
        // For each slot that was reached: from which, and by which observation that it holds.
        let mut reached: HashMap<usize, Option<(usize, u32, u32)>> = HashMap::from([(slot, None)]);
        let mut queue = std::collections::VecDeque::from([slot]);
        while let Some(at) = queue.pop_front() {
            let (group, limits) = self.slots[at];
            for candidate in groups[group].within(limits) {
                *work += 1;
                if *work >= WORK {
                    return 0;
                }
                let free = self.free(candidate);
                if free > 0 {
                    return self.shift(at, candidate.id, free.min(need), &reached);
                }
                for (holder, n) in self.held.get(&candidate.id).into_iter().flatten() {
                    if !reached.contains_key(holder) {
                        reached.insert(*holder, Some((at, candidate.id, *n)));
                        queue.push_back(*holder);
                    }
                }
            }
        }
        0
    }

    fn shift(&mut self, end: usize, free: u32, most: u32, reached: &HashMap<usize, Option<(usize, u32, u32)>>) -> u32 {
        let (mut amount, mut at) = (most, end);
        while let Some(Some((from, _, n))) = reached.get(&at) {
            amount = amount.min(*n);
            at = *from;
        }
        let (mut at, mut id) = (end, free);
        loop {
            self.give(id, at, amount);
            let Some(Some((from, held, _))) = reached.get(&at) else { return amount };
            self.take(*held, at, amount);
            (at, id) = (*from, *held);
        }
    }

    fn used(&self) -> Vec<u32> {
        let mut used: Vec<u32> = self.held.iter().filter(|(_, held)| !held.is_empty()).map(|(id, _)| *id).collect();
        used.sort_unstable();
        used
    }
}
