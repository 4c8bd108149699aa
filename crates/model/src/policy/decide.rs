//! The rules themselves, in order; the first that says no is the reason. All must say yes
//! ("the strictest wins").

use crate::marking::Recipient;
use crate::{Audience, Label, Level, Marking, OrgId, Pap, Purpose, Tlp, World};
use std::fmt;

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// It stays at the node.
    Node,
    /// It goes to the organisation that holds it.
    Owner,
    /// Not before a date.
    Embargo,
    /// Nothing says that it may go.
    Unmarked,
    /// MISP distribution.
    Distribution,
    /// Sharing groups.
    SharingGroup,
    /// Named recipients.
    Recipients,
    /// TLP 2.0.
    Tlp,
    /// PAP.
    Pap,
    /// The peer's agreement.
    Agreement,
}

impl Rule {
    /// A short name, for reports and tests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Rule::Node => "node",
            Rule::Owner => "owner",
            Rule::Embargo => "embargo",
            Rule::Unmarked => "unmarked",
            Rule::Distribution => "distribution",
            Rule::SharingGroup => "sharing-group",
            Rule::Recipients => "recipients",
            Rule::Tlp => "tlp",
            Rule::Pap => "pap",
            Rule::Agreement => "agreement",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// May go, by this rule.
    Yes(Rule),
    /// May go, with identifiers of persons as pseudonyms.
    Redacted(Rule),
    /// Stays, by this rule.
    No(Rule, &'static str),
}

impl Decision {
    /// May it go, whole or redacted?
    #[must_use]
    pub fn allowed(&self) -> bool {
        !matches!(self, Decision::No(..))
    }

    /// The rule that decided.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Decision::Yes(rule) | Decision::Redacted(rule) | Decision::No(rule, _) => *rule,
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Decision::Yes(Rule::Node) => "it does not leave the node".into(),
            Decision::Yes(Rule::Owner) => "the audience holds it".into(),
            Decision::Yes(rule) => format!("every rule allows it; the last was {rule}"),
            Decision::Redacted(rule) => {
                format!("every rule allows it (the last was {rule}); identifiers of persons go as pseudonyms")
            }
            Decision::No(_, reason) => (*reason).into(),
        }
    }
}

/// Judges a label for an audience. Pure: the same arguments give the same answer.
#[must_use]
pub fn decide(label: &Label, audience: &Audience, purpose: Purpose, world: &World) -> Decision {
    let marking = &label.marking;
    if let Some(no) = pap(marking, purpose) {
        return no;
    }
    if *audience == Audience::Node {
        return Decision::Yes(Rule::Node);
    }
    // A peer is never "the owner": what an organisation's own node gets is decided like any peer's.
    if !matches!(audience, Audience::Peer { .. }) && audience.org() == Some(label.owner) {
        return Decision::Yes(Rule::Owner);
    }
    if marking.embargo.is_some_and(|until| world.now < until) {
        return Decision::No(Rule::Embargo, "its embargo has not ended");
    }
    if marking.is_unmarked() {
        return Decision::No(Rule::Unmarked, "unmarked: only the organisation that holds it");
    }
    let steps = [
        distribution(marking, audience, world),
        groups(marking, audience, world),
        recipients(marking, audience),
        tlp(label, audience, world),
        agreement(marking, audience),
    ];
    if let Some(no) = steps.into_iter().flatten().next() {
        return no;
    }
    let rule = match (marking.tlp, marking.level) {
        (Some(_), _) => Rule::Tlp,
        (None, Some(_)) => Rule::Distribution,
        (None, None) => Rule::SharingGroup,
    };
    Decision::Redacted(rule)
}

fn pap(marking: &Marking, purpose: Purpose) -> Option<Decision> {
    let careful = marking.pap > Some(Pap::Green);
    (purpose == Purpose::Block && careful)
        .then_some(Decision::No(Rule::Pap, "PAP allows passive use only, and blocking is seen by the adversary"))
}

fn distribution(marking: &Marking, audience: &Audience, world: &World) -> Option<Decision> {
    // Without a level, sharing groups, named recipients and TLP are limits of their own.
    let level = marking.level?;
    let needed = match audience {
        Audience::Node => Level::Organisation,
        Audience::Org(org) | Audience::User { org, .. } if world.local.contains(org) => Level::Community,
        // A node of our own community is inside of it.
        Audience::Peer { agreement, .. } if agreement.internal => Level::Community,
        // An organisation elsewhere is reached through a connected node.
        Audience::Org(_) | Audience::User { .. } | Audience::Peer { .. } => Level::Connected,
        Audience::Public => Level::All,
    };
    (level < needed).then_some(Decision::No(
        Rule::Distribution,
        match level {
            Level::Organisation => "distribution 0: the holding organisation only",
            Level::Community => "distribution 1: organisations of this node only",
            _ => "distribution 2: connected communities only",
        },
    ))
}

fn in_group(clause: &std::collections::BTreeSet<crate::GroupId>, audience: &Audience, world: &World) -> bool {
    let Some(org) = audience.org() else { return false };
    clause.iter().filter_map(|id| world.groups.get(id)).any(|group| {
        let node_ok = match audience {
            // A group that names nodes travels only to them; one that names none goes by organisation.
            Audience::Peer { node, .. } => group.nodes.is_empty() || group.nodes.contains(node),
            _ => true,
        };
        group.active && group.orgs.contains(&org) && node_ok
    })
}

fn groups(marking: &Marking, audience: &Audience, world: &World) -> Option<Decision> {
    marking
        .groups
        .iter()
        .any(|clause| !in_group(clause, audience, world))
        .then_some(Decision::No(Rule::SharingGroup, "it is shared with a group that the audience is not in"))
}

fn names(clause: &std::collections::BTreeSet<Recipient>, audience: &Audience) -> bool {
    clause.iter().any(|recipient| match (recipient, audience) {
        (Recipient::User(named), Audience::User { user, .. }) => named == user,
        (Recipient::Org(named), _) => audience.org() == Some(*named),
        _ => false,
    })
}

/// Who is named is named: not even a client of the owner gets what names others.
fn recipients(marking: &Marking, audience: &Audience) -> Option<Decision> {
    let missing = marking.recipients.iter().any(|clause| !names(clause, audience));
    missing.then_some(Decision::No(Rule::Recipients, "it names its recipients, and the audience is not one"))
}

fn is_client(owner: OrgId, audience: &Audience, world: &World) -> bool {
    audience.org().is_some_and(|org| world.is_client(org, owner))
}

/// TLP 2.0 (FIRST): RED named recipients; AMBER+STRICT the recipient's organisation; AMBER that and
/// its clients; GREEN the community; CLEAR all. To be "a recipient" is to be named, or to be in the
/// sharing group it was given to.
fn tlp(label: &Label, audience: &Audience, world: &World) -> Option<Decision> {
    let marking = &label.marking;
    let public = *audience == Audience::Public;
    let named = !marking.recipients.is_empty();
    let given = named || !marking.groups.is_empty(); // the clauses themselves were checked before
    let no = |reason| Some(Decision::No(Rule::Tlp, reason));
    match marking.tlp {
        Some(Tlp::Clear) => None,
        None if public => no("not marked TLP:CLEAR, so not for the public"),
        Some(Tlp::Green) if public => no("TLP:GREEN: the community, not the public"),
        None | Some(Tlp::Green) => None,
        Some(Tlp::Amber) if given || is_client(label.owner, audience, world) => None,
        Some(Tlp::Amber) => {
            no("TLP:AMBER: the organisation and its clients; the audience is neither recipient nor client")
        }
        Some(Tlp::AmberStrict) if given => None,
        Some(Tlp::AmberStrict) => no("TLP:AMBER+STRICT: the organisation only"),
        Some(Tlp::Red) if named => None,
        Some(Tlp::Red) => no("TLP:RED: named recipients only"),
    }
}

fn agreement(marking: &Marking, audience: &Audience) -> Option<Decision> {
    let Audience::Peer { agreement, .. } = audience else { return None };
    (marking.tlp > Some(agreement.max_tlp))
        .then_some(Decision::No(Rule::Agreement, "the agreement with this peer ends below its TLP"))
}
