//! Reading a collection page by page (TAXII 2.1 §3.5, §5.4), from where one was to where its end is now. A place is
//! moved on only when what lies before it was taken; a reader that is stopped anywhere goes on from its last place,
//! and meets some objects again rather than missing one.

use super::envelope::{Page, Said};
use super::{ClientError, Server, manifest};
use crate::time;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashSet;
use url::Url;

/// Objects asked for in one page.
pub const LIMIT: usize = 1000;
/// How many are asked for at most, where a server can't page through what came at one moment.
const WIDEST: usize = 20_000;
/// Pages without anything in them, one after the other, until a server is taken for one that goes round.
const EMPTY: usize = 20;
/// Where a server says of no object when it came: what its clock said at the beginning, and this before it, in
/// microseconds. Clocks are set, and what is being written comes to be seen a while later.
const MARGIN: i64 = 600 * 1_000_000;
/// How often in one run it is gone on by date after a page got lost.
const BREAKS: usize = 20;
/// A date that is later than the server's own clock by more than this is none, in microseconds.
const FUTURE: i64 = 86_400 * 1_000_000;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// Only objects of these types; empty: all.
    pub types: Vec<String>,
    /// Objects a page; 0: [`LIMIT`].
    pub limit: usize,
    /// All versions of an object, not only the newest.
    pub all_versions: bool,
}

/// How far a collection was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Asked for is what was added after this.
    pub after: Option<String>,
    /// In the middle of a run: how the server wants to be asked for the rest of it.
    pub next: Option<String>,
    /// In the middle of a run: after this nothing was taken yet.
    pub sure: Option<String>,
    /// In the middle of a run: when it began, by the server's clock.
    pub began: Option<String>,
}

/// Who takes what is read.
pub trait Taker {
    /// Takes objects: when this returns, they are safe.
    ///
    /// # Errors
    /// The reading stops.
    fn take(&mut self, objects: &[Box<RawValue>]) -> Result<(), ClientError>;
    /// Keeps a place: all before it was taken.
    ///
    /// # Errors
    /// The reading stops.
    fn keep(&mut self, place: &Place) -> Result<(), ClientError>;
    /// Hears how many objects and pages came.
    fn tell(&mut self, objects: usize, pages: usize) {
        let _ = (objects, pages);
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Objects that came.
    pub objects: usize,
    /// Pages that they came in.
    pub pages: usize,
    /// What should be known, in words.
    pub notes: Vec<String>,
}

struct Run<'r, 'w> {
    server: &'r Server<'w>,
    collection: &'r Url,
    question: &'r Question,
    place: Place,
    limit: usize,
    tally: Tally,
    last: Option<Said>,
}

/// Reads a collection from a place on.
///
/// # Errors
/// [`ClientError`]; what was taken before it stays taken, and the place that was kept last holds.
pub fn read(
    server: &Server<'_>,
    collection: &Url,
    question: &Question,
    place: Place,
    taker: &mut dyn Taker,
) -> Result<Tally, ClientError> {
    let limit = if question.limit == 0 { LIMIT } else { question.limit };
    let mut run = Run { server, collection, question, place, limit, tally: Tally::default(), last: None };
    run.all(taker)?;
    Ok(run.tally)
}

fn micros(text: Option<&String>) -> Option<i64> {
    text.and_then(|text| time::read(text))
}

impl Run<'_, '_> {
    fn all(&mut self, taker: &mut dyn Taker) -> Result<(), ClientError> {
        let (mut pages, mut known, mut empty) = (HashSet::new(), HashSet::new(), 0);
        // The answer to `next` may have got lost on the way, and some servers move it on by themselves.
        if self.place.sure.is_some() {
            self.without_next();
        }
        let (mut resumed, mut broke) = (self.place.next.is_some(), 0);
        loop {
            let mut page = match self.page() {
                // Nobody keeps such a name for ever.
                Err(ClientError::Refused { status: 400 | 404 | 410 | 422 | 500, .. }) if resumed => {
                    resumed = false;
                    self.without_next();
                    continue;
                }
                Err(ClientError::Away(_)) if self.by_next_and_date() && broke < BREAKS => {
                    broke += 1;
                    self.without_next();
                    continue;
                }
                page => page?,
            };
            resumed = false;
            if self.place.began.is_none() {
                let clock = page.clock.unwrap_or_else(|| jiff::Timestamp::now().as_microsecond());
                self.place.began = Some(time::text(clock));
            }
            empty = if page.prints.is_empty() { empty + 1 } else { 0 };
            let again = !page.prints.is_empty() && !pages.insert(page.print());
            if empty > EMPTY || again && self.place.next.is_some() {
                self.without_next();
                taker.keep(&self.place)?;
                return Err(ClientError::Content(
                    "sends us round: it says that there is more, and gives the same again and again".into(),
                ));
            }
            let mut came = 0;
            page.each_run(&known, &mut |objects| {
                came += objects.len();
                taker.take(objects)
            })?;
            self.tally.objects += came;
            self.tally.pages += usize::from(!page.prints.is_empty());
            taker.tell(self.tally.objects, self.tally.pages);
            self.note_dates(&page);
            let goes_on = self.step(&mut page)?;
            taker.keep(&self.place)?;
            if !goes_on {
                return Ok(());
            }
            // Who goes on by a date meets objects again.
            known = page.prints.iter().copied().collect();
        }
    }

    /// Is asked for by `next` what could be asked for by its date too?
    fn by_next_and_date(&self) -> bool {
        self.place.next.is_some() && self.place.sure.is_some()
    }

    fn without_next(&mut self) {
        self.place.next = None;
        // `sure` stays: what was taken before it needs no second look.
        self.place.after = self.place.sure.clone().or(self.place.after.take());
    }

    fn note(&mut self, note: String) {
        if !self.tally.notes.contains(&note) {
            self.tally.notes.push(note);
        }
    }

    fn note_dates(&mut self, page: &Page) {
        let Some((_, last)) = page.dates else { return };
        let clock = page.clock.unwrap_or_else(|| jiff::Timestamp::now().as_microsecond());
        if last.at > clock.saturating_add(FUTURE) {
            self.note(format!(
                "it says that objects were added at {}, which is to come: not believed",
                time::text(last.at)
            ));
        } else if self.last.is_none_or(|known| known.at < last.at) {
            self.last = Some(last);
            let sure = micros(self.place.sure.as_ref()).map_or(last.before(), |sure| sure.max(last.before()));
            self.place.sure = Some(time::text(sure));
        }
    }

    /// Moves the place on behind a page; false: the page was the last.
    fn step(&mut self, page: &mut Page) -> Result<bool, ClientError> {
        if page.next.is_some() {
            self.place.next = page.next.clone();
            return Ok(true);
        }
        // A page that is full and says that nothing follows is asked about once more: some servers say so of each.
        let full = page.prints.len() >= self.limit && page.dates.is_some();
        if !page.more && !full || page.prints.is_empty() {
            self.end();
            return Ok(false);
        }
        self.place.next = None;
        let dates = page.dates.filter(|(_, last)| self.last.is_some_and(|known| known.at >= last.at));
        let (first, last) = match dates {
            Some(dates) => dates,
            None => manifest::dates(self.server, &self.url("manifest/")?, page)?.ok_or_else(|| {
                ClientError::Content(
                    "says that there is more, but neither how to ask for it (next), nor when its objects were added \
                     (X-TAXII-Date-Added-Last)"
                        .into(),
                )
            })?,
        };
        let after = micros(self.place.after.as_ref()).unwrap_or(i64::MIN);
        let further = if last.before() > after && last.before() >= first.at {
            last.before()
        } else if self.limit < WIDEST {
            // All of one moment: they are asked for together, or some of them could be left out.
            self.limit = (self.limit * 10).min(WIDEST);
            return Ok(true);
        } else if last.at > after {
            self.note(format!(
                "more objects were added at {} than it gives in one page; some of them may be missing",
                time::text(last.at)
            ));
            last.at
        } else {
            return Err(ClientError::Content(
                "sends us round: it says that there is more, and gives what was added before all the same".into(),
            ));
        };
        self.place.after = Some(time::text(further));
        Ok(true)
    }

    /// At the end of what there is now.
    fn end(&mut self) {
        let began = micros(self.place.began.as_ref());
        let reached = match self.last {
            // Times that are less fine may come again.
            Some(last) if last.grain > 1 => Some(last.before()),
            Some(last) => Some(last.at),
            None => match micros(self.place.sure.as_ref()) {
                Some(sure) => Some(sure),
                None if self.tally.objects == 0 => None,
                None => began.map(|began| began - MARGIN),
            },
        };
        let after = micros(self.place.after.as_ref()).max(reached);
        self.place = Place { after: after.map(time::text), ..Place::default() };
    }

    fn url(&self, part: &str) -> Result<Url, ClientError> {
        let wrong = |error| ClientError::Setup(format!("'{}': {error}", self.collection));
        let mut url = self.collection.join(part).map_err(wrong)?;
        {
            let mut query = url.query_pairs_mut();
            if let Some(after) = &self.place.after {
                query.append_pair("added_after", after);
            }
            query.append_pair("limit", &self.limit.to_string());
            if let Some(next) = &self.place.next {
                query.append_pair("next", next);
            }
            if !self.question.types.is_empty() {
                query.append_pair("match[type]", &self.question.types.join(","));
            }
            if self.question.all_versions {
                query.append_pair("match[version]", "all");
            }
        }
        Ok(url)
    }

    fn page(&self) -> Result<Page, ClientError> {
        let url = self.url("objects/")?;
        if self.by_next_and_date() {
            return Page::of(self.server.get_once(&url)?);
        }
        match Page::of(self.server.get(&url)?) {
            // It broke off where only its brackets tell.
            Err(ClientError::Away(_)) => Page::of(self.server.get(&url)?),
            page => page,
        }
    }
}
