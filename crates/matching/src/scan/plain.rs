//! Reads bytes one by one: for rewritten pieces, and for lists of which the fast path cannot think.

use super::check::Check;
use super::out::Out;
use crate::bytes::{is_token, is_word};
use crate::value::WORD;
use std::ops::Range;

/// Finds everything in a text.
pub(super) fn scan(check: &Check<'_>, wants: super::Wants, text: &[u8], out: &mut Out) {
    for run in runs(text, is_token) {
        if text[run.clone()].contains(&b'.') {
            check.token(text, run, out);
        }
    }
    if wants.hex {
        for run in runs(text, |b| b.is_ascii_hexdigit()).filter(|run| run.len() >= 32) {
            check.hex(text, run, out);
        }
    }
    if wants.v6 {
        for run in runs(text, |b| b.is_ascii_hexdigit() || b == b':') {
            if text[run.clone()].iter().filter(|b| **b == b':').count() > 1 {
                check.v6(text, run, out);
            }
        }
    }
    if wants.words {
        for run in runs(text, is_word).filter(|run| run.len() >= WORD) {
            check.word(text, run, out);
        }
    }
    if wants.systems {
        for run in runs(text, is_word) {
            check.system(text, run, out);
        }
    }
}

fn runs(text: &[u8], belongs: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text.get(at..)?.iter().position(|b| belongs(*b))?;
        let end = text[start..].iter().position(|b| !belongs(*b)).map_or(text.len(), |n| start + n);
        at = end;
        Some(start..end)
    })
}
