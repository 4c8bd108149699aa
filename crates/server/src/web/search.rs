//! The box that takes anything.

use super::page::{Frame, check_csrf, failed, render};
use crate::app::App;
use crate::problem::Problem;
use askama::Template;
use axum::Form;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use manara_corridor::{Answer, RecordLine, answer, ask};
use manara_model::Purpose;
use manara_model::observable::extract;
use manara_store::people::Session;
use serde::Deserialize;
use std::collections::HashSet;

/// Values shown on one page.
const MAX_VALUES: usize = 200;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    page: Frame,
    question: String,
    asked: bool,
    answers: Vec<Answer>,
    texts: Vec<RecordLine>,
}

pub(super) async fn form(headers: HeaderMap, Extension(session): Extension<Session>) -> Response {
    let page = Frame::new(&headers, Some(&session), "search");
    render(&SearchPage { page, question: String::new(), asked: false, answers: Vec::new(), texts: Vec::new() })
}

#[derive(Deserialize)]
pub(super) struct Question {
    q: String,
    csrf: String,
}

pub(super) async fn answers(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    Form(question): Form<Question>,
) -> Response {
    let page = Frame::new(&headers, Some(&session), "search");
    match run(&app, session, question).await {
        Ok((question, answers, texts)) => render(&SearchPage { page, question, asked: true, answers, texts }),
        Err(problem) => failed(page, problem),
    }
}

async fn run(
    app: &App,
    session: Session,
    question: Question,
) -> Result<(String, Vec<Answer>, Vec<RecordLine>), Problem> {
    check_csrf(&session, &question.csrf)?;
    app.blocking(move |app| {
        let view = app.store.view(session.caller.audience(), Purpose::Read)?;
        let lists = app.warnings.get(&app.store)?;
        let text = question.q.trim();
        let (mut answers, mut texts) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for found in extract(text) {
            if seen.len() < MAX_VALUES && seen.insert(found.observable.clone()) {
                let asked = text.get(found.start..found.end).unwrap_or_default();
                answers.push(answer(&view, asked, &found.observable, &lists, 20)?);
            }
        }
        let short = text.len() <= 200 && !text.contains('\n');
        if answers.is_empty() && short {
            answers = ask(&view, &[text.to_owned()], &lists, 20)?;
            answers.retain(|answer| answer.ty.is_some());
            texts = view.text(text, None, 50)?.items.iter().map(RecordLine::of).collect();
        }
        Ok((question.q, answers, texts))
    })
    .await
}
