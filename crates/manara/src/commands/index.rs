//! `manara index`: what logs are searched for, in one file.

use super::matching::open;
use crate::cli::{IndexArgs, IndexCommand, Output};
use crate::output;
use anyhow::Context;
use manara_matching::{Builder, Index, Kind};
use manara_model::observable::guess_listed;
use serde_json::json;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(args: IndexArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        IndexCommand::Build { out, lists, output } => {
            let mut builder = Builder::new();
            let mut refused = 0_u64;
            for list in &lists {
                let reader = open(list).with_context(|| list.display().to_string())?;
                refused += add(&mut builder, reader).with_context(|| list.display().to_string())?;
            }
            let count = builder.len();
            let bytes = builder.finish();
            // Whoever maps the old one keeps it; nobody sees half of the new one.
            let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder).with_context(|| folder.display().to_string())?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(&out).with_context(|| out.display().to_string())?;
            if output.json {
                output::json(&json!({"indicators": count, "refused": refused, "bytes": bytes.len()}))?;
            } else {
                output::line(format!("{count} indicators, {} bytes; {refused} lines were none", bytes.len()))?;
            }
            Ok(if count > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        IndexCommand::Info { file, output } => info(&file, output),
        IndexCommand::Verify { file } => {
            let whole = Index::open(&file).and_then(|index| index.verify());
            whole.with_context(|| file.display().to_string())?;
            output::line("it is as it was written")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn info(file: &Path, output: Output) -> anyhow::Result<ExitCode> {
    let index = Index::open(file).with_context(|| file.display().to_string())?;
    let kinds = Kind::all().map(|kind| (kind.name(), index.count(kind))).filter(|(_, count)| *count > 0);
    if output.json {
        let kinds: serde_json::Map<_, _> = kinds.map(|(name, count)| (name.to_owned(), json!(count))).collect();
        output::json(&json!({"indicators": index.len(), "bytes": index.size(), "types": kinds}))?;
    } else {
        let mut rows: Vec<Vec<String>> = kinds.map(|(name, count)| vec![name.to_owned(), count.to_string()]).collect();
        rows.push(vec!["all".to_owned(), index.len().to_string()]);
        rows.push(vec!["bytes".to_owned(), index.size().to_string()]);
        output::table(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds a list; gives how many lines were no indicator that logs can be searched for.
fn add(builder: &mut Builder, reader: impl BufRead) -> io::Result<u64> {
    let mut refused = 0;
    for line in reader.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        // A remark starts the line, or stands behind a space: URLs have `#` too.
        let value = line.split(" #").next().unwrap_or_default().trim();
        if value.is_empty() || value.starts_with('#') {
            continue;
        }
        let known = guess_listed(value).and_then(|o| Some((Kind::by_name(o.ty().name())?, o.value().to_owned())));
        let known = known.or_else(|| Some((manara_matching::guess(value)?, value.to_owned())));
        refused += u64::from(known.is_none_or(|(kind, value)| builder.add(kind, &value).is_err()));
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_be_defanged_and_have_remarks() {
        let mut builder = Builder::new();
        let list = "# a list\nevil[.]example.com\n1.2.3.4 # seen\n\nhxxp://evil.example.com/a#b\nno value at all !\n";
        assert_eq!(add(&mut builder, list.as_bytes()).unwrap(), 1);
        assert_eq!(builder.len(), 3);
    }
}
