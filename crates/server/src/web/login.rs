//! Log-in, log-out, language.

use super::i18n::languages;
use super::page::{Frame, LANGUAGE, check_csrf, render};
use crate::access::{COOKIE, COOKIE_TLS, over_tls, same_site, token};
use crate::app::App;
use crate::metrics::Login;
use crate::problem::Problem;
use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, Extension, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use manara_store::people::{LogIn, Session};
use serde::Deserialize;
use std::net::SocketAddr;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Frame,
    failed: bool,
    /// Seconds before the next try.
    wait: i64,
}

pub(super) async fn form(headers: HeaderMap) -> Response {
    render(&LoginPage { page: Frame::new(&headers, None, "login"), failed: false, wait: 0 })
}

#[derive(Deserialize)]
pub(super) struct Given {
    email: String,
    password: String,
    #[serde(default)]
    code: String,
}

fn cookie(headers: &HeaderMap, name: &str, value: &str, seconds: i64) -> String {
    let secure = if over_tls(headers) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}

/// The session's cookie, under the name that fits how the browser came.
fn session_cookie(headers: &HeaderMap, token: &str, seconds: i64) -> String {
    cookie(headers, if over_tls(headers) { COOKIE_TLS } else { COOKIE }, token, seconds)
}

pub(super) async fn log_in(
    State(app): State<App>,
    from: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    if !same_site(&headers) {
        return Err(Problem::forbidden("this form was sent from another site"));
    }
    let from = from.map(|Extension(ConnectInfo(address))| address.ip());
    let (result, token) = app
        .blocking(move |app| {
            let result = app.store.log_in(&given.email, &given.password, &given.code, from)?;
            let token = match &result {
                LogIn::Good(account) => Some(app.store.begin_session(account.uuid)?),
                _ => None,
            };
            Ok((result, token))
        })
        .await?;
    // Who, where it is known; never what was typed: a password may stand in the wrong field.
    match &result {
        LogIn::Good(account) => tracing::info!(account = %account.uuid, ?from, "log-in"),
        LogIn::Wrong => tracing::warn!(?from, "log-in refused: wrong"),
        LogIn::Wait(seconds) => tracing::warn!(?from, seconds, "log-in refused: too many failures"),
    }
    app.metrics.login(match result {
        LogIn::Good(_) => Login::Good,
        LogIn::Wrong => Login::Wrong,
        LogIn::Wait(_) => Login::Slowed,
    });
    if let Some(token) = token {
        let cookie = session_cookie(&headers, &token, 12 * 3600);
        return Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response());
    }
    let (status, wait) = match result {
        LogIn::Wait(seconds) => (StatusCode::TOO_MANY_REQUESTS, seconds),
        _ => (StatusCode::UNAUTHORIZED, 0),
    };
    let page = LoginPage { page: Frame::new(&headers, None, "login"), failed: wait == 0, wait };
    let mut response = (status, render(&page)).into_response();
    if wait > 0 {
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    Ok(response)
}

#[derive(Deserialize)]
pub(super) struct Token {
    csrf: String,
}

pub(super) async fn log_out(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    Form(given): Form<Token>,
) -> Result<Response, Problem> {
    check_csrf(&session, &given.csrf)?;
    if let Some(token) = token(&headers) {
        app.blocking(move |app| Ok(app.store.end_session(&token)?)).await?;
    }
    let gone = [
        (header::SET_COOKIE, session_cookie(&headers, "", 0)),
        (HeaderName::from_static("clear-site-data"), "\"cache\", \"storage\"".to_owned()),
    ];
    Ok((AppendHeaders(gone), Redirect::to("/login")).into_response())
}

pub(super) async fn language(Path(code): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let language =
        languages().iter().find(|language| language.code == code).ok_or_else(|| Problem::missing("this language"))?;
    // Back to where the reader was, on this node only.
    let back = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = back
        .and_then(|url| url.split_once("://")?.1.strip_prefix(host))
        .filter(|path| path.starts_with('/') && !path.starts_with("//"));
    let target = path.unwrap_or("/");
    Ok(([(header::SET_COOKIE, cookie(&headers, LANGUAGE, language.code, 31_536_000))], Redirect::to(target))
        .into_response())
}
