//! `manara serve` and `manara config`.

use crate::cli::{Place, ServeArgs};
use crate::output;
use crate::settings::Settings;
use anyhow::Context;
use manara_server::{Jobs, Options, Schedule};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How many pools of memory glibc keeps for the threads of a process. By itself it makes eight a processor, and
/// each keeps what its threads ever needed: with many requests at once that is several times what is in use.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: (&str, &str) = ("MALLOC_ARENA_MAX", "2");

/// Begins again with a setting that glibc reads at a program's first step, unless the operator has set it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn with_few_arenas() {
    use std::os::unix::process::CommandExt;
    let (name, value) = ARENAS;
    let mut args = std::env::args_os();
    if std::env::var_os(name).is_some() {
        return;
    }
    if let (Ok(program), Some(called)) = (std::env::current_exe(), args.next()) {
        // It comes back only where it did not work; then it goes on as it is.
        let _ = std::process::Command::new(program).arg0(called).args(args).env(name, value).exec();
    }
}

pub(crate) fn run(place: &Place, args: ServeArgs) -> anyhow::Result<ExitCode> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    with_few_arenas();
    let settings = Settings::read(place, Some(&args))?;
    let filter = tracing_subscriber::EnvFilter::try_new(settings.get("log"))
        .with_context(|| format!("log '{}' is no level; give error, warn, info or debug", settings.get("log")))?;
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Where a defect is, never what it says: that may hold what somebody asked for.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    let store = Arc::new(crate::settings::store(place)?);
    let _serving = store.serving()?;
    let slow = Duration::from_millis(settings.number("slow_ms")?);
    manara_store::log_slower_than(slow);
    let folder = settings.get("feed_dir");
    manara_misp::allow_feed_sources(manara_misp::FeedSources {
        private: settings.get("fetch_private") == "true",
        folder: (!folder.is_empty()).then(|| folder.into()),
    });
    let folder = settings.get("backup_dir");
    let schedule = (!folder.is_empty()).then(|| -> anyhow::Result<Schedule> {
        let every = Duration::from_secs(settings.number("backup_every_hours")?.max(1) * 3600);
        Ok(Schedule { folder: folder.into(), every, keep: usize::try_from(settings.number("backup_keep")?)? })
    });
    let minutes = settings.number("exchange_every_minutes")?;
    let exchange = (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(60)));
    let jobs = Jobs::start(Arc::clone(&store), schedule.transpose()?, exchange);
    let listen = settings.get("listen").to_owned();
    let max_body = settings.number("max_body_mb")?;
    let self_registration = settings.flag("self_registration")?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(32).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&listen).await.with_context(|| {
            format!("can't listen on {listen}; is another node running there? Choose with --listen")
        })?;
        let address = listener.local_addr()?;
        output::line(format!("listening on http://{address}"))?;
        let options = Options { max_body: max_body << 20, slow, self_registration };
        manara_server::serve(listener, Arc::clone(&store), options).await.context("the server stopped")
    })?;
    drop(jobs);
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn config(place: &Place, args: ServeArgs) -> anyhow::Result<ExitCode> {
    let mut settings = Settings::read(place, Some(&args))?;
    for setting in &mut settings.all {
        if setting.name == "database" {
            setting.value = crate::settings::without_password(&setting.value);
        }
    }
    if args.output.json {
        output::json(&settings.all)?;
    } else {
        let rows: Vec<Vec<String>> = settings.all.into_iter().map(|s| vec![s.name.into(), s.value, s.from]).collect();
        output::table(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}
