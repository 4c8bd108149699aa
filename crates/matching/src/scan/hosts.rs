//! URLs that hang on a host of a log, one by one or as a crowd.

use super::check::{Check, REST};
use super::out::{Crowd, FEW, Out};
use crate::bytes::Decoded;
use std::net::IpAddr;
use std::ops::Range;

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
fn rest<'b>(text: &[u8], host_end: usize, bytes: &'b mut [u8; REST]) -> (&'b [u8], usize) {
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
    if begins {
        for (slot, byte) in bytes.iter_mut().zip(decoded.by_ref()) {
            *slot = byte;
            length += 1;
        }
    }
    let mut end = text.len() - decoded.rest.len();
    while end > host_end
        && matches!(text[end - 1], b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b']' | b'}' | b'\'')
    {
        end -= 1;
    }
    (&bytes[..length], end)
}
