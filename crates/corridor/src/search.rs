//! Asking: what is known of each value, as the audience may know it.

use crate::Result;
use manara_model::observable::{Observable, Reach, Type, extract, guess, normalise};
use manara_model::record::rfc3339;
use manara_model::warninglist::WarningLists;
use manara_model::{Cleared, Head};
use manara_store::view::{SightingCount, View};
use serde::Serialize;

/// A record in an answer.
#[derive(Debug, Clone, Serialize)]
pub struct RecordLine {
    /// Identifier.
    pub uuid: uuid::Uuid,
    /// Kind.
    pub kind: String,
    /// Title.
    pub title: String,
    /// Who holds it.
    pub owner: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// TLP, lower case.
    pub tlp: Option<&'static str>,
    /// MISP distribution, 0 to 5.
    pub distribution: u8,
    /// When its author made it (RFC 3339).
    pub created: Option<String>,
    /// When it came in (RFC 3339).
    pub received: String,
    /// Number of parts, for its holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// Version.
    pub version: u32,
    /// Tags.
    pub tags: Vec<String>,
}

impl RecordLine {
    /// The line of a head.
    #[must_use]
    pub fn of(head: &Cleared<Head>) -> Self {
        RecordLine {
            uuid: head.uuid,
            kind: head.kind.clone(),
            title: head.title.clone(),
            owner: head.owner_name.clone(),
            author: head.author.clone(),
            tlp: head.label.marking.tlp.map(|tlp| tlp.name()),
            distribution: head.label.marking.distribution(),
            created: head.created.map(rfc3339),
            received: rfc3339(head.received),
            parts: head.parts,
            version: head.version,
            tags: head.tags.clone(),
        }
    }
}

/// What is known of a value.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// In its normal form; as asked where it is no value known here.
    pub value: String,
    /// Its type; `null` where it is none.
    #[serde(rename = "type")]
    pub ty: Option<&'static str>,
    /// As asked.
    pub asked: String,
    /// Records that mention it, newest first.
    pub records: Vec<RecordLine>,
    /// How many there are.
    pub total: i64,
    /// There are more than `total`.
    pub uncounted: bool,
    /// Somebody wants it looked for.
    pub detect: bool,
    /// Sightings.
    pub sightings: SightingCount,
    /// Warning lists that hold it.
    pub warning_lists: Vec<String>,
    /// RFC 3339.
    pub first_seen: Option<String>,
    /// RFC 3339.
    pub last_seen: Option<String>,
    /// Networks that hold this address, domains that this name is below, where records mention them.
    pub around: Vec<String>,
}

/// The values that a question means: `type:value`, a value, `prefix*`, `*.domain` and `network` (what is
/// below them), or a text.
///
/// # Errors
/// The store's.
pub fn values_of(view: &View<'_>, question: &str, limit: u32) -> Result<Vec<Observable>> {
    let question = question.trim();
    if let Some((name, value)) = question.split_once(':')
        && let Some(ty) = Type::by_name(name)
    {
        if let Some(prefix) = value.strip_suffix('*') {
            return Ok(view.beginning(ty, prefix, limit)?);
        }
        return Ok(normalise(ty, value).into_iter().collect());
    }
    if let Some(domain) = question.strip_prefix("*.") {
        let reach = guess(domain).and_then(|observable| observable.reach());
        return Ok(match reach {
            Some(reach @ Reach::Name(_)) => view.below(&reach, limit)?,
            _ => Vec::new(),
        });
    }
    if let Some(prefix) = question.strip_suffix('*') {
        let mut found = Vec::new();
        for ty in ["domain", "url", "ipv4", "sha256", "sha1", "md5", "email", "filename", "cve"]
            .iter()
            .filter_map(|name| Type::by_name(name))
        {
            let room = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(limit));
            found.extend(view.beginning(ty, &prefix.to_lowercase(), room)?);
        }
        return Ok(found);
    }
    if let Some(observable) = guess(question) {
        let mut found = Vec::new();
        // What lies in a network belongs to the answer about it.
        if let Some(reach @ Reach::Net { len: 0..=127, .. }) = observable.reach() {
            found = view.below(&reach, limit)?;
            found.retain(|inside| *inside != observable);
        }
        found.insert(0, observable);
        return Ok(found);
    }
    if question.contains(char::is_whitespace) {
        let mut found: Vec<Observable> = Vec::new();
        for extracted in extract(question) {
            if !found.contains(&extracted.observable) {
                found.push(extracted.observable);
            }
        }
        return Ok(found);
    }
    // A bare word may be a file name, an actor, a mutex…: whatever type a record has it under.
    let mut found = Vec::new();
    for ty in Type::all().filter(|ty| ty.row().correlates) {
        if let Ok(observable) = normalise(ty, question)
            && view.lookup(&observable, 1)?.total > 0
        {
            found.push(observable);
        }
    }
    Ok(found)
}

/// Everything known of one value.
///
/// # Errors
/// The store's.
pub fn answer(
    view: &View<'_>,
    asked: &str,
    observable: &Observable,
    lists: &WarningLists,
    limit: u32,
) -> Result<Answer> {
    let known = view.lookup(observable, limit)?;
    let around = match observable.reach() {
        Some(reach) => view.around(&reach)?.iter().map(|o| o.value().to_owned()).collect(),
        None => Vec::new(),
    };
    Ok(Answer {
        value: observable.value().to_owned(),
        ty: Some(observable.ty().name()),
        asked: asked.to_owned(),
        records: known.records.iter().map(RecordLine::of).collect(),
        total: known.total,
        uncounted: known.uncounted,
        detect: known.detect,
        sightings: known.sightings,
        warning_lists: lists.hits(observable).into_iter().map(str::to_owned).collect(),
        first_seen: known.first_seen.map(rfc3339),
        last_seen: known.last_seen.map(rfc3339),
        around,
    })
}

/// Answers questions, in order; one that means nothing known here has an answer without records.
///
/// # Errors
/// The store's.
pub fn ask(view: &View<'_>, questions: &[String], lists: &WarningLists, limit: u32) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    for question in questions {
        let values = values_of(view, question, limit)?;
        if values.is_empty() {
            answers.push(Answer {
                value: question.clone(),
                ty: None,
                asked: question.clone(),
                records: Vec::new(),
                total: 0,
                uncounted: false,
                detect: false,
                sightings: SightingCount::default(),
                warning_lists: Vec::new(),
                first_seen: None,
                last_seen: None,
                around: Vec::new(),
            });
        }
        for value in values {
            answers.push(answer(view, question, &value, lists, limit)?);
        }
    }
    Ok(answers)
}
