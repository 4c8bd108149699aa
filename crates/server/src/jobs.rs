//! What the node does by itself while it serves: clearing away old versions, backups and exchanges on schedule,
//! and the jobs that were asked for. Several processes on one database share this work: whoever gets the lease,
//! or the job, does it.

use manara_corridor::WarningCache;
use manara_store::Store;
use manara_store::jobs::Job;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Between two looks whether there is something to do.
const PAUSE: Duration = Duration::from_secs(30);
/// A backup that takes longer than this has lost its process.
const BACKUP_LEASE: Duration = Duration::from_secs(6 * 3600);
/// A backup that failed is tried again after this: a full disk is not mended by a full log.
const AFTER_FAILURE: Duration = Duration::from_secs(900);
const SWEEP_LEASE: Duration = Duration::from_secs(300);
/// Backups are named `manara-` and their time.
const PREFIX: &str = "manara-";
const SUFFIX: &str = ".backup";

/// When and where backups are made.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Folder.
    pub folder: PathBuf,
    /// Time between two.
    pub every: Duration,
    /// How many are kept.
    pub keep: usize,
}

/// Jobs that are done at the same time: one slow partner does not keep the others waiting.
const WORKERS: usize = 2;
/// Between two looks for jobs that another process was asked for.
const LOOK: Duration = Duration::from_secs(2);

/// The threads that do it; they end when dropped.
pub struct Jobs {
    stop: Option<Sender<()>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Jobs {
    /// Starts them. `exchange`: how often servers are pulled from and pushed to by themselves.
    #[must_use]
    pub fn start(store: Arc<Store>, schedule: Option<Schedule>, exchange: Option<Duration>) -> Self {
        let (stop, stopped) = channel();
        let ending = Arc::new(AtomicBool::new(false));
        let holder = format!("{}-{}", std::process::id(), uuid::Uuid::new_v4().simple());
        if let Err(error) = store.jobs_left_behind() {
            tracing::warn!(%error, "jobs of the process before");
        }
        for n in 0..WORKERS {
            let (store, ending, holder) = (Arc::clone(&store), Arc::clone(&ending), format!("{holder}-{n}"));
            let started =
                std::thread::Builder::new().name("worker".into()).spawn(move || work(&store, &holder, &ending));
            if let Err(error) = started {
                tracing::error!(%error, "no thread for jobs");
            }
        }
        let work = move || {
            // The first look comes soon: a node that was down over night is behind.
            let mut pause = Duration::from_secs(2);
            let (mut rest, mut waiting) = (Instant::now(), Duration::ZERO);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = PAUSE;
                sweep(&store, &holder);
                if let Some(Err(error)) = exchange.map(|every| manara_misp::schedule(&store, every)) {
                    tracing::warn!(%error, "exchanges on schedule");
                }
                if let Err(error) = manara_taxii::client::schedule(&store) {
                    tracing::warn!(%error, "polls on schedule");
                }
                if let Some(schedule) = schedule.as_ref().filter(|_| rest.elapsed() >= waiting) {
                    waiting = if backup(&store, &holder, schedule) { Duration::ZERO } else { AFTER_FAILURE };
                    rest = Instant::now();
                }
            }
        };
        let thread = std::thread::Builder::new().name("jobs".into()).spawn(work).ok();
        Jobs { stop: Some(stop), ending, thread }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        // A worker may wait for a partner for minutes: it is not waited for. What it was doing goes on, by its row,
        // when the node is started again.
        self.ending.store(true, Ordering::Relaxed);
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Does jobs, one after the other.
fn work(store: &Store, holder: &str, ending: &AtomicBool) {
    let warnings = WarningCache::default();
    let of_collections = |job: &Job, tell: manara_taxii::Tell<'_>| match job.kind.as_str() {
        manara_taxii::JOB => Some(manara_taxii::run(store, job, tell)),
        manara_taxii::client::POLL => Some(manara_taxii::client::run(store, job, tell)),
        _ => None,
    };
    let mut rung = 0;
    while !ending.load(Ordering::Relaxed) {
        match manara_misp::run_due(store, &warnings, holder, ending, &of_collections) {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "a job"),
        }
        rung = store.wait_for_jobs(rung, LOOK);
    }
}

fn sweep(store: &Store, holder: &str) {
    let done = (|| {
        if store.leftovers()? && store.lease("sweep", holder, SWEEP_LEASE)? {
            store.sweep()?;
            store.release("sweep", holder)?;
        }
        manara_taxii::sweep(store)?;
        // What waits longer goes on at the next look, or is seen to by who reads it.
        manara_taxii::gather(store, PAUSE / 2)?;
        Ok::<(), manara_store::StoreError>(())
    })();
    if let Err(error) = done {
        tracing::warn!(%error, "clearing away");
    }
}

/// Makes a backup where one is due; false: it did not work.
fn backup(store: &Store, holder: &str, schedule: &Schedule) -> bool {
    if newest_backup(&schedule.folder).is_some_and(|(_, age)| age < schedule.every) {
        return true;
    }
    let done = (|| {
        if !store.lease("backup", holder, BACKUP_LEASE)? {
            return Ok(None);
        }
        let folder = &schedule.folder;
        let io = |source| manara_store::StoreError::Io { path: folder.clone(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let file = folder.join(format!("{PREFIX}{time}{SUFFIX}"));
        let made = store.backup(&file);
        store.release("backup", holder)?;
        made.map(|_| Some(file))
    })();
    match done {
        Ok(None) => {}
        Ok(Some(file)) => {
            tracing::info!(file = %file.display(), "backup");
            for old in backups(&schedule.folder).into_iter().rev().skip(schedule.keep.max(1)) {
                if let Err(error) = std::fs::remove_file(&old) {
                    tracing::warn!(%error, file = %old.display(), "an old backup can't be removed");
                }
            }
        }
        Err(error) => {
            tracing::error!(%error, "the backup failed");
            return false;
        }
    }
    true
}

/// Backups in a folder, oldest first.
fn backups(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let mut found: Vec<PathBuf> =
        entries.filter(|entry| entry.file_name().to_str().is_some_and(ours)).map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// The newest scheduled backup in a folder, and its age.
#[must_use]
pub fn newest_backup(folder: &Path) -> Option<(PathBuf, Duration)> {
    let newest = backups(folder).pop()?;
    let modified = newest.metadata().ok()?.modified().ok()?;
    Some((newest, SystemTime::now().duration_since(modified).unwrap_or_default()))
}
