//! What format is this? By content, never by name alone.

use crate::documents;
use crate::json::Members;
use crate::lists::{alone, delimiter, header, row};
use crate::table::{Format, format};
use crate::{Input, InputError};
use std::io::Read;

/// How much is looked at.
const SAMPLE: u64 = 64 * 1024;

/// First bytes of what is often sent and never unpacked here: an archive can hold anything, in any size.
const NOT_READ: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "is a zip archive (or an office document): unpack it, and give the files in it"),
    (b"PK\x05\x06", "is an empty zip archive"),
    (b"7z\xbc\xaf", "is a 7z archive: unpack it, and give the files in it"),
    (b"Rar!", "is a rar archive: unpack it, and give the files in it"),
    (b"\xfd7zXZ", "is compressed with xz: unpack it first (gzip and zstd are read as they are)"),
    (b"BZh", "is compressed with bzip2: unpack it first (gzip and zstd are read as they are)"),
    (b"%PDF", "is a PDF: save its text, and give that"),
    (
        b"<?xml",
        "is XML, which no reader here takes: export it as JSON, CSV or text (STIX 1: convert it with stix2-elevator)",
    ),
];

/// The format of an input.
///
/// # Errors
/// Where it is none that is read here.
pub fn detect(input: &mut Input) -> Result<&'static Format, InputError> {
    let file = input.name().to_owned();
    let failed = |reason: String| InputError::new(&file, "", reason);
    let mut sample = Vec::new();
    input.reader()?.take(SAMPLE).read_to_end(&mut sample).map_err(|e| failed(e.to_string()))?;
    if let Some((_, what)) = NOT_READ.iter().find(|(first, _)| sample.starts_with(first)) {
        return Err(failed((*what).to_owned()));
    }
    if sample.iter().take(1024).filter(|b| **b == 0).count() > 4 {
        return Err(failed("is a binary file; no reader here takes it".into()));
    }
    let text = String::from_utf8_lossy(&sample);
    // Text in another encoding has a wrong byte here and there; noise has them everywhere.
    let wrong = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    if wrong * 10 > text.chars().count() {
        return Err(failed("is a binary file, or text that is not UTF-8; no reader here takes it".into()));
    }
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let name = if start.starts_with(['{', '[']) { json(input, start)? } else { lines(&text) };
    format(name).ok_or_else(|| failed(format!("looks like '{name}', which has no reader")))
}

fn json(input: &mut Input, start: &str) -> Result<&'static str, InputError> {
    // Several lines that are each an object: JSON Lines.
    let mut lines = start.lines().filter(|line| !line.trim().is_empty());
    let whole = |line: Option<&str>| {
        line.is_some_and(|line| {
            line.starts_with('{')
                && line.trim_end().ends_with('}')
                && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
        })
    };
    if whole(lines.next()) && lines.next().is_some_and(|line| line.trim_start().starts_with('{')) {
        return Ok("jsonl");
    }
    let name = input.name().to_owned();
    let text = input.text()?;
    crate::json::check(&name, &text, input.limits().depth)?;
    if text.trim_start().starts_with('[') {
        let events = start.get(..4096).unwrap_or(start);
        return Ok(if events.contains("\"Event\"") || events.contains("\"info\"") { "misp" } else { "json" });
    }
    let members = Members::parse(&text).map_err(|e| crate::json::located(&name, &e))?;
    if members.get("Event").is_some()
        || members.get("response").is_some()
        || members.get("info").is_some() && members.get("Attribute").is_some()
    {
        return Ok("misp");
    }
    let kind = members.text("type");
    if kind.as_deref() == Some("bundle")
        || members.text("id").zip(kind).is_some_and(|(id, kind)| id.starts_with(&format!("{kind}--")))
    {
        return Ok("stix");
    }
    Ok(match documents::classify(&members) {
        (_, "csaf") => "csaf",
        (_, "knowledge") => "knowledge",
        _ => "json",
    })
}

fn first(line: &str) -> Option<&str> {
    line.split_whitespace().next()
}

fn lines(text: &str) -> &'static str {
    let all: Vec<&str> = text.lines().take(400).collect();
    if all.iter().any(|line| line.starts_with("#fields\t")) {
        return "csv";
    }
    let body: Vec<&str> = all
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';', '!']) && !line.starts_with("//"))
        .collect();
    if body.is_empty() {
        return if all.iter().any(|line| line.trim_start().starts_with('#')) { "text" } else { "freetext" };
    }
    // A table whose columns are named: what stands in them need not be known before.
    // Lists of which each line begins with a value, and what follows a tab tells of it, are read alike as either.
    let tabbed = |sign| sign == b'\t' && body.iter().all(|line| first(line).is_some_and(|word| alone(word).is_some()));
    if let Some(header) = header(text)
        && header.fits(&body)
        && !tabbed(header.delimiter())
    {
        return "csv";
    }
    // Another table: as many fields in nearly every line.
    if let Some(sign) = body.get(body.len() / 2).and_then(|line| delimiter(line)) {
        let count = |line: &&str| row(line, sign).map_or(0, |fields| fields.len() - 1);
        let usual = body.get(body.len() / 2).map_or(0, count);
        let same = body.iter().filter(|line| count(line).abs_diff(usual) <= 1 + usual / 4 && count(line) > 0).count();
        let fields =
            |line: &&str| line.split(char::from(sign)).any(|field| alone(field.trim().trim_matches('"')).is_some());
        let valued = body.iter().filter(|line| fields(line)).count();
        // Prose has commas too: a table has values in its cells.
        if usual > 0 && same * 10 >= body.len() * 9 && valued * 2 >= body.len() && !tabbed(sign) {
            return "csv";
        }
    }
    // A list: few words a line, the first a value.
    let listed = body
        .iter()
        .filter(|line| line.split_whitespace().count() <= 4 && first(line).is_some_and(|word| alone(word).is_some()))
        .count();
    if listed * 10 >= body.len() * 6 { "text" } else { "freetext" }
}
