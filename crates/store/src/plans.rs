//! Every question that the store asks has a plan without a walk over a table that grows.
//!
//! The test does everything that a node does from day to day and collects the SQL; the engine explains
//! each. What reads everything on purpose is named in [`MEANT`], with the reason.

use crate::Store;
use crate::engine::{Conn, Place, Use};
use crate::intake::{Intake, Terms};
use crate::jobs::NewJob;
use crate::people::{NewAccount, NewGroup};
use crate::sightings::{AttributeSighting, NewSighting, SightingFilter};
use crate::view::{EventFilter, Filter, Order, Sign, Span, Tags, Which};
use crate::{Amendment, Change};
use manara_model::observable::{Reach, guess};
use manara_model::record::{Found, PartDraft, RecordDraft, SightingDraft, Sink, Slot};
use manara_model::role::{Right, Role};
use manara_model::{Audience, GroupId, Marking, OrgId, Purpose, Tlp, UserId};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

static ASKED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes a question.
pub(crate) fn asked(sql: &str) {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(sql.split_whitespace().collect::<Vec<_>>().join(" "));
}

/// Tables that grow with what the node takes in. The others (organisations, accounts, groups, labels,
/// tags) grow with its community, and some of them are read whole: see `facts`.
const GROWING: &[&str] = &[
    "record",
    "r",
    "o",
    "c",
    "chunk",
    "part_uuid",
    "observable",
    "reach",
    "x",
    "occurrence",
    "sighting",
    "record_tag",
    "t",
    "text_doc",
    "d",
    "audit",
    "attempt",
    "e",
    "event",
    "event_count",
    "part_tag",
    "p",
    "moved",
    "past",
    "job",
    "j",
    "feed_value",
    "mine",
    "other",
    "boxed",
    "b",
    "n",
    "submission",
    "fresh",
    "member",
    "m",
    "member_object",
    "o",
];

/// Pieces of questions that read everything, and why they may.
const MEANT: &[(&str, &str)] = &[
    ("SELECT count(*) FROM occurrence o JOIN record r", "verify reads everything"),
    ("FROM tag t LEFT JOIN record_tag x", "the node's vocabulary with its use, for its operator"),
    ("DELETE FROM attempt WHERE last <", "failed log-ins of a day"),
    (
        "SELECT coalesce(max(id), 0) * 100000 + count(*) FROM record WHERE kind",
        "of warning lists, of which there are hundreds",
    ),
    ("INSERT INTO label (owner, marking)", "a foreign key's walk, made only where a violation is open already"),
    ("DELETE FROM session WHERE expires <", "sessions of a day"),
    ("SELECT 1 FROM record_tag WHERE tag = ?1 UNION ALL", "one row is enough"),
    ("SELECT 1 FROM record WHERE state = 1 AND kind = ?1", "one row is enough"),
    ("SELECT count(*) FROM record_tag t JOIN", "how often a tag is used is what is asked"),
    ("SELECT count(*) FROM part_tag t JOIN", "how often a tag is used is what is asked"),
    ("SELECT count(*) FROM record r JOIN event e", "how many events there are is part of every index of MISP's"),
    ("SELECT DISTINCT e.author FROM event e", "who wrote what may be seen, for a list of organisations"),
    ("SELECT id FROM observable WHERE value LIKE", "values by a pattern: all of them are tried"),
    (
        "SELECT observable FROM occurrence GROUP BY",
        "values that stand in most records: counted on an administrator's word",
    ),
    ("AND e.extends = ?", "every filter at once, in an order of its own"),
];

fn event(n: u128) -> (RecordDraft, PartDraft) {
    let draft = RecordDraft {
        uuid: Uuid::from_u128(n % 40),
        kind: "event".into(),
        format: "misp".into(),
        title: format!("event {n}"),
        tags: vec![format!("tag:{}", n % 3)],
        marking: Marking { level: manara_model::Level::from_number((n % 4) as u8), ..Marking::default() },
        skeleton: "{}".into(),
        digest: [n as u8; 32],
        ..RecordDraft::default()
    };
    let mut part = PartDraft::new(Slot::Attribute, "{}");
    part.uuid = Some(Uuid::from_u128(1000 + n));
    part.comment = format!("a comment {n}");
    part.found = ["common.example.com".into(), format!("h{n}.example.com"), format!("192.0.2.{}", n % 250)]
        .iter()
        .map(|value: &String| Found { observable: guess(value).unwrap(), detect: true })
        .collect();
    (draft, part)
}

fn everything_a_node_does(store: &Store, owner: OrgId) {
    for n in 0..60 {
        let mut intake = Intake::new(store, Terms { owner, actor: "test".into(), marking: Marking::default() });
        let (draft, part) = event(n);
        if intake.begin(draft).unwrap() {
            intake.part(part).unwrap();
            intake.sighting(SightingDraft {
                uuid: Uuid::from_u128(n),
                observable: guess("common.example.com").unwrap(),
                kind: 0,
                seen: 0,
                source: String::new(),
                org: None,
            });
            intake.end().unwrap();
        }
        intake.finish().unwrap();
    }
    let bank = store.add_org("t", crate::people::Organisation::new("Bank", "TR", true).unwrap()).unwrap();
    store.add_client("t", owner, bank.uuid).unwrap();
    let group =
        NewGroup { uuid: GroupId(Uuid::nil()), name: "g".into(), owner, members: vec![bank.uuid], shows_members: true };
    store.put_group("t", group).unwrap();
    let made =
        store.add_account("t", NewAccount { org: bank.uuid, email: "b@b.example".into(), role: Role::User }).unwrap();
    let flags = serde_json::json!({"name": "own", "perm_auth": true}).as_object().cloned().unwrap();
    let role = store.add_role("t", flags.clone()).unwrap();
    store.set_role("t", &role, flags).unwrap();
    store.set_default_role("t", role.role()).unwrap();
    assert_eq!(store.default_role().unwrap(), role.role());
    store.set_default_role("t", Role::User).unwrap();
    store.role_named("own").unwrap();
    store.role_name(role.role()).unwrap();
    store.remove_role("t", &role).unwrap();
    store.add_tag("t", "unused").unwrap();
    let unused = store.tag_by_name("unused").unwrap().unwrap();
    store.rename_tag("t", unused.id, "renamed").unwrap();
    let from = Some(std::net::IpAddr::from([192, 0, 2, 1]));
    store.register("new@b.example", serde_json::json!({}), from).unwrap();
    let observable = guess("common.example.com").unwrap();
    let sighting = NewSighting {
        uuid: None,
        observable: observable.clone(),
        kind: 1,
        org: owner,
        marking: Marking::default(),
        seen: 0,
        count: 3,
        source: "s".into(),
    };
    store.add_sightings("t", vec![sighting]).unwrap();
    store.log_in("b@b.example", &made.password, "", None).unwrap();
    store.log_in("b@b.example", "wrong", "", None).unwrap();
    let remembered = crate::people::Remembered::default();
    for _ in 0..2 {
        store.basic(&remembered, "b@b.example", &made.password, from).unwrap();
    }
    let token = store.begin_session(made.uuid).unwrap();
    store.session(&token).unwrap();
    store.end_session(&token).unwrap();
    store.caller(&made.api_key).unwrap();
    store.add_key("t", "b@b.example", "", &[Right::Read], None).unwrap();
    store.keys(None).unwrap();
    store.audit(Some(5), 10).unwrap();
    store.withdraw("t", Some(owner), Uuid::from_u128(39), Some("event"), "test").unwrap();
    store.leftovers().unwrap();
    store.lease("l", "h", std::time::Duration::ZERO).unwrap();
    store.tags().unwrap();
    store.health().unwrap();

    let audiences = [
        Audience::Node,
        Audience::Public,
        Audience::Org(bank.uuid),
        Audience::User { user: UserId(Uuid::nil()), org: owner },
    ];
    for audience in audiences {
        let view = store.view(audience, Purpose::Read).unwrap();
        let cursor = view.heads(&Filter::default(), None, 3).unwrap().next;
        let (kind, tag, since) = (Some("event".to_owned()), Some("tag:1".to_owned()), Some(1));
        for filter in [
            Filter::default(),
            Filter { kind: kind.clone(), ..Filter::default() },
            Filter { tag: tag.clone(), ..Filter::default() },
            Filter { since, ..Filter::default() },
            Filter { owner: Some(owner), ..Filter::default() },
            Filter { kind, tag, since, owner: Some(owner) },
        ] {
            view.heads(&filter, None, 3).unwrap();
            view.heads_with_bodies(&filter, cursor, 3).unwrap();
        }
        view.newest(&Filter { kind: Some("warninglist".into()), ..Filter::default() }).unwrap();
        view.lookup(&observable, 5).unwrap();
        let next = view.text("comment", None, 3).unwrap().next;
        view.text("comment", next, 3).unwrap();
        view.why(Uuid::from_u128(1)).unwrap();
        if let Some(head) = view.record(Uuid::from_u128(1)).unwrap() {
            view.parts::<crate::StoreError>(&head, 0, |_| Ok(())).unwrap();
            view.correlations(&head, 10, 3).unwrap();
        }
        view.beginning(observable.ty(), "com", 5).unwrap();
        for reach in [Reach::Name("com.example".into()), guess("192.0.2.0/24").unwrap().reach().unwrap()] {
            view.below(&reach, 5).unwrap();
            view.around(&reach).unwrap();
        }
    }
    the_misp_door(store, owner, bank.uuid);
    store.verify().unwrap();
}

/// What the MISP door asks and changes.
fn the_misp_door(store: &Store, owner: OrgId, bank: OrgId) {
    let terms = Terms { owner, actor: "test".into(), marking: Marking::default() };
    let observable = guess("common.example.com").unwrap();
    for n in [2u128, 3, 4] {
        let view = store.view(Audience::Node, Purpose::Read).unwrap();
        let Some(held) = view.event(Which::Uuid(Uuid::from_u128(n))).unwrap() else { continue };
        drop(view);
        let (mut head, mut part) = event(n);
        head.marking = Marking::default();
        head.skeleton = r#"{"Orgc":{"uuid":"5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219","name":"Far"}}"#.into();
        part.raw = r#"{"Tag":[{"name":"on a part"}]}"#.into();
        let object = PartDraft::new(Slot::Object, "{}");
        let parts = vec![
            Change::Replace(0, part.clone()),
            Change::Add(part.clone()),
            Change::AddObject(object, vec![part.clone()]),
            Change::AddTo(2, vec![part.clone()]),
            Change::Remove(1),
        ];
        let amendment = Amendment { head, keep_head: true, parts, own: |_, _| Marking::default() };
        store.amend(&terms, held.head.row, held.head.version, amendment).unwrap();
        if n == 20 {
            let held = store.view(Audience::Node, Purpose::Read).unwrap().event(Which::Number(held.head.number));
            let held = held.unwrap().unwrap();
            let head = RecordDraft { title: "handed over".into(), skeleton: "{}".into(), ..RecordDraft::default() };
            let amendment = Amendment { head, keep_head: true, parts: Vec::new(), own: |_, _| Marking::default() };
            let terms = Terms { owner: bank, actor: "t".into(), marking: Marking::default() };
            store.hand_over(&terms, held.head.row, held.head.version, amendment).unwrap();
        }
        let place = (held.head.row, held.head.uuid, Uuid::from_u128(1000 + n));
        let told = AttributeSighting {
            uuid: Uuid::from_u128(5000 + n),
            observable: observable.clone(),
            kind: 0,
            seen: 1,
            source: String::new(),
            count: 1,
            place,
        };
        store.add_attribute_sightings("t", owner, Marking::default(), vec![told]).unwrap();
    }
    let entry = store.add_entry("t", "feed", "f", (Some(owner), None), serde_json::json!({})).unwrap();
    store.set_entry("t", "feed", entry.id, serde_json::Map::new()).unwrap();
    store.note_entry("feed", entry.id, serde_json::Map::new()).unwrap();
    store.entries("feed").unwrap();
    store.entry("feed", entry.id).unwrap();
    store.entry_named("feed", "f").unwrap();
    store.crowded_values(1, 10).unwrap();
    store.cache_feed_values(entry.id, 1, vec![([1; 16], Uuid::nil()), ([2; 16], Uuid::from_u128(7))]).unwrap();
    store.end_feed_edition(entry.id, 2).unwrap();
    store.feed_values(entry.id).unwrap();
    store.feed_overlap(entry.id).unwrap();
    store.feeds_knowing(&[[1; 16], [2; 16]]).unwrap();
    store.forget_feed_values(entry.id).unwrap();
    let job = NewJob { kind: "fetch", subject: entry.id, key: String::new(), org: Some(owner) };
    let id = store.add_job("t", job.clone()).unwrap();
    assert_eq!(store.add_job("t", job).unwrap(), id, "the same one waits already");
    let minute = std::time::Duration::from_secs(60);
    store.take_job("me", minute).unwrap().unwrap();
    store.job_goes_on(id, "me", minute, 5, "on the way").unwrap();
    store.end_job(id, "me", true, "done", &serde_json::json!({}), None).unwrap();
    store.put_off("fetch", entry.id, minute).unwrap();
    store.job(id).unwrap();
    store.jobs(None, 10).unwrap();
    store.jobs_open(entry.id).unwrap();
    store.job_counts().unwrap();
    store.jobs_left_behind().unwrap();
    store.forget_jobs(minute).unwrap();
    store.remove_entry("t", "feed", entry.id).unwrap();
    collections(store, owner, bank);
    let number = store.number("org", bank.0).unwrap();
    store.numbered("org", number).unwrap();
    let (_, detail) = store.org_detail(bank).unwrap();
    store.set_org("t", store.org("Bank").unwrap(), &detail).unwrap();
    let account = store.account("b@b.example").unwrap();
    let (_, detail) = store.account_detail(account.uuid).unwrap();
    store.set_account("t", account.clone(), &detail).unwrap();
    let group = GroupId(Uuid::nil());
    let detail = store.group_detail(group).unwrap();
    store.set_group("t", group, "g", true, &detail).unwrap();
    store.set_group_member("t", group, owner, true).unwrap();
    store.remove_group("t", group).unwrap();
    store.add_tag("t", "unused").unwrap();
    let tag = store.tag_by_name("unused").unwrap().unwrap();
    store.set_tag("t", tag.id, "#fff", &tag.detail).unwrap();
    store.tag_by_number(tag.id).unwrap();
    store.remove_tag("t", tag.id).unwrap();
    store.vocabulary().unwrap();
    store.kept_tags().unwrap();
    store.list_old_events().unwrap();

    for audience in [Audience::Node, Audience::Public, Audience::Org(bank)] {
        let view = store.view(audience, Purpose::Read).unwrap();
        let tags = view.tags_like("tag:1").unwrap();
        view.tags_like("tag:%").unwrap();
        view.tag("tag:1").unwrap();
        view.tag_use(1).unwrap();
        view.authors().unwrap();
        let span = Span { from: Some(0), until: Some(i64::MAX) };
        let uuid = Uuid::from_u128(2);
        let sign = || Sign { any: Some(vec![owner.0]), none: vec![bank.0] };
        let numbers = || Sign { any: Some(vec![1, 4]), none: vec![2] };
        let filter = EventFilter {
            which: Some((vec![1], vec![uuid])),
            not_which: (vec![9], vec![bank.0]),
            authors: sign(),
            holders: sign(),
            published: Some(false),
            touched: span,
            published_at: span,
            day: (Some("2026-01-01".into()), Some("2027-01-01".into())),
            threat: numbers(),
            analysis: numbers(),
            titles: Sign { any: Some(vec!["%event%".into()]), none: vec!["%none%".into()] },
            extends: Some(uuid),
            labels: Some(vec![1]),
            tags: Tags { all: vec![tags.clone()], none: vec![99], on_parts: true, none_on_parts: true },
        };
        view.events(&filter, (Order::Touched, true), 0, 10, true).unwrap();
        view.count_events(&filter).unwrap();
        view.events_after(&EventFilter::default(), 0, 10, true).unwrap();
        view.events(&EventFilter::default(), (Order::Number, true), 0, 10, false).unwrap();
        view.mentions(std::slice::from_ref(&observable), 10).unwrap();
        view.mentions_like("common%", 10).unwrap();
        view.part_of_event(Uuid::from_u128(1003)).unwrap();
        view.of_kind("event", Some(1), None).unwrap();
        view.of_kind("event", None, Some(uuid)).unwrap();
        view.about_any(&[Uuid::from_u128(1003), uuid], "note").unwrap();
        view.has_kind("note").unwrap();
        if let Some(event) = view.event(Which::Uuid(uuid)).unwrap() {
            view.event(Which::Number(event.head.number)).unwrap();
            view.part_numbered(event.head.row, 0).unwrap();
            view.mentions_in(event.head.row, &observable).unwrap();
            view.parts_in_order::<crate::StoreError>(&event.head, |_| Ok(())).unwrap();
            view.family(&event.head, 0).unwrap();
        }
        let told = SightingFilter {
            attributes: vec![uuid],
            events: vec![uuid],
            which: Some((1, uuid)),
            kind: Some(0),
            org: Some(owner),
            source: Some("s".into()),
            from: Some(0),
            until: Some(1),
            after: Some(0),
        };
        view.sightings(&told, 10).unwrap();
        view.sightings(&SightingFilter { events: vec![uuid], after: Some(1), ..SightingFilter::default() }, 10)
            .unwrap();
        view.sightings(&SightingFilter::default(), 10).unwrap();
    }
    store.remove_sighting("t", Some(owner), 1).unwrap_or_default();
    store.remove_account("t", account.uuid).unwrap();
    store.remove_org("t", bank).unwrap_or_default();
}

/// A collection, written and read in every way.
fn collections(store: &Store, owner: OrgId, bank: OrgId) {
    use crate::collections::{Arrival, Giver, Submission, Versions, Wanted};
    let body = serde_json::json!({"search": {"text": "q"}});
    let entry = store.add_entry("t", "collection", "c", (Some(owner), None), body).unwrap();
    let arrival = |n: u128, version: i64, tlp: Option<Tlp>| Arrival {
        kind: "relationship".into(),
        uuid: Uuid::from_u128(n),
        version: Some(version),
        stated: version.to_string(),
        is_2_1: n.is_multiple_of(2),
        marking: Marking { tlp, ..Marking::default() },
        personal: Vec::new(),
        body: format!("{{\"source_ref\":\"relationship--{}\"}}", Uuid::from_u128(n + 1)),
    };
    for (org, tlp) in [(owner, None), (bank, Some(Tlp::Red)), (owner, Some(Tlp::Green))] {
        let giver = Giver { org, actor: "t".into() };
        for version in [5, 9, 1, 7, 7] {
            let arrivals = (0..10).map(|n| arrival(n, version, tlp)).collect();
            store.put_in_box(entry.id, &giver, arrivals).unwrap();
        }
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let some = |first, last, at: &[i64]| Versions::Some { first, last, at: at.to_vec() };
    for audience in [Audience::Node, Audience::Public, Audience::Org(bank)] {
        let view = store.view(audience, Purpose::Read).unwrap();
        for versions in [
            Versions::All,
            Versions::default(),
            some(true, false, &[]),
            some(true, true, &[5]),
            some(false, false, &[5]),
        ] {
            for specs in [vec![], vec![true], vec![true, false]] {
                for types in [vec![], words(&["malware"]), words(&["malware", "relationship"])] {
                    let ids = [
                        vec![],
                        vec![("relationship".to_owned(), Uuid::from_u128(1))],
                        vec![
                            ("relationship".to_owned(), Uuid::from_u128(1)),
                            ("malware".to_owned(), Uuid::from_u128(1)),
                        ],
                    ];
                    for ids in ids {
                        let mut wanted = Wanted {
                            after: 0,
                            ids,
                            types: types.clone(),
                            versions: versions.clone(),
                            specs: specs.clone(),
                            copies: false,
                        };
                        view.boxed(entry.id, &wanted, 3, true).unwrap();
                        view.boxed(entry.id, &wanted, 3, false).unwrap();
                        wanted.copies = true;
                        view.boxed(entry.id, &wanted, 3, false).unwrap();
                    }
                }
            }
        }
    }
    let view = store.view(Audience::Node, Purpose::Read).unwrap();
    let first = view.boxed(entry.id, &Wanted { after: 0, ..Wanted::default() }, 1, false).unwrap().last.unwrap();
    store.take_from_box("t", entry.id, vec![first]).unwrap();
    store.last_put(entry.id).unwrap();
    let uuid = Uuid::from_u128(77);
    let made = Submission {
        uuid,
        collection: entry.id,
        account: UserId(uuid),
        requested: 1,
        done: false,
        report: serde_json::json!({}),
    };
    let minute = std::time::Duration::from_secs(60);
    let job = NewJob { kind: "collection", subject: entry.id, key: String::new(), org: Some(owner) };
    store.keep_envelope(made.clone(), "{}", job.clone()).unwrap();
    let giver = Giver { org: owner, actor: "t".into() };
    let at_once = Submission { uuid: Uuid::from_u128(78), done: true, ..made };
    store
        .put_envelope(
            &giver,
            vec![arrival(1, 99, None)],
            at_once,
            |put| serde_json::json!(put.len()),
            (job.clone(), minute),
        )
        .unwrap();
    store.add_job_later(job, minute).unwrap();
    store.submission(uuid).unwrap();
    assert_eq!(store.envelopes_waiting(entry.id).unwrap(), [uuid]);
    store.envelope(uuid).unwrap();
    store.note_submission(uuid, &serde_json::json!({}), true).unwrap();
    store.forget_submissions(2).unwrap();
    store.empty_box(entry.id).unwrap();
    searches(store, entry.id, owner);
    store.remove_entry("t", "collection", entry.id).unwrap();
}

/// A search's collection, written and read in every way.
fn searches(store: &Store, collection: i64, owner: OrgId) {
    use crate::collections::{Filled, Joining, object_key};
    let fresh = store.fresh(100).unwrap();
    let key = object_key("indicator--1");
    let records = store.records_after(0, 5).unwrap();
    let joining = |record: &i64| Joining {
        collection,
        record: *record,
        asked: "q".into(),
        version: 1,
        objects: Some(vec![(key, 1)]),
    };
    let seen = fresh.iter().map(|(seq, _)| *seq).collect();
    let filled = Some(Filled { collection, asked: "q".into(), up_to: None });
    store.looked_at(records.iter().map(joining).collect(), seen, filled).unwrap();
    for audience in [Audience::Node, Audience::Public] {
        let view = store.view(audience, Purpose::Read).unwrap();
        let members = view.members(collection, 1, 3).unwrap();
        view.members(collection, i64::MAX / 2, 3).unwrap();
        view.members_at(collection, &members.iter().map(|member| member.added).collect::<Vec<_>>()).unwrap();
        view.held_by(collection, key).unwrap();
        view.record_at(records[0]).unwrap();
        view.is_hidden(Uuid::from_u128(2), owner).unwrap();
    }
    let gone = |record: &i64| Joining { asked: String::new(), objects: None, ..joining(record) };
    store.looked_at(records.iter().take(1).map(gone).collect(), Vec::new(), None).unwrap();
    store.empty_search(collection).unwrap();
}

/// Does this line of a plan read much of a table that grows? A table's walk does, and so does a look into
/// an index by what half of the table has in common.
fn reads_much(line: &str) -> bool {
    let table = |rest: &str| rest.split(' ').next().is_some_and(|table| GROWING.contains(&table));
    if let Some(rest) = line.strip_prefix("SCAN ") {
        // `record_leftover` holds what is to be cleared away, and nothing else.
        return table(rest) && !line.contains("VIRTUAL TABLE") && !line.contains("record_leftover");
    }
    let Some(rest) = line.strip_prefix("SEARCH ") else { return false };
    let by = rest.split_once('(').map_or("", |(_, by)| by.trim_end_matches(')'));
    let common = |term: &str| ["kind=?", "label=?", "tag=?", "owner=?", "received>?"].contains(&term);
    table(rest) && by.split(" AND ").all(common)
}

#[test]
fn no_question_walks_a_table_that_grows() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::from(&folder.path().join("node"));
    let (store, made) = Store::init(place.clone(), "CERT", "MY", "a@cert.example").unwrap();
    everything_a_node_does(&store, made.org.uuid);
    drop(store);
    let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let conn = Conn::open(&place, Use::Write).unwrap();
    let (mut explained, mut walks) = (0, Vec::new());
    for sql in &asked {
        let first = sql.split(' ').next().unwrap_or_default();
        if !matches!(first, "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "WITH") || sql.contains("text_words") {
            continue;
        }
        explained += 1;
        let plan: Vec<String> = match &conn {
            Conn::Sqlite(conn) => {
                let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                let rows = statement.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>();
                rows.unwrap()
            }
            Conn::Postgres(_) => unreachable!(),
        };
        // Objects that are named are looked up, not met with on a walk.
        let by_name = !sql.contains("FROM boxed b") || !sql.contains("b.uuid IN");
        assert!(by_name || plan.iter().any(|line| line.contains("INDEX boxed_object")), "{sql}\n{plan:?}");
        // And one type is walked down its own index.
        let of_type = !sql.contains("FROM boxed b") || !sql.contains("added > ?2 AND b.type = ");
        assert!(of_type || plan.iter().any(|line| line.contains("INDEX boxed_type")), "{sql}\n{plan:?}");
        // A walk down an index in the order that is asked for, to a limit, is what a list is.
        let list = sql.contains(" LIMIT ")
            && sql.contains(" ORDER BY ")
            && !plan.iter().any(|line| line.contains("TEMP B-TREE"));
        let walk = plan.iter().find(|line| !list && reads_much(line));
        if walk.is_some() && !MEANT.iter().any(|(piece, _)| sql.contains(piece)) {
            walks.push(format!("{sql}\n    {}", plan.join("\n    ")));
        }
    }
    assert!(explained > 90, "only {explained} questions were seen");
    assert!(walks.is_empty(), "{} of {explained}:\n{}", walks.len(), walks.join("\n"));
    // Each exception is still asked: none hides something else.
    for (piece, _) in MEANT {
        assert!(asked.iter().any(|sql| sql.contains(piece)), "nobody asks '{piece}' any more");
    }
}
