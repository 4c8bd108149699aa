//! `restSearch`: filters, the search itself, and the formats of its answers.

pub(crate) mod filter;
pub(crate) mod formats;
pub(crate) mod more;
pub(crate) mod run;
pub(crate) mod values;
pub(crate) mod wanted;

pub(crate) use more::warn;
pub(crate) use values::{each_attribute, each_event};

use sha2::{Digest, Sha256};

/// An ETag of what was written.
#[derive(Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// One more line.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// As a header says it.
    #[must_use]
    pub(crate) fn text(self) -> String {
        let hex: String = self.0.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        format!("\"{hex}\"")
    }
}
