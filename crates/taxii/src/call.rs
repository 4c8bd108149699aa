//! A request: where it goes (TAXII 2.1 §4, §5) and who sends it.

use crate::shelf::Shelf;
use manara_model::GroupId;
use manara_store::people::Caller;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::io::Read;
use uuid::Uuid;

/// HTTP's methods that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`, and `HEAD`, of which the server sends no body.
    Get,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// One that no resource has.
    Other,
}

/// A request.
pub struct Call<'r> {
    /// Method.
    pub method: Method,
    /// Path, from `/taxii2` on, as it was sent.
    pub path: &'r str,
    /// What stands after the `?`; empty: nothing.
    pub query: &'r str,
    /// `Accept`; empty: none.
    pub accept: &'r str,
    /// `Content-Type`; empty: none.
    pub content_type: &'r str,
    /// Most bytes of a body.
    pub most: u64,
    /// `Content-Length`; 0: not told.
    pub length: u64,
    /// Where records lie that are being read.
    pub shelf: &'r Shelf,
    /// Who calls.
    pub caller: Caller,
    /// The body, unpacked.
    pub body: &'r mut dyn Read,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Discovery,
    Root(Option<GroupId>),
    Status(Option<GroupId>, Uuid),
    Collections(Option<GroupId>),
    Collection(Option<GroupId>, String, Part),
}

/// What of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Itself,
    Manifest,
    Objects,
    Object(String),
    Versions(String),
}

impl Place {
    /// Of a path; with or without the slash at its end.
    pub(crate) fn of(path: &str) -> Option<Place> {
        let path = path.strip_prefix("/taxii2").filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let path = path.strip_suffix('/').unwrap_or(path);
        // Encoded or not, it is the same address (RFC 3986 §6.2.2.2).
        let pieces = path.split('/').skip(1).map(|piece| percent_decode_str(piece).decode_utf8());
        let pieces: Vec<Cow<'_, str>> = pieces.collect::<Result<_, _>>().ok()?;
        let pieces: Vec<&str> = pieces.iter().map(AsRef::as_ref).collect();
        let Some((root, rest)) = pieces.split_first() else { return Some(Place::Discovery) };
        let root = match *root {
            "node" => None,
            group => Some(GroupId(uuid(group)?)),
        };
        Some(match rest {
            [] => Place::Root(root),
            ["status", id] => Place::Status(root, uuid(id)?),
            ["collections"] => Place::Collections(root),
            ["collections", name, rest @ ..] => {
                let part = match rest {
                    [] => Part::Itself,
                    ["manifest"] => Part::Manifest,
                    ["objects"] => Part::Objects,
                    ["objects", id] => Part::Object((*id).into()),
                    ["objects", id, "versions"] => Part::Versions((*id).into()),
                    _ => return None,
                };
                Place::Collection(root, (*name).into(), part)
            }
            _ => return None,
        })
    }

    /// The methods that it has, as `Allow` tells them.
    pub(crate) fn methods(&self) -> (&'static [Method], &'static str) {
        match self {
            Place::Collection(_, _, Part::Objects) => (&[Method::Get, Method::Post], "GET, HEAD, POST"),
            Place::Collection(_, _, Part::Object(_)) => (&[Method::Get, Method::Delete], "GET, HEAD, DELETE"),
            _ => (&[Method::Get], "GET, HEAD"),
        }
    }
}

fn uuid(text: &str) -> Option<Uuid> {
    text.parse().ok().filter(|_| text.len() == 36)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_1_6_2_every_endpoint_has_its_place() {
        let id = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
        let group = Some(GroupId(id.parse().unwrap()));
        assert_eq!(Place::of("/taxii2/"), Some(Place::Discovery));
        assert_eq!(Place::of("/taxii2"), Some(Place::Discovery));
        assert_eq!(Place::of("/taxii2/node/"), Some(Place::Root(None)));
        assert_eq!(Place::of(&format!("/taxii2/{id}/")), Some(Place::Root(group)));
        assert_eq!(Place::of(&format!("/taxii2/node/status/{id}/")), Some(Place::Status(None, id.parse().unwrap())));
        assert_eq!(Place::of("/taxii2/node/collections/"), Some(Place::Collections(None)));
        let of = |rest: &str| match Place::of(&format!("/taxii2/node/collections/a/{rest}")) {
            Some(Place::Collection(None, name, part)) if name == "a" => Some(part),
            _ => None,
        };
        assert_eq!(of(""), Some(Part::Itself));
        assert_eq!(of("manifest/"), Some(Part::Manifest));
        assert_eq!(of("objects/"), Some(Part::Objects));
        assert_eq!(of("objects/x--1/"), Some(Part::Object("x--1".into())));
        assert_eq!(of("objects/x--1/versions/"), Some(Part::Versions("x--1".into())));
        for path in ["/taxii", "/taxii2/other/", "/taxii2/node/nothing/", "/taxii2/node/collections/a/b/", "/taxii2x"] {
            assert_eq!(Place::of(path), None, "{path}");
        }
    }
}
