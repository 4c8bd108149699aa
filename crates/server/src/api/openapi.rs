//! The OpenAPI 3.1 document, made from the table of routes: it can't say what is not there.

use crate::access::Door;
use axum::Json;
use serde_json::{Map, Value, json};

pub(super) async fn document() -> Json<Value> {
    let mut paths: Map<String, Value> = Map::new();
    for route in super::routes() {
        let parameters: Vec<Value> = route
            .path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}))
            .collect();
        let mut responses = json!({
            "200": {"description": "Done"},
            "400": {"$ref": "#/components/responses/Problem"},
        });
        let mut operation = json!({"summary": route.summary, "operationId": operation_id(&route)});
        if let Door::Api(right) = route.door {
            responses["401"] = json!({"$ref": "#/components/responses/Problem"});
            responses["403"] = json!({"$ref": "#/components/responses/Problem"});
            operation["security"] = json!([{"key": []}]);
            operation["x-right"] = json!(right.name());
        }
        operation["responses"] = responses;
        if !parameters.is_empty() {
            operation["parameters"] = json!(parameters);
        }
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    Json(json!({
        "openapi": "3.1.0",
        "info": {"title": "Manara", "version": env!("CARGO_PKG_VERSION"), "license": {"name": "Apache-2.0 OR MIT"}},
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": {
                "description": "What is wrong, and how to mend it (RFC 9457)",
                "content": {"application/problem+json": {"schema": {
                    "type": "object",
                    "required": ["title", "status", "detail"],
                    "properties": {"title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}},
                }}},
            }},
        },
    }))
}

fn operation_id(route: &crate::access::Route) -> String {
    let words = route.path.trim_start_matches("/api/v1/").replace(['{', '}'], "").replace(['/', '.'], "_");
    format!("{}_{words}", route.method.as_str().to_lowercase())
}
