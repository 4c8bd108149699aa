//! What an event or attribute says about how far it may go: distribution, sharing group, tags.

use crate::json::Members;
use manara_model::tag::{self, TagMarking};
use manara_model::{GroupId, Level, Marking};

/// Names of the tags of an event or attribute.
pub(super) fn tags(members: &Members<'_>) -> Vec<String> {
    let tags = members.list("Tag").unwrap_or_default();
    tags.iter().filter_map(|raw| Members::parse(raw.get()).ok()?.text("name")).collect()
}

/// The marking that its distribution, sharing group and tags make together; warnings in words.
pub(super) fn read(members: &Members<'_>, tags: &[String]) -> TagMarking {
    let mut found = tag::read_marking(tags.iter().map(String::as_str));
    let mut own = Marking::default();
    match members.text("distribution").as_deref() {
        None | Some("5") => {}
        Some("4") => {
            // A group that can't be told is nobody, never everybody (MISP#4200).
            let uuid = members
                .get("SharingGroup")
                .and_then(|raw| Members::parse(raw.get()).ok()?.text("uuid")?.parse().ok())
                .map(GroupId);
            if uuid.is_none() {
                found.warnings.push("distribution 4 without a sharing group: it reaches nobody but its holder".into());
            }
            own.groups.insert(uuid.into_iter().collect());
        }
        Some(number) => match number.parse().ok().and_then(Level::from_number) {
            Some(level) => own.level = Some(level),
            None => {
                found
                    .warnings
                    .push(format!("distribution '{number}' is none of 0 to 5: read as 0, the organisation only"));
                own.level = Some(Level::Organisation);
            }
        },
    }
    found.marking = found.marking.meet(&own);
    found
}
