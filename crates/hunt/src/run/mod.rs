//! A search: logs are read and searched by many threads, and told by one, in order.

mod block;
mod gather;
mod order;
mod part;
mod plan;
mod search;

pub(crate) use plan::Slot;
pub use plan::Start;
pub use search::Wants;

pub(crate) use part::{Found, Part};
pub(crate) use search::Search;

use crate::allow::Allow;
use crate::day::Days;
use crate::host::Hosts;
use crate::indexes::Indexes;
use crate::source::{Log, Walk};
use crate::tell::Telling;
use order::{Next, Order};
use plan::{Plan, Work};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often somebody who watches is told how far it is.
const TICK: Duration = Duration::from_millis(250);

/// What is looked for, and how.
#[derive(Debug)]
pub struct Hunt<'a> {
    /// What is looked for.
    pub indexes: Indexes<'a>,
    /// Threads that search, at least one. Each takes up to 16 MB beside the index and what logs need to be
    /// unpacked: a block of 1 MB (up to 4 MB where lines are long), 4 MB of hits of it at the very most, and
    /// 1 MB of parts that wait for their turn.
    pub threads: usize,
    /// What is to be known of hits.
    pub wants: Wants,
    /// What is not told.
    pub allow: Option<&'a Allow>,
    /// Which addresses are one's own.
    pub hosts: &'a Hosts,
    /// How dates without a year are read.
    pub days: Days,
    /// Set from outside to end it early: what is being searched is told to its end.
    pub stop: &'a AtomicBool,
}

impl<'a> Hunt<'a> {
    pub(crate) fn search(&'a self) -> Search<'a> {
        Search::new(self.indexes, &self.wants, self.allow, self.hosts, self.days)
    }

    /// Searches logs. `begin` says where to start each, and `None` if it is not to be searched at all.
    ///
    /// # Errors
    /// What is told cannot be written. Logs that cannot be read are told, not returned.
    pub fn run<W: Write>(
        &self,
        walk: Walk,
        begin: &(dyn Fn(&Log) -> Option<Start> + Sync),
        telling: &mut Telling<'_, W>,
    ) -> io::Result<()> {
        let threads = self.threads.max(1);
        let halt = AtomicBool::new(false);
        let plan = Plan::new(walk, begin, [self.stop, &halt]);
        let order = Order::new(threads);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let _leave = Leave(&order);
                    self.work(&plan, &order);
                });
            }
            let told = tell(&order, telling);
            if told.is_err() {
                halt.store(true, Ordering::Relaxed);
                order.stop();
            }
            told
        })
    }

    /// What one thread does.
    fn work(&self, plan: &Plan<'_>, order: &Order) {
        let mut search = self.search();
        let mut buffer = Vec::new();
        while let Some(work) = plan.take(&mut buffer) {
            match work {
                Work::Block { slot, block, claim, disk } => {
                    let failed = claim.read(&mut buffer).err();
                    let mut piece = 0;
                    let (mut failed, mut disk) = (failed, Some(disk));
                    search.block(&buffer, &claim, &slot.start, &mut |mut part| {
                        part.log = Some(slot.clone());
                        part.disk = disk.take().unwrap_or(0);
                        if part.ends_block {
                            part.trouble = failed.take().map(|error| slot.trouble(&claim, error));
                        }
                        piece += 1;
                        order.put(slot.number, block, piece - 1, part)
                    });
                }
                Work::End { slot, block, trouble, disk } => {
                    let number = slot.number;
                    let part =
                        Part { log: Some(slot), trouble, disk, ends_block: true, ends_log: true, ..Part::default() };
                    order.put(number, block, 0, part);
                }
                Work::Word { number, word } => {
                    let (word, trouble) = match word {
                        Ok(word) => (Some(word), None),
                        Err(trouble) => (None, Some(trouble)),
                    };
                    order.put(
                        number,
                        0,
                        0,
                        Part { word, trouble, ends_block: true, ends_log: true, ..Part::default() },
                    );
                }
            }
        }
    }
}

/// Says that a worker is done even if it panics.
struct Leave<'a>(&'a Order);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

fn tell<W: Write>(order: &Order, telling: &mut Telling<'_, W>) -> io::Result<()> {
    let mut patience = Duration::ZERO;
    loop {
        match order.next(patience) {
            Next::Part(part) => {
                telling.part(*part)?;
                patience = Duration::ZERO;
            }
            Next::Later => {
                // Nothing waits: whoever reads sees all that was found so far.
                telling.pause()?;
                patience = TICK;
            }
            Next::End => return telling.end(),
        }
    }
}
