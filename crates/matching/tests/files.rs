//! Files that are cut short, foreign or broken: an error or missed hits, never a panic.

#![allow(clippy::unwrap_used)]

mod random;

use manara_matching::{Builder, Index, Kind, OpenError, Scanner, guess};
use random::{Random, seed};

fn fixture(name: &str) -> String {
    let path = format!("{}/../../fixtures/indicators/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Real indicators of every kind, as lists have them.
fn real() -> Vec<String> {
    let names =
        ["domains-2000.txt", "ips-2000.txt", "urls-2000.txt", "hashes-2000.txt", "cidr4-2000.txt", "cidr6-2000.txt"];
    names.iter().flat_map(|name| fixture(name).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn build(lines: &[String]) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.note("real lists");
    for line in lines {
        builder.add(guess(line).unwrap(), line).unwrap();
    }
    builder.finish()
}

fn log(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("seen \"{line}\" and http://www.{line}/x\n").into_bytes()).collect()
}

#[test]
fn real_lists_are_small_open_and_find_themselves() {
    let lines = real();
    let file = build(&lines);
    // A third are URLs and IPv6 networks, whose texts are long; what nodes hold is mostly names and IPv4.
    assert!(file.len() <= 52 * lines.len(), "{} bytes an indicator", file.len() / lines.len());
    let path = std::env::temp_dir().join(format!("manara-matching-{}.index", std::process::id()));
    std::fs::write(&path, &file).unwrap();
    let index = Index::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    index.verify().unwrap();
    assert_eq!((index.len() as usize, index.note(), index.size()), (lines.len(), "real lists", file.len()));
    let mut found = vec![false; lines.len()];
    let log = log(&lines);
    Scanner::new(&index).scan(&log, |hit| {
        if lines[hit.line as usize - 1] == index.text(hit.indicator) {
            found[hit.line as usize - 1] = true;
        }
    });
    let missed: Vec<_> = found.iter().zip(&lines).filter(|(found, _)| !**found).map(|(_, line)| line).collect();
    // Lists repeat themselves: what is there twice is found once.
    let repeated = |line: &&String| lines.iter().filter(|other| other == line).count() > 1;
    assert_eq!(missed.iter().filter(|line| !repeated(line)).count(), 0, "{missed:?}");
    assert_eq!(index.count(Kind::Domain), 2000);
}

#[test]
fn an_empty_index_finds_nothing() {
    let index = Index::from_bytes(Builder::new().finish()).unwrap();
    assert!(index.is_empty());
    let mut hits = 0;
    let lines = Scanner::new(&index).scan(&log(&real()), |_| hits += 1);
    assert_eq!((lines, hits), (12_000, 0));
    assert_eq!(Scanner::new(&index).scan(b"", |_| hits += 1), 0);
}

#[test]
fn what_is_no_index_is_refused() {
    let refused = |bytes: &[u8]| Index::from_bytes(bytes.to_vec()).map(|_| ()).unwrap_err();
    assert!(matches!(refused(b""), OpenError::Foreign));
    assert!(matches!(refused(b"SQLite format 3\0 and more"), OpenError::Foreign));
    assert!(matches!(refused(b"MANARAIX"), OpenError::Broken(_)));
    let whole = build(&real());
    for length in [9, 40, 100, 255, 256, whole.len() / 2, whole.len() - 1] {
        assert!(matches!(refused(&whole[..length]), OpenError::Broken(_)), "{length}");
    }
    let mut newer = whole.clone();
    newer[8] = 9;
    assert!(matches!(refused(&newer), OpenError::Version(9)));
    assert!(Index::open("/nowhere/x.index").is_err());
}

#[test]
fn changed_bytes_are_noticed_and_do_no_harm() {
    let mut random = Random::new(seed());
    let lines = real();
    let (whole, log) = (build(&lines), log(&lines[..]));
    for round in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..1 << (round % 14) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        if bytes == whole {
            continue;
        }
        let Ok(index) = Index::from_bytes(bytes) else { continue };
        assert!(index.verify().is_err(), "a byte has changed");
        Scanner::new(&index).scan(&log, |hit| assert!(index.text(hit.indicator).len() < whole.len()));
    }
}
