//! `manara match`. It needs no node.

use crate::cli::{HitFormat, ScanArgs};
use crate::output::{self, Progress};
use anyhow::Context;
use manara_hunt::{
    Allow, Days, Format, Hosts, Hunt, Item, Printer, Show, Standing, Style, Tally, Telling, Top, Walk, Wants, Watch,
    summary, top,
};
use manara_matching::Index;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

/// As grep has it.
const NOTHING: u8 = 1;
const FAILED: u8 = 2;
/// How many indicators and hosts a summary lists.
const LISTED: usize = 10;

/// Opens a file or standard input; what is packed is unpacked by what it is.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    Ok(Box::new(BufReader::with_capacity(256 << 10, manara_hunt::open(path)?)))
}

/// Exit code 0: something was found; 1: nothing; 2: not all could be read.
pub(crate) fn scan(args: &ScanArgs) -> anyhow::Result<ExitCode> {
    match hunt(args) {
        Ok(tally) if tally.totals.errors > 0 => Ok(ExitCode::from(FAILED)),
        Ok(tally) if tally.totals.hits > 0 => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::from(NOTHING)),
        Err(error) if crate::is_broken_pipe(&error) => Err(error),
        Err(error) => {
            eprintln!("manara: {error:#}");
            Ok(ExitCode::from(FAILED))
        }
    }
}

fn hunt(args: &ScanArgs) -> anyhow::Result<Tally> {
    let index = Index::open(&args.index).with_context(|| args.index.display().to_string())?;
    let allow = allow(args)?;
    let hosts = hosts(args)?;
    let style = style(args);
    let told_at_the_end = args.format == HitFormat::Summary || args.top.is_some();
    let stop = AtomicBool::new(false);
    let wants = Wants {
        field: style.show == Show::Hits && style.format != Format::Text,
        tally: told_at_the_end,
        context: style.context.filter(|_| style.show == Show::Hits && style.format != Format::Csv),
    };
    let hunt = Hunt {
        index: &index,
        threads: threads(args),
        wants,
        allow: allow.as_ref(),
        hosts: &hosts,
        days: Days::now(),
        stop: &stop,
    };
    let out = out(args)?;
    let mut watching = Watching::new(args, style);
    let mut telling = Telling::new(&index, Printer::new(out, style)?, told_at_the_end, &mut watching);
    hunt.run(Walk::new(&args.logs), &|_| Some(Default::default()), &mut telling)?;
    let (mut printer, tally) = telling.finish();
    watching.progress.clear();
    let how = Top { most: args.top.unwrap_or(LISTED), format: style.format, safe: output::safe };
    match (args.format, args.top) {
        (HitFormat::Summary, _) => summary(printer.out(), &tally, how)?,
        (_, Some(_)) => top(printer.out(), &tally, how)?,
        _ => {}
    }
    printer.out().flush()?;
    Ok(tally)
}

fn threads(args: &ScanArgs) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.map_or_else(cores, usize::from)
}

fn style(args: &ScanArgs) -> Style {
    let format = match args.format {
        HitFormat::Text | HitFormat::Summary => Format::Text,
        HitFormat::Jsonl => Format::Jsonl,
        HitFormat::Csv => Format::Csv,
    };
    let show = match (args.format, args.top, args.count) {
        (HitFormat::Summary, ..) | (_, Some(_), _) => Show::Nothing,
        (.., true) => Show::Count,
        _ => Show::Hits,
    };
    Style { format, show, context: args.context.map(usize::from), safe: output::safe }
}

fn allow(args: &ScanArgs) -> anyhow::Result<Option<Allow>> {
    if args.allow.is_empty() {
        return Ok(None);
    }
    let (allow, refused) = Allow::read(&args.allow).context("--allow")?;
    if refused > 0 {
        eprintln!("manara: --allow: {refused} lines are no values");
    }
    Ok(Some(allow))
}

fn hosts(args: &ScanArgs) -> anyhow::Result<Hosts> {
    let mut hosts = Hosts::new();
    for net in &args.internal {
        anyhow::ensure!(hosts.add(net), "--internal {net:?}: no network; write it like 203.0.113.0/24");
    }
    Ok(hosts)
}

fn out(args: &ScanArgs) -> anyhow::Result<BufWriter<Box<dyn Write>>> {
    let out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
        None => Box::new(io::stdout().lock()),
    };
    Ok(BufWriter::with_capacity(64 << 10, out))
}

/// Words and progress on standard error.
struct Watching {
    progress: Progress,
    /// Files and bytes that there are; `None` where nobody watches.
    all: Option<(u64, u64)>,
}

impl Watching {
    fn new(args: &ScanArgs, style: Style) -> Watching {
        // Hits on the same screen are progress enough.
        let busy = style.show == Show::Hits && args.output.is_none() && io::stdout().is_terminal();
        let all = (io::stderr().is_terminal() && !busy).then(|| {
            let logs = Walk::new(&args.logs).filter_map(|item| match item {
                Item::Log(log) => Some(log.size),
                Item::Skipped(_) | Item::Trouble(_) => None,
            });
            logs.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size))
        });
        Watching { progress: Progress::new(), all }
    }
}

impl Watch for Watching {
    fn word(&mut self, text: &str) {
        self.progress.clear();
        eprintln!("manara: {}", output::safe(text));
    }

    fn standing(&mut self, standing: &Standing<'_>) {
        let Some((files, bytes)) = self.all else { return };
        let (totals, seconds) = (standing.totals, standing.took.as_secs_f64().max(0.001));
        let speed = totals.bytes as f64 / 1e6 / seconds;
        let left = bytes.saturating_sub(standing.disk) as f64 * seconds / standing.disk.max(1) as f64;
        let left = if standing.disk > 0 { format!(", {} left", clock(left)) } else { String::new() };
        let (done, hits) = (totals.files, totals.hits);
        self.progress.tell(&format!("{done} of {files} files, {speed:.0} MB/s, {hits} hits{left}"));
    }
}

/// Seconds as people read them.
fn clock(seconds: f64) -> String {
    let seconds = seconds.min(1e9) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!([0.4, 61.0, 7325.0].map(clock), ["0 s", "1 min 1 s", "2 h 2 min"]);
    }
}
