//! In by HTTP: streamed to a spool, read by the same readers as files, answered after it is on disk.

use crate::app::App;
use crate::body::Incoming;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Extension, Json, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use manara_corridor::import as corridor_import;
use manara_formats::{Input, Limits};
use manara_model::record::Rejection;
use manara_model::{Level, Marking, Tlp};
use manara_store::intake::{Report, Terms};
use manara_store::people::Caller;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Read;
use uuid::Uuid;

/// How it is to be taken.
#[derive(Deserialize, Default, Clone)]
pub(crate) struct ImportQuery {
    pub(crate) format: Option<String>,
    pub(crate) tlp: Option<String>,
    pub(crate) distribution: Option<u8>,
    pub(crate) name: Option<String>,
}

/// The holder's own limit.
pub(crate) fn marking(query: &ImportQuery) -> Result<Marking, Problem> {
    let mut marking = Marking::default();
    if let Some(text) = query.tlp.as_deref().filter(|text| !text.is_empty()) {
        marking.tlp =
            Some(Tlp::parse(text).ok_or_else(|| {
                Problem::bad(format!("tlp='{text}' is none of clear, green, amber, amber+strict, red"))
            })?);
    }
    match query.distribution {
        None | Some(5) => {}
        Some(number @ 0..=3) => marking.level = Level::from_number(number),
        Some(4) => marking = marking.to_groups([]),
        Some(other) => return Err(Problem::bad(format!("distribution={other} is none of 0 to 5"))),
    }
    Ok(marking)
}

/// Reads an input on a caller's terms: what it brings is held by the caller's organisation.
pub(crate) fn take(
    app: &App,
    caller: &Caller,
    query: &ImportQuery,
    input: &mut Input,
) -> Result<(&'static str, Report), Problem> {
    let terms = Terms { owner: caller.account.org, actor: caller.account.email.clone(), marking: marking(query)? };
    let format = query.format.as_deref().filter(|name| !name.is_empty());
    let imported = corridor_import(&app.store, input, format, terms, None)?;
    Ok((imported.format.name, imported.report))
}

/// Too much is an error, not an end.
struct AtMost<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for AtMost<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| {
            std::io::Error::other("the body is larger than this node takes; split it, or raise max_body_mb")
        })?;
        Ok(n)
    }
}

async fn run(
    app: App,
    caller: Caller,
    query: ImportQuery,
    body: Body,
    expected: Option<Uuid>,
) -> Result<Response, Problem> {
    marking(&query)?;
    let incoming = Incoming::of(&app, body).await;
    app.blocking(move |app| {
        let limits = Limits { bytes: app.options.max_body.saturating_mul(8), ..Limits::default() };
        // A name is for people and for the next edition of the same list; it is never a path here.
        let name = query.name.as_deref().unwrap_or("-").rsplit(['/', '\\']).next().unwrap_or("-").to_owned();
        let reader = AtMost { inner: incoming, left: app.options.max_body };
        let mut input = Input::from_reader(&name, reader, limits)
            .map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
        if let Some(uuid) = expected {
            must_be(app, &caller, &mut input, uuid)?;
        }
        let (format, report) = take(app, &caller, &query, &mut input)?;
        let taken = report.added + report.updated + report.unchanged;
        let status = match (taken, report.rejected_total) {
            (0, _) => StatusCode::UNPROCESSABLE_ENTITY,
            _ if report.added > 0 => StatusCode::CREATED,
            _ => StatusCode::OK,
        };
        Ok((status, Json(body_of(format, &report))).into_response())
    })
    .await
}

fn body_of(format: &str, report: &Report) -> Value {
    let place = |r: &Rejection| json!({"file": r.file, "place": r.place, "reason": r.reason});
    json!({
        "format": format, "records": report.records, "observables": report.observables, "added": report.added,
        "updated": report.updated, "unchanged": report.unchanged,
        "rejected": report.rejected.iter().map(place).collect::<Vec<_>>(), "rejected_total": report.rejected_total,
        "warnings": report.warnings.iter().map(place).collect::<Vec<_>>(), "warnings_total": report.warnings_total,
    })
}

/// A new version is of the record that the address names, and that the caller's organisation holds.
fn must_be(app: &App, caller: &Caller, input: &mut Input, uuid: Uuid) -> Result<(), Problem> {
    let audience = manara_model::Audience::Org(caller.account.org);
    let held = app.store.view(audience, manara_model::Purpose::Read)?.record(uuid)?;
    if held.is_none_or(|head| head.label.owner != caller.account.org) {
        return Err(Problem::missing("this record, among those of your organisation,"));
    }
    let limit = input.limits().document;
    if input.length() > limit {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("a record may have at most {limit} bytes")));
    }
    let mut bytes = Vec::new();
    input
        .reader()
        .map_err(|e| Problem::bad(e.to_string()))?
        .read_to_end(&mut bytes)
        .map_err(|_| Problem::internal())?;
    let body: Value = serde_json::from_slice(&bytes)
        .map_err(|e| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("no valid JSON: {e}")))?;
    let own = body.pointer("/Event/uuid").or_else(|| body.pointer("/uuid")).and_then(Value::as_str);
    let id = body.pointer("/id").and_then(Value::as_str).and_then(|id| id.split_once("--")).map(|(_, uuid)| uuid);
    if own.or(id).and_then(|text| text.parse::<Uuid>().ok()) != Some(uuid) {
        return Err(Problem::bad("the body's own identifier is not the one in the address"));
    }
    Ok(())
}

pub(super) async fn import(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Result<Response, Problem> {
    run(app, caller, query, body, None).await
}

pub(super) async fn version(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(uuid): Path<Uuid>,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Result<Response, Problem> {
    run(app, caller, query, body, Some(uuid)).await
}
