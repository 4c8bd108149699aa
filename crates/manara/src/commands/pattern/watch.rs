//! Patterns against a stream of observations: one that is answered yes or no, or many of which each
//! match is told as it is found.

use super::{UNKNOWN, mode, note_json, note_line, observations, read};
use crate::cli::MatchArgs;
use crate::output;
use anyhow::{Context, bail};
use manara_formats::{Input, Limits};
use manara_pattern::{Batch, DataError, Pattern, Watch};
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

/// Observations that one pattern keeps for each of its brackets.
const MEMORY: usize = 1 << 20;

/// This many things that were left out are named.
const NAMED: usize = 10;

pub(super) fn one(args: &MatchArgs, pattern: Pattern) -> anyhow::Result<ExitCode> {
    let mut watch = Watch::with_memory(std::slice::from_ref(&pattern), MEMORY).once();
    let (mut used, mut errors) = (None::<Vec<String>>, Errors::default());
    let keep = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect());
    observations::each(&args.data, mode(args.tolerant), |batch| {
        errors.take(batch);
        watch.observe(batch, &mut |hit| used = used.take().or_else(|| keep(hit.observations)));
        Ok(if used.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    watch.finish(&mut |hit| used = used.take().or_else(|| keep(hit.observations)));
    let Some(report) = watch.report(0) else { bail!("there is no pattern") };
    if used.is_none() && report.forgotten > 0 {
        bail!(
            "more observations fit the pattern's brackets than are kept, so whether it matches can't be said; \
             give a shorter time at once, or make the brackets narrower"
        );
    }
    if used.is_none() && report.gave_up > 0 {
        bail!(
            "the search was given up after {} steps; make the pattern simpler or give less at once",
            manara_pattern::WORK
        );
    }
    let notes = || pattern.notes().iter().chain(&report.notes);
    if args.output.json {
        output::json(&json!({
            "matched": used.is_some(), "observations": used.clone().unwrap_or_default(),
            "notes": notes().map(|note| note_json(pattern.text(), note)).collect::<Vec<Value>>(),
            "left_out": errors.count,
        }))?;
    } else {
        output::line(used.is_some())?;
        notes().for_each(|note| eprintln!("{}", note_line(pattern.text(), note)));
    }
    errors.tell();
    Ok(if used.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn run(args: &MatchArgs, file: &Path) -> anyhow::Result<ExitCode> {
    let (names, patterns, refused) = patterns(file, args.tolerant)?;
    let mut watch = Watch::new(&patterns);
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let (mut seen, mut hits, mut errors, mut failed) = (0u64, 0u64, Errors::default(), None);
    let mut tell = |pattern: usize, observations: &[&str]| {
        hits += 1;
        let name = names.get(pattern).map_or("", String::as_str);
        let told = if args.output.json {
            serde_json::to_writer(&mut out, &json!({"pattern": name, "observations": observations}))
                .map_err(std::io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
        } else {
            writeln!(out, "{}\t{}", output::safe(name), output::safe(&observations.join(" ")))
        };
        failed = failed.take().or(told.err());
    };
    observations::each(&args.data, mode(args.tolerant), |batch| {
        errors.take(batch);
        seen += batch.observations().len() as u64;
        watch.observe(batch, &mut |hit| tell(hit.pattern, hit.observations));
        Ok(ControlFlow::Continue(()))
    })?;
    watch.finish(&mut |hit| tell(hit.pattern, hit.observations));
    if let Some(error) = failed {
        return Err(error.into());
    }
    let reports: Vec<_> = (0..patterns.len()).filter_map(|at| watch.report(at)).collect();
    let count = |of: fn(&manara_pattern::WatchReport) -> bool| reports.iter().filter(|report| of(report)).count();
    let matched = count(|report| report.matched);
    let (forgot, gave_up) = (count(|report| report.forgotten > 0), count(|report| report.gave_up > 0));
    let lenient = count(|report| !report.notes.is_empty());
    let how = watch.counts();
    if args.output.json {
        let summary = json!({"summary": {
            "patterns": patterns.len(), "refused": refused, "observations": seen, "left_out": errors.count,
            "matches": hits, "matched": matched, "forgot": forgot, "gave_up": gave_up, "lenient": lenient,
            "brackets": {"by_value": how.by_value, "by_expression": how.by_expression, "by_network": how.by_network,
                         "remainder": how.remainder},
        }});
        writeln!(out, "{summary}")?;
    }
    out.flush()?;
    if !args.output.json {
        eprintln!(
            "{} patterns, {refused} refused; {seen} observations; {hits} matches of {matched} patterns; \
             {} brackets found by value, {} by expression, {} by network, {} looked at each time",
            patterns.len(),
            how.by_value,
            how.by_expression,
            how.by_network,
            how.remainder
        );
        for (count, what) in [
            (forgot, "patterns had to forget observations"),
            (gave_up, "patterns have searches that were given up"),
            (lenient, "patterns matched only by leniency"),
        ] {
            if count > 0 {
                eprintln!("{count} {what}");
            }
        }
    }
    errors.tell();
    Ok(match (hits, gave_up) {
        (0, 0) => ExitCode::FAILURE,
        (0, _) => ExitCode::from(UNKNOWN),
        _ => ExitCode::SUCCESS,
    })
}

/// Names, patterns, and how many lines were refused.
fn patterns(file: &Path, tolerant: bool) -> anyhow::Result<(Vec<String>, Vec<Pattern>, usize)> {
    let limits = Limits::default();
    let mut input = Input::open(file, limits)?;
    let path = input.name().to_owned();
    let (mut names, mut patterns, mut refused) = (Vec::new(), Vec::new(), 0);
    let (mut reader, mut bytes, mut number) = (input.reader()?, Vec::new(), 0u64);
    loop {
        number += 1;
        if !observations::next_line(&mut reader, &path, number, limits.line, &mut bytes)? {
            break;
        }
        let line = std::str::from_utf8(&bytes).with_context(|| format!("{path}, line {number}: is not UTF-8"))?;
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let of_line = if line.starts_with('{') { named(line) } else { Ok((number.to_string(), line.to_owned())) };
        match of_line.and_then(|(name, text)| Ok((name, read(&text, tolerant)?))) {
            Ok((name, pattern)) => {
                names.push(name);
                patterns.push(pattern);
            }
            Err(error) => {
                refused += 1;
                if refused <= NAMED {
                    eprintln!("{path}, line {number}: {error:#}");
                }
            }
        }
    }
    if patterns.is_empty() {
        bail!("{path}: no pattern in it");
    }
    Ok((names, patterns, refused))
}

fn named(line: &str) -> anyhow::Result<(String, String)> {
    let mut object: serde_json::Map<String, Value> = serde_json::from_str(line)?;
    let mut text = |name: &str| match object.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(anyhow::anyhow!("it has no {name}")),
    };
    Ok((text("id")?, text("pattern")?))
}

/// Observed-data that could not be used.
#[derive(Default)]
struct Errors {
    count: u64,
    first: Vec<DataError>,
}

impl Errors {
    fn take(&mut self, batch: &Batch<'_>) {
        self.count += batch.errors().len() as u64;
        let room = NAMED - self.first.len();
        self.first.extend(batch.errors().iter().take(room).cloned());
    }

    fn tell(&self) {
        for error in &self.first {
            eprintln!("left out: {}: {}", output::safe(&error.id), output::safe(&error.what));
        }
        if self.count > self.first.len() as u64 {
            eprintln!("left out: {} more", self.count - self.first.len() as u64);
        }
    }
}
