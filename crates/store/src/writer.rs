//! One writer. Jobs that wait together share a transaction and its flush to disk; each runs in a
//! savepoint of its own, so that one that fails takes nothing of the others with it. A job's answer
//! is given after the commit, never before.

use crate::{Result, StoreError};
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long one transaction may take in further jobs before it commits.
const BATCH: Duration = Duration::from_millis(20);

type Outcome = Box<dyn FnOnce(std::result::Result<(), &StoreError>) + Send>;
/// A job gets the connection in a transaction, or nothing when there is none to be had.
type Job = Box<dyn FnOnce(Option<&Connection>) -> (bool, Outcome) + Send>;

/// Handle on the writer's thread; the thread ends when the last handle is dropped.
pub(crate) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(conn: Connection) -> Self {
        let (jobs, queue) = channel();
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || run(conn, &queue)).ok();
        Writer { jobs: Some(jobs), thread }
    }

    /// Runs a job and waits until it is on disk.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, wait) = channel::<Result<T>>();
        let job: Job = Box::new(move |conn| {
            let result = match conn {
                // A panic in one job must not take the writer, and everyone's work, with it.
                Some(conn) => std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(conn)))
                    .unwrap_or_else(|_| Err(StoreError::Damaged("a write failed inside; see the log".into()))),
                None => Err(StoreError::Closed),
            };
            let good = result.is_ok();
            let outcome: Outcome = Box::new(move |committed| {
                let result = match committed {
                    Ok(()) => result,
                    Err(error) => Err(StoreError::Invalid(error.to_string())),
                };
                // The asker may be gone (a client hung up); the work is done all the same.
                let _ = answer.send(result);
            });
            (good, outcome)
        });
        self.jobs.as_ref().ok_or(StoreError::Closed)?.send(job).map_err(|_| StoreError::Closed)?;
        wait.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(conn: Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let mut outcomes = Vec::new();
        let committed = batch(&conn, first, queue, &mut outcomes);
        if committed.is_err() {
            let _ = conn.execute_batch("ROLLBACK");
        }
        for outcome in outcomes {
            outcome(committed.as_ref().copied());
        }
    }
    let _ = conn.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
}

fn batch(conn: &Connection, first: Job, queue: &Receiver<Job>, outcomes: &mut Vec<Outcome>) -> Result<()> {
    let started = Instant::now();
    let begun = conn.execute_batch("BEGIN IMMEDIATE");
    let mut next = Some(first);
    while let Some(job) = next {
        if begun.is_ok() {
            conn.execute_batch("SAVEPOINT job")?;
        }
        let (good, outcome) = job(begun.is_ok().then_some(conn));
        outcomes.push(outcome);
        if begun.is_ok() {
            conn.execute_batch(if good { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" })?;
        }
        next = if started.elapsed() < BATCH && begun.is_ok() { queue.try_recv().ok() } else { None };
    }
    begun?;
    conn.execute_batch("COMMIT")?;
    Ok(())
}
