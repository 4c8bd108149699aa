//! Finding out what a server offers.

use super::fake::{Answer, Asked, Fake, answer, taxii};
use crate::client::{Credentials, Server, collections, discover, offered};

const ROOT: &str = r#"{"title":"One","versions":["application/taxii+json;version=2.1"],"max_content_length":1000}"#;

fn good(asked: &Asked) -> Answer {
    match asked.path.as_str() {
        "/taxii2/" => taxii(
            r#"{"title":"Server","description":"d","contact":"c","default":"/one/","api_roots":["/one/","/broken/","two"]}"#,
        ),
        "/one/" => taxii(ROOT),
        "/taxii2/two/" => taxii(ROOT.replace("2.1", "2.0").replace("1000", "\"2000\"")),
        "/one/collections/" => taxii(
            r#"{"collections":[{"id":"a","title":"A\u001b[2J","can_read":true,"can_write":false},{"id":"b","title":"B","can_write":true}]}"#,
        ),
        "/one/collections/a/" => taxii(r#"{"id":"a","title":"A","can_read":true,"can_write":false}"#),
        "/taxii2/two/collections/" => taxii("{}"),
        _ => answer(500, "oh"),
    }
}

#[test]
fn a_broken_root_is_told_and_stops_no_other() {
    let fake = Fake::new(good);
    for path in ["/taxii2/", "/"] {
        let url = fake.url(path);
        let found = discover(&Server::new(&url, &Credentials::None, None).unwrap(), &url).unwrap();
        assert_eq!((found.title.as_str(), found.contact.as_str(), found.api_roots.len()), ("Server", "c", 3));
        let [one, broken, two] = &found.api_roots[..] else { panic!() };
        assert_eq!((one.title.as_str(), one.max_content_length), ("One", Some(1000)));
        assert!(broken.error.as_ref().unwrap().contains("HTTP 500: 'oh'"));
        assert_eq!(two.max_content_length, Some(2000));
        assert!(two.note.as_ref().unwrap().contains("2.1"));
    }
}

#[test]
fn collections_of_a_server_or_a_root_are_listed() {
    let fake = Fake::new(good);
    let server = Server::new(&fake.url("/"), &Credentials::None, None).unwrap();
    for (path, wrong) in [("/", 1), ("/taxii2/", 1), ("/one/", 0), ("/one/collections/", 0)] {
        let (all, told) = collections(&server, &fake.url(path)).unwrap();
        assert_eq!((all.len(), told.len()), (2, wrong), "{path}");
        assert_eq!(
            (all[0].url.clone(), all[0].can_read, all[0].can_write),
            (fake.url("/one/collections/a/").to_string(), true, false)
        );
        assert!(!all[0].title.contains('\u{1b}'), "a title rewrites no screen");
    }
    assert_eq!(offered(&server, &fake.url("/one/collections/a/")).unwrap().id, "a");
    assert!(offered(&server, &fake.url("/one/")).unwrap_err().to_string().contains("not as a collection"));
}

#[test]
fn a_name_alone_leads_to_its_discovery_or_to_who_wants_credentials() {
    let at_its_root = Fake::new(|asked| match asked.path.as_str() {
        "/" => taxii(r#"{"title":"Here","api_roots":[]}"#),
        _ => answer(404, ""),
    });
    let server = Server::new(&at_its_root.url("/"), &Credentials::None, None).unwrap();
    assert_eq!(discover(&server, &at_its_root.url("/")).unwrap().title, "Here");
    let closed = Fake::new(|asked| answer(if asked.path == "/" { 200 } else { 401 }, "<html>"));
    let error = discover(&server, &closed.url("/")).unwrap_err().to_string();
    assert!(error.contains("401"), "{error}");
    let other = Fake::new(|_| taxii(r#"{"name":"something else"}"#));
    let error = discover(&server, &other.url("/x/")).unwrap_err().to_string();
    assert!(error.contains("not as a TAXII server"), "{error}");
}
