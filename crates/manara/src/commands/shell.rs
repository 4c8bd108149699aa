//! `manara formats`, `completions`, `man`.

use crate::cli::{Cli, Output};
use crate::output;
use clap::CommandFactory;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn formats(how: &Output) -> anyhow::Result<ExitCode> {
    let all = manara_formats::formats();
    if how.json {
        let value: Vec<_> = all
            .iter()
            .map(|f| json!({"name": f.name, "reads": f.reads, "writes": f.writes, "media_type": f.media_type, "about": f.about}))
            .collect();
        output::json(&value)?;
    } else {
        let way = |yes: bool, word: &str| if yes { word.to_owned() } else { String::new() };
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|f| vec![f.name.into(), way(f.reads, "reads"), way(f.writes, "writes"), f.about.into()])
            .collect();
        output::table(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    clap_complete::generate(shell, &mut Cli::command(), "manara", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(folder: &Path) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    output::line(format!("man pages are in {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
