//! One round of the target `index`.

use manara_matching::{Builder, Code, Index, Scanner};
use std::sync::OnceLock;

#[path = "../../../crates/matching/src/hash.rs"]
#[allow(dead_code)]
mod hash;
#[path = "../../../crates/matching/tests/nasty/mod.rs"]
mod nasty;

/// Entries whose texts are asked for: a broken header may promise billions.
const ENTRIES: u32 = 5000;

/// Where in a header the places of the sections begin (`file.rs`).
const PLACES: usize = 56;

/// A whole file.
fn whole() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let mut builder = Builder::new();
        builder.note("whole");
        for (kind, value) in nasty::LIST {
            builder.add(*kind, value).unwrap();
        }
        let file = builder.finish();
        let mut sealed = file.clone();
        seal(&mut sealed);
        assert!(sealed == file, "this target knows another form of header than the crate: see PLACES");
        file
    })
}

/// Every nasty piece on a line, and all of them on one.
fn text() -> &'static [u8] {
    static TEXT: OnceLock<Vec<u8>> = OnceLock::new();
    TEXT.get_or_init(|| [nasty::PARTS.join("\n"), nasty::PARTS.join(" "), nasty::PARTS.concat()].join("\n").into_bytes())
}

/// The first byte: whether the rest is a file, or changes to a whole one; whether its header is made sound again.
pub fn check(input: &[u8]) {
    let Some((way, rest)) = input.split_first() else { return };
    let mut bytes = if way & 1 == 0 { rest.to_vec() } else { changed(rest) };
    if way & 2 != 0 {
        seal(&mut bytes);
    }
    let Ok(index) = Index::from_bytes(bytes) else { return };
    let sound = index.verify().is_ok();
    let _ = index.note();
    for number in (0..index.len().min(ENTRIES)).chain([index.len(), u32::MAX]) {
        let _ = (index.text(number), index.kind(number));
    }
    for code in [None, Some(Code::Portable)] {
        let scanner = code.map_or_else(|| Scanner::new(&index), |code| Scanner::new(&index).with(code));
        scanner.scan(text(), |hit| {
            assert!(hit.start < hit.end && hit.end <= text().len());
            assert!(!sound || hit.indicator < index.len());
        });
    }
}

/// Changes of four bytes each: where (two bytes, from the start or from the end), how, what.
fn changed(changes: &[u8]) -> Vec<u8> {
    let mut bytes = whole().to_vec();
    for change in changes.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len().max(1);
        match change[2] % 8 {
            0..4 => bytes[at] = change[3],
            4 => bytes[at] ^= 1 << (change[3] % 8),
            // Numbers at their ends: lengths, offsets, parents.
            5 => bytes.iter_mut().skip(at & !3).take(4).for_each(|b| *b = 0xff),
            6 => bytes.copy_within(at..(at + usize::from(change[3])).min(whole().len()), at / 2),
            _ => bytes.iter_mut().skip(at & !7).take(usize::from(change[3])).for_each(|b| *b = 0),
        }
    }
    bytes
}

/// Gives a file the checksums that it should have, so that what lies behind them is reached.
fn seal(bytes: &mut [u8]) {
    let Some(sections) = bytes.get(12..16).and_then(|b| b.first_chunk()).map(|b| u32::from_le_bytes(*b) as usize) else {
        return;
    };
    let head = sections.min(1000) * 16 + PLACES;
    if bytes.len() < (head + 8).next_multiple_of(64) {
        return;
    }
    let content = hash::checksum(&bytes[(head + 8).next_multiple_of(64)..]);
    bytes[24..32].copy_from_slice(&content.to_le_bytes());
    let header = hash::checksum(&bytes[..head]);
    bytes[head..head + 8].copy_from_slice(&header.to_le_bytes());
}
