//! What a node has cleared, on its way into an index.

use super::{Indicators, own_tags, says, source};
use manara_formats::{Choice, HeldBack, Writer};
use manara_matching::Builder;
use manara_model::{Cleared, Head, Part};
use std::collections::BTreeSet;
use std::io;

/// Takes what policy has cleared.
pub(super) struct IndexWriter<'i> {
    choice: Choice,
    /// Tags that are their keepers' own.
    kept_tags: BTreeSet<String>,
    to: &'i mut Indicators,
    head: Option<Cleared<Head>>,
}

impl<'i> IndexWriter<'i> {
    pub(super) fn new(choice: Choice, kept_tags: BTreeSet<String>, to: &'i mut Indicators) -> Self {
        IndexWriter { choice, kept_tags, to, head: None }
    }
}

impl Writer for IndexWriter<'_> {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        self.head = Some(head.clone());
        Ok(())
    }

    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        let Some(head) = &self.head else { return Ok(()) };
        if part.found.is_empty() {
            return Ok(());
        }
        let (own, says) = (own_tags(part.slot, &part.raw), says::of_part(part.slot, &part.raw));
        for found in &part.found {
            if !self.choice.wants(found) {
                self.to.report.undetected += 1;
                continue;
            }
            if self.choice.holds_back(&found.observable) {
                continue;
            }
            let kept = &self.kept_tags;
            let said = |builder: &mut Builder| {
                let tags = head.tags.iter().chain(&own).filter(|tag| !kept.contains(*tag)).map(String::as_str);
                source(builder, head.uuid, &head.title, &part.label.marking, &tags.collect::<Vec<_>>(), &says)
            };
            // What can't be looked for, a name of one word say, is no fault of its record.
            if self.to.add(&found.observable, said).is_err() {
                self.to.report.unsearched(&found.observable);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.head = None;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn held_back(&self) -> HeldBack {
        self.choice.held_back().clone()
    }
}
