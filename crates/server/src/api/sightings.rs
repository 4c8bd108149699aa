//! Sightings: one, or as many as a search of logs tells at once.

use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Extension, Json, State};
use axum::http::StatusCode;
use manara_model::observable::{Type, guess, normalise};
use manara_model::record::parse_time;
use manara_model::{Marking, OrgId, Tlp};
use manara_store::people::Caller;
use manara_store::sightings::{NewSighting, SOURCE_BYTES};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Sightings in one body.
const MOST: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    value: String,
    #[serde(rename = "type")]
    ty: Option<String>,
    /// 0 or `seen`, 1 or `false-positive`, 2 or `expired`.
    #[serde(default)]
    kind: Value,
    count: Option<u32>,
    seen: Option<String>,
    #[serde(default)]
    source: String,
    tlp: Option<String>,
    /// Told twice with the same, it is kept once.
    uuid: Option<Uuid>,
}

impl Told {
    fn read(body: Value, org: OrgId) -> Result<NewSighting, String> {
        let told: Told = serde_json::from_value(body).map_err(|error| error.to_string())?;
        let observable = match &told.ty {
            Some(name) => {
                let ty = Type::by_name(name)
                    .ok_or_else(|| format!("type '{name}' is not known; leave it out to have it found"))?;
                normalise(ty, &told.value).map_err(|error| error.to_string())?
            }
            None => guess(&told.value).ok_or("this is no value known here; give its type")?,
        };
        let kind = match &told.kind {
            Value::Null => 0,
            Value::String(name) => match name.as_str() {
                "seen" | "0" => 0,
                "false-positive" | "1" => 1,
                "expired" | "2" => 2,
                _ => return Err("kind is seen, false-positive or expired".into()),
            },
            other => {
                let number = other.as_u64().and_then(|n| u8::try_from(n).ok()).filter(|n| *n < 3);
                number.ok_or("kind is 0, 1 or 2")?
            }
        };
        let marking = match &told.tlp {
            Some(text) => Marking::tlp(Tlp::parse(text).ok_or("tlp is clear, green, amber, amber+strict or red")?),
            None => Marking::default(),
        };
        let seen = match &told.seen {
            Some(text) => parse_time(text).ok_or("seen is a time in RFC 3339")?,
            None => jiff::Timestamp::now().as_millisecond(),
        };
        if told.source.len() > SOURCE_BYTES {
            return Err(format!("source is longer than {SOURCE_BYTES} bytes"));
        }
        let (uuid, count, source) = (told.uuid, told.count.unwrap_or(1).max(1), told.source);
        Ok(NewSighting { uuid, observable, kind, org, marking, seen, count, source })
    }
}

/// One is kept or refused. Of several, those that can't be kept are told with their places, and stop no other.
pub(super) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let org = caller.account.org;
    let Value::Array(rows) = body else {
        let new = Told::read(body, org).map_err(Problem::bad)?;
        let uuids = app.blocking(move |app| Ok(app.store.add_sightings(&caller.account.email, vec![new])?)).await?;
        return Ok((StatusCode::CREATED, Json(json!({"uuid": uuids.first()}))));
    };
    if rows.len() > MOST {
        return Err(Problem::bad(format!("{} sightings; send at most {MOST} at once", rows.len())));
    }
    let (mut new, mut rejected) = (Vec::new(), Vec::new());
    for (row, body) in rows.into_iter().enumerate() {
        match Told::read(body, org) {
            Ok(one) => new.push(one),
            Err(reason) => rejected.push(json!({"row": row, "reason": reason})),
        }
    }
    let uuids = app.blocking(move |app| Ok(app.store.add_sightings(&caller.account.email, new)?)).await?;
    Ok((StatusCode::CREATED, Json(json!({"uuids": uuids, "rejected": rejected}))))
}
