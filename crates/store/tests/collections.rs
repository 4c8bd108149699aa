//! Collections hold what a plain list would: random worlds of objects, versions out of order, markings and readers
//! against a model; and pages that are read while others write.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_model::policy::decide;
use manara_model::{Audience, Label, Marking, OrgId, Purpose, Tlp};
use manara_store::Store;
use manara_store::collections::{Arrival, Giver, Versions, Wanted};
use manara_store::people::Organisation;
use manara_testing::Dice;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use uuid::Uuid;

const BOX: i64 = 1;
const KINDS: [&str; 3] = ["indicator", "malware", "relationship"];

/// A row as the model has it.
#[derive(Debug, Clone)]
struct Row {
    added: i64,
    kind: String,
    uuid: Uuid,
    version: i64,
    is_2_1: bool,
    label: Label,
    /// What it is nothing without.
    source: Option<String>,
}

impl Row {
    fn id(&self) -> String {
        format!("{}--{}", self.kind, self.uuid)
    }

    fn is_same(&self, other: &Row) -> bool {
        self.uuid == other.uuid && self.kind == other.kind
    }
}

fn arrival(dice: &mut Dice, things: usize) -> Arrival {
    let kind = KINDS[dice.roll(3)];
    let version = (dice.roll(12) > 0).then(|| 1 + dice.roll(6) as i64);
    let tlp = [None, Some(Tlp::Green), Some(Tlp::Amber), Some(Tlp::Red), Some(Tlp::Green)][dice.roll(5)];
    let uuid = Uuid::from_u128(dice.roll(things) as u128);
    let source = (kind == "relationship")
        .then(|| format!("{}--{:X}", KINDS[dice.roll(2)], Uuid::from_u128(dice.roll(things) as u128)));
    let source = source.map_or(String::new(), |id| format!(",\"source_ref\":\"{id}\""));
    Arrival {
        kind: kind.into(),
        uuid,
        version,
        stated: version.map_or(String::new(), |version| version.to_string()),
        is_2_1: dice.roll(3) > 0,
        marking: Marking { tlp, ..Marking::default() },
        personal: Vec::new(),
        body: format!("{{\"type\":\"{kind}\"{source}}}"),
    }
}

fn wanted(dice: &mut Dice, rows: &[Row], things: usize) -> Wanted {
    let mut wanted = Wanted { after: i64::MIN, ..Wanted::default() };
    match dice.roll(4) {
        0 => {}
        1 => wanted.versions = Versions::All,
        _ => {
            let at = (0..dice.roll(3)).map(|_| 1 + dice.roll(6) as i64).collect::<BTreeSet<_>>();
            let (first, last) = (dice.roll(2) == 0, dice.roll(2) == 0);
            if first || last || !at.is_empty() {
                wanted.versions = Versions::Some { first, last, at: at.into_iter().collect() };
            }
        }
    }
    match dice.roll(4) {
        0 => wanted.specs = vec![true],
        1 => wanted.specs = vec![dice.roll(2) == 0],
        2 => wanted.specs = vec![true, false],
        _ => {}
    }
    if dice.roll(3) == 0 {
        wanted.types = (0..1 + dice.roll(2)).map(|_| KINDS[dice.roll(3)].to_owned()).collect();
    }
    if dice.roll(4) == 0 {
        wanted.ids = (0..1 + dice.roll(4))
            .map(|_| (KINDS[dice.roll(3)].to_owned(), Uuid::from_u128(dice.roll(things) as u128)))
            .collect();
    }
    wanted.copies = dice.roll(4) == 0;
    if dice.roll(4) == 0 && !rows.is_empty() {
        wanted.after = rows[dice.roll(rows.len())].added;
    }
    wanted
}

/// What an audience gets, as TAXII 2.1 §3.4.1 has it, from several givers.
fn expected(rows: &[Row], seen: &dyn Fn(&Row) -> bool, wanted: &Wanted) -> Vec<i64> {
    let kept: HashSet<(OrgId, String)> =
        rows.iter().filter(|row| !seen(row)).map(|row| (row.label.owner, row.id())).collect();
    let open: HashSet<String> = rows.iter().filter(|row| seen(row)).map(Row::id).collect();
    let count: Vec<&Row> = rows
        .iter()
        .filter(|row| seen(row) && (wanted.specs.is_empty() || wanted.specs.contains(&row.is_2_1)))
        .collect();
    let is_version = |row: &Row| match &wanted.versions {
        Versions::All => true,
        Versions::Some { first, last, at } => {
            let others = || count.iter().filter(|other| other.is_same(row)).map(|other| other.version);
            *first && others().min() == Some(row.version)
                || *last && others().max() == Some(row.version)
                || at.contains(&row.version)
        }
    };
    let of_versions: Vec<&&Row> = count.iter().filter(|row| is_version(row)).collect();
    let newer_spec = |row: &Row| {
        let of_it = |other: &&&&Row| other.is_same(row) && (!wanted.copies || other.label.owner == row.label.owner);
        of_versions.iter().filter(of_it).any(|other| other.is_2_1)
    };
    // The first that came; where nothing was said of it, of the newer specification.
    let place = |row: &Row| (wanted.specs.is_empty() && !row.is_2_1, row.added);
    let is_first = |row: &Row| {
        let copies = count.iter().filter(|other| other.is_same(row) && other.version == row.version);
        copies.map(|other| place(other)).min() == Some(place(row))
    };
    of_versions
        .iter()
        .filter(|row| row.is_2_1 || !wanted.specs.is_empty() || !newer_spec(row))
        .filter(|row| wanted.copies || is_first(row))
        .filter(|row| row.added > wanted.after)
        .filter(|row| wanted.types.is_empty() || wanted.types.contains(&row.kind))
        .filter(|row| wanted.ids.is_empty() || wanted.ids.contains(&(row.kind.clone(), row.uuid)))
        .filter(|row| {
            row.source.as_ref().is_none_or(|id| open.contains(id) || !kept.contains(&(row.label.owner, id.clone())))
        })
        .map(|row| row.added)
        .collect()
}

/// A collection, which is the node's first entry.
fn open(store: &Store) {
    let made = store.add_entry("test", "collection", "box", (None, None), serde_json::json!({})).unwrap();
    assert_eq!(made.id, BOX);
}

#[test]
fn pages_agree_with_a_plain_list_over_random_worlds() {
    let mut dice = Dice::of_now();
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    open(&store);
    let mut orgs = vec![made.org.uuid];
    for n in 0..2 {
        orgs.push(store.add_org("test", Organisation::new(&format!("Org {n}"), "", true).unwrap()).unwrap().uuid);
    }
    let enough = if manara_testing::embedded() { 150 } else { 25 };
    let things = 12;
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..enough {
        write_some(&mut dice, &store, &orgs, things, &mut rows);
        let audiences =
            [Audience::Node, Audience::Public].into_iter().chain(orgs.iter().map(|org| Audience::Org(*org)));
        for audience in audiences {
            let view = store.view(audience.clone(), Purpose::Read).unwrap();
            let world = &view.facts().world;
            let seen = |row: &Row| decide(&row.label, &audience, Purpose::Read, world).allowed();
            for _ in 0..6 {
                let mut wanted = wanted(&mut dice, &rows, things);
                let all = expected(&rows, &seen, &wanted);
                let asked = wanted.clone();
                let limit = 1 + dice.roll(9);
                let mut found: Vec<i64> = Vec::new();
                loop {
                    let page = view.boxed(BOX, &wanted, limit, true).unwrap();
                    let here: Vec<i64> = page.objects.iter().map(|object| object.added).collect();
                    assert!(here.len() == limit || !page.more, "a page that is not full, {audience} {asked:?}");
                    found.extend(&here);
                    if !page.more {
                        break;
                    }
                    assert_eq!(page.last, here.last().copied(), "where it goes on, {audience} {asked:?}");
                    assert!(found.len() < all.len(), "more where there is no more, {audience} {asked:?} {all:?}");
                    wanted.after = page.last.unwrap();
                }
                assert_eq!(found, all, "{audience} {asked:?}");
            }
        }
    }
}

/// Puts objects in, or takes some out; the model does the same.
fn write_some(dice: &mut Dice, store: &Store, orgs: &[OrgId], things: usize, rows: &mut Vec<Row>) {
    if dice.roll(3) == 0 && rows.len() > 20 {
        let gone: Vec<i64> = (0..1 + dice.roll(3)).map(|_| rows[dice.roll(rows.len())].added).collect();
        let count = gone.iter().collect::<BTreeSet<_>>().len() as u64;
        assert_eq!(store.take_from_box("test", BOX, gone.clone()).unwrap(), count);
        rows.retain(|row| !gone.contains(&row.added));
        return;
    }
    let giver = Giver { org: orgs[dice.roll(orgs.len())], actor: "test".into() };
    let arrivals: Vec<Arrival> = (0..1 + dice.roll(12)).map(|_| arrival(dice, things)).collect();
    let told = store.put_in_box(BOX, &giver, arrivals.clone()).unwrap();
    let held = store.view(Audience::Node, Purpose::Read).unwrap();
    let everything = Wanted {
        after: i64::MIN,
        versions: Versions::All,
        specs: vec![true, false],
        copies: true,
        ..Wanted::default()
    };
    let held = held.boxed(BOX, &everything, 100_000, true).unwrap().objects;
    let mut by_place: BTreeMap<i64, &_> = held.iter().map(|object| (object.added, object)).collect();
    for row in rows.iter() {
        let object = by_place.remove(&row.added).expect("what was there is there");
        assert_eq!((&object.kind, object.uuid, &object.label), (&row.kind, row.uuid, &row.label));
    }
    // What is new, in the order in which it was given.
    let mut new = by_place.into_values();
    for (arrival, (version, is_new)) in arrivals.into_iter().zip(told) {
        let same = |row: &&Row| row.uuid == arrival.uuid && row.kind == arrival.kind && row.label.owner == giver.org;
        let newest = rows.iter().filter(same).map(|row| row.version).max();
        let expected = arrival.version.or(newest);
        let there = expected.is_some_and(|version| rows.iter().filter(same).any(|row| row.version == version));
        assert_eq!(is_new, !there, "{arrival:?}");
        if there {
            assert_eq!(Some(version), expected);
            continue;
        }
        let object = new.next().expect("a new one is there");
        assert_eq!((object.kind.as_str(), object.uuid), (arrival.kind.as_str(), arrival.uuid));
        assert_eq!(version, expected.unwrap_or(object.added));
        assert_eq!(object.raw, arrival.body, "as it came");
        assert!(rows.last().is_none_or(|last| last.added < object.added), "each has a later time");
        let body: serde_json::Value = serde_json::from_str(&arrival.body).unwrap();
        rows.push(Row {
            added: object.added,
            kind: arrival.kind,
            uuid: arrival.uuid,
            version,
            is_2_1: arrival.is_2_1,
            label: Label::new(giver.org, arrival.marking),
            source: body["source_ref"].as_str().map(str::to_lowercase),
        });
    }
    assert!(new.next().is_none(), "nothing else is");
}

#[test]
fn nobody_can_take_anothers_identifier() {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    open(&store);
    let [giver, thief] =
        ["Giver", "Thief"].map(|name| store.add_org("test", Organisation::new(name, "", true).unwrap()).unwrap().uuid);
    let object = |kind: &str, tlp, refers: &str| Arrival {
        kind: kind.into(),
        uuid: Uuid::from_u128(1),
        version: Some(5),
        stated: "5".into(),
        is_2_1: true,
        marking: Marking { tlp: Some(tlp), ..Marking::default() },
        personal: Vec::new(),
        body: format!("{{\"type\":\"{kind}\"{refers}}}"),
    };
    let put = |org, arrival: Arrival| {
        let giver = Giver { org, actor: "test".into() };
        store.put_in_box(BOX, &giver, vec![arrival]).unwrap()[0]
    };
    let read = |org, wanted: &Wanted| {
        let page = store.view(Audience::Org(org), Purpose::Read).unwrap().boxed(BOX, wanted, 9, true).unwrap();
        page.objects.iter().map(|object| (object.kind.clone(), object.label.owner)).collect::<Vec<_>>()
    };
    let last = Wanted { after: i64::MIN, ..Wanted::default() };
    let all = Wanted { versions: Versions::All, ..last.clone() };
    let named = Wanted { versions: Versions::Some { first: true, last: false, at: vec![5] }, ..last.clone() };

    assert_eq!(put(thief, object("malware", Tlp::Red, "")), (5, true));
    assert_eq!(put(giver, object("malware", Tlp::Green, "")), (5, true), "what another has is nobody's business");
    assert_eq!(put(giver, object("malware", Tlp::Green, "")), (5, false));
    // Nor does a copy that nobody sees take away what speaks of the object.
    let refers = format!(",\"source_ref\":\"malware--{}\"", Uuid::from_u128(1));
    assert_eq!(put(giver, object("relationship", Tlp::Green, &refers)), (5, true));
    for wanted in [&last, &all, &named] {
        let of_giver = [("malware".to_owned(), giver), ("relationship".to_owned(), giver)];
        assert_eq!(read(made.org.uuid, wanted), of_giver);
        assert_eq!(read(giver, wanted), of_giver);
        // Who sees both gets the first.
        assert_eq!(read(thief, wanted), [("malware".to_owned(), thief), ("relationship".to_owned(), giver)]);
    }
    let target = format!(",\"target_ref\":\"tool--{}\"", Uuid::from_u128(1));
    put(thief, object("tool", Tlp::Red, ""));
    put(giver, object("note", Tlp::Green, &target));
    put(thief, object("opinion", Tlp::Green, &target));
    let kinds: Vec<String> = read(made.org.uuid, &last).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["malware", "relationship", "note"], "only whose it is keeps it to himself");
}

#[test]
fn who_pages_while_others_write_misses_nothing_and_hears_nothing_twice() {
    const WRITERS: usize = 4;
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    open(&store);
    let other = store.add_org("test", Organisation::new("Other", "", true).unwrap()).unwrap().uuid;
    let rounds = if manara_testing::embedded() { 60 } else { 25 };
    let writing = AtomicUsize::new(WRITERS);
    let (store, writing) = (&store, &writing);
    let mut results: Vec<(Audience, Vec<i64>)> = Vec::new();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let mut dice = Dice::of_now();
                let giver = Giver { org: if writer % 2 == 0 { made.org.uuid } else { other }, actor: "test".into() };
                for _ in 0..rounds {
                    let arrivals = (0..1 + dice.roll(40)).map(|_| arrival(&mut dice, 5000)).collect();
                    store.put_in_box(BOX, &giver, arrivals).unwrap();
                }
                writing.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let readers: Vec<_> = [Audience::Node, Audience::Org(made.org.uuid), Audience::Org(other), Audience::Node]
            .into_iter()
            .map(|audience| {
                scope.spawn(move || {
                    let mut found = Vec::new();
                    let mut wanted = Wanted {
                        after: i64::MIN,
                        versions: Versions::All,
                        specs: vec![true, false],
                        copies: true,
                        ..Wanted::default()
                    };
                    loop {
                        // Before the page: what came since is on the next.
                        let over = writing.load(Ordering::SeqCst) == 0;
                        let page = store
                            .view(audience.clone(), Purpose::Read)
                            .unwrap()
                            .boxed(BOX, &wanted, 37, false)
                            .unwrap();
                        found.extend(page.objects.iter().map(|object| object.added));
                        wanted.after = found.last().copied().unwrap_or(i64::MIN);
                        if over && !page.more {
                            return (audience, found);
                        }
                    }
                })
            })
            .collect();
        results.extend(readers.into_iter().map(|reader| reader.join().unwrap()));
    });
    for (audience, found) in results {
        let wanted = Wanted {
            after: i64::MIN,
            versions: Versions::All,
            specs: vec![true, false],
            copies: true,
            ..Wanted::default()
        };
        let all = store.view(audience, Purpose::Read).unwrap().boxed(BOX, &wanted, 1_000_000, false).unwrap();
        let all: Vec<i64> = all.objects.iter().map(|object| object.added).collect();
        assert!(all.len() > 1000);
        assert_eq!(found, all);
    }
}
