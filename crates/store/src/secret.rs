//! Random keys and how they are kept: keys and session tokens as SHA-256 (they have 256 bits of
//! their own), passwords as argon2id (they don't).

use crate::{Result, StoreError};
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use sha2::{Digest, Sha256};

/// 62 letters and digits: keys can be typed, and survive every shell.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `n` random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| StoreError::Invalid(format!("no random numbers from the system: {e}")))?;
    Ok(bytes)
}

/// A random text of letters and digits, 5.95 bits a character.
pub(crate) fn token(length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in random::<64>()? {
            // Rejection keeps every letter equally likely.
            if byte < 248 && text.len() < length {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
    }
    Ok(text)
}

/// What is stored of a key or token.
pub(crate) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// argon2id with the library's parameters (19 MiB, 2 passes: OWASP's recommendation).
pub(crate) fn hash_password(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| StoreError::Invalid(format!("password can't be hashed: {e}")))
}

/// Compares in constant time; a broken stored hash is "no".
pub(crate) fn password_matches(password: &str, stored: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), stored).is_ok()
}
