//! Policy over random worlds: laws that must hold whatever the world looks like.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_model::marking::Recipient;
use manara_model::policy::{Decision, Rule, decide};
use manara_model::world::Group;
use manara_model::{Audience, GroupId, Label, Level, Marking, OrgId, Pap, Purpose, Tlp, UserId, World};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

fn org(n: u8) -> OrgId {
    OrgId(Uuid::from_u128(0x0100 + u128::from(n)))
}
fn group(n: u8) -> GroupId {
    GroupId(Uuid::from_u128(0x0200 + u128::from(n)))
}
fn user(n: u8) -> UserId {
    UserId(Uuid::from_u128(0x0300 + u128::from(n)))
}

fn markings() -> impl Strategy<Value = Marking> {
    let recipient =
        prop_oneof![(0..5u8).prop_map(|n| Recipient::Org(org(n))), (0..5u8).prop_map(|n| Recipient::User(user(n)))];
    (
        prop::option::of(prop::sample::select(Tlp::ALL.to_vec())),
        prop::option::of(prop::sample::select(vec![Pap::Clear, Pap::Green, Pap::Amber, Pap::Red])),
        prop::option::of((0..4u8).prop_map(|n| Level::from_number(n).unwrap())),
        prop::collection::btree_set(prop::collection::btree_set((0..4u8).prop_map(group), 0..3), 0..2),
        prop::collection::btree_set(prop::collection::btree_set(recipient, 0..3), 0..2),
        prop::option::of(-10..10i64),
    )
        .prop_map(|(tlp, pap, level, groups, recipients, embargo)| Marking {
            tlp,
            pap,
            level,
            groups,
            recipients,
            embargo,
        })
}

fn worlds() -> impl Strategy<Value = World> {
    let one = (prop::collection::btree_set((0..5u8).prop_map(org), 0..3), any::<bool>());
    (prop::collection::btree_set((0..5u8).prop_map(org), 0..5), prop::collection::vec(one, 4), (0..5u8, 0..5u8))
        .prop_map(|(local, groups, (server, client))| World {
            now: 0,
            local,
            clients: HashMap::from([(org(server), BTreeSet::from([org(client)]))]),
            groups: groups
                .into_iter()
                .enumerate()
                .map(|(n, (orgs, active))| (group(n as u8), Group { orgs, active, ..Group::default() }))
                .collect(),
            pseudonym_key: vec![7; 32],
        })
}

fn audiences() -> impl Strategy<Value = Audience> {
    prop_oneof![
        Just(Audience::Node),
        Just(Audience::Public),
        (0..5u8).prop_map(|n| Audience::Org(org(n))),
        (0..5u8, 0..5u8).prop_map(|(u, o)| Audience::User { user: user(u), org: org(o) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// What waits to be taken over is for its holder and for who is asked, and for nobody else.
    #[test]
    fn a_delegation_opens_to_one_organisation_and_no_other(
        marking in markings(), world in worlds(), audience in audiences(), owner in 0..5u8, to in 0..5u8
    ) {
        let (groups, recipients) = (BTreeSet::new(), BTreeSet::new());
        let level = Some(Level::Organisation);
        let marking = Marking { level, groups, recipients, ..marking };
        let delegated = marking.delegated_to(org(to));
        let decision = decide(&Label::new(org(owner), delegated.clone()), &audience, Purpose::Read, &world);
        let parties = [Some(org(owner)), Some(org(to))];
        prop_assert!(!decision.allowed() || audience == Audience::Node || parties.contains(&audience.org()));
        let asked = audience.org() == Some(org(to));
        prop_assert!(!asked || decision.allowed() || marking.embargo.is_some_and(|until| until > world.now));
        let (delegate, held) = delegated.delegation().unwrap();
        prop_assert!(delegate == org(to) && held.is_own_only() && held.delegation().is_none());
    }

    #[test]
    fn meeting_is_a_semilattice(a in markings(), b in markings(), c in markings()) {
        prop_assert_eq!(a.meet(&b), b.meet(&a));
        prop_assert_eq!(a.meet(&a), a.clone());
        prop_assert_eq!(a.meet(&b).meet(&c), a.meet(&b.meet(&c)));
    }

    #[test]
    fn the_public_gets_nothing_that_is_not_tlp_clear(m in markings(), w in worlds()) {
        let label = Label::new(org(0), m.clone());
        if decide(&label, &Audience::Public, Purpose::Read, &w).allowed() {
            prop_assert_eq!(m.tlp, Some(Tlp::Clear));
            prop_assert!(m.groups.is_empty() && m.recipients.is_empty());
            prop_assert!(m.level.is_none_or(|level| level == Level::All));
            prop_assert!(m.embargo.is_none_or(|until| until <= w.now));
        }
    }

    #[test]
    fn a_part_never_reaches_where_its_whole_does_not_unless_it_names(whole in markings(), part in markings(), w in worlds(), a in audiences()) {
        // Naming a recipient inside an AMBER or RED whole is the one thing a label alone can't
        // narrow; the gate asks for the whole's clearance as well, which settles it.
        let whole = Label::new(org(0), whole);
        let names = !part.recipients.is_empty() || !part.groups.is_empty();
        let narrowed = whole.narrowed(&part);
        if !names && decide(&narrowed, &a, Purpose::Read, &w).allowed() {
            prop_assert!(decide(&whole, &a, Purpose::Read, &w).allowed());
        }
    }

    #[test]
    fn the_holder_reads_what_it_holds(m in markings(), w in worlds()) {
        prop_assert_eq!(decide(&Label::new(org(1), m), &Audience::Org(org(1)), Purpose::Read, &w), Decision::Yes(Rule::Owner));
    }

    #[test]
    fn blocking_is_never_allowed_where_reading_is_not(m in markings(), w in worlds(), a in audiences()) {
        let label = Label::new(org(0), m);
        if decide(&label, &a, Purpose::Block, &w).allowed() {
            prop_assert!(decide(&label, &a, Purpose::Read, &w).allowed());
        }
    }
}

fn judged(marking: Marking, audience: &Audience, world: &World) -> Decision {
    decide(&Label::new(org(0), marking), audience, Purpose::Read, world)
}

fn neighbours() -> World {
    World { local: [org(0), org(1), org(2)].into(), ..World::default() }
}

#[test]
fn unmarked_means_the_organisation_only() {
    let world = neighbours();
    assert_eq!(judged(Marking::default(), &Audience::Org(org(1)), &world).rule(), Rule::Unmarked);
    assert_eq!(judged(Marking::default(), &Audience::Public, &world).rule(), Rule::Unmarked);
    assert!(judged(Marking::default(), &Audience::Org(org(0)), &world).allowed());
}

#[test]
fn an_empty_sharing_group_reaches_nobody_misp_4200() {
    let mut world = neighbours();
    let nowhere = Marking::tlp(Tlp::Clear).at(Level::All).to_groups([]);
    assert_eq!(judged(nowhere, &Audience::Org(org(1)), &world).rule(), Rule::SharingGroup);
    world.groups.insert(group(1), Group { active: true, ..Group::default() });
    let memberless = Marking::default().to_groups([group(1)]);
    for audience in [Audience::Org(org(1)), Audience::Public] {
        assert!(!judged(memberless.clone(), &audience, &world).allowed());
    }
}

#[test]
fn a_hubs_administrator_widens_nothing_misp_1720() {
    use manara_model::NodeId;
    use manara_model::audience::Agreement;
    let mut world = neighbours();
    world.groups.insert(group(1), Group { orgs: [org(1)].into(), active: true, ..Group::default() });
    let shared = Marking::tlp(Tlp::Green).to_groups([group(1)]);
    let peer = |o| Audience::Peer { node: NodeId(Uuid::from_u128(9)), org: o, agreement: Agreement::default().into() };
    assert!(judged(shared.clone(), &peer(org(1)), &world).allowed());
    assert_eq!(judged(shared, &peer(org(2)), &world).rule(), Rule::SharingGroup);
    // Even the holder's own second node is a peer like any other.
    assert_eq!(judged(Marking::default(), &peer(org(0)), &world).rule(), Rule::Unmarked);
}

#[test]
fn another_node_of_our_community_has_what_is_for_the_community() {
    use manara_model::NodeId;
    use manara_model::audience::Agreement;
    let world = neighbours();
    let peer = |internal| Audience::Peer {
        node: NodeId(Uuid::from_u128(9)),
        org: org(0),
        agreement: Agreement { internal, ..Agreement::default() }.into(),
    };
    let community = Marking::tlp(Tlp::Green).at(Level::Community);
    assert!(judged(community.clone(), &peer(true), &world).allowed());
    assert_eq!(judged(community, &peer(false), &world).rule(), Rule::Distribution);
    let ours = Marking::tlp(Tlp::Green).at(Level::Organisation);
    assert_eq!(judged(ours, &peer(true), &world).rule(), Rule::Distribution, "what is ours alone leaves no node");
    let amber = Marking::tlp(Tlp::Amber).at(Level::Community);
    assert!(!judged(amber, &peer(true), &world).allowed(), "TLP holds for it as for any other");
}

#[test]
fn tlp_2_as_first_states_it() {
    let mut world = neighbours();
    world.clients.insert(org(0), [org(2)].into());
    let (partner, client) = (Audience::Org(org(1)), Audience::Org(org(2)));
    let all = |tlp| Marking::tlp(tlp).at(Level::All);
    assert!(judged(all(Tlp::Clear), &Audience::Public, &world).allowed());
    assert!(judged(all(Tlp::Green), &partner, &world).allowed());
    assert!(!judged(all(Tlp::Green), &Audience::Public, &world).allowed());
    assert!(!judged(all(Tlp::Amber), &partner, &world).allowed());
    assert!(judged(all(Tlp::Amber), &client, &world).allowed());
    assert!(!judged(all(Tlp::AmberStrict), &client, &world).allowed());
    let named = Marking { recipients: [[Recipient::User(user(1))].into()].into(), ..all(Tlp::Red) };
    assert!(!judged(all(Tlp::Red), &partner, &world).allowed());
    assert!(!judged(named.clone(), &partner, &world).allowed());
    assert!(judged(named, &Audience::User { user: user(1), org: org(1) }, &world).allowed());
}

#[test]
fn an_embargo_holds_until_it_ends() {
    let mut world = neighbours();
    let marking = Marking { embargo: Some(100), ..Marking::tlp(Tlp::Clear) };
    world.now = 99;
    assert_eq!(judged(marking.clone(), &Audience::Public, &world).rule(), Rule::Embargo);
    world.now = 100;
    assert!(judged(marking, &Audience::Public, &world).allowed());
}

#[test]
fn pap_amber_is_not_blocked_with() {
    let world = neighbours();
    let label = Label::new(org(0), Marking { pap: Some(Pap::Amber), ..Marking::tlp(Tlp::Clear) });
    assert_eq!(decide(&label, &Audience::Org(org(0)), Purpose::Block, &world).rule(), Rule::Pap);
    assert!(decide(&label, &Audience::Org(org(1)), Purpose::Detect, &world).allowed());
}
