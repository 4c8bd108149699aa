//! Whether a run of bytes spells an indicator. Everything that the fast path lets through comes here, and
//! the texts of hits are compared here; so a hit never rests on a hash alone.

use super::out::Out;
use super::words;
use crate::address::{Intervals, parse4};
use crate::bytes::{is_local, percent};
use crate::entry::{BELOW, EMAILS, ON, URLS, number};
use crate::hash::{START, Salt, key, longer};
use crate::index::{Index, top_bit};
use crate::kind::Kind;
use crate::table::{Filter, Table};
use crate::urls::Urls;
use crate::value::LOCAL;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// What follows a host is compared up to here.
pub(crate) const REST: usize = 2048;
/// Longest name with what stands around it.
const LONGEST: usize = 512;

/// The sections of an index, taken apart once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check<'a> {
    pub(super) index: &'a Index,
    pub(super) salt: Salt,
    pub(super) filter: Filter<'a>,
    pub(super) tops: &'a [u8],
    pub(super) map24: &'a [u64],
    /// First 16 bits of IPv4 addresses, and of IPv6 addresses.
    pub(super) map16of4: &'a [u64],
    pub(super) map16: &'a [u64],
    names: Table<'a>,
    pub(super) words: Table<'a>,
    pub(super) urls: Urls<'a>,
    v4: Intervals<'a>,
    v6: Intervals<'a>,
}

impl<'a> Check<'a> {
    pub(super) fn new(index: &'a Index) -> Check<'a> {
        Check {
            index,
            salt: index.salt(),
            filter: index.filter(),
            tops: index.tops(),
            map24: index.map24(),
            map16of4: index.map16of4(),
            map16: index.map16(),
            names: index.names(),
            words: index.words(),
            urls: index.urls(),
            v4: index.v4(),
            v6: index.v6(),
        }
    }

    /// A whole run of token bytes that holds a dot.
    pub(super) fn token(&self, text: &[u8], at: Range<usize>, out: &mut Out) {
        for at in readings(text, at) {
            if text[at.clone()].is_ascii() {
                self.dotted(text, &text[at.clone()], at, out);
            } else {
                self.in_script(text, at, out);
            }
        }
    }

    /// A token with letters beyond ASCII: signs among them divide it, capitals are made small.
    fn in_script(&self, text: &[u8], at: Range<usize>, out: &mut Out) {
        let mut small = [0; LONGEST];
        let (mut length, mut start, mut place) = (0, at.start, at.start);
        let end = at.end;
        for chunk in text[at].utf8_chunks() {
            for c in chunk.valid().chars() {
                if divides(c) {
                    self.dotted(text, &small[..length], start..place, out);
                    place += c.len_utf8();
                    (length, start) = (0, place);
                    continue;
                }
                place += c.len_utf8();
                // What is too long for a name is none: the text stays, its beginning is lost.
                if length + 16 > LONGEST {
                    (length, start) = (0, place);
                    continue;
                }
                let c = if matches!(c, '。' | '．' | '｡') { '.' } else { c };
                for c in c.to_lowercase() {
                    length += c.encode_utf8(&mut small[length..]).len();
                }
            }
            if !chunk.invalid().is_empty() {
                self.dotted(text, &small[..length], start..place, out);
                place += chunk.invalid().len();
                (length, start) = (0, place);
            }
        }
        self.dotted(text, &small[..length], start..end, out);
    }

    /// An address or a name. `token` is what stands `at` its place in `text`, in small letters.
    fn dotted(&self, text: &[u8], token: &[u8], at: Range<usize>, out: &mut Out) {
        let mut at = at;
        let Some(last) = token.iter().rposition(|b| *b != b'.') else { return };
        let first = token.iter().position(|b| *b != b'.').unwrap_or(0);
        // Dots are one byte in every spelling but `。`, where the place is off by two: nobody minds.
        at = at.start + first..at.end.saturating_sub(token.len() - 1 - last).max(at.start + first);
        let token = &token[first..=last];
        if token[token.len() - 1].is_ascii_digit()
            && let Some(address) = parse4(token)
        {
            return self.v4(text, address, at, out);
        }
        self.name(text, token, at, out);
    }

    fn name(&self, text: &[u8], token: &[u8], at: Range<usize>, out: &mut Out) {
        let mut state = START;
        let mut right = token.len();
        for depth in 0.. {
            let left = token[..right].iter().rposition(|b| *b == b'.').map_or(0, |dot| dot + 1);
            if left == right {
                return;
            }
            let label = self.salt.word(&token[left..right]);
            state = longer(state, label);
            let key = key(state);
            if depth == 0 {
                let (byte, bit) = top_bit(label);
                if self.tops.get(byte).is_none_or(|tops| tops & bit == 0) {
                    return;
                }
            }
            let mut flags = 0;
            for value in self.names.get(key) {
                flags |= value;
                let Some(entry) = number(value) else { continue };
                let named = self.index.entry(entry);
                let named = named.strip_prefix(b"*.").unwrap_or(named);
                let below = left >= 2 && token[left - 2] != b'.';
                // A file's name is the whole token.
                let whole = left == 0 || self.index.kind(entry) != Some(Kind::Filename);
                if (value & BELOW == 0 || below) && whole && named.eq_ignore_ascii_case(&token[left..]) {
                    self.found(entry, at.clone(), out);
                }
            }
            if left == 0 {
                if flags & URLS != 0 {
                    let same = |host: &[u8]| host.eq_ignore_ascii_case(token);
                    self.urls(text, key, at.clone(), same, out);
                }
                if flags & EMAILS != 0 {
                    self.email(text, token, at, out);
                }
                return;
            }
            if depth > 0 && flags & ON == 0 {
                return;
            }
            right = left - 1;
        }
    }

    fn v4(&self, text: &[u8], address: u32, at: Range<usize>, out: &mut Out) {
        if !has_bit(self.map24, address >> 8) {
            return;
        }
        for value in self.v4.holding(address, self.index.rows(address)) {
            if let Some(entry) = number(value) {
                self.found(entry, at.clone(), out);
            } else if value & URLS != 0 {
                self.host(text, IpAddr::V4(Ipv4Addr::from_bits(address)), at.clone(), out);
            }
        }
    }

    fn host(&self, text: &[u8], address: IpAddr, at: Range<usize>, out: &mut Out) {
        let bits = match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let same = |host: &[u8]| {
            let host: Option<IpAddr> = str::from_utf8(host).ok().and_then(|host| host.parse().ok());
            host.is_some_and(|host| host.to_canonical() == address)
        };
        self.urls(text, self.salt.address(bits), at, same, out);
    }

    /// A run of hexadecimal digits and colons with at least two colons.
    pub(super) fn v6(&self, text: &[u8], at: Range<usize>, out: &mut Out) {
        let Range { mut start, mut end } = at;
        let before = |start: usize| start.checked_sub(1).map_or(b' ', |n| text[n]);
        if before(start) == b'%' {
            start = (start + 2).min(end);
        } else if before(start).is_ascii_alphanumeric() || matches!(before(start), b'_' | b'.') {
            // The first group belongs to a word that ends here: `IPv6:2001:…`.
            let Some(colon) = text[start..end].iter().position(|b| *b == b':') else { return };
            start += colon + 1;
        }
        if text[start..end].starts_with(b":") && !text[start..end].starts_with(b"::") {
            start += 1;
        }
        if text[start..end].ends_with(b":") && !text[start..end].ends_with(b"::") {
            end -= 1;
        }
        let first = text[start..end]
            .iter()
            .take_while(|b| **b != b':')
            .take(5)
            .fold(0_u32, |sum, b| sum << 4 | u32::from(crate::bytes::digit(*b).unwrap_or(0)));
        if first > 0xffff || !has_bit(self.map16, first) && first != 0 {
            return;
        }
        // Of `64:ff9b::192.0.2.1` the last part is dotted.
        if text.get(end) == Some(&b'.') {
            end += text[end..].iter().take_while(|b| **b == b'.' || b.is_ascii_digit()).count();
            end -= usize::from(text[end - 1] == b'.');
        }
        if text.get(end).is_some_and(|b| crate::bytes::is_word(*b)) || end - start > 45 {
            return;
        }
        let parsed: Option<Ipv6Addr> = str::from_utf8(&text[start..end]).ok().and_then(|a| a.parse().ok());
        let Some(address) = parsed else { return };
        if let Some(v4) = address.to_ipv4_mapped() {
            // Dotted, it was found as what it is.
            if !text[start..end].contains(&b'.') {
                self.v4(text, v4.to_bits(), start..end, out);
            }
            return;
        }
        for value in self.v6.holding(address.to_bits(), 0..usize::MAX) {
            if let Some(entry) = number(value) {
                self.found(entry, start..end, out);
            } else if value & URLS != 0 {
                self.host(text, IpAddr::V6(address), start..end, out);
            }
        }
    }

    /// An e-mail address, by its host.
    fn email(&self, text: &[u8], host: &[u8], at: Range<usize>, out: &mut Out) {
        let before = &text[..at.start];
        let Some(before) = before.strip_suffix(b"@").or_else(|| before.strip_suffix(b"%40")) else { return };
        let mut signs = [0; 3 * LOCAL];
        let (before, spelled) = plus(before, &mut signs);
        let local = before.len() - before.iter().rev().take(LOCAL).take_while(|b| is_local(**b)).count();
        let mut whole = [0; LONGEST];
        let parts = [&before[local..], b"@", host];
        let mut length = 0;
        for part in parts {
            let Some(place) = whole.get_mut(length..length + part.len()) else { return };
            place.copy_from_slice(part);
            length += part.len();
        }
        for entry in self.words.get(self.salt.word(&whole[..length])) {
            let named = self.index.entry(entry);
            let Some((start, named_host)) = named.iter().rposition(|b| *b == b'@').map(|n| (n, &named[n + 1..])) else {
                continue;
            };
            let starts = before.len().checked_sub(start);
            let same = starts.is_some_and(|starts| before[starts..].eq_ignore_ascii_case(&named[..start]));
            if same && is_host(named_host, host) && self.index.kind(entry) == Some(Kind::Email) {
                self.found(entry, spelled(before.len() - start)..at.end, out);
            }
        }
    }

    /// A run of hexadecimal digits.
    pub(super) fn hex(&self, text: &[u8], at: Range<usize>, out: &mut Out) {
        words::hex(self, text, at, out);
    }

    /// A run of word bytes.
    pub(super) fn word(&self, text: &[u8], at: Range<usize>, out: &mut Out) {
        words::word(self, text, at, out);
    }

    /// A run of word bytes that may be the number of an autonomous system.
    pub(super) fn system(&self, text: &[u8], at: Range<usize>, out: &mut Out) {
        words::system(self, text, at, out);
    }

    pub(super) fn found(&self, entry: u32, at: Range<usize>, out: &mut Out) {
        if let Some(indicator) = self.index.indicator(entry) {
            out.hit(at.start, at.end, indicator);
        }
    }
}

/// What stands before an `@`, with `%2B` undone, and where a place of it stands in the text.
fn plus<'t>(before: &'t [u8], room: &'t mut [u8; 3 * LOCAL]) -> (&'t [u8], impl Fn(usize) -> usize) {
    let from = before.len().saturating_sub(room.len());
    let near = &before[from..];
    let hidden = |at: usize| near[at..].get(..3).is_some_and(|sign| sign.eq_ignore_ascii_case(b"%2b"));
    let mut places = [0; 3 * LOCAL];
    let (mut length, mut at) = (0, 0);
    while at < near.len() {
        let sign = hidden(at);
        (room[length], places[length]) = (if sign { b'+' } else { near[at] }, at);
        length += 1;
        at += if sign { 3 } else { 1 };
    }
    let end = before.len();
    (&room[..length], move |at: usize| places[..length].get(at).map_or(end, |place| from + place))
}

/// Whether a host is the one that is named in ASCII, in that form or in its own script.
fn is_host(named: &[u8], host: &[u8]) -> bool {
    let script = || str::from_utf8(host).ok().and_then(|host| idna::domain_to_ascii(host).ok());
    named.eq_ignore_ascii_case(host) || !host.is_ascii() && script().is_some_and(|host| host.as_bytes() == named)
}

/// Where a token may start: behind `%2F`, and behind the `n` of `\n` as well as before it.
pub(super) fn readings(text: &[u8], at: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut first = at.clone();
    let mut second = None;
    if let Some(before) = at.start.checked_sub(1) {
        match text[before] {
            b'%' if percent(&text[before..]).is_some() && at.len() > 2 => first.start += 2,
            b'\\' if matches!(text[at.start], b'n' | b't' | b'r') => second = Some(at.start + 1..at.end),
            _ => {}
        }
    }
    std::iter::once(first).chain(second)
}

/// Signs beyond ASCII that are no part of a name: quotation marks, dashes, spaces, full-width signs.
fn divides(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{a9}' | '\u{ab}'..='\u{b4}' | '\u{b6}' | '\u{b8}' | '\u{bb}'..='\u{bf}' | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{61c}'
        | '\u{2000}'..='\u{200b}' | '\u{200e}'..='\u{206f}' | '\u{3000}' | '\u{3001}' | '\u{3008}'..='\u{301f}'
        | '\u{ff01}'..='\u{ff0c}' | '\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{feff}' | '\u{fffd}')
}

#[inline(always)]
pub(super) fn has_bit(map: &[u64], n: u32) -> bool {
    map.get((n >> 6) as usize).is_some_and(|word| word >> (n & 63) & 1 != 0)
}
