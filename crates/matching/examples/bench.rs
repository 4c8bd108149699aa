//! `cargo run --release -p manara-matching --example bench -- LIST [LOG TRUTH]…`: megabytes a second of one core and
//! of two, beside the floor (counting lines), plain code and a set of tokens, and what was found of what was
//! planted. One JSON object a line; `bench/match.py` makes the table.
//!
//! LIST is a file of indicators, one a line. TRUTH is what the example `plant` wrote. `RUNS=n` takes the best
//! of n (3); `ONLY=scanner` leaves the others out.

#[path = "bench/set.rs"]
mod set;

use manara_matching::{Builder, Code, Index, Scanner, guess};
use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [list, logs @ ..] = &arguments[..] else { return Err("bench LIST [LOG TRUTH]…".into()) };
    let list = std::fs::read_to_string(list)?;
    let lines: Vec<&str> = list.lines().collect();

    let start = cpu();
    let mut builder = Builder::new();
    let (mut refused, mut number) = (0, HashMap::new());
    for line in &lines {
        match guess(line).map(|kind| builder.add(kind, line)) {
            Some(Ok(n)) => {
                number.insert(n, *line);
            }
            _ => refused += 1,
        }
    }
    let file = builder.finish();
    let built = cpu() - start;
    let size = file.len();
    let path = std::env::temp_dir().join(format!("manara-bench-{}.index", std::process::id()));
    std::fs::write(&path, file)?;
    let start = cpu();
    let index = Index::open(&path)?;
    let opened = cpu() - start;
    let start = cpu();
    index.verify()?;
    println!(
        "{{\"what\":\"index\",\"indicators\":{},\"refused\":{refused},\"build_s\":{:.3},\"bytes\":{size},\"open_ms\":{:.2},\"verify_ms\":{:.2}}}",
        lines.len(),
        built.as_secs_f64(),
        opened.as_secs_f64() * 1e3,
        (cpu() - start).as_secs_f64() * 1e3
    );
    std::fs::remove_file(&path)?;

    let only = std::env::var("ONLY").is_ok_and(|only| only == "scanner");
    let start = cpu();
    let set = (!only).then(|| set::Set::of(&lines));
    let set_built = cpu() - start;
    let listed: HashSet<&str> = number.values().copied().collect();
    for pair in logs.chunks_exact(2) {
        let (log, truth) = (std::fs::read(&pair[0])?, std::fs::read_to_string(&pair[1])?);
        let told = Told { log: &pair[0], bytes: log.len() as f64, listed: &listed, truth: &truth };
        if !only {
            told.figure("floor", best(&cpu, &mut || memchr::memchr_iter(b'\n', &log).count() as u64), None);
        }
        let scanner = Scanner::new(&index);
        let mut found: HashMap<u64, Vec<&str>> = HashMap::new();
        scanner.scan(&log, |hit| found.entry(hit.line).or_default().push(number[&hit.indicator]));
        let name = format!("scanner {:?}", scanner.code());
        told.figure(&name, best(&cpu, &mut || count(&scanner, &log)), Some(&found));
        told.figure("scanner, two threads", best(&wall, &mut || two(&scanner, &log)), None);
        if let Some(set) = &set {
            let plain = Scanner::new(&index).with(Code::Portable);
            told.figure("scanner Portable", best(&cpu, &mut || count(&plain, &log)), None);
            let mut found: HashMap<u64, Vec<&str>> = HashMap::new();
            for (n, line) in log.split(|b| *b == b'\n').enumerate() {
                set.scan(line, &mut |value| found.entry(n as u64 + 1).or_default().push(value));
            }
            let mut hits = 0;
            let speed = best(&cpu, &mut || {
                hits = 0;
                set.scan(&log, &mut |_| hits += 1);
                hits
            });
            told.figure("set of tokens", speed, Some(&found));
        }
    }
    if set.is_some() {
        println!("{{\"what\":\"set\",\"build_s\":{:.3}}}", set_built.as_secs_f64());
    }
    Ok(())
}

/// Time of this thread on a processor.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

fn wall() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// The shortest of some runs, and what came of it.
fn best(clock: &dyn Fn() -> Duration, work: &mut dyn FnMut() -> u64) -> (Duration, u64) {
    let runs = std::env::var("RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    let run = |_| {
        let start = clock();
        let n = black_box(work());
        (clock() - start, n)
    };
    (0..runs).map(run).min().unwrap_or_default()
}

fn count(scanner: &Scanner<'_>, log: &[u8]) -> u64 {
    let mut hits = 0;
    scanner.scan(log, |_| hits += 1);
    hits
}

/// Halves, cut at the end of a line, on a thread each.
fn two(scanner: &Scanner<'_>, log: &[u8]) -> u64 {
    let middle = log.len() / 2;
    let cut = memchr::memchr(b'\n', &log[middle..]).map_or(log.len(), |at| middle + at + 1);
    let (first, second) = log.split_at(cut);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| count(scanner, second));
        count(scanner, first) + other.join().unwrap_or_default()
    })
}

/// What is said of one log.
struct Told<'a> {
    log: &'a str,
    bytes: f64,
    listed: &'a HashSet<&'a str>,
    truth: &'a str,
}

impl Told<'_> {
    fn figure(&self, what: &str, (took, hits): (Duration, u64), found: Option<&HashMap<u64, Vec<&str>>>) {
        let speed = self.bytes / took.as_secs_f64() / 1e6;
        let score = found.map(|found| self.score(found)).unwrap_or_default();
        println!(
            "{{\"what\":\"{what}\",\"log\":\"{}\",\"mb_s\":{speed:.0},\"hits\":{hits}{score}}}",
            self.log.escape_default()
        );
    }

    fn score(&self, found: &HashMap<u64, Vec<&str>>) -> String {
        let (mut planted, mut got, mut traps, mut sprung) = (0, 0, 0, 0);
        for row in self.truth.lines() {
            let fields: Vec<&str> = row.split('\t').collect();
            let [line, kind, indicator, ..] = fields[..] else { continue };
            let line = line.parse().unwrap_or(0);
            let hit = found.get(&line).is_some_and(|all| all.iter().any(|one| one.trim_end_matches('.') == indicator));
            if kind.starts_with("near-") {
                traps += 1;
                sprung += usize::from(hit);
            } else if self.listed.contains(indicator) {
                planted += 1;
                got += usize::from(hit);
            }
        }
        format!(",\"planted\":{planted},\"found\":{got},\"traps\":{traps},\"sprung\":{sprung}")
    }
}
