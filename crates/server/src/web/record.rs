//! The list of records, and the page of one: what it is, who may see it, where its values stand too.

use super::page::{Frame, failed, render};
use crate::api::{CorrelationLine, correlation_lines, spool};
use crate::app::App;
use crate::problem::Problem;
use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use manara_corridor::{RecordLine, Selection};
use manara_model::policy::{Decision, Rule};
use manara_model::{Audience, Gate, Purpose};
use manara_store::people::Session;
use manara_store::view::Filter;
use serde::Deserialize;
use uuid::Uuid;

/// Values shown of one record.
const SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "records.html")]
struct ListPage {
    page: Frame,
    records: Vec<RecordLine>,
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Cursor {
    cursor: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    Query(query): Query<Cursor>,
) -> Response {
    let page = Frame::new(&headers, Some(&session), "records");
    let found = app
        .blocking(move |app| {
            let audience = session.caller.audience();
            let cursor = app.store.open_cursor(&audience, query.cursor.as_deref())?;
            let found = app.store.view(audience.clone(), Purpose::Read)?.heads(&Filter::default(), cursor, 50)?;
            let next = app.store.close_cursor(&audience, found.next)?;
            Ok((found.items.iter().map(RecordLine::of).collect(), next))
        })
        .await;
    match found {
        Ok((records, next)) => render(&ListPage { page, records, next }),
        Err(problem) => failed(page, problem),
    }
}

struct AudienceRow {
    name: String,
    allowed: bool,
    reason: &'static str,
}

/// The text that says why.
fn reason(decision: &Decision) -> &'static str {
    match (decision.allowed(), decision.rule()) {
        (true, Rule::Owner | Rule::Node) => "why-owner",
        (true, _) => "why-cleared",
        (false, Rule::Embargo) => "why-embargo",
        (false, Rule::Unmarked) => "why-unmarked",
        (false, Rule::Distribution) => "why-distribution",
        (false, Rule::SharingGroup) => "why-sharing-group",
        (false, Rule::Recipients) => "why-recipients",
        (false, Rule::Pap) => "why-pap",
        (false, Rule::Agreement) => "why-agreement",
        (false, Rule::Tlp | Rule::Node | Rule::Owner) => "why-tlp",
    }
}

struct Shown {
    line: RecordLine,
    marking: String,
    redacted: bool,
    audiences: Vec<AudienceRow>,
    correlations: Vec<CorrelationLine>,
    values: Vec<(String, String, String)>,
    more: bool,
}

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    page: Frame,
    line: RecordLine,
    marking: String,
    redacted: bool,
    audiences: Vec<AudienceRow>,
    correlations: Vec<CorrelationLine>,
    values: Vec<(String, String, String)>,
    more: bool,
}

pub(super) async fn one(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    Path(uuid): Path<Uuid>,
) -> Response {
    let page = Frame::new(&headers, Some(&session), "records");
    let public = page.t.s("record-audience-public");
    match app.blocking(move |app| shown(app, &session, uuid, &public)).await {
        Ok(Shown { line, marking, redacted, audiences, correlations, values, more }) => {
            render(&RecordPage { page, line, marking, redacted, audiences, correlations, values, more })
        }
        Err(problem) => failed(page, problem),
    }
}

fn shown(app: &App, session: &Session, uuid: Uuid, public: &str) -> Result<Shown, Problem> {
    let view = app.store.view(session.caller.audience(), Purpose::Read)?;
    let head = view.record(uuid)?.ok_or_else(|| Problem::missing("this record"))?;
    let facts = view.facts();
    // Who else gets it is for those who hold it; others learn only about themselves.
    let holder = *view.gate().audience() == Audience::Node || head.label.owner == session.caller.account.org;
    let mut asked: Vec<(String, Audience)> = Vec::new();
    if holder {
        asked.push((public.to_owned(), Audience::Public));
        asked.extend(facts.world.local.iter().map(|org| (facts.name(*org), Audience::Org(*org))));
        asked[1..].sort_by(|a, b| a.0.cmp(&b.0));
    } else {
        let org = session.caller.account.org;
        asked.push((facts.name(org), Audience::Org(org)));
    }
    let judge = |(name, audience): (String, Audience)| {
        let decision = Gate::new(&facts.world, audience, Purpose::Read).judge(&head.label);
        AudienceRow { name, allowed: decision.allowed(), reason: reason(&decision) }
    };
    let audiences = asked.into_iter().map(judge).collect();
    let (mut values, mut more) = (Vec::new(), false);
    view.parts::<manara_store::StoreError>(&head, 0, |part| {
        for found in &part.found {
            if values.len() < SHOWN {
                let marking = if part.label == head.label { String::new() } else { part.label.marking.to_string() };
                values.push((found.observable.ty().name().to_owned(), found.observable.value().to_owned(), marking));
            } else {
                more = true;
            }
        }
        Ok(())
    })?;
    Ok(Shown {
        line: RecordLine::of(&head),
        marking: head.label.marking.to_string(),
        redacted: head.redacted,
        audiences,
        correlations: correlation_lines(&view, uuid)?,
        values,
        more,
    })
}

/// One record in a format, for whoever reads the page.
pub(super) async fn export(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Path((uuid, format)): Path<(Uuid, String)>,
) -> Result<Response, Problem> {
    let format = manara_formats::format(&format).filter(|f| f.writes).ok_or_else(|| Problem::missing("this format"))?;
    let spooled = app
        .blocking(move |app| {
            let selection = Selection { record: Some(uuid), ..Selection::default() };
            spool(app, format.name, session.caller.audience(), &selection)
        })
        .await?;
    let name = format!("attachment; filename=\"{uuid}.{}\"", format.name);
    let fields = [(header::CONTENT_TYPE, format.media_type.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((fields, spooled.body()).into_response())
}
