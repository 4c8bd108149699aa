//! Snort rules, in the syntax of Snort 2.9 (Snort 3 takes it through `snort2lua`).

use super::rules::{Rule, content};
use super::{Lines, Value};
use manara_model::observable::Kind;

pub(super) struct Snort;

/// A name as a question in the DNS spells it: each label after its length, and the root. What is below the
/// name ends in the same signs.
fn wire(name: &str) -> Option<String> {
    let mut out = String::new();
    for label in name.trim_end_matches('.').split('.') {
        // RFC 1035 §2.3.4.
        if label.is_empty() || label.len() > 63 {
            return None;
        }
        out.push_str(&format!("|{:02x}|{}", label.len(), content(label)));
    }
    out.push_str("|00|");
    Some(out.replace("||", " "))
}

/// Who is asked: the ports of the web, or the one that an address names.
fn ports(host: &str) -> (&str, &str) {
    match host.rsplit_once(':').filter(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())) {
        Some((name, port)) => (name, port),
        None => (host, "$HTTP_PORTS"),
    }
}

impl Lines for Snort {
    fn name(&self) -> &'static str {
        "snort"
    }

    fn line(&mut self, value: &Value<'_>) -> Option<String> {
        let text = value.observable.value();
        let Rule { msg, tail } = Rule::of(value);
        let rule = match (value.observable.ty().row().kind, value.observable.ty().name()) {
            (Kind::Name, _) => format!(
                "alert udp $HOME_NET any -> any 53 (msg:\"{msg}\"; content:\"|01 00 00 01 00 00 00 00 00 00|\"; offset:2; depth:10; content:\"{}\"; nocase; fast_pattern; {tail})",
                wire(text)?
            ),
            (Kind::Address | Kind::Network, "ipv4" | "ipv6" | "network") => {
                let to = if text.contains(':') { format!("[{text}]") } else { text.to_owned() };
                format!("alert ip $HOME_NET any -> {to} any (msg:\"{msg}\"; {tail})")
            }
            (Kind::Url, _) => {
                let (scheme, rest) = text.split_once("://")?;
                // What is encrypted shows its name at most.
                if scheme != "http" {
                    return None;
                }
                let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                let (name, port) = ports(host);
                let path = if path.is_empty() { "/" } else { path };
                format!(
                    "alert tcp $HOME_NET any -> $EXTERNAL_NET {port} (msg:\"{msg}\"; flow:to_server,established; content:\"Host|3a 20|{}\"; nocase; http_header; content:\"{}\"; depth:{}; http_raw_uri; {tail})",
                    content(name),
                    content(path),
                    path.len(),
                )
            }
            (_, "user-agent") => format!(
                "alert tcp $HOME_NET any -> $EXTERNAL_NET $HTTP_PORTS (msg:\"{msg}\"; flow:to_server,established; content:\"User-Agent|3a 20|{}|0d 0a|\"; http_header; {tail})",
                content(text)
            )
            .replace("||", " "),
            _ => return None,
        };
        Some(rule + "\n")
    }

    fn says_below(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_the_dns_spells_them() {
        assert_eq!(wire("evil.example.org").unwrap(), "|04|evil|07|example|03|org|00|");
        assert_eq!(wire("a").unwrap(), "|01|a|00|");
        assert!(wire(&"x".repeat(64)).is_none() && wire("a..b").is_none());
        assert_eq!(ports("evil.example.org:8080"), ("evil.example.org", "8080"));
        assert_eq!(ports("evil.example.org"), ("evil.example.org", "$HTTP_PORTS"));
    }
}
