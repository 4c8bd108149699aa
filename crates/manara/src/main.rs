//! The `manara` command: arguments, configuration, wiring. What it does is done elsewhere.

mod cli;
mod commands;
mod output;
mod settings;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        // A reader that has seen enough (`| head`) is no error.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manara: {error:#}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let place = &cli.place;
    match cli.command {
        Command::Init(args) => commands::init::run(place, args),
        Command::Serve(args) => commands::serve::run(place, args),
        Command::Config(args) => commands::serve::config(place, args),
        Command::Import(args) => commands::import::run(place, args),
        Command::Search(args) => commands::search::run(place, args),
        Command::Export(args) => commands::export::run(place, args),
        Command::Why(args) => commands::record::why(place, &args),
        Command::Record(args) => commands::record::run(place, args),
        Command::Verify(args) => commands::record::verify(place, &args),
        Command::Audit(args) => commands::record::audit(place, &args),
        Command::Backup(args) => commands::keep::backup(place, &args),
        Command::Restore(args) => commands::keep::restore(place, &args),
        Command::MigrateStore(args) => commands::keep::migrate(place, &args),
        Command::Doctor(args) => commands::doctor::run(place, &args),
        Command::Org(args) => commands::people::org(place, args),
        Command::User(args) => commands::people::user(place, args),
        Command::Key(args) => commands::people::key(place, args),
        Command::Group(args) => commands::people::group(place, args),
        Command::Collection(args) => commands::collection::run(place, args),
        Command::Tag(args) => commands::people::tag(place, args),
        Command::Taxii(args) => commands::taxii::run(place, args),
        Command::Pattern(args) => commands::pattern::run(args),
        Command::Index(args) => commands::index::run(place, args),
        Command::Match(args) => commands::matching::scan(&args),
        Command::Formats(args) => commands::shell::formats(&args),
        Command::Completions { shell } => commands::shell::completions(shell),
        Command::Man { folder } => commands::shell::man(&folder),
    }
}
