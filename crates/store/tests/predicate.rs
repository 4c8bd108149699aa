//! The SQL predicate and policy's function agree over random worlds: what a list shows is exactly
//! what the function allows.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_model::marking::Recipient;
use manara_model::policy::decide;
use manara_model::record::{PartDraft, RecordDraft, Sink, Slot};
use manara_model::{Audience, GroupId, Level, Marking, OrgId, Purpose, Tlp, UserId};
use manara_store::Store;
use manara_store::intake::{Intake, Terms};
use manara_store::people::{NewGroup, Organisation};
use manara_store::view::Filter;
use manara_testing::Dice;
use uuid::Uuid;

fn marking(dice: &mut Dice, orgs: &[OrgId], groups: &[GroupId], users: &[UserId]) -> Marking {
    let mut marking = Marking::default();
    if dice.roll(4) > 0 {
        marking.tlp = Some(Tlp::ALL[dice.roll(5)]);
    }
    if dice.roll(2) > 0 {
        marking.level = Level::from_number(dice.roll(4) as u8);
    }
    if dice.roll(4) == 0 {
        marking.groups.insert(dice.some(groups, 2).into_iter().collect());
    }
    if dice.roll(6) == 0 {
        let mut named: Vec<Recipient> = dice.some(orgs, 2).into_iter().map(Recipient::Org).collect();
        named.extend(dice.some(users, 1).into_iter().map(Recipient::User));
        marking.recipients.insert(named.into_iter().collect());
    }
    if dice.roll(8) == 0 {
        marking.embargo = Some(if dice.roll(2) == 0 { 1 } else { i64::MAX / 2000 });
    }
    marking
}

#[test]
fn predicate_and_function_agree_over_random_worlds() {
    let mut dice = Dice::of_now();
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    let mut orgs = vec![made.org.uuid];
    for n in 0..4 {
        orgs.push(store.add_org("test", Organisation::new(&format!("Org {n}"), "", n < 3).unwrap()).unwrap().uuid);
    }
    let groups: Vec<GroupId> = (0..4).map(|n| GroupId(Uuid::from_u128(n + 1))).collect();
    let users: Vec<UserId> = (0..3).map(|n| UserId(Uuid::from_u128(n + 100))).collect();
    let common = manara_model::observable::guess("common.example.com").unwrap();
    for _ in 0..300 {
        let owner = orgs[dice.roll(3)];
        let whole = marking(&mut dice, &orgs, &groups, &users);
        let mut intake = Intake::new(&store, Terms { owner, actor: "test".into(), marking: Marking::default() });
        let uuid = Uuid::new_v4();
        let draft = RecordDraft {
            uuid,
            kind: "event".into(),
            format: "misp".into(),
            title: uuid.to_string(),
            marking: whole,
            skeleton: "{}".into(),
            digest: [dice.roll(256) as u8; 32],
            ..RecordDraft::default()
        };
        assert!(intake.begin(draft).unwrap());
        let mut part = PartDraft::new(Slot::Attribute, "{}");
        part.marking = if dice.roll(2) == 0 { Marking::default() } else { marking(&mut dice, &orgs, &groups, &users) };
        part.found = vec![manara_model::Found { observable: common.clone(), detect: true }];
        intake.part(part).unwrap();
        intake.end().unwrap();
        intake.finish().unwrap();
    }
    let everything =
        store.view(Audience::Node, Purpose::Read).unwrap().heads(&Filter::default(), None, 1000).unwrap().items;
    assert_eq!(everything.len(), 300);
    // The rule is the same function; what a server adds is its SQL, and many more round trips.
    let enough = if manara_testing::embedded() { 10_000 } else { 1_500 };
    let mut worlds = 0;
    while worlds < enough {
        // The same records in another world: other members, other clients.
        let group = groups[dice.roll(4)];
        let members = dice.some(&orgs, 3);
        store
            .put_group(
                "test",
                NewGroup { uuid: group, name: "g".into(), owner: orgs[0], members, shows_members: false },
            )
            .unwrap();
        if dice.roll(20) == 0 {
            let (server, client) = (orgs[dice.roll(5)], orgs[dice.roll(5)]);
            store.add_client("test", server, client).unwrap();
        }
        let mut audiences = vec![Audience::Public];
        audiences.extend(orgs.iter().map(|org| Audience::Org(*org)));
        audiences.extend(orgs.iter().map(|org| Audience::User { user: users[dice.roll(3)], org: *org }));
        for audience in audiences {
            let purpose = [Purpose::Read, Purpose::Detect, Purpose::Block][dice.roll(3)];
            let view = store.view(audience.clone(), purpose).unwrap();
            let world = &view.facts().world;
            let mut listed: Vec<i64> = Vec::new();
            let mut cursor = None;
            loop {
                let page = view.heads(&Filter::default(), cursor, 200).unwrap();
                listed.extend(page.items.iter().map(|head| head.row));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let allowed: Vec<i64> = everything
                .iter()
                .filter(|head| decide(&head.label, &audience, purpose, world).allowed())
                .map(|head| head.row)
                .collect();
            assert_eq!(listed, allowed, "list, {audience} {purpose:?}");
            // Occurrences: the part's label and its whole's.
            let mut parts = 0;
            for head in &everything {
                if !allowed.contains(&head.row) {
                    continue;
                }
                view.parts::<manara_store::StoreError>(head, 0, |_| {
                    parts += 1;
                    Ok(())
                })
                .unwrap();
            }
            assert_eq!(view.lookup(&common, 5).unwrap().total, parts, "look-up, {audience} {purpose:?}");
            worlds += 1;
        }
    }
}
