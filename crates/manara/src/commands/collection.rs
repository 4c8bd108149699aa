//! `manara collection`.

use super::ACTOR;
use crate::cli::{CollectionArgs, CollectionCommand, CollectionKind, Described, Output, Place};
use crate::{output, settings};
use manara_store::Store;
use manara_taxii::{Collection, Kind, Names, Wish};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

pub(crate) fn run(place: &Place, args: CollectionArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    match args.command {
        CollectionCommand::Add { title, kind, described, output: how } => {
            let kind = match kind {
                CollectionKind::Search => Kind::Search,
                CollectionKind::Box => Kind::Box,
            };
            let made = wish(Some(title), Some(kind), described).made(&store, None)?;
            let made = Collection::add(&store, ACTOR, store.node_org()?, made)?;
            fill(&store, &made)?;
            show(&store, &made, how)?;
        }
        CollectionCommand::List(how) => {
            let all = Collection::all(&store)?.iter().map(|one| one.shown(&store)).collect::<Result<Vec<_>, _>>()?;
            if how.json {
                output::json(&all)?;
            } else {
                let text = |one: &Value, name: &str| output::safe(one[name].as_str().unwrap_or_default());
                let row = |one: &Value| {
                    let read = format!("read: {}", names(&one["can_read"]));
                    let write = format!("write: {}", names(&one["can_write"]));
                    // By its alias where it has one: that is what people use in addresses.
                    let name = Some(text(one, "alias")).filter(|alias| !alias.is_empty());
                    let address = format!("{}collections/{}/", text(one, "api_root"), name.unwrap_or(text(one, "id")));
                    vec![
                        text(one, "id"),
                        text(one, "kind"),
                        text(one, "title"),
                        read,
                        write,
                        address,
                        text(one, "query"),
                    ]
                };
                output::table(&all.iter().map(row).collect::<Vec<_>>())?;
            }
        }
        CollectionCommand::Change { collection, title, described, output: how } => {
            let found = Collection::find(&store, &collection)?;
            let made = wish(title, None, described).made(&store, Some(&found.is))?;
            let changed = found.change(&store, ACTOR, made)?;
            fill(&store, &changed)?;
            show(&store, &changed, how)?;
        }
        CollectionCommand::Remove { collection, output: how } => {
            let found = Collection::find(&store, &collection)?;
            found.remove(&store, ACTOR)?;
            if how.json {
                output::json(&json!({"id": found.id, "removed": true}))?;
            } else {
                output::line(format!("{} is gone", output::safe(&found.is.title)))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn wish(title: Option<String>, kind: Option<Kind>, described: Described) -> Wish {
    Wish {
        title,
        kind,
        query: described.query,
        can_read: described.can_read.map(Names::Many),
        can_write: described.can_write.map(Names::Many),
        group: described.group,
        alias: described.alias,
        description: described.description,
        tlp: described.tlp,
    }
}

/// Looks for what a search finds, so that its first reader does not wait.
fn fill(store: &Store, collection: &Collection) -> anyhow::Result<()> {
    if collection.is.search.is_none() {
        return Ok(());
    }
    let mut progress = output::Progress::new();
    manara_taxii::gather_told(store, Duration::MAX, &mut |looked| {
        progress.tell(&format!("{looked} records looked at"))
    })?;
    progress.clear();
    Ok(())
}

fn names(who: &Value) -> String {
    match who {
        Value::Array(names) if names.is_empty() => "nobody".into(),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            output::safe(&names.join(", "))
        }
        _ => "all".into(),
    }
}

fn show(store: &Store, collection: &Collection, how: Output) -> anyhow::Result<()> {
    let shown = collection.shown(store)?;
    if how.json {
        return output::json(&shown);
    }
    output::line(format!("{}  {}", collection.id, output::safe(&collection.is.title)))?;
    output::line(format!("read by {}, written by {}", names(&shown["can_read"]), names(&shown["can_write"])))?;
    output::line(format!("address: {}collections/{}/", collection.api_root(), collection.id))
}
