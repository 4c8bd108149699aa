//! Health, readiness, metrics; and what every answer carries: a request's number, security headers.

use crate::access::{Door, Route, route};
use crate::app::App;
use crate::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Counters since start.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: AtomicU64,
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    micros: AtomicU64,
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/healthz", Door::Open, "The process answers", get(async || "ok\n")),
        route(Method::GET, "/readyz", Door::Open, "The store answers", get(ready)),
        route(Method::GET, "/metrics", Door::Open, "Counters for Prometheus", get(metrics)),
    ]
}

async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    app.blocking(|app| {
        app.store
            .node()
            .map(|_| "ready\n")
            .map_err(|_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer"))
    })
    .await
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let m = &app.metrics;
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let text = format!(
        "# HELP manara_requests_total Requests answered.\n# TYPE manara_requests_total counter\nmanara_requests_total {}\n\
         # HELP manara_request_errors_total Requests answered with an error.\n# TYPE manara_request_errors_total counter\n\
         manara_request_errors_total{{side=\"client\"}} {}\nmanara_request_errors_total{{side=\"server\"}} {}\n\
         # HELP manara_request_seconds_total Time spent answering.\n# TYPE manara_request_seconds_total counter\n\
         manara_request_seconds_total {:.6}\n",
        load(&m.requests),
        load(&m.client_errors),
        load(&m.server_errors),
        load(&m.micros) as f64 / 1e6
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// What the framework itself refuses (a broken body, a wrong method) it says in plain text; clients get
/// the same shape for every error.
async fn as_problem(response: Response) -> Response {
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
    if !(plain && (response.status().is_client_error() || response.status().is_server_error())) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 16 * 1024).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let detail = if text.is_empty() {
        parts.status.canonical_reason().unwrap_or("refused").to_owned()
    } else {
        text.into_owned()
    };
    let mut answer = Problem::new(parts.status, detail).into_response();
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow.clone());
    }
    answer
}

/// How long a request may take: what moves whole collections gets an hour, a question half a minute.
fn time_limit(path: &str) -> Duration {
    let long = path.contains("import") || path.contains("export") || path == "/api/v1/records";
    Duration::from_secs(if long { 3600 } else { 30 })
}

/// Counts, logs (route, never the values asked for) and sets the headers that every answer has.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = uuid::Uuid::now_v7().to_string();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let limit = time_limit(&path);
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    let answer = answer.unwrap_or_else(|_| {
        let detail = format!("no answer within {} seconds; ask for less, or again later", limit.as_secs());
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
    });
    let mut response = as_problem(answer).await;
    let status = response.status();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    app.metrics.requests.fetch_add(1, Ordering::Relaxed);
    app.metrics.micros.fetch_add(micros, Ordering::Relaxed);
    if status.is_server_error() {
        app.metrics.server_errors.fetch_add(1, Ordering::Relaxed);
    } else if status.is_client_error() {
        app.metrics.client_errors.fetch_add(1, Ordering::Relaxed);
    }
    tracing::info!(%method, path, status = status.as_u16(), micros, id, "request");
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", value);
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
