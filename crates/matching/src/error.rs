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
    /// A URL without a host, or longer than 2,048 bytes.
    #[error("not a URL with a host, or longer than 2,048 bytes")]
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
    /// Not the name of a file with a dot in it, of letters, digits, `-` and `_`.
    #[error("not a file's name that is one word with a dot")]
    File,
    /// Not `AS` with a number of at most 32 bits.
    #[error("not the number of an autonomous system")]
    Asn,
    /// Too many others are looked up by the same word: e-mail addresses that differ in what stands before an odd sign,
    /// accounts and fuzzy hashes that differ in the case of letters.
    #[error("one of more than 256 that differ only in what they are not looked up by")]
    Alike,
    /// A list holds at most 134 million indicators and 4 GB of text.
    #[error("more indicators than one index holds")]
    TooMany,
}

/// A file that is no index, or a broken one.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("cannot read the index: {0}")]
    Io(std::io::Error),
    /// No file at all.
    #[error("this is a folder; name the index in it")]
    Folder,
    /// Another kind of file.
    #[error("this is no index of indicators")]
    Foreign,
    /// Written by another version of this program.
    #[error("{}", version(*.0))]
    Version(u32),
    /// Cut short, or bytes have changed.
    #[error("the index is broken: {0}")]
    Broken(&'static str),
}

// Not as its source: the text says it already.
impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> OpenError {
        OpenError::Io(error)
    }
}

fn version(found: u32) -> String {
    let known = crate::file::VERSION;
    if found < known {
        return format!("the index was built by an older manara (version {found} of the format): build it again");
    }
    format!(
        "the index was built by a newer manara (version {found} of the format, this one reads {known}): update this one"
    )
}
