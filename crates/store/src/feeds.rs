//! What feeds hold, as hashes: "which feeds know this value?". Not records: nobody sees what a feed says
//! here, only that it knows a value that is asked for.

use crate::engine::{Bulk, Kind, params};
use crate::{Result, Store};
use std::collections::BTreeMap;
use uuid::Uuid;

const VALUES: Bulk<'static> = Bulk {
    table: "feed_value",
    columns: &[("hash", Kind::Blob), ("feed", Kind::Int), ("event", Kind::Blob), ("edition", Kind::Int)],
};
/// Rows that are cleared away in one transaction.
const CLEARED: i64 = 20_000;
/// Hashes that are looked up in one question.
const ASKED: usize = 500;
/// Events that are named of each feed and value.
const EVENTS: usize = 50;

/// Feeds that know a value, each with the events of it that do; none: the feed is a list.
pub type Knowing = BTreeMap<i64, Vec<Uuid>>;

impl Store {
    /// Adds values to an edition of a feed's cache, as hashes with the event of the feed that has them.
    ///
    /// # Errors
    /// The engine's.
    pub fn cache_feed_values(&self, feed: i64, edition: i64, mut rows: Vec<([u8; 16], Uuid)>) -> Result<()> {
        // In the order of the table, and each once.
        rows.sort_unstable();
        rows.dedup();
        self.write_large(move |tx| {
            let rows = rows.iter().map(|(hash, event)| params![hash.as_slice(), feed, *event, edition]);
            VALUES.put(tx, rows, "(hash, feed, event) DO UPDATE SET edition = excluded.edition").map(drop)
        })
    }

    /// An edition is complete: what an older one had besides is cleared away.
    ///
    /// # Errors
    /// The engine's.
    pub fn end_feed_edition(&self, feed: i64, edition: i64) -> Result<()> {
        let cleared = move |tx: &crate::tx::Tx<'_>| {
            let sql = "DELETE FROM feed_value WHERE (hash, feed, event) IN (
                           SELECT hash, feed, event FROM feed_value WHERE feed = ?1 AND edition < ?2 LIMIT ?3)";
            tx.execute(sql, &params![feed, edition, CLEARED])
        };
        while self.write(cleared)? > 0 {}
        Ok(())
    }

    /// Forgets what a feed holds.
    ///
    /// # Errors
    /// The engine's.
    pub fn forget_feed_values(&self, feed: i64) -> Result<()> {
        self.end_feed_edition(feed, i64::MAX)
    }

    /// How many values a feed holds.
    ///
    /// # Errors
    /// The engine's.
    pub fn feed_values(&self, feed: i64) -> Result<i64> {
        let sql = "SELECT count(DISTINCT hash) FROM feed_value WHERE feed = ?1";
        self.reader()?.one(sql, &params![feed], |row| row.get(0))
    }

    /// How many of a feed's values each other feed has too.
    ///
    /// # Errors
    /// The engine's.
    pub fn feed_overlap(&self, feed: i64) -> Result<Vec<(i64, i64)>> {
        // A walk over this feed's own rows; each is looked up by its hash in the primary key.
        let sql = "SELECT other.feed, count(DISTINCT mine.hash) FROM feed_value mine
                   JOIN feed_value other ON other.hash = mine.hash AND other.feed <> mine.feed
                   WHERE mine.feed = ?1 GROUP BY other.feed ORDER BY other.feed";
        self.reader()?.all(sql, &params![feed], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Which feeds know these values, by their hashes.
    ///
    /// # Errors
    /// The engine's.
    pub fn feeds_knowing(&self, hashes: &[[u8; 16]]) -> Result<BTreeMap<[u8; 16], Knowing>> {
        let reader = self.reader()?;
        let sql = format!("SELECT hash, feed, event FROM feed_value WHERE {}", reader.within_bytes("hash", 1));
        let mut known: BTreeMap<[u8; 16], Knowing> = BTreeMap::new();
        for some in hashes.chunks(ASKED) {
            let list = reader.bytes_list(some);
            reader.all(&sql, &[list], |row| {
                let hash = row.get::<Uuid>(0)?.into_bytes();
                let events = known.entry(hash).or_default().entry(row.get(1)?).or_default();
                let event: Uuid = row.get(2)?;
                if !event.is_nil() && events.len() < EVENTS {
                    events.push(event);
                }
                Ok(())
            })?;
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_takes_the_place_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::init(&folder.path().join("node"), "CERT", "MY", "a@cert.example").unwrap();
        let hash = |n: u8| [n; 16];
        let (list, one, two) = (Uuid::nil(), Uuid::from_u128(1), Uuid::from_u128(2));
        store
            .cache_feed_values(1, 10, vec![(hash(1), list), (hash(2), list), (hash(2), list), (hash(3), list)])
            .unwrap();
        store.cache_feed_values(2, 10, vec![(hash(2), one), (hash(2), two), (hash(3), one), (hash(9), one)]).unwrap();
        assert_eq!((store.feed_values(1).unwrap(), store.feed_values(2).unwrap()), (3, 3));
        assert_eq!(store.feed_overlap(1).unwrap(), [(2, 2)]);
        assert_eq!(store.feed_overlap(2).unwrap(), [(1, 2)]);
        let known = store.feeds_knowing(&[hash(2), hash(7)]).unwrap();
        assert_eq!(known, BTreeMap::from([(hash(2), BTreeMap::from([(1, vec![]), (2, vec![one, two])]))]));
        store.cache_feed_values(1, 20, vec![(hash(1), list), (hash(4), list)]).unwrap();
        store.end_feed_edition(1, 20).unwrap();
        assert_eq!((store.feed_values(1).unwrap(), store.feed_overlap(1).unwrap()), (2, vec![]));
        assert_eq!(store.feed_values(2).unwrap(), 3, "another feed keeps its own");
        store.forget_feed_values(2).unwrap();
        assert!(store.feeds_knowing(&[hash(2), hash(9)]).unwrap().is_empty());
    }
}
