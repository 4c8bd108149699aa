//! Tags that are markings in disguise. TLP and PAP arrive as tags and are read into the marking;
//! two of a kind mean the strictest, and a warning (MISP#2223).

use crate::{Marking, Pap, Tlp};

/// The marking that a set of tags expresses, and warnings about contradictions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TagMarking {
    /// Strictest of what the tags say.
    pub marking: Marking,
    /// In words, for the import report.
    pub warnings: Vec<String>,
}

/// Reads TLP and PAP tags; other tags are passed over. An unknown level in those two
/// namespaces (`tlp:purple`) counts as the strictest, since it was meant to restrict.
#[must_use]
pub fn read_marking<'a>(tags: impl IntoIterator<Item = &'a str>) -> TagMarking {
    let mut found = TagMarking::default();
    let (mut tlps, mut paps): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for tag in tags {
        let lower = tag.trim().to_ascii_lowercase();
        if let Some(level) = lower.strip_prefix("tlp:") {
            let tlp = match level {
                // The Chatham House variant and "unclear" of the taxonomy: not to be passed on as they are.
                "ex:chr" => Tlp::Amber,
                _ => Tlp::parse(level).unwrap_or_else(|| {
                    found.warnings.push(format!("'{}' is no TLP 2.0 level; read as TLP:RED", tag.trim()));
                    Tlp::Red
                }),
            };
            if !tlps.contains(&tag) {
                tlps.push(tag);
            }
            found.marking.tlp = found.marking.tlp.max(Some(tlp));
        } else if let Some(level) = lower.strip_prefix("pap:") {
            let pap = Pap::parse(level).unwrap_or_else(|| {
                found.warnings.push(format!("'{}' is no PAP level; read as PAP:RED", tag.trim()));
                Pap::Red
            });
            if !paps.contains(&tag) {
                paps.push(tag);
            }
            found.marking.pap = found.marking.pap.max(Some(pap));
        }
    }
    for several in [tlps, paps] {
        if several.len() > 1 {
            found.warnings.push(format!("several marks ({}): the strictest holds", several.join(", ")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tlp_marks_mean_the_strictest_and_a_warning_misp_2223() {
        let found = read_marking(["tlp:white", "malware", "TLP:AMBER"]);
        assert_eq!(found.marking.tlp, Some(Tlp::Amber));
        assert_eq!(found.warnings.len(), 1);
        assert!(found.warnings[0].contains("tlp:white, TLP:AMBER"));
    }

    #[test]
    fn an_unknown_level_restricts() {
        let found = read_marking(["tlp:unclear"]);
        assert_eq!(found.marking.tlp, Some(Tlp::Red));
        assert_eq!(found.warnings.len(), 1);
    }

    #[test]
    fn one_mark_is_no_contradiction() {
        let found = read_marking(["PAP:RED", "tlp:amber+strict", "tlp:amber+strict"]);
        assert_eq!(found.marking.tlp, Some(Tlp::AmberStrict));
        assert_eq!(found.marking.pap, Some(Pap::Red));
        assert!(found.warnings.is_empty());
    }
}
