//! One's own account: password, second factor, sessions, keys. What would let somebody else stay (a
//! password, a factor, a key) asks for the password again, so that an open screen is not enough.

use super::page::{Frame, check_csrf, render};
use crate::app::App;
use crate::problem::Problem;
use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use manara_model::role::Right;
use manara_store::people::{KeyInfo, LogIn, SecondFactor, Session};
use serde::Deserialize;
use std::net::SocketAddr;

/// What was done, shown above the forms.
#[derive(Default)]
struct Done {
    /// Key of a text.
    text: &'static str,
    /// A new key, shown once.
    key: Option<String>,
    /// A new factor, shown once.
    factor: Option<SecondFactor>,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Frame,
    org: String,
    role: &'static str,
    second_factor: bool,
    rights: Vec<&'static str>,
    keys: Vec<KeyInfo>,
    done: Option<Done>,
    error: Option<String>,
    /// Seconds before the next try.
    wait: i64,
}

impl AccountPage {
    fn day(&self, millis: &i64) -> String {
        jiff::Timestamp::from_millisecond(*millis).map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
    }
}

fn page(
    app: &App,
    headers: &HeaderMap,
    session: &Session,
    result: Result<Option<Done>, Refused>,
) -> Result<Response, Problem> {
    // As it is now, not as it was when the session was read.
    let account = app.store.account(&session.caller.account.email)?;
    let page = Frame::new(headers, Some(session), "account");
    let (done, error, wait) = match result {
        Ok(done) => (done, None, 0),
        Err(Refused::Wrong) => (None, Some(page.t.s("account-wrong")), 0),
        Err(Refused::Wait(seconds)) => (None, None, seconds),
        Err(Refused::Problem(problem)) => (None, Some(problem.detail), 0),
    };
    let keys = app.store.keys(Some(&account.email))?;
    Ok(render(&AccountPage {
        page,
        org: app.store.facts()?.name(account.org),
        role: account.role.name(),
        second_factor: account.second_factor,
        rights: Right::ALL.into_iter().filter(|right| account.role.has(*right)).map(Right::name).collect(),
        keys,
        done,
        error,
        wait,
    }))
}

pub(super) async fn form(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.blocking(move |app| page(app, &headers, &session, Ok(None))).await
}

/// What the page's forms say; each has the fields that it needs.
#[derive(Deserialize)]
pub(super) struct Change {
    csrf: String,
    what: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    right: String,
    #[serde(default)]
    id: String,
}

enum Refused {
    Wrong,
    Wait(i64),
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Refused {
    fn from(error: E) -> Self {
        Refused::Problem(error.into())
    }
}

pub(super) async fn change(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    from: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(given): Form<Change>,
) -> Result<Response, Problem> {
    check_csrf(&session, &given.csrf)?;
    let from = from.map(|Extension(ConnectInfo(address))| address.ip());
    app.blocking(move |app| {
        let result = apply(app, &session, &given, from);
        page(app, &headers, &session, result.map(Some))
    })
    .await
}

fn apply(app: &App, session: &Session, given: &Change, from: Option<std::net::IpAddr>) -> Result<Done, Refused> {
    let email = session.caller.account.email.as_str();
    let again = || match app.store.log_in(email, &given.password, &given.code, from)? {
        LogIn::Good(_) => Ok(()),
        LogIn::Wrong => Err(Refused::Wrong),
        LogIn::Wait(seconds) => Err(Refused::Wait(seconds)),
    };
    let done = |text| Done { text, ..Done::default() };
    match given.what.as_str() {
        "password" => {
            again()?;
            app.store.set_password(email, email, &given.new)?;
            Ok(done("account-password-changed"))
        }
        "factor" => {
            again()?;
            let factor = app.store.add_second_factor(email, email)?;
            Ok(Done { text: "account-factor-added", factor: Some(factor), key: None })
        }
        "no-factor" => {
            again()?;
            app.store.remove_second_factor(email, email)?;
            Ok(done("account-factor-removed"))
        }
        "key" => {
            again()?;
            let rights = given.right.split(',').filter_map(Right::parse);
            let rights: Vec<Right> = rights.filter(|right| session.caller.may(*right)).collect();
            let days: i64 = given
                .days
                .parse()
                .ok()
                .filter(|days| (1..=3650).contains(days))
                .ok_or_else(|| Problem::bad("a key ends after 1 to 3650 days"))?;
            let expires = jiff::Timestamp::now().as_millisecond() + days * 86_400_000;
            let note: String = given.note.chars().filter(|c| !c.is_control()).take(100).collect();
            let key = app.store.add_key(email, email, &note, &rights, Some(expires))?;
            Ok(Done { text: "account-key-added", key: Some(key), factor: None })
        }
        "revoke" => {
            let id: i64 = given.id.parse().map_err(|_| Problem::bad("which key?"))?;
            // Somebody else's key is not known here.
            if !app.store.keys(Some(email))?.iter().any(|key| key.id == id) {
                return Err(Problem::missing("this key").into());
            }
            app.store.revoke_key(email, id)?;
            Ok(done("account-key-revoked"))
        }
        "sessions" => {
            app.store.end_sessions(email, email)?;
            Ok(done("account-sessions-ended"))
        }
        other => Err(Problem::bad(format!("'{other}' is nothing that this page does")).into()),
    }
}
