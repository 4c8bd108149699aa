//! Asking another server over HTTP. What was given to us for it goes to it and nowhere else, a server that is slow or
//! busy is asked again with patience, and each answer is kept whole before anybody looks at it.

use super::address::origin;
use super::reply::{self, Reply};
use super::{ClientError, address};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use manara_model::record::telling;
use serde_json::Value;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, Response};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use url::Url;

/// How often a question is asked that went unanswered.
const ATTEMPTS: u32 = 3;
const REDIRECTS: usize = 5;
const CONNECT: Duration = Duration::from_secs(10);
/// The reference server takes minutes for a page of a few thousand objects.
const FIRST_WORD: Duration = Duration::from_secs(300);
const SILENCE: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(3600);
/// A server that wants more time than this is asked another time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How TAXII 2.1 is asked for (§1.6.8): as the standard writes it, and then as servers want it that compare texts.
const ACCEPTS: [&str; 4] =
    ["application/taxii+json;version=2.1", "application/taxii+json; version=2.1", "application/taxii+json", "*/*"];

/// What a server knows us by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// An account there (HTTP Basic, which every server has: TAXII 2.1 §8.2.2).
    Basic {
        /// Its name.
        user: String,
        /// Its password.
        password: String,
    },
    /// A key (HTTP Bearer).
    Bearer(String),
}

impl Credentials {
    fn header(&self) -> Result<Option<String>, ClientError> {
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        match self {
            Credentials::None => Ok(None),
            Credentials::Basic { user, .. } if user.contains(':') => {
                Err(ClientError::Setup("a user's name has no ':' in it (RFC 7617 §2)".into()))
            }
            Credentials::Basic { user, password } => {
                Ok(Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))))
            }
            Credentials::Bearer(key) if is_plain(key) && !key.is_empty() => Ok(Some(format!("Bearer {key}"))),
            Credentials::Bearer(_) => {
                Err(ClientError::Setup("the key has blanks or other signs that no key has".into()))
            }
        }
    }
}

/// Is the work still wanted?
pub type Wanted<'w> = &'w dyn Fn() -> bool;

/// See the module.
pub struct Server<'w> {
    agent: Agent,
    /// The server that the credentials are for.
    home: Url,
    credentials: Option<String>,
    accept: Cell<usize>,
    /// The media type of what is sent.
    sends: &'static str,
    wanted: Option<Wanted<'w>>,
    patience: Duration,
}

impl<'w> Server<'w> {
    /// The server of an address. `ca`: certificates (PEM) of the authority that vouches for it, if it is no public one.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(url: &Url, credentials: &Credentials, ca: Option<&str>) -> Result<Self, ClientError> {
        let mut tls = TlsConfig::builder();
        if let Some(pem) = ca {
            let certificates = parse_pem(pem.as_bytes()).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            let certificates: Vec<_> = certificates.collect();
            if certificates.is_empty() {
                return Err(ClientError::Setup(
                    "the file of the authority that vouches for the server has no certificate in it (PEM)".into(),
                ));
            }
            tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates)));
        }
        let agent = Agent::config_builder()
            .timeout_global(Some(LONGEST))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(FIRST_WORD))
            .timeout_per_read(Some(SILENCE))
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("Manara/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Server {
            agent,
            home: url.clone(),
            credentials: credentials.header()?,
            accept: Cell::new(0),
            sends: crate::TAXII,
            wanted: None,
            patience: PATIENCE,
        })
    }

    /// The same, asked as long as it is wanted; one that wants more time than `patience` is not waited for.
    #[must_use]
    pub fn while_wanted(self, wanted: Wanted<'w>, patience: Duration) -> Self {
        Server { wanted: Some(wanted), patience, ..self }
    }

    /// Sends JSON to another door than TAXII's, and gives what is answered. It may be sent more than once.
    ///
    /// # Errors
    /// [`ClientError`]; 4xx and 5xx among them.
    pub fn send_json(mut self, url: &Url, body: &[u8]) -> Result<(Self, Value), ClientError> {
        self.sends = "application/json";
        self.accept.set(ACCEPTS.len() - 1);
        let answer = self.post(url, body)?.json()?;
        Ok((self, answer))
    }

    /// Were credentials given?
    pub(crate) fn is_known(&self) -> bool {
        self.credentials.is_some()
    }

    /// Is an address one that the credentials are for? A server that goes from http to https stays itself.
    fn is_home(&self, url: &Url) -> bool {
        let upgrade = self.home.scheme() == "http" && url.scheme() == "https";
        let ports = (self.home.port_or_known_default(), url.port_or_known_default());
        url.origin() == self.home.origin()
            || upgrade && url.host() == self.home.host() && ports == (Some(80), Some(443))
    }

    pub(crate) fn go_on(&self) -> Result<(), ClientError> {
        if self.wanted.is_none_or(|wanted| wanted()) { Ok(()) } else { Err(ClientError::Ended) }
    }

    /// Asks for what stands at an address.
    ///
    /// # Errors
    /// [`ClientError`]; 4xx and 5xx among them.
    pub(crate) fn get(&self, url: &Url) -> Result<Reply, ClientError> {
        self.ask(url, None, ATTEMPTS)
    }

    /// The same where an answer that got lost may not be had again.
    pub(crate) fn get_once(&self, url: &Url) -> Result<Reply, ClientError> {
        self.ask(url, None, 1)
    }

    /// Sends an envelope. All that is sent can be sent twice: objects that are there already are taken as such (§5.5).
    pub(crate) fn post(&self, url: &Url, body: &[u8]) -> Result<Reply, ClientError> {
        self.ask(url, Some(body), ATTEMPTS)
    }

    fn ask(&self, url: &Url, body: Option<&[u8]>, tries: u32) -> Result<Reply, ClientError> {
        let mut attempt = 0;
        loop {
            self.go_on()?;
            attempt += 1;
            let (passing, wait) = match self.follow(url, body) {
                Err(ClientError::Refused { status: 406, .. }) if self.accept.get() + 1 < ACCEPTS.len() => {
                    self.accept.set(self.accept.get() + 1);
                    attempt -= 1;
                    continue;
                }
                Err(ClientError::Away(why)) if attempt >= tries => return Err(ClientError::Away(why)),
                Err(ClientError::Away(why)) => (ClientError::Away(why), Duration::from_millis(50 << (2 * attempt))),
                Err(ClientError::Busy { said, after }) => {
                    let wait = after.unwrap_or(Duration::from_secs(1 << attempt));
                    (ClientError::Busy { said, after }, wait)
                }
                done => return done,
            };
            if attempt >= ATTEMPTS || wait > self.patience {
                return Err(passing);
            }
            self.sleep(wait)?;
        }
    }

    /// Waits, as long as it is wanted.
    pub(crate) fn sleep(&self, mut wait: Duration) -> Result<(), ClientError> {
        let step = Duration::from_millis(250);
        while !wait.is_zero() {
            self.go_on()?;
            std::thread::sleep(wait.min(step));
            wait = wait.saturating_sub(step);
        }
        self.go_on()
    }

    /// Asks, and goes where it is sent.
    fn follow(&self, first: &Url, body: Option<&[u8]>) -> Result<Reply, ClientError> {
        let mut at = first.clone();
        for _ in 0..=REDIRECTS {
            let answered = self.once(&at, body)?;
            let status = answered.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                return reply::read(at, answered);
            }
            let to = answered.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            let next = at.join(to).map_err(|_| ClientError::Content(format!("sends us to '{}'", telling(to))))?;
            let shown = telling(next.as_str().split('?').next().unwrap_or_default());
            let right = "if that is right, give that address";
            if !matches!(next.scheme(), "http" | "https") || at.scheme() == "https" && next.scheme() == "http" {
                return Err(ClientError::Setup(format!("{} sends us to {shown}; {right}", origin(&at))));
            }
            if !self.is_home(&next) && (self.is_known() || body.is_some()) {
                return Err(ClientError::Setup(format!(
                    "{} sends us to {shown}, where the credentials are not sent; {right}",
                    origin(&at)
                )));
            }
            if body.is_some() && status == 303 {
                return Err(ClientError::Setup(format!("{} sends what is posted to {shown}; {right}", origin(&at))));
            }
            at = next;
        }
        Err(ClientError::Content(format!("sends us on more than {REDIRECTS} times")))
    }

    fn once(&self, url: &Url, body: Option<&[u8]>) -> Result<Response<ureq::Body>, ClientError> {
        let accept = ACCEPTS.get(self.accept.get()).copied().unwrap_or(ACCEPTS[0]);
        let mut request = Request::builder().uri(url.as_str()).header("accept", accept);
        if let Some(credentials) = self.credentials.as_ref().filter(|_| self.is_home(url)) {
            request = request.header("authorization", credentials);
        }
        let wrong = |_| ClientError::Setup("the address or the credentials have signs that HTTP has not".into());
        let answered = match body {
            None => self.agent.run(request.body(()).map_err(wrong)?),
            Some(body) => {
                let request = request.method("POST").header("content-type", self.sends);
                self.agent.run(request.body(body).map_err(wrong)?)
            }
        };
        answered.map_err(|error| {
            let host = telling(url.host_str().unwrap_or_default());
            match error {
                // A certificate that is not trusted is not so in a moment either.
                ureq::Error::Tls(why) => ClientError::Setup(format!("{host}: TLS: {why}")),
                ureq::Error::Rustls(why) => {
                    ClientError::Setup(format!("{host}: TLS: {why}; for an authority of your own give --ca"))
                }
                ureq::Error::Io(why) if why.to_string().contains("certificate") => {
                    ClientError::Setup(format!("{host}: TLS: {why}; for an authority of your own give --ca"))
                }
                error => ClientError::Away(telling(&format!("{host}: {error}"))),
            }
        })
    }
}

/// Credentials that go over the line in clear, for a warning; `None`: they don't.
#[must_use]
pub fn in_clear(url: &Url, credentials: &Credentials) -> Option<String> {
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let clear = url.scheme() == "http" && *credentials != Credentials::None && !local;
    clear.then(|| format!("{} is asked without TLS: the credentials can be read on the way", address::origin(url)))
}
