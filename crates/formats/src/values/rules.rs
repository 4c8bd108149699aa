//! Rules and intelligence for sensors: Suricata and Zeek; and what rules have in common.

use super::{Lines, Value};
use crate::writer::WriteOptions;
use manara_model::observable::Kind;

/// Rule numbers: a range of our own, and within it by value, so that a rule keeps its number.
const FIRST_SID: u32 = 3_600_000_000;
const SIDS: u32 = 600_000_000;

pub(super) struct Suricata;

/// What every rule has, whatever it looks for.
pub(super) struct Rule {
    /// What is told where it fires.
    pub(super) msg: String,
    /// What it ends in: the record, its kind, its number.
    pub(super) tail: String,
}

impl Rule {
    pub(super) fn of(value: &Value<'_>) -> Rule {
        let observable = value.observable;
        let msg = message(&format!("{}: {} {}", value.origin, observable.ty(), observable.value()));
        let tail =
            format!("reference:url,manara/{}; classtype:trojan-activity; sid:{}; rev:1;", value.head.uuid, sid(value));
        Rule { msg, tail }
    }
}

fn sid(value: &Value<'_>) -> u32 {
    // FNV-1a over type and value: stable from version to version, unlike the standard hasher.
    let text = [value.observable.ty().name(), "\0", value.observable.value()].concat();
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    FIRST_SID + u32::try_from(hash % u64::from(SIDS)).unwrap_or(0)
}

/// A `content` with what has a meaning in rules as hex.
pub(super) fn content(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b';' | b'|' | b'\\' | b':' => format!("|{byte:02x}|"),
            0x20..=0x7e => char::from(byte).to_string(),
            _ => format!("|{byte:02x}|"),
        })
        .collect::<String>()
        .replace("||", " ")
}

fn message(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || "\";\\".contains(c) { ' ' } else { c }).take(120).collect()
}

impl Lines for Suricata {
    fn name(&self) -> &'static str {
        "suricata"
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        let text = value.observable.value();
        let Rule { msg, tail } = Rule::of(value);
        let rule = match (value.observable.ty().row().kind, value.observable.ty().name()) {
            (Kind::Name, _) => {
                // With a dot put before the question, the name itself ends in it too.
                let prefix = if value.observable.below().is_some() { "" } else { "dotprefix; " };
                let name = content(&format!(".{}", value.observable.below().unwrap_or(text)));
                format!(
                    "alert dns any any -> any any (msg:\"{msg}\"; dns.query; {prefix}content:\"{name}\"; nocase; endswith; {tail})"
                )
            }
            (Kind::Address | Kind::Network, "ipv4" | "ipv6" | "network") => {
                format!(
                    "alert ip $HOME_NET any -> {} any (msg:\"{msg}\"; {tail})",
                    if text.contains(':') { format!("[{text}]") } else { text.into() }
                )
            }
            (Kind::Url, _) => {
                let (scheme, rest) = text.split_once("://")?;
                if scheme != "http" {
                    return None;
                }
                let at = rest.find(['/', '?']).unwrap_or(rest.len());
                let (host, path) = (rest[..at].split(':').next()?, &rest[at..]);
                let path = if path.is_empty() { "/" } else { path };
                format!(
                    "alert http any any -> any any (msg:\"{msg}\"; http.host; content:\"{}\"; bsize:{}; http.uri.raw; content:\"{}\"; startswith; {tail})",
                    content(host),
                    host.len(),
                    content(path)
                )
            }
            (_, "ja3") => format!("alert tls any any -> any any (msg:\"{msg}\"; ja3.hash; content:\"{text}\"; {tail})"),
            _ => return None,
        };
        Some(rule + "\n")
    }
}

pub(super) struct Zeek;

impl Lines for Zeek {
    fn name(&self) -> &'static str {
        "zeek"
    }
    fn header(&mut self, _options: &WriteOptions) -> String {
        "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\n".into()
    }
    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        let text = value.observable.value();
        let (indicator, kind) = match value.observable.ty().name() {
            "ipv4" | "ipv6" => (text, "Intel::ADDR"),
            "network" => (text, "Intel::SUBNET"),
            "domain" => (text, "Intel::DOMAIN"),
            // Zeek compares URLs without their scheme.
            "url" => (text.split_once("://")?.1, "Intel::URL"),
            "email" => (text, "Intel::EMAIL"),
            "md5" | "sha1" | "sha256" => (text, "Intel::FILE_HASH"),
            "filename" => (text, "Intel::FILE_NAME"),
            "x509-sha1" => (text, "Intel::CERT_HASH"),
            _ => return None,
        };
        let field = |text: &str| {
            let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
            if plain.is_empty() { "-".to_owned() } else { plain }
        };
        let source = field(value.origin);
        Some(format!("{}\t{kind}\t{source}\t{}\t{}\n", field(indicator), field(&value.head.title), value.head.uuid))
    }
    fn says_below(&self) -> bool {
        false
    }
}
