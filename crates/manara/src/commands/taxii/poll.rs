//! `manara taxii poll`: onto the screen, or into the node.

use super::{every, warn};
use crate::cli::{Place, PollArgs, PollFormat};
use crate::commands::{ACTOR, import};
use crate::output::{self, Progress, safe};
use crate::settings;
use anyhow::{Context, bail};
use manara_model::record::parse_time;
use manara_taxii::client::{
    self, ClientError, Credentials, How, Question, Server, Source, Taker, Tally, Terms, collection, offered,
};
use serde_json::json;
use serde_json::value::RawValue;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use uuid::Uuid;

/// A server that wants more time than this is polled another time.
const PATIENCE: Duration = Duration::from_secs(120);
/// As long as a process that was ended may have the source yet.
const QUEUE: Duration = Duration::from_secs(150);

pub(super) fn run(place: &Place, args: PollArgs) -> anyhow::Result<ExitCode> {
    let written = args.out.is_some() || args.format.is_some();
    let stored = place.data.is_some() || place.database.is_some() || args.org.is_some() || args.every.is_some();
    if written || !stored { to_file(&args) } else { to_node(place, args) }
}

fn question(args: &PollArgs) -> anyhow::Result<Question> {
    let types: Vec<String> = args.types.iter().map(|name| name.trim().to_lowercase()).collect();
    let is_type = |name: &String| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if let Some(wrong) = types.iter().find(|name| !is_type(name)) {
        bail!("'{wrong}' is no type of STIX; give one like indicator, or several: indicator,malware");
    }
    let limit = args.limit.map_or(0, |limit| limit as usize);
    Ok(Question { types, limit, all_versions: args.all_versions })
}

/// Where to begin, if that is said.
fn from(args: &PollArgs) -> anyhow::Result<Option<client::Place>> {
    if args.from_start {
        return Ok(Some(client::Place::default()));
    }
    let Some(text) = &args.added_after else { return Ok(None) };
    let time = parse_time(text).and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    let exact = text.parse::<jiff::Timestamp>().ok().or(time);
    let time = exact.with_context(|| format!("'{text}' is no time; give 2026-11-24 or 2026-11-24T06:00:00Z"))?;
    let after = Some(time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
    Ok(Some(client::Place { after, ..client::Place::default() }))
}

fn tell(progress: &mut Progress, url: &str, objects: usize, pages: usize) {
    progress.tell(&format!("{url}: {objects} objects, {pages} pages"));
}

fn notes(tally: &Tally) {
    tally.notes.iter().for_each(|note| eprintln!("note: {}", safe(note)));
}

/// Writes what comes.
struct Written {
    out: Box<dyn Write>,
    format: PollFormat,
    count: u64,
    url: String,
    progress: Progress,
}

impl Written {
    /// A bundle's first words: nothing is written before there is something to write.
    fn begin(&mut self, rest: &str) -> io::Result<()> {
        write!(self.out, r#"{{"type":"bundle","id":"bundle--{}"{rest}"#, Uuid::new_v4())
    }

    fn object(&mut self, raw: &RawValue) -> io::Result<()> {
        match self.format {
            PollFormat::Bundle if self.count == 0 => self.begin(",\"objects\":[\n")?,
            PollFormat::Bundle => self.out.write_all(b",\n")?,
            PollFormat::Jsonl => {}
        }
        self.count += 1;
        // A line feed in JSON stands between tokens only: in texts it is escaped.
        let line = raw.get().replace(['\n', '\r'], " ");
        self.out.write_all(line.as_bytes())?;
        if self.format == PollFormat::Jsonl { self.out.write_all(b"\n") } else { Ok(()) }
    }
}

impl Taker for Written {
    fn take(&mut self, objects: &[Box<RawValue>]) -> Result<(), ClientError> {
        let here = |error: io::Error| ClientError::Here(error.to_string());
        objects.iter().try_for_each(|raw| self.object(raw)).and_then(|()| self.out.flush()).map_err(here)
    }
    fn keep(&mut self, _: &client::Place) -> Result<(), ClientError> {
        Ok(())
    }
    fn tell(&mut self, objects: usize, pages: usize) {
        tell(&mut self.progress, &self.url, objects, pages);
    }
}

fn to_file(args: &PollArgs) -> anyhow::Result<ExitCode> {
    let (url, question) = (collection(&args.url)?, question(args)?);
    let server = args.access.server(&url)?;
    let target = args.out.as_deref().filter(|path| *path != Path::new("-"));
    // Written beside its place and moved there: whoever reads it finds it whole, or not at all.
    let beside = target.map(|path| path.with_extension("part"));
    let out: Box<dyn Write> = match &beside {
        Some(path) => {
            Box::new(BufWriter::new(std::fs::File::create(path).with_context(|| path.display().to_string())?))
        }
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let format = args.format.unwrap_or(PollFormat::Bundle);
    let mut written = Written { out, format, count: 0, url: url.to_string(), progress: Progress::new() };
    let read = client::read(&server, &url, &question, from(args)?.unwrap_or_default(), &mut written);
    written.progress.clear();
    let done = read.map_err(anyhow::Error::from).and_then(|tally| {
        if format == PollFormat::Bundle {
            match written.count {
                // A list that has nothing in it is left out (STIX 2.1 §2.10).
                0 => written.begin("}\n")?,
                _ => writeln!(written.out, "\n]}}")?,
            }
        }
        written.out.flush()?;
        Ok(tally)
    });
    drop(written);
    match (done, target, beside) {
        (Ok(tally), target, beside) => {
            if let (Some(path), Some(beside)) = (target, beside) {
                std::fs::rename(&beside, path).with_context(|| path.display().to_string())?;
            }
            notes(&tally);
            Ok(ExitCode::SUCCESS)
        }
        (Err(error), _, beside) => {
            if let Some(beside) = beside {
                std::fs::remove_file(&beside).with_context(|| beside.display().to_string())?;
            }
            Err(error)
        }
    }
}

fn to_node(place: &Place, args: PollArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    let mut terms = Terms {
        url: collection(&args.url)?,
        org: match &args.org {
            Some(name) => store.org(name)?.uuid,
            None => store.node_org()?,
        },
        question: question(&args)?,
        marking: import::marking(&store, &args.limits)?,
        every: args.every.as_deref().map(every).transpose()?,
        credentials: args.access.credentials()?,
        ca: args.access.authority()?,
    };
    warn(&terms.url, &terms.credentials);
    if terms.every.is_some() {
        return by_itself(&store, &terms, args.output.json);
    }
    // What is set for it holds where nothing else is said.
    if let Some(source) = Source::find(&store, &terms)? {
        let set = source.terms(&store)?;
        if terms.credentials == Credentials::None {
            terms.credentials = set.credentials;
        }
        terms.ca = terms.ca.or(set.ca);
        if terms.marking.is_unmarked() {
            terms.marking = set.marking;
        }
    }
    let source = Source::keep(&store, ACTOR, &terms)?;
    let mut progress = Progress::new();
    let how = How { actor: ACTOR, from: from(&args)?, patience: PATIENCE, queue: QUEUE, wanted: &|| true };
    let url = terms.url.to_string();
    let polled = client::poll(&store, &source, &terms, how, &mut |_, objects, pages| {
        tell(&mut progress, &url, objects, pages);
    });
    progress.clear();
    let polled = polled.map_err(|error| anyhow::anyhow!("{error}\nWhat came is kept: the next poll goes on there."))?;
    if args.output.json {
        output::json(&polled)?;
    } else {
        notes(&polled.tally);
        output::line(format!("{}: {} objects in {} pages", url, polled.tally.objects, polled.tally.pages))?;
        import::show(&polled.report, &[], false)?;
    }
    Ok(if polled.report.rejected_total == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// Keeps a source for the serving node; one that can't be read is not kept.
fn by_itself(store: &manara_store::Store, terms: &Terms, as_json: bool) -> anyhow::Result<ExitCode> {
    let server = Server::new(&terms.url, &terms.credentials, terms.ca.as_deref())?;
    let there = offered(&server, &terms.url)?;
    if !there.can_read {
        bail!("this collection may not be read by this account (can_read): it is one to push into");
    }
    let source = Source::keep(store, ACTOR, terms)?;
    let org = store.facts()?.name(source.org);
    if as_json {
        output::json(&json!(source.shown(&org)))?;
    } else {
        output::line(format!("{}: '{}', for {}", source.url(), safe(&there.title), safe(&org)))?;
        output::line(
            "The serving node reads it from now on, first within a minute. `manara taxii sources` says how it goes.",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
