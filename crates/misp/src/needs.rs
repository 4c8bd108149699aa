//! Which pieces of a right an action needs, where it needs less than the right as a whole: MISP's
//! permission flags. An action that has no line here needs all of its right.

use crate::table::Action;
use manara_model::permission::Flag;
use manara_store::people::Caller;

type Line = (&'static str, &'static [&'static str], &'static [Flag]);

/// Controller, its actions, the flags that all of them need. An event is changed by who entered it with
/// `Modify`, by others of the organisation with `ModifyOrg` too: that is asked of each event.
const NEEDS: &[Line] = &[
    ("events", &["add", "freetextimport", "enrichevent"], &[Flag::Add]),
    ("events", &["edit", "delete"], &[Flag::Modify]),
    ("events", &["publish", "alert", "unpublish"], &[Flag::Publish]),
    ("events", &["addtag", "removetag"], &[Flag::Tagger]),
    ("events", &["pushproposals"], &[Flag::Sync, Flag::Add]),
    ("attributes", &["add", "enrich"], &[Flag::Add]),
    ("attributes", &["edit", "delete", "restore"], &[Flag::Modify]),
    ("attributes", &["addtag", "removetag"], &[Flag::Tagger]),
    ("objects", &["add"], &[Flag::Add]),
    ("objects", &["edit", "delete"], &[Flag::Modify]),
    ("objectreferences", &["add"], &[Flag::Add]),
    ("objectreferences", &["delete"], &[Flag::Modify]),
    ("shadowattributes", &["add", "edit", "delete"], &[Flag::Add]),
    ("shadowattributes", &["accept", "discard"], &[Flag::Modify]),
    ("eventreports", &["add"], &[Flag::Add]),
    ("eventreports", &["edit", "delete", "restore"], &[Flag::Modify]),
    ("analystdata", &["add", "edit", "delete"], &[Flag::AnalystData]),
    ("analystdata", &["pushanalystdata"], &[Flag::Sync, Flag::AnalystData]),
    ("sightings", &["add", "delete"], &[Flag::Sighting]),
    ("sightings", &["bulksavesightings"], &[Flag::Sync, Flag::Sighting]),
    ("tags", &["add", "attachtagtoobject", "removetagfromobject"], &[Flag::Tagger]),
    ("tags", &["edit", "delete"], &[Flag::TagEditor]),
    ("warninglists", &["toggleenable"], &[Flag::Warninglist]),
    ("galaxies", &["attachcluster"], &[Flag::Tagger]),
    ("galaxies", &["pushcluster"], &[Flag::Sync, Flag::GalaxyEditor]),
    ("galaxyclusters", &["add", "edit", "publish", "unpublish", "delete", "restore"], &[Flag::GalaxyEditor]),
    ("galaxyclusterrelations", &["add", "edit", "delete"], &[Flag::GalaxyEditor]),
    ("decayingmodel", &["import", "add", "edit", "delete", "enable", "disable"], &[Flag::Decaying]),
    (
        "sharinggroups",
        &["add", "edit", "delete", "addorg", "removeorg", "addserver", "removeserver"],
        &[Flag::SharingGroup],
    ),
    ("eventdelegations", &["delegateevent"], &[Flag::Delegate]),
    ("eventdelegations", &["acceptdelegation", "deletedelegation"], &[Flag::Add]),
];

/// The flags that an action needs; none: its right as a whole.
#[must_use]
pub(crate) fn of(controller: &str, action: &str) -> &'static [Flag] {
    NEEDS
        .iter()
        .find(|(one, actions, _)| *one == controller && actions.contains(&action))
        .map_or(&[], |(.., flags)| flags)
}

/// May the caller do this?
#[must_use]
pub(crate) fn met(caller: &Caller, action: &Action) -> bool {
    match of(action.controller, action.action) {
        [] => caller.may(action.right),
        flags => flags.iter().all(|flag| caller.has(*flag)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ACTIONS;
    use std::collections::BTreeSet;

    #[test]
    fn every_line_is_of_an_action_and_of_its_right() {
        let mut seen = BTreeSet::new();
        for (controller, actions, flags) in NEEDS {
            for action in *actions {
                assert!(seen.insert((controller, action)), "{controller}/{action} stands twice");
                let row = ACTIONS.iter().find(|row| row.controller == *controller && row.action == *action);
                let row = row.unwrap_or_else(|| panic!("{controller}/{action} is no action"));
                let mut rights = flags.iter().filter_map(|flag| flag.line().right);
                assert!(rights.any(|right| right == row.right), "{controller}/{action}: no flag is of its right");
            }
        }
    }
}
