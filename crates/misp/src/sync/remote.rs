//! Another server, as far as it can be asked: MISP's or ours. A partner may be slow, away, or answer with a
//! page for people; each of these is an error that says so, and none is taken for an answer.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::fmt;
use std::io::Write;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Response;

/// Most bytes of one answer.
const MOST: u64 = 256 << 20;
/// Bodies that are longer go packed.
const WORTH_PACKING: usize = 1400;
/// How often a question is asked that went unanswered.
const ATTEMPTS: u32 = 3;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RemoteError {
    /// Not reached, or not in time.
    Away(String),
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
            RemoteError::Away(why) => write!(f, "not reached: {why}"),
            RemoteError::Refused { status, message } => write!(f, "HTTP {status}: {message}"),
            RemoteError::NoJson(what) => {
                write!(f, "answered with {what} where JSON is expected: is this the address of its API?")
            }
            RemoteError::Address(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for RemoteError {}

/// An answer that is one.
#[derive(Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Its ETag.
    pub tag: Option<String>,
    /// Its body.
    pub body: Value,
}

/// See the module.
pub(crate) struct Remote {
    base: String,
    key: String,
    agent: Agent,
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

impl Remote {
    /// A server by its address and a key of ours there.
    ///
    /// # Errors
    /// An address that is none of the web's.
    pub(crate) fn new(base: &str, key: &str, timeout: Duration) -> Result<Remote, RemoteError> {
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
            .timeout_global(Some(timeout))
            .timeout_connect(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(format!("MISP {} (Manara)", crate::node::VERSION))
            .build()
            .into();
        Ok(Remote { base: base.trim_end_matches('/').to_owned(), key: key.to_owned(), agent })
    }

    /// Asks; `known` is an ETag, for which a 304 is an answer.
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
        let text = body.map(Value::to_string);
        self.ask_text(method, path, text.as_deref().map(str::as_bytes), known)
    }

    /// The same, with a body that is JSON already.
    ///
    /// # Errors
    /// As [`Remote::ask`].
    pub(crate) fn ask_text(
        &self,
        method: &str,
        path: &str,
        body: Option<&[u8]>,
        known: Option<&str>,
    ) -> Result<Reply, RemoteError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let passing = match self.once(method, path, body, known) {
                // It may be better in a moment; asked again, it says what it held, since everything asked here
                // can be asked twice.
                Err(RemoteError::Away(why)) => RemoteError::Away(why),
                Err(RemoteError::Refused { status, message }) if matches!(status, 429 | 502..=504) => {
                    RemoteError::Refused { status, message }
                }
                done => return done,
            };
            if attempt == ATTEMPTS {
                return Err(passing);
            }
            std::thread::sleep(Duration::from_millis(50 << (2 * attempt)));
        }
    }

    /// Asks for what is no JSON: a text.
    ///
    /// # Errors
    /// As [`Remote::ask`].
    pub(crate) fn text(&self, path: &str, body: &Value) -> Result<String, RemoteError> {
        let mut answered = self.send("POST", path, Some(body.to_string().as_bytes()), None)?;
        if answered.status().as_u16() != 200 {
            self.read("POST", answered)?;
            return Err(RemoteError::NoJson("something else than was asked for".into()));
        }
        let text = answered.body_mut().with_config().limit(MOST).read_to_string();
        text.map_err(|error| RemoteError::Away(manara_model::record::telling(&error.to_string())))
    }

    fn once(&self, method: &str, path: &str, body: Option<&[u8]>, known: Option<&str>) -> Result<Reply, RemoteError> {
        self.read(method, self.send(method, path, body, known)?)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&[u8]>,
        known: Option<&str>,
    ) -> Result<Response<ureq::Body>, RemoteError> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", &self.key)
            .header("accept", "application/json")
            .header("content-type", "application/json");
        if let Some(known) = known {
            request = request.header("if-none-match", known);
        }
        let away = |error: ureq::Error| RemoteError::Away(manara_model::record::telling(&error.to_string()));
        let wrong = |error: ureq::http::Error| RemoteError::Address(error.to_string());
        let answered = match body {
            None => self.agent.run(request.body(()).map_err(wrong)?),
            Some(plain) if plain.len() > WORTH_PACKING => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                let done = packed.write_all(plain).and_then(|()| packed.finish());
                let packed = done.map_err(|error| RemoteError::Away(error.to_string()))?;
                self.agent.run(request.header("content-encoding", "gzip").body(packed).map_err(wrong)?)
            }
            Some(plain) => self.agent.run(request.body(plain).map_err(wrong)?),
        };
        answered.map_err(away)
    }

    fn read(&self, method: &str, mut answered: Response<ureq::Body>) -> Result<Reply, RemoteError> {
        let status = answered.status().as_u16();
        let tag = answered.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        if (300..400).contains(&status) && status != 304 {
            let to =
                answered.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("elsewhere").to_owned();
            let message = format!(
                "sends us to {}; if that is right, set it as the server's address",
                manara_model::record::telling(&to)
            );
            return Err(RemoteError::Refused { status, message });
        }
        let text = answered.body_mut().with_config().limit(MOST).read_to_vec();
        let text = text.map_err(|error| RemoteError::Away(manara_model::record::telling(&error.to_string())))?;
        if status == 304 || method == "HEAD" {
            return Ok(Reply { status, tag, body: Value::Null });
        }
        let body: Result<Value, _> = serde_json::from_slice(&text);
        if status >= 400 {
            let words = body.ok().and_then(|body| {
                let message = body.get("message").or(body.get("name")).and_then(Value::as_str).map(str::to_owned);
                let errors = body.get("errors").map(Value::to_string).unwrap_or_default();
                message.map(|message| format!("{message} {errors}"))
            });
            let message = words.unwrap_or_else(|| beginning(&String::from_utf8_lossy(&text)));
            return Err(RemoteError::Refused { status, message: manara_model::record::telling(message.trim()) });
        }
        match body {
            Ok(body) => Ok(Reply { status, tag, body }),
            Err(_) => Err(RemoteError::NoJson(beginning(&String::from_utf8_lossy(&text)))),
        }
    }
}
