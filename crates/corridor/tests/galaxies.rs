//! The index of galaxies: it follows what is imported, and shows each audience what it is cleared for.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use manara_corridor::{ClusterName, WarningCache, import};
use manara_formats::{Input, Limits};
use manara_model::{Audience, Level, Marking, OrgId, Purpose};
use manara_store::intake::Terms;
use manara_store::people::Organisation;
use manara_store::{Store, StoreError};
use std::sync::Arc;

const ABOUT: &str = r#"{"description": "d", "icon": "user", "name": "Plays", "namespace": "n", "type": "plays",
    "uuid": "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219", "version": 1}"#;

fn list(names: &[&str]) -> String {
    let values: Vec<String> =
        names.iter().map(|name| format!(r#"{{"value": "{name}", "meta": {{"refs": ["r"]}}}}"#)).collect();
    format!(
        r#"{{"authors": ["a"], "name": "Plays", "source": "s", "type": "plays", "uuid": "6b8d9d33-ccf0-4fd9-82dc-7dbc0a016219",
            "version": 7, "values": [{}]}}"#,
        values.join(", ")
    )
}

fn take(store: &Store, owner: OrgId, body: &str, level: Option<Level>) {
    let mut input = Input::from_reader("galaxy.json", body.as_bytes(), Limits::default()).unwrap();
    let marking = Marking { level, ..Marking::default() };
    import(store, &mut input, None, Terms { owner, actor: "test".into(), marking }, None).unwrap();
}

/// Names of the clusters that an organisation sees, and whether it finds the first by its tag.
fn seen(store: &Store, cache: &WarningCache, org: OrgId) -> (Vec<String>, bool) {
    let view = store.view(Audience::Org(org), Purpose::Read).unwrap();
    let galaxies = cache.galaxies(store).unwrap();
    let mut names = Vec::new();
    let all = galaxies.clusters::<StoreError>(store, &view.gate(), "plays", |cluster| {
        names.push(cluster.body["value"].as_str().unwrap().to_owned());
        assert_eq!((&cluster.about["version"], cluster.about.get("values")), (&serde_json::json!(7), None));
        Ok(())
    });
    all.unwrap();
    let tag = "MISP-Galaxy:plays=\"first act\"";
    let found = galaxies.cluster(store, &view.gate(), ClusterName::Tag(tag)).unwrap();
    if let Some(found) = &found {
        let again = galaxies.cluster(store, &view.gate(), ClusterName::Uuid(found.uuid)).unwrap().unwrap();
        let placed =
            galaxies.cluster(store, &view.gate(), ClusterName::Place(found.row, found.place)).unwrap().unwrap();
        assert_eq!((again.place, placed.uuid), (found.place, found.uuid));
        assert!(galaxies.cluster(store, &view.gate(), ClusterName::Place(found.row, 99)).unwrap().is_none());
    }
    assert_eq!(galaxies.all(&view.gate()).len(), usize::from(galaxies.galaxy(&view.gate(), "Plays").is_some()));
    (names, found.is_some())
}

#[test]
fn galaxies_are_for_those_who_may_see_them_and_new_when_they_change() {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT Test", "MY", "admin@cert.example").unwrap();
    let other = store.add_org("t", Organisation::new("Bank", "TR", true).unwrap()).unwrap().uuid;
    let (cert, cache) = (made.org.uuid, WarningCache::default());
    assert_eq!(seen(&store, &cache, cert), (vec![], false));
    take(&store, cert, ABOUT, Some(Level::Community));
    take(&store, cert, &list(&["First Act", "Second Act"]), None);
    assert_eq!(seen(&store, &cache, cert), (vec!["First Act".into(), "Second Act".into()], true));
    assert_eq!(seen(&store, &cache, other), (vec![], false), "the description is theirs to see, the clusters are not");
    let before = cache.galaxies(&store).unwrap();
    assert!(Arc::ptr_eq(&before, &cache.galaxies(&store).unwrap()), "made once");

    take(&store, cert, &list(&["First Act", "Third Act", "Fourth \u{1f3ad} Act"]), Some(Level::Community));
    let acts: Vec<String> = ["First Act", "Third Act", "Fourth \u{1f3ad} Act"].map(str::to_owned).to_vec();
    assert_eq!(seen(&store, &cache, cert), (acts.clone(), true));
    assert_eq!(seen(&store, &cache, other), (acts.clone(), true));
    // Who asks the index of before finds nothing at places that have moved, rather than something else.
    let view = store.view(Audience::Org(cert), Purpose::Read).unwrap();
    let fresh = before.cluster(&store, &view.gate(), ClusterName::Tag("misp-galaxy:plays=\"second act\"")).unwrap();
    assert!(fresh.is_none_or(|cluster| cluster.body["value"] == "Second Act"));

    take(&store, other, &list(&["Prologue"]), None);
    assert_eq!(seen(&store, &cache, other), (vec!["Prologue".into()], true), "its own before another's");
    assert_eq!(seen(&store, &cache, cert), (acts, true));
}
