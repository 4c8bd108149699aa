//! Who is calling, organisations, and what the node can read and write.

use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Extension, Json, State};
use axum::http::StatusCode;
use manara_model::role::Right;
use manara_store::people::{Caller, Organisation};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) async fn me(State(app): State<App>, Extension(caller): Extension<Caller>) -> Result<Json<Value>, Problem> {
    app.blocking(move |app| {
        let facts = app.store.facts()?;
        let rights: Vec<&str> = Right::ALL.into_iter().filter(|right| caller.may(*right)).map(Right::name).collect();
        let account = &caller.account;
        Ok(Json(json!({
            "email": account.email, "role": account.role.name(), "org": facts.name(account.org), "org_uuid": account.org, "rights": rights,
        })))
    })
    .await
}

/// The community's members know each other; organisations elsewhere that this node has met are the operator's.
pub(super) async fn organisations(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<Organisation>>, Problem> {
    app.blocking(move |app| {
        let all = caller.may(Right::Admin);
        Ok(Json(app.store.orgs()?.into_iter().filter(|org| all || org.local).collect()))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrganisation {
    name: String,
    #[serde(default)]
    country: String,
}

pub(super) async fn add_organisation(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<NewOrganisation>,
) -> Result<(StatusCode, Json<Organisation>), Problem> {
    app.blocking(move |app| {
        let org = Organisation::new(&body.name, &body.country, true)?;
        Ok((StatusCode::CREATED, Json(app.store.add_org(&caller.account.email, org)?)))
    })
    .await
}

pub(super) async fn formats() -> Json<Value> {
    let line = |f: &manara_formats::Format| json!({"name": f.name, "reads": f.reads, "writes": f.writes, "media_type": f.media_type, "about": f.about});
    Json(Value::from(manara_formats::formats().iter().map(line).collect::<Vec<_>>()))
}
