//! Samples as MISP keeps them: a zip with the password `infected`, in it the file under its MD5, and a
//! text with the name that it had. The encryption is zip's old one: it keeps virus scanners and careless
//! clicks away, no more, and every unzip knows it.

use md5::{Digest, Md5};
use std::io::{self, Cursor, Write};
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Packs a sample; its MD5 in hexadecimal digits.
///
/// # Errors
/// It is too large for a zip.
pub(crate) fn wrap(name: &str, bytes: &[u8]) -> io::Result<(Vec<u8>, String)> {
    let md5: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .with_deprecated_encryption(b"infected")
        .map_err(io::Error::other)?;
    for (file, content) in [(md5.as_str(), bytes), (&format!("{md5}.filename.txt"), name.as_bytes())] {
        zip.start_file(file, options).map_err(io::Error::other)?;
        zip.write_all(content)?;
    }
    Ok((zip.finish().map_err(io::Error::other)?.into_inner(), md5))
}
