//! In: an input, its format found or given, into the store on somebody's terms.

use crate::{Error, Result};
use manara_formats::{Format, Input, detect, format, read};
use manara_store::Store;
use manara_store::intake::{Intake, Report, Tell, Terms};
use std::path::{Path, PathBuf};

/// An imported input.
#[derive(Debug)]
pub struct Imported {
    /// The format that it was read in.
    pub format: &'static Format,
    /// What happened.
    pub report: Report,
}

/// Imports one input. What it reports is on disk.
///
/// # Errors
/// Where nothing of it could be read, or the store stops.
pub fn import<'s>(
    store: &'s Store,
    input: &mut Input,
    named: Option<&str>,
    terms: Terms,
    progress: Option<Tell<'s>>,
) -> Result<Imported> {
    let format = format_of(input, named)?;
    let mut intake = Intake::new(store, terms);
    if let Some(progress) = progress {
        intake = intake.on_progress(progress);
    }
    match read(format, input, &mut intake) {
        Ok(()) => Ok(Imported { format, report: intake.finish()? }),
        Err(error) => {
            // What was read before the error stays, and is counted nowhere: the error says where it stopped.
            intake.finish()?;
            Err(error.into())
        }
    }
}

/// The format that was named, or the one that an input seems to have.
pub(crate) fn format_of(input: &mut Input, named: Option<&str>) -> Result<&'static Format> {
    let Some(name) = named else { return Ok(detect(input)?) };
    format(name).filter(|format| format.reads).ok_or_else(|| {
        let known: Vec<&str> = manara_formats::formats().iter().filter(|f| f.reads).map(|f| f.name).collect();
        Error::Asked(format!("no reader for format '{name}'; there are: {}", known.join(", ")))
    })
}

/// The files of a folder, in order, without what a MISP feed has beside its events; a file is itself.
///
/// # Errors
/// What the file system says.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with('.') || matches!(name.as_str(), "manifest.json" | "hashes.csv") {
                continue;
            }
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}
