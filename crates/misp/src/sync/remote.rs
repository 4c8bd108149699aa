//! Another server, as far as it can be asked: MISP's or ours. A partner may be slow, away, or answer with a
//! page for people; each of these is an error that says so, and none is taken for an answer.

use crate::body::Body;
use crate::jobs::Pulse;
use serde_json::Value;
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::time::Duration;
use ureq::http::{HeaderMap, Response};
use ureq::tls::TlsConfig;
use ureq::{Agent, SendBody};

/// Most bytes of one answer, unpacked. It is kept in a file where it is large, and read piece by piece.
const MOST: u64 = 4 << 30;
/// Of an error, what is read.
const OF_AN_ERROR: u64 = 64 << 10;
/// Bodies that are longer go packed.
const WORTH_PACKING: u64 = 1400;
/// How long a connection may take, and a body: lines are thin, and an event may have half a gigabyte.
const CONNECT: Duration = Duration::from_secs(10);
const TRANSFER: Duration = Duration::from_secs(3600);
/// How often a question is asked that went unanswered.
const ATTEMPTS: u32 = 3;
/// Questions in a row that go unanswered, until the server is taken for gone. One alone may be about what is asked:
/// an event at which it breaks down.
const SILENT: u32 = 3;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RemoteError {
    /// Not reached, or not in time.
    Away(String),
    /// The same for several questions in a row: nothing more is asked of it.
    Gone(String),
    /// The answer is not wanted any more: the node ends, or another process does the job.
    Ended,
    /// It answered, and refused.
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// It answered with something else than JSON.
    NoJson(String),
    /// The address can't be asked.
    Address(String),
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemoteError::Away(why) | RemoteError::Gone(why) => write!(f, "not reached: {why}"),
            RemoteError::Ended => f.write_str("broken off here"),
            RemoteError::Refused { status, message } => write!(f, "HTTP {status}: {message}"),
            RemoteError::NoJson(what) => {
                write!(f, "answered with {what} where JSON is expected: is this the address of its API?")
            }
            RemoteError::Address(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for RemoteError {}

/// An answer that is one, as it came.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; of a 304 and to `HEAD` there is none.
    pub body: Body,
}

impl Fetched {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }
}

/// An answer that is one.
#[derive(Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Its body.
    pub body: Value,
}

/// See the module.
pub(crate) struct Remote<'p> {
    base: String,
    key: String,
    agent: Agent,
    /// Questions in a row that went unanswered.
    silent: Cell<u32>,
    /// Of the job for which it is asked.
    pulse: Option<&'p Pulse<'p>>,
}

/// What a page or a text is, for an error: its beginning, on one line.
fn beginning(text: &str) -> String {
    let trimmed = text.trim_start();
    if trimmed.is_empty() {
        return "nothing".into();
    }
    if trimmed.starts_with('<') {
        return "a page".into();
    }
    format!("'{}'", manara_model::record::telling(&trimmed.chars().take(80).collect::<String>()))
}

impl<'p> Remote<'p> {
    /// A server by its address and a key of ours there; an answer may begin after `timeout`. `trusting`: its
    /// certificate is not checked, as was set for this server by hand.
    ///
    /// # Errors
    /// An address that is none of the web's.
    pub(crate) fn new(base: &str, key: &str, timeout: Duration, trusting: bool) -> Result<Self, RemoteError> {
        let wrong = |why: &str| RemoteError::Address(format!("'{}' {why}", manara_model::record::telling(base)));
        let address = url::Url::parse(base).map_err(|error| wrong(&format!("is no address: {error}")))?;
        if !matches!(address.scheme(), "http" | "https") || address.host().is_none() {
            return Err(wrong("is no address of a server; give one like https://misp.example"));
        }
        if !address.username().is_empty() || address.password().is_some() {
            return Err(wrong("has a password in it; the key is given apart"));
        }
        // The key goes to this server and nowhere else: where it sends us to is told, not followed.
        let agent = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(timeout))
            .timeout_send_body(Some(TRANSFER))
            .timeout_recv_body(Some(TRANSFER))
            .tls_config(TlsConfig::builder().disable_verification(trusting).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(format!("MISP {} (Manara)", crate::node::VERSION))
            .build()
            .into();
        let base = base.trim_end_matches('/').to_owned();
        Ok(Remote { base, key: key.to_owned(), agent, silent: Cell::new(0), pulse: None })
    }

    /// The same, asked for a job: when that is not wanted any more, nothing more is asked.
    pub(crate) fn for_job(self, pulse: Option<&'p Pulse<'p>>) -> Self {
        Remote { pulse, ..self }
    }

    /// Asks; `known` is an ETag, for which a 304 is an answer. For answers that are read at once.
    ///
    /// # Errors
    /// [`RemoteError`]; 4xx and 5xx among them.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        known: Option<&str>,
    ) -> Result<Reply, RemoteError> {
        let fetched = self.fetch(method, path, body.map(Body::from).as_ref(), known)?;
        let status = fetched.status;
        if status == 304 || method == "HEAD" {
            return Ok(Reply { status, body: Value::Null });
        }
        let bytes = fetched.body.bytes().map_err(|fault| RemoteError::NoJson(fault.message))?;
        match serde_json::from_slice(&bytes) {
            Ok(body) => Ok(Reply { status, body }),
            Err(_) => Err(RemoteError::NoJson(beginning(&String::from_utf8_lossy(&bytes)))),
        }
    }

    /// The same for what may be large: the answer is kept as it came, and only looked at to see that it may be
    /// JSON.
    ///
    /// # Errors
    /// As [`Remote::ask`].
    pub(crate) fn fetch(
        &self,
        method: &str,
        path: &str,
        body: Option<&Body>,
        known: Option<&str>,
    ) -> Result<Fetched, RemoteError> {
        let fetched = self.fetch_any(method, path, body, known)?;
        if fetched.status == 304 || method == "HEAD" {
            return Ok(fetched);
        }
        let mut first = Vec::new();
        let start = fetched.body.reader().map_err(|fault| RemoteError::Away(fault.message))?;
        start.take(200).read_to_end(&mut first).map_err(broken)?;
        let first = String::from_utf8_lossy(&first);
        // Whatever JSON begins with.
        let may_be = |start: char| matches!(start, '{' | '[' | '"' | '-' | 't' | 'f' | 'n' | '0'..='9');
        if !first.trim_start().starts_with(may_be) {
            return Err(RemoteError::NoJson(beginning(&first)));
        }
        Ok(fetched)
    }

    fn fetch_any(
        &self,
        method: &str,
        path: &str,
        body: Option<&Body>,
        known: Option<&str>,
    ) -> Result<Fetched, RemoteError> {
        let here = |error: io::Error| RemoteError::Away(format!("no room for a body here: {error}"));
        let length = body.map_or(Ok(0), Body::length).map_err(here)?;
        let packed = match body.filter(|_| length > WORTH_PACKING) {
            Some(body) => Some(body.packed().map_err(|fault| RemoteError::Away(fault.message))?),
            None => None,
        };
        let mut attempt = 0;
        loop {
            if !self.pulse.is_none_or(Pulse::is_wanted) {
                return Err(RemoteError::Ended);
            }
            attempt += 1;
            let passing = match self.once(method, path, packed.as_ref().or(body), packed.is_some(), known) {
                // It may be better in a moment; asked again, it says what it held, since everything asked here
                // can be asked twice.
                Err(RemoteError::Away(why)) => RemoteError::Away(why),
                Err(RemoteError::Refused { status, message }) if matches!(status, 429 | 502..=504) => {
                    RemoteError::Refused { status, message }
                }
                done => {
                    self.silent.set(0);
                    return done;
                }
            };
            if attempt == ATTEMPTS {
                let silent = self.silent.get() + 1;
                self.silent.set(silent);
                return Err(match passing {
                    RemoteError::Away(why) if silent >= SILENT => RemoteError::Gone(why),
                    passing if silent >= SILENT => RemoteError::Gone(passing.to_string()),
                    passing => passing,
                });
            }
            std::thread::sleep(Duration::from_millis(50 << (2 * attempt)));
        }
    }

    /// Asks for what is no JSON: a text.
    ///
    /// # Errors
    /// As [`Remote::ask`].
    pub(crate) fn text(&self, path: &str, body: &Value) -> Result<Body, RemoteError> {
        Ok(self.fetch_any("POST", path, Some(&Body::from(body)), None)?.body)
    }

    fn once(
        &self,
        method: &str,
        path: &str,
        body: Option<&Body>,
        packed: bool,
        known: Option<&str>,
    ) -> Result<Fetched, RemoteError> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", &self.key)
            .header("accept", "application/json")
            .header("content-type", "application/json");
        if let Some(known) = known {
            request = request.header("if-none-match", known);
        }
        if packed {
            request = request.header("content-encoding", "gzip");
        }
        let away = |error: ureq::Error| RemoteError::Away(manara_model::record::telling(&error.to_string()));
        let wrong = |error: ureq::http::Error| RemoteError::Address(error.to_string());
        let answered = match body {
            None => self.agent.run(request.body(()).map_err(wrong)?),
            Some(body) => {
                let length = body.length().map_err(|error| RemoteError::Away(error.to_string()))?;
                let mut reader = body.reader().map_err(|fault| RemoteError::Away(fault.message))?;
                let request = request.header("content-length", length);
                self.agent.run(request.body(SendBody::from_reader(&mut reader)).map_err(wrong)?)
            }
        };
        self.read(method, answered.map_err(away)?)
    }

    fn read(&self, method: &str, mut answered: Response<ureq::Body>) -> Result<Fetched, RemoteError> {
        let (status, headers) = (answered.status().as_u16(), answered.headers().clone());
        if (300..400).contains(&status) && status != 304 {
            let to = headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            let message = format!(
                "sends us to {}; if that is right, set it as the server's address",
                manara_model::record::telling(to)
            );
            return Err(RemoteError::Refused { status, message });
        }
        if status == 304 || method == "HEAD" {
            return Ok(Fetched { status, headers, body: Body::from(Vec::new()) });
        }
        let mut reader = answered.body_mut().with_config().limit(u64::MAX).reader();
        if status >= 400 {
            let mut text = Vec::new();
            reader.take(OF_AN_ERROR).read_to_end(&mut text).map_err(broken)?;
            return Err(RemoteError::Refused { status, message: words(&text) });
        }
        let body = Body::take(&mut reader, MOST).map_err(broken)?;
        let body = body.ok_or_else(|| RemoteError::NoJson(format!("more than {MOST} bytes")))?;
        Ok(Fetched { status, headers, body })
    }
}

/// A body that was broken off.
fn broken(error: io::Error) -> RemoteError {
    RemoteError::Away(manara_model::record::telling(&error.to_string()))
}

/// What an error says, on one line.
fn words(text: &[u8]) -> String {
    let words = serde_json::from_slice::<Value>(text).ok().and_then(|body| {
        let message = body.get("message").or(body.get("name")).and_then(Value::as_str)?;
        let errors = body.get("errors").map(Value::to_string).unwrap_or_default();
        Some(format!("{message} {errors}"))
    });
    let words = words.unwrap_or_else(|| beginning(&String::from_utf8_lossy(text)));
    manara_model::record::telling(words.trim())
}
