//! Arguments of the page that `match` writes for the owner of the logs.

use clap::Args;
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Write a page in plain words for the owner of the logs: what was found, what it means, what to do
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Its language [default: the system's, else en]
    #[arg(long, value_name = "CODE", requires = "report", value_parser = languages())]
    pub(crate) lang: Option<String>,
    /// Whom to call for help, as the page says it: your national CERT and its telephone
    #[arg(long, value_name = "TEXT", requires = "report")]
    pub(crate) contact: Option<String>,
}

fn languages() -> PossibleValuesParser {
    PossibleValuesParser::new(manara_texts::languages().iter().map(|language| language.code))
}
