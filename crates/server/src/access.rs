//! Who may call what: each route is a row with the right that it needs, and one guard reads the rows.
//! The right is about *doing*; what a caller *sees* is policy's matter.

use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::MethodRouter;
use manara_model::role::Right;
use manara_store::people::{Caller, Session};

/// Name of the session cookie, and the one it has where the browser came over TLS: browsers take the
/// second from this host only, and only over TLS.
pub(crate) const COOKIE: &str = "manara_session";
pub(crate) const COOKIE_TLS: &str = "__Host-manara_session";

/// Did the browser come over TLS? The proxy before the node says so; who lies here only loosens or
/// tightens the cookie that it gets itself.
pub(crate) fn over_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes() == b"https")
}

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Anyone: health, log-in, style sheet.
    Open,
    /// A key (or session) with this right.
    Api(Right),
    /// A person's session with this right; without one, to the log-in page.
    Page(Right),
}

/// A row of the table of routes. Methods of one path that need different rights are rows of the same path.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) door: Door,
    pub(crate) summary: &'static str,
    pub(crate) handler: MethodRouter<App>,
}

/// A row.
pub(crate) fn route(
    method: Method,
    path: &'static str,
    door: Door,
    summary: &'static str,
    handler: MethodRouter<App>,
) -> Route {
    Route { method, path, door, summary, handler }
}

/// The handler behind its guard.
pub(crate) fn guarded(route: Route, app: &App) -> MethodRouter<App> {
    match route.door {
        Door::Open => route.handler,
        Door::Api(right) => route.handler.route_layer(from_fn_with_state((app.clone(), right), api_guard)),
        Door::Page(right) => route.handler.route_layer(from_fn_with_state((app.clone(), right), page_guard)),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The session's token from the cookie.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE_TLS || name == COOKIE).then(|| value.to_owned())
    })
}

/// Another site's page can't make a browser write here: what changes something comes from our own pages.
pub(crate) fn same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, rest)| rest == host),
        // No browser.
        (None, _, _) => true,
    }
}

fn check(caller: &Caller, right: Right) -> Result<(), Problem> {
    if caller.may(right) {
        return Ok(());
    }
    let account = caller.account.uuid;
    tracing::warn!(%account, right = right.name(), "refused: a right is missing");
    let missing = if caller.account.role.has(right) { "this key's scope" } else { "this account's role" };
    Err(Problem::forbidden(format!("this needs the right '{}', which {missing} does not include", right.name())))
}

async fn api_guard(State((app, right)): State<(App, Right)>, mut request: Request, next: Next) -> Response {
    let key = bearer(request.headers()).map(str::to_owned);
    let found = app.blocking(move |app| match key {
        Some(key) => Ok(app.store.caller(&key)?),
        None => Ok(None),
    });
    let caller = match found.await {
        Ok(Some(caller)) => caller,
        Ok(None) => {
            return Problem::new(StatusCode::UNAUTHORIZED, "give a valid key: Authorization: Bearer KEY")
                .into_response();
        }
        Err(problem) => return problem.into_response(),
    };
    if let Err(problem) = check(&caller, right) {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

async fn page_guard(State((app, right)): State<(App, Right)>, mut request: Request, next: Next) -> Response {
    let token = token(request.headers());
    let found = app.blocking(move |app| match token {
        Some(token) => Ok(app.store.session(&token)?),
        None => Ok(None),
    });
    let session: Session = match found.await {
        Ok(Some(session)) => session,
        Ok(None) => return Redirect::to("/login").into_response(),
        Err(problem) => return problem.into_response(),
    };
    if let Err(problem) = check(&session.caller, right) {
        return problem.into_response();
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !same_site(request.headers()) {
        return Problem::forbidden("this form was sent from another site").into_response();
    }
    request.extensions_mut().insert(session);
    next.run(request).await
}
