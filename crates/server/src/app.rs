//! What every handler has at hand.

use crate::metrics::Metrics;
use crate::problem::Problem;
use manara_corridor::WarningCache;
use manara_store::Store;
use manara_store::people::Remembered;
use std::sync::Arc;

/// What the operator chose.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Largest body of an import, in bytes.
    pub max_body: u64,
    /// Requests that take longer are logged as slow.
    pub slow: std::time::Duration,
    /// People without an account may ask for one.
    pub self_registration: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_body: 512 << 20, slow: std::time::Duration::from_secs(1), self_registration: false }
    }
}

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) warnings: Arc<WarningCache>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) remembered: Arc<Remembered>,
    pub(crate) shelf: Arc<manara_taxii::Shelf>,
    /// Turns at reading a large body.
    pub(crate) bodies: Arc<tokio::sync::Semaphore>,
    /// Turns at reading the store for an answer that is made at once.
    pub(crate) reads: Arc<tokio::sync::Semaphore>,
    pub(crate) options: Options,
}

/// Answers that are made at the same time. More of them than processors only wait for each other, each with a
/// connection and a page in memory; the others wait without a thread. A server in the network answers several at once.
fn reads(store: &Store) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if store.place().database.is_none() { (2 * processors).clamp(4, 16) } else { 16 }
}

impl App {
    pub(crate) fn new(store: Arc<Store>, options: Options) -> Self {
        App {
            reads: Arc::new(tokio::sync::Semaphore::new(reads(&store))),
            store,
            warnings: Arc::default(),
            metrics: Arc::default(),
            remembered: Arc::default(),
            shelf: Arc::default(),
            bodies: Arc::new(tokio::sync::Semaphore::new(crate::body::LARGE)),
            options,
        }
    }

    /// Runs work that waits for the disk on a thread that may wait.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&App) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(result) => result,
            // What a panic says may hold values: only where it was is logged, by the program's hook.
            Err(_) => {
                self.metrics.panicked();
                tracing::error!("a request failed inside");
                Err(Problem::internal())
            }
        }
    }
}
