//! `manara backup`, `restore` and `migrate-store`: what keeps the node's data when machines do not.

use crate::cli::{BackupArgs, MigrateArgs, Place, RestoreArgs};
use crate::output::Progress;
use crate::{output, settings};
use anyhow::{Context, bail};
use manara_store::Store;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn backup(place: &Place, args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let store = settings::store(place)?;
    if args.file == Path::new("-") {
        store.backup_to(std::io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    let manifest = store.backup(&args.file)?;
    if args.output.json {
        output::json(&manifest)?;
    } else {
        let size = std::fs::metadata(&args.file).map_or(0, |meta| meta.len());
        output::line(format!("{}  {} KB, of {}", args.file.display(), size.div_ceil(1000), manifest.made))?;
        output::line("It holds the node's key and every record: keep it as safe as the node itself.")?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn restore(place: &Place, args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let location = settings::location(place)?;
    let (store, manifest) = if args.file == Path::new("-") {
        Store::restore(std::io::stdin().lock(), &location)?
    } else {
        let file = File::open(&args.file).with_context(|| args.file.display().to_string())?;
        Store::restore(file, &location)?
    };
    let verdict = store.verify()?;
    if args.output.json {
        output::json(&serde_json::json!({"backup": manifest, "verify": verdict}))?;
    } else {
        output::line(format!("node {} as of {}", manifest.node, manifest.made))?;
        super::record::tell(&verdict)?;
    }
    Ok(if verdict.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn migrate(place: &Place, args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let from = settings::location(place)?;
    let database = match args.to.as_str() {
        "embedded" => None,
        url if url.starts_with("postgres") => Some(url.to_owned()),
        other => bail!("'{other}' is no place for a store; give postgres://USER:PASSWORD@HOST/DATABASE, or embedded"),
    };
    let to = manara_store::Place { folder: from.folder.clone(), database };
    let mut progress = Progress::new();
    let moved = Store::open(from)?.copy_to(&to, &mut |table, rows| progress.tell(&format!("{table}  {rows}")))?;
    progress.clear();
    if args.output.json {
        output::json(&moved)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = moved.rows.iter().map(|(table, rows)| vec![table.clone(), rows.to_string()]).collect();
    output::table(&rows)?;
    output::line(format!("content is the same on both sides: {}", moved.hash))?;
    let place = to.database.as_deref().map(settings::without_password);
    output::line(match place {
        Some(url) => {
            format!("Next: put  database = \"{url}\"  into manara.toml (with its password), and start the node again.")
        }
        None => "Next: take 'database' out of manara.toml, and start the node again.".to_owned(),
    })?;
    Ok(ExitCode::SUCCESS)
}
