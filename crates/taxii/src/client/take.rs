//! Taking what is read into the node, by the way that every import goes: each object is a record, kept byte for byte,
//! and one that is there already is not there twice.

use super::place::{Place, Taker};
use super::source::Source;
use super::{ClientError, Server};
use manara_formats::{Input, Limits, Members, ReadError, StixDefinitions, stix_definition};
use manara_model::record::Rejection;
use manara_store::Store;
use manara_store::intake::{Intake, Report, Terms};
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use url::Url;

/// A process that says nothing for so long has lost its source.
pub(super) const LEASE: Duration = Duration::from_secs(120);
/// Marking definitions of others that are remembered, and that are asked for in one run.
const DEFINITIONS: usize = 1000;
const ASKED: usize = 100;

/// Tells of progress: the report, objects, pages.
pub(super) type Tell<'n> = &'n mut dyn FnMut(&Report, usize, usize);

/// See the module.
pub(super) struct Node<'n> {
    pub(super) store: &'n Store,
    pub(super) source: &'n Source,
    pub(super) server: &'n Server<'n>,
    pub(super) collection: &'n Url,
    pub(super) terms: Terms,
    pub(super) holder: &'n str,
    pub(super) definitions: BTreeMap<String, String>,
    pub(super) asked: HashSet<String>,
    pub(super) report: Report,
    pub(super) tell: Tell<'n>,
}

/// The name of the lease that who reads a source has.
pub(super) fn lease(source: &Source) -> String {
    format!("taxii-source-{}", source.id)
}

impl Node<'_> {
    /// Whoever is silent may lose the source to another process, and stops then.
    fn beat(&self) -> Result<(), ClientError> {
        self.server.go_on()?;
        let held = self.store.lease(&lease(self.source), self.holder, LEASE).map_err(ClientError::here)?;
        if held { Ok(()) } else { Err(ClientError::Ended) }
    }

    /// The definitions that some objects need: what they say of how far they may go must be understood, though the
    /// definition came with another page, or was not asked for.
    fn needed(&mut self, objects: &[Box<RawValue>]) -> Result<Vec<String>, ClientError> {
        let mut here = HashSet::new();
        for raw in objects {
            if let Some((id, _)) = stix_definition(raw.get()) {
                self.remember(id.clone(), raw.get());
                here.insert(id);
            }
        }
        let (public, mut needed) = (StixDefinitions::default(), Vec::new());
        for id in objects.iter().flat_map(|raw| public.lacks(raw.get())).collect::<HashSet<_>>() {
            if here.contains(&id) || !id.starts_with("marking-definition--") {
                continue;
            }
            if !self.definitions.contains_key(&id) && self.asked.len() < ASKED && self.asked.insert(id.clone()) {
                self.ask_for(&id)?;
            }
            needed.extend(self.definitions.get(&id).cloned());
        }
        Ok(needed)
    }

    fn remember(&mut self, id: String, raw: &str) {
        if self.definitions.len() < DEFINITIONS {
            self.definitions.insert(id, raw.to_owned());
        }
    }

    fn ask_for(&mut self, id: &str) -> Result<(), ClientError> {
        let mut url = self.collection.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["objects", id, ""]);
        }
        let page = match self.server.get(&url).and_then(super::envelope::Page::of) {
            Ok(page) => page,
            // It is not there, or not for us.
            Err(ClientError::Refused { .. } | ClientError::Content(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        let mut page = page;
        page.each_run(&HashSet::new(), &mut |objects| {
            found.extend(objects.iter().filter_map(|raw| Some((stix_definition(raw.get())?.0, raw.get().to_owned()))));
            Ok(())
        })?;
        found.into_iter().filter(|(found, _)| found == id).for_each(|(id, raw)| self.remember(id, &raw));
        Ok(())
    }

    /// Imports objects; of several that can't be read together, each alone.
    fn import(&mut self, objects: &[&str], with: &[String]) -> Result<(), ClientError> {
        let all: Vec<&str> = with.iter().map(String::as_str).chain(objects.iter().copied()).collect();
        let bundle = format!(r#"{{"type":"bundle","objects":[{}]}}"#, all.join(","));
        let mut input =
            Input::from_reader(&self.source.is.url, bundle.as_bytes(), Limits::default()).map_err(ClientError::here)?;
        drop(bundle);
        let format = manara_formats::format("stix").ok_or_else(|| ClientError::Here("STIX can't be read".into()))?;
        let mut intake = Intake::new(self.store, self.terms.clone());
        let read = manara_formats::read(format, &mut input, &mut intake);
        let mut report = intake.finish().map_err(ClientError::here)?;
        match read {
            Ok(()) => {
                // Definitions that went along were counted when they came.
                let again = (with.len() as u64).min(report.unchanged);
                report.unchanged -= again;
                report.records -= again;
                self.report.merge(report);
                Ok(())
            }
            Err(ReadError::Sink(error)) => Err(ClientError::here(error)),
            Err(ReadError::Input(_)) if objects.len() > 1 => {
                let (one, other) = objects.split_at(objects.len() / 2);
                self.import(one, with)?;
                self.import(other, with)
            }
            Err(ReadError::Input(error)) => {
                let id = objects.first().and_then(|raw| Members::parse(raw).ok()?.text("id")).unwrap_or_default();
                let rejection = Rejection { file: self.source.is.url.clone(), place: id, reason: error.to_string() };
                self.report.reject(rejection);
                Ok(())
            }
        }
    }
}

impl Taker for Node<'_> {
    fn take(&mut self, objects: &[Box<RawValue>]) -> Result<(), ClientError> {
        self.beat()?;
        let needed = self.needed(objects)?;
        let objects: Vec<&str> = objects.iter().map(|raw| raw.get()).collect();
        self.import(&objects, &needed)
    }

    fn keep(&mut self, place: &Place) -> Result<(), ClientError> {
        self.beat()?;
        let noted = json!({"place": place, "definitions": self.definitions});
        self.source.note(self.store, noted).map_err(ClientError::here)
    }

    fn tell(&mut self, objects: usize, pages: usize) {
        (self.tell)(&self.report, objects, pages);
    }
}
