//! The import page: paste or choose a file, say how far it may go, and read what happened.

use super::page::{Frame, check_csrf, render};
use crate::api::{ImportQuery, take as take_input};
use crate::app::App;
use crate::problem::Problem;
use askama::Template;
use axum::extract::{DefaultBodyLimit, Extension, Multipart, State};
use axum::http::HeaderMap;
use axum::response::Response;
use manara_formats::{Input, Limits};
use manara_model::role::Right;
use manara_store::intake::Report;
use manara_store::people::Session;
use std::io::{Seek, SeekFrom, Write};

struct Done {
    format: &'static str,
    report: Report,
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    page: Frame,
    may_write: bool,
    done: Option<Done>,
    error: Option<String>,
}

pub(super) async fn form(headers: HeaderMap, Extension(session): Extension<Session>) -> Response {
    let may_write = session.caller.may(Right::Write);
    render(&ImportPage { page: Frame::new(&headers, Some(&session), "import"), may_write, done: None, error: None })
}

/// The body limit of this form: large files have the API and the command line.
pub(super) fn limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(64 << 20)
}

pub(super) async fn take(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let page = Frame::new(&headers, Some(&session), "import");
    let (done, error) = match run(&app, session, form).await {
        Ok(done) => (Some(done), None),
        Err(problem) => (None, Some(problem.detail)),
    };
    render(&ImportPage { page, may_write: true, done, error })
}

async fn run(app: &App, session: Session, mut form: Multipart) -> Result<Done, Problem> {
    let (mut query, mut checked, mut spool) = (ImportQuery::default(), false, None);
    let broken = |error: axum::extract::multipart::MultipartError| Problem::bad(error.to_string());
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        match field.name().unwrap_or_default() {
            "csrf" => {
                check_csrf(&session, &field.text().await.map_err(broken)?)?;
                checked = true;
            }
            "tlp" => query.tlp = Some(field.text().await.map_err(broken)?),
            "distribution" => query.distribution = field.text().await.map_err(broken)?.parse().ok(),
            name @ ("text" | "file") => {
                let file_name = field.file_name().filter(|name| !name.is_empty()).map(str::to_owned);
                let label = if name == "text" { "-".to_owned() } else { file_name.unwrap_or_else(|| "-".into()) };
                let mut file = tempfile::tempfile().map_err(|_| Problem::internal())?;
                let mut length = 0usize;
                while let Some(piece) = field.chunk().await.map_err(broken)? {
                    length += piece.len();
                    file.write_all(&piece).map_err(|_| Problem::internal())?;
                }
                if length > 0 {
                    spool = Some((label, file));
                }
            }
            _ => {}
        }
    }
    if !checked {
        return Err(Problem::forbidden("this form is out of date; open its page again"));
    }
    let (name, mut file) = spool.ok_or_else(|| Problem::bad("paste a text or choose a file"))?;
    app.blocking(move |app| {
        file.seek(SeekFrom::Start(0)).map_err(|_| Problem::internal())?;
        let mut input =
            Input::from_reader(&name, file, Limits::default()).map_err(|error| Problem::bad(error.to_string()))?;
        let (format, report) = take_input(app, &session.caller, &query, &mut input)?;
        Ok(Done { format, report })
    })
    .await
}
