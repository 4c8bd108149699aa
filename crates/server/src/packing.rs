//! Bodies that come packed, and answers that leave packed (RFC 9110 §8.4): zstd, gzip and br.

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};

/// Shorter answers are not worth packing.
const WORTH: usize = 1400;
/// What is packed in memory at once by brotli's reader.
const BUFFER: usize = 16 * 1024;

/// A body, unpacked; `None` where nobody here knows its encoding.
pub(crate) fn unpack<'r>(body: impl Read + 'r, encoding: &str) -> Option<Box<dyn Read + 'r>> {
    Some(match encoding {
        "" | "identity" => Box::new(body),
        "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(body)),
        "br" => Box::new(brotli::Decompressor::new(body, BUFFER)),
        "zstd" => Box::new(Late(Some(body), None)),
        _ => return None,
    })
}

/// Zstandard's reader, made when it is first read: making it may fail.
struct Late<'r, R: Read>(Option<R>, Option<zstd::Decoder<'r, std::io::BufReader<R>>>);

impl<R: Read> Read for Late<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Some(body) = self.0.take() {
            self.1 = Some(zstd::Decoder::new(body)?);
        }
        self.1.as_mut().map_or(Ok(0), |decoder| decoder.read(buffer))
    }
}

/// The encodings that are accepted with a weight above nothing.
fn takes(accept: &str, encoding: &str) -> bool {
    accept.split(',').any(|range| {
        let mut pieces = range.split(';').map(str::trim);
        let is_it = pieces.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = pieces.filter_map(|piece| piece.strip_prefix("q=")).any(|weight| weight.parse() == Ok(0.0f32));
        is_it && !refused
    })
}

/// An answer, packed as its receiver takes it; and how. What can't be packed goes as it is.
pub(crate) fn pack(body: Vec<u8>, accept: &str) -> (Vec<u8>, Option<&'static str>) {
    if body.len() < WORTH {
        return (body, None);
    }
    let packed = if takes(accept, "zstd") {
        zstd::bulk::compress(&body, 1).map(|packed| (packed, "zstd"))
    } else if takes(accept, "gzip") {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(&body).and_then(|()| out.finish()).map(|packed| (packed, "gzip"))
    } else if takes(accept, "br") {
        let mut out = brotli::CompressorWriter::new(Vec::new(), BUFFER, 3, 20);
        out.write_all(&body).map(|()| (out.into_inner(), "br"))
    } else {
        return (body, None);
    };
    match packed {
        Ok((packed, encoding)) => (packed, Some(encoding)),
        Err(_) => (body, None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_again() {
        let body = b"{\"more\":false}".repeat(500);
        for encoding in ["zstd", "gzip", "br"] {
            let (packed, how) = pack(body.clone(), &format!("x, {encoding};q=0.5"));
            assert_eq!(how, Some(encoding));
            assert!(packed.len() < body.len() / 10);
            let mut back = Vec::new();
            unpack(packed.as_slice(), encoding).unwrap().read_to_end(&mut back).unwrap();
            assert_eq!(back, body);
        }
        assert!(unpack(&b""[..], "lzw").is_none());
    }

    #[test]
    fn what_is_not_taken_or_not_worth_it_goes_as_it_is() {
        assert_eq!(pack(vec![b' '; 5000], "zstd;q=0, deflate").1, None);
        assert_eq!(pack(b"short".to_vec(), "zstd").1, None);
    }
}
