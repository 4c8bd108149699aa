//! Settings: flags over environment over `manara.toml` over what is built in. Each remembers where it
//! came from, so that `manara config` can tell.

use crate::cli::{Place, ServeArgs};
use anyhow::{Context, bail};
use manara_store::Store;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file's content.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSettings {
    data: Option<PathBuf>,
    database: Option<String>,
    listen: Option<String>,
    max_body_mb: Option<u64>,
    log: Option<String>,
    slow_ms: Option<u64>,
    self_registration: Option<bool>,
    backup_dir: Option<PathBuf>,
    backup_every_hours: Option<u64>,
    backup_keep: Option<u64>,
    exchange_every_minutes: Option<u64>,
    fetch_private: Option<bool>,
    feed_dir: Option<PathBuf>,
}

/// A setting in force.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) from: String,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) all: Vec<Setting>,
}

fn file(place: &Place) -> anyhow::Result<(FileSettings, PathBuf)> {
    let candidates = match &place.config {
        Some(path) => vec![path.clone()],
        None => std::iter::once(PathBuf::from("manara.toml"))
            .chain(place.data.iter().map(|data| data.join("manara.toml")))
            .collect(),
    };
    for path in candidates {
        if path.is_file() {
            let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
            let settings = toml::from_str(&text).with_context(|| format!("{} can't be read", path.display()))?;
            return Ok((settings, path));
        }
        if place.config.is_some() {
            bail!("{} does not exist", path.display());
        }
    }
    Ok((FileSettings::default(), PathBuf::new()))
}

/// Did the value come by a flag, or by the environment?
fn given(name: &str, value: &str) -> String {
    let flag = format!("--{}", name.replace('_', "-"));
    let by_flag = std::env::args().any(|arg| arg == flag || arg.starts_with(&format!("{flag}=")));
    let variable = format!("MANARA_{}", name.to_uppercase());
    if !by_flag && std::env::var(&variable).is_ok_and(|set| set == value) { variable } else { flag }
}

impl Settings {
    pub(crate) fn read(place: &Place, args: Option<&ServeArgs>) -> anyhow::Result<Self> {
        let (file, path) = file(place)?;
        let from_file = path.display().to_string();
        let mut all = Vec::new();
        let mut setting = |name: &'static str, arg: Option<String>, file: Option<String>, default: &str| {
            let (value, from) = match (arg, file) {
                (Some(value), _) => {
                    let from = given(name, &value);
                    (value, from)
                }
                (None, Some(value)) => (value, from_file.clone()),
                (None, None) => (default.to_owned(), "built in".to_owned()),
            };
            all.push(Setting { name, value, from });
        };
        let text = |path: &Path| path.display().to_string();
        setting("data", place.data.as_deref().map(text), file.data.as_deref().map(text), "");
        setting("database", place.database.clone(), file.database, "");
        setting("listen", args.and_then(|args| args.listen.clone()), file.listen, "127.0.0.1:8765");
        setting("log", args.and_then(|args| args.log.clone()), file.log, "info");
        let registration = args.and_then(|args| args.self_registration);
        let flag = |flag: bool| flag.to_string();
        setting("self_registration", registration.map(flag), file.self_registration.map(flag), "false");
        let mut number = |name, arg: Option<u64>, file: Option<u64>, default| {
            setting(name, arg.map(|n| n.to_string()), file.map(|n| n.to_string()), default);
        };
        number("max_body_mb", args.and_then(|args| args.max_body_mb), file.max_body_mb, "512");
        number("slow_ms", args.and_then(|args| args.slow_ms), file.slow_ms, "1000");
        let every = args.and_then(|args| args.backup_every_hours);
        number("backup_every_hours", every, file.backup_every_hours, "24");
        number("backup_keep", args.and_then(|args| args.backup_keep), file.backup_keep, "7");
        let every = args.and_then(|args| args.exchange_every_minutes);
        number("exchange_every_minutes", every, file.exchange_every_minutes, "60");
        let folder = args.and_then(|args| args.backup_dir.as_deref());
        setting("backup_dir", folder.map(text), file.backup_dir.as_deref().map(text), "");
        let private = |flag: bool| flag.to_string();
        let asked = args.and_then(|args| args.fetch_private);
        setting("fetch_private", asked.map(private), file.fetch_private.map(private), "false");
        let folder = args.and_then(|args| args.feed_dir.as_deref());
        setting("feed_dir", folder.map(text), file.feed_dir.as_deref().map(text), "");
        Ok(Settings { all })
    }

    /// A setting that is a number.
    pub(crate) fn number(&self, name: &str) -> anyhow::Result<u64> {
        self.get(name).parse().with_context(|| format!("{name} = '{}' is no number", self.get(name)))
    }

    /// A setting that is on or off.
    pub(crate) fn flag(&self, name: &str) -> anyhow::Result<bool> {
        self.get(name).parse().with_context(|| format!("{name} = '{}' is neither true nor false", self.get(name)))
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.all.iter().find(|setting| setting.name == name).map_or("", |setting| setting.value.as_str())
    }
}

/// The node's place, from wherever it was named.
pub(crate) fn location(place: &Place) -> anyhow::Result<manara_store::Place> {
    let settings = Settings::read(place, None)?;
    let (data, database) = (settings.get("data"), settings.get("database"));
    if data.is_empty() {
        bail!("which node? Name its data folder with --data DIR, MANARA_DATA, or 'data' in manara.toml");
    }
    let database = (!database.is_empty()).then(|| database.to_owned());
    if let Some(url) = database.as_deref().filter(|url| !url.starts_with("postgres")) {
        bail!("--database {url} is no address of a PostgreSQL server; give postgres://USER:PASSWORD@HOST/DATABASE");
    }
    Ok(manara_store::Place { folder: PathBuf::from(data), database })
}

/// An address without its password.
pub(crate) fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    match rest.rsplit_once('@') {
        Some((who, place)) => match who.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:…@{place}"),
            None => address.to_owned(),
        },
        None => address.to_owned(),
    }
}

/// Opens the node's store.
pub(crate) fn store(place: &Place) -> anyhow::Result<Store> {
    Ok(Store::open(location(place)?)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let shown = super::without_password("postgres://manara:s3cr@t@db.example:5432/manara?x=1");
        assert_eq!(shown, "postgres://manara:…@db.example:5432/manara?x=1");
        assert_eq!(super::without_password("postgres://db/manara"), "postgres://db/manara");
    }
}
