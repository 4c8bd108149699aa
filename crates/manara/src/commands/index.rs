//! `manara index`: what logs are searched for, in one file.

use crate::cli::{BuildArgs, IndexArgs, IndexCommand, Output, Place};
use crate::{output, settings};
use anyhow::{Context, bail};
use manara_corridor::{ExportReport, IndexReport, IndexTerms, Indicators, Selection, WarningCache, audience, files};
use manara_formats::{Input, Limits, WriteOptions};
use manara_matching::{Builder, Index, Kind};
use manara_model::record::{Rejection, rfc3339};
use manara_store::view::Filter;
use serde_json::json;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Not all files could be read, whether it was made of the others or not.
const SOME: u8 = 3;
/// Types of values that were left out, of which it is said how many there were.
const NAMED: usize = 5;

pub(crate) fn run(place: &Place, args: IndexArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        IndexCommand::Build(args) => build(place, &args),
        IndexCommand::Info { file, output } => info(&file, output),
        IndexCommand::Verify { file } => {
            let whole = Index::open(&file).and_then(|index| index.verify());
            whole.with_context(|| file.display().to_string())?;
            output::line("it is as it was written")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn build(place: &Place, args: &BuildArgs) -> anyhow::Result<ExitCode> {
    if args.audience.is_none() && (args.since.is_some() || args.tag.is_some() || args.warning_listed) {
        bail!("--since, --tag and --warning-listed choose from a node: give --audience, and no files");
    }
    if args.out == Path::new("-") {
        bail!("-o: an index is a file; name it, like bad.index");
    }
    let read = args.inputs.iter().chain(&args.delta).map(std::path::PathBuf::as_path);
    output::none_of("-o", &args.out, read)?;
    let mut builder = args.key.map_or_else(Builder::new, Builder::with_key);
    let base = match &args.delta {
        Some(base) => Some(Index::open(base).with_context(|| base.display().to_string())?),
        None => None,
    };
    let terms = IndexTerms { all: args.all, with: with(&args.with)?, base };
    let (builder, report, held, failed) = match &args.audience {
        Some(audience) => {
            let store = settings::store(place)?;
            let facts = store.facts()?;
            let (origin, now) = (facts.name(store.node_org()?), jiff::Timestamp::now().as_millisecond());
            builder.note(&format!("{origin}, {}", rfc3339(now)));
            let mut indicators = Indicators::new(builder, terms);
            let selection = Selection {
                filter: Filter {
                    tag: args.tag.clone(),
                    since: args.since.as_deref().map(super::export::since).transpose()?,
                    ..Filter::default()
                },
                ..Selection::default()
            };
            let lists = WarningCache::default().get(&store)?;
            if !args.warning_listed && lists.is_empty() {
                eprintln!(
                    "note: this node has no warning lists, so nothing is held back by them; import MISP's, or give \
                     `match` --allow builtin"
                );
            }
            let options = WriteOptions {
                undetected: args.all,
                warning_lists: (!args.warning_listed).then_some(lists),
                now,
                origin,
                ..WriteOptions::default()
            };
            let held = indicators.read_node(&store, self::audience(&store, audience)?, &selection, options)?;
            let (builder, report) = indicators.finish();
            (builder, report, held, 0)
        }
        None => {
            let (builder, report, failed) = of_inputs(Indicators::new(builder, terms), args)?;
            (builder, report, ExportReport::default(), failed)
        }
    };
    let count = builder.len();
    // An index that finds nothing takes no other one's place, unless there was nothing new.
    let made = count > 0 || report.in_base > 0;
    let bytes = builder.finish();
    if made {
        write(&args.out, &bytes)?;
    }
    show(&report, &held, count, bytes.len(), args.output)?;
    if !made {
        eprintln!("manara: nothing in it that logs are searched for: {} was not made", args.out.display());
    }
    // What could not be read may hold what was looked for: that is no empty list.
    Ok(match (failed, made) {
        (1.., _) => ExitCode::from(SOME),
        (0, true) => ExitCode::SUCCESS,
        (0, false) => ExitCode::FAILURE,
    })
}

/// Kinds that are looked for only where asked.
fn with(names: &[String]) -> anyhow::Result<Vec<Kind>> {
    let known = || Kind::all().filter(|kind| kind.on_demand());
    let kind = |name: &String| match known().find(|kind| kind.name() == name) {
        Some(kind) => Ok(kind),
        None => {
            let names: Vec<&str> = known().map(Kind::name).collect();
            bail!("'{name}' can't be asked for; there are: {}", names.join(", "))
        }
    };
    names.iter().map(kind).collect()
}

/// Reads files. Gives what became of them, and how many could not be read.
fn of_inputs(mut indicators: Indicators, args: &BuildArgs) -> anyhow::Result<(Builder, IndexReport, usize)> {
    let mut failed = Vec::new();
    for given in &args.inputs {
        let paths = if given == Path::new("-") { vec![given.clone()] } else { files(given)? };
        for path in paths {
            let limits = Limits::default();
            let opened = if path == Path::new("-") {
                Input::from_reader("-", std::io::stdin().lock(), limits)
            } else {
                Input::open(&path, limits)
            };
            let read = opened
                .map_err(anyhow::Error::from)
                .and_then(|mut input| Ok(indicators.read(&mut input, args.format.as_deref())?));
            // One bad file never stops the rest.
            if let Err(error) = read {
                let file = path.display().to_string();
                let reason = error.to_string();
                let reason = reason.strip_prefix(&format!("{file}: ")).unwrap_or(&reason).to_owned();
                failed.push(Rejection { file, place: String::new(), reason });
            }
        }
    }
    let (builder, mut report) = indicators.finish();
    let unread = failed.len();
    report.rejected_total += unread as u64;
    report.rejected.splice(0..0, failed);
    Ok((builder, report, unread))
}

/// Whoever maps the old one keeps it; nobody sees half of the new one.
fn write(out: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = output::beside(out).context("-o")?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(out).map_err(|error| error.error).with_context(|| out.display().to_string())?;
    Ok(())
}

fn show(report: &IndexReport, held: &ExportReport, count: usize, bytes: usize, output: Output) -> anyhow::Result<()> {
    if output.json {
        let mut value = serde_json::to_value(report)?;
        value["indicators"] = json!(count);
        value["refused"] = json!(report.rejected_total);
        value["bytes"] = json!(bytes);
        value["held_back"] = json!(held.held_back);
        return output::json(&value);
    }
    for rejection in report.rejected.iter().take(5) {
        let place = if rejection.place.is_empty() { String::new() } else { format!(", {}", rejection.place) };
        eprintln!("rejected: {}{place}: {}", rejection.file, output::safe(&rejection.reason));
    }
    let rest = report.rejected_total.saturating_sub(5);
    if rest > 0 {
        eprintln!("rejected: and {rest} more");
    }
    if report.warnings_total > 0 {
        let first = &report.warnings[..report.warnings.len().min(3)];
        first.iter().for_each(|w| eprintln!("note: {}, {}: {}", w.file, w.place, output::safe(&w.reason)));
    }
    let back = &held.held_back;
    if back.total() > 0 {
        eprintln!("held back: {} on warning lists, {} reserved addresses", back.warning_listed, back.reserved);
    }
    let left = [
        (report.undetected, "not flagged for detection (--all takes them)"),
        (report.unsearched, "of types that logs are not searched for, or only where asked (--with)"),
        (report.in_base, "in the other index already"),
    ];
    for (number, why) in left.iter().filter(|(number, _)| *number > 0) {
        eprintln!("left out: {number} values {why}");
    }
    if !report.unsearched_types.is_empty() {
        eprintln!("  of them {}", most(&report.unsearched_types));
    }
    output::line(format!("{count} indicators, {bytes} bytes; {} rejected", report.rejected_total))
}

/// The types that were met most.
fn most(types: &BTreeMap<&'static str, u64>) -> String {
    let mut types: Vec<(&str, u64)> = types.iter().map(|(name, count)| (*name, *count)).collect();
    types.sort_by_key(|(name, count)| (Reverse(*count), *name));
    let mut said: Vec<String> = types.iter().take(NAMED).map(|(name, count)| format!("{count} {name}")).collect();
    if types.len() > NAMED {
        said.push(format!("and {} more types", types.len() - NAMED));
    }
    said.join(", ")
}

fn info(file: &Path, output: Output) -> anyhow::Result<ExitCode> {
    let index = Index::open(file).with_context(|| file.display().to_string())?;
    let kinds = Kind::all().map(|kind| (kind.name(), index.count(kind))).filter(|(_, count)| *count > 0);
    let hex = |sum: u64| format!("{sum:016x}");
    if output.json {
        let kinds: serde_json::Map<_, _> = kinds.map(|(name, count)| (name.to_owned(), json!(count))).collect();
        output::json(&json!({
            "indicators": index.len(), "bytes": index.size(), "details_bytes": index.details_size(), "types": kinds,
            "note": index.note(), "checksum": hex(index.checksum()), "base": index.base().map(hex),
        }))?;
    } else {
        let mut rows: Vec<Vec<String>> = kinds.map(|(name, count)| vec![name.to_owned(), count.to_string()]).collect();
        let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
        row("all", index.len().to_string());
        row("bytes", index.size().to_string());
        row("of them for records, tags, markings", index.details_size().to_string());
        row("checksum", hex(index.checksum()));
        if let Some(base) = index.base() {
            row("adds to", hex(base));
        }
        if !index.note().is_empty() {
            row("of", output::safe(index.note()));
        }
        output::table(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}
