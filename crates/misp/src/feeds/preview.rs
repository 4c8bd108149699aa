//! A look into a feed, without keeping anything: for those who administer.

use super::events::{Rules, event_in, manifest};
use super::list::Reading;
use super::lists::attribute;
use super::source::Source;
use super::{FEED, FeedError, format_of};
use crate::answer::{Answer, Fault};
use crate::call::page;
use crate::context::Context;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use uuid::Uuid;

/// Lines of a preview, where no limit is given; and at most.
const LINES: usize = 60;
const MOST: usize = 10_000;

/// An error of a feed, as an answer.
pub(super) fn fault(error: FeedError) -> Fault {
    match error {
        FeedError::Here(fault) => fault,
        FeedError::Setup(why) => {
            let errors = json!({"result": why});
            Fault { errors: Some(Box::new(errors)), ..Fault::new(403, why) }
        }
        error => Fault::new(424, error.to_string()),
    }
}

impl Context<'_> {
    /// `feeds/previewIndex/ID`: a feed's events, or its first values.
    pub fn feeds_preview(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(FEED, "feed")?;
        let options = self.call.filters()?;
        let (skip, limit) = page(&options, LINES, MOST);
        let source = Source::of(&entry, None).map_err(fault)?;
        let missing = || Fault::missing("feed");
        if format_of(&entry).map_err(fault)? == "misp" {
            let rules = Rules::of(entry.body.get("rules"), self.now).map_err(fault)?;
            let got = source.get(&source.beside("manifest.json"), None).map_err(fault)?;
            let events = manifest(&mut got.ok_or_else(missing)?.input).map_err(fault)?;
            let fitting = events.into_iter().filter(|(_, said)| rules.fits(said));
            let (mut shown, mut total) = (Map::new(), 0usize);
            for (n, (uuid, said)) in fitting.enumerate() {
                total += 1;
                if n >= skip && shown.len() < limit {
                    shown.insert(uuid, said);
                }
            }
            return Ok(Answer::json(&Value::Object(shown)).with("x-result-count", total.to_string()));
        }
        let reading = Reading::of(&entry).map_err(fault)?;
        let got = source.get(&source.itself(), None).map_err(fault)?;
        let (mut lines, mut seen) = (Vec::new(), HashSet::new());
        let mut input = got.ok_or_else(missing)?.input;
        reading
            .each(&mut input, &mut |found| {
                if seen.insert(super::cache::hash(&found.to_string())) && seen.len() > skip && lines.len() < limit {
                    lines.push(Value::Object(attribute(found, None)));
                }
                Ok(())
            })
            .map_err(fault)?;
        Ok(Answer::json(&Value::Array(lines)).with("x-result-count", seen.len().to_string()))
    }

    /// `feeds/previewEvent/ID/UUID`: one of its events, as it is there.
    pub fn feeds_preview_event(&self) -> Result<Answer, Fault> {
        let entry = self.named_entry(FEED, "feed")?;
        let uuid =
            self.call.arg(1).and_then(|uuid| uuid.parse::<Uuid>().ok()).ok_or_else(|| Fault::missing("event"))?;
        let source = Source::of(&entry, None).map_err(fault)?;
        let got = source.get(&source.beside(&format!("{uuid}.json")), None).map_err(fault)?;
        let body = event_in(&mut got.ok_or_else(|| Fault::missing("event"))?.input).map_err(fault)?;
        // All of it, or an error: half an event is none.
        body.event().map_err(|_| Fault::new(424, "What stands there is no event, or not all of it."))?;
        let mut answer = Answer::new("application/json");
        std::io::copy(&mut body.reader()?, &mut answer)?;
        Ok(answer)
    }
}
