//! Whether a line says that an own host went to an address itself, and was not only called by it.
//!
//! Only what leaves no doubt counts: a request to the address behind the host (`10.0.0.5 … CONNECT 203.0.113.7`), the
//! names of both ends (`SRC=… DST=…`, `src_ip`, `id.resp_h`), an arrow between them, or nothing but the host's port.
//! A device's own address in front of somebody else's words is no such thing, nor is an address within a request.

use memchr::memmem;
use std::ops::Range;

/// Bytes between host and address that are looked through.
const REACH: usize = 2 << 10;
/// What is asked of an address, with the space behind it.
const METHODS: [&str; 8] = ["CONNECT ", "GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "PATCH "];
/// How the two ends are named, without regard to case.
const SOURCES: [&str; 6] = ["src", "src_ip", "srcip", "source", "saddr", "id.orig_h"];
const TARGETS: [&str; 8] = ["dst", "dst_ip", "dstip", "dest", "dest_ip", "destination", "daddr", "id.resp_h"];

/// Whether the host, at a place of a line, went to the address at another.
pub(crate) fn went(line: &[u8], host: &Range<usize>, address: &Range<usize>) -> bool {
    let Some(between) = line.get(host.end..address.start).filter(|between| between.len() <= REACH) else {
        return false;
    };
    requested(between)
        || arrow_or_port(between)
        || label(&line[..host.start]).is_some_and(|name| SOURCES.contains(&name.as_str()))
            && label(between).is_some_and(|name| TARGETS.contains(&name.as_str()))
}

/// A request stands right before the address, and none before that: in `GET /?u=GET http://…` it is part of what was
/// asked of somebody.
fn requested(between: &[u8]) -> bool {
    let text = ["https://", "http://"].iter().find_map(|scheme| between.strip_suffix(scheme.as_bytes()));
    let text = text.unwrap_or(between);
    METHODS.iter().any(|method| {
        text.strip_suffix(method.as_bytes()).is_some_and(|before| {
            before.last().is_none_or(|b| matches!(b, b' ' | b'"' | b'\t'))
                && METHODS.iter().all(|other| memmem::find(before, other.as_bytes()).is_none())
        })
    })
}

/// `:51234 -> `, `/51234 → `, or a port alone between blanks, as Zeek has it.
fn arrow_or_port(between: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(between) else { return false };
    let (text, arrow) = match ["->", "=>", "→"].iter().find_map(|arrow| text.split_once(arrow)) {
        Some((before, after)) if after.trim().is_empty() => (before, true),
        Some(_) => return false,
        None => (text, false),
    };
    let port = text.trim().trim_start_matches([':', '/', '#']);
    let digits = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    digits && (arrow || !port.is_empty() && text.ends_with([' ', '\t']))
}

/// The name right before a value: `DST=`, `"dest_ip":"`, in small letters.
fn label(before: &[u8]) -> Option<String> {
    let start = before.len().saturating_sub(32);
    let text = String::from_utf8_lossy(&before[start..]);
    let text = text.trim_end_matches(['"', ' ']);
    let text = text.strip_suffix(['=', ':'])?.trim_end_matches(['"', ' ']);
    let name = text.rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.')).next()?;
    Some(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "10.0.0.5";
    const BAD: &str = "203.0.113.7";

    fn says(line: &str) -> bool {
        let at = |text: &str| line.find(text).map(|at| at..at + text.len()).unwrap();
        went(line.as_bytes(), &at(OWN), &at(BAD))
    }

    #[test]
    fn a_host_that_went_there_itself_is_known() {
        for line in [
            "1764288000.123 45 10.0.0.5 TCP_TUNNEL/200 39 CONNECT 203.0.113.7:443 - HIER_DIRECT/203.0.113.7 -",
            "10.0.0.5 - - [28/Nov/2026:04:00:01 +0000] \"GET http://203.0.113.7/load HTTP/1.1\" 200",
            "kernel: IN=eth1 OUT=eth0 SRC=10.0.0.5 DST=203.0.113.7 LEN=60 PROTO=TCP SPT=51000 DPT=443",
            r#"{"src_ip":"10.0.0.5","src_port":51000,"dest_ip":"203.0.113.7","dest_port":443}"#,
            r#"{"id.orig_h": "10.0.0.5", "id.orig_p": 51000, "id.resp_h": "203.0.113.7"}"#,
            "1764288000.1\tCx\t10.0.0.5\t51000\t203.0.113.7\t443\ttcp",
            "TCP 10.0.0.5:51000 -> 203.0.113.7:443",
            "10.0.0.5 -> 203.0.113.7",
        ] {
            assert!(says(line), "{line}");
        }
    }

    #[test]
    fn one_that_was_called_is_not_blamed_nor_one_of_which_no_line_says_it() {
        for line in [
            "203.0.113.7 - - \"GET /wp-login.php HTTP/1.1\" 404 host 10.0.0.5",
            "kernel: SRC=203.0.113.7 DST=10.0.0.5 LEN=60",
            r#"{"dest_ip":"10.0.0.5","src_ip":"203.0.113.7"}"#,
            "203.0.113.7:443 -> 10.0.0.5:22",
            // A proxy in front, a device that tells of others, an address within a request.
            "10.0.0.5 203.0.113.7 - - \"GET / HTTP/1.1\" 200",
            "10.0.0.5 - - \"GET / HTTP/1.1\" 200 \"203.0.113.7\"",
            "10.0.0.5 - - \"GET /?u=http://203.0.113.7/x.sh HTTP/1.1\" 404",
            "10.0.0.5 - - \"POST /?a GET http://203.0.113.7/x.sh HTTP/1.1\" 404",
            "10.0.0.5 kernel: SRC=203.0.113.7 DST=198.51.100.1",
            "10.0.0.5 %ASA-4-106023: Deny tcp src outside:203.0.113.7/4000 dst inside:192.168.0.9/22",
            "10.0.0.5 sshd: Failed password for root from 203.0.113.7 port 4000",
            "10.0.0.5 denied -> rule 7 203.0.113.7",
        ] {
            assert!(!says(line), "{line}");
        }
    }
}
