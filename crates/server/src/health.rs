//! Health and readiness; and what every answer carries: a request's number, security headers.

use crate::access::{Door, Route, route};
use crate::app::App;
use crate::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/healthz", Door::Open, "The process answers", get(async || "ok\n")),
        route(Method::GET, "/readyz", Door::Open, "The store takes and gives", get(ready)),
        route(Method::GET, "/metrics", Door::Open, "Counters for Prometheus", get(metrics)),
    ]
}

/// Says the truth: store, schema, disk, and whether the last write could be made.
async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    let unready = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}"));
    app.blocking(move |app| {
        // In words of our own: the reason may name paths and servers, which are the log's.
        let health = app.store.health().map_err(|error| {
            tracing::warn!(%error, "not ready");
            unready("the store does not answer".into())
        })?;
        let problems = health.problems();
        if problems.is_empty() {
            return Ok("ready\n");
        }
        tracing::warn!(?problems, "not ready");
        let failing = health.failing.is_some();
        // It may work again by now: only a write tells, and this one costs nothing.
        if failing && problems.len() == 1 && app.store.try_write().is_ok() {
            return Ok("ready\n");
        }
        Err(unready(if failing { "the store can't write".into() } else { problems.join("; ") }))
    })
    .await
}

async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let text = app.blocking(|app| Ok(app.metrics.text(&app.store))).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
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
    let whole = ["import", "export", "/api/v1/records", "/taxii2/"];
    let long = whole.into_iter().any(|part| path.contains(part));
    Duration::from_secs(if long { 3600 } else { 30 })
}

/// The handler's answer; what fails inside, or takes too long, is an answer too.
async fn answer(app: &App, request: Request, next: Next, limit: Duration) -> Response {
    let running = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limit, running).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            app.metrics.panicked();
            Problem::internal().into_response()
        }
        Err(_) => {
            let detail = format!("no answer within {} seconds; ask for less, or again later", limit.as_secs());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
        }
    }
}

/// Counts, logs (route, never the values asked for) and sets the headers that every answer has.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = uuid::Uuid::now_v7();
    let method = request.method().clone();
    let tls = crate::access::over_tls(request.headers());
    let path = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let response = {
        let _open = app.metrics.begin();
        answer(&app, request, next, time_limit(&path)).await
    };
    let mut response = as_problem(response).await;
    let status = response.status();
    let took = started.elapsed();
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let slow = took > app.options.slow;
    app.metrics.answered(known(&method), &path, status.as_u16(), took, slow);
    if status.is_server_error() {
        // With its number, so that who asked and who reads the log speak of the same.
        if let Some(problem) = response.extensions().get::<Problem>().cloned() {
            response = match path.starts_with("/taxii2") {
                true => crate::taxii::failed(problem.status, &format!("{}; its number there is {id}", problem.detail)),
                false => problem.with_id(id).into_response(),
            };
        }
        tracing::error!(%method, path, status = status.as_u16(), micros, %id, "request failed");
    } else if slow {
        tracing::warn!(%method, path, status = status.as_u16(), micros, %id, "slow request");
    } else {
        tracing::info!(%method, path, status = status.as_u16(), micros, %id, "request");
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
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
            "default-src 'none'; object-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if tls {
        headers.insert("strict-transport-security", HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Anyone can make up a method; only those that exist get a counter of their own.
fn known(method: &Method) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
        .into_iter()
        .find(|name| method.as_str() == *name)
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt;

    /// A request that fails inside, before or after it went to a thread that may wait, is an error
    /// with a number; the node goes on and counts it.
    #[test]
    #[allow(clippy::unwrap_used, clippy::panic)]
    fn a_panic_is_a_500_with_an_id_and_a_metric() {
        let folder = manara_testing::folder();
        let (store, _) =
            manara_store::Store::init(manara_testing::place(&folder), "CERT", "MY", "admin@cert.example").unwrap();
        let app = App::new(std::sync::Arc::new(store), crate::Options::default());
        let doors = Router::new()
            .route("/here", get(async || -> &'static str { panic!("a defect") }))
            .route(
                "/there",
                get(async |State(app): State<App>| {
                    app.blocking(|_| -> Result<&'static str, Problem> { panic!("a defect") }).await
                }),
            )
            .merge(crate::plain(routes(), &app))
            .layer(axum::middleware::from_fn_with_state(app.clone(), observe))
            .with_state(app.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let ask = |path: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let response = runtime.block_on(doors.clone().oneshot(request)).unwrap();
            let (parts, body) = response.into_parts();
            (parts, String::from_utf8(runtime.block_on(to_bytes(body, 1 << 20)).unwrap().to_vec()).unwrap())
        };
        for path in ["/here", "/there"] {
            let (parts, body) = ask(path);
            assert_eq!(parts.status, StatusCode::INTERNAL_SERVER_ERROR);
            let id = parts.headers["x-request-id"].to_str().unwrap();
            assert!(body.contains(id) && !body.contains("a defect"), "{body}");
        }
        let (parts, text) = ask("/metrics");
        assert_eq!(parts.status, StatusCode::OK);
        assert!(text.contains("manara_panics_total 2"), "{text}");
        assert!(text.contains("manara_requests_total{method=\"GET\",route=\"/here\",status=\"500\"} 1"), "{text}");
        assert_eq!(ask("/readyz").1, "ready\n");
    }
}
