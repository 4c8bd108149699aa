//! `manara why`, `manara record`, `manara verify`.

use super::ACTOR;
use crate::cli::{AuditArgs, Output, Place, RecordArgs, RecordCommand, WhyArgs};
use crate::{output, settings};
use anyhow::bail;
use manara_corridor::{RecordLine, audience};
use manara_model::Purpose;
use manara_store::verify::Verdict;
use manara_store::view::Filter;
use std::process::ExitCode;

pub(crate) fn why(place: &Place, args: &WhyArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    let reasons = store.view(audience(&store, &args.audience)?, Purpose::Read)?.why(args.uuid)?;
    if reasons.is_empty() {
        bail!("no record or part '{}' is held here", args.uuid);
    }
    if args.output.json {
        output::json(&reasons)?;
    } else {
        for reason in &reasons {
            let verdict = if reason.allowed { "yes" } else { "no" };
            let part = if reason.part { " (a part)" } else { "" };
            let holder = output::safe(&reason.holder);
            output::line(format!("{verdict}: {}{part} held by {holder}, {}", reason.kind, reason.marking))?;
            output::line(format!("  rule {}: {}", reason.rule, reason.reason))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn run(place: &Place, args: RecordArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    match args.command {
        RecordCommand::List { audience: who, limit, output: how } => {
            let page = store.view(audience(&store, &who)?, Purpose::Read)?.heads(&Filter::default(), None, limit)?;
            let lines: Vec<RecordLine> = page.items.iter().map(RecordLine::of).collect();
            if how.json {
                output::json(&lines)?;
            } else {
                let row = |line: &RecordLine| {
                    vec![
                        line.uuid.to_string(),
                        line.kind.clone(),
                        line.tlp.unwrap_or("-").to_owned(),
                        output::safe(&line.owner),
                        output::safe(&line.title),
                    ]
                };
                output::table(&lines.iter().map(row).collect::<Vec<_>>())?;
            }
        }
        RecordCommand::Withdraw { uuid, reason } => {
            store.withdraw(ACTOR, None, uuid, None, &reason)?;
            output::line(format!("withdrawn: {uuid}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn verify(place: &Place, how: &Output) -> anyhow::Result<ExitCode> {
    let verdict = settings::store(place)?.verify()?;
    if how.json {
        output::json(&verdict)?;
    } else {
        tell(&verdict)?;
    }
    Ok(if verdict.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn audit(place: &Place, args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let entries = settings::store(place)?.audit(args.before, args.limit)?;
    if args.output.json {
        output::json(&entries)?;
    } else {
        let time = |at| jiff::Timestamp::from_millisecond(at).map(|time| time.to_string()).unwrap_or_default();
        let row = |entry: &manara_store::audit::Entry| {
            let told = [&entry.actor, &entry.action, &entry.subject, &entry.detail].map(|text| output::safe(text));
            [entry.seq.to_string(), time(entry.at)].into_iter().chain(told).collect()
        };
        output::table(&entries.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A verdict for people.
pub(crate) fn tell(verdict: &Verdict) -> anyhow::Result<()> {
    for problem in &verdict.problems {
        output::line(format!("problem: {}", output::safe(problem)))?;
    }
    let word = if verdict.problems.is_empty() { "good" } else { "BROKEN" };
    output::line(format!(
        "{word}: {} records, {} parts, {} occurrences, {} audit entries",
        verdict.records, verdict.parts, verdict.occurrences, verdict.audit
    ))
}
