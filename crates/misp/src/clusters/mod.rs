//! Clusters of galaxies: imported ones, which are the node's knowledge, and own ones. An own cluster is a
//! record with a holder and a marking, as an event is, and each of its relations is a part with a marking of
//! its own: so the same rules hold for them.

mod blocks;
mod capture;
mod edit;
mod keep;
mod relations;
mod search;
mod shelf;
mod show;

pub(crate) use blocks::counted;
pub(crate) use capture::Coming;
pub(crate) use shelf::{Cluster, Shelf};
pub(crate) use show::galaxy_value;

use uuid::Uuid;

/// The kind of record that an own cluster is.
pub(crate) const KIND: &str = "galaxy-cluster";
/// The kind of entry for one that was deleted for good: it does not come back from elsewhere.
pub(crate) const BLOCKED: &str = "galaxyclusterblocklist";

/// The tag of an own cluster.
#[must_use]
pub(crate) fn own_tag(galaxy: &str, uuid: Uuid) -> String {
    format!("misp-galaxy:{galaxy}=\"{uuid}\"")
}

/// Type of the galaxy and name of the cluster that a tag names.
#[must_use]
pub(crate) fn named_by(tag: &str) -> Option<(&str, &str)> {
    const SPACE: &str = "misp-galaxy:";
    let (space, rest) = tag.split_at_checked(SPACE.len())?;
    let (galaxy, name) = rest.split_once("=\"")?;
    space.eq_ignore_ascii_case(SPACE).then_some((galaxy, name.strip_suffix('"')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_a_galaxy_and_a_cluster() {
        assert_eq!(named_by("misp-galaxy:threat-actor=\"APT 1\""), Some(("threat-actor", "APT 1")));
        assert_eq!(named_by("MISP-Galaxy:a=\"b=\"c\"\""), Some(("a", "b=\"c\"")));
        for no in ["tlp:red", "misp-galaxy:a", "misp-galaxy:a=\"b", "misp-gäl", ""] {
            assert_eq!(named_by(no), None, "{no}");
        }
        assert_eq!(named_by(&own_tag("sector", Uuid::nil())), Some(("sector", Uuid::nil().to_string().as_str())));
    }
}
