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
    listen: Option<String>,
    max_body_mb: Option<u64>,
    log: Option<String>,
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
        setting("listen", args.and_then(|args| args.listen.clone()), file.listen, "127.0.0.1:8765");
        let body = args.and_then(|args| args.max_body_mb);
        setting("max_body_mb", body.map(|mb| mb.to_string()), file.max_body_mb.map(|mb| mb.to_string()), "512");
        setting("log", args.and_then(|args| args.log.clone()), file.log, "info");
        Ok(Settings { all })
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.all.iter().find(|setting| setting.name == name).map_or("", |setting| setting.value.as_str())
    }
}

/// The data folder, from wherever it was named.
pub(crate) fn folder(place: &Place) -> anyhow::Result<PathBuf> {
    let settings = Settings::read(place, None)?;
    let data = settings.get("data");
    if data.is_empty() {
        bail!("which node? Name its data folder with --data DIR, MANARA_DATA, or 'data' in manara.toml");
    }
    Ok(PathBuf::from(data))
}

/// Opens the node's store.
pub(crate) fn store(place: &Place) -> anyhow::Result<Store> {
    Ok(Store::open(&folder(place)?)?)
}
