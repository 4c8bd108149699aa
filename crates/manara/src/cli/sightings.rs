//! Arguments of what `match` tells a node.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Default, Args)]
pub(crate) struct SightingArgs {
    /// Tell this node how often each indicator was seen on which day: no line of a log, no address of one's own
    #[arg(long, value_name = "URL", conflicts_with = "follow")]
    pub(crate) report_to: Option<String>,
    /// A key of that node; better in MANARA_KEY, since others on this machine can read arguments
    #[arg(long, value_name = "KEY", env = "MANARA_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// The name by which what is told is known there: of a sensor, a site
    #[arg(long, value_name = "NAME", default_value = "manara match", requires = "report_to")]
    pub(crate) report_as: String,
    /// Tell own hosts too, by pseudonyms that only this key makes; a file that is not there becomes a new key
    #[arg(long, value_name = "KEYFILE", requires = "report_to")]
    pub(crate) report_hosts: Option<PathBuf>,
    /// How far it may go [default: your own organisation only]
    #[arg(long, value_name = "TLP", requires = "report_to")]
    pub(crate) report_tlp: Option<String>,
    /// Tell also of indicators marked TLP:RED: only to the node that gave them
    #[arg(long, requires = "report_to")]
    pub(crate) report_red: bool,
    /// Certificates (PEM) of the authority that vouches for the node, if it is no public one
    #[arg(long, value_name = "FILE", requires = "report_to")]
    pub(crate) report_ca: Option<PathBuf>,
}
