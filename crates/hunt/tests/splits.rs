//! However a log is cut into files, packed, and shared among threads: the same hits as one scan over all of it.

#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod house;

use house::{Asked, index, pack, write};
use manara_hunt::{Format, Show};
use manara_matching::Scanner;
use proptest::prelude::*;
use std::path::PathBuf;

const VALUES: [&str; 8] = [
    "evil.example",
    "*.below.example",
    "203.0.113.7",
    "198.51.100.0/24",
    "198.51.0.0/16",
    "2001:db8::/32",
    "paths.example/a/b",
    "d41d8cd98f00b204e9800998ecf8427e",
];
const PARTS: [&str; 14] = [
    "evil.example",
    "www.EVIL[.]example",
    "198.51.100.9",
    "hxxp://paths.example/a/b/c?d=1",
    "2001:db8:0:0::1",
    "D41D8CD98F00B204E9800998ECF8427E",
    "x.below.example.",
    "notevil.example",
    "1203.0.113.7",
    "203.0.113.7:80",
    "\"GET / HTTP/1.1\" 200",
    "\u{202e}é",
    "{\"a\":\"evil.example\"}",
    "2026-01-02T03:04:05Z",
];

/// Numbers that a seed makes, always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// Lines, mostly without a hit; some empty, some long, some with what is no text.
fn log(dice: &mut Dice, bytes: usize, dense: usize) -> Vec<u8> {
    let mut log = Vec::new();
    while log.len() < bytes {
        match dice.below(50) {
            0 => {}
            1 => log.extend([0xff, 0, 0x80, b'\r']),
            2 => log.extend(std::iter::repeat_n(b'w', dice.below(30_000))),
            _ => (0..dice.below(12)).for_each(|_| {
                log.extend(format!("word{} ", dice.below(1000)).bytes());
            }),
        }
        if dice.below(dense) == 0 {
            for _ in 0..=dice.below(3) {
                log.extend(PARTS[dice.below(PARTS.len())].bytes());
                log.push(b" \t,;"[dice.below(4)]);
            }
        }
        log.push(b'\n');
    }
    if dice.below(2) == 0 {
        log.pop();
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_hits(seed: u64, files in 1_usize..6, threads in 1_usize..5, dense in 1_usize..60) {
        let mut dice = Dice(seed);
        let (index, folder) = (index(&VALUES), tempfile::tempdir().unwrap());
        let (mut names, mut expected, mut whole, mut number) = (Vec::<PathBuf>::new(), String::new(), Vec::new(), 0);
        for n in 0..files {
            let size = [0, 1, 3000, 2_500_000][dice.below(4)];
            let log = log(&mut dice, size, dense);
            let name = format!("{n}.{}", ["log", "gz", "zst", "bz2", "xz"][dice.below(5)]);
            // Members of their own, cut anywhere.
            let cut = dice.below(log.len() + 1);
            let packed = match name.ends_with("log") {
                true => log.clone(),
                false => [pack(&name, &log[..cut]), pack(&name, &log[cut..])].concat(),
            };
            let path = write(folder.path(), &name, &packed);
            Scanner::new(&index).scan(&log, |hit| {
                let (kind, text) = (hit.kind.name(), index.text(hit.indicator));
                let matched = String::from_utf8_lossy(&log[hit.start..hit.end]);
                expected += &format!("{}:{}:{}: {kind} {text} {matched}\n", path.display(), hit.line, hit.column);
                number += 1;
            });
            whole.extend(log);
            names.push(path);
        }
        let one = Asked { threads: 1, ..Asked::default() }.of(&index, &names);
        prop_assert_eq!(&one.words, &[""; 0]);
        prop_assert!(one.out == expected, "one thread tells something else");
        prop_assert_eq!(one.tally.totals.bytes, whole.len() as u64);
        prop_assert_eq!(one.tally.totals.hits, number);
        let folder = [folder.path().to_owned()];
        let many = Asked { threads, ..Asked::default() }.of(&index, &folder);
        prop_assert!(many.out == expected, "{} threads tell something else", threads);
        prop_assert_eq!(&many.tally, &one.tally);
        for (format, context) in [(Format::Jsonl, None), (Format::Csv, None), (Format::Text, Some(2)), (Format::Jsonl, Some(1))] {
            let told = |threads| Asked { threads, format, context, ..Asked::default() }.of(&index, &folder).out;
            prop_assert!(told(1) == told(threads), "{:?} {:?} depends on threads", format, context);
        }
        let count = Asked { threads, show: Show::Count, ..Asked::default() }.of(&index, &folder).out;
        let counted: u64 = count.lines().map(|line| line.rsplit(':').next().unwrap().parse::<u64>().unwrap()).sum();
        prop_assert_eq!((count.lines().count(), counted), (files, number));
    }
}

#[test]
fn a_log_full_of_hits_is_told_whole_and_in_order() {
    let index = index(&["0.0.0.0/1", "1.0.0.0/8", "1.1.0.0/16", "1.1.1.0/24", "1.1.1.1"]);
    let folder = tempfile::tempdir().unwrap();
    // Five hits each 8 bytes: far more than are held of a block at once.
    let line = "1.1.1.1 ".repeat(20) + "\n";
    let log = line.repeat(3_000);
    let path = write(folder.path(), "log", log.as_bytes());
    let told = Asked { threads: 3, tally: false, ..Asked::default() }.of(&index, &[path.clone(), path.clone()]);
    assert_eq!(told.tally.totals.hits, 2 * 5 * 20 * 3_000);
    let mut lines = told.out.lines();
    for _ in 0..2 {
        for n in 1..=3_000 {
            for column in (0..20).map(|n| 8 * n + 1) {
                for _ in 0..5 {
                    let line = lines.next().unwrap();
                    assert!(line.starts_with(&format!("{}:{n}:{column}: ", path.display())), "{line}");
                }
            }
        }
    }
}

#[test]
fn one_line_with_too_many_hits_is_said_so() {
    let index = index(&["1.1.1.1", "evil.example"]);
    let folder = tempfile::tempdir().unwrap();
    let log = format!("x\n{}\nevil.example\n", "1.1.1.1 ".repeat(70_000));
    let told = Asked::default().of(&index, &[write(folder.path(), "log", log.as_bytes())]);
    assert_eq!(told.tally.totals.hits, (1 << 16) + 1);
    assert!(told.words[0].contains("log:2: more than 65,536 hits"), "{:?}", told.words);
    assert!(told.out.ends_with("log:3:1: domain evil.example evil.example\n"));
}
