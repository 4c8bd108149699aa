//! The pages for people: rendered here, working without a script, in every language of `locales/`.

mod account;
mod i18n;
mod import;
mod login;
mod page;
mod peers;
mod record;
mod search;
mod statics;

use crate::access::Door::{Open, Page};
use crate::access::{Route, route};
use axum::http::Method;
use axum::routing::{get, post};
use manara_model::role::Right::{Admin, Read, Write};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/login", Open, "Log-in page", get(login::form)),
        route(Method::POST, "/login", Open, "Log in", post(login::log_in)),
        route(Method::POST, "/logout", Page(Read), "Log out", post(login::log_out)),
        route(Method::GET, "/language/{code}", Open, "Choose a language", get(login::language)),
        route(Method::GET, "/static/{file}", Open, "Style sheet and picture", get(statics::file)),
        route(Method::GET, "/", Page(Read), "Search page", get(search::form)),
        route(Method::POST, "/search", Page(Read), "Answers to anything pasted", post(search::answers)),
        route(Method::GET, "/records", Page(Read), "Records page", get(record::list)),
        route(Method::GET, "/records/{uuid}", Page(Read), "A record's page", get(record::one)),
        route(Method::GET, "/records/{uuid}/export/{format}", Page(Read), "A record in a format", get(record::export)),
        route(Method::GET, "/account", Page(Read), "One's own account", get(account::form)),
        route(Method::POST, "/account", Page(Read), "Change password, factor, keys, sessions", post(account::change)),
        route(Method::GET, "/peers", Page(Admin), "How it stands with each server", get(peers::list)),
        route(Method::POST, "/peers", Page(Admin), "Ask for an exchange now", post(peers::ask)),
        route(Method::GET, "/import", Page(Read), "Import page", get(import::form)),
        route(
            Method::POST,
            "/import",
            Page(Write),
            "Import what was pasted or chosen",
            post(import::take).layer(import::limit()),
        ),
    ]
}
