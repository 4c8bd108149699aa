//! The TAXII door over HTTP: who calls (Basic or a key), bodies that may be packed, answers that are. What is asked
//! and answered is `manara_taxii`'s.

use crate::access::Door::Open;
use crate::access::{Route, route};
use crate::app::App;
use crate::body::piece;
use crate::packing;
use crate::problem::Problem;
use axum::body::{Body, BodyDataStream};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use manara_store::people::{Basic, Caller};
use manara_taxii::{Answer, Call, Fault, MOST, Method, TAXII};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a turn at reading is waited for.
const TURN: Duration = Duration::from_millis(100);
/// Bytes of a refused body that are read and thrown away, and for how long.
const DRAINED: u64 = 4 * MOST;
const DRAINING: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> Vec<Route> {
    ["/taxii2", "/taxii2/", "/taxii2/{*rest}"]
        .map(|path| route(HttpMethod::GET, path, Open, "TAXII 2.1: STIX collections (docs/taxii.md)", any(door)))
        .into_iter()
        .collect()
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// How long it may take to find out who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// No slow hash: who is not known at once is not known yet.
    Quick,
    Whole,
}

/// Who calls: an account's e-mail address and password, or a key, alone or as a password. `None`: only a whole look
/// can tell.
fn caller(app: &App, headers: &HeaderMap, from: Option<IpAddr>, look: Look) -> Result<Option<Caller>, Fault> {
    let unknown = || {
        let how = "give an account's e-mail address and password, or an API key (Authorization: Basic or Bearer)";
        Fault::new(401, how)
            .with("www-authenticate", "Basic realm=\"Manara\", charset=\"UTF-8\", Bearer realm=\"Manara\"")
    };
    let given = text(headers, header::AUTHORIZATION).trim();
    let Some((scheme, word)) = given.split_once(' ') else { return Err(unknown()) };
    if scheme.eq_ignore_ascii_case("bearer") {
        return app.store.caller(word.trim())?.map(Some).ok_or_else(unknown);
    }
    let pair = STANDARD.decode(word.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"));
    let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
    let Some((name, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) else { return Err(unknown()) };
    let found = match look {
        Look::Quick => app.store.basic_known(&app.remembered, name, password)?,
        Look::Whole => Some(app.store.basic(&app.remembered, name, password, from)?),
    };
    match found {
        None => Ok(None),
        Some(Basic::Good(caller)) => Ok(Some(caller)),
        Some(Basic::Wrong) => Err(unknown()),
        Some(Basic::Wait(seconds)) => {
            let why = format!("too many failed attempts; wait {seconds} seconds");
            Err(Fault::new(429, why).with("retry-after", seconds.to_string()))
        }
    }
}

fn respond(answer: Answer, head_only: bool, accept_encoding: &str) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (body, encoding) = packing::pack(answer.body, accept_encoding);
    let length = body.len();
    let mut response = (status, if head_only { Body::empty() } else { Body::from(body) }).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(TAXII));
    out.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding, authorization"));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            out.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A body, read to its end or to one byte more than is taken. Nobody holds a thread by sending slowly.
async fn body_of(body: &mut BodyDataStream, most: u64) -> Result<Vec<u8>, Fault> {
    let mut read = Vec::new();
    while read.len() as u64 <= most {
        match piece(body).await {
            Ok(Some(bytes)) => read.extend_from_slice(&bytes),
            Ok(None) => return Ok(read),
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(Fault::new(408, error.to_string())),
            Err(error) => return Err(Fault::new(400, format!("the body broke off: {error}"))),
        }
    }
    read.truncate(usize::try_from(most + 1).unwrap_or(usize::MAX));
    Ok(read)
}

/// Who is still sending hears why it was refused, not only that the line is dead; for a moment.
async fn drain(body: &mut BodyDataStream) {
    let all = async {
        let mut read = 0;
        while let Some(Ok(bytes)) = body.next().await {
            read += bytes.len() as u64;
            if read > DRAINED {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAINING, all).await;
}

/// Everything under `/taxii2`.
async fn door(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
    let come =
        Arc::new(Come { length: text(&parts.headers, header::CONTENT_LENGTH).parse().unwrap_or(0), from, parts });
    if come.parts.method == HttpMethod::POST {
        return posted(&app, come, &mut body).await;
    }
    // Who is known at once is answered at once; a slow hash is nobody else's delay.
    let (quick, whole) = (Arc::clone(&come), Arc::clone(&come));
    let done = match reading(&app, move |app| quick.answer_if_known(app)).await {
        Ok(None) => match app.blocking(move |app| Ok(whole.caller(app, Look::Whole))).await {
            Ok(Ok(Some(caller))) => reading(&app, move |app| Some(come.answer(app, caller, &[]))).await,
            Ok(Ok(None)) => Ok(None),
            Ok(Err(fault)) => Ok(Some(respond(fault.answer(), come.is_head(), ""))),
            Err(problem) => Err(problem),
        },
        done => done,
    };
    match done {
        Ok(Some(response)) => response,
        Ok(None) => failed(StatusCode::INTERNAL_SERVER_ERROR, "it is not known who calls"),
        Err(problem) => failed(problem.status, &problem.detail),
    }
}

/// Reads the store, when it is its turn; or without one, where those before it take long (a search that is being
/// filled makes its reader wait, and nobody else).
async fn reading(
    app: &App,
    work: impl FnOnce(&App) -> Option<Response> + Send + 'static,
) -> Result<Option<Response>, Problem> {
    let _turn = tokio::time::timeout(TURN, app.reads.acquire()).await;
    app.blocking(move |app| Ok(work(app))).await
}

/// Something is put into a collection. Nobody waits for a turn at writing: many small ones are flushed together.
async fn posted(app: &App, come: Arc<Come>, body: &mut BodyDataStream) -> Response {
    let most = MOST.min(app.options.max_body);
    // Nobody's body is read before it is known whose it is.
    let asked = Arc::clone(&come);
    let caller = match app.blocking(move |app| Ok(asked.caller(app, Look::Whole))).await {
        Ok(Ok(Some(caller))) => caller,
        Ok(Ok(None)) => return failed(StatusCode::INTERNAL_SERVER_ERROR, "it is not known who calls"),
        Ok(Err(fault)) => {
            drain(body).await;
            return respond(fault.answer(), false, "");
        }
        Err(problem) => return failed(problem.status, &problem.detail),
    };
    let mut came = Vec::new();
    if come.length <= most {
        let Ok(_turn) = app.bodies.acquire().await else {
            return failed(StatusCode::SERVICE_UNAVAILABLE, "it ends");
        };
        match body_of(body, most).await {
            Ok(read) => came = read,
            Err(fault) => return respond(fault.answer(), false, ""),
        }
    }
    match app.blocking(move |app| Ok(come.answer(app, caller, &came))).await {
        Ok(response) => {
            if response.status().as_u16() >= 400 {
                drain(body).await;
            }
            response
        }
        Err(problem) => failed(problem.status, &problem.detail),
    }
}

/// A request without its body.
struct Come {
    parts: Parts,
    from: Option<IpAddr>,
    /// `Content-Length`; 0: not told.
    length: u64,
}

impl Come {
    fn is_head(&self) -> bool {
        self.parts.method == HttpMethod::HEAD
    }

    fn caller(&self, app: &App, look: Look) -> Result<Option<Caller>, Fault> {
        caller(app, &self.parts.headers, self.from, look)
    }

    /// The answer, if it is known at once who calls, or that nobody does.
    fn answer_if_known(&self, app: &App) -> Option<Response> {
        match self.caller(app, Look::Quick) {
            Ok(caller) => caller.map(|caller| self.answer(app, caller, &[])),
            Err(fault) => Some(respond(fault.answer(), self.is_head(), "")),
        }
    }

    fn answer(&self, app: &App, caller: Caller, came: &[u8]) -> Response {
        let answer = answered(app, &self.parts, caller, came, self.length).unwrap_or_else(Fault::answer);
        respond(answer, self.is_head(), text(&self.parts.headers, header::ACCEPT_ENCODING))
    }
}

fn answered(app: &App, parts: &Parts, caller: Caller, came: &[u8], length: u64) -> Result<Answer, Fault> {
    let headers = &parts.headers;
    let encoding = text(headers, header::CONTENT_ENCODING).trim().to_ascii_lowercase();
    let mut body = packing::unpack(came, &encoding)
        .ok_or_else(|| Fault::new(415, "Content-Encoding here is gzip, zstd, br or identity"))?;
    let mut call = Call {
        method: match parts.method {
            HttpMethod::GET | HttpMethod::HEAD => Method::Get,
            HttpMethod::POST => Method::Post,
            HttpMethod::DELETE => Method::Delete,
            _ => Method::Other,
        },
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        accept: text(headers, header::ACCEPT),
        content_type: text(headers, header::CONTENT_TYPE),
        most: MOST.min(app.options.max_body),
        length,
        shelf: &app.shelf,
        caller,
        body: &mut body,
    };
    Ok(manara_taxii::answer(&app.store, &mut call))
}

/// What failed beside this door, in its shape.
pub(crate) fn failed(status: StatusCode, why: &str) -> Response {
    let fault = Fault::new(status.as_u16(), why);
    let wait = [503, 507].contains(&fault.status);
    respond(if wait { fault.with("retry-after", "30") } else { fault }.answer(), false, "")
}
