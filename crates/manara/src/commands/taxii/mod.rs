//! `manara taxii`: the client of other servers.

mod poll;
mod push;
mod sources;

use crate::cli::{Access, Place, TaxiiArgs, TaxiiCommand};
use crate::output::{self, safe};
use anyhow::{Context, bail};
use manara_taxii::client::{Credentials, Server, address, collections, discover, in_clear};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use url::Url;

/// Where secrets may be, besides files.
const PASSWORD: &str = "MANARA_TAXII_PASSWORD";
const KEY: &str = "MANARA_TAXII_KEY";

pub(crate) fn run(place: &Place, args: TaxiiArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        TaxiiCommand::Discover { url, access, output } => found(&url, &access, output.json),
        TaxiiCommand::Collections { url, access, output } => listed(&url, &access, output.json),
        TaxiiCommand::Poll(args) => poll::run(place, *args),
        TaxiiCommand::Sources(output) => sources::list(place, output),
        TaxiiCommand::Forget { url, org, output } => sources::forget(place, &url, org.as_deref(), output),
        TaxiiCommand::Push(args) => push::run(place, &args),
    }
}

/// The first line of a file: a secret.
fn secret(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() {
        bail!("{} is empty", file.display());
    }
    Ok(line)
}

impl Access {
    /// What was given; nothing is no error, many servers are open.
    fn credentials(&self) -> anyhow::Result<Credentials> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(user) = &self.user {
            let password = match &self.password_file {
                Some(file) => secret(file)?,
                None => set(PASSWORD).with_context(|| {
                    format!("whose password is '{user}''s? Name a file with --password-file, or set {PASSWORD}")
                })?,
            };
            return Ok(Credentials::Basic { user: user.clone(), password });
        }
        let key = match &self.key_file {
            Some(file) => Some(secret(file)?),
            None => set(KEY),
        };
        Ok(key.map_or(Credentials::None, Credentials::Bearer))
    }

    fn authority(&self) -> anyhow::Result<Option<String>> {
        let read = |file| std::fs::read_to_string(file).with_context(|| format!("{}", Path::display(file)));
        self.ca.as_deref().map(read).transpose()
    }

    fn server(&self, url: &Url) -> anyhow::Result<Server<'static>> {
        let credentials = self.credentials()?;
        warn(url, &credentials);
        Ok(Server::new(url, &credentials, self.authority()?.as_deref())?)
    }
}

/// Says so where a secret can be read on the way.
fn warn(url: &Url, credentials: &Credentials) {
    if let Some(warning) = in_clear(url, credentials) {
        eprintln!("note: {warning}");
    }
}

fn found(url: &str, access: &Access, json: bool) -> anyhow::Result<ExitCode> {
    let url = address(url)?;
    let found = discover(&access.server(&url)?, &url)?;
    if json {
        output::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, text) in [("title", &found.title), ("description", &found.description), ("contact", &found.contact)] {
        if !text.is_empty() {
            output::line(format!("{name}: {}", safe(text)))?;
        }
    }
    output::line(format!("found at {}", found.url))?;
    if found.api_roots.is_empty() {
        output::line("It names no API roots, or none for this account.")?;
    }
    for root in &found.api_roots {
        output::line(format!("\n{}  {}", safe(&root.url), safe(&root.title)))?;
        let most = root.max_content_length.map(|most| format!("max_content_length: {most}"));
        let versions = (!root.versions.is_empty()).then(|| format!("versions: {}", root.versions.join(", ")));
        let lines = [
            (!root.description.is_empty()).then(|| root.description.clone()),
            versions,
            most,
            root.note.as_ref().map(|note| format!("note: {note}")),
            root.error.as_ref().map(|error| format!("can't be asked: {error}")),
        ];
        for line in lines.into_iter().flatten() {
            output::line(format!("  {}", safe(&line)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(url: &str, access: &Access, as_json: bool) -> anyhow::Result<ExitCode> {
    let url = address(url)?;
    let (all, wrong) = collections(&access.server(&url)?, &url)?;
    if as_json {
        output::json(&json!({"collections": all, "errors": wrong}))?;
    } else {
        let mut rows = vec![["ID", "TITLE", "MAY", "API ROOT"].map(str::to_owned).to_vec()];
        rows.extend(all.iter().map(|one| {
            let may = match (one.can_read, one.can_write) {
                (true, true) => "read, write",
                (true, false) => "read",
                (false, true) => "write",
                (false, false) => "nothing",
            };
            vec![safe(&one.id), safe(&one.title), may.to_owned(), one.root.clone()]
        }));
        output::table(&rows)?;
    }
    wrong.iter().for_each(|error| eprintln!("error: {}", safe(error)));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// `15m`, `1h`, `1d`.
fn every(text: &str) -> anyhow::Result<std::time::Duration> {
    let of = |sign, seconds: u64| text.strip_suffix(sign).and_then(|n| n.parse::<u64>().ok()?.checked_mul(seconds));
    let seconds = of('m', 60).or_else(|| of('h', 3600)).or_else(|| of('d', 86_400));
    let seconds = seconds.filter(|seconds| (60..=366 * 86_400).contains(seconds));
    let seconds = seconds.with_context(|| format!("'{text}' is no time between two polls; give 15m, 1h or 1d"))?;
    Ok(std::time::Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_between_two_polls() {
        for (text, seconds) in [("1m", 60), ("15m", 900), ("1h", 3600), ("7d", 604_800)] {
            assert_eq!(every(text).unwrap().as_secs(), seconds);
        }
        for text in ["", "0m", "h", "10", "30s", "-1h", "99999999999999999999d", "400d"] {
            assert!(every(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "s3cret\r\nmore\n").unwrap();
        assert_eq!(secret(&file).unwrap(), "s3cret");
        std::fs::write(&file, "\n").unwrap();
        assert!(secret(&file).is_err() && secret(folder.path()).is_err());
    }
}
