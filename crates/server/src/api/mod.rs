//! `/api/v1`: what programs say to the node. Every answer is made of what the caller is cleared for.

mod collections;
mod export;
mod import;
mod openapi;
mod people;
mod records;
pub(crate) use export::spool;
pub(crate) use import::{ImportQuery, take};
pub(crate) use records::{CorrelationLine, correlation_lines};
mod search;
mod sightings;

use crate::access::Door::{Api, Open};
use crate::access::{Route, route};
use axum::http::Method;
use axum::routing::{delete, get, post, put};
use manara_model::role::Right::{Admin, Read, Write};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/v1/openapi.json", Open, "This document", get(openapi::document)),
        route(Method::GET, "/api/v1/me", Api(Read), "Who is calling, and with which rights", get(people::me)),
        route(
            Method::GET,
            "/api/v1/search",
            Api(Read),
            "What is known of values (?value=…, several)",
            get(search::by_query),
        ),
        route(
            Method::POST,
            "/api/v1/search",
            Api(Read),
            "What is known of up to 10,000 values, or of those in a text",
            post(search::by_body),
        ),
        route(Method::GET, "/api/v1/records", Api(Read), "Records, newest first, by cursor", get(records::list)),
        route(Method::POST, "/api/v1/records", Api(Write), "Add a record", post(import::import)),
        route(Method::GET, "/api/v1/records/{uuid}", Api(Read), "One record with its body", get(records::one)),
        route(
            Method::PUT,
            "/api/v1/records/{uuid}",
            Api(Write),
            "A new version of a record of the own organisation",
            put(import::version),
        ),
        route(
            Method::DELETE,
            "/api/v1/records/{uuid}",
            Api(Write),
            "Withdraw a record of the own organisation",
            delete(records::withdraw),
        ),
        route(
            Method::GET,
            "/api/v1/records/{uuid}/parts",
            Api(Read),
            "A record's parts, by ordinal",
            get(records::parts),
        ),
        route(
            Method::GET,
            "/api/v1/records/{uuid}/correlations",
            Api(Read),
            "Values of a record that others have too",
            get(records::correlations),
        ),
        route(
            Method::POST,
            "/api/v1/import",
            Api(Write),
            "Take in a document, list or text (?format=, ?tlp=, ?distribution=, ?name=)",
            post(import::import),
        ),
        route(
            Method::GET,
            "/api/v1/export",
            Api(Read),
            "Hand out in a format (?format=, ?audience=, ?since=, ?type=, ?tag=, ?kind=)",
            get(export::export),
        ),
        route(
            Method::POST,
            "/api/v1/sightings",
            Api(Write),
            "A value was seen, is a false positive, or has expired; one, or a list of up to 1,000",
            post(sightings::add),
        ),
        route(
            Method::GET,
            "/api/v1/organisations",
            Api(Read),
            "Organisations of this node's community",
            get(people::organisations),
        ),
        route(Method::POST, "/api/v1/organisations", Api(Admin), "Add an organisation", post(people::add_organisation)),
        route(
            Method::GET,
            "/api/v1/knowledge",
            Api(Read),
            "Taxonomies, galaxies, templates, warning lists (?kind=)",
            get(records::knowledge),
        ),
        route(
            Method::GET,
            "/api/v1/collections",
            Api(Read),
            "TAXII collections that the caller may use; who administers sees all of each",
            get(collections::list),
        ),
        route(
            Method::POST,
            "/api/v1/collections",
            Api(Admin),
            "Add a TAXII collection: title, kind (search, box), query, can_read, can_write, group, alias, tlp",
            post(collections::add),
        ),
        route(
            Method::PUT,
            "/api/v1/collections/{id}",
            Api(Admin),
            "Change what is named of a collection; the rest stays",
            put(collections::change),
        ),
        route(
            Method::DELETE,
            "/api/v1/collections/{id}",
            Api(Admin),
            "Take a collection away, with what was put into it",
            delete(collections::remove),
        ),
        route(Method::GET, "/api/v1/formats", Api(Read), "Formats that are read and written", get(people::formats)),
    ]
}
