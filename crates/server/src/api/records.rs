//! Records: list, one, its parts and correlations, withdrawal.

use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Extension, Json, Path, Query, State};
use axum::http::StatusCode;
use manara_corridor::RecordLine;
use manara_model::Purpose;
use manara_model::record::{parse_time, rfc3339};
use manara_model::role::Right;
use manara_store::people::Caller;
use manara_store::view::{Filter, View};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use uuid::Uuid;

const MAX_PAGE: u32 = 1000;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    cursor: Option<String>,
    limit: Option<u32>,
    kind: Option<String>,
    tag: Option<String>,
    since: Option<String>,
    /// Words in titles and comments.
    text: Option<String>,
}

#[derive(Serialize)]
pub(super) struct List {
    records: Vec<RecordLine>,
    /// Ask with `cursor=` this for the next page; `null`: there is none.
    next: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List>, Problem> {
    let limit = query.limit.unwrap_or(100).clamp(1, MAX_PAGE);
    let since = match &query.since {
        Some(text) => {
            Some(parse_time(text).ok_or_else(|| Problem::bad(format!("since='{text}' is no time; give RFC 3339")))?)
        }
        None => None,
    };
    app.blocking(move |app| {
        let audience = caller.audience();
        let cursor = app.store.open_cursor(&audience, query.cursor.as_deref())?;
        let view = app.store.view(audience.clone(), Purpose::Read)?;
        let page = match &query.text {
            Some(words) => view.text(words, cursor, limit)?,
            None => {
                let filter = Filter { kind: query.kind, tag: query.tag, since, owner: None };
                view.heads(&filter, cursor, limit)?
            }
        };
        let next = app.store.close_cursor(&audience, page.next)?;
        Ok(Json(List { records: page.items.iter().map(RecordLine::of).collect(), next }))
    })
    .await
}

/// Kinds that are knowledge of the field rather than news.
const KNOWLEDGE: &[&str] = &["taxonomy", "galaxy", "galaxy-clusters", "object-template", "warninglist"];

pub(super) async fn knowledge(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List>, Problem> {
    let kind = query.kind.clone().unwrap_or_else(|| "taxonomy".into());
    if !KNOWLEDGE.contains(&kind.as_str()) {
        return Err(Problem::bad(format!("kind='{kind}' is no knowledge; there are: {}", KNOWLEDGE.join(", "))));
    }
    list(State(app), Extension(caller), Query(ListQuery { kind: Some(kind), ..query })).await
}

#[derive(Serialize)]
pub(super) struct Whole {
    #[serde(flatten)]
    line: RecordLine,
    format: String,
    modified: Option<String>,
    marking: String,
    /// The record without its parts, as it came; a text where it is no JSON.
    body: Value,
    /// Something was taken out for you.
    redacted: bool,
}

pub(super) async fn one(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(uuid): Path<Uuid>,
) -> Result<Json<Whole>, Problem> {
    app.blocking(move |app| {
        let view = app.store.view(caller.audience(), Purpose::Read)?;
        let head = view.record(uuid)?.ok_or_else(|| Problem::missing("this record"))?;
        let mut body = head.skeleton.clone();
        if body.is_empty() {
            view.parts_in_order::<manara_store::StoreError>(&head, |part| {
                body.push_str(&part.raw);
                Ok(())
            })?;
        }
        Ok(Json(Whole {
            line: RecordLine::of(&head),
            format: head.format.clone(),
            modified: head.modified.map(rfc3339),
            marking: head.label.marking.to_string(),
            body: serde_json::from_str(&body).unwrap_or_else(|_| Value::from(body)),
            redacted: head.redacted,
        }))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct PartsQuery {
    from: Option<u32>,
    limit: Option<u32>,
}

#[derive(Serialize)]
struct PartLine {
    ordinal: u32,
    uuid: Option<Uuid>,
    parent: Option<u32>,
    marking: String,
    observables: Vec<Value>,
    /// As it came: JSON, or a line of text.
    raw: Box<RawValue>,
}

enum Stop {
    Enough,
    Failed(manara_store::StoreError),
}

impl From<manara_store::StoreError> for Stop {
    fn from(error: manara_store::StoreError) -> Self {
        Stop::Failed(error)
    }
}

pub(super) async fn parts(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(uuid): Path<Uuid>,
    Query(query): Query<PartsQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit.unwrap_or(200).clamp(1, MAX_PAGE) as usize;
    app.blocking(move |app| {
        let view = app.store.view(caller.audience(), Purpose::Read)?;
        let head = view.record(uuid)?.ok_or_else(|| Problem::missing("this record"))?;
        let (mut lines, mut next) = (Vec::new(), None);
        let walked = view.parts(&head, query.from.unwrap_or(0), |part| {
            if lines.len() == limit {
                next = Some(part.ordinal);
                return Err(Stop::Enough);
            }
            let text = || RawValue::from_string(Value::from(part.raw.clone()).to_string()).unwrap_or_default();
            let raw = if part.raw.starts_with('{') { RawValue::from_string(part.raw.clone()).unwrap_or_else(|_| text()) } else { text() };
            let observable = |f: &manara_model::Found| json!({"type": f.observable.ty(), "value": f.observable.value(), "detect": f.detect});
            lines.push(PartLine {
                ordinal: part.ordinal,
                uuid: part.uuid,
                parent: part.parent,
                marking: part.label.marking.to_string(),
                observables: part.found.iter().map(observable).collect(),
                raw,
            });
            Ok(())
        });
        if let Err(Stop::Failed(error)) = walked {
            return Err(error.into());
        }
        Ok(Json(json!({"parts": lines, "next": next})))
    })
    .await
}

/// Type, value, how many other records have it, and the first of them.
pub(crate) type CorrelationLine = (String, String, i64, Vec<RecordLine>);

/// A record's correlations as lines, for the API and the record's page.
pub(crate) fn correlation_lines(view: &View<'_>, uuid: Uuid) -> Result<Vec<CorrelationLine>, Problem> {
    let head = view.record(uuid)?.ok_or_else(|| Problem::missing("this record"))?;
    let found = view.correlations(&head, 1000, 10)?;
    let line = |c: &manara_store::view::Correlation| {
        let others = c.known.records.iter().filter(|other| other.row != head.row).map(RecordLine::of).collect();
        (c.observable.ty().name().to_owned(), c.observable.value().to_owned(), c.known.total - 1, others)
    };
    Ok(found.iter().map(line).collect())
}

pub(super) async fn correlations(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(uuid): Path<Uuid>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        let view = app.store.view(caller.audience(), Purpose::Read)?;
        let lines = correlation_lines(&view, uuid)?;
        let line = |(ty, value, others, records): (String, String, i64, Vec<RecordLine>)| json!({"type": ty, "value": value, "others": others, "records": records});
        Ok(Json(Value::from(lines.into_iter().map(line).collect::<Vec<_>>())))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    reason: String,
}

pub(super) async fn withdraw(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(uuid): Path<Uuid>,
    Query(why): Query<Reason>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| {
        // The operator of the node may withdraw what anybody holds here.
        let owner = (!caller.may(Right::Admin)).then_some(caller.account.org);
        app.store.withdraw(&caller.account.email, owner, uuid, None, &why.reason)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
