//! Credentials go to the server that they were given for, and nowhere else.

use super::fake::{Answer, Fake, answer, page, taxii};
use super::polled;
use crate::client::{Credentials, Server, collections, discover, in_clear};
use url::Url;

fn known() -> Credentials {
    Credentials::Basic { user: "cert".into(), password: "s3cret".into() }
}

fn sent_to(to: Url) -> Answer {
    answer(301, "").with("location", to.to_string())
}

#[test]
fn an_account_goes_as_basic_and_a_key_as_bearer() {
    for (credentials, header) in
        [(known(), "Basic Y2VydDpzM2NyZXQ="), (Credentials::Bearer("k3y".into()), "Bearer k3y")]
    {
        let fake = Fake::new(|_| taxii("{}"));
        let url = fake.url("/taxii2/");
        let _ = discover(&Server::new(&url, &credentials, None).unwrap(), &url);
        assert_eq!(fake.asked()[0].headers["authorization"], header);
    }
    let url = Url::parse("https://a.example/").unwrap();
    for bad in [Credentials::Bearer("a\r\nx: y".into()), Credentials::Bearer(String::new())] {
        let error = Server::new(&url, &bad, None).err().unwrap().to_string();
        assert!(!error.contains("x: y"), "{error}");
    }
    assert!(Server::new(&url, &Credentials::None, Some("no certificate")).is_err());
}

#[test]
fn a_server_that_sends_us_to_another_gets_no_credentials_there() {
    let other = Fake::new(|_| taxii(page([1], "")));
    let to = other.url("/taxii2/");
    let fake = Fake::new(move |_| sent_to(to.clone()));
    let url = fake.url("/taxii2/");
    let error = discover(&Server::new(&url, &known(), None).unwrap(), &url).unwrap_err().to_string();
    assert!(error.contains("credentials are not sent") && error.contains(other.url("/taxii2/").as_str()), "{error}");
    assert!(other.asked().is_empty(), "it is not even asked");
}

#[test]
fn without_credentials_we_go_where_we_are_sent() {
    let other = Fake::new(|_| taxii(page([1], "")));
    let to = other.collection().join("objects/").unwrap();
    let fake = Fake::new(move |_| sent_to(to.clone()));
    assert_eq!(polled(&fake).1.numbers(), [1]);
    let round = Fake::new(|asked| answer(302, "").with("location", asked.path.clone()));
    assert!(polled(&round).0.unwrap_err().to_string().contains("sends us on more than"));
    let no_web = Fake::new(|_| answer(302, "").with("location", "file:///etc/passwd"));
    assert!(polled(&no_web).0.is_err());
}

#[test]
fn a_slash_that_its_own_server_adds_is_followed_with_credentials() {
    let fake = Fake::new(|asked| match asked.path.as_str() {
        "/here/" => answer(308, "").with("location", "/there/"),
        _ => taxii(r#"{"title":"Here"}"#),
    });
    let url = fake.url("/here/");
    let found = discover(&Server::new(&url, &known(), None).unwrap(), &url).unwrap();
    assert_eq!((found.title.as_str(), found.url), ("Here", fake.url("/there/").to_string()));
    assert!(fake.asked().iter().all(|asked| asked.headers.contains_key("authorization")));
}

#[test]
fn a_root_on_another_server_gets_no_credentials() {
    let other = Fake::new(|_| taxii(r#"{"title":"x","versions":["application/taxii+json;version=2.1"]}"#));
    let to = other.url("/api/").to_string();
    let fake = Fake::new(move |_| taxii(format!(r#"{{"title":"T","api_roots":["{to}"]}}"#)));
    let url = fake.url("/taxii2/");
    let found = discover(&Server::new(&url, &known(), None).unwrap(), &url).unwrap();
    assert!(found.api_roots[0].error.as_ref().unwrap().contains("another server"));
    assert!(collections(&Server::new(&url, &known(), None).unwrap(), &url).is_err());
    assert!(other.asked().is_empty());
    let found = discover(&Server::new(&url, &Credentials::None, None).unwrap(), &url).unwrap();
    assert_eq!(found.api_roots[0].title, "x", "without credentials it is asked");
}

#[test]
fn credentials_in_clear_are_warned_of() {
    let of = |url: &str, credentials: &Credentials| in_clear(&Url::parse(url).unwrap(), credentials).is_some();
    assert!(of("http://taxii.example/", &known()));
    assert!(!of("https://taxii.example/", &known()) && !of("http://127.0.0.1:8/", &known()));
    assert!(!of("http://taxii.example/", &Credentials::None));
}
