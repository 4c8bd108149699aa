//! Who may come in where: every route of the router as every kind of caller, compared with the table in
//! `access.tsv`. A route without a row fails; so does one whose row is not what happens. After a change
//! that is meant: `MANARA_UPDATE=1 cargo nextest run -p manara-server`, and read the difference.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use manara_model::role::{Right, Role};
use manara_server::{Options, router, table};
use manara_store::Store;
use manara_store::people::NewAccount;
use std::fmt::Write;
use std::sync::Arc;
use tower::ServiceExt;

struct Doors {
    _folder: tempfile::TempDir,
    store: Arc<Store>,
    runtime: tokio::runtime::Runtime,
    doors: Router,
    org: manara_model::OrgId,
}

impl Doors {
    fn new() -> Self {
        let folder = manara_testing::folder();
        let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "first@cert.example").unwrap();
        let store = Arc::new(store);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Doors {
            _folder: folder,
            doors: router(Arc::clone(&store), Options::default()),
            store,
            runtime,
            org: made.org.uuid,
        }
    }

    /// Key and session of a new account.
    fn account(&self, email: &str, role: Role) -> (String, String) {
        let new = NewAccount { org: self.org, email: email.into(), role };
        let made = self.store.add_account("test", new).unwrap();
        (made.api_key, self.store.begin_session(made.uuid).unwrap())
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        key: &str,
        session: &str,
        more: &[(&str, &str)],
    ) -> (StatusCode, HeaderMap) {
        let path = path.replace("{uuid}", "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219");
        let path = path.replace("{format}", "text").replace("{code}", "en").replace("{file}", "style.css");
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "node.example");
        if !key.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        if !session.is_empty() {
            request = request.header(header::COOKIE, format!("manara_session={session}"));
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let response = self.runtime.block_on(self.doors.clone().oneshot(request.body(Body::empty()).unwrap())).unwrap();
        (response.status(), response.headers().clone())
    }
}

/// What the door did, whatever happened behind it.
fn word(status: StatusCode, headers: &HeaderMap) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "401",
        StatusCode::FORBIDDEN => "403",
        status if status.is_redirection() && headers[header::LOCATION] == "/login" => "log-in",
        status if status.is_server_error() => "FAILED",
        StatusCode::METHOD_NOT_ALLOWED => "no such method",
        _ => "in",
    }
}

#[test]
fn every_route_as_every_caller_is_as_in_the_table() {
    let doors = Doors::new();
    let roles: Vec<(&str, (String, String))> = Role::ALL
        .into_iter()
        .map(|role| (role.name(), doors.account(&format!("{}@cert.example", role.name()), role)))
        .collect();
    let mut roles = roles;
    // Roles of the operator's: one that may add and nothing else, and one that was taken away under its account.
    let flags = |name: &str| serde_json::json!({"name": name, "perm_add": true, "perm_auth": true, "perm_admin": name == "gone"});
    let made = |name: &str| doors.store.add_role("test", flags(name).as_object().cloned().unwrap()).unwrap();
    for name in ["adds", "gone"] {
        let role = made(name);
        roles.push((name, doors.account(&format!("{name}.role@cert.example"), role.role())));
        if name == "gone" {
            doors.store.remove_entry("test", "role", role.id).unwrap();
        }
    }
    let narrow = doors.store.add_key("test", "admin@cert.example", "", &[Right::Read], None).unwrap();
    let past = doors.store.add_key("test", "admin@cert.example", "", &[Right::Read], Some(1)).unwrap();
    let revoked = doors.store.add_key("test", "admin@cert.example", "", &[Right::Read], None).unwrap();
    let id = doors.store.keys(None).unwrap().iter().find(|key| revoked.ends_with(&key.hint)).unwrap().id;
    doors.store.revoke_key("test", id).unwrap();
    let ended = doors.account("gone@cert.example", Role::Admin).1;
    doors.store.end_session(&ended).unwrap();

    let mut found = String::from(
        "method\tpath\tnobody\treader\tcontributor\tuser\torg-admin\tadmin\trole: perm_add\trole that is gone\tadmin's key to read\tended\tkey where a session belongs\tsession where a key belongs\n",
    );
    for (method, path, kind) in table() {
        let ask = |key: &str, session: &str| {
            let (status, headers) = doors.ask(&method, path, key, session, &[("sec-fetch-site", "same-origin")]);
            word(status, &headers)
        };
        let mut row = vec![ask("", "")];
        for (_, (key, session)) in &roles {
            row.push(if kind == "page" { ask("", session) } else { ask(key, "") });
            // Logging out ends the session of the table, too: once is enough.
        }
        row.push(if kind == "page" { "-" } else { ask(&narrow, "") });
        row.push(if kind == "page" {
            ask("", &ended)
        } else {
            let both = (ask(&past, ""), ask(&revoked, ""));
            assert_eq!(both.0, both.1, "{method} {path}");
            both.0
        });
        row.push(if kind == "page" { ask(&roles[3].1.0, "") } else { "-" });
        row.push(if kind == "api" { ask("", &roles[3].1.1) } else { "-" });
        writeln!(found, "{method}\t{path}\t{}", row.join("\t")).unwrap();
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access.tsv");
    if std::env::var_os("MANARA_UPDATE").is_some() {
        std::fs::write(file, &found).unwrap();
    }
    let expected = std::fs::read_to_string(file).unwrap();
    assert_eq!(found, expected, "the doors are not as in {file}");
    assert!(!found.contains("FAILED"), "{found}");
}

/// No form works from another site, nor without its session's token; every answer has its headers.
#[test]
fn no_form_works_from_elsewhere_and_every_answer_is_guarded() {
    let doors = Doors::new();
    let (key, session) = doors.account("user@cert.example", Role::Admin);
    for (method, path, kind) in table() {
        if kind == "page" && method != "GET" {
            for more in [
                vec![("sec-fetch-site", "cross-site")],
                vec![("sec-fetch-site", "same-site")],
                vec![("origin", "https://evil.example")],
                vec![("origin", "null")],
            ] {
                let (status, _) = doors.ask(&method, path, "", &session, &more);
                assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} {more:?}");
            }
            let form = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
            let (status, _) = doors.ask(&method, path, "", &session, &form);
            assert!(status.is_client_error(), "{method} {path} without a token: {status}");
        }
        let (status, headers) = doors.ask(&method, path, &key, &session, &[]);
        for name in [
            "x-request-id",
            "x-content-type-options",
            "content-security-policy",
            "referrer-policy",
            "x-frame-options",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
            "cache-control",
        ] {
            assert!(headers.contains_key(name), "{method} {path} ({status}) lacks {name}");
        }
        assert!(!headers.contains_key("strict-transport-security"), "without TLS it means nothing");
        let (_, tls) = doors.ask(&method, path, &key, &session, &[("x-forwarded-proto", "https")]);
        assert!(tls["strict-transport-security"].to_str().unwrap().contains("includeSubDomains"));
        assert!(!headers["content-security-policy"].to_str().unwrap().contains("unsafe"));
        assert!(!headers.contains_key("server"), "the answer tells what the node is made of");
    }
}
