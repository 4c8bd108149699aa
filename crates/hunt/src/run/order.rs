//! Parts come as they are done and leave in the order of logs and lines.

use super::part::Part;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Number of the log, of its block, of the part.
type Key = (u64, u64, u64);

/// Memory that waiting parts may take, for each thread.
const WAITING: usize = 1 << 20;

/// Where parts wait for their turn.
///
/// Nobody waits for ever: whoever has a part of the log and block that is next never waits, and blocks are
/// taken in their order, so that somebody has that one or is about to take it (see [`super::plan`]).
pub(super) struct Order {
    held: Mutex<Held>,
    /// There is room again, or the next one has changed.
    room: Condvar,
    /// The next part has come.
    come: Condvar,
    most: usize,
}

#[derive(Default)]
struct Held {
    parts: BTreeMap<Key, Part>,
    next: Key,
    weight: usize,
    workers: usize,
    stopped: bool,
}

/// What asking for the next part gives.
pub(super) enum Next {
    /// The part.
    Part(Box<Part>),
    /// Nothing yet.
    Later,
    /// There will be nothing more.
    End,
}

impl Order {
    pub(super) fn new(workers: usize) -> Order {
        let held = Mutex::new(Held { workers, ..Held::default() });
        Order { held, room: Condvar::new(), come: Condvar::new(), most: workers * WAITING }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a part in. Waits while too much waits already, unless it is this one's turn.
    pub(super) fn put(&self, log: u64, block: u64, piece: u64, part: Part) {
        let weight = part.weight();
        let mut held = self.held();
        while held.weight > self.most && (held.next.0, held.next.1) != (log, block) && !held.stopped {
            held = self.room.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        held.weight += weight;
        held.parts.insert((log, block, piece), part);
        if held.next == (log, block, piece) {
            self.come.notify_one();
        }
    }

    /// Takes the next part, if it comes within some time.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let mut held = self.held();
        let key = held.next;
        if !held.parts.contains_key(&key) && held.workers > 0 && !patience.is_zero() {
            let waited = self.come.wait_timeout(held, patience);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let Some(part) = held.parts.remove(&key) else {
            return if held.workers == 0 { Next::End } else { Next::Later };
        };
        held.weight -= part.weight();
        held.next = match (part.ends_log, part.ends_block) {
            (true, _) => (key.0 + 1, 0, 0),
            (false, true) => (key.0, key.1 + 1, 0),
            (false, false) => (key.0, key.1, key.2 + 1),
        };
        self.room.notify_all();
        Next::Part(Box::new(part))
    }

    /// Nobody will ask any more: whoever waits needs not.
    pub(super) fn stop(&self) {
        self.held().stopped = true;
        self.room.notify_all();
    }

    /// A worker is done, whatever became of it.
    pub(super) fn leave(&self) {
        self.held().workers -= 1;
        self.come.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(ends_block: bool, ends_log: bool) -> Part {
        Part { ends_block, ends_log, ..Part::default() }
    }

    #[test]
    fn parts_leave_in_order_and_a_full_house_lets_the_next_one_in() {
        let order = Order::new(1);
        let heavy = || Part { word: None, kept: Vec::new(), found: heavy_hits(), ..part(true, false) };
        order.put(0, 1, 0, heavy());
        assert!(matches!(order.next(Duration::ZERO), Next::Later));
        std::thread::scope(|scope| {
            let late = scope.spawn(|| order.put(0, 2, 0, part(true, true)));
            std::thread::sleep(Duration::from_millis(30));
            assert!(!late.is_finished(), "there is no room for what is not next");
            order.put(0, 0, 0, part(false, false));
            order.put(0, 0, 1, part(true, false));
            let mut told = Vec::new();
            while told.len() < 4 {
                if let Next::Part(part) = order.next(Duration::from_secs(5)) {
                    told.push((part.found.len(), part.ends_block, part.ends_log));
                }
            }
            let many = heavy_hits().len();
            assert_eq!(told, [(0, false, false), (0, true, false), (many, true, false), (0, true, true)]);
        });
        order.leave();
        assert!(matches!(order.next(Duration::from_secs(5)), Next::End));
    }

    fn heavy_hits() -> Vec<super::super::part::Found> {
        let found = super::super::part::Found {
            line: 0,
            column: 1,
            kind: manara_matching::Kind::Domain,
            indicator: 0,
            matched: "x".repeat(1000).into(),
            field: None,
            day: None,
            host: None,
            text: None,
        };
        vec![found; 2 * WAITING / 1000]
    }
}
