//! Log-in, log-out, language.

use super::i18n::languages;
use super::page::{Frame, LANGUAGE, check_csrf, render};
use crate::access::{COOKIE, same_site, token};
use crate::app::App;
use crate::problem::Problem;
use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use manara_store::people::Session;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Frame,
    failed: bool,
}

pub(super) async fn form(headers: HeaderMap) -> Response {
    render(&LoginPage { page: Frame::new(&headers, None, "login"), failed: false })
}

#[derive(Deserialize)]
pub(super) struct LogIn {
    email: String,
    password: String,
}

fn cookie(name: &str, value: &str, seconds: i64) -> String {
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}")
}

pub(super) async fn log_in(
    State(app): State<App>,
    headers: HeaderMap,
    Form(given): Form<LogIn>,
) -> Result<Response, Problem> {
    if !same_site(&headers) {
        return Err(Problem::forbidden("this form was sent from another site"));
    }
    let token = app
        .blocking(move |app| match app.store.log_in(&given.email, &given.password)? {
            Some(account) => Ok(Some(app.store.begin_session(account.uuid)?)),
            None => Ok(None),
        })
        .await?;
    Ok(match token {
        Some(token) => ([(header::SET_COOKIE, cookie(COOKIE, &token, 12 * 3600))], Redirect::to("/")).into_response(),
        None => {
            let page = LoginPage { page: Frame::new(&headers, None, "login"), failed: true };
            (StatusCode::UNAUTHORIZED, render(&page)).into_response()
        }
    })
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
    Ok(([(header::SET_COOKIE, cookie(COOKIE, "", 0))], Redirect::to("/login")).into_response())
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
    Ok(([(header::SET_COOKIE, cookie(LANGUAGE, language.code, 31_536_000))], Redirect::to(target)).into_response())
}
