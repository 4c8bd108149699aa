//! A matcher that is slow and simple: it looks for every indicator at every place of every line. It shares
//! no code with the scanner.

use manara_matching::{Builder, Index, Kind};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The index of a list.
pub(crate) fn index(list: &[(Kind, &str)]) -> Index {
    let mut builder = Builder::new();
    for (n, (kind, value)) in list.iter().enumerate() {
        assert_eq!(builder.add(*kind, value), Ok(n as u32), "{value}");
    }
    let index = Index::from_bytes(builder.finish()).unwrap();
    index.verify().unwrap();
    index
}

/// Names, and how they are written in their own script.
const IN_SCRIPT: &[(&str, &str)] =
    &[("xn--bcher-kva.example", "bücher.example"), ("xn--mgbh0fb.xn--kgbechtv", "مثال.إختبار")];

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b >= 0x7f
}

fn hex(b: u8) -> bool {
    b.is_ascii_hexdigit()
}

/// Undoes what hides signs.
fn plain(piece: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    'bytes: while at < piece.len() {
        let rest = &piece[at..];
        for (open, close) in ["[]", "()", "{}"].map(|pair| pair.split_at(1)) {
            for (inside, sign) in
                [(".", "."), ("dot", "."), (":", ":"), ("://", ":"), ("@", "@"), ("at", "@"), ("/", "/")]
            {
                let hidden = format!("{open}{inside}{close}");
                if rest.get(..hidden.len()).is_some_and(|r| r.eq_ignore_ascii_case(hidden.as_bytes())) {
                    out.extend_from_slice(sign.as_bytes());
                    at += hidden.len();
                    continue 'bytes;
                }
            }
        }
        // Bytes of a letter, each like `\xC3`.
        let byte = |n: usize| {
            let digits = rest.get(4 * n..4 * n + 4)?.strip_prefix(b"\\x")?;
            digits.iter().all(|b| hex(*b)).then(|| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap())
        };
        for n in 2..=4 {
            let bytes: Vec<u8> = (0..n).map_while(byte).collect();
            if bytes.len() == n && String::from_utf8(bytes.clone()).is_ok_and(|letter| letter.chars().count() == 1) {
                out.extend_from_slice(&bytes);
                at += 4 * n;
                continue 'bytes;
            }
        }
        // A label behind its length, and before the next one's.
        let counted = str::from_utf8(&rest[..rest.len().min(4)]).ok().and_then(|head| {
            let (number, _) = head.strip_prefix('(')?.split_once(')')?;
            number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse::<usize>().ok())?
        });
        if let Some(length) = counted.filter(|length| (1..64).contains(length)) {
            let label = &rest[rest.iter().position(|b| *b == b')').unwrap() + 1..];
            let next = label.get(length..length + 2);
            if next.is_some_and(|next| next[0] == b'(' && next[1].is_ascii_digit())
                && label[..length].iter().all(|b| word(*b))
            {
                out.push(b'.');
                at += rest.len() - label.len();
                continue 'bytes;
            }
        }
        for (head, digits) in [("%", 2), ("\\x", 2), ("\\u", 4)] {
            let Some(digits) = rest.strip_prefix(head.as_bytes()).and_then(|r| r.get(..digits)) else { continue };
            if !digits.iter().all(|b| hex(*b)) {
                continue;
            }
            let value = u32::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
            let Some(c) = char::from_u32(value) else { continue };
            let known = match head {
                "%" => c.is_ascii() && (word(value as u8) || c == '.'),
                "\\x" => c.is_ascii(),
                _ => true,
            };
            if known {
                let c = if c < ' ' { ' ' } else { c };
                out.extend_from_slice(c.to_string().as_bytes());
                at += head.len() + digits.len();
                continue 'bytes;
            }
        }
        out.push(piece[at]);
        at += 1;
    }
    out
}

/// The numbers of the indicators that stand in a line.
pub(crate) fn line(list: &[(Kind, &str)], line: &[u8]) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut escaped = false;
    for piece in line.split_inclusive(|b| *b <= b' ' || *b == b'"') {
        let divider = piece.last().filter(|b| **b <= b' ' || **b == b'"');
        let whole = &piece[..piece.len() - usize::from(divider.is_some())];
        let piece = if escaped { uncoloured(whole) } else { whole };
        escaped = divider == Some(&0x1b);
        let text = plain(piece);
        for (n, (kind, value)) in list.iter().enumerate() {
            if stands(*kind, value, &text) {
                found.insert(n as u32);
            }
        }
    }
    found
}

/// Without the colour code of a terminal in front.
fn uncoloured(piece: &[u8]) -> &[u8] {
    let Some(code) = piece.strip_prefix(b"[") else { return piece };
    let end = code.iter().position(|b| !b"0123456789;:".contains(b)).unwrap_or(code.len());
    if end <= 24 && matches!(code.get(end), Some(b'm' | b'K')) { &code[end + 1..] } else { piece }
}

/// How a name is written in its own script, if it has one.
fn script(name: &str) -> Option<String> {
    let known = IN_SCRIPT.iter().find(|(ascii, _)| *ascii == name).map(|(_, script)| (*script).to_owned());
    known.or_else(|| name.contains("xn--").then(|| idna::domain_to_unicode(name).0))
}

fn stands(kind: Kind, value: &str, text: &[u8]) -> bool {
    match kind {
        Kind::Ipv4 | Kind::Ipv6 | Kind::Network => {
            let (base, length) = value.split_once('/').unwrap_or((value, "128"));
            let base = mapped(base.parse().unwrap());
            let short = value.contains('/') && value.contains('.');
            let length = length.parse::<u32>().unwrap() + if short { 96 } else { 0 };
            addresses(text).iter().any(|(address, _, _)| {
                (address ^ base).checked_shr(128 - length).is_none_or(|differs| differs == 0)
                    // A network of IPv6 holds no IPv4.
                    && (address >> 32 == 0xffff) == (base >> 32 == 0xffff)
            })
        }
        Kind::Domain => {
            let name = value.trim_start_matches("*.");
            let script = script(name);
            tokens(text).iter().any(|(token, _, _)| {
                [Some(name), script.as_deref()].into_iter().flatten().any(|name| {
                    let below = token.strip_suffix(name).and_then(|t| t.strip_suffix('.'));
                    below.is_some_and(|t| !value.starts_with('*') || !t.is_empty() && !t.ends_with('.'))
                        || token == name && !value.starts_with('*')
                })
            })
        }
        Kind::Url => url(value, text),
        Kind::Filename => tokens(text).iter().any(|(token, _, _)| token == value),
        Kind::Email => {
            let (local, host) = value.split_once('@').unwrap();
            let script = script(host);
            let is_host = |token: &str| token == host || Some(token) == script.as_deref();
            tokens(text).iter().filter(|(token, _, _)| is_host(token)).any(|(_, start, _)| {
                let before = &text[..*start];
                let before = before.strip_suffix(b"@").or_else(|| before.strip_suffix(b"%40"));
                before.is_some_and(|before| {
                    let before = plus(before);
                    let run = before.iter().rev().take_while(|b| word(**b) || matches!(b, b'.' | b'+')).count();
                    before[before.len() - run..].eq_ignore_ascii_case(local.as_bytes())
                })
            })
        }
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 => occurrences(text, value).iter().any(|(start, end)| {
            let before = &text[..*start];
            let escaped =
                before.len() > 1 && before[before.len() - 2] == b'\\' && b"ntr".contains(&before[before.len() - 1]);
            let coded = |n: usize| n >= 3 && before[n - 3] == b'%' && hex(before[n - 2]) && hex(before[n - 1]);
            let border = !before.last().is_some_and(u8::is_ascii_alphanumeric) || escaped || coded(before.len());
            // `%d4` is a byte, not the beginning of a hash.
            border && before.last() != Some(&b'%') && !text.get(*end).is_some_and(u8::is_ascii_alphanumeric)
        }),
        _ => occurrences(text, value).iter().any(|(start, end)| {
            let exact = kind == Kind::Ssdeep || kind == Kind::Btc && !value.starts_with("bc1");
            let inner =
                |b: &u8| if kind == Kind::Ssdeep { b.is_ascii_alphanumeric() || b"+/".contains(b) } else { word(*b) };
            let before = &text[..*start];
            let escaped =
                before.len() > 1 && before[before.len() - 2] == b'\\' && b"ntr".contains(&before[before.len() - 1]);
            let coded = |n: usize| n >= 3 && before[n - 3] == b'%' && hex(before[n - 2]) && hex(before[n - 1]);
            let border = !before.last().is_some_and(inner) || kind != Kind::Ssdeep && (escaped || coded(before.len()));
            let border = border
                && !(kind != Kind::Ssdeep && before.last() == Some(&b'%') && hex(text[*start]) && hex(text[start + 1]));
            // A dot that joins the number of a system to another word makes it a name.
            let joined = |dot: Option<&u8>, next: Option<&u8>| dot == Some(&b'.') && next.is_some_and(|b| word(*b));
            let name = kind == Kind::Asn && {
                // As a whole: what an escape leaves of the word counts with it.
                let start = before.iter().rposition(|b| !word(*b)).map_or(0, |n| n + 1);
                let (dot, next) = (start.checked_sub(1).map(|n| &text[n]), start.checked_sub(2).map(|n| &text[n]));
                joined(dot, next) || joined(text.get(*end), text.get(end + 1))
            };
            border && !name && !text.get(*end).is_some_and(inner) && (!exact || &text[*start..*end] == value.as_bytes())
        }),
    }
}

/// With `%2B` undone.
fn plus(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for b in text {
        out.push(*b);
        if out.len() > 2 && out[out.len() - 3..].eq_ignore_ascii_case(b"%2B") {
            out.truncate(out.len() - 3);
            out.push(b'+');
        }
    }
    out
}

/// Everywhere where a value stands, whatever its case.
fn occurrences(text: &[u8], value: &str) -> Vec<(usize, usize)> {
    let length = value.len();
    let is = |at: &usize| text[*at..*at + length].eq_ignore_ascii_case(value.as_bytes());
    (0..(text.len() + 1).saturating_sub(length)).filter(is).map(|at| (at, at + length)).collect()
}

/// Dotted tokens as they may be read, in small letters without dots at their ends, and their places.
fn tokens(text: &[u8]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    let in_token = |b: &u8| word(*b) || *b == b'.';
    while at < text.len() {
        let length = text[at..].iter().take_while(|b| in_token(b)).count();
        let (start, end) = (at, at + length);
        at = end + 1;
        if !text[start..end].contains(&b'.') {
            continue;
        }
        let mut starts = vec![start];
        if start > 0 && text[start - 1] == b'%' && length > 2 && hex(text[start]) && hex(text[start + 1]) {
            starts = vec![start + 2];
        }
        if start > 0 && text[start - 1] == b'\\' && b"ntr".contains(&text[start]) {
            starts.push(start + 1);
        }
        for start in starts {
            for (part, from, to) in parts(&text[start..end]) {
                let small = if text[start..end].is_ascii() { part.to_ascii_lowercase() } else { part.to_lowercase() };
                let front = small.len() - small.trim_start_matches('.').len();
                let back = small.len() - small.trim_end_matches('.').len();
                let trimmed = small.trim_matches('.');
                if !trimmed.is_empty() {
                    found.push((trimmed.to_owned(), start + from + front, start + to - back));
                }
            }
        }
    }
    found
}

/// What of a token belongs together: signs beyond ASCII and broken characters divide it.
fn parts(token: &[u8]) -> Vec<(String, usize, usize)> {
    let mut parts = vec![(String::new(), 0, 0)];
    let mut at = 0;
    for chunk in token.utf8_chunks() {
        for c in chunk.valid().chars() {
            at += c.len_utf8();
            if c == '。' {
                parts.last_mut().unwrap().0.push('.');
            } else if c.is_ascii() || c.is_alphanumeric() {
                parts.last_mut().unwrap().0.push(c);
            } else {
                parts.push((String::new(), at, at));
                continue;
            }
            parts.last_mut().unwrap().2 = at;
        }
        if !chunk.invalid().is_empty() {
            at += chunk.invalid().len();
            parts.push((String::new(), at, at));
        }
    }
    parts
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Addresses, those of IPv4 mapped into IPv6, and their places.
fn addresses(text: &[u8]) -> Vec<(u128, usize, usize)> {
    let mut found: Vec<(u128, usize, usize)> = tokens(text)
        .iter()
        .filter_map(|(token, start, end)| token.parse::<Ipv4Addr>().ok().map(|a| (mapped(a.into()), *start, *end)))
        .collect();
    let group = |b: &u8| hex(*b) || *b == b':';
    for start in 0..text.len() {
        if !group(&text[start]) || start > 0 && group(&text[start - 1]) {
            continue;
        }
        let mut end = start + text[start..].iter().take_while(|b| group(b)).count();
        let mut from = start;
        match start.checked_sub(1).map(|n| text[n]) {
            Some(b'%') => from += 2,
            Some(b) if b.is_ascii_alphanumeric() || b == b'_' || b == b'.' => {
                from += 1 + text[start..end].iter().take_while(|b| **b != b':').count();
            }
            _ => {}
        }
        if from >= end {
            continue;
        }
        let run = String::from_utf8_lossy(&text[from..end]).into_owned();
        let run = if run.starts_with(':') && !run.starts_with("::") {
            from += 1;
            run[1..].to_owned()
        } else {
            run
        };
        if run.ends_with(':') && !run.ends_with("::") {
            end -= 1;
        }
        let dotted = text[end..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        if text.get(end) == Some(&b'.') {
            end += dotted;
            if text[end - 1] == b'.' {
                end -= 1;
            }
        }
        if from >= end || text.get(end).is_some_and(|b| word(*b)) {
            continue;
        }
        let spelled = String::from_utf8_lossy(&text[from..end]);
        if let Ok(address) = spelled.parse::<Ipv6Addr>()
            && !(address.to_ipv4_mapped().is_some() && spelled.contains('.'))
        {
            found.push((address.to_bits(), from, end));
        }
    }
    found
}

/// Whether a URL stands in a text: its host as a whole, then what it says, as far as it says it.
fn url(value: &str, text: &[u8]) -> bool {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let cut = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, wanted) = rest.split_at(cut);
    let (host, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    };
    let wanted = if wanted == "/" { "" } else { wanted };
    let wanted = if matches!(port, "" | "80" | "443") { wanted.to_owned() } else { format!(":{port}{wanted}") };
    let wanted = with_path(decode(wanted.as_bytes()));
    let host = host.trim_matches(['[', ']']);
    let places: Vec<usize> = match host.parse::<IpAddr>() {
        Ok(address) => addresses(text).iter().filter(|a| a.0 == mapped(address)).map(|a| a.2).collect(),
        Err(_) => tokens(text).iter().filter(|t| t.0.eq_ignore_ascii_case(host)).map(|t| t.2).collect(),
    };
    places.iter().any(|end| {
        let mut after = &text[*end..];
        after = after.strip_prefix(b"]").unwrap_or(after);
        after = after.strip_prefix(b".").unwrap_or(after);
        for port in [&b":80"[..], b":443"] {
            if after.starts_with(port) && !after.get(port.len()).is_some_and(u8::is_ascii_digit) {
                after = &after[port.len()..];
            }
        }
        let after = with_path(decode(after));
        let port = after.first() == Some(&b':') && after.get(1).is_some_and(u8::is_ascii_digit);
        let after = if port || matches!(after.first(), Some(b'/' | b'?')) { after } else { Vec::new() };
        let Some(more) = after.strip_prefix(&wanted[..]) else { return false };
        let inner = |b: &u8| b.is_ascii_alphanumeric() || b"-_.~%".contains(b) || *b >= 0x80;
        wanted.last().is_none_or(|b| b"/?&=#".contains(b)) || more == b"." || !more.first().is_some_and(inner)
    })
}

/// The path of `?x` and of `:8080?x` is `/`.
fn with_path(mut rest: Vec<u8>) -> Vec<u8> {
    if let Some(at) = rest.iter().position(|b| b"/?".contains(b)).filter(|at| rest[*at] == b'?') {
        rest.insert(at, b'/');
    }
    rest
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match &text[at..] {
            [b'%', a, b, ..] if hex(*a) && hex(*b) => {
                out.push(u8::from_str_radix(str::from_utf8(&[*a, *b]).unwrap(), 16).unwrap());
                at += 3;
            }
            [b'\\', b'/', ..] => {
                out.push(b'/');
                at += 2;
            }
            [0..=b' ' | b'"' | b'<' | b'>' | b'`' | 0x7f | b'\\', ..] => break,
            [b, ..] => {
                out.push(*b);
                at += 1;
            }
            [] => break,
        }
    }
    out
}
