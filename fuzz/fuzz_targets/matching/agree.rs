//! One round of the target `scan`.

use crate::reference;
use manara_matching::{Builder, Code, Index, Kind, Scanner};
use std::collections::BTreeSet;

#[path = "../../../crates/matching/tests/nasty/mod.rs"]
mod nasty;

/// Letters of made-up names: few, so that they meet.
const LETTERS: &[u8] = b"aab1-.._eX";
/// Longest text: the reference is slow.
const TEXT: usize = 3000;

/// Bytes as choices; zero when there are no more.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn next(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn name(&mut self) -> String {
        (0..3 + self.next() % 6).map(|_| char::from(LETTERS[self.next() % LETTERS.len()])).collect()
    }

    fn address(&mut self) -> String {
        let n: [usize; 4] = std::array::from_fn(|_| self.next() % 12);
        format!("{}.{}.{}.{}", n[0], n[1], n[2], n[3])
    }
}

/// Some of the nasty list, and up to seven made-up indicators.
fn list(choices: &mut Choices<'_>) -> Vec<(Kind, String)> {
    let keep: Vec<usize> = (0..8).map(|_| choices.next()).collect();
    let some = nasty::LIST.iter().enumerate().filter(|(n, _)| keep[n / 8 % 8] >> (n % 8) & 1 == 1);
    let mut list: Vec<(Kind, String)> = some.map(|(_, (kind, value))| (*kind, (*value).to_owned())).collect();
    for _ in 0..choices.next() % 8 {
        let (kind, value) = match choices.next() % 5 {
            0 => (Kind::Ipv4, choices.address()),
            1 => (Kind::Network, format!("{}/{}", choices.address(), choices.next() % 33)),
            2 => (Kind::Domain, format!("*.{}", choices.name().trim_start_matches('.'))),
            _ => (Kind::Domain, choices.name().trim_matches('.').to_owned()),
        };
        let value = value.to_ascii_lowercase();
        // Of what is there twice only the first is found; all of a network is one value however it is written.
        let known = match kind {
            Kind::Network => list.iter().any(|(kind, _)| *kind == Kind::Network),
            _ => list.iter().any(|(_, known)| known.trim_start_matches("*.") == value.trim_start_matches("*.")),
        };
        if !known && !value.contains("xn--") && Builder::new().add(kind, &value).is_ok() {
            list.push((kind, value));
        }
    }
    list
}

fn text(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    while !choices.0.is_empty() && text.len() < TEXT {
        match choices.next() {
            n if n < nasty::PARTS.len() => text.extend_from_slice(nasty::PARTS[n].as_bytes()),
            200..=219 => text.extend_from_slice(choices.name().as_bytes()),
            220..=229 => text.extend_from_slice(choices.address().as_bytes()),
            230..=234 => text.resize(text.len() + choices.next() / 2, b'x'),
            235..=239 => text.push(b'\n'),
            _ => text.push(choices.next() as u8),
        }
    }
    text
}

fn hits(scanner: &Scanner<'_>, text: &[u8]) -> Vec<(u64, u32)> {
    let mut found = Vec::new();
    scanner.scan(text, |hit| found.push((hit.line, hit.indicator)));
    found
}

/// The first bytes choose a list, the others are pieces of a text.
pub fn check(input: &[u8]) {
    let mut choices = Choices(input);
    let list = list(&mut choices);
    let list: Vec<(Kind, &str)> = list.iter().map(|(kind, value)| (*kind, value.as_str())).collect();
    let text = text(&mut choices);
    let index: Index = reference::index(&list);
    let found = hits(&Scanner::new(&index), &text);
    assert_eq!(found, hits(&Scanner::new(&index).with(Code::Portable), &text), "with and without vectors");
    let found: BTreeSet<(u64, u32)> = found.into_iter().collect();
    for (n, line) in text.split(|b| *b == b'\n').enumerate() {
        let number = n as u64 + 1;
        let here: BTreeSet<u32> = found.range((number, 0)..(number + 1, 0)).map(|(_, n)| *n).collect();
        assert_eq!(here, reference::line(&list, line), "scanner and reference on {:?}, list {list:?}", String::from_utf8_lossy(line));
    }
}
