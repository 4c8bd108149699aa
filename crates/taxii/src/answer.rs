//! Answers and errors as TAXII gives them (TAXII 2.1 §3.6.1).

use manara_store::StoreError;
use serde_json::{Value, json};

/// An answer: its body is TAXII JSON.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Further headers, lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn bytes(body: Vec<u8>) -> Self {
        Answer { status: 200, headers: Vec::new(), body }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Answer::bytes(value.to_string().into_bytes())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Answer { status, ..self }
    }
}

/// What can't be done, as an error resource tells it.
#[derive(Debug)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// One line.
    pub title: &'static str,
    /// What, where, and how to mend it.
    pub description: String,
    /// Further headers, lower case.
    pub headers: Vec<(&'static str, String)>,
}

impl Fault {
    /// An error.
    pub fn new(status: u16, description: impl Into<String>) -> Self {
        let title = match status {
            400 => "Malformed request",
            401 => "Not authenticated",
            403 => "Not allowed",
            404 => "Not found",
            405 => "No such method here",
            406 => "Not acceptable",
            413 => "Too large",
            415 => "Unsupported media type",
            422 => "Unprocessable content",
            429 => "Too many attempts",
            503 => "Not now",
            507 => "The disk is full",
            _ => "The node failed inside",
        };
        Fault { status, title, description: description.into(), headers: Vec::new() }
    }

    /// The same for what is not there and for what is not for this caller.
    pub(crate) fn missing(what: &str) -> Self {
        Fault::new(404, format!("this {what} is not known here, or not for you"))
    }

    /// One more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As an answer.
    #[must_use]
    pub fn answer(self) -> Answer {
        let body =
            json!({"title": self.title, "description": self.description, "http_status": self.status.to_string()});
        Answer { headers: self.headers, ..Answer::json(&body).with_status(self.status) }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown { .. } => Fault::missing("thing"),
            StoreError::Invalid(reason) => Fault::new(400, reason),
            StoreError::Full => {
                tracing::error!(%error, "store");
                Fault::new(507, "nothing of this was written")
            }
            StoreError::Disk(_)
            | StoreError::Busy
            | StoreError::Unreachable(_)
            | StoreError::Closed
            | StoreError::Unsure
            | StoreError::Io { .. } => {
                tracing::error!(%error, "store");
                Fault::new(503, "the node's store can't do this now; send it again later").with("retry-after", "30")
            }
            error => {
                tracing::error!(%error, "store");
                Fault::new(500, "the node's log says more")
            }
        }
    }
}
