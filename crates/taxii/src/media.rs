//! Media types (TAXII 2.1 §1.6.8): which a client takes, which it sends. Letter case, quotes, blanks and weights
//! are HTTP's (RFC 9110 §8.3, §12.5.1), and a type without a version is the newest.

/// What every answer is.
pub const TAXII: &str = "application/taxii+json;version=2.1";

/// A media range with what matters of its parameters.
struct Range<'h> {
    kind: &'h str,
    version: Option<&'h str>,
    weight: f32,
}

fn range(text: &str) -> Range<'_> {
    let mut pieces = split_outside_quotes(text, b';').map(str::trim);
    let mut range = Range { kind: pieces.next().unwrap_or_default(), version: None, weight: 1.0 };
    for (name, value) in pieces.filter_map(|piece| piece.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "version" => range.version = Some(value),
            "q" => range.weight = value.parse().unwrap_or(0.0),
            _ => {}
        }
    }
    range
}

fn split_outside_quotes(text: &str, at: u8) -> impl Iterator<Item = &str> {
    let (mut pieces, mut from, mut quoted) = (Vec::new(), 0, false);
    for (n, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            _ if byte == at && !quoted => {
                pieces.push(&text[from..n]);
                from = n + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[from..]);
    pieces.into_iter()
}

/// Does an `Accept` header take TAXII 2.1? One that names nothing takes all.
pub(crate) fn takes_taxii(accept: &str) -> bool {
    if accept.trim().is_empty() {
        return true;
    }
    split_outside_quotes(accept, b',').map(range).any(|range| {
        let kind = range.kind.to_ascii_lowercase();
        let ours = match kind.as_str() {
            "*/*" | "application/*" => true,
            "application/taxii+json" => range.version.is_none_or(|version| version == "2.1"),
            // What people's tools and browsers send; the answer says what it is.
            "application/json" => true,
            _ => false,
        };
        ours && range.weight > 0.0
    })
}

/// Is a `Content-Type` that of a TAXII 2.1 envelope?
pub(crate) fn is_taxii(content_type: &str) -> bool {
    let range = range(content_type);
    range.kind.eq_ignore_ascii_case("application/taxii+json") && range.version.is_none_or(|version| version == "2.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_1_6_8_2_the_version_is_optional_and_means_the_newest() {
        assert!(takes_taxii("application/taxii+json;version=2.1") && takes_taxii("application/taxii+json"));
        assert!(is_taxii("application/taxii+json;version=2.1") && is_taxii("application/taxii+json"));
    }

    #[test]
    fn section_3_1_what_http_allows_in_a_media_type_is_understood() {
        for accept in [
            "Application/TAXII+JSON; Version=2.1",
            "application/taxii+json; version=\"2.1\"",
            "text/html, application/taxii+json;version=2.1;q=0.3",
            "*/*",
            "",
            "application/*;q=0.1",
            "application/vnd.oasis.taxii+json; version=2.0, application/taxii+json; version=2.1",
        ] {
            assert!(takes_taxii(accept), "{accept}");
        }
        assert!(is_taxii("APPLICATION/taxii+json ; charset=utf-8 ; version=\"2.1\""));
    }

    #[test]
    fn section_3_1_another_type_or_version_is_not() {
        for accept in [
            "application/taxii+json;version=2.0",
            "text/html",
            "application/taxii+json;version=2.1;q=0",
            "application/vnd.oasis.taxii+json",
            "x,\"application/taxii+json\"",
        ] {
            assert!(!takes_taxii(accept), "{accept}");
        }
        for sent in ["application/json", "application/taxii+json;version=3", "", "application/stix+json;version=2.1"] {
            assert!(!is_taxii(sent), "{sent}");
        }
    }
}
