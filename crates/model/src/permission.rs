//! MISP's permission flags: what a role that an operator put together may do, in detail. Each flag
//! belongs to one of the node's rights; what a right asks for as a whole is read off the same table, so
//! that no door gives more than the flags say.

use crate::role::{Right, Role};
use serde_json::{Map, Value};

/// A flag. Its place in [`TABLE`] is its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Flag {
    /// Add events and what is in them.
    Add,
    /// Change what one has entered oneself.
    Modify,
    /// Change what others of the own organisation have entered.
    ModifyOrg,
    /// Publish events.
    Publish,
    /// Hand events over to other organisations.
    Delegate,
    /// Bring what others wrote.
    Sync,
    /// Manage the own organisation's accounts.
    Admin,
    /// Read the own organisation's log; the log here is the administrator's alone.
    Audit,
    /// Use keys.
    Auth,
    /// Run the node.
    SiteAdmin,
    /// Put tags on things.
    Tagger,
    /// Keep the vocabulary of tags.
    TagEditor,
    /// Make and change sharing groups.
    SharingGroup,
    /// Add sightings.
    Sighting,
    /// Keep object templates.
    ObjectTemplate,
    /// Keep decaying models.
    Decaying,
    /// Make and change clusters.
    GalaxyEditor,
    /// Keep warning lists.
    Warninglist,
    /// See what feeds hold.
    ViewFeedCorrelations,
    /// Write notes, opinions, relationships.
    AnalystData,
    /// Of things that a node does not have: kept and shown, grants nothing.
    RegexpAccess,
    /// Likewise.
    Template,
    /// Likewise.
    PublishZmq,
    /// Likewise.
    PublishKafka,
    /// Likewise: a second factor is never skipped.
    SkipOtp,
}

/// A line of the table.
pub struct Line {
    /// The flag.
    pub flag: Flag,
    /// MISP's name.
    pub name: &'static str,
    /// The right that it is a piece of; `None`: it grants nothing here.
    pub right: Option<Right>,
    /// The right as a whole (at doors that ask for nothing finer) needs this flag.
    pub whole: bool,
}

const fn line(flag: Flag, name: &'static str, right: Option<Right>, whole: bool) -> Line {
    Line { flag, name, right, whole }
}

const READ: Option<Right> = Some(Right::Read);
const WRITE: Option<Right> = Some(Right::Write);
const ADMIN: Option<Right> = Some(Right::Admin);

/// All flags, in the order of their bits.
pub const TABLE: &[Line] = &[
    line(Flag::Add, "perm_add", WRITE, true),
    line(Flag::Modify, "perm_modify", WRITE, true),
    line(Flag::ModifyOrg, "perm_modify_org", WRITE, true),
    // What is imported says itself whether it is published.
    line(Flag::Publish, "perm_publish", WRITE, true),
    line(Flag::Delegate, "perm_delegate", WRITE, false),
    line(Flag::Sync, "perm_sync", Some(Right::Sync), true),
    line(Flag::Admin, "perm_admin", Some(Right::Manage), true),
    line(Flag::Audit, "perm_audit", READ, false),
    line(Flag::Auth, "perm_auth", READ, false),
    line(Flag::SiteAdmin, "perm_site_admin", ADMIN, true),
    line(Flag::Tagger, "perm_tagger", WRITE, true),
    line(Flag::TagEditor, "perm_tag_editor", ADMIN, false),
    line(Flag::SharingGroup, "perm_sharing_group", WRITE, false),
    line(Flag::Sighting, "perm_sighting", WRITE, true),
    line(Flag::ObjectTemplate, "perm_object_template", ADMIN, false),
    line(Flag::Decaying, "perm_decaying", ADMIN, false),
    line(Flag::GalaxyEditor, "perm_galaxy_editor", WRITE, true),
    line(Flag::Warninglist, "perm_warninglist", ADMIN, false),
    line(Flag::ViewFeedCorrelations, "perm_view_feed_correlations", READ, false),
    line(Flag::AnalystData, "perm_analyst_data", WRITE, true),
    line(Flag::RegexpAccess, "perm_regexp_access", None, false),
    line(Flag::Template, "perm_template", None, false),
    line(Flag::PublishZmq, "perm_publish_zmq", None, false),
    line(Flag::PublishKafka, "perm_publish_kafka", None, false),
    line(Flag::SkipOtp, "perm_skip_otp", None, false),
];

/// What a contributor may do.
const CONTRIBUTOR: &[Flag] = &[
    Flag::Add,
    Flag::Modify,
    Flag::ModifyOrg,
    Flag::Audit,
    Flag::Auth,
    Flag::Tagger,
    Flag::Sighting,
    Flag::GalaxyEditor,
    Flag::AnalystData,
];

impl Flag {
    /// Its line of the table.
    #[must_use]
    pub fn line(self) -> &'static Line {
        &TABLE[self as usize]
    }
}

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u32);

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        Flags(flags.into_iter().fold(0, |bits, flag| bits | 1 << flag as u8))
    }
}

impl Flags {
    /// The flags of a fixed role: those whose right it has.
    pub(crate) fn of_rights(has: impl Fn(Right) -> bool) -> Flags {
        TABLE.iter().filter(|line| line.right.is_some_and(&has)).map(|line| line.flag).collect()
    }

    /// Is the flag set?
    #[must_use]
    pub fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    /// The same with or without a flag.
    #[must_use]
    pub fn with(self, flag: Flag, set: bool) -> Flags {
        let bit = 1 << flag as u8;
        Flags(if set { self.0 | bit } else { self.0 & !bit })
    }

    /// Is there nothing in it that is not in the other?
    #[must_use]
    pub fn within(self, other: Flags) -> bool {
        self.0 & !other.0 == 0
    }

    /// Do they make the right as a whole? Whoever has a role reads.
    #[must_use]
    pub fn make(self, right: Right) -> bool {
        TABLE.iter().filter(|line| line.right == Some(right) && line.whole).all(|line| self.has(line.flag))
    }

    /// Is some piece of the right in it? A key that is made for an account may be used for that much.
    #[must_use]
    pub fn touch(self, right: Right) -> bool {
        right == Right::Read || TABLE.iter().any(|line| line.right == Some(right) && self.has(line.flag))
    }

    /// From members of a JSON object (`perm_add: true`); what is not named stays as it is in `held`.
    #[must_use]
    pub fn read(body: &Map<String, Value>, held: Flags) -> Flags {
        TABLE.iter().fold(held, |flags, line| match body.get(line.name) {
            Some(value) => flags.with(line.flag, crate::record::flag_of(Some(value))),
            None => flags,
        })
    }

    /// MISP's `permission`: 0 reads, 1 keeps the own, 2 the organisation's, 3 publishes.
    #[must_use]
    pub fn level(self) -> u8 {
        [Flag::Add, Flag::ModifyOrg, Flag::Publish]
            .into_iter()
            .zip(1..)
            .filter(|(flag, _)| self.has(*flag))
            .map(|(_, level)| level)
            .max()
            .unwrap_or(0)
    }

    /// With the four flags that such a level stands for.
    #[must_use]
    pub fn at_level(self, level: u8) -> Flags {
        [(Flag::Add, 1), (Flag::Modify, 1), (Flag::ModifyOrg, 2), (Flag::Publish, 3)]
            .into_iter()
            .fold(self, |flags, (flag, from)| flags.with(flag, level >= from))
    }
}

impl Role {
    /// What the role may do, in detail.
    #[must_use]
    pub fn flags(self) -> Flags {
        match self {
            Role::Custom { flags, .. } => flags,
            Role::Gone => Flags::default(),
            // As MISP ships its role of that number: all of writing but to publish and to hand on.
            Role::Contributor => CONTRIBUTOR.iter().copied().collect(),
            fixed => Flags::of_rights(|right| fixed.has(right)),
        }
    }

    /// May a key of such an account be made for some of this right?
    #[must_use]
    pub fn touches(self, right: Right) -> bool {
        match self {
            Role::Custom { .. } | Role::Contributor => self.flags().touch(right),
            other => other.has(right),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(flags: Flags) -> Role {
        Role::Custom { uuid: uuid::Uuid::nil(), flags }
    }

    #[test]
    fn every_flag_stands_at_its_bit() {
        for (at, line) in TABLE.iter().enumerate() {
            assert_eq!(line.flag as usize, at, "{}", line.name);
        }
    }

    /// Rights made of flags never go beyond them, whatever the flags.
    #[test]
    fn a_right_is_never_more_than_its_flags() {
        for bits in 0..1u32 << TABLE.len() {
            // All pairs and triples of missing flags would do; every 97th set covers them and ends soon.
            if bits % 97 != 0 {
                continue;
            }
            let flags = Flags(bits);
            for right in Right::ALL {
                let whole = TABLE.iter().filter(|line| line.right == Some(right) && line.whole);
                let all = whole.clone().all(|line| flags.has(line.flag));
                assert_eq!(custom(flags).has(right), all);
                assert!(!custom(flags).has(right) || custom(flags).touches(right));
                assert!(right == Right::Read || whole.count() > 0, "{right:?} would be everybody's");
            }
        }
    }

    #[test]
    fn a_fixed_role_has_the_flags_of_its_rights_and_no_others() {
        for role in Role::ALL {
            for right in Right::ALL {
                assert_eq!(role.flags().make(right), role.has(right), "{} {}", role.name(), right.name());
            }
        }
        assert!(Role::Reader.flags().within(Role::User.flags()) && !Role::OrgAdmin.flags().within(Role::User.flags()));
        assert!(Role::Sync.flags().within(Role::Admin.flags()));
    }

    #[test]
    fn a_role_that_is_gone_may_nothing() {
        for right in Right::ALL {
            assert!(!Role::Gone.has(right) && !Role::Gone.touches(right));
        }
        assert_eq!(Role::Gone.flags(), Flags::default());
    }

    #[test]
    fn levels_are_misps() {
        for level in 0..4 {
            assert_eq!(Flags::default().at_level(level).level(), level);
        }
        assert!(!Flags::default().at_level(1).has(Flag::ModifyOrg));
        assert!(Flags::default().at_level(3).has(Flag::Modify));
    }
}
