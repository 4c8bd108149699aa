//! The URLs of a host: sorted by what follows the host, each knowing the longest other one that it starts
//! with. So all that a log's URL starts with are found by one search and a walk.
//!
//! Lists may be made so that the walk is long and tells nothing: thousands of URLs of which each begins with the one
//! before, or that differ only in user-info. So each row knows one far above it too, and those that are longer than
//! what a log's URL has in common with the first, or that would end within a word, are passed over in a few steps.
//!
//! A row is 16 bytes of bit fields ([`Field`]). A host is its key, its first row and their number.

use crate::bytes::Decoded;
use crate::entry::NONE;
use crate::file::{u32_at, u64_at};
use std::cmp::Ordering;
use std::ops::Range;

const ROW: usize = 16;

/// A field of a row: its first bit, and their number.
#[derive(Debug, Clone, Copy)]
struct Field(u32, u32);

impl Field {
    const ENTRY: Field = Field(0, 27);
    /// The longest other row that it starts with, and one far above: [`NONE`] where there is none.
    const PARENT: Field = Field(27, 27);
    const FAR: Field = Field(54, 27);
    /// Where the host starts in the entry's text, how long it is, and bytes between it and the rest: a bracket, a dot
    /// or a port that is known.
    const HOST: Field = Field(81, 11);
    const HOST_LENGTH: Field = Field(92, 8);
    const GAP: Field = Field(100, 3);
    /// Length of the rest, in the text and decoded.
    const REST: Field = Field(103, 12);
    const DECODED: Field = Field(115, 12);

    fn of(self, row: u128) -> usize {
        (row >> self.0) as usize & ((1 << self.1) - 1)
    }

    fn put(self, value: usize) -> u128 {
        debug_assert!(value >> self.1 == 0, "{self:?} of {value}");
        (value as u128 & ((1 << self.1) - 1)) << self.0
    }
}

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

/// The sections of hosts and URLs. `text` gives an entry's text, by which those stand that are the same else.
pub(crate) fn build<'t>(mut urls: Vec<Url>, text: impl Fn(u32) -> &'t [u8]) -> (Vec<u8>, Vec<u8>) {
    urls.sort_unstable_by(|a, b| {
        let order = (a.host_key, &a.decoded).cmp(&(b.host_key, &b.decoded));
        order.then_with(|| text(a.entry).cmp(text(b.entry)))
    });
    let (mut hosts, mut rows) = (Vec::new(), Vec::with_capacity(urls.len() * ROW));
    let mut first = 0;
    for of_host in urls.chunk_by(|a, b| a.host_key == b.host_key) {
        hosts.extend_from_slice(&of_host[0].host_key.to_le_bytes());
        hosts.extend_from_slice(&(first as u32).to_le_bytes());
        hosts.extend_from_slice(&(of_host.len() as u32).to_le_bytes());
        let mut around: Vec<usize> = Vec::new();
        let mut ways: Vec<Way> = Vec::with_capacity(of_host.len());
        for (n, url) in of_host.iter().enumerate() {
            while around.last().is_some_and(|outer| !url.decoded.starts_with(&of_host[*outer].decoded)) {
                around.pop();
            }
            let parent = around.last().copied();
            let way = Way::below(parent, &ways);
            let row = |above: Option<usize>| above.map_or(NONE as usize, |row| first + row);
            let fields = [
                (Field::ENTRY, url.entry as usize),
                (Field::PARENT, row(parent)),
                (Field::FAR, row(way.far)),
                (Field::HOST, usize::from(url.host.start)),
                (Field::HOST_LENGTH, url.host.len()),
                (Field::GAP, usize::from(url.rest.start - url.host.end)),
                (Field::REST, url.rest.len()),
                (Field::DECODED, url.decoded.len()),
            ];
            let bits = fields.into_iter().fold(0, |bits, (field, value)| bits | field.put(value));
            rows.extend_from_slice(&bits.to_le_bytes());
            ways.push(way);
            around.push(n);
        }
        first += of_host.len();
    }
    (hosts, rows)
}

/// How many rows are above one, and one far above it, chosen so that any is reached in steps that grow like the
/// logarithm of their number (Myers, "An applicative random-access stack", 1983).
#[derive(Debug, Clone, Copy)]
struct Way {
    depth: u32,
    far: Option<usize>,
}

impl Way {
    const TOP: Way = Way { depth: 0, far: None };

    fn below(parent: Option<usize>, ways: &[Way]) -> Way {
        let of = |row: Option<usize>| row.map_or(Way::TOP, |row| ways[row]);
        let (near, middle) = (of(parent), of(of(parent).far));
        let even = near.depth - middle.depth == middle.depth - of(middle.far).depth;
        Way { depth: near.depth + 1, far: if even && parent.is_some() { middle.far } else { parent } }
    }
}

/// A row as it is found: the entry, and its text's host and rest.
pub(crate) struct Found<'a> {
    pub(crate) entry: u32,
    pub(crate) host: &'a [u8],
    rest: &'a [u8],
    pub(crate) row: usize,
}

/// The sections at use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Urls<'a> {
    hosts: &'a [[u8; 16]],
    rows: &'a [[u8; ROW]],
}

impl<'a> Urls<'a> {
    pub(crate) fn new(hosts: &'a [u8], rows: &'a [u8]) -> Urls<'a> {
        Urls { hosts: hosts.as_chunks().0, rows: rows.as_chunks().0 }
    }

    /// The URLs of a host that `rest` (decoded) starts with, at a border, the longest first. `text` gives an entry's
    /// text. `found` says whether it wants more.
    pub(crate) fn starting<'t>(
        self,
        host_key: u64,
        rest: &[u8],
        text: impl Fn(u32) -> &'t [u8],
        mut found: impl FnMut(Found<'t>) -> bool,
    ) {
        let rows = self.of_host(host_key);
        let behind = self.partition(rows.clone(), &text, |url| compare(url.rest, rest) != Ordering::Greater);
        let Some(last) = behind.checked_sub(1).filter(|n| *n >= rows.start) else { return };
        let Some(url) = self.row(last, &text) else { return };
        // What `rest` starts with, the last row that is not behind it starts with as well: it is above that.
        let common = Decoded { rest: url.rest }.zip(rest).take_while(|(a, b)| a == *b).count();
        let mut next = self.within(last, common);
        while let Some(n) = next {
            let length = self.length(n).min(rest.len());
            let (named, after) = rest.split_at(length);
            if !border(named, after) {
                next = length.checked_sub(1).and_then(|shorter| self.within(n, shorter));
                continue;
            }
            // The file may be broken: what is told was compared.
            let told = self.row(n, &text).filter(|url| Decoded { rest: url.rest }.eq(named.iter().copied()));
            if told.is_some_and(|url| !found(url)) {
                return;
            }
            next = self.above(n);
        }
    }

    /// Whether one of a host's URLs goes on behind `rest` (decoded).
    pub(crate) fn goes_on<'t>(self, host_key: u64, rest: &[u8], text: impl Fn(u32) -> &'t [u8]) -> bool {
        let rows = self.of_host(host_key);
        let next = self.partition(rows.clone(), &text, |url| compare(url.rest, rest) != Ordering::Greater);
        let next = Some(next).filter(|n| rows.contains(n)).and_then(|n| self.row(n, &text));
        next.is_some_and(|url| Decoded { rest: url.rest }.take(rest.len()).eq(rest.iter().copied()))
    }

    /// The row of a host with this `rest` (decoded) whose entry has this very text.
    pub(crate) fn find<'t>(
        self,
        host_key: u64,
        rest: &[u8],
        whole: &[u8],
        text: impl Fn(u32) -> &'t [u8],
    ) -> Option<u32> {
        let rows = self.of_host(host_key);
        let order = |url: &Found<'_>| compare(url.rest, rest).then_with(|| text(url.entry).cmp(whole));
        let n = self.partition(rows.clone(), &text, |url| order(url) == Ordering::Less);
        let url = self.row(n, &text).filter(|url| n < rows.end && order(url) == Ordering::Equal)?;
        Some(url.entry)
    }

    /// The host of a row.
    pub(crate) fn host<'t>(self, row: usize, text: impl Fn(u32) -> &'t [u8]) -> Option<&'t [u8]> {
        self.row(row, text).map(|url| url.host)
    }

    fn of_host(self, host_key: u64) -> Range<usize> {
        let host = self.hosts.binary_search_by_key(&host_key, |row| u64_at(row, 0).unwrap_or(0));
        let Some(row) = host.ok().and_then(|host| self.hosts.get(host)) else { return 0..0 };
        let (first, count) = (u32_at(row, 8).unwrap_or(0) as usize, u32_at(row, 12).unwrap_or(0) as usize);
        first..first.saturating_add(count).min(self.rows.len()).max(first)
    }

    /// The first of a host's rows that is not before a place.
    fn partition<'t>(
        self,
        rows: Range<usize>,
        text: impl Fn(u32) -> &'t [u8],
        before: impl Fn(&Found<'t>) -> bool,
    ) -> usize {
        let Range { start: mut low, end: mut high } = rows;
        while low < high {
            let middle = low.midpoint(high);
            if self.row(middle, &text).is_some_and(|url| before(&url)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The nearest row, from one on upwards, that is no longer than that.
    fn within(self, from: usize, longest: usize) -> Option<usize> {
        let mut n = from;
        let mut row = self.bits(n)?;
        while Field::DECODED.of(row) > longest {
            let far = Field::FAR.of(row);
            let above = self.bits(far).filter(|above| far < n && Field::DECODED.of(*above) > longest);
            let parent = Field::PARENT.of(row);
            (n, row) = match above {
                Some(above) => (far, above),
                None if parent < n => (parent, self.bits(parent)?),
                None => return None,
            };
        }
        Some(n)
    }

    /// The row above one; only if it stands before it, so that every walk ends.
    fn above(self, n: usize) -> Option<usize> {
        self.bits(n).map(|row| Field::PARENT.of(row)).filter(|row| *row < n)
    }

    /// Length of a row's rest, decoded.
    fn length(self, n: usize) -> usize {
        self.bits(n).map_or(0, |row| Field::DECODED.of(row))
    }

    fn bits(self, n: usize) -> Option<u128> {
        #[cfg(test)]
        READ.set(READ.get() + 1);
        self.rows.get(n).map(|row| u128::from_le_bytes(*row))
    }

    fn row<'t>(self, n: usize, text: impl Fn(u32) -> &'t [u8]) -> Option<Found<'t>> {
        let row = self.bits(n)?;
        let entry = Field::ENTRY.of(row) as u32;
        let text = text(entry);
        let host = Field::HOST.of(row)..Field::HOST.of(row) + Field::HOST_LENGTH.of(row);
        let rest = host.end + Field::GAP.of(row);
        let (host, rest) = (text.get(host)?, text.get(rest..rest + Field::REST.of(row))?);
        Some(Found { entry, host, rest, row: n })
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

#[cfg(test)]
thread_local! {
    /// Rows that were read: what searching costs.
    static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests;
