//! A log in blocks of whole lines, of which several can be searched at once.

use super::foreign::{LOOK, beginning, doubt, known};
use super::packed::{MAGIC, unpack};
use super::raw::Raw;
use super::{Log, Packing, Trouble};
use memchr::{memchr, memrchr};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a block: what a processor's second cache holds, so that a block is still near when it is searched.
pub(crate) const BLOCK: usize = 1 << 20;
/// Lines are kept whole up to this many bytes; a longer one is cut into pieces.
pub(crate) const LINE: usize = 4 << 20;
/// A longer line is cut at a border of words, if there is one in this many bytes.
const BORDER: usize = 64 << 10;
/// Bytes that are looked through for a line's end at once.
const STEP: usize = 16 << 10;
/// A pipe that gives less at once has been drained: what it gave is searched before there is more.
const DRAINED: usize = 16 << 10;

/// An open log.
pub(crate) struct Feed {
    name: Arc<str>,
    packing: Packing,
    taken: Arc<AtomicU64>,
    from: From,
    /// Why it is doubted that it is text.
    doubt: Option<Trouble>,
    /// Where the next block starts, in unpacked bytes.
    at: u64,
    /// Bytes of its first line that were in blocks before it.
    column: u64,
}

enum From {
    /// Any place of it can be read at any time.
    File { file: Arc<File>, size: u64 },
    /// Bytes come one after the other. `rest` is the beginning of the next block.
    Stream { reader: Box<dyn Read + Send>, rest: Vec<u8>, ended: Option<io::Result<()>>, live: bool },
}

/// A block that somebody has taken to search it.
pub(crate) struct Claim {
    /// Where it starts, in unpacked bytes.
    pub(crate) offset: u64,
    /// Bytes of its first line that stand before it: 0, but for a piece of a very long line.
    pub(crate) column: u64,
    /// What is still to be read.
    place: Option<(Arc<File>, usize)>,
}

impl Claim {
    /// For a block that was read in another way.
    pub(crate) fn of(offset: u64, column: u64) -> Claim {
        Claim { offset, column, place: None }
    }

    /// Reads the block, if that was not done when it was taken.
    pub(crate) fn read(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        let Some((file, length)) = &self.place else { return Ok(()) };
        buffer.resize(*length, 0);
        let mut got = 0;
        while got < *length {
            match file.read_at(&mut buffer[got..], self.offset + got as u64) {
                Ok(0) => {
                    buffer.truncate(got);
                    return Err(io::Error::other("it became shorter"));
                }
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    buffer.truncate(got);
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl Feed {
    /// Opens a log. `from`: unpacked bytes that were searched before; they end a line.
    pub(crate) fn open(log: &Log, from: u64) -> Result<Feed, Trouble> {
        let closed = |error| Trouble::Closed { name: log.name.to_string(), error };
        if log.is_stdin() {
            return Feed::stream(log, Box::new(io::stdin()), from, true);
        }
        let file = File::open(&log.path).map_err(closed)?;
        let data = file.metadata().map_err(closed)?;
        // Files of /proc have no size and pipes no places.
        if data.is_file() && data.len() > 0 {
            let start = beginning(&file).map_err(closed)?;
            if Packing::of(&start) == Packing::None {
                known(log, &start)?;
                let doubt = doubt(log, &start, Some((&file, data.len())));
                let from_file = From::File { file: Arc::new(file), size: data.len() };
                return Ok(Feed {
                    name: log.name.clone(),
                    packing: Packing::None,
                    taken: Arc::default(),
                    from: from_file,
                    doubt,
                    at: from,
                    column: 0,
                });
            }
        }
        Feed::stream(log, Box::new(file), from, !data.is_file())
    }

    /// Over bytes that come one after the other; `live`: from somebody who is still writing.
    fn stream(log: &Log, input: Box<dyn Read + Send>, from: u64, live: bool) -> Result<Feed, Trouble> {
        let closed = |error| Trouble::Closed { name: log.name.to_string(), error };
        let mut raw = Raw::new(input);
        // Whoever is still writing may not have written more.
        let start = raw.start(if live { MAGIC } else { LOOK }).map_err(closed)?;
        let start = &start[..start.len().min(LOOK)];
        let packing = Packing::of(start);
        known(log, start)?;
        let mut doubts = if packing == Packing::None { doubt(log, start, None) } else { None };
        let taken = raw.taken();
        let mut reader = unpack(raw, packing).map_err(closed)?;
        let (mut rest, mut ended) = (Vec::new(), None);
        if packing != Packing::None {
            // What is packed may be no text either.
            let peeked = reader.by_ref().take(LOOK as u64).read_to_end(&mut rest);
            known(log, &rest)?;
            doubts = doubt(log, &rest, None);
            ended = peeked.err().map(Err);
        }
        if ended.is_none() {
            reader = Box::new(io::Cursor::new(std::mem::take(&mut rest)).chain(reader));
            ended = io::copy(&mut reader.by_ref().take(from), &mut io::sink()).err().map(Err);
        } else {
            rest.drain(..rest.len().min(usize::try_from(from).unwrap_or(usize::MAX)));
        }
        let live = live && packing == Packing::None;
        let from_stream = From::Stream { reader, rest, ended, live };
        Ok(Feed { name: log.name.clone(), packing, taken, from: from_stream, doubt: doubts, at: from, column: 0 })
    }

    /// Bytes of the file, as it is packed, that were read.
    pub(crate) fn taken(&self) -> u64 {
        match &self.from {
            From::File { .. } => self.at,
            From::Stream { .. } => self.taken.load(Ordering::Relaxed),
        }
    }

    /// Why it is doubted that it is text, once.
    pub(crate) fn doubt(&mut self) -> Option<Trouble> {
        self.doubt.take()
    }

    /// What an error of this log means.
    pub(crate) fn trouble(&self, error: io::Error) -> Trouble {
        Trouble::reading(&self.name, self.packing, self.taken(), error)
    }

    /// Takes the next block; `None` at the end. After an error there is nothing more.
    pub(crate) fn claim(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Claim>> {
        buffer.clear();
        if buffer.capacity() > 2 * BLOCK {
            buffer.shrink_to(BLOCK);
        }
        let (length, whole, place) = match &mut self.from {
            From::File { file, size } => {
                if self.at >= *size {
                    return Ok(None);
                }
                let (length, whole) = measure(file, self.at, *size)?;
                (length, whole, Some((file.clone(), length)))
            }
            From::Stream { reader, rest, ended, live } => {
                let whole = fill(reader, rest, ended, *live, buffer);
                if buffer.is_empty() {
                    return match ended.replace(Ok(())) {
                        Some(Err(error)) => Err(error),
                        _ => Ok(None),
                    };
                }
                (buffer.len(), whole, None)
            }
        };
        let claim = Claim { offset: self.at, column: self.column, place };
        self.at += length as u64;
        self.column = if whole { 0 } else { self.column + length as u64 };
        Ok(Some(claim))
    }
}

/// The length of the block that starts at a place, and whether its last line is whole.
fn measure(file: &File, at: u64, size: u64) -> io::Result<(usize, bool)> {
    let mut step = [0; STEP];
    let left = usize::try_from(size - at).unwrap_or(usize::MAX);
    if left <= BLOCK {
        return Ok((left, true));
    }
    let mut look = |from: usize, to: usize, find: &dyn Fn(&[u8]) -> Option<usize>| -> io::Result<Option<usize>> {
        let step = &mut step[..to - from];
        let mut got = 0;
        while got < step.len() {
            match file.read_at(&mut step[got..], at + (from + got) as u64)? {
                0 => break,
                more => got += more,
            }
        }
        Ok(find(&step[..got]).map(|n| from + n + 1))
    };
    let mut to = BLOCK;
    while to > 0 {
        let from = to.saturating_sub(STEP);
        if let Some(end) = look(from, to, &|bytes| memrchr(b'\n', bytes))? {
            return Ok((end, true));
        }
        to = from;
    }
    let most = left.min(LINE);
    let mut from = BLOCK;
    while from < most {
        let to = most.min(from + STEP);
        if let Some(end) = look(from, to, &|bytes| memchr(b'\n', bytes))? {
            return Ok((end, true));
        }
        from = to;
    }
    if left <= LINE {
        return Ok((left, true));
    }
    let mut to = LINE;
    while to > LINE - BORDER {
        if let Some(end) = look(to - STEP, to, &|bytes| bytes.iter().rposition(|b| is_border(*b)))? {
            return Ok((end, false));
        }
        to -= STEP;
    }
    Ok((LINE, false))
}

/// Fills a block from a stream. Whether its last line is whole comes back.
fn fill(
    reader: &mut dyn Read,
    rest: &mut Vec<u8>,
    ended: &mut Option<io::Result<()>>,
    live: bool,
    buffer: &mut Vec<u8>,
) -> bool {
    std::mem::swap(rest, buffer);
    rest.clear();
    let mut line_ends = memrchr(b'\n', buffer).is_some();
    while ended.is_none() && buffer.len() < if line_ends { BLOCK } else { LINE } {
        let have = buffer.len();
        let room = if have < BLOCK { BLOCK } else { (have + STEP).min(LINE) };
        buffer.resize(room, 0);
        let got = match reader.read(&mut buffer[have..]) {
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                buffer.truncate(have);
                continue;
            }
            Err(error) => {
                *ended = Some(Err(error));
                0
            }
        };
        buffer.truncate(have + got);
        if got == 0 && ended.is_none() {
            *ended = Some(Ok(()));
        }
        line_ends |= memchr(b'\n', &buffer[have..]).is_some();
        if live && line_ends && got < DRAINED {
            break;
        }
    }
    if ended.is_some() && buffer.len() <= BLOCK {
        return true;
    }
    let (at, whole) = match memrchr(b'\n', buffer) {
        Some(at) => (at + 1, true),
        None if ended.is_some() && buffer.len() < LINE => (buffer.len(), true),
        None => (cut(buffer), false),
    };
    rest.extend_from_slice(&buffer[at..]);
    buffer.truncate(at);
    whole
}

/// Where a line that is too long is cut.
pub(crate) fn cut(bytes: &[u8]) -> usize {
    let low = bytes.len().saturating_sub(BORDER);
    bytes[low..].iter().rposition(|b| is_border(*b)).map_or(bytes.len(), |n| low + n + 1)
}

/// What no indicator goes across.
fn is_border(b: u8) -> bool {
    b <= b' ' || b == b'"' || b == b','
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    type Blocks = Vec<(Vec<u8>, u64, u64)>;

    fn read(mut feed: Feed) -> (Blocks, io::Result<()>) {
        let (mut blocks, mut buffer) = (Vec::new(), Vec::new());
        loop {
            match feed.claim(&mut buffer) {
                Ok(Some(claim)) => {
                    claim.read(&mut buffer).unwrap();
                    blocks.push((buffer.clone(), claim.offset, claim.column));
                }
                Ok(None) => return (blocks, Ok(())),
                Err(error) => return (blocks, Err(error)),
            }
        }
    }

    fn log(path: PathBuf) -> Log {
        Log::new(path, None)
    }

    /// As it would come through a pipe, some bytes at a time.
    struct Bits(io::Cursor<Vec<u8>>, usize);
    impl Read for Bits {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(into.len());
            self.0.read(&mut into[..n])
        }
    }

    #[test]
    fn blocks_are_whole_lines_and_the_same_however_they_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = b"first\n\nthird\n".to_vec();
        for n in 0..40_000 {
            text.extend(format!("line {n} {}\n", "x".repeat(n % 90)).bytes());
        }
        let long = text.len();
        text.extend(std::iter::repeat_n(b'y', LINE - 1));
        text.extend(b"\nshort\n");
        text.extend("a long line with spaces ".repeat(LINE / 8).bytes());
        text.extend(b"\nno spaces:\n");
        text.extend(std::iter::repeat_n(b'z', LINE + LINE / 2));
        text.extend(b"\nlast, without its end");
        let path = folder.path().join("log");
        std::fs::write(&path, &text).unwrap();
        let (plain, end) = read(Feed::open(&log(path.clone()), 0).unwrap());
        end.unwrap();
        for (n, (block, offset, column)) in plain.iter().enumerate() {
            assert!(block.len() <= LINE);
            let before = &text[..*offset as usize];
            let line = before.len() - memrchr(b'\n', before).map_or(0, |at| at + 1);
            assert_eq!(*column, line as u64, "block {n}");
            assert!(line == 0 || line >= LINE - BORDER, "only what is too long is cut");
        }
        assert_eq!(plain.concat_bytes(), text);
        assert!(
            plain.iter().any(|(block, ..)| block.len() == LINE && block[0] == b'y'),
            "a line of just 4 MB is whole"
        );
        for (size, live) in [(usize::MAX, false), (1000, true), (70_000, true), (4097, false)] {
            let bits = Box::new(Bits(io::Cursor::new(text.clone()), size));
            let (streamed, end) = read(Feed::stream(&log("-".into()), bits, 0, live).unwrap());
            end.unwrap();
            assert_eq!(streamed.concat_bytes(), text);
            let cuts = |blocks: &Blocks| blocks.iter().filter(|b| b.2 > 0).map(|b| b.1).collect::<Vec<_>>();
            assert_eq!(cuts(&streamed), cuts(&plain), "long lines are cut at the same places");
        }
        let (after, _) = read(Feed::open(&log(path.clone()), long as u64).unwrap());
        assert_eq!(after.concat_bytes(), &text[long..]);
        let packed = folder.path().join("packed");
        std::fs::write(&packed, zstd::encode_all(&text[..], 1).unwrap()).unwrap();
        let (after, _) = read(Feed::open(&log(packed), long as u64).unwrap());
        assert_eq!((after.concat_bytes(), after[0].1), (text[long..].to_vec(), long as u64));
    }

    trait Concat {
        fn concat_bytes(&self) -> Vec<u8>;
    }
    impl Concat for Blocks {
        fn concat_bytes(&self) -> Vec<u8> {
            self.iter().flat_map(|b| b.0.clone()).collect()
        }
    }
}
