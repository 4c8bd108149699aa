//! URLs that hang on a host of a log, one by one or as a crowd.

use super::check::{Check, REST};
use super::out::{Crowd, FEW, Out};
use crate::bytes::Decoded;
use std::net::IpAddr;
use std::ops::Range;

/// Decoded bytes behind a host that are looked at before all of them are.
const SHORT: usize = 64;

impl Check<'_> {
    /// URLs of a host that stands `at` a place, by what follows it there.
    pub(super) fn urls(
        &self,
        text: &[u8],
        host_key: u64,
        at: Range<usize>,
        same: impl Fn(&[u8]) -> bool,
        out: &mut Out,
    ) {
        if !self.may_have(text, host_key, at.end) {
            return;
        }
        let mut bytes = [0; REST];
        let (rest, end) = rest(text, at.end, &mut bytes);
        let (before, mut crowd) = (out.count(), None);
        self.urls.starting(
            host_key,
            rest,
            |entry| self.index.entry(entry),
            |url| {
                if same(url.host) {
                    if out.count() - before == FEW {
                        crowd = Some(url.row);
                        return false;
                    }
                    self.found(url.entry, at.start..end, out);
                }
                true
            },
        );
        if let Some(row) = crowd {
            out.crowd(before, at.start, end, host_key, at.end, row);
        }
    }

    /// Whether there may be a URL of a host in what follows it, by its beginning: where hosts stand side by side in a long
    /// token, each is followed by all the others.
    fn may_have(&self, text: &[u8], host_key: u64, host_end: usize) -> bool {
        let mut bytes = [0; SHORT];
        let (short, _) = rest(text, host_end, &mut bytes);
        let entry = |entry| self.index.entry(entry);
        let mut found = short.len() < SHORT;
        if !found {
            self.urls.starting(host_key, short, entry, |_| {
                found = true;
                false
            });
        }
        found || self.urls.goes_on(host_key, short, entry)
    }

    /// Adds the indicators of a crowd, until there are so many.
    pub(super) fn crowd(&self, text: &[u8], crowd: &Crowd, most: usize, numbers: &mut Vec<u32>) {
        let entry = |entry| self.index.entry(entry);
        let address = |host: &[u8]| str::from_utf8(host).ok().and_then(|host| host.parse::<IpAddr>().ok());
        let Some(like) = self.urls.host(crowd.row, entry) else { return };
        let like_address = address(like).map(|address| address.to_canonical());
        // The row was compared with the log.
        let same = |host: &[u8]| {
            host.eq_ignore_ascii_case(like)
                || like_address.is_some() && address(host).map(|address| address.to_canonical()) == like_address
        };
        let mut bytes = [0; REST];
        let (rest, _) = rest(text, crowd.at, &mut bytes);
        self.urls.starting(crowd.host_key, rest, entry, |url| {
            if same(url.host) {
                numbers.extend(self.index.indicator(url.entry));
            }
            numbers.len() < most
        });
    }
}

/// What follows a host that ends at a place, decoded as far as URLs are compared, and where the whole ends.
fn rest<'b>(text: &[u8], host_end: usize, bytes: &'b mut [u8]) -> (&'b [u8], usize) {
    let mut rest = &text[host_end..];
    rest = rest.strip_prefix(b"]").unwrap_or(rest);
    rest = rest.strip_prefix(b".").unwrap_or(rest);
    let digits = rest.get(1..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
    let port = rest.first() == Some(&b':') && digits > 0;
    if port && matches!(&rest[1..=digits], b"80" | b"443") {
        rest = &rest[1 + digits..];
    }
    let mut decoded = Decoded { rest };
    let mut length = 0;
    let begins = matches!(decoded.clone().next(), Some(b'/' | b'?')) || rest.starts_with(b":") && port;
    let mut path = false;
    while begins && length < bytes.len() {
        let Some(byte) = decoded.next() else { break };
        // The path of `host?x` is `/`.
        if byte == b'?' && !path && length + 1 < bytes.len() {
            bytes[length] = b'/';
            length += 1;
        }
        path |= matches!(byte, b'/' | b'?');
        bytes[length] = byte;
        length += 1;
    }
    #[cfg(test)]
    DECODED.set(DECODED.get() + length);
    let mut end = text.len() - decoded.rest.len();
    while end > host_end
        && matches!(text[end - 1], b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b']' | b'}' | b'\'')
    {
        end -= 1;
    }
    (&bytes[..length], end)
}

#[cfg(test)]
thread_local! {
    /// Bytes that were decoded: what hosts of URLs cost.
    static DECODED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;
    use crate::{Builder, Index, Kind, Scanner};

    /// What is found in a text, and bytes decoded for that.
    fn found(urls: &[&str], text: &str) -> (Vec<u32>, usize) {
        let mut builder = Builder::new();
        for url in urls {
            builder.add(Kind::Url, url).unwrap();
        }
        let index = Index::from_bytes(builder.finish()).unwrap();
        let mut found = Vec::new();
        DECODED.set(0);
        Scanner::new(&index).scan(text.as_bytes(), |hit| found.push(hit.indicator));
        (found, DECODED.get())
    }

    #[test]
    fn hosts_side_by_side_are_not_each_read_to_the_end() {
        let urls = ["a.example/x", "a.example/a.example/b"];
        let (found, decoded) = found(&urls, &"a.example/".repeat(5000));
        assert_eq!((found.len(), decoded < 5000 * 2 * SHORT), (0, true), "{decoded} bytes");
    }

    #[test]
    fn what_is_longer_than_the_first_look_is_found() {
        for length in SHORT - 3..SHORT + 4 {
            let path = "p".repeat(length);
            let url = format!("a.example/{path}");
            for (text, told) in [
                (url.clone(), vec![0]),
                (format!("{url}/more{}", "x".repeat(100)), vec![0]),
                (format!("{url}more{}", "x".repeat(100)), vec![]),
                (url.replace('p', "%70") + "?" + &"q".repeat(100), vec![0]),
                (url[..url.len() - 1].to_owned(), vec![]),
            ] {
                assert_eq!(found(&[&url], &text).0, told, "{length}: {text}");
            }
            let (both, _) = found(&["a.example/p", &url, "a.example/"], &format!("{url}/"));
            assert_eq!(both.len(), 2, "{length}");
        }
    }
}
