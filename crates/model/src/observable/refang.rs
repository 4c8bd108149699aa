//! Defanged spellings back into plain ones, and digits of every script that people write addresses in.

use std::borrow::Cow;

/// Bracketed or spelled-out signs, longest first.
const SIGNS: &[(&str, &str)] = &[
    ("[://]", "://"),
    ("[:]//", "://"),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    ("<dot>", "."),
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("<.>", "."),
    ("[.", "."),
    (".]", "."),
    ("\\.", "."),
    ("[at]", "@"),
    ("(at)", "@"),
    ("{at}", "@"),
    ("[@]", "@"),
    ("(@)", "@"),
    ("{@}", "@"),
    ("[:]", ":"),
    ("[/]", "/"),
];

/// Schemes as they are defanged.
const SCHEMES: &[(&str, &str)] = &[
    ("hxxps", "https"),
    ("hxxp", "http"),
    ("hXXps", "https"),
    ("h**ps", "https"),
    ("h**p", "http"),
    ("htxp", "http"),
    ("httxp", "http"),
    ("meow", "http"),
    ("fxp", "ftp"),
];

/// Undoes defanging. Text that has none comes back borrowed.
#[must_use]
pub fn refang(text: &str) -> Cow<'_, str> {
    let plain = text.bytes().all(|b| b.is_ascii() && !matches!(b, b'[' | b'(' | b'{' | b'<' | b'\\' | b'*'));
    if plain && !has_scheme(text) {
        return Cow::Borrowed(text);
    }
    let mut out: String = text.chars().map(fold).collect();
    let scheme = SCHEMES.iter().find(|(fanged, _)| {
        out.get(..fanged.len()).is_some_and(|head| head.eq_ignore_ascii_case(fanged))
            && out[fanged.len()..].trim_start_matches(['[', ' ']).starts_with([':', '/'])
    });
    if let Some((fanged, scheme)) = scheme {
        out.replace_range(..fanged.len(), scheme);
    }
    // A real IPv6 host in a URL keeps its brackets: only known signs are replaced. One replacement may
    // bring another sign together; each makes the text shorter, so this ends.
    loop {
        let before = out.len();
        for (sign, plain) in SIGNS {
            if contains_folded(&out, sign) {
                out = replace_folded(&out, sign, plain);
            }
        }
        if out.len() == before {
            break;
        }
    }
    Cow::Owned(out)
}

fn has_scheme(text: &str) -> bool {
    SCHEMES.iter().any(|(fanged, _)| text.get(..fanged.len()).is_some_and(|head| head.eq_ignore_ascii_case(fanged)))
}

/// Digits to ASCII (Arabic-Indic, extended, full width), and the full stops that IDNA takes for dots
/// (RFC 3490 §3.1) to a dot.
fn fold(c: char) -> char {
    let digit = |zero: u32| char::from_u32(u32::from(c) - zero + u32::from('0')).unwrap_or(c);
    match c {
        '\u{0660}'..='\u{0669}' => digit(0x0660),
        '\u{06f0}'..='\u{06f9}' => digit(0x06f0),
        '\u{ff10}'..='\u{ff19}' => digit(0xff10),
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => '.',
        _ => c,
    }
}

fn contains_folded(text: &str, sign: &str) -> bool {
    text.as_bytes().windows(sign.len()).any(|window| window.eq_ignore_ascii_case(sign.as_bytes()))
}

fn replace_folded(text: &str, sign: &str, plain: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while from < text.len() {
        match text.get(from..from + sign.len()) {
            Some(here) if here.eq_ignore_ascii_case(sign) => {
                out.push_str(plain);
                from += sign.len();
            }
            _ => {
                let c = text[from..].chars().next().unwrap_or_default();
                out.push(c);
                from += c.len_utf8().max(1);
            }
        }
    }
    out
}
