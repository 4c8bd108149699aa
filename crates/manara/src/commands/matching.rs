//! `manara match`. It needs no node.

use super::{interrupt, report as page, sightings};
use crate::cli::{HitFormat, ScanArgs};
use crate::output::{self, Progress};
use anyhow::{Context, bail};
use manara_hunt::{
    Allow, Before, Days, Format, Hosts, Hunt, Indexes, Item, Journal, Log, Printer, Show, Sightings, Standing, Start,
    Style, Tally, Telling, Top, Walk, Wants, Watch, index_ids, state, summary, top,
};
use manara_matching::Index;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// As grep has it.
const NOTHING: u8 = 1;
const FAILED: u8 = 2;
/// How many indicators and hosts a summary lists.
const LISTED: usize = 10;

/// Exit code 0: something was found; 1: nothing; 2: not all could be read.
pub(crate) fn scan(args: &ScanArgs) -> anyhow::Result<ExitCode> {
    match hunt(args) {
        Ok(tally) if tally.totals.errors > 0 => Ok(ExitCode::from(FAILED)),
        Ok(tally) if tally.totals.hits > 0 => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::from(NOTHING)),
        Err(error) if crate::is_broken_pipe(&error) => Err(error),
        Err(error) => {
            eprintln!("manara: {}", output::safe(&format!("{error:#}")));
            Ok(ExitCode::from(FAILED))
        }
    }
}

fn hunt(args: &ScanArgs) -> anyhow::Result<Tally> {
    let outs = [("-o", &args.output), ("--report", &args.report.report), ("--state", &args.state)];
    for (what, out) in outs.iter().filter_map(|(what, out)| out.as_deref().map(|out| (what, out))) {
        let key = args.sightings.report_hosts.iter();
        let read = args.index.iter().chain(&args.allow).chain(&args.logs).chain(key);
        output::none_of(what, out, read.map(PathBuf::as_path))?;
    }
    if args.output.as_deref() == Some(Path::new("-")) {
        bail!("-o: leave it out to write to standard output");
    }
    taken_for_a_log(args);
    let opened = indexes(args)?;
    let indexes = Indexes::new(&opened);
    let allow = allow(args)?;
    let hosts = hosts(args)?;
    let (before, mut journal) = args.state.as_ref().map(|path| open_state(indexes, path)).transpose()?.unzip();
    let (out, written) = out(args, before.as_ref())?;
    let style = style(args, written.load(Ordering::Relaxed) == 0);
    if let (Some(journal), Some(path)) = (&mut journal, &args.output) {
        journal.count(path, written).with_context(|| path.display().to_string())?;
    }
    let receiver = sightings::receiver(&args.sightings)?;
    let page = page::begin(&args.report)?;
    let told_at_the_end =
        args.format == HitFormat::Summary || args.top.is_some() || page.is_some() || receiver.is_some();
    let wants = Wants {
        field: style.show == Show::Hits && style.format != Format::Text,
        tally: told_at_the_end,
        context: style.context.filter(|_| style.show == Show::Hits && style.format != Format::Csv),
    };
    let begin = |log: &Log| before.as_ref().map_or(Some(Start::default()), |before| before.start(log));
    let mut watching = Watching::new(args, style, &begin);
    let unchanged = AtomicU64::new(0);
    let search = |log: &Log| {
        let start = begin(log);
        unchanged.fetch_add(u64::from(start.is_none()), Ordering::Relaxed);
        start
    };
    if let (Some(receiver), Some(journal)) = (&receiver, &mut journal) {
        receiver.tell_first(journal);
    }
    let mut sightings = receiver.as_ref().map(|receiver| Sightings::new(receiver.terms()));
    let mut telling = Telling::new(indexes, Printer::new(out, style)?, told_at_the_end, &mut watching);
    if let Some(sightings) = &mut sightings {
        telling.sight(sightings);
    }
    if let Some(journal) = &mut journal {
        telling.keep(journal);
    }
    let stop = if args.follow || args.state.is_some() { interrupt::flag()? } else { Arc::new(AtomicBool::new(false)) };
    let (threads, days) = (threads(args), Days::now());
    let hunt = Hunt { indexes, threads, wants, allow: allow.as_ref(), hosts: &hosts, days, stop: &stop };
    if args.follow {
        let place = |log: &Log| before.as_ref().map_or(Start::default(), |before| before.place(log));
        hunt.follow(&args.logs, &place, &mut telling)?;
    } else {
        hunt.run(Walk::new(&args.logs), &search, &mut telling)?;
    }
    let (mut printer, tally) = telling.finish();
    watching.progress.clear();
    let how = Top { most: args.top.unwrap_or(LISTED), format: style.format, safe: output::safe };
    match (args.format, args.top) {
        (HitFormat::Summary, _) => summary(printer.out(), &tally, how)?,
        (_, Some(_)) => top(printer.out(), &tally, how)?,
        _ => {}
    }
    printer.out().flush()?;
    // With a state it waits there before anybody is told.
    let mut rest = sightings.as_mut().map(|sightings| sightings.take(indexes)).unwrap_or_default();
    if let Some(journal) = &mut journal {
        journal.close(std::mem::take(&mut rest)).context("--state")?;
    }
    if let Some(page) = page {
        page.write(&page::Search {
            tally: &tally,
            stopped: stop.load(Ordering::Relaxed) && !args.follow,
            only_new: before.as_ref().is_some_and(|before| !before.is_empty()),
            unchanged: unchanged.into_inner(),
            told: receiver.as_ref().map(sightings::Receiver::node),
        })?;
    }
    if let (Some(receiver), Some(sightings)) = (receiver, sightings) {
        receiver.tell(&sightings, rest, journal.as_mut().zip(args.state.as_deref()))?;
    }
    Ok(tally)
}

/// Whoever writes `--top 2 access.log` meant no log named 2.
fn taken_for_a_log(args: &ScanArgs) {
    let number = |path: &&PathBuf| path.to_str().is_some_and(|name| name.parse::<u64>().is_ok());
    if args.top.is_some()
        && let Some(log) = args.logs.iter().find(number).filter(|log| !log.exists())
    {
        let log = log.display();
        eprintln!("note: {log} is taken for a log; write --top={log} if it is how many are told");
    }
}

/// Opens what is searched for.
fn indexes(args: &ScanArgs) -> anyhow::Result<Vec<Index>> {
    let most = Indexes::MOST;
    anyhow::ensure!(args.index.len() <= most, "--index: no more than {most} at once; build one of several lists");
    let open = |path: &PathBuf| {
        let index = Index::open(path)?;
        // A damaged one would miss hits, and nothing found is good news: it is read once, at a gigabyte in a tenth of a
        // second.
        index.verify()?;
        Ok::<_, manara_matching::OpenError>(index)
    };
    args.index.iter().map(|path| open(path).with_context(|| path.display().to_string())).collect()
}

fn open_state(indexes: Indexes<'_>, path: &Path) -> anyhow::Result<(Before, Journal)> {
    Ok(state(path, &index_ids(indexes))?)
}

fn threads(args: &ScanArgs) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.map_or_else(cores, usize::from)
}

fn style(args: &ScanArgs, header: bool) -> Style {
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
    Style { format, show, context: args.context.map(usize::from), header, safe: output::safe }
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

/// What is written to, with how many bytes stand there.
fn out(args: &ScanArgs, before: Option<&Before>) -> anyhow::Result<(BufWriter<Counted>, Arc<AtomicU64>)> {
    let written = Arc::new(AtomicU64::new(0));
    let to: Box<dyn Write> = match &args.output {
        None => Box::new(io::stdout().lock()),
        Some(path) => {
            let of = || path.display().to_string();
            let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path).with_context(of)?;
            // What was written after the last note is told again; what nobody noted is somebody's.
            let keep = match before {
                None => 0,
                Some(before) => before.written(path).unwrap_or(u64::MAX),
            };
            let there = file.metadata().with_context(of)?;
            if there.is_file() && keep < there.len() {
                file.set_len(keep).with_context(of)?;
            }
            if there.is_file() {
                written.store(file.seek(SeekFrom::End(0)).with_context(of)?, Ordering::Relaxed);
            }
            Box::new(file)
        }
    };
    Ok((BufWriter::with_capacity(64 << 10, Counted { to, written: written.clone() }), written))
}

/// Counts what is written.
struct Counted {
    to: Box<dyn Write>,
    written: Arc<AtomicU64>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.written.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Words and progress on standard error.
struct Watching {
    progress: Progress,
    /// Files and bytes that there are; `None` where nobody watches.
    all: Option<(u64, u64)>,
}

impl Watching {
    fn new(args: &ScanArgs, style: Style, begin: &dyn Fn(&Log) -> Option<Start>) -> Watching {
        // Hits on the same screen are progress enough.
        let busy = style.show == Show::Hits && args.output.is_none() && io::stdout().is_terminal();
        let all = (io::stderr().is_terminal() && !busy && !args.follow).then(|| {
            let logs = Walk::new(&args.logs).filter_map(|item| match item {
                Item::Log(log) => begin(&log).map(|_| log.size),
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
