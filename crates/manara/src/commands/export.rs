//! `manara export`.

use crate::cli::{ExportArgs, Place};
use crate::settings;
use anyhow::{Context, bail};
use manara_corridor::{Selection, WarningCache, audience, export};
use manara_formats::WriteOptions;
use manara_model::observable::Type;
use manara_model::record::parse_time;
use manara_store::view::Filter;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

pub(crate) fn run(place: &Place, args: ExportArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    let audience = audience(&store, &args.audience)?;
    let selection = Selection {
        filter: Filter {
            kind: args.kind.clone(),
            tag: args.tag.clone(),
            since: args.since.as_deref().map(since).transpose()?,
            owner: None,
        },
        types: types(&args.types)?,
        record: args.record,
    };
    let options = WriteOptions {
        types: selection.types.clone(),
        undetected: args.undetected,
        warning_lists: if args.warning_listed { None } else { Some(WarningCache::default().get(&store)?) },
        now: jiff::Timestamp::now().as_millisecond(),
        origin: store.facts()?.name(store.node_org()?),
        ..WriteOptions::default()
    };
    let feed = args.format == "misp-feed";
    // Written beside its place and moved there: whoever reads it finds it whole, or not at all.
    let target = args.output.clone().filter(|_| !feed);
    let beside = target.as_ref().map(|path| path.with_extension("part"));
    let out: Box<dyn Write> = match &beside {
        Some(path) => {
            Box::new(BufWriter::new(std::fs::File::create(path).with_context(|| path.display().to_string())?))
        }
        None => Box::new(BufWriter::new(std::io::stdout().lock())),
    };
    let folder = args.output.as_deref().filter(|_| feed);
    let report = export(&store, &args.format, audience, &selection, options, out, folder)?;
    if let (Some(path), Some(beside)) = (&target, &beside) {
        std::fs::rename(beside, path).with_context(|| path.display().to_string())?;
    }
    let held = &report.held_back;
    if held.total() > 0 {
        eprintln!(
            "held back: {} on warning lists, {} reserved addresses, {} that the format has no words for; for example:",
            held.warning_listed, held.reserved, held.unsaid
        );
        held.examples.iter().take(5).for_each(|example| eprintln!("  {}", crate::output::safe(example)));
    }
    Ok(ExitCode::SUCCESS)
}

fn types(names: &[String]) -> anyhow::Result<Option<BTreeSet<Type>>> {
    if names.is_empty() {
        return Ok(None);
    }
    let mut types = BTreeSet::new();
    for name in names {
        match Type::by_name(name.trim()) {
            Some(ty) => types.insert(ty),
            None => {
                let known: Vec<&str> = Type::all().map(Type::name).collect();
                bail!("'{name}' is no type of observable; there are: {}", known.join(", "));
            }
        };
    }
    Ok(Some(types))
}

/// A time, or how long ago.
pub(super) fn since(text: &str) -> anyhow::Result<i64> {
    let now = jiff::Timestamp::now().as_millisecond();
    let unit = |sign, millis: i64| {
        text.strip_suffix(sign).and_then(|n| n.parse::<i64>().ok()).map(|n| now - n.saturating_mul(millis))
    };
    unit('d', 86_400_000)
        .or_else(|| unit('h', 3_600_000))
        .or_else(|| unit('m', 60_000))
        .or_else(|| parse_time(text))
        .with_context(|| format!("'{text}' is no time; give 2026-11-24, 2026-11-24T06:00:00Z, 7d or 12h"))
}
