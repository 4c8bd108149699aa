//! The TAXII door over HTTP: who calls (Basic or a key), bodies that may be packed, answers that are. What is asked
//! and answered is `manara_taxii`'s.

use crate::access::Door::Open;
use crate::access::{Route, route};
use crate::app::App;
use crate::packing;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt;
use manara_store::people::{Basic, Caller};
use manara_taxii::{Answer, Call, Fault, MOST, Method, TAXII};
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use tokio_util::io::{StreamReader, SyncIoBridge};

/// Bytes of a refused body that are read and thrown away.
const DRAINED: u64 = 4 * MOST;

pub(crate) fn routes() -> Vec<Route> {
    ["/taxii2", "/taxii2/", "/taxii2/{*rest}"]
        .map(|path| route(HttpMethod::GET, path, Open, "TAXII 2.1: STIX collections (docs/taxii.md)", any(door)))
        .into_iter()
        .collect()
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Who calls: an account's e-mail address and password, or a key, alone or as a password.
fn caller(app: &App, headers: &HeaderMap, from: Option<IpAddr>) -> Result<Caller, Fault> {
    let unknown = || {
        let how = "give an account's e-mail address and password, or an API key (Authorization: Basic or Bearer)";
        Fault::new(401, how)
            .with("www-authenticate", "Basic realm=\"Manara\", charset=\"UTF-8\", Bearer realm=\"Manara\"")
    };
    let given = text(headers, header::AUTHORIZATION).trim();
    let Some((scheme, word)) = given.split_once(' ') else { return Err(unknown()) };
    if scheme.eq_ignore_ascii_case("bearer") {
        return app.store.caller(word.trim())?.ok_or_else(unknown);
    }
    let pair = STANDARD.decode(word.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"));
    let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
    let Some((name, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) else { return Err(unknown()) };
    match app.store.basic(&app.remembered, name, password, from)? {
        Basic::Good(caller) => Ok(caller),
        Basic::Wrong => Err(unknown()),
        Basic::Wait(seconds) => {
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

/// Everything under `/taxii2`.
async fn door(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let method = match parts.method {
        HttpMethod::GET | HttpMethod::HEAD => Method::Get,
        HttpMethod::POST => Method::Post,
        HttpMethod::DELETE => Method::Delete,
        _ => Method::Other,
    };
    let head_only = parts.method == HttpMethod::HEAD;
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
    let incoming = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let mut incoming = SyncIoBridge::new(incoming);
    let done = app
        .blocking(move |app| {
            let headers = &parts.headers;
            let most = MOST.min(app.options.max_body);
            let encoding = text(headers, header::CONTENT_ENCODING).trim().to_ascii_lowercase();
            let answered = caller(app, headers, from).and_then(|caller| {
                let mut body = packing::unpack(&mut incoming, &encoding)
                    .ok_or_else(|| Fault::new(415, "Content-Encoding here is gzip, zstd, br or identity"))?;
                let length = text(headers, header::CONTENT_LENGTH).parse::<u64>().unwrap_or(0);
                let mut call = Call {
                    method,
                    path: parts.uri.path(),
                    query: parts.uri.query().unwrap_or_default(),
                    accept: text(headers, header::ACCEPT),
                    content_type: text(headers, header::CONTENT_TYPE),
                    most,
                    length,
                    shelf: &app.shelf,
                    caller,
                    body: &mut body,
                };
                Ok(manara_taxii::answer(&app.store, &mut call))
            });
            let answer = answered.unwrap_or_else(Fault::answer);
            if method != Method::Get && answer.status >= 400 {
                // Who is still sending hears why it was refused, not only that the line is dead.
                let _ = std::io::copy(&mut incoming.take(DRAINED), &mut std::io::sink());
            }
            Ok(respond(answer, head_only, text(headers, header::ACCEPT_ENCODING)))
        })
        .await;
    done.unwrap_or_else(|problem| failed(problem.status, &problem.detail))
}

/// What failed beside this door, in its shape.
pub(crate) fn failed(status: StatusCode, why: &str) -> Response {
    let fault = Fault::new(status.as_u16(), why);
    let wait = [503, 507].contains(&fault.status);
    respond(if wait { fault.with("retry-after", "30") } else { fault }.answer(), false, "")
}
