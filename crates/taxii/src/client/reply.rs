//! What another server answered, whole. A page for people, TAXII 2.0, or half of an answer is none.

use super::ClientError;
use manara_formats::{Input, Limits};
use manara_model::record::telling;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;
use ureq::http::{HeaderMap, Response};
use url::Url;

/// Most bytes of one answer, unpacked. It is kept in a file where it is large.
const MOST: u64 = 256 << 20;
/// Of an error, what is read.
const OF_AN_ERROR: u64 = 64 << 10;
/// Nobody is waited for longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(86_400);

/// An answer that is one.
pub(crate) struct Reply {
    /// Where it came from in the end.
    pub(crate) at: Url,
    headers: HeaderMap,
    /// Its body; `None`: it has none.
    pub(crate) body: Option<Input>,
}

/// What it is, for an error: its beginning, on one line.
fn beginning(text: &str) -> String {
    let trimmed = text.trim_start();
    if trimmed.is_empty() {
        return "nothing".into();
    }
    if trimmed.starts_with('<') {
        return "a page for people".into();
    }
    format!("'{}'", telling(&trimmed.chars().take(80).collect::<String>()))
}

/// What an error says, on one line (§3.6.1; others have other names for it).
fn words(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let said = serde_json::from_str::<Value>(&text).ok().and_then(|body| {
        let of = |names: &[&str]| names.iter().find_map(|name| body.get(name).and_then(Value::as_str));
        let title = of(&["title", "message", "error", "detail"])?;
        Some(match of(&["description"]) {
            Some(more) => format!("{title}: {more}"),
            None => title.to_owned(),
        })
    });
    telling(said.unwrap_or_else(|| beginning(&text)).trim())
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a time.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
            Duration::from_secs(u64::try_from(until - jiff::Timestamp::now().as_second()).unwrap_or(0))
        }
    };
    Some(wait.min(LONGEST_PAUSE))
}

/// Notes that a line broke, so that what came until then is not taken for all of it, nor for nonsense.
struct Breaks<R> {
    inner: R,
    broke: Option<String>,
}

impl<R: Read> Read for Breaks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buffer).inspect_err(|error| self.broke = Some(error.to_string()))
    }
}

/// Takes an answer from the line.
pub(super) fn read(at: Url, mut answered: Response<ureq::Body>) -> Result<Reply, ClientError> {
    let (status, headers) = (answered.status().as_u16(), answered.headers().clone());
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let reader = answered.body_mut().with_config().limit(u64::MAX).reader();
    if status >= 400 {
        let mut text = Vec::new();
        // An error whose words break off is one all the same.
        let _ = reader.take(OF_AN_ERROR).read_to_end(&mut text);
        let said = words(&text);
        return Err(match status {
            429 | 503 => ClientError::Busy { said: format!("HTTP {status}: {said}"), after: pause(&headers) },
            502 | 504 => ClientError::Away(format!("HTTP {status}: {said}")),
            _ => ClientError::Refused { status, said },
        });
    }
    if kind.contains("vnd.oasis.")
        || kind.contains("taxii+json") && kind.replace(['"', ' '], "").contains("version=2.0")
    {
        return Err(ClientError::Content("speaks TAXII 2.0, and TAXII 2.1 is wanted".into()));
    }
    let mut breaks = Breaks { inner: reader, broke: None };
    let mut buffered = BufReader::new(&mut breaks);
    let is_empty = buffered.fill_buf().map(<[u8]>::is_empty);
    let (body, is_empty) = match is_empty {
        Ok(true) => (None, true),
        Ok(false) => {
            let limits = Limits { bytes: MOST, document: MOST, ..Limits::default() };
            (Some(Input::from_reader(at.as_str(), buffered, limits)), false)
        }
        Err(_) => (None, false),
    };
    if let Some(broke) = breaks.broke {
        return Err(ClientError::Away(format!("the answer broke off: {}", telling(&broke))));
    }
    let body = body.transpose().map_err(|error| {
        ClientError::Content(format!("the answer can't be taken: {}; --limit asks for smaller pages", error.reason))
    })?;
    let mut reply = Reply { at, headers, body };
    if !is_empty && let Some(page) = reply.is_none_of_ours()? {
        return Err(ClientError::Content(format!(
            "answered with {page} where TAXII 2.1 is expected: is this the address of its API?"
        )));
    }
    Ok(reply)
}

impl Reply {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The server's clock, in Unix microseconds.
    pub(crate) fn clock(&self) -> Option<i64> {
        jiff::fmt::rfc2822::parse(self.header("date")?).ok().map(|date| date.timestamp().as_microsecond())
    }

    /// What it is, where it can be no JSON.
    fn is_none_of_ours(&mut self) -> Result<Option<String>, ClientError> {
        let Some(input) = &mut self.body else { return Ok(None) };
        let mut first = Vec::new();
        input.reader().map_err(ClientError::here)?.take(200).read_to_end(&mut first).map_err(ClientError::here)?;
        let text = String::from_utf8_lossy(&first);
        let may_be = text.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']).starts_with(['{', '[']);
        // Blanks alone are an empty body.
        if text.trim().is_empty() {
            self.body = None;
            return Ok(None);
        }
        Ok((!may_be).then(|| beginning(&text)))
    }

    /// All of it as an object; an empty body is an empty one.
    pub(crate) fn json(&mut self) -> Result<Value, ClientError> {
        let Some(input) = &mut self.body else { return Ok(Value::Object(serde_json::Map::new())) };
        let reader = input.reader().map_err(ClientError::here)?;
        serde_json::from_reader(reader).map_err(|error| broken(&error))
    }
}

/// What is no JSON to its end was broken off on the way, or is nonsense.
pub(crate) fn broken(error: &serde_json::Error) -> ClientError {
    if error.is_eof() {
        return ClientError::Away("the answer broke off in the middle".into());
    }
    ClientError::Content(format!("answered with what is no JSON: {}", telling(&error.to_string())))
}
