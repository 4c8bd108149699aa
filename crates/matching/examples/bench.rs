//! `cargo run --release -p manara-matching --example bench -- LIST LOG [TRUTH]`: megabytes a second of one
//! core, by its clock, against the floor (counting lines) and a set of tokens, and what was found of what was planted.
//!
//! LIST is a file of indicators, one a line. TRUTH is what `plant.py` or `make_log.py` wrote.

use manara_matching::{Builder, Code, Index, Scanner, guess};
use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [list, log, truth @ ..] = &arguments[..] else { return Err("bench LIST LOG [TRUTH]".into()) };
    let list = std::fs::read_to_string(list)?;
    let lines: Vec<&str> = list.lines().collect();

    let start = cpu();
    let mut builder = Builder::new();
    let (mut refused, mut number) = (0, HashMap::new());
    for line in &lines {
        match guess(line).map(|kind| builder.add(kind, line)) {
            Some(Ok(n)) => drop(number.insert(n, *line)),
            _ => refused += 1,
        }
    }
    let added = cpu() - start;
    let file = builder.finish();
    let built = cpu() - start;
    println!(
        "{} indicators, {refused} refused; added in {added:.2?}, built in {built:.2?}: {:.2} M a second; {} bytes, {:.1} an indicator",
        lines.len(),
        lines.len() as f64 / built.as_secs_f64() / 1e6,
        file.len(),
        file.len() as f64 / number.len().max(1) as f64
    );
    let path = std::env::temp_dir().join(format!("manara-bench-{}.index", std::process::id()));
    std::fs::write(&path, file)?;
    let start = cpu();
    let index = Index::open(&path)?;
    println!("opened in {:.2?}", cpu() - start);
    let start = cpu();
    index.verify()?;
    println!("verified in {:.2?}", cpu() - start);
    std::fs::remove_file(&path)?;

    let log = std::fs::read(log)?;
    let speed = |took: Duration| log.len() as f64 / took.as_secs_f64() / 1e6;
    let best = |work: &mut dyn FnMut() -> u64| {
        let runs = (0..std::env::var("RUNS").map_or(3, |n| n.parse().unwrap_or(3))).map(|_| {
            let start = cpu();
            let n = black_box(work());
            (cpu() - start, n)
        });
        runs.min().unwrap_or_default()
    };
    let (took, n) = best(&mut || memchr::memchr_iter(b'\n', &log).count() as u64);
    println!("floor       {:7.0} MB/s  {n} lines", speed(took));
    let scanner = Scanner::new(&index);
    let (took, hits) = best(&mut || count(&scanner, &log));
    println!("scanner     {:7.0} MB/s  {hits} hits, {:?}", speed(took), scanner.code());
    if std::env::var("ONLY").is_err() {
        {
            let code = Code::Portable;
            let (took, hits) = best(&mut || count(&Scanner::new(&index).with(code), &log));
            println!("{:11} {:7.0} MB/s  {hits} hits", format!("{code:?}"), speed(took));
        }
        let set: HashSet<&[u8], Mix> = lines.iter().map(|l| l.as_bytes()).collect();
        let (took, hits) = best(&mut || tokens(&set, &log));
        println!("set of tokens {:5.0} MB/s  {hits} hits", speed(took));
    }
    if let [truth] = truth {
        score(&scanner, &log, &std::fs::read_to_string(truth)?, &number);
    }
    Ok(())
}

/// Time of this thread on a processor, where the system tells it.
fn cpu() -> Duration {
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next().and_then(|n| n.parse().ok()));
    Duration::from_nanos(nanoseconds.unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
    }))
}

fn count(scanner: &Scanner<'_>, log: &[u8]) -> u64 {
    let mut hits = 0;
    scanner.scan(log, |_| hits += 1);
    hits
}

/// A fast hash for the set, so that the comparison is fair: the standard one guards against attacks.
#[derive(Default, Clone, Copy)]
struct Mixer(u64);

type Mix = std::hash::BuildHasherDefault<Mixer>;

impl std::hash::Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let product = u128::from(self.0 ^ u64::from_le_bytes(word)) * 0x9E37_79B9_7F4A_7C15_F39C_u128;
            self.0 = product as u64 ^ (product >> 64) as u64;
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The usual way: cut into tokens, look each up, and its suffixes.
fn tokens(set: &HashSet<&[u8], Mix>, log: &[u8]) -> u64 {
    let mut hits = 0;
    for token in log.split(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'-' | b'_')) {
        if token.len() < 4 {
            continue;
        }
        let mut rest = token;
        loop {
            if set.contains(rest) {
                hits += 1;
                break;
            }
            match rest.iter().position(|b| *b == b'.') {
                Some(dot) if dot + 1 < rest.len() => rest = &rest[dot + 1..],
                _ => break,
            }
        }
    }
    hits
}

fn score(scanner: &Scanner<'_>, log: &[u8], truth: &str, texts: &HashMap<u32, &str>) {
    let mut on: HashMap<u64, Vec<&str>> = HashMap::new();
    scanner.scan(log, |hit| on.entry(hit.line).or_default().push(texts[&hit.indicator]));
    let listed: HashSet<&str> = texts.values().copied().collect();
    let (mut planted, mut found, mut traps, mut sprung) = (0, 0, 0, 0);
    for row in truth.lines() {
        let fields: Vec<&str> = row.split('\t').collect();
        let (line, kind, indicator) = (fields[0].parse().unwrap_or(0), fields[1], fields[2]);
        let hit = on.get(&line).is_some_and(|all| all.contains(&indicator));
        if kind.starts_with("near-") {
            traps += 1;
            sprung += usize::from(hit);
        } else if listed.contains(indicator) {
            planted += 1;
            found += usize::from(hit);
            if !hit {
                println!("missed: {row}");
            }
        }
    }
    println!("found {found} of {planted} planted, {sprung} of {traps} traps sprung");
}
