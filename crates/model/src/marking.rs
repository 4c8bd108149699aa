//! Markings: TLP 2.0 (FIRST, August 2022), PAP, MISP distribution, sharing groups, named recipients
//! and an embargo. A marking is a conjunction: every line of it must allow the audience.

use crate::{GroupId, OrgId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Traffic Light Protocol 2.0, from wide to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tlp {
    /// No limit on disclosure (TLP 1.0: WHITE).
    Clear,
    /// The community, not the public.
    Green,
    /// The recipient's organisation and its clients.
    Amber,
    /// The recipient's organisation only.
    #[serde(rename = "amber+strict")]
    AmberStrict,
    /// Named recipients only.
    Red,
}

impl Tlp {
    /// Every level, from wide to strict.
    pub const ALL: [Tlp; 5] = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];

    /// Lower-case name as in the `tlp` taxonomy: `clear`, `green`, `amber`, `amber+strict`, `red`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Tlp::Clear => "clear",
            Tlp::Green => "green",
            Tlp::Amber => "amber",
            Tlp::AmberStrict => "amber+strict",
            Tlp::Red => "red",
        }
    }

    /// Reads a level by name, in any case, with or without `tlp:`; TLP 1.0's `white` is `clear`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Tlp> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.strip_prefix("tlp:").unwrap_or(&lower) {
            "clear" | "white" => Some(Tlp::Clear),
            "green" => Some(Tlp::Green),
            "amber" => Some(Tlp::Amber),
            "amber+strict" | "amber-strict" | "amber_strict" => Some(Tlp::AmberStrict),
            "red" => Some(Tlp::Red),
            _ => None,
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLP:{}", self.name().to_ascii_uppercase())
    }
}

/// Permissible Actions Protocol: what a recipient may do, from free to careful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pap {
    /// No restriction (older name: WHITE).
    Clear,
    /// Active actions allowed: block, ping.
    Green,
    /// Passive checks, also with third parties.
    Amber,
    /// Only actions that can't be seen from outside.
    Red,
}

impl Pap {
    /// Upper-case name as in the `PAP` taxonomy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Pap::Clear => "CLEAR",
            Pap::Green => "GREEN",
            Pap::Amber => "AMBER",
            Pap::Red => "RED",
        }
    }

    /// Reads a level by name, in any case, with or without `PAP:`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Pap> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.strip_prefix("pap:").unwrap_or(&lower) {
            "clear" | "white" => Some(Pap::Clear),
            "green" => Some(Pap::Green),
            "amber" => Some(Pap::Amber),
            "red" => Some(Pap::Red),
            _ => None,
        }
    }
}

/// How far the owner lets it travel: MISP distribution 0 to 3. Sharing groups (4) are
/// [`Marking::groups`]; "inherit" (5) is the absence of a level of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// 0: the owner's organisation.
    Organisation,
    /// 1: the organisations of this node.
    Community,
    /// 2: and of the nodes it is connected with, one hop.
    Connected,
    /// 3: all communities.
    All,
}

impl Level {
    /// MISP's number, 0 to 3.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// From MISP's number, 0 to 3.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Level> {
        [Level::Organisation, Level::Community, Level::Connected, Level::All].get(usize::from(number)).copied()
    }
}

/// Someone who is named as a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipient {
    /// Everybody in an organisation.
    Org(OrgId),
    /// One account.
    User(UserId),
}

/// A conjunction of limits. The default value is *unmarked*, which policy reads as
/// "the owner's organisation only".
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Marking {
    /// Traffic Light Protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
    /// Permissible Actions Protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pap: Option<Pap>,
    /// Distribution 0 to 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Each clause is a union of sharing groups; the audience must be in one group of *every* clause.
    /// An empty clause (distribution 4 without a group) is nobody: never everybody (MISP#4200).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<BTreeSet<GroupId>>,
    /// Each clause names recipients; the audience must be named in every clause.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub recipients: BTreeSet<BTreeSet<Recipient>>,
    /// Not before this time (Unix seconds) to anyone but the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embargo: Option<i64>,
}

impl Marking {
    /// A marking that says only a TLP level.
    #[must_use]
    pub fn tlp(tlp: Tlp) -> Self {
        Marking { tlp: Some(tlp), ..Marking::default() }
    }

    /// Adds a distribution level.
    #[must_use]
    pub fn at(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Adds a clause of sharing groups (their union).
    #[must_use]
    pub fn to_groups(mut self, groups: impl IntoIterator<Item = GroupId>) -> Self {
        self.groups.insert(groups.into_iter().collect());
        self
    }

    /// True when nothing says how far it may go: policy keeps it with its owner.
    /// PAP and embargo restrict, they don't permit; alone they leave it unmarked.
    #[must_use]
    pub fn is_unmarked(&self) -> bool {
        self.tlp.is_none() && self.level.is_none() && self.groups.is_empty() && self.recipients.is_empty()
    }

    /// True when nothing but the holder's own organisation may have it.
    #[must_use]
    pub fn is_own_only(&self) -> bool {
        self.is_unmarked() || self.level == Some(Level::Organisation)
    }

    /// The marking of something that stays in its organisation, while another one is asked to take it over:
    /// that one is its only recipient, whatever TLP says of others.
    #[must_use]
    pub fn delegated_to(&self, org: OrgId) -> Marking {
        let recipients = BTreeSet::from([BTreeSet::from([Recipient::Org(org)])]);
        Marking { level: None, recipients, ..self.clone() }
    }

    /// Who is asked to take it over, and its marking without that. Nothing else names recipients of a record.
    #[must_use]
    pub fn delegation(&self) -> Option<(OrgId, Marking)> {
        let (None, 1, Some(clause)) = (self.level, self.recipients.len(), self.recipients.first()) else { return None };
        let (1, Some(Recipient::Org(org))) = (clause.len(), clause.first()) else { return None };
        Some((*org, Marking { level: Some(Level::Organisation), recipients: BTreeSet::new(), ..self.clone() }))
    }

    /// Both markings hold: the strictest of each wins. Associative, commutative, idempotent;
    /// `Marking::default()` is *not* strict here but neutral: a part without marking inherits.
    #[must_use]
    pub fn meet(&self, other: &Marking) -> Marking {
        Marking {
            tlp: self.tlp.max(other.tlp),
            pap: self.pap.max(other.pap),
            level: match (self.level, other.level) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            groups: self.groups.union(&other.groups).cloned().collect(),
            recipients: self.recipients.union(&other.recipients).cloned().collect(),
            embargo: self.embargo.max(other.embargo),
        }
    }

    /// The same limits with nothing left to be understood, so that a part's marking can only narrow
    /// it: unmarked becomes "organisation", and a missing TLP becomes GREEN (which is how policy
    /// reads a distribution without TLP: not for the public).
    #[must_use]
    pub fn explicit(&self) -> Marking {
        let mut marking = self.clone();
        if marking.is_unmarked() {
            marking.level = Some(Level::Organisation);
        }
        marking.tlp = marking.tlp.or(Some(Tlp::Green));
        marking
    }

    /// What a relay passes on: distribution falls by one hop ("connected" becomes "this community").
    #[must_use]
    pub fn one_hop_on(&self) -> Marking {
        let mut next = self.clone();
        if next.level == Some(Level::Connected) {
            next.level = Some(Level::Community);
        }
        next
    }

    /// MISP's distribution number of this marking: 0 to 4, or 5 where it says nothing.
    #[must_use]
    pub fn distribution(&self) -> u8 {
        match (self.level, self.groups.is_empty()) {
            (Some(Level::Organisation), _) => 0,
            (_, false) => 4,
            (Some(level), true) => level.number(),
            (None, true) => 5,
        }
    }
}

impl fmt::Display for Marking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unmarked() {
            f.write_str("unmarked (owner's organisation only)")?;
        }
        let mut sep = "";
        if let Some(tlp) = self.tlp {
            write!(f, "{tlp}")?;
            sep = ", ";
        }
        if let Some(level) = self.level {
            write!(f, "{sep}distribution {}", level.number())?;
            sep = ", ";
        }
        if !self.groups.is_empty() {
            write!(f, "{sep}sharing group")?;
            sep = ", ";
        }
        if !self.recipients.is_empty() {
            write!(f, "{sep}named recipients")?;
            sep = ", ";
        }
        if let Some(pap) = self.pap {
            write!(f, "{sep}PAP:{}", pap.name())?;
            sep = ", ";
        }
        if let Some(embargo) = self.embargo {
            write!(f, "{sep}embargo until {}", crate::record::rfc3339(embargo.saturating_mul(1000)))?;
        }
        Ok(())
    }
}
