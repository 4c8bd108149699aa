//! Where logs come from: files, folders and standard input, packed or not, in blocks of whole lines.

mod error;
mod feed;
mod foreign;
mod packed;
mod raw;
mod walk;

pub use error::Trouble;
pub use packed::Packing;
pub use walk::{Item, Log, Stamp, Walk};

pub(crate) use feed::{BLOCK, Claim, Feed, LINE, cut};
pub(crate) use foreign::{beginning, doubt, known};
pub(crate) use packed::MAGIC;

use std::io::{self, Read};
use std::path::Path;

/// Opens a file, or standard input as `-`, and unpacks it by what it is: gzip, zstd, xz, bzip2, or nothing.
///
/// # Errors
/// It cannot be opened or its beginning not be read.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let input: Box<dyn Read + Send> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(std::fs::File::open(path)?) };
    let mut raw = raw::Raw::new(input);
    let packing = Packing::of(raw.start(packed::MAGIC)?);
    packed::unpack(raw, packing)
}
