//! A line of a list as people publish them: maltrail, ipsum, hosts files, plain. `#`, `;`, `!` and `//` begin remarks.

use super::{Observable, guess_listed};

/// Addresses that a hosts file sends bad names to; they are not bad themselves.
const SINKS: &[&str] = &["0.0.0.0", "127.0.0.1", "::", "::1", "255.255.255.255", "127.0.1.1", "fe80::1%lo0", "ff02::1"];
/// Names that a hosts file holds for the machine itself.
const LOCAL: &[&str] =
    &["localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback", "0.0.0.0"];

/// What stands before a remark, and the remark.
#[must_use]
pub fn split_remark(line: &str) -> (&str, &str) {
    let line = line.trim();
    if line.starts_with(['#', ';']) || line.starts_with("//") || line.starts_with('!') {
        return ("", line.trim_start_matches(['#', ';', '/', '!', ' ']));
    }
    // A URL may hold # and ;: only after a blank do they begin a remark.
    let cut = [" #", "\t#", " ;", " //"].iter().filter_map(|sign| line.find(sign)).min();
    match cut {
        Some(at) => (line[..at].trim_end(), line[at..].trim_start_matches(['#', ';', '/', ' ', '\t'])),
        None => (line, ""),
    }
}

/// What stands before a remark, read: a value, or the names of a line of a hosts file.
#[must_use]
pub fn listed(value: &str) -> Vec<Observable> {
    let mut words = value.split_whitespace();
    let (Some(first), second) = (words.next(), words.next()) else { return Vec::new() };
    match second {
        // hosts: where to send, then the names.
        Some(second) if SINKS.contains(&first) => {
            let names = std::iter::once(second).chain(words).filter(|name| !LOCAL.contains(name));
            names.filter_map(guess_listed).collect()
        }
        // ipsum: an address and how many lists it is on; others: a value and a remark.
        _ => guess_listed(first).into_iter().collect(),
    }
}

/// Whether it only names the machine itself, as hosts files do.
#[must_use]
pub fn is_local(value: &str) -> bool {
    value.split_whitespace().skip(usize::from(value.contains(char::is_whitespace))).all(|word| LOCAL.contains(&word))
}
