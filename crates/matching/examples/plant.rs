//! `cargo run --release -p manara-matching --example plant -- real|dense SEED MEGABYTES LIST LOG TRUTH`: writes a log
//! with values of LIST planted in all spellings, and the truth: line, spelling, indicator, text, between tabs.
//!
//! LIST is a file of indicators, one a line, of every kind that is planted. One line in a thousand gets a value.

// The tests use more of these modules.
#![allow(clippy::unwrap_used, dead_code, unused_imports)]

#[path = "../tests/plant/mod.rs"]
mod plant;
#[path = "../tests/random/mod.rs"]
mod random;

use std::fmt::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, seed, megabytes, list, log, truth] = &arguments[..] else {
        return Err("plant real|dense SEED MEGABYTES LIST LOG TRUTH".into());
    };
    let make: plant::Make = match kind.as_str() {
        "real" => plant::real,
        "dense" => plant::made_up,
        _ => return Err("real or dense".into()),
    };
    let lists = plant::Lists::of(&std::fs::read_to_string(list)?);
    let (text, planted) = make(&lists, seed.parse()?, megabytes.parse::<usize>()? * 1_000_000, 10);
    std::fs::write(log, text)?;
    let mut rows = String::new();
    for one in planted {
        writeln!(rows, "{}\t{}\t{}\t{}", one.line, one.spelling, one.indicator, one.text)?;
    }
    Ok(std::fs::write(truth, rows)?)
}
