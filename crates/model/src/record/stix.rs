//! A STIX object in a collection (TAXII 2.1 §1.6.4): one version of it, as it came.

use super::Found;
use crate::Label;
use uuid::Uuid;

/// One version of a STIX object, with what TAXII says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StixObject {
    /// When it came to the collection, Unix microseconds; no two objects of a collection have the same.
    pub added: i64,
    /// Its type, e.g. `indicator`.
    pub kind: String,
    /// The second half of its identifier.
    pub uuid: Uuid,
    /// Its version as it says it itself: `modified`, else `created`, else when it first came (TAXII 2.1 §3.4.1).
    pub version: String,
    /// Its specification: `true` for STIX 2.1, `false` for 2.0.
    pub is_2_1: bool,
    /// What policy judges.
    pub label: Label,
    /// What stands in it that others get as pseudonyms.
    pub personal: Vec<Found>,
    /// The object, JSON as it came; empty where only its existence is told (a manifest).
    pub raw: String,
}

impl StixObject {
    /// Its identifier, `type--uuid`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}--{}", self.kind, self.uuid)
    }

    /// The media type of its specification (TAXII 2.1 §5.3.1).
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        if self.is_2_1 { "application/stix+json;version=2.1" } else { "application/stix+json;version=2.0" }
    }
}
