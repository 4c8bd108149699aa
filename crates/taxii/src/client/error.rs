//! Why another server gives nothing, in words for who asked.

use std::fmt;
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientError {
    /// Not reached, or it broke off; it may be better in a while.
    Away(String),
    /// It wants to be left alone for a while (429, 503).
    Busy {
        /// What it said.
        said: String,
        /// How long, where it says.
        after: Option<Duration>,
    },
    /// It answered, and refused.
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words.
        said: String,
    },
    /// What it answered is not what TAXII 2.1 has there.
    Content(String),
    /// What we were told of it can't be right: the address, the credentials, the certificate.
    Setup(String),
    /// What came could not be kept here.
    Here(String),
    /// Not wanted any more: the node ends, or another process does it.
    Ended,
}

impl ClientError {
    /// Did it come from what is kept here?
    pub(crate) fn here(error: impl fmt::Display) -> Self {
        ClientError::Here(error.to_string())
    }

    /// How long the server wants to be left alone.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        match self {
            ClientError::Busy { after, .. } => *after,
            _ => None,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Away(why) => write!(f, "not reached: {why}"),
            ClientError::Busy { said, after: Some(after) } => {
                write!(f, "wants to be left alone for {} s: {said}", after.as_secs())
            }
            ClientError::Busy { said, after: None } => write!(f, "can't answer now: {said}"),
            ClientError::Refused { status, said } => {
                let help = match status {
                    401 => {
                        "; it does not know these credentials, or wants some: --user with --password-file, or --key-file"
                    }
                    403 => "; the account may not do this there: ask who runs the server",
                    404 => "; nothing stands there, or not for this account: see `manara taxii discover`",
                    406 => "; it does not speak TAXII 2.1",
                    _ => "",
                };
                write!(f, "HTTP {status}: {said}{help}")
            }
            ClientError::Content(what) => write!(f, "{what}"),
            ClientError::Setup(what) | ClientError::Here(what) => f.write_str(what),
            ClientError::Ended => f.write_str("broken off here"),
        }
    }
}

impl std::error::Error for ClientError {}
