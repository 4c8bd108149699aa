//! What a bare token is: used where nothing says the type (lists, pasted text, search).

use super::normal::{address_or_network, has_known_suffix, normalise};
use super::table::NAMED;
use super::{Observable, Type, refang};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Endings that are both file names and top-level domains, or only file names: `invoice.zip` in a
/// report is a file.
static FILE_ENDINGS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "zip rar 7z exe dll sys scr bat cmd ps1 vbs js jse wsf hta lnk msi jar apk elf so dylib bin dat tmp log txt md rtf pdf \
     doc docx docm xls xlsx xlsm ppt pptx one iso img vhd html htm php asp aspx jsp css json xml csv png jpg jpeg gif \
     bmp ico py pl sh rb rs go cpp c h cs java class swf cab db sqlite ini cfg conf pcap yar yara mov mp3 mp4 app pkg dmg"
        .split_whitespace()
        .collect()
});

fn named(name: &str) -> Option<Type> {
    Type::by_name(name)
}

/// Hashes by their number of digits; the first type of that length.
const BY_LENGTH: &[(usize, &str)] =
    &[(32, "md5"), (40, "sha1"), (56, "sha224"), (64, "sha256"), (96, "sha384"), (128, "sha512")];

/// The observable that a token spells, if it spells one without a doubt.
#[must_use]
pub fn guess(token: &str) -> Option<Observable> {
    let edge = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';');
    let token = token.trim_matches(edge);
    if token.is_empty() || token.len() > 8192 {
        return None;
    }
    let plain = refang(token);
    let text: &str = &plain;
    let bytes = text.as_bytes();
    let first = *bytes.first()?;
    if let Some((_, name)) = BY_LENGTH.iter().find(|(length, _)| *length == bytes.len())
        && bytes.iter().all(u8::is_ascii_hexdigit)
    {
        return normalise(named(name)?, text).ok();
    }
    if text.contains("://") {
        let url = normalise(named("url")?, text).ok()?;
        return is_web(url.value()).then_some(url);
    }
    if (first.is_ascii_hexdigit() || first == b':' || first == b'[') && text.contains(['.', ':']) {
        if let Ok(address) = address_or_network(text) {
            return Some(address);
        }
        // Ten digits and dots that are no address are no name either.
        if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return None;
        }
    }
    if text.contains('@') {
        return normalise(named("email")?, text)
            .ok()
            .filter(|email| email.value().rsplit('@').next().is_some_and(has_known_suffix));
    }
    let upper = text.get(..4).map(str::to_ascii_uppercase);
    match upper.as_deref() {
        Some("CVE-") => return normalise(named("cve")?, text).ok(),
        Some("GHSA") if text.len() == 19 => return normalise(named("cve")?, text).ok(),
        _ => {}
    }
    if text.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("as"))
        && bytes.len() > 2
        && bytes[2..].iter().all(u8::is_ascii_digit)
    {
        return normalise(named("asn")?, text).ok();
    }
    if first == b'0' && text.len() == 42 && text.starts_with("0x") {
        return normalise(named("eth")?, text).ok();
    }
    if matches!(first, b'b' | b'B') && text.len() >= 42 && !text.contains('.') {
        return normalise(named("btc")?, text).ok();
    }
    if first == b'+' && bytes.len() >= 8 {
        return normalise(named("msisdn")?, text).ok().filter(|number| number.value().len() >= 8);
    }
    if text.contains('.') {
        return name_or_url(text);
    }
    if text.len() == 17 && (text.matches(':').count() == 5 || text.matches('-').count() == 5) {
        return normalise(named("mac")?, text).ok();
    }
    None
}

fn is_web(url: &str) -> bool {
    [
        "http://",
        "https://",
        "ftp://",
        "ftps://",
        "tcp://",
        "udp://",
        "ws://",
        "wss://",
        "sftp://",
        "ssh://",
        "telnet://",
        "ldap://",
        "rtsp://",
        "irc://",
    ]
    .iter()
    .any(|scheme| url.starts_with(scheme))
}

fn name_or_url(text: &str) -> Option<Observable> {
    let onion = text.trim_end_matches('/').to_ascii_lowercase();
    if onion.ends_with(".onion") {
        return normalise(named("onion")?, &onion).ok();
    }
    if let Some((host, _)) = text.split_once('/') {
        let host = host.split(':').next().unwrap_or(host);
        let known =
            normalise(NAMED.domain, host).is_ok_and(|domain| is_real(&domain)) || address_or_network(host).is_ok();
        return if known { normalise(named("url")?, text).ok() } else { None };
    }
    let domain = normalise(NAMED.domain, text).ok()?;
    is_real(&domain).then_some(domain)
}

/// A name under a suffix that exists.
fn is_real(domain: &Observable) -> bool {
    has_known_suffix(domain.below().unwrap_or(domain.value()))
}

/// In running text `invoice.zip` and `setup.pl` are files, though `.zip` and `.pl` are also domains.
pub(super) fn is_file_name(name: &str) -> bool {
    name.rsplit('.').next().is_some_and(|ending| FILE_ENDINGS.contains(ending)) && name.matches('.').count() == 1
}

/// What a token is in a list of indicators: names below suffixes that nobody registered (`.bit`, `.lib`)
/// are names there too.
#[must_use]
pub fn guess_listed(token: &str) -> Option<Observable> {
    guess(token).or_else(|| {
        let token = token.trim();
        let last = token.trim_end_matches('.').rsplit('.').next().filter(|last| last.len() < token.len())?;
        let name = (2..=24).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_alphabetic());
        if name { normalise(NAMED.domain, token).ok() } else { None }
    })
}
