//! Text of logs and lists made fit to be looked at: short, visible, and nothing that can be clicked. Escaping for
//! HTML is the template's.

use crate::Hosts;
use manara_model::observable::{Type, normalise};

/// The first so many characters; a sign says that there were more.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// With what can't be seen, or turns the direction of what follows, written out.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            // Controls; marks and overrides of direction; what has no width; separators of lines; tags.
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}' => out.push_str(&format!("[U+{:04X}]", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// Text of others that is no line: cut, shown, nothing in it a link.
pub(super) fn text(text: &str, longest: usize) -> String {
    shown(&cut(&line("", text), longest))
}

/// An indicator in a spelling that no program takes for a link.
pub(super) fn defanged(kind: &str, indicator: &str) -> String {
    let known = Type::by_name(kind).and_then(|ty| normalise(ty, indicator).ok());
    match (known, kind) {
        (Some(value), _) => value.defang(),
        (None, "domain" | "url" | "email" | "ipv4" | "ipv6" | "network") => {
            indicator.replace("http", "hxxp").replace('.', "[.]")
        }
        (None, _) => line("", indicator),
    }
}

/// A line of a log with its URLs, mail addresses and the indicator's host defanged.
pub(super) fn line(indicator: &str, text: &str) -> String {
    let host = indicator.split_once("://").map_or(indicator, |(_, rest)| rest);
    let host = host.split(['/', '?', ':']).next().and_then(|host| host.rsplit('@').next()).unwrap_or(host);
    let host = host.trim_start_matches("*.").to_lowercase();
    // Addresses of a network are not spelled as it is.
    let net = Some(indicator).filter(|net| net.contains('/')).and_then(Hosts::only);
    let within = |token: &str| {
        net.as_ref().is_some_and(|net| token.trim_end_matches('.').parse().is_ok_and(|address| net.owns(address)))
    };
    let word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (token, after) = rest.split_at(length);
        rest = after;
        let small = token.to_lowercase();
        let scheme = (small.ends_with("http") || small.ends_with("https"))
            && (after.starts_with("://") || after.starts_with(":\\/\\/"));
        let linked = out.ends_with("//") || out.ends_with('@') || out.ends_with("www.") || small.starts_with("www.");
        if scheme {
            out.push_str(&token.replace("http", "hxxp").replace("HTTP", "HXXP"));
        } else if linked || !host.is_empty() && small.contains(&host) || within(token) {
            out.push_str(&token.replace('.', "[.]"));
        } else {
            out.push_str(token);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_line_can_be_clicked() {
        let all = [
            (
                "evil.example",
                "GET http://www.evil.example/a.html 10.0.0.5",
                "GET hxxp://www[.]evil[.]example/a.html 10.0.0.5",
            ),
            ("http://evil.example/x?y=z", "url=HTTPS://user@EVIL.example/x", "url=HXXPS://user@EVIL[.]example/x"),
            ("evil.example", "ask x.evil.example. A", "ask x[.]evil[.]example[.] A"),
            ("1.2.3.4", "1.2.3.4 - index.html www.other.example", "1[.]2[.]3[.]4 - index.html www[.]other[.]example"),
            (
                "bad@evil.example",
                r"to bad@evil.example http:\/\/b.example\/",
                r"to bad@evil[.]example hxxp:\/\/b.example\/",
            ),
            (
                "203.0.113.0/24",
                "203.0.113.77 10.0.0.5 203.0.113.9.",
                "203[.]0[.]113[.]77 10.0.0.5 203[.]0[.]113[.]9[.]",
            ),
            (
                "d41d8cd98f00b204e9800998ecf8427e",
                "d41d8cd98f00b204e9800998ecf8427e",
                "d41d8cd98f00b204e9800998ecf8427e",
            ),
        ];
        for (indicator, text, safe) in all {
            assert_eq!(line(indicator, text), safe);
        }
    }

    #[test]
    fn indicators_are_defanged_by_their_kind() {
        let all = [
            ("domain", "evil.example", "evil[.]example"),
            ("domain", "*.evil.example", "*[.]evil[.]example"),
            ("url", "http://evil.example/a.b", "hxxp://evil[.]example/a.b"),
            ("ipv4", "1.2.3.4", "1[.]2[.]3[.]4"),
            ("email", "bad@evil.example", "bad[@]evil[.]example"),
            ("sha256", "no hash", "no hash"),
        ];
        for (kind, value, safe) in all {
            assert_eq!(defanged(kind, value), safe);
        }
    }

    #[test]
    fn what_hides_is_written_out() {
        assert_eq!(shown("a\u{202e}gpj.exe\u{0}\u{200b}\n"), "a[U+202E]gpj.exe[U+0000][U+200B][U+000A]");
        assert_eq!(shown("بحث é\t例"), "بحث é 例");
        assert_eq!(cut("ééé", 2), "éé…");
        assert_eq!(cut("ééé", 3), "ééé");
    }
}
