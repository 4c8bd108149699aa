//! Who writes. Embedded: one thread; jobs that wait together share a transaction and its flush to disk,
//! each in a savepoint of its own, so that one that fails takes nothing of the others with it. On a
//! server: whoever asks, on a connection from a small pool, a transaction a job. Either way a job's
//! answer is given after the commit, never before, and a job that met another's lock is run again.

use crate::engine::{Conn, Place, Use};
use crate::tx::Tx;
use crate::{Result, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long one transaction may take in further jobs before it commits.
const BATCH: Duration = Duration::from_millis(20);
/// How often a job is run again that lost against another process.
const ATTEMPTS: u32 = 8;
/// Writing connections kept open to a server.
const IDLE_LINKS: usize = 8;

type Outcome = Box<dyn FnOnce(std::result::Result<(), &StoreError>) + Send>;
/// Gets a transaction, or nothing when there is none to be had; tells whether it went well.
type Run = Box<dyn FnOnce(Option<&Tx<'_>>) -> (bool, Outcome) + Send>;

struct Job {
    run: Run,
    large: bool,
}

/// See the module.
pub(crate) struct Writer {
    way: Way,
    waiting: AtomicU64,
    failing: Mutex<Option<String>>,
}

enum Way {
    Embedded(Thread),
    Server(Links),
}

/// Handle on the writer's thread; the thread ends when the last handle is dropped.
struct Thread {
    jobs: Option<Sender<Job>>,
    handle: Option<JoinHandle<()>>,
}

/// Connections to a server: one for the transaction, one for dictionaries.
struct Links {
    place: Place,
    idle: Mutex<Vec<(Conn, Conn)>>,
}

impl Writer {
    pub(crate) fn start(conn: Conn, place: &Place) -> Self {
        if let Conn::Postgres(_) = conn {
            return Way::Server(Links { place: place.clone(), idle: Mutex::default() }).into();
        }
        let (jobs, queue) = channel();
        let handle = std::thread::Builder::new().name("store-writer".into()).spawn(move || run(conn, &queue)).ok();
        Way::Embedded(Thread { jobs: Some(jobs), handle }).into()
    }

    /// Runs a job and waits until it is on disk. It may be run more than once, never twice to its end.
    ///
    /// A `large` job begins a transaction: inside a savepoint the engine keeps a copy of every page that
    /// is touched, and walks them all after each statement (a list's new edition took minutes).
    pub(crate) fn write<T: Send + 'static>(
        &self,
        large: bool,
        job: impl Fn(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let result = match &self.way {
            Way::Embedded(thread) => thread.write(large, job),
            Way::Server(links) => links.write(job),
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let failing = match &result {
            Ok(_) => None,
            Err(error) if error.is_environment() => Some(error.to_string()),
            // The caller's doing: it says nothing about the disk.
            Err(_) => return result,
        };
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failing;
        result
    }

    /// Writes that wait, and why the last one failed where that was the disk's or the server's doing.
    pub(crate) fn state(&self) -> (u64, Option<String>) {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.waiting.load(Ordering::Relaxed), failing)
    }
}

impl From<Way> for Writer {
    fn from(way: Way) -> Self {
        Writer { way, waiting: AtomicU64::new(0), failing: Mutex::default() }
    }
}

/// A panic in one job must not take the writer, and everyone's work, with it. What the panic says may
/// hold values and stays unsaid; where it was, the program's hook logs.
fn guarded<T>(job: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| {
        tracing::error!("a write failed inside");
        Err(StoreError::Inside)
    })
}

impl Thread {
    fn write<T: Send + 'static>(&self, large: bool, job: impl Fn(&Tx<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        let (answer, wait) = channel::<Result<T>>();
        let run = Box::new(move |tx: Option<&Tx<'_>>| {
            let result = match tx {
                Some(tx) => guarded(|| job(tx)),
                None => Err(StoreError::Closed),
            };
            let good = result.is_ok();
            let outcome: Outcome = Box::new(move |committed| {
                let result = match committed {
                    Err(error) if good => Err(error.for_each()),
                    _ => result,
                };
                // The asker may be gone (a client hung up); the work is done all the same.
                let _ = answer.send(result);
            });
            (good, outcome)
        });
        self.jobs.as_ref().ok_or(StoreError::Closed)?.send(Job { run, large }).map_err(|_| StoreError::Closed)?;
        wait.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}

fn run(conn: Conn, queue: &Receiver<Job>) {
    let mut next = None;
    while let Some(first) = next.take().or_else(|| queue.recv().ok()) {
        let mut outcomes = Vec::new();
        let committed = batch(&conn, first, queue, &mut outcomes, &mut next);
        if let Err(error) = &committed {
            tracing::error!(%error, "a transaction was not written");
            if conn.in_transaction() {
                let _ = conn.script("ROLLBACK");
            }
        }
        for outcome in outcomes {
            outcome(committed.as_ref().copied());
        }
    }
    conn.settle();
}

/// One transaction: the first job, and those that wait already. `left` is one that wants to be the first.
fn batch(
    conn: &Conn,
    first: Job,
    queue: &Receiver<Job>,
    outcomes: &mut Vec<Outcome>,
    left: &mut Option<Job>,
) -> Result<()> {
    let started = Instant::now();
    let begun = conn.begin_write();
    let tx = Tx::new(conn, None);
    let (good, outcome) = (first.run)(begun.is_ok().then_some(&tx));
    outcomes.push(outcome);
    begun?;
    if !good {
        // Nobody else is in it yet.
        return conn.script("ROLLBACK");
    }
    while started.elapsed() < BATCH {
        let Ok(job) = queue.try_recv() else { break };
        if job.large {
            *left = Some(job);
            break;
        }
        let mark = tx.mark();
        let inside = conn.script("SAVEPOINT job");
        let (good, outcome) = (job.run)(inside.is_ok().then_some(&tx));
        outcomes.push(outcome);
        inside?;
        if !good {
            tx.back_to(mark);
        }
        // A full disk ends the whole transaction, savepoint and all.
        conn.script(if good { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" })?;
    }
    tx.seal()?;
    conn.script("COMMIT")
}

impl Links {
    fn write<T>(&self, job: impl Fn(&Tx<'_>) -> Result<T>) -> Result<T> {
        let mut attempt = 0;
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let (conn, side) = match kept {
                Some(pair) => pair,
                None => (Conn::open(&self.place, Use::Write)?, Conn::open(&self.place, Use::Write)?),
            };
            let result = self.once(&conn, &side, &job);
            let sound = conn.is_alive() && side.is_alive() && !conn.in_transaction() && !side.in_transaction();
            if sound {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < IDLE_LINKS {
                    idle.push((conn, side));
                }
            }
            match result {
                // Lost against another, or the server went away before anything was decided: once more.
                Err(error) if error.is_passing() && attempt < ATTEMPTS => {
                    if let StoreError::Unreachable(_) = error {
                        // The others went the same way.
                        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                    }
                    attempt += 1;
                    let jitter = u64::from(std::process::id() % 7) + 1;
                    std::thread::sleep(Duration::from_millis((5u64 << attempt) + jitter * u64::from(attempt)));
                }
                result => return result,
            }
        }
    }

    fn once<T>(&self, conn: &Conn, side: &Conn, job: &impl Fn(&Tx<'_>) -> Result<T>) -> Result<T> {
        conn.begin_write()?;
        let tx = Tx::new(conn, Some(side));
        let done = guarded(|| job(&tx)).and_then(|value| tx.seal().map(|()| value));
        match done {
            Ok(value) => match conn.script("COMMIT") {
                Ok(()) => Ok(value),
                // It may have been written, or not: to run it again could do it twice.
                Err(_) if !conn.is_alive() => Err(StoreError::Unsure),
                Err(error) => {
                    let _ = conn.script("ROLLBACK");
                    Err(error)
                }
            },
            Err(error) => {
                for link in [side, conn] {
                    if link.in_transaction() {
                        let _ = link.script("ROLLBACK");
                    }
                }
                Err(error)
            }
        }
    }
}
