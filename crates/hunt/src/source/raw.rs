//! A file as it lies on the disk, and how far of it has been used.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const BUFFER: usize = 64 << 10;

/// Reads through a buffer and counts what is taken out of it, so that an error in packed data has a place.
pub(crate) struct Raw {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Bytes that were taken.
    taken: Arc<AtomicU64>,
}

impl Raw {
    pub(crate) fn new(input: Box<dyn Read + Send>) -> Raw {
        Raw { input, buffer: vec![0; BUFFER], at: 0, end: 0, taken: Arc::default() }
    }

    /// Bytes that were taken so far; goes on being true while somebody else has the reader.
    pub(crate) fn taken(&self) -> Arc<AtomicU64> {
        self.taken.clone()
    }

    /// The first bytes, as many as there are up to `length`. They stay.
    pub(crate) fn start(&mut self, length: usize) -> io::Result<&[u8]> {
        while self.end - self.at < length {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(got) => self.end += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.buffer[self.at..self.end])
    }
}

impl BufRead for Raw {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.end {
            match self.input.read(&mut self.buffer) {
                Ok(got) => {
                    (self.at, self.end) = (0, got);
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.buffer[self.at..self.end])
    }

    fn consume(&mut self, amount: usize) {
        let amount = amount.min(self.end - self.at);
        self.at += amount;
        self.taken.fetch_add(amount as u64, Ordering::Relaxed);
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut from = self.fill_buf()?;
        let got = from.read(into)?;
        self.consume(got);
        Ok(got)
    }
}
