//! Hashes, and other indicators that are one word: CVE ids, account numbers of cryptocurrencies, ssdeep.

use super::check::{Check, readings};
use super::out::Out;
use crate::bytes::is_word;
use crate::kind::Kind;
use crate::value::anchor;
use std::ops::Range;

/// A whole run of hexadecimal digits.
pub(super) fn hex(check: &Check<'_>, text: &[u8], at: Range<usize>, out: &mut Out) {
    let mut at = at;
    let before = |n: usize| at.start.checked_sub(n).map(|n| text[n]);
    match before(1) {
        Some(b'%') => at.start += 2,
        Some(b'n' | b't' | b'r') if before(2) == Some(b'\\') => {}
        Some(b) if b.is_ascii_alphanumeric() => return,
        _ => {}
    }
    if !matches!(at.len(), 32 | 40 | 64 | 128) || text.get(at.end).is_some_and(u8::is_ascii_alphanumeric) {
        return;
    }
    let run = &text[at.clone()];
    for entry in check.words.get(check.salt.word(run)) {
        let hash = check.index.kind(entry).is_some_and(|kind| kind.digits().is_some());
        if hash && check.index.entry(entry).eq_ignore_ascii_case(run) {
            check.found(entry, at.clone(), out);
        }
    }
}

/// A whole run of word bytes.
pub(super) fn word(check: &Check<'_>, text: &[u8], at: Range<usize>, out: &mut Out) {
    for at in readings(text, at) {
        let run = &text[at.clone()];
        for entry in check.words.get(check.salt.word(run)) {
            let Some(kind) = check.index.kind(entry) else { continue };
            let named = check.index.entry(entry);
            match kind {
                Kind::Cve | Kind::Eth if named.eq_ignore_ascii_case(run) => check.found(entry, at.clone(), out),
                // Bech32 has no case, base 58 has.
                Kind::Btc if named.eq_ignore_ascii_case(run) && (named == run || bech32(run)) => {
                    check.found(entry, at.clone(), out);
                }
                Kind::Xmr if named == run => check.found(entry, at.clone(), out),
                Kind::Ssdeep => {
                    if let Some(whole) = fuzzy(text, named, &at) {
                        check.found(entry, whole, out);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether a word that starts at a place may be, in some reading, the number of an autonomous system.
pub(super) fn may_be_system(text: &[u8], at: usize) -> bool {
    let begins = |head: &[u8; 3]| head[..2].eq_ignore_ascii_case(b"as") && head[2].is_ascii_digit();
    // Behind `%20` it starts two bytes on, behind `\\n` one.
    text[at..].iter().take(5).count() >= 3 && text[at..].array_windows().take(3).any(begins)
}

/// A whole run of word bytes as the number of an autonomous system. A dot that joins it to another word makes it a name.
pub(super) fn system(check: &Check<'_>, text: &[u8], at: Range<usize>, out: &mut Out) {
    let word = |n: Option<usize>| n.and_then(|n| text.get(n)).is_some_and(|b| is_word(*b));
    let dot = |n: Option<usize>| n.and_then(|n| text.get(n)) == Some(&b'.');
    let joined =
        dot(at.start.checked_sub(1)) && word(at.start.checked_sub(2)) || dot(Some(at.end)) && word(Some(at.end + 1));
    if joined {
        return;
    }
    for at in readings(text, at) {
        let run = &text[at.clone()];
        if !(3..=12).contains(&run.len()) {
            continue;
        }
        for entry in check.words.get(check.salt.word(run)) {
            if check.index.kind(entry) == Some(Kind::Asn) && check.index.entry(entry).eq_ignore_ascii_case(run) {
                check.found(entry, at.clone(), out);
            }
        }
    }
}

fn bech32(run: &[u8]) -> bool {
    run.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(b"bc1") || head.eq_ignore_ascii_case(b"tb1"))
}

/// Where a whole ssdeep hash stands whose anchor stands at a place.
fn fuzzy(text: &[u8], named: &[u8], at: &Range<usize>) -> Option<Range<usize>> {
    let inside = anchor(named)?;
    let start = at.start.checked_sub(inside.start)?;
    let end = start + named.len();
    let inner = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    let border = !start.checked_sub(1).is_some_and(|n| inner(text.get(n))) && !inner(text.get(end));
    (text.get(start..end) == Some(named) && border).then_some(start..end)
}
