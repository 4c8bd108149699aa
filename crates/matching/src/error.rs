//! What can be wrong with an indicator or an index file.

/// An indicator that cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not an address.
    #[error("not an address")]
    Address,
    /// Not a network in CIDR notation.
    #[error("not a network in CIDR notation")]
    Network,
    /// Not a name: labels of 1 to 63 letters, digits, `-` and `_`, 253 in all.
    #[error("not a name that can stand in a log")]
    Name,
    /// A URL without a host, or longer than 8,192 bytes.
    #[error("not a URL with a host")]
    Url,
    /// Not `local@host`.
    #[error("not an e-mail address")]
    Email,
    /// Not hexadecimal, or of another length.
    #[error("not a hash of this kind")]
    Hash,
    /// No run of at least 13 letters and digits by which it could be found.
    #[error("too short or too broken up to be looked for")]
    Word,
    /// A list holds at most 134 million indicators and 4 GB of text.
    #[error("more indicators than one index holds")]
    TooMany,
}

/// A file that is no index, or a broken one.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("cannot read the index: {0}")]
    Io(#[from] std::io::Error),
    /// Another kind of file.
    #[error("this is no index of indicators")]
    Foreign,
    /// Written by a newer program.
    #[error("the index has version {0}; this program reads version {known}", known = crate::file::VERSION)]
    Version(u32),
    /// Cut short, or bytes have changed.
    #[error("the index is broken: {0}")]
    Broken(&'static str),
}
