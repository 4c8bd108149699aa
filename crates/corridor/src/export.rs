//! Out: what an audience may have, in a format. The view's gate mints every head and part; the
//! writer takes nothing else.

use crate::stix::bundle_writer;
use crate::{Error, Result};
use manara_formats::{FeedWriter, Format, HeldBack, WriteOptions, Writer, format, writer};
use manara_model::Audience;
use manara_model::observable::Type;
use manara_store::Store;
use manara_store::view::{Filter, View};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

/// What to export.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Which records.
    pub filter: Filter,
    /// Only values of these types.
    pub types: Option<BTreeSet<Type>>,
    /// Only this record.
    pub record: Option<uuid::Uuid>,
}

/// What went out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExportReport {
    /// Records written.
    pub records: u64,
    /// What the writer kept back.
    pub held_back: HeldBack,
}

/// Records read at a time.
const PAGE: u32 = 100;

/// Reads an audience as people write it: `public`, `self`, `org:NAME`.
///
/// # Errors
/// For anything else, and for organisations that are not known here.
pub fn audience(store: &Store, text: &str) -> Result<Audience> {
    match text.split_once(':') {
        None if text == "public" => Ok(Audience::Public),
        None if text == "self" => Ok(Audience::Node),
        Some(("org", name)) => Ok(Audience::Org(store.org(name)?.uuid)),
        _ => Err(Error::Asked(format!("'{text}' is no audience; give public, self, or org:NAME"))),
    }
}

/// A format that can be written.
fn writable(name: &str) -> Result<&'static Format> {
    format(name).filter(|format| format.writes).ok_or_else(|| {
        let known: Vec<&str> = manara_formats::formats().iter().filter(|f| f.writes).map(|f| f.name).collect();
        Error::Asked(format!("no writer for format '{name}'; there are: {}", known.join(", ")))
    })
}

/// Writes what the audience may have, oldest record last.
///
/// # Errors
/// The store's and the output's.
pub fn export(
    store: &Store,
    name: &str,
    audience: Audience,
    selection: &Selection,
    options: WriteOptions,
    out: Box<dyn Write + '_>,
    folder: Option<&Path>,
) -> Result<ExportReport> {
    let format = writable(name)?;
    let options = for_audience(store, &audience, options)?;
    let view = store.view(audience, format.purpose)?;
    let mut target: Box<dyn Writer> = match (name, folder) {
        ("misp-feed", Some(folder)) => Box::new(FeedWriter::new(folder, options)?),
        ("misp-feed", None) => return Err(Error::Asked("misp-feed is a directory: name it with -o".into())),
        ("stix", _) => bundle_writer(&view, options, out),
        _ => writer(name, out, options).ok_or_else(|| Error::Asked(format!("'{name}' has no writer")))?,
    };
    walk(&view, selection, target.as_mut())
}

/// What else a writer is told for an audience.
pub(crate) fn for_audience(store: &Store, audience: &Audience, mut options: WriteOptions) -> Result<WriteOptions> {
    if *audience != Audience::Node {
        options.kept_tags.extend(store.kept_tags()?);
        options.state_marking = true;
    }
    Ok(options)
}

/// Hands what a view shows of a selection to a writer.
pub(crate) fn walk(view: &View<'_>, selection: &Selection, target: &mut dyn Writer) -> Result<ExportReport> {
    let mut report = ExportReport::default();
    if let Some(uuid) = selection.record {
        let head = view.record(uuid)?.ok_or_else(|| Error::Asked(format!("record '{uuid}' is not known here")))?;
        one(view, &head, selection, target)?;
        report.records = 1;
    } else {
        let mut cursor = None;
        loop {
            let page = view.heads_with_bodies(&selection.filter, cursor, PAGE)?;
            for head in &page.items {
                one(view, head, selection, target)?;
                report.records += 1;
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    target.finish()?;
    report.held_back = target.held_back();
    Ok(report)
}

fn one(
    view: &View<'_>,
    head: &manara_model::Cleared<manara_model::Head>,
    selection: &Selection,
    target: &mut dyn Writer,
) -> Result<()> {
    target.head(head)?;
    view.parts_in_order::<Error>(head, |part| {
        // Asked for some types only: parts that mention others stay out, parts that mention none stay in.
        let wanted = selection
            .types
            .as_ref()
            .is_none_or(|types| part.found.is_empty() || part.found.iter().any(|f| types.contains(&f.observable.ty())));
        if wanted {
            target.part(&part)?;
        }
        Ok(())
    })?;
    target.end()?;
    Ok(())
}
