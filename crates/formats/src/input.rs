//! What is to be read: unpacked, counted and hashed once, then readable from its start as often as a
//! reader needs. Small inputs stay in memory, large ones in a file that has no name.

use flate2::read::MultiGzDecoder;
use manara_model::record::telling;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Up to here an input is kept in memory.
const IN_MEMORY: u64 = 32 * 1024 * 1024;

/// How much is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of a whole input, unpacked.
    pub bytes: u64,
    /// Of one JSON document.
    pub document: u64,
    /// Of one line of a list.
    pub line: u64,
    /// Of brackets in brackets in JSON.
    pub depth: usize,
    /// An archive that grows to more than this many times its size (beyond 16 MiB) is refused.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 8 << 30, document: 256 << 20, line: 1 << 20, depth: 100, ratio: 1000 }
    }
}

/// Why an input can't be read: where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}{place}: {reason}", if place.is_empty() { "" } else { ", " })]
pub struct InputError {
    /// Its name.
    pub file: String,
    /// Line, pointer or offset; empty: the whole.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}

impl InputError {
    pub(crate) fn new(file: &str, place: impl Into<String>, reason: impl Into<String>) -> Self {
        InputError { file: telling(file), place: telling(&place.into()), reason: telling(&reason.into()) }
    }
}

enum Content {
    Memory(Vec<u8>),
    File(File),
}

/// An input.
pub struct Input {
    name: String,
    content: Content,
    digest: [u8; 32],
    length: u64,
    limits: Limits,
}

impl Input {
    /// Opens a file; gzip and zstd are unpacked by what they are, not by their name.
    ///
    /// # Errors
    /// For what does not exist, a directory, an empty file, an archive bomb, or too much.
    pub fn open(path: &Path, limits: Limits) -> Result<Input, InputError> {
        let name = path.display().to_string();
        let fail = |reason: String| InputError::new(&name, "", reason);
        let file = File::open(path).map_err(|e| fail(format!("can't be opened: {e}")))?;
        if file.metadata().map_err(|e| fail(e.to_string()))?.is_dir() {
            return Err(fail(
                "is a directory; its files are read one by one when it is given to `manara import`".into(),
            ));
        }
        Input::from_reader(&name, file, limits)
    }

    /// Takes everything from a reader.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub fn from_reader(name: &str, reader: impl Read, limits: Limits) -> Result<Input, InputError> {
        let mut packed = Counted { inner: BufReader::with_capacity(128 * 1024, reader), count: 0 };
        let magic = packed.inner.fill_buf().map_err(|e| InputError::new(name, "", e.to_string()))?;
        let (gzip, zstd) = (magic.starts_with(&[0x1f, 0x8b]), magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
        if gzip {
            take(name, MultiGzDecoder::new(BufReader::new(packed)), limits, |d| d.get_ref().get_ref().count)
        } else if zstd {
            let decoder = zstd::Decoder::with_buffer(BufReader::new(packed))
                .map_err(|e| InputError::new(name, "", e.to_string()))?;
            take(name, decoder, limits, |d| d.get_ref().get_ref().count)
        } else {
            take(name, packed, limits, |_| u64::MAX)
        }
    }

    /// Its name, as given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The last part of its name, without the ending of an archive.
    #[must_use]
    pub fn base_name(&self) -> &str {
        let base = self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name);
        base.strip_suffix(".zst").or_else(|| base.strip_suffix(".gz")).unwrap_or(base)
    }

    /// SHA-256 of its unpacked bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Its unpacked length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What is taken of it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Reads it from its start.
    ///
    /// # Errors
    /// The file system's.
    pub fn reader(&mut self) -> Result<Box<dyn BufRead + '_>, InputError> {
        Ok(match &mut self.content {
            Content::Memory(bytes) => Box::new(Cursor::new(bytes.as_slice())),
            Content::File(file) => {
                file.seek(SeekFrom::Start(0)).map_err(|e| InputError::new(&self.name, "", e.to_string()))?;
                Box::new(BufReader::with_capacity(256 * 1024, file))
            }
        })
    }

    /// The whole as text, for formats that are one document.
    ///
    /// # Errors
    /// Beyond the document limit; bytes that are no UTF-8, with their offset.
    pub(crate) fn text(&mut self) -> Result<String, InputError> {
        let (name, limit, length) = (self.name.clone(), self.limits.document, self.length);
        if length > limit {
            let reason = format!("{length} bytes; one document may have at most {limit}; split it, or raise the limit");
            return Err(InputError::new(&name, "", reason));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        self.reader()?.read_to_end(&mut bytes).map_err(|e| InputError::new(&name, "", e.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let offset = e.utf8_error().valid_up_to();
            InputError::new(
                &name,
                format!("byte {offset}"),
                "is not UTF-8; convert it, for example with iconv -t utf-8",
            )
        })?;
        // A byte order mark is no content.
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }
}

struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count += n as u64;
        Ok(n)
    }
}

fn take<R: Read>(name: &str, mut from: R, limits: Limits, packed: impl Fn(&R) -> u64) -> Result<Input, InputError> {
    let fail = |reason: String| InputError::new(name, "", reason);
    let (mut hash, mut length, mut content) = (Sha256::new(), 0u64, Content::Memory(Vec::new()));
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let n = match from.read(&mut buffer) {
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(fail(format!("can't be read or unpacked after {length} bytes: {e}"))),
        };
        if n == 0 {
            break;
        }
        length += n as u64;
        if length > limits.bytes {
            return Err(fail(format!("more than {} bytes; split it", limits.bytes)));
        }
        if length > 16 << 20 && length / packed(&from).max(1) > limits.ratio {
            return Err(fail(format!(
                "grows to more than {} times its size when unpacked: refused as a bomb",
                limits.ratio
            )));
        }
        let new = &buffer[..n];
        hash.update(new);
        match &mut content {
            Content::Memory(bytes) if length <= IN_MEMORY => bytes.extend_from_slice(new),
            Content::Memory(bytes) => {
                let mut file = tempfile::tempfile().map_err(|e| fail(format!("no temporary file: {e}")))?;
                file.write_all(bytes).and_then(|()| file.write_all(new)).map_err(|e| fail(e.to_string()))?;
                content = Content::File(file);
            }
            Content::File(file) => file.write_all(new).map_err(|e| fail(e.to_string()))?,
        }
    }
    if length == 0 {
        return Err(fail("is empty".into()));
    }
    Ok(Input { name: name.into(), content, digest: hash.finalize().into(), length, limits })
}
