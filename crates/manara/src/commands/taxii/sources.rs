//! `manara taxii sources` and `forget`.

use crate::cli::{Output, Place};
use crate::commands::ACTOR;
use crate::output::{self, safe};
use crate::settings;
use anyhow::bail;
use manara_taxii::client::{Source, collection};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn list(place: &Place, how: Output) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    let facts = store.facts()?;
    let all: Vec<Value> = Source::all(&store)?.iter().map(|source| source.shown(&facts.name(source.org))).collect();
    if how.json {
        output::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        output::line("none; `manara taxii poll URL --data DIR --every 1h` adds one")?;
    }
    for one in &all {
        let text = |name: &str| safe(one[name].as_str().unwrap_or_default());
        let types: Vec<&str> = one["types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let only = if types.is_empty() { String::new() } else { format!(", only {}", types.join(", ")) };
        output::line(format!("{}  for {}{only}", text("url"), text("org")))?;
        let every = match one["every_seconds"].as_u64() {
            Some(seconds) => {
                let due = text("due");
                let next = if due.is_empty() { "as soon as the node serves".into() } else { format!("at {due}") };
                format!("every {} min, next {next}", seconds / 60)
            }
            None => "when asked".to_owned(),
        };
        output::line(format!("  read {every}"))?;
        if one["polled"].is_string() {
            let count = |name: &str| one["came"][name].as_u64().unwrap_or(0);
            output::line(format!(
                "  last at {}: {} objects, {} new, {} updated, {} rejected",
                text("polled"),
                count("objects"),
                count("added"),
                count("updated"),
                count("rejected")
            ))?;
        }
        if !text("added_after").is_empty() {
            output::line(format!("  has what was added until {}", text("added_after")))?;
        }
        if one["in_the_middle"] == true {
            output::line("  the last poll was broken off: the next goes on there")?;
        }
        if one["error"].is_string() {
            output::line(format!("  failed {} times, at last: {}", one["failures"], text("error")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn forget(place: &Place, url: &str, org: Option<&str>, how: Output) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    let url = collection(url)?;
    let org = org.map(|name| store.org(name)).transpose()?.map(|org| org.uuid);
    let mut found = Source::all(&store)?;
    found.retain(|source| source.url() == url.as_str() && org.is_none_or(|org| source.org == org));
    if found.is_empty() {
        bail!("{url} is not read here; see `manara taxii sources`");
    }
    for source in &found {
        source.forget(&store, ACTOR)?;
    }
    if how.json {
        output::json(&json!({"url": url.as_str(), "forgotten": found.len()}))?;
    } else {
        output::line(format!("{url} is forgotten; what came from it stays"))?;
    }
    Ok(ExitCode::SUCCESS)
}
