//! Peers: how it stands with each server that is exchanged with, for who runs the node.

use super::page::{Frame, check_csrf, render};
use crate::app::App;
use crate::problem::Problem;
use askama::Template;
use axum::Form;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use manara_misp::{Exchange, Peer, ask_exchange, peers};
use manara_store::jobs::{Job, JobState};
use manara_store::people::Session;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "peers.html")]
struct PeersPage {
    page: Frame,
    peers: Vec<Peer>,
}

impl PeersPage {
    /// Day and minute.
    fn time(&self, seconds: &i64) -> String {
        let time = jiff::Timestamp::from_second(*seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        time.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }

    fn due(&self, job: &Job) -> String {
        self.time(&(job.due / 1000))
    }

    fn runs(&self, job: &Job) -> bool {
        job.state == JobState::Runs
    }

    /// Directions, with the texts that name them.
    fn ways<'p>(&self, peer: &'p Peer) -> Vec<(&'static str, &'p Exchange)> {
        let ways = [("peers-pull", &peer.pull), ("peers-push", &peer.push)];
        ways.into_iter().filter_map(|(name, exchange)| Some((name, exchange.as_ref()?))).collect()
    }
}

pub(super) async fn list(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.blocking(move |app| {
        Ok(render(&PeersPage { page: Frame::new(&headers, Some(&session), "peers"), peers: peers(&app.store)? }))
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct Asked {
    csrf: String,
    id: i64,
    what: String,
}

pub(super) async fn ask(
    State(app): State<App>,
    Extension(session): Extension<Session>,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    check_csrf(&session, &asked.csrf)?;
    app.blocking(move |app| {
        ask_exchange(&app.store, &session.caller.account.email, asked.id, asked.what == "push")?;
        Ok(Redirect::to("/peers").into_response())
    })
    .await
}
