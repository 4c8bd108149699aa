//! Where a feed is read from: the web, or a folder that the node's owner allowed. What is fetched is
//! unpacked, counted and kept as an [`Input`]; too much, a page for people, or half of it is an error that
//! says so.

use super::FeedError;
use super::address::{Guard, REFUSED};
use crate::jobs::Pulse;
use manara_formats::{Input, Limits};
use manara_model::record::{telling, text_of};
use manara_store::entries::Entry;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, Response};
use ureq::unversioned::transport::DefaultConnector;
use url::Url;

/// Most bytes of one file of a feed, unpacked.
const MOST: u64 = 256 << 20;
/// How often we let ourselves be sent elsewhere.
const REDIRECTS: usize = 5;
/// One file is not waited for longer than this.
const LONGEST: Duration = Duration::from_secs(1800);
const CONNECT: Duration = Duration::from_secs(10);
/// A server that says nothing for so long is away.
const SILENCE: Duration = Duration::from_secs(60);
/// Files in a row that could not be had, until the server is taken for gone. One alone may be broken.
const SILENT: u32 = 3;

/// From where the node's owner lets feeds be read.
#[derive(Debug, Clone, Default)]
pub struct FeedSources {
    /// From addresses that are not of the public internet too.
    pub private: bool,
    /// Local feeds: from this folder.
    pub folder: Option<PathBuf>,
}

static ALLOWED: OnceLock<FeedSources> = OnceLock::new();

/// Sets it for this process, once, at its start; without it, feeds come from the public internet only.
pub fn allow_feed_sources(sources: FeedSources) {
    // A second time changes nothing: what the owner said first holds.
    let _ = ALLOWED.set(sources);
}

fn allowed() -> &'static FeedSources {
    ALLOWED.get_or_init(FeedSources::default)
}

/// By what a file is known that was read before: nothing new then costs one question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Its server's tag for it.
    #[serde(default)]
    tag: Option<String>,
    /// When it last changed, in the server's words.
    #[serde(default)]
    modified: Option<String>,
    /// SHA-256 of it, in hex.
    #[serde(default)]
    digest: String,
    /// SHA-256 of the settings with which it was read: others may see something else in it.
    #[serde(default)]
    settings: String,
}

/// A file.
pub(super) struct Got {
    /// It.
    pub(super) input: Input,
    /// By what it is known next time.
    pub(super) known: Known,
}

/// See the module.
pub(super) struct Source<'p> {
    base: String,
    headers: Vec<(String, String)>,
    settings: String,
    way: Way,
    /// Files in a row that could not be had.
    silent: Cell<u32>,
    /// Of the job for which it is read.
    pulse: Option<&'p Pulse<'p>>,
}

enum Way {
    Web(Box<Agent>),
    Folder(PathBuf),
}

/// What changes how a feed is read, besides what it holds.
const SETTINGS: &[&str] = &[
    "url",
    "source_format",
    "input_source",
    "rules",
    "settings",
    "distribution",
    "sharing_group_id",
    "tag_id",
    "fixed_event",
    "delta_merge",
    "publish",
    "override_ids",
    "force_to_ids",
    "orgc_id",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn away(why: impl std::fmt::Display) -> FeedError {
    FeedError::Away(telling(&why.to_string()))
}

/// `Name: value` a line.
fn headers(text: &str) -> Result<Vec<(String, String)>, FeedError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let header = |line: &str| {
        let (name, value) = line.split_once(':').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(|| {
            // What stands there may be a secret: it is not repeated.
            FeedError::Setup("headers: each line is 'Name: value', and one is not".into())
        })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    lines.map(header).collect()
}

/// An address of the web, without a password in it.
fn web(text: &str) -> Result<Url, FeedError> {
    // What stands after ? may be a key.
    let shown = telling(text.split(['?', '#']).next().unwrap_or_default());
    let wrong = |why: &str| FeedError::Setup(format!("'{shown}' {why}"));
    let url = Url::parse(text).map_err(|error| wrong(&format!("is no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("is no address of the web; give one like https://feed.example/list.txt"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FeedError::Setup("the address has a password in it; give it in the feed's headers".into()));
    }
    Ok(url)
}

impl<'p> Source<'p> {
    /// Of a feed as it is set up. `pulse`: of the job for which it is read.
    pub(super) fn of(entry: &Entry, pulse: Option<&'p Pulse<'p>>) -> Result<Self, FeedError> {
        let text = |name: &str| text_of(entry.body.get(name)).unwrap_or_default().into_owned();
        let mut hash = Sha256::new();
        for name in SETTINGS {
            hash.update(entry.body.get(*name).map(ToString::to_string).unwrap_or_default());
            hash.update([0]);
        }
        let base = text("url");
        let way = if text("input_source") == "local" {
            let folder = allowed().folder.clone().ok_or_else(|| {
                FeedError::Setup(
                    "local feeds are read from a folder that the node's owner names (setting feed_dir); none is named"
                        .into(),
                )
            })?;
            Way::Folder(folder)
        } else {
            web(&base)?;
            // Never through a proxy: it would look names up by itself, and the guard would judge the proxy.
            let config = Agent::config_builder()
                .timeout_global(Some(LONGEST))
                .timeout_resolve(Some(CONNECT))
                .timeout_connect(Some(CONNECT))
                .timeout_recv_response(Some(SILENCE))
                .timeout_per_read(Some(SILENCE))
                .http_status_as_error(false)
                .max_redirects(0)
                .proxy(None)
                .user_agent(concat!("Manara/", env!("CARGO_PKG_VERSION")))
                .build();
            let guard = Guard { private: allowed().private };
            Way::Web(Box::new(Agent::with_parts(config, DefaultConnector::default(), guard)))
        };
        let settings = hex(&hash.finalize());
        Ok(Source { base, headers: headers(&text("headers"))?, settings, way, silent: Cell::new(0), pulse })
    }

    /// Says that so many of its files were read.
    ///
    /// # Errors
    /// [`FeedError::Ended`].
    pub(super) fn beat(&self, done: usize, all: usize) -> Result<(), FeedError> {
        if self.pulse.is_none_or(|pulse| pulse.beat(done, all)) { Ok(()) } else { Err(FeedError::Ended) }
    }

    /// A file beside the others of the feed's folder.
    pub(super) fn beside(&self, name: &str) -> String {
        match self.base.trim_end_matches('/').strip_suffix("/manifest.json") {
            Some(folder) => format!("{folder}/{name}"),
            None => format!("{}/{name}", self.base.trim_end_matches('/')),
        }
    }

    /// The feed's own address, where the feed is one file.
    pub(super) fn itself(&self) -> String {
        self.base.clone()
    }

    /// What stands at an address; `None`: what stood there when it was `known`.
    pub(super) fn get(&self, at: &str, known: Option<&Known>) -> Result<Option<Got>, FeedError> {
        match self.read(at, known) {
            Err(FeedError::Away(why)) => {
                self.silent.set(self.silent.get() + 1);
                Err(if self.silent.get() < SILENT { FeedError::Away(why) } else { FeedError::Gone(why) })
            }
            done => {
                self.silent.set(0);
                done
            }
        }
    }

    fn read(&self, at: &str, known: Option<&Known>) -> Result<Option<Got>, FeedError> {
        let known = known.filter(|known| known.settings == self.settings);
        let limits = Limits { bytes: MOST, document: MOST, ..Limits::default() };
        let (input, tag, modified) = match &self.way {
            Way::Folder(folder) => (local(folder, at, limits)?, None, None),
            Way::Web(agent) => {
                let mut answered = self.ask(agent, web(at)?, known)?;
                if answered.status().as_u16() == 304 {
                    return Ok(None);
                }
                let header =
                    |name: &str| answered.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
                let (tag, modified) = (header("etag"), header("last-modified"));
                let name = at.split(['?', '#']).next().unwrap_or_default();
                if let Some(length) = answered.body().content_length().filter(|length| *length > MOST) {
                    return Err(FeedError::Content(format!(
                        "{name} has {length} bytes; a file of a feed may have {MOST}"
                    )));
                }
                let reader = Breaks { inner: answered.body_mut().as_reader(), broke: None };
                (taken(name, reader, limits)?, tag, modified)
            }
        };
        let digest = hex(&input.digest());
        if known.is_some_and(|known| known.digest == digest) {
            return Ok(None);
        }
        let known = Known { tag, modified, digest, settings: self.settings.clone() };
        Ok(Some(Got { input, known }))
    }

    /// Asks, and goes where it is sent, with the feed's own headers only to where the feed is.
    fn ask(&self, agent: &Agent, first: Url, known: Option<&Known>) -> Result<Response<ureq::Body>, FeedError> {
        let mut at = first.clone();
        for _ in 0..=REDIRECTS {
            let mut request = Request::get(at.as_str()).header("accept-encoding", "gzip");
            if at.origin() == first.origin() {
                for (name, value) in &self.headers {
                    request = request.header(name, value);
                }
            }
            for (name, value) in known.into_iter().flat_map(|known| {
                [("if-none-match", known.tag.as_ref()), ("if-modified-since", known.modified.as_ref())]
            }) {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let request = request
                .body(())
                .map_err(|_| FeedError::Setup("headers: one of them has signs that no header has".into()))?;
            let answered = agent.run(request).map_err(|error| match error {
                ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    FeedError::Setup(format!("{} {REFUSED}", at.host_str().unwrap_or_default()))
                }
                error => away(format!("{}: {error}", at.host_str().unwrap_or_default())),
            })?;
            let status = answered.status().as_u16();
            match status {
                200 | 304 => return Ok(answered),
                301 | 302 | 303 | 307 | 308 => {
                    let to = answered.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
                    let next = at.join(to).map_err(|_| FeedError::Content(format!("sends us to '{}'", telling(to))))?;
                    if next.scheme() != at.scheme() {
                        let next = telling(next.as_str().split('?').next().unwrap_or_default());
                        return Err(FeedError::Setup(format!(
                            "sends us to {next}; if that is right, set it as the feed's address"
                        )));
                    }
                    at = web(next.as_str())?;
                }
                429 | 500..=599 => return Err(away(format!("{}: HTTP {status}", telling(at.path())))),
                _ => return Err(FeedError::Content(format!("{}: HTTP {status}", telling(at.path())))),
            }
        }
        Err(FeedError::Content(format!("sends us on more than {REDIRECTS} times")))
    }
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

fn taken<R: Read>(name: &str, mut reader: Breaks<R>, limits: Limits) -> Result<Input, FeedError> {
    let taken = Input::from_reader(name, &mut reader, limits);
    match (taken, reader.broke) {
        (Ok(input), None) => Ok(input),
        (_, Some(broke)) => Err(away(format!("{name}: broke off: {broke}"))),
        (Err(error), None) => Err(FeedError::Content(error.to_string())),
    }
}

/// A file in the folder that was allowed, and nowhere else, whatever links lead there.
fn local(folder: &Path, at: &str, limits: Limits) -> Result<Input, FeedError> {
    let outside =
        || FeedError::Setup(format!("'{}' is not in the folder for local feeds (setting feed_dir)", telling(at)));
    let real = |path: &Path| path.canonicalize();
    let folder = real(folder).map_err(|error| FeedError::Setup(format!("the folder for local feeds: {error}")))?;
    // One that does not exist is not told from one that is elsewhere: nobody looks around by this.
    let path = real(&folder.join(at)).map_err(|_| outside())?;
    if !path.starts_with(&folder) {
        return Err(outside());
    }
    Input::open(&path, limits).map_err(|error| FeedError::Content(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_headers_that_are_none() {
        for text in ["ftp://a.example/x", "file:///etc/passwd", "https://user:secret@a.example/", "nonsense", "http://"]
        {
            let error = web(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(web("https://a.example/list.txt?key=1").is_ok());
        let error = web("nonsense?key=hidden").unwrap_err().to_string();
        assert!(!error.contains("hidden"), "{error}");
        assert_eq!(
            headers("X-Key: a:b\r\n\nAccept:c").unwrap(),
            [("X-Key".into(), "a:b".into()), ("Accept".into(), "c".into())]
        );
        assert!(headers("no colon").is_err() && headers(": x").is_err());
    }

    #[test]
    fn a_local_feed_stays_in_its_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("feeds");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("list.txt"), "198.51.100.7\n").unwrap();
        std::fs::write(outer.path().join("secret"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).unwrap();
        let limits = Limits::default();
        assert!(local(&folder, "list.txt", limits).is_ok());
        assert!(local(&folder, folder.join("list.txt").to_str().unwrap(), limits).is_ok());
        for at in ["../secret", "link", "/etc/passwd", "none.txt"] {
            let error = local(&folder, at, limits).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("feed_dir"), "{at}: {error}");
        }
    }

    #[test]
    fn too_much_or_half_of_it_is_said() {
        let limits = Limits { bytes: 10, ..Limits::default() };
        let whole = |text: &'static [u8]| Breaks { inner: text, broke: None };
        assert!(
            matches!(taken("f", whole(b"0123456789ab"), limits), Err(FeedError::Content(why)) if why.contains("more than 10 bytes"))
        );
        assert!(matches!(taken("f", whole(b""), limits), Err(FeedError::Content(why)) if why.contains("empty")));
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("reset"))
            }
        }
        assert!(matches!(taken("f", Breaks { inner: Broken, broke: None }, limits), Err(FeedError::Away(_))));
    }
}
