//! Answers and errors as MISP gives them.

use manara_store::StoreError;
use serde_json::{Value, json};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// What is kept in memory before an answer goes to a file without a name.
const IN_MEMORY: usize = 1 << 20;

/// An answer.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its media type.
    pub media: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    body: tempfile::SpooledTempFile,
    /// What is not in the body yet: answers are written in small pieces.
    pending: Vec<u8>,
}

/// Pieces are put together up to this many bytes.
const TOGETHER: usize = 64 * 1024;

impl Answer {
    /// An empty answer to write into.
    #[must_use]
    pub fn new(media: &'static str) -> Answer {
        Answer {
            status: 200,
            media,
            headers: Vec::new(),
            body: tempfile::SpooledTempFile::new(IN_MEMORY),
            pending: Vec::new(),
        }
    }

    /// A value as JSON.
    #[must_use]
    pub fn json(value: &Value) -> Answer {
        let mut answer = Answer::new("application/json");
        // Nothing that is in memory can fail to be written there.
        let _ = serde_json::to_writer(&mut answer, value);
        answer
    }

    /// Another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Answer {
        self.status = status;
        self
    }

    /// One more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// The body from its beginning, and its length.
    ///
    /// # Errors
    /// The spool can't be read.
    pub fn into_body(mut self) -> io::Result<(impl Read + Send + 'static, u64)> {
        self.flush()?;
        let length = self.body.stream_position()?;
        self.body.seek(SeekFrom::Start(0))?;
        Ok((self.body, length))
    }

    /// The body as one that can be sent or read again.
    ///
    /// # Errors
    /// The spool can't be written.
    pub(crate) fn into_kept(mut self) -> io::Result<crate::body::Body> {
        self.flush()?;
        Ok(self.body.into())
    }

    /// The body as text, for tests and for the small.
    ///
    /// # Errors
    /// The spool can't be read.
    pub fn text(self) -> io::Result<String> {
        let mut text = String::new();
        self.into_body()?.0.read_to_string(&mut text)?;
        Ok(text)
    }
}

impl Write for Answer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= TOGETHER {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.body.write_all(&self.pending)?;
        self.pending.clear();
        self.body.flush()
    }
}

/// What went wrong, as MISP says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// `name` and `message`.
    pub message: String,
    /// `errors`, and that nothing was saved.
    pub errors: Option<Box<Value>>,
    /// Where it is to be found instead.
    pub location: Option<Box<str>>,
    /// Other members of the answer.
    pub more: Vec<(&'static str, Value)>,
}

/// MISP's text for a key that is missing or wrong: clients test it.
pub const NO_KEY: &str = "Authentication failed. Please make sure you pass the API key of an API enabled user along in the Authorization header.";

impl Fault {
    /// With this status and text.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Fault {
        Fault { status, message: message.into(), errors: None, location: None, more: Vec::new() }
    }

    /// What exists but is not for the caller looks the same.
    #[must_use]
    pub fn missing(what: &str) -> Fault {
        Fault::new(404, format!("Invalid {what}"))
    }

    /// The caller may not.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Fault {
        Fault::new(403, message)
    }

    /// Could not be saved, with the reasons by field.
    #[must_use]
    pub fn unsaved(action: &str, model: &str, errors: Value) -> Fault {
        Fault { errors: Some(Box::new(errors)), ..Fault::new(403, format!("Could not {action} {model}")) }
    }

    /// No JSON.
    #[must_use]
    pub fn bad_json() -> Fault {
        Fault::new(
            405,
            "Invalid JSON input. Make sure that the JSON input is a correctly formatted JSON string. This request has been blocked to avoid an unfiltered request.",
        )
    }

    /// The answer, for the address that was asked.
    #[must_use]
    pub fn answer(&self, url: &str) -> Answer {
        let mut body = json!({"name": self.message, "message": self.message, "url": url});
        if let Some(errors) = &self.errors {
            body = json!({"saved": false, "name": self.message, "message": self.message, "url": url, "errors": errors});
        }
        for (name, value) in &self.more {
            body[*name] = value.clone();
        }
        let mut answer = Answer::json(&body).with_status(self.status);
        if self.status == 503 {
            answer.headers.push(("retry-after", "30".into()));
        }
        answer.headers.extend(self.location.iter().map(|location| ("location", location.to_string())));
        answer
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        match error {
            StoreError::Unknown { what, .. } => Fault::missing(what),
            StoreError::Exists { what, name } => {
                Fault::unsaved("add", what, json!({"name": [format!("'{name}' is there already.")]}))
            }
            StoreError::Invalid(reason) => Fault::new(403, reason),
            StoreError::Conflict => Fault::new(409, "Somebody else changed this at the same time; send it again."),
            StoreError::Full
            | StoreError::Disk(_)
            | StoreError::Busy
            | StoreError::Unreachable(_)
            | StoreError::Unsure => {
                tracing::error!(%error, "store");
                Fault::new(503, "The node's store can't do this now; send it again later.")
            }
            error => {
                tracing::error!(%error, "store");
                Fault::new(500, "An Internal Error Has Occurred.")
            }
        }
    }
}

impl From<manara_corridor::Error> for Fault {
    fn from(error: manara_corridor::Error) -> Fault {
        match error {
            manara_corridor::Error::Store(error) => error.into(),
            error => Fault::new(400, error.to_string()),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        tracing::error!(%error, "an answer was not written");
        Fault::new(500, "An Internal Error Has Occurred.")
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Fault {
        Fault::from(io::Error::from(error))
    }
}

/// A success as MISP words it.
#[must_use]
pub(crate) fn saved(message: impl Into<String>, url: &str, id: Option<String>) -> Value {
    let message = message.into();
    let mut body = json!({"saved": true, "success": true, "name": message, "message": message, "url": url});
    if let Some(id) = id {
        body["id"] = id.into();
    }
    body
}
