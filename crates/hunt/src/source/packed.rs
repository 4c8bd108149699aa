//! Packed logs: which packing by the first bytes, not by the name.

use super::raw::Raw;
use crabz2::Crabz2Reader;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use std::fmt;
use std::io::{self, BufRead, Read};

/// Bytes that tell the packing: a pipe that has given so many is waited for no longer.
pub(crate) const MAGIC: usize = 10;
/// Memory that unpacking xz may take, in KiB: `xz -9` needs 64 MiB and some.
const XZ_KIB: u32 = 80 << 10;
/// Bytes that are unpacked from xz at once: so many, at most, are lost before a break.
const SIP: usize = 4 << 10;
/// Memory that unpacking zstd may take, as a power of two: what the `zstd` command allows too (128 MiB).
const ZSTD_LOG: u32 = 27;

/// How a log is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Packing {
    None,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Packing::None => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Xz => "xz",
            Packing::Bzip2 => "bzip2",
        })
    }
}

impl Packing {
    /// By a file's first bytes.
    #[must_use]
    pub fn of(start: &[u8]) -> Packing {
        match start {
            [0x1f, 0x8b, 8, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            // A frame to be skipped, as pzstd and seekable zstd begin.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Packing::Xz,
            // `BZh9` alone may be text: the first block's mark, or the end's, follows.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Packing::Bzip2,
            _ => Packing::None,
        }
    }
}

/// Unpacks, all members or frames of it.
pub(crate) fn unpack(raw: Raw, packing: Packing) -> io::Result<Box<dyn Read + Send>> {
    Ok(match packing {
        Packing::None => Box::new(raw),
        Packing::Gzip => Box::new(Members { member: Some(GzDecoder::new(raw)) }),
        Packing::Bzip2 => Box::new(Blocks(Crabz2Reader::new(raw))),
        Packing::Zstd => {
            let mut reader = zstd::Decoder::with_buffer(raw)?;
            reader.window_log_max(ZSTD_LOG)?;
            Box::new(reader)
        }
        Packing::Xz => Box::new(Sips(XzReader::new_mem_limit(raw, true, XZ_KIB))),
    })
}

/// Reads a little at a time: where the data breaks, this reader loses what it was asked for at once.
struct Sips<R>(R);

impl<R: Read> Read for Sips<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let some = into.len().min(SIP);
        self.0.read(&mut into[..some])
    }
}

/// Reads bzip2, and says of what is cut short that it is.
struct Blocks(Crabz2Reader<Raw>);

impl Read for Blocks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| match error.get_ref().and_then(|e| e.downcast_ref::<crabz2::Error>()) {
            Some(crabz2::Error::Truncated) => io::ErrorKind::UnexpectedEof.into(),
            _ => error,
        })
    }
}

/// Member after member of gzip. Zeros behind the last one, as tapes have them, are no error.
struct Members {
    /// `None` at the end.
    member: Option<GzDecoder<Raw>>,
}

impl Read for Members {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let got = member.read(into)?;
            if got > 0 {
                return Ok(got);
            }
            self.member = match self.member.take() {
                Some(member) => next(member.into_inner())?,
                None => None,
            };
        }
        Ok(0)
    }
}

fn next(mut raw: Raw) -> io::Result<Option<GzDecoder<Raw>>> {
    let foreign = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    loop {
        let start = raw.fill_buf()?;
        let zeros = start.iter().take_while(|b| **b == 0).count();
        match start.get(zeros) {
            None if zeros == 0 => return Ok(None),
            None => raw.consume(zeros),
            Some(0x1f) if zeros == 0 => return Ok(Some(GzDecoder::new(raw))),
            Some(_) => return Err(foreign("something else follows")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packings_are_known_by_their_first_bytes() {
        assert_eq!(Packing::of(b"BZh9 is how bzip2 starts"), Packing::None);
        assert_eq!(Packing::of(b"\x1f"), Packing::None);
        assert_eq!(Packing::of(b""), Packing::None);
        assert_eq!(Packing::of(b"BZh9\x17\x72\x45\x38\x50\x90"), Packing::Bzip2);
        assert_eq!(Packing::of(b"\xfd7zXZ\0\0"), Packing::Xz);
        assert_eq!(Packing::of(b"\x50\x2a\x4d\x18"), Packing::Zstd);
    }
}
