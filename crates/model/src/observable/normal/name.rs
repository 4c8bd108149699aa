//! Domain names (UTS 46, non-transitional, to A-labels; RFC 1035 §2.3.4 limits), mail addresses, onions.

use std::borrow::Cow;
use std::net::IpAddr;

/// Lower-case A-labels without a trailing dot; a port is dropped. A name stands for itself and what is below it;
/// `*.name` is kept as such: only what is below it (RFC 4592 §2.1.1).
pub(super) fn domain(text: &str) -> Result<String, &'static str> {
    match text.strip_prefix("*.") {
        Some(rest) => host(rest).map(|name| format!("*.{name}")),
        None => host(text),
    }
}

/// One name, without a wildcard before it.
fn host(text: &str) -> Result<String, &'static str> {
    let text = text.strip_prefix('.').unwrap_or(text);
    let text = match text.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => text,
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    // Most names are plain already.
    if is_plain(text.as_bytes()) && !text.contains("xn--") {
        return check(text.to_owned());
    }
    if text.contains(['/', '@', ' ', '?', '#', '\\']) {
        return Err("it holds signs that no name has; a URL has the type url, a mail address email");
    }
    let name = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
        .map_err(|_| "it can't be written as an internationalised domain name (UTS 46)")?;
    check(name.strip_suffix('.').map_or_else(|| name.to_string(), str::to_owned))
}

fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
}

fn check(name: String) -> Result<String, &'static str> {
    if !is_plain(name.as_bytes()) {
        return Err("it holds signs that no name has");
    }
    if name.len() > 253 {
        return Err("it is longer than 253 characters");
    }
    let mut labels = 0;
    for label in name.split('.') {
        labels += 1;
        if label.is_empty() {
            return Err("a label is empty: two dots meet, or it begins with one");
        }
        if label.len() > 63 {
            return Err("a label is longer than 63 characters");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a label begins or ends with a hyphen");
        }
    }
    if labels < 2 {
        return Err("it has one label only; a full name has at least two, like evil.example");
    }
    if name.parse::<IpAddr>().is_ok()
        || name.rsplit('.').next().is_some_and(|tld| tld.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err("its last label is a number: it is an address, or a wrong one");
    }
    Ok(name)
}

/// Ends it in a suffix that exists (the public suffix list's ICANN part)?
pub(in super::super) fn has_known_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes().len() < name.len())
}

/// `local@domain`, all lower case: local parts differ by case only on paper (RFC 5321 §2.4).
pub(super) fn email(text: &str) -> Result<String, &'static str> {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let text = match (text.rfind('<'), text.rfind('>')) {
        (Some(open), Some(close)) if open < close => &text[open + 1..close],
        _ => text,
    };
    let (local, host) = text.rsplit_once('@').ok_or("it has no @")?;
    let local = local.trim_matches('"');
    if local.is_empty()
        || local.len() > 64
        || local.chars().any(|c| c.is_whitespace() || c.is_control() || "<>@,;\"".contains(c))
    {
        return Err("what stands before the @ is no mailbox");
    }
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(literal) => format!("[{}]", super::net::ipv6(literal.strip_prefix("IPv6:").unwrap_or(literal))?),
        None => {
            self::host(host.strip_prefix("*.").unwrap_or(host)).map_err(|_| "what stands after the @ is no domain")?
        }
    };
    let lower = super::lenient(&local.to_lowercase())?;
    // Some letters change again when lower-cased twice.
    let local = if lower == lower.to_lowercase() { Cow::Borrowed(&lower) } else { Cow::Owned(lower.to_lowercase()) };
    Ok(format!("{local}@{host}"))
}

/// A Tor onion service: 16 or 56 letters of base32, with or without what stands before.
pub(super) fn onion(text: &str) -> Result<String, &'static str> {
    let lower = text.to_ascii_lowercase();
    let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = &host[..host.find(['/', '?', ':']).unwrap_or(host.len())];
    let name = domain(host)?;
    let service =
        name.strip_suffix(".onion").and_then(|rest| rest.rsplit('.').next()).ok_or("it does not end in .onion")?;
    let base32 = service.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b));
    if base32 && matches!(service.len(), 16 | 56) {
        Ok(name)
    } else {
        Err("an onion name has 16 or 56 letters of base32")
    }
}
