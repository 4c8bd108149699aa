//! Caching: the hashes of what a feed holds, and nothing else of it. A new edition takes the place of the
//! one before; what is read is never held as a whole.

use super::events::{each_event, event_in, manifest};
use super::list::Reading;
use super::source::{Got, Known, Source};
use super::{FeedError, FeedReport, format_of};
use crate::answer::Fault;
use crate::body::Body;
use crate::jobs::Pulse;
use crate::shape::halves;
use crate::sync::{Remote, RemoteError};
use manara_formats::{Input, Limits};
use manara_model::record::{Rejection, text_of};
use manara_store::Store;
use manara_store::entries::Entry;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use std::io::{BufRead, Read};
use uuid::Uuid;

/// Rows that are written at once.
const RUN: usize = 10_000;
/// Attributes of one page that a server is asked for, as MISP asks.
const PAGE: usize = 50_000;
/// Pages that are taken of a server.
const PAGES: usize = 2000;
/// A line of a list of hashes has 69 signs.
const LINE: u64 = 1024;

/// The hash by which a value is known, as MISP's caches have it.
pub(super) fn hash(value: &str) -> [u8; 16] {
    Md5::digest(value.trim().as_bytes()).into()
}

/// An edition in the making.
struct Edition<'s> {
    store: &'s Store,
    feed: i64,
    number: i64,
    rows: Vec<([u8; 16], Uuid)>,
    total: usize,
}

impl Edition<'_> {
    fn add(&mut self, hash: [u8; 16], event: Uuid) -> Result<(), FeedError> {
        self.rows.push((hash, event));
        self.total += 1;
        if self.rows.len() >= RUN { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), FeedError> {
        let rows = std::mem::take(&mut self.rows);
        Ok(self.store.cache_feed_values(self.feed, self.number, rows)?)
    }

    /// Ends it: the one before goes, unless something of this one could not be read.
    fn end(mut self, mut report: FeedReport, known: Value) -> Result<(FeedReport, Map<String, Value>), FeedError> {
        let Edition { store, feed, number, .. } = self;
        if self.total == 0 && report.errors.is_empty() {
            return Err(FeedError::Content("holds no value that is known here".into()));
        }
        self.flush()?;
        (report.offered, report.added) = (self.total, self.total);
        let mut more = Map::new();
        if report.errors.is_empty() {
            store.end_feed_edition(feed, number)?;
            more.insert("cache_known".into(), known);
        } else {
            // What could not be read now may have been read before: both stay until one is whole.
            more.insert("cache_known".into(), Value::Null);
        }
        let overlap: Map<String, Value> =
            store.feed_overlap(feed)?.into_iter().map(|(other, count)| (other.to_string(), count.into())).collect();
        let values = store.feed_values(feed)?;
        more.insert(
            "cached".into(),
            json!({"at": number / 1000, "edition": number, "values": values, "overlap": overlap}),
        );
        Ok((report, more))
    }
}

/// Caches a feed; what was done, and what is kept with the feed.
pub(super) fn cache(
    store: &Store,
    entry: &Entry,
    pulse: &Pulse<'_>,
) -> Result<(FeedReport, Map<String, Value>), FeedError> {
    let mut report = FeedReport::default();
    let source = Source::of(entry, Some(pulse))?;
    let held = entry.body.get("cache_known").and_then(|known| serde_json::from_value::<Known>(known.clone()).ok());
    let number = jiff::Timestamp::now().as_millisecond();
    let mut edition = Edition { store, feed: entry.id, number, rows: Vec::new(), total: 0 };
    let known = match format_of(entry)?.as_str() {
        "misp" => of_events(&source, held.as_ref(), &mut edition, &mut report)?,
        _ => of_list(entry, &source, held.as_ref(), &mut edition, &mut report)?,
    };
    let Some(known) = known else {
        report.unmodified = true;
        return Ok((report, Map::new()));
    };
    edition.end(report, json!(known))
}

/// What a page holds, blanks aside.
fn digest(page: &Body) -> Result<[u8; 16], FeedError> {
    let (mut hash, mut reader, mut piece) = (Md5::new(), page.reader()?, [0; 8192]);
    loop {
        let n = reader.read(&mut piece)?;
        if n == 0 {
            return Ok(hash.finalize().into());
        }
        let text: Vec<u8> = piece[..n].iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        hash.update(&text);
    }
}

/// Caches what a server gives us, page by page, as MISP does it: hashes with their events.
pub(super) fn cache_server(
    store: &Store,
    entry: &Entry,
    remote: &Remote<'_>,
) -> Result<(FeedReport, Map<String, Value>), FeedError> {
    let mut report = FeedReport::default();
    let number = jiff::Timestamp::now().as_millisecond();
    let mut edition = Edition { store, feed: entry.id, number, rows: Vec::new(), total: 0 };
    let mut before = [0; 16];
    for page in 1.. {
        if page > PAGES {
            report.fails(format!("more than {PAGES} pages; the rest is left"));
            break;
        }
        let asked = json!({"returnFormat": "cache", "includeEventUuid": 1, "page": page, "limit": PAGE});
        let text = remote.text("/attributes/restSearch.json", &asked).map_err(|error| match error {
            RemoteError::Away(why) | RemoteError::Gone(why) => FeedError::Away(why),
            RemoteError::Ended => FeedError::Ended,
            error => FeedError::Content(error.to_string()),
        })?;
        let same = digest(&text)?;
        if same == digest(&Body::from(Vec::new()))? {
            break;
        }
        if std::mem::replace(&mut before, same) == same {
            return Err(FeedError::Content("gives the same page again and again".into()));
        }
        let name = format!("page {page}");
        let taken = Input::from_reader(&name, text.reader()?, Limits::default());
        of_hashes(&mut taken.map_err(|error| FeedError::Content(error.to_string()))?, &mut edition, &mut report)?;
    }
    edition.end(report, Value::Null)
}

fn of_list(
    entry: &Entry,
    source: &Source<'_>,
    known: Option<&Known>,
    edition: &mut Edition<'_>,
    report: &mut FeedReport,
) -> Result<Option<Known>, FeedError> {
    let reading = Reading::of(entry)?;
    let Some(Got { mut input, known }) = source.get(&source.itself(), known)? else { return Ok(None) };
    let rows = reading.each(&mut input, &mut |found| edition.add(hash(found.value()), Uuid::nil()))?;
    report.rows(rows);
    Ok(Some(known))
}

/// A MISP feed has its hashes beside its manifest; where it has not, its events are read.
fn of_events(
    source: &Source<'_>,
    known: Option<&Known>,
    edition: &mut Edition<'_>,
    report: &mut FeedReport,
) -> Result<Option<Known>, FeedError> {
    match source.get(&source.beside("hashes.csv"), known) {
        Ok(None) => return Ok(None),
        Ok(Some(Got { mut input, known })) => {
            of_hashes(&mut input, edition, report)?;
            // An empty file, or a page: the events tell.
            if edition.total > 0 {
                return Ok(Some(known));
            }
            *report = FeedReport::default();
        }
        Err(FeedError::Content(_) | FeedError::Setup(_)) => {}
        Err(error) => return Err(error),
    }
    let Some(Got { mut input, known }) = source.get(&source.beside("manifest.json"), known)? else { return Ok(None) };
    let events = manifest(&mut input)?;
    drop(input);
    each_event(source, &events, report, |uuid, _, _| of_event(source, uuid, edition))?;
    Ok(Some(known))
}

/// `hash,event` a line.
fn of_hashes(input: &mut Input, edition: &mut Edition<'_>, report: &mut FeedReport) -> Result<(), FeedError> {
    let name = input.name().to_owned();
    let mut reader = input.reader().map_err(|error| FeedError::Content(error.to_string()))?;
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if std::io::Read::take(&mut reader, LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        match pair(&String::from_utf8_lossy(&line)) {
            Some((hash, event)) => edition.add(hash, event)?,
            None => report.reject(Rejection {
                file: name.clone(),
                place: format!("line {number}"),
                reason: "is no MD5 and the identifier of an event".into(),
            }),
        }
    }
    Ok(())
}

fn pair(line: &str) -> Option<([u8; 16], Uuid)> {
    let (hash, event) = line.trim().split_once(',')?;
    // An MD5 has as many digits as an identifier.
    let hash = Uuid::try_parse(hash.trim()).ok().filter(|_| hash.trim().len() == 32)?;
    Some((hash.into_bytes(), event.trim().parse().ok()?))
}

fn of_event(source: &Source<'_>, uuid: Uuid, edition: &mut Edition<'_>) -> Result<(), FeedError> {
    let Some(Got { mut input, .. }) = source.get(&source.beside(&format!("{uuid}.json")), None)? else { return Ok(()) };
    let body = event_in(&mut input)?;
    let given = body.event().map_err(|_| FeedError::Content("is no event, or not all of it".into()))?;
    let mut stopped = None;
    let walked = given.each(|_, _, raw| {
        let Ok(part) = serde_json::from_str::<Value>(raw.get()) else { return Ok(()) };
        let inner = part.get("Attribute").and_then(Value::as_array).into_iter().flatten();
        for attribute in std::iter::once(&part).chain(inner) {
            let (Some(ty), Some(value)) = (text_of(attribute.get("type")), text_of(attribute.get("value"))) else {
                continue;
            };
            let (one, two) = halves(&ty, &value);
            for half in [one, two].iter().filter(|half| !half.is_empty()) {
                if let Err(error) = edition.add(hash(half), uuid) {
                    stopped = Some(error);
                    return Err(Fault::new(500, "stopped"));
                }
            }
        }
        Ok(())
    });
    match stopped {
        Some(error) => Err(error),
        None => Ok(walked?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_hashes() {
        let (hash, event) = pair("5f2ad0f3b1b9f1c0a0d1e2f3a4b5c6d7,5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219\r\n").unwrap();
        assert_eq!((hash[0], event.to_string().as_str()), (0x5f, "5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219"));
        for line in
            ["", "x,y", "5f2ad0f3,5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219", "<html>", "5f2ad0f3b1b9f1c0a0d1e2f3a4b5c6d7"]
        {
            assert!(pair(line).is_none(), "{line}");
        }
        assert_eq!(super::hash(" 8.8.8.8 ")[..3], [0x40, 0xff, 0x44], "MD5 of the bare value");
    }
}
