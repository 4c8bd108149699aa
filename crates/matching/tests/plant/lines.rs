//! Where in a line a value can stand.

use super::spell::What;
use std::ops::Range;

/// Last labels of what is taken for a name; others are mostly names of files.
const TOPS: [&str; 12] = ["com", "net", "org", "edu", "io", "info", "biz", "cn", "ru", "de", "uk", "fr"];

/// A place for a value.
pub(super) enum Slot {
    /// In place of what stands there.
    Instead(Range<usize>),
    /// As another field of a JSON line.
    Field,
    /// At the end, behind this sign.
    Column(u8),
}

/// A place for such a value, if the line has one.
pub(super) fn slot(line: &[u8], what: What) -> Option<Slot> {
    match what {
        What::Name => instead(line, name).or_else(|| behind(line)),
        What::Address => instead(line, address),
        What::Hash => instead(line, hash).or_else(|| behind(line)),
        What::Url => behind(line),
    }
}

fn behind(line: &[u8]) -> Option<Slot> {
    match line {
        [b'{', .., b'}'] => Some(Slot::Field),
        _ if line.contains(&b'\t') => Some(Slot::Column(b'\t')),
        _ if line.windows(4).any(|w| w.eq_ignore_ascii_case(b"http")) => Some(Slot::Column(b' ')),
        _ => None,
    }
}

/// The first whole word that is of a kind.
fn instead(line: &[u8], is: fn(&[u8], Option<u8>, Option<u8>) -> bool) -> Option<Slot> {
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.') || *b >= 0x80;
    let mut at = 0;
    while at < line.len() {
        let length = line[at..].iter().take_while(|b| word(b)).count();
        let place = at..at + length;
        let before = at.checked_sub(1).map(|n| line[n]);
        if length > 3 && is(&line[place.clone()], before, line.get(place.end).copied()) {
            return Some(Slot::Instead(place));
        }
        at += length + 1;
    }
    None
}

fn name(word: &[u8], before: Option<u8>, after: Option<u8>) -> bool {
    // Behind a slash, an at sign or a percent sign it is a part of something else.
    !matches!(before, Some(b'/' | b'@' | b'%' | b'\\' | b':'))
        && !matches!(after, Some(b'@' | b'%' | b'\\' | b'['))
        && word.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
        && word.rsplit(|b| *b == b'.').next().is_some_and(|top| TOPS.iter().any(|known| known.as_bytes() == top))
        && word.split(|b| *b == b'.').count() > 1
}

fn address(word: &[u8], before: Option<u8>, after: Option<u8>) -> bool {
    !matches!(before, Some(b':' | b'%' | b'\\' | b'/' | b'['))
        && !matches!(after, Some(b':' | b'%' | b'\\' | b'/'))
        && str::from_utf8(word).is_ok_and(|word| word.parse::<std::net::Ipv4Addr>().is_ok())
}

fn hash(word: &[u8], before: Option<u8>, _: Option<u8>) -> bool {
    before != Some(b'%')
        && matches!(word.len(), 32 | 40 | 64)
        && word.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
