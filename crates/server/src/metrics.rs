//! Counters since start, for Prometheus. They tell of the node's work, never of its content: no
//! values, no names, no numbers of records. Each metric is a row of [`ABOUT`], and a row of
//! `docs/operations.md` (a test compares them).

use manara_store::Store;
use manara_store::health::Health;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Name, kind, help: the unit is in the name.
pub(crate) const ABOUT: &[(&str, &str, &str)] = &[
    ("manara_build_info", "gauge", "The version that runs, as a label; always 1."),
    ("manara_requests_total", "counter", "Requests answered, by method, route and status."),
    ("manara_request_duration_seconds", "histogram", "Time from a request's head to its answer's head."),
    ("manara_requests_in_progress", "gauge", "Requests that wait for their answer."),
    ("manara_slow_requests_total", "counter", "Requests that took longer than slow_ms."),
    ("manara_panics_total", "counter", "Requests that failed inside: each is a defect, and in the log with its id."),
    ("manara_logins_total", "counter", "Log-ins at the pages, by result: good, wrong, slowed."),
    ("manara_store_queue", "gauge", "Writes that wait for their turn."),
    ("manara_store_failing", "gauge", "1 while the last write could not be made because of the disk or the server."),
    ("manara_disk_free_bytes", "gauge", "Room where the data folder is."),
    ("manara_resident_memory_bytes", "gauge", "Memory of the process."),
];

/// Upper bounds of the histogram, in microseconds.
const BOUNDS: [u64; 10] = [500, 1_000, 2_500, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 10_000_000];

/// What came of a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Login {
    Good,
    Wrong,
    Slowed,
}

/// Counters since start.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(String, String, u16), u64>>,
    buckets: [AtomicU64; BOUNDS.len()],
    micros: AtomicU64,
    count: AtomicU64,
    open: AtomicU64,
    slow: AtomicU64,
    panics: AtomicU64,
    logins: Mutex<BTreeMap<Login, u64>>,
}

/// A request that is being answered; counts itself when it ends, however it ends.
pub(crate) struct Open<'m>(&'m Metrics);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn begin(&self) -> Open<'_> {
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(self)
    }

    /// `route` is the pattern, never the address: what was asked for is nobody's business.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration, slow: bool) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BOUNDS.iter().position(|bound| micros <= *bound) {
            self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.slow.fetch_add(u64::from(slow), Ordering::Relaxed);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((method.to_owned(), route.to_owned(), status)).or_default() += 1;
    }

    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn login(&self, result: Login) {
        *self.logins.lock().unwrap_or_else(PoisonError::into_inner).entry(result).or_default() += 1;
    }

    /// In Prometheus' text format, version 0.0.4.
    pub(crate) fn text(&self, store: &Store) -> String {
        let health = store.health().ok();
        let mut out = String::new();
        for (name, kind, help) in ABOUT {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            self.lines(&mut out, name, health.as_ref());
        }
        out
    }

    fn lines(&self, out: &mut String, name: &str, health: Option<&Health>) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut line = |labels: &str, value: &dyn std::fmt::Display| {
            let _ = writeln!(out, "{name}{labels} {value}");
        };
        match name {
            "manara_build_info" => line(&format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), &1),
            "manara_requests_total" => {
                for ((method, route, status), n) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter()
                {
                    line(&format!("{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"), n);
                }
            }
            "manara_request_duration_seconds" => {
                let mut below = 0;
                for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
                    below += load(bucket);
                    line(&format!("_bucket{{le=\"{}\"}}", *bound as f64 / 1e6), &below);
                }
                line("_bucket{le=\"+Inf\"}", &load(&self.count));
                line("_sum", &(load(&self.micros) as f64 / 1e6));
                line("_count", &load(&self.count));
            }
            "manara_requests_in_progress" => line("", &load(&self.open)),
            "manara_slow_requests_total" => line("", &load(&self.slow)),
            "manara_panics_total" => line("", &load(&self.panics)),
            "manara_logins_total" => {
                let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
                for (result, word) in [(Login::Good, "good"), (Login::Wrong, "wrong"), (Login::Slowed, "slowed")] {
                    line(&format!("{{result=\"{word}\"}}"), &logins.get(&result).copied().unwrap_or(0));
                }
            }
            "manara_store_queue" => line("", &health.map_or(0, |health| health.queue)),
            "manara_store_failing" => line("", &u8::from(health.is_none_or(|health| health.failing.is_some()))),
            "manara_disk_free_bytes" => {
                if let Some(free) = health.and_then(|health| health.free) {
                    line("", &free);
                }
            }
            _ => {
                if let Some(bytes) = resident() {
                    line("", &bytes);
                }
            }
        }
    }
}

/// Memory of this process in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_metric_is_in_the_manual() {
        let manual = include_str!("../../../docs/operations.md");
        for (name, kind, help) in super::ABOUT {
            assert!(manual.contains(&format!("| `{name}` | {kind} | {help} |")), "docs/operations.md lacks {name}");
        }
    }
}
