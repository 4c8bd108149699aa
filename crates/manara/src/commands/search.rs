//! `manara search`.

use crate::cli::{Place, SearchArgs};
use crate::{output, settings};
use manara_corridor::{Answer, RecordLine, WarningCache, answer, ask, audience};
use manara_model::Purpose;
use manara_model::observable::extract;
use std::io::Read;
use std::process::ExitCode;

/// Text on standard input is read up to here.
const MAX_TEXT: u64 = 64 << 20;

pub(crate) fn run(place: &Place, args: SearchArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    let view = store.view(audience(&store, &args.audience)?, Purpose::Read)?;
    if args.text {
        let page = view.text(&args.values.join(" "), None, args.limit)?;
        let lines: Vec<RecordLine> = page.items.iter().map(RecordLine::of).collect();
        if args.output.json {
            output::json(&lines)?;
        } else {
            lines.iter().try_for_each(|line| output::line(describe(line)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let lists = WarningCache::default().get(&store)?;
    let mut answers = Vec::new();
    for value in &args.values {
        if value == "-" {
            let mut text = Vec::new();
            std::io::stdin().lock().take(MAX_TEXT).read_to_end(&mut text)?;
            let text = String::from_utf8_lossy(&text);
            let mut seen = std::collections::HashSet::new();
            for found in extract(&text) {
                if seen.insert(found.observable.clone()) {
                    let asked = text.get(found.start..found.end).unwrap_or_default();
                    answers.push(answer(&view, asked, &found.observable, &lists, args.limit)?);
                }
            }
        } else {
            answers.extend(ask(&view, std::slice::from_ref(value), &lists, args.limit)?);
        }
    }
    if args.output.json {
        output::json(&answers)?;
    } else {
        answers.iter().try_for_each(show)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(line: &RecordLine) -> String {
    let tlp = line.tlp.map_or_else(|| "unmarked".to_owned(), |tlp| format!("TLP:{}", tlp.to_uppercase()));
    format!(
        "{}  {:<10} {:<14} {}  ({})",
        line.uuid,
        line.kind,
        tlp,
        output::safe(&line.title),
        output::safe(&line.owner)
    )
}

fn show(answer: &Answer) -> anyhow::Result<()> {
    let ty = answer.ty.unwrap_or("not a value known here");
    let more = if answer.uncounted { "+" } else { "" };
    output::line(format!("{}  [{ty}]  {}{more} records", output::safe(&answer.value), answer.total))?;
    if let (Some(first), Some(last)) = (&answer.first_seen, &answer.last_seen) {
        output::line(format!("  {first} … {last}"))?;
    }
    let s = answer.sightings;
    if s.seen + s.false_positive + s.expired > 0 {
        output::line(format!(
            "  sightings: {} seen, {} false positive, {} expired",
            s.seen, s.false_positive, s.expired
        ))?;
    }
    for list in &answer.warning_lists {
        output::line(format!("  on the warning list: {}", output::safe(list)))?;
    }
    for neighbour in &answer.around {
        output::line(format!("  within: {}", output::safe(neighbour)))?;
    }
    answer.records.iter().try_for_each(|record| output::line(format!("  {}", describe(record))))
}
