//! What an index knows of an indicator beside its text.

use manara_matching::{Index, Record};
use manara_model::{Pap, Tlp};
use serde::{Deserialize, Serialize};

/// Records and tags that are told of one indicator.
const RECORDS: usize = 16;
const TAGS: usize = 64;
/// Texts of what sources say of one indicator.
const SAYS: usize = 16;

/// Who spoke of an indicator, and what may be done with that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Identifiers of the records that hold it; the first 16, each once. What was added without one has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
    /// Their tags, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The strictest marking among them: `TLP:AMBER`, or `TLP:AMBER PAP:RED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marking: Option<String>,
    /// Their titles, or the names of the lists, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<String>,
    /// What they say of the value: a family, a threat, a comment; each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub says: Vec<String>,
}

/// What is known of an indicator, with its markings apart.
#[derive(Debug, Clone, Default)]
struct Known {
    details: Details,
    tlp: Option<Tlp>,
    pap: Option<Pap>,
}

/// What indexes know of an indicator, each by its number there; `None` where all were made of bare values.
pub(crate) fn details<'a>(of: impl IntoIterator<Item = (&'a Index, u32)>) -> Option<Details> {
    let mut known: Option<Known> = None;
    for (index, number) in of {
        for record in index.details(number).into_iter().flatten() {
            known.get_or_insert_default().add(record);
        }
    }
    let Known { mut details, tlp, pap } = known?;
    let words =
        [tlp.map(|tlp| format!("TLP:{}", tlp.name().to_uppercase())), pap.map(|pap| format!("PAP:{}", pap.name()))];
    let words: Vec<String> = words.into_iter().flatten().collect();
    details.marking = (!words.is_empty()).then(|| words.join(" "));
    Some(details)
}

impl Known {
    fn add(&mut self, record: Record<'_>) {
        let known = &mut self.details;
        // Two indexes may hold the same record.
        if record.id.0 != [0; 16] {
            once(&mut known.records, RECORDS, &record.id.to_string());
        }
        record.tags.for_each(|tag| once(&mut known.tags, TAGS, tag));
        record.says.for_each(|text| once(&mut known.says, SAYS, text));
        once(&mut known.titles, RECORDS, record.title);
        // Of several that say so, the strictest counts: nobody is told more than the last of them allows.
        self.tlp = self.tlp.max(Tlp::parse(record.tlp));
        self.pap = self.pap.max(Pap::parse(record.pap));
    }
}

/// Adds a text that is not there yet, if there is room.
fn once(list: &mut Vec<String>, most: usize, text: &str) {
    if !text.is_empty() && list.len() < most && !list.iter().any(|held| held == text) {
        list.push(text.to_owned());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that can't go on has failed
mod tests {
    use super::*;
    use manara_matching::{Builder, Kind, RecordId, Source};

    #[test]
    fn of_several_records_the_strictest_marking_counts() {
        let mut builder = Builder::new();
        let number = builder.add(Kind::Domain, "evil.example").unwrap();
        let bare = builder.add(Kind::Domain, "bare.example").unwrap();
        let source = |record, title, tlp, pap, tags| Source {
            record: RecordId([record; 16]),
            title,
            tlp,
            pap,
            tags,
            says: &["Emotet", "C2"],
        };
        for (n, (tlp, pap, tags)) in
            [("green", "", &["a", "b"][..]), ("amber", "RED", &["b", "c"]), ("", "", &[]), ("clear", "GREEN", &[])]
                .into_iter()
                .enumerate()
        {
            let source = builder.source(&source(n as u8, "A list", tlp, pap, tags));
            builder.describe(number, source);
        }
        let index = Index::from_bytes(builder.finish()).unwrap();
        let known = details([(&index, number)]).unwrap();
        // The first has no identifier: it is a list.
        assert_eq!(known.records.len(), 3);
        assert_eq!(known.records[0], "01010101-0101-0101-0101-010101010101");
        assert_eq!(known.tags, ["a", "b", "c"]);
        assert_eq!(known.titles, ["A list"]);
        assert_eq!(known.says, ["Emotet", "C2"]);
        assert_eq!(known.marking.as_deref(), Some("TLP:AMBER PAP:RED"));
        assert_eq!(details([(&index, bare)]), None);
    }
}
