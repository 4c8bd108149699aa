//! The scanner against a slow reference on lines that were made to be nasty.

#![allow(clippy::unwrap_used)]

mod nasty;
mod random;
mod reference;

use manara_matching::{Code, Index, Kind, Scanner};
use nasty::{LIST, PARTS};
use random::{Random, seed};
use reference::{index, line};
use std::collections::BTreeSet;

fn hits(scanner: &Scanner<'_>, text: &[u8]) -> Vec<(u64, u32)> {
    let mut found = Vec::new();
    scanner.scan(text, |hit| {
        let lines = text[..hit.start].iter().filter(|b| **b == b'\n').count() as u64;
        let start = text[..hit.start].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        assert_eq!((hit.line, hit.column), (lines + 1, (hit.start - start) as u64 + 1), "a hit's place");
        assert!(hit.start < hit.end && !text[hit.start..hit.end].contains(&b'\n'), "a hit is on one line");
        found.push((hit.line, hit.indicator));
    });
    found
}

fn both(index: &Index, text: &[u8]) -> Vec<(u64, u32)> {
    let found = hits(&Scanner::new(index), text);
    assert_eq!(found, hits(&Scanner::new(index).with(Code::Portable), text), "with and without AVX2");
    found
}

fn compare(list: &[(Kind, &str)], index: &Index, text: &[u8]) {
    let found: BTreeSet<(u64, u32)> = both(index, text).into_iter().collect();
    for (n, bytes) in text.split(|b| *b == b'\n').enumerate() {
        let number = n as u64 + 1;
        let here: BTreeSet<u32> = found.range((number, 0)..(number + 1, 0)).map(|(_, n)| *n).collect();
        let wanted = line(list, bytes);
        if here != wanted {
            let name = |n: &u32| list[*n as usize].1;
            panic!(
                "line {number}: {:?}\nbytes {:?}\nonly the scanner: {:?}\nonly the reference: {:?}",
                String::from_utf8_lossy(bytes),
                bytes,
                here.difference(&wanted).map(name).collect::<Vec<_>>(),
                wanted.difference(&here).map(name).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn scanner_and_reference_agree_on_nasty_lines() {
    let seed = seed();
    let mut random = Random::new(seed);
    let rounds = std::env::var("ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    for _ in 0..rounds {
        // Some of the list: what an index does not hold switches parts of the scanner off.
        let keep = 1 + random.below(4);
        let list: Vec<_> = LIST.iter().copied().filter(|_| random.below(4) < keep).collect();
        let index = index(&list);
        let mut text = Vec::new();
        while text.len() < 20_000 {
            for _ in 0..random.below(9) {
                text.extend_from_slice(PARTS[random.below(PARTS.len())].as_bytes());
                if random.below(40) == 0 {
                    text.push(random.next() as u8 | 0x80);
                }
            }
            text.push(b'\n');
        }
        compare(&list, &index, &text);
    }
}

#[test]
fn every_part_is_read_the_same_at_every_place_of_a_block() {
    let index = index(LIST);
    for part in PARTS {
        for before in 0..140 {
            let mut text = vec![b' '; before];
            text.extend_from_slice(part.as_bytes());
            compare(LIST, &index, &text);
            // The same across the border of a chunk, with a line after it.
            let mut text = vec![b'\n'; 8192 - 70 + before];
            text.extend_from_slice(part.as_bytes());
            text.extend_from_slice(b"\nevil.com 1.2.3.4");
            let last = both(&index, &text);
            let mut alone = both(&index, part.as_bytes());
            let line = (8192 - 70 + before) as u64;
            alone.iter_mut().for_each(|hit| hit.0 += line);
            alone.extend([(line + 2, 0), (line + 2, 9)]);
            assert_eq!(last, alone, "{part} after {before}");
        }
    }
}
