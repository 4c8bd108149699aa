//! Out by HTTP: written to a spool, so that its ETag tells of its content and of nothing else.

use crate::app::App;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use manara_corridor::{Selection, audience, export as corridor_export};
use manara_formats::{HeldBack, WriteOptions};
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
/// gets nothing that they could not see). Other names are not even looked up: whether an organisation
/// is known here is not for everybody.
fn for_whom(app: &App, caller: &Caller, text: Option<&str>) -> Result<Audience, Problem> {
    let own = caller.audience();
    match text {
        None | Some("self") => Ok(own),
        Some("public") => Ok(Audience::Public),
        Some(text) if own == Audience::Node => Ok(audience(&app.store, text)?),
        Some(text) => {
            let org = caller.account.org;
            let name = app.store.facts()?.name(org);
            let named = text.strip_prefix("org:").is_some_and(|given| given == name || given == org.to_string());
            let refused = || Problem::forbidden("you may export for yourself, your organisation, or the public");
            named.then_some(Audience::Org(org)).ok_or_else(refused)
        }
    }
}

/// An export on disk: the file at its start, its tag, and what was kept back.
pub(crate) struct Spooled {
    file: File,
    tag: String,
    held: HeldBack,
}

/// Writes an export to a file that has no name: bounded memory, whatever is in it.
pub(crate) fn spool(app: &App, format: &str, audience: Audience, selection: &Selection) -> Result<Spooled, Problem> {
    let now = jiff::Timestamp::now().as_millisecond();
    let options = WriteOptions {
        types: selection.types.clone(),
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
        corridor_export(&app.store, format, audience, selection, options, Box::new(spool), None)?
    };
    file.seek(SeekFrom::Start(0)).map_err(|_| Problem::internal())?;
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(Spooled { file, tag: format!("\"{hex}\""), held: report.held_back })
}

impl Spooled {
    /// The file as a body, a piece at a time.
    pub(crate) fn body(self) -> Body {
        Body::from_stream(ReaderStream::with_capacity(tokio::fs::File::from_std(self.file), 64 * 1024))
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
    let spooled = app
        .blocking(move |app| {
            let audience = for_whom(app, &caller, query.audience.as_deref())?;
            let filter = Filter { kind: query.kind, tag: query.tag, since, owner: None };
            spool(app, &query.format, audience, &Selection { filter, types, record: None })
        })
        .await?;
    let tag = spooled.tag.clone();
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let fields = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return Ok((StatusCode::NOT_MODIFIED, fields).into_response());
    }
    let count = spooled.held.total().to_string();
    let body = spooled.body();
    Ok((fields, [(header::CONTENT_TYPE.as_str(), media.to_owned()), ("x-held-back", count)], body).into_response())
}
