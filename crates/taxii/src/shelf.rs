//! Records that were made into STIX and read in part: the next page goes on in them, and makes them not again.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::SpooledTempFile;

/// Records on the shelf.
const PLACES: usize = 8;
/// Of a record, this much is kept in memory; what is larger goes to a file.
const IN_MEMORY: usize = 1 << 20;

/// A record's objects, in their order.
pub(crate) struct Rendered {
    /// Where each ends.
    ends: Vec<u64>,
    text: Mutex<SpooledTempFile>,
}

impl Default for Rendered {
    fn default() -> Self {
        Rendered { ends: Vec::new(), text: Mutex::new(SpooledTempFile::new(IN_MEMORY)) }
    }
}

impl Rendered {
    /// Adds one at the end.
    pub(crate) fn add(&mut self, raw: &str) -> io::Result<()> {
        self.text.get_mut().unwrap_or_else(PoisonError::into_inner).write_all(raw.as_bytes())?;
        self.ends.push(self.ends.last().copied().unwrap_or(0) + raw.len() as u64);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// One of them.
    pub(crate) fn get(&self, n: usize) -> io::Result<String> {
        let end = self.ends.get(n).copied().ok_or(io::ErrorKind::InvalidInput)?;
        let begin = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut bytes = vec![0; usize::try_from(end - begin).map_err(io::Error::other)?];
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.seek(SeekFrom::Start(begin))?;
        text.read_exact(&mut bytes)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

/// Which record, for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) record: i64,
    pub(crate) version: u32,
    /// The audience, what it may see by now, and the search.
    pub(crate) reader: String,
}

/// The shelf.
#[derive(Default)]
pub struct Shelf(Mutex<VecDeque<(Key, Arc<Rendered>)>>);

impl Shelf {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Rendered>> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = places.iter().position(|(held, _)| held == key)?;
        let (key, found) = places.remove(at)?;
        places.push_front((key, Arc::clone(&found)));
        Some(found)
    }

    pub(crate) fn put(&self, key: Key, rendered: Arc<Rendered>) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|(held, _)| *held != key);
        places.push_front((key, rendered));
        places.truncate(PLACES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shelved_is_found_until_others_need_the_place() {
        let shelf = Shelf::default();
        let key = |record| Key { record, version: 1, reader: "r".into() };
        for n in 0..=PLACES as i64 {
            let mut rendered = Rendered::default();
            rendered.add(&format!("{{\"n\":{n}}}")).unwrap();
            rendered.add(&"x".repeat(IN_MEMORY)).unwrap();
            rendered.add("é").unwrap();
            shelf.put(key(n), Arc::new(rendered));
        }
        assert!(shelf.get(&key(0)).is_none());
        let found = shelf.get(&key(3)).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!((found.get(0).unwrap(), found.get(2).unwrap()), ("{\"n\":3}".into(), "é".into()));
        assert!(found.get(3).is_err());
    }
}
