//! URLs per WHATWG: fragment dropped, default port removed, percent-encoding of letters and digits
//! undone (RFC 3986 §6.2.2.2), hex of the rest in upper case.

use url::Url;

/// `evil.example/x` without a scheme is taken as http.
pub(super) fn url(text: &str) -> Result<String, &'static str> {
    if text.contains(char::is_whitespace) && text.split_whitespace().count() > 1 && !text.contains("://") {
        return Err("it is text with blanks, not a URL");
    }
    let with_scheme;
    let text = if text.contains("://") {
        text
    } else {
        with_scheme = format!("http://{}", text.trim_start_matches('/'));
        &with_scheme
    };
    let mut url = Url::parse(text).map_err(|_| "it can't be read as a URL (WHATWG); is the host right?")?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it has no host");
    }
    url.set_fragment(None);
    let once = percent(url.as_str());
    // Undoing an escape can open another (`%2541`): read again until it stays.
    let again = Url::parse(&once).map_err(|_| "its escapes can't be read")?;
    let twice = percent(again.as_str());
    if once == twice { Ok(once) } else { Err("its percent-escapes have no one meaning") }
}

/// Undoes escapes of unreserved characters, and writes the hex of others in upper case.
fn percent(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex
            .and_then(|hex| u8::from_str_radix(hex, 16).ok().filter(|_| hex.bytes().all(|b| b.is_ascii_hexdigit())))
        {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
                at += 3;
            }
            Some(byte) => {
                out.push_str(&format!("%{byte:02X}"));
                at += 3;
            }
            None => {
                let c = text[at..].chars().next().unwrap_or('%');
                out.push(c);
                at += c.len_utf8();
            }
        }
    }
    out
}
