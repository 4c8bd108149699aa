//! Out by HTTP: written to a spool, so that its ETag tells of its content and of nothing else.

use crate::app::App;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use manara_corridor::{Selection, audience, export as corridor_export};
use manara_formats::WriteOptions;
use manara_model::Audience;
use manara_model::observable::Type;
use manara_model::record::{parse_time, rfc3339};
use manara_store::people::Caller;
use manara_store::view::Filter;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use tokio_util::io::ReaderStream;

#[derive(Deserialize)]
pub(super) struct ExportQuery {
    format: String,
    audience: Option<String>,
    since: Option<String>,
    #[serde(rename = "type")]
    types: Option<String>,
    tag: Option<String>,
    kind: Option<String>,
}

/// Counts into the hash what is written, but for a first piece that only says when it was written:
/// the same content is the same tag.
struct Spool<'f> {
    file: BufWriter<&'f File>,
    hash: &'f mut Sha256,
    stamps: [String; 2],
    first: bool,
}

impl Write for Spool<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let header = std::mem::replace(&mut self.first, false) && {
            let text = String::from_utf8_lossy(bytes);
            self.stamps.iter().any(|stamp| text.contains(stamp.as_str()))
        };
        self.file.write_all(bytes)?;
        if !header {
            self.hash.update(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// For whom a caller may export: the operator for anyone, others for themselves or the public (which
/// gets nothing that they could not see).
fn for_whom(app: &App, caller: &Caller, text: Option<&str>) -> Result<Audience, Problem> {
    let own = caller.audience();
    let Some(text) = text else { return Ok(own) };
    if text == "self" {
        return Ok(own);
    }
    let wanted = audience(&app.store, text)?;
    let allowed = own == Audience::Node || wanted == Audience::Public || wanted == Audience::Org(caller.account.org);
    if allowed {
        Ok(wanted)
    } else {
        Err(Problem::forbidden("you may export for yourself, your organisation, or the public"))
    }
}

pub(super) async fn export(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let types: Option<BTreeSet<Type>> = match &query.types {
        Some(names) => Some(
            names
                .split(',')
                .map(|name| {
                    Type::by_name(name.trim()).ok_or_else(|| Problem::bad(format!("'{name}' is no type of observable")))
                })
                .collect::<Result<_, _>>()?,
        ),
        None => None,
    };
    let since = match &query.since {
        Some(text) => Some(parse_time(text).ok_or_else(|| Problem::bad("since is a time in RFC 3339"))?),
        None => None,
    };
    let media = manara_formats::format(&query.format).map_or("application/octet-stream", |format| format.media_type);
    let (file, tag, held) = app
        .blocking(move |app| {
            let audience = for_whom(app, &caller, query.audience.as_deref())?;
            let selection = Selection {
                filter: Filter { kind: query.kind, tag: query.tag, since, owner: None },
                types: types.clone(),
                record: None,
            };
            let now = jiff::Timestamp::now().as_millisecond();
            let options = WriteOptions {
                types,
                warning_lists: Some(app.warnings.get(&app.store)?),
                now,
                origin: app.store.facts()?.name(app.store.node_org()?),
                ..WriteOptions::default()
            };
            let mut file = tempfile::tempfile().map_err(|_| Problem::internal())?;
            let mut hash = Sha256::new();
            let report = {
                let stamps = [rfc3339(now), format!("{} 3600", now / 1000)];
                let spool = Spool { file: BufWriter::new(&file), hash: &mut hash, stamps, first: true };
                corridor_export(&app.store, &query.format, audience, &selection, options, Box::new(spool), None)?
            };
            file.seek(SeekFrom::Start(0)).map_err(|_| Problem::internal())?;
            let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            Ok((file, format!("\"{hex}\""), report.held_back))
        })
        .await?;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let fields = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return Ok((StatusCode::NOT_MODIFIED, fields).into_response());
    }
    let count = (held.warning_listed + held.reserved).to_string();
    let body = Body::from_stream(ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 * 1024));
    Ok((fields, [(header::CONTENT_TYPE.as_str(), media.to_owned()), ("x-held-back", count)], body).into_response())
}
