//! What can go wrong with a log. The others are read all the same.

use super::Packing;
use std::io;

/// A log that was not read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It, or a folder, could not be opened.
    #[error("{name}: {error}")]
    Closed {
        /// The log.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// It is no text: searching it would find nothing, which would be taken for good news.
    #[error("{name}: it is {what}, and was not searched; {mend}")]
    Foreign {
        /// The log.
        name: String,
        /// What it is.
        what: &'static str,
        /// What can be done.
        mend: &'static str,
    },
    /// It is packed, and was to be followed.
    #[error("{name}: {packing} data can't be followed; search it without --follow")]
    Packed {
        /// The log.
        name: String,
        /// How it is packed.
        packing: Packing,
    },
    /// It seems to be no text, and was searched all the same.
    #[error("{name}: it seems to be {what}; it was searched as it is, but finding nothing in it says nothing; {mend}")]
    Doubtful {
        /// The log.
        name: String,
        /// What it seems to be.
        what: &'static str,
        /// What can be done.
        mend: &'static str,
    },
    /// A packed log ends too early.
    #[error("{name}: the {packing} data is cut short at byte {offset} of the file; what came before was searched")]
    Short {
        /// The log.
        name: String,
        /// How it is packed.
        packing: Packing,
        /// Bytes of the file, as it is packed, that had been read.
        offset: u64,
    },
    /// A packed log is broken.
    #[error(
        "{name}: the {packing} data is broken near byte {offset} of the file ({error}); what came before was searched"
    )]
    Broken {
        /// The log.
        name: String,
        /// How it is packed.
        packing: Packing,
        /// Bytes of the file, as it is packed, that had been read.
        offset: u64,
        /// What the unpacker says.
        error: io::Error,
    },
    /// A log stopped being readable.
    #[error("{name}: not readable beyond byte {offset}: {error}; what came before was searched")]
    Unreadable {
        /// The log.
        name: String,
        /// Bytes that had been read.
        offset: u64,
        /// Why.
        error: io::Error,
    },
}

impl Trouble {
    /// Whether nothing of it was searched.
    pub(crate) fn unsearched(&self) -> bool {
        matches!(self, Trouble::Closed { .. } | Trouble::Foreign { .. } | Trouble::Packed { .. })
    }

    /// What an error while reading means, by how the log is packed.
    pub(crate) fn reading(name: &str, packing: Packing, offset: u64, error: io::Error) -> Trouble {
        let name = name.to_owned();
        // Of the disk, not of what stands on it.
        let system = error.raw_os_error().is_some();
        match (packing, error.kind()) {
            (Packing::None, _) => Trouble::Unreadable { name, offset, error },
            _ if system => Trouble::Unreadable { name, offset, error },
            (_, io::ErrorKind::UnexpectedEof) => Trouble::Short { name, packing, offset },
            _ => Trouble::Broken { name, packing, offset, error },
        }
    }
}
