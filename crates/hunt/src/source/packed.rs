//! Packed logs: which packing by the first bytes, not by the name.

use super::raw::Raw;
use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use std::fmt;
use std::io::{self, BufRead, Read};

/// Bytes that tell the packing.
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
        Packing::Gzip => Box::new(Members { member: Some(Gzip(GzDecoder::new(raw))) }),
        Packing::Bzip2 => Box::new(Members { member: Some(Bzip(BzDecoder::new(raw))) }),
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

/// One packed piece of a file that may have several.
trait Member: Read + Sized {
    fn over(raw: Raw) -> Self;
    fn raw(self) -> Raw;
    fn starts(start: &[u8]) -> bool;
}

struct Gzip(GzDecoder<Raw>);

impl Read for Gzip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Member for Gzip {
    fn over(raw: Raw) -> Self {
        Gzip(GzDecoder::new(raw))
    }

    fn raw(self) -> Raw {
        self.0.into_inner()
    }

    fn starts(start: &[u8]) -> bool {
        start.starts_with(&[0x1f])
    }
}

struct Bzip(BzDecoder<Raw>);

impl Read for Bzip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Member for Bzip {
    fn over(raw: Raw) -> Self {
        Bzip(BzDecoder::new(raw))
    }

    fn raw(self) -> Raw {
        self.0.into_inner()
    }

    fn starts(start: &[u8]) -> bool {
        start.starts_with(b"B")
    }
}

/// Member after member. Zeros behind the last one, as tapes have them, are no error.
struct Members<M> {
    /// `None` at the end.
    member: Option<M>,
}

impl<M: Member> Read for Members<M> {
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
                Some(member) => next(member.raw())?,
                None => None,
            };
        }
        Ok(0)
    }
}

fn next<M: Member>(mut raw: Raw) -> io::Result<Option<M>> {
    loop {
        let start = raw.fill_buf()?;
        if start.is_empty() {
            return Ok(None);
        }
        let zeros = start.iter().take_while(|b| **b == 0).count();
        let all = zeros == start.len();
        if zeros == 0 {
            let starts = M::starts(start);
            let foreign = || io::Error::new(io::ErrorKind::InvalidData, "something else follows");
            return if starts { Ok(Some(M::over(raw))) } else { Err(foreign()) };
        }
        raw.consume(zeros);
        if !all {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "something follows behind zeros"));
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
