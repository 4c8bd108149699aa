//! The URLs of a host: sorted by what follows the host, each knowing the longest other one that it starts
//! with. So all that a log's URL starts with are found by one search and a walk.
//!
//! A row is entry, parent (`u32` each), offset and length of the host, offset and length of the rest in
//! the entry's text (`u16` each). A host is its key, its first row and their number.

use crate::bytes::Decoded;
use crate::entry::NONE;
use crate::file::{u32_at, u64_at};
use std::cmp::Ordering;
use std::ops::Range;

const ROW: usize = 16;

/// A URL while an index is built.
#[derive(Debug)]
pub(crate) struct Url {
    host_key: u64,
    entry: u32,
    host: Range<u16>,
    rest: Range<u16>,
    decoded: Vec<u8>,
}

impl Url {
    /// `host` and `rest` are places in `text`, which is at most 8 KB long.
    pub(crate) fn new(host_key: u64, entry: u32, text: &str, host: Range<usize>, rest: Range<usize>) -> Url {
        let small = |range: &Range<usize>| range.start as u16..range.end as u16;
        let (host, places) = (small(&host), small(&rest));
        Url { host_key, entry, host, rest: places, decoded: Decoded { rest: &text.as_bytes()[rest] }.collect() }
    }
}

/// The sections of hosts and URLs.
pub(crate) fn build(mut urls: Vec<Url>) -> (Vec<u8>, Vec<u8>) {
    urls.sort_unstable_by(|a, b| (a.host_key, &a.decoded, a.entry).cmp(&(b.host_key, &b.decoded, b.entry)));
    let (mut hosts, mut rows) = (Vec::new(), Vec::with_capacity(urls.len() * ROW));
    let mut first = 0;
    for of_host in urls.chunk_by(|a, b| a.host_key == b.host_key) {
        hosts.extend_from_slice(&of_host[0].host_key.to_le_bytes());
        hosts.extend_from_slice(&(first as u32).to_le_bytes());
        hosts.extend_from_slice(&(of_host.len() as u32).to_le_bytes());
        let mut around: Vec<usize> = Vec::new();
        for (n, url) in of_host.iter().enumerate() {
            while around.last().is_some_and(|outer| !url.decoded.starts_with(&of_host[*outer].decoded)) {
                around.pop();
            }
            let parent = around.last().map_or(NONE, |outer| (first + outer) as u32);
            rows.extend_from_slice(&url.entry.to_le_bytes());
            rows.extend_from_slice(&parent.to_le_bytes());
            for range in [&url.host, &url.rest] {
                rows.extend_from_slice(&range.start.to_le_bytes());
                rows.extend_from_slice(&(range.end - range.start).to_le_bytes());
            }
            around.push(n);
        }
        first += of_host.len();
    }
    (hosts, rows)
}

/// A row as it is found: the entry, and its text's host and rest.
pub(crate) struct Found<'a> {
    pub(crate) entry: u32,
    pub(crate) host: &'a [u8],
    rest: &'a [u8],
}

/// The sections at use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Urls<'a> {
    hosts: &'a [[u8; 16]],
    rows: &'a [u8],
}

impl<'a> Urls<'a> {
    pub(crate) fn new(hosts: &'a [u8], rows: &'a [u8]) -> Urls<'a> {
        Urls { hosts: hosts.as_chunks().0, rows }
    }

    /// The URLs of a host that `rest` (decoded) starts with, at a border. `text` gives an entry's text.
    pub(crate) fn starting<'t>(
        self,
        host_key: u64,
        rest: &[u8],
        text: impl Fn(u32) -> &'t [u8],
        mut found: impl FnMut(Found<'t>),
    ) {
        let Ok(host) = self.hosts.binary_search_by_key(&host_key, |row| u64_at(row, 0).unwrap_or(0)) else { return };
        let row = &self.hosts[host];
        let (first, count) = (u32_at(row, 8).unwrap_or(0) as usize, u32_at(row, 12).unwrap_or(0) as usize);
        let (mut low, mut high) = (first, first.saturating_add(count).min(self.rows.len() / ROW));
        while low < high {
            let middle = (low + high) / 2;
            let order = self.row(middle, &text).map_or(Ordering::Greater, |(url, _)| compare(url.rest, rest));
            if order == Ordering::Greater { high = middle } else { low = middle + 1 }
        }
        let mut next = low.checked_sub(1).filter(|n| *n >= first);
        while let Some((url, parent)) = next.and_then(|n| self.row(n, &text)) {
            next = Some(parent as usize).filter(|parent| next.is_some_and(|n| *parent < n));
            let mut left = rest.iter();
            let begins = Decoded { rest: url.rest }.all(|byte| left.next() == Some(&byte));
            let length = rest.len() - left.as_slice().len();
            if begins && border(&rest[..length], left.as_slice()) {
                found(url);
            }
        }
    }

    fn row<'t>(self, n: usize, text: impl Fn(u32) -> &'t [u8]) -> Option<(Found<'t>, u32)> {
        let row = self.rows.get(n * ROW..(n + 1) * ROW)?;
        let half = |at: usize| usize::from(u16::from_le_bytes([row[at], row[at + 1]]));
        let entry = u32_at(row, 0)?;
        let text = text(entry);
        let (host, rest) = (text.get(half(8)..half(8) + half(10))?, text.get(half(12)..half(12) + half(14))?);
        Some((Found { entry, host, rest }, u32_at(row, 4)?))
    }
}

fn compare(indicator: &[u8], rest: &[u8]) -> Ordering {
    Decoded { rest: indicator }.cmp(rest.iter().copied())
}

/// Whether a URL may go on with `after` behind the part that an indicator names: not in the middle of a word.
fn border(named: &[u8], after: &[u8]) -> bool {
    if matches!(named.last(), None | Some(b'/' | b'?' | b'&' | b'=' | b'#')) {
        return true;
    }
    match after {
        [] | [b'.'] => true,
        [next, ..] => !(next.is_ascii_alphanumeric() || matches!(next, b'-' | b'_' | b'.' | b'~' | b'%' | 0x80..)),
    }
}
