//! What every page has: its language, who is reading, and how it answers.

use super::i18n::{Language, Texts, languages};
use crate::problem::Problem;
use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use manara_model::role::Right;
use manara_store::people::Session;
use manara_store::view::SightingCount;

/// Name of the language cookie.
pub(super) const LANGUAGE: &str = "manara_language";

/// Who is reading.
pub(super) struct Who {
    pub(super) email: String,
    pub(super) csrf: String,
    /// Runs the node.
    pub(super) admin: bool,
}

/// The frame of a page.
pub(super) struct Frame {
    pub(super) t: Texts,
    pub(super) who: Option<Who>,
    pub(super) here: &'static str,
}

impl Frame {
    pub(super) fn new(headers: &HeaderMap, session: Option<&Session>, here: &'static str) -> Self {
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let chosen = cookies.flat_map(|line| line.split(';')).find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == LANGUAGE).then_some(value)
        });
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let who = session.map(|session| Who {
            email: session.caller.account.email.clone(),
            csrf: session.csrf.clone(),
            admin: session.caller.may(Right::Admin),
        });
        Frame { t: Texts::choose(chosen, accepted), who, here }
    }

    pub(super) fn languages(&self) -> &'static [Language] {
        languages()
    }

    pub(super) fn csrf(&self) -> &str {
        self.who.as_ref().map_or("", |who| who.csrf.as_str())
    }

    pub(super) fn email(&self) -> &str {
        self.who.as_ref().map_or("", |who| who.email.as_str())
    }

    /// Day and minute of a time in RFC 3339.
    pub(super) fn date(&self, text: &str) -> String {
        text.get(..16).unwrap_or(text).replace('T', " ")
    }

    /// A TLP level as the name of a style.
    pub(super) fn tlp_class(&self, level: &str) -> String {
        level.replace('+', "-")
    }

    pub(super) fn sightings(&self, count: &SightingCount) -> String {
        let numbers = [("seen", count.seen), ("false", count.false_positive), ("expired", count.expired)];
        self.t.numbers("answer-sightings", &numbers)
    }
}

/// A rendered page.
pub(super) fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "page");
            Problem::internal().into_response()
        }
    }
}

/// A form's token must be its session's; both are random, and compared without telling how far they agree.
pub(super) fn check_csrf(session: &Session, given: &str) -> Result<(), Problem> {
    let (own, given) = (session.csrf.as_bytes(), given.as_bytes());
    let difference = own.iter().zip(given).fold(own.len() ^ given.len(), |all, (a, b)| all | usize::from(a ^ b));
    if difference == 0 { Ok(()) } else { Err(Problem::forbidden("this form is out of date; open its page again")) }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Frame,
    detail: String,
}

/// An error as a page.
pub(super) fn failed(page: Frame, problem: Problem) -> Response {
    let status = problem.status;
    let mut response = render(&ErrorPage { page, detail: problem.detail });
    if status != StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}
