//! The HTTP doors: API, pages, health and metrics. A handler reads: who calls → what may this audience
//! see → write what is cleared. No handler decides about visibility, and none reaches around the corridor.

mod access;
mod api;
mod app;
mod health;
mod problem;
mod web;

pub use app::Options;

use app::App;
use axum::Router;
use manara_store::Store;
use std::sync::Arc;
use tokio::net::TcpListener;

/// All doors in one router. Which right a route needs stands in its row (see `access`).
pub fn router(store: Arc<Store>, options: Options) -> Router {
    let app = App::new(store, options);
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, access::guarded(route, &app));
    }
    router
        .fallback(problem::not_found)
        .layer(axum::middleware::from_fn_with_state(app.clone(), health::observe))
        .with_state(app)
}

/// Every route of every door: the router, the OpenAPI document and the access tests read this list.
fn routes() -> Vec<access::Route> {
    [health::routes(), api::routes(), web::routes()].into_iter().flatten().collect()
}

/// Serves until a signal ends it (SIGTERM, SIGINT), then lets requests finish.
///
/// # Errors
/// What the listener says.
pub async fn serve(listener: TcpListener, store: Arc<Store>, options: Options) -> std::io::Result<()> {
    axum::serve(listener, router(store, options)).with_graceful_shutdown(ended()).await
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
