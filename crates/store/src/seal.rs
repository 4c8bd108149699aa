//! Secrets at rest: sealed with a key that is made of the node's own, so that a copy of the database
//! alone opens nothing. XChaCha20-Poly1305 with a random nonce; the secret's name is bound to it, so that
//! one sealed text can't stand in for another.

use crate::{Result, StoreError, secret};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::path::Path;

/// What a sealed text begins with.
pub(crate) const MARK: &str = "sealed1:";
const NONCE: usize = 24;

/// Name of the node's key in the data folder: 32 bytes in hex, mode 0600.
pub const KEY_FILE: &str = "node.key";

/// Seals and opens.
#[derive(Clone)]
pub(crate) struct Seal(XChaCha20Poly1305);

impl Seal {
    /// With the node's key from its folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(KEY_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| StoreError::Key { path: path.clone(), source })?;
        let bytes = from_hex(text.trim()).filter(|bytes| bytes.len() == 32).ok_or_else(|| StoreError::Key {
            path,
            source: std::io::Error::other("32 bytes in hexadecimal digits are expected"),
        })?;
        // The node's key signs; what seals is another, made of it.
        let key = Sha256::new().chain_update(b"manara seal 1").chain_update(&bytes).finalize();
        XChaCha20Poly1305::new_from_slice(&key).map(Seal).map_err(StoreError::damaged)
    }

    pub(crate) fn close(&self, name: &str, text: &str) -> Result<String> {
        let nonce = secret::random::<NONCE>()?;
        let payload = Payload { msg: text.as_bytes(), aad: name.as_bytes() };
        let body = self.0.encrypt(&XNonce::from(nonce), payload).map_err(StoreError::damaged)?;
        Ok(format!("{MARK}{}{}", to_hex(&nonce), to_hex(&body)))
    }

    pub(crate) fn open(&self, name: &str, sealed: &str) -> Result<String> {
        let wrong = || StoreError::Damaged(format!("'{name}' can't be opened with this folder's {KEY_FILE}"));
        let bytes = sealed.strip_prefix(MARK).and_then(from_hex).ok_or_else(wrong)?;
        let (nonce, body) = bytes.split_at_checked(NONCE).ok_or_else(wrong)?;
        let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| wrong())?;
        let payload = Payload { msg: body, aad: name.as_bytes() };
        let text = self.0.decrypt(&XNonce::from(nonce), payload).map_err(|_| wrong())?;
        String::from_utf8(text).map_err(|_| wrong())
    }
}

/// Is it sealed already?
pub(crate) fn is_sealed(text: &str) -> bool {
    text.starts_with(MARK)
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_name_open() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(KEY_FILE), "ab".repeat(32)).unwrap();
        let seal = Seal::read(folder.path()).unwrap();
        let closed = seal.close("pseudonyms", "s3cret").unwrap();
        assert!(is_sealed(&closed) && !closed.contains("s3cret"));
        assert_eq!(seal.open("pseudonyms", &closed).unwrap(), "s3cret");
        assert!(seal.open("totp", &closed).is_err());
        let mut changed = closed.clone();
        changed.replace_range(closed.len() - 1.., if closed.ends_with('0') { "1" } else { "0" });
        assert!(seal.open("pseudonyms", &changed).is_err());
        std::fs::write(folder.path().join(KEY_FILE), "cd".repeat(32)).unwrap();
        assert!(Seal::read(folder.path()).unwrap().open("pseudonyms", &closed).is_err());
        std::fs::write(folder.path().join(KEY_FILE), "short").unwrap();
        assert!(Seal::read(folder.path()).is_err());
    }
}
