//! The HTTP doors: API, pages, health and metrics. A handler reads: who calls → what may this audience
//! see → write what is cleared. No handler decides about visibility, and none reaches around the corridor.

mod access;
mod api;
mod app;
mod body;
mod health;
mod jobs;
mod metrics;
mod misp;
mod packing;
mod problem;
mod taxii;
mod web;

pub use app::Options;
pub use jobs::{Jobs, Schedule, newest_backup};

use app::App;
use axum::Router;
use manara_store::Store;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// All doors in one router. Which right a route needs stands in its row (see `access`).
pub fn router(store: Arc<Store>, options: Options) -> Router {
    let app = App::new(store, options);
    plain(routes(), &app)
        .fallback(misp::door)
        .layer(axum::middleware::from_fn_with_state(app.clone(), health::observe))
        .with_state(app)
}

/// Method, path and kind of door (`open`, `api`, `page`) of every route, for whoever checks them all.
#[must_use]
pub fn table() -> Vec<(String, &'static str, &'static str)> {
    let kind = |door: access::Door| match door {
        access::Door::Open => "open",
        access::Door::Api(_) => "api",
        access::Door::Page(_) => "page",
    };
    routes().into_iter().map(|route| (route.method.to_string(), route.path, kind(route.door))).collect()
}

/// Routes behind their guards.
fn plain(routes: Vec<access::Route>, app: &App) -> Router<App> {
    routes.into_iter().fold(Router::new(), |router, route| router.route(route.path, access::guarded(route, app)))
}

/// Every route of every door: the router, the OpenAPI document and the access tests read this list.
fn routes() -> Vec<access::Route> {
    [health::routes(), api::routes(), taxii::routes(), web::routes()].into_iter().flatten().collect()
}

/// Serves until a signal ends it (SIGTERM, SIGINT), then lets requests finish.
///
/// # Errors
/// What the listener says.
pub async fn serve(listener: TcpListener, store: Arc<Store>, options: Options) -> std::io::Result<()> {
    let doors = router(store, options).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, doors).with_graceful_shutdown(ended()).await
}

async fn ended() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupt => {}, _ = term.recv() => {} }
            return;
        }
    }
    let _ = interrupt.await;
}
