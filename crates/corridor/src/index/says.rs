//! What a feed says of a value (a family, a threat, a comment), fit to stand beside it: short, on one line, each once.

use manara_model::observable::misp_type;
use manara_model::record::Slot;
use serde::Deserialize;
use std::borrow::Cow;

/// Texts that are kept of one value and source.
const MOST: usize = 8;
/// Characters of one.
const LONGEST: usize = 200;

/// The texts as they are kept.
pub(super) fn tidied<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        let mut short = String::new();
        for word in text.split(unseen).filter(|word| !word.is_empty()) {
            if !short.is_empty() {
                short.push(' ');
            }
            short.push_str(word);
        }
        if let Some((end, _)) = short.char_indices().nth(LONGEST) {
            short.truncate(end);
            short.push('…');
        }
        if !short.is_empty() && kept.len() < MOST && !kept.contains(&short) {
            kept.push(short);
        }
    }
    kept
}

/// Spaces, and what has no shape of its own: controls, marks of direction, what has no width.
fn unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What stands beside the value of an attribute.
#[derive(Deserialize)]
struct Beside<'a> {
    #[serde(borrow, default, rename = "type")]
    ty: Cow<'a, str>,
    #[serde(borrow, default)]
    category: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    comment: Option<Cow<'a, str>>,
}

/// What an object of STIX says of what it is.
#[derive(Deserialize)]
struct Described<'a> {
    #[serde(borrow, default, rename = "type")]
    ty: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
}

/// What an attribute of MISP says of its value: its comment, and its category where it is not the usual one of its type;
/// of a STIX indicator its description.
pub(super) fn of_part(slot: Slot, raw: &str) -> Vec<String> {
    if slot == Slot::Whole {
        let object = serde_json::from_str::<Described<'_>>(raw).ok().filter(|object| object.ty == "indicator");
        return tidied(object.as_ref().and_then(|object| object.description.as_deref()));
    }
    if !matches!(slot, Slot::Attribute | Slot::ObjectAttribute) {
        return Vec::new();
    }
    let Ok(beside) = serde_json::from_str::<Beside<'_>>(raw) else { return Vec::new() };
    let usual = misp_type(&beside.ty).map_or("", |ty| ty.default_category);
    let category = beside.category.as_deref().filter(|category| *category != usual);
    tidied(beside.comment.as_deref().into_iter().chain(category))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_visible_and_each_once() {
        let long = "é".repeat(300);
        let kept = tidied([" Emotet\u{202e}\n C2 ", "Emotet C2", "", "\u{200b}", &long]);
        assert_eq!(kept[0], "Emotet C2");
        assert_eq!((kept.len(), kept[1].chars().count()), (2, LONGEST + 1));
        let many: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        assert_eq!(tidied(many.iter().map(String::as_str)).len(), MOST);
    }

    #[test]
    fn an_indicator_is_described() {
        let said = |raw: &str| of_part(Slot::Whole, raw);
        assert_eq!(said(r#"{"type": "indicator", "description": "Emotet\n  \"C2\""}"#), ["Emotet \"C2\""]);
        let long = format!(r#"{{"type": "indicator", "description": "{}"}}"#, "x".repeat(1000));
        assert_eq!(said(&long)[0].chars().count(), LONGEST + 1);
        for raw in ["", r#"{"type": "indicator"}"#, r#"{"type": "indicator", "description": 7}"#] {
            assert_eq!(said(raw), [""; 0]);
        }
        assert_eq!(said(r#"{"type": "report", "description": "of all"}"#), [""; 0]);
    }

    #[test]
    fn the_usual_category_says_nothing() {
        let said = |raw: &str| of_part(Slot::Attribute, raw);
        assert_eq!(said(r#"{"type": "domain", "category": "Network activity", "comment": ""}"#), [""; 0]);
        assert_eq!(
            said(r#"{"type": "domain", "category": "Payload delivery", "comment": "second \"stage\""}"#),
            ["second \"stage\"", "Payload delivery"]
        );
        assert_eq!(said(r#"{"type": "domain", "comment": null}"#), [""; 0]);
        assert_eq!(said(r#"{"type": 7}"#), [""; 0]);
        assert_eq!(of_part(Slot::Line, r#"{"comment": "x"}"#), [""; 0]);
    }
}
