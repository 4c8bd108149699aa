//! `manara taxii push`: files, or what the node has cleared for an audience. Ends with 0 where all was taken, 1 where
//! some was not, 2 where it could not be sent.

use crate::cli::{Place, PushArgs};
use crate::commands::export::since;
use crate::output::{self, Progress, safe};
use crate::settings;
use anyhow::{Context, bail};
use manara_corridor::{Selection, WarningCache, audience, export};
use manara_formats::{Input, Limits, WriteOptions};
use manara_model::Audience;
use manara_store::view::Filter;
use manara_taxii::client::{Push, Pushed, collection, each_object};
use std::io::{BufWriter, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Failures that are printed one by one.
const SHOWN: usize = 100;

pub(super) fn run(place: &Place, args: &PushArgs) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::new();
    let mut sofar = Pushed::default();
    let pushed = pushed(place, args, &mut |done| {
        progress.tell(&format!("{} taken, {} not", done.success_count, done.failure_count));
        sofar = done.clone();
    });
    progress.clear();
    match pushed {
        Ok(done) => show(&done, args.output.json),
        Err(error) if crate::is_broken_pipe(&error) => Err(error),
        Err(error) => {
            eprintln!("manara: {error:#}");
            if sofar.envelopes > 0 {
                eprintln!(
                    "Before that {} objects were taken, {} were not. It can be sent again: what is there stays as it is.",
                    sofar.success_count, sofar.failure_count
                );
            }
            Ok(ExitCode::from(2))
        }
    }
}

fn pushed(place: &Place, args: &PushArgs, tell: &mut dyn FnMut(&Pushed)) -> anyhow::Result<Pushed> {
    let url = collection(&args.url)?;
    let server = args.access.server(&url)?;
    let wait = Duration::from_secs(args.wait);
    let mut inputs = Vec::new();
    if let Some(name) = &args.audience {
        inputs.push(cleared(place, name, args.since.as_deref())?);
    }
    for path in &args.files {
        inputs.push(match path == Path::new("-") {
            true => Input::from_reader("-", std::io::stdin().lock(), Limits::default())?,
            false => Input::open(path, Limits::default())?,
        });
    }
    // Read once before anything is sent: what is wrong in a file is told before half of it is there.
    for input in &mut inputs {
        each_object(input, &mut |_| Ok(()))?;
    }
    let mut push = Push::into(&server, &url, wait, tell)?;
    for input in &mut inputs {
        each_object(input, &mut |object| push.add(object))?;
    }
    Ok(push.finish()?)
}

/// What an audience may have, as `manara export --format stix` gives it.
fn cleared(place: &Place, name: &str, from: Option<&str>) -> anyhow::Result<Input> {
    let store = settings::store(place)?;
    let audience = audience(&store, name)?;
    if audience == Audience::Node {
        bail!("'self' is what stays at this node; say who receives: public, or org:NAME");
    }
    let selection = Selection {
        filter: Filter { since: from.map(since).transpose()?, ..Filter::default() },
        ..Selection::default()
    };
    let options = WriteOptions {
        warning_lists: Some(WarningCache::default().get(&store)?),
        now: jiff::Timestamp::now().as_millisecond(),
        origin: store.facts()?.name(store.node_org()?),
        ..WriteOptions::default()
    };
    let mut file = tempfile::tempfile().context("no temporary file")?;
    let out = Box::new(BufWriter::new(file.try_clone()?));
    let report = export(&store, "stix", audience, &selection, options, out, None)?;
    let held = report.held_back.total();
    if held > 0 {
        eprintln!("held back: {held} values on warning lists or reserved; see `manara export --format stix`");
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(Input::from_reader(name, file, Limits::default())?)
}

fn show(done: &Pushed, as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        output::json(done)?;
    } else {
        for failure in done.failures.iter().take(SHOWN) {
            output::line(format!("failed: {}  {}", safe(&failure.id), safe(&failure.message)))?;
        }
        if done.failures.len() > SHOWN {
            output::line(format!("failed: and {} more (--json lists them)", done.failures.len() - SHOWN))?;
        }
        done.notes.iter().for_each(|note| eprintln!("note: {}", safe(note)));
        output::line(format!(
            "{} objects in {} envelopes: {} taken, {} failed, {} not known yet",
            done.objects, done.envelopes, done.success_count, done.failure_count, done.pending_count
        ))?;
    }
    Ok(if done.failure_count + done.pending_count == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
