//! The style sheet and the picture: two files, compiled in.

use crate::problem::Problem;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

pub(super) async fn file(Path(name): Path<String>) -> Result<Response, Problem> {
    let (media, body) = match name.as_str() {
        "manara.css" => ("text/css; charset=utf-8", include_str!("../../static/manara.css")),
        "manara.svg" => ("image/svg+xml", include_str!("../../static/manara.svg")),
        _ => return Err(Problem::missing("this file")),
    };
    Ok(([(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "public, max-age=3600")], body).into_response())
}
