//! What `match` found, told to a node: how often each indicator was seen on which day. What leaves, and what never
//! does, `manara_hunt::Sightings` says; with a state, what can't be told waits there for the next search.

use crate::cli::SightingArgs;
use crate::output::{Progress, safe};
use anyhow::{Context, anyhow, bail};
use manara_hunt::{HostKey, Journal, Sighting, Sightings, Terms, Untold};
use manara_model::Tlp;
use manara_store::sightings::SOURCE_BYTES;
use manara_taxii::client::{ClientError, Credentials, Server, address, in_clear};
use serde_json::{Value, json};
use std::path::Path;
use url::Url;
use uuid::Uuid;

/// Sightings in one body: half of what a node takes.
const AT_ONCE: usize = 500;
/// Rejections that are named.
const NAMED: usize = 3;
/// The door of a node that takes sightings, below its address.
const DOOR: &str = "api/v1/sightings";

/// Where sightings go, known before logs are searched: nobody wants to hear of a wrong address at the end.
pub(crate) struct Receiver<'a> {
    args: &'a SightingArgs,
    url: Url,
    credentials: Credentials,
    authority: Option<String>,
    hosts: Option<HostKey>,
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
    let most = SOURCE_BYTES - args.report_hosts.as_ref().map_or(0, |_| HostKey::ADDED);
    anyhow::ensure!(args.report_as.len() <= most, "--report-as: a name of at most {most} bytes");
    anyhow::ensure!(
        to.starts_with("http://") || to.starts_with("https://"),
        "--report-to '{}': write it like https://node.example",
        safe(to)
    );
    let base = address(to).context("--report-to")?;
    // A node may stand below a path of its proxy.
    let url = base.join(DOOR).context("--report-to")?;
    let credentials = Credentials::Bearer(key.to_owned());
    if let Some(warning) = in_clear(&url, &credentials) {
        eprintln!("note: {warning}");
    }
    let receiver = Receiver { args, url, credentials, authority: authority(args)?, hosts: hosts(args)? };
    receiver.server()?;
    Ok(Some(receiver))
}

fn hosts(args: &SightingArgs) -> anyhow::Result<Option<HostKey>> {
    let Some(path) = &args.report_hosts else { return Ok(None) };
    let (key, made) = HostKey::open(path).context("--report-hosts")?;
    if made {
        let path = path.display();
        eprintln!("note: {path} is a new key; keep it, with another one the same hosts get other pseudonyms");
    }
    Ok(Some(key))
}

fn authority(args: &SightingArgs) -> anyhow::Result<Option<String>> {
    let read = |file: &std::path::PathBuf| {
        std::fs::read_to_string(file).with_context(|| format!("--report-ca: {}", file.display()))
    };
    args.report_ca.as_ref().map(read).transpose()
}

/// A sighting as a node takes it.
fn row(Untold { uuid, sighting }: &Untold) -> Value {
    let Sighting { value, kind, day, source, tlp, count, to: _ } = sighting;
    let mut row = json!({
        // Told twice, because an answer got lost, it counts once.
        "uuid": uuid,
        "value": value,
        "type": kind,
        "count": u32::try_from(*count).unwrap_or(u32::MAX),
        "source": source,
    });
    if let Some(day) = day {
        row["seen"] = json!(format!("{day}T00:00:00Z"));
    }
    if let Some(tlp) = tlp {
        row["tlp"] = json!(tlp);
    }
    row
}

/// What became of some sightings.
#[derive(Default)]
struct Sent {
    kept: usize,
    /// Values that the node did not take, with its reasons.
    rejected: Vec<(String, String)>,
}

impl Receiver<'_> {
    /// What is told, and how.
    pub(crate) fn terms(&self) -> Terms {
        Terms {
            to: self.url.to_string(),
            source: self.args.report_as.clone(),
            tlp: self.args.report_tlp.clone(),
            red: self.args.report_red,
            hosts: self.hosts.clone(),
        }
    }

    /// The node's name.
    pub(crate) fn node(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn server(&self) -> anyhow::Result<Server<'static>> {
        Server::new(&self.url, &self.credentials, self.authority.as_deref()).context("--report-to")
    }

    /// Tells what earlier searches could not tell, before this one begins. If that fails, it waits on: [`Receiver::tell`] tries again.
    pub(crate) fn tell_first(&self, journal: &mut Journal) {
        let waiting = journal.untold(self.url.as_str());
        if waiting.is_empty() {
            return;
        }
        // An answer that can't be noted is asked for again: the node knows the identifiers.
        // What fails is told again at the end, with what is found now; if that fails too, it is said there.
        if let Ok(sent) = self.send(&waiting, &mut |uuids| journal.told(uuids).context("--state")) {
            self.say(&sent, " of earlier searches");
        }
    }

    /// Tells what was found; with a state all that waits in it, and what can't be told waits on.
    ///
    /// # Errors
    /// The node can't be reached, or takes none of it. What was taken before stays there.
    pub(crate) fn tell(
        self,
        found: &Sightings,
        rest: Vec<Sighting>,
        state: Option<(&mut Journal, &Path)>,
    ) -> anyhow::Result<()> {
        let red = found.red();
        if red > 0 {
            eprintln!(
                "manara: not told: {red} indicators marked TLP:RED (--report-red tells them: to the node that gave them)"
            );
        }
        let mut beyond = found.beyond();
        let sent = match state {
            Some((journal, path)) => {
                beyond = beyond.saturating_add(journal.lost());
                for (node, number) in journal.elsewhere(self.url.as_str()) {
                    let node = safe(node.strip_suffix(DOOR).unwrap_or(node));
                    eprintln!("manara: {number} sightings wait for {node} until --report-to names it again");
                }
                let waiting = journal.untold(self.url.as_str());
                let sent = self.send(&waiting, &mut |uuids| journal.told(uuids).context("--state"));
                let left = journal.untold(self.url.as_str()).len();
                sent.with_context(|| {
                    format!(
                        "--report-to: {} of {} sightings were told; the others wait in {}, and the next search tells them first",
                        waiting.len() - left,
                        waiting.len(),
                        path.display()
                    )
                })?
            }
            None => {
                let all: Vec<Untold> =
                    rest.into_iter().map(|sighting| Untold { uuid: Uuid::new_v4(), sighting }).collect();
                let mut told = 0;
                let sent = self.send(&all, &mut |uuids| {
                    told += uuids.len();
                    Ok(())
                });
                sent.with_context(|| {
                    format!(
                        "--report-to: {told} of {} sightings were told; the others were not (with --state FILE they \
                         would wait for the next search)",
                        all.len()
                    )
                })?
            }
        };
        if sent.kept + sent.rejected.len() > 0 {
            self.say(&sent, "");
        }
        if beyond > 0 {
            eprintln!("manara: not told: {beyond} hits or sightings, which were too many to be counted");
        }
        let lost = beyond > 0 || !sent.rejected.is_empty();
        anyhow::ensure!(!lost, "--report-to: not all could be told");
        Ok(())
    }

    /// Tells these. `told` hears which ones the node has answered for.
    fn send(&self, all: &[Untold], told: &mut dyn FnMut(&[Uuid]) -> anyhow::Result<()>) -> anyhow::Result<Sent> {
        let (mut server, mut sent, mut progress) = (self.server()?, Sent::default(), Progress::new());
        for some in all.chunks(AT_ONCE) {
            let body = serde_json::to_vec(&some.iter().map(row).collect::<Vec<Value>>())?;
            let answer;
            (server, answer) = server.send_json(&self.url, &body).map_err(what_to_do)?;
            let (Some(uuids), Some(refused)) = (answer["uuids"].as_array(), answer["rejected"].as_array()) else {
                bail!("this is no node's answer; is the address right?");
            };
            sent.kept += uuids.len();
            sent.rejected.extend(refused.iter().map(|one| {
                let row = one["row"].as_u64().and_then(|row| some.get(usize::try_from(row).ok()?));
                let value = row.map(|row| row.sighting.value.clone()).unwrap_or_default();
                (value, one["reason"].as_str().unwrap_or_default().to_owned())
            }));
            // What it refuses once it refuses again.
            told(&some.iter().map(|one| one.uuid).collect::<Vec<Uuid>>())?;
            progress.tell(&format!("{} of {} sightings told", sent.kept, all.len()));
        }
        progress.clear();
        Ok(sent)
    }

    fn say(&self, sent: &Sent, of: &str) {
        eprintln!("manara: {} sightings{of} told to {}", sent.kept, safe(self.node()));
        for (value, reason) in sent.rejected.iter().take(NAMED) {
            eprintln!("manara: not taken: {}: {}", safe(value), safe(reason));
        }
        if sent.rejected.len() > NAMED {
            eprintln!("manara: not taken: and {} more", sent.rejected.len() - NAMED);
        }
    }
}

/// What a node's refusal means here: the key is no account of a TAXII server.
fn what_to_do(error: ClientError) -> anyhow::Error {
    let help = match &error {
        ClientError::Refused { status: 401, .. } => {
            "the node does not know this key: have `manara key add` make one there, and set MANARA_KEY"
        }
        ClientError::Refused { status: 403, .. } => "this key's account may not tell sightings there",
        ClientError::Refused { status: 404, .. } => "no node stands at this address; is a path missing?",
        _ => return error.into(),
    };
    let ClientError::Refused { status, said } = &error else { return error.into() };
    anyhow!("HTTP {status}: {said}; {help}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_a_sighting_says_and_no_more() {
        let sighting = Sighting {
            to: "https://node.example/".into(),
            value: "evil.example".into(),
            kind: "domain".into(),
            day: "2026-11-25".parse().ok(),
            source: "site 7".into(),
            count: u64::MAX,
            tlp: None,
        };
        let untold = Untold { uuid: Uuid::nil(), sighting };
        let want = json!({"uuid": Uuid::nil(), "value": "evil.example", "type": "domain", "count": u32::MAX,
            "source": "site 7", "seen": "2026-11-25T00:00:00Z"});
        assert_eq!(row(&untold), want);
        let undated = Sighting { day: None, tlp: Some("green".into()), ..untold.sighting };
        let row = row(&Untold { sighting: undated, ..untold });
        assert_eq!((row.get("seen"), &row["tlp"]), (None, &json!("green")));
    }

    #[test]
    fn a_wrong_key_is_said_in_words_of_this_command() {
        let refused = |status| ClientError::Refused { status, said: "no".into() };
        for status in [401, 403, 404] {
            let said = format!("{:#}", what_to_do(refused(status)));
            assert!(!said.contains("TAXII") && !said.contains("taxii") && !said.contains("--key-file"), "{said}");
            assert!(said.contains(&format!("HTTP {status}")), "{said}");
        }
    }
}
