//! A file in memory: read, or mapped.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Deref;

/// The bytes of an index.
#[derive(Debug)]
pub(crate) enum Bytes {
    Read(Vec<u8>),
    Mapped(memmap2::Mmap),
}

impl Bytes {
    /// Maps a file.
    pub(crate) fn map(file: &File) -> io::Result<Bytes> {
        // SAFETY: the mapping is only read, through slices whose bounds were checked against its length.
        // What remains is that somebody else cuts the file short or changes it while it is mapped: the
        // first ends the process by a signal, as with every mapped file; the second is what a broken file
        // would be, and no value read from it is trusted without a check. Index files are replaced by
        // renaming, never changed in place.
        unsafe { memmap2::Mmap::map(file) }.map(Bytes::Mapped)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Read(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}
