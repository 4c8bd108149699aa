//! `cargo run --release -p manara-hunt --example speed -- LIST LOG…`: megabytes a second by the clock, of one scan
//! over memory and of searches with one thread and more; the same by processor time of all threads together; and the
//! memory that they took.

use manara_hunt::{
    Days, Format, Hosts, Hunt, Indexes, Printer, Show, Standing, Style, Telling, Walk, Wants, Watch, list,
};
use manara_matching::{Builder, Index, Scanner};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

struct Nobody;

impl Watch for Nobody {
    fn word(&mut self, text: &str) {
        eprintln!("{text}");
    }
    fn standing(&mut self, _: &Standing<'_>) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [values, logs @ ..] = &arguments[..] else { return Err("speed LIST LOG…".into()) };
    let mut text = String::new();
    manara_hunt::open(values)?.read_to_string(&mut text)?;
    let mut builder = Builder::new();
    let refused = text.lines().filter_map(list::value).filter(|value| !list::add(&mut builder, value)).count();
    let path = std::env::temp_dir().join(format!("manara-speed-{}.index", std::process::id()));
    std::fs::write(&path, builder.finish())?;
    let index = Index::open(&path)?;
    std::fs::remove_file(&path)?;
    println!("{} indicators, {refused} refused, {:.1} MB", index.len(), index.size() as f64 / 1e6);
    let runs = std::env::var("RUNS").map_or(3, |n| n.parse().unwrap_or(3));
    let best = |bytes: u64, what: &str, work: &mut dyn FnMut() -> (u64, u64)| {
        let (mut least, mut least_cpu) = (f64::MAX, f64::MAX);
        let mut found = (0, 0);
        for _ in 0..runs {
            let (begun, used) = (Instant::now(), cpu());
            found = work();
            least_cpu = least_cpu.min(cpu() - used);
            least = least.min(begun.elapsed().as_secs_f64());
        }
        let bytes = if bytes > 0 { bytes } else { found.1 };
        let speed = |seconds: f64| bytes as f64 / seconds.max(1e-3) / 1e6;
        println!("{what:24} {:7.0} MB/s, {:7.0} a core; {} hits", speed(least), speed(least_cpu), found.0);
    };
    if let [log] = logs {
        let mut whole = Vec::new();
        manara_hunt::open(log)?.read_to_end(&mut whole)?;
        let scanner = Scanner::new(&index);
        best(whole.len() as u64, "one scan over memory", &mut || {
            let mut hits = 0;
            scanner.scan(&whole, |_| hits += 1);
            (hits, 0)
        });
    }
    let hosts = Hosts::new();
    for threads in [1, 2, 4] {
        best(0, &format!("{threads} threads"), &mut || search(&index, &hosts, threads, logs));
        println!("{:24} {:7.1} MB beside the mapped files", "", memory());
    }
    Ok(())
}

/// Hits and bytes.
fn search(index: &Index, hosts: &Hosts, threads: usize, logs: &[PathBuf]) -> (u64, u64) {
    let (stop, wants) = (AtomicBool::new(false), Wants { field: false, tally: false, context: None });
    let indexes = Indexes::new(std::slice::from_ref(index));
    let hunt = Hunt { indexes, threads, wants, allow: None, hosts, days: Days::now(), stop: &stop };
    let style = Style { format: Format::Text, show: Show::Hits, context: None, header: true, safe: str::to_owned };
    let mut nobody = Nobody;
    let Ok(printer) = Printer::new(std::io::sink(), style) else { return (0, 0) };
    let mut telling = Telling::new(indexes, printer, false, &mut nobody);
    let done = hunt.run(Walk::new(logs), &|_| Some(Default::default()), &mut telling);
    if let Err(error) = done {
        eprintln!("{error}");
    }
    (telling.totals().hits, telling.totals().bytes)
}

/// Processor time of all threads, in seconds, where the system tells it (in hundredths).
fn cpu() -> f64 {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = status.rsplit(')').next().unwrap_or_default();
    let ticks = behind.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// What the process has in memory that is no file, where the system tells it.
fn memory() -> f64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).map_or(0.0, |kib| kib * 1024.0 / 1e6)
}
