//! What readers hand in, on its way into an index.

use super::{Indicators, cut, own_tags, says, source};
use manara_formats::Listed;
use manara_matching::{Builder, SourceId};
use manara_model::Marking;
use manara_model::record::{Found, PartDraft, RecordDraft, Rejection, Sink};
use std::convert::Infallible;

/// Takes what a reader hands in.
pub(super) struct Pour<'i> {
    file: String,
    to: &'i mut Indicators,
    /// The record that began last.
    draft: RecordDraft,
    /// It, as the source of what has no marking or tag of its own.
    whole: Option<SourceId>,
}

impl<'i> Pour<'i> {
    pub(super) fn new(file: &str, to: &'i mut Indicators) -> Self {
        Pour { file: file.to_owned(), to, draft: RecordDraft::default(), whole: None }
    }

    /// `line` is 0 where nobody knows it.
    fn given(&mut self, line: u64, found: &Found, marking: &Marking, own: &[String], says: &[String]) {
        if !found.detect && !self.to.terms.all {
            self.to.report.undetected += 1;
            return;
        }
        let (draft, whole) = (&self.draft, &mut self.whole);
        let source = |builder: &mut Builder| {
            if own.is_empty() && says.is_empty() && *marking == Marking::default() {
                let tags: Vec<&str> = draft.tags.iter().map(String::as_str).collect();
                return *whole
                    .get_or_insert_with(|| source(builder, draft.uuid, &draft.title, &draft.marking, &tags, &[]));
            }
            let tags: Vec<&str> = draft.tags.iter().chain(own).map(String::as_str).collect();
            source(builder, draft.uuid, &draft.title, &draft.marking.meet(marking), &tags, says)
        };
        if let Err(why) = self.to.add(&found.observable, source) {
            let reason = format!("'{}' is {why}", cut(found.observable.value()));
            let place = if line == 0 { String::new() } else { format!("line {line}") };
            self.to.report.reject(Rejection { file: self.file.clone(), place, reason });
        }
    }

    /// A line of a list, without making a part of it.
    pub(super) fn line(&mut self, line: Listed<'_>) {
        if !line.found.is_empty() {
            for found in &line.found {
                self.given(line.number, found, &Marking::default(), &[], &[]);
            }
            return;
        }
        let alone = !line.value.contains(char::is_whitespace);
        let (draft, whole) = (&self.draft, &mut self.whole);
        let source = |builder: &mut Builder| {
            *whole.get_or_insert_with(|| source(builder, draft.uuid, &draft.title, &draft.marking, &[], &[]))
        };
        let added = match manara_matching::guess(line.value).filter(|_| alone) {
            Some(kind) => self.to.put(kind, line.value, source).map_err(|why| why.to_string()),
            None => Err("no address, name, URL, hash or other value that logs are searched for".to_owned()),
        };
        if let Err(why) = added {
            let (reason, place) = (format!("'{}' is {why}", cut(line.value)), format!("line {}", line.number));
            self.to.report.reject(Rejection { file: self.file.clone(), place, reason });
        }
    }
}

impl Sink for Pour<'_> {
    type Error = Infallible;

    fn begin(&mut self, draft: RecordDraft) -> std::result::Result<bool, Infallible> {
        // Of what may be large, only what is told of a source is kept.
        let (uuid, title, marking, tags) = (draft.uuid, draft.title, draft.marking, draft.tags);
        self.draft = RecordDraft { uuid, title, marking, tags, ..RecordDraft::default() };
        self.whole = None;
        Ok(true)
    }

    fn part(&mut self, part: PartDraft) -> std::result::Result<(), Infallible> {
        if !part.found.is_empty() {
            let own = own_tags(part.slot, &part.raw);
            let says = match &part.says[..] {
                [] => says::of_part(part.slot, &part.raw),
                said => says::tidied(said.iter().map(String::as_str)),
            };
            part.found.iter().for_each(|found| self.given(0, found, &part.marking, &own, &says));
        }
        Ok(())
    }

    fn end(&mut self) -> std::result::Result<(), Infallible> {
        Ok(())
    }

    /// Its values were indicators in a record that broke off later: they stay.
    fn abandon(&mut self) {}

    fn wants_unheld(&self) -> bool {
        true
    }

    fn reject(&mut self, rejection: Rejection) {
        self.to.report.reject(rejection);
    }

    fn warn(&mut self, warning: Rejection) {
        self.to.report.warn(warning);
    }
}
