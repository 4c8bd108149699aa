//! The one way in. [`Intake`] is the sink that readers pour into; it writes in batches, and nothing
//! of a record is visible before all of it is there.

pub(crate) mod batch;
mod report;
mod sweep;

pub use report::Report;

use crate::{Result, Store, StoreError};
use batch::{Batch, Ready};
use manara_model::record::{PartDraft, RecordDraft, Rejection, SightingDraft, Sink};
use manara_model::{Label, Marking, OrgId};

/// A record with more parts, or more bytes, than this is written in several transactions. Each of them
/// touches most pages of the index, whatever its size, so few large ones write far less than many small
/// ones: a million names took 40 s in runs of 8,192 lines.
const LARGE_PARTS: usize = 131_072;
const LARGE_BYTES: usize = 32 * 1024 * 1024;

/// Whose it becomes, and on whose word.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The organisation that will hold it.
    pub owner: OrgId,
    /// Who brought it: an account's e-mail, or `cli`.
    pub actor: String,
    /// The holder's own limit, met with what the record itself says: it can only narrow what is stated.
    pub marking: Marking,
}

/// What happened to one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Added,
    /// A new version.
    Updated,
    /// The holder has it, as it is.
    Unchanged,
    /// The holder has a newer version by its author.
    Stale,
}

/// A record that is being read.
struct Open {
    draft: RecordDraft,
    label: Label,
    parts: Vec<PartDraft>,
    bytes: usize,
    /// Set once its first parts are in the store.
    pending: Option<batch::Pending>,
}

/// Who is told of progress.
pub type Tell<'s> = Box<dyn FnMut(&Report) + 's>;

/// Takes what readers find into the store.
pub struct Intake<'s> {
    store: &'s Store,
    terms: Terms,
    open: Option<Open>,
    batch: Batch,
    sightings: Vec<SightingDraft>,
    report: Report,
    progress: Option<Tell<'s>>,
}

impl<'s> Intake<'s> {
    /// An intake on these terms.
    #[must_use]
    pub fn new(store: &'s Store, terms: Terms) -> Self {
        Intake {
            store,
            terms,
            open: None,
            batch: Batch::default(),
            sightings: Vec::new(),
            report: Report::default(),
            progress: None,
        }
    }

    /// Tells of progress after each batch.
    #[must_use]
    pub fn on_progress(mut self, tell: impl FnMut(&Report) + 's) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }

    /// Writes what waits and hands over the report. Everything it counts is on disk.
    ///
    /// # Errors
    /// The store's.
    pub fn finish(mut self) -> Result<Report> {
        self.abandon();
        self.flush()?;
        self.flush_sightings()?;
        self.store.sweep()?;
        if self.report.observables >= LARGE_PARTS as u64 {
            self.store.write(|tx| tx.shrink())?;
        }
        Ok(std::mem::take(&mut self.report))
    }

    /// Sightings that came with records are the holder's to pass on: they are kept for its organisation.
    fn flush_sightings(&mut self) -> Result<()> {
        if self.sightings.is_empty() {
            return Ok(());
        }
        let (sightings, owner) = (std::mem::take(&mut self.sightings), self.terms.owner);
        self.store.write_large(move |tx| crate::sightings::keep(tx, owner, &sightings))
    }

    fn flush(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let (batch, terms) = (std::mem::take(&mut self.batch), self.terms.clone());
        let outcomes = self.store.write_large(move |tx| batch.write(tx, &terms))?;
        for (outcome, observables) in outcomes {
            self.count(outcome, observables);
        }
        self.tell();
        Ok(())
    }

    fn count(&mut self, outcome: Outcome, observables: u64) {
        self.report.records += 1;
        self.report.observables += observables;
        match outcome {
            Outcome::Added => self.report.added += 1,
            Outcome::Updated => self.report.updated += 1,
            Outcome::Unchanged | Outcome::Stale => self.report.unchanged += 1,
        }
    }

    fn tell(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress(&self.report);
        }
    }

    /// Writes the first or next parts of a record that is too large for one transaction.
    fn spill(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let parts = std::mem::take(&mut open.parts);
        open.bytes = 0;
        let terms = self.terms.clone();
        let pending = match open.pending.take() {
            Some(pending) => pending,
            None => {
                let (draft, label) = (open.draft.clone(), open.label.clone());
                self.store.write(move |tx| batch::Pending::create(tx, &terms, &draft, &label))?
            }
        };
        let label = open.label.clone();
        let pending = self.store.write_large(move |tx| pending.parts(tx, &label, &parts))?;
        if let Some(open) = &mut self.open {
            open.pending = Some(pending);
        }
        self.tell();
        Ok(())
    }
}

impl Sink for Intake<'_> {
    type Error = StoreError;

    fn begin(&mut self, mut draft: RecordDraft) -> Result<bool> {
        self.abandon();
        let tags = draft.tags.len();
        batch::tidy(&mut draft);
        if draft.tags.len() < tags {
            let reason = format!("has {tags} tags: the first {} can be filtered by, all are kept", draft.tags.len());
            self.report.warn(Rejection { file: draft.source.clone(), place: draft.uuid.to_string(), reason });
        }
        let label = Label::new(self.terms.owner, draft.marking.meet(&self.terms.marking));
        let reader = self.store.reader()?;
        if batch::held_unchanged(&reader, &draft, &label)? {
            drop(reader);
            self.count(Outcome::Unchanged, 0);
            return Ok(false);
        }
        let bytes = draft.skeleton.len();
        self.open = Some(Open { draft, label, parts: Vec::new(), bytes, pending: None });
        Ok(true)
    }

    fn part(&mut self, part: PartDraft) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.bytes += part.raw.len();
        open.parts.push(part);
        if open.parts.len() >= LARGE_PARTS || open.bytes >= LARGE_BYTES {
            self.spill()?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let large = self.open.as_ref().is_some_and(|open| open.pending.is_some());
        if large {
            self.flush()?;
            self.spill()?;
        }
        if self.sightings.len() >= 8192 {
            self.flush_sightings()?;
        }
        let Some(open) = self.open.take() else { return Ok(()) };
        match open.pending {
            Some(pending) => {
                let terms = self.terms.clone();
                let (outcome, observables) = self.store.write(move |tx| pending.publish(tx, &terms))?;
                self.count(outcome, observables);
                self.tell();
            }
            None => {
                self.batch.push(Ready { draft: open.draft, label: open.label, parts: open.parts });
                if self.batch.is_full() {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    fn sighting(&mut self, sighting: SightingDraft) {
        self.sightings.push(sighting);
    }

    fn abandon(&mut self) {
        // Parts that were written already stay invisible and are swept away.
        self.open = None;
    }

    fn reject(&mut self, rejection: Rejection) {
        self.report.reject(rejection);
    }

    fn warn(&mut self, warning: Rejection) {
        self.report.warn(warning);
    }
}
