//! A record is one thing that someone said, kept as it came. It has a head, and parts that may be
//! marked more narrowly than the whole: a MISP event and its attributes, a list and its lines.
//!
//! [`RecordDraft`] and [`PartDraft`] are what readers hand in; [`Head`] and [`Part`] are what the
//! store hands out, with the label that policy judges.

mod event;
mod redacted;
mod sink;
mod stix;

pub use event::{EventFacts, PartFacts, flag_of, seconds_of, text_of};
pub use sink::{Rejection, SightingDraft, Sink, telling};
pub use stix::StixObject;

use crate::observable::Observable;
use crate::{Label, Marking};
use jiff::Timestamp;
use uuid::Uuid;

/// What kind of thing a record is, e.g. `event`, `list`, `report`, `advisory`, `indicator` (and the
/// other STIX types), `taxonomy`, `galaxy`, `object-template`, `warninglist`, `document`.
pub type Kind = String;

/// Where a part stands in its whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Slot {
    /// A line of a text file (list, CSV), without its line end; or an item of another record (a relation of a
    /// galaxy cluster).
    Line = 0,
    /// MISP: `Event.Attribute[]`.
    Attribute = 1,
    /// MISP: `Event.Object[]`, without its attributes, which follow as parts of their own.
    Object = 2,
    /// MISP: `Event.Object[].Attribute[]`; [`Part::parent`] is the object.
    ObjectAttribute = 3,
    /// MISP: `Event.EventReport[]`.
    EventReport = 4,
    /// MISP: `Event.ShadowAttribute[]` (proposals).
    Proposal = 5,
    /// The record is one piece (a STIX object): its body, as one part. Or the body stands in the head
    /// (an advisory), and the part only holds what was found in it; then its `raw` is empty.
    Whole = 6,
    /// Nothing stands here any more: the part was taken out or moved, and its place is kept so that
    /// those of the others stay. Never handed out.
    Gone = 7,
}

impl Slot {
    /// From the number in the store.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Slot> {
        use Slot::*;
        [Line, Attribute, Object, ObjectAttribute, EventReport, Proposal, Whole, Gone].get(usize::from(number)).copied()
    }
}

/// An observable found in a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub observable: Observable,
    /// Its author wants it looked for (MISP `to_ids`, a STIX indicator, a list of indicators).
    pub detect: bool,
}

/// A record as a reader hands it in.
#[derive(Clone, Debug, Default)]
pub struct RecordDraft {
    /// Its own identifier, or one derived from its content ([`crate::ids::derived`]).
    pub uuid: Uuid,
    /// What it is.
    pub kind: Kind,
    /// Name of the reader, and so of the writer that gives it back: `misp`, `stix`, `csaf`, `csv`, `text`…
    pub format: String,
    /// Title, one line.
    pub title: String,
    /// The organisation that wrote it, as it names itself.
    pub author: Option<String>,
    /// What the record itself says about how far it may go.
    pub marking: Marking,
    /// All its tags, markings included, as they came.
    pub tags: Vec<String>,
    /// When the author made it: Unix milliseconds.
    pub created: Option<i64>,
    /// When the author last changed it: Unix milliseconds.
    pub modified: Option<i64>,
    /// The body without its parts, as it came.
    pub skeleton: String,
    /// SHA-256 of the content as it came: the same content twice changes nothing.
    pub digest: [u8; 32],
    /// Text for the full-text index, besides title and the parts' comments.
    pub text: String,
    /// Where it came from: a file's name, a URL.
    pub source: String,
}

/// A part as a reader hands it in.
#[derive(Clone, Debug)]
pub struct PartDraft {
    /// Where it stands.
    pub slot: Slot,
    /// For [`Slot::ObjectAttribute`]: how many parts came before its object (its ordinal).
    pub parent: Option<u32>,
    /// Its own identifier, if it has one.
    pub uuid: Option<Uuid>,
    /// What the part itself says about how far it may go; default: inherits.
    pub marking: Marking,
    /// The part as it came.
    pub raw: String,
    /// Comment, for the full-text index.
    pub comment: String,
    /// What it mentions.
    pub found: Vec<Found>,
    /// What a row of a table says of its values (a family, a threat), as it stands there. A node has that in `raw`.
    pub says: Vec<String>,
}

impl PartDraft {
    /// A part that inherits its marking and has no identifier of its own.
    #[must_use]
    pub fn new(slot: Slot, raw: impl Into<String>) -> Self {
        PartDraft {
            slot,
            parent: None,
            uuid: None,
            marking: Marking::default(),
            raw: raw.into(),
            comment: String::new(),
            found: Vec::new(),
            says: Vec::new(),
        }
    }
}

/// A record's head as the store hands it out.
#[derive(Clone, Debug)]
pub struct Head {
    /// The store's own number of this version of the record.
    pub row: i64,
    /// The number that people know the record by: its first version's, so that an edit keeps it.
    pub number: i64,
    /// Parts were added or moved since it came: they stand in no order.
    pub edited: bool,
    /// Identifier. The same one may be held by several owners, each with their own copy.
    pub uuid: Uuid,
    /// Counts from 1.
    pub version: u32,
    /// What it is.
    pub kind: Kind,
    /// Name of the format it came in.
    pub format: String,
    /// Title.
    pub title: String,
    /// The organisation that wrote it, as it names itself.
    pub author: Option<String>,
    /// The holder's name, for display.
    pub owner_name: String,
    /// Whose, and how marked.
    pub label: Label,
    /// All tags.
    pub tags: Vec<String>,
    /// Unix milliseconds.
    pub created: Option<i64>,
    /// Unix milliseconds.
    pub modified: Option<i64>,
    /// When this version came in: Unix milliseconds.
    pub received: i64,
    /// Where it came from; empty for anyone but its owner.
    pub source: String,
    /// Number of parts; for its holder: others see some of them only, and count what they see.
    pub parts: Option<u32>,
    /// The body without its parts.
    pub skeleton: String,
    /// True once something was taken out for the audience: the body is no longer as it came.
    pub redacted: bool,
}

/// A part as the store hands it out.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where it stands.
    pub slot: Slot,
    /// Its place among all parts, from 0.
    pub ordinal: u32,
    /// The place that it is known by: where it stood first.
    pub number: u32,
    /// The ordinal of its object, for [`Slot::ObjectAttribute`].
    pub parent: Option<u32>,
    /// Its own identifier.
    pub uuid: Option<Uuid>,
    /// Whose, and how marked, its whole's marking included.
    pub label: Label,
    /// What it mentions.
    pub found: Vec<Found>,
    /// As it came, or as the audience may see it.
    pub raw: String,
}

/// Unix milliseconds as RFC 3339 in UTC; times out of the calendar's range become the epoch.
#[must_use]
pub fn rfc3339(millis: i64) -> String {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Reads RFC 3339 (and the dates that MISP and STIX write) into Unix milliseconds.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    parse_micros(text).map(|micros| micros.div_euclid(1000))
}

/// The same into Unix microseconds; also seconds with decimals.
#[must_use]
pub fn parse_micros(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.as_microsecond());
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        return jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok().map(Timestamp::as_microsecond);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: i64 = whole.parse().ok()?;
    if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: i64 = format!("{part:0<6}").get(..6)?.parse().ok()?;
    let part = if whole.starts_with('-') { -part } else { part };
    let micros = seconds.checked_mul(1_000_000)?.checked_add(part)?;
    Timestamp::from_microsecond(micros).ok().map(|_| micros)
}
