//! What `match` found, told to a node: how often each indicator was seen on which day. No line of a log, no name of
//! one, no address of one's own.

use crate::cli::SightingArgs;
use crate::output::{Progress, safe};
use anyhow::{Context, bail};
use jiff::civil::Date;
use manara_hunt::{IndicatorTally, Tally};
use manara_model::Tlp;
use manara_taxii::client::{Credentials, Server, address, in_clear};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

/// Sightings in one body: half of what a node takes.
const AT_ONCE: usize = 500;
/// Rejections that are named.
const NAMED: usize = 3;
/// Bytes of a sensor's name, as a node takes it.
const SOURCE: usize = 200;

/// Where sightings go, known before logs are searched: nobody wants to hear of a wrong address at the end.
pub(crate) struct Receiver<'a> {
    args: &'a SightingArgs,
    url: Url,
    server: Server<'static>,
}

pub(crate) fn receiver(args: &SightingArgs) -> anyhow::Result<Option<Receiver<'_>>> {
    let Some(to) = &args.report_to else { return Ok(None) };
    let Some(key) = args.key.as_deref().filter(|key| !key.is_empty()) else {
        bail!("--report-to needs a key of the node: set MANARA_KEY, or give --key");
    };
    if let Some(tlp) = &args.report_tlp {
        Tlp::parse(tlp).with_context(|| {
            format!("--report-tlp: '{tlp}' is no TLP; there are clear, green, amber, amber+strict, red")
        })?;
    }
    anyhow::ensure!(args.report_as.len() <= SOURCE, "--report-as: a name of at most {SOURCE} bytes");
    anyhow::ensure!(
        to.starts_with("http://") || to.starts_with("https://"),
        "--report-to '{}': write it like https://node.example",
        safe(to)
    );
    let base = address(to).context("--report-to")?;
    // A node may stand below a path of its proxy.
    let url = base.join("api/v1/sightings").context("--report-to")?;
    let credentials = Credentials::Bearer(key.to_owned());
    if let Some(warning) = in_clear(&url, &credentials) {
        eprintln!("note: {warning}");
    }
    let server = Server::new(&url, &credentials, authority(args)?.as_deref())?;
    Ok(Some(Receiver { args, url, server }))
}

fn authority(args: &SightingArgs) -> anyhow::Result<Option<String>> {
    let read = |file: &std::path::PathBuf| std::fs::read_to_string(file).with_context(|| file.display().to_string());
    args.report_ca.as_ref().map(read).transpose()
}

/// What is told of an indicator: a row a day, and one for hits without a day.
fn rows<'t>(one: &'t IndicatorTally, args: &'t SightingArgs) -> impl Iterator<Item = Value> + 't {
    let dated: u64 = one.days.values().sum();
    let undated = one.count.saturating_sub(dated);
    let days = one.days.iter().map(|(day, count)| (Some(*day), *count));
    let rest = (undated > 0).then_some((None, undated));
    days.chain(rest).map(move |(day, count)| row(one, day, count, args))
}

fn row(one: &IndicatorTally, day: Option<Date>, count: u64, args: &SightingArgs) -> Value {
    let mut row = json!({
        // Told twice, because an answer got lost, it counts once.
        "uuid": Uuid::new_v4(),
        "value": one.indicator,
        "type": one.kind,
        "count": u32::try_from(count).unwrap_or(u32::MAX),
        "source": args.report_as,
    });
    if let Some(day) = day {
        row["seen"] = json!(format!("{day}T00:00:00Z"));
    }
    if let Some(tlp) = &args.report_tlp {
        row["tlp"] = json!(tlp);
    }
    row
}

impl Receiver<'_> {
    /// Tells it.
    ///
    /// # Errors
    /// The node can't be reached, or takes none of it. What was taken before stays there.
    pub(crate) fn tell(self, tally: &Tally) -> anyhow::Result<()> {
        let Receiver { args, url, mut server } = self;
        // What is for named recipients only is told to nobody by the way.
        let told = |one: &&IndicatorTally| args.report_red || !is_red(one);
        let red = tally.indicators.iter().filter(|one| !told(one)).count();
        if red > 0 {
            eprintln!(
                "manara: not told: {red} indicators marked TLP:RED (--report-red tells them: to the node that gave them)"
            );
        }
        let all: Vec<Value> = tally.indicators.iter().filter(told).flat_map(|one| rows(one, args)).collect();
        let (mut kept, mut rejected, mut progress) = (0, Vec::new(), Progress::new());
        for some in all.chunks(AT_ONCE) {
            let body = serde_json::to_vec(some)?;
            let answer;
            (server, answer) = server.send_json(&url, &body).with_context(|| {
                format!("--report-to: {kept} of {} sightings were told; the others were not", all.len())
            })?;
            let (Some(uuids), Some(refused)) = (answer["uuids"].as_array(), answer["rejected"].as_array().cloned())
            else {
                bail!("--report-to: this is no node's answer; is the address right?");
            };
            kept += uuids.len();
            rejected.extend(refused.into_iter().map(|one| {
                let row = one["row"].as_u64().and_then(|row| some.get(usize::try_from(row).ok()?));
                let value = row.and_then(|row| row["value"].as_str()).unwrap_or_default().to_owned();
                (value, one["reason"].as_str().unwrap_or_default().to_owned())
            }));
            progress.tell(&format!("{kept} of {} sightings told", all.len()));
        }
        progress.clear();
        eprintln!("manara: {kept} sightings told to {}", safe(url.host_str().unwrap_or_default()));
        for (value, reason) in rejected.iter().take(NAMED) {
            eprintln!("manara: not taken: {}: {}", safe(value), safe(reason));
        }
        if rejected.len() > NAMED {
            eprintln!("manara: not taken: and {} more", rejected.len() - NAMED);
        }
        if tally.beyond.indicators > 0 {
            eprintln!("manara: not told: {} rare indicators, which the summary left out", tally.beyond.indicators);
        }
        let lost = rejected.len() + usize::try_from(tally.beyond.indicators).unwrap_or(usize::MAX);
        anyhow::ensure!(lost == 0, "--report-to: not all could be told");
        Ok(())
    }
}

fn is_red(one: &IndicatorTally) -> bool {
    let marking = one.details.as_ref().and_then(|details| details.marking.as_deref());
    marking.is_some_and(|marking| marking.split(' ').any(|word| Tlp::parse(word) == Some(Tlp::Red)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    #[test]
    fn only_counts_are_told() {
        let day: Date = "2026-11-25".parse().unwrap();
        let place = manara_hunt::Place { file: "/var/log/secret.log".into(), line: 7 };
        let one = IndicatorTally {
            indicator: "*.evil.example".into(),
            kind: "domain".into(),
            count: 5,
            first: place.clone(),
            last: place.clone(),
            days: [(day, 3)].into(),
            examples: vec![manara_hunt::Example { place, text: "10.1.2.3 asked www.evil.example".into() }],
            ..IndicatorTally::default()
        };
        let args = SightingArgs { report_as: "match".into(), ..SightingArgs::default() };
        let told: Vec<Value> = rows(&one, &args).collect();
        assert_eq!(told.len(), 2);
        assert_eq!((&told[0]["value"], &told[0]["count"]), (&json!("*.evil.example"), &json!(3)));
        assert_eq!(told[0]["seen"], "2026-11-25T00:00:00Z");
        assert_eq!((&told[1]["count"], told[1].get("seen")), (&json!(2), None));
        let text = serde_json::to_string(&told).unwrap();
        for secret in ["secret.log", "10.1.2.3", "asked"] {
            assert!(!text.contains(secret), "{secret} is told: {text}");
        }
    }
}
