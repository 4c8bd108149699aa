//! Parts come as they are done and leave in the order of logs and lines.

use super::part::Part;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Number of the log, of its block, of the part.
type Key = (u64, u64, u64);

/// Memory that waiting parts may take, for each thread; those of the block that is told next may take as much again.
const WAITING: usize = 1 << 20;

/// Where parts wait for their turn.
///
/// Nobody waits for ever. The part that is told next is always let in, and blocks are taken in their order, so that
/// somebody has that one or is about to take it (see [`super::plan`]). A later part of its block waits only where an
/// earlier one is still there: whoever tells takes that, and makes room. So a slow reader holds up the search, and
/// what waits does not grow.
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
    /// With what each weighs.
    parts: BTreeMap<Key, (usize, Part)>,
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

    /// Hands a part in. Waits while it would be too much with what waits already, unless it is told next. Whether
    /// anybody still wants more comes back.
    pub(super) fn put(&self, log: u64, block: u64, piece: u64, part: Part) -> bool {
        let (key, weight) = ((log, block, piece), part.weight());
        let mut held = self.held();
        while held.next != key && held.weight + weight > self.room_for(&held, log, block) && !held.stopped {
            held = self.room.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        if held.stopped {
            return false;
        }
        held.weight += weight;
        held.parts.insert(key, (weight, part));
        if held.next == key {
            self.come.notify_one();
        }
        true
    }

    fn room_for(&self, held: &Held, log: u64, block: u64) -> usize {
        if (held.next.0, held.next.1) == (log, block) { self.most + WAITING } else { self.most }
    }

    /// Takes the next part, if it comes within some time.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let mut held = self.held();
        let key = held.next;
        if !held.parts.contains_key(&key) && held.workers > 0 && !patience.is_zero() {
            let waited = self.come.wait_timeout(held, patience);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let Some((weight, part)) = held.parts.remove(&key) else {
            return if held.workers == 0 { Next::End } else { Next::Later };
        };
        held.weight -= weight;
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
        let heavy = || Part { found: hits(WAITING - 1000), ..part(true, false) };
        let many = heavy().found.len();
        order.put(0, 1, 0, heavy());
        assert!(matches!(order.next(Duration::ZERO), Next::Later));
        std::thread::scope(|scope| {
            let late = scope.spawn(|| order.put(0, 2, 0, Part { found: hits(2000), ..part(true, true) }));
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
            let few = hits(2000).len();
            assert_eq!(told, [(0, false, false), (0, true, false), (many, true, false), (few, true, true)]);
        });
        order.leave();
        assert!(matches!(order.next(Duration::from_secs(5)), Next::End));
    }

    #[test]
    fn a_slow_reader_holds_up_the_block_that_is_told_next() {
        const PIECES: u64 = 64;
        let order = Order::new(2);
        std::thread::scope(|scope| {
            for log in 0..2 {
                let order = &order;
                scope.spawn(move || {
                    for piece in 0..PIECES {
                        let last = piece + 1 == PIECES;
                        order.put(log, 0, piece, Part { found: hits(WAITING / 4), ..part(last, last) });
                    }
                    order.leave();
                });
            }
            let (mut told, mut most) = (0, 0);
            while told < 2 * PIECES {
                std::thread::sleep(Duration::from_millis(2));
                most = most.max(order.held().weight);
                told += u64::from(matches!(order.next(Duration::from_secs(5)), Next::Part(_)));
            }
            assert!((WAITING..=3 * WAITING + WAITING / 4).contains(&most), "{most} bytes waited");
        });
        assert!(matches!(order.next(Duration::from_secs(5)), Next::End));
    }

    #[test]
    fn whoever_waits_for_a_reader_that_is_gone_goes_on() {
        let order = Order::new(1);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                (0..20)
                    .filter(|piece| order.put(0, 0, *piece, Part { found: hits(WAITING / 4), ..part(false, false) }))
                    .count()
            });
            std::thread::sleep(Duration::from_millis(30));
            assert!(!worker.is_finished(), "there is no room");
            order.stop();
            assert!(worker.join().unwrap() < 20, "nothing is held for nobody");
        });
    }

    /// Hits that weigh about so many bytes.
    fn hits(bytes: usize) -> Vec<super::super::part::Found> {
        let found = super::super::part::Found {
            line: 0,
            column: 1,
            kind: manara_matching::Kind::Domain,
            indicator: crate::indexes::Indicator { index: 0, number: 0 },
            matched: "x".into(),
            field: None,
            day: None,
            host: None,
            went: false,
            text: None,
        };
        vec![found; bytes / size_of::<super::super::part::Found>()]
    }
}
