//! Every question that the store asks has a plan without a walk over a table that grows.
//!
//! The test does everything that a node does from day to day and collects the SQL; the engine explains
//! each. What reads everything on purpose is named in [`MEANT`], with the reason.

use crate::Store;
use crate::engine::{Conn, Place, Use};
use crate::intake::{Intake, Terms};
use crate::people::{NewAccount, NewGroup};
use crate::sightings::NewSighting;
use crate::view::Filter;
use manara_model::observable::{Reach, guess};
use manara_model::record::{Found, PartDraft, RecordDraft, SightingDraft, Sink, Slot};
use manara_model::role::{Right, Role};
use manara_model::{Audience, GroupId, Marking, OrgId, Purpose, UserId};
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
    let observable = guess("common.example.com").unwrap();
    let sighting = NewSighting {
        observable: observable.clone(),
        kind: 1,
        org: owner,
        marking: Marking::default(),
        seen: 0,
        count: 3,
        source: "s".into(),
    };
    store.add_sighting("t", sighting).unwrap();
    store.log_in("b@b.example", &made.password, "", None).unwrap();
    store.log_in("b@b.example", "wrong", "", None).unwrap();
    let token = store.begin_session(made.uuid).unwrap();
    store.session(&token).unwrap();
    store.end_session(&token).unwrap();
    store.caller(&made.api_key).unwrap();
    store.add_key("t", "b@b.example", "", &[Right::Read], None).unwrap();
    store.keys(None).unwrap();
    store.audit(Some(5), 10).unwrap();
    store.withdraw("t", Some(owner), Uuid::from_u128(39), "test").unwrap();
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
    store.verify().unwrap();
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
