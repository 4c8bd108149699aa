//! Every spelling is found, no trap is sprung, and the slow reference confirms every hit: in logs made of real
//! lines and in dense made-up ones, on three seeds drawn anew each time (`SEED=…` to have them again).

#![allow(clippy::unwrap_used)]

mod plant;
mod random;
mod reference;

use manara_matching::{Code, Index, Scanner};
use plant::{Lists, SPELLINGS};
use random::{Random, seed};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of each log, and how many of ten thousand lines have something planted.
const BYTES: usize = 2_000_000;
const RATE: usize = 2000;

/// Hits as line and indicator.
fn hits(scanner: &Scanner<'_>, log: &[u8]) -> BTreeSet<(u64, u32)> {
    let mut found = BTreeSet::new();
    scanner.scan(log, |hit| {
        found.insert((hit.line, hit.indicator));
    });
    found
}

fn every_spelling(make: plant::Make) {
    let lists = Lists::small();
    let list: Vec<_> = lists.all.iter().map(|(kind, value)| (*kind, value.as_str())).collect();
    let numbers: BTreeMap<&str, u32> = list.iter().enumerate().map(|(n, (_, value))| (*value, n as u32)).collect();
    let index: Index = reference::index(&list);
    let mut random = Random::new(seed());
    for _ in 0..3 {
        let seed = random.next();
        let (log, truth) = make(&lists, seed, BYTES, RATE);
        let found = hits(&Scanner::new(&index), &log);
        assert_eq!(found, hits(&Scanner::new(&index).with(Code::Portable), &log), "with and without AVX2");

        let mut planted: BTreeMap<&str, usize> = BTreeMap::new();
        let mut wrong = Vec::new();
        for one in &truth {
            *planted.entry(one.spelling).or_default() += 1;
            if found.contains(&(one.line, numbers[one.indicator.as_str()])) == one.is_trap() {
                wrong.push(format!("line {} {}: {} as {}", one.line, one.spelling, one.indicator, one.text));
            }
        }
        assert!(wrong.is_empty(), "missed, or traps sprung, with seed {seed}:\n{}", wrong.join("\n"));
        for spelling in SPELLINGS {
            let times = planted.get(spelling.name).copied().unwrap_or(0);
            assert!(times >= 10, "{} was planted {times} times only", spelling.name);
        }

        let lines: Vec<&[u8]> = log.split(|b| *b == b'\n').collect();
        for (line, number) in &found {
            let bytes = lines[*line as usize - 1];
            let one = [list[*number as usize]];
            let text = String::from_utf8_lossy(bytes);
            assert!(!reference::line(&one, bytes).is_empty(), "nothing but the scanner finds {} in {text}", one[0].1);
        }
        // The other way round, on some lines: whatever the reference finds of a tenth of the list, the scanner does.
        let first = random.below(10);
        let tenth: Vec<_> = list.iter().copied().skip(first).step_by(10).collect();
        for _ in 0..6 {
            let (n, _) = found.iter().nth(random.below(found.len())).unwrap();
            let wanted = reference::line(&tenth, lines[*n as usize - 1]);
            let here = found.range((*n, 0)..(n + 1, 0)).map(|(_, number)| *number as usize);
            let here: BTreeSet<u32> =
                here.filter(|number| number % 10 == first).map(|number| (number / 10) as u32).collect();
            assert_eq!(here, wanted, "{}", String::from_utf8_lossy(lines[*n as usize - 1]));
        }
        println!("seed {seed}: {} planted, {} hits in {} lines", truth.len(), found.len(), lines.len() - 1);
    }
}

#[test]
fn every_spelling_is_found_in_real_lines() {
    every_spelling(plant::real);
}

#[test]
fn every_spelling_is_found_in_a_dense_log() {
    every_spelling(plant::made_up);
}
