//! The doors from outside: who may call what, what comes back, and what does not.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that can't go on has failed

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use manara_model::role::{Right, Role};
use manara_server::{Options, router};
use manara_store::Store;
use manara_store::people::{NewAccount, Organisation};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

struct Node {
    _folder: tempfile::TempDir,
    store: Arc<Store>,
    /// The doors wait in here; the store itself is asked from outside, as `manara serve` does.
    runtime: tokio::runtime::Runtime,
    doors: Router,
    admin: String,
    user: String,
    reader: String,
}

fn node() -> Node {
    let folder = manara_testing::folder();
    let (store, made) = Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
    let bank = store.add_org("test", Organisation::new("Bank", "TR", true).unwrap()).unwrap();
    let account = |email: &str, role| {
        store.add_account("test", NewAccount { org: bank.uuid, email: email.into(), role }).unwrap().api_key
    };
    let (user, reader) = (account("user@bank.example", Role::User), account("reader@bank.example", Role::Reader));
    let store = Arc::new(store);
    let doors = router(Arc::clone(&store), Options { max_body: 1 << 20, ..Options::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    Node { _folder: folder, store, runtime, doors, admin: made.api_key, user, reader }
}

impl Node {
    fn send(&self, request: Request<Body>) -> Response<Body> {
        self.runtime.block_on(self.doors.clone().oneshot(request)).unwrap()
    }

    fn call(&self, method: &str, path: &str, key: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.send(request);
        let status = response.status();
        let bytes = self.runtime.block_on(to_bytes(response.into_body(), 1 << 24)).unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

fn event(uuid: u128, info: &str, value: &str) -> String {
    let uuid = uuid::Uuid::from_u128(uuid);
    json!({"Event": {"uuid": uuid, "info": info, "timestamp": "1700000000", "Attribute": [{"type": "domain", "value": value, "to_ids": true}]}}).to_string()
}

#[test]
fn every_route_asks_for_the_right_in_its_row() {
    let node = node();
    let (_, document) = node.call("GET", "/api/v1/openapi.json", "", "");
    assert_eq!(document["openapi"], "3.1.0");
    let mut rows = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let address = path.replace("{uuid}", "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219");
        for (method, operation) in operations.as_object().unwrap() {
            rows += 1;
            let method = method.to_uppercase();
            let Some(right) = operation["x-right"].as_str().and_then(Right::parse) else { continue };
            let (status, problem) = node.call(&method, &address, "", "");
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(problem["detail"].as_str().unwrap().contains("Bearer"));
            for (key, role) in [(&node.reader, Role::Reader), (&node.user, Role::User), (&node.admin, Role::Admin)] {
                let (status, _) = node.call(&method, &address, key, "");
                assert_eq!(status == StatusCode::FORBIDDEN, !role.has(right), "{method} {path} as {role:?}: {status}");
                assert_ne!(
                    status,
                    StatusCode::METHOD_NOT_ALLOWED,
                    "{method} {path} is in the document but not in the router"
                );
                assert!(!status.is_server_error(), "{method} {path}: {status}");
            }
        }
    }
    assert!(rows >= 18, "{rows}");
}

#[test]
fn a_record_s_way_in_and_out() {
    let node = node();
    let (status, report) =
        node.call("POST", "/api/v1/records?tlp=green", &node.user, &event(7, "ours", "evil.example.com"));
    assert_eq!((status, &report["added"]), (StatusCode::CREATED, &json!(1)));
    let uuid = uuid::Uuid::from_u128(7);
    let (status, record) = node.call("GET", &format!("/api/v1/records/{uuid}"), &node.reader, "");
    assert_eq!((status, &record["owner"], &record["tlp"]), (StatusCode::OK, &json!("Bank"), &json!("green")));
    let (_, parts) = node.call("GET", &format!("/api/v1/records/{uuid}/parts"), &node.user, "");
    assert_eq!(parts["parts"][0]["observables"][0]["value"], "evil.example.com");
    let (_, answers) = node.call("GET", "/api/v1/search?value=EVIL%5B.%5Dexample.com", &node.admin, "");
    assert_eq!((&answers[0]["value"], &answers[0]["total"]), (&json!("evil.example.com"), &json!(1)));
    let newer = event(7, "ours, again", "evil2.example.com").replace("1700000000", "1700000001");
    let (status, report) = node.call("PUT", &format!("/api/v1/records/{uuid}?tlp=green"), &node.user, &newer);
    assert_eq!((status, &report["updated"]), (StatusCode::OK, &json!(1)));
    let (_, answers) = node.call("GET", "/api/v1/search?value=evil.example.com", &node.user, "");
    assert_eq!(answers[0]["total"], 0);
    let (status, _) = node.call("DELETE", &format!("/api/v1/records/{uuid}?reason=wrong"), &node.user, "");
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = node.call("GET", &format!("/api/v1/records/{uuid}"), &node.user, "");
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(node.store.verify().unwrap().problems.is_empty());
}

#[test]
fn what_is_not_for_a_caller_looks_like_what_is_not_there() {
    let node = node();
    node.call("POST", "/api/v1/records", &node.admin, &event(8, "secret", "secret.example.com"));
    let (there, hidden) = node.call("GET", &format!("/api/v1/records/{}", uuid::Uuid::from_u128(8)), &node.user, "");
    let (not_there, missing) =
        node.call("GET", &format!("/api/v1/records/{}", uuid::Uuid::from_u128(9)), &node.user, "");
    assert_eq!((there, hidden), (not_there, missing));
    for change in ["DELETE", "PUT"] {
        let (status, _) = node.call(
            change,
            &format!("/api/v1/records/{}", uuid::Uuid::from_u128(8)),
            &node.user,
            &event(8, "x", "y.example.com"),
        );
        assert_eq!(status, StatusCode::NOT_FOUND, "{change}");
    }
    let (_, list) = node.call("GET", "/api/v1/records", &node.user, "");
    assert_eq!(list["records"], json!([]));
    let known = node.call("GET", "/api/v1/export?format=text&audience=org:CERT", &node.user, "");
    let unknown = node.call("GET", "/api/v1/export?format=text&audience=org:Nobody", &node.user, "");
    assert_eq!(known.0, StatusCode::FORBIDDEN);
    assert_eq!(known, unknown, "whether an organisation is known here is not for everybody");
    let own = node.call("GET", "/api/v1/export?format=text&audience=org:Bank", &node.user, "");
    assert_eq!(own.0, StatusCode::OK);
}

#[test]
fn a_key_with_less_scope_gets_an_error_never_fewer_rows_in_silence_misp_7924() {
    let node = node();
    node.call("POST", "/api/v1/records?tlp=green", &node.user, &event(7, "ours", "evil.example.com"));
    let narrow = node.store.add_key("test", "user@bank.example", "", &[Right::Read], None).unwrap();
    let (status, problem) = node.call("POST", "/api/v1/records", &narrow, &event(10, "x", "y.example.com"));
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(problem["detail"].as_str().unwrap().contains("this key's scope"));
    let (_, full) = node.call("GET", "/api/v1/records", &node.user, "");
    let (_, same) = node.call("GET", "/api/v1/records", &narrow, "");
    assert_eq!(full["records"], same["records"]);
    let expired = node.store.add_key("test", "user@bank.example", "", &[Right::Read], Some(1)).unwrap();
    assert_eq!(node.call("GET", "/api/v1/records", &expired, "").0, StatusCode::UNAUTHORIZED);
}

#[test]
fn errors_are_problem_json_and_say_how_to_mend() {
    let node = node();
    for (method, path, body, status, says) in [
        ("POST", "/api/v1/import?tlp=purple", "evil.com", 400, "none of clear"),
        ("POST", "/api/v1/import?distribution=9", "evil.com", 400, "none of 0 to 5"),
        ("POST", "/api/v1/import?format=nonsense", "evil.com", 400, "misp"),
        ("POST", "/api/v1/import", "{\"Event\": {\"info\": \"x\",}}", 422, "line 1, column"),
        ("POST", "/api/v1/import", "", 422, "empty"),
        ("GET", "/api/v1/search", "", 400, "at least one value"),
        ("POST", "/api/v1/search", "{", 400, "JSON"),
        ("GET", "/api/v1/records/no-uuid", "", 400, "UUID"),
        ("GET", "/api/v1/export?format=nonsense", "", 400, "no writer"),
        ("PATCH", "/api/v1/records", "", 405, ""),
        ("GET", "/api/v1/nowhere", "", 404, "not known"),
    ] {
        let (code, problem) = node.call(method, path, &node.admin, body);
        assert_eq!(code.as_u16(), status, "{method} {path}: {problem}");
        assert_eq!(problem["status"], status, "{method} {path}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.to_lowercase().contains(&says.to_lowercase()), "{method} {path}: {detail}");
    }
    let large = "a.example.com\n".repeat(100_000);
    let (status, problem) = node.call("POST", "/api/v1/import", &node.admin, &large);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("larger than"));
}

#[test]
fn pages_are_behind_the_log_in_and_forms_need_their_token() {
    let node = node();
    let get = |path: &str| Request::builder().uri(path).body(Body::empty()).unwrap();
    for path in ["/", "/records", "/import", "/records/5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219"] {
        let response = node.send(get(path));
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(response.headers()[header::LOCATION], "/login");
    }
    let response = node.send(get("/login"));
    assert!(response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let account = node.store.account("user@bank.example").unwrap();
    let token = node.store.begin_session(account.uuid).unwrap();
    let post = |csrf: &str, site: &str| {
        Request::builder()
            .method("POST")
            .uri("/search")
            .header(header::COOKIE, format!("manara_session={token}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .body(Body::from(format!("q=evil.com&csrf={csrf}")))
            .unwrap()
    };
    let csrf = node.store.session(&token).unwrap().unwrap().csrf;
    assert_eq!(node.send(post(&csrf, "same-origin")).status(), StatusCode::OK);
    assert_eq!(node.send(post("wrong", "same-origin")).status(), StatusCode::FORBIDDEN);
    assert_eq!(node.send(post(&csrf, "cross-site")).status(), StatusCode::FORBIDDEN);
}

#[test]
fn an_export_s_tag_tells_of_its_content_alone() {
    let node = node();
    node.call("POST", "/api/v1/records?tlp=clear", &node.admin, &event(7, "open", "evil.example.com"));
    let tag = || {
        let request = Request::builder()
            .uri("/api/v1/export?format=rpz&audience=public")
            .header(header::AUTHORIZATION, format!("Bearer {}", node.user))
            .body(Body::empty())
            .unwrap();
        node.send(request).headers()[header::ETAG].to_str().unwrap().to_owned()
    };
    let first = tag();
    // Something that the audience may not see changes nothing for it.
    node.call("POST", "/api/v1/records", &node.admin, &event(8, "secret", "secret.example.com"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(tag(), first);
    node.call("POST", "/api/v1/records?tlp=clear", &node.admin, &event(9, "open", "evil9.example.com"));
    assert_ne!(tag(), first);
}

/// What would let somebody else stay asks for the password; nobody touches another's keys.
#[test]
fn one_s_own_account_is_changed_with_the_password_alone() {
    let node = node();
    let account = node.store.account("user@bank.example").unwrap();
    node.store.set_password("test", &account.email, "four words are enough").unwrap();
    let token = node.store.begin_session(account.uuid).unwrap();
    let csrf = node.store.session(&token).unwrap().unwrap().csrf;
    let change = |fields: &str| {
        let request = Request::builder()
            .method("POST")
            .uri("/account")
            .header(header::COOKIE, format!("manara_session={token}"))
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("csrf={csrf}&{fields}")))
            .unwrap();
        let body = node.send(request).into_body();
        String::from_utf8(node.runtime.block_on(to_bytes(body, 1 << 20)).unwrap().to_vec()).unwrap()
    };
    let keys =
        || node.store.keys(None).unwrap().iter().filter(|key| key.account == account.email && !key.revoked).count();
    assert_eq!(keys(), 1);
    assert!(change("what=key&password=wrong&right=read&days=30").contains("nothing was changed"));
    assert_eq!(keys(), 1);
    let made = change("what=key&password=four+words+are+enough&right=read,write,manage,admin&days=30&note=sensor");
    assert_eq!(keys(), 2, "{made}");
    let scope = node.store.keys(None).unwrap().into_iter().find(|key| key.note == "sensor").unwrap().scope;
    assert_eq!(scope, ["read", "write"], "no more than the role has");
    let theirs = node.store.keys(None).unwrap().into_iter().find(|key| key.account != account.email).unwrap();
    assert!(change(&format!("what=revoke&id={}", theirs.id)).contains("not known here"));
    assert!(!node.store.keys(None).unwrap().iter().any(|key| key.id == theirs.id && key.revoked));
    assert!(change("what=password&password=four+words+are+enough&new=password1234").contains("first that are tried"));
    assert!(change("what=factor&password=four+words+are+enough").contains("otpauth://totp/"));
    assert!(node.store.account(&account.email).unwrap().second_factor);
    assert!(node.store.session(&token).unwrap().is_none(), "a new factor ends the sessions");
}

/// A cursor tells nothing: not how many records lie in between, not whether there is one, and it is its
/// holder's alone.
#[test]
fn a_cursor_is_sealed_and_one_s_own() {
    let node = node();
    for n in 20..26 {
        let (key, tlp) = if n % 2 == 0 { (&node.user, "?tlp=green") } else { (&node.admin, "") };
        let title = format!("event {n}");
        node.call("POST", &format!("/api/v1/records{tlp}"), key, &event(n, &title, &format!("h{n}.example.com")));
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/records?limit=1".to_owned();
    loop {
        let (status, page) = node.call("GET", &path, &node.reader, "");
        assert_eq!(status, StatusCode::OK, "{page}");
        seen.extend(
            page["records"].as_array().unwrap().iter().map(|record| record["title"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        assert!(next.len() > 80 && next.parse::<i64>().is_err());
        path = format!("/api/v1/records?limit=1&cursor={next}");
        let (status, _) = node.call("GET", &path, &node.admin, "");
        assert_eq!(status, StatusCode::BAD_REQUEST, "another's cursor");
    }
    assert_eq!(seen, ["event 24", "event 22", "event 20"]);
    for forged in ["1", "5", "999999", "sealed1:00", &"ab".repeat(50)] {
        let (status, problem) = node.call("GET", &format!("/api/v1/records?cursor={forged}"), &node.reader, "");
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(problem["detail"].as_str().unwrap().contains("none that you were given"));
    }
}
