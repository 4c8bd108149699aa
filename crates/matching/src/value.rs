//! Reads one indicator out of a list: what it is to be found by.

use crate::bytes::{is_local, is_word};
use crate::error::Refused;
use crate::kind::Kind;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// Longest part of an e-mail address before the `@`.
pub(crate) const LOCAL: usize = 64;
/// Longest URL: what follows a host is compared up to there.
const URL: usize = crate::scan::REST;
/// Shortest word that is looked for: as long as the shortest CVE id.
pub(crate) const WORD: usize = 13;

/// An indicator as it is found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    V4(u32, u32),
    V6(u128, u128),
    /// ASCII name; how it is written in its own script; whether only names below it count.
    Name {
        ascii: Cow<'a, str>,
        unicode: Option<String>,
        below: bool,
    },
    /// Places in `text`.
    Url {
        text: Cow<'a, str>,
        host: Range<usize>,
        rest: Range<usize>,
        address: Option<IpAddr>,
    },
    /// `host` is where it starts, in ASCII; how it is written in its own script.
    Email {
        text: String,
        host: usize,
        unicode: Option<String>,
    },
    /// A hash or word; what part of it is looked up.
    Word(Range<usize>),
    /// A file's name.
    File(Cow<'a, str>),
    Asn(u32),
}

impl Value<'_> {
    /// The one form in which it stands in an index, out of what was read.
    pub(crate) fn normal<'t>(&'t self, kind: Kind, text: &'t str) -> Cow<'t, str> {
        match self {
            Value::V4(first, last) => match kind {
                Kind::Network => {
                    Cow::Owned(format!("{}/{}", Ipv4Addr::from_bits(*first), (first ^ last).leading_zeros()))
                }
                // The parser takes one spelling only; what is around it is not part of it.
                _ if !text.contains(['[', ']', ':']) => Cow::Borrowed(text),
                _ => Cow::Owned(Ipv4Addr::from_bits(*first).to_string()),
            },
            Value::V6(first, last) => {
                let address = Ipv6Addr::from_bits(*first);
                let network = || format!("{address}/{}", (first ^ last).leading_zeros());
                Cow::Owned(if kind == Kind::Network { network() } else { address.to_string() })
            }
            Value::Name { ascii, below: true, .. } => Cow::Owned(format!("*.{ascii}")),
            Value::Name { ascii, .. } => Cow::Borrowed(ascii),
            Value::Url { text, .. } => Cow::Borrowed(text),
            Value::Email { text, .. } => Cow::Borrowed(text),
            Value::File(name) => Cow::Borrowed(name),
            Value::Asn(number) => Cow::Owned(format!("AS{number}")),
            Value::Word(_) => word_normal(kind, text),
        }
    }

    /// What of its normal form is looked up among words.
    pub(crate) fn looked_up<'t>(&self, normal: &'t str) -> &'t [u8] {
        let bytes = normal.as_bytes();
        match self {
            Value::Email { host, .. } => {
                let before = &bytes[..host - 1];
                let local = before.iter().rev().take_while(|b| is_local(**b)).count();
                &bytes[before.len() - local..]
            }
            Value::Word(part) => &bytes[part.clone()],
            _ => bytes,
        }
    }
}

/// Words whose case says nothing have one.
fn word_normal(kind: Kind, text: &str) -> Cow<'_, str> {
    let bech32 =
        || text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("bc1") || head.eq_ignore_ascii_case("tb1"));
    let (lower, upper) = match kind {
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 | Kind::Eth => (true, false),
        Kind::Btc => (bech32(), false),
        Kind::Cve => (false, true),
        _ => (false, false),
    };
    if lower && text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    if upper && text.bytes().any(|b| b.is_ascii_lowercase()) {
        return Cow::Owned(text.to_ascii_uppercase());
    }
    Cow::Borrowed(text)
}

/// Reads a value of a kind.
pub(crate) fn read(kind: Kind, text: &str) -> Result<Value<'_>, Refused> {
    match kind {
        Kind::Ipv4 | Kind::Ipv6 => address(text).map(single).ok_or(Refused::Address),
        Kind::Network => network(text).ok_or(Refused::Network),
        Kind::Domain => domain(text),
        Kind::Url => url(text),
        Kind::Email => email(text),
        Kind::Filename => file(text),
        Kind::Asn => asn(text),
        _ => word(kind, text),
    }
}

/// Addresses mapped into IPv6 are what they stand for.
fn address(text: &str) -> Option<IpAddr> {
    text.trim_matches(['[', ']']).parse().ok().map(|a: IpAddr| a.to_canonical())
}

fn single(address: IpAddr) -> Value<'static> {
    match address {
        IpAddr::V4(v4) => Value::V4(v4.to_bits(), v4.to_bits()),
        IpAddr::V6(v6) => Value::V6(v6.to_bits(), v6.to_bits()),
    }
}

fn network(text: &str) -> Option<Value<'static>> {
    let Some((base, length)) = text.split_once('/') else { return address(text).map(single) };
    let length: u32 = length.parse().ok()?;
    if let Ok(v4) = base.parse::<Ipv4Addr>() {
        let hosts = u32::MAX.checked_shr(length).unwrap_or(0);
        return (length <= 32).then(|| Value::V4(v4.to_bits() & !hosts, v4.to_bits() | hosts));
    }
    let v6: Ipv6Addr = base.parse().ok()?;
    match v6.to_ipv4_mapped() {
        Some(v4) if (96..=128).contains(&length) => {
            let hosts = u32::MAX.checked_shr(length - 96).unwrap_or(0);
            Some(Value::V4(v4.to_bits() & !hosts, v4.to_bits() | hosts))
        }
        _ => {
            let hosts = u128::MAX.checked_shr(length).unwrap_or(0);
            (length <= 128).then(|| Value::V6(v6.to_bits() & !hosts, v6.to_bits() | hosts))
        }
    }
}

fn domain(text: &str) -> Result<Value<'_>, Refused> {
    let (rest, below) = match text.strip_prefix("*.") {
        Some(rest) => (rest, true),
        None => (text.strip_prefix('.').unwrap_or(text), false),
    };
    let rest = rest.strip_suffix('.').unwrap_or(rest);
    let (ascii, unicode) = name(rest)?;
    Ok(Value::Name { ascii, unicode, below })
}

/// Part of a label. DEL is left out: to the hash it is `_`, and thousands of names would be one.
fn in_name(b: u8) -> bool {
    is_word(b) && b != 0x7f
}

/// The last part of a path, if it is one word with a dot.
fn file(text: &str) -> Result<Value<'_>, Refused> {
    let base = text.rsplit(['/', '\\']).next().unwrap_or(text);
    let sound = base.is_ascii()
        && base.len() <= 253
        && base.contains('.')
        && base.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(in_name));
    // What reads as an address is looked for as one.
    if !sound || base.parse::<Ipv4Addr>().is_ok() {
        return Err(Refused::File);
    }
    Ok(Value::File(plain(base).ok_or(Refused::File)?))
}

fn asn(text: &str) -> Result<Value<'_>, Refused> {
    let head = text.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("as"));
    let digits = if head { &text[2..] } else { text };
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain).map(Value::Asn).ok_or(Refused::Asn)
}

/// A name in ASCII, and in its own script where it has one.
fn name(text: &str) -> Result<(Cow<'_, str>, Option<String>), Refused> {
    let ascii = match plain(text) {
        Some(name) => name,
        None => Cow::Owned(idna::domain_to_ascii(text).map_err(|_| Refused::Name)?),
    };
    let sound = !ascii.is_empty()
        && ascii.len() <= 253
        && ascii.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(in_name));
    // Digits and dots that are no address are no name either.
    if !sound || ascii.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Refused::Name);
    }
    let unicode = ascii.contains("xn--").then(|| idna::domain_to_unicode(&ascii).0).filter(|u| *u != ascii);
    Ok((ascii, unicode))
}

/// The same name in lower case, if all of it is ASCII.
fn plain(text: &str) -> Option<Cow<'_, str>> {
    if !text.is_ascii() {
        return None;
    }
    let upper = text.bytes().any(|b| b.is_ascii_uppercase());
    Some(if upper { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) })
}

fn url(text: &str) -> Result<Value<'_>, Refused> {
    let text = text.split('#').next().unwrap_or(text);
    if text.len() > URL {
        return Err(Refused::Url);
    }
    let scheme = text.find("://").map_or(0, |at| at + 3);
    let end = text[scheme..].find(['/', '?']).map_or(text.len(), |at| scheme + at);
    // The path of `host?x` is `/`.
    let text = match text[end..].starts_with('?') {
        true => Cow::Owned(format!("{}/{}", &text[..end], &text[end..])),
        false => Cow::Borrowed(text),
    };
    let start = text[scheme..end].rfind('@').map_or(scheme, |at| scheme + at + 1);
    let port = match text[start..end].rfind(':') {
        Some(at) if !text[start + at..end].contains(']') => start + at,
        _ => end,
    };
    let host = text[start..port].trim_matches(['[', ']']);
    let host = host.strip_suffix('.').unwrap_or(host);
    let begin = start + usize::from(text[start..port].starts_with('['));
    let rest = if matches!(&text[port..end], "" | ":" | ":80" | ":443") { end } else { port };
    let rest = rest..text.strip_suffix('/').filter(|cut| cut.len() <= end).map_or(text.len(), str::len);
    if let Some(address) = address(host) {
        let host = begin..begin + host.len();
        return Ok(Value::Url { text, host, rest, address: Some(address) });
    }
    let (ascii, _) = name(host).map_err(|_| Refused::Url)?;
    if ascii.eq_ignore_ascii_case(host) {
        let host = begin..begin + host.len();
        return Ok(Value::Url { text, host, rest, address: None });
    }
    // A host in its own script stands in the index as logs have it.
    let moved = |at: usize| at + begin + ascii.len() - port;
    let whole = format!("{}{ascii}{}", &text[..begin], &text[port..]);
    Ok(Value::Url {
        text: whole.into(),
        host: begin..begin + ascii.len(),
        rest: moved(rest.start)..moved(rest.end),
        address: None,
    })
}

fn email(text: &str) -> Result<Value<'static>, Refused> {
    let (local, host) = text.rsplit_once('@').ok_or(Refused::Email)?;
    let (ascii, unicode) = name(host).map_err(|_| Refused::Email)?;
    // RFC 5321 §4.5.3.1.1; logs are compared up to there.
    if local.len() > LOCAL || !local.bytes().next_back().is_some_and(is_local) {
        return Err(Refused::Email);
    }
    let text = format!("{}@{ascii}", local.to_ascii_lowercase());
    Ok(Value::Email { host: text.len() - ascii.len(), text, unicode })
}

fn word(kind: Kind, text: &str) -> Result<Value<'static>, Refused> {
    if let Some(digits) = kind.digits() {
        let sound = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
        return if sound { Ok(Value::Word(0..digits)) } else { Err(Refused::Hash) };
    }
    let part = anchor(text.as_bytes()).ok_or(Refused::Word)?;
    if kind == Kind::Ssdeep || part == (0..text.len()) { Ok(Value::Word(part)) } else { Err(Refused::Word) }
}

/// The longest run of word bytes in a text: by it the text is found.
pub(crate) fn anchor(text: &[u8]) -> Option<Range<usize>> {
    let mut best = 0..0;
    let mut at = 0;
    for run in text.split(|b| !is_word(*b)) {
        if run.len() > best.len() {
            best = at..at + run.len();
        }
        at += run.len() + 1;
    }
    (best.len() >= WORD).then_some(best)
}

/// What a bare line of a list is; defanged or not. `None` where nothing says what it is.
#[must_use]
pub fn guess(text: &str) -> Option<Kind> {
    let bytes = text.as_bytes();
    if text.contains("://") {
        return Some(Kind::Url);
    }
    if let Some((base, length)) = text.split_once('/') {
        let network = base.parse::<IpAddr>().is_ok() && length.parse::<u8>().is_ok();
        if !network && text.matches(':').count() == 2 && anchor(bytes).is_some() && !base.contains('.') {
            return Some(Kind::Ssdeep);
        }
        return Some(if network { Kind::Network } else { Kind::Url });
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(if address.is_ipv4() { Kind::Ipv4 } else { Kind::Ipv6 });
    }
    if bytes.iter().all(u8::is_ascii_hexdigit)
        && let Some(kind) = Kind::all().find(|kind| kind.digits() == Some(bytes.len()))
    {
        return Some(kind);
    }
    if text.contains('@') {
        return Some(Kind::Email);
    }
    if text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("cve-")) {
        return Some(Kind::Cve);
    }
    if text.matches(':').count() == 2 {
        return Some(Kind::Ssdeep);
    }
    if text.contains('.') {
        return Some(Kind::Domain);
    }
    match (bytes.first(), bytes.len()) {
        (Some(b'0'), 42) if text.starts_with("0x") => Some(Kind::Eth),
        (Some(b'4' | b'8'), 95 | 106) => Some(Kind::Xmr),
        (Some(b'1' | b'3'), 26..=35) | (Some(b'b' | b'B'), 42..=62) => Some(Kind::Btc),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (String, String) {
        match read(Kind::Url, url) {
            Ok(Value::Url { text, host, rest, .. }) => (text[host].to_owned(), text[rest].to_owned()),
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn urls_fall_into_host_and_rest() {
        let all = [
            ("http://evil.example/a/b?c=d#e", "evil.example", "/a/b?c=d"),
            ("https://user:pw@Evil.example:443/a", "Evil.example", "/a"),
            ("http://evil.example:8080/", "evil.example", ":8080"),
            ("evil.example/", "evil.example", ""),
            ("http://evil.example.", "evil.example", ""),
            ("http://evil.example?x", "evil.example", "/?x"),
            ("evil.example:81?x", "evil.example", ":81/?x"),
            ("http://bücher.example?x", "xn--bcher-kva.example", "/?x"),
            ("http://[2001:db8::1]:81/x/", "2001:db8::1", ":81/x/"),
            ("http://bücher.example/x", "xn--bcher-kva.example", "/x"),
            ("http://bücher.example:81/x", "xn--bcher-kva.example", ":81/x"),
        ];
        for (url, host, rest) in all {
            assert_eq!(parts(url), (host.to_owned(), rest.to_owned()), "{url}");
        }
        for bad in ["http:///x", "http://", "/x", "http://a b/"] {
            assert_eq!(read(Kind::Url, bad), Err(Refused::Url), "{bad}");
        }
    }

    #[test]
    fn names_have_one_form_and_their_own_script() {
        let Ok(Value::Name { ascii, unicode, below }) = read(Kind::Domain, "*.BÜCHER.example.") else { panic!() };
        assert_eq!((&*ascii, unicode.as_deref(), below), ("xn--bcher-kva.example", Some("bücher.example"), true));
        for bad in ["", ".", "a..b", "1.2.3", "a b.example", &"x".repeat(64)] {
            assert_eq!(read(Kind::Domain, bad), Err(Refused::Name), "{bad}");
        }
    }

    #[test]
    fn networks_cover_whole_ranges() {
        assert_eq!(read(Kind::Network, "10.1.2.3/8"), Ok(Value::V4(0x0a00_0000, 0x0aff_ffff)));
        assert_eq!(read(Kind::Network, "0.0.0.0/0"), Ok(Value::V4(0, u32::MAX)));
        assert_eq!(read(Kind::Network, "::ffff:10.0.0.0/104"), Ok(Value::V4(0x0a00_0000, 0x0aff_ffff)));
        assert_eq!(read(Kind::Ipv6, "::ffff:1.2.3.4"), Ok(Value::V4(0x0102_0304, 0x0102_0304)));
        assert_eq!(read(Kind::Network, "::/0"), Ok(Value::V6(0, u128::MAX)));
        assert_eq!(read(Kind::Network, "10.0.0.0/33"), Err(Refused::Network));
    }
}
