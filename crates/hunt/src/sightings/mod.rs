//! What a node is told of a search: how often each indicator was seen on which day, and, where asked, on the lines
//! of which own host, by a pseudonym of it. No line of a log, no name of one, no address of one's own.
//!
//! Hits come in one by one, [`Sighting`]s go out: at once, or into a state, in the same breath as how far a log was
//! searched. Memory is bounded: what is new beyond [`MOST`] is not told, and counted.

mod secret;
mod untold;

pub use secret::{HostKey, SecretError};
use untold::MOST;
pub use untold::Untold;
pub(crate) use untold::Waiting;

use crate::counter::Seen;
use crate::indexes::{Indexes, Indicator};
use jiff::civil::Date;
use manara_matching::Kind;
use manara_model::Tlp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// How often an indicator was seen on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sighting {
    /// Address of the node that is to be told.
    pub to: String,
    /// The indicator.
    pub value: String,
    /// Name of its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of lines that say it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub day: Option<Date>,
    /// Who saw it, as the node shall show it.
    pub source: String,
    /// How far it may go; `None`: the organisation of the key only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tlp: Option<String>,
    /// Hits.
    pub count: u64,
}

/// What is told, and to whom.
#[derive(Debug, Default)]
pub struct Terms {
    /// Address of the node.
    pub to: String,
    /// Name of the sensor or site.
    pub source: String,
    /// How far it may go.
    pub tlp: Option<String>,
    /// Whether indicators marked TLP:RED are told too.
    pub red: bool,
    /// Makes pseudonyms of own hosts; `None`: nothing is said of hosts.
    pub hosts: Option<HostKey>,
}

/// Counts hits for a node.
#[derive(Debug)]
pub struct Sightings {
    terms: Terms,
    counts: HashMap<(Indicator, Option<Date>, Option<IpAddr>), u64>,
    red: BTreeSet<Indicator>,
    beyond: u64,
}

impl Sightings {
    /// With nothing counted.
    #[must_use]
    pub fn new(terms: Terms) -> Sightings {
        Sightings { terms, counts: HashMap::new(), red: BTreeSet::new(), beyond: 0 }
    }

    /// Counts a hit.
    pub fn hit(&mut self, seen: &Seen<'_>) {
        let host = seen.host.filter(|_| self.terms.hosts.is_some());
        let key = (seen.indicator, seen.day, host);
        if let Some(count) = self.counts.get_mut(&key) {
            *count += 1;
        } else if self.counts.len() < MOST {
            self.counts.insert(key, 1);
        } else {
            self.beyond += 1;
        }
    }

    /// What was counted since the last time, in order. `indexes` have the texts.
    #[must_use]
    pub fn take(&mut self, indexes: Indexes<'_>) -> Vec<Sighting> {
        let terms = &self.terms;
        let mut sightings = Vec::with_capacity(self.counts.len());
        for ((indicator, day, host), count) in self.counts.drain() {
            // What is for named recipients only is told to nobody by the way.
            if !terms.red && is_red(indexes, indicator) {
                // As many as there may be sightings are counted; that is enough to know that there are some.
                if self.red.len() < MOST {
                    self.red.insert(indicator);
                }
                continue;
            }
            let value = indexes.text(indicator).to_owned();
            let kind = indexes.kind(indicator).map_or("", Kind::name).to_owned();
            let source = match (host, &terms.hosts) {
                (Some(host), Some(key)) => key.source(&terms.source, host),
                _ => terms.source.clone(),
            };
            sightings.push(Sighting { to: terms.to.clone(), value, kind, day, source, tlp: terms.tlp.clone(), count });
        }
        sightings.sort_unstable();
        sightings
    }

    /// Indicators that were held back because they are marked TLP:RED.
    #[must_use]
    pub fn red(&self) -> usize {
        self.red.len()
    }

    /// Hits that were not counted because there was too much of it.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        self.beyond
    }
}

fn is_red(indexes: Indexes<'_>, indicator: Indicator) -> bool {
    let marking = indexes.details(indicator).and_then(|details| details.marking);
    marking.is_some_and(|marking| marking.split(' ').any(|word| Tlp::parse(word) == Some(Tlp::Red)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;
    use manara_matching::{Builder, Index};

    fn seen<'a>(number: u32, day: Option<Date>, host: Option<IpAddr>) -> Seen<'a> {
        let indicator = Indicator { index: 0, number };
        let text = "10.1.2.3 asked www.evil.example";
        Seen { file: "/var/log/secret.log", line: 7, indicator, kind: Kind::Domain, day, host, went: false, text }
    }

    fn index() -> Index {
        let mut builder = Builder::new();
        builder.add(Kind::Domain, "*.evil.example").unwrap();
        Index::from_bytes(builder.finish()).unwrap()
    }

    #[test]
    fn only_counts_are_told() {
        let (index, day, host) = ([index()], "2026-11-25".parse().ok(), "10.1.2.3".parse().ok());
        let terms = Terms { to: "node".into(), source: "site 7".into(), ..Terms::default() };
        let mut sightings = Sightings::new(terms);
        for day in [day, None, day] {
            sightings.hit(&seen(0, day, host));
        }
        sightings.hit(&seen(0, day, None));
        let told = sightings.take(Indexes::new(&index));
        let told: Vec<_> = told.iter().map(|one| (one.value.as_str(), one.day, one.count, &*one.source)).collect();
        assert_eq!(told, [("*.evil.example", None, 1, "site 7"), ("*.evil.example", day, 3, "site 7")]);
        assert_eq!(sightings.take(Indexes::new(&index)), [], "what was taken is not taken again");
    }

    #[test]
    fn hosts_are_pseudonyms_and_only_where_asked() {
        let (index, key) = ([index()], || HostKey::from_bytes(&[7; 32]));
        let terms = |hosts| Terms { source: "site 7".into(), hosts, ..Terms::default() };
        let mut sightings = Sightings::new(terms(Some(key())));
        let hosts = ["10.1.2.3", "10.1.2.4", "10.1.2.3"];
        hosts.iter().for_each(|host| sightings.hit(&seen(0, None, host.parse().ok())));
        sightings.hit(&seen(0, None, None));
        let told = sightings.take(Indexes::new(&index));
        assert_eq!(told.iter().map(|one| one.count).sum::<u64>(), 4);
        let sources: BTreeSet<&str> = told.iter().map(|one| one.source.as_str()).collect();
        assert_eq!(sources.len(), 3, "two hosts and none: {sources:?}");
        let text = serde_json::to_string(&told).unwrap();
        for secret in ["secret.log", "10.1.2", "asked", "0707"] {
            assert!(!text.contains(secret), "{secret} is told: {text}");
        }
    }
}
