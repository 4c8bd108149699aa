//! Questions that take long are logged, without what they ask for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// In microseconds.
static SLOW: AtomicU64 = AtomicU64::new(u64::MAX);

/// From now on a question to the database that takes longer is logged: its SQL, which never has values in it.
pub fn log_slower_than(time: Duration) {
    SLOW.store(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Runs something and logs it where it was slow.
pub(super) fn timed<T>(sql: &str, work: impl FnOnce() -> T) -> T {
    #[cfg(test)]
    crate::plans::asked(sql);
    let started = Instant::now();
    let done = work();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if micros > SLOW.load(Ordering::Relaxed) {
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        tracing::warn!(micros, sql, "slow query");
    }
    done
}
