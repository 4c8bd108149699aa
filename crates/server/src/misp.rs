//! The MISP door over HTTP: keys as MISP's clients give them, bodies that may be packed, answers that are
//! packed for those who are far away. What is asked and answered is `manara_misp`'s.

use crate::app::App;
use crate::problem::{self, Problem};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzEncoder;
use flate2::{Compression, read::MultiGzDecoder};
use manara_misp::{Answer, Call, Fault, Method, NO_KEY, answer, controller_of, has_controller};
use std::io::Read;
use std::net::SocketAddr;

/// Most bytes of a body, unpacked. It is held in memory.
const MOST: u64 = 256 << 20;
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

fn unpacked(packed: &[u8], encoding: &str, most: u64) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    match encoding {
        "gzip" | "x-gzip" => {
            let read = MultiGzDecoder::new(packed).take(most + 1).read_to_end(&mut body);
            read.map_err(|error| Fault::new(400, format!("The body says that it is gzip, and is not: {error}")))?;
        }
        "" | "identity" => body.extend_from_slice(packed),
        other => {
            return Err(Fault::new(
                415,
                format!("Content-Encoding '{other}' is not known here; send gzip, or the body as it is."),
            ));
        }
    }
    if body.len() as u64 > most {
        return Err(Fault::new(
            413,
            format!("The body is larger than the {most} bytes that this node takes in one request."),
        ));
    }
    Ok(body)
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
fn reading(mut from: impl Read + Send + 'static) -> Body {
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
    Body::from_stream(futures_util::stream::unfold(stream, async |mut stream| {
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
    let found = app.blocking(move |app| if given.is_empty() { Ok(None) } else { Ok(app.store.caller(&given)?) }).await;
    let caller = match found {
        Ok(Some(caller)) => caller,
        Ok(None) => {
            let refused = Fault::new(403, NO_KEY).answer(&path);
            return respond(refused, head_only, false).unwrap_or_else(IntoResponse::into_response);
        }
        Err(problem) => return problem.into_response(),
    };
    let bytes = match axum::body::to_bytes(body, usize::try_from(most).unwrap_or(usize::MAX)).await {
        Ok(bytes) => bytes,
        Err(_) => {
            let refused = Fault::new(
                413,
                format!("The body is larger than the {most} bytes that this node takes in one request."),
            );
            return respond(refused.answer(&path), head_only, false).unwrap_or_else(IntoResponse::into_response);
        }
    };
    let done = app
        .blocking(move |app| {
            let answered = match unpacked(&bytes, text(&parts.headers, "content-encoding"), most) {
                Ok(body) => {
                    drop(bytes);
                    let mut call = Call::new(method, &path, parts.uri.query().unwrap_or_default(), body, caller);
                    call.known = parts
                        .headers
                        .get(header::IF_NONE_MATCH)
                        .and_then(|value| value.to_str().ok())
                        .map(str::to_owned);
                    call.headers = ["content-type", "accept"]
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
