//! Errors as problem+json (RFC 9457), made in one place. What exists but is not for the caller looks
//! exactly like what does not exist.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use manara_corridor::Error;
use manara_store::StoreError;
use serde_json::json;
use uuid::Uuid;

/// An error that a client reads.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// The request's number, where the log says more about it.
    id: Option<Uuid>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem { status, detail: detail.into(), id: None }
    }

    pub(crate) fn with_id(self, id: Uuid) -> Self {
        Problem { id: Some(id), ..self }
    }

    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn missing(what: &str) -> Self {
        Problem::new(StatusCode::NOT_FOUND, format!("{what} is not known here, or not for you"))
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::FORBIDDEN, detail)
    }

    pub(crate) fn internal() -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the node failed inside; its log says more")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body =
            json!({"type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail});
        if let Some(id) = self.id {
            body["instance"] = json!(format!("urn:uuid:{id}"));
        }
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response();
        // Ask again: the disk may have room by then, the server be back, the guessing be over.
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE) {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("30"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if self.status.is_server_error() {
            response.extensions_mut().insert(self);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown { .. } => Problem::missing("what was asked for"),
            StoreError::Exists { .. } => Problem::new(StatusCode::CONFLICT, error.to_string()),
            StoreError::Invalid(reason) => Problem::bad(reason),
            StoreError::Conflict => Problem::new(StatusCode::CONFLICT, error.to_string()),
            StoreError::Full => {
                tracing::error!(%error, "store");
                Problem::new(StatusCode::INSUFFICIENT_STORAGE, "the node's disk is full: nothing of this was written")
            }
            // What the disk or the server says is the operator's, not the caller's.
            StoreError::Disk(_)
            | StoreError::Busy
            | StoreError::Unreachable(_)
            | StoreError::Closed
            | StoreError::Io { .. } => {
                tracing::error!(%error, "store");
                let detail = "the node's store can't do this now: nothing of it was written; send it again later";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            }
            StoreError::Unsure => {
                tracing::error!(%error, "store");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            error => {
                tracing::error!(%error, "store");
                Problem::internal()
            }
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::Input(error) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            Error::Asked(reason) => Problem::bad(reason),
            Error::Write(error) => {
                tracing::error!(%error, "writing");
                Problem::internal()
            }
        }
    }
}

pub(crate) async fn not_found() -> Problem {
    Problem::missing("this address")
}
