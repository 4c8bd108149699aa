//! TAXII collections: who administers the node makes, changes and removes them; others see those that they may use.

use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Extension, Json, Path, State};
use axum::http::StatusCode;
use manara_model::role::Right;
use manara_store::people::Caller;
use manara_taxii::{Collection, Wish};
use serde_json::Value;

pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<Value>>, Problem> {
    app.blocking(move |app| {
        let mut all = Collection::all(&app.store)?;
        if !caller.may(Right::Admin) {
            return Ok(Json(all.iter().filter_map(|one| one.seen_by(&app.store, &caller)).collect()));
        }
        let shown = all.drain(..).map(|one| one.shown(&app.store)).collect::<Result<Vec<_>, _>>()?;
        Ok(Json(shown))
    })
    .await
}

pub(super) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    app.blocking(move |app| {
        let made = wish.made(&app.store, None)?;
        let made = Collection::add(&app.store, &caller.account.email, app.store.node_org()?, made)?;
        Ok((StatusCode::CREATED, Json(made.shown(&app.store)?)))
    })
    .await
}

pub(super) async fn change(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(wish): Json<Wish>,
) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        let found = Collection::find(&app.store, &id)?;
        let made = found.change(&app.store, &caller.account.email, wish.made(&app.store, Some(&found.is))?)?;
        Ok(Json(made.shown(&app.store)?))
    })
    .await
}

pub(super) async fn remove(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.blocking(move |app| {
        Collection::find(&app.store, &id)?.remove(&app.store, &caller.account.email)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
