//! Questions about values.

use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Extension, Json, Query, State};
use manara_corridor::{Answer, answer, ask};
use manara_model::Purpose;
use manara_model::observable::extract;
use manara_store::people::Caller;
use serde::Deserialize;

/// Values in one call.
const MAX_VALUES: usize = 10_000;
/// Records told of each value, at most.
const MAX_RECORDS: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Body {
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    text: String,
    limit: Option<u32>,
}

pub(super) async fn by_query(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Vec<Answer>>, Problem> {
    let pick =
        |name: &str| query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let values = pick("value");
    if values.is_empty() {
        return Err(Problem::bad("ask for at least one value: ?value=evil.example"));
    }
    let limit = pick("limit").first().and_then(|limit| limit.parse().ok());
    run(app, caller, Body { values, text: String::new(), limit }).await
}

pub(super) async fn by_body(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Body>,
) -> Result<Json<Vec<Answer>>, Problem> {
    run(app, caller, body).await
}

async fn run(app: App, caller: Caller, body: Body) -> Result<Json<Vec<Answer>>, Problem> {
    if body.values.len() > MAX_VALUES {
        return Err(Problem::bad(format!("{} values; one call takes at most {MAX_VALUES}", body.values.len())));
    }
    let limit = body.limit.unwrap_or(20).min(MAX_RECORDS);
    app.blocking(move |app| {
        let view = app.store.view(caller.audience(), Purpose::Read)?;
        let lists = app.warnings.get(&app.store)?;
        let mut answers = ask(&view, &body.values, &lists, limit)?;
        let mut seen = std::collections::HashSet::new();
        for found in extract(&body.text) {
            if seen.len() < MAX_VALUES && seen.insert(found.observable.clone()) {
                let asked = body.text.get(found.start..found.end).unwrap_or_default();
                answers.push(answer(&view, asked, &found.observable, &lists, limit)?);
            }
        }
        Ok(Json(answers))
    })
    .await
}
