//! `manara import`.

use super::ACTOR;
use crate::cli::{ImportArgs, Limit, Place};
use crate::output::Progress;
use crate::{output, settings};
use anyhow::bail;
use manara_corridor::{files, import};
use manara_formats::{Input, Limits};
use manara_model::record::Rejection;
use manara_model::{GroupId, Level, Marking, OrgId, Tlp};
use manara_store::Store;
use manara_store::intake::{Report, Terms};
use serde_json::json;
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(place: &Place, args: ImportArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    if let (Some(url), Some(key)) = (&args.from_misp, &args.key) {
        return from_misp(&store, url, key, args.output.json);
    }
    let owner = match &args.org {
        Some(name) => store.org(name)?.uuid,
        None => store.node_org()?,
    };
    let marking = marking(&store, &args.limits)?;
    let (mut total, mut formats) = (Report::default(), Vec::new());
    for path in &args.inputs {
        let paths = if path == Path::new("-") {
            vec![path.clone()]
        } else {
            files(path).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?
        };
        for path in paths {
            match one(&store, &path, &args, owner, &marking) {
                Ok((format, report)) => {
                    if !args.output.json {
                        let plural = if report.records == 1 { "record" } else { "records" };
                        output::line(format!("{}: {format}, {} {plural}", path.display(), report.records))?;
                    }
                    formats.push(json!({"file": path.display().to_string(), "format": format}));
                    total.merge(report);
                }
                // One bad file never stops the rest.
                Err(error) => total.reject(Rejection {
                    file: path.display().to_string(),
                    place: String::new(),
                    reason: error.to_string(),
                }),
            }
        }
    }
    show(&total, &formats, args.output.json)?;
    let taken = total.added + total.updated + total.unchanged;
    Ok(match (taken, total.rejected_total) {
        (0, _) => ExitCode::from(1),
        (_, 0) => ExitCode::SUCCESS,
        _ => ExitCode::from(3),
    })
}

/// A whole MISP.
fn from_misp(store: &Store, url: &str, key: &str, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut tell = |line: &str| {
        // How far it is, is no answer: it goes where it does not mix with one.
        let _ = writeln!(std::io::stderr(), "{line}");
    };
    let done = manara_misp::migrate(store, url, key, &mut tell)
        .map_err(|error| anyhow::anyhow!("{error}; run it again to go on"))?;
    if as_json {
        output::json(&done)?;
    } else {
        output::line(format!(
            "{} events there: {} new, {} updated, {} here already. {} organisations, {} sharing groups, {} tags, {} accounts, {} feeds, {} servers, {} sightings, {} clusters.",
            done.events,
            done.added,
            done.updated,
            done.unchanged,
            done.organisations,
            done.groups,
            done.tags,
            done.accounts,
            done.feeds,
            done.servers,
            done.sightings,
            done.clusters
        ))?;
        for line in done
            .differences
            .iter()
            .map(|line| format!("differs: {line}"))
            .chain(done.errors.iter().map(|line| format!("error: {line}")))
        {
            output::line(line)?;
        }
        if done.accounts > 0 {
            output::line(
                "Accounts came without passwords and keys: `manara user password` and `manara key add` make new ones.",
            )?;
        }
    }
    let good = done.differing == 0 && done.errors.is_empty();
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn one(
    store: &Store,
    path: &Path,
    args: &ImportArgs,
    owner: OrgId,
    marking: &Marking,
) -> anyhow::Result<(&'static str, Report)> {
    let limits = Limits::default();
    let mut input = if path == Path::new("-") {
        Input::from_reader("-", std::io::stdin().lock(), limits)?
    } else {
        Input::open(path, limits)?
    };
    let terms = Terms { owner, actor: ACTOR.into(), marking: marking.clone() };
    let progress = RefCell::new(Progress::new());
    let name = input.name().to_owned();
    let tell = |report: &Report| {
        progress.borrow_mut().tell(&format!("{name}: {} records, {} observables", report.records, report.observables));
    };
    let imported = import(store, &mut input, args.format.as_deref(), terms, Some(Box::new(tell)));
    progress.borrow_mut().clear();
    let imported = imported?;
    Ok((imported.format.name, imported.report))
}

/// The holder's own limit, from the flags.
pub(super) fn marking(store: &Store, args: &Limit) -> anyhow::Result<Marking> {
    let mut marking = Marking::default();
    if let Some(text) = &args.tlp {
        let Some(tlp) = Tlp::parse(text) else {
            bail!("'{text}' is no TLP level; give clear, green, amber, amber+strict or red");
        };
        marking.tlp = Some(tlp);
    }
    match args.distribution {
        Some(4) => {
            let groups = store.facts()?;
            let find = |name: &String| {
                let known =
                    groups.world.groups.iter().find(|(id, group)| group.name == *name || id.to_string() == *name);
                known
                    .map(|(id, _)| *id)
                    .ok_or_else(|| anyhow::anyhow!("sharing group '{name}' is not known here; see `manara group list`"))
            };
            let clause: Vec<GroupId> = args.group.iter().map(find).collect::<anyhow::Result<_>>()?;
            marking = marking.to_groups(clause);
        }
        Some(number) => marking.level = Level::from_number(number),
        None => {}
    }
    Ok(marking)
}

pub(super) fn show(report: &Report, files: &[serde_json::Value], json: bool) -> anyhow::Result<()> {
    if json {
        let mut value = serde_json::to_value(report)?;
        value["files"] = json!(files);
        return output::json(&value);
    }
    for rejection in report.rejected.iter().take(20) {
        eprintln!("rejected: {}, {}: {}", rejection.file, rejection.place, output::safe(&rejection.reason));
    }
    for warning in report.warnings.iter().take(5) {
        eprintln!("note: {}, {}: {}", warning.file, warning.place, output::safe(&warning.reason));
    }
    let rest = report.warnings_total.saturating_sub(5);
    if rest > 0 {
        eprintln!("note: and {rest} more (--json lists up to a thousand)");
    }
    let rest = report.rejected_total.saturating_sub(20);
    if rest > 0 {
        eprintln!("rejected: and {rest} more (--json lists up to a thousand)");
    }
    output::line(format!(
        "records {}  observables {}  added {}  updated {}  unchanged {}  rejected {}",
        report.records, report.observables, report.added, report.updated, report.unchanged, report.rejected_total
    ))
}
