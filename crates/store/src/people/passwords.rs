//! Which passwords may be chosen.

use crate::{Result, StoreError};

/// Shortest password (NIST SP 800-63B-4 §3.1.1.2; OWASP ASVS 5.0 §6.2.1 asks for 8, recommends 15).
const PASSWORD_CHARS: usize = 12;
/// Longest password, in characters.
const PASSWORD_MOST: usize = 256;

/// Is this a password that may be chosen? Length counts, and that nobody guesses it first.
///
/// # Errors
/// [`StoreError::Invalid`] with what is wrong.
pub(super) fn check_password(password: &str, email: &str) -> Result<()> {
    let wrong = |what: &str| Err(StoreError::Invalid(what.to_owned()));
    let characters = password.chars().count();
    if characters < PASSWORD_CHARS {
        return wrong("a password has at least 12 characters; several words are easy to remember");
    }
    if characters > PASSWORD_MOST {
        return wrong("a password has at most 256 characters");
    }
    let lower = password.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let name = email.split('@').next().unwrap_or_default().to_lowercase();
    if distinct.len() < 5 {
        return wrong("this password is few characters over and over; choose several words");
    }
    // Longer than a password may be short: what is left of common ones is in these.
    let common =
        ["password", "qwertz", "qwerty", "123456", "abcdef", "letmein", "welcome", "admin", "manara", "azerty"];
    let rest = common.iter().fold(lower.clone(), |rest, word| rest.replace(word, ""));
    if rest.chars().count() < 6 {
        return wrong("this password is among the first that are tried; choose several words");
    }
    if name.chars().count() >= 4 && lower.contains(&name) && characters < name.chars().count() + 8 {
        return wrong("this password is little more than the account's name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_tried_first_are_refused() {
        for bad in
            ["short", "aaaaaaaaaaaaaaaa", "password123456", "Qwerty123456!", "analyst-12345", &"x1y2z".repeat(60)]
        {
            assert!(check_password(bad, "analyst-1@cert.example").is_err(), "{bad}");
        }
        for good in ["correct horse battery", "منارة تحذر السفن ليلا", "h7$kQ2!vBx0zP"] {
            check_password(good, "analyst@cert.example").unwrap();
        }
    }
}
