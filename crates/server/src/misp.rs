//! The MISP door over HTTP: keys as MISP's clients give them, bodies that may be packed, answers that are
//! packed for those who are far away. What is asked and answered is `manara_misp`'s.

use crate::app::App;
use crate::body::Incoming;
use crate::problem::{self, Problem};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzEncoder;
use flate2::{Compression, read::MultiGzDecoder};
use manara_misp::{
    Answer, Body, Call, Fault, MOST_OF_REGISTRATION, Method, NO_KEY, answer, controller_of, has_controller,
    is_registration, register,
};
use std::io::Read;
use std::net::SocketAddr;

/// Most bytes of a body, unpacked.
const MOST: u64 = 1 << 30;
/// Shorter answers are not worth packing.
const WORTH_PACKING: u64 = 1400;

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The key: bare, as MISP has it; `Bearer KEY` too, as everyone else.
fn key(headers: &HeaderMap) -> &str {
    let given = [header::AUTHORIZATION.as_str(), "x-misp-auth"]
        .into_iter()
        .map(|name| text(headers, name))
        .find(|key| !key.is_empty());
    let given = given.unwrap_or_default().trim();
    match given.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        _ => given,
    }
}

/// Takes the body, unpacked, without holding a large one in memory.
fn receive(body: impl Read, encoding: &str, most: u64) -> Result<Body, Fault> {
    let taken = match encoding {
        "gzip" | "x-gzip" => Body::take(MultiGzDecoder::new(body), most),
        "" | "identity" => Body::take(body, most),
        other => {
            return Err(Fault::new(
                415,
                format!("Content-Encoding '{other}' is not known here; send gzip, or the body as it is."),
            ));
        }
    };
    let too_large =
        || Fault::new(413, format!("The body is larger than the {most} bytes that this node takes in one request."));
    match taken {
        Ok(body) => body.ok_or_else(too_large),
        Err(error) => {
            Err(Fault::new(400, format!("The body can't be read to its end, or is not packed as it says: {error}")))
        }
    }
}

/// An answer as a response; packed where `pack`.
fn respond(answer: Answer, head_only: bool, pack: bool) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (media, headers) = (answer.media, answer.headers.clone());
    let (body, length) = answer.into_body().map_err(|_| Problem::internal())?;
    let packs = pack && length > WORTH_PACKING;
    let mut response = if head_only || status == StatusCode::NOT_MODIFIED {
        status.into_response()
    } else if packs {
        (status, reading(GzEncoder::new(body, Compression::fast()))).into_response()
    } else {
        let mut response = (status, reading(body)).into_response();
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        response
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if packs {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            out.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(response)
}

/// A body that is read, a piece at a time, where reading may wait for a disk.
fn reading(mut from: impl Read + Send + 'static) -> axum::body::Body {
    let (pieces, stream) = tokio::sync::mpsc::channel::<std::io::Result<axum::body::Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let piece = match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(n) => Ok(axum::body::Bytes::copy_from_slice(&buffer[..n])),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let failed = piece.is_err();
            // Who asked may be gone.
            if pieces.blocking_send(piece).is_err() || failed {
                return;
            }
        }
    });
    axum::body::Body::from_stream(futures_util::stream::unfold(stream, async |mut stream| {
        stream.recv().await.map(|piece| (piece, stream))
    }))
}

/// Everything that no other route takes.
pub(crate) async fn door(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if !has_controller(&controller_of(&path)) {
        let bare = text(request.headers(), "authorization");
        if !bare.is_empty() && !bare.contains(' ') {
            // One of MISP's clients: it is told in its own words.
            return respond(Fault::new(404, "Not Found").answer(&path), false, false)
                .unwrap_or_else(IntoResponse::into_response);
        }
        return problem::not_found().await.into_response();
    }
    let (parts, body) = request.into_parts();
    let method = match parts.method {
        HttpMethod::GET => Method::Get,
        HttpMethod::HEAD => Method::Head,
        HttpMethod::POST | HttpMethod::PUT => Method::Post,
        HttpMethod::DELETE => Method::Delete,
        _ => return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, POST, PUT or DELETE").into_response(),
    };
    let most = MOST.min(app.options.max_body);
    let near =
        parts.extensions.get::<ConnectInfo<SocketAddr>>().is_some_and(|ConnectInfo(from)| from.ip().is_loopback());
    let pack = !near && text(&parts.headers, "accept-encoding").contains("gzip");
    let head_only = method == Method::Head;
    let given = key(&parts.headers).to_owned();
    if app.options.self_registration && given.is_empty() && method == Method::Post && is_registration(&path) {
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
        let incoming = Incoming::of(&app, body).await;
        let done = app
            .blocking(move |app| {
                let answered = match receive(incoming, text(&parts.headers, "content-encoding"), MOST_OF_REGISTRATION) {
                    Ok(body) => register(&app.store, &path, &body, from),
                    Err(fault) => fault.answer(&path),
                };
                respond(answered, false, false)
            })
            .await;
        return done.unwrap_or_else(IntoResponse::into_response);
    }
    let found = app.blocking(move |app| if given.is_empty() { Ok(None) } else { Ok(app.store.caller(&given)?) }).await;
    let caller = match found {
        Ok(Some(caller)) => caller,
        Ok(None) => {
            let refused = Fault::new(403, NO_KEY).answer(&path);
            return respond(refused, head_only, false).unwrap_or_else(IntoResponse::into_response);
        }
        Err(problem) => return problem.into_response(),
    };
    let incoming = Incoming::of(&app, body).await;
    let done = app
        .blocking(move |app| {
            let answered = match receive(incoming, text(&parts.headers, "content-encoding"), most) {
                Ok(body) => {
                    let mut call = Call::new(method, &path, parts.uri.query().unwrap_or_default(), body, caller);
                    call.known = parts
                        .headers
                        .get(header::IF_NONE_MATCH)
                        .and_then(|value| value.to_str().ok())
                        .map(str::to_owned);
                    call.headers = ["content-type", "accept", "host", "x-forwarded-proto"]
                        .map(|name| (name.to_owned(), text(&parts.headers, name).to_owned()))
                        .to_vec();
                    answer(&app.store, &app.warnings, &call)
                }
                Err(fault) => fault.answer(&path),
            };
            respond(answered, head_only, pack)
        })
        .await;
    done.unwrap_or_else(IntoResponse::into_response)
}
