//! `manara serve` and `manara config`.

use crate::cli::{Place, ServeArgs};
use crate::output;
use crate::settings::Settings;
use anyhow::Context;
use manara_server::Options;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) fn run(place: &Place, args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(place, Some(&args))?;
    let filter = tracing_subscriber::EnvFilter::try_new(settings.get("log"))
        .with_context(|| format!("log '{}' is no level; give error, warn, info or debug", settings.get("log")))?;
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let store = Arc::new(crate::settings::store(place)?);
    store.sweep()?;
    let listen = settings.get("listen").to_owned();
    let max_body: u64 = settings.get("max_body_mb").parse().context("max_body_mb is a number")?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(32).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&listen).await.with_context(|| {
            format!("can't listen on {listen}; is another node running there? Choose with --listen")
        })?;
        let address = listener.local_addr()?;
        output::line(format!("listening on http://{address}"))?;
        let options = Options { max_body: max_body << 20 };
        manara_server::serve(listener, store, options).await.context("the server stopped")
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn config(place: &Place, args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(place, Some(&args))?;
    if args.output.json {
        output::json(&settings.all)?;
    } else {
        let rows: Vec<Vec<String>> = settings.all.into_iter().map(|s| vec![s.name.into(), s.value, s.from]).collect();
        output::table(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}
