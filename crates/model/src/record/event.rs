//! What an event and its attributes say of themselves that lists and searches go by. Read from the
//! body as it came, in one place, so that what is listed is what is written there.

use super::parse_time;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use uuid::Uuid;

/// Of an event (MISP core format, section 2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFacts {
    /// Released by its author.
    pub published: bool,
    /// When, Unix seconds; 0: never.
    pub published_at: i64,
    /// Its `timestamp`, Unix seconds: when it was last changed.
    pub touched: i64,
    /// Its `date`, `YYYY-MM-DD`.
    pub day: String,
    /// `Orgc.uuid`: who wrote it.
    pub author: Option<Uuid>,
    /// `Orgc.name`.
    pub author_name: String,
    /// 1 high … 4 undefined.
    pub threat: u8,
    /// 0 initial, 1 ongoing, 2 completed.
    pub analysis: u8,
    /// The event that this one extends.
    pub extends: Option<Uuid>,
    /// It came from elsewhere: only its author's copy is changed.
    pub locked: bool,
}

/// A member as text, whether it was written as one or as a number.
#[must_use]
pub fn text_of(value: Option<&Value>) -> Option<Cow<'_, str>> {
    match value? {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// A member as a flag: `true`, `1`, `"1"`, `"true"`.
#[must_use]
pub fn flag_of(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text == "1" || text == "true",
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        _ => false,
    }
}

/// A time as Unix seconds, however it was written; 0 where there is none.
#[must_use]
pub fn seconds_of(value: Option<&Value>) -> i64 {
    text_of(value).and_then(|text| parse_time(&text)).map_or(0, |millis| millis.div_euclid(1000))
}

impl EventFacts {
    /// From an event's body, with or without its parts.
    #[must_use]
    pub fn read(body: &str) -> EventFacts {
        serde_json::from_str(body).map(|body| EventFacts::of(&body)).unwrap_or_default()
    }

    /// From an event's body as a value.
    #[must_use]
    pub fn of(body: &Value) -> EventFacts {
        let number =
            |name: &str, default| text_of(body.get(name)).and_then(|text| text.parse().ok()).unwrap_or(default);
        let uuid = |value: Option<&Value>| text_of(value).and_then(|text| text.parse().ok());
        let orgc = body.get("Orgc");
        EventFacts {
            published: flag_of(body.get("published")),
            published_at: seconds_of(body.get("publish_timestamp")),
            touched: seconds_of(body.get("timestamp")),
            day: text_of(body.get("date")).map(|day| day.chars().take(10).collect()).unwrap_or_default(),
            author: uuid(orgc.and_then(|orgc| orgc.get("uuid"))),
            author_name: text_of(orgc.and_then(|orgc| orgc.get("name"))).unwrap_or_default().into_owned(),
            threat: number("threat_level_id", 4),
            analysis: number("analysis", 0),
            extends: uuid(body.get("extends_uuid")),
            locked: flag_of(body.get("locked")),
        }
    }
}

/// Of an attribute (or another part of an event).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartFacts {
    /// Names of its tags.
    pub tags: Vec<String>,
    /// Deleted, and kept so that those who have it learn of it.
    pub deleted: bool,
}

#[derive(Deserialize)]
struct RawPart<'a> {
    #[serde(default, borrow, rename = "Tag")]
    tags: Option<&'a RawValue>,
    #[serde(default, borrow)]
    deleted: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawTag<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

impl PartFacts {
    /// From the part as it came; what can't be read says nothing.
    #[must_use]
    pub fn read(raw: &str) -> PartFacts {
        let Ok(part) = serde_json::from_str::<RawPart<'_>>(raw) else { return PartFacts::default() };
        let tags =
            part.tags.and_then(|tags| serde_json::from_str::<Vec<&RawValue>>(tags.get()).ok()).unwrap_or_default();
        PartFacts {
            tags: tags
                .into_iter()
                .filter_map(|tag| serde_json::from_str::<RawTag<'_>>(tag.get()).ok())
                .map(|tag| tag.name.into_owned())
                .collect(),
            deleted: part.deleted.is_some_and(|raw| matches!(raw.get(), "true" | "1" | "\"1\"" | "\"true\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_say_the_same() {
        let texts = r#"{"published":"1","timestamp":"1700000000","publish_timestamp":1700000001,"threat_level_id":"2",
            "analysis":1,"date":"2026-11-24","Orgc":{"uuid":"5b8d9d33-ccf0-4fd9-82dc-7dbc0a016219","name":"CERT"},"extends_uuid":""}"#;
        let facts = EventFacts::read(texts);
        assert!(facts.published && !facts.locked);
        assert_eq!(
            (facts.touched, facts.published_at, facts.threat, facts.analysis),
            (1_700_000_000, 1_700_000_001, 2, 1)
        );
        assert_eq!((facts.day.as_str(), facts.author_name.as_str(), facts.extends), ("2026-11-24", "CERT", None));
        assert_eq!(EventFacts::read("no json").threat, 0);
    }

    #[test]
    fn a_part_names_its_tags() {
        let facts = PartFacts::read(r#"{"value":"x","Tag":[{"name":"a\"b"},{"id":1},"odd"],"deleted":"1"}"#);
        assert_eq!(facts, PartFacts { tags: vec!["a\"b".into()], deleted: true });
        assert_eq!(PartFacts::read("line of a list"), PartFacts::default());
        assert!(!PartFacts::read(r#"{"deleted":false,"Tag":null}"#).deleted);
    }
}
