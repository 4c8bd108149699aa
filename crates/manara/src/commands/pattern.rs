//! `manara pattern check`, `explain`, `match`. They need no node.

mod observations;
mod watch;

use crate::cli::{CheckArgs, ExplainArgs, MatchArgs, PatternArgs, PatternCommand};
use crate::output;
use anyhow::Context;
use manara_pattern::{Mode, Note, Pattern, explain, parse};
use serde_json::{Value, json};
use std::io::Read;
use std::process::ExitCode;

/// Neither yes nor no.
const UNKNOWN: u8 = 2;

pub(crate) fn run(args: PatternArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        PatternCommand::Check(args) => check(&args),
        PatternCommand::Explain(args) => explained(&args),
        PatternCommand::Match(args) => match matched(&args) {
            Err(error) if !crate::is_broken_pipe(&error) => {
                eprintln!("manara: {error:#}");
                Ok(ExitCode::from(UNKNOWN))
            }
            done => done,
        },
    }
}

fn mode(tolerant: bool) -> Mode {
    if tolerant { Mode::Tolerant } else { Mode::Strict }
}

/// What was given, or what stands on standard input.
fn given(text: &str) -> anyhow::Result<String> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut text = String::new();
    // One more than is read, so that what is too long is told as such.
    let most = manara_pattern::MAX_LENGTH as u64 + 1;
    std::io::stdin().lock().take(most).read_to_string(&mut text).context("standard input")?;
    let length = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(length);
    Ok(text)
}

fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let text = given(&args.pattern)?;
    match parse(&text, mode(args.tolerant)) {
        Ok(pattern) => {
            let warnings = pattern.warnings();
            if args.output.json {
                let warnings: Vec<Value> = warnings
                    .iter()
                    .map(|w| json!({"what": w.what, "start": w.span.start, "end": w.span.end}))
                    .collect();
                let notes: Vec<Value> = pattern.notes().iter().map(|n| note_json(&text, n)).collect();
                let canonical = pattern.to_string();
                output::json(&json!({"valid": true, "canonical": canonical, "notes": notes, "warnings": warnings}))?;
            } else {
                output::line("valid")?;
                pattern.notes().iter().try_for_each(|note| output::line(note_line(&text, note)))?;
                for warning in warnings {
                    let (line, column) = warning.span.line_column(&text);
                    output::line(format!("warning: {} (line {line}, column {column})", output::safe(&warning.what)))?;
                }
                if pattern.to_string() != text {
                    output::line(format!("canonical: {}", output::safe(&pattern.to_string())))?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            if args.output.json {
                let place = json!({
                    "what": error.what(), "mend": error.mend(), "start": error.span().start, "end": error.span().end,
                    "line": error.line(), "column": error.column(),
                });
                output::json(&json!({"valid": false, "error": place}))?;
            } else {
                eprintln!("manara: not a pattern: {error}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

fn explained(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let text = given(&args.pattern)?;
    let pattern = read(&text, args.tolerant)?;
    let told = explain(&pattern);
    let how = told.counts;
    if args.output.json {
        output::json(&json!({
            "words": told.words, "indexable": told.indexable, "not_indexable": told.not_indexable,
            "brackets": {"by_value": how.by_value, "by_expression": how.by_expression, "by_network": how.by_network,
                         "remainder": how.remainder},
            "notes": pattern.notes().iter().map(|n| note_json(&text, n)).collect::<Vec<_>>(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    told.words.iter().try_for_each(|line| output::line(output::safe(line)))?;
    let list = |head: &str, all: &[String]| {
        if all.is_empty() {
            return Ok(());
        }
        output::line(format!("\n{head}"))?;
        all.iter().try_for_each(|line| output::line(format!("  {}", output::safe(line))))
    };
    list("found by its value:", &told.indexable)?;
    list("to be looked at, not found by a value:", &told.not_indexable)?;
    if how.remainder > 0 {
        output::line(format!("\n{} of its brackets are looked at for every object of their types", how.remainder))?;
    }
    pattern.notes().iter().try_for_each(|note| output::line(note_line(&text, note)))?;
    Ok(ExitCode::SUCCESS)
}

fn read(text: &str, tolerant: bool) -> anyhow::Result<Pattern> {
    parse(text, mode(tolerant)).map_err(|error| anyhow::anyhow!("not a pattern: {error}"))
}

fn matched(args: &MatchArgs) -> anyhow::Result<ExitCode> {
    if let Some(file) = &args.patterns {
        return watch::run(args, file);
    }
    let pattern = read(args.pattern.as_deref().unwrap_or_default(), args.tolerant)?;
    watch::one(args, pattern)
}

fn note_json(text: &str, note: &Note) -> Value {
    let (line, column) = note.span.line_column(text);
    json!({
        "leniency": note.leniency.name(), "what": note.leniency.to_string(), "start": note.span.start,
        "end": note.span.end, "line": line, "column": column,
    })
}

fn note_line(text: &str, note: &Note) -> String {
    let (line, column) = note.span.line_column(text);
    let place: String = text.get(note.span.start..note.span.end).unwrap_or_default().chars().take(60).collect();
    format!("tolerated: {} (line {line}, column {column}: {})", note.leniency, output::safe(&place))
}
