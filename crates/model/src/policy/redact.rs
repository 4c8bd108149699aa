//! Identifiers of persons leave as keyed pseudonyms: the same person gives the same pseudonym, so
//! that receivers can count and correlate, and nobody without the key can enumerate the numbers.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Makes pseudonyms for one audience.
#[derive(Debug, Clone, Copy)]
pub struct Redactor<'k> {
    key: &'k [u8],
}

/// What replaces an identifier when the node has no pseudonym key.
const REMOVED: &str = "[withheld]";

impl<'k> Redactor<'k> {
    /// With a key; an empty one gives no pseudonyms.
    #[must_use]
    pub fn new(key: &'k [u8]) -> Self {
        Redactor { key }
    }

    /// The pseudonym of a normalised value of a type: `px-` and 128 bits of HMAC-SHA-256 in hex,
    /// over the type's name, a NUL and the value, so that types don't mix.
    #[must_use]
    pub fn pseudonym(&self, type_name: &str, value: &str) -> String {
        let mac = if self.key.is_empty() { None } else { Hmac::<Sha256>::new_from_slice(self.key).ok() };
        let Some(mut mac) = mac else { return REMOVED.to_owned() };
        mac.update(type_name.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut out = String::with_capacity(35);
        out.push_str("px-");
        for byte in digest.iter().take(16) {
            out.push_str(&format!("{byte:02x}"));
        }
        out
    }
}
