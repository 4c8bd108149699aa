//! The documentation says what the table of actions says. After a change that is meant:
//! `MANARA_UPDATE=1 cargo nextest run -p manara-misp`, and read the difference.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_misp::{ACTIONS, documentation};
use std::collections::BTreeSet;

#[test]
fn the_documentation_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/misp-api.md");
    if std::env::var_os("MANARA_UPDATE").is_some() {
        std::fs::write(path, documentation()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), documentation(), "docs/misp-api.md is of another table");
}

#[test]
fn no_action_stands_twice() {
    let mut seen = BTreeSet::new();
    for action in ACTIONS {
        assert!(seen.insert((action.controller, action.action)), "{}/{}", action.controller, action.action);
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '*');
        assert!(plain(action.controller) && plain(action.action), "{}/{}", action.controller, action.action);
    }
}
